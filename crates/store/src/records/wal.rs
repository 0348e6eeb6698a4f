//! Log files: made, written batch by batch, and read back as far as they are whole.

use std::io;
use std::sync::{Arc, Mutex};

use bartizan_base::Timestamp;
use bartizan_keys::CryptoFailed;
use bartizan_keys::subjects::{NONCE_BYTES, PendingKey, SegmentKey, Subjects, TAG_BYTES, WRAPPED_BYTES};
use bartizan_ledger::limits::SEGMENT_RECORDS;
use bartizan_ledger::segment::RecordDigest;

use super::frame::{Bytes, KIND_VOID, length_bytes, put_key};
use super::identity::GatewayId;
use super::log::lock;
use super::prepare::{FrameKey, SharedRandom};
use super::queue::Slot;
use crate::disk::DiskFile;
use crate::limits::{BATCH_BODY_BYTES, LATER_BATCHES, LOG_BYTES, LOG_FILE_BYTES, SPARE_BUFFER_BYTES};
use crate::tree::Tree;

const MAGIC: &[u8; 16] = b"bartizan-log-v1\n";
pub(super) const HEADER_BYTES: usize = 124;
const BATCH_MAGIC: &[u8; 4] = b"BZLB";
const BATCH_HEADER_BYTES: usize = 24;

/// What the header of a log says, and what its keys are bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogId {
    pub(super) gateway: GatewayId,
    pub(super) epoch: u64,
    pub(super) number: u64,
    pub(super) first: u64,
}

impl LogId {
    pub(super) fn file(&self) -> String {
        file_of(self.number)
    }

    pub(super) fn segment_aad(&self, subjects: &Subjects) -> Vec<u8> {
        self.aad(b"bartizan-segment-key-v1", subjects)
    }

    pub(super) fn pending_aad(&self, subjects: &Subjects) -> Vec<u8> {
        self.aad(b"bartizan-pending-key-v1", subjects)
    }

    fn aad(&self, word: &[u8], subjects: &Subjects) -> Vec<u8> {
        [word, subjects.project().as_bytes(), &self.to_bytes()].concat()
    }

    fn to_bytes(self) -> Vec<u8> {
        let numbers = [self.epoch, self.number, self.first].map(u64::to_be_bytes);
        [self.gateway.as_bytes().as_slice(), numbers.as_flattened()].concat()
    }
}

/// The file of a log that was confirmed, for the next one to be written over it: a flush then has neither new blocks
/// nor a new length to make durable. One process leaves none to the next.
pub(super) const SPARE_FILE: &str = "log/spare";

/// Whether there is such a file. Locked while it is made or taken.
pub(super) type Spare = Mutex<bool>;

pub(super) fn file_of(number: u64) -> String {
    format!("log/{number:016x}")
}

pub(super) fn key_file_of(number: u64) -> String {
    format!("log/{number:016x}.key")
}

/// What is known of a log that is not written any more, and of the one that is.
#[derive(Debug)]
pub(super) struct LogState {
    pub(super) id: LogId,
    pub(super) key: SegmentKey,
    pub(super) wrapped: [u8; WRAPPED_BYTES],
    /// The sequence number after its last.
    pub(super) next: u64,
    pub(super) lost: u64,
    pub(super) times: Option<(Timestamp, Timestamp)>,
    /// Digests of its records in order; a log from before a restart reads them again.
    pub(super) digests: Option<Vec<RecordDigest>>,
    /// Bytes that are whole.
    pub(super) bytes: u64,
}

impl LogState {
    pub(super) const fn count(&self) -> u64 {
        self.next - self.id.first - self.lost
    }

    pub(super) fn saw(&mut self, time: Timestamp) {
        let (earliest, latest) = self.times.unwrap_or((time, time));
        self.times = Some((earliest.min(time), latest.max(time)));
    }
}

