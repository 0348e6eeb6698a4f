//! From a table to numbers: medians for what is missing, a common scale, one column for each frequent text.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Cells, Column};
use crate::limits::TRAIN_CATEGORIES;

/// What was learned about each column.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// The columns of numbers, in order.
    pub(crate) numbers: Vec<Number>,
    /// The columns of texts, in order, with their categories sorted.
    pub(crate) texts: Vec<Vec<Arc<str>>>,
}

/// How a column of numbers is prepared: `(x - offset) * scale` after the median has taken the place of NaN.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number {
    pub(crate) median: f32,
    pub(crate) offset: f32,
    pub(crate) scale: f32,
}

/// An encoded table. Features are the columns of numbers, then all categories of all columns of texts.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) rows: usize,
    /// Columns of numbers.
    pub(crate) width: usize,
    /// Numbers with medians in them, not scaled, row by row.
    pub(crate) numbers: Vec<f32>,
    pub(crate) scales: Vec<Number>,
    /// Columns of texts.
    pub(crate) texts: usize,
    /// For each row and column of texts the feature of its category; [`NONE`] for an unknown one.
    pub(crate) categories: Vec<usize>,
    pub(crate) features: usize,
}

/// No category.
pub(crate) const NONE: usize = usize::MAX;

impl Encoder {
    pub(crate) fn new(columns: &[Column], rows: &[usize]) -> Encoder {
        let mut encoder = Encoder { numbers: Vec::new(), texts: Vec::new() };
        for column in columns {
            match &column.cells {
                Cells::Numbers(cells) => {
                    encoder.numbers.push(number(rows.iter().filter_map(|row| cells.get(*row).copied())));
                }
                Cells::Texts(cells) => {
                    encoder.texts.push(categories(rows.iter().filter_map(|row| cells.get(*row))));
                }
            }
        }
        encoder
    }

    pub(crate) fn features(&self) -> usize {
        self.numbers.len() + self.texts.iter().map(Vec::len).sum::<usize>()
    }

    pub(crate) fn encode(&self, columns: &[Column], rows: &[usize]) -> Encoded {
        let mut starts = Vec::with_capacity(self.texts.len());
        let mut start = self.numbers.len();
        for categories in &self.texts {
            starts.push(start);
            start += categories.len();
        }
        let mut numbers = Vec::with_capacity(rows.len() * self.numbers.len());
        let mut categories = Vec::with_capacity(rows.len() * self.texts.len());
        for row in rows {
            let (mut scales, mut texts) = (self.numbers.iter(), self.texts.iter().zip(&starts));
            for column in columns {
                match &column.cells {
                    Cells::Numbers(cells) => {
                        let cell = cells.get(*row).copied().unwrap_or(f32::NAN);
                        let median = scales.next().map_or(0.0, |scale| scale.median);
                        numbers.push(if cell.is_nan() { median } else { cell });
                    }
                    Cells::Texts(cells) => {
                        let place = texts.next().zip(cells.get(*row));
                        let feature = place
                            .and_then(|((known, start), cell)| Some(start + known.binary_search(cell).ok()?));
                        categories.push(feature.unwrap_or(NONE));
                    }
                }
            }
        }
        Encoded {
            rows: rows.len(),
            width: self.numbers.len(),
            numbers,
            scales: self.numbers.clone(),
            texts: self.texts.len(),
            categories,
            features: self.features(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a model's constants are 32-bit floats")]
fn number(cells: impl Iterator<Item = f32>) -> Number {
    let mut sorted: Vec<f32> = cells.filter(|cell| !cell.is_nan()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let count = sorted.len() as f64;
    let Some(median) = sorted.get(sorted.len() / 2).copied() else {
        return Number { median: 0.0, offset: 0.0, scale: 1.0 };
    };
    let mean = sorted.iter().map(|cell| f64::from(*cell)).sum::<f64>() / count;
    let squares =
        sorted.iter().map(|cell| (f64::from(*cell) - mean) * (f64::from(*cell) - mean)).sum::<f64>();
    let deviation = libm::sqrt(squares / count);
    // A column that never changes tells nothing: scaled by one it is about zero everywhere.
    let scale = if deviation > 1e-12 { (1.0 / deviation) as f32 } else { 1.0 };
    let scale = if scale.is_finite() { scale } else { 1.0 };
    Number { median, offset: mean as f32, scale }
}

/// The most frequent texts, sorted. Of equally frequent ones the first in order are taken.
fn categories<'c>(cells: impl Iterator<Item = &'c Arc<str>>) -> Vec<Arc<str>> {
    let mut counts: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
    for cell in cells {
        *counts.entry(cell).or_default() += 1;
    }
    let mut frequent: Vec<(&Arc<str>, usize)> = counts.into_iter().collect();
    frequent.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut categories: Vec<Arc<str>> =
        frequent.into_iter().take(TRAIN_CATEGORIES).map(|(text, _)| Arc::clone(text)).collect();
    categories.sort_unstable();
    categories
}
