//! One sealed segment, open for reading. Nothing in it is believed before it is authentic.

use std::io;

use bartizan_base::Digest;
use bartizan_keys::subjects::{NONCE_BYTES, SegmentKey, Subjects};
use bartizan_ledger::segment::{Commitments, RecordDigest, SegmentTree};

use super::build::directory_aad;
use super::error::ReadFailed;
use super::layout::{
    Directory, Entry, HEADER_BYTES, Header, IndexPage, PageKind, Row, TRAILER_BYTES, parse_columns,
    parse_entries, parse_trailer,
};
use super::manifest::path_of;
use super::wal::LogId;
use crate::disk::DiskFile;
use crate::limits::{PAGE_BYTES, RECORD_BYTES};
use crate::tree::Tree;

pub(super) struct Segment {
    name: String,
    file: DiskFile,
    length: u64,
    header: Header,
    key: SegmentKey,
    directory: Directory,
}

/// One block of a segment.
pub(super) struct Block {
    /// Index of its first record in the segment.
    pub(super) first: u32,
    pub(super) rows: Vec<Row>,
    text: Vec<u8>,
    offset: u64,
}

impl Block {
    /// Envelope and decisions of the record in `row`.
    pub(super) fn clear(&self, row: usize) -> Option<(&[u8], &[u8])> {
        let before = self.rows.get(..row)?;
        let here = self.rows.get(row)?;
        let envelopes: usize = self.rows.iter().map(|row| row.envelope).sum();
        let envelope: usize = before.iter().map(|row| row.envelope).sum();
        let decisions = before.iter().map(|row| row.decisions).sum::<usize>() + envelopes;
        let of = |start: usize, length: usize| self.text.get(start..start.checked_add(length)?);
        Some((of(envelope, here.envelope)?, of(decisions, here.decisions)?))
    }
}

impl Segment {
    pub(super) fn open(tree: &Tree, subjects: &Subjects, number: u64) -> Result<Self, ReadFailed> {
        let name = path_of(number);
        let io = |source| ReadFailed::Io { file: name.clone(), source };
        let damaged = |offset, reason| ReadFailed::Damaged { file: name.clone(), offset, reason };
        let file = tree.open_file(&name).map_err(io)?;
        let length = file.len().map_err(io)?;
        let least = u64::try_from(HEADER_BYTES + TRAILER_BYTES).unwrap_or(u64::MAX);
        if length < least {
            return Err(damaged(length, "cut short"));
        }
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact_at(0, &mut bytes).map_err(io)?;
        let header = Header::parse(&bytes).filter(|header| header.number == number);
        let header = header.ok_or_else(|| damaged(0, "not the header of this segment"))?;
        let Header { gateway, epoch, number, first, .. } = header;
        let aad = LogId { gateway, epoch, number, first }.segment_aad(subjects);
        let key = subjects.open_segment_key(&header.key, &aad)?;
        let key = key.ok_or_else(|| damaged(172, "the segment's key is not authentic"))?;
        let mut bytes = [0; TRAILER_BYTES];
        let end = length - u64::try_from(TRAILER_BYTES).unwrap_or(0);
        file.read_exact_at(end, &mut bytes).map_err(io)?;
        let place = parse_trailer(&bytes).filter(|(offset, bytes)| offset.checked_add(*bytes) == Some(end));
        let (offset, bytes) = place.ok_or_else(|| damaged(end, "not the trailer of a segment"))?;
        let mut segment = Self { name, file, length: end, header, key, directory: Directory::default() };
        let page = segment.page(offset, bytes, &directory_aad(&header))?;
        let directory = Directory::parse(&page, header.count);
        segment.directory =
            directory.ok_or_else(|| segment.damaged(offset, "the directory is authentic and malformed"))?;
        Ok(segment)
    }

    pub(super) const fn header(&self) -> &Header {
        &self.header
    }

    pub(super) const fn key(&self) -> &SegmentKey {
        &self.key
    }

    pub(super) const fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(super) fn damaged(&self, offset: u64, reason: &'static str) -> ReadFailed {
        ReadFailed::Damaged { file: self.name.clone(), offset, reason }
    }

    /// The tree over all records, checked against the header's root.
    pub(super) fn tree(&self) -> Result<SegmentTree, ReadFailed> {
        let start = u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
        let bytes = self.bytes(start, self.header.count * 32)?;
        let digests = bytes.as_chunks::<32>().0.iter();
        let tree =
            SegmentTree::of(digests.map(|bytes| RecordDigest::from_digest(Digest::from_bytes(*bytes))));
        let tree = tree.filter(|tree| tree.root() == self.header.root);
        tree.ok_or_else(|| self.damaged(start, "the digests do not lead to the root"))
    }

