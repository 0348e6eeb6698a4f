//! How often each label of the schema comes.

use super::{Counted, Known};
use crate::cell::Value;
use crate::profile::ColumnType;
use crate::read::batch::{Column, Lane};
use crate::schema::LabelRules;

/// How often each label of the schema came. The profile cannot say it: it stops counting exactly when there are too many
/// distinct values.
pub(in crate::check) struct Labels<'a> {
    pub(in crate::check) rules: &'a LabelRules,
    /// In the order of the schema.
    pub(in crate::check) counts: Vec<u64>,
    pub(in crate::check) unseen: Counted,
    known: Known<'a>,
}

impl<'a> Labels<'a> {
    pub(super) fn new(rules: &'a LabelRules, kind: ColumnType) -> Self {
        let known = Known::new(kind, rules.shares.iter().map(|(value, _)| value.as_str()));
        Self { rules, counts: vec![0; rules.shares.len()], unseen: Counted::default(), known }
    }

    /// Looks at every value, of whatever type.
    pub(super) fn observe(&mut self, column: &Column<'_>) {
        // A dictionary is looked up once for each entry, and not once for each row.
        let places: Option<Vec<Option<usize>>> = match &column.lane {
            Lane::Dictionary { values, .. } => {
                Some((0..values.len()).map(|at| self.known.place(&values.cell(at))).collect())
            }
            _ => None,
        };
        for at in 0..column.len() {
            let cell = column.cell(at);
            if cell.value == Value::Null {
                continue;
            }
            let place = match (&places, &column.lane) {
                (Some(places), Lane::Dictionary { keys, .. }) => {
                    let key = keys.get(at).and_then(|key| usize::try_from(*key).ok());
                    key.and_then(|key| places.get(key).copied().flatten())
                }
                _ => self.known.place(&cell),
            };
            match place.and_then(|place| self.counts.get_mut(place)) {
                Some(count) => *count += 1,
                None => self.unseen.add(column.row(at), &cell),
            }
        }
    }

    pub(super) fn merge(&mut self, after: Self) {
        self.counts.iter_mut().zip(after.counts).for_each(|(count, more)| *count += more);
        self.unseen.merge(after.unseen);
    }
}
