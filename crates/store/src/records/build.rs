//! Makes a segment of a log that is closed, in one pass over the log.

use std::io::{self, Write};

use bartizan_base::{Digest, Timestamp};
use bartizan_keys::subjects::{NONCE_BYTES, SegmentKey};
use bartizan_ledger::segment::{Commitments, RecordDigest, SegmentTree};
use zstd::bulk::Compressor;

use super::error::SealFailed;
use super::frame::{Bytes, Frame, RecordFrame, length_bytes, next_frame};
use super::layout::{
    BlockEntry, Directory, Entry, Header, IndexPage, PageKind, Row, put_columns, put_entries, trailer,
};
use super::log::{Sealed, Shared};
use super::manifest::{Manifest, SegmentInfo, path_of};
use super::prepare::SharedRandom;
use super::wal::{Batches, LogState, crypto};
use crate::disk::DiskFile;
use crate::limits::{BLOCK_BYTES, BLOCK_RECORDS, INDEX_ENTRIES};
use crate::tree::Draft;

/// Fast, and within a few percent of higher levels on short JSON texts that resemble each other.
const ZSTD_LEVEL: i32 = 1;

/// Small enough that what is written is in the processor's cache still.
const WRITE_BYTES: usize = 128 * 1024;

/// Makes the segment of `log`, durably, and lists it.
pub(super) fn segment(
    shared: &Shared,
    log: &LogState,
    manifest: &mut Manifest,
    now: Timestamp,
) -> Result<Sealed, SealFailed> {
    let path = path_of(log.id.number);
    let io = |file: &str| {
        let file = file.to_owned();
        move |source| SealFailed::Io { file, source }
    };
    let name = log.id.file();
    let file = shared.tree.open_file(&name).map_err(io(&name))?;
    let read;
    let digests = match &log.digests {
        Some(digests) => digests,
        None => {
            read = digests_of(&file, log).map_err(io(&name))?;
            read.as_ref().ok_or(SealFailed::Damaged { file: name.clone(), offset: log.bytes })?
        }
    };
    let damaged = |offset| SealFailed::Damaged { file: name.clone(), offset };
    let tree = SegmentTree::of(digests.iter().copied()).ok_or_else(|| damaged(0))?;
    let (earliest, latest) = log.times.unwrap_or((Timestamp::EPOCH, Timestamp::EPOCH));
    let header = Header {
        gateway: log.id.gateway,
        epoch: log.id.epoch,
        number: log.id.number,
        first: log.id.first,
        last: log.next - 1,
        count: log.count(),
        lost: log.lost,
        earliest,
        latest,
        sealed: now,
        previous_root: manifest.last().map_or(Digest::from_bytes([0; 32]), |last| last.root),
        root: tree.root(),
        key: log.wrapped,
    };
    let draft = shared.tree.begin().map_err(io(&path))?;
    let mut builder = Builder::new(draft, &log.key, &shared.random, header).map_err(io(&path))?;
    for digest in digests {
        builder.put(digest.digest().as_bytes()).map_err(io(&path))?;
    }
    let mut batches = Batches::new(&file, &log.key, log.id.first, log.bytes);
    while let Some(batch) = batches.next().map_err(io(&name))? {
        let (mut body, mut sequence) = (Bytes(batch.body), batch.first);
        while let Some(frame) = next_frame(&mut body) {
            if let Frame::Record(record) = &frame {
                builder.record(record, sequence).map_err(io(&path))?;
            }
            sequence += u64::from(!matches!(frame, Frame::Key { .. }));
        }
    }
    if batches.offset() != log.bytes || builder.count() != header.count {
        return Err(damaged(batches.offset()));
    }
    let draft = builder.finish().map_err(io(&path))?;
    shared.tree.commit(draft, &path).map_err(io(&path))?;
    manifest.add(SegmentInfo::of(&header)).map_err(io(&path))?;
    Ok(Sealed::of(&header, path))
}

/// Reads the digests of a log's records; `None` when it is not whole.
fn digests_of(file: &DiskFile, log: &LogState) -> io::Result<Option<Vec<RecordDigest>>> {
    let mut digests = Vec::new();
    let mut batches = Batches::new(file, &log.key, log.id.first, log.bytes);
    while let Some(batch) = batches.next()? {
        let mut body = Bytes(batch.body);
        while let Some(frame) = next_frame(&mut body) {
            if let Frame::Record(record) = frame {
                digests.push(Commitments::from_bytes(record.commitments).digest());
            }
        }
    }
    Ok((batches.offset() == log.bytes).then_some(digests))
}

struct Builder<'a> {
    draft: Draft,
    buffer: Vec<u8>,
    offset: u64,
    key: &'a SegmentKey,
    random: &'a SharedRandom,
    header: Header,
    block: Block,
    compressor: Compressor<'static>,
    directory: Directory,
    ids: Vec<Entry>,
    subjects: Vec<Entry>,
    requests: Vec<Entry>,
}

/// The block being gathered.
#[derive(Default)]
struct Block {
    rows: Vec<Row>,
    commitments: Vec<u8>,
    sealed: Vec<u8>,
    envelopes: Vec<u8>,
    decisions: Vec<u8>,
}

