//! Bundles that are signed well and say what cannot be accepted, each refused by name.

use bartizan_keys::dsse::pae;
use bartizan_keys::oms::{self, PAYLOAD_TYPE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::oms::{files, key};
use crate::support::chain;

const MODEL: [(&str, &str); 2] = [("a", "x"), ("b", "y")];

fn good() -> (Value, Value) {
    let bundle = oms::sign("m", &files(&MODEL), &["model.sig"], &key(1)).unwrap();
    let bundle: Value = serde_json::from_slice(&bundle).unwrap();
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    (bundle, serde_json::from_slice(&payload).unwrap())
}

// Signs `payload` anew and puts it into the bundle.
fn signed(payload: &[u8]) -> Vec<u8> {
    let (mut bundle, _) = good();
    bundle["dsseEnvelope"]["payload"] = STANDARD.encode(payload).into();
    let signature = key(1).sign(&pae(PAYLOAD_TYPE, payload)).unwrap();
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = STANDARD.encode(signature).into();
    serde_json::to_vec(&bundle).unwrap()
}

fn check_bundle(change: impl FnOnce(&mut Value), expected: Expect) {
    let (mut bundle, _) = good();
    let before = bundle.clone();
    change(&mut bundle);
    assert_ne!(bundle, before);
    expected.assert_eq(&chain(oms::verify(&serde_json::to_vec(&bundle).unwrap(), key(1).public())));
}

fn check_statement(change: impl FnOnce(&mut Value), expected: Expect) {
    let (_, mut statement) = good();
    let before = statement.clone();
    change(&mut statement);
    assert_ne!(statement, before);
    let bundle = signed(&serde_json::to_vec(&statement).unwrap());
    expected.assert_eq(&chain(oms::verify(&bundle, key(1).public())));
}

#[test]
fn signing_anew_is_what_these_tests_do() {
    let (_, statement) = good();
    let bundle = signed(&serde_json::to_vec_pretty(&statement).unwrap());
    let manifest = oms::verify(&bundle, key(1).public()).unwrap().into_inner();
    assert_eq!(manifest.matches(&files(&MODEL)), Ok(()));
}

#[test]
fn bundles() {
    check_bundle(
        |bundle| bundle["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.2"),
        expect![
            "the media type is `application/vnd.dev.sigstore.bundle+json;version=0.2`, not `application/vnd.dev.sigstore.bundle.v0.3+json`"
        ],
    );
    check_bundle(
        |bundle| bundle["verificationMaterial"] = json!({"certificate": {"rawBytes": "AA=="}}),
        expect!["the bundle is not signed with a plain key"],
    );
    check_bundle(
        |bundle| {
            let signatures = bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
            signatures.push(signatures[0].clone());
        },
        expect!["2 signatures in the bundle, not 1"],
    );
    check_bundle(
        |bundle| bundle["dsseEnvelope"]["signatures"] = json!([]),
        expect!["the bundle holds no well-formed envelope: 0 signatures, not 1 to 16"],
    );
    check_bundle(
        |bundle| bundle["dsseEnvelope"]["payloadType"] = json!("text/plain"),
        expect!["the payload type is `text/plain`, not `application/vnd.in-toto+json`"],
    );
    check_bundle(
        |bundle| bundle["dsseEnvelope"]["payload"] = json!("e30="),
        expect!["the signature of the bundle does not verify"],
    );
    check_bundle(
        |bundle| drop(bundle.as_object_mut().unwrap().remove("dsseEnvelope")),
        expect!["not a Sigstore bundle in JSON: missing field `dsseEnvelope` at line 1 column 191"],
    );
}

#[test]
fn statements() {
    check_statement(
        |statement| statement["_type"] = json!("https://in-toto.io/Statement/v0.1"),
        expect![
            "the statement is of type `https://in-toto.io/Statement/v0.1`, not `https://in-toto.io/Statement/v1`"
        ],
    );
    // What the tool wrote before version 1.0.
    check_statement(
        |statement| statement["predicateType"] = json!("https://model_signing/Digests/v0.1"),
        expect![
            "the statement is of type `https://model_signing/Digests/v0.1`, not `https://model_signing/signature/v1.0`"
        ],
    );
    check_statement(
        |statement| {
            let subject = statement["subject"][0].clone();
            statement["subject"].as_array_mut().unwrap().push(subject);
        },
        expect!["2 subjects in the statement, not 1"],
    );
    check_statement(
        |statement| {
            statement["predicate"]["serialization"] = json!({"method": "shards", "hash_type": "sha256", "shard_size": 1000, "allow_symlinks": false});
        },
        expect!["serialization `shards` with `sha256` is not supported, only `files` with `sha256`"],
    );
    check_statement(
        |statement| statement["predicate"]["serialization"]["hash_type"] = json!("blake3"),
        expect!["serialization `files` with `blake3` is not supported, only `files` with `sha256`"],
    );
    check_statement(
        |statement| statement["predicate"]["resources"][1]["algorithm"] = json!("blake2b"),
        expect!["serialization `files` with `blake2b` is not supported, only `files` with `sha256`"],
    );
    check_statement(
        |statement| drop(statement["predicate"].as_object_mut().unwrap().remove("serialization")),
        expect!["serialization `` with `` is not supported, only `files` with `sha256`"],
    );
    expect!["the signed payload is not a model signature: expected value at line 1 column 1"]
        .assert_eq(&chain(oms::verify(&signed(b"model"), key(1).public())));
}

#[test]
fn lists_of_files() {
    check_statement(
        |statement| statement["subject"][0]["digest"]["sha256"] = json!("00".repeat(32)),
        expect!["the subject is not the root digest of the signed files"],
    );
    check_statement(
        |statement| statement["predicate"]["resources"].as_array_mut().unwrap().swap(0, 1),
        expect!["the subject is not the root digest of the signed files"],
    );
    check_statement(
        |statement| drop(statement["predicate"]["resources"].as_array_mut().unwrap().pop()),
        expect!["the subject is not the root digest of the signed files"],
    );
    check_statement(
        |statement| statement["predicate"]["resources"][1]["name"] = json!("a"),
        expect!["the signed list of files is malformed: `a` stands there twice, upper and lower case aside"],
    );
    check_statement(
        |statement| statement["predicate"]["resources"][1]["name"] = json!("A"),
        expect!["the signed list of files is malformed: `A` stands there twice, upper and lower case aside"],
    );
    check_statement(
        |statement| statement["predicate"]["resources"][1]["name"] = json!("../../etc/passwd"),
        expect![
            "the signed list of files is malformed: `../../etc/passwd` is not a relative path in its plain form"
        ],
    );
    check_statement(
        |statement| {
            let resources = statement["predicate"]["resources"].as_array_mut().unwrap();
            resources[0]["name"] = json!("b/c/d");
            resources.swap(0, 1);
        },
        expect!["the signed list of files is malformed: `b` is a file and a folder"],
    );
    check_statement(
        |statement| statement["predicate"]["resources"] = json!([]),
        expect!["the signed list of files is malformed: 0 files, not 1 to 100000"],
    );
    check_statement(
        |statement| {
            statement["predicate"]["resources"] =
                json!([{"name": ".", "algorithm": "sha256", "digest": "00".repeat(32)}]);
        },
        expect!["the bundle signs a single file, only directories are supported"],
    );
}

#[test]
fn lengths() {
    let long = "n".repeat(4097);
    check_statement(
        |statement| statement["subject"][0]["name"] = json!(long),
        expect!["the model's name or an ignored path has more than 4096 bytes"],
    );
    check_statement(
        |statement| statement["predicate"]["serialization"]["ignore_paths"] = json!(["a", long]),
        expect!["the model's name or an ignored path has more than 4096 bytes"],
    );
    let (_, mut statement) = good();
    statement["predicate"]["serialization"]["ignore_paths"] = json!(vec!["x"; 1001]);
    let refused = chain(oms::verify(&signed(&serde_json::to_vec(&statement).unwrap()), key(1).public()));
    assert!(refused.contains("invalid length 1001, expected an array of at most 1000 items"), "{refused}");
    let many = oms::sign("m", &files(&MODEL), &["x"; 1001], &key(1));
    expect!["1001 ignored paths, more than the 1000 allowed"].assert_eq(&chain(many));
}

// A list in another order is the signer's choice, as long as the root follows it.
#[test]
fn another_order_of_the_list() {
    let (_, mut statement) = good();
    statement["predicate"]["resources"].as_array_mut().unwrap().swap(0, 1);
    let digests = ["y", "x"].map(|content| *bartizan_base::sha256(content.as_bytes()).as_bytes());
    statement["subject"][0]["digest"]["sha256"] = bartizan_base::sha256(&digests.concat()).to_hex().into();
    let bundle = signed(&serde_json::to_vec(&statement).unwrap());
    let manifest = oms::verify(&bundle, key(1).public()).unwrap().into_inner();
    assert_eq!(manifest.files, files(&MODEL));
    assert_eq!(manifest.matches(&files(&MODEL)), Ok(()));
}

// What serde reads as a struct, and the tool does not.
#[test]
fn an_array_is_no_object() {
    type Change = fn(&mut Value);
    let values = |object: &Value, names: &[&str]| names.iter().map(|name| object[name].clone()).collect();
    let verified = |bundle: &Value, what: &str| {
        let refused = chain(oms::verify(&serde_json::to_vec(bundle).unwrap(), key(1).public()));
        assert!(refused.contains("invalid type: sequence, expected an object"), "{what}: {refused}");
    };
    let (mut bundle, _) = good();
    let names = ["mediaType", "verificationMaterial", "dsseEnvelope"];
    verified(&values(&bundle, &names), "bundle");
    bundle["verificationMaterial"]["publicKey"] = json!([null]);
    verified(&bundle, "hint");
    bundle["verificationMaterial"] = json!([{}]);
    verified(&bundle, "material");

    let changes: [(&str, Change); 5] = [
        ("subject", |statement| statement["subject"] = json!([["m", statement["subject"][0]["digest"]]])),
        ("digest", |statement| {
            let digest = statement["subject"][0]["digest"]["sha256"].take();
            statement["subject"][0]["digest"] = json!([digest]);
        }),
        ("resource", |statement| {
            let digest = statement["predicate"]["resources"][0]["digest"].take();
            statement["predicate"]["resources"][0] = json!(["a", "sha256", digest]);
        }),
        ("serialization", |statement| {
            statement["predicate"]["serialization"] = json!(["files", "sha256"]);
        }),
        ("predicate", |statement| {
            let serialization = statement["predicate"]["serialization"].take();
            statement["predicate"] = json!([serialization]);
        }),
    ];
    for (what, change) in changes {
        let (_, mut statement) = good();
        change(&mut statement);
        let refused = chain(oms::verify(&signed(&serde_json::to_vec(&statement).unwrap()), key(1).public()));
        assert!(refused.contains("invalid type: sequence, expected an object"), "{what}: {refused}");
    }
}

#[test]
fn repeated_members_are_refused_at_both_levels() {
    let (bundle, statement) = good();
    let twice = bundle.to_string().replace("\"mediaType\"", "\"mediaType\":\"x\",\"mediaType\"");
    assert!(chain(oms::verify(twice.as_bytes(), key(1).public())).contains("a member is repeated"));
    let twice = statement.to_string().replace("\"subject\"", "\"subject\":[],\"subject\"");
    assert!(chain(oms::verify(&signed(twice.as_bytes()), key(1).public())).contains("a member is repeated"));
    let huge = vec![b' '; (32 << 20) + 1];
    expect!["33554433 bytes, more than the 33554432 allowed"]
        .assert_eq(&chain(oms::verify(&huge, key(1).public())));
}
