"""Makes suites with great_expectations and writes what it says of files: make.py SHARED_DATA OUTPUT_DIRECTORY.

Run once with great_expectations 0.18 and once with 1.x; each writes files of its own, named by dataset and version:

    pip install 'great_expectations>=1,<2' 'pandas<3'       # or: 'great_expectations==0.18.*' 'pandas<2.2' 'numpy<2'
    python .ci/expectations/make.py ../shared/data crates/data/tests/expectations

A file holds the suite as great_expectations writes it, and for each expectation whether the data kept it. The test
`expectations` of crates/data imports one expectation after the other, checks the same data and compares.
"""

import json
import sys
import warnings
from pathlib import Path

import great_expectations as gx
import pandas

warnings.filterwarnings("ignore")
VERSION = ".".join(gx.__version__.split(".")[:2])
NEW = not VERSION.startswith("0.")
CULMEN, BODY = "culmen_length_mm", "body_mass_g"


def condition(column, text):
    """A row condition as each version takes it: 0.18 hands it to pandas."""
    if NEW:
        return {"row_condition": f'col("{column}"){text}', "condition_parser": "great_expectations"}
    return {"row_condition": column + text.replace("notNull", "notnull"), "condition_parser": "pandas"}


def penguins():
    """penguins_skewed.csv: numbers between 0 and 1, and one planted -1."""
    c = {"column": CULMEN}
    yield "expect_column_to_exist", {"column": BODY}
    yield "expect_column_to_exist", {"column": "nowhere"}
    yield "expect_column_values_to_be_between", {**c, "min_value": 0, "max_value": 1}
    yield "expect_column_values_to_be_between", {**c, "min_value": 0, "max_value": 1, "mostly": 0.99}
    yield "expect_column_values_to_be_between", {**c, "max_value": 1, "strict_max": True}
    yield "expect_column_values_to_be_between", {"column": BODY, "min_value": 0}
    yield "expect_column_values_to_be_in_set", {"column": "species", "value_set": [0, 1, 2]}
    yield "expect_column_values_to_be_in_set", {"column": "species", "value_set": [0, 1], "mostly": 0.5}
    yield "expect_column_values_to_be_in_set", {"column": "species", "value_set": [0, 1], "mostly": 0.9}
    yield "expect_column_values_to_not_be_in_set", {"column": "species", "value_set": [3]}
    yield "expect_column_values_to_not_be_in_set", {"column": "species", "value_set": [2]}
    yield "expect_column_values_to_be_unique", c
    yield "expect_column_values_to_be_unique", {**c, "mostly": 0.1}
    yield "expect_column_values_to_not_be_null", c
    yield "expect_column_values_to_be_null", c
    yield "expect_column_min_to_be_between", {**c, "min_value": 0}
    yield "expect_column_min_to_be_between", {**c, "min_value": -1, "max_value": -1}
    yield "expect_column_min_to_be_between", {**c, "min_value": -1, "strict_min": True}
    yield "expect_column_max_to_be_between", {**c, "min_value": 0.9, "max_value": 1}
    yield "expect_column_mean_to_be_between", {**c, "min_value": 0.4, "max_value": 0.45}
    yield "expect_column_mean_to_be_between", {**c, "min_value": 0.5}
    yield "expect_column_median_to_be_between", {"column": "species", "min_value": 1, "max_value": 1}
    yield "expect_column_stdev_to_be_between", {**c, "min_value": 0.2, "max_value": 0.23}
    yield "expect_column_sum_to_be_between", {"column": "species", "min_value": 100, "max_value": 400}
    yield "expect_column_sum_to_be_between", {"column": "species", "max_value": 100}
    yield "expect_column_quantile_values_to_be_between", {
        **c,
        "quantile_ranges": {"quantiles": [0.05, 0.5, 0.95], "value_ranges": [[0.1, 0.2], [0.4, 0.5], [0.6, None]]},
    }
    yield "expect_column_quantile_values_to_be_between", {
        **c,
        "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[0.6, 0.7]]},
    }
    yield "expect_column_unique_value_count_to_be_between", {"column": "species", "min_value": 3, "max_value": 3}
    yield "expect_column_unique_value_count_to_be_between", {"column": "species", "max_value": 2}
    yield "expect_column_proportion_of_unique_values_to_be_between", {**c, "min_value": 0.2, "max_value": 0.6}
    yield "expect_column_proportion_of_unique_values_to_be_between", {**c, "min_value": 0.9}
    yield "expect_column_distinct_values_to_be_in_set", {"column": "species", "value_set": [0, 1, 2, 3]}
    yield "expect_column_distinct_values_to_be_in_set", {"column": "species", "value_set": [0, 1]}
    yield "expect_column_distinct_values_to_equal_set", {"column": "species", "value_set": [0, 1, 2]}
    yield "expect_column_distinct_values_to_equal_set", {"column": "species", "value_set": [0, 1, 2, 3]}
    yield "expect_column_distinct_values_to_contain_set", {"column": "species", "value_set": [0]}
    yield "expect_column_most_common_value_to_be_in_set", {"column": "species", "value_set": [0]}
    yield "expect_column_value_z_scores_to_be_less_than", {**c, "threshold": 3, "double_sided": True}
    yield "expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "species", "column_B": CULMEN, "mostly": 0.3}
    yield "expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "species", "column_B": CULMEN}
    yield "expect_column_pair_values_to_be_equal", {"column_A": CULMEN, "column_B": BODY}
    yield "expect_compound_columns_to_be_unique", {"column_list": ["species", CULMEN, "culmen_depth_mm", BODY]}
    yield "expect_compound_columns_to_be_unique", {"column_list": ["species", CULMEN]}
    yield "expect_multicolumn_sum_to_equal", {"column_list": ["species", CULMEN], "sum_total": 1}
    yield "expect_table_row_count_to_equal", {"value": 334}
    yield "expect_table_row_count_to_be_between", {"min_value": 335}
    yield "expect_table_column_count_to_equal", {"value": 5}
    yield "expect_table_columns_to_match_set", {"column_set": ["species", BODY], "exact_match": False}
    yield "expect_table_columns_to_match_set", {"column_set": ["species", BODY], "exact_match": True}
    yield "expect_table_columns_to_match_ordered_list", {
        "column_list": ["species", CULMEN, "culmen_depth_mm", "flipper_length_mm", BODY]
    }
    yield "expect_column_values_to_be_of_type", {**c, "type_": "float64"}
    yield "expect_column_values_to_be_in_type_list", {"column": "species", "type_list": ["int64", "int32"]}
    yield "expect_column_values_to_be_increasing", c
    yield "expect_column_values_to_be_between", {**c, "min_value": 0, **condition("species", " > 0")}
    yield "expect_column_values_to_be_between", {**c, "min_value": 0, **condition("species", " == 0")}
    yield "expect_column_mean_to_be_between", {**c, "min_value": 0.5, **condition("species", " > 0")}
    yield "expect_column_mean_to_be_between", {**c, "min_value": 0.5, **condition("species", " == 0")}


