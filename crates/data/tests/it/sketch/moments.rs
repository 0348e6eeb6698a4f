//! Moments: against exact arithmetic, out of range, and in parts.

use bartizan_data::sketch::Moments;
use proptest::prelude::*;

use super::{Numbers, SHAPES, shaped};

fn of(values: &[f64]) -> Moments {
    let mut moments = Moments::new();
    moments.update(values);
    moments
}

fn close(one: Option<f64>, two: f64, within: f64) {
    let one = one.unwrap();
    assert!((one - two).abs() <= within * two.abs().max(1e-300), "{one} is not {two}");
}

#[test]
fn moments_are_those_of_scipy() {
    // python3 -c 'import numpy as np, scipy.stats as s; x = np.sqrt(np.arange(5000) % 97) - 3
    // print(*map(repr, map(float, (x.sum(), x.mean(), x.var(), x.var(ddof=1), s.skew(x), s.kurtosis(x)))))'
    let values: Vec<f64> = (0..5000).map(|at| f64::from(at % 97).sqrt() - 3.0).collect();
    let moments = of(&values);
    close(moments.sum(), 17_473.389_051_260_354, 1e-14);
    close(moments.mean(), 3.494_677_810_252_070_6, 1e-14);
    close(moments.variance(), 5.585_960_141_019_365, 1e-13);
    close(moments.sample_variance(), 5.587_077_556_530_671, 1e-13);
    close(moments.skewness(), -0.603_331_278_447_394, 1e-12);
    close(moments.excess_kurtosis(), -0.471_538_744_260_981_97, 1e-12);
    assert_eq!((moments.count(), moments.zeros(), moments.negatives()), (5000, 52, 468));
}

#[test]
fn no_numbers_have_no_moments() {
    let moments = Moments::new();
    assert_eq!((moments.count(), moments.sum(), moments.exact_sum()), (0, Some(0.0), Some(0)));
    assert_eq!((moments.mean(), moments.variance(), moments.skewness()), (None, None, None));
    let one = of(&[3.5]);
    assert_eq!((one.mean(), one.variance(), one.sample_variance()), (Some(3.5), Some(0.0), None));
    assert_eq!((one.skewness(), one.excess_kurtosis()), (None, None));
}

#[test]
fn what_is_not_finite_is_counted_apart() {
    let odd =
        [f64::NAN, 1.0, f64::INFINITY, -2.0, f64::NEG_INFINITY, f64::NAN, -0.0, f64::INFINITY, f64::INFINITY];
    let moments = of(&odd);
    assert_eq!((moments.nans(), moments.infinities(), moments.count()), (2, (3, 1), 3));
    assert_eq!((moments.sum(), moments.zeros(), moments.negatives()), (Some(-1.0), 1, 1));
    let mut plain = of(&[1.0, -2.0, 0.0]);
    plain
        .merge(&of(&[f64::NAN, f64::NAN, f64::INFINITY, f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY]))
        .unwrap();
    assert_eq!(plain, moments);
}

#[test]
fn sums_of_whole_numbers_are_exact() {
    let mut numbers = Numbers(1);
    let values: Vec<i64> =
        (0..10_000).map(|_| numbers.word().cast_signed()).chain([i64::MAX; 3000]).collect();
    let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
    let mut moments = Moments::new();
    moments.update_integers(&values);
    assert_eq!((moments.exact_sum(), moments.sum()), (Some(sum), Some(sum as f64)));
    let mut parts = Moments::new();
    for part in values.chunks(777) {
        let mut one = Moments::new();
        one.update_integers(part);
        parts.merge(&one).unwrap();
    }
    assert_eq!(parts.exact_sum(), Some(sum));
    moments.update(&[0.5]);
    assert_eq!(moments.exact_sum(), None);
}

/// The variance of whole numbers in exact arithmetic, as numerator and denominator.
fn exact_variance(values: &[i64]) -> f64 {
    let n = values.len() as i128;
    let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
    let squares: i128 = values.iter().map(|value| i128::from(*value).pow(2)).sum();
    (n * squares - sum * sum) as f64 / (n * n) as f64
}