/// The log that is being written.
#[derive(Debug)]
pub(super) struct OpenLog {
    pub(super) state: LogState,
    file: DiskFile,
    pending: PendingKey,
    batches: u32,
    buffer: Vec<u8>,
    /// Buffers of the records in it, empty.
    pub(super) spare: Vec<Vec<u8>>,
}

impl OpenLog {
    /// Makes the files of a log, durably, its pending key first.
    pub(super) fn create(
        tree: &Arc<Tree>,
        subjects: &Subjects,
        random: &SharedRandom,
        spare: &Spare,
        id: LogId,
    ) -> io::Result<Self> {
        let (pending, wrapped_pending) =
            subjects.make_pending_key(&id.pending_aad(subjects), &mut &*random).map_err(crypto)?;
        let (key, wrapped) =
            subjects.make_segment_key(&id.segment_aad(subjects), &mut &*random).map_err(crypto)?;
        tree.write(&[(&key_file_of(id.number), &wrapped_pending)]).map_err(|(_, error)| error)?;
        let file = begin(tree, spare, &id, &wrapped)?;
        let digests = Some(Vec::new());
        let bytes = u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
        let state = LogState { id, key, wrapped, next: id.first, lost: 0, times: None, digests, bytes };
        Ok(Self { state, file, pending, batches: 0, buffer: Vec::new(), spare: Vec::new() })
    }

    /// How many sequence numbers it still takes.
    pub(super) fn room(&self) -> usize {
        let used = usize::try_from(self.state.next - self.state.id.first).unwrap_or(usize::MAX);
        if self.state.bytes >= LOG_BYTES { 0 } else { SEGMENT_RECORDS.saturating_sub(used) }
    }

    /// Writes a batch and waits until it is durable.
    pub(super) fn write(&mut self, slots: Vec<Slot>, random: &SharedRandom) -> io::Result<()> {
        let sequences = slots.len();
        self.buffer.clear();
        self.buffer.resize(BATCH_HEADER_BYTES, 0);
        for slot in slots {
            self.put(slot, random)?;
        }
        let body = self.buffer.len() - BATCH_HEADER_BYTES;
        let mut header = Vec::with_capacity(BATCH_HEADER_BYTES);
        header.extend_from_slice(BATCH_MAGIC);
        header.extend_from_slice(&self.batches.to_be_bytes());
        header.extend_from_slice(&self.state.next.to_be_bytes());
        header.extend_from_slice(&length_bytes(sequences));
        header.extend_from_slice(&length_bytes(body));
        let (place, body) = self.buffer.split_at_mut(BATCH_HEADER_BYTES);
        place.copy_from_slice(&header);
        let tag = self.state.key.batches().seal(batch_nonce(self.batches), &header, body).map_err(crypto)?;
        self.buffer.extend_from_slice(&tag);
        self.file.write_all_at(self.state.bytes, &self.buffer)?;
        self.file.sync_data()?;
        self.batches = self.batches.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        self.state.next += u64::try_from(sequences).unwrap_or(u64::MAX);
        self.state.bytes += u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    fn put(&mut self, slot: Slot, random: &SharedRandom) -> io::Result<()> {
        let Slot::Ready(mut prepared) = slot else {
            self.state.lost += 1;
            self.buffer.push(KIND_VOID);
            return Ok(());
        };
        match &prepared.key {
            FrameKey::New(key) if !key.is_journaled() && !key.is_erased() => {
                let wrapped = key.wrap_pending(&self.pending, &mut &*random).map_err(crypto)?;
                put_key(&mut self.buffer, key.tag(), key.id(), &wrapped);
                key.set_journaled();
            }
            FrameKey::New(_) | FrameKey::Durable => {}
            FrameKey::OfLog => prepared.seal(self.state.key.records()).map_err(crypto)?,
        }
        self.buffer.extend_from_slice(&prepared.bytes);
        self.state.saw(prepared.time);
        if let Some(digests) = &mut self.state.digests {
            digests.push(prepared.digest);
        }
        let mut spare = prepared.bytes;
        if spare.capacity() <= SPARE_BUFFER_BYTES {
            // What was not encrypted when it came here was encrypted in this buffer, so nothing needs wiping.
            spare.clear();
            self.spare.push(spare);
        }
        Ok(())
    }
}

/// Makes the file of a log with its header, durably: of the spare one, or else a new one.
fn begin(tree: &Tree, spare: &Spare, id: &LogId, wrapped: &[u8; WRAPPED_BYTES]) -> io::Result<DiskFile> {
    let header = |stale: u64| [MAGIC.as_slice(), &id.to_bytes(), &stale.to_be_bytes(), wrapped].concat();
    let mut spare = lock(spare);
    let file = if std::mem::take(&mut *spare) {
        let file = tree.disk().open_to_write(SPARE_FILE)?;
        // It gets its name when its header is whole, so that no log ever shows that of an earlier one.
        file.write_all_at(0, &header(file.len()?))?;
        file.sync_data()?;
        tree.disk().rename(SPARE_FILE, &id.file())?;
        file
    } else {
        let file = tree.disk().create(&id.file())?;
        file.write_all_at(0, &header(0))?;
        file.sync_data()?;
        file
    };
    tree.disk().sync_dir("log")?;
    Ok(file)
}

fn batch_nonce(number: u32) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    if let Some(end) = nonce.last_chunk_mut::<4>() {
        *end = number.to_be_bytes();
    }
    nonce
}

