//! A baseline trainer: what a first model of a table needs, and no more, written as an ONNX file.
//!
//! Missing numbers become the median of their column, texts one column for each frequent value, and a classifier
//! learns from that: a logistic regression, or boosted trees of limited depth. The same table, options and seed
//! give the same bytes on every machine. The file runs in this crate and in ONNX Runtime; what is measured on the
//! rows held out is measured by loading the file, not by a second implementation of the same model.
//!
//! It is not a replacement for the tools people train with. It exists so that there is a baseline to compare with,
//! and something to train where nothing can be installed.

mod boosted;
mod encode;
mod file;
mod logistic;
mod random;

use std::collections::HashSet;
use std::sync::Arc;

use self::encode::Encoder;
use self::random::Random;
use crate::limits::{
    NAME_BYTES, TEXT_BYTES, TRAIN_CELLS, TRAIN_CLASSES, TRAIN_COLUMNS, TRAIN_DEPTH, TRAIN_FEATURES,
    TRAIN_ROWS, TRAIN_STEPS, TRAIN_TREES,
};
use crate::model::{LoadFailed, Model, RunFailed};
use crate::signature::Labels;
use crate::tensor::{Tensor, TensorInvalid, Values};

/// A column to learn from.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name, which becomes the name of an input of the model.
    pub name: String,
    /// Its cells, one for each row.
    pub cells: Cells,
}

/// The cells of a column.
#[derive(Debug, Clone)]
pub enum Cells {
    /// Numbers; NaN where one is missing.
    Numbers(Vec<f32>),
    /// Texts; a missing one is whatever text stands for that, for example an empty one.
    Texts(Vec<Arc<str>>),
}

/// What is learned, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Learner {
    /// Multinomial logistic regression, found by L-BFGS.
    Logistic {
        /// The weight of the sum of squared coefficients, as a whole and not for each row: 1 is usual.
        penalty: f64,
        /// Steps at most.
        steps: usize,
    },
    /// Boosted trees on the logistic loss.
    Boosted {
        /// Rounds: one tree each with two classes, one for each class with more.
        rounds: usize,
        /// Questions on the way to a leaf at most.
        depth: usize,
        /// How much of each tree counts, more than 0 and at most 1.
        rate: f64,
        /// The share of rows that each round sees, more than 0 and at most 1.
        share: f64,
    },
}

/// How to train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// What is learned.
    pub learner: Learner,
    /// The share of rows that is kept from the learner and measured on, from 0 to 0.9.
    pub held_out: f64,
    /// Decides which rows are held out, and which each round of boosting sees.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { learner: Learner::Logistic { penalty: 1.0, steps: 200 }, held_out: 0.2, seed: 0 }
    }
}

/// A trained model, and how well it does.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The ONNX file. Its inputs are the columns, rows of one element each; its outputs are `label` and
    /// `probabilities`, whose columns are [`labels`](Self::labels).
    pub onnx: Vec<u8>,
    /// The labels, sorted.
    pub labels: Labels,
    /// Rows that were learned from.
    pub learned_rows: usize,
    /// Measured on the rows held out; `None` if there are none.
    pub measured: Option<Measured>,
}

/// What a model did on rows that it had not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// How many rows.
    pub rows: usize,
    /// The share of rows with the right label.
    pub accuracy: f64,
    /// The mean of minus the natural logarithm of the probability given to the right label.
    pub log_loss: f64,
}