#[test]
fn the_variance_keeps_its_bound_where_the_mean_is_far_from_nought() {
    let unit = 2.0_f64.powi(-53);
    for offset in [0, 1000, 1_000_000, 1_000_000_000, 1_000_000_000_000] {
        let mut numbers = Numbers(7);
        let values: Vec<i64> =
            (0..300_000).map(|_| offset + i64::try_from(numbers.below(1001)).unwrap()).collect();
        let exact = exact_variance(&values);
        let floats: Vec<f64> = values.iter().map(|value| *value as f64).collect();
        for slice in [300_000, 8192, 1000] {
            let mut moments = Moments::new();
            floats.chunks(slice).for_each(|part| moments.update(part));
            let joins = 300_000_f64 / slice as f64 + 9.0;
            let condition = (1.0 + moments.mean().unwrap().powi(2) / exact).sqrt();
            close(moments.variance(), exact, (140.0 + 8.0 * joins) * unit * condition);
        }
    }
}

#[test]
fn moments_that_leave_the_range_are_not_known() {
    let huge = of(&[1e300, -1e300, 1e300, 1e308, 1e308, 1e308]);
    assert_eq!((huge.variance(), huge.sum(), huge.skewness()), (None, None, None));
    close(huge.mean(), 3.0 * 1e308 / 6.0 + 1e300 / 6.0, 1e-12);
    let mut far = of(&[-1.7e308]);
    far.merge(&of(&[1.7e308])).unwrap();
    assert_eq!((far.mean(), far.variance()), (Some(0.0), None));
    assert_eq!(Moments::from_bytes(&far.to_bytes()), Ok(far));
}

#[test]
fn every_shape_is_as_the_plain_formulas_say() {
    for (name, shape) in SHAPES {
        let values = shaped(shape, 10_007, 3);
        let moments = of(&values);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let central = |power| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / n;
        close(moments.mean(), mean, 1e-12);
        let scale = central(2);
        assert!((moments.variance().unwrap() - scale).abs() <= 1e-12 * scale, "{name}");
        if scale > 0.0 {
            assert!(
                (moments.skewness().unwrap() - central(3) / scale.powf(1.5)).abs() < 1e-9 * (1.0 + n.sqrt()),
                "{name}"
            );
            let kurtosis = central(4) / scale.powi(2) - 3.0;
            assert!(
                (moments.excess_kurtosis().unwrap() - kurtosis).abs() < 1e-9 * kurtosis.abs().max(1.0),
                "{name}"
            );
        }
    }
}

fn same(one: &Moments, two: &Moments) {
    let counts = |moments: &Moments| {
        (moments.count(), moments.zeros(), moments.negatives(), moments.nans(), moments.infinities())
    };
    assert_eq!(counts(one), counts(two));
    for (one, two) in [(one.mean(), two.mean()), (one.variance(), two.variance())] {
        assert_eq!(one.is_some(), two.is_some());
        let (one, two) = (one.unwrap_or(0.0), two.unwrap_or(0.0));
        assert!((one - two).abs() <= 1e-9 * (one.abs() + two.abs()) + 1e-9, "{one} {two}");
    }
}

proptest! {
    #[test]
    fn parts_make_the_whole(
        one in prop::collection::vec(-1e3..1e3_f64, 0..300),
        two in prop::collection::vec(prop::num::f64::ANY.prop_map(|x| if x.is_finite() { x % 1e3 } else { x }), 0..3000),
        three in prop::collection::vec(-5..5_i64, 0..300),
    ) {
        let (a, b) = (of(&one), of(&two));
        let mut c = Moments::new();
        c.update_integers(&three);
        let joined = |one: &Moments, two: &Moments| {
            let mut one = one.clone();
            one.merge(two).unwrap();
            one
        };
        prop_assert_eq!(joined(&a, &b), joined(&b, &a));
        same(&joined(&joined(&a, &b), &c), &joined(&a, &joined(&b, &c)));
        let all: Vec<f64> = one.into_iter().chain(two).chain(three.iter().map(|value| *value as f64)).collect();
        same(&joined(&joined(&a, &b), &c), &of(&all));
        for moments in [a, b, c] {
            prop_assert_eq!(Moments::from_bytes(&moments.to_bytes()), Ok(moments));
        }
    }
}
