//! Rows that are the same, or nearly, and whether that is more than chance.
//!
//! Equal rows have equal hashes of their cells, and are compared before they are believed. Nearly equal ones meet in
//! a bucket of a hash of their rounded cells: numbers are rounded on a grid that is shifted at random, several times
//! over, and in each round some features are left out, so that a row with one changed cell is found too
//! (locality-sensitive hashing, Indyk and Motwani, 1998). What meets is compared.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and columns that were counted here")]
#![expect(clippy::cast_possible_truncation, reason = "rows are numbered in 32 bits")]

use super::cells::{Bins, Grain, Setting, bins, sorted};
use super::chance::{Chance, events_upper, poisson_upper};
use super::neighbours::scale;
use super::random::{Random, mix};
use super::smooth::{self, sigmoid};
use super::table::{Cells, Feature, Table, counts};
use super::tree::Tree;
use crate::threads;

/// Rounds of rounding.
const ROUNDS: usize = 12;
/// Numbers are near when they differ by so much of their scale at most.
const NEAR: f64 = 0.05;
/// The grid is so much coarser than that.
const GRID: f64 = 8.0;
/// For so many features one cell may differ.
const SPARE: usize = 10;

/// Rows that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Rows, counted from 0, rising; two or more.
    pub rows: Vec<u32>,
}

/// Nearly equal rows with one label.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Rows, counted from 0, rising.
    pub rows: Vec<u32>,
    /// The label that most of them have.
    pub label: u32,
    /// How many have it.
    pub hits: usize,
    /// How many such rows the table should have.
    pub expected: f64,
    /// How likely a cluster of this size is, over all clusters.
    pub size_chance: Chance,
    /// How likely so many of its rows have that label, over all clusters.
    pub label_chance: Chance,
}

