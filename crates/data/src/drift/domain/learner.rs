//! A small deterministic learner: logistic regression on binned values and hashed pairs of them.

#![expect(clippy::indexing_slicing, reason = "a kernel over rows and slots that it numbered itself")]
#![expect(clippy::cast_possible_truncation, reason = "hashes are cut to the size of the table")]
#![expect(clippy::cast_precision_loss, reason = "numbers of rows")]

use crate::drift::compare::{Column, Side};
use crate::drift::ordered::Numbers;
use crate::drift::random::Random;
use crate::drift::report::NotJudged;
use crate::drift::summary::Edges;

/// Slots of the weights; a power of two.
const SLOTS: usize = 1 << 15;

/// Bins of a column of numbers.
const BINS: u16 = 16;

/// Times that each row is seen.
const EPOCHS: usize = 4;

/// The first step of a weight.
const STEP: f64 = 0.15;

/// How strongly weights are drawn to zero, for each row that has them.
const SHRINK: f64 = 2e-3;

/// Bins of numbers that are one in pairs: 16 cells for a pair of columns are learnt sooner than 256.
const MERGED: u32 = 4;

/// Columns whose pairs are features.
const PAIRED: usize = 25;

/// All rows of both sides as bins, the reference first.
pub(super) struct Features {
    /// Bins of each column, a row after the other.
    columns: Vec<Vec<u32>>,
    /// Which columns are numbers.
    numbers: Vec<bool>,
    reference: usize,
    current: usize,
}

impl Features {
    pub(super) const fn is_current(&self, row: usize) -> bool {
        row >= self.reference
    }

    pub(super) const fn sizes(&self) -> (usize, usize) {
        (self.reference, self.current)
    }
}

