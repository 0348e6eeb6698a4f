//! The cells on which null distributions are drawn: few enough to be quick, and the same for both sides.

#![expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]

use super::divergence::Shares;
use super::statistic::{Statistic, Undefined};
use crate::limits::DRIFT_CELLS;

/// Counts of both sides over common cells.
// INVARIANT: `reference` and `current` have one length; `gaps` is empty or has that length.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cells {
    pub(super) reference: Vec<u64>,
    pub(super) current: Vec<u64>,
    /// From the place of each cell to that of the next, 0 for the last; empty when cells have no order.
    pub(super) gaps: Vec<f64>,
    /// The greatest value of each cell, for values; empty when cells are categories or bins.
    pub(super) tops: Vec<f64>,
    /// Whether statistics of shares are measured on the tenths of the reference, which are runs of cells.
    pub(super) tenths: bool,
}

/// How values fall into cells.
impl Cells {
    /// Unordered categories or bins.
    pub(super) fn of_counts(reference: &[u64], current: &[u64]) -> Result<Self, Undefined> {
        if reference.len() != current.len() {
            return Err(Undefined::Bins);
        }
        let (reference, current) = (reference.to_vec(), current.to_vec());
        Self { reference, current, ..Self::default() }.checked()
    }

    /// Values with counts, each list ascending and without NaN.
    ///
    /// Up to [`DRIFT_CELLS`] distinct values have a cell each. More are gathered by their rank among all values of
    /// both sides, the outermost still one by one and the cells ever wider towards the middle. Which values share a
    /// cell depends on both sides together alone, so a permutation of rows permutes the counts of the cells, and a
    /// statistic on cells has an exact permutation test.
    pub(super) fn of_values(
        reference: impl Iterator<Item = (f64, u64)> + Clone,
        current: impl Iterator<Item = (f64, u64)> + Clone,
    ) -> Result<Self, Undefined> {
        let (mut distinct, mut rows) = (0_usize, 0_u64);
        merge(reference.clone(), current.clone(), |_, here, there| {
            distinct += 1;
            rows += here + there;
        });
        let widest = if distinct <= DRIFT_CELLS { 0 } else { rows / DRIFT_CELLS as u64 };
        let (mut cells, mut places) = (Self::default(), Vec::new());
        let (mut before, mut open, mut sum) = (0_u64, (0_u64, 0_u64), 0.0_f64);
        merge(reference, current, |value, here, there| {
            let both = open.0 + open.1;
            let outer = (before - both).min(rows - before);
            if both > 0 && both + here + there > (outer / 32).min(widest).max(1) {
                cells.reference.push(open.0);
                cells.current.push(open.1);
                places.push(sum / both as f64);
                (open, sum) = ((0, 0), 0.0);
            } else if both > 0 {
                cells.tops.pop();
            }
            open = (open.0 + here, open.1 + there);
            sum += value * (here + there) as f64;
            before += here + there;
            cells.tops.push(value);
        });
        let both = open.0 + open.1;
        if both > 0 {
            cells.reference.push(open.0);
            cells.current.push(open.1);
            places.push(sum / both as f64);
        }
        cells.gaps = places.iter().zip(places.iter().skip(1)).map(|(place, next)| next - place).collect();
        cells.gaps.push(0.0);
        cells.checked()
    }

    fn checked(self) -> Result<Self, Undefined> {
        if self.reference.iter().all(|count| *count == 0) {
            return Err(Undefined::NoReference);
        }
        if self.current.iter().all(|count| *count == 0) {
            return Err(Undefined::NoCurrent);
        }
        Ok(self)
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.reference.len()
    }

    /// The cell of a value that was among those the cells were made from.
    pub(super) fn place(&self, value: f64) -> usize {
        self.tops.partition_point(|top| *top < value)
    }

