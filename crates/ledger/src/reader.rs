//! Reading: snapshots of a ledger in which every byte is hashed up to a checkpoint before it is returned.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::vec::IntoIter;

use bartizan_base::{BlobError, Blobs, Digest, read_all};

use crate::batch;
use crate::checkpoint::{CheckpointInvalid, SignedCheckpoint, TrustedLog};
use crate::edge::{Levels, load_entries, load_hashes};
use crate::head::checkpoint_name;
use crate::limits::{CACHED_TILES, NOTE_BYTES, TILE_WIDTH};
use crate::merkle::{Node, Span, consistency_spans, empty_root, inclusion_spans, leaf_hash, node_hash};
use crate::proof::LogProof;
use crate::tile::{Level, TileBytesInvalid, TilePath, hashes_at, place};

/// Something could not be read from a ledger, or what was read is not what the checkpoint commits to.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailed {
    /// The storage failed, or a tile or the checkpoint is missing.
    #[error("the ledger's storage failed")]
    Storage(#[from] BlobError),
    /// The published checkpoint is not one of the trusted log.
    #[error("the published checkpoint is not trusted")]
    Checkpoint(#[from] CheckpointInvalid),
    /// A tile's bytes are malformed.
    #[error("tile `{tile}` is malformed")]
    TileBytes {
        /// The tile's path.
        tile: String,
        /// What is wrong with them.
        #[source]
        source: TileBytesInvalid,
    },
    /// A tile holds other hashes or entries than the checkpoint commits to.
    #[error("tile `{tile}` does not hash to the root of the checkpoint of size {size}")]
    TileHash {
        /// The tile's path.
        tile: String,
        /// The checkpoint's size.
        size: u64,
    },
    /// One of the rightmost tiles holds other hashes than the checkpoint commits to.
    #[error("tiles `{tiles}` together do not hash to the root of the checkpoint of size {size}")]
    Edge {
        /// The tiles' paths.
        tiles: String,
        /// The checkpoint's size.
        size: u64,
    },
    /// The index or size asked for is not covered by the checkpoint.
    #[error("{asked} is beyond the checkpoint of size {size}")]
    Beyond {
        /// The index or size asked for.
        asked: u64,
        /// The checkpoint's size.
        size: u64,
    },
}

/// Opens snapshots of one ledger. Clones share one cache of tiles.
#[derive(Clone)]
pub struct LedgerReader {
    blobs: Arc<dyn Blobs>,
    log: Arc<TrustedLog>,
    cache: Arc<Mutex<Cache>>,
}

impl LedgerReader {
    /// A reader of the ledger in `blobs` that accepts what `log` accepts. Reads nothing yet.
    pub fn new(blobs: Arc<dyn Blobs>, log: TrustedLog) -> Self {
        Self { blobs, log: Arc::new(log), cache: Arc::default() }
    }

    /// Whose signatures this reader accepts.
    pub fn log(&self) -> &TrustedLog {
        &self.log
    }

    /// Reads and verifies the published checkpoint. It may be older than one seen before: whoever must not
    /// go back keeps a [`crate::Remembered`].
    ///
    /// # Errors
    /// When it is missing or not trusted.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint, ReadFailed> {
        let note = read_all(self.blobs.as_ref(), &checkpoint_name(), NOTE_BYTES)?;
        Ok(SignedCheckpoint::open(&note, &self.log)?)
    }

    /// A snapshot at the published checkpoint.
    ///
    /// # Errors
    /// As [`LedgerReader::checkpoint`] and [`LedgerReader::snapshot_at`].
    pub fn snapshot(&self) -> Result<Snapshot, ReadFailed> {
        self.snapshot_at(self.checkpoint()?)
    }

    /// A snapshot at a checkpoint, older or newer than the published one.
    ///
    /// # Errors
    /// When the tiles of its right edge are missing or do not hash to its root.
    pub fn snapshot_at(&self, checkpoint: SignedCheckpoint) -> Result<Snapshot, ReadFailed> {
        let levels = Levels::load(self.blobs.as_ref(), &checkpoint)?;
        let edge = levels.into_rows().into_iter().map(|hashes| Arc::new(CachedTile::new(hashes))).collect();
        Ok(Snapshot(Arc::new(Inner { reader: self.clone(), checkpoint, edge })))
    }
}

impl fmt::Debug for LedgerReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerReader({})", self.log.key())
    }
}

/// The ledger as one checkpoint commits to it. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot(Arc<Inner>);

struct Inner {
    reader: LedgerReader,
    checkpoint: SignedCheckpoint,
    /// The rightmost, partial tile of each level; verified.
    edge: Vec<Arc<CachedTile>>,
}

/// One entry and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The index, from 0.
    pub index: u64,
    /// The bytes, as appended.
    pub bytes: Vec<u8>,
}

