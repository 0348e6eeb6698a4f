//! `verify`: a proof, a trust file, and what this verifier remembers of the ledger.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bartizan_base::{Digest, Hasher, VersionRef};
use bartizan_keys::TrustFile;
use bartizan_ledger::{Remembered, SignedCheckpoint, TrustedLog};
use bartizan_registry::limits::PROOF_BYTES;
use bartizan_registry::manifest::{Manifest, ManifestFile, manifest_digest};
use bartizan_registry::proof::{Claim, ProofFile, Seen, VerifyOptions, trusted_log, verify};
use bartizan_registry::statement::VersionState;
use bartizan_store::DirCas;
use serde_json::json;

use super::{Work, file_failure, read_bytes, tree};
use crate::catalog::ids;
use crate::cli::Verify;
use crate::failure::Failure;

const TRUST_BYTES: u64 = 64 * 1024;

pub(super) async fn run(work: &Work, wanted: &Verify) -> Result<u8, Failure> {
    let trust = wanted.trust.as_path();
    let proof = read_bytes(&wanted.file, u64::try_from(PROOF_BYTES).unwrap_or(u64::MAX))?;
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
    expect(wanted, version, *manifest, *state)?;
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

/// Compares what is proven with what was asked for.
fn expect(
    wanted: &Verify,
    version: &VersionRef,
    manifest: Digest,
    state: VersionState,
) -> Result<(), Failure> {
    let other = |what: String| Err(Failure::new(ids::PROOF_EXPECTED, what));
    if wanted.version.as_ref().is_some_and(|expected| *expected != version.to_string()) {
        return other(format!("the proof holds, but it is of {version}"));
    }
    if wanted.state != "any" && wanted.state != state.to_string() {
        return other(format!("the proof holds, but what it proves is that {version} is {state}"));
    }
    if let Some(path) = &wanted.model
        && manifest_of(path)? != manifest
    {
        return other(format!("the proof holds, but `{}` is not the model that it is of", path.display()));
    }
    Ok(())
}

/// The manifest digest of a model on disk.
fn manifest_of(path: &Path) -> Result<Digest, Failure> {
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
    Ok(manifest_digest(&bytes))
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
