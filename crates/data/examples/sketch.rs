//! What sketches say about made-up columns, as JSON, for others to check.
//!
//! `sketch` prints a line for each column of the same numbers that `.ci/sketch/check.py` makes; `sketch hashes` prints
//! hashes of some values; `sketch sample KIND` writes a stored sketch.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "an example prints, and fails when it meets the unexpected"
)]

use std::io::Write as _;

use bartizan_data::sketch::{EdgeHistogram, HeavyHitters, Hll, Kll, Moments, hash};

const QUANTILES: [f64; 9] = [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => columns().iter().for_each(|(name, values)| describe(name, values)),
        ["hashes"] => hashes(),
        ["sample", kind] => std::io::stdout().write_all(&sample(kind)).unwrap(),
        _ => panic!("usage: sketch [hashes | sample KIND]"),
    }
}

/// The columns of `.ci/sketch/check.py`: a linear congruential generator and exact arithmetic, the same in any language.
fn columns() -> Vec<(&'static str, Vec<f64>)> {
    let mut columns = Vec::new();
    for (name, n) in [("few", 1000), ("many", 100_000), ("more", 1_000_000)] {
        let mut state = 42_u64;
        let words = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 11
        });
        columns.push((name, words.take(n).map(|word| word as f64 * 2.0_f64.powi(-53)).collect()));
    }
    columns.push((
        "whole",
        (0..500_000_u32).map(|at| f64::from(at.wrapping_mul(2_654_435_761) >> 12)).collect(),
    ));
    columns.push(("ascending", (0..300_000_u32).map(f64::from).collect()));
    columns.push(("repeated", (0..200_000_u32).map(|at| f64::from((at % 1009).pow(2) % 1009)).collect()));
    columns.push((
        "tails",
        (0..200_000_u32).map(|at| 1.0 / (1.0 + f64::from(at.wrapping_mul(40_503) % 65_536))).collect(),
    ));
    columns
}

fn describe(name: &str, values: &[f64]) {
    let mut moments = Moments::new();
    moments.update(values);
    let mut kll = Kll::new(Kll::DEFAULT_K, 1).unwrap();
    kll.update(values);
    let mut hll = Hll::new();
    values.iter().for_each(|value| hll.insert(hash::of_f64(*value)));
    let view = kll.view().unwrap();
    let quantiles: Vec<String> =
        QUANTILES.iter().map(|q| format!("[{q:?}, {:?}]", view.quantile(*q))).collect();
    println!(
        "{{\"column\": \"{name}\", \"count\": {}, \"sum\": {:?}, \"mean\": {:?}, \"variance\": {:?}, \"skewness\": {:?}, \
         \"kurtosis\": {:?}, \"zeros\": {}, \"quantiles\": [{}], \"rank_error_one\": {:?}, \"rank_error_all\": {:?}, \
         \"distinct\": {:?}, \"distinct_error\": {:?}}}",
        moments.count(),
        moments.sum().unwrap(),
        moments.mean().unwrap(),
        moments.variance().unwrap(),
        moments.skewness().unwrap(),
        moments.excess_kurtosis().unwrap(),
        moments.zeros(),
        quantiles.join(", "),
        view.rank_error().one,
        view.rank_error().all,
        hll.estimate(),
        if hll.is_exact() { 0.0 } else { Hll::STANDARD_ERROR },
    );
}

fn hashes() {
    for value in [0, 1, -1, 42, i64::MAX, i64::MIN] {
        println!("i64 {value} {:016x}", hash::of_i64(value));
    }
    for value in [1 << 63, u64::MAX] {
        println!("u64 {value} {:016x}", hash::of_u64(value));
    }
    for value in [-0.0, 5.0, 0.1, -2.5, 1e300, 9.3e18, f64::INFINITY, f64::NAN] {
        println!("f64 {value:?} {:016x}", hash::of_f64(value));
    }
    let text = b"the quick brown fox jumps over the lazy dog, twice";
    for len in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 50] {
        let bytes = text.get(..len).unwrap();
        println!("bytes {} {:016x}", hex::encode(bytes), hash::of_bytes(bytes));
    }
}

fn sample(kind: &str) -> Vec<u8> {
    let many: Vec<f64> =
        (0..40_000_u32).map(|at| f64::from(at.wrapping_mul(2_654_435_761) >> 8) - 1e6).collect();
    let hashes: Vec<u64> = many.iter().map(|value| hash::of_f64(*value)).collect();
    let moments = |values: &[f64], integers: &[i64]| {
        let mut moments = Moments::new();
        moments.update(values);
        moments.update_integers(integers);
        moments.to_bytes()
    };
    let kll = |values: &[f64]| {
        let mut kll = Kll::new(64, 7).unwrap();
        kll.update(values);
        kll.to_bytes()
    };
    let hll = |hashes: &[u64]| {
        let mut hll = Hll::new();
        hll.update(hashes);
        hll.to_bytes()
    };
    let heavy = |values: &[&str]| {
        let mut heavy = HeavyHitters::new(4, HeavyHitters::LEAST_BYTES).unwrap();
        heavy.update(values.iter().map(|value| value.as_bytes()));
        heavy.to_bytes()
    };
    let histogram = |edges: &[f64], values: &[f64]| {
        let mut histogram = EdgeHistogram::new(edges).unwrap();
        histogram.update(values);
        histogram.to_bytes()
    };
    match kind {
        "moments-few" => moments(&[1.5, -2.0, f64::NAN, 0.0], &[3, i64::MAX]),
        "moments-many" => moments(&many, &[]),
        "moments-out-of-range" => moments(&[1e300, -1e300, f64::INFINITY], &[]),
        "quantiles-few" => kll(&[3.0, -1.0, 2.5]),
        "quantiles-many" => kll(&many),
        "distinct-few" => hll(hashes.get(..3).unwrap()),
        "distinct-many" => hll(&hashes),
        "frequent-few" => heavy(&["a", "b", "a", ""]),
        "frequent-many" => heavy(&["a", "b", "a", "c", "a", "d", "e", "b", "f", "a"]),
        "histogram" => histogram(&[-1e6, 0.0, 0.5, 1e7], &many),
        _ => panic!("`{kind}` is not a sample"),
    }
}
