//! Limits on everything this crate reads from outside.

/// Bytes of one DSSE envelope, as JSON; a ledger entry.
pub const ENVELOPE_BYTES: usize = bartizan_base::limits::ENTRY_BYTES;

/// Signatures in one envelope.
pub const SIGNATURES: usize = 16;

/// Bytes of one signature. ECDSA over P-256 takes 72 at most; foreign signers in one envelope may take more.
pub const SIGNATURE_BYTES: usize = 1024;

/// Bytes of a payload type or of a key id hint.
pub const HINT_BYTES: usize = 255;

/// Members of one object in foreign JSON.
pub const OBJECT_MEMBERS: usize = 1000;

/// Bytes of one OMS bundle.
pub const BUNDLE_BYTES: usize = 32 * 1024 * 1024;

/// Files in one OMS manifest.
pub const BUNDLE_FILES: usize = 100_000;

/// Paths that an OMS manifest leaves out.
pub const IGNORED_PATHS: usize = 1000;

/// Bytes of one path in an OMS manifest, ignored ones included, and of the model's name.
pub const PATH_BYTES: usize = 4096;

/// Bytes of a PEM file.
pub const PEM_BYTES: usize = 16 * 1024;

/// Bytes of one segment of an encrypted stream as stored: plain text and tag, and in the first the header.
pub const SEGMENT_BYTES: usize = 1024 * 1024;

/// Segments in one encrypted stream: the counter in the nonce has 32 bits.
pub const SEGMENTS: u64 = 1 << 32;

/// Bytes of the file that holds a root key.
pub const ROOT_KEY_BYTES: usize = 4096;

/// Bytes of a project's key record.
pub const KEY_RECORD_BYTES: usize = 1024 * 1024;

/// Signing keys in a project's key record, retired and revoked ones included.
pub const SIGNING_KEYS: usize = 1000;

/// Bytes of one wrapped data key record.
pub const WRAPPED_KEY_BYTES: usize = 4096;

/// Bytes of a trust file.
pub const TRUST_FILE_BYTES: usize = 64 * 1024;

/// Witnesses in a trust file.
pub const WITNESSES: usize = 64;

/// Bytes of a passphrase, at least.
pub const PASSPHRASE_BYTES_MIN: usize = 12;

/// Bytes of a passphrase, at most.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;

/// Memory of argon2id in KiB, at least: the first choice of the OWASP password storage guide.
pub const ARGON2_MEMORY_KIB_MIN: u32 = 19 * 1024;

/// Memory of argon2id in KiB, at most, so that a forged file cannot exhaust the machine.
pub const ARGON2_MEMORY_KIB_MAX: u32 = 1024 * 1024;

/// Passes of argon2id, at least.
pub const ARGON2_PASSES_MIN: u32 = 2;

/// Passes of argon2id, at most.
pub const ARGON2_PASSES_MAX: u32 = 16;

/// Lanes of argon2id, at most.
pub const ARGON2_LANES_MAX: u32 = 4;

/// Subjects in one shard of subjects' keys; a project has 256 shards.
pub const SUBJECT_SHARD_KEYS: usize = 65_536;

/// Bytes of one shard of subjects' keys: 100 for each, and a header.
pub const SUBJECT_SHARD_BYTES: usize = SUBJECT_SHARD_KEYS * 100 + 128;

/// Open keys of subjects in memory, about 1.2 KiB each.
pub const CACHED_SUBJECT_KEYS: usize = 65_536;

/// Bytes of shards in memory, beyond the one in use.
pub const CACHED_SUBJECT_SHARD_BYTES: usize = 64 * 1024 * 1024;

/// Keys of new subjects that no shard holds yet.
pub const PENDING_SUBJECT_KEYS: usize = 131_072;

/// Bytes of a file with a detached signature.
pub const DETACHED_BYTES: usize = 16 * 1024;

/// Bytes of the comment that a signature of minisign covers.
pub const MINISIGN_COMMENT_BYTES: usize = 1024;
