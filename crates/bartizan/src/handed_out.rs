//! The tree sizes that were handed out in trust files and proofs: new proofs continue from the last of both.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::catalog::ids;
use crate::failure::Failure;

const FILE: &str = "handed-out.json";
/// Bytes of that file; a dozen numbers need less.
const FILE_BYTES: u64 = 4096;

/// In what a tree size was handed out. Many proofs come after one trust file, and must not crowd it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HandedIn {
    /// A trust file.
    Trust,
    /// A proof.
    Proof,
}

impl HandedIn {
    /// How many sizes are kept. Each costs a proof some 600 bytes, and a verifier who has seen none of them a `--since`.
    const fn kept(self) -> usize {
        match self {
            Self::Trust => 8,
            Self::Proof => 4,
        }
    }
}

/// The list, beside the data.
#[derive(Debug)]
pub(crate) struct HandedOut {
    path: PathBuf,
    turn: Mutex<()>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Sizes {
    trust: BTreeSet<u64>,
    proofs: BTreeSet<u64>,
}

impl HandedOut {
    /// The list of a data directory.
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self { path: data_dir.join(FILE), turn: Mutex::new(()) }
    }

    /// The sizes that were handed out last. A lost or damaged file costs verifiers nothing but a `--since`.
    pub(crate) fn sizes(&self) -> BTreeSet<u64> {
        let Sizes { trust, proofs } = self.read();
        trust.into_iter().chain(proofs).collect()
    }

    /// Remembers that a tree of this size was handed out.
    pub(crate) fn remember(&self, handed_in: HandedIn, size: u64) -> Result<(), Failure> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sizes = self.read();
        let of = match handed_in {
            HandedIn::Trust => &mut sizes.trust,
            HandedIn::Proof => &mut sizes.proofs,
        };
        of.insert(size);
        while of.len() > handed_in.kept() {
            of.pop_first();
        }
        let text = serde_json::to_vec(&sizes).map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        let temporary = self.path.with_extension("tmp");
        let mut options = fs::OpenOptions::new();
        let written = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary);
        written
            .and_then(|mut file| file.write_all(&text))
            .and_then(|()| fs::rename(&temporary, &self.path))
            .map_err(|error| Failure::of(ids::STORAGE, &error))
    }

    fn read(&self) -> Sizes {
        let mut bytes = Vec::new();
        let read = fs::File::open(&self.path).and_then(|file| file.take(FILE_BYTES).read_to_end(&mut bytes));
        if read.is_err() {
            return Sizes::default();
        }
        serde_json::from_slice(&bytes).unwrap_or_default()
    }
}
