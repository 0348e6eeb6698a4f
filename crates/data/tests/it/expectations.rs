//! Suites of Great Expectations: what becomes of them, and whether our verdicts are the ones that it gives.

use std::path::PathBuf;

use bartizan_data::expectations::{Imported, Translation, import};
use bartizan_data::{CheckOptions, CsvOptions, Profile, Schema, Source, Tier, check_table, infer};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::real::real;

fn stored(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expectations").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn suite_of(expectations: &[Value]) -> Vec<u8> {
    serde_json::to_vec(&json!({ "name": "suite", "expectations": expectations })).unwrap()
}

/// Imports one expectation after the other, checks the data that great_expectations was asked about, and compares.
fn agrees(name: &str, summary: Expect) {
    let stored = stored(name);
    let Some(data) = real(stored.get("data").and_then(Value::as_str).unwrap()) else { return };
    let (profile, read) = infer(data.as_slice(), &CsvOptions::default()).unwrap();
    let like: Option<(&Profile, _)> = Some((&profile, read.format()));
    let expectations = stored.pointer("/suite/expectations").and_then(Value::as_array).unwrap();
    let whole = import(&serde_json::to_vec(stored.get("suite").unwrap()).unwrap(), like).unwrap();
    assert_eq!(whole.expectations.len(), expectations.len());
    let (mut compared, mut kept, mut not) = (0, 0, Vec::new());
    for (one, success) in expectations.iter().zip(stored.get("success").and_then(Value::as_array).unwrap()) {
        let kind = one.get("type").or(one.get("expectation_type")).unwrap().as_str().unwrap();
        let imported = match import(&suite_of(std::slice::from_ref(one)), like) {
            Ok(imported) => imported,
            // Nothing that names a column is in it.
            Err(_) => {
                let column = profile.columns().first().unwrap().name();
                let exists = json!({ "type": "expect_column_to_exist", "kwargs": { "column": column } });
                import(&suite_of(&[one.clone(), exists]), like).unwrap()
            }
        };
        if let Translation::Not(why) = &imported.expectations.first().unwrap().translation {
            not.push(format!("{kind}: {why}"));
            continue;
        }
        let Some(success) = success.as_bool() else { continue };
        let source = Source::stream(std::io::Cursor::new(data.clone()));
        let report = check_table(source, &imported.schema, &CheckOptions::new(Tier::Release)).unwrap();
        assert_eq!(report.blocking() == 0, success, "{one}\n{}", report.render());
        assert!(report.checks == report.planned || !success, "{one}\n{}", report.render());
        compared += 1;
        kept += usize::from(success);
    }
    not.sort_unstable();
    not.dedup();
    summary.assert_eq(&format!("{compared} compared, {kept} kept\n{}\n", not.join("\n")));
}

