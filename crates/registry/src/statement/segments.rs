//! Predicates about segments of prediction records.

use bartizan_base::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Body, Subject};

/// A segment of prediction records was sealed: the root over them, and where they stand in their gateway's sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SegmentV1 {
    /// The gateway, 32 hexadecimal digits.
    pub gateway: String,
    /// The epoch of its log: one more with each start.
    pub epoch: u64,
    /// The segment's number.
    pub number: u64,
    /// The first sequence number.
    pub first: u64,
    /// How many records it holds.
    pub count: u64,
    /// Sequence numbers that were given out and never used.
    pub lost: u64,
    /// The root over the records' digests; see `docs/formats/segment.md`.
    pub root: Digest,
    /// The root of the gateway's segment before.
    pub previous: Option<Digest>,
    /// When it was sealed.
    pub at: Timestamp,
}

impl Body for SegmentV1 {
    fn subject(&self) -> Subject {
        Subject::new(format!("segment/{}/{}", self.gateway, self.number), self.root)
    }
}
