//! The ledger: created once, opened by one writer at a time, appended to from many threads.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use bartizan_base::limits::ENTRY_BYTES;
use bartizan_base::{BlobError, BlobErrorKind, Blobs, Cas, CasError, read_all};

use crate::checkpoint::{Checkpoint, CheckpointInvalid, SignedCheckpoint, TrustInvalid, TrustedLog};
use crate::edge::Edge;
use crate::head::{Head, HeadInvalid, checkpoint_name, head_key};
use crate::limits::{
    GROUP_BYTES, GROUP_ENTRIES, LIST_PAGE, NOTE_BYTES, QUEUE_APPENDS, STAGING_BLOBS, STAGING_BYTES,
};
use crate::merkle::empty_root;
use crate::note::{NoteSigner, SignFailed};
use crate::reader::{LedgerReader, ReadFailed, Snapshot};
use crate::staging::{self, StagingInvalid, StagingName};
use crate::writer::{GroupFailed, Request, State, Writer};

/// An open ledger. Dropping it finishes what is being written and stops its writer thread.
pub struct Ledger {
    queue: Option<SyncSender<Request>>,
    thread: Option<JoinHandle<()>>,
    state: Arc<Mutex<State>>,
    reader: LedgerReader,
}

/// What an append came to.
#[derive(Debug, Clone)]
pub struct Appended {
    /// The index of the first entry; the others follow it.
    pub first_index: u64,
    /// A durable checkpoint that covers all of them.
    pub checkpoint: SignedCheckpoint,
}

