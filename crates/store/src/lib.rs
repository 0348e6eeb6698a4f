//! Where Bartizan keeps things: blobs and compare-and-swap values in a data directory, and the SQL index.
//!
//! `store` does not know what its blobs mean. It never signs or decides: what must be secret is encrypted
//! before it gets here ([`records`] have `keys` do it), and what must be true is proven by the ledger. It repairs nothing either; a
//! damaged index is made anew from the ledger by `registry`.
//!
//! ```text
//!   DataDir: which version of the layout; DirLock: who uses it
//!     |
//!     |-- blobs/ keys/ ledger/   base::Blobs, base::Cas
//!     |        DirBlobs, DirCas --> Tree (whole or not at all, durably) --> Disk: the real one, or SimDisk,
//!     |        MemBlobs, MemCas   (memory)                                        which loses power on request
//!     |
//!     |-- records/               a write-ahead log of prediction records, and sealed segments; see [`records`]
//!     |
//!     '-- bartizan.db            rows that follow from the ledger
//!              Db --tx("name", body)--> Tx --index::*--> rows; index::{read, replace, apply} for all at once
//! ```
//!
//! In reading order: [`limits`], `mem` (the contracts at their simplest), `disk`, `tree`, `blobs`, `cas`, `lock`,
//! `data_dir`, [`records`], `db`, [`index`]; `objects` reads tables out of object stores and stands alone. `faults` and [`SimDisk`] are for tests, also those of other crates.

mod blobs;
mod cas;
mod clock;
mod data_dir;
mod db;
mod disk;
mod faults;
pub mod index;
pub mod limits;
mod lock;
mod mem;
mod objects;
pub mod records;
mod tree;

pub use crate::blobs::{DirBlobs, DirOpen};
pub use crate::cas::DirCas;
pub use crate::clock::SystemClock;
pub use crate::data_dir::{DATA_DIR_VERSION, DataDir, DataDirCreate, DataDirOpen, VERSION_FILE};
pub use crate::db::{Db, DbError, DbOpen, DbOptions, Tx, TxError};
pub use crate::disk::{SimDisk, SimFault};
pub use crate::faults::{FailingBlobs, FailingCas, Faults, Moment};
pub use crate::lock::{ApiAt, DirLock, LockFailed, LockInfo, LockSecret, holder};
pub use crate::mem::{MemBlobs, MemCas};
pub use crate::objects::{RemoteFailed, RemoteFile, RemoteReadFailed, RemoteUrl, RemoteUrlInvalid};
