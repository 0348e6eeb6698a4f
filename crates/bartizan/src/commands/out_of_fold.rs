//! What the built-in trainer says of rows that it did not learn from: each part of the rows by a model of the others.

use std::sync::Arc;

use bartizan_data::quality::{Cells as DataCells, MISSING, Table};
use bartizan_model::train::{Cells, Column, Learner, Options, train};
use bartizan_model::{Labels, Model, Tensor, Values};

/// Parts of the rows.
const FOLDS: usize = 4;
/// Rows that a model is asked about at a time.
const BATCH: usize = 1_024;

/// The probability of each label for each row, row by row.
///
/// # Errors
/// In words, when nothing can be learned from the table.
pub(super) fn probabilities(table: &Table<'_>, seed: u64, threads: usize) -> Result<Vec<f64>, String> {
    let columns = columns(table);
    let labels: Vec<i64> = table.label().codes.codes.iter().map(|code| i64::from(*code)).collect();
    let folds: Vec<usize> = (0..FOLDS).collect();
    let share = folds.len().div_ceil(threads.clamp(1, FOLDS)).max(1);
    let work = |folds: &[usize]| -> Result<Vec<(usize, Vec<f64>)>, String> {
        let mut all = Vec::new();
        for fold in folds {
            all.extend(part(&columns, &labels, table.classes(), *fold, seed)?);
        }
        Ok(all)
    };
    let parts = std::thread::scope(|scope| {
        let started: Vec<_> = folds.chunks(share).map(|folds| scope.spawn(move || work(folds))).collect();
        let joined = started.into_iter().map(|thread| match thread.join() {
            Ok(part) => part,
            Err(payload) => std::panic::resume_unwind(payload),
        });
        joined.collect::<Result<Vec<_>, String>>()
    })?;
    let mut rows: Vec<(usize, Vec<f64>)> = parts.into_iter().flatten().collect();
    rows.sort_unstable_by_key(|(row, _)| *row);
    Ok(rows.into_iter().flat_map(|(_, shares)| shares).collect())
}

/// Which part a row is in: rows side by side are apart, whatever order the table has.
fn fold_of(row: usize, seed: u64) -> usize {
    // SplitMix64's finaliser (Steele, Lea and Flood, 2014).
    let mut z = (row as u64).wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((z ^ (z >> 31)) % FOLDS as u64).unwrap_or(0)
}

fn part(
    columns: &[Column],
    labels: &[i64],
    classes: usize,
    fold: usize,
    seed: u64,
) -> Result<Vec<(usize, Vec<f64>)>, String> {
    let (asked, learned): (Vec<usize>, Vec<usize>) =
        (0..labels.len()).partition(|row| fold_of(*row, seed) == fold);
    let learner = Learner::Boosted { rounds: 60, depth: 4, rate: 0.15, share: 0.8 };
    let own = Labels::Integers(learned.iter().filter_map(|row| labels.get(*row).copied()).collect());
    let options = Options { learner, held_out: 0.0, seed };
    let trained = train(&taken(columns, &learned), &own, &options).map_err(|error| error.to_string())?;
    let model = Model::load(&trained.onnx).map_err(|error| error.to_string())?;
    let Labels::Integers(known) = trained.labels else { return Err("the labels are no numbers".to_owned()) };
    let mut answers = Vec::with_capacity(asked.len());
    for rows in asked.chunks(model.most_rows().clamp(1, BATCH)) {
        let mut inputs = Vec::with_capacity(columns.len());
        for column in taken(columns, rows) {
            let values = match column.cells {
                Cells::Numbers(cells) => Values::F32(cells),
                Cells::Texts(cells) => Values::Text(cells),
            };
            let tensor = Tensor::new(vec![rows.len(), 1], values).map_err(|error| error.to_string())?;
            inputs.push((column.name, tensor));
        }
        let inputs: Vec<(&str, Tensor)> =
            inputs.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())).collect();
        let outputs = model.run(&inputs).map_err(|error| error.to_string())?;
        let shares = outputs.get(1).and_then(Tensor::as_f32).unwrap_or_default();
        for (row, shares) in rows.iter().zip(shares.chunks(known.len().max(1))) {
            // A label that the other parts do not have was not there to learn.
            let mut all = vec![0.0; classes];
            for (label, share) in known.iter().zip(shares) {
                if let Some(place) = usize::try_from(*label).ok().and_then(|label| all.get_mut(label)) {
                    *place = f64::from(share.clamp(0.0, 1.0));
                }
            }
            answers.push((*row, all));
        }
    }
    Ok(answers)
}

fn taken(columns: &[Column], rows: &[usize]) -> Vec<Column> {
    let take = |column: &Column| Column {
        name: column.name.clone(),
        cells: match &column.cells {
            Cells::Numbers(cells) => {
                Cells::Numbers(rows.iter().filter_map(|row| cells.get(*row).copied()).collect())
            }
            Cells::Texts(cells) => {
                Cells::Texts(rows.iter().filter_map(|row| cells.get(*row).cloned()).collect())
            }
        },
    };
    columns.iter().map(take).collect()
}

/// The features as the trainer takes them; texts that are different in most rows tell it nothing and are left out.
fn columns(table: &Table<'_>) -> Vec<Column> {
    let mut columns = Vec::with_capacity(table.features().len());
    for (at, feature) in table.features().iter().enumerate() {
        let cells = match feature.cells {
            DataCells::Numbers(cells) => {
                #[expect(clippy::cast_possible_truncation, reason = "models of this kind compute in 32 bits")]
                let narrow = |cell: &f64| cell.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32;
                Cells::Numbers(cells.iter().map(narrow).collect())
            }
            DataCells::Codes(codes) if codes.values.len() > table.rows() / 2 => continue,
            DataCells::Codes(codes) => {
                let texts: Vec<Arc<str>> = codes.values.iter().map(|text| text.as_str().into()).collect();
                let nothing: Arc<str> = "".into();
                let text = |code: &u32| {
                    let place = usize::try_from(*code).ok().filter(|_| *code != MISSING);
                    place.and_then(|place| texts.get(place)).unwrap_or(&nothing).clone()
                };
                Cells::Texts(codes.codes.iter().map(text).collect())
            }
        };
        // The names of a file's columns may be taken by the model itself.
        columns.push(Column { name: format!("column{at}"), cells });
    }
    columns
}
