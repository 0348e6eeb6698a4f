//! Drift: statistics, their null, verdicts, and what kind of change it was.

#![expect(clippy::indexing_slicing, reason = "helpers outside #[test]; a test that misses must fail")]

mod change;
mod domain;
mod frame;
mod golden;
mod null;
mod real;
mod statistics;
mod verdicts;
mod watch;

use bartizan_data::drift::Random;

/// Counts of a multinomial draw.
fn multinomial(size: u64, shares: &[f64], random: &mut Random) -> Vec<u64> {
    let mut counts = vec![0; shares.len()];
    for _ in 0..size {
        let mut place = random.uniform() * shares.iter().sum::<f64>();
        let cell = shares.iter().position(|share| {
            place -= share;
            place < 0.0
        });
        counts[cell.unwrap_or(shares.len() - 1)] += 1;
    }
    counts
}

fn normals(size: usize, mean: f64, random: &mut Random) -> Vec<f64> {
    (0..size).map(|_| mean + random.normal()).collect()
}
