//! JSON lines: strings are searched as what they mean, and stay JSON when something in them is replaced.

use std::collections::BTreeMap;

use bartizan_data::pii::{Action, Detector, DetectorOptions, LineScanner, Recognisers, Replacer, json};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::Value;

use super::corpus::{Rng, fill};
use super::{detector, shown};

/// What is found in each line, as it is written there, and the line with it redacted.
fn check(lines: &str, expected: Expect) {
    let detector = detector();
    let mut said = String::new();
    for line in lines.lines() {
        let mut found = Vec::new();
        json::find_into(&detector, line.as_bytes(), &mut found);
        let (redacted, count) = redacted(&detector, line);
        assert_eq!(count, found.len() as u64);
        said.push_str(&format!("{}\n  {redacted}\n", shown(&detector, line, &found)));
    }
    expected.assert_eq(&said);
}

fn redacted(detector: &Detector, line: &str) -> (String, u64) {
    let (mut replacer, mut out) = (Replacer::new(Action::Redact), Vec::new());
    let count = json::rewrite(detector, line.as_bytes(), &mut out, |id, value, out| {
        replacer.replace(id, detector.kind(id).unwrap(), value, out)
    });
    (String::from_utf8(out).unwrap(), count.unwrap())
}

#[test]
fn strings_are_searched_as_what_they_mean() {
    check(
        r#"{"m":"Card:\n4111111111111111"}
{"m":"key\nAKIAIOSFODNN7EXAMPLE"}
{"m":"IBAN\tDE89370400440532013000"}
{"m":"ip\n10.1.2.3"}
{"m":"bob\u0040example.com"}
{"m":"4111\u00a01111\u00a01111\u00a01111"}
{"m":"https:\/\/user:s3cr3tpw@host"}
{"m":"zo\u00eb@example.com"}
{"m":"\ud83d\ude00 anna@example.org \ud83d\ude00"}
{"m":"\ud83d4111111111111111"}
{"m":"\u0034\u0031\u0031\u0031111111111111"}
{"m\u0061il":["a\\b@example.org", 4111111111111111, "\"bob@example.org\""]}
{"password":"ab\"9dQz7Lw2!kP"}
{"p\u0061ssword":"Xk9FhMgZNyz88"}
{"customerCard":"4111111111111111\n"}
{"m":"a\nb", "n": -4111111111111111, "\u0061nna@example.org": 1}
{"m":"\x 4111111111111111 \u12"}
{"m":"open \u0062ob@example.org"#,
        expect![[r#"
            card 99 [4111111111111111] context, card
              {"m":"Card:\n<CARD>"}
            aws-access-key 97 [AKIAIOSFODNN7EXAMPLE] valid
              {"m":"key\n<AWS_ACCESS_KEY>"}
            iban 98 [DE89370400440532013000] valid
              {"m":"IBAN\t<IBAN>"}
            ipv4 95 [10.1.2.3] valid
              {"m":"ip\n<IPV4>"}
            email 95 [bob\u0040example.com] valid
              {"m":"<EMAIL>"}
            card 95 [4111\u00a01111\u00a01111\u00a01111] typical form
              {"m":"<CARD>"}
            url-credentials 95 [https:\/\/user:s3cr3tpw@host] valid
              {"m":"<URL_CREDENTIALS>"}
            email 95 [zo\u00eb@example.com] valid
              {"m":"<EMAIL>"}
            email 95 [anna@example.org] valid
              {"m":"\ud83d\ude00 <EMAIL> \ud83d\ude00"}
            card 80 [4111111111111111] valid
              {"m":"\ud83d<CARD>"}
            card 80 [\u0034\u0031\u0031\u0031111111111111] valid
              {"m":"<CARD>"}
            email 95 [b@example.org] valid; card 80 [4111111111111111] valid; email 95 [bob@example.org] valid
              {"m\u0061il":["a\\<EMAIL>", "<CARD>", "\"<EMAIL>\""]}
            assigned-secret 80 [ab\"9dQz7Lw2!kP] context
              {"password":"<ASSIGNED_SECRET>"}
            assigned-secret 80 [Xk9FhMgZNyz88] context
              {"p\u0061ssword":"<ASSIGNED_SECRET>"}
            card 99 [4111111111111111] context, card
              {"customerCard":"<CARD>\n"}
            email 95 [\u0061nna@example.org] valid
              {"m":"a\nb", "n": -4111111111111111, "<EMAIL>": 1}
            card 80 [4111111111111111] valid
              {"m":"\x <CARD> \u12"}
            email 95 [\u0062ob@example.org] valid
              {"m":"open <EMAIL>
        "#]],
    );
}

/// A finding that reaches from one string into the next leaves what is between them.
#[test]
fn structure_stays() {
    check(
        r#"{"a":"-----BEGIN PRIVATE KEY-----","b":"-----END PRIVATE KEY-----"}
{"a":"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"}
call +1 212-555-0123 or anna@example.org"#,
        expect![[r#"
            private-key 99 [-----BEGIN PRIVATE KEY-----","b":"-----END PRIVATE KEY-----] valid
              {"a":"<PRIVATE_KEY>","b":"<PRIVATE_KEY>"}
            private-key 99 [-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----] valid
              {"a":"<PRIVATE_KEY>\n"}
            phone 95 [+1 212-555-0123] context, call, US; email 95 [anna@example.org] valid
              call "<PHONE>" or "<EMAIL>"
        "#]],
    );
}

#[test]
fn what_replaces_a_value_is_given_it_decoded_and_written_as_json() {
    let mut out = Vec::new();
    let mut values = Vec::new();
    json::rewrite(
        &detector(),
        br#"{"m":"zo\u00eb@example.com","n":4111111111111111}"#,
        &mut out,
        |_, value, out| {
            values.push(String::from_utf8(value.to_vec()).unwrap());
            out.extend(b"a \"b\" \\ \n\x01");
            Ok::<(), ()>(())
        },
    )
    .unwrap();
    assert_eq!(values, ["zoë@example.com", "4111111111111111"]);
    let line: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(line["m"], "a \"b\" \\ \n\u{1}");
    assert_eq!(line["n"], "a \"b\" \\ \n\u{1}");
}

const SHAPES: &[&str] = &[
    "aaaa{@}aaaa{.org}",
    "{zoë@example.org}",
    "{4111 1111 1111 1111}",
    "{4111\u{a0}1111\u{a0}1111\u{a0}1111}",
    "{DE89370400440532013000}",
    "{+1 212-555-0123}",
    "{10.1.2.3}",
    "{AKIAIOSFODNN7EXAMPLE}",
    "{https://user:s3cr3tpw@host}",
    "{ssn 536-90-4399}",
    "{-----BEGIN PRIVATE KEY-----}",
    "{\n}",
    "{\t}",
    "{ }",
    "{\"}",
    "{\\}",
    "{/}",
    "{😀}",
    "{é}",
    "d",
    "aaa",
    "{,}",
    "{:}",
    "{\u{1}}",
];

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec((0..SHAPES.len(), any::<u64>()), 0..12).prop_map(|parts| {
        parts.into_iter().map(|(shape, seed)| fill(&mut Rng(seed), SHAPES[shape])).collect()
    })
}

/// A string of JSON in which each character is written in one of the ways that it may be.
fn written(text: &str, ways: u64) -> String {
    let mut rng = Rng(ways);
    let mut written = String::from("\"");
    for character in text.chars() {
        let must = character < ' ' || character == '"' || character == '\\';
        let short = match character {
            '"' | '\\' | '/' => Some(character),
            '\n' => Some('n'),
            '\t' => Some('t'),
            _ => None,
        };
        match (rng.below(4), short) {
            (0 | 1, Some(short)) => written.extend(['\\', short]),
            (2 | 3, _) if !must => written.push(character),
            (1, None) if !must => written.push(character),
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    written.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    written.push('"');
    written
}

/// What of a document stays whatever is replaced: how it is built, and everything but strings and numbers.
fn structure(value: &Value) -> Value {
    match value {
        Value::String(_) | Value::Number(_) => "".into(),
        Value::Array(values) => values.iter().map(structure).collect(),
        Value::Object(members) => members.values().map(structure).collect(),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_redacted_line_is_built_as_before(texts in proptest::collection::vec(text(), 1..5), ways: u64) {
        let mut line = "{".to_owned();
        for (at, text) in texts.iter().enumerate() {
            // Names stay different where what is found in them becomes the same.
            let name = written(&format!("{at}k {text}"), ways ^ 1);
            line.push_str(&format!("{name}: [{}, {at}.5e3, 4111111111111111, null],", written(text, ways)));
        }
        line.push_str("\"z\":true}");
        let (before, (redacted, count)) = (serde_json::from_str::<Value>(&line).unwrap(), redacted(&detector(), &line));
        let after = serde_json::from_str::<Value>(&redacted);
        prop_assert!(after.is_ok(), "{line}\n{redacted}");
        prop_assert_eq!(structure(&before), structure(&after.unwrap()), "{}\n{}", line, redacted);
        prop_assert!(count > 0);
    }

    #[test]
    fn a_string_holds_what_a_cell_with_its_text_holds(text in text(), ways: u64) {
        let detector = detector();
        let line = format!("{{\"m\":{}}}", written(&text, ways));
        let mut found = Vec::new();
        json::find_into(&detector, line.as_bytes(), &mut found);
        let mut values: BTreeMap<(&str, Vec<u8>), u32> = BTreeMap::new();
        for one in found {
            let value = json::decode(&line.as_bytes()[one.range()]).into_owned();
            *values.entry((one.kind().id(), value)).or_default() += 1;
        }
        for one in detector.find(text.as_bytes()) {
            let value = text.as_bytes()[one.range()].to_vec();
            let count = values.entry((one.kind().id(), value.clone())).or_default();
            prop_assert!(*count > 0, "{} `{}` is not found in {line}", one.kind().id(), String::from_utf8_lossy(&value));
            *count -= 1;
        }
        prop_assert!(values.values().all(|count| *count == 0), "more is found: {values:?}");
    }

    #[test]
    fn decoding_is_what_serde_does(text in text(), ways: u64) {
        let string = written(&text, ways);
        let decoded = json::decode(&string.as_bytes()[1..string.len() - 1]).into_owned();
        prop_assert_eq!(String::from_utf8(decoded).unwrap(), serde_json::from_str::<String>(&string).unwrap());
    }

    #[test]
    fn pieces_give_what_lines_give(texts in proptest::collection::vec((text(), any::<u64>()), 0..8), cuts in proptest::collection::vec(1..50_usize, 0..20)) {
        let (detector, mut file, mut expected) = (detector(), String::new(), Vec::new());
        for (text, ways) in texts {
            let line = format!("{{\"m\":{}}}", written(&text, ways));
            let mut found = Vec::new();
            json::find_into(&detector, line.as_bytes(), &mut found);
            expected.extend(found.iter().map(|one| (one.kind(), one.start() + file.len() as u64, one.score())));
            file.push_str(&line);
            file.push('\n');
        }
        let (mut scanner, mut found, mut rest) = (LineScanner::new(&detector), Vec::new(), file.as_bytes());
        for cut in cuts {
            let (piece, further) = rest.split_at(rest.len().min(cut));
            scanner.push(piece, &mut found).unwrap();
            rest = further;
        }
        scanner.push(rest, &mut found).unwrap();
        scanner.finish(&mut found);
        let found: Vec<_> = found.iter().map(|one| (one.kind(), one.start(), one.score())).collect();
        prop_assert_eq!(found, expected);
    }
}

/// Words that hold parts of two findings go whole.
#[test]
fn nothing_of_two_findings_that_meet_is_left() {
    let detector = detector();
    for line in ["foo@example.com;+1 415-555-2671", "x jane@corp.com/+1 415-555-2671 y"] {
        let (redacted, count) = redacted(&detector, line);
        assert_eq!(count, 2, "{redacted}");
        assert!(
            !redacted.contains("415") && !redacted.contains("2671") && !redacted.contains('@'),
            "{redacted}"
        );
    }
}

/// A recogniser that counts on the quote finds the name of a member, which goes like any other value.
#[test]
fn a_name_that_is_found_with_its_quote_is_replaced() {
    let file = "format = \"bartizan-recognisers-v1\"\n[[recogniser]]\nkind = \"employee\"\npattern = '\"EMP-[0-9]{6}\"'\nscore = 0.7\n";
    let recognisers = Some(Recognisers::parse(file).unwrap());
    let detector = Detector::new(&DetectorOptions { recognisers, ..DetectorOptions::default() });
    let redacted = redacted(&detector, r#"{"EMP-123456": true}"#);
    assert_eq!(redacted, (r#"{"<EMPLOYEE>": true}"#.to_owned(), 1));
}
