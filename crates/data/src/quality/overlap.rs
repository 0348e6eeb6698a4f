//! Rows that a table and its test table share, exactly or nearly.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and columns that were counted here")]

use std::collections::HashMap;

use super::chance::{Chance, binomial_upper};
use super::duplicates::{Group, equal_rows, near_rows};
use super::table::{Cells, Codes, Feature, MISSING, Table};

/// Rows of a test table that are in the other table too.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlap {
    /// Rows of the test table, counted from 0, rising: those that are there exactly.
    pub exact: Vec<u32>,
    /// Those that are there nearly, without the exact ones.
    pub near: Vec<u32>,
    /// The share of the other table's rows that come there more than once: what chance does.
    pub repeats: f64,
    /// How likely so many exact ones are at that share.
    pub exact_chance: Chance,
    /// How likely so many exact or near ones are at the share of near repeats.
    pub near_chance: Chance,
}

/// The tables have other columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the column `{name}` is not in both tables, or is numbers in one and texts in the other")]
pub struct OverlapFailed {
    /// The first such column.
    pub name: String,
}

const METHOD: &str = "binomial tail at the share of rows that repeat within the table";

/// Compares the features of two tables; labels may differ.
///
/// # Errors
/// When the features differ.
pub fn overlap(
    table: &Table<'_>,
    test: &Table<'_>,
    seed: u64,
    threads: usize,
) -> Result<Overlap, OverlapFailed> {
    let joined = join(table.features(), test.features())?;
    let features: Vec<Feature<'_>> = joined.iter().map(Joined::feature).collect();
    let (own, rows) = (table.rows(), table.rows() + test.rows());
    let exact = equal_rows(&features, rows, seed, threads);
    let near = near_rows(&features, rows, seed, threads);
    let (mut shared, mut repeats) = split(&exact, own);
    let (mut close, mut near_repeats) = split(&near, own);
    shared.sort_unstable();
    close.sort_unstable();
    let (k, all) = (shared.len() as f64, close.len() as f64);
    close.retain(|row| shared.binary_search(row).is_err());
    // Half a row more, for tables without any.
    repeats = (repeats + 0.5) / (own as f64 + 1.0);
    near_repeats = (near_repeats + 0.5) / (own as f64 + 1.0);
    let n = test.rows() as f64;
    Ok(Overlap {
        exact: shared,
        near: close,
        repeats,
        exact_chance: Chance::new(binomial_upper(n, repeats.min(1.0), k), METHOD),
        near_chance: Chance::new(binomial_upper(n, near_repeats.min(1.0), all), METHOD),
    })
}

/// Rows of the second table in groups with rows of the first one, and how many of the first are in groups with
/// others of the first.
fn split(groups: &[Group], own: usize) -> (Vec<u32>, f64) {
    let (mut shared, mut repeats) = (Vec::new(), 0.0);
    for group in groups {
        let first = group.rows.partition_point(|row| (*row as usize) < own);
        if first > 0 {
            shared
                .extend(group.rows[first..].iter().filter_map(|row| u32::try_from(*row as usize - own).ok()));
        }
        if first > 1 {
            repeats += first as f64;
        }
    }
    (shared, repeats)
}

/// A column of both tables, one below the other.
enum Joined<'a> {
    Numbers(&'a str, Vec<f64>),
    Codes(&'a str, Vec<u32>, Vec<String>),
}

impl Joined<'_> {
    fn feature(&self) -> Feature<'_> {
        match self {
            Self::Numbers(name, cells) => Feature { name, cells: Cells::Numbers(cells) },
            Self::Codes(name, codes, values) => {
                Feature { name, cells: Cells::Codes(Codes { codes, values }) }
            }
        }
    }
}

fn join<'a>(ours: &[Feature<'a>], theirs: &[Feature<'a>]) -> Result<Vec<Joined<'a>>, OverlapFailed> {
    let mut joined = Vec::with_capacity(ours.len());
    for own in ours {
        let other = theirs.iter().find(|other| other.name == own.name);
        joined.push(match (own.cells, other.map(|other| other.cells)) {
            (Cells::Numbers(a), Some(Cells::Numbers(b))) => Joined::Numbers(own.name, [a, b].concat()),
            (Cells::Codes(a), Some(Cells::Codes(b))) => {
                let mut values = a.values.to_vec();
                let mut places: HashMap<&str, u32> = a.values.iter().map(String::as_str).zip(0..).collect();
                let mut known = Vec::with_capacity(b.values.len());
                for text in b.values {
                    let next = u32::try_from(values.len()).unwrap_or(MISSING);
                    let place = *places.entry(text).or_insert(next);
                    if place == next {
                        values.push(text.clone());
                    }
                    known.push(place);
                }
                let mut codes = a.codes.to_vec();
                codes
                    .extend(b.codes.iter().map(|c| if *c == MISSING { MISSING } else { known[*c as usize] }));
                Joined::Codes(own.name, codes, values)
            }
            _ => return Err(OverlapFailed { name: own.name.to_owned() }),
        });
    }
    let missing = theirs.iter().find(|other| ours.iter().all(|own| own.name != other.name));
    match missing {
        Some(other) => Err(OverlapFailed { name: other.name.to_owned() }),
        None => Ok(joined),
    }
}
