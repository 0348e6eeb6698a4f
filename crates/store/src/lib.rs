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
mod disk;
pub mod limits;
mod mem;
mod tree;

pub use crate::blobs::{DirBlobs, DirOpen};
pub use crate::cas::DirCas;
pub use crate::clock::SystemClock;
pub use crate::disk::{SimDisk, SimFault};
pub use crate::mem::{MemBlobs, MemCas};
