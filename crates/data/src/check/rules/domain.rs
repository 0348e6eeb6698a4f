//! Whether a value is one of those that are known.

use super::{Counted, Known, Rule};
use crate::cell::Value;
use crate::profile::ColumnType;
use crate::read::batch::{Cell, Lane};
use crate::schema;

/// Values that are not among the known ones.
pub(in crate::check) struct Domain<'a> {
    known: Known<'a>,
    kind: ColumnType,
    pub(in crate::check) unseen: Counted,
}

impl<'a> Domain<'a> {
    pub(super) fn new(domain: &'a schema::Domain, kind: ColumnType) -> Self {
        let values = domain.values.iter().map(String::as_str);
        Self { known: Known::new(kind, values), kind, unseen: Counted::default() }
    }
}

impl Domain<'_> {
    /// Text that reads as a known number is none.
    fn holds(&self, cell: &Cell<'_>) -> bool {
        let text = matches!(cell.value, Value::Text) && self.kind.is_number();
        !text && self.known.place(cell).is_some()
    }
}

impl Rule for Domain<'_> {
    fn clean(&self, lane: &Lane<'_>) -> bool {
        match lane {
            Lane::Nulls(_) => true,
            // Few entries stand for many values.
            Lane::Dictionary { values, .. } => (0..values.len()).all(|at| {
                let cell = values.cell(at);
                cell.value == Value::Null || self.holds(&cell)
            }),
            _ => false,
        }
    }

    fn cell(&mut self, row: u64, cell: &Cell<'_>) {
        if !self.holds(cell) {
            self.unseen.add(row, cell);
        }
    }
}
