//! The statistics, against SciPy and against each other.

use bartizan_data::drift::{
    Bounded, Edges, EdgesInvalid, Histogram, Numbers, QuantileSketch, Statistic, Undefined, chi_squared,
    hellinger, jensen_shannon_distance, jensen_shannon_divergence, kolmogorov_smirnov, l_infinity,
    of_histograms, of_sketches, psi, wasserstein,
};
use proptest::prelude::*;

/// `scipy.stats` 1.17.1; `.ci/drift/check.py` compares many more.
#[test]
fn values_are_those_of_scipy() {
    let (p, q) = ([30, 50, 20], [45, 35, 70]);
    let near = |value: Result<f64, Undefined>, expected: f64| {
        assert!((value.unwrap() - expected).abs() < 1e-12, "{value:?}, not {expected}");
    };
    // entropy(p, q) + entropy(q, p); jensenshannon(p, q, 2); chi2_contingency([p, q], correction=False)
    near(psi(&p, &q), 0.429_183_443_315_759_97);
    near(jensen_shannon_distance(&p, &q), 0.274_515_627_785_153_3);
    near(jensen_shannon_divergence(&p, &q), 0.075_358_829_898_276_84);
    near(hellinger(&p, &q), 0.230_065_051_969_272_5);
    near(l_infinity(&p, &q), 0.266_666_666_666_666_66);
    near(chi_squared(&p, &q), 24.400_871_459_694_99);
    // ks_2samp, wasserstein_distance
    let (a, b) = (Numbers::new(&[1.0, 2.0, 2.0, 5.0]), Numbers::new(&[2.0, 3.0, 3.0, 4.0, 9.5]));
    near(kolmogorov_smirnov(&a, &b), 0.55);
    near(wasserstein(&a, &b), 1.9);
}

#[test]
fn corners_are_defined() {
    // A bin that is empty on one side: half a count for each.
    let smoothed = |p: f64, q: f64| (p - q) * (p / q).ln();
    let expected = smoothed(0.5 / 11.0, 5.5 / 11.0) + smoothed(10.5 / 11.0, 5.5 / 11.0);
    assert!((psi(&[0, 10], &[5, 5]).unwrap() - expected).abs() < 1e-12);
    assert_eq!(psi(&[0, 10, 0], &[0, 7, 0]), Ok(0.0));
    assert_eq!(jensen_shannon_distance(&[9, 0], &[0, 4]), Ok(1.0));
    assert_eq!(hellinger(&[9, 0], &[0, 4]), Ok(1.0));
    assert_eq!(chi_squared(&[3, 0], &[8, 0]), Ok(0.0));
    assert_eq!(l_infinity(&[], &[]), Err(Undefined::NoReference));
    assert_eq!(l_infinity(&[1], &[0]), Err(Undefined::NoCurrent));
    assert_eq!(l_infinity(&[1], &[1, 2]), Err(Undefined::Bins));
    let numbers = |values: &[f64]| Numbers::new(values);
    let constant = numbers(&[7.0; 5]);
    assert_eq!(kolmogorov_smirnov(&constant, &constant), Ok(0.0));
    assert_eq!(wasserstein(&constant, &numbers(&[7.5])), Ok(0.5));
    assert_eq!(numbers(&[f64::NAN, 1.0, f64::NAN]).missing(), 2);
    assert_eq!(kolmogorov_smirnov(&numbers(&[f64::NAN]), &constant), Err(Undefined::NoReference));
    assert_eq!(kolmogorov_smirnov(&numbers(&[-0.0]), &numbers(&[0.0])), Ok(0.0));
    let infinite = numbers(&[f64::NEG_INFINITY, 0.0, f64::INFINITY, f64::INFINITY]);
    assert_eq!(kolmogorov_smirnov(&infinite, &numbers(&[0.0])), Ok(0.5));
    assert_eq!(wasserstein(&infinite, &infinite), Err(Undefined::Infinite));
    assert_eq!(wasserstein(&numbers(&[f64::MIN]), &numbers(&[f64::MAX])), Err(Undefined::Infinite));
}

#[test]
fn edges_are_ascending_numbers() {
    assert_eq!(Edges::new(vec![1.0, 1.0]), Err(EdgesInvalid::Order { place: 2 }));
    assert_eq!(Edges::new(vec![f64::NAN]), Err(EdgesInvalid::Order { place: 1 }));
    assert_eq!(Edges::new(vec![0.0; 10_000]), Err(EdgesInvalid::TooMany));
    let edges = Edges::new(vec![0.0, 10.0]).unwrap();
    assert_eq!(edges.count([(-1.0, 2), (0.0, 1), (9.9, 1), (10.0, 4)]), [2, 2, 4]);
}

