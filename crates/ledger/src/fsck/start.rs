//! What a check begins with: the head, what is staged for it, and the published checkpoint, as of one moment.

use std::collections::BTreeMap;
use std::io;

use bartizan_base::{BlobError, BlobErrorKind, BlobName, BlobReader, BlobWriter, Blobs, Cas, read_all};

use super::{DefectKind, Findings};
use crate::checkpoint::{SignedCheckpoint, TrustedLog};
use crate::edge::Levels;
use crate::head::{Head, checkpoint_name, head_key};
use crate::ledger::staged;
use crate::limits::{HEAD_LOOKS, NOTE_BYTES, STAGING_BYTES};
use crate::staging::{self, StagingName};

/// What was found, and what is wrong with it already.
#[derive(Default)]
pub(super) struct Start {
    pub(super) findings: Findings,
    pub(super) published: Option<SignedCheckpoint>,
    pub(super) head: Option<SignedCheckpoint>,
    /// The value of the head.
    head_bytes: Option<Vec<u8>>,
    /// The head is newer than the published checkpoint, and its group is staged.
    pub(super) unfinished: bool,
    /// The tiles of that group; empty when they are damaged.
    group: BTreeMap<BlobName, Vec<u8>>,
    /// Nothing changed meanwhile.
    steady: bool,
}

impl Start {
    /// Looks until nothing changes meanwhile. Where a writer is never still that long, what only a still one can
    /// show is left out.
    pub(super) fn find(blobs: &dyn Blobs, cas: Option<&dyn Cas>, log: &TrustedLog) -> Self {
        let mut start = Self::default();
        for _ in 0..HEAD_LOOKS {
            start = Self::look(blobs, cas, log);
            if start.steady {
                break;
            }
        }
        start
    }

    /// The order matters. A writer stages a group, swaps the head, publishes the checkpoint, and then removes what
    /// it staged: so a group that is in the head, but was not staged after that, is published after that. And no
    /// published checkpoint is newer than a head that is loaded later.
    fn look(blobs: &dyn Blobs, cas: Option<&dyn Cas>, log: &TrustedLog) -> Self {
        let mut start = Self { steady: true, ..Self::default() };
        let Some(cas) = cas else {
            let note = start.findings.read(blobs, &checkpoint_name(), NOTE_BYTES);
            start.publish(note, log);
            return start;
        };
        let before = cas.load(&head_key());
        let staged = staged(blobs);
        let note = start.findings.read(blobs, &checkpoint_name(), NOTE_BYTES);
        let after = cas.load(&head_key());
        start.steady = match (&before, &after) {
            (Ok(before), Ok(after)) => before == after,
            _ => true,
        };
        start.publish(note, log);
        let head = match after {
            Ok(Some(bytes)) => {
                let head = Head::decode(&bytes, &log.without_witnesses()).map_err(DefectKind::Head);
                start.head_bytes = Some(bytes);
                head
            }
            Ok(None) => Err(DefectKind::Missing),
            Err(failed) => Err(DefectKind::Unreadable(failed.source.to_string())),
        };
        match head {
            Ok(head) => start.compare(blobs, head.checkpoint, staged),
            Err(kind) => start.findings.add(head_key(), None, kind),
        }
        start
    }

    fn publish(&mut self, note: Option<Vec<u8>>, log: &TrustedLog) {
        match note.map(|note| SignedCheckpoint::open(&note, log)).transpose() {
            Ok(published) => self.published = published,
            Err(why) => self.findings.add(checkpoint_name(), None, DefectKind::Checkpoint(why)),
        }
    }

    /// Compares the head with the published checkpoint.
    fn compare(
        &mut self,
        blobs: &dyn Blobs,
        head: SignedCheckpoint,
        staged: Result<Vec<StagingName>, BlobError>,
    ) {
        if let Some(published) = &self.published {
            let (older, newer) = (published.size(), head.size());
            if newer < older || (newer == older && head.root() != published.root()) {
                self.findings.add(head_key(), None, DefectKind::HeadDiffers);
            } else if newer > older && self.steady {
                match staged {
                    Ok(staged) => self.read_group(blobs, &head, &staged),
                    Err(failed) => self.findings.failed(&failed),
                }
            }
        }
        self.head = Some(head);
    }