def taxi():
    """taxi.csv: text, and values that are missing."""
    pickup, dropoff = "pickup_community_area", "dropoff_community_area"
    yield "expect_column_values_to_not_be_null", {"column": "company"}
    yield "expect_column_values_to_not_be_null", {"column": "company", "mostly": 0.6}
    yield "expect_column_values_to_be_null", {"column": "pickup_census_tract"}
    yield "expect_column_values_to_be_null", {"column": "company", "mostly": 0.3}
    yield "expect_column_values_to_be_in_set", {"column": "payment_type", "value_set": ["Cash", "Credit Card"]}
    yield "expect_column_values_to_be_in_set", {
        "column": "payment_type", "value_set": ["Cash", "Credit Card"], "mostly": 0.98,
    }
    yield "expect_column_values_to_not_be_in_set", {"column": "payment_type", "value_set": ["Prcard"], "mostly": 0.99}
    yield "expect_column_value_lengths_to_be_between", {"column": "payment_type", "min_value": 4, "max_value": 11}
    yield "expect_column_value_lengths_to_be_between", {
        "column": "payment_type", "min_value": 4, "max_value": 11, "strict_max": True,
    }
    yield "expect_column_value_lengths_to_be_between", {"column": "company", "max_value": 20, "mostly": 0.5}
    yield "expect_column_value_lengths_to_equal", {"column": "payment_type", "value": 4, "mostly": 0.5}
    yield "expect_column_values_to_match_regex", {"column": "payment_type", "regex": "^[A-Z]"}
    yield "expect_column_values_to_match_regex", {"column": "payment_type", "regex": "^C", "mostly": 0.99}
    yield "expect_column_values_to_match_regex", {"column": "company", "regex": "(?<!x)Taxi"}
    yield "expect_column_values_to_not_match_regex", {"column": "company", "regex": "^[0-9]+ - "}
    yield "expect_column_values_to_not_match_regex", {"column": "company", "regex": "^[0-9]+ - ", "mostly": 0.9}
    yield "expect_column_values_to_match_regex_list", {
        "column": "payment_type", "regex_list": ["^C", "ar", "^[A-Z]"], "match_on": "any",
    }
    yield "expect_column_values_to_match_regex_list", {
        "column": "payment_type", "regex_list": ["^C", "a"], "match_on": "all", "mostly": 0.9,
    }
    yield "expect_column_values_to_not_match_regex_list", {"column": "payment_type", "regex_list": ["^x", "^y"]}
    yield "expect_column_values_to_not_match_regex_list", {"column": "payment_type", "regex_list": ["^x", "^C"]}
    yield "expect_column_values_to_be_between", {"column": "fare", "min_value": 0, "max_value": 100, "mostly": 0.99}
    yield "expect_column_values_to_be_between", {"column": "fare", "min_value": 0, "max_value": 100}
    yield "expect_column_values_to_be_between", {"column": "trip_start_hour", "min_value": 0, "max_value": 23}
    yield "expect_column_pair_values_to_be_equal", {"column_A": pickup, "column_B": dropoff, "mostly": 0.1}
    yield "expect_column_pair_values_to_be_equal", {
        "column_A": pickup, "column_B": dropoff, "mostly": 0.2, "ignore_row_if": "either_value_is_missing",
    }
    yield "expect_column_pair_values_to_be_equal", {
        "column_A": pickup, "column_B": dropoff, "mostly": 0.2, "ignore_row_if": "neither",
    }
    yield "expect_column_pair_values_a_to_be_greater_than_b", {
        "column_A": "fare", "column_B": "tips", "or_equal": True, "mostly": 0.99,
        "ignore_row_if": "either_value_is_missing",
    }
    yield "expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "fare", "column_B": "tips"}
    yield "expect_select_column_values_to_be_unique_within_record", {"column_list": ["fare", "tips", "trip_miles"]}
    yield "expect_select_column_values_to_be_unique_within_record", {
        "column_list": ["fare", "tips", "trip_miles"], "mostly": 0.5, "ignore_row_if": "any_value_is_missing",
    }
    yield "expect_multicolumn_sum_to_equal", {"column_list": ["fare", "tips"], "sum_total": 5, "mostly": 0.01}
    yield "expect_multicolumn_sum_to_equal", {"column_list": ["fare", "tips"], "sum_total": 5, "mostly": 0.2}
    yield "expect_column_proportion_of_unique_values_to_be_between", {"column": "company", "max_value": 0.01}
    yield "expect_column_values_to_be_unique", {"column": "company"}
    yield "expect_column_sum_to_be_between", {"column": "trip_miles", "min_value": 1, "max_value": 10**6}
    yield "expect_column_values_to_be_json_parseable", {"column": "company"}
    yield "expect_column_values_to_be_between", {
        "column": "tips", "max_value": 0, **condition("payment_type", ' == "Cash"'), "mostly": 0.99,
    }
    yield "expect_column_values_to_be_between", {"column": "tips", "max_value": 0, **condition("company", ".notNull()")}
    if NEW:
        yield "expect_column_proportion_of_non_null_values_to_be_between", {"column": "company", "min_value": 0.6}
        yield "expect_column_proportion_of_non_null_values_to_be_between", {"column": "company", "max_value": 0.6}


