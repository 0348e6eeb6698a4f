//! Counting settings, pairs and triples, and how far their labels are from what the features lead to expect.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and bins that were counted here")]

use super::{Task, combinable};
use crate::quality::cells::Setting;
use crate::quality::smooth::sigmoid;
use crate::threads;

/// Candidates that one pair of features may give for one label.
const PAIR: usize = 16;
/// Pairs that are extended by a third setting.
const BEAM: usize = 256;
/// The least gain of a candidate, in natural logarithms of a likelihood ratio.
const GAIN: f64 = 6.0;

/// Settings that may be a trigger.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Features and their bins, in the order of features.
    pub(super) items: Vec<(usize, u8)>,
    /// The place of its label among those of the task.
    pub(super) label: usize,
    pub(super) gain: f64,
    /// The share of its rows that is expected to have the label.
    pub(super) expected: f64,
}

/// What is counted of the rows in a bin or in two.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    rows: u32,
    hits: u32,
    expected: f32,
}

impl Cell {
    fn add(&mut self, hit: bool, share: f32) {
        self.rows += 1;
        self.hits += u32::from(hit);
        self.expected += share;
    }

    /// By how much, in log-odds, labels are off what is expected beyond what counting does: its square, without bias
    /// (the method of moments). Nothing when there are too few rows to tell.
    fn excess(&self) -> Option<f64> {
        let (n, k, e) = (f64::from(self.rows), f64::from(self.hits), f64::from(self.expected));
        let variance = e * (1.0 - e / n);
        (variance >= 4.0).then(|| ((k - e) * (k - e) - variance) / (variance * variance))
    }

    /// How much likelier the labels are with a share of their own than with the expected one; 0 when there are
    /// fewer than expected.
    fn gain(&self) -> f64 {
        let (n, k) = (f64::from(self.rows), f64::from(self.hits));
        let e = f64::from(self.expected).clamp(1e-6 * n, n * (1.0 - 1e-6));
        if k <= e {
            return 0.0;
        }
        let miss = if k < n { (n - k) * ((n - k) / (n - e)).ln() } else { 0.0 };
        k * (k / e).ln() + miss
    }
}

/// The rows that are counted, column by column.
struct Counted {
    bins: Vec<Vec<u8>>,
    /// For each label whether rows have it.
    hits: Vec<Vec<bool>>,
    /// For each label how likely the additive model holds it.
    shares: Vec<Vec<f32>>,
    least: u32,
    most: u32,
}

/// What a search leaves.
pub(super) struct Found {
    /// With the largest gain first.
    pub(super) candidates: Vec<Candidate>,
    /// Settings, pairs and triples, each with every label.
    pub(super) hypotheses: [f64; 3],
    /// Features that were combined.
    pub(super) combined: usize,
    /// For each label the variance, in log-odds, that combinations of two settings add.
    pub(super) interaction: Vec<f64>,
}

pub(super) fn search(task: &Task<'_>) -> Found {
    let counted = Counted::new(task);
    let (mut candidates, telling) = singles(task, &counted);
    let mut features: Vec<usize> = (0..task.fine.len()).collect();
    features.sort_by(|a, b| telling[*b].total_cmp(&telling[*a]).then(a.cmp(b)));
    features.truncate(combinable(features.len()));
    features.sort_unstable();
    let (mut pairs, interaction) = pairs(task, &counted, &features);
    order(&mut pairs);
    let beam: Vec<Candidate> = pairs.iter().take(BEAM).cloned().collect();
    let triples = threads::map(task.threads, beam.len(), |at| extend(task, &counted, &beam[at], &features));
    candidates.extend(pairs);
    candidates.extend(triples.into_iter().flatten());
    order(&mut candidates);
    candidates.dedup_by(|a, b| a.items == b.items && a.label == b.label);
    let (singles, pairs, triples) = combinations(task, &features);
    let labels = task.labels.len() as f64;
    let hypotheses = [singles * labels, pairs * labels, triples * labels];
    Found { candidates, hypotheses, combined: features.len(), interaction }
}

