//! Why a proof does not hold.

use std::fmt;

use bartizan_base::Digest;
use bartizan_ledger::segment::{RecordProofInvalid, RecordProofRefused};
use bartizan_ledger::{CheckpointInvalid, ProofInvalid as MerkleInvalid};

use super::format::ProofMalformed;
use crate::manifest::ManifestInvalid;
use crate::prediction::RecordEnvelopeInvalid;
use crate::state::EntryInvalid;

/// Who knows a tree that a proof must continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// The trust file asks for it.
    TrustFile,
    /// The verifier remembers it from an earlier proof.
    Verifier,
}

impl fmt::Display for KnownBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TrustFile => "by the trust file",
            Self::Verifier => "from an earlier proof",
        })
    }
}

/// The proof does not hold. Each variant is another way to fail; none of them is a matter of retrying.
#[derive(Debug, thiserror::Error)]
pub enum ProofRefused {
    /// The file is not a proof file.
    #[error("the file is not a proof")]
    Malformed(#[source] ProofMalformed),
    /// The checkpoint is of another ledger, not signed by the trusted key, or cosigned by too few witnesses.
    #[error("the checkpoint is not one of ledger `{expected}` under the trusted keys")]
    Checkpoint {
        /// The ledger that is trusted.
        expected: String,
        /// What does not fit.
        #[source]
        source: CheckpointInvalid,
    },
    /// The trust file itself names a key that cannot be read.
    #[error("the trust file holds a key that this version cannot read")]
    TrustKey,
    /// The tree is smaller than one that is known to exist: the log was rolled back, or the proof is an old one.
    #[error("the proof covers {size} entries, but {known} are known to exist, {by}")]
    Smaller {
        /// The tree size of the proof.
        size: u64,
        /// The tree size that is known.
        known: u64,
        /// Who knows it.
        by: KnownBy,
    },
    /// The tree contradicts one that is known to exist: history was rewritten.
    #[error("the tree of {size} entries does not continue the tree of {known} entries that is known")]
    Rewritten {
        /// The tree size of the proof.
        size: u64,
        /// The tree size that is known.
        known: u64,
    },
    /// The file does not show that the tree continues the one that is known.
    #[error("the proof does not show that its tree of {size} entries continues the known tree of {known}")]
    NoConsistency {
        /// The tree size of the proof.
        size: u64,
        /// The tree size that is known.
        known: u64,
    },
    /// The entries are not in ascending order, or one is there twice.
    #[error("entry {index} is out of order")]
    EntryOrder {
        /// The entry that is not above its predecessor.
        index: u64,
    },
    /// The entries are not in the tree: bytes, places or hashes were changed.
    #[error("the entries are not those of the tree that the checkpoint signs")]
    NotIncluded(#[source] MerkleInvalid),
    /// A statement is not signed by a key that the project root granted it to, or contradicts an earlier one.
    #[error("a statement does not follow from the trusted root key")]
    Statement(#[source] EntryInvalid),
    /// The statements are of another project.
    #[error("the statements are of another project than the trusted one")]
    OtherProject,
    /// Development keys, which anybody with access to the machine could have copied.
    #[error("the project's root key is a development key")]
    Development,
    /// A private document is not what a statement committed to.
    #[error("an opened document does not fit any commitment in the statements")]
    Opening {
        /// The commitment it claims.
        commitment: Digest,
    },
    /// A document that the claim needs is not opened.
    #[error("the {what} is not in the proof")]
    NotOpened {
        /// Which document.
        what: &'static str,
    },
    /// The manifest is not the one that the statements are about.
    #[error("the manifest is not a manifest")]
    Manifest(#[source] ManifestInvalid),
    /// The signing bundle is not a signature of this manifest by the project's model-signing key.
    #[error("the model signature does not hold: {why}")]
    ModelSignature {
        /// What does not fit.
        why: &'static str,
    },
    /// The state map does not confirm what the statements give: something was left out, or the map was changed.
    #[error("the state map does not confirm the statements: {why}")]
    LeftOut {
        /// What differs.
        why: &'static str,
    },
    /// The statements do not give what is claimed.
    #[error("the statements do not give the claim: {why}")]
    Claim {
        /// What differs.
        why: &'static str,
    },
    /// The record of the prediction cannot be read.
    #[error("the proof of the prediction's record is malformed")]
    RecordProof(#[source] RecordProofInvalid),
    /// The envelope of the record cannot be read.
    #[error("the record of the prediction is malformed")]
    RecordEnvelope(#[source] RecordEnvelopeInvalid),
    /// The record is not in the segment: it, its place or its proof were changed.
    #[error("the record is not in the segment that the ledger names")]
    NotInSegment(#[source] RecordProofRefused),
    /// The record does not fit the claim, the segment or what the statements say.
    #[error("the record of the prediction does not fit: {why}")]
    Record {
        /// What differs.
        why: &'static str,
    },
    /// The receipt was not given for this record, or not by this project's gateway.
    #[error("the receipt does not hold: {why}")]
    Receipt {
        /// What differs.
        why: &'static str,
    },
}
