//! Distances between two lists of counts over the same bins or categories, by their definitions.

#![expect(clippy::indexing_slicing, reason = "a kernel over slices of one length, checked on entry")]
#![expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]

use super::statistic::Undefined;

/// Population stability index in nats.
///
/// Bins that are empty on both sides are left out. If a bin is empty on one side only, half a count is added to
/// every remaining bin of both sides (the estimator of Krichevsky and Trofimov, 1981): the index stays finite, and
/// an empty bin weighs by how much was seen and not by an arbitrary epsilon.
///
/// # Errors
/// When a side is empty or the lists differ in length.
pub fn psi(reference: &[u64], current: &[u64]) -> Result<f64, Undefined> {
    let (reference, current) = checked(reference, current)?;
    Ok(Shares::new(&reference, &current).psi())
}

/// Jensen-Shannon divergence in bits, from 0 to 1 (Lin, 1991).
///
/// # Errors
/// When a side is empty or the lists differ in length.
pub fn jensen_shannon_divergence(reference: &[u64], current: &[u64]) -> Result<f64, Undefined> {
    let (reference, current) = checked(reference, current)?;
    Ok(Shares::new(&reference, &current).jensen_shannon_divergence())
}

/// Jensen-Shannon distance to base 2, the square root of the divergence, which is a metric (Endres and Schindelin,
/// 2003).
///
/// # Errors
/// When a side is empty or the lists differ in length.
pub fn jensen_shannon_distance(reference: &[u64], current: &[u64]) -> Result<f64, Undefined> {
    jensen_shannon_divergence(reference, current).map(f64::sqrt)
}

/// Hellinger distance: the Euclidean distance of the roots of the shares, divided by the root of two.
///
/// # Errors
/// When a side is empty or the lists differ in length.
pub fn hellinger(reference: &[u64], current: &[u64]) -> Result<f64, Undefined> {
    let (reference, current) = checked(reference, current)?;
    Ok(Shares::new(&reference, &current).hellinger())
}

/// The largest difference of the shares of one bin or category.
///
/// # Errors
/// When a side is empty or the lists differ in length.
pub fn l_infinity(reference: &[u64], current: &[u64]) -> Result<f64, Undefined> {
    let (reference, current) = checked(reference, current)?;
    Ok(Shares::new(&reference, &current).l_infinity())
}

/// Pearson's chi-squared of homogeneity for the 2 x k table, without continuity correction; bins that are empty on
/// both sides are left out.
///
/// # Errors
/// When a side is empty or the lists differ in length.
pub fn chi_squared(reference: &[u64], current: &[u64]) -> Result<f64, Undefined> {
    let (reference, current) = checked(reference, current)?;
    Ok(Shares::new(&reference, &current).chi_squared())
}

/// The counts as floats, when both sides have some and as many bins.
fn checked(reference: &[u64], current: &[u64]) -> Result<(Vec<f64>, Vec<f64>), Undefined> {
    if reference.len() != current.len() {
        return Err(Undefined::Bins);
    }
    if reference.iter().all(|count| *count == 0) {
        return Err(Undefined::NoReference);
    }
    if current.iter().all(|count| *count == 0) {
        return Err(Undefined::NoCurrent);
    }
    let floats = |counts: &[u64]| counts.iter().map(|count| *count as f64).collect();
    Ok((floats(reference), floats(current)))
}

/// Two lists of counts (or of weights that stand for them) over the same bins, neither empty.
// INVARIANT: both slices have one length and a positive sum.
#[derive(Clone, Copy)]
pub(super) struct Shares<'a> {
    reference: &'a [f64],
    current: &'a [f64],
    sizes: (f64, f64),
}

impl<'a> Shares<'a> {
    pub(super) fn new(reference: &'a [f64], current: &'a [f64]) -> Self {
        let length = reference.len().min(current.len());
        let (reference, current) = (&reference[..length], &current[..length]);
        Self { reference, current, sizes: (reference.iter().sum(), current.iter().sum()) }
    }

    pub(super) const fn sizes(self) -> (f64, f64) {
        self.sizes
    }

    /// The two shares of each bin that is not empty on both sides.
    fn pairs(self) -> impl Iterator<Item = (f64, f64)> {
        let (n, m) = self.sizes;
        let pairs = self.reference.iter().zip(self.current);
        pairs.filter(|(p, q)| **p + **q > 0.0).map(move |(p, q)| (p / n, q / m))
    }

    pub(super) fn psi(self) -> f64 {
        if self.pairs().all(|(p, q)| p > 0.0 && q > 0.0) {
            return self.pairs().map(|(p, q)| psi_term(p, q)).sum();
        }
        let bins = self.pairs().count() as f64;
        let (n, m) = self.sizes;
        self.pairs()
            .map(|(p, q)| psi_term((p * n + 0.5) / (n + bins / 2.0), (q * m + 0.5) / (m + bins / 2.0)))
            .sum()
    }

    pub(super) fn jensen_shannon_divergence(self) -> f64 {
        self.pairs().map(|(p, q)| jensen_shannon_term(p, q)).sum::<f64>().clamp(0.0, 1.0)
    }

    pub(super) fn hellinger(self) -> f64 {
        self.pairs().map(|(p, q)| hellinger_term(p, q)).sum::<f64>().clamp(0.0, 1.0).sqrt()
    }

    pub(super) fn l_infinity(self) -> f64 {
        self.pairs().map(|(p, q)| (p - q).abs()).fold(0.0, f64::max)
    }

    pub(super) fn chi_squared(self) -> f64 {
        let (n, m) = self.sizes;
        self.pairs().map(|(p, q)| chi_squared_term(p, q, n, m)).sum()
    }

    /// The largest difference of the two distribution functions, taking the bins in their order.
    pub(super) fn kolmogorov_smirnov(self) -> f64 {
        let (n, m) = self.sizes;
        let (mut below, mut largest) = ((0.0, 0.0), 0.0_f64);
        for (p, q) in self.reference.iter().zip(self.current) {
            below = (below.0 + p, below.1 + q);
            largest = largest.max((below.0 / n - below.1 / m).abs());
        }
        largest
    }

    /// The area between the two distribution functions, with all of bin `i` at the place before `gaps[i]`.
    pub(super) fn wasserstein(self, gaps: &[f64]) -> f64 {
        let (n, m) = self.sizes;
        let (mut below, mut area) = ((0.0, 0.0), 0.0);
        for ((p, q), gap) in self.reference.iter().zip(self.current).zip(gaps) {
            below = (below.0 + p, below.1 + q);
            area += (below.0 / n - below.1 / m).abs() * gap;
        }
        area
    }
}

pub(super) fn psi_term(p: f64, q: f64) -> f64 {
    (p - q) * (p / q).ln()
}

pub(super) fn jensen_shannon_term(p: f64, q: f64) -> f64 {
    let middle = f64::midpoint(p, q);
    let part = |share: f64| if share > 0.0 { share * (share / middle).log2() } else { 0.0 };
    (part(p) + part(q)) / 2.0
}

pub(super) fn hellinger_term(p: f64, q: f64) -> f64 {
    let difference = p.sqrt() - q.sqrt();
    difference * difference / 2.0
}

pub(super) fn chi_squared_term(p: f64, q: f64, n: f64, m: f64) -> f64 {
    let pooled = n * p + m * q;
    if pooled > 0.0 { n * m * (p - q) * (p - q) / pooled } else { 0.0 }
}
