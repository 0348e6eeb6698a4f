//! Note keys and signed notes: published vectors, and everything malformed.

use bartizan_keys::{Algorithm, OsRandom, SigningKey};
use bartizan_ledger::{
    CheckpointInvalid, KeyKind, NoteInvalid, NoteSigner, SignedCheckpoint, TrustInvalid, TrustedLog,
    VerifierKey, VerifierKeyInvalid,
};
use proptest::prelude::*;

use crate::support::{ORIGIN, key, log, signer, witness};

/// Made with Go's crypto/ed25519 from the keys of `support::key(1)` and `key(2)`.
pub(crate) const GO_LOG_KEY: &str =
    "ledger.example/test+e5499917+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
pub(crate) const GO_WITNESS_KEY: &str =
    "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";
pub(crate) const GO_TEXT: &str =
    "ledger.example/test\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
pub(crate) const GO_LINE: &str = "\u{2014} ledger.example/test \
    5UmZF4lE+5oaTkuQdC6nynu+czGxCpXGU1Ajmt7yE5783JhX/A3gkp4/4Y+txoVegTSdRrBjPhlGPa22uYUcwQHzvAU=\n";
pub(crate) const GO_WITNESS_LINE: &str = "\u{2014} witness.example/w1 \
    3xwKNQAAAABkGFDLynY3lYQeXKlLjJpA0nS1LFNWm6KtcU4kiX0Dibqsaws0oNp0jYgVgMX2n6/Wrw4UX1cbLJBNNf5YPm1eBMDzBw==\n";

#[test]
fn published_keys_round_trip() {
    for (text, name, kind) in [
        // golang.org/x/mod/sumdb/note
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann", KeyKind::Note),
        ("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop", "EnochRoot", KeyKind::Note),
        // sum.golang.org
        (
            "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
            "sum.golang.org",
            KeyKind::Note,
        ),
        // transparency-dev/formats; this key has a plus sign in its base64 in other spellings
        ("TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6", "TEST", KeyKind::Note),
        (
            "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
            "remora.n621.de",
            KeyKind::Cosignature,
        ),
        (GO_LOG_KEY, ORIGIN, KeyKind::Note),
        (GO_WITNESS_KEY, "witness.example/w1", KeyKind::Cosignature),
    ] {
        let parsed: VerifierKey = text.parse().unwrap();
        assert_eq!((parsed.name(), parsed.kind(), parsed.to_string().as_str()), (name, kind, text));
    }
    assert_eq!(signer().key().to_string(), GO_LOG_KEY);
    assert_eq!(witness("witness.example/w1", 2).to_string(), GO_WITNESS_KEY);
}

#[test]
fn malformed_keys_are_refused() {
    let check = |text: &str| text.parse::<VerifierKey>().unwrap_err();
    for text in ["", "a", "a+b", "a+e5499917", "a+e5499917+", "a+e5499917+%", "a+e5499917+AYqI4910CfGV"] {
        let refused = check(text);
        assert!(
            matches!(refused, VerifierKeyInvalid::Form { .. } | VerifierKeyInvalid::Algorithm { .. }),
            "{text}"
        );
    }
    let swapped = |from: &str, to: &str| check(&GO_LOG_KEY.replace(from, to));
    assert!(matches!(swapped("e5499917", "e5499918"), VerifierKeyInvalid::KeyId { .. }));
    assert!(matches!(swapped("e5499917", "E5499917"), VerifierKeyInvalid::KeyId { .. }));
    assert!(matches!(swapped("e5499917", "+e5499917"), VerifierKeyInvalid::Form { .. }));
    assert!(matches!(swapped("test", "tent"), VerifierKeyInvalid::KeyId { .. }));
    assert!(matches!(swapped("test", "te st"), VerifierKeyInvalid::Name { .. }));
    assert!(matches!(swapped("test", "te\u{2003}st"), VerifierKeyInvalid::Name { .. }));
    assert!(matches!(swapped("+AYqI", "+BYqI"), VerifierKeyInvalid::Algorithm { .. }));
    assert!(matches!(swapped("D29c", "D29d"), VerifierKeyInvalid::KeyId { .. }));
    assert!(matches!(swapped("D29c", "D29c\n"), VerifierKeyInvalid::Form { .. }));

    let p256 = SigningKey::generate(Algorithm::EcdsaP256Sha256, &mut OsRandom).unwrap();
    let refused = VerifierKey::note("a", p256.public()).unwrap_err();
    assert_eq!(refused, VerifierKeyInvalid::Algorithm { name: "a".to_owned() });
    for name in ["", "a b", "a+b", "a\nb", &"a".repeat(256)] {
        let refused = NoteSigner::new(name, key(1)).unwrap_err();
        assert!(matches!(refused, VerifierKeyInvalid::Name { .. }), "{name:?}");
    }
}

