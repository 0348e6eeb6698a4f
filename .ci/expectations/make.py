"""Makes suites with great_expectations and writes what it says of files: make.py SHARED_DATA OUTPUT_DIRECTORY.

Run once with great_expectations 0.18 and once with 1.x; each writes files of its own, named by dataset and version:

    pip install -r .ci/expectations/requirements-1.24.txt       # or: -0.18.txt, in another venv
    python .ci/expectations/make.py ../shared/data crates/data/tests/expectations

`.ci/run` has both write them anew and compares them with those that are there.

A file holds the suite as great_expectations writes it, and for each expectation whether the data kept it. The test
`expectations` of crates/data imports one expectation after the other, checks the same data and compares. The orders are made
here: the suite is imported like the clean ones, and asked about the dirty ones, which hold values of other types.
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


STATES = ["open", "paid", "sent", ""]


def orders(dirty):
    """Rows of an order each, as dictionaries; dirty ones have words where numbers were, and numbers that were not."""
    for at in range(120):
        row = {"id": at + 1, "quantity": at % 9 + 1, "price": at % 50 + 0.5, "state": STATES[at % 4] or None, "note": f"n{at % 7}"}
        if dirty and at in (17, 55, 90):
            row["quantity"] = {17: "lots", 55: "foo", 90: "9x"}[at]
        if dirty and at == 40:
            row["price"] = "free"
        if dirty and at == 100:
            row["note"] = 12
        yield row


def write_orders(out):
    """orders.csv, orders_dirty.csv, orders_dirty.jsonl."""
    for name, dirty in [("orders", False), ("orders_dirty", True)]:
        rows = list(orders(dirty))
        lines = [",".join(rows[0])] + [",".join("" if one is None else str(one) for one in row.values()) for row in rows]
        (out / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (out / "orders_dirty.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def pandas_condition(text):
    return {"row_condition": text, "condition_parser": "pandas"}


def of_orders(lines):
    """What is asked of orders; of lines of JSON also what pandas makes no sense of in CSV."""
    n, pair, listed = {"column": "quantity"}, {"column_A": "quantity", "column_B": "price"}, {"column_list": ["quantity", "id"]}
    yield "expect_column_values_to_be_between", {**n, "min_value": 0, "max_value": 10}
    yield "expect_column_values_to_be_between", {**n, "min_value": 0, "max_value": 10, "mostly": 0.9}
    yield "expect_column_values_to_be_between", {**n, "min_value": 0, "strict_min": True}
    yield "expect_column_values_to_be_between", {"column": "id", "min_value": 0, "max_value": 120}
    yield "expect_column_values_to_be_in_set", {**n, "value_set": list(range(1, 10))}
    if lines:
        # Of CSV pandas makes text of all the column, and nothing of it is in the set.
        yield "expect_column_values_to_be_in_set", {**n, "value_set": list(range(1, 10)), "mostly": 0.95}
        yield "expect_column_values_to_be_in_set", {**n, "value_set": list(range(1, 10)), "mostly": 0.99}
        yield "expect_column_values_to_not_be_in_set", {**n, "value_set": [1]}
        yield "expect_column_pair_values_to_be_equal", {**pair, "mostly": 0.01}
    yield "expect_column_values_to_not_be_in_set", {**n, "value_set": [77]}
    yield "expect_column_distinct_values_to_be_in_set", {**n, "value_set": list(range(1, 10))}
    yield "expect_column_distinct_values_to_equal_set", {**n, "value_set": list(range(1, 10))}
    yield "expect_column_values_to_be_null", {**n}
    yield "expect_column_values_to_not_be_null", {**n}
    yield "expect_column_values_to_be_unique", {"column": "id"}
    yield "expect_column_values_to_be_unique", {**n}
    for figure in ["min", "max", "mean", "median", "stdev", "sum"]:
        yield f"expect_column_{figure}_to_be_between", {**n, "min_value": 0}
        yield f"expect_column_{figure}_to_be_between", {"column": "id", "min_value": 0}
    yield "expect_column_quantile_values_to_be_between", {
        **n, "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[0, 9]]},
    }
    yield "expect_column_value_lengths_to_be_between", {**n, "min_value": 1, "max_value": 4}
    yield "expect_column_value_lengths_to_be_between", {**n, "max_value": 3}
    yield "expect_column_value_lengths_to_be_between", {"column": "state", "min_value": 3, "strict_min": True}
    yield "expect_column_values_to_match_regex", {**n, "regex": "^[0-9]$"}
    yield "expect_column_values_to_match_regex", {**n, "regex": "^[0-9]$", "mostly": 0.95}
    yield "expect_column_unique_value_count_to_be_between", {**n, "max_value": 9}
    yield "expect_column_unique_value_count_to_be_between", {**n, "min_value": 12, "max_value": 12}
    yield "expect_column_pair_values_a_to_be_greater_than_b", {**pair, "column_B": "id", "mostly": 0.01}
    yield "expect_column_pair_values_to_be_equal", pair
    yield "expect_select_column_values_to_be_unique_within_record", {**listed, "mostly": 0.5}
    yield "expect_multicolumn_sum_to_equal", {**listed, "sum_total": 2, "mostly": 0.0}
    yield "expect_compound_columns_to_be_unique", listed
    yield "expect_column_values_to_be_of_type", {"column": "price", "type_": "float64"}
    yield "expect_column_values_to_be_in_type_list", {"column": "id", "type_list": ["NOTHING_KNOWN", "int64"]}
    yield "expect_table_row_count_to_be_between", {"min_value": 120, "max_value": 121}
    if NEW:
        yield "expect_table_row_count_to_be_between", {"min_value": 120, "strict_min": True}
        yield "expect_table_row_count_to_be_between", {"max_value": 120, "strict_max": True}
    # Rows without a state are not in the state `open`, and the last row is one of them.
    last = {"column": "id", "max_value": 119}
    for text in [
        'state != "open"', "state not in ['open']", 'not state == "open"', 'not (state == "open" or id > 1000)',
    ]:
        yield "expect_column_values_to_be_between", {**last, **pandas_condition(text)}
    for text in ['state == "sent"', 'not state != "sent"', 'state in ["open", "sent"]', "state.notnull()"]:
        yield "expect_column_values_to_be_between", {**last, **pandas_condition(text)}
    yield "expect_column_values_to_be_between", {**last, **condition("state", ' != "open"')}
    yield "expect_column_values_to_be_between", {**last, **pandas_condition("quantity > 0")}


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
    write_orders(out)
    sets = [
        ("penguins", "penguins_skewed.csv", penguins),
        ("taxi", "taxi.csv", taxi),
        ("orders", "orders_dirty.csv", lambda: of_orders(False)),
        ("orders-lines", "orders_dirty.jsonl", lambda: of_orders(True)),
    ]
    for name, file, wanted in sets:
        made = name.startswith("orders")
        path = (out if made else shared) / file
        frame = pandas.read_json(path, lines=True) if file.endswith(".jsonl") else pandas.read_csv(path)
        suite, said = verdicts(frame, list(wanted()))
        success = []
        for (kind, arguments), one in zip(wanted(), said, strict=True):
            raised = json.dumps(one.exception_info, default=str)
            failed = '"raised_exception": true' in raised
            if failed and not one.success and not made and "nowhere" not in str(arguments):
                print(f"{kind} {arguments}: {raised[:600]}", file=sys.stderr)
            # What cannot be tried is not kept: among the orders that is so wherever words stand among numbers.
            unknown = failed and not made and kind != "expect_column_to_exist"
            success.append(None if unknown else bool(one.success))
        document = {"data": file, "success": success, "suite": suite}
        if made:
            document["like"] = "orders.csv"
        text = json.dumps(document, indent=1, default=str)
        (out / f"{name}-{VERSION}.json").write_text(text + "\n")
        print(name, VERSION, len(success), "expectations,", sum(1 for one in success if one), "kept")


main()
