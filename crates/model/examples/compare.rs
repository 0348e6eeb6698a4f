//! Compares this crate's answers with those in a folder of `NAME.onnx` and `NAME.cases.json`: `compare FOLDER`.

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

use bartizan_model::Model;

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".onnx").map(str::to_owned))
        .collect();
    names.sort();
    for name in names {
        if let Ok(model) = Model::load(&std::fs::read(folder.join(format!("{name}.onnx"))).unwrap()) {
            println!(
                "{name}: {:?} bytes, {:?} steps, at most {} rows",
                model.memory(),
                model.steps(),
                model.most_rows()
            );
        }
        match cases::compare(&folder, &name) {
            Err(why) => println!("{name}: REFUSED: {why}"),
            Ok(found) if found.differences.is_empty() => {
                let verdict = if found.worst <= 1e-5 { "ok" } else { "DIFFERS" };
                println!(
                    "{name}: {verdict}, {} of {} floats the same, worst {:.1e}",
                    found.same, found.floats, found.worst
                );
            }
            Ok(found) => println!("{name}: DIFFERS: {:?}", found.differences),
        }
    }
}
