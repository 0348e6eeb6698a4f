//! Finds wrong labels with every filter: `label_issues FOLDER CLASSES THREADS [ROUNDS]`.
//!
//! The folder holds `labels.u32` and `probabilities.f64`, little endian, row by row. The rows found go to
//! `FILTER.rows.u32` beside them, the worst first. The best time of the rounds is printed for each filter.

#![expect(clippy::unwrap_used, reason = "a tool that meets the unexpected stops")]
#![expect(clippy::print_stdout, reason = "that is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bartizan_data::quality::{Filter, Probabilities, Ranking, label_issues};

const FILTERS: [(&str, Filter); 6] = [
    ("prune_by_noise_rate", Filter::PruneByNoiseRate),
    ("prune_by_class", Filter::PruneByClass),
    ("both", Filter::Both),
    ("confident_learning", Filter::ConfidentLearning),
    ("low_self_confidence", Filter::LowSelfConfidence),
    ("low_normalized_margin", Filter::LowNormalizedMargin),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = PathBuf::from(arguments.first().unwrap());
    let number = |at: usize| arguments.get(at).map(|text| text.parse::<usize>().unwrap());
    let (classes, threads, rounds) = (number(1).unwrap(), number(2).unwrap(), number(3).unwrap_or(1));
    let labels: Vec<u32> = std::fs::read(folder.join("labels.u32"))
        .unwrap()
        .chunks_exact(4)
        .map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    let values: Vec<f64> = std::fs::read(folder.join("probabilities.f64"))
        .unwrap()
        .chunks_exact(8)
        .map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    for (name, filter) in FILTERS {
        let mut best = Duration::MAX;
        let mut rows = Vec::new();
        for _ in 0..rounds {
            let begun = Instant::now();
            let probabilities = Probabilities::new(&values, classes).unwrap();
            let found =
                label_issues(&labels, probabilities, filter, Ranking::SelfConfidence, threads).unwrap();
            best = best.min(begun.elapsed());
            rows = found.rows;
        }
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
        std::fs::write(folder.join(format!("{name}.rows.u32")), bytes).unwrap();
        println!("{name} {:.6} {}", best.as_secs_f64(), rows.len());
    }
}
