//! The right edge of the tree: all that is needed to add leaves and to know the root.

use bartizan_base::{BlobErrorKind, Blobs, Digest, read_all};

use crate::checkpoint::SignedCheckpoint;
use crate::limits::{BUNDLE_BYTES, TILE_BYTES, TILE_WIDTH};
use crate::merkle::{empty_root, leaf_hash, root_of};
use crate::reader::ReadFailed;
use crate::tile::{
    Level, TOP_LEVEL, TilePath, decode_entries, decode_hashes, encode_entry, encode_hashes, hashes_at, place,
};

/// A tile and its bytes, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) path: TilePath,
    pub(crate) bytes: Vec<u8>,
}

/// The hashes of the rightmost, partial tile of each level, level 0 first; a level without one is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Levels(Vec<Vec<Digest>>);

impl Levels {
    /// The root of the whole tree: each level's partial tile, closed by what the levels below add up to.
    pub(crate) fn root(&self) -> Digest {
        let mut below: Option<Digest> = None;
        for row in &self.0 {
            let mut hashes = row.clone();
            hashes.extend(below);
            if !hashes.is_empty() {
                below = Some(root_of(&hashes));
            }
        }
        below.unwrap_or_else(empty_root)
    }

    /// The partial tile of `level`.
    pub(crate) fn level(&self, level: u8) -> &[Digest] {
        self.0.get(usize::from(level)).map_or(&[], Vec::as_slice)
    }

    /// The partial tiles, level 0 first.
    pub(crate) fn into_rows(self) -> Vec<Vec<Digest>> {
        self.0
    }

    /// Puts levels together that were read elsewhere.
    pub(crate) fn from_rows(rows: Vec<Vec<Digest>>) -> Self {
        Self(rows)
    }

    /// Reads the partial tiles of the tree of `checkpoint` and checks that they add up to its root.
    pub(crate) fn load(blobs: &dyn Blobs, checkpoint: &SignedCheckpoint) -> Result<Self, ReadFailed> {
        let size = checkpoint.size();
        let mut rows = Vec::new();
        for level in 0..=TOP_LEVEL {
            if hashes_at(level, size) == 0 {
                break;
            }
            match TilePath::edge(Level::Hashes(level), size) {
                None => rows.push(Vec::new()),
                Some(path) => rows.push(load_hashes(blobs, path)?),
            }
        }
        let levels = Self(rows);
        if levels.root() != checkpoint.root() {
            let tiles = (0..=TOP_LEVEL).filter_map(|level| TilePath::edge(Level::Hashes(level), size));
            let tiles: Vec<String> = tiles.map(|path| path.to_string()).collect();
            return Err(ReadFailed::Edge { tiles: tiles.join("`, `"), size });
        }
        Ok(levels)
    }
}

/// Reads a hash tile; where a partial one was cleaned away, the beginning of the full one.
pub(crate) fn load_hashes(blobs: &dyn Blobs, path: TilePath) -> Result<Vec<Digest>, ReadFailed> {
    let (bytes, width) = load_bytes(blobs, path, TILE_BYTES)?;
    let invalid = |source| ReadFailed::TileBytes { tile: path.to_string(), source };
    let mut hashes = decode_hashes(&bytes, width).map_err(invalid)?;
    hashes.truncate(path.width());
    Ok(hashes)
}

/// Reads an entry bundle; where a partial one was cleaned away, the beginning of the full one.
pub(crate) fn load_entries(blobs: &dyn Blobs, path: TilePath) -> Result<Vec<Vec<u8>>, ReadFailed> {
    let (bytes, width) = load_bytes(blobs, path, BUNDLE_BYTES)?;
    let invalid = |source| ReadFailed::TileBytes { tile: path.to_string(), source };
    let entries = decode_entries(&bytes, width).map_err(invalid)?;
    Ok(entries.into_iter().take(path.width()).map(<[u8]>::to_vec).collect())
}