impl Snapshot {
    /// The checkpoint that everything read here is checked against.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.0.checkpoint
    }

    /// Entries in the ledger.
    pub fn size(&self) -> u64 {
        self.0.checkpoint.size()
    }

    /// One entry.
    ///
    /// # Errors
    /// When there is none at `index`, or it cannot be read and verified.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, ReadFailed> {
        let beyond = || ReadFailed::Beyond { asked: index, size: self.size() };
        let mut found = self.bundle(index, index.checked_add(1).ok_or_else(beyond)?)?;
        found.pop().map(|entry| entry.bytes).ok_or_else(beyond)
    }

    /// The entries of a range, in order, one bundle in memory at a time. A range that goes beyond the
    /// checkpoint ends with it. After an error the iterator ends.
    pub fn entries(&self, range: Range<u64>) -> Entries {
        let end = range.end.min(self.size());
        Entries { snapshot: self.clone(), next: range.start, end, bundle: Vec::new().into_iter() }
    }

    /// The root of the tree of the first `size` entries.
    ///
    /// # Errors
    /// When `size` is beyond the checkpoint, or a tile cannot be read and verified.
    pub fn root(&self, size: u64) -> Result<Digest, ReadFailed> {
        self.covered(size)?;
        if size == self.size() {
            return Ok(self.0.checkpoint.root());
        }
        self.span_hash(Span { begin: 0, end: size })
    }

    /// The proof that entry `index` is in the tree of the first `size` entries (RFC 6962, 2.1.1).
    ///
    /// # Errors
    /// When `index` is not below `size`, `size` is beyond the checkpoint, or a tile cannot be verified.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Digest>, ReadFailed> {
        self.covered(size)?;
        if index >= size {
            return Err(ReadFailed::Beyond { asked: index, size });
        }
        inclusion_spans(index, size).into_iter().map(|span| self.span_hash(span)).collect()
    }

    /// The proof that all entries at `indices` are in the tree of the first `size` entries; see
    /// [`verify_inclusions`](crate::verify_inclusions).
    ///
    /// # Errors
    /// As [`Snapshot::inclusion`].
    pub fn inclusions(&self, indices: &BTreeSet<u64>, size: u64) -> Result<Vec<Digest>, ReadFailed> {
        self.covered(size)?;
        if let Some(asked) = indices.last().copied().filter(|index| *index >= size) {
            return Err(ReadFailed::Beyond { asked, size });
        }
        let indices: Vec<u64> = indices.iter().copied().collect();
        batch::spans(&indices, size).into_iter().map(|span| self.span_hash(span)).collect()
    }

    /// The proof that the tree of `new` entries continues the tree of `old` (RFC 6962, 2.1.2).
    ///
    /// # Errors
    /// When `old` exceeds `new`, `new` is beyond the checkpoint, or a tile cannot be verified.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, ReadFailed> {
        self.covered(new)?;
        if old > new {
            return Err(ReadFailed::Beyond { asked: old, size: new });
        }
        consistency_spans(old, new).into_iter().map(|span| self.span_hash(span)).collect()
    }

    /// A self-contained proof that entry `index` is in this snapshot.
    ///
    /// # Errors
    /// As [`Snapshot::inclusion`].
    pub fn prove(&self, index: u64) -> Result<LogProof, ReadFailed> {
        Ok(LogProof::new(index, self.inclusion(index, self.size())?, &self.0.checkpoint))
    }

    fn covered(&self, size: u64) -> Result<(), ReadFailed> {
        if size > self.size() {
            return Err(ReadFailed::Beyond { asked: size, size: self.size() });
        }
        Ok(())
    }

    fn span_hash(&self, span: Span) -> Result<Digest, ReadFailed> {
        let hashes: Result<Vec<Digest>, ReadFailed> =
            span.nodes().into_iter().map(|node| self.node_hash(node)).collect();
        // The subtrees of a span shrink to the right, so they are closed from the right.
        let mut hashes = hashes?.into_iter().rev();
        let last = hashes.next().unwrap_or_else(empty_root);
        Ok(hashes.fold(last, |right, left| node_hash(&left, &right)))
    }

    fn node_hash(&self, node: Node) -> Result<Digest, ReadFailed> {
        let level = u8::try_from(node.height / 8).unwrap_or(u8::MAX);
        let within = node.height % 8;
        let (tile_index, start) = place(node.index << within);
        let hash = self.tile(level, tile_index)?.subtree(within, start);
        // A complete subtree of the snapshot always lies within its verified tiles.
        hash.ok_or_else(|| ReadFailed::Beyond { asked: node.index, size: self.size() })
    }

    /// A verified hash tile: full ones against their parents, up to the edge, which was verified at the start.
    fn tile(&self, level: u8, index: u64) -> Result<Arc<CachedTile>, ReadFailed> {
        let size = self.size();
        let (full_tiles, _) = place(hashes_at(level, size));
        if index >= full_tiles {
            let beyond = ReadFailed::Beyond { asked: index, size };
            return self.0.edge.get(usize::from(level)).cloned().ok_or(beyond);
        }
        let path = TilePath::full(Level::Hashes(level), index);
        let tile = self.cached(path)?;
        let (parent_index, position) = place(index);
        let parent = self.tile(level + 1, parent_index)?;
        if tile.root().is_none() || parent.subtree(0, position) != tile.root() {
            // Read anew next time: the storage may have been repaired by then.
            self.0.reader.cache.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
            return Err(ReadFailed::TileHash { tile: path.to_string(), size });
        }
        Ok(tile)
    }

    // The cache holds bytes as they were read. What a snapshot may rely on is decided on every use, by
    // comparing the tile's root with its parent, so a wrong tile in the cache does no harm.
    fn cached(&self, path: TilePath) -> Result<Arc<CachedTile>, ReadFailed> {
        let lock = || self.0.reader.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tile) = lock().get(path) {
            return Ok(tile);
        }
        let tile = Arc::new(CachedTile::new(load_hashes(self.0.reader.blobs.as_ref(), path)?));
        lock().insert(path, Arc::clone(&tile));
        Ok(tile)
    }

    /// The verified entries of `begin..end` that lie in the bundle of `begin`.
    fn bundle(&self, begin: u64, end: u64) -> Result<Vec<Entry>, ReadFailed> {
        let size = self.size();
        if begin >= size {
            return Err(ReadFailed::Beyond { asked: begin, size });
        }
        let (bundle_index, _) = place(begin);
        let (full_bundles, _) = place(size);
        let full = TilePath::full(Level::Entries, bundle_index);
        let path = if bundle_index < full_bundles {
            full
        } else {
            TilePath::edge(Level::Entries, size).unwrap_or(full)
        };
        let tile = self.tile(0, bundle_index)?;
        let entries = load_entries(self.0.reader.blobs.as_ref(), path)?;
        let mut wanted = Vec::new();
        for ((bytes, hash), index) in entries.into_iter().zip(tile.hashes()).zip(bundle_index << 8..) {
            if (begin..end).contains(&index) {
                if leaf_hash(&bytes) != *hash {
                    return Err(ReadFailed::TileHash { tile: path.to_string(), size });
                }
                wanted.push(Entry { index, bytes });
            }
        }
        Ok(wanted)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} of {})", self.size(), self.0.checkpoint.origin())
    }
}

