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
    pub(in crate::check) outside: Counted,
}

impl Range {
    pub(super) fn new(range: schema::Range) -> Self {
        Self { min: range.min, max: range.max, outside: Counted::default() }
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
                _ => true,
            }),
            Lane::Dictionary { values, .. } => self.clean(values),
            Lane::Decimals(..) => false,
            // What is no number has no range.
            _ => true,
        }
    }

    fn cell(&mut self, row: u64, cell: &Cell<'_>) {
        let number = match cell.value {
            Value::Integer(integer) => integer as f64,
            Value::Float(float) => float,
            _ => return,
        };
        if !self.holds(number) {
            self.outside.add(row, cell);
        }
    }
}
