//! Which arguments an expectation has, so that none is passed over in silence.

use serde_json::Value;

use crate::expectations::suite::{Expectation, plain};

/// What says how an expectation is run or shown, and not what is expected.
const ABOUT: [&str; 12] = [
    "batch_id",
    "catch_exceptions",
    "condition_parser",
    "description",
    "id",
    "include_config",
    "meta",
    "notes",
    "rendered_content",
    "result_format",
    "row_condition",
    "severity",
];

/// The arguments that are understood, beside those.
fn of_kind(kind: &str) -> &'static [&'static str] {
    const BOUNDS: &[&str] = &["column", "min_value", "max_value", "strict_min", "strict_max"];
    const BOUNDS_MOSTLY: &[&str] =
        &["column", "min_value", "max_value", "strict_min", "strict_max", "mostly"];
    const COLUMNS: &[&str] = &["column_list", "ignore_row_if", "mostly"];
    const PAIR: &[&str] = &["column_A", "column_B", "ignore_row_if", "mostly", "or_equal", "value_pairs_set"];
    match kind {
        "expect_column_to_exist" => &["column", "column_index"],
        "expect_table_columns_to_match_set" => &["column_set", "exact_match"],
        "expect_table_columns_to_match_ordered_list" => &["column_list"],
        "expect_table_row_count_to_equal" => &["value"],
        "expect_column_values_to_be_null"
        | "expect_column_values_to_not_be_null"
        | "expect_column_values_to_be_unique" => &["column", "mostly"],
        "expect_column_values_to_be_in_set" | "expect_column_values_to_not_be_in_set" => {
            &["column", "value_set", "mostly"]
        }
        "expect_column_distinct_values_to_be_in_set" | "expect_column_distinct_values_to_equal_set" => {
            &["column", "value_set"]
        }
        "expect_column_values_to_be_between" | "expect_column_value_lengths_to_be_between" => BOUNDS_MOSTLY,
        "expect_column_value_lengths_to_equal" => &["column", "value", "mostly"],
        "expect_column_values_to_be_of_type"
        | "expect_column_values_to_be_in_type_list"
        | "expect_column_type_to_be" => &["column", "type_", "type_list", "mostly"],
        "expect_column_values_to_match_strftime_format" => &["column", "strftime_format", "mostly"],
        "expect_column_quantile_values_to_be_between" => &["column", "quantile_ranges"],
        "expect_multicolumn_sum_to_equal" => &["column_list", "ignore_row_if", "mostly", "sum_total"],
        _ if kind.contains("_regex") => &["column", "regex", "regex_list", "match_on", "mostly"],
        _ if kind.contains("_like_pattern") => {
            &["column", "like_pattern", "like_pattern_list", "match_on", "mostly"]
        }
        _ if kind.contains("_pair_") => PAIR,
        _ if kind.contains("multicolumn") || kind.contains("columns_to_be") || kind.contains("_select_") => {
            COLUMNS
        }
        _ => BOUNDS,
    }
}

/// That arguments which say something in one of a few ways say it in one of those.
pub(super) fn hold(of: &Expectation) -> Result<(), String> {
    const FLAGS: [&str; 5] =
        ["strict_min", "strict_max", "or_equal", "exact_match", "parse_strings_as_datetimes"];
    if let Some(flag) = FLAGS.into_iter().find(|flag| of.get(flag).is_some_and(|value| !value.is_boolean())) {
        return Err(format!("its `{flag}` is neither true nor false"));
    }
    const WORDS: [(&str, &[&str]); 2] = [
        (
            "ignore_row_if",
            &[
                "all_values_are_missing",
                "any_value_is_missing",
                "both_values_are_missing",
                "either_value_is_missing",
                "neither",
                "never",
            ],
        ),
        ("match_on", &["any", "all"]),
    ];
    for (key, words) in WORDS {
        if of.get(key).is_some_and(|value| value.as_str().is_none_or(|word| !words.contains(&word))) {
            return Err(format!("its `{key}` is none of `{}`", words.join("`, `")));
        }
    }
    Ok(())
}

/// What is said of arguments that are there, ask for something, and are not understood.
pub(super) fn not_understood(of: &Expectation) -> Option<String> {
    let known = of_kind(&of.kind);
    let asks = |value: &Value| !value.is_null() && *value != Value::Bool(false);
    let unknown = of.arguments().filter(|(key, value)| {
        asks(value) && !known.contains(&key.as_str()) && !ABOUT.contains(&key.as_str())
    });
    let unknown: Vec<String> = unknown.take(5).map(|(key, _)| format!("`{}`", plain(key))).collect();
    (!unknown.is_empty()).then(|| format!("what {} asks for is passed over", unknown.join(", ")))
}
