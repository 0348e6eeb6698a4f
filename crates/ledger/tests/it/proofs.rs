//! Proof files: written, read back, verified, and refused when anything in them is wrong.

use bartizan_base::Timestamp;
use bartizan_ledger::{
    CheckpointInvalid, LogProof, LogProofInvalid, LogProofRefused, ProofInvalid, TrustedLog, cosign,
};
use proptest::prelude::*;

use crate::support::{Store, entry, key, log, signer, witness};

fn proof_of(size: u64, index: u64) -> LogProof {
    Store::filled(size).reader().snapshot().unwrap().prove(index).unwrap()
}

#[test]
fn round_trip() {
    for (size, index) in [(1, 0), (2, 1), (7, 6), (256, 255), (300, 299), (300, 17)] {
        let proof = proof_of(size, index);
        let text = proof.to_text();
        let parsed = LogProof::parse(text.as_bytes()).unwrap();
        assert_eq!(parsed, proof);
        let included = parsed.verify(&entry(index), &log()).unwrap();
        assert_eq!((included.index(), included.checkpoint().size()), (index, size));
        let refused = parsed.verify(&entry(index + 1), &log()).unwrap_err();
        assert_eq!(refused, LogProofRefused::Inclusion(ProofInvalid::Root));
    }
    let with_extra = proof_of(5, 2).with_extra(b"context".to_vec()).unwrap();
    let text = with_extra.to_text();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra Y29udGV4dA==\nindex 2\n"), "{text}");
    let parsed = LogProof::parse(text.as_bytes()).unwrap();
    assert_eq!(parsed.extra(), Some(&b"context"[..]));
    assert!(parsed.verify(&entry(2), &log()).is_ok());
    assert!(proof_of(5, 2).with_extra(Vec::new()).is_err());
    assert!(proof_of(5, 2).with_extra(vec![0; 48 * 1024 + 1]).is_err());
    let largest = proof_of(5, 2).with_extra(vec![0; 48 * 1024]).unwrap();
    assert_eq!(LogProof::parse(largest.to_text().as_bytes()).unwrap(), largest);
}

#[test]
fn the_checkpoint_must_be_trusted() {
    let proof = proof_of(5, 2);
    let witnessed = TrustedLog::witnessed(signer().key().clone(), vec![witness("w1", 2)], 1).unwrap();
    let refused = proof.verify(&entry(2), &witnessed).unwrap_err();
    assert_eq!(refused, LogProofRefused::Checkpoint(CheckpointInvalid::Quorum { found: 0, quorum: 1 }));

    let store = Store::filled(5);
    let reader = store.reader();
    let checkpoint = reader.checkpoint().unwrap();
    let line = cosign(&checkpoint, "w1", &key(2), Timestamp::from_millis(5000)).unwrap();
    let cosigned = checkpoint.with_lines(&line, &witnessed).unwrap();
    let proof = reader.snapshot_at(cosigned).unwrap().prove(2).unwrap();
    let included =
        LogProof::parse(proof.to_text().as_bytes()).unwrap().verify(&entry(2), &witnessed).unwrap();
    assert_eq!(included.checkpoint().witnessed_at(), Some(Timestamp::from_millis(5000)));
}

/// The example of the specification parses up to its abridged signatures.
#[test]
fn the_example_of_the_specification() {
    let text = "c2sp.org/tlog-proof@v1\n\
        extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6\n\
        index 73894\n\
        gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\
        B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n\
        EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\n\
        RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n\
        AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n\
        \n\
        example.com/fancylog\n\
        109482\n\
        sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\
        \n\
        \u{2014} example.com/fancylog hI2DJwAA\n";
    let proof = LogProof::parse(text.as_bytes()).unwrap();
    assert_eq!((proof.index(), proof.hashes().len()), (73_894, 5));
    assert_eq!(proof.extra(), Some(&b"age-v1.2.1-darwin-arm64.tar.gz"[..]));
    assert!(proof.note().starts_with("example.com/fancylog\n109482\n"));
    assert_eq!(proof.to_text(), text);
}

#[test]
fn malformed_files_are_refused() {
    let good = proof_of(5, 2).to_text();
    let hash = good.lines().nth(2).unwrap();
    let check = |text: String, line: usize| match LogProof::parse(text.as_bytes()) {
        Err(LogProofInvalid::Line { line: found, .. }) => assert_eq!(found, line, "{text}"),
        other => panic!("{other:?} for {text}"),
    };
    check(String::new(), 1);
    check(good.replace("@v1", "@v2"), 1);
    check(good.replace("@v1\n", "@v1\r\n"), 1);
    check(good.replace("index 2", "index 02"), 2);
    check(good.replace("index 2", "index -2"), 2);
    check(good.replace("index 2", "index  2"), 2);
    check(good.replace("index 2", "Index 2"), 2);
    check(good.replace("index 2\n", ""), 2);
    check(good.replace("index 2", "index 18446744073709551616"), 2);
    check(good.replace("index", "extra \nindex"), 2);
    check(good.replace("index", "extra AAA\nindex"), 2);
    check(good.replace("index", "extra AAAA\nextra AAAA\nindex"), 3);
    check(good.replace(hash, "AAAA"), 3);
    check(good.replace(hash, &format!("{hash} ")), 3);
    check(good.replace(hash, &format!("{hash}\n").repeat(65)), 67);
    check("c2sp.org/tlog-proof@v1\nindex 0\n".to_owned(), 3);
    check("c2sp.org/tlog-proof@v1\nindex 0\n\n".to_owned(), 3);
    assert_eq!(LogProof::parse(&[0xff]), Err(LogProofInvalid::Text));
    let bytes = 1 << 20;
    assert_eq!(LogProof::parse(&vec![b'a'; bytes]), Err(LogProofInvalid::TooLong { bytes }));
}

proptest! {
    /// A changed byte is refused, wherever it is; only the unauthenticated extra data may change.
    #[test]
    fn any_changed_byte_is_noticed(at in any::<prop::sample::Index>(), with in 1..=255u8) {
        let mut text = proof_of(9, 4).to_text().into_bytes();
        let at = at.index(text.len());
        text[at] ^= with;
        let accepted = LogProof::parse(&text).is_ok_and(|proof| proof.verify(&entry(4), &log()).is_ok());
        prop_assert!(!accepted);
    }
}
