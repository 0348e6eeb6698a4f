//! Whether text looks as it is expected to.

use super::{Counted, Rule};
use crate::cell::Value;
use crate::read::batch::{Cell, Lane};
use crate::schema::PatternRules;

/// Values that match none of the patterns of which one must match, or one of those that must not.
pub(in crate::check) struct Pattern<'a> {
    rules: &'a PatternRules,
    pub(in crate::check) unmatched: Counted,
}

impl<'a> Pattern<'a> {
    pub(super) fn new(rules: &'a PatternRules) -> Self {
        Self { rules, unmatched: Counted::default() }
    }

    fn holds(&self, text: &[u8]) -> bool {
        let PatternRules { matches, excludes, .. } = self.rules;
        (matches.is_empty() || matches.iter().any(|one| one.is_in(text)))
            && !excludes.iter().any(|one| one.is_in(text))
    }
}

impl Rule for Pattern<'_> {
    fn clean(&self, lane: &Lane<'_>) -> bool {
        match lane {
            Lane::Nulls(_) => true,
            // Few entries stand for many values.
            Lane::Dictionary { values, .. } => (0..values.len()).all(|at| {
                let cell = values.cell(at);
                cell.value == Value::Null || self.holds(&cell.text())
            }),
            Lane::Texts(blobs) if blobs.nulls().is_none_or(|nulls| nulls.null_count() == 0) => {
                (0..blobs.len()).all(|at| self.holds(blobs.get(at)))
            }
            _ => false,
        }
    }

    fn cell(&mut self, row: u64, cell: &Cell<'_>) {
        if !self.holds(&cell.text()) {
            self.unmatched.add(row, cell);
        }
    }
}