    fn read_group(&mut self, blobs: &dyn Blobs, head: &SignedCheckpoint, staged: &[StagingName]) {
        let mut whole = true;
        for name in staged.iter().filter(|name| name.completes(head)).map(StagingName::blob_name) {
            self.unfinished = true;
            let bytes = match read_all(blobs, &name, STAGING_BYTES) {
                Ok(bytes) => bytes,
                // Its writer is alive and has finished the group.
                Err(missing) if missing.kind == BlobErrorKind::NotFound => {
                    self.steady = false;
                    continue;
                }
                Err(failed) => {
                    self.findings.failed(&failed);
                    whole = false;
                    continue;
                }
            };
            match staging::decode(&bytes) {
                Ok(tiles) => {
                    self.group.extend(tiles.into_iter().map(|tile| (tile.path.blob_name(), tile.bytes)));
                }
                Err(why) => {
                    self.findings.add(name, None, DefectKind::Staging(why));
                    whole = false;
                }
            }
        }
        if !whole {
            self.group.clear();
        }
        if !self.unfinished {
            self.findings.add(head_key(), None, DefectKind::HeadUnfinished);
        }
    }

    /// Where the tiles are that everything is to be compared with, and the checkpoint: a group that waits to be
    /// finished is checked as if it were.
    pub(super) fn finished<'a>(
        &'a self,
        blobs: &'a dyn Blobs,
    ) -> (Finished<'a>, Option<&'a SignedCheckpoint>) {
        let finished = Finished { blobs, group: &self.group };
        if self.group.is_empty() {
            return (finished, self.published.as_ref().or(self.head.as_ref()));
        }
        // The partial tiles that this reads are compared with the newer tree like all others.
        if let Some(published) = &self.published
            && Levels::load(&finished, published).is_err()
        {
            self.findings.add(head_key(), None, DefectKind::HeadDiffers);
        }
        (finished, self.head.as_ref())
    }

    /// Whether no tile can rightly be there that is not of the tree which [`Start::finished`] gives, because the
    /// head is still the same.
    pub(super) fn still(&self, cas: Option<&dyn Cas>) -> bool {
        let known = self.head.is_some() && (!self.unfinished || !self.group.is_empty());
        known
            && self.steady
            && cas.is_some_and(|cas| cas.load(&head_key()).is_ok_and(|now| now == self.head_bytes))
    }
}

/// The blobs of a ledger as they will be when its last group is finished; for reading.
pub(super) struct Finished<'a> {
    blobs: &'a dyn Blobs,
    group: &'a BTreeMap<BlobName, Vec<u8>>,
}

impl Finished<'_> {
    fn refuse(action: &'static str, name: impl ToString) -> BlobError {
        BlobError::new(action, name.to_string(), io::ErrorKind::PermissionDenied.into())
    }
}

impl Blobs for Finished<'_> {
    fn put(&self, _: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        Err(Self::refuse("write", "(a checked ledger)"))
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        Err(Self::refuse("write", "(a checked ledger)"))
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        match self.group.get(name) {
            Some(bytes) => Ok(Box::new(StagedTile { name: name.clone(), bytes: bytes.clone() })),
            None => self.blobs.open(name),
        }
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        self.blobs.list(prefix, after, limit)
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        Err(Self::refuse("delete", name))
    }
}

struct StagedTile {
    name: BlobName,
    bytes: Vec<u8>,
}

impl BlobReader for StagedTile {
    fn len(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), BlobError> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let wanted = self.bytes.get(start..).and_then(|rest| rest.get(..buf.len()));
        let ended = || BlobError::new("read", &self.name, io::ErrorKind::UnexpectedEof.into());
        buf.copy_from_slice(wanted.ok_or_else(ended)?);
        Ok(())
    }
}
