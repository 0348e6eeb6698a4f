//! The Merkle tree of RFC 6962 and RFC 9162: hashes, proofs, and which parts of the tree a proof needs.

use bartizan_base::{Digest, sha256};

use crate::limits::{PROOF_HASHES, TREE_SIZE};

/// The hash of a leaf: SHA-256(0x00 || entry) (RFC 6962, section 2.1).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    let mut hasher = bartizan_base::Hasher::new();
    hasher.update(&[0]);
    hasher.update(entry);
    hasher.finish()
}

/// The hash of an inner node: SHA-256(0x01 || left || right) (RFC 6962, section 2.1).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut message = [1; 1 + 2 * 32];
    let sides = left.as_bytes().iter().chain(right.as_bytes());
    message.iter_mut().skip(1).zip(sides).for_each(|(to, from)| *to = *from);
    sha256(&message)
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    sha256(&[])
}

/// The root over a list of hashes of equally tall, complete subtrees, the last of which may be incomplete.
///
/// Pairing neighbours and carrying an odd last one upwards builds the same tree as splitting at the largest
/// power of two, which is how RFC 6962 defines it.
pub fn root_of(hashes: &[Digest]) -> Digest {
    if hashes.is_empty() {
        return empty_root();
    }
    let mut row = hashes.to_vec();
    loop {
        let (pairs, odd) = row.as_chunks::<2>();
        let mut next: Vec<Digest> = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
        next.extend_from_slice(odd);
        if let [root] = next.as_slice() {
            return *root;
        }
        row = next;
    }
}

/// The proof does not show what it claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofInvalid {
    /// The leaf's index is not below the tree's size.
    #[error("leaf {index} is not in a tree of {size}")]
    IndexBeyondSize {
        /// The index claimed.
        index: u64,
        /// The size claimed.
        size: u64,
    },
    /// The older tree is larger than the newer.
    #[error("a tree of {old} cannot have grown into one of {new}")]
    Shrunk {
        /// The older size.
        old: u64,
        /// The newer size.
        new: u64,
    },
    /// A size that no ledger reaches.
    #[error("a tree of {size} leaves is larger than allowed")]
    SizeBeyondLimit {
        /// The size claimed.
        size: u64,
    },
    /// The leaves do not ascend, or one is there twice.
    #[error("the leaves do not ascend")]
    Order,
    /// Fewer or more hashes than trees of these sizes need.
    #[error("{hashes} hashes in the proof do not fit these sizes")]
    Length {
        /// How many there were.
        hashes: usize,
    },
    /// The hashes lead to another root than the newer (or only) one.
    #[error("the proof leads to another root")]
    Root,
    /// The hashes lead to another root than the older one.
    #[error("the proof leads to another root of the older tree")]
    OldRoot,
}

/// Checks that the leaf with hash `leaf` is at `index` in the tree of `size` leaves with `root`
/// (RFC 9162, section 2.1.3.2).
///
/// # Errors
/// When it is not, or the proof has another length than such a tree needs.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofInvalid> {
    check_size(size)?;
    if index >= size {
        return Err(ProofInvalid::IndexBeyondSize { index, size });
    }
    let wrong_length = ProofInvalid::Length { hashes: proof.len() };
    if proof.len() > PROOF_HASHES {
        return Err(wrong_length);
    }
    let mut walk = Walk { node: index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in proof {
        if walk.at_root() {
            return Err(wrong_length);
        }
        if walk.is_right_or_last() {
            hash = node_hash(sibling, &hash);
            walk.skip_missing_siblings();
        } else {
            hash = node_hash(&hash, sibling);
        }
        walk.up();
    }
    if !walk.at_root() {
        return Err(wrong_length);
    }
    if hash == *root { Ok(()) } else { Err(ProofInvalid::Root) }
}

