//! `verify`: a proof, a trust file, and what this verifier remembers of the ledger.

mod memory;
mod prediction;

use std::io::Read as _;
use std::path::Path;

use bartizan_base::{Digest, Hasher, VersionRef};
use bartizan_keys::TrustFile;
use bartizan_registry::limits::PROOF_BYTES;
use bartizan_registry::manifest::{Manifest, ManifestFile, manifest_digest};
use bartizan_registry::proof::{Claim, VerifyOptions, trusted_log, verify};
use serde_json::json;

use self::memory::Memory;
use super::{Work, file_failure, read_bytes, tree};
use crate::catalog::ids;
use crate::cli::Verify;
use crate::failure::Failure;

const TRUST_BYTES: u64 = 64 * 1024;

pub(super) async fn run(work: &Work, wanted: &Verify) -> Result<u8, Failure> {
    let trust = wanted.trust.as_path();
    let file = wanted.file.as_ref().ok_or_else(prediction::receipt_alone)?;
    let proof = read_bytes(file, u64::try_from(PROOF_BYTES).unwrap_or(u64::MAX))?;
    let trusted = TrustFile::parse(&read_bytes(trust, TRUST_BYTES)?)
        .map_err(|error| Failure::of(ids::PROOF_TRUST, &error))?;
    let log = trusted_log(&trusted)?;
    let memory = Memory::open(wanted.memory.as_deref(), trust, &log)?;
    let mut verdict = verify(
        &proof,
        &trusted,
        memory.seen(),
        VerifyOptions { allow_development: wanted.allow_development },
    )?;
    match &memory {
        Memory::Kept(kept) => kept.keep(&verdict.checkpoint, &verdict.consistency)?,
        Memory::None { why } => verdict.not_covered.push(format!(
            "older proofs: nothing is remembered here ({why}), so a log that was rolled back shows only below the \
             {} entries that the trust file asks for; --memory DIR names a place",
            trusted.minimum_size
        )),
    }

    let mut answer = match &verdict.claim {
        Claim::ModelVersion { version, manifest, state } => {
            let expected = wanted.state.as_deref().unwrap_or("approved");
            if expected != "any" && expected != state.to_string() {
                let what = format!("the proof holds, but what it proves is that {version} is {state}");
                return Err(Failure::new(ids::PROOF_EXPECTED, what));
            }
            expect(wanted, Some(version), Some(*manifest))?;
            prediction::not_asked(wanted)?;
            json!({ "version": version.to_string(), "state": state, "manifest": manifest })
        }
        Claim::Prediction(_) => prediction::about(wanted, &mut verdict)?,
    };
    if let Some(members) = answer.as_object_mut() {
        members.insert("verified".to_owned(), json!(true));
        members.insert("treeSize".to_owned(), json!(verdict.seen.size));
        members.insert("treeRoot".to_owned(), json!(verdict.seen.root));
        members.insert("proven".to_owned(), json!(verdict.proven));
        members.insert("asserted".to_owned(), json!(verdict.asserted));
        members.insert("notCovered".to_owned(), json!(verdict.not_covered));
    }
    work.answer(&answer)
}

/// Compares what is proven with what was asked for. Returns the manifest of the model that was named.
fn expect(
    wanted: &Verify,
    version: Option<&VersionRef>,
    manifest: Option<Digest>,
) -> Result<Option<Manifest>, Failure> {
    let other = |what: String| Err(Failure::new(ids::PROOF_EXPECTED, what));
    let name = version.map_or_else(|| "no version".to_owned(), ToString::to_string);
    if wanted.version.as_ref().is_some_and(|expected| *expected != name) {
        return other(format!("the proof holds, but it is of {name}"));
    }
    let Some(path) = &wanted.model else { return Ok(None) };
    let (named, digest) = manifest_of(path)?;
    if Some(digest) != manifest {
        return other(format!("the proof holds, but `{}` is not the model that it is of", path.display()));
    }
    Ok(Some(named))
}

/// The manifest of a model on disk, and its digest.
fn manifest_of(path: &Path) -> Result<(Manifest, Digest), Failure> {
    let mut files = Vec::new();
    for file in tree::list(path, None)? {
        let mut content = file.open()?;
        let mut hasher = Hasher::new();
        let mut size: u64 = 0;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let read = content.read(&mut buffer).map_err(|error| file_failure(path, &error))?;
            let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
            hasher.update(chunk);
            size = size.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        }
        files.push(ManifestFile { path: file.path.clone(), sha256: hasher.finish(), size });
    }
    let manifest = Manifest::new(files).map_err(|error| Failure::of(ids::MODEL_FILES, &error))?;
    let bytes = manifest.to_bytes().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    let digest = manifest_digest(&bytes);
    Ok((manifest, digest))
}
