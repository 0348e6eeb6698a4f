//! Distinct values: close on the kinds of values that weak hashes fail on, and the same whichever way they came.

use bartizan_data::sketch::{Hll, hash};
use proptest::prelude::*;

fn of(hashes: &[u64]) -> Hll {
    let mut hll = Hll::new();
    hll.update(hashes);
    hll
}

/// Checks the estimate at 1, 2, 3, 5, 7, 10, 20, ... distinct values.
fn check(kind: &str, hash_of: impl Fn(u64) -> u64, most: u64) {
    let mut hll = Hll::new();
    let mut next = 0;
    for magnitude in 0..8 {
        for digit in [1, 2, 3, 5, 7] {
            let n = digit * 10_u64.pow(magnitude);
            if n > most {
                return;
            }
            while next < n {
                hll.insert(hash_of(next));
                next += 1;
            }
            assert_eq!(hll.is_exact(), n <= 1536);
            let bound = if hll.is_exact() { 0.0 } else { 3.0 * Hll::STANDARD_ERROR };
            let error = (hll.estimate() / n as f64 - 1.0).abs();
            assert!(error <= bound, "{n} of {kind}: off by {error}");
        }
    }
}

#[test]
fn estimates_stay_within_three_standard_errors() {
    let most = 2_000_000;
    let signed = |n: u64| i64::try_from(n).unwrap();
    check("sequential integers", |n| hash::of_i64(signed(n)), 10_000_000);
    check("negative integers", |n| hash::of_i64(-signed(n)), most);
    check("even multiples of 2^20", |n| hash::of_i64(signed(n) << 20), most);
    check("timestamps, one a minute", |n| hash::of_i64(1_700_000_000_000 + 60_000 * signed(n)), most);
    check(
        "timestamps in nanoseconds, one a second",
        |n| hash::of_i64(1_700_000_000_000_000_000 + 1_000_000_000 * signed(n)),
        most,
    );
    check(
        "floats with few mantissa bits",
        |n| hash::of_f64((n % 256 + 256) as f64 * 2.0_f64.powi(i32::try_from(n / 256).unwrap() - 900)),
        450_000,
    );
    check("eighths", |n| hash::of_f64(n as f64 / 8.0), most);
    check(
        "strings with a common prefix",
        |n| hash::of_bytes(format!("https://example.org/items/{n}").as_bytes()),
        most,
    );
    check(
        "strings with a common ending",
        |n| hash::of_bytes(format!("{n:08}@customers.example.org").as_bytes()),
        most,
    );
    check("short strings", |n| hash::of_bytes(format!("{n:x}").as_bytes()), most);
    check("identifiers of 16 bytes that count", |n| hash::of_bytes(&u128::from(n).to_be_bytes()), most);
}

#[test]
fn equal_numbers_have_equal_hashes() {
    for value in [0, 1, -1, 5, i64::from(i32::MAX), -(1 << 53), 1 << 62, i64::MIN] {
        assert_eq!(hash::of_i64(value), hash::of_f64(value as f64));
        assert!(value < 0 || hash::of_u64(value.cast_unsigned()) == hash::of_i64(value));
    }
    assert_eq!(hash::of_f64(0.0), hash::of_f64(-0.0));
    assert_eq!(hash::of_f64(f64::NAN), hash::of_f64(-f64::NAN));
    assert_ne!(hash::of_f64(5.5), hash::of_i64(5));
    assert_ne!(hash::of_f64(TWO_TO_63), hash::of_i64(i64::MAX));
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

proptest! {
    #[test]
    fn neither_order_nor_repetition_nor_parts_make_a_difference(
        seeds in prop::collection::vec(any::<u64>(), 0..40),
        each in 1..200_u64,
        cut in 0..40_usize,
    ) {
        let hashes: Vec<u64> = seeds.iter().flat_map(|seed| (0..each).map(|at| hash::of_u64(seed.wrapping_add(at)))).collect();
        let (one, two) = hashes.split_at(cut.min(hashes.len()));
        let whole = of(&hashes);
        let (mut left, mut right) = (of(one), of(two));
        left.merge(&of(two));
        right.merge(&of(one));
        let mut twice: Vec<u64> = hashes.iter().rev().copied().collect();
        twice.extend(&hashes);
        for other in [left, right, of(&twice)] {
            prop_assert_eq!(&other, &whole);
            prop_assert_eq!(other.to_bytes(), whole.to_bytes());
            prop_assert_eq!(other.estimate().to_bits(), whole.estimate().to_bits());
        }
        prop_assert_eq!(Hll::from_bytes(&whole.to_bytes()), Ok(whole));
    }
}