#[test]
fn ids_are_stable() {
    let ids = Statistic::ALL.map(Statistic::id);
    assert_eq!(ids, ["psi", "jensen-shannon", "ks", "wasserstein", "l-infinity", "hellinger", "chi-squared"]);
    for statistic in Statistic::ALL {
        assert_eq!(statistic.id().parse(), Ok(statistic));
    }
    assert!("kolmogorov".parse::<Statistic>().is_err());
}

fn samples() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let value = prop_oneof![(-5_i32..5).prop_map(f64::from), -10.0..10.0_f64];
    let side = prop::collection::vec(value, 1..60);
    (side.clone(), side)
}

fn within(bounds: Bounded, exact: f64) {
    let Bounded { low, value, high } = bounds;
    assert!(low <= exact + 1e-9 && exact <= high + 1e-9, "{exact} is not within {low} and {high}");
    assert!(low <= value + 1e-9 && value <= high + 1e-9, "{value} is not within {low} and {high}");
}

fn range(values: &[f64]) -> Option<(f64, f64)> {
    Some((values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(f64::MIN, f64::max)))
}

/// Keeps every `step`-th value for `step` of them: ranks are wrong by less than `step`.
fn sketch(values: &[f64], step: usize) -> QuantileSketch {
    let numbers = Numbers::new(values);
    let items = numbers.sorted().chunks(step).map(|chunk| (chunk[chunk.len() / 2], chunk.len() as u64));
    QuantileSketch {
        items: items.collect(),
        rank_error: (step as f64 / values.len() as f64).min(1.0),
        range: range(values),
        missing: 0,
    }
}

proptest! {
    #[test]
    fn histograms_bound_the_exact_value((a, b) in samples(), cuts in prop::collection::btree_set(-9_i32..9, 0..6)) {
        let edges = Edges::new(cuts.into_iter().map(|cut| f64::from(cut) + 0.25).collect()).unwrap();
        let side = |values: &[f64]| Histogram {
            counts: edges.count(values.iter().map(|value| (*value, 1))),
            edges: edges.clone(),
            range: range(values),
            missing: 0,
        };
        let (one, two) = (side(&a), side(&b));
        let (a, b) = (Numbers::new(&a), Numbers::new(&b));
        within(of_histograms(Statistic::KolmogorovSmirnov, &one, &two).unwrap(), kolmogorov_smirnov(&a, &b).unwrap());
        within(of_histograms(Statistic::Wasserstein, &one, &two).unwrap(), wasserstein(&a, &b).unwrap());
        let exact = psi(&one.counts, &two.counts).unwrap();
        prop_assert_eq!(of_histograms(Statistic::Psi, &one, &two), Ok(Bounded::exact(exact)));
    }

    #[test]
    fn sketches_bound_the_exact_value((a, b) in samples(), step in 1_usize..8) {
        let (one, two) = (sketch(&a, step), sketch(&b, step));
        let edges = Edges::new(vec![-2.5, 0.25, 3.5]).unwrap();
        let counts = |values: &[f64]| edges.count(values.iter().map(|value| (*value, 1)));
        let (p, q) = (counts(&a), counts(&b));
        let (a, b) = (Numbers::new(&a), Numbers::new(&b));
        let bounds = |statistic| of_sketches(statistic, &one, &two, Some(&edges)).unwrap();
        within(bounds(Statistic::KolmogorovSmirnov), kolmogorov_smirnov(&a, &b).unwrap());
        within(bounds(Statistic::Wasserstein), wasserstein(&a, &b).unwrap());
        within(bounds(Statistic::Psi), psi(&p, &q).unwrap());
        within(bounds(Statistic::JensenShannon), jensen_shannon_distance(&p, &q).unwrap());
        within(bounds(Statistic::Hellinger), hellinger(&p, &q).unwrap());
        within(bounds(Statistic::LInfinity), l_infinity(&p, &q).unwrap());
        within(bounds(Statistic::ChiSquared), chi_squared(&p, &q).unwrap());
    }

    #[test]
    fn distances_are_symmetric_and_within_their_ranges((a, b) in samples()) {
        let (a, b) = (Numbers::new(&a), Numbers::new(&b));
        prop_assert_eq!(kolmogorov_smirnov(&a, &b), kolmogorov_smirnov(&b, &a));
        prop_assert!((0.0..=1.0).contains(&kolmogorov_smirnov(&a, &b).unwrap()));
        prop_assert!((wasserstein(&a, &b).unwrap() - wasserstein(&b, &a).unwrap()).abs() < 1e-9);
        prop_assert_eq!(wasserstein(&a, &a), Ok(0.0));
    }
}
