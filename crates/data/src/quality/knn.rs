//! Rows whose nearest neighbours have another label.
//!
//! For each row the labels of its k nearest other rows are counted. If labels had nothing to do with features, the
//! neighbours would be a draw from all other rows, so the number with the row's own label would be hypergeometric;
//! its lower tail is the row's p-value, and Benjamini and Hochberg (1995) decide over all rows. This rejects rows
//! that are out of place, not only wrong ones: where the features leave a label open, the rarer side is out of place
//! too.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and classes that were counted here")]

use super::chance::{Chance, adjusted, hypergeometric_lower};
use super::neighbours::Space;
use super::table::Table;
use crate::threads;

/// Neighbours of a row, but at most a quarter of the table: of fewer a rare label's absence says little.
const K: usize = 40;

/// Rows among neighbours of another label.
#[derive(Debug, Clone, PartialEq)]
pub struct Disagreement {
    /// Rows, counted from 0, the least likely first.
    pub rows: Vec<u32>,
    /// For each the share of neighbours with another label.
    pub scores: Vec<f64>,
    /// For each the label that most neighbours have.
    pub likely: Vec<u32>,
    /// The highest adjusted p-value among these rows.
    pub chance: Chance,
    /// Whether all rows were compared with all.
    pub exact: bool,
    /// The share of true neighbours that was found.
    pub recall: f64,
}

/// Finds rows whose neighbours disagree, at a false-discovery rate. All rows are compared when that takes at most
/// `budget` products; the same seed gives the same answer whatever `threads` is.
pub fn disagreement(table: &Table<'_>, rate: f64, seed: u64, threads: usize, budget: usize) -> Disagreement {
    let rows = table.rows();
    let space = Space::new(table.features(), rows, threads);
    let nearest = space.nearest(K.min(rows / 4).max(1), seed, threads, budget);
    let (labels, counts) = (table.labels(), table.class_counts());
    let k = nearest.k as f64;
    // The p-value depends on the label and on how many neighbours have it.
    let tails: Vec<Vec<f64>> = counts
        .iter()
        .map(|count| {
            let others = (*count as f64 - 1.0).max(0.0);
            (0..=nearest.k)
                .map(|same| hypergeometric_lower(rows as f64 - 1.0, others, k, same as f64))
                .collect()
        })
        .collect();
    let seen = threads::rows(threads, rows, |row| {
        let near = &nearest.of[row * nearest.k..(row + 1) * nearest.k];
        let mut votes: Vec<(u32, usize)> = Vec::new();
        for other in near {
            let label = labels[*other as usize];
            match votes.iter_mut().find(|(known, _)| *known == label) {
                Some((_, count)) => *count += 1,
                None => votes.push((label, 1)),
            }
        }
        let own = votes.iter().find(|(label, _)| *label == labels[row]).map_or(0, |(_, count)| *count);
        let (likely, most) = votes
            .into_iter()
            .max_by_key(|(label, count)| (*count, std::cmp::Reverse(*label)))
            .unwrap_or((0, 0));
        (own, likely, most)
    });
    let ln: Vec<f64> =
        seen.iter().zip(labels).map(|((own, _, _), label)| tails[*label as usize][*own]).collect();
    let ln = adjusted(&ln, false);
    let mut found: Vec<(f64, usize)> = (0..rows)
        .filter(|row| ln[*row] <= rate.ln() && seen[*row].1 != labels[*row] && 2 * seen[*row].2 > nearest.k)
        .map(|row| (ln[row], row))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(seen[a.1].0.cmp(&seen[b.1].0)).then(a.1.cmp(&b.1)));
    let chance = Chance::new(
        found.last().map_or(0.0, |(ln, _)| *ln),
        "hypergeometric tail for the neighbours with the row's own label against its prevalence, Benjamini-Hochberg over rows",
    );
    let score = |row: &usize| 1.0 - seen[*row].0 as f64 / k;
    let order: Vec<usize> = found.into_iter().map(|(_, row)| row).collect();
    Disagreement {
        scores: order.iter().map(score).collect(),
        likely: order.iter().map(|row| seen[*row].1).collect(),
        rows: order.into_iter().filter_map(|row| u32::try_from(row).ok()).collect(),
        chance,
        exact: nearest.exact,
        recall: nearest.recall,
    }
}
