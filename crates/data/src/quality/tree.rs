//! How many rows of a kind a table should have, when each feature depends on one other.
//!
//! C. K. Chow and C. N. Liu, "Approximating discrete probability distributions with dependence trees", 1968.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and bins that were counted here")]

use super::cells::Bins;
use super::random::Random;
use crate::limits::TREE_FEATURES;
use crate::threads;

/// Rows that the tree is learned from at most.
const ROWS: usize = 50_000;

/// A tree over features.
pub(crate) struct Tree {
    /// For each feature the one it depends on, and the logarithms of its shares: for each bin of that one (a single
    /// row where there is none) each of its own bins.
    nodes: Vec<(Option<usize>, Vec<f64>)>,
    sizes: Vec<usize>,
}

impl Tree {
    /// Learns a tree. Features beyond the limit stand alone.
    pub(crate) fn new(bins: &[Bins], rows: usize, seed: u64, threads: usize) -> Self {
        let sample = Random::new(seed, 0x7ee5).sample(ROWS, rows);
        let sizes: Vec<usize> = bins.iter().map(|bins| bins.settings.len()).collect();
        let seen: Vec<Vec<u8>> =
            threads::map(threads, bins.len(), |at| sample.iter().map(|row| bins[at].of[*row]).collect());
        let joined = bins.len().min(TREE_FEATURES);
        let mut pairs = Vec::new();
        for a in 0..joined {
            pairs.extend((a + 1..joined).map(|b| (a, b)));
        }
        let mutual = threads::map(threads, pairs.len(), |at| {
            let (a, b) = pairs[at];
            information(&table(&seen[a], &seen[b], sizes[b], sizes[a] * sizes[b]), sizes[b])
        });
        let parents = spanning(joined, &pairs, &mutual);
        let nodes = threads::map(threads, bins.len(), |at| {
            let parent = parents.get(at).copied().flatten();
            let counts = match parent {
                Some(parent) => table(&seen[parent], &seen[at], sizes[at], sizes[parent] * sizes[at]),
                None => table(&vec![0; sample.len()], &seen[at], sizes[at], sizes[at]),
            };
            (parent, shares(&counts, sizes[at]))
        });
        Self { nodes, sizes }
    }

    /// The logarithm of the share of rows whose bins are these.
    pub(crate) fn ln_share(&self, bin: impl Fn(usize) -> usize) -> f64 {
        let node = |(at, (parent, shares)): (usize, &(Option<usize>, Vec<f64>))| {
            shares[parent.map_or(0, &bin) * self.sizes[at] + bin(at)]
        };
        self.nodes.iter().enumerate().map(node).sum()
    }
}

fn table(a: &[u8], b: &[u8], width: usize, size: usize) -> Vec<f64> {
    let mut counts = vec![0.0; size];
    a.iter().zip(b).for_each(|(a, b)| counts[usize::from(*a) * width + usize::from(*b)] += 1.0);
    counts
}

/// Shares within each row of counts, half a row added to each cell.
fn shares(counts: &[f64], width: usize) -> Vec<f64> {
    let mut shares = Vec::with_capacity(counts.len());
    for row in counts.chunks(width) {
        let sum: f64 = row.iter().sum::<f64>() + 0.5 * width as f64;
        shares.extend(row.iter().map(|count| ((count + 0.5) / sum).ln()));
    }
    shares
}

/// Mutual information of two features, in natural units.
fn information(counts: &[f64], width: usize) -> f64 {
    let all: f64 = counts.iter().sum();
    let mut columns = vec![0.0; width];
    counts.chunks(width).for_each(|row| columns.iter_mut().zip(row).for_each(|(sum, count)| *sum += count));
    let mut information = 0.0;
    for row in counts.chunks(width) {
        let sum: f64 = row.iter().sum();
        for (count, column) in row.iter().zip(&columns).filter(|(count, _)| **count > 0.0) {
            information += count / all * (count * all / (sum * column)).ln();
        }
    }
    information
}

/// The heaviest spanning tree, by Prim's method; feature 0 is the root.
fn spanning(features: usize, pairs: &[(usize, usize)], weights: &[f64]) -> Vec<Option<usize>> {
    let mut weight = vec![0.0; features * features];
    for ((a, b), mutual) in pairs.iter().zip(weights) {
        weight[a * features + b] = *mutual;
        weight[b * features + a] = *mutual;
    }
    let mut parents = vec![None; features];
    let mut best: Vec<(f64, usize)> = (0..features).map(|at| (weight[at], 0)).collect();
    let mut inside = vec![false; features];
    if let Some(root) = inside.first_mut() {
        *root = true;
    }
    for _ in 1..features {
        let mut next = None;
        for at in (0..features).filter(|at| !inside[*at]) {
            if next.is_none_or(|known: usize| best[at].0 > best[known].0) {
                next = Some(at);
            }
        }
        let Some(next) = next else { break };
        inside[next] = true;
        parents[next] = Some(best[next].1);
        for at in (0..features).filter(|at| !inside[*at]) {
            if weight[next * features + at] > best[at].0 {
                best[at] = (weight[next * features + at], next);
            }
        }
    }
    parents
}
