//! The vocabulary through its public face: what parses, what does not, and what equal values look like.
#![expect(clippy::unwrap_used, reason = "a helper outside #[test] functions")]

use bartizan_base::canonical::{self, DecodeError, EncodeError};
use bartizan_base::{
    AliasRef, BlobName, Clock, Digest, Hex, ManualClock, Name, PrincipalId, ProjectId, Timestamp, VersionRef,
    sha256,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

fn canonical(value: &Value) -> String {
    String::from_utf8(canonical::to_bytes(value).unwrap()).unwrap()
}

#[test]
fn canonical_json_has_one_spelling() {
    let value = json!({ "b": [1, -2, null, true], "a": { "z": "é\n\u{1}\"\\", "A": 0 } });
    assert_eq!(canonical(&value), r#"{"a":{"A":0,"z":"é\n\u0001\"\\"},"b":[1,-2,null,true]}"#);
    let largest = (1_i64 << 53) - 1;
    assert_eq!(canonical(&json!([largest, -largest])), format!("[{largest},-{largest}]"));
    for bad in [json!(0.5), json!(1_i64 << 53), json!(-(1_i64 << 53)), json!(u64::MAX), json!({ "é": 1 })] {
        assert!(canonical::to_bytes(&bad).is_err(), "{bad}");
    }
    let nested = |levels, innermost: Value| (0..levels).fold(innermost, |inner, _| json!([inner]));
    for (levels, innermost) in [(32, json!(1)), (31, json!([])), (31, json!({}))] {
        assert!(canonical::to_bytes(&nested(levels, innermost)).is_ok());
    }
    for (levels, innermost) in [(33, json!(1)), (32, json!([])), (32, json!({})), (40, json!(1))] {
        assert!(canonical::to_bytes(&nested(levels, innermost)).is_err());
    }
}

#[test]
fn bytes_become_digits_whatever_their_number() {
    for length in [0_u8, 1, 31, 32, 33, 64, 100] {
        let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((Hex(&bytes).to_string(), format!("{:?}", Hex(&bytes))), (digits.clone(), digits));
    }
}

/// What no reader would accept is not written.
#[test]
fn documents_have_a_size() {
    let largest = "x".repeat(16 * 1024 * 1024 - 2);
    let bytes = canonical::to_bytes(&largest).unwrap();
    assert_eq!(canonical::from_bytes::<String>(&bytes).unwrap(), largest);
    let larger = format!("{largest}x");
    let refused = canonical::to_bytes(&larger).unwrap_err();
    assert!(matches!(refused, EncodeError::TooLarge { bytes: 16_777_217, limit: 16_777_216 }), "{refused:?}");
    let bytes = canonical::to_bytes_within(&larger, 1 << 25).unwrap();
    assert!(matches!(canonical::from_bytes::<String>(&bytes), Err(DecodeError::TooLarge { .. })));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Document {
    at: Timestamp,
    digest: Digest,
    #[serde(default)]
    more: Option<u8>,
}

/// Serde reads many texts as one value: a struct from an array, a digest with its prefix, a time in any zone,
/// members that a type does not have or may leave out. Only the text that would be written is read.
#[test]
fn a_typed_document_has_one_spelling() {
    let document = Document { at: Timestamp::EPOCH, digest: sha256(b""), more: None };
    let text = String::from_utf8(canonical::to_bytes(&document).unwrap()).unwrap();
    assert_eq!(canonical::from_bytes::<Document>(text.as_bytes()).unwrap(), document);
    let hex = sha256(b"").to_hex();
    for other in [
        format!(r#"["1970-01-01T00:00:00.000Z","{hex}",null]"#),
        text.replace(&hex, &format!("sha256:{hex}")),
        text.replace("00.000Z", "00Z"),
        text.replace("1970-01-01T00:00:00.000Z", "1970-01-01T01:00:00.000+01:00"),
        text.replace(r#","more":null"#, ""),
        text.replace(r#""more":null"#, r#""more":null,"other":1"#),
    ] {
        assert_ne!(other, text);
        let read = canonical::from_bytes::<Document>(other.as_bytes());
        assert!(matches!(read, Err(DecodeError::NotCanonical)), "{other}: {read:?}");
    }
}

#[test]
fn only_the_one_spelling_is_read() {
    assert_eq!(canonical::from_bytes::<Value>(br#"{"a":1,"b":2}"#).unwrap(), json!({ "a": 1, "b": 2 }));
    for other in [
        r#"{"b":2,"a":1}"#,
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2} "#,
        r#"{ "a":1}"#,
        r#"{"a":1.0}"#,
        r#"{"a":1e0}"#,
        r#"{"a":"\u0061"}"#,
        r#"{"a":"\/"}"#,
        r#"{"a":-0}"#,
    ] {
        assert!(canonical::from_bytes::<Value>(other.as_bytes()).is_err(), "{other}");
    }
    assert!(matches!(canonical::from_bytes::<Value>(b"{"), Err(DecodeError::Shape(_))));
}

#[test]
fn digests_and_ids() {
    let digest = sha256(b"abc");
    assert_eq!(digest.to_string(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    for text in [digest.to_string(), digest.to_hex()] {
        assert_eq!(text.parse::<Digest>().unwrap(), digest);
    }
    for bad in
        ["", "sha256:", &digest.to_hex().to_uppercase(), digest.to_hex().trim_start_matches('b'), "sha512:00"]
    {
        assert!(bad.parse::<Digest>().is_err(), "{bad}");
    }
    let project = ProjectId::from_random([0xab; 16]);
    assert_eq!(project.to_string(), "prj_abababababababababababababababab");
    assert_eq!(project.to_string().parse::<ProjectId>().unwrap(), project);
    assert!(project.to_string().parse::<PrincipalId>().is_err(), "another kind of id");
    assert!("prj_ABABABABABABABABABABABABABABABAB".parse::<ProjectId>().is_err());
}

#[test]
fn names_and_references() {
    let longest = "a".repeat(63);
    for good in ["a", "0", "fraud-scorer_v2.1", &longest] {
        assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
    }
    for bad in ["", "A", "-a", ".a", "a b", "a/b", "é", "a:b", &"a".repeat(64)] {
        assert!(bad.parse::<Name>().is_err(), "{bad}");
    }
    assert_eq!("fraud:3".parse::<VersionRef>().unwrap().to_string(), "fraud:3");
    for bad in ["fraud", "fraud:", "fraud:0", "fraud:03", "fraud:+3", "fraud:-1", ":3", "fraud:4294967296"] {
        assert!(bad.parse::<VersionRef>().is_err(), "{bad}");
    }
    assert_eq!("fraud@prod".parse::<AliasRef>().unwrap().to_string(), "fraud@prod");
    assert!("fraud".parse::<AliasRef>().is_err() && "fraud@".parse::<AliasRef>().is_err());
    for good in ["a", "tile/0/x001/067.p/3", "ab/cd"] {
        assert_eq!(good.parse::<BlobName>().unwrap().as_str(), good);
    }
    for bad in ["", "/a", "a/", "a//b", ".", "..", "a/../b", ".hidden", "a/.b", "A", "a b", &"a".repeat(256)]
    {
        assert!(bad.parse::<BlobName>().is_err(), "{bad}");
    }
}

#[test]
fn times() {
    for (text, printed) in [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000Z"),
        ("2026-03-01T13:30:00.1239+01:30", "2026-03-01T12:00:00.123Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), printed);
    }
    for bad in
        ["", "2026-03-01", "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z", "2026-03-01 12:00:00", "now"]
    {
        assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
    }
    assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
    assert_eq!(Timestamp::EPOCH.plus_millis(-5), Timestamp::EPOCH);
    let clock = ManualClock::new(Timestamp::EPOCH);
    clock.advance_millis(2000);
    clock.advance_millis(-500);
    assert_eq!(clock.now().millis(), 1500);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53) + 1..1 << 53).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec(("[ -~]{0,8}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in any_value()) {
        let bytes = canonical::to_bytes(&value).unwrap();
        prop_assert_eq!(canonical::from_bytes::<Value>(&bytes).unwrap(), value);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = canonical::from_bytes::<Value>(&bytes) {
            prop_assert_eq!(canonical::to_bytes(&value).unwrap(), bytes);
        }
    }
}
