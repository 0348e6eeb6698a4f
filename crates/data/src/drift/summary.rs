//! What is left of a column when its values are gone: counts between frozen edges, or a quantile sketch.

use super::ordered::Numbers;
use crate::limits::DRIFT_BINS;

/// Frozen edges: bin 0 lies below the first, bin `i` from edge `i - 1` on, the last from the last edge on.
#[derive(Debug, Clone, PartialEq, Default)]
// INVARIANT: finite, ascending, distinct, fewer than DRIFT_BINS.
pub struct Edges(Vec<f64>);

/// A list is not one of edges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EdgesInvalid {
    /// An edge is not finite, or not above the one before.
    #[error("edge {place} of the histogram is not a number above the one before")]
    Order {
        /// Which one, from 1.
        place: usize,
    },
    /// Too many.
    #[error("more than {} edges", DRIFT_BINS - 1)]
    TooMany,
}

impl Edges {
    /// Takes a list of edges.
    ///
    /// # Errors
    /// When they are too many, or are not finite and ascending.
    pub fn new(edges: Vec<f64>) -> Result<Self, EdgesInvalid> {
        if edges.len() >= DRIFT_BINS {
            return Err(EdgesInvalid::TooMany);
        }
        let mut before = f64::NEG_INFINITY;
        for (place, edge) in (1..).zip(&edges) {
            if !edge.is_finite() || *edge <= before {
                return Err(EdgesInvalid::Order { place });
            }
            before = *edge;
        }
        Ok(Self(edges))
    }

    /// Edges that cut the values into bins of about equal counts, each edge one of the values. Values with many ties
    /// give fewer bins.
    pub fn quantiles(values: &Numbers, bins: u16) -> Self {
        let sorted = values.sorted();
        let at = |bin: u16| sorted.get(sorted.len() * usize::from(bin) / usize::from(bins.max(1))).copied();
        let mut edges: Vec<f64> = (1..bins).filter_map(at).collect();
        edges.retain(|edge| edge.is_finite());
        edges.dedup();
        Self(edges)
    }

    /// The edges, ascending.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// How many bins there are.
    pub fn bins(&self) -> usize {
        self.0.len() + 1
    }

    /// The bin of a value; NaN has none, and gets the first.
    pub fn bin(&self, value: f64) -> usize {
        self.0.partition_point(|edge| *edge <= value)
    }

    /// Counts values with counts into the bins.
    pub fn count(&self, values: impl IntoIterator<Item = (f64, u64)>) -> Vec<u64> {
        let mut counts = vec![0_u64; self.bins()];
        for (value, count) in values {
            if let Some(sum) = counts.get_mut(self.bin(value)) {
                *sum = sum.saturating_add(count);
            }
        }
        counts
    }
}

/// How many values lie between frozen edges.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The edges.
    pub edges: Edges,
    /// One count for each bin.
    pub counts: Vec<u64>,
    /// The least and the greatest value, where they are known.
    pub range: Option<(f64, f64)>,
    /// Rows without a value.
    pub missing: u64,
}

/// What a quantile sketch retains, such as KLL: values with weights, and how far ranks can be wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantileSketch {
    /// Retained values and the number of values each stands for, ascending, none of them NaN.
    pub items: Vec<(f64, u64)>,
    /// The largest error of the rank of any value, as a share of all values; 0 for a sketch that is exact.
    pub rank_error: f64,
    /// The least and the greatest value, exactly.
    pub range: Option<(f64, f64)>,
    /// Rows without a value.
    pub missing: u64,
}

impl QuantileSketch {
    /// How many values it stands for.
    pub fn values(&self) -> u64 {
        self.items.iter().fold(0, |sum, (_, weight)| sum.saturating_add(*weight))
    }

    /// Whether the items are ascending numbers and the error is a share.
    pub(super) fn is_sound(&self) -> bool {
        (0.0..=1.0).contains(&self.rank_error)
            && self.items.iter().all(|(value, _)| !value.is_nan())
            && self.items.is_sorted_by(|one, two| one.0 <= two.0)
            && self.range.is_none_or(|(least, greatest)| least <= greatest)
    }
}

/// What is known of a column with many categories: how often the frequent ones came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frequent {
    /// How often each code of the shared dictionary came at least.
    pub counts: Vec<u64>,
    /// By how much each of these may be too low; a category that has none came so often at most.
    pub error: u64,
    /// Rows with a value.
    pub values: u64,
    /// Rows without a value.
    pub missing: u64,
}

/// A statistic that is known within bounds. In exact mode all three are one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounded {
    /// It is at least this.
    pub low: f64,
    /// The best guess.
    pub value: f64,
    /// It is at most this.
    pub high: f64,
}

impl Bounded {
    /// A value that is known.
    pub const fn exact(value: f64) -> Self {
        Self { low: value, value, high: value }
    }

    pub(super) fn map(self, scale: impl Fn(f64) -> f64) -> Self {
        Self { low: scale(self.low), value: scale(self.value), high: scale(self.high) }
    }
}
