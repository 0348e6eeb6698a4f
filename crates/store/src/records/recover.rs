//! Making a log, and opening one after whatever happened: the epoch, what earlier epochs left, the next log.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};

use bartizan_base::Timestamp;
use bartizan_keys::subjects::{PendingKey, SubjectKeyFailed, Subjects, WRAPPED_BYTES};
use rand_core::CryptoRng;

use super::error::{LogCreate, LogOpen, ReadFailed};
use super::frame::{Bytes, Frame, next_frame};
use super::identity::GatewayId;
use super::log::{Closed, Log, Sealed, Sealing, Shared};
use super::manifest::{Manifest, path_of};
use super::prepare::SharedRandom;
use super::queue::Queue;
use super::segment::Segment;
use super::wal::{
    Batch, Batches, HEADER_BYTES, LogHeader, LogId, LogState, OpenLog, SPARE_FILE, Spare, checked_length,
    file_of, key_file_of,
};
use super::writer::Writer;
use crate::disk::{Disk, DiskFile, EntryKind, LockMode};
use crate::limits::LOGS_LEFT;
use crate::tree::Tree;

const EPOCH_FILE: &str = "epoch";
const LOCK_FILE: &str = "writer.lock";
const FIRST_LINE: &str = "bartizan-record-log-v1";
const EPOCH_BYTES: usize = 256;

pub(super) fn create(disk: Disk, gateway: GatewayId) -> Result<(), LogCreate> {
    let tree = Arc::new(Tree::open(disk)?);
    // Held to the end: whoever made one meanwhile may write it already.
    let _lock = tree.disk().lock(LOCK_FILE, LockMode::TryExclusive)?.ok_or(LogCreate::Exists)?;
    match tree.open_file(EPOCH_FILE) {
        Ok(_) => return Err(LogCreate::Exists),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    for folder in ["log", "seg", "manifest"] {
        tree.disk().make_dir(folder)?;
    }
    tree.disk().sync_dir("")?;
    write_epoch(&tree, gateway, 0)?;
    Ok(())
}

pub(super) fn open(
    disk: Disk,
    subjects: Arc<Subjects>,
    gateway: GatewayId,
    random: Box<dyn CryptoRng + Send>,
    now: Timestamp,
) -> Result<Log, LogOpen> {
    let tree = Arc::new(Tree::open(disk)?);
    read_epoch(&tree)?;
    let lock = tree.disk().lock(LOCK_FILE, LockMode::TryExclusive)?.ok_or(LogOpen::Taken)?;
    // Only now, because whoever held the lock before may have raised it.
    let (written_by, last_epoch) = read_epoch(&tree)?;
    if written_by != gateway {
        return Err(LogOpen::OtherGateway);
    }
    let epoch = last_epoch.saturating_add(1);
    let manifest = Manifest::open(&tree, &subjects).map_err(damaged)?;
    let last = manifest.last().map_or((0, 0), |last| (last.number, last.epoch));
    check_epoch(last.1, epoch, || path_of(last.0))?;
    let logs = headers(&tree, gateway, epoch)?;
    write_epoch(&tree, gateway, epoch)?;

    let random = SharedRandom::new(random);
    let (mut closed, mut number) = (VecDeque::new(), last.0);
    for header in logs {
        number = number.max(header.id.number);
        closed.extend(take_over(&tree, &subjects, &random, &header)?);
    }
    subjects.settle(&mut &random)?;
    let next = number.checked_add(1).ok_or_else(|| LogOpen::Damaged {
        file: file_of(number),
        offset: 0,
        reason: "no log has this number: there would be none after it",
    })?;
    let id = LogId { gateway, epoch, number: next, first: 1 };
    tree.remove(SPARE_FILE)?;
    let spare = Spare::default();
    let next = OpenLog::create(&tree, &subjects, &random, &spare, id)?;
    let queue = Queue::new(1, closed.len());
    let closed = Mutex::new(closed);
    let shared =
        Arc::new(Shared { queue, subjects, random, tree, spare, gateway, epoch, closed, _lock: lock });
    let writer = Writer::new(Arc::clone(&shared), next);
    let writer = std::thread::Builder::new().name("record-log".to_owned()).spawn(|| writer.run())?;
    let sealing = Mutex::new(Sealing { begun: now, manifest });
    Ok(Log { shared, sealing, writer: Some(writer) })
}

fn write_epoch(tree: &Arc<Tree>, gateway: GatewayId, epoch: u64) -> io::Result<()> {
    let text = format!("{FIRST_LINE}\ngateway {gateway}\nepoch {epoch}\n");
    tree.write(&[(EPOCH_FILE, text.as_bytes())]).map_err(|(_, error)| error)
}

pub(super) fn read_epoch(tree: &Tree) -> Result<(GatewayId, u64), LogOpen> {
    let file = match tree.open_file(EPOCH_FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LogOpen::Missing),
        other => other?,
    };
    let reason = "not a gateway and an epoch";
    let damaged = || LogOpen::Damaged { file: EPOCH_FILE.to_owned(), offset: 0, reason };
    let length = usize::try_from(file.len()?).ok().filter(|length| *length <= EPOCH_BYTES);
    let mut bytes = vec![0; length.ok_or_else(damaged)?];
    file.read_exact_at(0, &mut bytes)?;
    parse_epoch(&bytes).ok_or_else(damaged)
}

