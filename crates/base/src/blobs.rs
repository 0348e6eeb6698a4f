//! The blob seam: named byte strings, written whole.

use std::fmt;
use std::io;
use std::str::FromStr;

use crate::limits::BLOB_NAME_BYTES;

/// A blob's name: `/`-separated segments of `a-z 0-9 . _ -`, none empty, none starting with a dot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName(String);

/// The text is not a blob name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a blob name: `/`-separated segments of `a-z 0-9 . _ -`, none starting with a dot")]
pub struct BlobNameInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

impl BlobName {
    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BlobName {
    type Err = BlobNameInvalid;

    fn from_str(text: &str) -> Result<Self, BlobNameInvalid> {
        let segment_ok = |segment: &str| {
            !segment.is_empty()
                && !segment.starts_with('.')
                && segment
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
        };
        if text.len() <= BLOB_NAME_BYTES && text.split('/').all(segment_ok) {
            return Ok(Self(text.to_owned()));
        }
        Err(BlobNameInvalid { text: text.chars().take(80).collect() })
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What went wrong with a blob, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobErrorKind {
    /// There is no blob of that name.
    NotFound,
    /// The storage is full or over its quota; the operator must make room.
    Full,
    /// The storage refuses this process.
    Denied,
    /// Anything else the storage says; whether the write happened is unknown.
    Io,
}

/// A blob operation failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} blob `{name}`")]
pub struct BlobError {
    /// The verb: `read`, `write`, `list`, `delete`.
    pub action: &'static str,
    /// The blob or prefix concerned.
    pub name: String,
    /// What went wrong.
    pub kind: BlobErrorKind,
    /// What the storage said.
    #[source]
    pub source: io::Error,
}

impl BlobError {
    /// Wraps what the storage said, reading the kind off it.
    pub fn new(action: &'static str, name: impl fmt::Display, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => BlobErrorKind::NotFound,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BlobErrorKind::Full,
            io::ErrorKind::PermissionDenied => BlobErrorKind::Denied,
            _ => BlobErrorKind::Io,
        };
        Self { action, name: name.to_string(), kind, source }
    }
}

/// Named byte strings in a directory or an object store.
///
/// Contract:
/// - **Durability.** `put` and [`BlobWriter::commit`] return only when the bytes and their names survive a
///   power cut. After an error nothing is known: a name may show its old bytes or its new ones, never a mixture.
/// - **Atomicity.** Each name changes from old bytes to new bytes at once; readers that hold a [`BlobReader`]
///   keep seeing what they opened. A `put` of several blobs is not atomic as a whole and has no order.
/// - **Concurrency.** All methods may be called from any thread. Two writers of one name leave one of the two.
/// - **Retries.** Every method may be repeated after an error; nothing is retried inside.
pub trait Blobs: Send + Sync {
    /// Writes each blob whole, replacing what had its name.
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError>;

    /// Starts a blob whose name and length are not known yet. Dropping the writer leaves nothing behind.
    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError>;

    /// Opens a blob for reading.
    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError>;

    /// Up to `limit` names that start with `prefix`, ascending, after `after` when that is given.
    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError>;

    /// Removes a blob durably; `false` when there was none.
    fn delete(&self, name: &BlobName) -> Result<bool, BlobError>;
}

/// A blob being written.
pub trait BlobWriter: io::Write + Send {
    /// Makes the bytes durable under `name`, replacing what had it.
    fn commit(self: Box<Self>, name: &BlobName) -> Result<(), BlobError>;
}

/// A blob being read.
pub trait BlobReader: Send + Sync {
    /// Bytes in the blob.
    fn len(&self) -> u64;

    /// Fills `buf` from `offset`; an error when the blob ends before that.
    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), BlobError>;

    /// Whether the blob has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads a whole blob of at most `limit` bytes.
///
/// # Errors
/// As [`Blobs::open`], and when the blob is longer than `limit`.
pub fn read_all(blobs: &dyn Blobs, name: &BlobName, limit: usize) -> Result<Vec<u8>, BlobError> {
    let reader = blobs.open(name)?;
    let len = usize::try_from(reader.len()).ok().filter(|len| *len <= limit).ok_or_else(|| {
        let too_long = format!("{} bytes, more than the {limit} allowed", reader.len());
        BlobError::new("read", name, io::Error::new(io::ErrorKind::FileTooLarge, too_long))
    })?;
    let mut bytes = vec![0; len];
    reader.read_exact_at(0, &mut bytes)?;
    Ok(bytes)
}
