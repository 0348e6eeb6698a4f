//! The stored samples: what version 1 wrote must be read, and written the same way, for ever.

use std::fs;
use std::path::Path;

use bartizan_data::sketch::{EdgeHistogram, HeavyHitters, Hll, Kll, Moments, SketchInvalid, hash};

fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/sketch/v1").join(name)).unwrap()
}

/// Reads and writes; cut anywhere, with something behind it, or of another version it is refused.
fn check<T>(name: &str, read: fn(&[u8]) -> Result<T, SketchInvalid>, write: fn(&T) -> Vec<u8>) -> T {
    let bytes = sample(name);
    let sketch = read(&bytes).unwrap();
    assert_eq!(write(&sketch), bytes, "{name}");
    for len in (0..bytes.len()).filter(|len| *len < 200 || len % 997 == 0 || len + 1 == bytes.len()) {
        assert!(read(&bytes[..len]).is_err(), "{name} cut at {len}");
    }
    assert!(matches!(read(&[&bytes[..], &[0]].concat()), Err(SketchInvalid::Trailing { .. })), "{name}");
    let mut later = bytes.clone();
    later[4] = 2;
    assert!(matches!(read(&later), Err(SketchInvalid::Version { version: 2, .. })), "{name}");
    later[3] = b'X';
    assert!(matches!(read(&later), Err(SketchInvalid::Kind { .. })), "{name}");
    // Whatever one bit changes, what is read is written the same.
    for bit in 0..bytes.len().min(200) * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = read(&changed) {
            assert_eq!(write(&other), changed, "{name}, bit {bit}");
        }
    }
    sketch
}

#[test]
fn moments() {
    let few = check("moments-few.bin", Moments::from_bytes, Moments::to_bytes);
    assert_eq!((few.count(), few.nans(), few.zeros(), few.negatives()), (5, 1, 1, 1));
    assert_eq!(few.sum(), Some(2.5 + 9_223_372_036_854_775_807.0));
    let many = check("moments-many.bin", Moments::from_bytes, Moments::to_bytes);
    assert_eq!(many.count(), 40_000);
    let out = check("moments-out-of-range.bin", Moments::from_bytes, Moments::to_bytes);
    assert_eq!((out.mean(), out.variance(), out.infinities()), (Some(0.0), None, (1, 0)));
}

#[test]
fn quantiles() {
    let few = check("quantiles-few.bin", Kll::from_bytes, Kll::to_bytes);
    assert_eq!(
        (few.min(), few.quantile(0.5), few.max(), few.is_exact()),
        (Some(-1.0), Some(2.5), Some(3.0), true)
    );
    let many = check("quantiles-many.bin", Kll::from_bytes, Kll::to_bytes);
    assert_eq!((many.k(), many.count(), many.is_exact()), (64, 40_000, false));
    assert!((many.rank(many.quantile(0.25).unwrap()) as f64 / 40_000.0 - 0.25).abs() < 0.05);
}

#[test]
fn distinct_values() {
    let few = check("distinct-few.bin", Hll::from_bytes, Hll::to_bytes);
    assert_eq!((few.estimate(), few.is_exact()), (3.0, true));
    let many = check("distinct-many.bin", Hll::from_bytes, Hll::to_bytes);
    assert!((many.estimate() / 40_000.0 - 1.0).abs() < 3.0 * Hll::STANDARD_ERROR);
}

#[test]
fn frequent_values() {
    let few = check("frequent-few.bin", HeavyHitters::from_bytes, HeavyHitters::to_bytes);
    assert_eq!((few.bounds(b"a"), few.bounds(b""), few.distinct()), ((2, 2), (1, 1), Some(3)));
    let many = check("frequent-many.bin", HeavyHitters::from_bytes, HeavyHitters::to_bytes);
    assert!(many.error() > 0 && many.items()[0].value == b"a");
}

#[test]
fn histograms() {
    let histogram = check("histogram.bin", EdgeHistogram::from_bytes, EdgeHistogram::to_bytes);
    assert_eq!((histogram.edges().len(), histogram.total()), (4, 40_000));
}

#[test]
fn hashes() {
    let text = String::from_utf8(sample("hashes.txt")).unwrap();
    assert_eq!(text.lines().count(), 33);
    for line in text.lines() {
        let [kind, value, expected] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("`{line}`") };
        let hash = match kind {
            "i64" => hash::of_i64(value.parse().unwrap()),
            "u64" => hash::of_u64(value.parse().unwrap()),
            "f64" => hash::of_f64(value.parse().unwrap()),
            _ => hash::of_bytes(&hex::decode(value).unwrap()),
        };
        assert_eq!(format!("{hash:016x}"), expected, "{line}");
    }
}