    /// The statistic on the cells' counts.
    pub(super) fn value(&self, statistic: Statistic) -> Result<f64, Undefined> {
        let floats = |counts: &[u64]| counts.iter().map(|count| *count as f64).collect::<Vec<_>>();
        let (reference, current) = (floats(&self.reference), floats(&self.current));
        if self.tenths {
            return of_tenths(statistic, &reference, &current);
        }
        of_weights(statistic, &reference, &current, &self.gaps)
    }
}

/// Bins that numbers are put into, where no value is [frequent](is_frequent).
pub(super) const BINS: usize = 10;

/// Whether a value is in more than a tenth of the rows, and in more than one: it then has a bin to itself, because moves
/// between it and whatever shares a bin with it would not be seen.
pub(super) fn is_frequent(rows: f64, all: f64) -> bool {
    rows > (all / BINS as f64).max(1.0)
}

/// A statistic of shares of the bins that the tenths of the reference make of ordered cells. A bin begins at the first cell
/// with which more than so many tenths are reached, and after each frequent cell; where a cell takes several tenths they
/// are one bin.
pub(super) fn of_tenths(statistic: Statistic, reference: &[f64], current: &[f64]) -> Result<f64, Undefined> {
    // Nine bins begin at a tenth, and at most nine after a cell that has more than one.
    let (mut ours, mut theirs) = ([0.0; 2 * BINS], [0.0; 2 * BINS]);
    let all: f64 = reference.iter().sum();
    let (mut below, mut tenth, mut bin, mut alone) = (0.0, 1.0, 0, false);
    for (own, other) in reference.iter().zip(current) {
        let before = tenth;
        while tenth < BINS as f64 && below + own > all * tenth / BINS as f64 {
            tenth += 1.0;
        }
        bin += usize::from(tenth > before || alone);
        alone = is_frequent(*own, all);
        if let Some((ours, theirs)) = ours.get_mut(bin).zip(theirs.get_mut(bin)) {
            *ours += own;
            *theirs += other;
        }
        below += own;
    }
    of_weights(statistic, &ours, &theirs, &[])
}

/// A statistic of two lists of weights over cells.
pub(super) fn of_weights(
    statistic: Statistic,
    reference: &[f64],
    current: &[f64],
    gaps: &[f64],
) -> Result<f64, Undefined> {
    let shares = Shares::new(reference, current);
    let (n, m) = shares.sizes();
    if n <= 0.0 {
        return Err(Undefined::NoReference);
    }
    if m <= 0.0 {
        return Err(Undefined::NoCurrent);
    }
    match statistic {
        Statistic::Psi => Ok(shares.psi()),
        Statistic::JensenShannon => Ok(shares.jensen_shannon_divergence().sqrt()),
        Statistic::LInfinity => Ok(shares.l_infinity()),
        Statistic::Hellinger => Ok(shares.hellinger()),
        Statistic::ChiSquared => Ok(shares.chi_squared()),
        Statistic::KolmogorovSmirnov | Statistic::Wasserstein if gaps.is_empty() => Err(Undefined::Unordered),
        Statistic::KolmogorovSmirnov => Ok(shares.kolmogorov_smirnov()),
        Statistic::Wasserstein => {
            let area = shares.wasserstein(gaps);
            if area.is_finite() { Ok(area) } else { Err(Undefined::Infinite) }
        }
    }
}

/// Calls `at` with each distinct value, ascending, and its counts on both sides.
fn merge(
    reference: impl Iterator<Item = (f64, u64)>,
    current: impl Iterator<Item = (f64, u64)>,
    mut at: impl FnMut(f64, u64, u64),
) {
    let (mut reference, mut current) = (reference.peekable(), current.peekable());
    loop {
        let value = match (reference.peek(), current.peek()) {
            (Some(one), Some(two)) => one.0.min(two.0),
            (Some(one), None) | (None, Some(one)) => one.0,
            (None, None) => return,
        };
        let (mut here, mut there) = (0, 0);
        while let Some((_, count)) = reference.next_if(|next| next.0 <= value) {
            here += count;
        }
        while let Some((_, count)) = current.next_if(|next| next.0 <= value) {
            there += count;
        }
        if here + there > 0 {
            at(value, here, there);
        }
    }
}
