//! Where Bartizan keeps things: blobs and compare-and-swap values in directories, and the SQL index.
//!
//! `store` does not know what it keeps. It never encrypts, signs or decides; what must be secret is encrypted
//! before it gets here, and what must be true is proven by the ledger.
//!
//! ```text
//!   Blobs, Cas (base)
//!     |-- MemBlobs, MemCas                 memory
//!     '-- DirBlobs, DirCas -> Tree -> Disk directory: real, or SimDisk that loses power on request
//! ```

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
mod tree;

pub use crate::blobs::{DirBlobs, DirOpen};
pub use crate::cas::DirCas;
pub use crate::clock::SystemClock;
pub use crate::data_dir::{DATA_DIR_VERSION, DataDir, DataDirCreate, DataDirOpen};
pub use crate::db::{Db, DbError, DbOpen, DbOptions, Tx, TxError};
pub use crate::disk::{SimDisk, SimFault};
pub use crate::faults::{FailingBlobs, FailingCas, Faults, Moment};
pub use crate::lock::{DirLock, LockFailed, LockInfo, holder};
pub use crate::mem::{MemBlobs, MemCas};