fn parse_epoch(bytes: &[u8]) -> Option<(GatewayId, u64)> {
    let mut lines = str::from_utf8(bytes).ok()?.strip_suffix('\n')?.split('\n');
    lines.next().filter(|line| *line == FIRST_LINE)?;
    let mut gateway = [0; 16];
    hex::decode_to_slice(lines.next()?.strip_prefix("gateway ")?, &mut gateway).ok()?;
    let epoch = lines.next()?.strip_prefix("epoch ")?.parse().ok()?;
    let (gateway, rest) = (GatewayId::from_bytes(gateway), lines.next());
    rest.is_none().then_some((gateway, epoch))
}

fn check_epoch(found: u64, epoch: u64, file: impl Fn() -> String) -> Result<(), LogOpen> {
    if found >= epoch { Err(LogOpen::EpochBehind { epoch, file: file() }) } else { Ok(()) }
}

/// The headers of all logs, oldest first. What a power cut left of logs that were being made is removed.
fn headers(tree: &Tree, gateway: GatewayId, epoch: u64) -> Result<Vec<LogHeader>, LogOpen> {
    let (numbers, mut keys) = numbers_in_log(tree)?;
    if numbers.len() > LOGS_LEFT {
        return Err(LogOpen::TooMany);
    }
    let mut headers = Vec::new();
    for number in &numbers {
        let name = file_of(*number);
        let file = tree.open_file(&name)?;
        let wrong = |reason| LogOpen::Damaged { file: name.clone(), offset: 0, reason };
        let length = file.len()?;
        match header_of(&file, *number)? {
            Some(header) if header.id.gateway == gateway => {
                check_epoch(header.id.epoch, epoch, || name.clone())?;
                headers.push(header);
            }
            Some(_) => return Err(wrong("the log of another gateway")),
            // The header is durable before the first batch is written.
            None if length <= u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX) => {
                tree.remove(&name)?;
                keys.insert(*number);
            }
            None => return Err(wrong("not the header of this log")),
        }
    }
    for number in keys.iter().filter(|number| !headers.iter().any(|header| header.id.number == **number)) {
        tree.remove(&key_file_of(*number))?;
    }
    Ok(headers)
}

/// The numbers of logs, and of pending keys, that there are files of.
pub(super) fn numbers_in_log(tree: &Tree) -> io::Result<(BTreeSet<u64>, BTreeSet<u64>)> {
    let (mut numbers, mut keys) = (BTreeSet::new(), BTreeSet::new());
    tree.disk().entries("log", &mut |name, kind| {
        let (digits, set) = match name.strip_suffix(".key") {
            Some(digits) => (digits, &mut keys),
            None => (name, &mut numbers),
        };
        if let Ok(number) = u64::from_str_radix(digits, 16)
            && kind == EntryKind::File
            && format!("{number:016x}") == digits
        {
            set.insert(number);
        }
    })?;
    Ok((numbers, keys))
}

/// The header of log `number`; `None` when the file does not begin with it.
pub(super) fn header_of(file: &DiskFile, number: u64) -> io::Result<Option<LogHeader>> {
    let mut bytes = [0; HEADER_BYTES];
    if file.len()? >= u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX) {
        file.read_exact_at(0, &mut bytes)?;
    }
    Ok(LogHeader::parse(&bytes).filter(|header| header.id.number == number))
}

