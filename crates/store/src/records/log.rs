//! The log of one gateway: take records, make them durable, seal them into segments, erase subjects.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bartizan_base::{Digest, Timestamp};
use bartizan_keys::subjects::{SubjectTag, Subjects};
use rand_core::CryptoRng;

use super::build;
use super::error::{AppendFailed, ConfirmFailed, EraseFailed, LogCreate, LogOpen, SealFailed, Stopped};
use super::identity::{GatewayId, NewRecord};
use super::layout::Header;
use super::manifest::Manifest;
use super::prepare::{SharedRandom, group_bytes, prepare};
use super::queue::{Appended, Durable, Queue, Slot};
use super::recover;
use super::wal::{LogState, SPARE_FILE, Spare, file_of, key_file_of};
use crate::blobs::DirOpen;
use crate::disk::{Disk, DiskLock, SimDisk};
use crate::limits::{RECORD_BYTES, SEAL_AFTER_MS};
use crate::tree::Tree;

/// The record log of one gateway, open for writing. All methods may be called from any thread; only
/// [`Log::durable`], [`Log::seal`], [`Log::confirm`] and [`Log::erase`] wait for the disk.
///
/// Dropping it writes what was appended and ends the writer; what a full log holds back until an earlier one is
/// confirmed was not acknowledged, and is not written.
pub struct Log {
    pub(super) shared: Arc<Shared>,
    pub(super) sealing: Mutex<Sealing>,
    pub(super) writer: Option<JoinHandle<()>>,
}

/// What the writer and those who seal share.
pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) subjects: Arc<Subjects>,
    pub(super) random: SharedRandom,
    pub(super) tree: Arc<Tree>,
    pub(super) spare: Spare,
    pub(super) gateway: GatewayId,
    pub(super) epoch: u64,
    /// Logs that are not written any more, oldest first.
    pub(super) closed: Mutex<VecDeque<Closed>>,
    pub(super) _lock: DiskLock,
}

impl Shared {
    pub(super) fn closed(&self) -> MutexGuard<'_, VecDeque<Closed>> {
        lock(&self.closed)
    }
}

/// A log that waits to be sealed or confirmed.
pub(super) struct Closed {
    pub(super) state: Arc<LogState>,
    pub(super) sealed: Option<Sealed>,
}

impl From<LogState> for Closed {
    fn from(state: LogState) -> Self {
        Self { state: Arc::new(state), sealed: None }
    }
}

/// What only one thread does at a time.
pub(super) struct Sealing {
    /// When the log being written was begun.
    pub(super) begun: Timestamp,
    pub(super) manifest: Manifest,
}

/// When to close the log and make a segment of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// When it was closed already, or is 60 seconds old.
    WhenDue,
    /// Now, also when it is empty.
    Now,
}

/// A segment that was made; the ledger entry about it says these things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The root of the tree over its records.
    pub root: Digest,
    /// Whose records they are.
    pub gateway: GatewayId,
    /// The epoch of the log.
    pub epoch: u64,
    /// The segment's number: one more than that of any earlier one of this gateway, though some may be left out.
    pub number: u64,
    /// The first sequence number.
    pub first: u64,
    /// The last sequence number; `first - 1` when there is none.
    pub last: u64,
    /// Records.
    pub count: u64,
    /// Sequence numbers that were given out and never used.
    pub lost: u64,
    /// The root of the gateway's segment before; `None` for the first.
    pub previous_root: Option<Digest>,
    /// The file, in the log's directory.
    pub path: String,
}

impl Sealed {
    pub(super) fn of(header: &Header, path: String) -> Self {
        let Header { root, gateway, epoch, number, first, last, count, lost, previous_root, .. } = *header;
        let previous_root = Some(previous_root).filter(|root| *root != Digest::from_bytes([0; 32]));
        Self { root, gateway, epoch, number, first, last, count, lost, previous_root, path }
    }
}

impl Log {
    /// Makes the record log of a new gateway in an existing directory. Records are taken after [`Log::open`].
    ///
    /// # Errors
    /// When there is a log already, the directory is missing, or the operating system refuses.
    pub fn create(path: &Path, gateway: GatewayId) -> Result<(), LogCreate> {
        recover::create(Disk::real(path).map_err(|error| DirOpen::new(path, error))?, gateway)
    }

    /// Opens a log: raises the epoch, durably, looks through everything that is not in confirmed segments, and
    /// begins the next log. `random` must be fit for keys and nonces.
    ///
    /// # Errors
    /// When there is none, somebody else writes it, it is another gateway's, or something that was acknowledged
    /// is damaged.
    pub fn open(
        path: &Path,
        subjects: Arc<Subjects>,
        gateway: GatewayId,
        random: Box<dyn CryptoRng + Send>,
        now: Timestamp,
    ) -> Result<Self, LogOpen> {
        let disk = Disk::real(path).map_err(|error| DirOpen::new(path, error))?;
        recover::open(disk, subjects, gateway, random, now)
    }

