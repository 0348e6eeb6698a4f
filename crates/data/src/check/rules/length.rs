//! Whether text is too long.

use super::{Counted, Rule};
use crate::cell;
use crate::read::batch::{Cell, Lane};

/// Texts of more characters than there may be.
#[derive(Debug)]
pub(in crate::check) struct Length {
    longest: u64,
    pub(in crate::check) too_long: Counted,
}

impl Length {
    pub(super) fn new(longest: u64) -> Self {
        Self { longest, too_long: Counted::default() }
    }
}

impl Rule for Length {
    /// Characters are never more than bytes.
    fn clean(&self, lane: &Lane<'_>) -> bool {
        match lane {
            Lane::Nulls(_) => true,
            Lane::Texts(blobs) | Lane::Bytes(blobs) => {
                (0..blobs.len()).all(|at| blobs.get(at).len() as u64 <= self.longest)
            }
            Lane::Cells(cells) => {
                cells.spans.iter().all(|(start, end)| u64::from(end.saturating_sub(*start)) <= self.longest)
            }
            Lane::Dictionary { values, .. } => self.clean(values),
            _ => false,
        }
    }

    fn cell(&mut self, row: u64, cell: &Cell<'_>) {
        if cell::length(&cell.text()) as u64 > self.longest {
            self.too_long.add(row, cell);
        }
    }
}
