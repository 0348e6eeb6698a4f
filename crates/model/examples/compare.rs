//! Compares this crate's answers with those in a folder of `NAME.onnx` and `NAME.cases.json`: `compare FOLDER [-v]`.
//!
//! Says which models are refused or answered differently, and ends with 1 if there are any; with `-v` it also says
//! what each model may take and how close the answers are.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a tool that meets the unexpected stops"
)]
#![expect(clippy::print_stdout, reason = "that is what it is for")]

#[path = "../tests/it/cases.rs"]
mod cases;

use std::path::PathBuf;
use std::process::ExitCode;

use bartizan_model::Model;

fn main() -> ExitCode {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    let in_full = std::env::args().nth(2).is_some_and(|word| word == "-v");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".onnx").map(str::to_owned))
        .collect();
    names.sort();
    let mut wrong = 0_usize;
    for name in &names {
        let bytes = std::fs::read(folder.join(format!("{name}.onnx"))).unwrap();
        if let Some(model) = Model::load(&bytes).ok().filter(|_| in_full) {
            let (memory, steps, rows) = (model.memory(), model.steps(), model.most_rows());
            println!("{name}: {memory:?} bytes, {steps:?} steps, at most {rows} rows");
        }
        let verdict = match cases::compare(&folder, name) {
            Err(why) => format!("REFUSED: {why}"),
            Ok(found) if !found.differences.is_empty() => format!("DIFFERS: {:?}", found.differences),
            Ok(found) if found.worst > 1e-5 => format!("DIFFERS: by {:.1e}", found.worst),
            Ok(found) => {
                if in_full {
                    let (same, floats, worst) = (found.same, found.floats, found.worst);
                    println!("{name}: ok, {same} of {floats} floats the same, worst {worst:.1e}");
                }
                continue;
            }
        };
        println!("{name}: {verdict}");
        wrong += 1;
    }
    println!("{} models, {wrong} refused or answered differently", names.len());
    if wrong == 0 && !names.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
