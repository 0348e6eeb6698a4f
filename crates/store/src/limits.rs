//! Limits of this crate, in one place.

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