def verdicts(frame, wanted):
    """The suite as it is stored, and what it says of the frame."""
    context = gx.get_context(mode="ephemeral") if NEW else gx.get_context()
    if NEW:
        from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

        source = context.data_sources.add_pandas("files").add_dataframe_asset("frame")
        batch = source.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
        made = []
        for kind, arguments in wanted:
            made.append(ExpectationConfiguration(type=kind, kwargs=arguments).to_domain_obj())
        suite = context.suites.add(gx.ExpectationSuite(name="suite", expectations=made))
        stored = suite.to_json_dict()
        results = {one.expectation_config.id: one for one in batch.validate(suite).results}
        said = [results[one["id"]] for one in stored["expectations"]]
        for one in stored["expectations"]:
            del one["id"]
        del stored["id"]
    else:
        from great_expectations.core import ExpectationConfiguration

        suite = context.add_expectation_suite("suite")
        for kind, arguments in wanted:
            suite.expectations.append(ExpectationConfiguration(expectation_type=kind, kwargs=arguments))
        asset = context.sources.add_pandas("files").add_dataframe_asset("frame")
        validator = context.get_validator(
            batch_request=asset.build_batch_request(dataframe=frame), expectation_suite=suite
        )
        stored = suite.to_json_dict()
        said = []
        for kind, arguments in wanted:
            single = ExpectationConfiguration(expectation_type=kind, kwargs=arguments)
            said.append(validator.graph_validate(configurations=[single])[0])
    return stored, said


def main():
    shared, out = Path(sys.argv[1]), Path(sys.argv[2])
    for name, file, wanted in [("penguins", "penguins_skewed.csv", penguins), ("taxi", "taxi.csv", taxi)]:
        frame = pandas.read_csv(shared / file)
        suite, said = verdicts(frame, list(wanted()))
        success = []
        for (kind, arguments), one in zip(wanted(), said, strict=True):
            raised = json.dumps(one.exception_info, default=str)
            failed = '"raised_exception": true' in raised
            if failed and not one.success and "nowhere" not in str(arguments):
                print(f"{kind} {arguments}: {raised[:600]}", file=sys.stderr)
            success.append(None if failed and kind != "expect_column_to_exist" else bool(one.success))
        document = {"data": file, "success": success, "suite": suite}
        text = json.dumps(document, indent=1, default=str)
        (out / f"{name}-{VERSION}.json").write_text(text + "\n")
        print(name, VERSION, len(success), "expectations,", sum(1 for one in success if one), "kept")


main()
