//! One spelling for equal values, whatever format they came in and however they were written there.

use std::borrow::Cow;

use crate::cell::{self, Value};
use crate::csv::NullTokens;
use crate::expression::time_in;
use crate::read::batch::{Cell, CellSource};
use crate::text;

/// A value by what it is: `1` and `1.0`, `true` and `True`, a day and its midnight (UTC) are the same. What is text stays
/// as it is.
pub(super) fn by_value<'c>(cell: &Cell<'c>) -> Cow<'c, [u8]> {
    let mut out = Vec::new();
    match cell.value {
        Value::Integer(integer) => text::integer(&mut out, integer),
        Value::Float(float) => text::float(&mut out, float),
        Value::Date | Value::Timestamp => match time_in(cell) {
            Some(nanos) => time(&mut out, nanos),
            None => return cell.text(),
        },
        Value::Boolean => out.extend_from_slice(truth(cell.truth().unwrap_or_default())),
        Value::Null | Value::Text | Value::Binary | Value::List(_) => return by_text(cell.text()),
    }
    Cow::Owned(out)
}

/// A text as it is, unless it is a truth value, which every format writes in its own way.
pub(super) fn by_text(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match cell::truth(&text) {
        Some(value) => Cow::Borrowed(truth(value)),
        None => text,
    }
}

/// As [`by_value`], of a value that a profile keeps as text.
pub(super) fn of_kept<'t>(text: &'t [u8], nulls: &NullTokens) -> Cow<'t, [u8]> {
    let value = cell::classify(text, nulls);
    by_value(&Cell { value, source: CellSource::Text(text) })
}

const fn truth(value: bool) -> &'static [u8] {
    if value { b"true" } else { b"false" }
}

fn time(out: &mut Vec<u8>, nanos: i128) {
    const DAY: i128 = 86_400_000_000_000;
    match i64::try_from(nanos.div_euclid(DAY)) {
        Ok(day) if nanos.rem_euclid(DAY) == 0 => text::day(out, day),
        _ => text::nanos(out, nanos),
    }
}
