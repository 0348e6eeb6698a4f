//! What a profile knows of the numbers of a column.

use super::extremes::Extremes;
use crate::sketch::{EdgeHistogram, Kll, Moments, hash};

/// Whole numbers, all numbers, and what their distribution looks like.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    /// The least and the greatest whole number.
    pub(super) integers: Option<(i64, i64)>,
    pub(super) extremes: Extremes,
    pub(super) moments: Moments,
    /// Made with the first number.
    pub(super) quantiles: Option<Box<Kll>>,
    /// When the edges are known beforehand.
    pub(super) histogram: Option<Box<EdgeHistogram>>,
}

impl Numbers {
    pub(super) fn new(histogram: Option<Box<EdgeHistogram>>) -> Self {
        Self {
            integers: None,
            extremes: Extremes::new(),
            moments: Moments::new(),
            quantiles: None,
            histogram,
        }
    }

    /// Takes whole numbers; `scratch` is room for them as doubles.
    pub(super) fn integers(&mut self, values: &[i64], scratch: &mut Vec<f64>) {
        let (Some(least), Some(greatest)) = (values.iter().min(), values.iter().max()) else { return };
        let (low, high) = self.integers.unwrap_or((*least, *greatest));
        self.integers = Some((low.min(*least), high.max(*greatest)));
        self.moments.update_integers(values);
        scratch.clear();
        scratch.extend(values.iter().map(|value| *value as f64));
        self.distribution(scratch, (*least as f64, *greatest as f64));
    }

    /// Takes finite numbers that are not whole, or did not come as such.
    pub(super) fn floats(&mut self, values: &[f64]) {
        if values.is_empty() {
            return;
        }
        self.moments.update(values);
        let range = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
        self.distribution(values, range);
    }

    fn distribution(&mut self, values: &[f64], range: (f64, f64)) {
        self.extremes.observe_all(values, range);
        let quantiles = self.quantiles.get_or_insert_with(|| Box::new(new_quantiles(values)));
        quantiles.update(values);
        if let Some(histogram) = &mut self.histogram {
            histogram.update(values);
        }
    }

    /// Forgets all but the extremes.
    pub(super) fn forget(&mut self) {
        (self.moments, self.quantiles, self.histogram) = (Moments::new(), None, None);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.integers = super::column::widest(self.integers, other.integers);
        self.extremes.merge(&other.extremes);
        // Counts are held to a limit by the profile, and the parameters are always the same.
        self.moments.merge(&other.moments).ok();
        match (&mut self.quantiles, &other.quantiles) {
            (Some(mine), Some(theirs)) => {
                mine.merge(theirs).ok();
            }
            (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
            (_, None) => {}
        }
        let histogram = match (self.histogram.take(), &other.histogram) {
            // Between other edges the counts say nothing.
            (Some(mut mine), Some(theirs)) => mine.merge(theirs).is_ok().then_some(mine),
            _ => None,
        };
        self.histogram = histogram;
    }
}

/// What is profiled twice has the same profile, so the seed is made of the first values. Parts of a table have others, so
/// that their errors do not add up.
fn new_quantiles(values: &[f64]) -> Kll {
    let edge = |value: Option<&f64>| value.map_or(0, |value| hash::of_f64(*value));
    let seed = edge(values.first()) ^ edge(values.last()).rotate_left(32) ^ values.len() as u64;
    match Kll::new(Kll::DEFAULT_K, seed) {
        Ok(sketch) => sketch,
        // INVARIANT: the default parameter is within the bounds.
        #[expect(clippy::unreachable, reason = "the parameter is a constant of the sketch itself")]
        Err(_) => unreachable!("the default parameter of a sketch is valid"),
    }
}
