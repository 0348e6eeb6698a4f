//! Going through sealed records by what is in clear of them, without a key of any subject.

use std::ops::{ControlFlow, Range};

use bartizan_base::Timestamp;
use bartizan_keys::subjects::{SubjectKeyId, SubjectTag};

use super::build::index_key;
use super::error::ReadFailed;
use super::identity::{Position, RecordId};
use super::layout::PageKind;
use super::manifest::newest_first;
use super::reader::Records;
use super::segment::Block;
use crate::limits::{SCAN_BLOCKS, SEARCH_SEGMENTS};

/// What a segment tells of a record to whoever can open the segment: the groups that are never personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClearRecord<'a> {
    /// Where it is.
    pub position: Position,
    /// Its id.
    pub id: RecordId,
    /// Its time, as the gateway believed.
    pub time: Timestamp,
    /// Whom it is about.
    pub subject: Option<SubjectTag>,
    /// The first group.
    pub envelope: &'a [u8],
    /// The fifth group.
    pub decisions: &'a [u8],
}

/// How far a scan came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Where to go on; `None` when nothing is left.
    pub before: Option<Position>,
    /// Segments that are damaged or missing.
    pub unread: Vec<u64>,
}

impl Records {
    /// Shows the records of some time, those taken last first, until `look` breaks off or enough was read for one
    /// call. What a damaged segment holds beyond the damage is left out, and told.
    ///
    /// # Errors
    /// When the list of segments is damaged, or the operating system refuses.
    pub fn scan(
        &self,
        times: Range<Timestamp>,
        before: Option<Position>,
        mut look: impl FnMut(ClearRecord<'_>) -> ControlFlow<()>,
    ) -> Result<Scanned, ReadFailed> {
        let before = before.unwrap_or(Position { segment: u64::MAX, index: 0 });
        let (mut segments, mut blocks) = (SEARCH_SEGMENTS, SCAN_BLOCKS);
        let mut scanned = Scanned::default();
        for info in newest_first(self.tree(), before.segment)? {
            let info = info?;
            if info.count == 0 || !(info.earliest < times.end && info.latest >= times.start) {
                continue;
            }
            let upper = if info.number == before.segment { before.index } else { u32::MAX };
            if segments == 0 {
                scanned.before = Some(Position { segment: info.number, index: upper });
                return Ok(scanned);
            }
            segments -= 1;
            match self.scan_segment(info.number, &times, upper, &mut blocks, &mut look) {
                Ok(None) => {}
                Ok(Some(before)) => {
                    scanned.before = Some(before);
                    return Ok(scanned);
                }
                Err(error) if error.is_lasting() => scanned.unread.push(info.number),
                Err(error) => return Err(error),
            }
        }
        Ok(scanned)
    }

    /// The same of one segment, below index `upper`; `None` when all of it was looked at.
    fn scan_segment(
        &self,
        number: u64,
        times: &Range<Timestamp>,
        mut upper: u32,
        blocks: &mut usize,
        look: &mut impl FnMut(ClearRecord<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Position>, ReadFailed> {
        let segment = self.segment(number)?;
        for (at, entry) in segment.directory().blocks.iter().enumerate().rev() {
            let first = segment.first_of(at);
            // What begins at or after the place to go on from was seen.
            if first >= upper || !(entry.earliest < times.end && entry.latest >= times.start) {
                continue;
            }
            if *blocks == 0 {
                return Ok(Some(Position { segment: number, index: upper }));
            }
            *blocks -= 1;
            let block = segment.block(at)?;
            for record in (0..block.rows.len()).rev().filter_map(|row| clear(&block, number, row)) {
                let wanted = record.position.index < upper && times.contains(&record.time);
                if wanted && look(record).is_break() {
                    return Ok(Some(record.position));
                }
            }
            upper = first;
        }
        Ok(None)
    }

    /// Shows what is in clear of one record.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn peek<T>(
        &self,
        position: Position,
        look: impl FnOnce(ClearRecord<'_>) -> T,
    ) -> Result<T, ReadFailed> {
        let missing = || ReadFailed::NotFound { segment: position.segment, index: position.index };
        let segment = self.segment(position.segment)?;
        let block = segment.block(segment.block_of(position.index).ok_or_else(missing)?)?;
        let row = position.index.checked_sub(block.first).and_then(|row| usize::try_from(row).ok());
        let record = row.and_then(|row| clear(&block, position.segment, row)).ok_or_else(missing)?;
        Ok(look(record))
    }
}

impl Records {
    /// The records of one segment about somebody, ascending, and the keys that they were encrypted under.
    ///
    /// # Errors
    /// When the segment cannot be read.
    pub fn about(&self, segment: u64, tag: SubjectTag) -> Result<Vec<(u32, SubjectKeyId)>, ReadFailed> {
        let segment = self.segment(segment)?;
        let key = index_key(tag.as_bytes());
        let mut indexes = segment.lookup(PageKind::Subject, key, u32::MAX, usize::MAX)?;
        indexes.reverse();
        let (mut found, mut read) = (Vec::with_capacity(indexes.len()), None::<Block>);
        for index in indexes {
            let row = |block: &Block| {
                let row = usize::try_from(index.checked_sub(block.first)?).ok()?;
                block.rows.get(row).copied()
            };
            if read.as_ref().and_then(row).is_none() {
                let missing = || ReadFailed::NotFound { segment: segment.header().number, index };
                read = Some(segment.block(segment.block_of(index).ok_or_else(missing)?)?);
            }
            // An index knows half of a tag.
            let about = read.as_ref().and_then(row).and_then(|row| row.meta.subject);
            found.extend(about.filter(|(about, _)| *about == tag).map(|(_, key)| (index, key)));
        }
        Ok(found)
    }
}

fn clear(block: &Block, segment: u64, at: usize) -> Option<ClearRecord<'_>> {
    let row = block.rows.get(at)?;
    let (envelope, decisions) = block.clear(at)?;
    let index = block.first + u32::try_from(at).ok()?;
    Some(ClearRecord {
        position: Position { segment, index },
        id: row.meta.id,
        time: row.meta.time,
        subject: row.meta.subject.map(|(tag, _)| tag),
        envelope,
        decisions,
    })
}
