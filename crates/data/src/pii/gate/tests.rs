//! The table never keeps a number from being looked at that is part of anything.

use proptest::prelude::*;

use super::{ALWAYS, BEFORE, BEHIND, COUNTS, Gate};
use crate::pii::detector::{Detector, DetectorOptions, Title};
use crate::pii::finding::distinct;
use crate::pii::{Finding, Kind, KindSet};

/// As it would be if every number were looked at.
fn unguarded(kinds: KindSet) -> Detector {
    let options = DetectorOptions { kinds, min_score: 1, recognisers: None };
    let table = vec![ALWAYS; BEFORE.len() * COUNTS * BEHIND.len()];
    Detector { gate: Gate { table, parts: true }, ..Detector::new(&options) }
}

fn guarded(kinds: KindSet) -> Detector {
    Detector::new(&DetectorOptions { kinds, min_score: 1, recognisers: None })
}

fn candidates(detector: &Detector, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    detector.candidates(&Title::new("customer"), text.as_bytes(), &mut found);
    distinct(&mut found);
    found
}

/// A form in which people write something, with other digits and letters, and now and then another mark.
fn form() -> impl Strategy<Value = String> {
    const FORMS: &[&str] = &[
        "99999999",
        "999999999",
        "9999999999",
        "99999999999",
        "999999999999",
        "9999999999999",
        "9999999999999999",
        "999-99-9999",
        "999 99 9999",
        "999-999-9999",
        "(999) 999-9999",
        "(999)999-9999",
        "9 (999) 999-9999",
        "9-(999)-999-9999",
        "9.999.999.9999",
        "999/999-9999",
        "9999 9999 9999 9999",
        "9999 99999999 9999",
        "99ab.9b9c.9d9e",
        "abcd.efab.9999",
        "9999-999999-99999",
        "9999.9999.9999.9999",
        "99 99 99 99 99",
        "99.99.99.99.99",
        "(9999) 999999",
        "(99999) 999 999",
        "9999/9999999",
        "99 99999-9999",
        "+9 999 999 9999",
        "+99 (0)99 9999 9999",
        "+999999999999",
        "00999999999999",
        "0099 99 999 99 99",
        "+99-99-99999999",
        "999.9.99.999",
        "9.9.9.9",
        "99.99.999.9:80",
        "aa99aaaa99999999999999",
        "AA99 9999 9999 9999 99",
        "AA99 AAAA 9999 9999 9999",
        "AA999999A",
        "AA 99 99 99 A",
        "AA-99-99-99-A",
        "99999999-A",
        "99.999.999-A",
        "A-9999999-A",
        "A9999999A",
        "AAAAAA99A99A999A",
        "9 99 99 99 999 999 99",
        "9 99 99 9A 999 999 99",
        "999999A99999999",
        "99 999 999 999",
        "9999.99.999",
        "999999-9999",
        "99999999+9999",
        "999999-999X",
        "999999A999X",
        "999999 99999",
        "999.999.999-99",
        "99.99.99-999.99",
        "99.99.99-999 99",
        "999999-999.99",
        "999.9999.9999.99",
        "9999999AA",
        "999999-9999999",
        "99999999999999999A",
        "999999/9999",
        "AA:99:aa:9a:a9:99",
        "99-aa-a9-9a-99-AA",
        "9a-99-99-99-99-99",
        "aa-aa-aa-aa-aa-a9",
        "999:99a:9:9::9",
        "::9999:a",
        "9 200 99999",
        "[12/Mar/2026:29:55:10 +0000]",
        "Chrome/120.0.0.0",
        "x86_64",
        "h264.js",
    ];
    let change = prop_oneof![12 => Just(None), 1 => "[-+ ./:_%a()]".prop_map(Some)];
    (prop::sample::select(FORMS), prop::collection::vec((any::<u8>(), change), 24)).prop_map(
        |(form, choices)| {
            let mut text = String::new();
            for (byte, (choice, change)) in form.bytes().zip(choices) {
                match (byte, change) {
                    (_, Some(change)) => text.push_str(&change),
                    // Few digits often, so that checks are passed now and then.
                    (b'9', None) => text.push(char::from(b'0' + choice % 10)),
                    (b'A', None) => text.push(char::from(b'A' + choice % 26)),
                    (b'a', None) => text.push(char::from(b'a' + choice % 6)),
                    (byte, None) => text.push(char::from(byte)),
                }
            }
            text
        },
    )
}

fn text() -> impl Strategy<Value = String> {
    let between = prop_oneof![4 => "[ ,;\n\"'=/.:()#$@_-]", 1 => "(tel|card |iban: |ssn|NHS no |from )", 1 => "[A-Za-z]{1,3}"];
    let piece = prop_oneof![6 => form(), 1 => "[0-9]{1,22}", 1 => "[0-9 .+-]{1,30}"];
    prop::collection::vec((between, piece), 1..8)
        .prop_map(|parts| parts.into_iter().map(|(mark, piece)| mark + &piece).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn nothing_is_lost_behind_the_gate(text in text()) {
        thread_local! {
            static DETECTORS: Vec<(Detector, Detector)> = [
                KindSet::ALL,
                KindSet::common(),
                KindSet::EMPTY.with(Kind::IBAN),
                KindSet::EMPTY.with(Kind::IPV4).with(Kind::MAC),
                KindSet::EMPTY.with(Kind::PHONE),
                KindSet::EMPTY.with(Kind::UK_NINO).with(Kind::CARD),
            ]
            .map(|kinds| (guarded(kinds), unguarded(kinds)))
            .into();
        }
        DETECTORS.with(|detectors| {
            for (guarded, unguarded) in detectors {
                prop_assert_eq!(candidates(guarded, &text), candidates(unguarded, &text), "{}", text);
            }
            Ok(())
        })?;
    }
}

#[test]
fn an_address_in_dots_is_found_by_its_last_number_alone() {
    let kinds = KindSet::EMPTY.with(Kind::MAC);
    for text in ["@0a00.0000.0000.-000", "0a00.0000.0000", "x=0000.abcd.0000 "] {
        let found = candidates(&guarded(kinds), text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found, candidates(&unguarded(kinds), text), "{text}");
    }
}

/// It is of use only if it keeps numbers out.
#[test]
fn most_numbers_of_a_log_are_kept_out() {
    let line = b"198.51.100.53 - - [12/Mar/2026:02:19:28 +0000] \"GET /a-347x578.webp HTTP/2.0\" 201 512 \"-\" \"curl/8.5.0\"";
    let gate = guarded(KindSet::common()).gate;
    let (mut numbers, mut open) = (0, 0);
    let mut place = 0;
    while place < line.len() {
        let count = crate::pii::scan::digits(&line[place..]);
        numbers += usize::from(count > 0);
        open += usize::from(count > 0 && gate.opens(line, place, count));
        place += count.max(1);
    }
    assert_eq!((numbers, open), (19, 4));
}
