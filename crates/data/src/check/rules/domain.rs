//! Whether a value is one of those that are known.

use super::{Counted, Known, Rule};
use crate::profile::ColumnType;
use crate::read::batch::{Cell, Lane};
use crate::schema;

/// Values that are not among the known ones.
pub(in crate::check) struct Domain<'a> {
    known: Known<'a>,
    pub(in crate::check) unseen: Counted,
}

impl<'a> Domain<'a> {
    pub(super) fn new(domain: &'a schema::Domain, kind: ColumnType) -> Self {
        let values = domain.values.iter().map(String::as_str);
        Self { known: Known::new(kind, values), unseen: Counted::default() }
    }
}

impl Rule for Domain<'_> {
    fn clean(&self, lane: &Lane<'_>) -> bool {
        match lane {
            Lane::Nulls(_) => true,
            // Few entries stand for many values.
            Lane::Dictionary { values, .. } => (0..values.len()).all(|at| {
                let cell = values.cell(at);
                cell.value == crate::cell::Value::Null || self.known.place(&cell).is_some()
            }),
            _ => false,
        }
    }

    fn cell(&mut self, row: u64, cell: &Cell<'_>) {
        if self.known.place(cell).is_none() {
            self.unseen.add(row, cell);
        }
    }
}
