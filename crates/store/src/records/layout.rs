//! The bytes of a segment: header, columns of a block, index pages, directory, trailer.

use bartizan_base::{Digest, Timestamp};
use bartizan_keys::subjects::WRAPPED_BYTES;

use super::frame::{Bytes, Meta, length_bytes, tags, time};
use super::identity::{GatewayId, RecordId};
use crate::limits::{BLOCK_RECORDS, INDEX_ENTRIES, PAGE_BYTES};
use bartizan_ledger::limits::SEGMENT_RECORDS;

pub(super) const MAGIC: &[u8; 20] = b"bartizan-segment-v1\n";
pub(super) const HEADER_BYTES: usize = 232;
pub(super) const TRAILER_BYTES: usize = 24;
const TRAILER_MAGIC: &[u8; 8] = b"bzsegend";

pub(super) const INDEX_ENTRY_BYTES: usize = 20;

/// What a page is; the number is part of what authenticates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PageKind {
    Block = 1,
    Id = 2,
    Subject = 3,
    Request = 4,
}

impl PageKind {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Block => 1,
            Self::Id => 2,
            Self::Subject => 3,
            Self::Request => 4,
        }
    }

    fn index_from(byte: u8) -> Option<Self> {
        [Self::Id, Self::Subject, Self::Request].into_iter().find(|kind| kind.byte() == byte)
    }
}

/// The header of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) gateway: GatewayId,
    pub(super) epoch: u64,
    pub(super) number: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) count: u64,
    pub(super) lost: u64,
    pub(super) earliest: Timestamp,
    pub(super) latest: Timestamp,
    pub(super) sealed: Timestamp,
    pub(super) previous_root: Digest,
    pub(super) root: Digest,
    pub(super) key: [u8; WRAPPED_BYTES],
}

impl Header {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(self.gateway.as_bytes());
        for number in [self.epoch, self.number, self.first, self.last, self.count, self.lost] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        for time in [self.earliest, self.latest, self.sealed] {
            bytes.extend_from_slice(&time.millis().to_be_bytes());
        }
        bytes.extend_from_slice(self.previous_root.as_bytes());
        bytes.extend_from_slice(self.root.as_bytes());
        bytes.extend_from_slice(&self.key);
        bytes
    }

    pub(super) fn parse(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let mut bytes = Bytes(bytes.strip_prefix(MAGIC)?);
        let header = Self {
            gateway: GatewayId::from_bytes(*bytes.array()?),
            epoch: bytes.u64()?,
            number: bytes.u64()?,
            first: bytes.u64()?,
            last: bytes.u64()?,
            count: bytes.u64()?,
            lost: bytes.u64()?,
            earliest: time(*bytes.array()?)?,
            latest: time(*bytes.array()?)?,
            sealed: time(*bytes.array()?)?,
            previous_root: Digest::from_bytes(*bytes.array()?),
            root: Digest::from_bytes(*bytes.array()?),
            key: *bytes.array()?,
        };
        let numbers = header.count.checked_add(header.lost)?.checked_add(header.first)?;
        let most = u64::try_from(SEGMENT_RECORDS).ok()?;
        let fits = header.last.checked_add(1)? == numbers && header.count <= most && header.lost <= most;
        fits.then_some(header)
    }
}

/// One record in the columns of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) meta: Meta,
    /// Sequence number, less the segment's first.
    pub(super) offset: u32,
    pub(super) envelope: usize,
    pub(super) decisions: usize,
    pub(super) sealed: usize,
}

/// Writes the columns of a block.
pub(super) fn put_columns(out: &mut Vec<u8>, rows: &[Row]) {
    rows.iter().for_each(|row| out.extend_from_slice(row.meta.id.as_bytes()));
    rows.iter().for_each(|row| out.extend_from_slice(&row.meta.time.millis().to_be_bytes()));
    rows.iter().for_each(|row| out.extend_from_slice(&row.offset.to_be_bytes()));
    rows.iter().for_each(|row| out.push(row.meta.flags()));
    rows.iter().for_each(|row| out.extend_from_slice(&row.meta.subject_bytes().0));
    rows.iter().for_each(|row| out.extend_from_slice(&row.meta.subject_bytes().1));
    rows.iter().for_each(|row| out.extend_from_slice(&row.meta.request_bytes()));
    rows.iter().for_each(|row| out.extend_from_slice(&row.meta.envelope_salt));
    rows.iter().for_each(|row| out.extend_from_slice(&row.meta.decisions_salt));
    for length in [|row: &Row| row.envelope, |row: &Row| row.decisions, |row: &Row| row.sealed] {
        rows.iter().for_each(|row| out.extend_from_slice(&length_bytes(length(row))));
    }
}

