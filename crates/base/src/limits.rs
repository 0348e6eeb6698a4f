//! Limits on what comes from outside that more than one crate must agree on.

/// Bytes of a name.
pub const NAME_BYTES: usize = 63;

/// Bytes of a blob's name.
pub const BLOB_NAME_BYTES: usize = 255;

/// Bytes of one ledger entry. The format of entry bundles allows 65,535; the rest is head-room.
pub const ENTRY_BYTES: usize = 60 * 1024;

/// Bytes of one canonical document, such as a manifest or a proof.
pub const CANONICAL_BYTES: usize = 16 * 1024 * 1024;

/// Levels of nesting in one canonical document.
pub const CANONICAL_DEPTH: usize = 32;

/// Bytes of plain text in one chunk of an encrypted stream.
pub const CHUNK_BYTES: usize = 1024 * 1024;
