//! Checkpoints and cosignatures: who must have signed, and when.

use bartizan_base::Timestamp;
use bartizan_ledger::{
    CheckpointInvalid, CosignatureInvalid, NoteSigner, SignedCheckpoint, TrustedLog, VerifierKey, cosign,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::notes::{GO_LINE, GO_TEXT, GO_WITNESS_LINE};
use crate::support::{ORIGIN, Store, key, log, signer, witness};

fn note(text: &str, signer_key: u8, name: &str) -> String {
    let key = key(signer_key);
    let signature = key.sign(text.as_bytes()).unwrap();
    let id = VerifierKey::note(name, key.public()).unwrap().key_id();
    format!("{text}\n\u{2014} {name} {}\n", BASE64.encode([&id[..], &signature].concat()))
}

fn open(text: &str) -> Result<SignedCheckpoint, CheckpointInvalid> {
    SignedCheckpoint::open(note(text, 1, ORIGIN).as_bytes(), &log())
}

#[test]
fn texts_that_are_no_checkpoints() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let good = format!("{ORIGIN}\n7\n{root}\n");
    assert_eq!(open(&good).unwrap().size(), 7);
    assert_eq!(open(&format!("{good}an extension\nanother\n")).unwrap().size(), 7);
    for (text, expected) in [
        (format!("{ORIGIN}\n"), "a size in decimal digits without leading zeroes"),
        (format!("{ORIGIN}\n07\n{root}\n"), "a size in decimal digits without leading zeroes"),
        (format!("{ORIGIN}\n+7\n{root}\n"), "a size in decimal digits without leading zeroes"),
        (format!("{ORIGIN}\n-7\n{root}\n"), "a size in decimal digits without leading zeroes"),
        (format!("{ORIGIN}\n 7\n{root}\n"), "a size in decimal digits without leading zeroes"),
        (
            format!("{ORIGIN}\n18446744073709551615\n{root}\n"),
            "a size in decimal digits without leading zeroes",
        ),
        (
            format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
            "a size in decimal digits without leading zeroes",
        ),
        (format!("{ORIGIN}\n7\n"), "a root in base64"),
        (format!("{ORIGIN}\n7\nAAAA\n"), "a root in base64"),
        (format!("{ORIGIN}\n7\n{}\n", root.trim_end_matches('=')), "a root in base64"),
        (format!("{ORIGIN}\n7\n{}\n", root.replace("2I=", "2J=")), "a root in base64"),
        (format!("\n7\n{root}\n"), "an origin"),
        (format!("{good}\nafter an empty line\n"), "no empty lines"),
    ] {
        assert_eq!(open(&text).unwrap_err(), CheckpointInvalid::Text { expected }, "{text:?}");
    }
}

