//! Drift: statistics, their null, verdicts, and what kind of change it was.

#![expect(clippy::indexing_slicing, reason = "helpers outside #[test]; a test that misses must fail")]

mod change;
mod domain;
mod frame;
mod frequent;
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

/// Within five standard errors of the level, at 0.05 and 0.2; in 2,000 trials that is 0.05 +- 0.025.
fn calibrated(p_values: &[f64]) {
    let count = p_values.len() as f64;
    for level in [0.05, 0.2] {
        let rate = p_values.iter().filter(|p| **p <= level).count() as f64 / count;
        let slack = 5.0 * (level * (1.0 - level) / count).sqrt();
        assert!((rate - level).abs() < slack, "{rate} at {level}");
    }
}
