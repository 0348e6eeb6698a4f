//! Whether there is a value.

use super::{Counted, Rule};
use crate::cell::Value;
use crate::read::batch::{Cell, Lane};

/// Cells without a value.
#[derive(Debug, Default)]
pub(in crate::check) struct Presence {
    pub(in crate::check) missing: Counted,
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
