//! The tree: every proof of every tree up to 600 leaves against the definitions, and mutated proofs.

use bartizan_base::{Digest, sha256};
use bartizan_ledger::{
    ProofInvalid, empty_root, leaf_hash, limits::TREE_SIZE, root_of, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

use crate::support::{Naive, Store, entry};

const LEAVES: u64 = 600;

fn digest(hex: &str) -> Digest {
    hex.parse().unwrap()
}

/// The roots that the tests of Certificate Transparency have used since RFC 6962.
#[test]
fn known_roots() {
    let leaves: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let hashes: Vec<Digest> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(root_of(&hashes[..size]), digest(root), "{size} leaves");
    }
}

#[test]
fn every_inclusion_proof() {
    let mut naive = Naive::new(LEAVES);
    let store = Store::filled(LEAVES);
    let snapshot = store.reader().snapshot().unwrap();
    for size in 0..=LEAVES as usize {
        let root = naive.root(size);
        assert_eq!(snapshot.root(size as u64).unwrap(), root, "root of {size}");
        for index in 0..size {
            let path = naive.path(index, size);
            assert_eq!(snapshot.inclusion(index as u64, size as u64).unwrap(), path, "{index} of {size}");
            let leaf = leaf_hash(&entry(index as u64));
            verify_inclusion(&leaf, index as u64, size as u64, &path, &root).unwrap();
        }
    }
}

#[test]
fn every_consistency_proof() {
    let mut naive = Naive::new(LEAVES);
    let store = Store::filled(LEAVES);
    let snapshot = store.reader().snapshot().unwrap();
    for new in 0..=LEAVES as usize {
        let new_root = naive.root(new);
        for old in 0..=new {
            let old_root = naive.root(old);
            let proof = if old == 0 { Vec::new() } else { naive.proof(old, new) };
            assert_eq!(snapshot.consistency(old as u64, new as u64).unwrap(), proof, "{old} to {new}");
            verify_consistency(old as u64, new as u64, &proof, &old_root, &new_root).unwrap();
        }
    }
}

/// No proof verifies for another place, size or root; in small trees all combinations are tried.
#[test]
fn proofs_hold_for_one_place_only() {
    let mut naive = Naive::new(20);
    let roots: Vec<Digest> = (0..=20).map(|size| naive.root(size)).collect();
    for size in 1..=20usize {
        for index in 0..size {
            let path = naive.path(index, size);
            let leaf = leaf_hash(&entry(index as u64));
            for other_size in 0..=20usize {
                for other in 0..20usize {
                    let holds =
                        verify_inclusion(&leaf, other as u64, other_size as u64, &path, &roots[other_size])
                            .is_ok();
                    assert_eq!(
                        holds,
                        (other, other_size) == (index, size),
                        "{index}/{size}: {other}/{other_size}"
                    );
                }
            }
        }
    }
    for new in 1..=20usize {
        for old in 1..new {
            let proof = naive.proof(old, new);
            for other_new in 0..=20usize {
                for other_old in 0..=20usize {
                    let (old_root, new_root) = (&roots[other_old], &roots[other_new]);
                    let holds =
                        verify_consistency(other_old as u64, other_new as u64, &proof, old_root, new_root)
                            .is_ok();
                    assert_eq!(holds, (other_old, other_new) == (old, new));
                }
            }
        }
    }
}

