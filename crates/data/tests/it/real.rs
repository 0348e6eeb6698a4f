//! Real files, where they are at hand beside the project.

use std::fs;
use std::path::PathBuf;

use bartizan_data::{Outcome, Tier, check};

use crate::schema::inferred;

pub(crate) fn real(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    match fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(_) => {
            eprintln!("SKIPPED: {} is absent", path.display());
            None
        }
    }
}

/// Even and odd rows, each with the header.
fn halves(csv: &[u8]) -> (String, String) {
    let text = String::from_utf8(csv.to_vec()).unwrap();
    let header = text.lines().next().unwrap_or_default().to_owned();
    let mut halves = (header.clone() + "\n", header + "\n");
    for (at, line) in text.lines().skip(1).enumerate() {
        let half = if at % 2 == 0 { &mut halves.0 } else { &mut halves.1 };
        half.push_str(line);
        half.push('\n');
    }
    halves
}

#[test]
fn a_planted_value_is_found() {
    let (Some(clean), Some(skewed)) = (real("penguins.csv"), real("penguins_skewed.csv")) else { return };
    let schema = inferred(&clean, Some("species"));
    assert_eq!(check(clean.as_slice(), &schema, Tier::Release).unwrap().outcome, Outcome::Valid);
    let report = check(skewed.as_slice(), &schema, Tier::Release).unwrap();
    assert_eq!(report.outcome, Outcome::Invalid);
    assert_eq!(report.findings.iter().map(|finding| finding.rule.id()).collect::<Vec<_>>(), ["range"]);
}

#[test]
fn honest_halves_pass_and_tampered_ones_do_not() {
    for (name, label, number) in [("adult.csv", "salary-class", ";39;"), ("taxi.csv", "tips", ",0,")] {
        let Some(csv) = real(name) else { return };
        let (even, odd) = halves(&csv);
        let schema = inferred(even.as_bytes(), Some(label));
        let honest = check(odd.as_bytes(), &schema, Tier::Release).unwrap();
        assert_eq!(honest.outcome, Outcome::Valid, "{name}: {}", honest.render());
        let separator = number.get(..1).unwrap_or(",");
        let tampered = odd.replace(number, &format!("{separator}987654321{separator}"));
        let tampered = check(tampered.as_bytes(), &schema, Tier::Release).unwrap();
        assert_eq!(tampered.outcome, Outcome::Invalid, "{name}");
    }
}