/// Checks that the tree of `new` leaves continues the tree of `old` leaves (RFC 9162, section 2.1.4.2).
///
/// Trees of equal size need no hashes, only equal roots. Every tree continues the empty one: no hashes, and
/// `old_root` must be the root of nothing.
///
/// # Errors
/// When it does not, or the proof has another length than such trees need.
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Digest],
    old_root: &Digest,
    new_root: &Digest,
) -> Result<(), ProofInvalid> {
    check_size(new)?;
    if old > new {
        return Err(ProofInvalid::Shrunk { old, new });
    }
    let wrong_length = ProofInvalid::Length { hashes: proof.len() };
    if old == 0 || old == new {
        if !proof.is_empty() {
            return Err(wrong_length);
        }
        let expected = if old == new { *new_root } else { empty_root() };
        return if *old_root == expected { Ok(()) } else { Err(ProofInvalid::OldRoot) };
    }
    if proof.len() > PROOF_HASHES {
        return Err(wrong_length);
    }
    let mut walk = Walk { node: old - 1, last: new - 1 };
    while walk.node & 1 == 1 {
        walk.up();
    }
    // A complete older tree is itself the first node, so its root is left out of the proof.
    let (start, rest) = if old.is_power_of_two() {
        (*old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(wrong_length)?;
        (*first, rest)
    };
    let (mut old_hash, mut new_hash) = (start, start);
    for sibling in rest {
        if walk.at_root() {
            return Err(wrong_length);
        }
        if walk.is_right_or_last() {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            walk.skip_missing_siblings();
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        walk.up();
    }
    if !walk.at_root() {
        return Err(wrong_length);
    }
    if old_hash != *old_root {
        return Err(ProofInvalid::OldRoot);
    }
    if new_hash == *new_root { Ok(()) } else { Err(ProofInvalid::Root) }
}

fn check_size(size: u64) -> Result<(), ProofInvalid> {
    if size > TREE_SIZE { Err(ProofInvalid::SizeBeyondLimit { size }) } else { Ok(()) }
}

/// A walk from a node to the root: its index on its level and the last index of that level ("fn" and "sn" of
/// RFC 9162).
struct Walk {
    node: u64,
    last: u64,
}

impl Walk {
    fn at_root(&self) -> bool {
        self.last == 0
    }

    fn is_right_or_last(&self) -> bool {
        self.node & 1 == 1 || self.node == self.last
    }

    /// A last node without a right sibling is its own parent, up to where it is a right child.
    fn skip_missing_siblings(&mut self) {
        while self.node & 1 == 0 && self.node != 0 {
            self.up();
        }
    }

    fn up(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }
}

/// Leaves `begin..end`, a subtree of a Merkle tree; incomplete only where the tree ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

/// A complete subtree: the `index`-th of those with 2^`height` leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) height: u32,
    pub(crate) index: u64,
}

impl Span {
    /// The complete subtrees this span consists of, left to right, tallest first.
    pub(crate) fn nodes(self) -> Vec<Node> {
        let mut nodes = Vec::new();
        let mut begin = self.begin;
        while begin < self.end {
            let height = (self.end - begin).ilog2();
            nodes.push(Node { height, index: begin >> height });
            begin += 1 << height;
        }
        nodes
    }
}

/// The spans whose hashes form the inclusion proof of `index`, from the leaf upwards (RFC 6962, 2.1.1).
/// `index` must be below `size`.
pub(crate) fn inclusion_spans(index: u64, size: u64) -> Vec<Span> {
    let mut spans = Vec::new();
    let (mut begin, mut end) = (0, size);
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            spans.push(Span { begin: middle, end });
            end = middle;
        } else {
            spans.push(Span { begin, end: middle });
            begin = middle;
        }
    }
    spans.reverse();
    spans
}

/// The spans whose hashes form the consistency proof from `old` to `new` (RFC 6962, 2.1.2); empty when
/// `old` is 0 or equals `new`. `old` must not exceed `new`.
pub(crate) fn consistency_spans(old: u64, new: u64) -> Vec<Span> {
    let mut spans = Vec::new();
    if old == 0 {
        return spans;
    }
    let (mut begin, mut end) = (0, new);
    while old != end {
        let middle = begin + split(end - begin);
        if old <= middle {
            spans.push(Span { begin: middle, end });
            end = middle;
        } else {
            spans.push(Span { begin, end: middle });
            begin = middle;
        }
    }
    if begin != 0 {
        spans.push(Span { begin, end });
    }
    spans.reverse();
    spans
}

/// The largest power of two below `leaves`, which must exceed 1.
pub(crate) fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}
