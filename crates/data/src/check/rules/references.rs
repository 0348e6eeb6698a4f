//! Whether values exist in a column of another table.

use super::{Counted, Rule};
use crate::cell::Value;
use crate::check::tables::{self, KnownValues};
use crate::profile::ColumnType;
use crate::read::batch::{Cell, Lane};

/// Values that the other column does not have.
pub(in crate::check) struct References<'a> {
    known: &'a KnownValues,
    kind: ColumnType,
    pub(in crate::check) missing: Counted,
}

impl<'a> References<'a> {
    pub(super) fn new(known: &'a KnownValues, kind: ColumnType) -> Self {
        Self { known, kind, missing: Counted::default() }
    }

    fn holds(&self, cell: &Cell<'_>) -> bool {
        self.known.has(&tables::spelling(cell, self.kind), self.kind)
    }
}

impl Rule for References<'_> {
    fn clean(&self, lane: &Lane<'_>) -> bool {
        match lane {
            Lane::Nulls(_) => true,
            Lane::Dictionary { values, .. } => (0..values.len()).all(|at| {
                let cell = values.cell(at);
                cell.value == Value::Null || self.holds(&cell)
            }),
            _ => false,
        }
    }

    fn cell(&mut self, row: u64, cell: &Cell<'_>) {
        if !self.holds(cell) {
            self.missing.add(row, cell);
        }
    }
}
