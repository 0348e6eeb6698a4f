//! Commitments of records, the tree over them, and proofs that reveal what they are told to.

use std::collections::BTreeSet;

use bartizan_base::{Digest, sha256};
use bartizan_ledger::segment::{
    Commitments, Group, RecordDigest, RecordProof, RecordProofInvalid, RecordProofRefused, RevealedGroup,
    SegmentTree, Shown, commit,
};
use bartizan_ledger::{leaf_hash, limits, root_of};
use proptest::prelude::*;

fn digest(number: u64) -> RecordDigest {
    RecordDigest::from_digest(sha256(&number.to_be_bytes()))
}

fn tree(count: u64) -> SegmentTree {
    SegmentTree::of((0..count).map(digest)).unwrap()
}

/// Groups of any bytes, each with a salt that follows from it.
fn record(groups: &[Vec<u8>; 5]) -> [RevealedGroup; 5] {
    groups.each_ref().map(|bytes| RevealedGroup { salt: *sha256(bytes).as_bytes(), bytes: bytes.clone() })
}

fn commitments(record: &[RevealedGroup; 5]) -> Commitments {
    Commitments::of(record.each_ref().map(|group| (&group.salt, group.bytes.as_slice())))
}

#[test]
fn a_digest_is_what_the_format_says() {
    let groups = record(&["e", "s", "i", "o", "d"].map(|text| text.as_bytes().to_vec()));
    let of = commitments(&groups);
    let mut message = b"bartizan-record-v1".to_vec();
    for (group, revealed) in Group::ALL.into_iter().zip(&groups) {
        let expected = sha256(&[&revealed.salt[..], &revealed.bytes].concat());
        assert_eq!((*of.get(group), commit(&revealed.salt, &revealed.bytes)), (expected, expected));
        message.extend_from_slice(expected.as_bytes());
    }
    assert_eq!(*of.digest().digest(), sha256(&message));
    assert_eq!(Commitments::from_bytes(&of.to_bytes()), of);
    assert_eq!(Group::ALL.map(Group::index), [0, 1, 2, 3, 4]);
}

#[test]
fn long_groups_are_committed_to_like_short_ones() {
    for length in [0, 31, 991, 992, 993, 5_000] {
        let bytes = vec![7; length];
        assert_eq!(commit(&[1; 32], &bytes), sha256(&[&[1; 32][..], &bytes].concat()), "{length}");
    }
}

#[test]
fn the_root_grows_like_that_of_the_ledger() {
    let mut tree = SegmentTree::new();
    assert_eq!(tree.root(), sha256(b""));
    let mut leaves = Vec::new();
    for number in 0..300 {
        assert!(tree.push(&digest(number)));
        leaves.push(leaf_hash(digest(number).digest().as_bytes()));
        assert_eq!(tree.root(), root_of(&leaves));
    }
    assert_eq!((tree.len(), tree.path(300)), (300, None));
}

#[test]
fn a_segment_has_an_end() {
    let full = u64::try_from(limits::SEGMENT_RECORDS).unwrap();
    let mut tree = tree(full);
    let root = tree.root();
    assert!(!tree.push(&digest(0)));
    assert_eq!((tree.root(), tree.path(full - 1).unwrap().len()), (root, limits::SEGMENT_PATH));
    assert!(SegmentTree::of((0..=full).map(digest)).is_none());
}

/// A proof of record `index` of `count`, with the groups of `reveal` in clear.
fn proof(groups: &[Vec<u8>; 5], index: u64, count: u64, reveal: &BTreeSet<usize>) -> (RecordProof, Digest) {
    let record = record(groups);
    let own = commitments(&record);
    let digests = (0..count).map(|number| if number == index { own.digest() } else { digest(number) });
    let tree = SegmentTree::of(digests).unwrap();
    let shown = Group::ALL.map(|group| match reveal.contains(&group.index()) {
        true => Shown::Revealed(record[group.index()].clone()),
        false => Shown::Hidden(*own.get(group)),
    });
    (RecordProof::new(shown, &tree, index).unwrap(), tree.root())
}

