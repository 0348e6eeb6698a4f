//! Remembered checkpoints: what a process has seen of a log, so that nobody can show it an older or other one.

use std::fmt;
use std::sync::Arc;

use bartizan_base::{BlobError, BlobName, Cas, CasError, Digest, sha256};

use crate::checkpoint::{CheckpointInvalid, SignedCheckpoint, TrustedLog};
use crate::limits::REMEMBER_ATTEMPTS;
use crate::merkle::{ProofInvalid, verify_consistency};
use crate::reader::{ReadFailed, Snapshot};
use crate::tile::blob_name;

/// The largest checkpoint of one log that was seen, kept in a [`Cas`] that the log's operator cannot roll back.
///
/// An older copy of a whole ledger is consistent in itself; only this shows that it is older.
pub struct Remembered {
    cas: Arc<dyn Cas>,
    log: TrustedLog,
}

/// A checkpoint was refused, or the memory failed.
#[derive(Debug, thiserror::Error)]
pub enum RememberFailed {
    /// Nothing is remembered yet; the first checkpoint is a step of its own.
    #[error("no checkpoint of `{origin}` is remembered yet")]
    NothingYet {
        /// The log's origin.
        origin: String,
    },
    /// Something is remembered already, so this is not the first.
    #[error("a checkpoint of `{origin}` is remembered already")]
    Already {
        /// The log's origin.
        origin: String,
    },
    /// The checkpoint is of another log.
    #[error("a checkpoint of `{found}`, not of `{expected}`")]
    OtherLog {
        /// The origin remembered.
        expected: String,
        /// The origin shown.
        found: String,
    },
    /// The checkpoint was verified under other keys or with fewer witnesses than this memory demands.
    #[error("the checkpoint shown is not trusted")]
    Untrusted(#[source] CheckpointInvalid),
    /// The ledger shown is smaller than one seen before: rolled back, or an old copy.
    #[error("the ledger has {shown} entries, but had {remembered} before")]
    Smaller {
        /// The size remembered.
        remembered: u64,
        /// The size shown.
        shown: u64,
    },
    /// The ledger shown has the size remembered but another root: history was rewritten.
    #[error("the ledger has {size} entries as before, but another root: history was rewritten")]
    SameSizeOtherRoot {
        /// The size of both.
        size: u64,
    },
    /// The ledger shown is larger but does not continue the one remembered: history was rewritten.
    #[error("the ledger of {shown} entries does not continue the one of {remembered}: history was rewritten")]
    Inconsistent {
        /// The size remembered.
        remembered: u64,
        /// The size shown.
        shown: u64,
        /// Where the proof fails.
        #[source]
        source: ProofInvalid,
    },
    /// The proof of consistency could not be had.
    #[error("the proof of consistency could not be read")]
    Proof(#[from] ReadFailed),
    /// What is remembered is damaged or was made by another key.
    #[error("the remembered checkpoint is wrong")]
    Damaged(#[from] CheckpointInvalid),
    /// The storage of the memory failed.
    #[error("the remembered checkpoint's storage failed")]
    Storage(#[from] BlobError),
    /// Other processes kept changing it. Try again.
    #[error("the remembered checkpoint keeps changing")]
    Contended,
}

impl Remembered {
    /// The memory for `log` in `cas`; reads nothing yet.
    pub fn new(cas: Arc<dyn Cas>, log: TrustedLog) -> Self {
        Self { cas, log }
    }

    /// Remembers the first checkpoint; which one to begin with is a matter of trust that this cannot settle.
    ///
    /// # Errors
    /// When one is remembered already, it is of another log, or the storage fails.
    pub fn begin(&self, first: &SignedCheckpoint) -> Result<(), RememberFailed> {
        self.check_trust(first)?;
        match self.cas.swap(&self.key(), None, first.bare_note().as_bytes()) {
            Ok(()) => Ok(()),
            Err(CasError::Conflict { .. }) => {
                Err(RememberFailed::Already { origin: self.log.origin().to_owned() })
            }
            Err(CasError::Storage(failed)) => Err(failed.into()),
        }
    }

    /// The largest checkpoint seen; `None` before [`Remembered::begin`].
    ///
    /// # Errors
    /// When it cannot be read, or does not verify.
    pub fn largest(&self) -> Result<Option<SignedCheckpoint>, RememberFailed> {
        Ok(self.load()?.map(|(_, checkpoint)| checkpoint))
    }

    /// Accepts a snapshot if it continues what is remembered, and remembers it. The proof of consistency comes
    /// from the snapshot itself.
    ///
    /// # Errors
    /// When the snapshot is refused, nothing is remembered yet, or something cannot be read or written.
    pub fn follow(&self, snapshot: &Snapshot) -> Result<(), RememberFailed> {
        self.advance(snapshot.checkpoint(), &mut |old| snapshot.consistency(old, snapshot.size()))
    }

    /// As [`Remembered::follow`], with the proof of consistency from the size it is called with from elsewhere.
    ///
    /// # Errors
    /// As [`Remembered::follow`].
    pub fn advance(
        &self,
        shown: &SignedCheckpoint,
        prove_from: &mut dyn FnMut(u64) -> Result<Vec<Digest>, ReadFailed>,
    ) -> Result<(), RememberFailed> {
        self.check_trust(shown)?;
        for _ in 0..REMEMBER_ATTEMPTS {
            let origin = || self.log.origin().to_owned();
            let (bytes, old) = self.load()?.ok_or_else(|| RememberFailed::NothingYet { origin: origin() })?;
            if shown.size() < old.size() {
                return Err(RememberFailed::Smaller { remembered: old.size(), shown: shown.size() });
            }
            if shown.size() == old.size() {
                let same = shown.root() == old.root();
                return if same {
                    Ok(())
                } else {
                    Err(RememberFailed::SameSizeOtherRoot { size: old.size() })
                };
            }
            let proof = prove_from(old.size())?;
            verify_consistency(old.size(), shown.size(), &proof, &old.root(), &shown.root()).map_err(
                |source| RememberFailed::Inconsistent { remembered: old.size(), shown: shown.size(), source },
            )?;
            match self.cas.swap(&self.key(), Some(&bytes), shown.bare_note().as_bytes()) {
                Ok(()) => return Ok(()),
                Err(CasError::Conflict { .. }) => {}
                Err(CasError::Storage(failed)) => return Err(failed.into()),
            }
        }
        Err(RememberFailed::Contended)
    }

    // Whoever verified `shown` may have trusted others than this memory does.
    fn check_trust(&self, shown: &SignedCheckpoint) -> Result<(), RememberFailed> {
        if shown.origin() != self.log.origin() {
            let (expected, found) = (self.log.origin().to_owned(), shown.origin().to_owned());
            return Err(RememberFailed::OtherLog { expected, found });
        }
        SignedCheckpoint::open(shown.note().as_bytes(), &self.log)
            .map(drop)
            .map_err(RememberFailed::Untrusted)
    }

    // Kept with the log's own signature only: a quorum was demanded when it was shown, not again now.
    fn load(&self) -> Result<Option<(Vec<u8>, SignedCheckpoint)>, RememberFailed> {
        let Some(bytes) = self.cas.load(&self.key())? else { return Ok(None) };
        let checkpoint = SignedCheckpoint::open(&bytes, &self.log.without_witnesses())?;
        Ok(Some((bytes, checkpoint)))
    }

    fn key(&self) -> BlobName {
        blob_name(&format!("remembered/{}", sha256(self.log.origin().as_bytes()).to_hex()))
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remembered({})", self.log.origin())
    }
}
