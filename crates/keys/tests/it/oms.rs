//! OpenSSF Model Signing bundles: what is signed comes back, and which trees the root digest tells apart.

use bartizan_base::{Digest, sha256};
use bartizan_keys::oms::{self, FileDigest, VerifyBundle};
use bartizan_keys::{Algorithm, SigningKey};
use expect_test::{Expect, expect};
use serde_json::Value;

use crate::support::{chain, rng};

pub(crate) fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::EcdsaP256Sha256, &mut rng(seed)).unwrap()
}

pub(crate) fn files(list: &[(&str, &str)]) -> Vec<FileDigest> {
    list.iter()
        .map(|(path, content)| FileDigest { path: (*path).to_owned(), digest: sha256(content.as_bytes()) })
        .collect()
}

fn root(list: &[(&str, &str)]) -> Digest {
    oms::root(&files(list)).unwrap()
}

const MODEL: [(&str, &str); 5] =
    [("weights.bin", "w"), ("a.b", "1"), ("a/b", "2"), ("a/x/y", "3"), ("sp ace é 模型", "")];

#[test]
fn what_is_signed_comes_back() {
    let key = key(1);
    let bundle = oms::sign("fraud", &files(&MODEL), &["model.sig", ".git"], &key).unwrap();
    let verified = oms::verify(&bundle, key.public()).unwrap();
    assert_eq!(verified.signers(), [key.public().id()]);
    let manifest = verified.get();
    assert_eq!((manifest.name.as_str(), manifest.allow_symlinks), ("fraud", false));
    assert_eq!(manifest.ignore_paths, ["model.sig", ".git"]);
    assert_eq!(manifest.root, root(&MODEL));
    let order: Vec<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(order, ["a/b", "a/x/y", "a.b", "sp ace é 模型", "weights.bin"]);
    assert_eq!(manifest.matches(&files(&MODEL)), Ok(()));
}

#[test]
fn the_root_is_the_digest_of_the_sorted_digests() {
    let sorted = ["2", "3", "1", "", "w"].map(|content| *sha256(content.as_bytes()).as_bytes());
    assert_eq!(root(&MODEL), sha256(&sorted.concat()));
    let mut shuffled = MODEL;
    shuffled.reverse();
    assert_eq!(root(&shuffled), root(&MODEL));
}

// The claim that the documentation makes, and its limits.
#[test]
fn trees_that_share_a_root() {
    let tree = [("a", "x"), ("b", "y"), ("c", "x")];
    // Renaming within the order of the paths keeps the root, whatever the names and folders.
    assert_eq!(root(&tree), root(&[("first", "x"), ("second/deep", "y"), ("third", "x")]));
    // Exchanging files of equal bytes keeps it, as nothing has changed but the names.
    assert_eq!(root(&tree), root(&[("c", "x"), ("b", "y"), ("a", "x")]));
    // Renaming across the order changes it.
    assert_ne!(root(&tree), root(&[("z", "x"), ("b", "y"), ("c", "x")]));
    // With equal bytes everywhere no renaming shows; the number of files does.
    assert_eq!(root(&[("a", "x"), ("b", "x")]), root(&[("z", "x"), ("y", "x")]));
    assert_ne!(root(&[("a", "x"), ("b", "x")]), root(&[("a", "x")]));

    // The signed list tells all of them apart.
    let key = key(1);
    let bundle = oms::sign("m", &files(&tree), &[], &key).unwrap();
    let manifest = oms::verify(&bundle, key.public()).unwrap().into_inner();
    let renamed = files(&[("first", "x"), ("b", "y"), ("c", "x")]);
    let differences = manifest.matches(&renamed).unwrap_err();
    assert_eq!((differences.missing, differences.unsigned), (vec!["a".to_owned()], vec!["first".to_owned()]));
}

#[test]
fn differences_are_named() {
    let key = key(1);
    let bundle = oms::sign("m", &files(&MODEL), &["cache", "model.sig"], &key).unwrap();
    let manifest = oms::verify(&bundle, key.public()).unwrap().into_inner();
    let hand = files(&[("weights.bin", "W"), ("a.b", "1"), ("a/b", "2"), ("extra", ""), ("a/x/y", "3")]);
    let differences = manifest.matches(&hand).unwrap_err();
    assert_eq!(differences.changed, ["weights.bin"]);
    assert_eq!(differences.missing, ["sp ace é 模型"]);
    assert_eq!(differences.unsigned, ["extra"]);
    expect!["1 changed, 1 missing and 1 unsigned files"].assert_eq(&differences.to_string());

    for (path, ignored) in [
        ("cache", true),
        ("cache/deep/x", true),
        ("cached", false),
        ("a/cache", false),
        ("model.sig", true),
        ("model.sig.bak", false),
        ("", false),
    ] {
        assert_eq!(manifest.ignores(path), ignored, "{path}");
    }
}

