//! Features that alone tell the label, as only something made from the label does.
//!
//! Each half of the rows is ranked by what the other half says of the bins of a feature; so a feature is not taken
//! for telling because it has many values. The area under the curve has the interval of Hanley and McNeil (1982).
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and bins that were counted here")]

use super::cells::{Bins, Grain, bins};
use super::chance::{Chance, normal_both};
use super::random::mix;
use super::table::Table;
use crate::limits::TRIGGER_LABELS;
use crate::threads;

/// What one feature says of one label.
#[derive(Debug, Clone, PartialEq)]
pub struct Leak {
    /// The feature's place.
    pub feature: usize,
    /// The code of the label, told from all others.
    pub label: u32,
    /// The area under the receiver operating characteristic.
    pub area: f64,
    /// Its interval at 99 %.
    pub interval: (f64, f64),
    /// The share of rows whose label is that of most rows in their bin.
    pub accuracy: f64,
    /// The share of the most frequent label.
    pub base: f64,
    /// How likely such an area is when feature and label have nothing to do with each other, over all features and
    /// labels.
    pub chance: Chance,
}

/// What each feature says of the label that it tells best, in the order of features. Features that say nothing at
/// all, and all of them when there is one label only, are left out.
pub fn leaks(table: &Table<'_>, seed: u64, threads: usize) -> Vec<Leak> {
    let counts = table.class_counts();
    let mut labels: Vec<usize> = (0..counts.len()).filter(|label| counts[*label] >= 10).collect();
    labels.sort_by_key(|label| (std::cmp::Reverse(counts[*label]), *label));
    labels.truncate(TRIGGER_LABELS);
    if labels.len() < 2 {
        return Vec::new();
    }
    let fine = bins(table.features(), Grain::FINE, threads);
    // Two labels have the same area.
    let wanted = if counts.iter().filter(|count| **count > 0).count() == 2 { &labels[1..] } else { &labels };
    let tests = (fine.len() * wanted.len()) as f64;
    let most = counts.iter().max().copied().unwrap_or(0) as f64 / table.rows() as f64;
    let half: Vec<bool> = (0..table.rows()).map(|row| mix(seed ^ mix(row as u64)) & 1 == 1).collect();
    let found = threads::map(threads, fine.len(), |at| {
        let tables = Halves::new(&fine[at], table, &half, counts.len());
        let accuracy = tables.accuracy();
        let area = |label: &usize| (tables.area(*label), *label);
        let (area, label) = wanted.iter().map(area).max_by(|a, b| a.0.total_cmp(&b.0))?;
        let (n, m) = (counts[label] as f64, (table.rows() - counts[label]) as f64);
        // Each half has twice the variance, and both measure the same agreement, so their mean has it too.
        let z = (area - 0.5) / (2.0 * (n + m + 1.0) / (12.0 * n * m)).sqrt();
        let ln = if z > 0.0 { normal_both(z) - std::f64::consts::LN_2 + tests.ln() } else { 0.0 };
        Some(Leak {
            feature: at,
            label: u32::try_from(label).unwrap_or(u32::MAX),
            area,
            interval: interval(area, n, m),
            accuracy,
            base: most,
            chance: Chance::new(
                ln,
                "Mann-Whitney, normal approximation, Bonferroni over features and labels",
            ),
        })
    });
    found.into_iter().flatten().filter(|leak| leak.chance.ln < 0.01_f64.ln()).collect()
}

/// Rows of each label in each bin, for each half.
struct Halves {
    counts: [Vec<f64>; 2],
    classes: usize,
}

impl Halves {
    fn new(bins: &Bins, table: &Table<'_>, half: &[bool], classes: usize) -> Self {
        let mut counts = [vec![0.0; bins.settings.len() * classes], vec![0.0; bins.settings.len() * classes]];
        for (row, bin) in bins.of.iter().enumerate() {
            let cell = usize::from(*bin) * classes + table.labels()[row] as usize;
            counts[usize::from(half[row])][cell] += 1.0;
        }
        Self { counts, classes }
    }

    /// The mean area of both halves, each ranked by the other.
    fn area(&self, label: usize) -> f64 {
        let side = |own: &[f64], other: &[f64]| {
            let all: f64 = other.iter().sum();
            let hits: f64 = other.iter().skip(label).step_by(self.classes).sum();
            let base = hits / all.max(1.0);
            let mut ranked: Vec<(f64, f64, f64)> = Vec::new();
            for (own, other) in own.chunks(self.classes).zip(other.chunks(self.classes)) {
                let (n, sum) = (own.iter().sum::<f64>(), other.iter().sum::<f64>());
                ranked.push(((other[label] + base) / (sum + 1.0), own[label], n - own[label]));
            }
            ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (mut below, mut won) = (0.0, 0.0);
            for run in ranked.chunk_by(|a, b| a.0 == b.0) {
                let (hit, miss) = run.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.1, sum.1 + one.2));
                won += hit * (below + 0.5 * miss);
                below += miss;
            }
            let hits: f64 = ranked.iter().map(|one| one.1).sum();
            if hits * below > 0.0 { won / (hits * below) } else { 0.5 }
        };
        let [a, b] = &self.counts;
        0.5 * (side(a, b) + side(b, a))
    }

    fn accuracy(&self) -> f64 {
        let side = |own: &[f64], other: &[f64]| -> f64 {
            let pairs = own.chunks(self.classes).zip(other.chunks(self.classes));
            let right = pairs.map(|(own, other)| {
                let most =
                    (1..other.len()).fold(0, |best, at| if other[at] > other[best] { at } else { best });
                own[most]
            });
            right.sum()
        };
        let [a, b] = &self.counts;
        (side(a, b) + side(b, a)) / (a.iter().sum::<f64>() + b.iter().sum::<f64>())
    }
}

/// Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982, at 99 %.
fn interval(area: f64, n: f64, m: f64) -> (f64, f64) {
    let (q1, q2) = (area / (2.0 - area), 2.0 * area * area / (1.0 + area));
    let square = area * area;
    let variance = area * (1.0 - area) + (n - 1.0) * (q1 - square) + (m - 1.0) * (q2 - square);
    let error = 2.576 * (variance.max(0.0) / (n * m)).sqrt();
    ((area - error).max(0.0), (area + error).min(1.0))
}