/// The entries of a range; see [`Snapshot::entries`].
#[derive(Debug)]
pub struct Entries {
    snapshot: Snapshot,
    next: u64,
    end: u64,
    bundle: IntoIter<Entry>,
}

impl Iterator for Entries {
    type Item = Result<Entry, ReadFailed>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.bundle.next() {
            return Some(Ok(entry));
        }
        if self.next >= self.end {
            return None;
        }
        match self.snapshot.bundle(self.next, self.end) {
            Ok(bundle) => {
                self.next = bundle.last().map_or(self.end, |entry| entry.index + 1);
                self.bundle = bundle.into_iter();
                self.bundle.next().map(Ok)
            }
            Err(failed) => {
                self.next = self.end;
                Some(Err(failed))
            }
        }
    }
}

/// A hash tile with the hashes of all complete subtrees inside it.
#[derive(Debug)]
struct CachedTile {
    /// Row `h` holds the subtrees of 2^h hashes; row 0 is the tile itself, row 8 of a full tile its root.
    rows: Vec<Vec<Digest>>,
}

impl CachedTile {
    fn new(hashes: Vec<Digest>) -> Self {
        let mut rows = Vec::with_capacity(9);
        let mut row = hashes;
        while row.len() > 1 {
            let (pairs, _) = row.as_chunks::<2>();
            let above = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
            rows.push(std::mem::replace(&mut row, above));
        }
        rows.push(row);
        Self { rows }
    }

    /// The complete subtree of 2^`height` hashes that begins at `position`.
    fn subtree(&self, height: u32, position: usize) -> Option<Digest> {
        let row = self.rows.get(usize::try_from(height).ok()?)?;
        row.get(position >> height).copied()
    }

    fn root(&self) -> Option<Digest> {
        self.subtree(TILE_WIDTH.ilog2(), 0)
    }

    fn hashes(&self) -> &[Digest] {
        self.rows.first().map_or(&[], Vec::as_slice)
    }
}

/// The tiles used last, at most [`CACHED_TILES`].
#[derive(Debug, Default)]
struct Cache {
    tiles: HashMap<TilePath, (u64, Arc<CachedTile>)>,
    uses: u64,
}

impl Cache {
    fn get(&mut self, path: TilePath) -> Option<Arc<CachedTile>> {
        self.uses += 1;
        let (used, tile) = self.tiles.get_mut(&path)?;
        *used = self.uses;
        Some(Arc::clone(tile))
    }

    fn remove(&mut self, path: TilePath) {
        self.tiles.remove(&path);
    }

    fn insert(&mut self, path: TilePath, tile: Arc<CachedTile>) {
        debug_assert!(tile.root().is_some());
        // Evicting looks at every tile, which costs less than reading the one that is coming in.
        if self.tiles.len() >= CACHED_TILES
            && let Some(oldest) = self.tiles.iter().min_by_key(|(_, (used, _))| *used).map(|(path, _)| *path)
        {
            self.tiles.remove(&oldest);
        }
        self.tiles.insert(path, (self.uses, tile));
    }
}
