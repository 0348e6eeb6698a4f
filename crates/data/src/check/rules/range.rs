//! Whether a number lies within its range.

use arrow_buffer::NullBuffer;

use super::{Counted, Rule};
use crate::cell::Value;
use crate::read::batch::{Cell, Lane};
use crate::schema;

/// Numbers outside of the range, which are compared as IEEE 754 doubles.
#[derive(Debug)]
pub(in crate::check) struct Range {
    min: f64,
    max: f64,
    /// Whether what is no number lies outside.
    every: bool,
    pub(in crate::check) outside: Counted,
}

impl Range {
    pub(super) fn new(range: schema::Range, every: bool) -> Self {
        Self { min: range.min, max: range.max, every, outside: Counted::default() }
    }

    fn holds(&self, number: f64) -> bool {
        (self.min..=self.max).contains(&number)
    }

    /// Whether all numbers lie within; those under nulls count too, and NaN does not lie within anything.
    fn all(&self, numbers: impl Iterator<Item = f64>) -> bool {
        // Without a way out of the loop the comparisons are made side by side.
        numbers.fold(true, |all, number| all & (number >= self.min) & (number <= self.max))
    }

    /// Whether all numbers that are there lie within.
    fn all_there(&self, numbers: impl Iterator<Item = f64>, nulls: Option<&NullBuffer>) -> bool {
        numbers.enumerate().all(|(at, number)| {
            self.holds(number) || number.is_nan() || nulls.is_some_and(|nulls| nulls.is_null(at))
        })
    }
}

impl Rule for Range {
    fn clean(&self, lane: &Lane<'_>) -> bool {
        match lane {
            Lane::Nulls(_) => true,
            Lane::Integers(values, nulls) => {
                let numbers = || values.iter().map(|value| *value as f64);
                self.all(numbers()) || self.all_there(numbers(), nulls.as_ref())
            }
            Lane::Floats(values, nulls) => {
                self.all(values.iter().copied()) || self.all_there(values.iter().copied(), nulls.as_ref())
            }
            Lane::Cells(cells) => cells.values.iter().all(|value| match value {
                Value::Integer(integer) => self.holds(*integer as f64),
                Value::Float(float) => self.holds(*float),
                Value::Null => true,
                _ => !self.every,
            }),
            Lane::Dictionary { values, .. } => self.clean(values),
            Lane::Decimals(..) => false,
            _ => !self.every,
        }
    }

    fn cell(&mut self, row: u64, cell: &Cell<'_>) {
        let holds = match cell.value {
            Value::Integer(integer) => self.holds(integer as f64),
            Value::Float(float) => self.holds(float),
            // What is no number has no range, where that is not asked.
            _ => !self.every,
        };
        if !holds {
            self.outside.add(row, cell);
        }
    }
}
