//! What a power cut makes of writes that were not synced.

use std::collections::BTreeSet;

use super::{Dice, Node};

fn survivors(durable: &[u8], pending: &[(usize, &[u8])]) -> BTreeSet<Vec<u8>> {
    let pending = pending.iter().map(|(offset, bytes)| (*offset, bytes.to_vec())).collect();
    let file = Node::File { seen: Vec::new(), durable: durable.to_vec(), pending };
    let found = (1..400).map(|seed| match file.after_crash(&mut Dice(seed)) {
        Node::File { seen, durable, pending } => {
            assert!(seen == durable && pending.is_empty());
            durable
        }
        Node::Dir { .. } => panic!("a file became a directory"),
    });
    found.collect()
}

#[test]
fn an_unsynced_write_is_lost_whole_torn_or_zeroed() {
    let found = survivors(b"old", &[(3, b"new")]);
    let expected = [&b"old"[..], b"oldn", b"oldne", b"oldnew", b"old\0\0\0", b"oldn\0\0", b"oldne\0"];
    assert_eq!(found, expected.map(<[u8]>::to_vec).into());
}

#[test]
fn a_later_write_may_survive_an_earlier_one() {
    assert!(survivors(b"", &[(0, b"one"), (3, b"two")]).contains(&b"\0\0\0two"[..]));
}

#[test]
fn seed_nought_drops_everything() {
    let pending = vec![(0, b"bytes".to_vec())];
    let file = Node::File { seen: b"bytes".to_vec(), durable: Vec::new(), pending };
    assert!(matches!(file.after_crash(&mut Dice(0)), Node::File { durable, .. } if durable.is_empty()));
}
