//! Whether there is personal data, or a secret.

use std::collections::BTreeMap;

use super::{Counted, Rule};
use crate::cell::Value;
use crate::limits::EXAMPLES;
use crate::pii::{ColumnDetector, ColumnScan, KindSet, PiiReport};
use crate::read::batch::{Cell, Lane};

/// Cells with findings, and what the column as a whole therefore holds.
pub(in crate::check) struct Pii<'a> {
    scan: ColumnScan<'a>,
    pub(in crate::check) found: Counted,
    /// Numbers that pass as these kinds, for which the whole column decides.
    by_chance: BTreeMap<KindSet, Counted>,
}

impl<'a> Pii<'a> {
    pub(super) fn new(detector: &'a ColumnDetector, name: &str) -> Self {
        Self { scan: detector.column(name), found: Counted::default(), by_chance: BTreeMap::new() }
    }

    pub(super) fn merge(&mut self, after: Self) {
        self.scan.add(after.scan.counts());
        self.found.merge(after.found);
        for (passes, counted) in after.by_chance {
            let listed = self.found.listed;
            self.by_chance.entry(passes).or_insert_with(|| Counted::listing(listed)).merge(counted);
        }
    }

    /// Cells with findings that count, now that the column is known.
    pub(in crate::check) fn counted(&self) -> Counted {
        let mut counted = self.found.clone();
        for (passes, further) in &self.by_chance {
            if self.scan.kind_of(*passes).is_some() {
                counted.count += further.count;
                counted.examples.extend(further.examples.iter().cloned());
                counted.rows.extend(&further.rows);
            }
        }
        counted.examples.sort_by_key(|example| example.row);
        counted.examples.truncate(EXAMPLES);
        counted.rows.sort_unstable();
        counted.rows.dedup();
        counted.rows.truncate(counted.listed);
        counted
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
        if cell.value == Value::Null || self.scan.observe(&cell.text()).is_empty() {
            return;
        }
        match self.scan.by_chance() {
            KindSet::EMPTY => self.found.add(row, cell),
            passes => {
                let listed = self.found.listed;
                self.by_chance.entry(passes).or_insert_with(|| Counted::listing(listed)).add(row, cell);
            }
        }
    }
}
