//! The Merkle tree over the digests of a segment's records.

use bartizan_base::{Digest, sha256};

use super::record::RecordDigest;
use crate::limits::SEGMENT_RECORDS;
use crate::merkle::{empty_root, inclusion_spans, node_hash, root_of};

/// The tree of RFC 6962 over record digests, built one by one. Takes 32 bytes of memory for each record.
#[derive(Debug, Clone, Default)]
pub struct SegmentTree {
    leaves: Vec<Digest>,
    // INVARIANT: the roots of the complete subtrees that the leaves consist of, tallest first: one for each bit
    // that is set in their number.
    edge: Vec<Digest>,
}

impl SegmentTree {
    /// The tree without records.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree over `digests`, in order; `None` when they are more than a segment may have.
    pub fn of(digests: impl IntoIterator<Item = RecordDigest>) -> Option<Self> {
        let mut tree = Self::new();
        digests.into_iter().all(|digest| tree.push(&digest)).then_some(tree)
    }

    /// Adds a record at the end; `false`, and nothing changes, when the segment is full.
    pub fn push(&mut self, digest: &RecordDigest) -> bool {
        if self.leaves.len() >= SEGMENT_RECORDS {
            return false;
        }
        let leaf = leaf(digest);
        let mut hash = leaf;
        for _ in 0..self.leaves.len().trailing_ones() {
            if let Some(left) = self.edge.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.leaves.push(leaf);
        self.edge.push(hash);
        true
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// The root; of no records, SHA-256 of nothing.
    pub fn root(&self) -> Digest {
        let mut subtrees = self.edge.iter().rev();
        let Some(smallest) = subtrees.next() else { return empty_root() };
        subtrees.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// The path from record `index` up to the root's child; `None` when there is no such record.
    pub fn path(&self, index: u64) -> Option<Vec<Digest>> {
        let size = u64::try_from(self.leaves.len()).ok()?;
        if index >= size {
            return None;
        }
        let subtree = |begin: u64, end: u64| {
            let range = usize::try_from(begin).ok()?..usize::try_from(end).ok()?;
            self.leaves.get(range).map(root_of)
        };
        inclusion_spans(index, size).into_iter().map(|span| subtree(span.begin, span.end)).collect()
    }
}

/// The same as [`leaf_hash`](crate::leaf_hash), in one call.
fn leaf(digest: &RecordDigest) -> Digest {
    let mut message = [0; 1 + 32];
    if let Some(place) = message.last_chunk_mut::<32>() {
        *place = *digest.digest().as_bytes();
    }
    sha256(&message)
}