/// A hash of each row's cells, equal for equal rows. Categories are told apart by their codes.
pub(crate) fn hashes(features: &[Feature<'_>], rows: usize, seed: u64, threads: usize) -> Vec<u64> {
    threads::rows(threads, rows, |row| {
        features.iter().fold(mix(seed), |hash, feature| mix(hash ^ bits(feature, row)).wrapping_add(hash))
    })
}

/// A cell as a number, equal for equal cells.
fn bits(feature: &Feature<'_>, row: usize) -> u64 {
    match feature.cells {
        Cells::Numbers(cells) if cells[row].is_nan() => u64::MAX,
        Cells::Numbers(cells) => (cells[row] + 0.0).to_bits(),
        Cells::Codes(codes) => u64::from(codes.codes[row]),
    }
}

/// Groups of rows with equal features, the largest first.
pub fn equal_rows(features: &[Feature<'_>], rows: usize, seed: u64, threads: usize) -> Vec<Group> {
    let mut order: Vec<(u64, u32)> = hashes(features, rows, seed, threads).into_iter().zip(0..).collect();
    order.sort_unstable();
    let same = |a: u32, b: u32| features.iter().all(|f| bits(f, a as usize) == bits(f, b as usize));
    let mut groups = Vec::new();
    for run in order.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
        let rows: Vec<u32> = run.iter().map(|(_, row)| *row).filter(|row| same(run[0].1, *row)).collect();
        if rows.len() > 1 {
            groups.push(Group { rows });
        }
    }
    largest_first(groups)
}

fn largest_first(mut groups: Vec<Group>) -> Vec<Group> {
    groups.sort_by(|a, b| b.rows.len().cmp(&a.rows.len()).then(a.rows.cmp(&b.rows)));
    groups
}

/// Groups of rows that are nearly equal, the largest first: numbers within a twentieth of their scale, categories
/// equal, and one cell in ten features free.
pub fn near_rows(features: &[Feature<'_>], rows: usize, seed: u64, threads: usize) -> Vec<Group> {
    let scales = threads::map(threads, features.len(), |at| match features[at].cells {
        Cells::Numbers(cells) => scale(cells).1,
        Cells::Codes(_) => 0.0,
    });
    let near = |a: u32, b: u32| {
        let mut spare = features.len() / SPARE;
        features.iter().zip(&scales).all(|(feature, scale)| {
            let same = match feature.cells {
                Cells::Numbers(cells) => {
                    let (x, y) = (cells[a as usize], cells[b as usize]);
                    (x - y).abs() <= NEAR * scale || x == y || (x.is_nan() && y.is_nan())
                }
                Cells::Codes(codes) => codes.codes[a as usize] == codes.codes[b as usize],
            };
            let forgiven = !same && spare > 0;
            spare -= usize::from(forgiven);
            same || forgiven
        })
    };
    // Each round gives pairs of a row and the one that it was compared with.
    let rounds = threads::map(threads, ROUNDS, |round| {
        let mut random = Random::new(seed, 0xd0b1 + round as u64);
        let columns: Vec<(usize, f64)> = features
            .iter()
            .enumerate()
            .map(|(at, _)| (at, random.unit(), random.unit()))
            .filter(|(_, _, left)| features.len() < SPARE || *left > 0.15)
            .map(|(at, shift, _)| (at, shift))
            .collect();
        let hash = |row: usize| {
            columns.iter().fold(mix(seed), |hash, (at, shift)| {
                let cell = match features[*at].cells {
                    Cells::Numbers(cells) if scales[*at] > 0.0 && !cells[row].is_nan() => {
                        (cells[row] / (scales[*at] * NEAR * GRID) + shift).floor().to_bits()
                    }
                    _ => bits(&features[*at], row),
                };
                mix(hash ^ cell).wrapping_add(hash)
            })
        };
        let mut order: Vec<(u64, u32)> = (0..rows).map(|row| (hash(row), row as u32)).collect();
        order.sort_unstable();
        let mut pairs = Vec::new();
        for run in order.chunk_by(|a, b| a.0 == b.0) {
            for two in run.windows(2) {
                // The first of a bucket, and the row before: both are bounded work.
                for other in [run[0].1, two[0].1] {
                    if near(other, two[1].1) {
                        pairs.push((other, two[1].1));
                        break;
                    }
                }
            }
        }
        pairs
    });
    let mut union = Union((0..rows as u32).collect());
    rounds.into_iter().flatten().for_each(|(a, b)| union.join(a, b));
    let mut members: Vec<(u32, u32)> = (0..rows as u32).map(|row| (union.root(row), row)).collect();
    members.sort_unstable();
    let groups = members.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1);
    largest_first(groups.map(|run| Group { rows: run.iter().map(|(_, row)| *row).collect() }).collect())
}

/// Which rows are in one set (Tarjan); the least row stands for a set.
struct Union(Vec<u32>);

impl Union {
    fn root(&mut self, mut row: u32) -> u32 {
        while self.0[row as usize] != row {
            self.0[row as usize] = self.0[self.0[row as usize] as usize];
            row = self.0[row as usize];
        }
        row
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

/// How many rows like some others a table should have, from a tree of dependences between coarse bins and from how
/// often cells like theirs come within those bins.
pub(crate) struct Crowd<'t> {
    features: &'t [Feature<'t>],
    rows: usize,
    bins: Vec<Bins>,
    in_bin: Vec<Vec<usize>>,
    tree: Tree,
    /// For each column of numbers its sorted cells and its scale; for categories how often each comes.
    known: Vec<Known>,
}

enum Known {
    Numbers(Vec<f64>, f64),
    Codes(Vec<usize>),
}

impl<'t> Crowd<'t> {
    pub(crate) fn new(features: &'t [Feature<'t>], rows: usize, seed: u64, threads: usize) -> Self {
        let bins = bins(features, Grain::COARSE, threads);
        let in_bin = bins.iter().map(Bins::counts).collect();
        let tree = Tree::new(&bins, rows, seed, threads);
        let known = threads::map(threads, features.len(), |at| match features[at].cells {
            Cells::Numbers(cells) => {
                Known::Numbers(sorted(cells).into_iter().map(|(cell, _)| cell).collect(), scale(cells).1)
            }
            Cells::Codes(codes) => Known::Codes(counts(codes.codes, codes.values.len())),
        });
        Self { features, rows, bins, in_bin, tree, known }
    }

    /// How many rows are expected within the bounds of these, widened by `widen` of a column's scale.
    pub(crate) fn expected(&self, group: &[u32], widen: f64) -> f64 {
        let mut kinds: Vec<Vec<u8>> =
            group.iter().map(|row| self.bins.iter().map(|bins| bins.of[*row as usize]).collect()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let share: f64 = kinds.iter().map(|kind| self.tree.ln_share(|at| usize::from(kind[at])).exp()).sum();
        let factors: f64 = (0..self.features.len()).map(|at| self.within(at, group, &kinds, widen)).product();
        self.rows as f64 * share * factors
    }

    /// The share of rows in the bins of a group that lie within its bounds.
    fn within(&self, at: usize, group: &[u32], kinds: &[Vec<u8>], widen: f64) -> f64 {
        let mut own: Vec<usize> = kinds.iter().map(|kind| usize::from(kind[at])).collect();
        own.sort_unstable();
        own.dedup();
        let binned: usize = own.iter().map(|bin| self.in_bin[at][*bin]).sum();
        let exact = |bin: &usize| matches!(self.bins[at].settings[*bin], Setting::Range(..) | Setting::Rest);
        if !own.iter().any(exact) {
            return 1.0;
        }
        let inside = match (&self.known[at], self.features[at].cells) {
            (Known::Numbers(sorted, scale), Cells::Numbers(cells)) => {
                let there = group.iter().map(|row| cells[*row as usize]).filter(|cell| !cell.is_nan());
                let (low, high) = there.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), cell| {
                    (low.min(cell), high.max(cell))
                });
                let (low, high) = (low - widen * scale, high + widen * scale);
                sorted.partition_point(|cell| *cell <= high) - sorted.partition_point(|cell| *cell < low)
            }
            (Known::Codes(counts), Cells::Codes(codes)) => {
                let mut own: Vec<u32> = group.iter().map(|row| codes.codes[*row as usize]).collect();
                own.sort_unstable();
                own.dedup();
                own.iter().filter_map(|code| counts.get(*code as usize)).sum()
            }
            _ => binned,
        };
        (inside as f64 / binned.max(1) as f64).min(1.0)
    }
}

