//! What is found in a large text, exactly: steps that are left out for speed must not change an answer.

use bartizan_base::sha256;
use bartizan_data::pii::{Detector, DetectorOptions, KindSet, Title};
use expect_test::expect;

use super::corpus::{Detectors, Document, Rng, fill};

/// Numbers, words and marks in any order, which look like everything and mostly are nothing.
fn jumble(rng: &mut Rng, pieces: usize) -> String {
    const PIECES: &[&str] = &[
        "d",
        "dd",
        "ddd",
        "dddd",
        "ddddd",
        "dddddd",
        "ddddddd",
        "dddddddd",
        "ddddddddd",
        "dddddddddd",
        "ddddddddddd",
        "dddddddddddd",
        "ddddddddddddd",
        "dddddddddddddddd",
        "dddddddddddddddddd",
        "ddd{.}dd{.}d{.}ddd",
        "ddd{-}ddd{-}dddd",
        "ddd{-}dd{-}dddd",
        "dddd{ }dddd{ }dddd{ }dddd",
        "dd{ }dd{ }dd{ }dd{ }dd",
        "d{-}ddd{-}ddd{-}dddd",
        "xxxx{:}xxxx{::}x",
        "xx{:}xx{:}xx{:}xx{:}xx{:}xx",
        "xx{-}xx{-}xx{-}xx{-}xx{-}xx",
        "aaa{@}aaaa{.org}",
        "{DE}dd{ }dddd{ }dddd{ }dddd{ }dddd{ }dd",
        "AAdddd",
        "AAddddddA",
        "A",
        "AA",
        "aaa",
        "{phone}",
        "{card}",
        "{ssn}",
        "{order}",
        "{iban}",
        "{version}",
        "{x86_64}",
        "{+49 30 }9ddddddd",
        "{00}dddddddddd",
        "{password=}wwwwwwwwwwwwwwwwwwww",
        "{https://}aaa{:}wwwwww{@}aaa{.org/}",
        "{PESEL}",
    ];
    const MARKS: &[&str] = &[
        " ", " ", " ", "-", ".", "/", ":", ", ", "\t", "\n", " (", ") ", "+", "=", "@", "_", "", "\"", "#",
        "%", "\u{2013}", "\u{a0}", "é", "７",
    ];
    let mut text = String::new();
    for _ in 0..pieces {
        let piece = rng.pick(PIECES);
        text.push_str(&fill(rng, piece));
        text.push_str(rng.pick(MARKS));
    }
    text
}

/// How many findings there are, as one text and by line under a title, and a digest of all there is to say of each.
fn summary(kinds: KindSet, min_score: u8, text: &str) -> String {
    let detector = Detector::new(&DetectorOptions { kinds, min_score, recognisers: None });
    let (mut counts, mut said) = ([0, 0], String::new());
    let mut say = |of: usize, found: Vec<bartizan_data::pii::Finding>| {
        counts[of] += found.len();
        for one in found {
            let reasons: Vec<&str> = one.reasons().collect();
            let (kind, start, end) = (one.kind().id(), one.start(), one.end());
            said.push_str(&format!("{kind} {start} {end} {} {reasons:?} {:?}\n", one.score(), one.region()));
        }
    };
    say(0, detector.find(text.as_bytes()));
    let title = Title::new("customer phone");
    text.lines().for_each(|line| say(1, detector.find_under(&title, line.as_bytes())));
    format!("{} {} {}\n", counts[0], counts[1], sha256(said.as_bytes()))
}

fn summaries() -> String {
    let (mut rng, detectors) = (Rng(77), Detectors::new());
    let mut text = String::new();
    for _ in 0..2_000 {
        text.push_str(&Document::draw(&mut rng, &detectors).text);
        text.push('\n');
        text.push_str(&jumble(&mut rng, 12));
    }
    let all = [(KindSet::common(), 1), (KindSet::common(), 50), (KindSet::ALL, 1), (KindSet::ALL, 50)];
    all.map(|(kinds, min_score)| summary(kinds, min_score, &text)).concat()
}

#[test]
fn findings_are_what_they_were() {
    expect![[r#"
        3148 3148 sha256:91168318b3e168efb759611e3e79eef8920e3719655f5ed3b49a4ebefa6683c5
        2282 2790 sha256:6190436d8337196c8235aa6840d76a372932b7efb00178c0e3d5df7fb2cb3bb9
        5467 5467 sha256:ef8a646b1152eb19a4c936d55867475dcf4ae71179a9b52e612272e424b450c3
        4365 4816 sha256:5af574db13e86a7ea6fd05f7ba365b5cddfb3ac6d458576acbf6168ee1136cb8
    "#]]
    .assert_eq(&summaries());
}