/// Bins the columns.
pub(super) fn features(columns: &[Column<'_>]) -> Result<Features, NotJudged> {
    let mut all = Features { columns: Vec::new(), numbers: Vec::new(), reference: 0, current: 0 };
    for (at, column) in columns.iter().enumerate() {
        let (sizes, bins) = match (column.reference, column.current) {
            (Side::Numbers(ours), Side::Numbers(theirs)) => {
                let both: Vec<f64> = ours.iter().chain(theirs).copied().collect();
                let edges = Edges::quantiles(&Numbers::new(&both), BINS);
                let bin = |value: &f64| if value.is_nan() { Side::MISSING } else { edges.bin(*value) as u32 };
                ((ours.len(), theirs.len()), both.iter().map(bin).collect::<Vec<u32>>())
            }
            (Side::Categories(ours), Side::Categories(theirs)) => {
                ((ours.len(), theirs.len()), ours.iter().chain(theirs).copied().collect())
            }
            (Side::Absent, _) => return Err(NotJudged::AbsentFromReference),
            (_, Side::Absent) => return Err(NotJudged::AbsentFromCurrent),
            _ => return Err(NotJudged::KindsDiffer),
        };
        if at > 0 && sizes != all.sizes() {
            return Err(NotJudged::ClustersUnmatched);
        }
        (all.reference, all.current) = sizes;
        all.numbers.push(matches!(column.reference, Side::Numbers(_)));
        all.columns.push(bins);
    }
    Ok(all)
}

/// A trained model.
pub(super) struct Model {
    weights: Vec<f64>,
    pairs: Vec<(usize, usize)>,
}

impl Model {
    /// Trains by stochastic gradient descent with a step for each weight (Duchi, Hazan and Singer, 2011), both sides
    /// weighing the same.
    pub(super) fn train(all: &Features, rows: &[usize], random: &mut Random) -> Self {
        let pairs = pairs(all, rows);
        let mut model = Self { weights: vec![0.0; SLOTS], pairs };
        let mut squares = vec![0.0; SLOTS];
        let count = rows.iter().filter(|row| all.is_current(**row)).count().max(1);
        let weigh = [
            rows.len() as f64 / 2.0 / (rows.len() - count).max(1) as f64,
            rows.len() as f64 / 2.0 / count as f64,
        ];
        let mut order = rows.to_vec();
        let mut slots = Vec::new();
        for _ in 0..EPOCHS {
            let count = order.len();
            random.choose(&mut order, count);
            for row in &order {
                let current = all.is_current(*row);
                model.slots(all, *row, None, &mut slots);
                let sum = slots.iter().map(|slot| model.weights[*slot]).sum::<f64>();
                let error = (1.0 / (1.0 + (-sum).exp()) - f64::from(current)) * weigh[usize::from(current)];
                for slot in &slots {
                    let gradient = error + SHRINK * model.weights[*slot];
                    squares[*slot] += gradient * gradient;
                    model.weights[*slot] -=
                        STEP * gradient / (1.0 + squares[*slot]).sqrt() / (slots.len() as f64).sqrt();
                }
            }
        }
        model
    }

    /// The log-odds of a row being current; one column may take its value from another row.
    pub(super) fn score(&self, all: &Features, row: usize, from: Option<(usize, usize)>) -> f64 {
        let mut slots = Vec::with_capacity(all.columns.len() + self.pairs.len());
        self.slots(all, row, from, &mut slots);
        slots.iter().map(|slot| self.weights[*slot]).sum::<f64>()
    }

    fn slots(&self, all: &Features, row: usize, from: Option<(usize, usize)>, slots: &mut Vec<usize>) {
        slots.clear();
        let bin = |column: usize| {
            let row = from.filter(|(other, _)| *other == column).map_or(row, |(_, donor)| donor);
            all.columns[column][row]
        };
        let key = |column: usize, bin: u32| hash((column as u64) << 32 | u64::from(bin));
        slots.extend((0..all.columns.len()).map(|column| key(column, bin(column)) as usize % SLOTS));
        let coarse = |column: usize| {
            let bin = bin(column);
            key(column, if all.numbers[column] { bin / MERGED } else { bin })
        };
        let pair =
            |(one, two): &(usize, usize)| hash(coarse(*one) ^ coarse(*two).rotate_left(32)) as usize % SLOTS;
        slots.extend(self.pairs.iter().map(pair));
    }
}

/// The pairs among the columns whose bins differ most between the sides.
fn pairs(all: &Features, rows: &[usize]) -> Vec<(usize, usize)> {
    let mut columns: Vec<(usize, f64)> =
        all.columns.iter().map(|bins| difference(all, bins, rows)).enumerate().collect();
    columns.sort_by(|one, two| two.1.total_cmp(&one.1));
    columns.truncate(PAIRED);
    let mut kept: Vec<usize> = columns.into_iter().map(|(column, _)| column).collect();
    kept.sort_unstable();
    let after = |(at, one): (usize, &usize)| {
        let one = *one;
        kept.iter().skip(at + 1).map(move |two| (one, *two)).collect::<Vec<_>>()
    };
    kept.iter().enumerate().flat_map(after).collect()
}

/// Half the sum of the differences of shares, over hashed bins.
fn difference(all: &Features, bins: &[u32], rows: &[usize]) -> f64 {
    let mut counts = vec![[0.0_f64; 2]; 256];
    for row in rows {
        counts[hash(u64::from(bins[*row])) as usize % 256][usize::from(all.is_current(*row))] += 1.0;
    }
    let sizes = counts.iter().fold([0.0, 0.0], |sum, pair| [sum[0] + pair[0], sum[1] + pair[1]]);
    let each =
        |pair: &[f64; 2]| (pair[0] / f64::max(sizes[0], 1.0) - pair[1] / f64::max(sizes[1], 1.0)).abs();
    counts.iter().map(each).sum::<f64>() / 2.0
}

const fn hash(value: u64) -> u64 {
    let value = (value ^ (value >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let value = (value ^ (value >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    value ^ (value >> 32)
}
