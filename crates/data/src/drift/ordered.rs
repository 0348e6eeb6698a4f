//! Kolmogorov-Smirnov and Wasserstein-1 on the values themselves.

#![expect(
    clippy::indexing_slicing,
    reason = "a merge of two sorted slices, with its places kept within them"
)]
#![expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]

use super::statistic::Undefined;

/// Numbers of one side: sorted, without those that are missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Numbers {
    sorted: Vec<f64>,
    missing: u64,
}

impl Numbers {
    /// Sorts the values and counts NaN as missing. Infinities are values; -0 is 0.
    pub fn new(values: &[f64]) -> Self {
        let mut sorted: Vec<f64> =
            values.iter().filter(|value| !value.is_nan()).map(|value| value + 0.0).collect();
        let missing = (values.len() - sorted.len()) as u64;
        sorted.sort_unstable_by(f64::total_cmp);
        Self { sorted, missing }
    }

    /// The values, ascending, none of them NaN.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// How many were missing.
    pub const fn missing(&self) -> u64 {
        self.missing
    }
}

/// Two-sample Kolmogorov-Smirnov statistic. Ties are taken together, so that it is exact for any values.
///
/// # Errors
/// When a side holds no value.
pub fn kolmogorov_smirnov(reference: &Numbers, current: &Numbers) -> Result<f64, Undefined> {
    let mut largest = 0.0_f64;
    steps(reference, current, |_, difference| largest = largest.max(difference.abs()))?;
    Ok(largest)
}

/// Wasserstein-1 distance: the area between the two distribution functions.
///
/// # Errors
/// When a side holds no value, or a value is infinite.
pub fn wasserstein(reference: &Numbers, current: &Numbers) -> Result<f64, Undefined> {
    let infinite = |numbers: &Numbers| {
        let ends = [numbers.sorted.first(), numbers.sorted.last()];
        ends.into_iter().flatten().any(|value| value.is_infinite())
    };
    let (mut area, mut before) = (0.0, None);
    steps(reference, current, |value, difference| {
        if let Some((place, height)) = before {
            area += f64::abs(height) * (value - place);
        }
        before = Some((value, difference));
    })?;
    // Also when finite values are so far apart that their distance is not.
    if infinite(reference) || infinite(current) || !area.is_finite() {
        return Err(Undefined::Infinite);
    }
    Ok(area)
}

/// Calls `at` for each distinct value of both sides, ascending, with the difference of the two distribution
/// functions there.
fn steps(reference: &Numbers, current: &Numbers, mut at: impl FnMut(f64, f64)) -> Result<(), Undefined> {
    let (a, b) = (reference.sorted(), current.sorted());
    if a.is_empty() {
        return Err(Undefined::NoReference);
    }
    if b.is_empty() {
        return Err(Undefined::NoCurrent);
    }
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let value = match (a.get(i), b.get(j)) {
            (Some(one), Some(two)) => one.min(*two),
            (Some(one), None) | (None, Some(one)) => *one,
            (None, None) => break,
        };
        while i < a.len() && a[i] == value {
            i += 1;
        }
        while j < b.len() && b[j] == value {
            j += 1;
        }
        at(value, i as f64 / n - j as f64 / m);
    }
    Ok(())
}
