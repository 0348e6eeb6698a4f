//! `verify`: a proof, a trust file, and what this verifier remembers of the ledger.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bartizan_keys::TrustFile;
use bartizan_ledger::{Remembered, SignedCheckpoint};
use bartizan_registry::proof::{Claim, ProofFile, Seen, VerifyOptions, trusted_log, verify};
use bartizan_store::DirCas;
use serde_json::json;

use super::{Work, file_failure, read_bytes};
use crate::catalog::ids;
use crate::failure::Failure;

const PROOF_BYTES: u64 = 4 * 1024 * 1024;
const TRUST_BYTES: u64 = 64 * 1024;

pub(super) async fn run(
    work: &Work,
    file: &Path,
    trust: &Path,
    allow_development: bool,
) -> Result<u8, Failure> {
    let proof = read_bytes(file, PROOF_BYTES)?;
    let trusted = TrustFile::parse(&read_bytes(trust, TRUST_BYTES)?)
        .map_err(|error| Failure::of(ids::PROOF_TRUST, &error))?;
    let log = trusted_log(&trusted)?;
    let memory = memory_of(trust);
    std::fs::create_dir_all(&memory).map_err(|error| file_failure(&memory, &error))?;
    let cas = DirCas::open(&memory).map_err(|error| Failure::of(ids::STORAGE, &error))?;
    let remembered = Remembered::new(Arc::new(cas), log.clone());
    let largest = remembered.largest().map_err(|error| Failure::of(ids::STORAGE, &error))?;
    let known = largest.as_ref().map(|checkpoint| Seen { size: checkpoint.size(), root: checkpoint.root() });
    let verdict = verify(&proof, &trusted, known, VerifyOptions { allow_development })?;

    // What was verified is remembered, so that a later proof cannot come from a smaller or another history.
    let parsed = ProofFile::parse(&proof).map_err(|error| Failure::of(ids::PROOF_MALFORMED, &error))?;
    let shown = SignedCheckpoint::open(parsed.checkpoint.as_bytes(), &log)
        .map_err(|error| Failure::of(ids::PROOF_CHECKPOINT, &error))?;
    let kept = match &largest {
        None => remembered.begin(&shown),
        Some(_) => remembered.advance(&shown, &mut |old| {
            let found = parsed.consistency.iter().find(|proof| proof.size == old);
            Ok(found.map(|proof| proof.hashes.clone()).unwrap_or_default())
        }),
    };
    kept.map_err(|error| Failure::of(ids::STORAGE, &error))?;

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

/// Where a verifier remembers the largest checkpoints: beside its trust file.
fn memory_of(trust: &Path) -> PathBuf {
    let mut name = trust.as_os_str().to_owned();
    name.push(".seen");
    PathBuf::from(name)
}
