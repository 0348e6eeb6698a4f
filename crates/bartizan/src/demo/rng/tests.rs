//! The generator against its published sequence, and the exponential against the system's.

use super::{Rng, exp, sigmoid};

#[test]
fn xoshiro_matches_the_reference_sequence() {
    // The first words that the authors' C code gives for the state 1, 2, 3, 4.
    let mut rng = Rng { state: [1, 2, 3, 4] };
    let words: Vec<u64> = (0..5).map(|_| rng.word()).collect();
    assert_eq!(words, [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205]);
}

#[test]
fn splitmix_fills_the_state_as_published() {
    assert_eq!(Rng::new(0).state[0], 0xe220_a839_7b1d_cdaf);
    assert_eq!(Rng::new(1_234_567).state[..2], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
}

#[test]
fn exp_agrees_with_the_system_to_a_relative_1e_12() {
    let mut x = -30.0;
    while x < 30.0 {
        let (ours, theirs) = (exp(x), f64::exp(x));
        assert!((ours - theirs).abs() <= 1e-12 * theirs, "exp({x}): {ours} instead of {theirs}");
        x += 0.37;
    }
    assert_eq!(exp(0.0), 1.0);
    assert!(exp(f64::NAN).is_nan());
    assert!(exp(1e300).is_finite() && exp(-1e300) > 0.0);
}

#[test]
fn sigmoid_is_a_probability_everywhere() {
    for x in [-1e9, -40.0, -1.0, 0.0, 1.0, 40.0, 1e9] {
        let p = sigmoid(x);
        assert!((0.0..=1.0).contains(&p), "sigmoid({x}) = {p}");
    }
    assert_eq!(sigmoid(0.0), 0.5);
}

#[test]
fn weighted_choice_follows_the_weights() {
    let mut rng = Rng::new(7);
    let items = [("never", 0), ("seldom", 1), ("often", 9)];
    let draws: Vec<&str> = (0..10_000).map(|_| rng.weighted(&items, |item| item.1).0).collect();
    let seldom = draws.iter().filter(|name| **name == "seldom").count();
    assert!(!draws.contains(&"never"));
    assert!((850..1150).contains(&seldom), "{seldom} of 10,000 instead of about 1,000");
}

#[test]
fn normal_has_mean_zero_and_variance_one() {
    let mut rng = Rng::new(11);
    let draws: Vec<f64> = (0..20_000).map(|_| rng.normal()).collect();
    let mean = draws.iter().sum::<f64>() / 20_000.0;
    let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
    assert!(mean.abs() < 0.03, "{mean}");
    assert!((variance - 1.0).abs() < 0.05, "{variance}");
}
