//! Personal data in lines of text, for comparison with other programs.
//!
//! `pii corpus SEED COUNT`, `pii find [MIN [KIND]]`, `pii valid KIND`, `pii scores SEED COUNT`. `corpus` writes one document a line: kind, first byte, byte behind the last, `1` if words name it, text, separated
//! by tabs (`-` and zeros for what holds nothing). `find` reads one text a line and answers each with its findings:
//! kind, first byte, byte behind the last and score, separated by colons and spaces. `valid` answers each line with whether
//! it is one value of the kind, whole; `scores` writes the table of `docs/pii.md`: scores and the precision they have.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a tool that meets the unexpected stops")]
#![expect(clippy::print_stdout, reason = "that is what it is for")]

#[path = "../tests/pii_corpus/mod.rs"]
mod corpus;

use std::io::{BufRead, Write};

use bartizan_data::pii::{Detector, DetectorOptions};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["corpus", seed, count] => {
            let (detectors, mut rng) = (corpus::Detectors::new(), corpus::Rng(seed.parse().unwrap()));
            for _ in 0..count.parse::<u32>().unwrap() {
                let document = corpus::Document::draw(&mut rng, &detectors);
                let (kind, start, end) = document.label.unwrap_or(("-", 0, 0));
                let text = document.text.replace(['\t', '\n'], " ");
                println!("{kind}\t{start}\t{end}\t{}\t{text}", u8::from(document.context));
            }
        }
        ["scores", seed, count] => scores(seed.parse().unwrap(), count.parse().unwrap()),
        ["find", ref rest @ ..] => {
            let min_score = rest.first().map_or(50, |score| score.parse().unwrap());
            let kind = rest.get(1).map(|id| bartizan_data::pii::Kind::built_in(id).unwrap());
            let kinds = kind.map_or(bartizan_data::pii::KindSet::ALL, |kind| {
                bartizan_data::pii::KindSet::EMPTY.with(kind)
            });
            let detector = Detector::new(&DetectorOptions { kinds, min_score, recognisers: None });
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            for line in std::io::stdin().lock().split(b'\n') {
                let found = detector.find(&line.unwrap());
                let one = |f: &bartizan_data::pii::Finding| {
                    format!("{}:{}:{}:{}", detector.id(f.kind()), f.start(), f.end(), f.score())
                };
                writeln!(out, "{}", found.iter().map(one).collect::<Vec<_>>().join(" ")).unwrap();
            }
        }
        ["valid", id] => {
            // Which of the lines are one value of that kind, whole.
            let kind = bartizan_data::pii::Kind::built_in(id).unwrap();
            let kinds = bartizan_data::pii::KindSet::EMPTY.with(kind);
            let detector = Detector::new(&DetectorOptions { kinds, min_score: 1, recognisers: None });
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            for line in std::io::stdin().lock().split(b'\n') {
                let line = line.unwrap();
                let valid = detector.find(&line).iter().any(|one| one.range() == (0..line.len()));
                writeln!(out, "{}", u8::from(valid)).unwrap();
            }
        }
        _ => panic!("pii corpus SEED COUNT | pii scores SEED COUNT | pii find [MIN [KIND]] | pii valid KIND"),
    }
}

/// Of each kind and reason: the score, how often such a finding is right, and how many there were.
fn scores(seed: u64, count: u32) {
    let (detectors, mut rng) = (corpus::Detectors::new(), corpus::Rng(seed));
    let detector = Detector::new(&DetectorOptions { min_score: 1, ..DetectorOptions::default() });
    let mut counts: std::collections::BTreeMap<(&str, &str), (u8, u32, u32)> =
        std::collections::BTreeMap::new();
    for _ in 0..count {
        let document = corpus::Document::draw(&mut rng, &detectors);
        for one in detector.find(document.text.as_bytes()) {
            let (kind, range) = (one.kind().id(), one.range());
            let right = document
                .label
                .is_some_and(|label| label.0 == kind && range.start < label.2 && label.1 < range.end);
            let cell = counts.entry((kind, one.reasons().next().unwrap())).or_default();
            *cell = (one.score(), cell.1 + u32::from(right), cell.2 + 1);
        }
    }
    println!("| kind | because | score | right | findings |\n|---|---|---|---|---|");
    for ((kind, because), (score, right, findings)) in counts {
        let share = f64::from(right) / f64::from(findings);
        println!("| `{kind}` | {because} | {:.2} | {share:.3} | {findings} |", f64::from(score) / 100.0);
    }
}