#[test]
fn refusals_say_why() {
    let zero = sha256(b"0");
    let inclusion = |index, size, hashes: usize| {
        verify_inclusion(&zero, index, size, &vec![zero; hashes], &zero).unwrap_err()
    };
    assert_eq!(inclusion(0, 0, 0), ProofInvalid::IndexBeyondSize { index: 0, size: 0 });
    assert_eq!(inclusion(7, 7, 3), ProofInvalid::IndexBeyondSize { index: 7, size: 7 });
    assert_eq!(inclusion(0, u64::MAX, 64), ProofInvalid::SizeBeyondLimit { size: u64::MAX });
    assert_eq!(inclusion(0, TREE_SIZE, 55), ProofInvalid::Length { hashes: 55 });
    assert_eq!(inclusion(0, TREE_SIZE, 56), ProofInvalid::Root);
    assert_eq!(inclusion(0, 8, 65), ProofInvalid::Length { hashes: 65 });
    assert_eq!(inclusion(6, 7, 3), ProofInvalid::Length { hashes: 3 });
    assert_eq!(inclusion(6, 7, 2), ProofInvalid::Root);

    let consistency = |old, new, hashes: usize, old_root: &Digest| {
        verify_consistency(old, new, &vec![zero; hashes], old_root, &zero)
    };
    assert_eq!(consistency(2, 1, 0, &zero), Err(ProofInvalid::Shrunk { old: 2, new: 1 }));
    assert_eq!(consistency(0, 5, 0, &empty_root()), Ok(()));
    assert_eq!(consistency(0, 5, 0, &zero), Err(ProofInvalid::OldRoot));
    assert_eq!(consistency(0, 5, 1, &empty_root()), Err(ProofInvalid::Length { hashes: 1 }));
    assert_eq!(consistency(5, 5, 0, &zero), Ok(()));
    assert_eq!(consistency(5, 5, 0, &empty_root()), Err(ProofInvalid::OldRoot));
    assert_eq!(consistency(3, 5, 0, &zero), Err(ProofInvalid::Length { hashes: 0 }));
    assert_eq!(consistency(4, 8, 0, &zero), Err(ProofInvalid::Length { hashes: 0 }));
    assert_eq!(consistency(4, 8, 1, &zero), Err(ProofInvalid::Root));
    assert_eq!(consistency(4, u64::MAX, 1, &zero), Err(ProofInvalid::SizeBeyondLimit { size: u64::MAX }));
}

/// What one may do to a proof.
#[derive(Debug, Clone)]
enum Mutation {
    Flip { hash: usize, bit: usize },
    Drop(usize),
    Repeat(usize),
    Swap(usize, usize),
    Insert(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<usize>(), 0..256usize).prop_map(|(hash, bit)| Mutation::Flip { hash, bit }),
        any::<usize>().prop_map(Mutation::Drop),
        any::<usize>().prop_map(Mutation::Repeat),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Mutation::Swap(a, b)),
        any::<usize>().prop_map(Mutation::Insert),
    ]
}

fn mutate(proof: &[Digest], mutation: &Mutation) -> Vec<Digest> {
    let mut proof = proof.to_vec();
    let length = proof.len();
    match *mutation {
        Mutation::Insert(at) => proof.insert(at % (length + 1), sha256(b"inserted")),
        _ if length == 0 => {}
        Mutation::Flip { hash, bit } => {
            let mut bytes = *proof[hash % length].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            proof[hash % length] = Digest::from_bytes(bytes);
        }
        Mutation::Drop(at) => drop(proof.remove(at % length)),
        Mutation::Repeat(at) => proof.insert(at % length, proof[at % length]),
        Mutation::Swap(a, b) => proof.swap(a % length, b % length),
    }
    proof
}

proptest! {
    #[test]
    fn mutated_proofs_fail(size in 1..400usize, at in any::<usize>(), mutation in mutation()) {
        let mut naive = Naive::new(size as u64);
        let root = naive.root(size);
        let index = at % size;
        let path = naive.path(index, size);
        let wrong = mutate(&path, &mutation);
        let leaf = leaf_hash(&entry(index as u64));
        let holds = verify_inclusion(&leaf, index as u64, size as u64, &wrong, &root).is_ok();
        prop_assert_eq!(holds, wrong == path);

        let old = 1 + at % size;
        let old_root = naive.root(old);
        let proof = naive.proof(old, size);
        let wrong = mutate(&proof, &mutation);
        let holds = verify_consistency(old as u64, size as u64, &wrong, &old_root, &root).is_ok();
        prop_assert_eq!(holds, wrong == proof);
    }

    /// Nothing a stranger sends makes a verifier panic or accept.
    #[test]
    fn arbitrary_proofs_fail(
        index in any::<u64>(), size in any::<u64>(), hashes in 0..80usize, old in any::<u64>(), shift in 0..64u32,
    ) {
        let proof: Vec<Digest> = (0..hashes).map(|n| sha256(&n.to_be_bytes())).collect();
        let root = sha256(b"root");
        let (index, size, old) = (index >> shift, size >> shift, old >> shift);
        prop_assert!(verify_inclusion(&sha256(b"leaf"), index, size, &proof, &root).is_err());
        let held = verify_consistency(old, size, &proof, &sha256(b"old"), &root).is_ok();
        prop_assert!(!held);
    }
}
