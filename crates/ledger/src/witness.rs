//! Witness cosignatures: other people's statements of when they saw a checkpoint (C2SP tlog-cosignature, v1).

use std::error::Error;

use bartizan_base::Timestamp;
use bartizan_keys::SigningKey;

use crate::checkpoint::SignedCheckpoint;
use crate::note::{Note, SignFailed, VerifierKey, signature_line};

/// The last second of the year 9999, after which there are no time stamps.
const LAST_SECOND: u64 = 253_402_300_799;

/// One witness's verified statement: at this time, this was the largest consistent tree it had seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's name.
    pub witness: String,
    /// When it cosigned, in whole seconds.
    pub at: Timestamp,
}

/// A line claims to be by a trusted witness but is not a valid cosignature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureInvalid {
    /// Not 8 bytes of time and 64 of signature.
    #[error("the cosignature by `{witness}` has {bytes} bytes, not 72")]
    Length {
        /// The witness.
        witness: String,
        /// How many there were.
        bytes: usize,
    },
    /// A time of 0, or after the year 9999.
    #[error("the cosignature by `{witness}` is dated {seconds} seconds after 1970")]
    Time {
        /// The witness.
        witness: String,
        /// The time given.
        seconds: u64,
    },
    /// The signature does not verify.
    #[error("the cosignature by `{witness}` does not verify")]
    Signature {
        /// The witness.
        witness: String,
    },
}

/// Cosigns a checkpoint as the witness called `name`: returns the signature line, ending in a newline.
///
/// The caller must have checked that the checkpoint is consistent with every one it cosigned before, and
/// must remember this one durably first (see [`crate::Remembered`]).
///
/// # Errors
/// When `name` or `key` cannot be a witness's, `at` is in the first second of 1970, or the key does not sign.
pub fn cosign(
    checkpoint: &SignedCheckpoint,
    name: &str,
    key: &SigningKey,
    at: Timestamp,
) -> Result<String, SignFailed> {
    let failed = |source: Box<dyn Error + Send + Sync>| SignFailed::Key { name: name.to_owned(), source };
    let verifier = VerifierKey::cosignature(name, key.public()).map_err(|e| failed(e.into()))?;
    let seconds = u64::try_from(at.millis() / 1000).unwrap_or_default();
    if seconds == 0 {
        return Err(failed("no witness cosigns before 1970-01-01T00:00:01Z".into()));
    }
    let signature = key.sign(&message(seconds, checkpoint.text())).map_err(|e| failed(e.into()))?;
    let blob = [&seconds.to_be_bytes(), signature.as_slice()].concat();
    Ok(signature_line(&verifier, &blob))
}

/// Checks every line that claims to be by one of `witnesses`; keeps the earliest of each.
pub(crate) fn verified_cosignatures(
    note: &Note<'_>,
    witnesses: &[VerifierKey],
) -> Result<Vec<Cosignature>, CosignatureInvalid> {
    let mut cosignatures = Vec::new();
    for witness in witnesses {
        let mut earliest = None;
        for line in note.signatures.iter().filter(|line| line.claims(witness)) {
            let at = verify(note.text, &line.signature, witness)?;
            earliest = Some(earliest.map_or(at, |earlier: Timestamp| earlier.min(at)));
        }
        let name = || witness.name().to_owned();
        cosignatures.extend(earliest.map(|at| Cosignature { witness: name(), at }));
    }
    Ok(cosignatures)
}

fn verify(text: &str, blob: &[u8], witness: &VerifierKey) -> Result<Timestamp, CosignatureInvalid> {
    let name = || witness.name().to_owned();
    let parts = blob.split_first_chunk::<8>().filter(|(_, signature)| signature.len() == 64);
    let Some((seconds, signature)) = parts else {
        return Err(CosignatureInvalid::Length { witness: name(), bytes: blob.len() });
    };
    let seconds = u64::from_be_bytes(*seconds);
    let in_range = seconds > 0 && seconds <= LAST_SECOND;
    let millis = i64::try_from(seconds).ok().filter(|_| in_range).map(|seconds| seconds * 1000);
    let millis = millis.ok_or_else(|| CosignatureInvalid::Time { witness: name(), seconds })?;
    if !witness.verifies(&message(seconds, text), signature) {
        return Err(CosignatureInvalid::Signature { witness: name() });
    }
    Ok(Timestamp::from_millis(millis))
}

fn message(seconds: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}
