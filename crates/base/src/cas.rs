//! The compare-and-swap seam: small values that change only from what the writer last saw.

use crate::blobs::{BlobError, BlobName};

/// A compare-and-swap failed.
#[derive(Debug, thiserror::Error)]
pub enum CasError {
    /// Somebody else changed the value first: nothing was written, load it again and decide anew.
    #[error("`{key}` was changed by another writer")]
    Conflict {
        /// The value's name.
        key: BlobName,
    },
    /// The storage failed; whether the write happened is unknown.
    #[error("storage failed")]
    Storage(#[from] BlobError),
}

/// Small values (at most 64 KiB) that are replaced by compare-and-swap.
///
/// Contract:
/// - **Durability.** `swap` returns `Ok` only when the new value survives a power cut.
/// - **Order.** Swaps of one key are linearizable, across threads and across processes.
/// - **Retries.** After [`CasError::Storage`] the value is the old or the new one; `load` tells which.
///   Nothing is retried inside.
pub trait Cas: Send + Sync {
    /// The value of `key`, or `None` when it was never written.
    fn load(&self, key: &BlobName) -> Result<Option<Vec<u8>>, BlobError>;

    /// Writes `new` if the value is still `expected` (`None`: never written).
    fn swap(&self, key: &BlobName, expected: Option<&[u8]>, new: &[u8]) -> Result<(), CasError>;
}
