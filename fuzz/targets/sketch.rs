//! Stored sketches: what is accepted is written back the same, answers, takes more values, and merges.
#![no_main]

use bartizan_data::sketch::{EdgeHistogram, HeavyHitters, Hll, Kll, Moments};
use libfuzzer_sys::fuzz_target;

const VALUES: [f64; 8] = [-1.5, 0.0, 2.0, f64::NAN, f64::INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE];

// The first two bytes say where the input is cut into two sketches, which need not be of one kind.
fuzz_target!(|bytes: &[u8]| {
    let Some((cut, rest)) = bytes.split_first_chunk::<2>() else { return };
    let (one, two) = rest.split_at(usize::from(u16::from_le_bytes(*cut)).min(rest.len()));
    // A sketch from the samples, whole, is an input too.
    moments(bytes, bytes);
    kll(bytes, bytes);
    hll(bytes, bytes);
    heavy(bytes, bytes);
    histogram(bytes, bytes);
    moments(one, two);
    kll(one, two);
    hll(one, two);
    heavy(one, two);
    histogram(one, two);
});

fn moments(one: &[u8], two: &[u8]) {
    let Ok(mut sketch) = Moments::from_bytes(one) else { return };
    assert_eq!(sketch.to_bytes(), one);
    let mut sum = Some(sketch.clone());
    if let Ok(other) = Moments::from_bytes(two) {
        sum = sketch.merge(&other).is_ok().then(|| sketch.clone());
    }
    if let Some(sum) = sum {
        assert_eq!(Moments::from_bytes(&sum.to_bytes()), Ok(sum));
    }
    sketch.update(&VALUES);
    sketch.update_integers(&[i64::MIN, 0, i64::MAX]);
    drop((
        sketch.sum(),
        sketch.exact_sum(),
        sketch.sample_variance(),
        sketch.skewness(),
        sketch.excess_kurtosis(),
    ));
}

fn kll(one: &[u8], two: &[u8]) {
    let Ok(mut sketch) = Kll::from_bytes(one) else { return };
    assert_eq!(sketch.to_bytes(), one);
    if let Ok(other) = Kll::from_bytes(two)
        && sketch.merge(&other).is_ok()
    {
        assert_eq!(Kll::from_bytes(&sketch.to_bytes()).as_ref(), Ok(&sketch));
    }
    if let Some(view) = sketch.view() {
        assert_eq!((sketch.min(), sketch.max()), (Some(view.quantile(0.0)), Some(view.quantile(1.0))));
        for point in view.cdf(&VALUES) {
            assert!(0.0 <= point.lower && point.lower <= point.estimate);
            assert!(point.estimate <= point.upper && point.upper <= 1.0);
        }
    }
    (0..200).for_each(|_| sketch.update(&VALUES));
    drop(sketch.quantile(0.5));
}

fn hll(one: &[u8], two: &[u8]) {
    let Ok(mut sketch) = Hll::from_bytes(one) else { return };
    assert_eq!(sketch.to_bytes(), one);
    if let Ok(mut other) = Hll::from_bytes(two) {
        let first = sketch.clone();
        sketch.merge(&other);
        other.merge(&first);
        assert_eq!(sketch, other);
    }
    assert_eq!(Hll::from_bytes(&sketch.to_bytes()).as_ref(), Ok(&sketch));
    sketch.update(&[0, 1, u64::MAX]);
    assert!(sketch.estimate() >= 1.0);
}

fn heavy(one: &[u8], two: &[u8]) {
    let Ok(mut sketch) = HeavyHitters::from_bytes(one) else { return };
    assert_eq!(sketch.to_bytes(), one);
    if let Ok(mut other) = HeavyHitters::from_bytes(two) {
        let first = sketch.clone();
        if sketch.merge(&other).is_ok() {
            other.merge(&first).expect("it merges the other way too");
            assert_eq!(sketch, other);
            assert_eq!(HeavyHitters::from_bytes(&sketch.to_bytes()).as_ref(), Ok(&sketch));
        }
    }
    sketch.update(one.chunks(7));
    drop(sketch.items());
}

fn histogram(one: &[u8], two: &[u8]) {
    let Ok(mut sketch) = EdgeHistogram::from_bytes(one) else { return };
    assert_eq!(sketch.to_bytes(), one);
    if let Ok(other) = EdgeHistogram::from_bytes(two)
        && sketch.merge(&other).is_ok()
    {
        assert_eq!(EdgeHistogram::from_bytes(&sketch.to_bytes()).as_ref(), Ok(&sketch));
    }
    let before = sketch.total();
    sketch.update(&VALUES);
    assert_eq!(sketch.total(), before + 7);
}