fn any_groups() -> impl Strategy<Value = [Vec<u8>; 5]> {
    prop::array::uniform5(prop::collection::vec(any::<u8>(), 0..80))
}

fn place() -> impl Strategy<Value = (u64, u64)> {
    (1..200_u64).prop_flat_map(|count| (0..count, Just(count)))
}

proptest! {
    #[test]
    fn a_proof_shows_what_it_reveals_and_nothing_else(
        groups in any_groups(),
        (index, count) in place(),
        reveal in prop::collection::btree_set(0..5_usize, 0..=5),
    ) {
        let (proof, root) = proof(&groups, index, count, &reveal);
        let text = proof.to_text();
        let parsed = RecordProof::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(&parsed, &proof);
        prop_assert_eq!(parsed.to_text(), text);
        let revealed = parsed.verify(&root, count).unwrap();
        prop_assert_eq!(revealed.index(), index);
        prop_assert_eq!(revealed.digest(), commitments(&record(&groups)).digest());
        for group in Group::ALL {
            let expected = reveal.contains(&group.index()).then(|| groups[group.index()].as_slice());
            prop_assert_eq!(revealed.group(group), expected);
        }
    }

    /// No byte of a proof can be changed so that it shows something else.
    #[test]
    fn a_changed_proof_is_refused(
        groups in any_groups(),
        (index, count) in place(),
        reveal in prop::collection::btree_set(0..5_usize, 0..=5),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let (proof, root) = proof(&groups, index, count, &reveal);
        let mut bytes = proof.to_text().into_bytes();
        *at.get_mut(&mut bytes) = byte;
        if let Ok(parsed) = RecordProof::parse(&bytes) {
            let same = parsed == proof;
            prop_assert_eq!(parsed.verify(&root, count).is_ok(), same);
        }
    }

    #[test]
    fn a_proof_stands_for_one_segment(groups in any_groups(), (index, count) in place()) {
        let (proof, root) = proof(&groups, index, count, &BTreeSet::new());
        let other = proof.clone().verify(&root, count + 1).unwrap_err();
        prop_assert_eq!(other, RecordProofRefused::Count { claimed: count, count: count + 1 });
        let other = proof.verify(&sha256(root.as_bytes()), count).unwrap_err();
        prop_assert!(matches!(other, RecordProofRefused::Inclusion(_)));
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(RecordProof::parse(&bytes).is_err());
        let text = [b"bartizan-record-proof-v1\nindex 0\ncount 1\n".as_slice(), &bytes].concat();
        prop_assert!(RecordProof::parse(&text).is_err());
    }
}

#[test]
fn malformed_proofs_are_named_by_line() {
    let (proof, _) = proof(&Default::default(), 1, 3, &BTreeSet::from([0]));
    let text = proof.to_text();
    let with = |from: &str, to: &str| text.replacen(from, to, 1);
    for (text, line) in [
        (with("-v1", "-v2"), 1),
        (with("index 1", "index 01"), 2),
        (with("count 3", "count +3"), 3),
        (with("count 3", "count 65537"), 3),
        (with("revealed", "shown"), 4),
        (with("hidden ", "hidden  "), 5),
        (format!("{text}{}", text.lines().last().unwrap()), 11),
        (format!("{text}\n"), 11),
        (text.lines().take(6).map(|line| format!("{line}\n")).collect(), 7),
    ] {
        let error = RecordProof::parse(text.as_bytes()).unwrap_err();
        assert!(matches!(error, RecordProofInvalid::Line { line: at, .. } if at == line), "{error}\n{text}");
    }
    assert_eq!(RecordProof::parse(&[0xff]).unwrap_err(), RecordProofInvalid::Text);
    let long = vec![b' '; limits::RECORD_PROOF_BYTES + 1];
    assert!(matches!(RecordProof::parse(&long), Err(RecordProofInvalid::TooLong { .. })));
}
