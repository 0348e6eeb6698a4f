//! `train`: the built-in baseline, on files and off line; what the sandbox runs when asked for it.
//!
//! Columns of numbers and columns of few different texts are learned from. A column of many different texts is
//! left out, and named: it is an identifier or free text, and a model that learned it would carry it along.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan_data::{ReadOptions, Source, read_columns};
use bartizan_model::Labels;
use bartizan_model::limits::TRAIN_CELLS;
use bartizan_model::train::{Cells, Column, Learner, Options, Trained, train};
use serde_json::json;

use super::{Work, file_failure};
use crate::catalog::ids;
use crate::cli::Train;
use crate::failure::Failure;

/// Different texts of a column that is learned from.
const TEXTS: usize = 64;

/// A column while its file is read: numbers as long as every cell is one.
#[derive(Default)]
struct Raw {
    numbers: Vec<f32>,
    texts: Vec<Arc<str>>,
    known: BTreeSet<Arc<str>>,
    nothing: Arc<str>,
    words: usize,
}

pub(super) fn run(work: &Work, wanted: &Train) -> Result<u8, Failure> {
    let files = match wanted.data.as_slice() {
        [] => files(&inputs()?)?,
        named => files(named)?,
    };
    let progress = work.out.working("training");
    let mut table = Table::default();
    for file in &files {
        table.read(file)?;
    }
    let (columns, labels, left_out) = table.split(&wanted.label, wanted.label_above, &wanted.leave_out)?;
    let learner = match wanted.learner.as_str() {
        "boosted" => Learner::Boosted { rounds: 100, depth: 3, rate: 0.1, share: 0.8 },
        _ => Learner::Logistic { penalty: 1.0, steps: 200 },
    };
    let options = Options { learner, held_out: 0.2, seed: wanted.seed };
    let trained = train(&columns, &labels, &options).map_err(|error| Failure::of(ids::INVALID, &error))?;
    drop(progress);
    let out = out_directory(wanted.out.as_deref())?;
    std::fs::create_dir_all(&out).map_err(|error| file_failure(&out, &error))?;
    let parameters = json!({
        "learner": wanted.learner,
        "seed": wanted.seed,
        "label": wanted.label,
        "label_above": wanted.label_above,
        "columns": columns.iter().map(|column| &column.name).collect::<Vec<_>>(),
        "left_out": left_out,
        "learned_rows": trained.learned_rows,
    });
    write(&out.join("model.onnx"), &trained.onnx)?;
    write(&out.join("params.json"), parameters.to_string().as_bytes())?;
    write(&out.join("metrics.jsonl"), format!("{}\n", metrics(&trained)).as_bytes())?;
    work.answer(&json!({
        "model": out.join("model.onnx").display().to_string(),
        "parameters": parameters,
        "metrics": metrics(&trained),
    }))
}

fn metrics(trained: &Trained) -> serde_json::Value {
    match &trained.measured {
        Some(found) => {
            json!({ "rows": found.rows, "accuracy": found.accuracy, "log_loss": found.log_loss })
        }
        None => json!({ "rows": 0 }),
    }
}

/// The files to learn from: those named, or all of a directory, in the order of their names.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(|error| file_failure(path, &error))?;
        let mut found = Vec::new();
        for entry in entries {
            found.push(entry.map_err(|error| file_failure(path, &error))?.path());
        }
        found.sort();
        files.extend(found);
    }
    if files.is_empty() {
        return Err(Failure::new(ids::USAGE, "there is no file to learn from"));
    }
    Ok(files)
}

/// What a run was given: the directory of each input, in the order of their names.
fn inputs() -> Result<Vec<PathBuf>, Failure> {
    #[expect(clippy::disallowed_methods, reason = "the sandbox names its inputs in the environment")]
    let place = std::env::var_os("BARTIZAN_IN").map(PathBuf::from).ok_or_else(|| {
        Failure::new(ids::USAGE, "no file is named to learn from; in a run they are below $BARTIZAN_IN")
    })?;
    files(std::slice::from_ref(&place))
}