#[test]
fn who_must_have_signed() {
    let text = GO_TEXT;
    let check = |note: String| SignedCheckpoint::open(note.as_bytes(), &log()).unwrap_err();
    let key_text = log().key().to_string();

    let other = text.replace(ORIGIN, "ledger.example/other");
    let found = "ledger.example/other".to_owned();
    let refused = CheckpointInvalid::Origin { expected: ORIGIN.to_owned(), found };
    assert_eq!(check(note(&other, 1, ORIGIN)), refused);

    assert_eq!(check(note(text, 2, ORIGIN)), CheckpointInvalid::NotSigned { key: key_text.clone() });
    assert_eq!(check(note(text, 1, "other")), CheckpointInvalid::NotSigned { key: key_text.clone() });
    assert_eq!(
        check(note(&other, 1, ORIGIN).replace("/other\n", "/test\n")),
        CheckpointInvalid::Signature { key: key_text.clone() }
    );
    // One wrong signature by the log's key spoils the note, whatever else is there.
    let wrong = note(&other, 1, ORIGIN).replace("/other\n", "/test\n");
    let (_, wrong_line) = wrong.split_once("\n\n").unwrap();
    let refused = CheckpointInvalid::Signature { key: key_text };
    assert_eq!(check(format!("{text}\n{GO_LINE}{wrong_line}")), refused);
    // Lines by strangers do not matter, even under the log's name.
    let stranger = note(text, 9, ORIGIN);
    let (_, stranger_line) = stranger.split_once("\n\n").unwrap();
    assert!(SignedCheckpoint::open(format!("{text}\n{stranger_line}{GO_LINE}").as_bytes(), &log()).is_ok());
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

#[test]
fn quorum_and_time() {
    let store = Store::filled(3);
    let checkpoint = store.reader().checkpoint().unwrap();
    assert_eq!(checkpoint.witnessed_at(), None);
    let witnesses = || vec![witness("w1", 2), witness("w2", 3), witness("w3", 4)];
    let trust = |quorum| TrustedLog::witnessed(signer().key().clone(), witnesses(), quorum).unwrap();
    let line = |name: &str, seed, at| cosign(&checkpoint, name, &key(seed), seconds(at)).unwrap();
    let (early, late, third) = (line("w1", 2, 1000), line("w1", 2, 3000), line("w3", 4, 2000));

    let quorum = |found, quorum| CheckpointInvalid::Quorum { found, quorum };
    assert_eq!(checkpoint.with_lines("", &trust(1)).unwrap_err(), quorum(0, 1));
    // One witness counts once, however often it cosigned; its earliest time holds.
    let twice = format!("{late}{early}");
    assert_eq!(checkpoint.with_lines(&twice, &trust(2)).unwrap_err(), quorum(1, 2));
    let opened = checkpoint.with_lines(&format!("{twice}{third}"), &trust(2)).unwrap();
    // Two must vouch for the time too: one witness alone could date the tree as it likes.
    assert_eq!(opened.witnessed_at(), Some(seconds(2000)));
    let lines = format!("{twice}{third}{}", line("w2", 3, 4000));
    for (demanded, at) in [(0, 1000), (1, 1000), (2, 2000), (3, 4000)] {
        let opened = checkpoint.with_lines(&lines, &trust(demanded)).unwrap();
        assert_eq!(opened.witnessed_at(), Some(seconds(at)), "quorum {demanded}");
    }
    let found: Vec<_> = opened.cosignatures().iter().map(|c| (c.witness.as_str(), c.at)).collect();
    assert_eq!(found, [("w1", seconds(1000)), ("w3", seconds(2000))]);
    // Strangers, and witnesses under another name, do not count.
    let strangers = format!("{}{}", line("w9", 9, 5), line("w2", 9, 5));
    assert_eq!(checkpoint.with_lines(&strangers, &trust(1)).unwrap_err(), quorum(0, 1));
    // Without a quorum cosignatures are still verified and reported.
    assert_eq!(checkpoint.with_lines(&third, &trust(0)).unwrap().witnessed_at(), Some(seconds(2000)));
    assert_eq!(checkpoint.with_lines("", &trust(0)).unwrap().witnessed_at(), None);
}

/// As many witnesses as one may configure can all be demanded, beside the log's own line and strangers' lines.
#[test]
fn the_largest_quorum_can_be_reached() {
    let checkpoint = Store::filled(3).reader().checkpoint().unwrap();
    let names: Vec<String> = (0..64).map(|at| format!("witness-{at}.{}", "x".repeat(240))).collect();
    let keys = |at: usize| u8::try_from(at + 2).unwrap();
    let witnesses = names.iter().enumerate().map(|(at, name)| witness(name, keys(at))).collect();
    let trusted = TrustedLog::witnessed(signer().key().clone(), witnesses, 64).unwrap();
    let line = |at: usize, name: &str| cosign(&checkpoint, name, &key(keys(at)), seconds(1000)).unwrap();
    let lines: String = names.iter().enumerate().map(|(at, name)| line(at, name)).collect();
    let strangers: String = (100..116).map(|at| line(at, "stranger")).collect();
    let opened = checkpoint.with_lines(&format!("{strangers}{lines}"), &trusted).unwrap();
    assert_eq!(opened.cosignatures().len(), 64);
}

#[test]
fn wrong_cosignatures_spoil_the_checkpoint() {
    let checkpoint = SignedCheckpoint::open(format!("{GO_TEXT}\n{GO_LINE}").as_bytes(), &log()).unwrap();
    let name = "witness.example/w1";
    let trusted = TrustedLog::witnessed(signer().key().clone(), vec![witness(name, 2)], 0).unwrap();
    assert_eq!(cosign(&checkpoint, name, &key(2), seconds(1_679_315_147)).unwrap(), GO_WITNESS_LINE);

    let (prefix, encoded) = GO_WITNESS_LINE.trim_end().rsplit_once(' ').unwrap();
    let blob = BASE64.decode(encoded).unwrap();
    let check = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut blob = blob.clone();
        change(&mut blob);
        let line = format!("{prefix} {}\n", BASE64.encode(blob));
        match checkpoint.with_lines(&line, &trusted) {
            Err(CheckpointInvalid::Cosignature(invalid)) => invalid,
            other => panic!("{other:?}"),
        }
    };
    let witness = name.to_owned();
    let signature = CosignatureInvalid::Signature { witness: witness.clone() };
    assert_eq!(check(&|blob| blob[75] ^= 1), signature);
    assert_eq!(check(&|blob| blob[11] ^= 1), signature, "the time is signed too");
    let length = |bytes| CosignatureInvalid::Length { witness: witness.clone(), bytes };
    assert_eq!(check(&|blob| blob.truncate(75)), length(71));
    assert_eq!(check(&|blob| blob.push(0)), length(73));
    assert_eq!(check(&|blob| blob.truncate(5)), length(1));
    assert!(cosign(&checkpoint, name, &key(2), seconds(0)).is_err(), "what nobody accepts is not made");
    let time = |seconds| CosignatureInvalid::Time { witness: witness.clone(), seconds };
    assert_eq!(check(&|blob| blob[4..12].fill(0)), time(0));
    assert_eq!(check(&|blob| blob[4..12].fill(0xff)), time(u64::MAX));
}

/// A witness cosigns the text with its extension lines, which a plain note signature does not replace.
#[test]
fn a_note_signature_is_no_cosignature() {
    let store = Store::filled(1);
    let checkpoint = store.reader().checkpoint().unwrap();
    let plain = NoteSigner::new("w1", key(2)).unwrap();
    let signature = key(2).sign(checkpoint.text().as_bytes()).unwrap();
    let line = format!("\u{2014} w1 {}\n", BASE64.encode([&plain.key().key_id()[..], &signature].concat()));
    let trusted = TrustedLog::witnessed(signer().key().clone(), vec![witness("w1", 2)], 1).unwrap();
    let refused = checkpoint.with_lines(&line, &trusted).unwrap_err();
    assert_eq!(refused, CheckpointInvalid::Quorum { found: 0, quorum: 1 });
}
