//! Tiles and entry bundles: where they lie and what their bytes are (C2SP tlog-tiles).

use std::fmt;
use std::str::FromStr;

use bartizan_base::BlobName;
use bartizan_base::limits::ENTRY_BYTES;

use bartizan_base::Digest;

use crate::limits::{TILE_BYTES, TILE_WIDTH};

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A bundle of entries, below level 0.
    Entries,
    /// Hashes of complete subtrees of 256^n leaves; 0 holds leaf hashes. At most 7.
    Hashes(u8),
}

/// A tile's place: level, index within it, and how many hashes or entries it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    level: Level,
    index: u64,
    width: usize,
}

/// The text is not the path of a tile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the path of a tile")]
pub struct TilePathInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

/// The highest level of hash tiles that a tree within the size limit has.
pub(crate) const TOP_LEVEL: u8 = 7;

/// Leaves under one hash of `level`: 256^level. INVARIANT: `level` is at most [`TOP_LEVEL`].
pub(crate) fn leaves_per_hash(level: u8) -> u64 {
    1 << (8 * u32::from(level.min(TOP_LEVEL)))
}

/// Hashes of `level` that a tree of `size` leaves has.
pub(crate) fn hashes_at(level: u8, size: u64) -> u64 {
    size / leaves_per_hash(level)
}

/// Every level that a tree within the size limit can have, entries first.
pub(crate) fn all_levels() -> impl Iterator<Item = Level> {
    std::iter::once(Level::Entries).chain((0..=TOP_LEVEL).map(Level::Hashes))
}

/// Hashes or entries of `level` that a tree of `size` leaves has.
pub(crate) fn items_at(level: Level, size: u64) -> u64 {
    match level {
        Level::Entries => size,
        Level::Hashes(level) => hashes_at(level, size),
    }
}

/// Full tiles of `level` in a tree of `size` leaves.
pub(crate) fn full_tiles(level: Level, size: u64) -> u64 {
    place(items_at(level, size)).0
}

/// Splits the index of a hash or entry into its tile's index and its place in that tile.
pub(crate) fn place(index: u64) -> (u64, usize) {
    let [.., low] = index.to_be_bytes();
    (index >> 8, usize::from(low))
}

impl TilePath {
    /// The full tile `index` of `level`.
    pub(crate) fn full(level: Level, index: u64) -> Self {
        Self { level, index, width: TILE_WIDTH }
    }

    /// The rightmost tile of `level` in a tree of `size` leaves, or `None` when the last one is full.
    pub(crate) fn edge(level: Level, size: u64) -> Option<Self> {
        let (index, width) = place(items_at(level, size));
        (width > 0).then_some(Self { level, index, width })
    }

    /// What the tile holds.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The tile's index within its level.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hashes or entries in the tile: 256 when full.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether the tile is partial.
    pub fn is_partial(&self) -> bool {
        self.width < TILE_WIDTH
    }

    /// The full tile that this one is, or is the beginning of.
    pub(crate) fn to_full(self) -> Self {
        Self { width: TILE_WIDTH, ..self }
    }

    /// The name of the blob that holds the tile.
    pub fn blob_name(&self) -> BlobName {
        blob_name(&self.to_string())
    }

    /// What the names of all partial tiles of the same level and index start with.
    pub(crate) fn partial_prefix(&self) -> String {
        format!("{}.p/", self.to_full())
    }
}

/// A blob name from text this crate composed of safe characters.
#[expect(clippy::expect_used, reason = "only called with digits, hex and fixed lowercase words")]
pub(crate) fn blob_name(text: &str) -> BlobName {
    text.parse().expect("composed names are valid")
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Entries => f.write_str("tile/entries/")?,
            Level::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for (left, group) in groups.iter().enumerate().rev() {
            if left > 0 { write!(f, "x{group:03}/")? } else { write!(f, "{group:03}")? }
        }
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for TilePath {
    type Err = TilePathInvalid;

    fn from_str(text: &str) -> Result<Self, TilePathInvalid> {
        let invalid = || TilePathInvalid { text: text.chars().take(80).collect() };
        let (level, rest) =
            text.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or_else(invalid)?;
        let level = if level == "entries" {
            Level::Entries
        } else {
            Level::Hashes(level.parse().ok().filter(|level| *level <= TOP_LEVEL).ok_or_else(invalid)?)
        };
        let (rest, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((rest, width)) => {
                let width = width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width));
                (rest, width.ok_or_else(invalid)?)
            }
        };
        let mut index: u64 = 0;
        for group in rest.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            let value = digits.parse::<u64>().ok().filter(|_| digits.len() == 3).ok_or_else(invalid)?;
            let shifted = index.checked_mul(1000).and_then(|index| index.checked_add(value));
            index = shifted.ok_or_else(invalid)?;
        }
        let path = Self { level, index, width };
        // Leading zeroes, signs, and an `x` too many or too few all show by another spelling.
        if path.to_string() == text { Ok(path) } else { Err(invalid()) }
    }
}

/// The bytes of a tile are not what its path promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileBytesInvalid {
    /// A hash tile of the wrong length.
    #[error("{bytes} bytes, not 32 for each of {width} hashes")]
    Length {
        /// How many there are.
        bytes: usize,
        /// Hashes the path promises.
        width: usize,
    },
    /// A bundle ends within an entry or before its last one.
    #[error("the bundle ends within or before entry {position}")]
    Truncated {
        /// The entry's place in the bundle.
        position: usize,
    },
    /// A bundle goes on after its last entry.
    #[error("{bytes} bytes after the last entry")]
    Trailing {
        /// How many there are.
        bytes: usize,
    },
    /// An entry that no writer would have written.
    #[error("entry {position} has {bytes} bytes, not 1 to {ENTRY_BYTES}")]
    EntryLength {
        /// The entry's place in the bundle.
        position: usize,
        /// How long it is.
        bytes: usize,
    },
}

/// The bytes of a hash tile.
pub(crate) fn encode_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The hashes of a tile that must hold `width` of them.
pub(crate) fn decode_hashes(bytes: &[u8], width: usize) -> Result<Vec<Digest>, TileBytesInvalid> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.len() != width || bytes.len() > TILE_BYTES {
        return Err(TileBytesInvalid::Length { bytes: bytes.len(), width });
    }
    Ok(hashes.iter().map(|hash| Digest::from_bytes(*hash)).collect())
}

/// Appends one entry to a bundle: big-endian 16-bit length, then the entry. The caller has checked the length.
pub(crate) fn encode_entry(bundle: &mut Vec<u8>, entry: &[u8]) {
    let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
    debug_assert!(!entry.is_empty() && entry.len() <= ENTRY_BYTES);
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
}

/// The entries of a bundle that must hold `width` of them.
pub(crate) fn decode_entries(bundle: &[u8], width: usize) -> Result<Vec<&[u8]>, TileBytesInvalid> {
    let mut entries = Vec::with_capacity(width);
    let mut rest = bundle;
    for position in 0..width {
        let truncated = TileBytesInvalid::Truncated { position };
        let (length, after) = rest.split_first_chunk::<2>().ok_or(truncated)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > ENTRY_BYTES {
            return Err(TileBytesInvalid::EntryLength { position, bytes: length });
        }
        let (entry, after) = after.split_at_checked(length).ok_or(truncated)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(TileBytesInvalid::Trailing { bytes: rest.len() }) }
}
