//! What a verifier remembers of a ledger.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bartizan_ledger::{Remembered, SignedCheckpoint, TrustedLog};
use bartizan_registry::proof::{Consistency, Seen};
use bartizan_store::DirCas;

use super::super::file_failure;
use crate::catalog::ids;
use crate::failure::Failure;

/// What this verifier remembers of the ledger, so that a later proof cannot come from a smaller or another history.
pub(super) enum Memory {
    /// The largest checkpoint that was verified, in a directory.
    Kept(Box<Kept>),
    /// There is no place to remember anything.
    None { why: String },
}

pub(super) struct Kept {
    at: PathBuf,
    remembered: Remembered,
    largest: Option<SignedCheckpoint>,
}

impl Memory {
    /// The memory in the directory that was named, or else beside the trust file, if something can be kept there.
    pub(super) fn open(named: Option<&Path>, trust: &Path, log: &TrustedLog) -> Result<Self, Failure> {
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

    pub(super) fn seen(&self) -> Option<Seen> {
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
    pub(super) fn keep(&self, shown: &SignedCheckpoint, proofs: &[Consistency]) -> Result<(), Failure> {
        let kept = match &self.largest {
            None => self.remembered.begin(shown),
            Some(_) => self.remembered.advance(shown, &mut |old| {
                let found = proofs.iter().find(|proof| proof.size == old);
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
