//! Row conditions, in their three spellings, as expressions of ours.

use serde_json::Value;

use super::suite::plain;
use crate::limits::EXPRESSION_BYTES;
use crate::profile::ColumnType;

/// Conditions that a condition of 1.x nests.
const DEPTH: usize = 16;

/// A column's name as expressions write it.
pub(super) fn name(column: &str) -> String {
    let bare = column.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && column.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    const WORDS: [&str; 9] = ["and", "or", "not", "is", "null", "in", "between", "true", "false"];
    if bare && !WORDS.iter().any(|word| column.eq_ignore_ascii_case(word)) {
        return column.to_owned();
    }
    format!("`{}`", column.replace('`', "``"))
}

/// A value as expressions write it.
pub(super) fn literal(value: &Value) -> Result<String, String> {
    match value {
        Value::Number(number) => {
            // Numbers of expressions are doubles.
            if number.as_i64().is_some_and(|whole| whole.unsigned_abs() > 1 << 53) {
                return Err("a whole number beyond 2^53 is compared to the next double".to_owned());
            }
            let number = number.as_f64().filter(|number| number.is_finite());
            number.map(|number| format!("{number}")).ok_or_else(|| "a number is too large".to_owned())
        }
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::String(text) => Ok(text_literal(text)),
        _ => Err("a value is neither a number, nor text, nor a truth value".to_owned()),
    }
}

pub(super) fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Columns that a condition names, with the types that they seem to have.
pub(super) type Named = Vec<(String, ColumnType)>;

/// The condition as an expression.
pub(super) fn expression(condition: &Value, named: &mut Named) -> Result<String, String> {
    match condition {
        Value::String(text) => of_text(text, named),
        Value::Object(_) => of_object(condition, 0, named),
        _ => Err("its row condition is neither text nor an object".to_owned()),
    }
}

const fn type_of(value: &Value) -> ColumnType {
    match value {
        Value::Number(_) => ColumnType::Float,
        Value::Bool(_) => ColumnType::Boolean,
        _ => ColumnType::String,
    }
}

fn of_object(condition: &Value, depth: usize, named: &mut Named) -> Result<String, String> {
    if depth > DEPTH {
        return Err(format!("its row condition nests more than {DEPTH} levels"));
    }
    let parameter = condition.get("parameter").unwrap_or(&Value::Null);
    let first = parameter.as_array().and_then(|values| values.first()).unwrap_or(parameter);
    let column = condition.get("column").and_then(|column| column.get("name")).and_then(Value::as_str);
    named.extend(column.map(|column| (column.to_owned(), type_of(first))));
    let column = || column.map(name).ok_or_else(|| "its row condition names no column".to_owned());
    match condition.get("type").and_then(Value::as_str) {
        Some("pass_through") => {
            let text = condition.get("pass_through_filter").and_then(Value::as_str);
            of_text(text.ok_or_else(|| "its row condition is empty".to_owned())?, named)
        }
        Some("nullity") => {
            let null = condition.get("is_null").and_then(Value::as_bool).unwrap_or(true);
            Ok(format!("{} is {}null", column()?, if null { "" } else { "not " }))
        }
        Some(joint @ ("and" | "or")) => {
            let parts = condition.get("conditions").and_then(Value::as_array);
            let parts = parts.filter(|parts| !parts.is_empty());
            let parts = parts.ok_or_else(|| "its row condition joins nothing".to_owned())?;
            let parts: Result<Vec<String>, String> =
                parts.iter().map(|part| of_object(part, depth + 1, named)).collect();
            Ok(format!("({})", parts?.join(&format!(" {joint} "))))
        }
        Some("comparison") => {
            let operator = condition.get("operator").and_then(Value::as_str).unwrap_or_default();
            match operator {
                "==" | "!=" | "<" | "<=" | ">" | ">=" => {
                    let operator = if operator == "==" { "=" } else { operator };
                    Ok(format!("{} {operator} {}", column()?, literal(parameter)?))
                }
                "IN" | "NOT_IN" => {
                    let values = parameter.as_array().filter(|values| !values.is_empty());
                    let values = values.ok_or_else(|| "its row condition has no values".to_owned())?;
                    let values: Result<Vec<String>, String> = values.iter().map(literal).collect();
                    let not = if operator == "IN" { "" } else { "not " };
                    Ok(format!("{} {not}in ({})", column()?, values?.join(", ")))
                }
                other => Err(format!("its row condition compares by `{}`", plain(other))),
            }
        }
        _ => Err("its row condition is of an unknown kind".to_owned()),
    }
}

