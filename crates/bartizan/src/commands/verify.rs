//! `verify`: a proof, a trust file, and what this verifier remembers of the ledger.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bartizan_keys::TrustFile;
use bartizan_ledger::{Remembered, SignedCheckpoint, TrustedLog};
use bartizan_registry::limits::PROOF_BYTES;
use bartizan_registry::proof::{Claim, ProofFile, Seen, VerifyOptions, trusted_log, verify};
use bartizan_store::DirCas;
use serde_json::json;

use super::{Work, file_failure, read_bytes};
use crate::catalog::ids;
use crate::failure::Failure;

const TRUST_BYTES: u64 = 64 * 1024;

pub(super) async fn run(
    work: &Work,
    file: &Path,
    trust: &Path,
    memory: Option<&Path>,
    allow_development: bool,
) -> Result<u8, Failure> {
    let proof = read_bytes(file, u64::try_from(PROOF_BYTES).unwrap_or(u64::MAX))?;
    let trusted = TrustFile::parse(&read_bytes(trust, TRUST_BYTES)?)
        .map_err(|error| Failure::of(ids::PROOF_TRUST, &error))?;
    let log = trusted_log(&trusted)?;
    let memory = Memory::open(memory, trust, &log)?;
    let mut verdict = verify(&proof, &trusted, memory.seen(), VerifyOptions { allow_development })?;
    let parsed = ProofFile::parse(&proof).map_err(|error| Failure::of(ids::PROOF_MALFORMED, &error))?;
    let shown = SignedCheckpoint::open(parsed.checkpoint.as_bytes(), &log)
        .map_err(|error| Failure::of(ids::PROOF_CHECKPOINT, &error))?;
    match &memory {
        Memory::Kept(kept) => kept.keep(&shown, &parsed)?,
        Memory::None { why } => verdict.not_covered.push(format!(
            "older proofs: nothing is remembered here ({why}), so a log that was rolled back shows only below the \
             {} entries that the trust file asks for; --memory DIR names a place",
            trusted.minimum_size
        )),
    }

    let Claim::ModelVersion { version, manifest, state } = &verdict.claim;
    work.answer(&json!({
        "verified": true,
        "version": version.to_string(),
        "state": state,
        "manifest": manifest,
        "treeSize": verdict.seen.size,
        "treeRoot": verdict.seen.root,
        "proven": verdict.proven,
        "asserted": verdict.asserted,
        "notCovered": verdict.not_covered,
    }))
}

/// What this verifier remembers of the ledger, so that a later proof cannot come from a smaller or another history.
enum Memory {
    /// The largest checkpoint that was verified, in a directory.
    Kept(Box<Kept>),
    /// There is no place to remember anything.
    None { why: String },
}

struct Kept {
    at: PathBuf,
    remembered: Remembered,
    largest: Option<SignedCheckpoint>,
}

impl Memory {
    /// The memory in the directory that was named, or else beside the trust file, if something can be kept there.
    fn open(named: Option<&Path>, trust: &Path, log: &TrustedLog) -> Result<Self, Failure> {
        let at = named.map_or_else(|| beside(trust), Path::to_owned);
        if let Err(error) = writable(&at) {
            return match named {
                Some(_) => Err(file_failure(&at, &error)),
                None => Ok(Self::None { why: format!("{}: {error}", at.display()) }),
            };
        }
        let cas = DirCas::open(&at).map_err(|error| Failure::of(ids::STORAGE, &error))?;
        let remembered = Remembered::new(Arc::new(cas), log.clone());
        let largest = remembered.largest().map_err(|error| unreadable(&at, &error))?;
        Ok(Self::Kept(Box::new(Kept { at, remembered, largest })))
    }

    fn seen(&self) -> Option<Seen> {
        match self {
            Self::Kept(kept) => {
                kept.largest.as_ref().map(|found| Seen { size: found.size(), root: found.root() })
            }
            Self::None { .. } => None,
        }
    }
}

impl Kept {
    /// Remembers a checkpoint that was verified.
    fn keep(&self, shown: &SignedCheckpoint, proof: &ProofFile) -> Result<(), Failure> {
        let kept = match &self.largest {
            None => self.remembered.begin(shown),
            Some(_) => self.remembered.advance(shown, &mut |old| {
                let found = proof.consistency.iter().find(|proof| proof.size == old);
                Ok(found.map(|proof| proof.hashes.clone()).unwrap_or_default())
            }),
        };
        kept.map_err(|error| unreadable(&self.at, &error))
    }
}

/// Beside a trust file.
fn beside(trust: &Path) -> PathBuf {
    let mut name = trust.as_os_str().to_owned();
    name.push(".seen");
    PathBuf::from(name)
}

/// Makes the directory if it is missing, and finds out whether files can be made in it.
fn writable(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    rustix::fs::access(directory, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
    Ok(())
}

fn unreadable(at: &Path, error: &dyn std::error::Error) -> Failure {
    let mut failure = Failure::of(ids::FILE, error);
    failure.what = format!("the memory of this verifier, `{}`: {}", at.display(), failure.what);
    failure.then("look at what is there; without it a log that was rolled back is not noticed")
}
