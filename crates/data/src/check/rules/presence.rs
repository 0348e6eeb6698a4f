//! Whether there is a value.

use super::{Counted, Rule};
use crate::cell::Value;
use crate::read::batch::{Cell, Column, Lane};

/// Cells without a value.
#[derive(Debug, Default)]
pub(in crate::check) struct Presence {
    pub(in crate::check) missing: Counted,
}

impl Presence {
    /// Counts what is missing in a column, without a look at what is there where its layout tells.
    pub(super) fn observe(&mut self, column: &Column<'_>) {
        if self.clean(&column.lane) {
            return;
        }
        let is_null = |at: usize| column.lane.nulls().is_some_and(|nulls| nulls.is_null(at));
        match &column.lane {
            Lane::Floats(values, _) => {
                for (at, value) in values.iter().enumerate() {
                    if value.is_nan() || is_null(at) {
                        self.missing.add(column.row(at), &Cell::NULL);
                    }
                }
            }
            Lane::Dictionary { keys, values, .. } if values.len() <= keys.len() => {
                let none: Vec<bool> =
                    (0..values.len()).map(|at| values.cell(at).value == Value::Null).collect();
                for (at, key) in keys.iter().enumerate() {
                    if is_null(at) {
                        self.missing.add(column.row(at), &Cell::NULL);
                    } else if usize::try_from(*key).ok().and_then(|key| none.get(key)) != Some(&false) {
                        self.cell(column.row(at), &column.cell(at));
                    }
                }
            }
            Lane::Nulls(_) | Lane::Cells(_) | Lane::Dictionary { .. } => {
                (0..column.len()).for_each(|at| self.cell(column.row(at), &column.cell(at)));
            }
            // What is no number is there, whatever it is.
            _ => {
                for at in (0..column.len()).filter(|at| is_null(*at)) {
                    self.missing.add(column.row(at), &Cell::NULL);
                }
            }
        }
    }
}

impl Rule for Presence {
    fn clean(&self, lane: &Lane<'_>) -> bool {
        match lane {
            Lane::Nulls(count) => *count == 0,
            Lane::Cells(cells) => cells.values.iter().all(|value| *value != Value::Null),
            Lane::Floats(values, nulls) => {
                nulls.as_ref().is_none_or(|nulls| nulls.null_count() == 0)
                    && values.iter().all(|value| !value.is_nan())
            }
            // A key may stand for a null among the values.
            Lane::Dictionary { nulls, values, .. } => {
                nulls.as_ref().is_none_or(|nulls| nulls.null_count() == 0) && self.clean(values)
            }
            lane => lane.nulls().is_none_or(|nulls| nulls.null_count() == 0),
        }
    }

    fn cell(&mut self, row: u64, cell: &Cell<'_>) {
        if cell.value == Value::Null {
            self.missing.add(row, cell);
        }
    }
}
