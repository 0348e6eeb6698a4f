//! Predicates about sources of data: who they are, which keys they sign with, and what was refused of them.

use bartizan_base::{Digest, Name, SourceId, Timestamp};
use bartizan_keys::{Algorithm, KeyId, PublicKey};
use serde::{Deserialize, Serialize};

use super::{Act, Body, Private, Standing, Subject, digest_of_name};

/// A source of data, and whose signatures count as its own; each statement says all of it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SourceV1 {
    /// The source.
    pub source: SourceId,
    /// What it is called, encrypted.
    pub profile: Private,
    /// Whether deliveries of it are taken.
    pub standing: Standing,
    /// Its keys, in the order in which they came to be trusted; none is ever left out again.
    pub keys: Vec<SourceKeyV1>,
    /// Who says so.
    pub act: Act,
}

/// A key of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SourceKeyV1 {
    /// The key.
    pub key: KeyId,
    /// Its public half: base64 of the DER SubjectPublicKeyInfo.
    pub public_key: PublicKey,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// The index from which on what it signed does not count: that of the entry which revokes it, or an earlier one
    /// when it was in other hands since then.
    pub revoked: Option<u64>,
}

/// How a source signed a delivery; see `docs/formats/delivery.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureForm {
    /// A DSSE envelope of type [`DELIVERY_TYPE`]: anybody can check it against the digest of the part.
    Dsse,
    /// ECDSA over the SHA-256 of the bytes: anybody can check it against the digest of the part.
    EcdsaSha256,
    /// Ed25519 over the bytes: whoever has them can check it.
    Ed25519,
    /// Ed25519 over the bytes or their BLAKE2b-512, as minisign writes it: whoever has them can check it.
    Minisign,
}

impl SignatureForm {
    /// Whether the digest of the bytes is enough to check the signature.
    pub const fn over_digest(self) -> bool {
        matches!(self, Self::Dsse | Self::EcdsaSha256)
    }
}

/// The DSSE payload type of a delivery that a source signed.
pub const DELIVERY_TYPE: &str = "application/vnd.bartizan.delivery+json";

/// What a source signs in an envelope: canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryV1 {
    /// When the source signed it, as it says.
    pub at: Timestamp,
    /// How many bytes it delivers.
    pub bytes: u64,
    /// The data set that it is for, and for no other; any when it is absent.
    pub dataset: Option<Name>,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// [`DELIVERY_FORMAT`].
    pub format: String,
}

/// The format of [`DeliveryV1`].
pub const DELIVERY_FORMAT: &str = "bartizan-delivery-v1";

/// A source's signature over one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SourceSignature {
    /// The key of the source that signed.
    pub key: KeyId,
    /// How.
    pub form: SignatureForm,
    /// The signature itself, in base64.
    pub value: String,
    /// For an envelope, when the source says that it signed.
    pub at: Option<Timestamp>,
    /// For an envelope, whether it is bound to this data set.
    pub bound: bool,
}

/// The source that a delivery is from: as its writer says, and with a signature as the source itself does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromSource {
    /// The source.
    pub source: SourceId,
    /// Its signature.
    pub signature: Option<SourceSignature>,
}

/// Why a delivery was refused before it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedBecause {
    /// The data set takes signed deliveries alone, and this one has no signature.
    Unsigned,
    /// No key of the source made the signature over these bytes.
    WrongSignature,
    /// A key of the source made it that is revoked.
    RevokedKey,
    /// The source signed it for another data set.
    OtherDataset,
}

impl RefusedBecause {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unsigned => "the data set takes signed deliveries alone, and it has no signature",
            Self::WrongSignature => "no key of its source made the signature over these bytes",
            Self::RevokedKey => "the key that signed it is revoked",
            Self::OtherDataset => "its source signed it for another data set",
        }
    }
}

/// One delivery that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedDelivery {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// How many bytes.
    pub bytes: u64,
    /// The source that it was said to be from, when that is one of the project.
    pub source: Option<SourceId>,
    /// The key that signed, when it is a revoked one of that source.
    pub key: Option<KeyId>,
    /// Why; absent for one that came along with those that were refused.
    pub why: Option<RefusedBecause>,
}

/// Deliveries were refused for their signatures, before anything in them was read. Nothing of them is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalV1 {
    /// The data set.
    pub name: Name,
    /// The deliveries, in order.
    pub deliveries: Vec<RefusedDelivery>,
    /// Who brought them.
    pub act: Act,
}

impl Body for SourceV1 {
    fn subject(&self) -> Subject {
        Subject::new(self.source, digest_of_name(self.source))
    }
}

impl Body for RefusalV1 {
    fn subject(&self) -> Subject {
        let first = self.deliveries.first();
        Subject::new(&self.name, first.map_or_else(|| digest_of_name(&self.name), |first| first.digest))
    }
}
