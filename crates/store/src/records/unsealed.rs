//! Reading logs that are not sealed yet, without opening them for writing: whole, unbroken, and with their keys.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;

use bartizan_keys::subjects::{PendingKey, SubjectKeyId, SubjectTag};

use super::error::{LogOpen, ReadFailed};
use super::frame::{Bytes, Frame, next_frame};
use super::manifest::newest_first;
use super::reader::Records;
use super::recover::{header_of, numbers_in_log, pending_key, read_epoch};
use super::wal::{Batches, HEADER_BYTES, checked_length, file_of};

/// How often a log is read again while what is wrong with it moves: somebody is writing it then.
const ATTEMPTS: usize = 8;

/// What the logs of a gateway hold that no segment need have yet.
#[derive(Debug, Default)]
pub struct CheckedLogs {
    /// The epoch that began last; 0 when none did.
    pub epoch: u64,
    /// The logs, ascending.
    pub logs: Vec<CheckedLog>,
    /// Sequence numbers that must have been written and are in no log and no segment.
    pub missing: Vec<MissingRecords>,
}

/// A log as far as it can be read.
#[derive(Debug, Default)]
pub struct CheckedLog {
    /// Its number, which is that of the segment that it becomes.
    pub number: u64,
    /// Its epoch.
    pub epoch: u64,
    /// Records in it.
    pub records: u64,
    /// What is wrong with it, if anything is.
    pub damage: Option<ReadFailed>,
    /// Whose records in it nobody can read any more: their keys are neither in a log nor settled.
    pub gone: BTreeSet<SubjectTag>,
    first: u64,
    next: u64,
    needs: HashSet<(SubjectTag, SubjectKeyId)>,
    holds: HashSet<(SubjectTag, SubjectKeyId)>,
}

/// Records that were there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingRecords {
    /// The epoch.
    pub epoch: u64,
    /// What is there before ends before this sequence number.
    pub after: u64,
    /// What is there after begins with this one; `None` when even the log that was being written is missing.
    pub before: Option<u64>,
}

impl Records {
    /// Reads every log of the gateway again, also while somebody writes it. A torn end is what a crash leaves, or a
    /// batch that is being written, and no damage; what was cut off a log together with everything after it cannot be
    /// seen. Keys of subjects are looked for as they are now, so use [`Records`] that have read none before.
    ///
    /// # Errors
    /// When the disk or the keys cannot be read. What is wrong with a log is in its [`CheckedLog`].
    pub fn check_logs(&self) -> Result<CheckedLogs, ReadFailed> {
        let mut checked = self.read_logs()?;
        // Where a log was sealed and let go of between two looks, another look shows the log after it.
        for _ in 0..ATTEMPTS {
            if checked.missing.is_empty() {
                break;
            }
            let again = self.read_logs()?;
            if again.missing == checked.missing {
                break;
            }
            checked = again;
        }
        self.find_gone(&mut checked)?;
        Ok(checked)
    }

    fn read_logs(&self) -> Result<CheckedLogs, ReadFailed> {
        let io = |file: &str| {
            let file = file.to_owned();
            move |source| ReadFailed::Io { file, source }
        };
        let epoch = || read_epoch(self.tree()).map_err(|error| read_failed("epoch", error));
        let mut checked = CheckedLogs { epoch: epoch()?.1, ..CheckedLogs::default() };
        let (numbers, _) = numbers_in_log(self.tree()).map_err(io("log"))?;
        for number in numbers {
            checked.logs.extend(self.check_log(number)?);
        }
        // Whatever was sealed and let go of while the logs were read is in the list by now.
        let mut sealed: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        for info in newest_first(self.tree(), u64::MAX)? {
            let info = info?;
            sealed.entry(info.epoch).or_default().insert(info.last.saturating_add(1));
        }
        // An epoch that began meanwhile may have let go of the last log of the one before.
        let same = epoch()?.1 == checked.epoch;
        let newest = sealed.get(&checked.epoch).and_then(|ends| ends.last()).filter(|_| same);
        checked.find_missing(&sealed, newest.copied());
        Ok(checked)
    }

    /// `None` when it was sealed and let go of meanwhile, or was never finished.
    fn check_log(&self, number: u64) -> Result<Option<CheckedLog>, ReadFailed> {
        let mut before = None;
        for _ in 0..ATTEMPTS {
            let found = self.look(number)?;
            let Some(ReadFailed::Damaged { offset, .. }) = found.as_ref().and_then(|log| log.damage.as_ref())
            else {
                return Ok(found);
            };
            if before == Some(*offset) {
                return Ok(found);
            }
            before = Some(*offset);
        }
        self.look(number)
    }

