//! Ordinary faults of columns: what never changes, what names rows, what lies far out, and labels out of balance.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows that were counted here")]

use super::cells::sorted;
use super::chance::{Chance, binomial_upper, ln_gamma, normal_both, share_interval};
use super::table::{Cells, MISSING, Table, counts};
use crate::threads;

/// What is odd about a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Oddity {
    /// The same in every row, or missing in every row.
    Constant,
    /// The same in nearly all rows; these are the others.
    QuasiConstant {
        /// Rows, counted from 0.
        rows: Vec<u32>,
        /// The share of the value.
        share: f64,
    },
    /// Different in nearly every row, as an identifier is.
    IdLike {
        /// The share of different values.
        distinct: f64,
        /// Whether it rises or falls from row to row.
        monotone: bool,
        /// How likely so few would be the same if rows drew from the range of numbers; for texts nothing is known.
        chance: Option<Chance>,
    },
    /// Numbers far from all others.
    Outliers {
        /// Rows, counted from 0, the farthest first.
        rows: Vec<u32>,
        /// Their robust z-scores.
        scores: Vec<f64>,
        /// Whether logarithms were looked at, where these are more symmetric.
        logarithms: bool,
        /// How many a normal distribution would have there.
        expected: f64,
        /// How likely at least so many are then.
        chance: Chance,
    },
}

/// The most frequent value of a quasi-constant column has this share at least.
const QUASI: f64 = 0.999;
/// The share of different values of a column that names rows.
const IDENTIFIES: f64 = 0.98;
/// Rows from which a column can be said to name them.
const LEAST: usize = 50;
/// How many rows a normal distribution may have beyond the limit for outliers.
const EXPECTED: f64 = 0.01;

/// What is odd about each feature, by its place.
pub fn oddities(table: &Table<'_>, threads: usize) -> Vec<(usize, Oddity)> {
    let found = threads::map(threads, table.features().len(), |at| match table.features()[at].cells {
        Cells::Numbers(cells) => numbers(cells),
        Cells::Codes(codes) => texts(codes.codes, codes.values.len()),
    });
    let mut all = Vec::new();
    for (at, found) in found.into_iter().enumerate() {
        all.extend(found.into_iter().map(|oddity| (at, oddity)));
    }
    all
}

fn numbers(cells: &[f64]) -> Vec<Oddity> {
    let sorted = sorted(cells);
    let rows = cells.len();
    let mut runs: Vec<(f64, usize)> = Vec::new();
    for run in sorted.chunk_by(|a, b| a.0 == b.0) {
        runs.push((run[0].0, run.len()));
    }
    let missing = rows - sorted.len();
    let most = runs.iter().max_by_key(|(_, count)| *count).copied();
    if let Some(constant) =
        constant(rows, missing, runs.len(), most.map_or(0, |(_, count)| count), |row| match most {
            Some((value, _)) => cells[row] != value,
            None => false,
        })
    {
        return vec![constant];
    }
    let mut found = Vec::new();
    let whole = sorted.iter().all(|(cell, _)| cell.fract() == 0.0);
    let distinct = runs.len() as f64 / sorted.len() as f64;
    if whole && rows >= LEAST && missing * 50 < rows && distinct >= IDENTIFIES {
        let rising = cells.windows(2).all(|two| two[0] < two[1]);
        let falling = cells.windows(2).all(|two| two[0] > two[1]);
        let range = runs[runs.len() - 1].0 - runs[0].0 + 1.0;
        let chance = all_different(sorted.len() as f64, runs.len() as f64, range);
        found.push(Oddity::IdLike { distinct, monotone: rising || falling, chance: Some(chance) });
        return found;
    }
    found.extend(outliers(&sorted, rows));
    found
}

fn texts(codes: &[u32], values: usize) -> Vec<Oddity> {
    let rows = codes.len();
    let counts = counts(codes, values);
    let there: usize = counts.iter().sum();
    let distinct = counts.iter().filter(|count| **count > 0).count();
    let most = counts.iter().enumerate().max_by_key(|(at, count)| (**count, usize::MAX - at));
    let (value, count) = most.map_or((usize::MAX, 0), |(at, count)| (at, *count));
    let other = |row: usize| codes[row] == MISSING || codes[row] as usize != value;
    if let Some(constant) = constant(rows, rows - there, distinct, count, other) {
        return vec![constant];
    }
    let share = distinct as f64 / there as f64;
    if rows >= LEAST && (rows - there) * 50 < rows && share >= IDENTIFIES {
        return vec![Oddity::IdLike { distinct: share, monotone: false, chance: None }];
    }
    Vec::new()
}

