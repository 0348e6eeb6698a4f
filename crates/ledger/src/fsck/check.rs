//! The recomputation: every hash from the entries up, compared with every tile.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

use bartizan_base::{BlobError, BlobErrorKind, Blobs, Digest, read_all};

use super::{DefectKind, Findings, Partials};
use crate::checkpoint::SignedCheckpoint;
use crate::edge::Levels;
use crate::head::checkpoint_name;
use crate::limits::{BUNDLE_BYTES, TILE_BYTES, TILE_WIDTH};
use crate::merkle::{leaf_hash, root_of};
use crate::tile::{
    Level, TOP_LEVEL, TilePath, decode_entries, decode_hashes, encode_hashes, full_tiles, leaves_per_hash,
    place,
};

/// Hashes of one tile; `None` where neither the tile nor what lies below it could be read.
type Row = Vec<Option<Digest>>;

/// A check against one checkpoint.
pub(super) struct Check<'a> {
    blobs: &'a dyn Blobs,
    checkpoint: &'a SignedCheckpoint,
    partials: &'a Partials,
    findings: &'a Findings,
    /// The tiles of level 1 and above as they are stored, by level and index.
    stored: BTreeMap<(u8, u64), Vec<Digest>>,
    /// The stored tiles of the right edge, if they hash to the checkpoint's root.
    edge: Option<Levels>,
    stale: AtomicU64,
}

impl<'a> Check<'a> {
    /// Reads the upper tiles, 1/256 of all hashes, so that every tile below can be judged by its parent.
    pub(super) fn new(
        blobs: &'a dyn Blobs,
        checkpoint: &'a SignedCheckpoint,
        partials: &'a Partials,
        findings: &'a Findings,
    ) -> Self {
        let size = checkpoint.size();
        let edge = Levels::load(blobs, checkpoint).ok();
        let (stored, stale) = (BTreeMap::new(), AtomicU64::new(0));
        let mut check = Self { blobs, checkpoint, partials, findings, stored, edge, stale };
        for level in 1..=TOP_LEVEL {
            for path in tiles_of(Level::Hashes(level), size) {
                if findings.too_many() {
                    return check;
                }
                if let Some(hashes) = check.read_hashes(path) {
                    check.stored.insert((level, path.index()), hashes);
                }
            }
        }
        check
    }

