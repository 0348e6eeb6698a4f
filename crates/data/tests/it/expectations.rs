//! Suites of Great Expectations: what becomes of them, and whether our verdicts are the ones that it gives.

use std::path::PathBuf;

use bartizan_data::expectations::{Imported, Translation, import};
use bartizan_data::{CheckOptions, CsvOptions, Profile, Schema, Source, Tier, check_table, infer};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::real::real;

fn beside(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expectations").join(name);
    std::fs::read(path).unwrap()
}

fn stored(name: &str) -> Value {
    serde_json::from_slice(&beside(name)).unwrap()
}

fn suite_of(expectations: &[Value]) -> Vec<u8> {
    serde_json::to_vec(&json!({ "name": "suite", "expectations": expectations })).unwrap()
}

/// Imports one expectation after the other, checks the data that great_expectations was asked about, and compares. Where a
/// suite was made like other data, that data says what types columns have.
fn agrees(name: &str, summary: Expect) {
    let stored = stored(name);
    let file = stored.get("data").and_then(Value::as_str).unwrap();
    let like = stored.get("like").and_then(Value::as_str);
    let data = if like.is_some() { Some(beside(file)) } else { real(file) };
    let Some(data) = data else { return };
    let like = like.map_or_else(|| data.clone(), beside);
    let (profile, read) = infer(like.as_slice(), &CsvOptions::default()).unwrap();
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
fn verdicts_on_values_of_other_types_are_those_of_great_expectations() {
    agrees(
        "orders-1.24.json",
        expect![[r#"
        52 compared, 22 kept

    "#]],
    );
    agrees(
        "orders-0.18.json",
        expect![[r#"
        50 compared, 22 kept

    "#]],
    );
    agrees(
        "orders-lines-1.24.json",
        expect![[r#"
        56 compared, 23 kept

    "#]],
    );
    agrees(
        "orders-lines-0.18.json",
        expect![[r#"
        54 compared, 23 kept

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

/// The verdict of a suite, made like one CSV file, about another.
fn verdict(expectations: Value, like: &str, checked: &str) -> String {
    let (profile, read) = infer(like.as_bytes(), &CsvOptions::default()).unwrap();
    let suite = suite_of(expectations.as_array().unwrap());
    let imported = import(&suite, Some((&profile, read.format()))).unwrap();
    // What was written is what is read.
    assert_eq!(Schema::parse(&imported.to_toml().unwrap()).unwrap(), imported.schema);
    let source = Source::stream(std::io::Cursor::new(checked.as_bytes().to_vec()));
    let report = check_table(source, &imported.schema, &CheckOptions::new(Tier::Release)).unwrap();
    let mut said = format!("{}\n", report.outcome);
    for finding in &report.findings {
        let column = finding.column.as_deref().unwrap_or("-");
        let (severity, rule) = (finding.severity, finding.rule.id());
        said.push_str(&format!("{severity} {column} {rule}: {}\n", finding.message));
    }
    said
}

#[test]
fn values_of_another_type_break_what_is_expected_of_values() {
    let like = "code,amount,note\n1,5,a\n2,70,b\n";
    let dirty = "code,amount,note\n1,5,a\nfoo,lots,b\n3,n/k,c\n";
    let in_set = |more: Value| {
        let mut kwargs = json!({ "column": "code", "value_set": [1, 2, 3] });
        kwargs.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "type": "expect_column_values_to_be_in_set", "kwargs": kwargs })
    };
    let between = json!({ "type": "expect_column_values_to_be_between",
        "kwargs": { "column": "amount", "min_value": 0, "max_value": 100, "mostly": 0.2 } });
    let mean = json!({ "type": "expect_column_mean_to_be_between",
        "kwargs": { "column": "amount", "min_value": 0 } });
    expect![[r#"
        invalid
        block code domain: 33.33 % of the values are none of the 3 known ones, at most 0.00 % may be
        warn code type: 33.33 % of the values are not of type float
    "#]]
    .assert_eq(&verdict(json!([in_set(json!({}))]), like, dirty));
    // As many as may be otherwise.
    expect![[r#"
        valid
        warn code type: 33.33 % of the values are not of type float
    "#]]
    .assert_eq(&verdict(json!([in_set(json!({ "mostly": 0.5 }))]), like, dirty));
    // A number cannot be compared with a word, however many may lie outside.
    for one in [between, mean] {
        expect![[r#"
            invalid
            block amount type: 66.67 % of the values are not of type float
        "#]]
        .assert_eq(&verdict(json!([one]), like, dirty));
    }
    let patterned = json!({ "type": "expect_column_values_to_match_regex",
        "kwargs": { "column": "code", "regex": "^[0-9]$" } });
    expect![[r#"
        invalid
        block code pattern: 33.33 % of the values do not look as the pattern says, at most 0.00 % may
        warn code type: 33.33 % of the values are not of type float
    "#]]
    .assert_eq(&verdict(json!([patterned]), like, dirty));
    // All numbers were whole in the file that the suite was made like, which says nothing of the next one.
    let between = json!({ "type": "expect_column_values_to_be_between",
        "kwargs": { "column": "amount", "min_value": 0, "max_value": 100 } });
    assert_eq!(verdict(json!([between]), like, "code,amount,note\n1,2.5,a\n"), "valid\n");
    // What only warns does no more.
    let mut warned = in_set(json!({}));
    warned.as_object_mut().unwrap().insert("severity".to_owned(), json!("warning"));
    expect![[r#"
        valid
        warn code type: 33.33 % of the values are not of type float
        warn code domain: 33.33 % of the values are none of the 3 known ones, at most 0.00 % may be
    "#]]
    .assert_eq(&verdict(json!([warned]), like, dirty));
}

#[test]
fn arguments_are_understood_or_said_to_be_passed_over() {
    let rows = |kwargs: Value| json!({ "type": "expect_table_row_count_to_be_between", "kwargs": kwargs });
    let lengths =
        |kwargs: Value| json!({ "type": "expect_column_value_lengths_to_be_between", "kwargs": kwargs });
    let imported = listed(
        json!([
            rows(json!({ "min_value": 3, "max_value": 10, "strict_min": true, "strict_max": true })),
            rows(json!({ "min_value": "100", "max_value": 1000 })),
            rows(json!({ "min_value": 3, "strict_min": "yes" })),
            lengths(json!({ "column": "a", "min_value": 2.5, "max_value": 9.5 })),
            lengths(json!({ "column": "b", "max_value": -1 })),
            { "type": "expect_column_to_exist", "severity": "warning", "kwargs": { "column": "c" } },
            { "type": "expect_column_values_to_be_in_type_list",
              "kwargs": { "column": "d", "type_list": ["FOO", "BAR", "int64"] } },
            { "type": "expect_column_values_to_not_be_null",
              "kwargs": { "column": "d", "windows": [{ "range": 3 }], "catch_exceptions": true, "result_format": "BASIC" } },
            { "type": "expect_column_values_to_not_be_in_set",
              "kwargs": { "column": "d", "value_set": [9_007_199_254_740_993_i64] } },
            { "type": "expect_column_pair_values_to_be_equal",
              "kwargs": { "column_A": "a", "column_B": "b", "ignore_row_if": "sometimes" } },
        ]),
        expect![[r#"
            1. `[rows]`
            2. NOT: its `min_value` is not a number
            3. NOT: its `strict_min` is neither true nor false
            4. `min_length`, `max_length`
            5. NOT: its bounds are no counts
            6. the column is in the schema, but a file without the column has no verdict, since what else the schema says of it cannot run
            7. `type = "integer"`, but no type here is `FOO` or `BAR`; a type is what values say, not what another program stored them as
            8. `min_present = 1`, but what `windows` asks for is passed over
            9. NOT: a whole number beyond 2^53 is compared to the next double
            10. NOT: its `ignore_row_if` is none of `all_values_are_missing`, `any_value_is_missing`, `both_values_are_missing`, `either_value_is_missing`, `neither`, `never`
        "#]],
    );
    assert_eq!((imported.schema.rows.min, imported.schema.rows.max), (Some(4), Some(9)));
    let column = imported.schema.column("a").unwrap();
    assert_eq!((column.min_length, column.max_length), (Some(3), Some(9)));
}

#[test]
fn rows_without_a_value_are_in_no_set_and_unequal_to_everything() {
    let when = |condition: &str| {
        json!({ "type": "expect_column_values_to_be_between",
            "kwargs": { "column": "n", "min_value": 1, "max_value": 10,
                        "row_condition": condition, "condition_parser": "pandas" } })
    };
    let like = "n,state\n5,a\n6,\n7,x\n";
    let checked = "n,state\n5,a\n99,\n3,y\n";
    let text = |expectations: Value| {
        let (profile, read) = infer(like.as_bytes(), &CsvOptions::default()).unwrap();
        let suite = suite_of(expectations.as_array().unwrap());
        let imported = import(&suite, Some((&profile, read.format()))).unwrap();
        imported.schema.expressions.first().unwrap().when.as_ref().unwrap().as_str().to_owned()
    };
    for (condition, meant, refused) in [
        ("state != \"x\"", "coalesce(state != 'x', true)", true),
        ("state == \"a\"", "state == 'a'", false),
        (
            "not (state == 'a' or n > 1000)",
            "not (coalesce(state == 'a', false) or coalesce(n > 1000, false))",
            true,
        ),
        (
            "n < 1000 and state not in ['a', 'y']",
            "n < 1000 and coalesce(state not in ('a', 'y'), true)",
            true,
        ),
    ] {
        assert_eq!(text(json!([when(condition)])), meant);
        let said = verdict(json!([when(condition)]), like, checked);
        assert_eq!(said.starts_with("invalid"), refused, "{condition}: {said}");
    }
}

#[test]
fn without_a_column_of_a_condition_it_fails_as_gravely_as_it_is_meant() {
    let when = |about: &str, severity: &str| {
        json!({ "type": "expect_column_values_to_be_between", "severity": severity,
            "kwargs": { "column": about, "min_value": 1, "max_value": 10,
                        "row_condition": "state == 'a'", "condition_parser": "pandas" } })
    };
    let of_state = |severity: &str| {
        json!({ "type": "expect_column_values_to_be_in_set", "severity": severity,
            "kwargs": { "column": "state", "value_set": ["a", "x"] } })
    };
    let missing = |expectations: Value| {
        let said = verdict(expectations, "n,m,state\n5,5,a\n6,6,x\n", "n,m\n5,5\n6,6\n");
        let outcome = said.lines().next().unwrap_or_default().to_owned();
        let found = said.lines().find(|line| line.contains("state missing-column"));
        let severity = found.and_then(|line| line.split_once(' ')).map_or("none", |(severity, _)| severity);
        format!("{outcome}, {severity}")
    };
    let (warn, block) = ("warning", "critical");
    assert_eq!(missing(json!([when("n", warn)])), "error, warn");
    assert_eq!(missing(json!([when("n", block)])), "invalid, block");
    // The gravest of all that need the column, in whatever order they come.
    assert_eq!(missing(json!([when("n", warn), when("m", warn)])), "error, warn");
    assert_eq!(missing(json!([when("n", warn), when("m", block)])), "invalid, block");
    assert_eq!(missing(json!([when("m", block), when("n", warn)])), "invalid, block");
    assert_eq!(missing(json!([of_state(warn), when("n", warn)])), "error, warn");
    assert_eq!(missing(json!([of_state(warn), when("n", block)])), "invalid, block");
    assert_eq!(missing(json!([when("n", block), of_state(warn)])), "invalid, block");
    assert_eq!(missing(json!([when("n", warn), of_state(block)])), "invalid, block");
}