/// Reads a log of an earlier epoch to its end and takes over the keys of its new subjects. `None`, and it is
/// removed, when it is empty and no segment was made of it.
fn take_over(
    tree: &Arc<Tree>,
    subjects: &Subjects,
    random: &SharedRandom,
    header: &LogHeader,
) -> Result<Option<Closed>, LogOpen> {
    let (id, name) = (header.id, header.id.file());
    let wrong = |offset, reason| LogOpen::Damaged { file: name.clone(), offset, reason };
    let file = tree.open_file(&name)?;
    let key = subjects.open_segment_key(&header.wrapped, &id.segment_aad(subjects))?;
    let Some(key) = key else {
        // A torn header may look whole; then nothing follows it.
        if file.len()? <= u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX) {
            tree.remove(&name)?;
            tree.remove(&key_file_of(id.number))?;
            return Ok(None);
        }
        return Err(wrong(0, "the header is not authentic"));
    };
    let pending = pending_key(tree, subjects, id)?;
    let length = checked_length(&file)?.ok_or_else(|| wrong(0, "longer than a log can be"))?;
    let mut state = LogState {
        id,
        key,
        wrapped: header.wrapped,
        next: id.first,
        lost: 0,
        times: None,
        digests: None,
        bytes: 0,
    };
    let mut seen = Seen { times: None, lost: 0 };
    let mut batches = Batches::new(&file, &state.key, id.first, length);
    loop {
        let offset = batches.offset();
        let Some(batch) = batches.next()? else { break };
        state.next = batch.first + batch.sequences;
        let read = seen.batch(&batch, subjects, pending.as_ref(), random)?;
        read.ok_or_else(|| wrong(offset, "a batch is authentic and malformed"))?;
    }
    if batches.is_followed(header.stale)? {
        return Err(wrong(batches.offset(), "a batch that later ones follow is not authentic"));
    }
    state.bytes = batches.offset();
    if length > state.bytes.max(header.stale) {
        tracing::warn!(
            file = name,
            offset_bytes = state.bytes,
            cut_bytes = length - state.bytes,
            epoch = id.epoch,
            last_sequence = state.next - 1,
            "cut the end of a log, where no whole batch is. A crash leaves such an end, before anything in it is \
             acknowledged; receipts of this epoch with higher sequence numbers would show that more was there"
        );
    }
    (state.times, state.lost) = (seen.times, seen.lost);
    let sealed = sealed_as(tree, subjects, id)?;
    if state.next == id.first && sealed.is_none() {
        tree.remove(&name)?;
        tree.remove(&key_file_of(id.number))?;
        return Ok(None);
    }
    Ok(Some(Closed { state: Arc::new(state), sealed }))
}

struct Seen {
    times: Option<(Timestamp, Timestamp)>,
    lost: u64,
}

impl Seen {
    /// `None` when the frames are not what a writer writes.
    fn batch(
        &mut self,
        batch: &Batch<'_>,
        subjects: &Subjects,
        pending: Option<&PendingKey>,
        random: &SharedRandom,
    ) -> Result<Option<()>, LogOpen> {
        let mut body = Bytes(batch.body);
        let mut sequences = 0;
        while !body.is_empty() {
            match next_frame(&mut body) {
                None => return Ok(None),
                Some(Frame::Record(record)) => {
                    let time = record.meta.time;
                    let (earliest, latest) = self.times.unwrap_or((time, time));
                    self.times = Some((earliest.min(time), latest.max(time)));
                    sequences += 1;
                }
                Some(Frame::Void) => {
                    self.lost += 1;
                    sequences += 1;
                }
                Some(Frame::Key { tag, id, wrapped }) => {
                    // Without its pending key the log holds keys that were erased, or are in their shards.
                    let Some(pending) = pending else { continue };
                    let mut adopted = subjects.adopt(tag, id, wrapped, pending);
                    if matches!(adopted, Err(SubjectKeyFailed::TooManyPending)) {
                        subjects.settle(&mut &*random)?;
                        adopted = subjects.adopt(tag, id, wrapped, pending);
                    }
                    if !adopted? {
                        return Ok(None);
                    }
                }
            }
        }
        Ok((sequences == batch.sequences).then_some(()))
    }
}

pub(super) fn pending_key(
    tree: &Tree,
    subjects: &Subjects,
    id: LogId,
) -> Result<Option<PendingKey>, LogOpen> {
    let name = key_file_of(id.number);
    let file = match tree.open_file(&name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let reason = "not the pending key of its log";
    let damaged = || LogOpen::Damaged { file: name.clone(), offset: 0, reason };
    let mut wrapped = [0; WRAPPED_BYTES];
    if file.len()? != u64::try_from(WRAPPED_BYTES).unwrap_or(u64::MAX) {
        return Err(damaged());
    }
    file.read_exact_at(0, &mut wrapped)?;
    subjects.open_pending_key(&wrapped, &id.pending_aad(subjects))?.ok_or_else(damaged).map(Some)
}

/// The segment that was made of a log already.
fn sealed_as(tree: &Arc<Tree>, subjects: &Subjects, id: LogId) -> Result<Option<Sealed>, LogOpen> {
    match Segment::open(tree, subjects, id.number) {
        Ok(segment) => {
            // Whoever wrote it may have died before its name was durable.
            tree.confirm(&path_of(id.number))?;
            Ok(Some(Sealed::of(segment.header(), path_of(id.number))))
        }
        Err(ReadFailed::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(damaged(error)),
    }
}

fn damaged(error: ReadFailed) -> LogOpen {
    match error {
        ReadFailed::Damaged { file, offset, reason } => LogOpen::Damaged { file, offset, reason },
        ReadFailed::Io { source, .. } => LogOpen::Io(source),
        other => LogOpen::Io(io::Error::other(other)),
    }
}
