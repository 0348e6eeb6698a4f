//! Trust files and the note keys in them.

use bartizan_base::Digest;
use bartizan_keys::{Algorithm, NoteKey, NoteKeyKind, SigningKey, TrustFile};
use expect_test::{Expect, expect};

use crate::support::{chain, project, rng};

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Ed25519, &mut rng(seed)).unwrap()
}

fn note(name: &str, kind: NoteKeyKind, seed: u64) -> NoteKey {
    NoteKey::new(name, kind, key(seed).public()).unwrap()
}

fn trust() -> TrustFile {
    TrustFile {
        origin: "bartizan.example/ledger".to_owned(),
        ledger_key: note("bartizan.example/ledger", NoteKeyKind::Ed25519, 1),
        witnesses: vec![
            note("witness.example/a", NoteKeyKind::Cosignature, 2),
            note("witness.example/b", NoteKeyKind::Cosignature, 3),
        ],
        quorum: 1,
        project: project(1),
        project_root: SigningKey::generate(Algorithm::EcdsaP256Sha256, &mut rng(4)).unwrap().public().clone(),
        minimum_size: 12,
        minimum_root: Digest::from_bytes([9; 32]),
        development: false,
    }
}

#[test]
fn a_trust_file_comes_back() {
    let file = trust();
    let bytes = file.to_bytes().unwrap();
    assert_eq!(TrustFile::parse(&bytes).unwrap(), file);
    let with_newline = [bytes.as_slice(), b"\n"].concat();
    assert_eq!(TrustFile::parse(&with_newline).unwrap(), file);
    assert!(TrustFile::parse(&[with_newline.as_slice(), b"\n"].concat()).is_err());

    let alone = TrustFile { witnesses: Vec::new(), quorum: 0, ..trust() };
    assert_eq!(TrustFile::parse(&alone.to_bytes().unwrap()).unwrap(), alone);
}

fn check(change: impl FnOnce(&mut TrustFile), expected: Expect) {
    let mut file = trust();
    change(&mut file);
    expected.assert_eq(&chain(file.to_bytes()));
}

#[test]
fn rules_hold_when_writing() {
    check(
        |file| file.origin = "other".to_owned(),
        expect!["the ledger's key is not an Ed25519 note key named `other`"],
    );
    check(
        |file| file.ledger_key = note("bartizan.example/ledger", NoteKeyKind::Cosignature, 1),
        expect!["the ledger's key is not an Ed25519 note key named `bartizan.example/ledger`"],
    );
    check(|file| file.quorum = 3, expect!["a quorum of 3 out of 2 witnesses"]);
    check(|file| file.quorum = 0, expect!["a quorum of 0 out of 2 witnesses"]);
    check(|file| file.witnesses.clear(), expect!["a quorum of 1 out of 0 witnesses"]);
    check(
        |file| file.witnesses.push(note("witness.example/c", NoteKeyKind::Cosignature, 2)),
        expect![
            "witness `witness.example/c` has no co-signature key or the ledger's, is listed twice, or is one of more than 64"
        ],
    );
    check(
        |file| file.witnesses[1] = note("witness.example/a", NoteKeyKind::Cosignature, 3),
        expect![
            "witness `witness.example/a` has no co-signature key or the ledger's, is listed twice, or is one of more than 64"
        ],
    );
    check(
        |file| file.witnesses[1] = note("witness.example/b", NoteKeyKind::Cosignature, 1),
        expect![
            "witness `witness.example/b` has no co-signature key or the ledger's, is listed twice, or is one of more than 64"
        ],
    );
    check(
        |file| file.witnesses[1] = note("witness.example/b", NoteKeyKind::Ed25519, 3),
        expect![
            "witness `witness.example/b` has no co-signature key or the ledger's, is listed twice, or is one of more than 64"
        ],
    );
    check(
        |file| {
            file.witnesses =
                (0..65).map(|n| note(&format!("w{n}"), NoteKeyKind::Cosignature, 100 + n)).collect();
        },
        expect![
            "witness `w64` has no co-signature key or the ledger's, is listed twice, or is one of more than 64"
        ],
    );
    check(
        |file| file.minimum_size = 1 << 53,
        expect![
            "has no canonical form: `9007199254740992` is not an integer between -(2^53 - 1) and 2^53 - 1"
        ],
    );
}