    /// The same as [`Log::create`] in a directory of a simulated disk, for tests.
    ///
    /// # Errors
    /// As [`Log::create`].
    pub fn create_on(disk: &SimDisk, path: &str, gateway: GatewayId) -> Result<(), LogCreate> {
        recover::create(Disk::sim(disk, path)?, gateway)
    }

    /// The same as [`Log::open`] in a directory of a simulated disk, for tests.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_on(
        disk: &SimDisk,
        path: &str,
        subjects: Arc<Subjects>,
        gateway: GatewayId,
        random: Box<dyn CryptoRng + Send>,
        now: Timestamp,
    ) -> Result<Self, LogOpen> {
        recover::open(Disk::sim(disk, path)?, subjects, gateway, random, now)
    }

    /// The gateway.
    pub fn gateway(&self) -> GatewayId {
        self.shared.gateway
    }

    /// The epoch that began when the log was opened.
    pub fn epoch(&self) -> u64 {
        self.shared.epoch
    }

    /// Takes the next sequence number, for a record whose groups have up to `bytes` bytes: the envelope says
    /// the number, so it is needed before the record is complete.
    ///
    /// Records become durable in the order of their numbers, so do not hold a place for long.
    ///
    /// # Errors
    /// When too much waits, more than [`RECORD_BYTES`] are asked for, or the writer has stopped.
    pub fn reserve(&self, bytes: usize) -> Result<Place<'_>, AppendFailed> {
        if bytes > RECORD_BYTES {
            return Err(AppendFailed::too_large(bytes));
        }
        let (sequence, buffer) = self.shared.queue.reserve(bytes)?;
        Ok(Place { log: self, sequence, bytes, buffer, used: false })
    }

    /// Takes a record whose envelope does not say its sequence number. It is not durable yet.
    ///
    /// # Errors
    /// As [`Log::reserve`] and [`Place::append`].
    pub fn append(&self, record: &NewRecord<'_>) -> Result<Appended, AppendFailed> {
        self.reserve(group_bytes(record)?)?.append(record)
    }

    /// Blocks until the record with this number, and all before it, survive a power cut.
    ///
    /// # Errors
    /// When the writer stopped before: the record may be found when the log is opened again.
    pub fn durable(&self, sequence: u64) -> Result<(), AppendFailed> {
        self.shared.queue.wait(sequence)
    }

    /// The same without blocking a thread.
    pub fn when_durable(&self, sequence: u64) -> Durable<'_> {
        Durable::new(&self.shared.queue, sequence)
    }

    /// Why the writer has stopped, if it has.
    pub fn stopped(&self) -> Option<Arc<Stopped>> {
        self.shared.queue.stopped()
    }

    /// The last sequence number of this epoch that was given out; 0 when none was.
    pub fn last_given(&self) -> u64 {
        self.shared.queue.last_given()
    }

    /// How many logs are closed and not confirmed, with or without a segment.
    pub fn waiting(&self) -> usize {
        self.shared.queue.unconfirmed()
    }

    /// Segments that are made and not confirmed, oldest first: also those of earlier epochs, whose ledger entry
    /// may or may not exist.
    pub fn unconfirmed(&self) -> Vec<Sealed> {
        self.shared.closed().iter().filter_map(|closed| closed.sealed.clone()).collect()
    }

    /// Makes the next segment: of the oldest closed log that has none; or else of the log being written, when
    /// that is due or wanted now. `None` when there is nothing to do. Call it until it says so.
    ///
    /// # Errors
    /// When too many segments wait, the log is damaged, or keys or disk fail.
    pub fn seal(&self, now: Timestamp, when: Seal) -> Result<Option<Sealed>, SealFailed> {
        let mut sealing = lock(&self.sealing);
        let next = || {
            let closed = self.shared.closed();
            closed.iter().find(|closed| closed.sealed.is_none()).map(|closed| Arc::clone(&closed.state))
        };
        let mut state = next();
        if state.is_none() {
            let age = now.millis() - sealing.begun.millis();
            // A clock that was set back says nothing of the age.
            if when == Seal::WhenDue && (0..SEAL_AFTER_MS).contains(&age) {
                return Ok(None);
            }
            self.shared.queue.rotate()?;
            sealing.begun = now;
            state = next();
        }
        let Some(state) = state else { return Ok(None) };
        self.shared.subjects.settle(&mut &self.shared.random)?;
        let sealed = build::segment(&self.shared, &state, &mut sealing.manifest, now)?;
        let mut closed = self.shared.closed();
        if let Some(place) = closed.iter_mut().find(|closed| closed.state.id == state.id) {
            place.sealed = Some(sealed.clone());
        }
        Ok(Some(sealed))
    }

    /// Lets go of the log behind the oldest segment, whose root is named by a ledger entry that is durable now.
    ///
    /// # Errors
    /// When `root` is not that of the oldest segment that waits, or the disk fails.
    pub fn confirm(&self, root: &Digest) -> Result<(), ConfirmFailed> {
        let _sealing = lock(&self.sealing);
        let (number, epoch) = {
            let closed = self.shared.closed();
            let oldest = closed.front().and_then(|closed| closed.sealed.as_ref());
            let oldest = oldest.filter(|sealed| sealed.root == *root);
            let oldest = oldest.ok_or(ConfirmFailed::NotNext { root: *root })?;
            (oldest.number, oldest.epoch)
        };
        // Keys of its new subjects went into their shards before it was sealed, or, of a log from before a
        // restart, when this one was opened.
        let (file, key_file) = (file_of(number), key_file_of(number));
        self.let_go(&file, epoch).map_err(|source| ConfirmFailed::Io { file, source })?;
        let removed = self.shared.tree.remove(&key_file);
        removed.map_err(|source| ConfirmFailed::Io { file: key_file, source })?;
        self.shared.closed().pop_front();
        self.shared.queue.confirmed();
        Ok(())
    }

    /// Removes the file of a log, durably, or keeps it for the next log to be written over it. Of an earlier epoch it is
    /// not kept: its sequence numbers say nothing about what came first.
    fn let_go(&self, file: &str, epoch: u64) -> io::Result<()> {
        let tree = &self.shared.tree;
        let mut spare = lock(&self.shared.spare);
        if *spare || epoch != self.shared.epoch {
            return tree.remove(file).map(drop);
        }
        match tree.disk().rename(file, SPARE_FILE) {
            Ok(()) => *spare = true,
            // An earlier attempt got so far.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        tree.disk().sync_dir("log")
    }

    /// Destroys the keys of subjects, so that nothing recorded of them can be read any more: not from
    /// segments, not from logs. Says how many of them had a key. Records of them that come later get new keys.
    ///
    /// # Errors
    /// When keys or disk fail, or too many segments wait to be confirmed. Erasing again is safe.
    pub fn erase(&self, tags: &[SubjectTag]) -> Result<usize, EraseFailed> {
        let _sealing = lock(&self.sealing);
        let mut erased = 0;
        for tag in tags {
            erased += usize::from(self.shared.subjects.erase(*tag)?);
        }
        // The log being written may hold the keys, and its key must go: so it is closed. What the queue still
        // has of these subjects is written without their keys.
        self.shared.queue.rotate()?;
        // Only logs that were closed before the others' keys settle: one that is closed later may hold newer ones.
        let numbers: Vec<u64> = self.shared.closed().iter().map(|closed| closed.state.id.number).collect();
        self.shared.subjects.settle(&mut &self.shared.random)?;
        for number in numbers {
            let file = key_file_of(number);
            self.shared.tree.remove(&file).map_err(|source| EraseFailed::Io { file, source })?;
        }
        Ok(erased)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the writer of the record log has panicked");
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({}, epoch {})", self.shared.gateway, self.shared.epoch)
    }
}

