//! Profiles one CSV file and prints what was read; `bench/data/throughput.sh` times it.

use std::fs::File;

use bartizan_data::{CsvOptions, infer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let (profile, outcome) = infer(File::open(&path)?, &CsvOptions::default())?;
        let columns = profile.columns().len();
        #[expect(clippy::print_stdout, reason = "the example's result")]
        {
            println!("{path}: {} bytes, {} rows, {columns} columns", outcome.bytes(), outcome.rows());
        }
    }
    Ok(())
}
