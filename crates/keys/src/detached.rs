//! Detached signatures over a file, in the forms in which other tools write them.
//!
//! | written by | form | needs |
//! |---|---|---|
//! | `bartizan data sign`, anything that writes DSSE | an envelope whose payload names the file's digest | nothing |
//! | `openssl dgst -sha256 -sign`, `cosign sign-blob` | ECDSA over P-256, DER, raw or in base64 | the SHA-256 of the file |
//! | `openssl pkeyutl -sign -rawin` | 64 bytes of Ed25519, raw or in base64 | the whole file |
//! | `minisign -S` | two comments and two signatures | the BLAKE2b-512 of the file, or all of it |

use aws_lc_rs::digest as lc;
use bartizan_base::Digest;
use blake2::{Blake2b512, Digest as _};

use crate::dsse::{Envelope, EnvelopeInvalid};
use crate::encoding::{from_base64, from_either_base64};
use crate::limits::{DETACHED_BYTES, MINISIGN_COMMENT_BYTES};
use crate::public::{Algorithm, PublicKey, PublicKeyInvalid, SignatureInvalid};

/// A detached signature: well formed, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detached {
    /// A DSSE envelope; what it says of the file is for the caller to compare.
    Envelope(Envelope),
    /// The bytes of one signature over the file itself.
    Raw(Vec<u8>),
    /// What minisign writes.
    Minisign(Box<Minisign>),
}

/// A signature file of minisign (<https://jedisct1.github.io/minisign/>, "Minisign signature format").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minisign {
    prehashed: bool,
    signature: [u8; 64],
    comment: String,
    global: [u8; 64],
}

/// The bytes are no detached signature of a known form.
#[derive(Debug, thiserror::Error)]
pub enum DetachedInvalid {
    /// More bytes than a signature file has.
    #[error("more than {DETACHED_BYTES} bytes are no signature")]
    TooLarge,
    /// It looks like an envelope and is none.
    #[error("not a DSSE envelope")]
    Envelope(#[from] EnvelopeInvalid),
    /// It looks like minisign's and is not.
    #[error("not a signature file of minisign: {why}")]
    Minisign {
        /// What is wrong with it.
        why: &'static str,
    },
    /// Nothing that is known.
    #[error(
        "neither a DSSE envelope, nor minisign's, nor the bytes or base64 of an Ed25519 or P-256 signature"
    )]
    Unknown,
}

impl Detached {
    /// Tells the forms apart and reads one.
    ///
    /// # Errors
    /// When the bytes are none of them.
    pub fn parse(bytes: &[u8]) -> Result<Self, DetachedInvalid> {
        if bytes.len() > DETACHED_BYTES {
            return Err(DetachedInvalid::TooLarge);
        }
        // First by length: 64 random bytes can begin like anything, and no text of the other forms is as short.
        if is_raw(bytes) {
            return Ok(Self::Raw(bytes.to_vec()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| DetachedInvalid::Unknown)?.trim();
        if text.starts_with('{') {
            return Ok(Self::Envelope(Envelope::parse(text.as_bytes())?));
        }
        if text.starts_with("untrusted comment:") {
            return Minisign::parse(text).map(Box::new).map(Self::Minisign);
        }
        let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let raw = from_either_base64(&digits).filter(|raw| is_raw(raw));
        raw.map(Self::Raw).ok_or(DetachedInvalid::Unknown)
    }
}

/// Whether bytes have the length and head of an Ed25519 signature, or of an ECDSA signature over P-256 in DER.
fn is_raw(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, length, rest @ ..] if rest.len() == usize::from(*length) => (8..=70).contains(&rest.len()),
        _ => bytes.len() == 64,
    }
}