/// Reads the columns of a block of `count` records, and returns what stands after them: the length of the
/// text when it is not compressed, and the compressed text.
pub(super) fn parse_columns(page: &[u8], count: usize) -> Option<(Vec<Row>, usize, &[u8])> {
    let mut bytes = Bytes(page);
    let mut column = |width: usize| bytes.take(width.checked_mul(count)?);
    let ids = column(16)?.as_chunks::<16>().0;
    let times = column(8)?.as_chunks::<8>().0;
    let offsets = column(4)?.as_chunks::<4>().0;
    let flags = column(1)?;
    let subjects = column(32)?.as_chunks::<32>().0;
    let keys = column(8)?.as_chunks::<8>().0;
    let requests = column(16)?.as_chunks::<16>().0;
    let envelope_salts = column(32)?.as_chunks::<32>().0;
    let decisions_salts = column(32)?.as_chunks::<32>().0;
    let envelopes = column(4)?.as_chunks::<4>().0;
    let decisions = column(4)?.as_chunks::<4>().0;
    let sealed = column(4)?.as_chunks::<4>().0;
    let length = |bytes: &[u8; 4]| usize::try_from(u32::from_be_bytes(*bytes)).ok();
    let row = |at: usize| {
        let (subject, request) = tags(*flags.get(at)?, subjects.get(at)?, keys.get(at)?, requests.get(at)?)?;
        Some(Row {
            meta: Meta {
                id: RecordId::from_bytes(*ids.get(at)?),
                time: time(*times.get(at)?)?,
                subject,
                request,
                envelope_salt: *envelope_salts.get(at)?,
                decisions_salt: *decisions_salts.get(at)?,
            },
            offset: u32::from_be_bytes(*offsets.get(at)?),
            envelope: length(envelopes.get(at)?)?,
            decisions: length(decisions.get(at)?)?,
            sealed: length(sealed.get(at)?)?,
        })
    };
    let rows: Vec<Row> = (0..count).map(row).collect::<Option<_>>()?;
    let text = bytes.length().filter(|length| *length <= PAGE_BYTES)?;
    let lengths =
        rows.iter().try_fold(0_usize, |sum, row| sum.checked_add(row.envelope)?.checked_add(row.decisions));
    (lengths == Some(text)).then_some((rows, text, bytes.0))
}

/// Where a block lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockEntry {
    pub(super) offset: u64,
    pub(super) records: u32,
    pub(super) sealed: u64,
    pub(super) page: u32,
    pub(super) earliest: Timestamp,
    pub(super) latest: Timestamp,
}

/// Where an index page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexPage {
    pub(super) kind: PageKind,
    pub(super) offset: u64,
    pub(super) bytes: u32,
    pub(super) entries: u32,
    pub(super) first: u128,
}

/// Where everything in a segment lies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Directory {
    pub(super) blocks: Vec<BlockEntry>,
    pub(super) pages: Vec<IndexPage>,
}

impl Directory {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&length_bytes(self.blocks.len()));
        for block in &self.blocks {
            bytes.extend_from_slice(&block.offset.to_be_bytes());
            bytes.extend_from_slice(&block.records.to_be_bytes());
            bytes.extend_from_slice(&block.sealed.to_be_bytes());
            bytes.extend_from_slice(&block.page.to_be_bytes());
            bytes.extend_from_slice(&block.earliest.millis().to_be_bytes());
            bytes.extend_from_slice(&block.latest.millis().to_be_bytes());
        }
        bytes.extend_from_slice(&length_bytes(self.pages.len()));
        for page in &self.pages {
            bytes.push(page.kind.byte());
            bytes.extend_from_slice(&page.offset.to_be_bytes());
            bytes.extend_from_slice(&page.bytes.to_be_bytes());
            bytes.extend_from_slice(&page.entries.to_be_bytes());
            bytes.extend_from_slice(&page.first.to_be_bytes());
        }
        bytes
    }

    /// Reads the directory of a segment of `count` records.
    pub(super) fn parse(bytes: &[u8], count: u64) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let mut directory = Self::default();
        let mut records = 0;
        for _ in 0..bytes.length().filter(|blocks| *blocks <= SEGMENT_RECORDS)? {
            let block = BlockEntry {
                offset: bytes.u64()?,
                records: bytes.u32()?,
                sealed: bytes.u64()?,
                page: bytes.u32()?,
                earliest: time(*bytes.array()?)?,
                latest: time(*bytes.array()?)?,
            };
            let most = u32::try_from(BLOCK_RECORDS).ok()?;
            (1..=most).contains(&block.records).then_some(())?;
            records += u64::from(block.records);
            directory.blocks.push(block);
        }
        for _ in 0..bytes.length().filter(|pages| *pages <= SEGMENT_RECORDS)? {
            let page = IndexPage {
                kind: PageKind::index_from(bytes.byte()?)?,
                offset: bytes.u64()?,
                bytes: bytes.u32()?,
                entries: bytes.u32()?,
                first: u128::from_be_bytes(*bytes.array()?),
            };
            usize::try_from(page.entries).ok().filter(|entries| *entries <= INDEX_ENTRIES)?;
            directory.pages.push(page);
        }
        let sorted = directory.pages.is_sorted_by_key(|page| (page.kind, page.first));
        (bytes.is_empty() && records == count && sorted).then_some(directory)
    }
}

pub(super) fn trailer(offset: u64, bytes: u64) -> Vec<u8> {
    [&offset.to_be_bytes()[..], &bytes.to_be_bytes(), TRAILER_MAGIC].concat()
}

/// Offset and bytes of the directory.
pub(super) fn parse_trailer(bytes: &[u8; TRAILER_BYTES]) -> Option<(u64, u64)> {
    let mut bytes = Bytes(bytes.strip_suffix(TRAILER_MAGIC)?);
    Some((bytes.u64()?, bytes.u64()?))
}

/// An entry of an index: key, and the record's index in the segment.
pub(super) type Entry = (u128, u32);

pub(super) fn put_entries(out: &mut Vec<u8>, entries: &[Entry]) {
    for (key, index) in entries {
        out.extend_from_slice(&key.to_be_bytes());
        out.extend_from_slice(&index.to_be_bytes());
    }
}

pub(super) fn parse_entries(page: &[u8]) -> Option<Vec<Entry>> {
    let (chunks, rest) = page.as_chunks::<INDEX_ENTRY_BYTES>();
    let entry = |chunk: &[u8; INDEX_ENTRY_BYTES]| {
        let mut bytes = Bytes(chunk);
        Some((u128::from_be_bytes(*bytes.array()?), bytes.u32()?))
    };
    let entries: Vec<Entry> = chunks.iter().map(entry).collect::<Option<_>>()?;
    (rest.is_empty() && entries.is_sorted()).then_some(entries)
}
