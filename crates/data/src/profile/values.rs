//! Exact distinct values with counts, up to a bound.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::ColumnType;
use crate::cell::{self, Value};
use crate::expression::time_of;
use crate::limits::{COUNTED_COLUMN_COST, COUNTED_PROFILE_COST, COUNTED_VALUES};
use crate::number::Number;

/// The distinct values of one column, as text.
///
/// Whether the bound is passed depends on the *set* of values alone, not on their order, so that merging is
/// associative and commutative.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    /// The hash is seeded per process: a file cannot be made to collide. A key is the kind of value and its text, because
    /// the number 5 and the text `5` are two values.
    counts: HashMap<Box<[u8]>, (Value, u64), RandomState>,
    cost: usize,
    cost_bound: usize,
    /// The key that is looked up, put together here.
    key: Vec<u8>,
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        let count = |(_, count): &(Value, u64)| *count;
        self.counts.len() == other.counts.len()
            && self.counts.iter().all(|(key, value)| other.counts.get(key).map(count) == Some(value.1))
    }
}

fn bound(columns: usize) -> usize {
    COUNTED_COLUMN_COST.min(COUNTED_PROFILE_COST / columns.max(1))
}

/// Values of one kind have one first byte.
pub(super) fn kind_of(value: Value) -> u8 {
    match value {
        Value::Integer(_) | Value::Float(_) => b'n',
        Value::Boolean => b'b',
        Value::Date => b'd',
        Value::Timestamp => b't',
        Value::Binary => b'x',
        Value::List(_) => b'l',
        Value::Text | Value::Null => b's',
    }
}

impl Values {
    /// No values yet, in a table of so many columns.
    pub(crate) fn new(columns: usize) -> Self {
        Self { counts: HashMap::default(), cost: 0, cost_bound: bound(columns), key: Vec::new() }
    }

    /// Adds `count` sightings of a value; `false`, and nothing changed, where that would pass the bound.
    #[inline]
    pub(crate) fn add(&mut self, text: &[u8], value: Value, count: u64) -> bool {
        self.key.clear();
        self.key.push(kind_of(value));
        self.key.extend_from_slice(text);
        if let Some((_, known)) = self.counts.get_mut(self.key.as_slice()) {
            *known += count;
            return true;
        }
        let cost = self.cost + cost_of(text);
        if self.counts.len() == COUNTED_VALUES || cost > self.cost_bound {
            return false;
        }
        self.cost = cost;
        self.counts.insert(self.key.as_slice().into(), (value, count));
        true
    }

    /// Shows each value with its kind and count, in no order.
    pub(crate) fn each(&self, mut show: impl FnMut(&[u8], Value, u64)) {
        for (key, (value, count)) in &self.counts {
            show(key.get(1..).unwrap_or_default(), *value, *count);
        }
    }

    /// Holds the values to the bound of a table of so many columns; whether they are within it.
    pub(super) fn rebound(&mut self, columns: usize) -> bool {
        self.cost_bound = bound(columns);
        self.cost <= self.cost_bound
    }

    /// Values and counts by ascending bytes; those of one text and several kinds together.
    pub(crate) fn sorted(&self) -> Vec<(&[u8], u64)> {
        let mut sorted: Vec<(&[u8], u64)> =
            self.counts.iter().map(|(key, (_, count))| (key.get(1..).unwrap_or_default(), *count)).collect();
        sorted.sort_unstable();
        sorted.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            kept.1 += if same { later.1 } else { 0 };
            same
        });
        sorted
    }

    /// The same for a column of a type: equal numbers, truth values and times are one value, whatever their spelling, and
    /// have the text of the least that was seen, numbers and truth values the usual one.
    pub(crate) fn of_type(&self, kind: ColumnType) -> Vec<(Cow<'_, [u8]>, u64)> {
        let texts = self.sorted();
        if matches!(kind, ColumnType::String | ColumnType::Binary | ColumnType::List) {
            return texts.into_iter().map(|(text, count)| (Cow::Borrowed(text), count)).collect();
        }
        let mut times = HashMap::new();
        let mut values: BTreeMap<Cow<'_, [u8]>, u64> = BTreeMap::new();
        for (text, count) in texts {
            let trimmed = text.trim_ascii();
            let value = match kind {
                ColumnType::Integer | ColumnType::Float => {
                    let number = cell::number(trimmed).and_then(|value| Number::in_text(trimmed, value));
                    number.map(|number| Cow::Owned(number.text().into_owned()))
                }
                ColumnType::Boolean => {
                    cell::truth(text).map(|truth| Cow::Borrowed(if truth { &b"true"[..] } else { b"false" }))
                }
                _ => time_of(trimmed).map(|time| Cow::Borrowed(*times.entry(time).or_insert(text))),
            };
            *values.entry(value.unwrap_or(Cow::Borrowed(text))).or_insert(0) += count;
        }
        values.into_iter().collect()
    }

    /// Kinds, values and counts, by ascending bytes of both.
    pub(super) fn stored(&self) -> Vec<(u8, &[u8], u64)> {
        let mut stored: Vec<(u8, &[u8], u64)> = self
            .counts
            .iter()
            .filter_map(|(key, (_, count))| key.split_first().map(|(kind, text)| (*kind, text, *count)))
            .collect();
        stored.sort_unstable();
        stored
    }
}

/// What counting a value costs: roughly its bytes in the stored form, where a control character takes six.
fn cost_of(value: &[u8]) -> usize {
    let text: usize = value
        .iter()
        .map(|byte| match byte {
            0..0x20 => 6,
            b'"' | b'\\' => 2,
            _ => 1,
        })
        .sum();
    text + 16
}
