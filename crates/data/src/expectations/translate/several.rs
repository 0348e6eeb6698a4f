//! Expectations of several columns of a row.
//!
//! Which rows count when values are missing is said by `ignore_row_if`. Rows that do not count are made unknown: a
//! comparison of truth values is unknown when one of its sides is.

use serde_json::Value;

use super::Done;
use crate::expectations::build::Builder;
use crate::expectations::condition::{literal, name};
use crate::expectations::suite::Expectation;
use crate::schema::{KeyRules, PassOver};

/// Columns of which all pairs are compared.
const COMPARED: usize = 12;

fn columns(of: &Expectation) -> Result<Vec<&str>, String> {
    let columns = match of.texts("column_list") {
        Some(list) => list,
        None => ["column_A", "column_B"].into_iter().filter_map(|key| of.text(key)).collect(),
    };
    if columns.len() < 2 { Err("it names fewer than two columns".to_owned()) } else { Ok(columns) }
}

/// `holds`, for the rows that count.
fn counted(holds: &str, columns: &[String], of: &Expectation) -> String {
    let null: Vec<String> = columns.iter().map(|column| format!("{column} is null")).collect();
    let (any, all) = (null.join(" or "), null.join(" and "));
    match of.text("ignore_row_if") {
        Some("either_value_is_missing" | "any_value_is_missing") => {
            let there: Vec<String> = columns.iter().map(|column| format!("{column} = {column}")).collect();
            format!("({holds}) = ({})", there.join(" and "))
        }
        Some("neither" | "never") => format!("coalesce({holds}, false)"),
        // A row that lacks some values counts, and does not hold.
        _ => format!("({holds}) and (not ({any}) or ({all}))"),
    }
}

pub(super) fn within(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    let columns: Vec<String> = columns(of)?.into_iter().map(name).collect();
    let pairs = || {
        let from = |at: usize| columns.iter().skip(at + 1);
        columns.iter().enumerate().flat_map(move |(at, one)| from(at).map(move |other| (one, other)))
    };
    if columns.len() > COMPARED {
        return Err(format!("it compares more than {COMPARED} columns with each other"));
    }
    let [one, other, ..] = columns.as_slice() else {
        return Err("it names fewer than two columns".to_owned());
    };
    let holds = match of.kind.as_str() {
        "expect_column_pair_values_a_to_be_greater_than_b" => {
            if of.flag("parse_strings_as_datetimes") {
                return Err("it parses text as times; give the columns a type of time".to_owned());
            }
            format!("{one} {} {other}", if of.flag("or_equal") { ">=" } else { ">" })
        }
        "expect_column_pair_values_to_be_in_set" => {
            let pairs = of.list("value_pairs_set").ok_or_else(|| "its pairs are not a list".to_owned())?;
            let pair = |pair: &Value| match pair.as_array().map(Vec::as_slice) {
                Some([first, second]) => {
                    Ok(format!("{one} = {} and {other} = {}", literal(first)?, literal(second)?))
                }
                _ => Err("one of its pairs is not one".to_owned()),
            };
            let pairs: Result<Vec<String>, String> = pairs.iter().map(pair).collect();
            let pairs = pairs?;
            if pairs.is_empty() {
                return Err("it has no pairs".to_owned());
            }
            pairs.join(" or ")
        }
        "expect_column_pair_values_to_be_equal" | "expect_multicolumn_values_to_be_equal" => {
            let equal: Vec<String> = columns.iter().skip(1).map(|other| format!("{one} = {other}")).collect();
            equal.join(" and ")
        }
        _ => {
            let unequal: Vec<String> = pairs().map(|(one, other)| format!("{one} != {other}")).collect();
            unequal.join(" and ")
        }
    };
    builder.expression(of, place, &counted(&holds, &columns, of), of.tolerated()?)
}

/// A value that is missing adds nothing, as in pandas.
pub(super) fn sum(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    let columns: Vec<String> = columns(of)?.into_iter().map(name).collect();
    let total = of.number("sum_total").ok_or_else(|| "its `sum_total` is not a number".to_owned())?;
    let added: Vec<String> = columns.iter().map(|column| format!("coalesce({column}, 0)")).collect();
    let sum = format!("{} = {total}", added.join(" + "));
    let there: Vec<String> = columns.iter().map(|column| format!("{column} = {column}")).collect();
    let first = columns.join(", ");
    let holds = match of.text("ignore_row_if") {
        Some("any_value_is_missing") => format!("({sum}) = ({})", there.join(" and ")),
        Some("never") => sum,
        _ => format!("({sum}) = (coalesce({first}) = coalesce({first}))"),
    };
    builder.expression(of, place, &holds, of.tolerated()?)
}

pub(super) fn key(builder: &mut Builder, of: &Expectation) -> Result<Done, String> {
    if of.get("row_condition").is_some() {
        return Err("a key is unique in a whole table, not in some of its rows".to_owned());
    }
    let names = columns(of)?;
    for (at, name) in names.iter().enumerate() {
        builder.kind(name)?;
        if names.iter().take(at).any(|before| before == name) {
            return Err("it names a column twice".to_owned());
        }
    }
    let pass_over = match of.text("ignore_row_if") {
        Some("any_value_is_missing") => PassOver::AnyMissing,
        _ => PassOver::AllMissing,
    };
    let done = Done::whole(format!("`[[key]]` of {} columns", names.len()));
    builder.schema.keys.push(KeyRules {
        columns: names.into_iter().map(str::to_owned).collect(),
        pass_over,
        max_repeated: of.tolerated()?,
        severity: of.severity,
    });
    Ok(if of.text("ignore_row_if") == Some("never") {
        done.but("rows that lack all values of the key are passed over")
    } else {
        done
    })
}