/// Where the model goes: where it is told to, or where the sandbox expects it.
fn out_directory(named: Option<&Path>) -> Result<PathBuf, Failure> {
    #[expect(clippy::disallowed_methods, reason = "the sandbox names its output in the environment")]
    let expected = std::env::var_os("BARTIZAN_OUT").map(PathBuf::from);
    named.map(Path::to_owned).or(expected).ok_or_else(|| {
        Failure::new(ids::USAGE, "`--out` says where the model goes; in a run that is $BARTIZAN_OUT")
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| file_failure(path, &error))
}

#[derive(Default)]
struct Table {
    header: Vec<String>,
    columns: Vec<Raw>,
    rows: usize,
}

impl Table {
    fn read(&mut self, path: &Path) -> Result<(), Failure> {
        let unreadable = |error: &dyn std::error::Error| {
            let mut failure = Failure::of(ids::DELIVERY, error);
            failure.what = format!("`{}`: {}", path.display(), failure.what);
            failure
        };
        let file = File::open(path).map_err(|error| file_failure(path, &error))?;
        let cells = AtomicUsize::new(self.rows.saturating_mul(self.header.len()));
        let (columns, read) = read_columns(
            Source::seekable(file),
            &ReadOptions::default(),
            |_| Raw::default(),
            |column, cell| {
                // What is too large is read to its end, so that it is known to be a table, and not kept.
                if cells.fetch_add(1, Ordering::Relaxed) < TRAIN_CELLS {
                    column.push(cell);
                }
            },
            |column, after| column.append(after),
        )
        .map_err(|error| unreadable(&error))?;
        if cells.into_inner() > TRAIN_CELLS {
            return Err(Failure::new(ids::INVALID, format!("there are more than {TRAIN_CELLS} cells")));
        }
        let rows = usize::try_from(read.rows()).unwrap_or(usize::MAX);
        // The elements of lists are no columns to learn from: they are not one for each row.
        let columns = columns.into_iter().filter(|(name, _)| !name.contains("[]"));
        let (header, mut columns): (Vec<String>, Vec<Raw>) = columns.unzip();
        columns.iter_mut().for_each(|column| column.fill(rows));
        if self.header.is_empty() {
            (self.header, self.columns) = (header, columns);
        } else if self.header == header {
            self.columns.iter_mut().zip(columns).for_each(|(column, after)| column.append(after));
        } else {
            let what = format!("`{}` has other columns than the file before", path.display());
            return Err(Failure::new(ids::DELIVERY, what));
        }
        self.rows = self.rows.saturating_add(rows);
        Ok(())
    }

    /// What is learned from, what is to be learned, and which columns are left out.
    fn split(
        self,
        label: &str,
        above: Option<f64>,
        leave_out: &[String],
    ) -> Result<(Vec<Column>, Labels, Vec<String>), Failure> {
        let mut left_out = Vec::new();
        let mut columns = Vec::new();
        let mut labels = None;
        let names = self.header.join(", ");
        // A column that was to be left out and is not, because its name is wrong, would be learned from unseen.
        if let Some(missing) = leave_out.iter().find(|name| !self.header.contains(name)) {
            let what = format!("there is no column `{missing}` to leave out; the columns are {names}");
            return Err(Failure::new(ids::INVALID, what));
        }
        for (name, raw) in self.header.into_iter().zip(self.columns) {
            if name == label {
                labels = Some(raw.labels(above)?);
            } else if leave_out.contains(&name) || (raw.words > 0 && raw.known.len() > TEXTS) {
                left_out.push(name);
            } else {
                let cells =
                    if raw.words == 0 { Cells::Numbers(raw.numbers) } else { Cells::Texts(raw.texts) };
                columns.push(Column { name, cells });
            }
        }
        let labels = labels.ok_or_else(|| {
            Failure::new(ids::INVALID, format!("there is no column `{label}`; the columns are {names}"))
        })?;
        Ok((columns, labels, left_out))
    }
}

impl Raw {
    fn push(&mut self, cell: Option<&str>) {
        let text = cell.unwrap_or_default();
        let number: Option<f64> = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
        #[expect(clippy::cast_possible_truncation, reason = "models of this kind compute in 32 bits")]
        self.numbers.push(number.map_or(f32::NAN, |number| number as f32));
        self.words = self.words.saturating_add(usize::from(number.is_none() && !text.is_empty()));
        let interned = self.intern(text);
        self.texts.push(interned);
    }

    fn intern(&mut self, text: &str) -> Arc<str> {
        match self.known.get(text) {
            Some(known) => Arc::clone(known),
            None if self.known.len() <= TEXTS => {
                let new: Arc<str> = text.into();
                self.known.insert(Arc::clone(&new));
                new
            }
            // One text too many: as texts the column is left out, and as labels it is refused.
            None => Arc::clone(&self.nothing),
        }
    }

    /// Adds what was read of later rows.
    fn append(&mut self, after: Self) {
        self.numbers.extend(after.numbers);
        self.words = self.words.saturating_add(after.words);
        for text in after.texts {
            let interned = self.intern(&text);
            self.texts.push(interned);
        }
        // What was forgotten there was one text too many.
        if after.known.len() > TEXTS {
            self.known.extend(after.known);
        }
    }

    /// Rows without the column have no value.
    fn fill(&mut self, rows: usize) {
        while self.numbers.len() < rows {
            self.push(None);
        }
    }

    /// The cells as labels: yes or no by a threshold, whole numbers, or texts.
    fn labels(self, above: Option<f64>) -> Result<Labels, Failure> {
        if let Some(above) = above {
            if self.words > 0 || self.numbers.iter().any(|number| number.is_nan()) {
                return Err(Failure::new(
                    ids::INVALID,
                    "a label is no number, so nothing is above or below it",
                ));
            }
            return Ok(Labels::Integers(
                self.numbers.iter().map(|number| i64::from(f64::from(*number) > above)).collect(),
            ));
        }
        if self.known.len() > TEXTS {
            return Err(Failure::new(
                ids::INVALID,
                "the label has too many values; `--label-above` makes it two",
            ));
        }
        if self.known.contains("") {
            return Err(Failure::new(ids::INVALID, "a row has no label"));
        }
        let whole: Option<Vec<i64>> = self.texts.iter().map(|text| text.trim().parse().ok()).collect();
        Ok(whole.map_or(Labels::Texts(self.texts), Labels::Integers))
    }
}
