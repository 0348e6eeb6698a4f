//! Limits on what comes from outside: files to read, schemas to parse, profiles to load.

/// Bytes of one record of a CSV file, quotes removed; also of the header.
pub const RECORD_BYTES: usize = 1024 * 1024;

/// Bytes of one cell.
pub const CELL_BYTES: usize = 256 * 1024;

/// Columns of one file.
pub const COLUMNS: usize = 10_000;

/// Bytes of a column's name.
pub const COLUMN_NAME_BYTES: usize = 256;

/// Rows of one file, and of all files that one profile covers: the largest count a canonical document holds.
pub const ROWS: u64 = (1 << 53) - 1;

/// Spellings of "no value" in one schema.
pub const NULL_TOKENS: usize = 32;

/// Bytes of one such spelling.
pub const NULL_TOKEN_BYTES: usize = 32;

/// Distinct values that a profile counts exactly in one column; beyond it, it forgets them all.
pub const COUNTED_VALUES: usize = 1_000;

/// Cost (see `docs/formats/data-profile.md`) of the distinct values counted in one column.
pub const COUNTED_COLUMN_COST: usize = 64 * 1024;

/// Cost of the distinct values counted in all columns together: wide files get less for each column.
pub const COUNTED_PROFILE_COST: usize = 4 * 1024 * 1024;

/// Distinct labels whose shares a schema holds.
pub const LABELS: usize = 100;

/// Bytes of a schema file.
pub const SCHEMA_BYTES: usize = 8 * 1024 * 1024;

/// Values in one domain of a schema.
pub const DOMAIN_VALUES: usize = 10_000;

/// Edges of one histogram.
pub const HISTOGRAM_EDGES: usize = 4097;

/// Example rows in one finding.
pub const EXAMPLES: usize = 5;

/// Findings in one report. A file cannot make more than this by having strange columns.
pub const FINDINGS: usize = 1_000;

/// Bytes of the signature of one part.
pub const SIGNATURE_BYTES: usize = 64 * 1024;

/// Parts of one dataset version.
pub const PARTS: usize = 1_000_000;