#[test]
fn rules_hold_when_reading() {
    let text = String::from_utf8(trust().to_bytes().unwrap()).unwrap();
    for (from, to) in [
        ("bartizan-trust-v1", "bartizan-trust-v2"),
        ("\"quorum\":1", "\"quorum\":3"),
        ("\"quorum\":1", "\"quorum\":-1"),
        ("\"quorum\":1", "\"quorum\": 1"),
        ("\"quorum\":1", "\"quorum\":1,\"quorum\":1"),
        ("\"quorum\":1", "\"quorum\":1,\"unknown\":1"),
        ("\"origin\":\"b", "\"origin\":\"c"),
        ("\"minimum_size\":12", "\"minimum_size\":1.5"),
        ("witness.example/b", "witness.example/c"),
        ("\"project_root\":\"M", "\"project_root\":\"N"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(TrustFile::parse(text.replace(from, to).as_bytes()).is_err(), "{to}");
    }
    // The values in the order of the members, without their names.
    let members: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    let values = serde_json::to_vec(&members.values().collect::<Vec<_>>()).unwrap();
    expect!["not a trust file: not in canonical form"].assert_eq(&chain(TrustFile::parse(&values)));
    expect!["70000 bytes, more than the 65536 allowed"].assert_eq(&chain(TrustFile::parse(&[b' '; 70_000])));
}

// https://github.com/C2SP/C2SP/blob/main/signed-note.md and Go's golang.org/x/mod/sumdb/note: the verifier key of
// the Go checksum database.
#[test]
fn the_key_of_a_public_log_is_read() {
    let text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    let key: NoteKey = text.parse().unwrap();
    assert_eq!((key.name(), key.kind(), key.hash()), ("sum.golang.org", NoteKeyKind::Ed25519, 0x033d_e0ae));
    assert_eq!(key.to_string(), text);
    assert_eq!(NoteKey::new("sum.golang.org", NoteKeyKind::Ed25519, key.key()).unwrap(), key);
}

#[test]
fn a_note_key_comes_back() {
    for seed in 0..50 {
        for kind in [NoteKeyKind::Ed25519, NoteKeyKind::Cosignature] {
            let key = note("name.example/x-y", kind, seed);
            assert_eq!(key.to_string().parse::<NoteKey>().unwrap(), key);
        }
    }
    let (note_key, cosigner) = (note("n", NoteKeyKind::Ed25519, 1), note("n", NoteKeyKind::Cosignature, 1));
    assert_ne!(note_key.hash(), cosigner.hash());
}

fn check_note(text: &str, expected: Expect) {
    expected.assert_eq(&chain(text.parse::<NoteKey>()));
}

#[test]
fn other_note_keys_are_refused() {
    check_note("", expect!["not of the form `name+hash+key`"]);
    check_note("name+00000000", expect!["not of the form `name+hash+key`"]);
    check_note("name+00000000+*", expect!["not of the form `name+hash+key`"]);
    check_note("name+00000000+", expect!["not of the form `name+hash+key`"]);
    let good = note("name", NoteKeyKind::Ed25519, 1).to_string();
    check_note(&good.replace("name+", "nome+"), expect!["the hash does not belong to the key"]);
    check_note(&good.replace("name+", "+"), expect!["`` is not a key name"]);
    check_note(&good.replace("name+", "na me+"), expect!["`na me` is not a key name"]);
    check_note("name+00000000+Ag==", expect!["signature type 0x02 is not supported"]);
    check_note(
        "name+00000000+AQ==",
        expect!["not an Ed25519 key: not the DER of an Ed25519 key or of an uncompressed P-256 key"],
    );
    let p256 = SigningKey::generate(Algorithm::EcdsaP256Sha256, &mut rng(1)).unwrap();
    assert!(NoteKey::new("name", NoteKeyKind::Ed25519, p256.public()).is_err());
}
