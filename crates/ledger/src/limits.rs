//! Limits on what the ledger accepts, writes and keeps in memory.

use bartizan_base::limits::ENTRY_BYTES;

/// Hashes in a full tile, entries in a full bundle (tlog-tiles, height 8).
pub const TILE_WIDTH: usize = 256;

/// Bytes of a full hash tile.
pub const TILE_BYTES: usize = TILE_WIDTH * 32;

/// Bytes of the largest entry bundle: 256 entries of the largest size, each behind its length.
pub const BUNDLE_BYTES: usize = TILE_WIDTH * (2 + ENTRY_BYTES);

/// Leaves of the largest tree. Seven levels of tiles and one hash; no arithmetic on sizes can overflow.
pub const TREE_SIZE: u64 = 1 << 56;

/// Bytes of a signed note. Sixteen signatures of 5 kB, which the format demands, fit.
pub const NOTE_BYTES: usize = 128 * 1024;

/// Signature lines of a signed note: the log's, one of every witness, and some of strangers. Go's reader of notes
/// has the same limit.
pub const SIGNATURES: usize = 100;

/// Bytes of a key name, which for a log is its origin.
pub const KEY_NAME_BYTES: usize = 255;

/// Witnesses one may configure.
pub const WITNESSES: usize = 64;

/// Hashes in an inclusion or consistency proof.
pub const PROOF_HASHES: usize = 64;

/// Bytes of the extra data of a proof file, decoded.
pub const PROOF_EXTRA_BYTES: usize = 48 * 1024;

/// Bytes of a proof file.
pub const PROOF_BYTES: usize = NOTE_BYTES + 2 * PROOF_EXTRA_BYTES;

/// Entries in one group commit, and so in one append.
pub const GROUP_ENTRIES: usize = 4096;

/// Bytes of entries in one group commit, and so in one append.
pub const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Appends that wait while a group is being written; further callers block.
pub const QUEUE_APPENDS: usize = 1024;

/// Bytes of one staging blob: a group, the bundle it continues, and the tiles of both.
pub const STAGING_BYTES: usize = GROUP_BYTES + BUNDLE_BYTES + 4 * 1024 * 1024;

/// Staging blobs looked at when a ledger is opened.
pub const STAGING_BLOBS: usize = 4096;

/// Stale partial tiles removed after one group.
pub const STALE_PER_GROUP: usize = 16;

/// Newer checkpoints that a writer which was overtaken puts back while the other one goes on.
pub const REPUBLISH_ATTEMPTS: usize = 64;

/// Hash tiles a reader keeps in memory, 16 KiB each with the hashes inside them.
pub const CACHED_TILES: usize = 1024;

/// Attempts to store a remembered checkpoint while others store theirs.
pub const REMEMBER_ATTEMPTS: usize = 16;

/// Looks at the head by a check of the ledger while a writer keeps changing it.
pub const HEAD_LOOKS: usize = 16;

/// Defects a check of the ledger reports one by one; further ones are only counted.
pub const DEFECTS: usize = 10_000;

/// Defects after which a check of the ledger gives up; a checkpoint may claim more tiles than anyone can look for.
pub const DEFECTS_COUNTED: u64 = 100_000;

/// Names asked for in one listing.
pub const LIST_PAGE: usize = 1000;

/// Records in one segment.
pub const SEGMENT_RECORDS: usize = 65_536;

/// Hashes in the inclusion proof of a record in its segment.
pub const SEGMENT_PATH: usize = 16;

/// Bytes of one group of a record.
pub const RECORD_GROUP_BYTES: usize = 1024 * 1024;

/// Bytes of a record proof: five groups in base64, and the path.
pub const RECORD_PROOF_BYTES: usize = 5 * (RECORD_GROUP_BYTES / 3 * 4 + 128) + 4096;
