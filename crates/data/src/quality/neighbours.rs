//! The nearest rows of each row, among all or approximately.
//!
//! Small tables are compared row by row with all; in others neighbours are found through random trees and neighbours
//! of neighbours, and the recall is measured on rows that are compared with all.
//!
//! Trees split rows by which of two random ones they are nearer to (as in Spotify's Annoy), and lists are improved
//! by neighbours of neighbours (Dong, Moses and Li, "Efficient k-nearest neighbor graph construction for generic
//! similarity measures", 2011). Rounds work on the lists of the round before, so that threads change nothing.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and columns that were counted here")]
#![expect(clippy::cast_possible_truncation, reason = "rows are numbered in 32 bits; distances need no more")]

use super::random::{Random, mix};
use super::table::{Cells, Feature, MISSING};
use crate::threads;

/// What two categories that differ add to a squared distance: as much as two standard normal numbers on average.
const MISMATCH: f32 = 2.0;
/// Scaled numbers are cut here, so that one outlier does not decide a distance.
const CUT: f64 = 5.0;
const TREES: usize = 8;
const LEAF: usize = 64;
const ROUNDS: usize = 2;
/// Neighbours whose neighbours are looked at.
const WIDTH: usize = 12;
/// Rows that are compared with all to measure the recall.
const PROBES: usize = 128;

/// Rows in a form that distances are quick in: scaled numbers and categories, row by row.
pub(crate) struct Space {
    rows: usize,
    numbers: Vec<f32>,
    width: usize,
    codes: Vec<u32>,
    texts: usize,
}

/// The nearest rows of each row.
pub(crate) struct Nearest {
    /// For each row its neighbours, the nearest first; `k` each.
    pub(crate) of: Vec<u32>,
    pub(crate) k: usize,
    /// The share of true neighbours that was found, measured; 1 where all rows were compared.
    pub(crate) recall: f64,
    pub(crate) exact: bool,
}

/// Median and a robust scale of numbers: the quartiles' distance as a normal has it, or the standard deviation
/// where that is nought; 0 for what never changes.
pub(crate) fn scale(cells: &[f64]) -> (f64, f64) {
    let mut sorted: Vec<f64> = cells.iter().copied().filter(|cell| !cell.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        #[expect(clippy::cast_sign_loss, reason = "a share of a length")]
        let place = (share * (sorted.len() - 1) as f64) as usize;
        sorted[place]
    };
    if sorted.is_empty() {
        return (0.0, 0.0);
    }
    let quartiles = (at(0.75) - at(0.25)) / 1.349;
    if quartiles > 0.0 && quartiles.is_finite() {
        return (at(0.5), quartiles);
    }
    let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
    let variance = sorted.iter().map(|cell| (cell - mean) * (cell - mean)).sum::<f64>() / sorted.len() as f64;
    let deviation = variance.sqrt();
    if deviation.is_finite() { (at(0.5), deviation) } else { (at(0.5), 0.0) }
}

