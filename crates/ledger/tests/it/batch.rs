//! Proofs of several leaves: against the tree's definition, for the same hashes as single proofs, and mutated.

use std::collections::BTreeSet;

use bartizan_base::{Digest, sha256};
use bartizan_ledger::{
    ProofInvalid, ReadFailed, leaf_hash, limits::TREE_SIZE, narrow_inclusions, prove_inclusions, root_of,
    verify_inclusions,
};
use proptest::prelude::*;

use crate::support::{Store, entry};

fn hashes(size: u64) -> Vec<Digest> {
    (0..size).map(|index| leaf_hash(&entry(index))).collect()
}

fn pick(hashes: &[Digest], indices: &[u64]) -> Vec<(u64, Digest)> {
    indices.iter().map(|index| (*index, hashes[*index as usize])).collect()
}

/// Every set of leaves of every tree of up to nine.
#[test]
fn every_set_of_small_trees() {
    for size in 1..=9_u64 {
        let hashes = hashes(size);
        let root = root_of(&hashes);
        for set in 0..1_u64 << size {
            let indices: Vec<u64> = (0..size).filter(|index| set >> index & 1 == 1).collect();
            let proof = prove_inclusions(&hashes, &indices).unwrap();
            verify_inclusions(&pick(&hashes, &indices), size, &proof, &root).unwrap();
            if indices.is_empty() {
                assert_eq!(proof, [root], "nothing of the tree is known");
            }
            if indices.len() as u64 == size {
                assert_eq!(proof, [], "all of the tree is known");
            }
        }
    }
}

#[test]
fn one_leaf_takes_the_hashes_of_its_single_proof() {
    let snapshot = Store::filled(300).reader().snapshot().unwrap();
    for size in [1, 2, 3, 255, 256, 257, 300] {
        for index in [0, size / 2, size - 1] {
            let mut single = snapshot.inclusion(index, size).unwrap();
            let mut batch = snapshot.inclusions(&BTreeSet::from([index]), size).unwrap();
            single.sort();
            batch.sort();
            assert_eq!(batch, single, "{index} of {size}");
        }
    }
}

#[test]
fn a_ledger_proves_what_all_its_hashes_prove() {
    let snapshot = Store::filled(600).reader().snapshot().unwrap();
    let hashes = hashes(600);
    for indices in [vec![0], vec![0, 1, 2, 3, 4], vec![7, 255, 256, 257, 511, 512, 599], (0..600).collect()] {
        let wanted: BTreeSet<u64> = indices.iter().copied().collect();
        let proof = snapshot.inclusions(&wanted, 600).unwrap();
        assert_eq!(proof, prove_inclusions(&hashes, &indices).unwrap());
        let root = snapshot.checkpoint().root();
        verify_inclusions(&pick(&hashes, &indices), 600, &proof, &root).unwrap();
    }
    let beyond = snapshot.inclusions(&BTreeSet::from([1, 600]), 600);
    assert!(matches!(beyond, Err(ReadFailed::Beyond { asked: 600, size: 600 })));
}

#[test]
fn what_is_no_proof_is_refused() {
    let all = hashes(6);
    let root = root_of(&all);
    let proof = prove_inclusions(&all, &[1, 4]).unwrap();
    let leaves = pick(&all, &[1, 4]);
    let check = |leaves: &[(u64, Digest)], size, proof: &[Digest]| {
        verify_inclusions(leaves, size, proof, &root).unwrap_err()
    };
    let swapped = [leaves[1], leaves[0]];
    let twice = [leaves[0], leaves[0], leaves[1]];
    let longer = [proof.as_slice(), &[root]].concat();
    for (refused, expected) in [
        (check(&swapped, 6, &proof), ProofInvalid::Order),
        (check(&twice, 6, &proof), ProofInvalid::Order),
        (check(&leaves, 4, &proof), ProofInvalid::IndexBeyondSize { index: 4, size: 4 }),
        (check(&leaves, 6, &proof[1..]), ProofInvalid::Length { hashes: proof.len() - 1 }),
        (check(&leaves, 6, &longer), ProofInvalid::Length { hashes: proof.len() + 1 }),
        (check(&[], 6, &[]), ProofInvalid::Length { hashes: 0 }),
        (check(&[], 0, &[root]), ProofInvalid::Length { hashes: 1 }),
        (check(&leaves, TREE_SIZE + 1, &proof), ProofInvalid::SizeBeyondLimit { size: TREE_SIZE + 1 }),
        (check(&[(2, all[1]), (4, all[4])], 6, &proof), ProofInvalid::Root),
        (check(&leaves, 5, &proof[..proof.len() - 1]), ProofInvalid::Root),
    ] {
        assert_eq!(refused, expected);
    }
    assert_eq!(prove_inclusions(&all, &[6]), Err(ProofInvalid::IndexBeyondSize { index: 6, size: 6 }));
    assert_eq!(prove_inclusions(&all, &[2, 1]), Err(ProofInvalid::Order));
}

proptest! {
    /// Leaving leaves out of a proof gives the proof of the others.
    #[test]
    fn a_narrowed_proof_is_that_of_fewer_leaves(size in 1_u64..200, seed in prop::collection::btree_set(0_u64..200, 0..30), keep: u32) {
        let indices: Vec<u64> = seed.into_iter().filter(|index| *index < size).collect();
        let all = hashes(size);
        let proof = prove_inclusions(&all, &indices).unwrap();
        let kept: Vec<u64> = indices.iter().copied().filter(|index| keep >> (index % 32) & 1 == 1).collect();
        let wanted = kept.iter().copied().collect();
        let narrowed = narrow_inclusions(&pick(&all, &indices), size, &proof, &wanted);
        prop_assert_eq!(narrowed, Some(prove_inclusions(&all, &kept).unwrap()));
    }

    #[test]
    fn what_was_changed_is_refused(size in 1_u64..200, seed in prop::collection::btree_set(0_u64..200, 1..20), at in 0_usize..400) {
        let indices: Vec<u64> = seed.into_iter().filter(|index| *index < size).collect();
        prop_assume!(!indices.is_empty());
        let all = hashes(size);
        let root = root_of(&all);
        let (mut leaves, mut proof) = (pick(&all, &indices), prove_inclusions(&all, &indices).unwrap());
        prop_assert!(verify_inclusions(&leaves, size, &proof, &root).is_ok());
        let place = at % (leaves.len() + proof.len());
        match place.checked_sub(leaves.len()) {
            None => leaves[place].1 = sha256(b"another"),
            Some(place) => proof[place] = sha256(b"another"),
        }
        prop_assert_eq!(verify_inclusions(&leaves, size, &proof, &root), Err(ProofInvalid::Root));
    }
}
