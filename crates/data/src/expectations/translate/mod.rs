//! What becomes of each expectation of the core gallery.

mod arguments;
mod figures;
mod several;
mod table;
mod values;

use super::Translation;
use super::build::Builder;
use super::suite::Expectation;

/// Rules that were made.
pub(super) struct Done {
    how: String,
    but: Option<String>,
}

impl Done {
    pub(super) fn whole(how: String) -> Self {
        Self { how, but: None }
    }

    pub(super) fn but(self, but: &str) -> Self {
        let but = self.but.map_or_else(|| but.to_owned(), |before| format!("{before}; {but}"));
        Self { but: Some(but), ..self }
    }
}

/// Translates one expectation, the one at that place of its suite.
pub(super) fn translate(builder: &mut Builder, of: &Expectation, place: usize) -> Translation {
    match translated(builder, of, place) {
        Ok(Done { how, but }) => {
            let but: Vec<String> = but.into_iter().chain(arguments::not_understood(of)).collect();
            match but.is_empty() {
                true => Translation::Whole(how),
                false => Translation::Partly { how, but: but.join("; ") },
            }
        }
        Err(why) => Translation::Not(why),
    }
}

fn translated(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    if let Some(why) = never(&of.kind) {
        return Err(why.to_owned());
    }
    // Suites can refer to values that are given when they run.
    let parameter = |key: &str| of.get(key).is_some_and(|value| value.get("$PARAMETER").is_some());
    const ARGUMENTS: [&str; 7] =
        ["min_value", "max_value", "value", "value_set", "sum_total", "regex", "quantile_ranges"];
    if ARGUMENTS.into_iter().any(parameter) {
        return Err("it has a parameter whose value is given when the suite runs".to_owned());
    }
    arguments::hold(of)?;
    match of.kind.as_str() {
        "expect_column_to_exist" => table::exists(builder, of),
        "expect_table_columns_to_match_set" => table::columns(builder, of, "column_set"),
        "expect_table_columns_to_match_ordered_list" => table::columns(builder, of, "column_list"),
        "expect_table_row_count_to_equal" => table::rows(builder, of, of.count("value"), of.count("value")),
        "expect_table_row_count_to_be_between" => {
            let (min, max) = figures::counts(of)?;
            table::rows(builder, of, min, max)
        }
        "expect_column_values_to_be_null" => values::null(builder, of, place),
        "expect_column_values_to_not_be_null" => values::not_null(builder, of, place),
        "expect_column_values_to_be_unique" => values::unique(builder, of),
        "expect_column_values_to_be_in_set" => values::in_set(builder, of, place),
        "expect_column_values_to_not_be_in_set" => values::not_in_set(builder, of, place),
        "expect_column_values_to_be_between" => values::between(builder, of, place),
        "expect_column_value_lengths_to_equal" => {
            values::lengths(builder, of, place, of.count("value"), of.count("value"))
        }
        "expect_column_value_lengths_to_be_between" => {
            let (min, max) = figures::counts(of)?;
            values::lengths(builder, of, place, min, max)
        }
        "expect_column_values_to_be_of_type"
        | "expect_column_values_to_be_in_type_list"
        | "expect_column_type_to_be" => values::of_type(builder, of),
        "expect_column_values_to_match_regex"
        | "expect_column_values_to_not_match_regex"
        | "expect_column_values_to_match_regex_list"
        | "expect_column_values_to_not_match_regex_list"
        | "expect_column_values_to_match_like_pattern"
        | "expect_column_values_to_not_match_like_pattern"
        | "expect_column_values_to_match_like_pattern_list"
        | "expect_column_values_to_not_match_like_pattern_list"
        | "expect_column_values_to_match_strftime_format" => values::matching(builder, of, place),
        "expect_column_pair_values_to_be_equal"
        | "expect_column_pair_values_a_to_be_greater_than_b"
        | "expect_column_pair_values_to_be_in_set"
        | "expect_multicolumn_values_to_be_equal"
        | "expect_multicolumn_values_to_be_unique"
        | "expect_select_column_values_to_be_unique_within_record" => several::within(builder, of, place),
        "expect_multicolumn_sum_to_equal" => several::sum(builder, of, place),
        "expect_compound_columns_to_be_unique" => several::key(builder, of),
        "expect_column_min_to_be_between"
        | "expect_column_max_to_be_between"
        | "expect_column_mean_to_be_between"
        | "expect_column_median_to_be_between"
        | "expect_column_stdev_to_be_between"
        | "expect_column_sum_to_be_between" => figures::figure(builder, of, place),
        "expect_column_quantile_values_to_be_between" => figures::quantiles(builder, of, place),
        "expect_column_proportion_of_unique_values_to_be_between"
        | "expect_column_unique_value_count_to_be_between" => figures::distinct(builder, of),
        "expect_column_proportion_of_non_null_values_to_be_between" => figures::present(builder, of, place),
        "expect_column_distinct_values_to_be_in_set" => values::in_set(builder, of, place),
        "expect_column_distinct_values_to_equal_set" => figures::equal_set(builder, of, place),
        _ => Err("it is not of the core gallery".to_owned()),
    }
}

/// Why an expectation of the core gallery never becomes a rule.
fn never(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "expect_table_column_count_to_be_between" | "expect_table_column_count_to_equal" => {
            "a schema names its columns and does not count them; `unexpected_columns` says whether others may be there"
        }
        "expect_table_row_count_to_equal_other_table" => "row counts of two tables are not compared",
        "expect_query_results_to_match_comparison" | "unexpected_rows_expectation" => {
            "it is a query of a database, and files have none"
        }
        "expect_column_values_to_be_increasing" | "expect_column_values_to_be_decreasing" => {
            "rows have no order here: a table is a set of them, read in parts"
        }
        "expect_column_values_to_be_dateutil_parseable" => {
            "what dateutil takes for a date is not written down anywhere; use a type or a pattern"
        }
        "expect_column_values_to_be_json_parseable" | "expect_column_values_to_match_json_schema" => {
            "JSON inside of cells is not parsed"
        }
        "expect_column_value_z_scores_to_be_less_than" | "expect_column_values_to_not_be_outliers" => {
            "it measures values by the batch that they are in, so that a bad batch makes its own yardstick; use \
             `range`, `statistics` or `drift`"
        }
        "expect_column_distinct_values_to_contain_set" | "expect_column_most_common_value_to_be_in_set" => {
            "which values come, or come most, is not asked; use `drift` with a reference"
        }
        "expect_column_kl_divergence_to_be_less_than"
        | "expect_column_chisquare_test_p_value_to_be_greater_than"
        | "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than"
        | "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than" => {
            "the distribution is written in the suite; `drift` compares with a profile of real data"
        }
        "expect_column_pair_cramers_phi_value_to_be_less_than" => {
            "how much one column says of another is not measured by a schema"
        }
        _ => return None,
    })
}
