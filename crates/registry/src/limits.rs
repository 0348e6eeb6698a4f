//! Limits on what comes from outside, and names that are guarded.

/// Deliveries that one statement may add to a data set: what fits an entry of 60 KiB.
pub const PARTS_PER_STATEMENT: usize = 64;

/// Deliveries with a signature among them.
pub const SIGNED_PARTS_PER_STATEMENT: usize = 40;

/// What a statement about a data set may weigh: a delivery, the signature of one, and a version that it was made from
/// take room in its entry in these proportions.
pub const DATASET_WEIGHT: usize = 640;

/// What a delivery weighs.
pub const PART_WEIGHT: usize = 10;

/// What its signature weighs.
pub const SIGNATURE_WEIGHT: usize = 4;

/// What a version weighs that data was made from.
pub const DERIVED_WEIGHT: usize = 4;

/// Keys of one source of data, revoked ones included.
pub const SOURCE_KEYS: usize = 32;

/// Sources of data of one project.
pub const SOURCES: usize = 10_000;

/// Bytes of a delivery that is signed with Ed25519 itself, which can only be checked with all of them at hand.
pub const ED25519_DELIVERY_BYTES: u64 = 256 * 1024 * 1024;

/// Data set versions that one version may name as what it was made from.
pub const DERIVED_FROM: usize = 16;

/// Tables that values of one version's deliveries are looked up in.
pub const COMPARED_TABLES: usize = 32;

/// What each thing weighs that deliveries are compared with.
pub const COMPARED_WEIGHT: usize = 5;

/// Things that one walk through lineage reaches.
pub const LINEAGE_WALK: usize = 50_000;

/// Things on one page of such a walk.
pub const LINEAGE_PAGE: usize = 1_000;

/// Files of one model.
pub const MODEL_FILES: usize = 4096;

/// Bytes of one path inside a model.
pub const MODEL_PATH_BYTES: usize = 512;

/// Levels of directories inside a model.
pub const MODEL_DEPTH: usize = 16;

/// Bytes of one file of a model, or of one delivery: 1 TiB.
pub const MODEL_FILE_BYTES: u64 = 1 << 40;

/// Data set versions that one model may name as trained on.
pub const TRAINED_ON: usize = 64;

/// Bytes of a reason, source or declaration in words.
pub const TEXT_BYTES: usize = 16 * 1024;

/// Bytes of a private document: a manifest, schema, profile or findings.
pub const DOCUMENT_BYTES: usize = 16 * 1024 * 1024;

/// Segments that one statement of an erasure names: what fits an entry of 60 KiB.
pub const ERASED_SEGMENTS: usize = 256;

/// Ranges of records that one statement of an erasure names.
pub const ERASED_RANGES: usize = 512;

/// Words of the command of a run.
pub const RUN_ARGUMENTS: usize = 1024;

/// Data sets that a run reads.
pub const RUN_INPUTS: usize = 64;

/// The Python environment of a run, and parts of the installation that it rests on.
pub const ENVIRONMENT_PARTS: usize = 8;

/// Bytes of a run's log that are kept: the last ones.
pub const LOG_BYTES: usize = 256 * 1024;

/// Bytes of a proof file.
pub const PROOF_BYTES: usize = 32 * 1024 * 1024;

/// Entries in a proof file.
pub const PROOF_ENTRIES: usize = 4096;

/// Bytes of a receipt.
pub const RECEIPT_BYTES: usize = 4 * 1024;

/// Decisions about reads that are written in one group.
pub const TOGETHER: usize = 256;

/// How often a decision about a read is made anew because what it rests on changed before it was recorded.
pub const DECIDE_AGAIN: usize = 3;

/// Answers that are kept to the question who may ask an endpoint for predictions.
pub const JUDGED: usize = 4096;

/// How far this machine's clock may be behind the last statement before nothing more is written.
pub const CLOCK_BEHIND_MILLIS: i64 = 5 * 60 * 1000;

/// Aliases that say "this one is in use": setting one is a promotion and needs an approved version.
pub const GUARDED_ALIASES: &[&str] = &["champion", "prod", "production", "live"];

/// Bytes of a name, login or e-mail address of a principal.
pub const PROFILE_TEXT_BYTES: usize = 256;

/// Uploads that one process holds before they are used.
pub const PENDING_UPLOADS: usize = 16_384;

/// How long an upload waits to be used: an hour.
pub const UPLOAD_MILLIS: i64 = 60 * 60 * 1000;

/// How long the first admin's API key lives: 90 days.
pub const FOUNDER_KEY_MILLIS: i64 = 90 * 24 * 60 * 60 * 1000;

/// Values in one request for tokens, or tokens in one request for values.
pub const TOKENS: usize = 10_000;

/// Bytes of the id of a kind of personal data.
pub const TOKEN_KIND_BYTES: usize = 40;

/// What may answer instead of a version that an endpoint is routed back to, beside nobody: each may have to be loaded.
pub const FALLBACKS_TRIED: usize = 8;
