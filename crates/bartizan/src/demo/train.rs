//! A small, honest logistic regression, so that the demo's model has really learned from the demo's data.
//!
//! ```text
//!   table -> numeric columns -> standardise, missing = mean -> 300 accelerated gradient steps -> Trained
//!              label -> yes or no        every fifth row is held out and only used to judge the result
//! ```
//!
//! It looks at numeric columns only and knows no regularisation beyond a trace for stability; whoever wants
//! a good model brings one. The same bytes give the same weights on every machine.

use std::collections::BTreeSet;

use super::limits::{FEATURES, TRAINING_ROWS};
use super::rng::sigmoid;
use super::table::{Table, TableRefused, parse_number};

const STEPS: u32 = 300;
const L2: f64 = 1e-4;
const HOLD_OUT_EVERY: usize = 5;
const FEWEST_ROWS: usize = 20;

/// Which column is to be predicted, and what counts as a yes in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label<'a> {
    /// The column's name.
    pub(crate) column: &'a str,
    /// Numbers above this are a yes. Without it the column must hold exactly two values, and the one that
    /// sorts last is the yes: `1` of `0`, `1`; `true` of `false`, `true`; `>50K` of `<=50K`, `>50K`.
    pub(crate) above: Option<f64>,
}

/// A fitted logistic regression over named numeric columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trained {
    /// The columns it reads, in order.
    pub(crate) features: Vec<String>,
    /// Each column's mean; it also stands for a missing value.
    pub(crate) means: Vec<f64>,
    /// Each column's standard deviation, never 0.
    pub(crate) scales: Vec<f64>,
    /// Log-odds per standard deviation of each column.
    pub(crate) weights: Vec<f64>,
    /// Log-odds of a row of means.
    pub(crate) bias: f64,
    /// Rows it learned from.
    pub(crate) rows: usize,
    /// Rows it was judged on; it never saw them.
    pub(crate) held_out: usize,
    /// Share of held-out rows it puts on the right side of one half.
    pub(crate) accuracy: f64,
    /// Share of held-out rows that the more frequent answer alone would get right.
    pub(crate) majority: f64,
    /// Area under the ROC curve on the held-out rows: 0.5 is guessing, 1.0 is perfect.
    pub(crate) auc: f64,
}

/// Why nothing could be learned from the table.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum TrainRefused {
    #[error(transparent)]
    Table(#[from] TableRefused),
    #[error("column `{column}` holds {found} different values; two are needed, or a threshold")]
    LabelNotBinary { column: String, found: usize },
    #[error(
        "row {row}: `{value}` in column `{column}` is not a number, so it can't be compared with a threshold"
    )]
    LabelNotNumber { column: String, row: usize, value: String },
    #[error("every row has the same answer in column `{column}`")]
    OneAnswer { column: String },
    #[error("{found} rows have an answer and {FEWEST_ROWS} are needed")]
    TooFewRows { found: usize },
    #[error("no column other than `{label}` is numeric, varies and is filled in at least half of the rows")]
    NoFeatures { label: String },
}

impl Trained {
    /// The probability of a yes; `row` holds the features in order, `None` where a value is missing.
    pub(crate) fn probability(&self, row: &[Option<f64>]) -> f64 {
        let columns = row.iter().zip(&self.means).zip(self.scales.iter().zip(&self.weights));
        let log_odds =
            columns.map(|((value, mean), (scale, weight))| standardise(*value, *mean, *scale) * weight);
        sigmoid(self.bias + log_odds.sum::<f64>())
    }

    /// Fills in the three figures that say how good it is.
    fn be_judged(&mut self, table: &Table, columns: &[usize], rows: &[(usize, bool)]) {
        let score = |(row, yes): &(usize, bool)| {
            let values: Vec<Option<f64>> = columns.iter().map(|column| table.number(*row, *column)).collect();
            (self.probability(&values), *yes)
        };
        let scored: Vec<(f64, bool)> = rows.iter().map(score).collect();
        let yes_share = share(&scored, |(_, yes)| *yes);
        self.accuracy = share(&scored, |(p, yes)| (*p > 0.5) == *yes);
        self.majority = yes_share.max(1.0 - yes_share);
        self.auc = area_under_roc(scored);
    }
}

/// Fits a logistic regression on the numeric columns of a delimited file.
pub(crate) fn train(csv: &[u8], separator: u8, label: Label<'_>) -> Result<Trained, TrainRefused> {
    let table = Table::parse(csv, separator)?;
    let label_column = table.position(label.column)?;
    let answers = answers(&table, label)?;
    let answered: Vec<(usize, bool)> =
        answers.iter().enumerate().filter_map(|(row, answer)| answer.map(|yes| (row, yes))).collect();
    if answered.len() < FEWEST_ROWS {
        return Err(TrainRefused::TooFewRows { found: answered.len() });
    }
    let stride = answered.len().div_ceil(TRAINING_ROWS).max(1);
    let (mut learn, mut judge) = (Vec::new(), Vec::new());
    for (index, row) in answered.into_iter().step_by(stride).enumerate() {
        let side = if index % HOLD_OUT_EVERY == HOLD_OUT_EVERY - 1 { &mut judge } else { &mut learn };
        side.push(row);
    }
    let yes = learn.iter().filter(|(_, yes)| *yes).count();
    if yes == 0 || yes == learn.len() {
        return Err(TrainRefused::OneAnswer { column: label.column.to_owned() });
    }

    let mut features = Vec::new();
    let (mut columns, mut means, mut scales) = (Vec::new(), Vec::new(), Vec::new());
    for (column, name) in table.columns().iter().enumerate() {
        if column == label_column || features.len() == FEATURES || !table.is_numeric(column) {
            continue;
        }
        if let Some((mean, scale)) = mean_and_scale(&table, column, &learn) {
            features.push(name.clone());
            columns.push(column);
            means.push(mean);
            scales.push(scale);
        }
    }
    if features.is_empty() {
        return Err(TrainRefused::NoFeatures { label: label.column.to_owned() });
    }

    let mut matrix = Vec::with_capacity(learn.len() * columns.len());
    for (row, _) in &learn {
        for (column, (mean, scale)) in columns.iter().zip(means.iter().zip(&scales)) {
            matrix.push(standardise(table.number(*row, *column), *mean, *scale));
        }
    }
    let wanted: Vec<f64> = learn.iter().map(|(_, yes)| if *yes { 1.0 } else { 0.0 }).collect();
    let (weights, bias) = descend(&matrix, columns.len(), &wanted);

    let mut trained = Trained {
        features,
        means,
        scales,
        weights,
        bias,
        rows: learn.len(),
        held_out: judge.len(),
        accuracy: 0.0,
        majority: 0.0,
        auc: 0.0,
    };
    trained.be_judged(&table, &columns, &judge);
    Ok(trained)
}

