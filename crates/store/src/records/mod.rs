//! Prediction records: a write-ahead log that makes them durable, and sealed segments that prove them.
//!
//! ```text
//!  reserve --> Place --append--> hashed and encrypted by the caller's own thread
//!                                  |
//!                             Queue (bounded)  --one writer thread-->  log/N: batch, flush --> durable
//!                                                                        |
//!  seal: log/N is closed, its new subjects' keys settle, it is read once --> seg/P/N, manifest/P --> Sealed
//!  confirm(root): the ledger entry is durable --> log/N is let go of: removed, or written over by a later one
//!
//!  Records --by id, sequence, time, subject, request--> Position --read, prove--> StoredRecord, RecordProof
//! ```
//!
//! Formats: `docs/formats/record-log.md`, `segment.md`, `record.md`.

mod build;
mod check;
mod error;
mod frame;
mod identity;
mod layout;
mod log;
mod manifest;
mod prepare;
mod queue;
mod reader;
mod recover;
mod scan;
mod segment;
mod unsealed;
mod wal;
mod writer;

pub use self::check::Checked;
pub use self::error::{
    AppendFailed, ConfirmFailed, EraseFailed, LogCreate, LogOpen, ProveFailed, ReadFailed, SealFailed,
    Stopped,
};
pub use self::identity::{GatewayId, NewRecord, Position, RecordId, RecordIdInvalid};
pub use self::log::{Log, Place, Seal, Sealed};
pub use self::manifest::SegmentInfo;
pub use self::queue::{Appended, Durable};
pub use self::reader::{Found, Personal, Records, StoredRecord};
pub use self::scan::{ClearRecord, Scanned};
pub use self::unsealed::{CheckedLog, CheckedLogs, MissingRecords};
