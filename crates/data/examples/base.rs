//! t
use bartizan_data::{CsvOptions, CsvReader, infer};
use std::fs::File;
use std::time::Instant;
fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let t = Instant::now();
        let b = std::fs::read(&path)?;
        let mb = b.len() as f64 / 1e6;
        eprintln!("{path} read {:?}", t.elapsed());
        let t = Instant::now();
        let d = bartizan_base::sha256(&b);
        eprintln!("sha {:.0} MB/s {d}", mb / t.elapsed().as_secs_f64());
        let t = Instant::now();
        let u = std::str::from_utf8(&b).is_ok();
        eprintln!("utf8 {:.0} MB/s {u}", mb / t.elapsed().as_secs_f64());
        let t = Instant::now();
        let mut n = 0;
        CsvReader::open(&b[..], &CsvOptions::default())?.for_each_row(|r| n += r.number())?;
        eprintln!("csv {:.0} MB/s {n}", mb / t.elapsed().as_secs_f64());
        let t = Instant::now();
        let mut n = 0;
        CsvReader::open(&b[..], &CsvOptions::default())?
            .for_each_row(|r| n += r.cells().map(|c| c.len()).sum::<usize>())?;
        eprintln!("csv+cells {:.0} MB/s {n}", mb / t.elapsed().as_secs_f64());
        let t = Instant::now();
        infer(&b[..], &CsvOptions::default())?;
        eprintln!("profile {:.0} MB/s", mb / t.elapsed().as_secs_f64());
        let _ = File::open(&path)?;
    }
    Ok(())
}