/// A table or options that nothing can be learned from.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrainFailed {
    /// No columns, or too many.
    #[error("{got} columns, and 1 to {TRAIN_COLUMNS} are possible")]
    Columns {
        /// How many there are.
        got: usize,
    },
    /// Too few or too many rows.
    #[error("{got} rows to learn from, and 2 to {TRAIN_ROWS} are possible, with {TRAIN_CELLS} cells at most")]
    Rows {
        /// How many there are.
        got: usize,
    },
    /// A column with another number of cells than there are labels.
    #[error("the column `{name}` has {got} cells, and there are {expected} labels")]
    Length {
        /// The column.
        name: String,
        /// Its cells.
        got: usize,
        /// The labels.
        expected: usize,
    },
    /// A name that is empty, too long, or taken.
    #[error("the column name `{name}` is empty, too long, given twice, or one that the model uses itself")]
    Name {
        /// The name, cut to 80 characters.
        name: String,
    },
    /// A number that is infinite.
    #[error("row {row} of the column `{name}` is infinite")]
    Infinite {
        /// The column.
        name: String,
        /// The row, from 0.
        row: usize,
    },
    /// A text that is too long.
    #[error("row {row} of the column `{name}` has more than {TEXT_BYTES} bytes")]
    Text {
        /// The column.
        name: String,
        /// The row, from 0.
        row: usize,
    },
    /// One label only, or too many.
    #[error("{got} different labels to learn from, and 2 to {TRAIN_CLASSES} are possible")]
    Labels {
        /// How many there are.
        got: usize,
    },
    /// More columns after encoding than a model may have.
    #[error("{got} columns after encoding, and {TRAIN_FEATURES} are the most")]
    Features {
        /// How many there are.
        got: usize,
    },
    /// An option out of range.
    #[error("the option `{name}` is out of range")]
    Option {
        /// Which one.
        name: &'static str,
    },
    /// The model that was written cannot be loaded.
    #[error("the trained model cannot be loaded")]
    Load(#[from] LoadFailed),
    /// The model that was written cannot be run.
    #[error("the trained model cannot be run")]
    Run(#[from] RunFailed),
    /// A tensor to measure with is not valid.
    #[error("a tensor to measure with is not valid")]
    Tensor(#[from] TensorInvalid),
}

/// Learns the label of each row from its columns.
///
/// # Errors
/// When the table or the options are out of range, or fewer than two labels are there to learn.
pub fn train(columns: &[Column], labels: &Labels, options: &Options) -> Result<Trained, TrainFailed> {
    check(columns, labels, options)?;
    let mut random = Random::new(options.seed);
    let all = 0..labels.len();
    let (held_out, learned): (Vec<usize>, Vec<usize>) = all.partition(|_| random.chance(options.held_out));
    let (classes, targets) = classes(labels, &learned);
    if !(2..=TRAIN_CLASSES).contains(&classes.len()) {
        return Err(TrainFailed::Labels { got: classes.len() });
    }
    if learned.len() < 2 || learned.len().saturating_mul(columns.len()) > TRAIN_CELLS {
        return Err(TrainFailed::Rows { got: learned.len() });
    }
    let encoder = Encoder::new(columns, &learned);
    if encoder.features() > TRAIN_FEATURES {
        return Err(TrainFailed::Features { got: encoder.features() });
    }
    let table = encoder.encode(columns, &learned);
    let onnx = match options.learner {
        Learner::Logistic { penalty, steps } => {
            let weights = logistic::fit(&table, &targets, classes.len(), penalty, steps);
            file::logistic(columns, &encoder, &classes, &weights)
        }
        Learner::Boosted { rounds, depth, rate, share } => {
            let trees = if classes.len() == 2 { rounds } else { rounds * classes.len() };
            if trees > TRAIN_TREES {
                return Err(TrainFailed::Option { name: "rounds" });
            }
            let growth = boosted::Growth { rounds, depth, rate, share };
            let forest = boosted::fit(&table, &targets, classes.len(), growth, &mut random);
            file::boosted(columns, &encoder, &classes, &forest)
        }
    };
    let model = Model::load(&onnx)?;
    let measured =
        if held_out.is_empty() { None } else { Some(measure(&model, columns, labels, &classes, &held_out)?) };
    Ok(Trained { onnx, labels: classes, learned_rows: learned.len(), measured })
}

fn check(columns: &[Column], labels: &Labels, options: &Options) -> Result<(), TrainFailed> {
    let option =
        |holds: bool, name: &'static str| if holds { Ok(()) } else { Err(TrainFailed::Option { name }) };
    option((0.0..=0.9).contains(&options.held_out), "held_out")?;
    match options.learner {
        Learner::Logistic { penalty, steps } => {
            option((0.0..=1e9).contains(&penalty), "penalty")?;
            option((1..=TRAIN_STEPS).contains(&steps), "steps")?;
        }
        Learner::Boosted { rounds, depth, rate, share } => {
            option((1..=TRAIN_TREES).contains(&rounds), "rounds")?;
            option((1..=TRAIN_DEPTH).contains(&depth), "depth")?;
            option(rate > 0.0 && rate <= 1.0, "rate")?;
            option(share > 0.0 && share <= 1.0, "share")?;
        }
    }
    if !(1..=TRAIN_COLUMNS).contains(&columns.len()) {
        return Err(TrainFailed::Columns { got: columns.len() });
    }
    if !(2..=TRAIN_ROWS).contains(&labels.len()) {
        return Err(TrainFailed::Rows { got: labels.len() });
    }
    let mut names = HashSet::new();
    for column in columns {
        let name = &column.name;
        let own = file::is_reserved(name);
        if name.is_empty() || name.len() > NAME_BYTES || own || !names.insert(name.as_str()) {
            return Err(TrainFailed::Name { name: name.chars().take(80).collect() });
        }
        let got = match &column.cells {
            Cells::Numbers(cells) => {
                if let Some(row) = cells.iter().position(|cell| cell.is_infinite()) {
                    return Err(TrainFailed::Infinite { name: name.clone(), row });
                }
                cells.len()
            }
            Cells::Texts(cells) => {
                if let Some(row) = cells.iter().position(|cell| cell.len() > TEXT_BYTES) {
                    return Err(TrainFailed::Text { name: name.clone(), row });
                }
                cells.len()
            }
        };
        if got != labels.len() {
            return Err(TrainFailed::Length { name: name.clone(), got, expected: labels.len() });
        }
    }
    Ok(())
}

/// The labels that the rows to learn from have, sorted, and which of them each row has.
fn classes(labels: &Labels, rows: &[usize]) -> (Labels, Vec<usize>) {
    fn of<T: Ord + Clone>(labels: &[T], rows: &[usize]) -> (Vec<T>, Vec<usize>) {
        let mut classes: Vec<T> = rows.iter().filter_map(|row| labels.get(*row).cloned()).collect();
        classes.sort_unstable();
        classes.dedup();
        let class = |row: &usize| classes.binary_search(labels.get(*row)?).ok();
        let targets = rows.iter().filter_map(class).collect();
        (classes, targets)
    }
    match labels {
        Labels::Integers(labels) => {
            let (classes, targets) = of(labels, rows);
            (Labels::Integers(classes), targets)
        }
        Labels::Texts(labels) => {
            let (classes, targets) = of(labels, rows);
            (Labels::Texts(classes), targets)
        }
    }
}

fn measure(
    model: &Model,
    columns: &[Column],
    labels: &Labels,
    classes: &Labels,
    rows: &[usize],
) -> Result<Measured, TrainFailed> {
    let (mut right, mut loss) = (0_usize, 0.0);
    for rows in rows.chunks(model.most_rows().min(1_024)) {
        let mut inputs = Vec::with_capacity(columns.len());
        for column in columns {
            let values = match &column.cells {
                Cells::Numbers(cells) => {
                    Values::F32(rows.iter().filter_map(|row| cells.get(*row).copied()).collect())
                }
                Cells::Texts(cells) => {
                    Values::Text(rows.iter().filter_map(|row| cells.get(*row).cloned()).collect())
                }
            };
            inputs.push((column.name.as_str(), Tensor::new(vec![rows.len(), 1], values)?));
        }
        let outputs = model.run(&inputs)?;
        let shares = outputs.get(1).and_then(Tensor::as_f32).unwrap_or_default();
        for (row, shares) in rows.iter().zip(shares.chunks(classes.len())) {
            let best = (1..shares.len())
                .fold(0, |best, at| if shares.get(at) > shares.get(best) { at } else { best });
            let class = class_of(labels, classes, *row);
            right += usize::from(class == Some(best));
            // A label that was not there to learn gets the least share a float can tell from nothing.
            let share = class.and_then(|class| shares.get(class)).copied().unwrap_or(0.0);
            loss -= libm::log(f64::from(share.max(f32::MIN_POSITIVE)));
        }
    }
    let count = rows.len() as f64;
    Ok(Measured { rows: rows.len(), accuracy: right as f64 / count, log_loss: loss / count })
}

fn class_of(labels: &Labels, classes: &Labels, row: usize) -> Option<usize> {
    match (labels, classes) {
        (Labels::Integers(labels), Labels::Integers(classes)) => classes.binary_search(labels.get(row)?).ok(),
        (Labels::Texts(labels), Labels::Texts(classes)) => classes.binary_search(labels.get(row)?).ok(),
        _ => None,
    }
}
