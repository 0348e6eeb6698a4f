//! Trains a baseline on a CSV file without quotes: `train FILE SEPARATOR LABEL OUT [boosted]`.

#![expect(clippy::unwrap_used, reason = "a tool that meets the unexpected stops")]
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::sync::Arc;

use bartizan_model::Labels;
use bartizan_model::train::{Cells, Column, Learner, Options, train};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, separator, label, out, rest @ ..] = arguments.as_slice() else { return };
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(separator.as_str()).collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(separator.as_str()).collect()).collect();
    let cell = |row: &[&str], at: usize| Arc::<str>::from(row.get(at).copied().unwrap_or_default());
    let at = names.iter().position(|name| name == label).unwrap();
    let labels = Labels::Texts(rows.iter().map(|row| cell(row, at)).collect());
    let columns: Vec<Column> = names
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != at)
        .map(|(index, name)| {
            let cells: Vec<Arc<str>> = rows.iter().map(|row| cell(row, index)).collect();
            let number = |cell: &Arc<str>| if cell.is_empty() { Some(f32::NAN) } else { cell.parse().ok() };
            let numbers: Option<Vec<f32>> = cells.iter().map(number).collect();
            let cells = numbers.map_or(Cells::Texts(cells), Cells::Numbers);
            Column { name: (*name).to_owned(), cells }
        })
        .collect();
    let learner = if rest.is_empty() {
        Learner::Logistic { penalty: 1.0, steps: 200 }
    } else {
        Learner::Boosted { rounds: 100, depth: 3, rate: 0.1, share: 0.8 }
    };
    let trained = train(&columns, &labels, &Options { learner, ..Options::default() }).unwrap();
    std::fs::write(out, &trained.onnx).unwrap();
    println!(
        "{} rows learned from, {:?}, {} bytes",
        trained.learned_rows,
        trained.measured,
        trained.onnx.len()
    );
}