fn load_bytes(blobs: &dyn Blobs, path: TilePath, limit: usize) -> Result<(Vec<u8>, usize), ReadFailed> {
    match read_all(blobs, &path.blob_name(), limit) {
        Ok(bytes) => Ok((bytes, path.width())),
        Err(missing) if missing.kind == BlobErrorKind::NotFound && path.is_partial() => {
            match read_all(blobs, &path.to_full().blob_name(), limit) {
                Ok(bytes) => Ok((bytes, TILE_WIDTH)),
                Err(also) if also.kind == BlobErrorKind::NotFound => Err(ReadFailed::Storage(missing)),
                Err(other) => Err(ReadFailed::Storage(other)),
            }
        }
        Err(other) => Err(ReadFailed::Storage(other)),
    }
}

/// The growing side of a ledger.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edge {
    size: u64,
    levels: Levels,
    /// Levels whose partial tile has changed since [`Edge::take_partials`].
    changed: Vec<bool>,
    /// The bytes of the partial entry bundle.
    bundle: Vec<u8>,
}

impl Edge {
    /// The edge of the tree of `checkpoint`, checked against its root.
    pub(crate) fn load(blobs: &dyn Blobs, checkpoint: &SignedCheckpoint) -> Result<Self, ReadFailed> {
        let size = checkpoint.size();
        let levels = Levels::load(blobs, checkpoint)?;
        let mut bundle = Vec::new();
        if let Some(path) = TilePath::edge(Level::Entries, size) {
            let entries = load_entries(blobs, path)?;
            let hashes: Vec<Digest> = entries.iter().map(|entry| leaf_hash(entry)).collect();
            if hashes != levels.level(0) {
                return Err(ReadFailed::TileHash { tile: path.to_string(), size });
            }
            for entry in &entries {
                encode_entry(&mut bundle, entry);
            }
        }
        let changed = vec![false; levels.0.len()];
        Ok(Self { size, levels, changed, bundle })
    }

    /// Leaves in the tree.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> Digest {
        self.levels.root()
    }

    /// Adds a leaf; tiles that it fills go to `full`. The caller has checked the entry's length.
    pub(crate) fn push(&mut self, entry: &[u8], full: &mut Vec<Tile>) {
        encode_entry(&mut self.bundle, entry);
        let mut hash = leaf_hash(entry);
        let mut index = self.size;
        self.size += 1;
        for level in 0..=TOP_LEVEL {
            let at = usize::from(level);
            if self.levels.0.len() == at {
                self.levels.0.push(Vec::with_capacity(TILE_WIDTH));
                self.changed.push(false);
            }
            let (Some(row), Some(changed)) = (self.levels.0.get_mut(at), self.changed.get_mut(at)) else {
                return;
            };
            row.push(hash);
            *changed = true;
            let (tile_index, position) = place(index);
            // INVARIANT: a row holds the hashes of its level that are in no full tile, fewer than 256.
            debug_assert_eq!(row.len(), position + 1);
            if row.len() < TILE_WIDTH {
                return;
            }
            if level == 0 {
                let bytes = std::mem::take(&mut self.bundle);
                full.push(Tile { path: TilePath::full(Level::Entries, tile_index), bytes });
            }
            let path = TilePath::full(Level::Hashes(level), tile_index);
            full.push(Tile { path, bytes: encode_hashes(row) });
            hash = root_of(row);
            row.clear();
            index = tile_index;
        }
    }

    /// The partial tiles that have changed since the last call.
    pub(crate) fn take_partials(&mut self) -> Vec<Tile> {
        let mut tiles = Vec::new();
        if self.changed.first() == Some(&true)
            && let Some(path) = TilePath::edge(Level::Entries, self.size)
        {
            tiles.push(Tile { path, bytes: self.bundle.clone() });
        }
        for (level, (row, changed)) in (0..=TOP_LEVEL).zip(self.levels.0.iter().zip(&mut self.changed)) {
            if std::mem::take(changed)
                && let Some(path) = TilePath::edge(Level::Hashes(level), self.size)
            {
                tiles.push(Tile { path, bytes: encode_hashes(row) });
            }
        }
        tiles
    }
}
