//! Questions to a quantile sketch: ranks, quantiles and their bounds.

use super::{Kll, value_of};

/// One minus the confidence of the bounds.
const DOUBT: f64 = 0.01;

/// How far a rank may be off, as a share of the count, with a confidence of 99 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankError {
    /// For any one value that was chosen without looking at the sketch.
    pub one: f64,
    /// For all values at once.
    pub all: f64,
}

/// How many values are at most an edge, as a share of the count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CdfPoint {
    /// What the sketch says.
    pub estimate: f64,
    /// No more than the true share; for all edges at once with a confidence of 99 %.
    pub lower: f64,
    /// No less than the true share; for all edges at once with a confidence of 99 %.
    pub upper: f64,
}

/// The values of a sketch in order, for more than one question. Made by [`Kll::view`]; there is none of no values.
#[derive(Debug, Clone, PartialEq)]
pub struct KllView {
    // INVARIANT: ascending, not empty, as many ranks as values; the last rank is the count.
    values: Vec<f64>,
    ranks: Vec<u64>,
    count: u64,
    extremes: (f64, f64),
    error: RankError,
}

impl Kll {
    /// The values in order; `None` when there are none.
    pub fn view(&self) -> Option<KllView> {
        let extremes = (self.min()?, self.max()?);
        let levels = (0_u32..).zip(&self.levels);
        let weighted =
            levels.flat_map(|(level, held)| held.keys.iter().map(move |key| (*key, 1_u64 << level)));
        let mut weighted: Vec<(i64, u64)> =
            weighted.chain(self.pending.iter().map(|key| (*key, 1))).collect();
        weighted.sort_unstable();
        let mut ranks = Vec::with_capacity(weighted.len());
        let mut rank = 0;
        for (_, weight) in &weighted {
            rank += weight;
            ranks.push(rank);
        }
        let values = weighted.into_iter().map(|(key, _)| value_of(key)).collect();
        Some(KllView { values, ranks, count: self.count, extremes, error: self.rank_error() })
    }

    /// How far ranks may be off. Nought while the sketch is exact.
    pub fn rank_error(&self) -> RankError {
        if self.squares == 0 {
            return RankError { one: 0.0, all: 0.0 };
        }
        let deviation = (2.0 * self.squares as f64).sqrt() / self.count as f64;
        // Hoeffding, both sides.
        let of_points = |points: f64| deviation * (2.0 * points / DOUBT).ln().sqrt();
        let one = of_points(1.0);
        // At m values that cut the others into equal parts, seen from both sides, the bound holds for all of them
        // together; between two of them no rank is further off than at one of these, and by the size of a part.
        let parts = (20.0 / one).ceil();
        let all = of_points(2.0 * parts) + 1.0 / parts;
        RankError { one: one.min(1.0), all: all.min(1.0) }
    }

    /// The value of rank q · count, see [`KllView::quantile`]; `None` without values.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.view().map(|view| view.quantile(q))
    }

    /// How many values are at most `value`.
    pub fn rank(&self, value: f64) -> u64 {
        self.view().map_or(0, |view| view.rank(value))
    }

    /// Which share of the values is at most each edge; `None` without values.
    pub fn cdf(&self, edges: &[f64]) -> Option<Vec<CdfPoint>> {
        self.view().map(|view| view.cdf(edges))
    }
}

impl KllView {
    /// The values that are held, ascending, and how many values each stands for.
    pub fn weighted(&self) -> impl Iterator<Item = (f64, u64)> {
        let before = std::iter::once(0).chain(self.ranks.iter().copied());
        self.values.iter().zip(&self.ranks).zip(before).map(|((value, rank), before)| (*value, rank - before))
    }

    /// The least and the greatest value, exactly.
    pub const fn extremes(&self) -> (f64, f64) {
        self.extremes
    }

    /// How many values there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// How far ranks may be off.
    pub const fn rank_error(&self) -> RankError {
        self.error
    }

    /// The least value such that at least the share `q` of all values is at most it: what NumPy calls `inverted_cdf`.
    /// The least value for 0 and below, the greatest for 1 and above.
    pub fn quantile(&self, q: f64) -> f64 {
        let target = (q * self.count as f64).ceil();
        if target <= 1.0 {
            return self.extremes.0;
        }
        let at = self.ranks.partition_point(|rank| (*rank as f64) < target);
        match self.values.get(at) {
            Some(value) if target < self.count as f64 => *value,
            _ => self.extremes.1,
        }
    }

    /// Between which values the true quantile lies, with a confidence of 99 % for all quantiles at once.
    pub fn quantile_bounds(&self, q: f64) -> (f64, f64) {
        (self.quantile(q - self.error.all), self.quantile(q + self.error.all))
    }

    /// How many values are at most `value`; NaN is above all.
    pub fn rank(&self, value: f64) -> u64 {
        if value < self.extremes.0 {
            return 0;
        }
        if value < self.extremes.1 {
            let at = self.values.partition_point(|kept| *kept <= value);
            let rank = at.checked_sub(1).and_then(|at| self.ranks.get(at)).copied().unwrap_or(0);
            // The least value is at most it, and the greatest is not.
            return rank.clamp(1, self.count - 1);
        }
        self.count
    }

    /// Which share of the values is at most each edge.
    pub fn cdf(&self, edges: &[f64]) -> Vec<CdfPoint> {
        edges.iter().map(|edge| self.cdf_point(*edge)).collect()
    }

    fn cdf_point(&self, edge: f64) -> CdfPoint {
        let estimate = self.rank(edge) as f64 / self.count as f64;
        if edge < self.extremes.0 || self.extremes.1 <= edge {
            return CdfPoint { estimate, lower: estimate, upper: estimate };
        }
        let one = 1.0 / self.count as f64;
        let lower = (estimate - self.error.all).max(one).min(estimate);
        let upper = (estimate + self.error.all).min(1.0 - one).max(estimate);
        CdfPoint { estimate, lower, upper }
    }
}
