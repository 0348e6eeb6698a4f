//! What can go wrong with records.

use std::io;
use std::sync::Arc;

use bartizan_base::Digest;
use bartizan_keys::CryptoFailed;
use bartizan_keys::subjects::SubjectKeyFailed;

use crate::blobs::DirOpen;
use crate::limits::{LOGS_LEFT, QUEUE_BYTES, QUEUE_RECORDS, RECORD_BYTES, UNCONFIRMED_LOGS};

/// Why the writer of a log stopped, for good: open the log again, and read what it holds.
#[derive(Debug, thiserror::Error)]
#[error("the record log `{file}` cannot be written")]
pub struct Stopped {
    /// The file.
    pub file: String,
    /// What the operating system said.
    #[source]
    pub source: io::Error,
}

/// A record was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AppendFailed {
    /// Too much waits to be durable, or to be confirmed: the caller sheds load and tries later.
    #[error("the record log is full: {QUEUE_RECORDS} records or {QUEUE_BYTES} bytes wait")]
    Full,
    /// The groups are larger than allowed, or than the place was reserved for.
    #[error("a record of {bytes} bytes, where {allowed} are allowed")]
    TooLarge {
        /// Bytes of all groups.
        bytes: usize,
        /// How many it could have had, at most [`RECORD_BYTES`].
        allowed: usize,
    },
    /// The key of the subject cannot be had.
    #[error("cannot encrypt the record")]
    Key(#[from] SubjectKeyFailed),
    /// The cryptographic library failed, which it does only without memory.
    #[error("cannot encrypt the record")]
    Crypto(#[from] CryptoFailed),
    /// The writer stopped before the record was durable. It may be found when the log is opened again.
    #[error("the record log has stopped")]
    Stopped(#[source] Arc<Stopped>),
}

impl AppendFailed {
    pub(super) const fn too_large(bytes: usize) -> Self {
        Self::TooLarge { bytes, allowed: RECORD_BYTES }
    }
}

/// A log could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LogCreate {
    /// There is one already; it is never taken over.
    #[error("there is a record log already")]
    Exists,
    /// The directory cannot be used.
    #[error("cannot make a record log")]
    Directory(#[from] DirOpen),
    /// The operating system refused.
    #[error("cannot make a record log")]
    Io(#[from] io::Error),
}

/// A log could not be opened for writing.
#[derive(Debug, thiserror::Error)]
pub enum LogOpen {
    /// There is none.
    #[error("there is no record log")]
    Missing,
    /// Another process, or another handle, writes it.
    #[error("somebody else writes this record log")]
    Taken,
    /// It is another gateway's.
    #[error("the record log is that of another gateway")]
    OtherGateway,
    /// The epoch is not ahead of what was written: the file was rolled back.
    #[error("epoch {epoch} was used already by `{file}`")]
    EpochBehind {
        /// The epoch that was to begin.
        epoch: u64,
        /// What was written in it or in a later one.
        file: String,
    },
    /// Something that was acknowledged is damaged.
    #[error("`{file}` is damaged at byte {offset}: {reason}")]
    Damaged {
        /// The file.
        file: String,
        /// Where.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// Earlier epochs left more logs than are read.
    #[error("more than {LOGS_LEFT} logs that are not confirmed")]
    TooMany,
    /// The keys of subjects cannot be had.
    #[error("cannot take over the keys of subjects")]
    Key(#[from] SubjectKeyFailed),
    /// The cryptographic library failed, which it does only without memory.
    #[error("cannot open the record log")]
    Crypto(#[from] CryptoFailed),
    /// The directory cannot be used.
    #[error("cannot open the record log")]
    Directory(#[from] DirOpen),
    /// The operating system refused.
    #[error("cannot open the record log")]
    Io(#[from] io::Error),
}

/// A segment could not be made. Sealing again is safe.
#[derive(Debug, thiserror::Error)]
pub enum SealFailed {
    /// Too many segments wait to be confirmed.
    #[error("{UNCONFIRMED_LOGS} segments wait to be confirmed")]
    Behind,
    /// The log that becomes the segment is damaged.
    #[error("`{file}` is damaged at byte {offset}")]
    Damaged {
        /// The file.
        file: String,
        /// Where.
        offset: u64,
    },
    /// The keys of new subjects cannot be kept.
    #[error("cannot keep the keys of new subjects")]
    Key(#[from] SubjectKeyFailed),
    /// The writer has stopped, and what it wrote last must be read again first.
    #[error("the record log has stopped")]
    Stopped(#[source] Arc<Stopped>),
    /// The operating system refused.
    #[error("cannot write `{file}`")]
    Io {
        /// The file.
        file: String,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

/// A segment could not be confirmed. Confirming again is safe.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmFailed {
    /// Segments are confirmed in order, and this is not the oldest one that waits.
    #[error("`{root}` is not the root of the oldest segment that waits to be confirmed")]
    NotNext {
        /// The root given.
        root: Digest,
    },
    /// The operating system refused.
    #[error("cannot remove `{file}`")]
    Io {
        /// The file.
        file: String,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

/// A subject could not be erased; whether the key is gone is unknown, and erasing again is safe.
#[derive(Debug, thiserror::Error)]
pub enum EraseFailed {
    /// The keys of subjects cannot be changed.
    #[error("cannot destroy the key of the subject")]
    Key(#[from] SubjectKeyFailed),
    /// The log that is being written cannot be closed, and so its key cannot be destroyed.
    #[error("cannot close the record log")]
    Seal(#[from] SealFailed),
    /// The key of a log cannot be destroyed.
    #[error("cannot remove `{file}`")]
    Io {
        /// The file.
        file: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// Sealed records could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailed {
    /// There is no such record.
    #[error("there is no record {index} in segment {segment}")]
    NotFound {
        /// The segment.
        segment: u64,
        /// The index.
        index: u32,
    },
    /// The file is not what was written.
    #[error("`{file}` is damaged at byte {offset}: {reason}")]
    Damaged {
        /// The file.
        file: String,
        /// Where.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// The key of the subject cannot be had.
    #[error("cannot decrypt the record")]
    Key(#[from] SubjectKeyFailed),
    /// The cryptographic library failed, which it does only without memory.
    #[error("cannot decrypt the record")]
    Crypto(#[from] CryptoFailed),
    /// The directory cannot be used.
    #[error("cannot open the segments")]
    Directory(#[from] DirOpen),
    /// The operating system refused.
    #[error("cannot read `{file}`")]
    Io {
        /// The file.
        file: String,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

impl ReadFailed {
    /// Whether it stays so until somebody restores a file: it is damaged, or missing.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }
}

/// A record could not be proved.
#[derive(Debug, thiserror::Error)]
pub enum ProveFailed {
    /// A group that was to be revealed was erased; the record can be proved with it hidden.
    #[error("the {group} of the record was erased")]
    Erased {
        /// The group.
        group: bartizan_ledger::segment::Group,
    },
    /// The record cannot be read.
    #[error("cannot read the record")]
    Read(#[from] ReadFailed),
}