fn order(candidates: &mut [Candidate]) {
    candidates.sort_by(|a, b| {
        b.gain.total_cmp(&a.gain).then_with(|| a.items.cmp(&b.items)).then(a.label.cmp(&b.label))
    });
}

/// How many settings, pairs and triples of settings of different features there are.
fn combinations(task: &Task<'_>, features: &[usize]) -> (f64, f64, f64) {
    let singles: f64 = task.fine.iter().map(|bins| bins.settings.len() as f64).sum();
    let (mut one, mut two, mut three) = (0.0, 0.0, 0.0);
    for feature in features {
        let bins = task.fine[*feature].settings.len() as f64;
        three += two * bins;
        two += one * bins;
        one += bins;
    }
    (singles, two, three)
}

impl Counted {
    fn new(task: &Task<'_>) -> Self {
        let rows = &task.rows;
        let labels = task.table.labels();
        let bins = threads::map(task.threads, task.fine.len(), |at| {
            rows.iter().map(|row| task.fine[at].of[*row]).collect()
        });
        let hits = task.labels.iter().map(|l| rows.iter().map(|row| labels[*row] == *l).collect()).collect();
        #[expect(clippy::cast_possible_truncation, reason = "a model of this kind is not that exact")]
        let share = |score: f32| sigmoid(f64::from(score)) as f32;
        let shares = threads::map(task.threads, task.labels.len(), |at| {
            rows.iter().map(|row| share(task.scores[at][*row])).collect()
        });
        // What a sample must have of what all rows must have, with room for the sample's luck.
        let sampled = rows.len() as f64 / task.table.rows() as f64;
        let least =
            (task.least() as f64 * sampled * 0.5).max(task.options.least_rows as f64 * sampled.sqrt());
        // A range of numbers holds other rows beside those of a trigger in it.
        let most = (rows.len() as f64 * task.options.most_share * 2.0).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "both are positive and at most the number of rows"
        )]
        let (least, most) = (least.floor() as u32, most as u32);
        Self { bins, hits, shares, least, most }
    }

    fn fits(&self, cell: &Cell) -> bool {
        cell.rows >= self.least && cell.rows <= self.most && cell.gain() >= GAIN
    }
}

/// Single settings, and for each feature the most that one of its settings says beyond the other features.
fn singles(task: &Task<'_>, counted: &Counted) -> (Vec<Candidate>, Vec<f64>) {
    let found = threads::map(task.threads, task.fine.len(), |feature| {
        let (mut best, mut candidates) = (0.0_f64, Vec::new());
        for label in 0..task.labels.len() {
            let model = &task.models[label];
            let away: Vec<f64> =
                model.weights[feature].iter().map(|weight| model.means[feature] - weight).collect();
            let mut cells = vec![Cell::default(); task.fine[feature].settings.len()];
            for (at, row) in task.rows.iter().enumerate() {
                let coarse = task.coarse[feature].of[*row];
                let score = f64::from(task.scores[label][*row]) + away[usize::from(coarse)];
                #[expect(clippy::cast_possible_truncation, reason = "a model of this kind is not that exact")]
                let share = sigmoid(score) as f32;
                cells[usize::from(counted.bins[feature][at])].add(counted.hits[label][at], share);
            }
            for (bin, cell) in cells.iter().enumerate() {
                best = best.max(cell.gain());
                if counted.fits(cell) && task.fine[feature].settings[bin] != Setting::Rest {
                    candidates.push(candidate(&[(feature, bin)], label, cell));
                }
            }
        }
        (candidates, best)
    });
    let (mut candidates, mut telling) = (Vec::new(), Vec::new());
    for (part, best) in found {
        candidates.extend(part);
        telling.push(best);
    }
    (candidates, telling)
}