#[test]
fn the_bundle_has_the_form_that_the_tool_reads() {
    let key = key(1);
    let bundle = oms::sign("m", &files(&[("a", "x")]), &[], &key).unwrap();
    let mut bundle: Value = serde_json::from_slice(&bundle).unwrap();
    let hint = sha256(key.public().pem().as_bytes()).to_hex();
    assert_eq!(bundle["verificationMaterial"]["publicKey"]["hint"], hint);
    assert!(key.public().pem().starts_with("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYI"));
    bundle["verificationMaterial"]["publicKey"]["hint"] = "HINT".into();
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = "SIG".into();
    bundle["dsseEnvelope"]["payload"] = "PAYLOAD".into();
    expect![[r#"{"dsseEnvelope":{"payload":"PAYLOAD","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"SIG"}]},"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"HINT"},"tlogEntries":[]}}"#]]
        .assert_eq(&bundle.to_string());
}

#[test]
fn another_key_is_refused() {
    let (right, wrong) = (key(1), key(2));
    let bundle = oms::sign("m", &files(&MODEL), &[], &right).unwrap();
    assert!(matches!(oms::verify(&bundle, wrong.public()), Err(VerifyBundle::OtherKey)));
    // Also without the hint, which is only a hint.
    for hint in [Value::Null, "".into()] {
        let mut unhinted: Value = serde_json::from_slice(&bundle).unwrap();
        unhinted["verificationMaterial"]["publicKey"]["hint"] = hint;
        let unhinted = serde_json::to_vec(&unhinted).unwrap();
        assert!(matches!(oms::verify(&unhinted, wrong.public()), Err(VerifyBundle::Signature)));
        assert!(oms::verify(&unhinted, right.public()).is_ok());
    }
    let ed25519 = SigningKey::generate(Algorithm::Ed25519, &mut rng(1)).unwrap();
    expect!["a model is signed with an ecdsa-p256-sha256 key, not ed25519"].assert_eq(&chain(oms::sign(
        "m",
        &files(&MODEL),
        &[],
        &ed25519,
    )));
    expect!["a model is verified with an ecdsa-p256-sha256 key, not ed25519"]
        .assert_eq(&chain(oms::verify(&bundle, ed25519.public())));
}

fn check_sign(name: &str, list: &[(&str, &str)], ignored: &[&str], expected: Expect) {
    expected.assert_eq(&chain(oms::sign(name, &files(list), ignored, &key(1))));
}

#[test]
fn what_cannot_be_signed() {
    check_sign("m", &[], &[], expect!["not a list of files that can be signed: 0 files, not 1 to 100000"]);
    check_sign("", &[("a", "")], &[], expect!["the model's name has not 1 to 4096 bytes"]);
    check_sign(
        "m",
        &[("a", ""), ("A", "")],
        &[],
        expect!["not a list of files that can be signed: `A` stands there twice, upper and lower case aside"],
    );
    check_sign(
        "m",
        &[("a", "")],
        &["a"],
        expect!["`a` cannot be ignored: not a plain relative path, or a signed file lies there"],
    );
    check_sign(
        "m",
        &[("a/b", "")],
        &["a"],
        expect!["`a` cannot be ignored: not a plain relative path, or a signed file lies there"],
    );
    check_sign(
        "m",
        &[("a", "")],
        &["../x"],
        expect!["`../x` cannot be ignored: not a plain relative path, or a signed file lies there"],
    );
    for path in ["", "/a", "a/", "a//b", ".", "./a", "a/.", "..", "a/../b", "a\0b"] {
        let made = oms::sign("m", &files(&[(path, "")]), &[], &key(1));
        assert!(chain(made).ends_with("is not a relative path in its plain form"), "{path}");
    }
    let long = "x/".repeat(2048) + "y";
    assert!(oms::root(&files(&[(&long, "")])).is_err());
    assert!(oms::root(&files(&[(&long[1..], ""), ("a", "")])).is_err(), "starts with a slash");
    assert!(oms::root(&files(&[(&long[2..], "")])).is_ok());
}