/// An append did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendFailed {
    /// No entries were given.
    #[error("there is nothing to append")]
    NoEntries,
    /// An entry is empty or too long. The caller's fault.
    #[error("entry {position} has {bytes} bytes, not 1 to {ENTRY_BYTES}")]
    EntryLength {
        /// Its place among the entries given, from 0.
        position: usize,
        /// How long it is.
        bytes: usize,
    },
    /// More entries or bytes than one append may have. The caller's fault.
    #[error(
        "{entries} entries of {bytes} bytes, more than the {GROUP_ENTRIES} entries or {GROUP_BYTES} bytes allowed"
    )]
    TooMuch {
        /// How many entries there are.
        entries: usize,
        /// Their total length.
        bytes: usize,
    },
    /// The ledger has grown since the caller looked: nothing was appended; look again and decide anew.
    #[error("decided on {expected} entries, but the ledger has {size}")]
    Conflict {
        /// The size that the caller expected.
        expected: u64,
        /// The size it has, all of it durable.
        size: u64,
    },
    /// The group could not be committed. The writer has stopped.
    #[error("the group was not committed")]
    NotCommitted(#[source] Arc<GroupFailed>),
    /// It is not known whether the group was committed; opening the ledger again shows. The writer has stopped.
    #[error("it is not known whether the group was committed")]
    Unknown(#[source] Arc<GroupFailed>),
    /// The writer had stopped before; nothing was appended. Open the ledger again.
    #[error("the ledger's writer has stopped; open the ledger again")]
    Stopped(#[source] Arc<GroupFailed>),
    /// The writer's thread is gone; it is not known whether anything was appended. A defect of this program.
    #[error("the ledger's writer thread is gone")]
    Gone,
}

/// No ledger was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateFailed {
    /// There is one already.
    #[error("there is a ledger already")]
    Exists,
    /// The storage failed. What was written does no harm; whether the ledger exists is unknown.
    #[error("the ledger's storage failed")]
    Storage(#[from] BlobError),
    /// The key could not sign the first checkpoint.
    #[error("the first checkpoint could not be signed")]
    Sign(#[from] SignFailed),
    /// The ledger was made but could not be opened.
    #[error("the new ledger could not be opened")]
    Open(#[from] OpenFailed),
}

/// A ledger could not be opened for appending.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    /// There is none; creating one is a step of its own.
    #[error("there is no ledger")]
    Missing,
    /// There are checkpoints and tiles but no head: it was lost, and with it the proof of what is committed.
    #[error("the ledger has lost its head")]
    HeadMissing,
    /// The storage failed.
    #[error("the ledger's storage failed")]
    Storage(#[from] BlobError),
    /// The head is damaged or belongs to another ledger or key.
    #[error("the ledger's head is wrong")]
    Head(#[from] HeadInvalid),
    /// The published checkpoint is damaged or belongs to another ledger or key.
    #[error("the published checkpoint is wrong")]
    Published(#[source] CheckpointInvalid),
    /// The published checkpoint is not a beginning of the head's: one of them was rolled back or replaced.
    #[error("the published checkpoint has size {published}, the head {head}, and they do not fit together")]
    RolledBack {
        /// Size of the published checkpoint.
        published: u64,
        /// Size of the head.
        head: u64,
    },
    /// A committed group cannot be finished.
    #[error("staging blob `{name}` is damaged")]
    Staging {
        /// The blob's name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: StagingInvalid,
    },
    /// The tiles are not those of the head.
    #[error("the ledger's tiles are wrong")]
    Tiles(#[from] ReadFailed),
    /// Another writer opened the ledger at the same moment.
    #[error("another writer is opening the ledger")]
    Contended,
    /// The key cannot be a log's.
    #[error("the signing key is not usable for a ledger")]
    Key(#[from] TrustInvalid),
    /// The operating system gives no thread.
    #[error("the writer's thread could not be started")]
    Thread(#[source] std::io::Error),
}

impl Ledger {
    /// Makes an empty ledger whose origin is the signer's name, and opens it.
    ///
    /// # Errors
    /// When there is one already, also a damaged one, or the storage or the key fails.
    pub fn create(
        blobs: Arc<dyn Blobs>,
        cas: Arc<dyn Cas>,
        signer: NoteSigner,
    ) -> Result<Self, CreateFailed> {
        let log = TrustedLog::new(signer.key().clone()).map_err(OpenFailed::from)?;
        let published = blobs.list(checkpoint_name().as_str(), None, 1)?;
        let tiles = blobs.list("tile/", None, 1)?;
        if cas.load(&head_key())?.is_some() || !published.is_empty() || !tiles.is_empty() {
            return Err(CreateFailed::Exists);
        }
        let checkpoint = Checkpoint { origin: log.origin().to_owned(), size: 0, root: empty_root() };
        let head = Head { epoch: 0, checkpoint: checkpoint.sign(&signer)? };
        match cas.swap(&head_key(), None, &head.encode()) {
            Ok(()) => {}
            Err(CasError::Conflict { .. }) => return Err(CreateFailed::Exists),
            Err(CasError::Storage(failed)) => return Err(failed.into()),
        }
        Ok(Self::open(blobs, cas, signer)?)
    }

    /// Opens a ledger for appending: shuts out earlier writers, finishes a group that a crash interrupted, and
    /// checks that the right edge hashes to the committed root.
    ///
    /// # Errors
    /// When there is none, it is damaged or rolled back, belongs to another key, or the storage fails.
    pub fn open(blobs: Arc<dyn Blobs>, cas: Arc<dyn Cas>, signer: NoteSigner) -> Result<Self, OpenFailed> {
        let log = TrustedLog::new(signer.key().clone())?;
        let (head, head_bytes) = take_over(blobs.as_ref(), cas.as_ref(), &log)?;
        let reader = LedgerReader::new(Arc::clone(&blobs), log);
        recover(blobs.as_ref(), &head, &reader)?;
        let edge = Edge::load(blobs.as_ref(), &head.checkpoint)?;
        let state = Arc::new(Mutex::new(State {
            checkpoint: head.checkpoint.clone(),
            readable: head.checkpoint.clone(),
            stopped: None,
        }));
        let writer = Writer::new(blobs, cas, signer, edge, head, head_bytes, Arc::clone(&state))?;
        let (queue, requests): (_, Receiver<Request>) = sync_channel(QUEUE_APPENDS);
        let name = "ledger-writer".to_owned();
        let thread =
            Builder::new().name(name).spawn(move || writer.run(&requests)).map_err(OpenFailed::Thread)?;
        Ok(Self { queue: Some(queue), thread: Some(thread), state, reader })
    }

    /// Appends entries, in order and without others between them; blocks until they are durable under a
    /// signed checkpoint. Callers from many threads are committed in groups.
    ///
    /// # Errors
    /// See [`AppendFailed`]; except for `Unknown` and `Gone`, nothing was appended.
    pub fn append(&self, entries: Vec<Vec<u8>>) -> Result<Appended, AppendFailed> {
        self.submit(entries, None)
    }

    /// Appends entries only if the ledger still has `expected` entries when their turn comes: for decisions
    /// that were made on a state of that size.
    ///
    /// # Errors
    /// [`AppendFailed::Conflict`] when it has grown; else as [`Ledger::append`].
    pub fn append_if(&self, expected: u64, entries: Vec<Vec<u8>>) -> Result<Appended, AppendFailed> {
        self.submit(entries, Some(expected))
    }

    fn submit(&self, entries: Vec<Vec<u8>>, expected: Option<u64>) -> Result<Appended, AppendFailed> {
        check_entries(&entries)?;
        let queue = self.queue.as_ref().ok_or(AppendFailed::Gone)?;
        let (reply, answer) = sync_channel(1);
        queue.send(Request { entries, expected, reply }).map_err(|_| AppendFailed::Gone)?;
        answer.recv().map_err(|_| AppendFailed::Gone)?
    }

    /// The last durable checkpoint.
    pub fn checkpoint(&self) -> SignedCheckpoint {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).checkpoint.clone()
    }

    /// Why the writer has stopped, if it has: from then on every append fails until the ledger is opened again.
    pub fn stopped(&self) -> Option<Arc<GroupFailed>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped.clone()
    }

    /// Whose signature the ledger's checkpoints carry.
    pub fn log(&self) -> &TrustedLog {
        self.reader.log()
    }

    /// A reader of this ledger's storage that trusts this ledger's key.
    pub fn reader(&self) -> &LedgerReader {
        &self.reader
    }

    /// A snapshot at the last checkpoint whose tiles are all in their places, which covers everything acknowledged.
    ///
    /// # Errors
    /// As [`LedgerReader::snapshot_at`].
    pub fn snapshot(&self) -> Result<Snapshot, ReadFailed> {
        let readable = self.state.lock().unwrap_or_else(PoisonError::into_inner).readable.clone();
        self.reader.snapshot_at(readable)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing left to finish.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ledger({})", self.log().key())
    }
}

/// Refuses what no group could hold.
fn check_entries(entries: &[Vec<u8>]) -> Result<(), AppendFailed> {
    if entries.is_empty() {
        return Err(AppendFailed::NoEntries);
    }
    let wrong = |entry: &Vec<u8>| entry.is_empty() || entry.len() > ENTRY_BYTES;
    if let Some((position, entry)) = entries.iter().enumerate().find(|(_, entry)| wrong(entry)) {
        return Err(AppendFailed::EntryLength { position, bytes: entry.len() });
    }
    let bytes = entries.iter().map(Vec::len).sum();
    if entries.len() > GROUP_ENTRIES || bytes > GROUP_BYTES {
        return Err(AppendFailed::TooMuch { entries: entries.len(), bytes });
    }
    Ok(())
}

/// Raises the epoch, so that no earlier writer can commit any more. What it staged is then either committed
/// in the head that is returned, or never will be.
pub(crate) fn take_over(
    blobs: &dyn Blobs,
    cas: &dyn Cas,
    log: &TrustedLog,
) -> Result<(Head, Vec<u8>), OpenFailed> {
    let Some(found) = cas.load(&head_key())? else {
        let published = blobs.list(checkpoint_name().as_str(), None, 1)?;
        return Err(if published.is_empty() { OpenFailed::Missing } else { OpenFailed::HeadMissing });
    };
    let Head { epoch, checkpoint } = Head::decode(&found, log)?;
    let head = Head { epoch: epoch.saturating_add(1), checkpoint };
    let bytes = head.encode();
    match cas.swap(&head_key(), Some(&found), &bytes) {
        Ok(()) => Ok((head, bytes)),
        Err(CasError::Conflict { .. }) => Err(OpenFailed::Contended),
        Err(CasError::Storage(failed)) => Err(failed.into()),
    }
}

/// Finishes the committed group, if it is not, and removes what earlier writers staged.
fn recover(blobs: &dyn Blobs, head: &Head, reader: &LedgerReader) -> Result<(), OpenFailed> {
    let published = published(blobs, reader.log())?;
    let size = published.as_ref().map_or(0, SignedCheckpoint::size);
    let rolled_back = || OpenFailed::RolledBack { published: size, head: head.checkpoint.size() };
    if size > head.checkpoint.size() {
        return Err(rolled_back());
    }
    let staged = staged(blobs)?;
    for name in staged.iter().filter(|name| name.completes(&head.checkpoint)) {
        let blob_name = name.blob_name();
        let bytes = match read_all(blobs, &blob_name, STAGING_BYTES) {
            Ok(bytes) => bytes,
            // Its writer is still alive, has finished the group, and removed the blob after that.
            Err(missing) if missing.kind == BlobErrorKind::NotFound => continue,
            Err(failed) => return Err(failed.into()),
        };
        let damaged = |source| OpenFailed::Staging { name: blob_name.to_string(), source };
        let tiles = staging::decode(&bytes).map_err(damaged)?;
        let names: Vec<_> = tiles.iter().map(|tile| tile.path.blob_name()).collect();
        let puts: Vec<_> =
            names.iter().zip(&tiles).map(|(name, tile)| (name, tile.bytes.as_slice())).collect();
        blobs.put(&puts)?;
    }
    // Published only over tiles that are whole and continue what was published before; what was staged is
    // removed only after that.
    let snapshot = reader.snapshot_at(head.checkpoint.clone())?;
    if let Some(published) = &published
        && snapshot.root(size)? != published.root()
    {
        return Err(rolled_back());
    }
    if published.is_none() || size < head.checkpoint.size() {
        blobs.put(&[(&checkpoint_name(), head.checkpoint.note().as_bytes())])?;
    }
    // A blob of this or a later epoch belongs to a writer that has shut this one out.
    for name in staged.iter().filter(|name| name.epoch < head.epoch) {
        blobs.delete(&name.blob_name())?;
    }
    Ok(())
}

fn published(blobs: &dyn Blobs, log: &TrustedLog) -> Result<Option<SignedCheckpoint>, OpenFailed> {
    match read_all(blobs, &checkpoint_name(), NOTE_BYTES) {
        Ok(note) => Ok(Some(SignedCheckpoint::open(&note, log).map_err(OpenFailed::Published)?)),
        Err(missing) if missing.kind == BlobErrorKind::NotFound => Ok(None),
        Err(failed) => Err(failed.into()),
    }
}

/// The names of all staging blobs, up to a limit.
pub(crate) fn staged(blobs: &dyn Blobs) -> Result<Vec<StagingName>, BlobError> {
    let mut names = Vec::new();
    let mut after = None;
    while names.len() < STAGING_BLOBS {
        let page = blobs.list(staging::PREFIX, after.as_ref(), LIST_PAGE)?;
        names.extend(page.iter().filter_map(StagingName::parse));
        if page.len() < LIST_PAGE {
            break;
        }
        after = page.last().cloned();
    }
    Ok(names)
}