impl<'a> Builder<'a> {
    fn new(draft: Draft, key: &'a SegmentKey, random: &'a SharedRandom, header: Header) -> io::Result<Self> {
        let mut builder = Self {
            draft,
            buffer: Vec::with_capacity(2 * WRITE_BYTES),
            offset: 0,
            key,
            random,
            header,
            block: Block::default(),
            compressor: Compressor::new(ZSTD_LEVEL)?,
            directory: Directory::default(),
            ids: Vec::new(),
            subjects: Vec::new(),
            requests: Vec::new(),
        };
        builder.put(&header.to_bytes())?;
        Ok(builder)
    }

    fn count(&self) -> u64 {
        u64::try_from(self.ids.len()).unwrap_or(u64::MAX)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        self.offset += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.buffer.len() >= WRITE_BYTES {
            self.draft.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn record(&mut self, record: &RecordFrame<'_>, sequence: u64) -> io::Result<()> {
        // A segment has at most 65,536 sequence numbers, so indexes and offsets fit.
        let index = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        let offset = u32::try_from(sequence - self.header.first).unwrap_or(u32::MAX);
        let meta = record.meta;
        self.ids.push((u128::from_be_bytes(*meta.id.as_bytes()), index));
        if let Some((tag, _)) = meta.subject {
            self.subjects.push((index_key(tag.as_bytes()), index));
        }
        if let Some(tag) = meta.request {
            self.requests.push((u128::from_be_bytes(*tag.as_bytes()), index));
        }
        let block = &mut self.block;
        let (envelope, decisions, sealed) =
            (record.envelope.len(), record.decisions.len(), record.sealed.len());
        block.rows.push(Row { meta, offset, envelope, decisions, sealed });
        block.commitments.extend_from_slice(record.commitments);
        block.sealed.extend_from_slice(record.sealed);
        block.envelopes.extend_from_slice(record.envelope);
        block.decisions.extend_from_slice(record.decisions);
        let bytes = block.sealed.len() + block.envelopes.len() + block.decisions.len();
        if block.rows.len() >= BLOCK_RECORDS || bytes >= BLOCK_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut block = std::mem::take(&mut self.block);
        let times = block.rows.iter().map(|row| row.meta.time);
        let (Some(earliest), Some(latest)) = (times.clone().min(), times.max()) else { return Ok(()) };
        let mut page = Vec::new();
        put_columns(&mut page, &block.rows);
        block.envelopes.extend_from_slice(&block.decisions);
        page.extend_from_slice(&length_bytes(block.envelopes.len()));
        page.extend_from_slice(&self.compressor.compress(&block.envelopes)?);
        let offset = self.offset;
        self.put(&block.commitments)?;
        self.put(&block.sealed)?;
        let bytes = self.page(&[PageKind::Block.byte()], page)?;
        self.directory.blocks.push(BlockEntry {
            offset,
            records: u32::try_from(block.rows.len()).unwrap_or(u32::MAX),
            sealed: u64::try_from(block.sealed.len()).unwrap_or(u64::MAX),
            page: bytes,
            earliest,
            latest,
        });
        block.rows.clear();
        block.commitments.clear();
        block.sealed.clear();
        block.envelopes.clear();
        block.decisions.clear();
        self.block = block;
        Ok(())
    }

    /// Encrypts and writes a page, and says how many bytes it took.
    fn page(&mut self, aad: &[u8], mut plain: Vec<u8>) -> io::Result<u32> {
        let mut nonce = [0; NONCE_BYTES];
        self.random.fill(&mut nonce);
        let tag = self.key.pages().seal(nonce, aad, &mut plain).map_err(crypto)?;
        let bytes = nonce.len() + plain.len() + tag.len();
        self.put(&nonce)?;
        self.put(&plain)?;
        self.put(&tag)?;
        Ok(u32::try_from(bytes).unwrap_or(u32::MAX))
    }

    fn index(&mut self, kind: PageKind, mut entries: Vec<Entry>) -> io::Result<()> {
        entries.sort_unstable();
        for chunk in entries.chunks(INDEX_ENTRIES) {
            let mut plain = Vec::new();
            put_entries(&mut plain, chunk);
            let offset = self.offset;
            let bytes = self.page(&[kind.byte()], plain)?;
            let entries = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            let first = chunk.first().map_or(0, |(key, _)| *key);
            self.directory.pages.push(IndexPage { kind, offset, bytes, entries, first });
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<Draft> {
        self.flush()?;
        for (kind, entries) in [
            (PageKind::Id, std::mem::take(&mut self.ids)),
            (PageKind::Subject, std::mem::take(&mut self.subjects)),
            (PageKind::Request, std::mem::take(&mut self.requests)),
        ] {
            self.index(kind, entries)?;
        }
        let offset = self.offset;
        let aad = directory_aad(&self.header);
        let bytes = self.page(&aad, self.directory.to_bytes())?;
        self.put(&trailer(offset, u64::from(bytes)))?;
        self.draft.write_all(&self.buffer)?;
        Ok(self.draft)
    }
}

/// The first 16 bytes of a subject tag, as a number.
pub(super) fn index_key(tag: &[u8; 32]) -> u128 {
    tag.first_chunk::<16>().map_or(0, |bytes| u128::from_be_bytes(*bytes))
}

/// 0 and the header: the directory speaks for both.
pub(super) fn directory_aad(header: &Header) -> Vec<u8> {
    [&[0], header.to_bytes().as_slice()].concat()
}
