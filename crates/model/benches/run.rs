//! Rows per second on one thread: `cargo bench -p bartizan-model -- FOLDER NAME...`, each with its cases.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, and one that meets the unexpected must fail"
)]
#![expect(clippy::panic, clippy::indexing_slicing, reason = "the same, in what it shares with the tests")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]
#![expect(dead_code, reason = "it reads cases as the tests do, and compares nothing")]

#[path = "../tests/it/cases.rs"]
mod cases;

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bartizan_model::{Model, Tensor, Values};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(400);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some((folder, names)) = arguments.split_first() else {
        println!("name a folder of models with cases, and the models");
        return;
    };
    for name in names {
        let folder = PathBuf::from(folder);
        let model = Model::load(&std::fs::read(folder.join(format!("{name}.onnx"))).unwrap()).unwrap();
        let text = std::fs::read_to_string(folder.join(format!("{name}.cases.json"))).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let inputs: Vec<(String, Tensor)> = json["inputs"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, json)| (name.clone(), cases::tensor(json)))
            .collect();
        for rows in [1, 256] {
            let inputs: Vec<(&str, Tensor)> =
                inputs.iter().map(|(name, tensor)| (name.as_str(), repeated(tensor, rows))).collect();
            let mut best = 0.0_f64;
            for _ in 0..ROUNDS {
                let (start, mut calls) = (Instant::now(), 0_u32);
                while start.elapsed() < ROUND {
                    black_box(model.run(black_box(&inputs)).unwrap());
                    calls += 1;
                }
                let rows = f64::from(calls) * f64::from(u32::try_from(rows).unwrap());
                best = best.max(rows / start.elapsed().as_secs_f64());
            }
            println!("bartizan {name} batch {rows}: {best:.0} rows/s");
        }
    }
}

/// The rows of a tensor over and over, as many as asked for.
fn repeated(tensor: &Tensor, rows: usize) -> Tensor {
    fn of<T: Clone>(values: &[T], count: usize) -> Vec<T> {
        values.iter().cycle().take(count).cloned().collect()
    }
    let mut shape = tensor.shape().to_vec();
    shape[0] = rows;
    let count = shape.iter().product();
    let values = match tensor.values() {
        Values::F32(values) => Values::F32(of(values, count)),
        Values::F64(values) => Values::F64(of(values, count)),
        Values::I64(values) => Values::I64(of(values, count)),
        Values::I32(values) => Values::I32(of(values, count)),
        Values::Bool(values) => Values::Bool(of(values, count)),
        Values::Text(values) => Values::Text(of(values, count)),
    };
    Tensor::new(shape, values).unwrap()
}