impl Minisign {
    fn parse(text: &str) -> Result<Self, DetachedInvalid> {
        let invalid = |why| DetachedInvalid::Minisign { why };
        let mut lines = text.lines();
        let (Some(_), Some(signed), Some(comment), Some(global), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(invalid("it has not four lines"));
        };
        let signed =
            from_base64(signed.trim_end()).ok_or_else(|| invalid("its second line is not base64"))?;
        let (algorithm, rest) =
            signed.split_first_chunk::<2>().ok_or_else(|| invalid("its signature is too short"))?;
        let prehashed = match algorithm {
            b"ED" => true,
            b"Ed" => false,
            _ => return Err(invalid("its algorithm is not Ed25519")),
        };
        // The key number in between is a hint; the key itself is known.
        let signature = rest.get(8..).and_then(|signature| signature.try_into().ok());
        let signature = signature.ok_or_else(|| invalid("its signature has not 64 bytes"))?;
        let comment = comment.trim_end_matches('\r').strip_prefix("trusted comment: ");
        let comment = comment.ok_or_else(|| invalid("its third line is no trusted comment"))?;
        if comment.len() > MINISIGN_COMMENT_BYTES {
            return Err(invalid("its trusted comment is too long"));
        }
        let global = from_base64(global.trim_end()).and_then(|global| global.try_into().ok());
        let global = global.ok_or_else(|| invalid("its fourth line is not 64 bytes in base64"))?;
        Ok(Self { prehashed, signature, comment: comment.to_owned(), global })
    }

    /// Whether the signature is over the BLAKE2b-512 of the file, as it is by default, and not over the file.
    pub const fn prehashed(&self) -> bool {
        self.prehashed
    }

    /// The signature over the file.
    pub const fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// Checks both signatures: over `message`, the BLAKE2b-512 of the file or the file itself, and over the comment.
    ///
    /// # Errors
    /// When one does not verify with this key, or the key is not Ed25519.
    pub fn verify(&self, key: &PublicKey, message: &[u8]) -> Result<(), SignatureInvalid> {
        if key.algorithm() != Algorithm::Ed25519 {
            return Err(SignatureInvalid);
        }
        key.verify(message, &self.signature)?;
        key.verify(&[&self.signature[..], self.comment.as_bytes()].concat(), &self.global)
    }
}

/// BLAKE2b-512 (RFC 7693) of a file that is read in pieces, which minisign signs.
#[derive(Debug, Default, Clone)]
pub struct MinisignHash(Blake2b512);

impl MinisignHash {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all bytes.
    pub fn finish(self) -> [u8; 64] {
        self.0.finalize().into()
    }
}

impl PublicKey {
    /// Checks an ECDSA signature over a message of which the SHA-256 is known; see [`PublicKey::verify`].
    ///
    /// # Errors
    /// When it does not verify, or the key is not P-256: Ed25519 signs the message, not a digest of it.
    pub fn verify_sha256(&self, digest: &Digest, signature: &[u8]) -> Result<(), SignatureInvalid> {
        if self.algorithm() != Algorithm::EcdsaP256Sha256 {
            return Err(SignatureInvalid);
        }
        let digest = lc::Digest::import_less_safe(digest.as_bytes(), &lc::SHA256);
        self.verify_digest(&digest.map_err(|_| SignatureInvalid)?, signature)
    }

    /// Reads a public key as people keep it in a file: PEM with one `PUBLIC KEY` block, or the key file of minisign.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn from_key_file(text: &str) -> Result<Self, PublicKeyInvalid> {
        let text = text.trim();
        let Some(minisign) = text.strip_prefix("untrusted comment:") else { return Self::from_pem(text) };
        let line = minisign.lines().nth(1).ok_or(PublicKeyInvalid::Pem)?;
        let bytes = from_base64(line.trim()).ok_or(PublicKeyInvalid::Pem)?;
        let key =
            bytes.strip_prefix(b"Ed").and_then(|rest| rest.get(8..)).and_then(|key| key.try_into().ok());
        Self::from_ed25519_raw(key.ok_or(PublicKeyInvalid::Algorithm)?)
    }
}
