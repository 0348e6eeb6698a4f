//! A file that is read at many places by many threads, and each time is the file that was hashed.
//!
//! A first pass from the beginning to the end takes the file's digest, and of each block a keyed hash. Whatever is
//! read later is read in whole blocks that must have the same hash, so that nothing is judged but what the digest
//! names, whoever writes to the file meanwhile. The key is the process's own; a writer can't aim at it.

use std::hash::BuildHasher;
use std::io::SeekFrom;
use std::sync::{Arc, Mutex, PoisonError};

use bartizan_base::{Digest, Hasher};
use bytes::{Bytes, BytesMut};
use foldhash::quality::RandomState;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::super::{Format, ReadError, ReadSeek};
use super::thrift;
use crate::limits::{PARQUET_PAGE_BYTES, PARQUET_PAGE_HEADER_BYTES};

/// Small enough that little is read in vain, large enough to make calls cheap.
const BLOCK_BYTES: usize = 128 * 1024;

/// The file.
pub(super) struct Pinned {
    file: Mutex<Box<dyn ReadSeek>>,
    length: u64,
    blocks: Vec<u64>,
    key: RandomState,
}

impl Pinned {
    /// Reads the file once from the beginning to the end.
    pub(super) fn read(mut file: Box<dyn ReadSeek>) -> std::io::Result<(Self, Digest)> {
        file.seek(SeekFrom::Start(0))?;
        let (mut blocks, mut hasher) = (Vec::new(), Hasher::new());
        let (key, mut length) = (RandomState::default(), 0);
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let read = fill(file.as_mut(), &mut block)?;
            let bytes = block.get(..read).unwrap_or_default();
            if !bytes.is_empty() {
                hasher.update(bytes);
                blocks.push(key.hash_one(bytes));
                length += read as u64;
            }
            if read < BLOCK_BYTES {
                return Ok((Self { file: Mutex::new(file), length, blocks, key }, hasher.finish()));
            }
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// A block, if it is what it was.
    fn block(&self, at: usize) -> std::result::Result<Bytes, ReadError> {
        let mut block = BytesMut::zeroed(BLOCK_BYTES);
        let offset = (at as u64).saturating_mul(BLOCK_BYTES as u64);
        let expected = self.length.saturating_sub(offset).min(BLOCK_BYTES as u64);
        block.truncate(usize::try_from(expected).unwrap_or(0));
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(offset)).map_err(ReadError::Io)?;
            let read = fill(file.as_mut(), &mut block).map_err(ReadError::Io)?;
            block.truncate(read);
        }
        if self.blocks.get(at) != Some(&self.key.hash_one(&*block)) {
            return Err(ReadError::Changed);
        }
        Ok(block.freeze())
    }
}

fn fill(file: &mut dyn ReadSeek, into: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(space) = into.get_mut(filled..).filter(|space| !space.is_empty()) {
        match file.read(space) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// One task's view of the file: it remembers the last block, and why a read failed.
#[derive(Clone)]
pub(super) struct View {
    file: Arc<Pinned>,
    last: Arc<Mutex<Option<(usize, Bytes)>>>,
    fault: Arc<Mutex<Option<ReadError>>>,
    /// Values that pages may still hold, and the last page that was counted.
    values: Arc<Mutex<(u64, Option<u64>)>>,
}

impl View {
    pub(super) fn new(file: Arc<Pinned>) -> Self {
        Self {
            file,
            last: Arc::default(),
            fault: Arc::default(),
            values: Arc::new(Mutex::new((u64::MAX, None))),
        }
    }

    /// The same, for a column whose pages may hold so many values together. A single row of lists may have all of them,
    /// and is decoded as one, however few bytes they take.
    pub(super) fn with_values(self, most: u64) -> Self {
        Self { values: Arc::new(Mutex::new((most, None))), ..self }
    }

    /// Why a read failed, in better words than the decoder has.
    pub(super) fn fault(&self) -> Option<ReadError> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn fail(&self, error: ReadError) -> ParquetError {
        let text = error.to_string();
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        ParquetError::General(text)
    }

    /// Bytes from `start` on; fewer where the file ends.
    fn bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.saturating_add(length as u64).min(self.file.length);
        let mut parts: Vec<Bytes> = Vec::new();
        let mut at = start;
        while at < end {
            let number = usize::try_from(at / BLOCK_BYTES as u64).unwrap_or(usize::MAX);
            let block = self.block(number)?;
            let from = usize::try_from(at % BLOCK_BYTES as u64).unwrap_or(0);
            let to = block.len().min(from + usize::try_from(end - at).unwrap_or(0));
            if from >= to {
                return Err(self.fail(ReadError::Changed));
            }
            parts.push(block.slice(from..to));
            at += (to - from) as u64;
        }
        match parts.as_slice() {
            [] => Ok(Bytes::new()),
            [one] => Ok(one.clone()),
            many => {
                let mut joined = BytesMut::with_capacity(many.iter().map(Bytes::len).sum());
                many.iter().for_each(|part| joined.extend_from_slice(part));
                Ok(joined.freeze())
            }
        }
    }

    fn block(&self, number: usize) -> Result<Bytes> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, block)) = &*last
            && *known == number
        {
            return Ok(block.clone());
        }
        let block = self.file.block(number).map_err(|error| self.fail(error))?;
        *last = Some((number, block.clone()));
        Ok(block)
    }

    fn limit(&self, what: &'static str, got: u64, allowed: u64) -> Result<()> {
        if got <= allowed {
            return Ok(());
        }
        Err(self.fail(ReadError::Limit { format: Format::Parquet, column: None, what, got, allowed }))
    }
}

impl Length for View {
    fn len(&self) -> u64 {
        self.file.length
    }
}

impl ChunkReader for View {
    type T = bytes::buf::Reader<Bytes>;

    /// Decoders ask for a reader where the header of a page begins. What it says is held to the limits first.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        // A header takes some 20 bytes, unless there are statistics in it.
        let few = self.bytes(start, 256)?;
        let header = match thrift::page_header(&few) {
            Some(header) => Some((header, few)),
            None => {
                let all = self.bytes(start, PARQUET_PAGE_HEADER_BYTES)?;
                thrift::page_header(&all).map(|header| (header, all))
            }
        };
        let Some((header, bytes)) = header else {
            return Err(
                self.fail(ReadError::damaged(Format::Parquet, &"there is no page where one should be"))
            );
        };
        let size = |bytes: i64| u64::try_from(bytes).unwrap_or(u64::MAX);
        self.limit("a page", size(header.compressed), PARQUET_PAGE_BYTES)?;
        self.limit("a page, decompressed,", size(header.uncompressed), PARQUET_PAGE_BYTES)?;
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, counted) = &mut *values;
        if counted.is_none_or(|counted| counted < start) {
            *counted = Some(start);
            let more = size(header.values);
            self.limit("lists with elements", more, *left)?;
            *left -= more;
        }
        drop(values);
        Ok(bytes::Buf::reader(bytes))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.limit("a page", length as u64, PARQUET_PAGE_BYTES)?;
        let bytes = self.bytes(start, length)?;
        if bytes.len() < length {
            return Err(self.fail(ReadError::damaged(Format::Parquet, &"a page lies beyond its end")));
        }
        Ok(bytes)
    }
}
