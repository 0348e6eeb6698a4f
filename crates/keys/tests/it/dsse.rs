//! Envelopes: the specification's vector, who counts as a signer, and what is refused.

use bartizan_base::canonical;
use bartizan_keys::dsse::{self, Envelope, VerifyEnvelope, pae};
use bartizan_keys::{Algorithm, KeyId, PublicKey, SigningKey};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::support::{chain, rng};

const TYPE: &str = "application/vnd.in-toto+json";

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::EcdsaP256Sha256, &mut rng(seed)).unwrap()
}

fn trusting<'a>(keys: &'a [&'a SigningKey]) -> impl Fn(KeyId) -> Option<PublicKey> + 'a {
    |id| keys.iter().map(|key| key.public()).find(|key| key.id() == id).cloned()
}

fn text(envelope: &Envelope) -> String {
    String::from_utf8(envelope.to_bytes()).unwrap()
}

// https://github.com/secure-systems-lab/dsse, protocol.md, "Test Vectors". The vector's signature is r || s; here
// it stands in DER.
#[test]
fn the_vector_of_the_specification_verifies() {
    let message = pae("http://example.com/HelloWorld", b"hello world");
    assert_eq!(message, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    let point = "0467cd390f77aa359cb08c2235f652270493a9ed832b0abcc01f70954c0390d238\
                 0c782bd54e269125a44f4433aff1432ce94e12bca73aa67ac80cea12608ddf74";
    let spki = format!("3059301306072a8648ce3d020106082a8648ce3d030107034200{point}");
    let key = PublicKey::from_spki_der(&hex::decode(spki).unwrap()).unwrap();
    let envelope = json!({
        "payload": "aGVsbG8gd29ybGQ=",
        "payloadType": "http://example.com/HelloWorld",
        "signatures": [{
            "keyid": key.id().to_string(),
            "sig": "MEQCIANyarEBrVbCdjtsaqyOSHJ14qeRk6CdxfhZ2fjvPEo7AiBR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==",
        }],
    });
    let bytes = serde_json::to_vec(&envelope).unwrap();
    let verified = dsse::verify(&bytes, &|_| Some(key.clone()), "http://example.com/HelloWorld").unwrap();
    assert_eq!(verified.into_inner().bytes, b"hello world");
}

#[test]
fn pae_counts_bytes() {
    assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    assert_eq!(pae("é", &[0, 255]), b"DSSEv1 2 \xc3\xa9 2 \x00\xff");
    assert_eq!(pae("a 1 b", b"1 c"), b"DSSEv1 5 a 1 b 3 1 c");
}

#[test]
fn every_trusted_signer_is_named() {
    let ed25519 = SigningKey::generate(Algorithm::Ed25519, &mut rng(9)).unwrap();
    let (a, b) = (key(1), key(2));
    let envelope = dsse::sign(TYPE, b"payload", &[&a, &ed25519, &b]).unwrap();
    let ids = [a.public().id(), ed25519.public().id(), b.public().id()];
    assert_eq!(envelope.key_ids(), ids);
    let verified = dsse::verify(&envelope.to_bytes(), &trusting(&[&b, &a, &ed25519]), TYPE).unwrap();
    assert_eq!(verified.signers(), ids);
    assert_eq!(verified.get().bytes, b"payload");
    assert_eq!(verified.get().payload_type, TYPE);

    let verified = dsse::verify(&envelope.to_bytes(), &trusting(&[&b]), TYPE).unwrap();
    assert_eq!(verified.signers(), &ids[2..]);
}

#[test]
fn the_bytes_are_canonical() {
    let (a, b) = (key(1), key(2));
    for payload in [&b""[..], b"{}", &[255; 100]] {
        let envelope = dsse::sign(TYPE, payload, &[&a, &b]).unwrap();
        let bytes = envelope.to_bytes();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(canonical::to_bytes(&value).unwrap(), bytes);
        assert_eq!(Envelope::parse(&bytes).unwrap(), envelope);
        // Another layout and an unknown member make the same envelope.
        let mut loose = value;
        loose["comment"] = json!({"ignored": [1, 2.5, null]});
        let loose = serde_json::to_vec_pretty(&loose).unwrap();
        assert_eq!(Envelope::parse(&loose).unwrap().to_bytes(), bytes);
    }
}

#[test]
fn either_base64_is_read_and_no_third() {
    let a = key(1);
    let payload = [0xfb, 0xef, 0xff, 0xfe];
    let standard = text(&dsse::sign(TYPE, &payload, &[&a]).unwrap());
    assert!(standard.contains("++///g=="), "{standard}");
    let url_safe: String = {
        let (head, tail) = standard.split_at(standard.find("payloadType").unwrap());
        let (kind, tail) = tail.split_at(tail.find("signatures").unwrap());
        let swap = |text: &str| text.replace('+', "-").replace('/', "_");
        format!("{}{kind}{}", swap(head), swap(tail))
    };
    let verified = dsse::verify(url_safe.as_bytes(), &trusting(&[&a]), TYPE).unwrap();
    assert_eq!(verified.get().bytes, payload);

    for other in ["++///g", "+-///g==", "++///h==", "++// /g==", "++///g===", "*"] {
        let changed = standard.replace("++///g==", other);
        expect!["`payload` is not base64"].assert_eq(&chain(Envelope::parse(changed.as_bytes())));
    }
}

#[test]
fn signatures_that_name_no_key_are_counted() {
    let a = key(1);
    let bytes = text(&dsse::sign(TYPE, b"payload", &[&a]).unwrap());
    assert_eq!(Envelope::parse(bytes.as_bytes()).unwrap().signature_count(), 1);
    for keyid in ["", "what rides along"] {
        let more = bytes.replace("]}", &format!(r#",{{"keyid":"{keyid}","sig":"AA=="}}]}}"#));
        let envelope = Envelope::parse(more.as_bytes()).unwrap();
        assert_eq!((envelope.to_bytes(), envelope.key_ids()), (more.into_bytes(), vec![a.public().id()]));
        assert_eq!(envelope.signature_count(), 2);
    }
}

// What serde reads as a struct, and no other reader of envelopes does.
#[test]
fn an_array_is_no_object() {
    let (a, t) = (key(1), TYPE);
    let envelope: Value = serde_json::from_slice(&dsse::sign(t, b"x", &[&a]).unwrap().to_bytes()).unwrap();
    let (payload, signature) = (&envelope["payload"], &envelope["signatures"][0]);
    for other in [
        json!([payload, t, [signature]]),
        json!({"payload": payload, "payloadType": t, "signatures": [[signature["keyid"], signature["sig"]]]}),
    ] {
        let read = chain(Envelope::parse(&serde_json::to_vec(&other).unwrap()));
        assert!(read.contains("invalid type: sequence, expected an object"), "{other}: {read}");
    }
}

fn check_verify(envelope: &Envelope, trusted: &[&SigningKey], expected_type: &str, expected: Expect) {
    expected.assert_eq(&chain(dsse::verify(&envelope.to_bytes(), &trusting(trusted), expected_type)));
}

#[test]
fn what_does_not_verify() {
    let (a, b) = (key(1), key(2));
    let envelope = dsse::sign(TYPE, b"payload", &[&a]).unwrap();
    check_verify(&envelope, &[&b], TYPE, expect!["no signature names a trusted key"]);
    check_verify(&envelope, &[], TYPE, expect!["no signature names a trusted key"]);
    check_verify(
        &envelope,
        &[&a],
        "text/plain",
        expect!["the payload type is `application/vnd.in-toto+json`, not `text/plain`"],
    );

    // The same signature under another type, over another payload, by another key: none verifies.
    let (id_a, id_b) = (a.public().id().to_string(), b.public().id().to_string());
    let edit = |from: &str, to: &str| {
        let edited = text(&envelope).replace(from, to);
        assert_ne!(edited, text(&envelope));
        Envelope::parse(edited.as_bytes()).unwrap()
    };
    let does_not =
        |result: Result<_, VerifyEnvelope>| matches!(result, Err(VerifyEnvelope::Signature { .. }));
    assert!(does_not(edit(TYPE, "text/plain").verify(&trusting(&[&a]), "text/plain")));
    assert!(does_not(edit("cGF5bG9hZA==", "cGF5bG9hZAo=").verify(&trusting(&[&a]), TYPE)));
    assert!(does_not(edit(&id_a, &id_b).verify(&trusting(&[&a, &b]), TYPE)));

    // A signature of a trusted key that does not verify is refused, though another one does.
    let other = dsse::sign(TYPE, b"other", &[&b]).unwrap();
    let mut mixed: Value = serde_json::from_slice(&envelope.to_bytes()).unwrap();
    let foreign: Value = serde_json::from_slice(&other.to_bytes()).unwrap();
    mixed["signatures"].as_array_mut().unwrap().push(foreign["signatures"][0].clone());
    let mixed = serde_json::to_vec(&mixed).unwrap();
    let result = dsse::verify(&mixed, &trusting(&[&a, &b]), TYPE);
    assert!(matches!(result, Err(VerifyEnvelope::Signature { key }) if key == b.public().id()));
    assert!(dsse::verify(&mixed, &trusting(&[&a]), TYPE).is_ok());
}

#[test]
fn one_key_counts_once() {
    let (a, b) = (key(1), key(2));
    assert!(chain(dsse::sign(TYPE, b"payload", &[&a, &b, &a])).ends_with("was given twice"));

    let mut twice: Value =
        serde_json::from_slice(&dsse::sign(TYPE, b"payload", &[&a]).unwrap().to_bytes()).unwrap();
    let signature = twice["signatures"][0].clone();
    twice["signatures"].as_array_mut().unwrap().push(signature);
    let bytes = serde_json::to_vec(&twice).unwrap();
    let result = dsse::verify(&bytes, &trusting(&[&a]), TYPE);
    assert!(matches!(result, Err(VerifyEnvelope::SameKey { key }) if key == a.public().id()));

    // A look-up that answers every id with one key gains nothing.
    let mut renamed = twice.clone();
    renamed["signatures"][1]["keyid"] = json!(b.public().id().to_string());
    let bytes = serde_json::to_vec(&renamed).unwrap();
    let result = dsse::verify(&bytes, &|_| Some(a.public().clone()), TYPE);
    assert!(matches!(result, Err(VerifyEnvelope::SameKey { .. })));
}

#[test]
fn a_signature_without_a_key_id_selects_no_key() {
    let a = key(1);
    let mut envelope: Value =
        serde_json::from_slice(&dsse::sign(TYPE, b"payload", &[&a]).unwrap().to_bytes()).unwrap();
    envelope["signatures"][0].as_object_mut().unwrap().remove("keyid");
    let bytes = serde_json::to_vec(&envelope).unwrap();
    let result = dsse::verify(&bytes, &trusting(&[&a]), TYPE);
    assert!(matches!(result, Err(VerifyEnvelope::Untrusted { named }) if named.is_empty()));
}

fn check_parse(json: &str, expected: Expect) {
    expected.assert_eq(&chain(Envelope::parse(json.as_bytes())));
}

#[test]
fn what_is_not_well_formed() {
    check_parse("", expect!["not a DSSE envelope in JSON: EOF while parsing a value at line 1 column 0"]);
    check_parse(r#"{"payload":"","payloadType":"t","signatures":[]}"#, expect!["0 signatures, not 1 to 16"]);
    check_parse(
        r#"{"payload":"","payloadType":"t","signatures":[{"sig":""}]}"#,
        expect!["a signature of 0 bytes, not 1 to 1024"],
    );
    check_parse(
        r#"{"payload":"","payloadType":"","signatures":[{"sig":"AA=="}]}"#,
        expect!["`payloadType` is not at most 255 printable ASCII characters without quotes"],
    );
    check_parse(
        r#"{"payload":"","payloadType":"t","signatures":[{"keyid":"\u0000","sig":"AA=="}]}"#,
        expect!["`keyid` is not at most 255 printable ASCII characters without quotes"],
    );
    check_parse(
        r#"{"payload":"","payload":"","payloadType":"t","signatures":[{"sig":"AA=="}]}"#,
        expect!["not a DSSE envelope in JSON: a member is repeated at line 1 column 23"],
    );
    check_parse(
        r#"{"payload":"","payloadType":"t","signatures":[{"sig":"AA=="}],"x":[{"y":1,"y":2}]}"#,
        expect!["not a DSSE envelope in JSON: a member is repeated at line 1 column 77"],
    );
    check_parse(
        r#"{"payload":"","payloadType":"t","signatures":[{"sig":"AA=="}]}{}"#,
        expect!["not a DSSE envelope in JSON: trailing characters at line 1 column 63"],
    );
    let signatures = r#"{"sig":"AA=="},"#.repeat(17);
    check_parse(
        &format!(r#"{{"payload":"","payloadType":"t","signatures":[{}]}}"#, signatures.trim_end_matches(',')),
        expect![
            "not a DSSE envelope in JSON: invalid length 17, expected an array of at most 16 items at line 1 column 301"
        ],
    );
    let members: String = (0..1001).map(|n| format!("\"m{n}\":0,")).collect();
    check_parse(
        &format!(r#"{{{members}"payload":"","payloadType":"t","signatures":[{{"sig":"AA=="}}]}}"#),
        expect!["not a DSSE envelope in JSON: an object has too many members at line 1 column 8898"],
    );
    check_parse(
        &format!(r#"{{"x":{}1{}}}"#, "[".repeat(200), "]".repeat(200)),
        expect!["not a DSSE envelope in JSON: recursion limit exceeded at line 1 column 132"],
    );
}

#[test]
fn limits_hold_at_both_ends() {
    let keys: Vec<SigningKey> = (0..17).map(key).collect();
    let keys: Vec<&SigningKey> = keys.iter().collect();
    assert!(dsse::sign(TYPE, b"", &keys[..16]).is_ok());
    expect!["not what an envelope can hold: 17 signatures, not 1 to 16"]
        .assert_eq(&chain(dsse::sign(TYPE, b"", &keys)));
    expect!["not what an envelope can hold: 0 signatures, not 1 to 16"].assert_eq(&chain(dsse::sign(
        TYPE,
        b"",
        &[],
    )));

    // The largest payload that fits, whatever the length of the signature, and the smallest that does not.
    let ed25519 = SigningKey::generate(Algorithm::Ed25519, &mut rng(1)).unwrap();
    let overhead = dsse::sign(TYPE, b"", &[&ed25519]).unwrap().to_bytes().len();
    let fits = (60 * 1024 - overhead) / 4 * 3;
    let envelope = dsse::sign(TYPE, &vec![0; fits], &[&ed25519]).unwrap();
    assert!(dsse::verify(&envelope.to_bytes(), &trusting(&[&ed25519]), TYPE).is_ok());
    assert!(chain(dsse::sign(TYPE, &vec![0; fits + 1], &[&ed25519])).contains("more than the 61440 allowed"));
    let mut padded = envelope.to_bytes();
    padded.resize(60 * 1024 + 1, b' ');
    expect!["61441 bytes, more than the 61440 allowed"].assert_eq(&chain(Envelope::parse(&padded)));
    padded.pop();
    assert_eq!(Envelope::parse(&padded).unwrap(), envelope);
}

/// Who has the keys of one signer tries them all: the key id is a hint that other tools leave out or make up.
#[test]
fn one_signature_is_verified_whatever_key_it_names() {
    let (one, other) = (key(1), key(2));
    let signed = text(&dsse::sign(TYPE, b"{}", &[&one]).unwrap());
    let id = one.public().id().to_string();
    for hint in [id.clone(), String::new(), "SHA256:abc".to_owned(), other.public().id().to_string()] {
        let envelope = Envelope::parse(signed.replace(&id, &hint).as_bytes()).unwrap();
        let keys = [other.public(), one.public()];
        let verified = envelope.clone().verify_sole(&keys, TYPE).unwrap();
        assert_eq!(
            (verified.signers(), verified.get().bytes.as_slice()),
            (&[one.public().id()][..], &b"{}"[..])
        );
        assert!(matches!(
            envelope.clone().verify_sole(&keys[..1], TYPE),
            Err(VerifyEnvelope::Untrusted { .. })
        ));
        assert!(matches!(envelope.verify_sole(&keys, "text/plain"), Err(VerifyEnvelope::PayloadType { .. })));
    }
    let both = dsse::sign(TYPE, b"{}", &[&one, &other]).unwrap();
    let refused = both.verify_sole(&[one.public(), other.public()], TYPE);
    assert!(matches!(refused, Err(VerifyEnvelope::Untrusted { .. })), "two signatures are not one");
}
