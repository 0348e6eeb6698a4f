//! Whether there is personal data, or a secret.

use super::{Counted, Rule};
use crate::cell::Value;
use crate::pii::{ColumnDetector, ColumnScan, PiiReport};
use crate::read::batch::{Cell, Lane};

/// Cells with findings, and what the column as a whole therefore holds.
pub(in crate::check) struct Pii<'a> {
    scan: ColumnScan<'a>,
    pub(in crate::check) found: Counted,
}

impl<'a> Pii<'a> {
    pub(super) fn new(detector: &'a ColumnDetector, name: &str) -> Self {
        Self { scan: detector.column(name), found: Counted::default() }
    }

    pub(super) fn merge(&mut self, after: Self) {
        self.scan.add(after.scan.counts());
        self.found.merge(after.found);
    }

    /// What was found in the column.
    pub(in crate::check) fn report(&self) -> PiiReport {
        let verdict = self.scan.verdict();
        let findings = verdict.kinds.iter().map(|kind| (kind.id.clone(), kind.cells)).collect();
        PiiReport { findings, columns: vec![verdict], ..PiiReport::default() }
    }
}

impl Rule for Pii<'_> {
    /// Shares of cells say what a column holds, so all of them are counted.
    fn clean(&self, lane: &Lane<'_>) -> bool {
        match lane {
            Lane::Nulls(_) | Lane::Booleans(..) | Lane::Lists(..) => true,
            Lane::Days(..) => !self.scan.looks_at_dates(),
            _ => false,
        }
    }

    fn cell(&mut self, row: u64, cell: &Cell<'_>) {
        if cell.value != Value::Null && !self.scan.observe(&cell.text()).is_empty() {
            self.found.add(row, cell);
        }
    }
}
