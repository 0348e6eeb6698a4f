//! What columns hold, as far as a suite says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::suite::Suite;
use crate::cell;
use crate::profile::ColumnType;

/// A type as Great Expectations names it: of Python, NumPy, pandas, SQL or Spark.
pub(super) fn named(name: &str) -> Option<ColumnType> {
    let name = name.to_ascii_lowercase();
    let base = name.split(['(', '[']).next().unwrap_or_default();
    let integer = base.trim_start_matches('u').strip_prefix("int").is_some_and(|rest| {
        rest.is_empty()
            || rest == "_"
            || rest == "eger"
            || rest == "egertype"
            || rest.bytes().all(|byte| byte.is_ascii_digit())
    });
    Some(match base {
        _ if integer => ColumnType::Integer,
        "bigint" | "smallint" | "tinyint" | "longtype" | "shorttype" | "byteint" | "bytetype" | "long" => {
            ColumnType::Integer
        }
        "float" | "float16" | "float32" | "float64" | "float_" | "double" | "double_precision" | "real"
        | "decimal" | "numeric" | "number" | "floattype" | "doubletype" | "decimaltype" => ColumnType::Float,
        "bool" | "bool_" | "boolean" | "booleantype" => ColumnType::Boolean,
        "date" | "datetype" => ColumnType::Date,
        "datetime" | "datetime64" | "timestamp" | "timestamptype" | "datetime_" => ColumnType::Timestamp,
        "str" | "string" | "object" | "object_" | "o" | "text" | "varchar" | "char" | "nvarchar"
        | "nchar" | "stringtype" | "string_" | "category" => ColumnType::String,
        _ => return None,
    })
}

/// Types of columns: those that the suite states, and those that its bounds and values have.
pub(super) struct Types {
    pub(super) stated: BTreeMap<String, ColumnType>,
    guessed: BTreeMap<String, ColumnType>,
}

impl Types {
    pub(super) fn of(suite: &Suite) -> Self {
        let (mut stated, mut guessed) = (BTreeMap::new(), BTreeMap::new());
        for one in &suite.expectations {
            let numbers = one.kind.contains("multicolumn_sum");
            for column in one.columns() {
                if numbers {
                    guessed.insert(column.to_owned(), ColumnType::Float);
                }
            }
            let Some(column) = one.column() else { continue };
            let of_list = one.texts("type_list").and_then(|names| widest(&names));
            if let Some(kind) = one.text("type_").and_then(named).or(of_list) {
                stated.insert(column.to_owned(), kind);
            }
            let of_numbers = ["_sum_", "_mean_", "_median_", "_stdev_", "_quantile_"];
            let lengths = one.kind.contains("value_lengths");
            let values = ["min_value", "max_value"].into_iter().filter_map(|key| one.get(key));
            let listed = one.list("value_set").into_iter().flatten();
            let counted = lengths || one.kind.contains("unique") || one.kind.contains("proportion");
            let kind = if of_numbers.iter().any(|part| one.kind.contains(part)) {
                Some(ColumnType::Float)
            } else if lengths {
                Some(ColumnType::String)
            } else if counted {
                None
            } else {
                values.chain(listed).filter(|value| !value.is_null()).map(of_value).reduce(wider)
            };
            if let Some(kind) = kind {
                let known = guessed.entry(column.to_owned()).or_insert(kind);
                *known = wider(*known, kind);
            }
        }
        Self { stated, guessed }
    }

    /// The type, and whether the suite states it.
    pub(super) fn get(&self, column: &str) -> (ColumnType, bool) {
        match (self.stated.get(column), self.guessed.get(column)) {
            (Some(kind), _) => (*kind, true),
            (None, Some(kind)) => (*kind, false),
            (None, None) => (ColumnType::String, false),
        }
    }
}

fn of_value(value: &Value) -> ColumnType {
    match value {
        Value::Number(_) => ColumnType::Float,
        Value::Bool(_) => ColumnType::Boolean,
        Value::String(text) => match cell::typed_text(text.as_bytes()) {
            cell::Value::Date | cell::Value::Timestamp => ColumnType::Timestamp,
            _ => ColumnType::String,
        },
        _ => ColumnType::String,
    }
}

fn wider(one: ColumnType, other: ColumnType) -> ColumnType {
    if one == other { one } else { ColumnType::String }
}

/// The widest of those types that are known; `None` when none is, or none holds all.
pub(super) fn widest(names: &[&str]) -> Option<ColumnType> {
    let mut kinds = names.iter().filter_map(|name| named(name));
    let first = kinds.next()?;
    kinds.try_fold(first, |widest, next| match (widest, next) {
        (one, other) if one == other => Some(one),
        (ColumnType::Integer | ColumnType::Float, ColumnType::Integer | ColumnType::Float) => {
            Some(ColumnType::Float)
        }
        (ColumnType::Date | ColumnType::Timestamp, ColumnType::Date | ColumnType::Timestamp) => {
            Some(ColumnType::Timestamp)
        }
        _ => None,
    })
}
