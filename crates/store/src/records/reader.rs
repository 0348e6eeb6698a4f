//! Sealed records of one gateway: found by what is known of them, read, and proved.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bartizan_base::Timestamp;
use bartizan_keys::subjects::{NONCE_BYTES, RequestTag, SubjectTag, Subjects};
use bartizan_ledger::segment::{
    Commitments, Group, RecordDigest, RecordProof, RevealedGroup, Salt, Shown, commit,
};

use super::build::index_key;
use super::error::{ProveFailed, ReadFailed};
use super::frame::Bytes;
use super::identity::{Position, RecordId};
use super::layout::{PageKind, Row};
use super::manifest::{SegmentInfo, newest_first, pages, read_page};
use super::segment::{Block, Segment};
use crate::blobs::DirOpen;
use crate::disk::{Disk, SimDisk};
use crate::limits::{RESULT_RECORDS, SEARCH_SEGMENTS};
use crate::tree::Tree;

/// The sealed records of one gateway. May be used beside the [`Log`](super::Log), with the same [`Subjects`]: those
/// of another process would go on reading, from memory, whom this one has erased.
pub struct Records {
    tree: Arc<Tree>,
    subjects: Arc<Subjects>,
}

/// What a search found so far, newest first. A damaged segment takes nothing from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where the records are.
    pub positions: Vec<Position>,
    /// Where to go on; `None` when everything was searched.
    pub before: Option<Position>,
    /// Segments that are damaged or missing: what they hold was not found.
    pub unread: Vec<u64>,
}

/// A record as it was kept; every group was checked against its commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Where it is.
    pub position: Position,
    /// Its id.
    pub id: RecordId,
    /// Its time, as the gateway believed.
    pub time: Timestamp,
    /// The epoch it was taken in.
    pub epoch: u64,
    /// Its sequence number in that epoch.
    pub sequence: u64,
    /// Whom it is about.
    pub subject: Option<SubjectTag>,
    /// Its digest.
    pub digest: RecordDigest,
    /// The commitments of all groups.
    pub commitments: Commitments,
    /// The first group.
    pub envelope: RevealedGroup,
    /// Groups two to four.
    pub personal: Personal,
    /// The fifth group.
    pub decisions: RevealedGroup,
}

/// Groups that may hold personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Personal {
    /// In clear.
    Clear {
        /// The second group.
        subject: RevealedGroup,
        /// The third group.
        input: RevealedGroup,
        /// The fourth group.
        output: RevealedGroup,
    },
    /// The key of the subject was destroyed. The record can still be proved, without these groups.
    Erased,
}

impl Records {
    /// Opens the segments in a log's directory.
    ///
    /// # Errors
    /// When the directory is missing or the operating system refuses.
    pub fn open(path: &Path, subjects: Arc<Subjects>) -> Result<Self, ReadFailed> {
        let tree = Disk::real(path).and_then(Tree::open).map_err(|error| DirOpen::new(path, error))?;
        Ok(Self { tree: Arc::new(tree), subjects })
    }

    /// The same in a directory of a simulated disk, for tests.
    ///
    /// # Errors
    /// When the simulated disk fails.
    pub fn open_on(disk: &SimDisk, path: &str, subjects: Arc<Subjects>) -> Result<Self, ReadFailed> {
        let tree = Disk::sim(disk, path).and_then(Tree::open);
        let tree = tree.map_err(|error| DirOpen::new(Path::new(path), error))?;
        Ok(Self { tree: Arc::new(tree), subjects })
    }

    /// Up to `limit` segments with numbers below `before`, newest first.
    ///
    /// # Errors
    /// When the list of segments cannot be read.
    pub fn segments(&self, before: Option<u64>, limit: usize) -> Result<Vec<SegmentInfo>, ReadFailed> {
        let last = before.map_or(u64::MAX, |before| before.saturating_sub(1));
        newest_first(&self.tree, last)?.take(limit).collect()
    }

    /// Looks for the record with this id, from the newest segment on.
    ///
    /// # Errors
    /// When a segment cannot be read.
    pub fn by_id(&self, id: RecordId, before: Option<Position>) -> Result<Found, ReadFailed> {
        self.by_key(PageKind::Id, u128::from_be_bytes(*id.as_bytes()), before, 1)
    }

