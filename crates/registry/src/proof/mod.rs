//! Proof files: writing the walk from a claim back to the root key, and checking it elsewhere.

mod collect;
mod deliveries;
mod format;
mod prediction;
mod refused;
mod shown;
mod texts;
mod verify;
mod words;

pub(crate) use self::collect::read_private;
pub use self::collect::{ProveFailed, Prover};
pub use self::format::{
    Claim, Consistency, FORMAT, Opening, PartsInvalid, ProofEntry, ProofFile, ProofMalformed, RecordClaim,
};
pub use self::prediction::ProvenPrediction;
pub use self::refused::{KnownBy, ProofRefused};
pub(crate) use self::verify::check_signature;
pub use self::verify::{Seen, Verdict, VerifyOptions, trusted_log, verify};