/// What pandas queries and `col("a") > 5` have in common with our language, and what they write otherwise. What comes of
/// other things does not parse, which is found out where the expression is used.
fn of_text(text: &str, named: &mut Named) -> Result<String, String> {
    if text.len() > EXPRESSION_BYTES {
        return Err("its row condition is too long".to_owned());
    }
    let (mut out, mut rest) = (String::with_capacity(text.len() + 16), text);
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        match first {
            '"' | '\'' => {
                let end = after
                    .find(first)
                    .ok_or_else(|| "its row condition has text without an end".to_owned())?;
                let content = after.get(..end).unwrap_or_default();
                if content.contains('\\') {
                    return Err("its row condition has text with a backslash".to_owned());
                }
                out.push_str(&text_literal(content));
                rest = after.get(end + 1..).unwrap_or_default();
                continue;
            }
            '&' => out.push_str(" and "),
            '|' => out.push_str(" or "),
            '~' => out.push_str(" not "),
            '[' => out.push('('),
            ']' => out.push(')'),
            letter if letter.is_alphabetic() || letter == '_' => {
                let end = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
                let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                let tail = rest.get(word.len()..).unwrap_or_default();
                if word == "col" && tail.starts_with('(') {
                    let (column, used) = argument(tail)?;
                    out.push_str(&name(column));
                    rest = tail.get(used..).unwrap_or_default();
                    let value = rest.trim_start_matches(|letter: char| " =!<>".contains(letter));
                    let number = value.starts_with(|first: char| first.is_ascii_digit() || first == '-');
                    let kind = if number { ColumnType::Float } else { ColumnType::String };
                    named.push((column.to_owned(), kind));
                } else {
                    out.push_str(match word {
                        "True" => "true",
                        "False" => "false",
                        other => other,
                    });
                    rest = tail;
                }
                continue;
            }
            '.' => {
                const TESTS: [(&str, &str); 6] = [
                    ("isnull()", " is null"),
                    ("isna()", " is null"),
                    ("isNull()", " is null"),
                    ("notnull()", " is not null"),
                    ("notna()", " is not null"),
                    ("notNull()", " is not null"),
                ];
                if let Some((written, ours)) =
                    TESTS.into_iter().find(|(written, _)| after.starts_with(written))
                {
                    out.push_str(ours);
                    rest = after.get(written.len()..).unwrap_or_default();
                    continue;
                }
                out.push('.');
            }
            other => out.push(other),
        }
        rest = after;
    }
    Ok(out)
}

/// What stands between the quotes of `("a")`, and the length of all.
fn argument(text: &str) -> Result<(&str, usize), String> {
    let wrong = || "its row condition does not name a column as col(\"name\")".to_owned();
    let inner = text.strip_prefix('(').ok_or_else(wrong)?;
    let quote = inner.chars().next().filter(|quote| matches!(quote, '"' | '\'')).ok_or_else(wrong)?;
    let content = inner.get(1..).ok_or_else(wrong)?;
    let end = content.find(quote).ok_or_else(wrong)?;
    let closed = content.get(end + 1..).is_some_and(|rest| rest.starts_with(')'));
    if closed { Ok((content.get(..end).unwrap_or_default(), end + 4)) } else { Err(wrong()) }
}