    /// Looks for records with this request tag.
    ///
    /// # Errors
    /// When a segment cannot be read.
    pub fn by_request(
        &self,
        tag: RequestTag,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Found, ReadFailed> {
        self.by_key(PageKind::Request, u128::from_be_bytes(*tag.as_bytes()), before, limit)
    }

    /// Looks for records about a subject, erased ones too.
    ///
    /// # Errors
    /// When a segment cannot be read.
    pub fn by_subject(
        &self,
        tag: SubjectTag,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Found, ReadFailed> {
        self.by_key(PageKind::Subject, index_key(tag.as_bytes()), before, limit)
    }

    /// The record with a sequence number, which a receipt names; `None` when it is not sealed, or was never
    /// used.
    ///
    /// # Errors
    /// When the segment cannot be read.
    pub fn at(&self, epoch: u64, sequence: u64) -> Result<Option<Position>, ReadFailed> {
        for page in pages(&self.tree)?.into_iter().rev() {
            let holds =
                |info: &SegmentInfo| info.epoch == epoch && (info.first..=info.last).contains(&sequence);
            let Some(info) = read_page(&self.tree, page)?.into_iter().find(holds) else { continue };
            let segment = self.segment(info.number)?;
            let offset = u32::try_from(sequence - info.first).unwrap_or(u32::MAX);
            // Unused numbers only move records forward.
            let last = segment.block_of(offset).map_or(segment.directory().blocks.len(), |block| block + 1);
            for number in (0..last).rev() {
                let block = segment.block(number)?;
                if let Some((index, _)) =
                    (block.first..).zip(&block.rows).find(|(_, row)| row.offset == offset)
                {
                    return Ok(Some(Position { segment: info.number, index }));
                }
                if info.lost == 0 || block.rows.first().is_some_and(|row| row.offset < offset) {
                    break;
                }
            }
            return Ok(None);
        }
        Ok(None)
    }

    /// Reads a record and checks it against its commitments and its digest.
    ///
    /// # Errors
    /// When there is none, it is damaged, or keys or disk fail.
    pub fn read(&self, position: Position) -> Result<StoredRecord, ReadFailed> {
        self.read_in(&self.segment(position.segment)?, position)
    }

    /// Proves that a record is in its segment, with the groups of `reveal` in clear. The proof stands or falls
    /// with [`RecordProof::verify`] under the root and count that the ledger names.
    ///
    /// # Errors
    /// When a group to reveal was erased, or the segment cannot be read.
    pub fn prove(&self, position: Position, reveal: &[Group]) -> Result<RecordProof, ProveFailed> {
        let segment = self.segment(position.segment)?;
        let record = self.read_in(&segment, position)?;
        let shown = |group: Group| {
            if !reveal.contains(&group) {
                return Ok(Shown::Hidden(*record.commitments.get(group)));
            }
            record.group(group).cloned().map(Shown::Revealed).ok_or(ProveFailed::Erased { group })
        };
        let [envelope, subject, input, output, decisions] = Group::ALL;
        let groups = [shown(envelope)?, shown(subject)?, shown(input)?, shown(output)?, shown(decisions)?];
        let missing = ReadFailed::NotFound { segment: position.segment, index: position.index };
        RecordProof::new(groups, &segment.tree()?, u64::from(position.index)).ok_or(missing.into())
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(super) fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    pub(super) fn segment(&self, number: u64) -> Result<Segment, ReadFailed> {
        Segment::open(&self.tree, &self.subjects, number)
    }

    /// Goes through segments, newest first, until there are enough results or enough was looked at.
    fn by_key(
        &self,
        kind: PageKind,
        key: u128,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Found, ReadFailed> {
        let limit = limit.clamp(1, RESULT_RECORDS);
        let before = before.unwrap_or(Position { segment: u64::MAX, index: 0 });
        let mut found = Found { positions: Vec::new(), before: None, unread: Vec::new() };
        let mut left = SEARCH_SEGMENTS;
        for info in newest_first(&self.tree, before.segment)? {
            let SegmentInfo { number, count, .. } = info?;
            let upper = if number == before.segment { before.index } else { u32::MAX };
            if count == 0 {
                continue;
            }
            if left == 0 {
                found.before = Some(Position { segment: number, index: upper });
                return Ok(found);
            }
            left -= 1;
            let wanted = limit - found.positions.len();
            match self.segment(number).and_then(|segment| segment.lookup(kind, key, upper, wanted)) {
                Ok(here) => {
                    found.positions.extend(here.into_iter().map(|index| Position { segment: number, index }));
                }
                Err(error) if error.is_lasting() => found.unread.push(number),
                Err(error) => return Err(error),
            }
            if found.positions.len() >= limit {
                found.before = found.positions.last().copied();
                return Ok(found);
            }
        }
        Ok(found)
    }

    fn read_in(&self, segment: &Segment, position: Position) -> Result<StoredRecord, ReadFailed> {
        let missing = || ReadFailed::NotFound { segment: position.segment, index: position.index };
        let block = segment.block(segment.block_of(position.index).ok_or_else(missing)?)?;
        let row = position.index.checked_sub(block.first).and_then(|row| usize::try_from(row).ok());
        self.record(segment, &block, row.ok_or_else(missing)?)
    }

    pub(super) fn record(
        &self,
        segment: &Segment,
        block: &Block,
        at: usize,
    ) -> Result<StoredRecord, ReadFailed> {
        let header = segment.header();
        let index = block.first + u32::try_from(at).unwrap_or(u32::MAX);
        let missing = || ReadFailed::NotFound { segment: header.number, index };
        let row = block.rows.get(at).ok_or_else(missing)?;
        let (envelope, decisions) = block.clear(at).ok_or_else(missing)?;
        let commitments = segment.commitments(block, at)?;
        let digest = commitments.digest();
        let (sealed, offset) = segment.sealed(block, at)?;
        if digest != segment.digest(index)? {
            return Err(segment.damaged(offset, "the commitments do not lead to the record's digest"));
        }
        let envelope = RevealedGroup { salt: row.meta.envelope_salt, bytes: envelope.to_vec() };
        let decisions = RevealedGroup { salt: row.meta.decisions_salt, bytes: decisions.to_vec() };
        let personal = self.personal(segment, row, sealed, offset, &digest)?;
        let record = StoredRecord {
            position: Position { segment: header.number, index },
            id: row.meta.id,
            time: row.meta.time,
            epoch: header.epoch,
            sequence: header.first + u64::from(row.offset),
            subject: row.meta.subject.map(|(tag, _)| tag),
            digest,
            commitments,
            envelope,
            personal,
            decisions,
        };
        for group in Group::ALL {
            if let Some(RevealedGroup { salt, bytes }) = record.group(group)
                && commit(salt, bytes) != *commitments.get(group)
            {
                return Err(segment.damaged(offset, "a group does not fit its commitment"));
            }
        }
        Ok(record)
    }

    fn personal(
        &self,
        segment: &Segment,
        row: &Row,
        mut sealed: Vec<u8>,
        offset: u64,
        digest: &RecordDigest,
    ) -> Result<Personal, ReadFailed> {
        let key = match row.meta.subject {
            Some((tag, id)) => match self.subjects.find(tag, id)? {
                Some(key) => Some(key),
                None => return Ok(Personal::Erased),
            },
            None => None,
        };
        let cipher = key.as_ref().map_or_else(|| segment.key().records(), |key| key.cipher());
        let changed = || segment.damaged(offset, "the sealed groups are not authentic");
        let (nonce, body) = sealed.split_first_chunk_mut::<NONCE_BYTES>().ok_or_else(changed)?;
        let plain = cipher.open(*nonce, digest.digest().as_bytes(), body).ok_or_else(changed)?;
        parse_personal(plain).ok_or_else(|| segment.damaged(offset, "the sealed groups are malformed"))
    }
}

impl StoredRecord {
    /// A group and its salt; `None` when it was erased.
    pub const fn group(&self, group: Group) -> Option<&RevealedGroup> {
        match (group, &self.personal) {
            (Group::Envelope, _) => Some(&self.envelope),
            (Group::Decisions, _) => Some(&self.decisions),
            (Group::Subject, Personal::Clear { subject, .. }) => Some(subject),
            (Group::Input, Personal::Clear { input, .. }) => Some(input),
            (Group::Output, Personal::Clear { output, .. }) => Some(output),
            (_, Personal::Erased) => None,
        }
    }
}

fn parse_personal(plain: &[u8]) -> Option<Personal> {
    let mut bytes = Bytes(plain);
    let (subject_salt, input_salt, output_salt) = (bytes.array()?, bytes.array()?, bytes.array()?);
    let (subject, input) = (bytes.length()?, bytes.length()?);
    let (subject, input, output) = (bytes.take(subject)?, bytes.take(input)?, bytes.0);
    let group = |salt: &Salt, bytes: &[u8]| RevealedGroup { salt: *salt, bytes: bytes.to_vec() };
    Some(Personal::Clear {
        subject: group(subject_salt, subject),
        input: group(input_salt, input),
        output: group(output_salt, output),
    })
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}