pub(super) fn crypto(error: CryptoFailed) -> io::Error {
    io::Error::other(error)
}

/// The header of a log file.
#[derive(Debug)]
pub(super) struct LogHeader {
    pub(super) id: LogId,
    /// Bytes that the file had before, of an earlier log.
    pub(super) stale: u64,
    pub(super) wrapped: [u8; WRAPPED_BYTES],
}

impl LogHeader {
    pub(super) fn parse(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let mut bytes = Bytes(bytes.strip_prefix(MAGIC)?);
        let gateway = GatewayId::from_bytes(*bytes.array()?);
        let id = LogId { gateway, epoch: bytes.u64()?, number: bytes.u64()?, first: bytes.u64()? };
        Some(Self { id, stale: bytes.u64()?, wrapped: *bytes.array()? })
    }
}

/// Bytes of the longest batch.
const MOST_BATCH_BYTES: usize = BATCH_HEADER_BYTES + BATCH_BODY_BYTES + TAG_BYTES;

/// Bytes that are looked through at a time.
const SCAN_BYTES: u64 = 1024 * 1024;

/// The batches of a log file, from the first to the last that is whole.
pub(super) struct Batches<'a> {
    file: &'a DiskFile,
    key: &'a SegmentKey,
    length: u64,
    offset: u64,
    number: u32,
    next: u64,
    buffer: Vec<u8>,
}

/// One batch of a log.
#[derive(Debug)]
pub(super) struct Batch<'b> {
    /// Sequence number of its first record.
    pub(super) first: u64,
    /// How many sequence numbers it has.
    pub(super) sequences: u64,
    /// Its frames.
    pub(super) body: &'b [u8],
}

struct BatchHeader {
    number: u32,
    first: u64,
    sequences: u32,
    body: usize,
}

impl<'a> Batches<'a> {
    /// Reads `file` from its first batch on, up to `length` bytes.
    pub(super) fn new(file: &'a DiskFile, key: &'a SegmentKey, first: u64, length: u64) -> Self {
        let offset = u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
        Self { file, key, length, offset, number: 0, next: first, buffer: Vec::new() }
    }