#[test]
fn a_note_signed_by_go_opens() {
    let note = format!("{GO_TEXT}\n{GO_LINE}{GO_WITNESS_LINE}");
    let trusted =
        TrustedLog::witnessed(GO_LOG_KEY.parse().unwrap(), vec![GO_WITNESS_KEY.parse().unwrap()], 1).unwrap();
    let opened = SignedCheckpoint::open(note.as_bytes(), &trusted).unwrap();
    assert_eq!((opened.origin(), opened.size()), (ORIGIN, 20_852_163));
    assert_eq!(opened.root().to_hex(), "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62");
    assert_eq!(opened.witnessed_at().unwrap().to_string(), "2023-03-20T12:25:47.000Z");
    assert_eq!((opened.note(), opened.text()), (note.as_str(), GO_TEXT));
}

/// The note in the documentation of Go's package is no checkpoint, but its signature is right.
#[test]
fn the_note_of_peter_neumann() {
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let peter: VerifierKey =
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    let note = format!(
        "{text}\n\u{2014} PeterNeumann \
         x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    );
    let refused =
        SignedCheckpoint::open(note.as_bytes(), &TrustedLog::new(peter.clone()).unwrap()).unwrap_err();
    assert!(matches!(refused, CheckpointInvalid::Text { .. }), "{refused}");
    let signature = [
        0xf6, 0x49, 0x92, 0xe0, 0x52, 0xf5, 0x41, 0xbf, 0x49, 0xf7, 0xdc, 0xbc, 0x80, 0x10, 0xc5, 0x50, 0x6d,
        0x88, 0x5b, 0xa9, 0x2c, 0xba, 0xfc, 0xa4, 0x07, 0x04, 0x95, 0x92, 0x27, 0x34, 0x8b, 0x86, 0x52, 0x06,
        0x0d, 0xd4, 0x51, 0x58, 0x0b, 0x6a, 0x59, 0x48, 0xd5, 0xe0, 0x2a, 0xfa, 0x9f, 0xa9, 0xd9, 0xe0, 0xa2,
        0xda, 0x51, 0x65, 0xbe, 0x8a, 0x13, 0xa4, 0x72, 0xc8, 0x1c, 0x09, 0x9c, 0x03,
    ];
    peter.public().verify(text.as_bytes(), &signature).unwrap();
}

#[test]
fn malformed_notes_are_refused() {
    let check = |note: &[u8]| match SignedCheckpoint::open(note, &log()) {
        Err(CheckpointInvalid::Note(invalid)) => invalid,
        other => panic!("{other:?}"),
    };
    let good = format!("{GO_TEXT}\n{GO_LINE}");
    assert!(SignedCheckpoint::open(good.as_bytes(), &log()).is_ok());

    assert_eq!(check(b""), NoteInvalid::NoSignatures);
    assert_eq!(check(b"\xff"), NoteInvalid::Text);
    assert_eq!(check(good.replace('2', "\t").as_bytes()), NoteInvalid::Text);
    assert_eq!(check(good.replace('\n', "\r\n").as_bytes()), NoteInvalid::Text);
    assert_eq!(check(good.trim_end().as_bytes()), NoteInvalid::NoSignatures);
    assert_eq!(check(GO_TEXT.as_bytes()), NoteInvalid::NoSignatures);
    assert_eq!(check(format!("{GO_TEXT}\n").as_bytes()), NoteInvalid::NoSignatures);
    assert_eq!(check(&vec![b'a'; 128 * 1024 + 1]), NoteInvalid::TooLong { bytes: 128 * 1024 + 1 });

    let line = |line: usize| NoteInvalid::SignatureLine { line };
    assert_eq!(check(good.replace('\u{2014}', "-").as_bytes()), line(1));
    assert_eq!(check(format!("{good}junk\n").as_bytes()), line(2));
    assert_eq!(check(good.replace("BYcwQ", "BYcw\u{00a0}Q").replace("5Um", "5U-m").as_bytes()), line(1));
    assert_eq!(check(format!("{good}\u{2014} a AAAA\n").as_bytes()), line(2));
    assert_eq!(check(format!("{good}\u{2014} a AAAAAA=\n").as_bytes()), line(2));
    assert_eq!(check(format!("{good}\u{2014}  AAAAAAAA\n").as_bytes()), line(2));
    assert_eq!(check(format!("{good}\u{2014} a+b AAAAAAAA\n").as_bytes()), line(2));
    assert_eq!(check(format!("{good}\u{2014} a AAAAAAAA \n").as_bytes()), line(2));
    let many = "\u{2014} a AAAAAAAA\n".repeat(100);
    assert_eq!(check(format!("{good}{many}").as_bytes()), NoteInvalid::TooManySignatures);
    let fewer = "\u{2014} a AAAAAAAA\n".repeat(99);
    assert!(SignedCheckpoint::open(format!("{good}{fewer}").as_bytes(), &log()).is_ok());
}

#[test]
fn unusable_trust_is_refused() {
    let (w1, w2) = (witness("w1", 2), witness("w2", 3));
    let log_key = || signer().key().clone();
    let trust =
        |witnesses: Vec<VerifierKey>, quorum| TrustedLog::witnessed(log_key(), witnesses, quorum).map(drop);
    assert_eq!(trust(vec![w1.clone(), w2.clone()], 2), Ok(()));
    assert_eq!(trust(vec![w1.clone()], 2), Err(TrustInvalid::Quorum { quorum: 2, witnesses: 1 }));
    let repeated = |name: &str| Err(TrustInvalid::Repeated { name: name.to_owned() });
    assert_eq!(trust(vec![w1.clone(), w1.clone()], 1), repeated("w1"));
    assert_eq!(trust(vec![w1.clone(), witness("other", 2)], 1), repeated("other"));
    assert_eq!(trust(vec![w1.clone(), witness("w1", 3)], 1), repeated("w1"));
    assert_eq!(trust(vec![witness("self", 1)], 1), repeated("self"));
    let kind = |name: &str| TrustInvalid::Kind { name: name.to_owned() };
    assert_eq!(trust(vec![log_key()], 1), Err(kind(ORIGIN)));
    assert_eq!(TrustedLog::new(w2).unwrap_err(), kind("w2"));
    let many: Vec<VerifierKey> = (100..165).map(|seed| witness(&seed.to_string(), seed)).collect();
    assert_eq!(trust(many, 1), Err(TrustInvalid::TooMany { witnesses: 65 }));
}

proptest! {
    #[test]
    fn arbitrary_notes_do_not_panic(text in "[a-z0-9\n\u{2014} +=]{0,200}", line in "[A-Za-z0-9+/= ]{0,40}") {
        let note = format!("{text}\n\n\u{2014} {ORIGIN} {line}\n");
        prop_assert!(SignedCheckpoint::open(note.as_bytes(), &log()).is_err());
    }

    #[test]
    fn any_changed_byte_is_noticed(at in any::<prop::sample::Index>(), with in 1..=255u8) {
        let mut note = format!("{GO_TEXT}\n{GO_LINE}").into_bytes();
        let at = at.index(note.len());
        note[at] ^= with;
        prop_assert!(SignedCheckpoint::open(&note, &log()).is_err());
    }
}
