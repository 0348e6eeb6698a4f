//! Prediction records: commitments of their groups, the tree over a segment of them, and proofs of single ones.
//!
//! A record is five groups of opaque bytes. Each is committed with a salt of its own, so that a proof reveals
//! the groups it wants to and hides the others; the tree over the records' digests has the root that a ledger
//! entry names. Stored bytes are hashed as they are: nothing here decodes or encodes a group.
//!
//! ```text
//!   group, salt --SHA-256--> commitment   x 5  --SHA-256--> record digest --leaf of--> SegmentTree --> root
//!   RecordProof { groups or commitments, index, count, path } --verify(root, count)--> Revealed
//! ```
//!
//! Formats: `docs/formats/record.md`.

mod proof;
mod record;
mod tree;

pub use self::proof::{RecordProof, RecordProofInvalid, RecordProofRefused, Revealed, RevealedGroup, Shown};
pub use self::record::{Commitments, Group, RecordDigest, SALT_BYTES, Salt, commit};
pub use self::tree::SegmentTree;
