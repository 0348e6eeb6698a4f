//! Fills an empty ledger with millions of entries at once; for benches and tests of large ledgers.
//!
//! Not for production: nothing is acknowledged before the end, and a crash leaves a ledger that must be thrown
//! away. It refuses a ledger that has entries.

use std::fmt;
use std::sync::Arc;

use bartizan_base::limits::ENTRY_BYTES;
use bartizan_base::{BlobError, BlobName, Blobs, Cas, CasError};

use crate::checkpoint::{Checkpoint, SignedCheckpoint, TrustedLog};
use crate::edge::{Edge, Tile};
use crate::head::{Head, checkpoint_name, head_key};
use crate::ledger::{OpenFailed, take_over};
use crate::note::{NoteSigner, SignFailed};

/// Tiles written in one batch.
const BATCH_TILES: usize = 512;

/// A large ledger in the making.
pub struct BulkBuilder {
    blobs: Arc<dyn Blobs>,
    cas: Arc<dyn Cas>,
    signer: NoteSigner,
    edge: Edge,
    head: Head,
    head_bytes: Vec<u8>,
    tiles: Vec<Tile>,
}

/// A large ledger could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BulkFailed {
    /// The ledger has entries; use [`crate::Ledger::append`].
    #[error("the ledger is not empty: it has {size} entries")]
    NotEmpty {
        /// How many.
        size: u64,
    },
    /// The ledger could not be taken over.
    #[error("the ledger could not be opened")]
    Open(#[from] OpenFailed),
    /// An entry is empty or too long.
    #[error("the entry has {bytes} bytes, not 1 to {ENTRY_BYTES}")]
    EntryLength {
        /// How long it is.
        bytes: usize,
    },
    /// The storage failed.
    #[error("the ledger's storage failed")]
    Storage(#[from] BlobError),
    /// The checkpoint could not be signed.
    #[error("the checkpoint could not be signed")]
    Sign(#[from] SignFailed),
    /// Another writer opened the ledger meanwhile.
    #[error("another writer has opened the ledger")]
    Overtaken,
}

impl BulkBuilder {
    /// Takes over an empty ledger that was made by [`crate::Ledger::create`].
    ///
    /// # Errors
    /// When there is none, it has entries, or the storage fails.
    pub fn new(blobs: Arc<dyn Blobs>, cas: Arc<dyn Cas>, signer: NoteSigner) -> Result<Self, BulkFailed> {
        let log = TrustedLog::new(signer.key().clone()).map_err(OpenFailed::from)?;
        let (head, head_bytes) = take_over(blobs.as_ref(), cas.as_ref(), &log)?;
        if head.checkpoint.size() > 0 {
            return Err(BulkFailed::NotEmpty { size: head.checkpoint.size() });
        }
        Ok(Self { blobs, cas, signer, edge: Edge::default(), head, head_bytes, tiles: Vec::new() })
    }

    /// Adds one entry; it is neither durable nor acknowledged.
    ///
    /// # Errors
    /// When the entry is empty or too long, or the storage fails.
    pub fn push(&mut self, entry: &[u8]) -> Result<(), BulkFailed> {
        if entry.is_empty() || entry.len() > ENTRY_BYTES {
            return Err(BulkFailed::EntryLength { bytes: entry.len() });
        }
        self.edge.push(entry, &mut self.tiles);
        if self.tiles.len() >= BATCH_TILES { self.flush() } else { Ok(()) }
    }

    /// Writes what is left, then commits and publishes the checkpoint over everything.
    ///
    /// # Errors
    /// When the storage or the key fails, or another writer took the ledger over.
    pub fn finish(mut self) -> Result<SignedCheckpoint, BulkFailed> {
        let partials = self.edge.take_partials();
        self.tiles.extend(partials);
        self.flush()?;
        let origin = self.signer.key().name().to_owned();
        let checkpoint = Checkpoint { origin, size: self.edge.size(), root: self.edge.root() };
        let head = Head { epoch: self.head.epoch, checkpoint: checkpoint.sign(&self.signer)? };
        match self.cas.swap(&head_key(), Some(&self.head_bytes), &head.encode()) {
            Ok(()) => {}
            Err(CasError::Conflict { .. }) => return Err(BulkFailed::Overtaken),
            Err(CasError::Storage(failed)) => return Err(failed.into()),
        }
        self.blobs.put(&[(&checkpoint_name(), head.checkpoint.note().as_bytes())])?;
        Ok(head.checkpoint)
    }

    fn flush(&mut self) -> Result<(), BulkFailed> {
        let names: Vec<BlobName> = self.tiles.iter().map(|tile| tile.path.blob_name()).collect();
        let puts: Vec<_> =
            names.iter().zip(&self.tiles).map(|(name, tile)| (name, tile.bytes.as_slice())).collect();
        self.blobs.put(&puts)?;
        self.tiles.clear();
        Ok(())
    }
}

impl fmt::Debug for BulkBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BulkBuilder({} entries of {})", self.edge.size(), self.signer.key())
    }
}
