//! What each sketch costs for a value, on one core, for data of several shapes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, measures time, and fails when it meets the unexpected"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bartizan_data::sketch::{EdgeHistogram, HeavyHitters, Hll, Kll, Moments, hash};

const ROUNDS: usize = 7;
const VALUES: usize = 2_000_000;
/// Values that come at once, as from a reader of columns.
const BATCH: usize = 8192;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    println!("best of {ROUNDS} rounds of {VALUES} values in batches of {BATCH}, nanoseconds for a value");
    let columns = columns();
    for (shape, values) in &columns {
        println!("{shape}");
        if wanted("moments") {
            moments(values);
        }
        if wanted("kll") {
            kll(values);
        }
        if wanted("hll") {
            hll(values);
        }
        if wanted("heavy") {
            heavy(values);
        }
        if wanted("histogram") {
            histogram(values);
        }
    }
    if wanted("merge") {
        merge(&columns.first().unwrap().1);
    }
}

fn columns() -> Vec<(&'static str, Vec<f64>)> {
    let mut state = 1_u64;
    let mut share = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 * 2.0_f64.powi(-53)
    };
    let mut of =
        |value: &mut dyn FnMut(usize, f64) -> f64| (0..VALUES).map(|at| value(at, share())).collect();
    vec![
        ("even over [0, 1)", of(&mut |_, share| share)),
        ("heavy tails", of(&mut |_, share| (1.0 - share).powi(-3))),
        ("100 whole numbers", of(&mut |_, share| (share * 100.0).floor())),
        ("ascending", of(&mut |at, _| at as f64)),
        ("constant", of(&mut |_, _| 7.5)),
    ]
}

/// Prints the best time of a few rounds, for each of `units` things.
fn report(what: &str, units: usize, mut round: impl FnMut()) {
    let best = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            round();
            begun.elapsed()
        })
        .min()
        .unwrap_or(Duration::ZERO);
    println!("  {what:44} {:8.2}", best.as_secs_f64() * 1e9 / units as f64);
}

fn moments(values: &[f64]) {
    report("moments", VALUES, || {
        let mut moments = Moments::new();
        values.chunks(BATCH).for_each(|batch| moments.update(batch));
        black_box(moments.variance());
    });
    let integers: Vec<i64> = (0..).zip(values).map(|(at, value)| at ^ i64::from(*value > 0.5)).collect();
    report("moments of integers", VALUES, || {
        let mut moments = Moments::new();
        integers.chunks(BATCH).for_each(|batch| moments.update_integers(batch));
        black_box(moments.exact_sum());
    });
}

fn kll(values: &[f64]) {
    for k in [256, 512, 1024] {
        report(&format!("quantiles, k = {k}"), VALUES, || {
            let mut kll = Kll::new(k, 1).unwrap();
            values.chunks(BATCH).for_each(|batch| kll.update(batch));
            black_box(kll.count());
        });
    }
    report("quantiles, k = 512, in parts of 122,880", VALUES, || {
        for part in values.chunks(122_880) {
            let mut kll = Kll::new(512, 1).unwrap();
            part.chunks(BATCH).for_each(|batch| kll.update(batch));
            black_box(kll.count());
        }
    });
}

fn hll(values: &[f64]) {
    let mut hashes = vec![0; BATCH];
    report("hashes of numbers", VALUES, || {
        for batch in values.chunks(BATCH) {
            hashes.iter_mut().zip(batch).for_each(|(hash, value)| *hash = hash::of_f64(*value));
            black_box(&hashes);
        }
    });
    let text: Vec<String> = values.iter().take(VALUES / 10).map(|value| format!("item {value}")).collect();
    report("hashes of strings of some 20 bytes", VALUES / 10, || {
        text.iter().for_each(|text| {
            black_box(hash::of_bytes(text.as_bytes()));
        });
    });
    let hashes: Vec<u64> = values.iter().map(|value| hash::of_f64(*value)).collect();
    report("distinct values, from hashes", VALUES, || {
        let mut hll = Hll::new();
        hashes.chunks(BATCH).for_each(|batch| hll.update(batch));
        black_box(hll.estimate());
    });
}

fn heavy(values: &[f64]) {
    let words: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
    let text: Vec<String> = values.iter().map(|value| format!("item {value}")).collect();
    for capacity in [256, 1024] {
        let new = || HeavyHitters::new(capacity, 1 << 16).unwrap();
        report(&format!("frequent words, capacity {capacity}"), VALUES, || {
            let mut heavy = new();
            words.chunks(BATCH).for_each(|batch| heavy.update_words(batch));
            black_box(heavy.error());
        });
        report(&format!("frequent strings, capacity {capacity}"), VALUES, || {
            let mut heavy = new();
            text.chunks(BATCH).for_each(|batch| heavy.update(batch.iter().map(String::as_bytes)));
            black_box(heavy.error());
        });
    }
}

fn histogram(values: &[f64]) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max).max(least + 1.0);
    let mut kll = Kll::new(512, 1).unwrap();
    kll.update(values);
    let view = kll.view().unwrap();
    for bins in [10, 50, 500] {
        let even = EdgeHistogram::equal_width(least, greatest, bins).unwrap();
        report(&format!("histogram, {bins} bins of one width"), VALUES, || {
            let mut even = even.clone();
            values.chunks(BATCH).for_each(|batch| even.update(batch));
            black_box(even.total());
        });
        let uneven = EdgeHistogram::quantile_edges(&view, bins).unwrap();
        report(&format!("histogram, {} bins between quantiles", uneven.bins().len()), VALUES, || {
            let mut uneven = uneven.clone();
            values.chunks(BATCH).for_each(|batch| uneven.update(batch));
            black_box(uneven.total());
        });
    }
}

fn merge(values: &[f64]) {
    println!("merging, nanoseconds for a merge");
    let parts: Vec<Kll> = (0..)
        .zip(values.chunks(122_880))
        .map(|(seed, part)| {
            let mut kll = Kll::new(512, seed).unwrap();
            kll.update(part);
            kll
        })
        .collect();
    report("quantiles, k = 512, parts of 122,880 values", parts.len(), || {
        let mut all = Kll::new(512, 0).unwrap();
        parts.iter().for_each(|part| all.merge(part).unwrap());
        black_box(all.count());
    });
    let parts: Vec<Hll> = values
        .chunks(122_880)
        .map(|part| {
            let mut hll = Hll::new();
            part.iter().for_each(|value| hll.insert(hash::of_f64(*value)));
            hll
        })
        .collect();
    report("distinct values, parts of 122,880 values", parts.len(), || {
        let mut all = Hll::new();
        parts.iter().for_each(|part| all.merge(part));
        black_box(all.estimate());
    });
}