    /// Where the next batch begins; after the last whole one, where what is whole ends.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next batch; `None` at the end, or where there is none that is whole and authentic.
    pub(super) fn next(&mut self) -> io::Result<Option<Batch<'_>>> {
        let Some((header, end)) = self.load(self.offset, self.number)? else { return Ok(None) };
        if header.first != self.next {
            return Ok(None);
        }
        let sequences = u64::from(header.sequences);
        (self.offset, self.number, self.next) = (end, self.number.wrapping_add(1), self.next + sequences);
        let body = self.buffer.get(BATCH_HEADER_BYTES..BATCH_HEADER_BYTES + header.body);
        Ok(Some(Batch { first: header.first, sequences, body: body.unwrap_or_default() }))
    }

    /// Whether there is an authentic later batch behind what is not whole: then this is not the end of the log
    /// that a power cut leaves, but damage. So are more bytes than one batch can have, where they are not `stale`:
    /// what an earlier log left in the file.
    pub(super) fn is_followed(&mut self, stale: u64) -> io::Result<bool> {
        let torn = self.offset.saturating_add(u64::try_from(MOST_BATCH_BYTES).unwrap_or(u64::MAX));
        if self.length > stale.max(torn) {
            return Ok(true);
        }
        // Batches of earlier logs have lower sequence numbers, so none of them is decrypted here. Bytes that are
        // made to look like many batches are damage before they take long.
        let mut attempts = 0;
        let mut window = Vec::new();
        let mut start = self.offset + 1;
        while start < self.length {
            let end = start.saturating_add(SCAN_BYTES).min(self.length);
            let overlap = u64::try_from(BATCH_HEADER_BYTES).unwrap_or(0);
            let bytes = end.saturating_add(overlap).min(self.length) - start;
            window.resize(usize::try_from(bytes).unwrap_or(0), 0);
            self.file.read_exact_at(start, &mut window)?;
            for (at, header) in (start..end).zip(window.windows(BATCH_HEADER_BYTES)) {
                let header = header.first_chunk().and_then(parse_header);
                let later = |header: &BatchHeader| header.number > self.number && header.first > self.next;
                let Some(header) = header.filter(later) else { continue };
                attempts += 1;
                if attempts > LATER_BATCHES || self.load(at, header.number)?.is_some() {
                    return Ok(true);
                }
            }
            start = end;
        }
        Ok(false)
    }

    /// Reads and decrypts the batch at `offset`, if it is one and has this number. Also says where it ends.
    fn load(&mut self, offset: u64, number: u32) -> io::Result<Option<(BatchHeader, u64)>> {
        let rest = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        if rest < BATCH_HEADER_BYTES + TAG_BYTES {
            return Ok(None);
        }
        let mut header = [0; BATCH_HEADER_BYTES];
        self.file.read_exact_at(offset, &mut header)?;
        let Some(parsed) = parse_header(&header).filter(|parsed| parsed.number == number) else {
            return Ok(None);
        };
        let whole = BATCH_HEADER_BYTES + parsed.body + TAG_BYTES;
        if whole > rest {
            return Ok(None);
        }
        self.buffer.resize(whole, 0);
        self.file.read_exact_at(offset, &mut self.buffer)?;
        let body = self.buffer.get_mut(BATCH_HEADER_BYTES..).unwrap_or_default();
        let opened = self.key.batches().open(batch_nonce(number), &header, body).is_some();
        let end = offset + u64::try_from(whole).unwrap_or(u64::MAX);
        Ok(opened.then_some((parsed, end)))
    }
}

fn parse_header(bytes: &[u8; BATCH_HEADER_BYTES]) -> Option<BatchHeader> {
    let mut bytes = Bytes(bytes.strip_prefix(BATCH_MAGIC)?);
    let (number, first, sequences) = (bytes.u32()?, bytes.u64()?, bytes.u32()?);
    let body = bytes.length().filter(|body| *body <= BATCH_BODY_BYTES)?;
    let most = u32::try_from(SEGMENT_RECORDS).ok()?;
    first.checked_add(u64::from(sequences))?;
    (sequences <= most).then_some(BatchHeader { number, first, sequences, body })
}

/// Bytes of a log file, when it can be one.
pub(super) fn checked_length(file: &DiskFile) -> io::Result<Option<u64>> {
    Ok(Some(file.len()?).filter(|length| *length <= LOG_FILE_BYTES))
}
