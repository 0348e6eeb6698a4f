//! Many columns at once: p-values adjusted so that few of those called drift are false.

#![expect(clippy::cast_precision_loss, reason = "numbers of columns")]

/// What is known of how tests depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependence {
    /// Independent, or positively dependent in the sense of Benjamini and Yekutieli: the step-up procedure of
    /// Benjamini and Hochberg (1995).
    Positive,
    /// Anything, as columns of one table are: the same with the sum of 1 + 1/2 + ... + 1/m as a price (Benjamini and
    /// Yekutieli, 2001).
    Any,
}

impl Dependence {
    /// The stable word for it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Any => "any",
        }
    }

    /// By how much the p-values of so many tests are raised beyond Benjamini and Hochberg.
    pub fn price(self, tests: usize) -> f64 {
        match self {
            Self::Positive => 1.0,
            Self::Any => (1..=tests).map(|rank| 1.0 / rank as f64).sum(),
        }
    }
}

/// The adjusted p-values in the order given: calling everything drift whose adjusted p is at most q keeps the
/// expected share of false ones at q. When nothing drifts at all, the chance of calling anything drift is at most q.
pub fn adjust(p_values: &[f64], dependence: Dependence) -> Vec<f64> {
    let tests = p_values.len();
    let price = dependence.price(tests) * tests as f64;
    let mut order: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    order.sort_by(|one, two| two.1.total_cmp(&one.1));
    let (mut adjusted, mut least) = (vec![1.0; tests], 1.0_f64);
    for (from_top, (place, p)) in order.into_iter().enumerate() {
        least = least.min(p * price / (tests - from_top) as f64);
        if let Some(slot) = adjusted.get_mut(place) {
            *slot = least;
        }
    }
    adjusted
}
