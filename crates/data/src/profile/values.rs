//! Exact distinct values with counts, up to a bound; beyond it nothing at all.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::limits::{COUNTED_COLUMN_COST, COUNTED_PROFILE_COST, COUNTED_VALUES};

/// The distinct values of one column.
///
/// Whether the bound is passed depends on the *set* of values alone, not on their order, so that merging is
/// associative and commutative.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Values {
    /// `None` once the bound was passed. The hash is seeded per process: a file cannot be made to collide.
    counts: Option<HashMap<Box<[u8]>, u64, RandomState>>,
    cost: usize,
    cost_bound: usize,
}

impl Values {
    /// No values yet, in a table of so many columns.
    pub(crate) fn new(columns: usize) -> Self {
        let cost_bound = COUNTED_COLUMN_COST.min(COUNTED_PROFILE_COST / columns.max(1));
        Self { counts: Some(HashMap::default()), cost: 0, cost_bound }
    }

    /// A column whose bound was passed.
    pub(crate) fn overflowed(columns: usize) -> Self {
        Self { counts: None, ..Self::new(columns) }
    }

    #[inline]
    pub(crate) fn observe(&mut self, value: &[u8]) {
        let Some(counts) = &mut self.counts else { return };
        match counts.get_mut(value) {
            Some(count) => *count += 1,
            None => self.add(value, 1),
        }
    }

    /// Adds `count` sightings of `value`.
    pub(crate) fn add(&mut self, value: &[u8], count: u64) {
        let Some(counts) = &mut self.counts else { return };
        if let Some(known) = counts.get_mut(value) {
            *known += count;
            return;
        }
        self.cost += cost_of(value);
        if counts.len() == COUNTED_VALUES || self.cost > self.cost_bound {
            (self.counts, self.cost) = (None, 0);
            return;
        }
        counts.insert(value.into(), count);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        match &other.counts {
            Some(counts) => counts.iter().for_each(|(value, count)| self.add(value, *count)),
            None => (self.counts, self.cost) = (None, 0),
        }
    }

    /// How many distinct values there are, or `None` beyond the bound.
    pub(crate) fn len(&self) -> Option<usize> {
        self.counts.as_ref().map(HashMap::len)
    }

    /// Values and counts by ascending bytes, or `None` beyond the bound.
    pub(crate) fn sorted(&self) -> Option<Vec<(&[u8], u64)>> {
        let counts = self.counts.as_ref()?;
        let mut sorted: Vec<(&[u8], u64)> = counts.iter().map(|(value, count)| (&**value, *count)).collect();
        sorted.sort_unstable();
        Some(sorted)
    }
}

/// What counting a value costs: roughly its bytes in the stored form, where a control character takes six.
fn cost_of(value: &[u8]) -> usize {
    let text: usize = value
        .iter()
        .map(|byte| match byte {
            0..0x20 => 6,
            b'"' | b'\\' => 2,
            _ => 1,
        })
        .sum();
    text + 16
}