/// A sequence number that waits for its record. Dropped without one, the number counts as lost.
#[derive(Debug)]
pub struct Place<'a> {
    log: &'a Log,
    sequence: u64,
    bytes: usize,
    buffer: Vec<u8>,
    used: bool,
}

impl Place<'_> {
    /// The gateway.
    pub fn gateway(&self) -> GatewayId {
        self.log.gateway()
    }

    /// The epoch.
    pub fn epoch(&self) -> u64 {
        self.log.epoch()
    }

    /// The sequence number.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Hashes and encrypts the record on this thread, and hands it to the writer. It is not durable yet.
    ///
    /// # Errors
    /// When the groups are larger than reserved, or keys fail; the number counts as lost then.
    pub fn append(mut self, record: &NewRecord<'_>) -> Result<Appended, AppendFailed> {
        let Shared { subjects, random, queue, .. } = &*self.log.shared;
        let buffer = std::mem::take(&mut self.buffer);
        let prepared = prepare(subjects, random, record, self.bytes, buffer)?;
        let digest = prepared.digest;
        self.used = true;
        queue.fill(self.sequence, Slot::Ready(prepared));
        Ok(Appended { sequence: self.sequence, digest })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.used {
            self.log.shared.queue.fill(self.sequence, Slot::Void(self.bytes));
        }
    }
}

/// What these locks guard changes in one step, so a panic elsewhere leaves it whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
