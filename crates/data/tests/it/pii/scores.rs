//! Scores promise a precision on the corpus, and keep it.

use std::collections::BTreeMap;

use bartizan_data::pii::{Detector, DetectorOptions};

use super::corpus::{Detectors, Document, Rng};

/// Upper end of Wilson's interval at 99.9 %.
fn could_be(right: f64, count: f64) -> f64 {
    let (z, share) = (3.09_f64, right / count);
    let spread = z * (share * (1.0 - share) / count + z * z / (4.0 * count * count)).sqrt();
    (share + z * z / (2.0 * count) + spread) / (1.0 + z * z / count)
}

#[test]
fn findings_are_right_as_often_as_their_score_says() {
    let (detectors, mut rng) = (Detectors::new(), Rng(2));
    let detector = Detector::new(&DetectorOptions { min_score: 1, ..DetectorOptions::default() });
    let mut counts: BTreeMap<(&str, u8), (f64, f64)> = BTreeMap::new();
    let (mut missed, mut labels) = (0_u32, 0_u32);
    for _ in 0..20_000 {
        let document = Document::draw(&mut rng, &detectors);
        let findings = detector.find(document.text.as_bytes());
        for finding in &findings {
            let range = finding.range();
            let right = document.label.is_some_and(|(kind, start, end)| {
                kind == finding.kind().id() && range.start < end && start < range.end
            });
            let count = counts.entry((finding.kind().id(), finding.score())).or_default();
            *count = (count.0 + f64::from(u8::from(right)), count.1 + 1.0);
        }
        if let Some((kind, ..)) = document.label.filter(|_| document.context) {
            labels += 1;
            if !findings.iter().any(|finding| finding.kind().id() == kind && finding.score() >= 50) {
                missed += 1;
                println!("missed {kind} in `{}`", document.text);
            }
        }
    }
    let mut broken = Vec::new();
    for ((kind, score), (right, count)) in &counts {
        println!("{kind:<20} {score:>3}  {:>6.3} of {count}", right / count);
        if could_be(*right, *count) < f64::from(*score) / 100.0 {
            broken.push(format!("{kind} {score}: {right} of {count}"));
        }
    }
    println!("missed in context: {missed} of {labels}");
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(f64::from(missed) < 0.01 * f64::from(labels), "{missed} of {labels}");
}
