//! Personal data and secrets: what is found, what is not, and what is put in its place.

#![expect(clippy::indexing_slicing, reason = "helpers outside #[test]")]

mod action;
mod birth;
mod column;
mod context;
mod custom;
mod delimited;
mod golden;
mod json;
mod kinds;
mod property;
mod scores;
mod secrets;
mod table;

#[path = "../../pii_corpus/mod.rs"]
mod corpus;

use bartizan_data::pii::{Detector, DetectorOptions, Finding};

/// One line for each line of the text: what was found in it.
fn lines(detector: &Detector, text: &str) -> String {
    text.lines().map(|line| format!("{}\n", shown(detector, line, &detector.find(line.as_bytes())))).collect()
}

fn shown(detector: &Detector, text: &str, findings: &[Finding]) -> String {
    let one = |finding: &Finding| {
        let mut reasons: Vec<&str> = finding.reasons().collect();
        reasons.extend(finding.region());
        let value = String::from_utf8_lossy(&text.as_bytes()[finding.range()]).into_owned();
        // What nobody would see in the expectation is spelt out.
        let spelt = |c: char| {
            if c.is_ascii() || c.is_alphanumeric() { c.to_string() } else { c.escape_unicode().to_string() }
        };
        let value: String = value.chars().map(spelt).collect();
        format!("{} {} [{value}] {}", detector.id(finding.kind()), finding.score(), reasons.join(", "))
    };
    let shown: Vec<String> = findings.iter().map(one).collect();
    if shown.is_empty() { "-".to_owned() } else { shown.join("; ") }
}

fn detector() -> Detector {
    Detector::new(&DetectorOptions::default())
}
