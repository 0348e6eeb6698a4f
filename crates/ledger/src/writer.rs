//! The writer: takes appends from the queue and commits them in groups.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};

use bartizan_base::{BlobError, BlobName, Blobs, Cas, CasError};

use crate::checkpoint::{Checkpoint, SignedCheckpoint, TrustedLog};
use crate::edge::{Edge, Tile};
use crate::head::{Head, checkpoint_name, head_key};
use crate::ledger::{AppendFailed, Appended};
use crate::limits::{GROUP_BYTES, GROUP_ENTRIES, LIST_PAGE, REPUBLISH_ATTEMPTS, STALE_PER_GROUP, TREE_SIZE};
use crate::note::{NoteSigner, SignFailed};
use crate::staging::{self, StagingName};
use crate::tile::{TilePath, all_levels, full_tiles};

/// Why a writer stopped. It is never retried: after a failed write only opening the ledger again tells what
/// the storage holds.
#[derive(Debug, thiserror::Error)]
pub enum GroupFailed {
    /// The checkpoint could not be signed; the group was not committed.
    #[error("the checkpoint could not be signed")]
    Sign(#[source] SignFailed),
    /// The tiles could not be staged; the group was not committed.
    #[error("the group could not be staged")]
    Stage(#[source] BlobError),
    /// The head could not be swapped; whether the group was committed is unknown.
    #[error("the head could not be swapped")]
    Swap(#[source] BlobError),
    /// Another writer has opened the ledger.
    #[error("another writer has opened the ledger")]
    Overtaken,
    /// The group was committed but its tiles could not be written; opening the ledger finishes it.
    #[error("the group was committed but not finished")]
    Finish(#[source] BlobError),
    /// The tree has the largest size that is allowed; the group was not committed.
    #[error("the tree is full")]
    Full,
}

/// What callers may ask about a running writer.
pub(crate) struct State {
    /// What is committed.
    pub(crate) checkpoint: SignedCheckpoint,
    /// What is committed and can be read: its tiles are in their places.
    pub(crate) readable: SignedCheckpoint,
    pub(crate) stopped: Option<Arc<GroupFailed>>,
}

/// One append, waiting.
pub(crate) struct Request {
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) expected: Option<u64>,
    pub(crate) reply: SyncSender<Result<Appended, AppendFailed>>,
}

pub(crate) struct Writer {
    blobs: Arc<dyn Blobs>,
    cas: Arc<dyn Cas>,
    signer: NoteSigner,
    edge: Edge,
    head: Head,
    head_bytes: Vec<u8>,
    stale: VecDeque<BlobName>,
    state: Arc<Mutex<State>>,
}

impl Writer {
    /// A writer that holds the head. INVARIANT: `edge` is that of the head's checkpoint.
    pub(crate) fn new(
        blobs: Arc<dyn Blobs>,
        cas: Arc<dyn Cas>,
        signer: NoteSigner,
        edge: Edge,
        head: Head,
        head_bytes: Vec<u8>,
        state: Arc<Mutex<State>>,
    ) -> Result<Self, BlobError> {
        debug_assert_eq!((edge.size(), edge.root()), (head.checkpoint.size(), head.checkpoint.root()));
        let mut stale = VecDeque::new();
        // What a crash kept an earlier writer from cleaning away lies beside the last full tiles.
        for level in all_levels() {
            if let Some(last) = full_tiles(level, edge.size()).checked_sub(1) {
                let prefix = TilePath::full(level, last).partial_prefix();
                stale.extend(blobs.list(&prefix, None, LIST_PAGE)?);
            }
        }
        Ok(Self { blobs, cas, signer, edge, head, head_bytes, stale, state })
    }

    /// Commits groups until the ledger is dropped.
    pub(crate) fn run(mut self, queue: &Receiver<Request>) {
        let mut held = None;
        loop {
            let first = match held.take() {
                Some(request) => request,
                None => match queue.recv() {
                    Ok(request) => request,
                    Err(_) => return,
                },
            };
            let stopped = self.lock_state(|state| state.stopped.clone());
            match stopped {
                Some(stopped) => answer(&first, Err(AppendFailed::Stopped(stopped))),
                None => {
                    let group = collect(first, queue, &mut held);
                    self.commit(&group);
                }
            }
        }
    }

    fn commit(&mut self, group: &[Request]) {
        let before = self.edge.size();
        let mut tiles = Vec::new();
        // For each append the index of its first entry, or the size it met instead of the one it expected.
        let mut placed = Vec::new();
        for request in group {
            let size = self.edge.size();
            let fits = request.expected.is_none_or(|expected| expected == size);
            if fits {
                request.entries.iter().for_each(|entry| self.edge.push(entry, &mut tiles));
            }
            placed.push(if fits { Ok(size) } else { Err(size) });
        }
        let result = if placed.iter().any(Result::is_ok) {
            tiles.extend(self.edge.take_partials());
            self.write(&tiles)
        } else {
            Ok(None)
        };
        let (staging, failed) = match result {
            Ok(staging) => (staging, None),
            Err(failed) => (None, Some(failed)),
        };
        // A group that was committed has advanced the head; only then may its appends be acknowledged.
        let committed = self.head.checkpoint.size() == self.edge.size();
        let failed = failed.map(|failed| self.stop(failed));
        for (request, placed) in group.iter().zip(placed) {
            answer(request, self.outcome(request, placed, committed, failed.as_ref()));
        }
        if failed.is_none()
            && let Some(staging) = staging
            && let Err(failed) = self.clean(&staging, before)
        {
            self.stop(GroupFailed::Finish(failed));
        }
    }

    fn outcome(
        &self,
        request: &Request,
        placed: Result<u64, u64>,
        committed: bool,
        failed: Option<&Arc<GroupFailed>>,
    ) -> Result<Appended, AppendFailed> {
        match (placed, committed, failed) {
            (Ok(first_index), true, _) => {
                Ok(Appended { first_index, checkpoint: self.head.checkpoint.clone() })
            }
            (Err(_), true, _) | (Err(_), false, None) => Err(AppendFailed::Conflict {
                expected: request.expected.unwrap_or_default(),
                size: self.head.checkpoint.size(),
            }),
            (Err(_), false, Some(failed)) => Err(AppendFailed::Stopped(Arc::clone(failed))),
            (Ok(_), false, Some(failed)) => Err(match **failed {
                GroupFailed::Swap(_) => AppendFailed::Unknown(Arc::clone(failed)),
                _ => AppendFailed::NotCommitted(Arc::clone(failed)),
            }),
            (Ok(_), false, None) => Err(AppendFailed::Gone),
        }
    }

    /// Stages, commits and finishes one group. When this fails after the commit, the head has advanced.
    fn write(&mut self, tiles: &[Tile]) -> Result<Option<BlobName>, GroupFailed> {
        if self.edge.size() > TREE_SIZE {
            return Err(GroupFailed::Full);
        }
        let origin = self.signer.key().name().to_owned();
        let checkpoint = Checkpoint { origin, size: self.edge.size(), root: self.edge.root() };
        let checkpoint = checkpoint.sign(&self.signer).map_err(GroupFailed::Sign)?;
        let staging = StagingName::new(self.head.epoch, &checkpoint).blob_name();
        let staged = staging::encode(tiles);
        self.blobs.put(&[(&staging, &staged)]).map_err(GroupFailed::Stage)?;

        let head = Head { epoch: self.head.epoch, checkpoint };
        let head_bytes = head.encode();
        match self.cas.swap(&head_key(), Some(&self.head_bytes), &head_bytes) {
            Ok(()) => {}
            Err(CasError::Conflict { .. }) => return Err(GroupFailed::Overtaken),
            Err(CasError::Storage(failed)) => return Err(GroupFailed::Swap(failed)),
        }
        self.head = head;
        self.head_bytes = head_bytes;
        self.lock_state(|state| state.checkpoint = self.head.checkpoint.clone());

        let names: Vec<BlobName> = tiles.iter().map(|tile| tile.path.blob_name()).collect();
        let puts: Vec<_> =
            names.iter().zip(tiles).map(|(name, tile)| (name, tile.bytes.as_slice())).collect();
        self.blobs.put(&puts).map_err(GroupFailed::Finish)?;
        self.lock_state(|state| state.readable = self.head.checkpoint.clone());
        let note = self.head.checkpoint.note().as_bytes();
        self.blobs.put(&[(&checkpoint_name(), note)]).map_err(GroupFailed::Finish)?;
        self.check_not_overtaken()?;
        Ok(Some(staging))
    }

    /// A writer that was held up between the swap and the publication may have published an older checkpoint
    /// over a newer writer's; it then puts the newer one back and stops. While it does that the other may go on,
    /// so it looks again until the head is the one that it has put.
    fn check_not_overtaken(&self) -> Result<(), GroupFailed> {
        let mut shown = self.head_bytes.clone();
        for _ in 0..REPUBLISH_ATTEMPTS {
            let found = self.cas.load(&head_key()).map_err(GroupFailed::Finish)?;
            match found {
                Some(found) if found != shown => {
                    self.publish_newer(&found)?;
                    shown = found;
                }
                Some(_) if shown == self.head_bytes => return Ok(()),
                _ => break,
            }
        }
        Err(GroupFailed::Overtaken)
    }

    fn publish_newer(&self, head: &[u8]) -> Result<(), GroupFailed> {
        if let Ok(log) = TrustedLog::new(self.signer.key().clone())
            && let Ok(newer) = Head::decode(head, &log)
            && newer.checkpoint.size() > self.head.checkpoint.size()
        {
            let note = newer.checkpoint.note().as_bytes();
            self.blobs.put(&[(&checkpoint_name(), note)]).map_err(GroupFailed::Finish)?;
        }
        Ok(())
    }

    /// Removes the staging blob of a finished group and a few partial tiles that full ones have replaced.
    fn clean(&mut self, staging: &BlobName, before: u64) -> Result<(), BlobError> {
        self.blobs.delete(staging)?;
        for level in all_levels() {
            if let Some(partial) = TilePath::edge(level, before)
                && partial.index() < full_tiles(level, self.edge.size())
            {
                self.stale.extend(self.blobs.list(&partial.partial_prefix(), None, LIST_PAGE)?);
            }
        }
        for _ in 0..STALE_PER_GROUP {
            let Some(name) = self.stale.pop_front() else { break };
            self.blobs.delete(&name)?;
        }
        Ok(())
    }

    fn stop(&self, failed: GroupFailed) -> Arc<GroupFailed> {
        let failed = Arc::new(failed);
        self.lock_state(|state| state.stopped.get_or_insert_with(|| Arc::clone(&failed)).clone())
    }

    fn lock_state<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        use_it(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn answer(request: &Request, answer: Result<Appended, AppendFailed>) {
    // The caller waits for this; it can only be gone when its thread was torn down.
    drop(request.reply.send(answer));
}

/// Adds to the first request what is already waiting, up to the limits of a group; the first one that does not
/// fit is held back for the next group. Nothing waits for a group to fill: while one is written, the next gathers.
fn collect(first: Request, queue: &Receiver<Request>, held: &mut Option<Request>) -> Vec<Request> {
    let length = |request: &Request| request.entries.iter().map(Vec::len).sum::<usize>();
    let (mut entries, mut bytes) = (first.entries.len(), length(&first));
    let mut group = vec![first];
    loop {
        match queue.try_recv() {
            Ok(request) => {
                entries += request.entries.len();
                bytes += length(&request);
                if entries > GROUP_ENTRIES || bytes > GROUP_BYTES {
                    *held = Some(request);
                    return group;
                }
                group.push(request);
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return group,
        }
    }
}