fn constant(
    rows: usize,
    missing: usize,
    distinct: usize,
    most: usize,
    other: impl Fn(usize) -> bool,
) -> Option<Oddity> {
    if distinct == 0 || (distinct == 1 && missing == 0) {
        return Some(Oddity::Constant);
    }
    let (most, all_missing) = if missing > most { (missing, true) } else { (most, false) };
    if all_missing || (most as f64) < QUASI * rows as f64 {
        return None;
    }
    let others = (0..rows).filter(|row| other(*row)).filter_map(|row| u32::try_from(row).ok());
    Some(Oddity::QuasiConstant { rows: others.collect(), share: most as f64 / rows as f64 })
}

/// How likely at most n - d of n draws from so many numbers repeat an earlier one: pairs that are equal are about
/// Poisson with mean n(n-1)/2r (the birthday problem, von Mises, 1939).
fn all_different(n: f64, distinct: f64, range: f64) -> Chance {
    let (mean, repeats) = (n * (n - 1.0) / 2.0 / range.max(1.0), n - distinct);
    let mut ln = f64::NEG_INFINITY;
    let mut k = 0.0;
    while k <= repeats && k < 100_000.0 {
        ln = super::chance::ln_add(ln, k * mean.ln() - mean - ln_gamma(k + 1.0));
        k += 1.0;
    }
    Chance::new(ln, "birthday problem in the range of the numbers, Poisson approximation")
}

/// Robust z-scores by the median absolute deviation (Iglewicz and Hoaglin, 1993), of the numbers or, where these are
/// positive and more symmetric then, of their logarithms.
fn outliers(sorted: &[(f64, u32)], rows: usize) -> Option<Oddity> {
    if sorted.len() < LEAST {
        return None;
    }
    let plain: Vec<f64> = sorted.iter().map(|(cell, _)| *cell).collect();
    let logarithms: Option<Vec<f64>> = (plain[0] > 0.0).then(|| plain.iter().map(|cell| cell.ln()).collect());
    let (values, logs) = match logarithms {
        Some(logs) if skewness(&logs).abs() < skewness(&plain).abs() => (logs, true),
        _ => (plain, false),
    };
    let centre = values[values.len() / 2];
    let mut away: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    away.sort_unstable_by(f64::total_cmp);
    let deviation = away[away.len() / 2] * 1.4826;
    if deviation <= 0.0 || !deviation.is_finite() {
        return None;
    }
    let n = values.len() as f64;
    let limit = beyond(EXPECTED / n);
    let mut far: Vec<(f64, u32)> = values
        .iter()
        .zip(sorted)
        .map(|(value, (_, row))| (((value - centre) / deviation).clamp(-1e9, 1e9), *row))
        .filter(|(score, _)| score.abs() > limit)
        .collect();
    // What one row in a hundred is makes a heavy tail, not outliers.
    if far.is_empty() || far.len() * 100 > rows {
        return None;
    }
    far.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()).then(a.1.cmp(&b.1)));
    let chance = Chance::new(
        binomial_upper(n, EXPECTED / n, far.len() as f64),
        "binomial tail, each row beyond the limit as often as a normal is",
    );
    Some(Oddity::Outliers {
        rows: far.iter().map(|(_, row)| *row).collect(),
        scores: far.iter().map(|(score, _)| *score).collect(),
        logarithms: logs,
        expected: EXPECTED,
        chance,
    })
}

/// Bowley's skewness of rising numbers, from -1 to 1.
fn skewness(sorted: &[f64]) -> f64 {
    let last = sorted.len() - 1;
    let (low, middle, high) = (sorted[last / 10], sorted[last / 2], sorted[last * 9 / 10]);
    if high > low { (high + low - 2.0 * middle) / (high - low) } else { 0.0 }
}

/// The z beyond which, on both sides together, a normal has this share.
fn beyond(share: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if normal_both(middle) > share.ln() { low = middle } else { high = middle }
    }
    high
}

/// A label that few rows have.
#[derive(Debug, Clone, PartialEq)]
pub struct RareLabel {
    /// Its code.
    pub label: u32,
    /// Its rows, counted from 0.
    pub rows: Vec<u32>,
    /// Its share.
    pub share: f64,
    /// The interval of its share at 99 %.
    pub interval: (f64, f64),
}

/// Labels that at least one and less than `least` of all rows have, the rarest first.
pub fn rare_labels(table: &Table<'_>, least: f64) -> Vec<RareLabel> {
    let n = table.rows() as f64;
    let mut found = Vec::new();
    for (label, count) in table.class_counts().into_iter().enumerate() {
        let share = count as f64 / n;
        if count > 0 && share < least {
            let own = table.labels().iter().zip(0_u32..).filter(|(code, _)| **code as usize == label);
            found.push(RareLabel {
                label: u32::try_from(label).unwrap_or(u32::MAX),
                rows: own.map(|(_, row)| row).collect(),
                share,
                interval: share_interval(n, count as f64, 0.01),
            });
        }
    }
    found.sort_by(|a, b| a.share.total_cmp(&b.share).then(a.label.cmp(&b.label)));
    found
}
