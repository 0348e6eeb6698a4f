//! Each rule, and what its finding shows.

use bartizan_data::{Outcome, Tier, check};

use crate::schema::{inferred, sample};

/// The rules that a batch breaks in tier release.
fn broken(edit: impl FnOnce(String) -> String) -> Vec<&'static str> {
    let schema = inferred(&sample(), Some("ok"));
    let batch = edit(String::from_utf8(sample()).unwrap());
    let report = check(batch.as_bytes(), &schema, Tier::Release).unwrap();
    let rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule.id()).collect();
    assert_eq!(report.outcome == Outcome::Valid, rules.is_empty());
    rules
}

#[test]
fn each_rule_finds_its_own() {
    assert!(broken(|batch| batch).is_empty());
    assert_eq!(broken(|batch| batch.replace("colour", "color")), ["missing-column", "unexpected-column"]);
    assert_eq!(broken(|batch| batch.replacen(",7,", ",seven,", 3)), ["type"]);
    assert_eq!(broken(|batch| batch.replacen(",red,", ",,", 3)), ["presence"]);
    assert_eq!(broken(|batch| batch.replacen(",7,", ",7000,", 3)), ["range"]);
    assert_eq!(broken(|batch| batch.replacen(",red,", ",mauve,", 3)), ["domain"]);
    assert_eq!(broken(|batch| batch.replacen("u7,", &format!("{},", "u".repeat(99)), 1)), ["length"]);
    assert_eq!(broken(|batch| batch.replace("false", "true")), ["label-share", "label-share"]);
    assert_eq!(
        broken(|batch| batch
            .lines()
            .take(1)
            .chain(["u,red,1,true,2026-01-01"])
            .collect::<Vec<_>>()
            .join("\n")),
        [""; 0]
    );
}

#[test]
fn findings_show_shapes_and_never_values() {
    let schema = inferred(&sample(), None);
    let batch = String::from_utf8(sample()).unwrap().replacen(",7,", ",Jane Doe 4111,", 1);
    let report = check(batch.as_bytes(), &schema, Tier::Release).unwrap();
    let stored = String::from_utf8(report.to_bytes().unwrap()).unwrap();
    for text in [report.render(), stored] {
        assert!(!text.contains("Jane") && !text.contains("4111"), "{text}");
        assert!(text.contains("Aa Aa 9"), "{text}");
    }
}

#[test]
fn tier_explore_only_warns() {
    let schema = inferred(&sample(), None);
    let batch = String::from_utf8(sample()).unwrap().replace(",red,", ",mauve,");
    let report = check(batch.as_bytes(), &schema, Tier::Explore).unwrap();
    assert_eq!((report.outcome, report.blocking(), report.warnings()), (Outcome::Valid, 0, 1));
}

#[test]
fn a_half_read_batch_yields_no_verdict() {
    let schema = inferred(&sample(), None);
    let mut batch = sample();
    batch.extend(b"u,red");
    assert!(check(batch.as_slice(), &schema, Tier::Release).is_err());
}