/// Clusters of nearly equal rows with one label that are larger than chance makes them, the least likely first.
///
/// `chance` is how likely each of size and label may be by chance, over all clusters; of their labels a share of
/// `purity` is the same.
pub fn clusters(table: &Table<'_>, purity: f64, chance: f64, seed: u64, threads: usize) -> Vec<Cluster> {
    let rows = table.rows();
    let groups = near_rows(table.features(), rows, seed, threads);
    let groups: Vec<Group> = groups.into_iter().filter(|group| group.rows.len() >= 5).collect();
    if groups.is_empty() {
        return Vec::new();
    }
    let crowd = Crowd::new(table.features(), rows, seed, threads);
    let labels: Vec<u32> = (0..u32::try_from(table.classes()).unwrap_or(0)).collect();
    let mut models: Vec<Option<smooth::Additive>> = vec![None; labels.len()];
    let mut found = Vec::new();
    // Any row might be the middle of a cluster.
    let many = (rows as f64).ln();
    for group in groups {
        let size = group.rows.len() as f64;
        let mut votes = vec![0_usize; labels.len()];
        group.rows.iter().for_each(|row| votes[table.labels()[*row as usize] as usize] += 1);
        let Some((label, hits)) =
            votes.iter().copied().enumerate().max_by_key(|(at, count)| (*count, usize::MAX - at))
        else {
            continue;
        };
        if (hits as f64) < purity * size {
            continue;
        }
        let expected = crowd.expected(&group.rows, NEAR);
        let size_ln = poisson_upper(expected, size) + many;
        if size_ln > chance.ln() {
            continue;
        }
        let model = models[label].get_or_insert_with(|| {
            let label = u32::try_from(label).unwrap_or(u32::MAX);
            let mut fitted = smooth::fit(&crowd.bins, table.labels(), &[label], seed, threads);
            fitted.swap_remove(0)
        });
        let shares: Vec<f64> =
            group.rows.iter().map(|row| sigmoid(model.score(&crowd.bins, *row as usize))).collect();
        let label_ln = events_upper(&shares, hits as f64) + many;
        found.push(Cluster {
            label: u32::try_from(label).unwrap_or(u32::MAX),
            hits,
            expected,
            size_chance: Chance::new(
                size_ln,
                "Poisson tail, mean from a Chow-Liu tree over features, Bonferroni over rows",
            ),
            label_chance: Chance::new(
                label_ln,
                "bounds of Hoeffding and Chernoff given what each feature leads to expect, Bonferroni over rows",
            ),
            rows: group.rows,
        });
    }
    found.sort_by(|a, b| a.size_chance.ln.total_cmp(&b.size_chance.ln).then(a.rows.cmp(&b.rows)));
    found
}
