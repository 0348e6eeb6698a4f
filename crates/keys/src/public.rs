//! Public keys, their ids, and signature checks.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use bartizan_base::{Digest, DigestInvalid, sha256};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::encoding;

/// A signature algorithm; the names are those of stored formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256 (FIPS 186-5); signatures are ASN.1 DER.
    #[serde(rename = "ecdsa-p256-sha256")]
    EcdsaP256Sha256,
    /// Ed25519 (RFC 8032); signatures are 64 raw bytes.
    #[serde(rename = "ed25519")]
    Ed25519,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::Ed25519 => "ed25519",
        })
    }
}

/// The id of a key: SHA-256 of its DER SubjectPublicKeyInfo, written as 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Digest);

impl KeyId {
    /// Wraps a digest that already is a key id.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest that the id is.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = DigestInvalid;

    /// Accepts exactly 64 lowercase hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, DigestInvalid> {
        if text.len() != 64 {
            return Err(DigestInvalid { text: text.chars().take(80).collect() });
        }
        text.parse().map(Self)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The bytes are not a public key that Bartizan uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyInvalid {
    /// Not one PEM block with the label `PUBLIC KEY`.
    #[error("not a PEM file with one `PUBLIC KEY` block")]
    Pem,
    /// Not a SubjectPublicKeyInfo of a supported algorithm in its usual DER form.
    #[error("not the DER of an Ed25519 key or of an uncompressed P-256 key")]
    Algorithm,
    /// The algorithm is right but the key is not, for example a point off the curve or of small order.
    #[error("not a valid key of its algorithm")]
    Key,
}

/// The signature does not verify with this key over this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct SignatureInvalid;

/// A public key that verifies signatures.
#[derive(Clone)]
pub struct PublicKey {
    algorithm: Algorithm,
    id: KeyId,
    spki: Vec<u8>,
    parsed: ParsedPublicKey,
}

// Both algorithms have one DER header for all keys (RFC 5480 with uncompressed points, RFC 8410), so the
// header is compared, and no ASN.1 is parsed here.
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const PEM_LABEL: &str = "PUBLIC KEY";

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo: P-256 with an uncompressed point (RFC 5480) or Ed25519 (RFC 8410).
    ///
    /// # Errors
    /// When the bytes are something else, or a point that is not on the curve.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, PublicKeyInvalid> {
        if let Some(point) = der.strip_prefix(&P256_SPKI)
            && point.len() == 65
            && point.first() == Some(&4)
        {
            return Self::from_raw(Algorithm::EcdsaP256Sha256, point);
        }
        if let Some(key) = der.strip_prefix(&ED25519_SPKI)
            && key.len() == 32
        {
            return Self::from_raw(Algorithm::Ed25519, key);
        }
        Err(PublicKeyInvalid::Algorithm)
    }

    /// Reads a PEM file with one `PUBLIC KEY` block (RFC 7468 section 13).
    ///
    /// # Errors
    /// When the text is not that, or as [`PublicKey::from_spki_der`].
    pub fn from_pem(text: &str) -> Result<Self, PublicKeyInvalid> {
        let der = encoding::from_pem(PEM_LABEL, text).ok_or(PublicKeyInvalid::Pem)?;
        Self::from_spki_der(&der)
    }

    /// Wraps the 32 raw bytes of an Ed25519 key (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// When it is of small order, not in its one encoding, or the library refuses it.
    pub fn from_ed25519_raw(key: &[u8; 32]) -> Result<Self, PublicKeyInvalid> {
        Self::from_raw(Algorithm::Ed25519, key)
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The key as one PEM block, with a newline at its end.
    pub fn pem(&self) -> String {
        encoding::to_pem(PEM_LABEL, &self.spki)
    }

    /// The algorithm whose signatures this key verifies.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key's id.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The 32 raw bytes of an Ed25519 key; `None` for other algorithms.
    pub fn ed25519_raw(&self) -> Option<[u8; 32]> {
        self.spki.strip_prefix(&ED25519_SPKI)?.try_into().ok()
    }

    /// Checks a signature in the form that [`Algorithm`] names.
    ///
    /// # Errors
    /// When it does not verify.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureInvalid> {
        self.parsed.verify_sig(message, signature).map_err(|_| SignatureInvalid)
    }

    pub(crate) fn verify_digest(
        &self,
        digest: &aws_lc_rs::digest::Digest,
        signature: &[u8],
    ) -> Result<(), SignatureInvalid> {
        self.parsed.verify_digest_sig(digest, signature).map_err(|_| SignatureInvalid)
    }

    // `raw` is an uncompressed point or 32 bytes of Ed25519.
    pub(crate) fn from_raw(algorithm: Algorithm, raw: &[u8]) -> Result<Self, PublicKeyInvalid> {
        let (header, verification): (&[u8], &'static dyn VerificationAlgorithm) = match algorithm {
            Algorithm::EcdsaP256Sha256 => (&P256_SPKI, &signature::ECDSA_P256_SHA256_ASN1),
            Algorithm::Ed25519 if weak_ed25519(raw) => return Err(PublicKeyInvalid::Key),
            Algorithm::Ed25519 => (&ED25519_SPKI, &signature::ED25519),
        };
        let parsed = ParsedPublicKey::new(verification, raw).map_err(|_| PublicKeyInvalid::Key)?;
        let spki = [header, raw].concat();
        Ok(Self { algorithm, id: KeyId(sha256(&spki)), spki, parsed })
    }
}

// The y coordinates of the points whose order divides 8, little-endian: 0, 1, -1, and the two of order 8. Under
// such a key one signature verifies over many messages, or over all.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    y(0x01, 0x00, 0x00),
    y(0xec, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

const fn y(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    let [low, .., high] = &mut bytes;
    *low = first;
    *high = last;
    bytes
}

// Whether a key is of small order, or its y coordinate is not below 2^255 - 19: RFC 8032 (section 5.1.3) reads
// no such key, and it would be a second encoding, and so a second id, of another one.
fn weak_ed25519(raw: &[u8]) -> bool {
    let Ok(mut y) = <[u8; 32]>::try_from(raw) else { return true };
    let [low, middle @ .., high] = &mut y;
    *high &= 0x7f;
    let beyond = *high == 0x7f && middle.iter().all(|byte| *byte == 0xff) && *low >= 0xed;
    beyond || SMALL_ORDER.contains(&y)
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm, self.id)
    }
}

impl Serialize for PublicKey {
    /// Standard base64 of the DER SubjectPublicKeyInfo.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encoding::to_base64(&self.spki))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let der = encoding::from_base64(&text).ok_or_else(|| de::Error::custom("not base64"))?;
        Self::from_spki_der(&der).map_err(de::Error::custom)
    }
}
