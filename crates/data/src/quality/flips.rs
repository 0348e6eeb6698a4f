//! Labels that changed between two versions of a table, matched by key or by what the rows hold.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows that were counted here")]

use std::collections::HashMap;

use bartizan_base::Hasher;

use super::chance::{Chance, binomial_upper};
use super::table::{Cells, MISSING, Table, key};
use crate::threads;

/// Labels that went from one to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Flips {
    /// The label before, as a code of the new table; [`MISSING`] when the new one does not know it.
    pub from: u32,
    /// The label now.
    pub to: u32,
    /// Rows of the new table, counted from 0, rising.
    pub rows: Vec<u32>,
    /// Rows that went the other way.
    pub back: usize,
    /// How likely at least so many of all that went either way went this one: a fair coin for each (McNemar's exact
    /// test, one-sided).
    pub chance: Chance,
}

/// What became of labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelFlips {
    /// Rows that are in both versions.
    pub matched: usize,
    /// How many of them have another label.
    pub flipped: usize,
    /// How likely so many would be if labels changed at the tolerated rate.
    pub chance: Chance,
    /// By label before and now, the most first.
    pub by_label: Vec<Flips>,
    /// Keys that come more than once in a version, and are not matched.
    pub ambiguous: usize,
}

/// Versions that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlipsFailed {
    /// The features have other names.
    #[error("the versions have other columns, and rows without keys are matched by them")]
    Columns,
    /// One version has keys, and the other has none.
    #[error("only one of the versions has keys")]
    Keys,
}

/// Compares the labels of rows that two versions share. `tolerated` is the share of labels that may change.
///
/// Rows are matched by key where both versions have keys, else by equal features; of equal rows as many as possible
/// keep their label. Labels are compared as texts.
///
/// # Errors
/// When rows cannot be matched at all.
pub fn label_flips(
    old: &Table<'_>,
    new: &Table<'_>,
    tolerated: f64,
    threads: usize,
) -> Result<LabelFlips, FlipsFailed> {
    let known: HashMap<&str, u32> = new.label().codes.values.iter().map(String::as_str).zip(0..).collect();
    let before: Vec<u32> = old
        .labels()
        .iter()
        .map(|code| known.get(old.label().codes.values[*code as usize].as_str()).copied().unwrap_or(MISSING))
        .collect();
    let (keyed, ours, theirs) = match (new.keys(), old.keys()) {
        (Some(new), Some(old)) => (true, new.to_vec(), old.to_vec()),
        (None, None) => {
            let names =
                |table: &Table<'_>| table.features().iter().map(|f| f.name.to_owned()).collect::<Vec<_>>();
            if names(new) != names(old) {
                return Err(FlipsFailed::Columns);
            }
            (false, contents(new, threads), contents(old, threads))
        }
        _ => return Err(FlipsFailed::Keys),
    };
    let mut all: Vec<(u128, bool, u32)> = Vec::with_capacity(ours.len() + theirs.len());
    all.extend(theirs.iter().zip(0..).map(|(key, row)| (*key, false, row)));
    all.extend(ours.iter().zip(0..).map(|(key, row)| (*key, true, row)));
    all.sort_unstable();
    let (mut matched, mut flipped, mut ambiguous) = (0, 0, 0);
    let mut pairs: HashMap<(u32, u32), Vec<u32>> = HashMap::new();
    for run in all.chunk_by(|a, b| a.0 == b.0) {
        let (was, is) = run.split_at(run.partition_point(|(_, new, _)| !*new));
        if was.is_empty() || is.is_empty() {
            continue;
        }
        if keyed && (was.len() > 1 || is.len() > 1) {
            ambiguous += 1;
            continue;
        }
        // Both sides by label, side by side: equal labels are matched, and what is left over on both has changed.
        let mut left: Vec<u32> = was.iter().map(|(_, _, row)| before[*row as usize]).collect();
        let mut right: Vec<(u32, u32)> =
            is.iter().map(|(_, _, row)| (new.labels()[*row as usize], *row)).collect();
        left.sort_unstable();
        right.sort_unstable();
        let (mut gone, mut changed) = (Vec::new(), Vec::new());
        let mut olds = left.into_iter().peekable();
        for (label, row) in right {
            while let Some(old) = olds.next_if(|old| *old < label) {
                gone.push(old);
            }
            match olds.next_if_eq(&label) {
                Some(_) => matched += 1,
                None => changed.push(row),
            }
        }
        gone.extend(olds);
        for (from, row) in gone.into_iter().zip(changed) {
            matched += 1;
            flipped += 1;
            pairs.entry((from, new.labels()[row as usize])).or_default().push(row);
        }
    }
    let mut by_label: Vec<Flips> = Vec::with_capacity(pairs.len());
    for ((from, to), rows) in &pairs {
        let back = pairs.get(&(*to, *from)).map_or(0, Vec::len);
        let (k, n) = (rows.len() as f64, (rows.len() + back) as f64);
        let chance = Chance::new(binomial_upper(n, 0.5, k), "McNemar's exact test, one-sided");
        let mut rows = rows.clone();
        rows.sort_unstable();
        by_label.push(Flips { from: *from, to: *to, rows, back, chance });
    }
    by_label.sort_by(|a, b| b.rows.len().cmp(&a.rows.len()).then((a.from, a.to).cmp(&(b.from, b.to))));
    let chance = Chance::new(
        binomial_upper(f64::from(matched), tolerated, f64::from(flipped)),
        "binomial tail at the tolerated rate of changed labels",
    );
    Ok(LabelFlips {
        matched: usize::try_from(matched).unwrap_or(usize::MAX),
        flipped: usize::try_from(flipped).unwrap_or(usize::MAX),
        chance,
        by_label,
        ambiguous,
    })
}

/// What names each row by its features: categories count by their texts, so that other codes change nothing.
fn contents(table: &Table<'_>, threads: usize) -> Vec<u128> {
    let texts: Vec<Vec<u128>> =
        threads::map(threads, table.features().len(), |at| match table.features()[at].cells {
            Cells::Numbers(_) => Vec::new(),
            Cells::Codes(codes) => codes.values.iter().map(|text| key(text.as_bytes())).collect(),
        });
    threads::rows(threads, table.rows(), |row| {
        let mut hasher = Hasher::new();
        for (feature, texts) in table.features().iter().zip(&texts) {
            let cell = match feature.cells {
                Cells::Numbers(cells) if cells[row].is_nan() => u128::MAX,
                Cells::Numbers(cells) => u128::from((cells[row] + 0.0).to_bits()),
                Cells::Codes(codes) if codes.codes[row] == MISSING => u128::MAX,
                Cells::Codes(codes) => texts[codes.codes[row] as usize],
            };
            hasher.update(&cell.to_le_bytes());
        }
        hasher.finish().as_bytes().iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
    })
}