fn candidate(items: &[(usize, usize)], label: usize, cell: &Cell) -> Candidate {
    let items =
        items.iter().map(|(feature, bin)| (*feature, u8::try_from(*bin).unwrap_or(u8::MAX))).collect();
    let expected = f64::from(cell.expected) / f64::from(cell.rows);
    Candidate { items, label, gain: cell.gain(), expected }
}

/// Every pair of settings of two features, and how much combinations differ from their settings.
fn pairs(task: &Task<'_>, counted: &Counted, features: &[usize]) -> (Vec<Candidate>, Vec<f64>) {
    let mut pairs = Vec::new();
    for (at, first) in features.iter().enumerate() {
        pairs.extend(features[at + 1..].iter().map(|second| (*first, *second)));
    }
    let found = threads::map(task.threads, pairs.len(), |at| {
        let (first, second) = pairs[at];
        let (a, b) = (&task.fine[first].settings, &task.fine[second].settings);
        let (mut best, mut excess) = (Vec::new(), vec![Vec::new(); task.labels.len()]);
        for (label, excess) in excess.iter_mut().enumerate() {
            let mut cells = vec![Cell::default(); a.len() * b.len()];
            let rows = counted.bins[first].iter().zip(&counted.bins[second]);
            for ((x, y), (hit, share)) in rows.zip(counted.hits[label].iter().zip(&counted.shares[label])) {
                cells[usize::from(*x) * b.len() + usize::from(*y)].add(*hit, *share);
            }
            *excess = cells.iter().filter_map(Cell::excess).collect();
            let mut own = Vec::new();
            for (at, cell) in cells.iter().enumerate() {
                let (x, y) = (at / b.len(), at % b.len());
                if counted.fits(cell) && a[x] != Setting::Rest && b[y] != Setting::Rest {
                    own.push(candidate(&[(first, x), (second, y)], label, cell));
                }
            }
            order(&mut own);
            own.truncate(PAIR);
            best.extend(own);
        }
        (best, excess)
    });
    let mut excess: Vec<Vec<f64>> = vec![Vec::new(); task.labels.len()];
    let mut candidates = Vec::new();
    for (part, seen) in found {
        candidates.extend(part);
        excess.iter_mut().zip(seen).for_each(|(all, seen)| all.extend(seen));
    }
    (candidates, excess.iter_mut().map(|excess| ordinary(excess)).collect())
}

/// The mean without the largest fiftieth, which may be what is sought.
fn ordinary(excess: &mut [f64]) -> f64 {
    excess.sort_unstable_by(f64::total_cmp);
    let kept = excess.len() - excess.len() / 50;
    let sum: f64 = excess.iter().take(kept).sum();
    (sum / kept.max(1) as f64).max(0.0)
}

/// A pair with every setting of every other feature that gains something.
fn extend(task: &Task<'_>, counted: &Counted, pair: &Candidate, features: &[usize]) -> Vec<Candidate> {
    let [(first, x), (second, y)] = pair.items[..] else { return Vec::new() };
    let both = counted.bins[first].iter().zip(&counted.bins[second]);
    let rows: Vec<usize> =
        both.enumerate().filter(|(_, (a, b))| **a == x && **b == y).map(|(at, _)| at).collect();
    let mut found = Vec::new();
    for third in features.iter().filter(|third| **third != first && **third != second) {
        let settings = &task.fine[*third].settings;
        let mut cells = vec![Cell::default(); settings.len()];
        for at in &rows {
            let bin = counted.bins[*third][*at];
            cells[usize::from(bin)].add(counted.hits[pair.label][*at], counted.shares[pair.label][*at]);
        }
        for (bin, cell) in cells.iter().enumerate() {
            if counted.fits(cell) && settings[bin] != Setting::Rest && cell.gain() > pair.gain {
                let mut items = [(first, usize::from(x)), (second, usize::from(y)), (*third, bin)];
                items.sort_unstable();
                found.push(candidate(&items, pair.label, cell));
            }
        }
    }
    order(&mut found);
    found.truncate(PAIR);
    found
}
