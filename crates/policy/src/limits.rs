//! Limits on what reaches this crate from outside.

/// Bytes of the text of an API key: `bz_`, 16, `_`, 43, `_`, 8.
pub const API_KEY_BYTES: usize = 72;

/// Days between the issue of an API key and its expiry.
pub const API_KEY_DAYS: i64 = 366;

/// Days between the issue of an enrolment key and its expiry.
pub const ENROLMENT_DAYS: i64 = 7;

/// Network ranges of one API key.
pub const NETWORKS: usize = 64;

/// Bytes of the text of one network range; the longest, in IPv6, has 43.
pub const NETWORK_BYTES: usize = 64;

/// Bytes of a list of scopes as a person types it.
pub const SCOPES_BYTES: usize = 4096;

/// Bytes of one stored decision record.
pub const DECISION_BYTES: usize = 16 * 1024;

/// People in one set of facts, such as the trainers of a version; a request with more is denied.
pub const PEOPLE: usize = 1024;
