//! Proofs that several leaves are in one tree, with each hash once.
//!
//! A single inclusion proof (RFC 9162, section 2.1.3) holds the siblings on the way from a leaf to the root; the
//! proofs of neighbours repeat most of them. A batch proof holds the roots of the largest subtrees that contain none
//! of the leaves, from left to right. Tree, leaves and their order decide which subtrees these are, so nothing but the
//! hashes is in it, and for one leaf they are those of the single proof in another order.

use std::collections::BTreeSet;

use bartizan_base::Digest;

use crate::limits::TREE_SIZE;
use crate::merkle::{ProofInvalid, Span, node_hash, split};

/// Checks that each leaf, given as index and hash in ascending order of indices, is in the tree of `size` leaves with
/// `root`.
///
/// # Errors
/// When one is not, an index is out of order or beyond the tree, or hashes are missing or left over.
pub fn verify_inclusions(
    leaves: &[(u64, Digest)],
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofInvalid> {
    if size > TREE_SIZE {
        return Err(ProofInvalid::SizeBeyondLimit { size });
    }
    if let Some((index, _)) = leaves.last().filter(|(index, _)| *index >= size) {
        return Err(ProofInvalid::IndexBeyondSize { index: *index, size });
    }
    if !leaves.is_sorted_by(|(one, _), (next, _)| one < next) {
        return Err(ProofInvalid::Order);
    }
    let wrong_length = ProofInvalid::Length { hashes: proof.len() };
    if size == 0 {
        return Err(wrong_length);
    }
    let mut rest = proof.iter();
    let found = fold(leaves, Span { begin: 0, end: size }, &mut rest).ok_or(wrong_length)?;
    if rest.next().is_some() {
        return Err(wrong_length);
    }
    if found == *root { Ok(()) } else { Err(ProofInvalid::Root) }
}

/// The root of a span: from its leaves where there are any, or else the next hash. It is as deep as the tree is high.
fn fold(leaves: &[(u64, Digest)], span: Span, rest: &mut std::slice::Iter<'_, Digest>) -> Option<Digest> {
    match leaves {
        [] => rest.next().copied(),
        [(_, leaf)] if span.end - span.begin == 1 => Some(*leaf),
        leaves => {
            let middle = span.begin + split(span.end - span.begin);
            let (left, right) = leaves.split_at(leaves.partition_point(|(index, _)| *index < middle));
            let left = fold(left, Span { begin: span.begin, end: middle }, rest)?;
            let right = fold(right, Span { begin: middle, end: span.end }, rest)?;
            Some(node_hash(&left, &right))
        }
    }
}

/// The batch proof of those of the `leaves` whose indices are in `kept`, made from the proof of all of them: whoever
/// hands a proof on can leave leaves out. None when `proof` is not one of these leaves.
pub fn narrow_inclusions(
    leaves: &[(u64, Digest)],
    size: u64,
    proof: &[Digest],
    kept: &BTreeSet<u64>,
) -> Option<Vec<Digest>> {
    let wanted: Vec<u64> = kept.iter().copied().collect();
    if size == 0 || size > TREE_SIZE || wanted.last().is_some_and(|index| *index >= size) {
        return None;
    }
    let mut rest = proof.iter();
    let mut narrowed = Vec::new();
    for span in spans(&wanted, size) {
        // Hashes of leaves that are kept stand between the spans, and take none of the proof's.
        let from = leaves.partition_point(|(index, _)| *index < span.begin);
        let to = leaves.partition_point(|(index, _)| *index < span.end);
        narrowed.push(fold(leaves.get(from..to)?, span, &mut rest)?);
    }
    rest.next().is_none().then_some(narrowed)
}

/// The spans whose hashes prove that the leaves at `indices`, which ascend and are below `size`, are in a tree.
pub(crate) fn spans(indices: &[u64], size: u64) -> Vec<Span> {
    let mut found = Vec::new();
    collect(indices, Span { begin: 0, end: size }, &mut found);
    found
}

fn collect(indices: &[u64], span: Span, found: &mut Vec<Span>) {
    match indices {
        [] => found.push(span),
        [_] if span.end - span.begin == 1 => {}
        indices => {
            let middle = span.begin + split(span.end - span.begin);
            let (left, right) = indices.split_at(indices.partition_point(|index| *index < middle));
            collect(left, Span { begin: span.begin, end: middle }, found);
            collect(right, Span { begin: middle, end: span.end }, found);
        }
    }
}

/// The batch proof of the leaves at `indices`, which ascend, in a tree whose leaf hashes are all at hand.
///
/// # Errors
/// When an index is out of order or beyond the tree.
pub fn prove_inclusions(leaves: &[Digest], indices: &[u64]) -> Result<Vec<Digest>, ProofInvalid> {
    let size = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
    if let Some(index) = indices.last().copied().filter(|index| *index >= size) {
        return Err(ProofInvalid::IndexBeyondSize { index, size });
    }
    if !indices.is_sorted_by(|one, next| one < next) {
        return Err(ProofInvalid::Order);
    }
    let within = |span: Span| {
        let (begin, end) = (usize::try_from(span.begin), usize::try_from(span.end));
        begin.ok().zip(end.ok()).and_then(|(begin, end)| leaves.get(begin..end)).unwrap_or_default()
    };
    Ok(spans(indices, size).into_iter().map(|span| crate::merkle::root_of(within(span))).collect())
}