#[test]
fn verdicts_on_penguins_are_those_of_great_expectations() {
    agrees(
        "penguins-1.24.json",
        expect![[r#"
        52 compared, 28 kept
        expect_column_distinct_values_to_contain_set: which values come, or come most, is not asked; use `drift` with a reference
        expect_column_most_common_value_to_be_in_set: which values come, or come most, is not asked; use `drift` with a reference
        expect_column_value_z_scores_to_be_less_than: it measures values by the batch that they are in, so that a bad batch makes its own yardstick; use `range`, `statistics` or `drift`
        expect_column_values_to_be_increasing: rows have no order here: a table is a set of them, read in parts
        expect_table_column_count_to_equal: a schema names its columns and does not count them; `unexpected_columns` says whether others may be there
    "#]],
    );
    agrees(
        "penguins-0.18.json",
        expect![[r#"
        52 compared, 28 kept
        expect_column_distinct_values_to_contain_set: which values come, or come most, is not asked; use `drift` with a reference
        expect_column_most_common_value_to_be_in_set: which values come, or come most, is not asked; use `drift` with a reference
        expect_column_value_z_scores_to_be_less_than: it measures values by the batch that they are in, so that a bad batch makes its own yardstick; use `range`, `statistics` or `drift`
        expect_column_values_to_be_increasing: rows have no order here: a table is a set of them, read in parts
        expect_table_column_count_to_equal: a schema names its columns and does not count them; `unexpected_columns` says whether others may be there
    "#]],
    );
}

#[test]
fn verdicts_on_taxi_rides_are_those_of_great_expectations() {
    agrees(
        "taxi-1.24.json",
        expect![[r#"
        38 compared, 23 kept
        expect_column_values_to_be_json_parseable: JSON inside of cells is not parsed
        expect_column_values_to_match_regex: the pattern does not parse: look-around, including look-ahead and look-behind, is not supported
    "#]],
    );
    agrees(
        "taxi-0.18.json",
        expect![[r#"
        36 compared, 22 kept
        expect_column_values_to_be_json_parseable: JSON inside of cells is not parsed
        expect_column_values_to_match_regex: the pattern does not parse: look-around, including look-ahead and look-behind, is not supported
    "#]],
    );
}

fn translated(expectations: Value) -> Imported {
    import(&suite_of(expectations.as_array().unwrap()), None).unwrap()
}

fn listed(expectations: Value, expected: Expect) -> Imported {
    let imported = translated(expectations);
    let mut text = String::new();
    for one in &imported.expectations {
        let said = match &one.translation {
            Translation::Whole(how) => how.clone(),
            Translation::Partly { how, but } => format!("{how}, but {but}"),
            Translation::Not(why) => format!("NOT: {why}"),
        };
        text.push_str(&format!("{}. {said}\n", one.place));
    }
    expected.assert_eq(&text);
    // The text says the same, and lists what is lost.
    let text = imported.to_toml().unwrap();
    assert_eq!(Schema::parse(&text).unwrap(), imported.schema);
    for one in imported.expectations.iter().filter_map(|one| one.translation.lost()) {
        assert!(text.contains(one), "{one} is not in\n{text}");
    }
    imported
}

#[test]
fn a_second_rule_of_one_kind_is_an_expression() {
    let between = |max: f64| {
        json!({ "type": "expect_column_values_to_be_between",
                                     "kwargs": { "column": "a b", "min_value": 0, "max_value": max, "mostly": 0.9 } })
    };
    let missing = json!({ "type": "expect_column_values_to_not_be_null", "severity": "warning",
                       "kwargs": { "column": "a b", "mostly": 0.5 } });
    listed(
        json!([between(5.0), between(9.0), missing]),
        expect![[r#"
        1. `range`
        2. expression ``a b` >= 0 and `a b` <= 9`
        3. `min_present = 0.5`
    "#]],
    );
}

#[test]
fn what_is_not_understood_is_listed() {
    listed(
        json!([
            { "type": "expect_column_to_exist", "kwargs": { "column": "a" } },
            { "type": "expect_something_else", "kwargs": { "column": "a" } },
            { "type": "expect_column_values_to_be_between", "kwargs": { "column": "a", "min_value": { "$PARAMETER": "x" } } },
            { "type": "expect_column_values_to_be_in_set", "kwargs": { "column": "a", "value_set": ["x"], "mostly": 7 } },
            { "type": "expect_column_values_to_be_in_set", "kwargs": { "column": "\u{1b}[2J", "value_set": ["x"] } },
            { "type": "expect_column_values_to_match_regex", "kwargs": { "column": "a", "regex": "(?=x)" } },
            { "type": "expect_column_values_to_be_null",
              "kwargs": { "column": "a", "row_condition": "__import__('os')", "condition_parser": "pandas" } },
            { "type": "expect_column_values_to_match_like_pattern", "kwargs": { "column": "a", "like_pattern": "x%_" } },
            { "type": "expect_column_values_to_match_strftime_format",
              "kwargs": { "column": "b", "strftime_format": "%Y-%m-%d" } },
        ]),
        expect![[r#"
            1. the column is in the schema
            2. NOT: it is not of the core gallery
            3. NOT: it has a parameter whose value is given when the suite runs
            4. NOT: `mostly` is not a share between 0 and 1
            5. NOT: `�[2J` cannot be the name of a column here
            6. NOT: the pattern does not parse: look-around, including look-ahead and look-behind, is not supported
            7. NOT: as an expression, character 1 of the expression: there is no function `__import__`: abs, ceil, coalesce, contains, date, day, days_between, ends_with, floor, greatest, hour, least, length, lower, matches, month, round, seconds_between, starts_with, timestamp, trim, upper, weekday, year
            8. `pattern`, but some databases take no account of case in LIKE
            9. `pattern`, but the pattern does not know how many days a month has
        "#]],
    );
}

#[test]
fn what_is_no_suite_is_refused() {
    let said = |bytes: &[u8]| import(bytes, None).unwrap_err().to_string();
    assert_eq!(said(b"{"), "the suite is not JSON: line 1, column 1");
    assert_eq!(said(b"{}"), "the suite has no list `expectations`");
    assert_eq!(
        said(br#"{"expectations": [{}]}"#),
        "expectation 1 has no `type`, or its `kwargs` are not an object"
    );
    assert_eq!(said(br#"{"expectations": []}"#), "the suite names no column, so no schema can be made of it");
}
