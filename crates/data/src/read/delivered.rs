//! Bytes as they were delivered: counted, hashed, and decompressed on the way.

use std::fmt;
use std::io::{self, BufReader, Cursor, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bartizan_base::{Digest, Hasher};

use super::ReadError;
use crate::limits::{DECOMPRESSED_FREE, DECOMPRESSION_RATIO, ZSTD_WINDOW_LOG};

/// Bytes of a file that tell what it is.
const START_BYTES: usize = 256;
const PIECE_BYTES: usize = 128 * 1024;

/// Counts and hashes what passes.
pub(super) struct Counted<R> {
    input: R,
    state: Arc<Tally>,
}

/// What has passed so far, seen from outside of the decoders around the reader.
pub(super) struct Tally {
    bytes: AtomicU64,
    /// Nothing where nobody asks for a digest.
    hasher: Option<Mutex<Hasher>>,
}

impl Tally {
    fn new(hasher: Option<Hasher>) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicU64::new(0), hasher: hasher.map(Mutex::new) })
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(into)?;
        self.state.bytes.fetch_add(read as u64, Ordering::Relaxed);
        if let Some(hasher) = &self.state.hasher {
            let mut hasher = hasher.lock().unwrap_or_else(PoisonError::into_inner);
            hasher.update(into.get(..read).unwrap_or_default());
        }
        Ok(read)
    }
}

/// The content of a delivery, decompressed.
pub(super) struct Content<'a> {
    inner: Inner<'a>,
    state: Arc<Tally>,
    /// Bytes handed out.
    out: u64,
}

type Start<'a> = io::Chain<Cursor<Vec<u8>>, BufReader<Counted<Box<dyn Read + Send + 'a>>>>;

enum Inner<'a> {
    Plain(Start<'a>),
    Gzip(Box<flate2::bufread::MultiGzDecoder<Start<'a>>>),
    Zstd(Box<zstd::stream::read::Decoder<'a, Start<'a>>>),
}

/// What the decompression says when it goes on for too long; it travels inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("too much from too little")]
struct TooDense;

/// What a decoder says, to tell it from what the storage says.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
struct Undecodable {
    compression: &'static str,
    source: io::Error,
}

impl<'a> Content<'a> {
    /// Looks at the first bytes, and decompresses when they say so.
    pub(super) fn open(input: Box<dyn Read + Send + 'a>) -> Result<Self, ReadError> {
        Self::start(input, Some(Hasher::new()))
    }

    fn start(input: Box<dyn Read + Send + 'a>, hasher: Option<Hasher>) -> Result<Self, ReadError> {
        let state = Tally::new(hasher);
        let mut rest = BufReader::with_capacity(PIECE_BYTES, Counted { input, state: Arc::clone(&state) });
        let magic = take_start(&mut rest).map_err(ReadError::Io)?;
        let start = Cursor::new(magic.clone()).chain(rest);
        let inner = match magic.as_slice() {
            [0x1F, 0x8B, 0x08, ..] => Inner::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(start))),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(start).map_err(ReadError::Io)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(ReadError::Io)?;
                Inner::Zstd(Box::new(decoder))
            }
            _ => Inner::Plain(start),
        };
        Ok(Self { inner, state, out: 0 })
    }

    /// How many bytes were delivered, and their digest. Of the whole file, once all of it was read.
    pub(super) fn tally(&self) -> (u64, Digest) {
        let hasher =
            self.state.hasher.as_ref().map_or_else(Hasher::new, |hasher| {
                hasher.lock().unwrap_or_else(PoisonError::into_inner).clone()
            });
        (self.state.bytes(), hasher.finish())
    }

    fn compression(&self) -> Option<&'static str> {
        match self.inner {
            Inner::Plain(_) => None,
            Inner::Gzip(_) => Some("gzip"),
            Inner::Zstd(_) => Some("zstd"),
        }
    }

    fn limit(&self) -> u64 {
        self.state.bytes().saturating_mul(DECOMPRESSION_RATIO).max(DECOMPRESSED_FREE)
    }
}

/// Reads the first bytes of a file. One read of a pipe may give fewer than there are.
pub(super) fn take_start(input: &mut impl Read) -> Result<Vec<u8>, io::Error> {
    let mut start = Vec::with_capacity(START_BYTES);
    input.by_ref().take(START_BYTES as u64).read_to_end(&mut start)?;
    Ok(start)
}

impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.inner {
            Inner::Plain(start) => return start.read(into),
            Inner::Gzip(decoder) => decoder.read(into),
            Inner::Zstd(decoder) => decoder.read(into),
        };
        let read = read.map_err(|error| {
            let of_decoder = matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) || error.kind() == io::ErrorKind::Other
                && matches!(self.inner, Inner::Zstd(_));
            match self.compression().filter(|_| of_decoder) {
                Some(compression) => io::Error::other(Undecodable { compression, source: error }),
                None => error,
            }
        })?;
        self.out = self.out.saturating_add(read as u64);
        if self.out > self.limit() {
            return Err(io::Error::other(TooDense));
        }
        Ok(read)
    }
}

/// What an error of [`Content`] means.
pub(crate) fn read_error(error: io::Error) -> ReadError {
    if error.get_ref().is_some_and(|inner| inner.is::<TooDense>()) {
        return ReadError::TooDense;
    }
    let compression = error.get_ref().and_then(|inner| inner.downcast_ref::<Undecodable>());
    match compression.map(|decoder| decoder.compression) {
        Some(compression) => ReadError::Compressed { compression, source: error },
        None => ReadError::Io(error),
    }
}

/// The bytes of a file, decompressed where its first bytes say gzip or zstd, within the limits of every reader:
/// [`DECOMPRESSION_RATIO`], [`DECOMPRESSED_FREE`], [`ZSTD_WINDOW_LOG`]. All members of a gzip file and all frames of a zstd
/// file are read, one after the other.
pub struct Unpacked<'a>(Content<'a>);

impl<'a> Unpacked<'a> {
    /// Looks at the first bytes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn open(input: impl Read + Send + 'a) -> Result<Self, ReadError> {
        Content::start(Box::new(input), None).map(Self)
    }

    /// `gzip` or `zstd`; nothing when the bytes are as they were delivered.
    pub fn compression(&self) -> Option<&'static str> {
        self.0.compression()
    }

    /// What an error of reading this means: damaged, too dense, or unreadable where it is stored.
    pub fn error(error: io::Error) -> ReadError {
        read_error(error)
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl fmt::Debug for Unpacked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacked").field("compression", &self.compression()).finish_non_exhaustive()
    }
}
