//! Reading an encrypted stream at any offset.

use std::fmt;

use aws_lc_rs::aead::Aad;
use bartizan_base::{BlobError, BlobReader};
use zeroize::Zeroizing;

use super::{HEADER_BYTES, Layout, PREFIX_BYTES, SALT_BYTES, Segment, StreamKey, TAG_BYTES};
use crate::secret::Secret;
use crate::wrap::CryptoFailed;

/// An encrypted stream could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenStream {
    /// The blob cannot be read.
    #[error("cannot read the encrypted stream")]
    Storage(#[from] BlobError),
    /// No encrypted stream has this length or this header.
    #[error("not an encrypted stream")]
    Malformed,
    /// The last segment does not authenticate: another key, another binding, or the stream was changed or cut.
    #[error("the end of the encrypted stream does not authenticate")]
    Changed,
    /// The cryptographic library failed, which it does only without memory.
    #[error("cannot decrypt")]
    Crypto(#[from] CryptoFailed),
}

/// Reading from an encrypted stream failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadStream {
    /// The blob cannot be read.
    #[error("cannot read the encrypted stream")]
    Storage(#[from] BlobError),
    /// A segment does not authenticate: the stream was changed.
    #[error("segment {number} of the encrypted stream does not authenticate")]
    Changed {
        /// The segment, from 0.
        number: u32,
    },
}

/// Decrypts a stream at any offset. Whatever it returns has been authenticated, its length included.
pub struct Decryptor {
    reader: Box<dyn BlobReader>,
    key: StreamKey,
    layout: Layout,
    // INVARIANT: when `held` is a segment, `buffer` starts with its authenticated plain text. It has room for
    // any segment from the start, so that it never grows and leaves a copy of plain text behind.
    buffer: Zeroizing<Vec<u8>>,
    held: Option<Segment>,
}

impl Decryptor {
    /// Opens a stream that was written under `secret` and `aad`. The last segment is authenticated first, so
    /// that the length can be trusted.
    ///
    /// # Errors
    /// When the blob cannot be read or its last segment does not authenticate.
    pub fn open(reader: Box<dyn BlobReader>, secret: &Secret, aad: &[u8]) -> Result<Self, OpenStream> {
        let layout = Layout::of_stored(reader.len()).ok_or(OpenStream::Malformed)?;
        let mut header = [0; HEADER_BYTES];
        reader.read_exact_at(0, &mut header)?;
        let ([length], rest) = header.split_first_chunk::<1>().ok_or(OpenStream::Malformed)?;
        let (salt, rest) = rest.split_first_chunk::<SALT_BYTES>().ok_or(OpenStream::Malformed)?;
        let prefix: [u8; PREFIX_BYTES] = rest.try_into().map_err(|_| OpenStream::Malformed)?;
        if usize::from(*length) != HEADER_BYTES {
            return Err(OpenStream::Malformed);
        }
        let key = StreamKey::new(secret, salt, prefix, aad)?;
        let mut stream = Self { reader, key, layout, buffer: Zeroizing::new(layout.room()), held: None };
        let last = layout.last().ok_or(OpenStream::Malformed)?;
        match stream.load(last) {
            Ok(()) => Ok(stream),
            Err(ReadStream::Storage(error)) => Err(OpenStream::Storage(error)),
            Err(ReadStream::Changed { .. }) => Err(OpenStream::Changed),
        }
    }

    /// Bytes of plain text.
    pub const fn len(&self) -> u64 {
        self.layout.plain()
    }

    /// Whether there is no plain text.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads from `offset` until `buf` is full or the stream ends, and returns how many bytes that were.
    /// Reads every segment that it touches whole; a segment wanted whole goes straight into `buf`.
    ///
    /// # Errors
    /// When the blob cannot be read or a segment does not authenticate; `buf` then holds zeros.
    pub fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadStream> {
        let left = usize::try_from(self.len().saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = left.min(buf.len());
        let result = self.fill(offset, buf.get_mut(..count).unwrap_or_default());
        if result.is_err() {
            buf.fill(0);
        }
        result.map(|()| count)
    }

    fn fill(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), ReadStream> {
        let mut at = offset;
        let mut rest = buf;
        while !rest.is_empty() {
            let segment = self.layout.at(at).ok_or(ReadStream::Changed { number: u32::MAX })?;
            let changed = || ReadStream::Changed { number: segment.number };
            let skip = usize::try_from(at - segment.plain_at).map_err(|_| changed())?;
            let count = segment.plain_bytes().saturating_sub(skip).min(rest.len());
            // INVARIANT: `at` lies within the stream, so its segment holds at least one byte from there on.
            let (now, later) = rest.split_at_mut_checked(count).filter(|_| count > 0).ok_or_else(changed)?;
            if self.held != Some(segment) && count == segment.plain_bytes() {
                self.load_into(segment, now)?;
            } else {
                self.load(segment)?;
                now.copy_from_slice(self.buffer.get(skip..skip + count).ok_or_else(changed)?);
            }
            at += count as u64;
            rest = later;
        }
        Ok(())
    }

    // Makes `segment` the held one.
    fn load(&mut self, segment: Segment) -> Result<(), ReadStream> {
        if self.held == Some(segment) {
            return Ok(());
        }
        self.fetch(segment)?;
        let nonce = self.key.nonce(segment.number, segment.last);
        let opened = self.key.aead.open_in_place(nonce, Aad::empty(), &mut self.buffer);
        if opened.is_err() {
            return Err(ReadStream::Changed { number: segment.number });
        }
        self.held = Some(segment);
        Ok(())
    }

    // Decrypts the whole of `segment` into `plain`, which has its length.
    fn load_into(&mut self, segment: Segment, plain: &mut [u8]) -> Result<(), ReadStream> {
        self.fetch(segment)?;
        let changed = || ReadStream::Changed { number: segment.number };
        let (body, tag) = self.buffer.split_last_chunk::<TAG_BYTES>().ok_or_else(changed)?;
        let nonce = self.key.nonce(segment.number, segment.last);
        self.key.aead.open_separate_gather(nonce, Aad::empty(), body, tag, plain).map_err(|_| changed())
    }

    fn fetch(&mut self, segment: Segment) -> Result<(), ReadStream> {
        self.held = None;
        self.buffer.resize(segment.stored_bytes, 0);
        self.reader.read_exact_at(segment.stored_at, &mut self.buffer)?;
        Ok(())
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decryptor({} bytes)", self.len())
    }
}
