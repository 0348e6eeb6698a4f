//! Limits of this crate, in one place.

/// Bytes that are asked of an object store at a time.
pub const OBJECT_BLOCK_BYTES: u64 = 4 * 1024 * 1024;

/// Blocks of one object that are here or on their way.
pub const OBJECT_BLOCKS_AHEAD: usize = 4;

/// Seconds in which a connection to an object store comes about.
pub const OBJECT_CONNECT_SECONDS: u64 = 10;

/// Seconds in which it has answered a request, and in which requests are made again.
pub const OBJECT_SECONDS: u64 = 60;

/// Times that a request to it is made again.
pub const OBJECT_RETRIES: usize = 4;

/// Bytes of one compare-and-swap value.
pub const CAS_VALUE_BYTES: usize = 64 * 1024;

/// Files that one `put` keeps open at a time; larger batches are written in groups of this size.
pub const OPEN_FILES: usize = 64;

/// Names that a directory listing holds in memory beyond what its caller asked for.
pub const LIST_SLACK: usize = 256;

/// Directories whose durability a process remembers; beyond that it forgets them and syncs again.
pub const KNOWN_DIRS: usize = 65_536;

/// Attempts to find an unused temporary name.
pub const TEMP_NAMES: u32 = 1_000;

/// Bytes of the file that says who holds a data directory.
pub const LOCK_BYTES: usize = 512;

/// Times that a process looks for the holder's entry in the lock file, and the pause between two looks.
pub const LOCK_LOOKS: u32 = 50;
/// Pause between two looks into the lock file, in milliseconds.
pub const LOCK_PAUSE_MS: u64 = 10;

/// Bytes of a data directory's version file.
pub const VERSION_BYTES: usize = 64;

/// How long a database connection waits for another writer before it reports busy, in milliseconds.
pub const DB_BUSY_MS: u64 = 2_000;

/// Attempts of one transaction before it gives up.
pub const TX_ATTEMPTS: u32 = 5;

/// Pause before the second attempt of a transaction, in milliseconds; doubled for each further one.
pub const TX_PAUSE_MS: u64 = 10;

/// The longest pause between two attempts of a transaction, in milliseconds.
pub const TX_PAUSE_MOST_MS: u64 = 1_000;

/// Connections that read the database at a time.
pub const DB_READERS: u32 = 4;

/// How long a caller waits for a connection, in milliseconds.
pub const DB_ACQUIRE_MS: u64 = 30_000;

/// Rows that one statement of a bulk insert carries.
pub const INSERT_ROWS: usize = 128;

/// Bytes of all groups of one record.
pub const RECORD_BYTES: usize = 2 * 1024 * 1024;

/// Records that were given a sequence number and are not durable yet; further callers are refused.
pub const QUEUE_RECORDS: usize = 8_192;

/// Bytes that these may take; further callers are refused.
pub const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// Longest time for which the writer of the record log waits for as many records as it last wrote together, in
/// microseconds.
pub const GATHER_US: u64 = 200;

/// Buffers of written records that are kept for the next ones.
pub const SPARE_BUFFERS: usize = 256;

/// Bytes of the largest buffer that is kept so.
pub const SPARE_BUFFER_BYTES: usize = 4_096;

/// Bytes after which a batch of the record log is closed; one record more may follow.
pub const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of the body of one batch of the record log, as read.
pub const BATCH_BODY_BYTES: usize = 8 * 1024 * 1024;

/// Bytes after which a record log is closed.
pub const LOG_BYTES: u64 = 256 * 1024 * 1024;

/// Places behind the last whole batch of a record log that are tried as later ones before they count as damage.
pub const LATER_BATCHES: u32 = 16;

/// Bytes of a record log, as read: one batch may begin below [`LOG_BYTES`].
pub const LOG_FILE_BYTES: u64 = LOG_BYTES + 2 * 8 * 1024 * 1024;

/// Record logs that are closed and not confirmed; then records are refused until the ledger catches up.
pub const UNCONFIRMED_LOGS: usize = 16;

/// Record logs that earlier epochs may have left; each crash leaves one.
pub const LOGS_LEFT: usize = 4_096;

/// Time after which a record log is due to be sealed, also when it is empty, in milliseconds.
pub const SEAL_AFTER_MS: i64 = 60_000;

/// Records in one block of a segment.
pub const BLOCK_RECORDS: usize = 256;

/// Bytes of groups after which a block of a segment is closed; one record more may follow.
pub const BLOCK_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a page of a segment, and of what it holds compressed, as read.
pub const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Entries in one index page of a segment.
pub const INDEX_ENTRIES: usize = 1_024;

/// Segments in one page of the manifest.
pub const MANIFEST_SEGMENTS: u64 = 1_024;

/// Segments that one search looks into before it returns what it has and where to go on.
pub const SEARCH_SEGMENTS: usize = 1_024;

/// Blocks of segments that one scan reads before it says where to go on: as many as one full segment has.
pub const SCAN_BLOCKS: usize = 256;

/// Records in one page of results.
pub const RESULT_RECORDS: usize = 1_000;
