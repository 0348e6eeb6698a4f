//! What holds of every text.

use bartizan_data::pii::{Action, Replacer, Rewriter, Scanner, preserve};
use bartizan_keys::Secret;
use bartizan_keys::pseudonyms::Pseudonyms;
use proptest::prelude::*;

use super::corpus::{Detectors, Document, Rng, fill};
use super::detector;

const SHAPES: &[&str] = &[
    "aaaa{@}aaaa{.org }",
    "{4111 1111 1111 1111}",
    "{DE89 3704 0044 0532 0130 00}",
    "{+1 212-555-0123}",
    "{536-90-4399}",
    "d",
    "{ }",
    "{\n}",
    "a",
    "{.}",
    "{-}",
    "{:}",
    "{@}",
    "{\u{200b}}",
    "{４}",
    "{é}",
    "{１２}",
    "{=}",
    "{ssn }",
    "{10.1.2.3}",
    "{2001:db8::1}",
    "{password=}wwwdwwwd",
    "{born 1980-01-02}",
    "dddddddddd",
    "{-----BEGIN PRIVATE KEY-----}",
];

/// Texts in which findings, their fragments and invisible characters collide.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec((0..SHAPES.len(), any::<u64>()), 0..60).prop_map(|parts| {
        parts.into_iter().map(|(shape, seed)| fill(&mut Rng(seed), SHAPES[shape])).collect()
    })
}

fn rewritten(replacer: Replacer<'_>, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let detector = detector();
    let mut rewriter = Rewriter::new(Scanner::new(&detector), replacer);
    let (mut rest, mut out) = (text, Vec::new());
    for cut in cuts {
        let (piece, further) = rest.split_at(rest.len().min(*cut));
        rewriter.push(piece, &mut out).unwrap();
        rest = further;
    }
    rewriter.push(rest, &mut out).unwrap();
    rewriter.finish(&mut out).unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn findings_are_in_order_apart_and_on_characters(text in text()) {
        let findings = detector().find(text.as_bytes());
        prop_assert!(findings.windows(2).all(|pair| pair[0].end() <= pair[1].start()));
        for finding in findings {
            prop_assert!(text.get(finding.range()).is_some_and(|value| !value.is_empty()));
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for finding in detector().find(&bytes) {
            prop_assert!(finding.range().end <= bytes.len());
        }
    }

    #[test]
    fn pieces_give_what_the_whole_gives(text in text(), cuts in proptest::collection::vec(1..50_usize, 0..20)) {
        let detector = detector();
        let mut scanner = Scanner::new(&detector);
        let (mut rest, mut found) = (text.as_bytes(), Vec::new());
        for cut in &cuts {
            let (piece, further) = rest.split_at(rest.len().min(*cut));
            scanner.push(piece, &mut found);
            rest = further;
        }
        scanner.push(rest, &mut found);
        scanner.finish(&mut found);
        prop_assert_eq!(found, detector.find(text.as_bytes()));
    }

    #[test]
    fn nothing_is_found_in_what_was_redacted(parts in proptest::collection::vec((0..SHAPES.len(), any::<u64>()), 0..60)) {
        // Between spaces: what touches a value may become something else when the value goes.
        let drawn = parts.into_iter().map(|(shape, seed)| fill(&mut Rng(seed), SHAPES[shape]) + " ");
        let text: String = drawn.collect();
        let redacted = rewritten(Replacer::new(Action::Redact), text.as_bytes(), &[]);
        prop_assert_eq!(detector().find(&redacted), [], "{}", String::from_utf8_lossy(&redacted));
    }

    #[test]
    fn rewriting_in_pieces_gives_what_the_whole_gives(text in text(), cuts in proptest::collection::vec(1..50_usize, 0..20)) {
        let whole = rewritten(Replacer::new(Action::Mask), text.as_bytes(), &[]);
        prop_assert_eq!(rewritten(Replacer::new(Action::Mask), text.as_bytes(), &cuts), whole);
    }

    #[test]
    fn tokens_of_the_same_form_come_back(value in "[0-9A-Za-z.@ -]{4,50}", key in any::<[u8; 32]>()) {
        let keys = Pseudonyms::from_secret(&Secret::from_bytes(key)).unwrap();
        if let Ok(token) = preserve::tokenize(&keys, "email", value.as_bytes()) {
            prop_assert_eq!(token.len(), value.len());
            prop_assert_eq!(preserve::detokenize(&keys, "email", &token).unwrap(), value.into_bytes());
        }
    }
}

/// Borders of windows: a value at every place around them, in a stream of several windows.
#[test]
fn values_across_the_borders_of_windows_are_found() {
    let detector = detector();
    for value in [
        "anna.lee@mail.example.org",
        "4111 1111 1111 1111",
        "DE89 3704 0044 0532 0130 00",
        "４１１１１１１１１１１１１１１１",
    ] {
        for before in (128 * 1024 - 60..128 * 1024 + 8).chain(130_000..130_004) {
            let text = [" ".repeat(before).as_str(), value, &" ".repeat(40_000)].concat();
            let whole = detector.find(text.as_bytes());
            assert_eq!(whole.len(), 1, "{value} at {before}");
            assert_eq!(whole[0].range(), before..before + value.len());
            let mut found = Vec::new();
            let mut scanner = Scanner::new(&detector);
            text.as_bytes().chunks(60_001).for_each(|piece| scanner.push(piece, &mut found));
            scanner.finish(&mut found);
            assert_eq!(found, whole);
        }
    }
}

/// Long streams of documents: pieces against the whole, over several windows.
#[test]
fn a_long_stream_in_pieces_gives_what_the_whole_gives() {
    let (detectors, mut rng, detector) = (Detectors::new(), Rng(11), detector());
    let mut text = String::new();
    while text.len() < 600_000 {
        text.push_str(&Document::draw(&mut rng, &detectors).text);
        text.push(if rng.below(3) == 0 { ' ' } else { '\n' });
    }
    let whole = detector.find(text.as_bytes());
    assert!(whole.len() > 1_000);
    for size in [977, 65_536, 200_000] {
        let mut found = Vec::new();
        let mut scanner = Scanner::new(&detector);
        text.as_bytes().chunks(size).for_each(|piece| scanner.push(piece, &mut found));
        scanner.finish(&mut found);
        assert_eq!(found, whole);
    }
}
