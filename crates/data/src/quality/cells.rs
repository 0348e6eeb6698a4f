//! Cells as few bins: what most statistics here are taken over.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and bins that were counted here")]

use super::table::{Cells, Codes, Feature, MISSING, counts};
use crate::threads;

/// What the cells of a bin have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting {
    /// Nothing is there.
    Missing,
    /// One category, by its code.
    Code(u32),
    /// One number.
    Value(f64),
    /// Numbers from the first to the second, both included.
    Range(f64, f64),
    /// One of many rare categories.
    Rest,
}

/// A feature in bins.
#[derive(Debug, Clone)]
pub(crate) struct Bins {
    /// For each row its bin.
    pub(crate) of: Vec<u8>,
    /// What each bin is; bin 0 holds what is missing.
    pub(crate) settings: Vec<Setting>,
    /// Whether neighbouring bins hold neighbouring numbers.
    pub(crate) ordered: bool,
}

/// How finely cells are put into bins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grain {
    /// Quantile ranges of numbers.
    ranges: usize,
    /// Numbers that come at least in this share of rows have a bin of their own.
    heavy: f64,
    /// Categories with a bin of their own.
    categories: usize,
}

impl Grain {
    /// For what changes smoothly: numbers in 16 ranges, unless there are few of them.
    pub(crate) const COARSE: Grain = Grain { ranges: 16, heavy: 1.0, categories: 60 };
    /// For what sticks out.
    pub(crate) const FINE: Grain = Grain { ranges: 48, heavy: 0.001, categories: 200 };
    /// Numbers of which there are so many at most have a bin each.
    const FEW: usize = 32;
    /// Numbers that come often and have a bin each.
    const HEAVY: usize = 64;
}

/// All features in bins.
pub(crate) fn bins(features: &[Feature<'_>], grain: Grain, threads: usize) -> Vec<Bins> {
    threads::map(threads, features.len(), |at| match features[at].cells {
        Cells::Numbers(cells) => numbers(cells, grain),
        Cells::Codes(codes) => categories(codes, grain),
    })
}

impl Bins {
    /// Rows in each bin.
    pub(crate) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.settings.len()];
        self.of.iter().for_each(|bin| counts[usize::from(*bin)] += 1);
        counts
    }
}

/// The numbers that are there, in rising order with their rows.
pub(crate) fn sorted(cells: &[f64]) -> Vec<(f64, u32)> {
    let mut sorted: Vec<(f64, u32)> =
        cells.iter().copied().zip(0_u32..).filter(|(cell, _)| !cell.is_nan()).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    sorted
}

fn numbers(cells: &[f64], grain: Grain) -> Bins {
    let sorted = sorted(cells);
    let mut runs: Vec<(f64, usize)> = Vec::new();
    for (cell, _) in &sorted {
        match runs.last_mut() {
            Some((value, count)) if *value == *cell => *count += 1,
            _ => runs.push((*cell, 1)),
        }
    }
    let least = if runs.len() <= Grain::FEW { 0.0 } else { (grain.heavy * cells.len() as f64).max(8.0) };
    let mut often: Vec<usize> = runs.iter().map(|(_, count)| *count).filter(|c| *c as f64 >= least).collect();
    often.sort_unstable_by(|a, b| b.cmp(a));
    let least = often.get(Grain::HEAVY - 1).map_or(least, |count| least.max(*count as f64 + 0.5));
    let is_heavy = |count: usize| count as f64 >= least;
    let light: usize = runs.iter().map(|(_, count)| *count).filter(|count| !is_heavy(*count)).sum();
    let full = light.div_ceil(grain.ranges).max(1);
    let mut settings = vec![Setting::Missing];
    let mut of = vec![0_u8; cells.len()];
    let (mut at, mut held, mut open) = (0, 0, false);
    for (value, count) in runs {
        if is_heavy(count) {
            settings.push(Setting::Value(value));
            open = false;
        } else {
            match settings.last_mut() {
                Some(Setting::Range(_, high)) if open && held < full => *high = value,
                _ => {
                    settings.push(Setting::Range(value, value));
                    held = 0;
                }
            }
            open = true;
            held += count;
        }
        let bin = u8::try_from(settings.len() - 1).unwrap_or(u8::MAX);
        for (_, row) in &sorted[at..at + count] {
            of[*row as usize] = bin;
        }
        at += count;
    }
    Bins { of, settings, ordered: true }
}

fn categories(codes: Codes<'_>, grain: Grain) -> Bins {
    let counts = counts(codes.codes, codes.values.len());
    let mut order: Vec<usize> = (0..counts.len()).filter(|code| counts[*code] > 0).collect();
    order.sort_by(|a, b| counts[*b].cmp(&counts[*a]).then(a.cmp(b)));
    let mut settings = vec![Setting::Missing];
    let mut bin_of = vec![0_u8; counts.len()];
    for (rank, code) in order.into_iter().enumerate() {
        if rank < grain.categories {
            settings.push(Setting::Code(u32::try_from(code).unwrap_or(MISSING)));
        } else if rank == grain.categories {
            settings.push(Setting::Rest);
        }
        bin_of[code] = u8::try_from(settings.len() - 1).unwrap_or(u8::MAX);
    }
    let bin = |code: &u32| if *code == MISSING { 0 } else { bin_of[*code as usize] };
    Bins { of: codes.codes.iter().map(bin).collect(), settings, ordered: false }
}
