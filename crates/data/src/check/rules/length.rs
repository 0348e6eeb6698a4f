//! Whether text is too short or too long.

use super::{Counted, Rule};
use crate::cell;
use crate::read::batch::{Cell, Lane};

/// Texts of fewer or more characters than there may be.
#[derive(Debug)]
pub(in crate::check) struct Length {
    shortest: u64,
    longest: u64,
    pub(in crate::check) outside: Counted,
}

impl Length {
    pub(super) fn new(shortest: Option<u64>, longest: Option<u64>) -> Self {
        Self {
            shortest: shortest.unwrap_or(0),
            longest: longest.unwrap_or(u64::MAX),
            outside: Counted::default(),
        }
    }

    /// Characters are never more than bytes, and never fewer than a fourth of them.
    fn surely(&self, bytes: u64) -> bool {
        bytes <= self.longest && bytes.div_ceil(4) >= self.shortest
    }
}

impl Rule for Length {
    fn clean(&self, lane: &Lane<'_>) -> bool {
        match lane {
            Lane::Nulls(_) => true,
            Lane::Texts(blobs) | Lane::Bytes(blobs) => {
                (0..blobs.len()).all(|at| self.surely(blobs.get(at).len() as u64))
            }
            Lane::Cells(cells) => {
                cells.spans.iter().all(|(start, end)| self.surely(u64::from(end.saturating_sub(*start))))
            }
            Lane::Dictionary { values, .. } => self.clean(values),
            _ => false,
        }
    }

    fn cell(&mut self, row: u64, cell: &Cell<'_>) {
        let length = cell::length(&cell.text()) as u64;
        if length < self.shortest || length > self.longest {
            self.outside.add(row, cell);
        }
    }
}