    /// The digest of one record, as listed.
    pub(super) fn digest(&self, index: u32) -> Result<RecordDigest, ReadFailed> {
        let start = u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX) + u64::from(index) * 32;
        let bytes = self.bytes(start, 32)?;
        let bytes = bytes.try_into().map_err(|_| self.damaged(start, "cut short"))?;
        Ok(RecordDigest::from_digest(Digest::from_bytes(bytes)))
    }

    /// The number of the block that holds a record.
    pub(super) fn block_of(&self, index: u32) -> Option<usize> {
        let mut first = 0;
        self.directory.blocks.iter().position(|block| {
            first += block.records;
            index < first
        })
    }

    /// The index of the first record of block number `number`.
    pub(super) fn first_of(&self, number: usize) -> u32 {
        self.directory.blocks.iter().take(number).map(|block| block.records).sum()
    }

    /// Reads block number `number`.
    pub(super) fn block(&self, number: usize) -> Result<Block, ReadFailed> {
        let missing = || self.damaged(0, "a block is missing");
        let entry = self.directory.blocks.get(number).ok_or_else(missing)?;
        let first = self.first_of(number);
        let fixed = u64::from(entry.records) * u64::try_from(Commitments::BYTES).unwrap_or(u64::MAX);
        let at = entry.offset.checked_add(fixed).and_then(|at| at.checked_add(entry.sealed));
        let at = at.ok_or_else(|| self.damaged(entry.offset, "a block lies outside of the file"))?;
        let page = self.page(at, u64::from(entry.page), &[PageKind::Block.byte()])?;
        let malformed = |reason| self.damaged(at, reason);
        let count = usize::try_from(entry.records).unwrap_or(usize::MAX);
        let columns = parse_columns(&page, count);
        let (rows, text, compressed) =
            columns.ok_or_else(|| malformed("the columns are authentic and malformed"))?;
        let text_bytes = zstd::bulk::decompress(compressed, text).ok().filter(|bytes| bytes.len() == text);
        let text = text_bytes.ok_or_else(|| malformed("the text is authentic and does not decompress"))?;
        let sealed = rows.iter().try_fold(0_u64, |sum, row| sum.checked_add(u64::try_from(row.sealed).ok()?));
        if sealed != Some(entry.sealed) {
            return Err(malformed("the lengths of sealed groups are authentic and wrong"));
        }
        Ok(Block { first, rows, text, offset: entry.offset })
    }

    /// The commitments of a record of a block.
    pub(super) fn commitments(&self, block: &Block, row: usize) -> Result<Commitments, ReadFailed> {
        let width = u64::try_from(Commitments::BYTES).unwrap_or(u64::MAX);
        let at = block.offset + u64::try_from(row).unwrap_or(u64::MAX) * width;
        let bytes = self.bytes(at, width)?;
        let bytes = bytes.as_array().ok_or_else(|| self.damaged(at, "cut short"))?;
        Ok(Commitments::from_bytes(bytes))
    }

    /// The sealed groups of a record of a block, and where they lie.
    pub(super) fn sealed(&self, block: &Block, row: usize) -> Result<(Vec<u8>, u64), ReadFailed> {
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let before: u64 = block.rows.iter().take(row).map(|row| count(row.sealed)).sum();
        let at = block.offset + count(block.rows.len() * Commitments::BYTES) + before;
        let length = block.rows.get(row).map_or(0, |row| row.sealed);
        if length > RECORD_BYTES + 1024 {
            return Err(self.damaged(at, "larger than a record can be"));
        }
        Ok((self.bytes(at, count(length))?, at))
    }

    /// Up to `limit` records with this key in an index, the newest first, all below `before`.
    pub(super) fn lookup(
        &self,
        kind: PageKind,
        key: u128,
        before: u32,
        limit: usize,
    ) -> Result<Vec<u32>, ReadFailed> {
        let pages = &self.directory.pages;
        let start = pages.partition_point(|page| (page.kind, page.first) < (kind, key)).saturating_sub(1);
        let candidates = pages.iter().skip(start).take_while(|page| (page.kind, page.first) <= (kind, key));
        let mut found = Vec::new();
        for page in candidates.filter(|page| page.kind == kind) {
            let entries = self.entries(page)?.into_iter().filter(|entry| entry.0 == key);
            found.extend(entries.map(|(_, index)| index).filter(|index| *index < before));
        }
        if found.iter().any(|index| u64::from(*index) >= self.header.count) {
            return Err(self.damaged(0, "an index names a record that does not exist"));
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.truncate(limit);
        Ok(found)
    }

    pub(super) fn entries(&self, page: &IndexPage) -> Result<Vec<Entry>, ReadFailed> {
        let plain = self.page(page.offset, u64::from(page.bytes), &[page.kind.byte()])?;
        let malformed = || self.damaged(page.offset, "an index is authentic and malformed");
        parse_entries(&plain).ok_or_else(malformed)
    }

    fn page(&self, offset: u64, bytes: u64, aad: &[u8]) -> Result<Vec<u8>, ReadFailed> {
        if bytes > u64::try_from(2 * PAGE_BYTES).unwrap_or(u64::MAX) {
            return Err(self.damaged(offset, "larger than a page can be"));
        }
        let mut page = self.bytes(offset, bytes)?;
        let changed = || self.damaged(offset, "a page is not authentic");
        let (nonce, body) = page.split_first_chunk_mut::<NONCE_BYTES>().ok_or_else(changed)?;
        let plain = self.key.pages().open(*nonce, aad, body).ok_or_else(changed)?;
        Ok(plain.to_vec())
    }

    fn bytes(&self, offset: u64, length: u64) -> Result<Vec<u8>, ReadFailed> {
        if offset.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(self.damaged(offset, "lies outside of the file"));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let io = |source: io::Error| ReadFailed::Io { file: self.name.clone(), source };
        self.file.read_exact_at(offset, &mut bytes).map_err(io)?;
        Ok(bytes)
    }
}