/// The answer of each row; `None` where the cell is empty.
pub(crate) fn answers(table: &Table, label: Label<'_>) -> Result<Vec<Option<bool>>, TrainRefused> {
    let column = table.position(label.column)?;
    let cells = (0..table.rows()).map(|row| table.cell(row, column).trim_ascii());
    if let Some(above) = label.above {
        let judge = |(row, cell): (usize, &[u8])| {
            if cell.is_empty() {
                return Ok(None);
            }
            let number = parse_number(cell).ok_or_else(|| TrainRefused::LabelNotNumber {
                column: label.column.to_owned(),
                row: row + 1,
                value: String::from_utf8_lossy(cell).chars().take(80).collect(),
            })?;
            Ok(Some(number > above))
        };
        return cells.enumerate().map(judge).collect();
    }
    let values: BTreeSet<&[u8]> = cells.clone().filter(|cell| !cell.is_empty()).collect();
    let (2, Some(yes)) = (values.len(), values.last()) else {
        return Err(TrainRefused::LabelNotBinary { column: label.column.to_owned(), found: values.len() });
    };
    Ok(cells.map(|cell| if cell.is_empty() { None } else { Some(cell == *yes) }).collect())
}

fn standardise(value: Option<f64>, mean: f64, scale: f64) -> f64 {
    value.map_or(0.0, |value| (value - mean) / scale)
}

/// Mean and standard deviation over `rows`, unless the column is constant there or mostly missing.
fn mean_and_scale(table: &Table, column: usize, rows: &[(usize, bool)]) -> Option<(f64, f64)> {
    let values: Vec<f64> = rows.iter().filter_map(|(row, _)| table.number(*row, column)).collect();
    if values.len() * 2 < rows.len() || values.is_empty() {
        return None;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    let scale = variance.sqrt();
    (scale.is_finite() && scale > 1e-9 * mean.abs().max(1e-9)).then_some((mean, scale))
}

/// Nesterov's accelerated gradient descent on the mean log loss; returns the weights and the bias.
///
/// The columns of `matrix` are standardised, so its curvature is at most `(width + 1) / 4`, and the inverse
/// of that is a step that can't overshoot.
fn descend(matrix: &[f64], width: usize, wanted: &[f64]) -> (Vec<f64>, f64) {
    let step = 1.0 / ((width as f64 + 1.0) / 4.0 + L2);
    let count = wanted.len() as f64;
    // The last weight is the bias.
    let mut weights = vec![0.0; width + 1];
    let mut ahead = weights.clone();
    for round in 0..STEPS {
        let mut slope = vec![0.0; width + 1];
        for (row, want) in matrix.chunks_exact(width).zip(wanted) {
            let inputs = || row.iter().chain(std::iter::once(&1.0));
            let log_odds: f64 = inputs().zip(&ahead).map(|(x, weight)| x * weight).sum();
            let miss = sigmoid(log_odds) - want;
            for (total, x) in slope.iter_mut().zip(inputs()) {
                *total += miss * x;
            }
        }
        let momentum = f64::from(round) / f64::from(round + 3);
        for ((weight, ahead), slope) in weights.iter_mut().zip(&mut ahead).zip(&slope) {
            let moved = *ahead - step * (slope / count + L2 * *ahead);
            *ahead = moved + momentum * (moved - *weight);
            *weight = moved;
        }
    }
    let bias = weights.pop().unwrap_or(0.0);
    (weights, bias)
}

fn share<T>(items: &[T], holds: impl Fn(&T) -> bool) -> f64 {
    items.iter().filter(|item| holds(item)).count() as f64 / items.len() as f64
}

/// The chance that a random yes scores above a random no, ties counting half; 0.5 if either is absent.
fn area_under_roc(mut scored: Vec<(f64, bool)>) -> f64 {
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut yes, mut no, mut wins) = (0.0, 0.0, 0.0);
    for tied in scored.chunk_by(|a, b| a.0 == b.0) {
        let tied_yes = tied.iter().filter(|(_, yes)| *yes).count() as f64;
        let tied_no = tied.len() as f64 - tied_yes;
        wins += tied_yes * (no + tied_no / 2.0);
        yes += tied_yes;
        no += tied_no;
    }
    if yes == 0.0 || no == 0.0 { 0.5 } else { wins / (yes * no) }
}

#[cfg(test)]
mod tests;