    /// Checks everything; returns how many correct but needless partial tiles there are.
    pub(super) fn run(self, threads: NonZeroUsize) -> u64 {
        let size = self.checkpoint.size();
        // Level 0 is nearly all of the work: threads take one tile after another.
        let next = AtomicU64::new(0);
        let tiles =
            full_tiles(Level::Entries, size) + u64::from(TilePath::edge(Level::Entries, size).is_some());
        let results: Mutex<BTreeMap<u64, Row>> = Mutex::default();
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= tiles || self.findings.too_many() {
                    return;
                }
                let path = self.tile_at(Level::Hashes(0), index);
                let kept = keep(path, self.leaves(path));
                results.lock().unwrap_or_else(PoisonError::into_inner).insert(index, kept);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.get() {
                // Where the system gives no more threads, fewer do the work.
                drop(Builder::new().spawn_scoped(scope, work));
            }
            work();
        });
        if self.findings.too_many() {
            return self.stale.into_inner();
        }
        let mut below = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut edge = Vec::new();
        for level in 0..=TOP_LEVEL {
            edge.push(below.remove(&full_tiles(Level::Hashes(level), size)).unwrap_or_default());
            let roots: Row = below.into_values().flatten().collect();
            if roots.is_empty() || level == TOP_LEVEL {
                break;
            }
            below = self.upper_level(level + 1, &roots);
        }
        let edge: Option<Vec<Vec<Digest>>> = edge.into_iter().map(|row| row.into_iter().collect()).collect();
        // Where something could not be read at all there is no root to compare, but a defect already.
        if edge.is_some_and(|rows| Levels::from_rows(rows).root() != self.checkpoint.root()) {
            self.findings.add(checkpoint_name(), None, DefectKind::Root);
        }
        self.stale.into_inner()
    }

    /// Checks a bundle and its hash tile at `path`; returns the leaf hashes to go on with.
    fn leaves(&self, path: TilePath) -> Row {
        let bundle_path = self.tile_at(Level::Entries, path.index());
        let bundle = self.read(bundle_path);
        let mut computed: Row = vec![None; path.width()];
        if let Some(bytes) = &bundle {
            match decode_entries(bytes, bundle_path.width()) {
                Ok(entries) => {
                    computed = entries.iter().map(|entry| Some(leaf_hash(entry))).collect();
                    let read = u64::try_from(entries.len()).unwrap_or_default();
                    self.findings.entries.fetch_add(read, Ordering::Relaxed);
                }
                Err(why) => self.findings.add(bundle_path, None, DefectKind::Bytes(why)),
            }
            self.check_partials(Level::Entries, path.index(), bytes);
        }
        let stored = self.read_hashes(path);
        self.settle(path, Level::Entries, computed, stored)
    }

    /// Checks the tiles of a level against the roots of the tiles below; returns what the next level needs.
    fn upper_level(&self, level: u8, below: &[Option<Digest>]) -> BTreeMap<u64, Row> {
        let paths = tiles_of(Level::Hashes(level), self.checkpoint.size());
        let check = |(path, computed): (TilePath, &[Option<Digest>])| {
            let stored = self.stored.get(&(level, path.index())).cloned();
            (path.index(), keep(path, self.settle(path, Level::Hashes(level - 1), computed.to_vec(), stored)))
        };
        paths.zip(below.chunks(TILE_WIDTH)).map(check).collect()
    }

    /// Compares the hashes computed from below with those of the stored tile, finds out which of the two the
    /// checkpoint commits to, blames the other, and returns the better one.
    fn settle(&self, path: TilePath, below: Level, computed: Row, stored: Option<Vec<Digest>>) -> Row {
        let row = match stored {
            None => computed,
            Some(stored) => {
                let either: Vec<Digest> =
                    computed.iter().zip(&stored).map(|(ours, theirs)| ours.unwrap_or(*theirs)).collect();
                let from_below = self.committed(path, &either) || !self.committed(path, &stored);
                for ((ours, theirs), position) in either.iter().zip(&stored).zip(0..) {
                    if ours != theirs {
                        self.blame(path, below, position, from_below);
                    }
                }
                let better = if from_below { either } else { stored };
                better.into_iter().map(Some).collect()
            }
        };
        if let Some(hashes) = row.iter().copied().collect::<Option<Vec<Digest>>>() {
            self.check_partials(path.level(), path.index(), &encode_hashes(&hashes));
        }
        row
    }

    /// Reports the hash at `position` of the tile at `path`, or what lies below that hash.
    fn blame(&self, path: TilePath, below: Level, position: u64, tile_is_wrong: bool) {
        let level = if let Level::Hashes(level) = path.level() { level } else { 0 };
        let hash_index = (path.index() << 8) + position;
        let entry = Some(hash_index * leaves_per_hash(level));
        if tile_is_wrong {
            self.findings.add(path, entry, DefectKind::Hash);
        } else if below == Level::Entries {
            self.findings.add(self.tile_at(below, path.index()), entry, DefectKind::Entry);
        } else {
            self.findings.add(TilePath::full(below, hash_index), entry, DefectKind::Replaced);
        }
    }

    /// Whether the checkpoint commits to these hashes, as far as the stored tiles above them tell.
    fn committed(&self, path: TilePath, hashes: &[Digest]) -> bool {
        let Level::Hashes(level) = path.level() else { return false };
        if path.is_partial() {
            return self.edge.as_ref().is_some_and(|edge| edge.level(level) == hashes);
        }
        let (parent, position) = place(path.index());
        let parent = self.stored.get(&(level + 1, parent));
        parent.and_then(|parent| parent.get(position)) == Some(&root_of(hashes))
    }

    /// Compares what remains of older partial tiles with the beginning of `whole`.
    fn check_partials(&self, level: Level, index: u64, whole: &[u8]) {
        for path in self.partials.get(&(level, index)).into_iter().flatten() {
            let Some(bytes) = self.read(*path) else { continue };
            if cut(&bytes, *path).is_some_and(|all| all.len() == bytes.len()) && whole.starts_with(&bytes) {
                self.stale.fetch_add(1, Ordering::Relaxed);
            } else {
                self.findings.add(path, None, DefectKind::Partial);
            }
        }
    }

    /// The tile or bundle that the checkpoint's tree has at `index`.
    fn tile_at(&self, level: Level, index: u64) -> TilePath {
        let (full, size) = (TilePath::full(level, index), self.checkpoint.size());
        if index < full_tiles(level, size) { full } else { TilePath::edge(level, size).unwrap_or(full) }
    }

    fn read_hashes(&self, path: TilePath) -> Option<Vec<Digest>> {
        let bytes = self.read(path)?;
        let decoded = decode_hashes(&bytes, path.width());
        decoded.map_err(|why| self.findings.add(path, None, DefectKind::Bytes(why))).ok()
    }

    /// The bytes of a tile; of a partial one that was cleaned away, those the full one begins with.
    fn read(&self, path: TilePath) -> Option<Vec<u8>> {
        let limit = if path.level() == Level::Entries { BUNDLE_BYTES } else { TILE_BYTES };
        let is_missing = |failed: &BlobError| failed.kind == BlobErrorKind::NotFound;
        let found = match read_all(self.blobs, &path.blob_name(), limit) {
            Err(missing) if is_missing(&missing) && path.is_partial() => {
                match read_all(self.blobs, &path.to_full().blob_name(), limit) {
                    Ok(whole) => Ok(cut(&whole, path).map_or(whole.clone(), <[u8]>::to_vec)),
                    Err(also) if is_missing(&also) => Err(missing),
                    Err(failed) => Err(failed),
                }
            }
            found => found,
        };
        match found {
            Ok(bytes) => {
                self.findings.tiles.fetch_add(1, Ordering::Relaxed);
                Some(bytes)
            }
            Err(failed) => {
                self.findings.failed(&failed);
                None
            }
        }
    }
}

/// The beginning of `bytes` that holds as many hashes or entries as `path` promises.
fn cut(bytes: &[u8], path: TilePath) -> Option<&[u8]> {
    if path.level() != Level::Entries {
        return bytes.get(..path.width() * 32);
    }
    let mut end = 0;
    for _ in 0..path.width() {
        let (length, _) = bytes.get(end..)?.split_first_chunk::<2>()?;
        end += 2 + usize::from(u16::from_be_bytes(*length));
    }
    bytes.get(..end)
}

/// Of a full tile only the root is needed further up; of a partial one all hashes.
fn keep(path: TilePath, row: Row) -> Row {
    if path.is_partial() {
        return row;
    }
    let hashes: Option<Vec<Digest>> = row.into_iter().collect();
    vec![hashes.map(|hashes| root_of(&hashes))]
}

/// The tiles of a level that a tree of `size` leaves needs.
fn tiles_of(level: Level, size: u64) -> impl Iterator<Item = TilePath> {
    let full = (0..full_tiles(level, size)).map(move |index| TilePath::full(level, index));
    full.chain(TilePath::edge(level, size))
}