impl Space {
    pub(crate) fn new(features: &[Feature<'_>], rows: usize, threads: usize) -> Self {
        let (mut columns, mut texts) = (Vec::new(), Vec::new());
        for feature in features {
            match feature.cells {
                Cells::Numbers(cells) => columns.push(cells),
                Cells::Codes(codes) => texts.push(codes.codes),
            }
        }
        let scales = threads::map(threads, columns.len(), |at| scale(columns[at]));
        let mut numbers = Vec::with_capacity(rows * columns.len());
        let mut codes = Vec::with_capacity(rows * texts.len());
        for row in 0..rows {
            for (cells, (median, scale)) in columns.iter().zip(&scales) {
                let scaled = if *scale > 0.0 { (cells[row] - median) / scale } else { 0.0 };
                // What is missing lies in the middle.
                numbers.push(if scaled.is_nan() { 0.0 } else { scaled.clamp(-CUT, CUT) as f32 });
            }
            codes.extend(texts.iter().map(|codes| codes[row]));
        }
        Self { rows, numbers, width: columns.len(), codes, texts: texts.len() }
    }

    /// The squared distance of two rows.
    #[inline]
    pub(crate) fn distance(&self, a: u32, b: u32) -> f32 {
        let (a, b) = (a as usize, b as usize);
        let x = &self.numbers[a * self.width..(a + 1) * self.width];
        let y = &self.numbers[b * self.width..(b + 1) * self.width];
        let mut sum = 0.0_f32;
        for (x, y) in x.iter().zip(y) {
            sum += (x - y) * (x - y);
        }
        let x = &self.codes[a * self.texts..(a + 1) * self.texts];
        let y = &self.codes[b * self.texts..(b + 1) * self.texts];
        let differ = x.iter().zip(y).filter(|(x, y)| x != y || **x == MISSING).count();
        sum + MISMATCH * differ as f32
    }

    /// The `k` nearest of each row, itself left out; all rows are compared when that takes at most `budget`
    /// products.
    pub(crate) fn nearest(&self, k: usize, seed: u64, threads: usize, budget: usize) -> Nearest {
        let k = k.min(self.rows - 1);
        let width = self.width + self.texts;
        if self.rows.saturating_mul(self.rows).saturating_mul(width.max(4)) <= budget {
            let lists =
                threads::rows(threads, self.rows, |row| self.among(row as u32, 0..self.rows as u32, k));
            return Nearest { of: lists.concat(), k, recall: 1.0, exact: true };
        }
        let trees = threads::map(threads, TREES, |tree| self.tree(seed, tree as u64));
        let mut lists = threads::rows(threads, self.rows, |row| {
            let mut seen: Vec<u32> = Vec::with_capacity(TREES * LEAF);
            trees.iter().for_each(|tree| seen.extend_from_slice(tree.leaf(row)));
            self.distinct(row as u32, seen, k)
        });
        drop(trees);
        for _ in 0..ROUNDS {
            lists = threads::rows(threads, self.rows, |row| {
                let mut seen = lists[row].clone();
                for near in lists[row].iter().take(WIDTH) {
                    seen.extend(lists[*near as usize].iter().take(WIDTH));
                }
                self.distinct(row as u32, seen, k)
            });
        }
        let recall = self.recall(&lists, k, seed, threads);
        Nearest { of: lists.concat(), k, recall, exact: false }
    }

    /// The `k` nearest among distinct candidates; rows that are too few are filled with the first ones.
    fn distinct(&self, row: u32, mut seen: Vec<u32>, k: usize) -> Vec<u32> {
        seen.sort_unstable();
        seen.dedup();
        let mut next = 0;
        while seen.len() <= k {
            if seen.binary_search(&next).is_err() {
                let place = seen.partition_point(|other| *other < next);
                seen.insert(place, next);
            }
            next += 1;
        }
        self.among(row, seen, k)
    }

    /// The `k` nearest of these, the nearest first; of equally near ones those that a hash of both rows chooses,
    /// so that among many equal rows the neighbours are a fair draw and not the first of the table.
    fn among(&self, row: u32, candidates: impl IntoIterator<Item = u32>, k: usize) -> Vec<u32> {
        let mut best: Vec<(f32, u64, u32)> = Vec::with_capacity(2 * k + 1);
        let mut limit = f32::INFINITY;
        let by = |a: &(f32, u64, u32), b: &(f32, u64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        for other in candidates {
            if other == row {
                continue;
            }
            let distance = self.distance(row, other);
            if distance <= limit {
                best.push((distance, mix(u64::from(row) << 32 | u64::from(other)), other));
                if best.len() > 2 * k {
                    best.select_nth_unstable_by(k - 1, by);
                    best.truncate(k);
                    limit = best[k - 1].0;
                }
            }
        }
        best.sort_unstable_by(by);
        best.truncate(k);
        best.into_iter().map(|(_, _, other)| other).collect()
    }

    fn tree(&self, seed: u64, stream: u64) -> Tree {
        let mut rows: Vec<u32> = (0..self.rows as u32).collect();
        let mut leaf_of = vec![(0, 0); self.rows];
        let mut random = Random::new(seed, 0x7ee0 + stream);
        let mut open = vec![(0, self.rows)];
        while let Some((start, end)) = open.pop() {
            let node = &mut rows[start..end];
            if node.len() <= LEAF {
                node.iter().for_each(|row| leaf_of[*row as usize] = (start as u32, end as u32));
                continue;
            }
            let (a, b) = (node[random.below(node.len())], node[random.below(node.len())]);
            let salt = random.next();
            let mut sides: Vec<(f32, u64, u32)> = node
                .iter()
                .map(|row| {
                    let nearer = self.distance(*row, a) - self.distance(*row, b);
                    (nearer, mix(salt ^ u64::from(*row)), *row)
                })
                .collect();
            let half = sides.len() / 2;
            sides.select_nth_unstable_by(half, |x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
            node.iter_mut().zip(sides).for_each(|(row, (_, _, other))| *row = other);
            open.push((start, start + half));
            open.push((start + half, end));
        }
        Tree { rows, leaf_of }
    }

    /// The share of neighbours that are as near as the true ones.
    fn recall(&self, lists: &[Vec<u32>], k: usize, seed: u64, threads: usize) -> f64 {
        let probes = Random::new(seed, 0x9ec0).sample(PROBES, self.rows);
        let found = threads::map(threads, probes.len(), |at| {
            let row = probes[at] as u32;
            let truth = self.among(row, 0..self.rows as u32, k);
            let farthest = truth.last().map_or(0.0, |last| self.distance(row, *last));
            lists[probes[at]].iter().filter(|near| self.distance(row, **near) <= farthest).count()
        });
        found.iter().sum::<usize>() as f64 / (probes.len() * k) as f64
    }
}

/// Rows in the order of leaves, and where the leaf of each row is.
struct Tree {
    rows: Vec<u32>,
    leaf_of: Vec<(u32, u32)>,
}

impl Tree {
    fn leaf(&self, row: usize) -> &[u32] {
        let (start, end) = self.leaf_of[row];
        &self.rows[start as usize..end as usize]
    }
}
