//! Each rule, and what its finding shows.

use bartizan_data::{Outcome, Schema, Tier, check};

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

/// A schema of four columns, with what `edit` makes of its text.
fn written(edit: impl FnOnce(String) -> String) -> Schema {
    let text = r#"
        format = "bartizan-schema-v1"
        csv = { separator = ",", encoding = "utf-8", null = [""] }
        label = { column = "good", counted = 1000, tolerance = 0.01, severity = "warn", shares = [
            { value = "no", share = 0.5 },
            { value = "yes", share = 0.5 },
        ] }
        [[column]]
        name = "whole"
        type = "integer"
        min_present = 0.9
        severity = "warn"
        range = { min = 0.0, max = 9.0, max_outside = 0.1 }
        [[column]]
        name = "good"
        type = "string"
        min_present = 0.0
        severity = "warn"
        max_length = 3
        [[column]]
        name = "colour"
        type = "string"
        min_present = 1.0
        domain = { values = ["blue", "red"], max_unseen = 0.0 }
    "#;
    Schema::parse(&edit(text.to_owned())).unwrap()
}

/// Ten rows that keep every rule.
const KEPT: &str = "whole,good,colour\n1,yes,red\n2,no,blue\n3,yes,red\n4,no,blue\n5,yes,red\n6,no,blue\n\
                    7,yes,red\n8,no,blue\n9,yes,red\n0,no,blue\n";

/// Outcome, checks that ran of those that the schema plans, and the rules that were broken.
fn said(schema: &Schema, batch: &str, tier: Tier) -> String {
    let report = check(batch.as_bytes(), schema, tier).unwrap();
    let rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule.id()).collect();
    format!("{} {}/{} {}", report.outcome, report.checks, report.planned, rules.join(" "))
}

/// `KEPT` without one of its columns.
fn without(place: usize) -> String {
    let kept = |line: &str| {
        let cells: Vec<&str> =
            line.split(',').enumerate().filter(|(at, _)| *at != place).map(|(_, cell)| cell).collect();
        cells.join(",") + "\n"
    };
    KEPT.lines().map(kept).collect()
}

#[test]
fn valid_means_that_every_configured_check_ran() {
    let schema = written(|text| text);
    for tier in [Tier::Release, Tier::Explore] {
        assert_eq!(said(&schema, KEPT, tier), "valid 16/16 ");
        // The rules of a column that only warns could not run either.
        assert_eq!(said(&schema, &without(0), tier), "error 13/16 missing-column");
        // With the label go the comparisons of its shares.
        assert_eq!(said(&schema, &without(1), tier), "error 10/16 missing-column");
    }
    // What refuses the batch needs no further check.
    assert_eq!(said(&schema, &without(2), Tier::Release), "invalid 13/16 missing-column");
    assert_eq!(said(&schema, &without(2), Tier::Explore), "error 13/16 missing-column");
}

#[test]
fn shares_of_no_labels_cannot_be_compared() {
    let unlabelled = KEPT.replace("yes", "").replace("no,", ",");
    let schema = written(|text| text);
    for tier in [Tier::Release, Tier::Explore] {
        assert_eq!(said(&schema, &unlabelled, tier), "error 13/15 label-share");
    }
    let blocking = written(|text| text.replacen("severity = \"warn\"", "severity = \"block\"", 1));
    assert_eq!(said(&blocking, &unlabelled, Tier::Release), "invalid 13/15 label-share");
}

#[test]
fn labels_are_counted_however_many_there_are() {
    let mut batch = "whole,good,colour\n".to_owned();
    for row in 0..1_500 {
        batch.push_str(&format!("1,{row},red\n1,yes,red\n1,no,blue\n"));
    }
    let report = check(batch.as_bytes(), &written(|text| text.replace("= 3", "= 9")), Tier::Release).unwrap();
    let labels: Vec<(&str, u64)> = report.findings.iter().map(|one| (one.rule.id(), one.count)).collect();
    assert_eq!(labels, [("label-unseen", 1_500), ("label-share", 1_500), ("label-share", 1_500)]);
    assert_eq!(report.findings[0].examples.len(), 5);
}

#[test]
fn one_cell_in_a_million_is_too_many_where_none_may() {
    let schema = written(|text| {
        text.replace("min_present = 0.9", "min_present = 1.0")
            .replace("max_outside = 0.1", "max_outside = 0.0")
    });
    let batch = |broken: &str| {
        let mut batch = "whole,good,colour\n".to_owned() + broken;
        batch.push_str(&"1,yes,red\n2,no,blue\n".repeat(550_000));
        batch
    };
    assert_eq!(said(&schema, &batch("1,yes,red\n2,no,blue\n"), Tier::Release), "valid 16/16 ");
    assert_eq!(
        said(&schema, &batch("x,yes,mauve\n10,no,red\n,,red\n1,yesyes,\n"), Tier::Release),
        "invalid 16/16 presence domain type presence range length label-unseen"
    );
    let report = check(batch("x,yes,red\n").as_bytes(), &schema, Tier::Release).unwrap();
    assert!(
        report.render().contains("0.0001 % of the values are not of type integer"),
        "{}",
        report.render()
    );
}

#[test]
fn a_share_that_equals_its_limit_is_allowed() {
    let schema = written(|text| text);
    assert_eq!(said(&schema, &KEPT.replace("\n1,", "\n,"), Tier::Release), "valid 16/16 ");
    assert_eq!(said(&schema, &KEPT.replace("\n1,", "\n10,"), Tier::Release), "valid 16/16 ");
    let two_missing = KEPT.replace("\n1,", "\n,").replace("\n2,", "\n,");
    assert_eq!(said(&schema, &two_missing, Tier::Release), "valid 16/16 presence");
    let two_outside = KEPT.replace("\n1,", "\n10,").replace("\n2,", "\n10,");
    assert_eq!(said(&schema, &two_outside, Tier::Release), "valid 16/16 range");
    // The nearest doubles of decimal text and of a quotient are the same one.
    for allowed in (1..1_000_u32).step_by(7) {
        let schema = written(|text| {
            text.replace(
                "min_present = 0.9",
                &format!("min_present = {:.3}", f64::from(1_000 - allowed) / 1e3),
            )
        });
        let batch = |missing: u32| {
            let rows = (0..1_000).map(|row| if row < missing { ",yes,red\n" } else { "1,no,red\n" });
            "whole,good,colour\n".to_owned() + &rows.collect::<String>()
        };
        let presence = |missing| said(&schema, &batch(missing), Tier::Release).contains("presence");
        assert!(!presence(allowed) && presence(allowed + 1), "{allowed}");
    }
}

#[test]
fn whole_numbers_beyond_64_bits_are_no_integers() {
    let schema =
        written(|text| text.replace("max = 9.0", "max = 1e308").replace("min = 0.0", "min = -1e308"));
    for fits in ["5.0", "1e3", "9223372036854774784", "9.2e18", "-9223372036854775808.0"] {
        let said = said(&schema, &KEPT.replace("\n1,", &format!("\n{fits},")), Tier::Release);
        assert_eq!(said, "valid 16/16 ", "{fits}");
    }
    for exceeds in ["9223372036854775808", "-9.3e18", "1e300", "5.5"] {
        let said = said(&schema, &KEPT.replace("\n1,", &format!("\n{exceeds},")), Tier::Release);
        assert_eq!(said, "valid 16/16 type", "{exceeds}");
    }
}