    fn look(&self, number: u64) -> Result<Option<CheckedLog>, ReadFailed> {
        let (tree, subjects, name) = (self.tree(), self.subjects(), file_of(number));
        let io = |source| ReadFailed::Io { file: name.clone(), source };
        let damaged = |offset, reason| ReadFailed::Damaged { file: name.clone(), offset, reason };
        let mut log = CheckedLog { number, ..CheckedLog::default() };
        let file = match tree.open_file(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(io)?,
        };
        let unfinished = file.len().map_err(io)? <= u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
        let Some(header) = header_of(&file, number).map_err(io)? else {
            log.damage = Some(damaged(0, "not the header of this log"));
            return Ok(Some(log).filter(|_| !unfinished));
        };
        let id = header.id;
        (log.epoch, log.first, log.next) = (id.epoch, id.first, id.first);
        let Some(key) = subjects.open_segment_key(&header.wrapped, &id.segment_aad(subjects))? else {
            log.damage = Some(damaged(0, "the header is not authentic"));
            return Ok(Some(log).filter(|_| !unfinished));
        };
        let pending = match pending_key(tree, subjects, id) {
            Ok(pending) => pending,
            Err(error) => match read_failed(&name, error) {
                error @ ReadFailed::Damaged { .. } => {
                    log.damage = Some(error);
                    return Ok(Some(log));
                }
                error => return Err(error),
            },
        };
        let Some(length) = checked_length(&file).map_err(io)? else {
            log.damage = Some(damaged(0, "longer than a log can be"));
            return Ok(Some(log));
        };
        let mut batches = Batches::new(&file, &key, id.first, length);
        loop {
            let offset = batches.offset();
            let Some(batch) = batches.next().map_err(io)? else { break };
            if log.take(batch.body, pending.as_ref()) != Some(batch.sequences) {
                log.damage = Some(damaged(offset, "a batch is authentic and malformed"));
                return Ok(Some(log));
            }
            log.next = batch.first + batch.sequences;
        }
        if batches.is_followed(header.stale).map_err(io)? {
            log.damage = Some(damaged(batches.offset(), "a batch that later ones follow is not authentic"));
        }
        Ok(Some(log))
    }

    /// Whose keys are neither in a log whose pending key is there, nor settled.
    fn find_gone(&self, checked: &mut CheckedLogs) -> Result<(), ReadFailed> {
        let held: HashSet<_> = checked.logs.iter().flat_map(|log| log.holds.iter().copied()).collect();
        for log in &mut checked.logs {
            for (tag, id) in std::mem::take(&mut log.needs) {
                if !held.contains(&(tag, id)) && self.subjects().find(tag, id)?.is_none() {
                    log.gone.insert(tag);
                }
            }
        }
        Ok(())
    }
}

impl CheckedLog {
    /// How many sequence numbers a batch has; `None` when it is not what a writer writes.
    fn take(&mut self, body: &[u8], pending: Option<&PendingKey>) -> Option<u64> {
        let (mut body, mut sequences) = (Bytes(body), 0);
        while !body.is_empty() {
            match next_frame(&mut body)? {
                Frame::Record(record) => {
                    self.needs.extend(record.meta.subject);
                    self.records += 1;
                    sequences += 1;
                }
                Frame::Void => sequences += 1,
                Frame::Key { tag, id, .. } => {
                    if pending.is_some() {
                        self.holds.insert((tag, id));
                    }
                }
            }
        }
        Some(sequences)
    }
}

impl CheckedLogs {
    /// Whether there is anything of the epoch that began last: a log, or a segment after which its log is missed.
    pub fn holds_epoch(&self) -> bool {
        self.logs.iter().any(|log| self.may_be_last(log))
            || self.missing.iter().any(|gap| gap.epoch == self.epoch)
    }

    /// A header that cannot be read may be that of the last epoch.
    const fn may_be_last(&self, log: &CheckedLog) -> bool {
        log.epoch == self.epoch || log.epoch == 0
    }

    /// Within an epoch each log begins where the one before ends, and the last one is there as long as the epoch is.
    /// `sealed` has the numbers after the last of each segment, by epoch, and `newest` the greatest of the last epoch.
    fn find_missing(&mut self, sealed: &BTreeMap<u64, BTreeSet<u64>>, newest: Option<u64>) {
        for log in self.logs.iter().filter(|log| log.first > 1) {
            let earlier =
                self.logs.iter().filter(|other| other.epoch == log.epoch && other.number < log.number);
            // Where a damaged log ends nobody knows.
            let joined = |other: &CheckedLog| other.next == log.first || other.damage.is_some();
            let ends = sealed.get(&log.epoch);
            if ends.is_some_and(|ends| ends.contains(&log.first)) || earlier.clone().any(joined) {
                continue;
            }
            let logged = earlier.map(|other| other.next).max();
            let listed = ends.and_then(|ends| ends.range(..log.first).next_back().copied());
            let after = logged.max(listed).unwrap_or(1);
            self.missing.push(MissingRecords { epoch: log.epoch, after, before: Some(log.first) });
        }
        if let Some(after) = newest
            && !self.logs.iter().any(|log| self.may_be_last(log))
        {
            self.missing.push(MissingRecords { epoch: self.epoch, after, before: None });
        }
    }
}

fn read_failed(file: &str, error: LogOpen) -> ReadFailed {
    match error {
        LogOpen::Damaged { file, offset, reason } => ReadFailed::Damaged { file, offset, reason },
        LogOpen::Io(source) => ReadFailed::Io { file: file.to_owned(), source },
        LogOpen::Key(error) => error.into(),
        LogOpen::Crypto(error) => error.into(),
        other => ReadFailed::Io { file: file.to_owned(), source: io::Error::other(other) },
    }
}
