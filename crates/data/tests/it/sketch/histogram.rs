//! Histograms: every number in its bin, however the edges lie and the parts are put together.

use bartizan_data::sketch::{EdgeHistogram, EdgesInvalid, Kll, NotMergeable};
use proptest::prelude::*;

use super::{SHAPES, shaped};

/// Below, bins, above, missing, by comparing every edge.
fn plainly(edges: &[f64], values: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; edges.len() + 2];
    for value in values {
        let last = edges[edges.len() - 1];
        let place = if value.is_nan() {
            edges.len() + 1
        } else if *value == last {
            edges.len() - 1
        } else {
            edges.iter().filter(|edge| *edge <= value).count()
        };
        counts[place] += 1;
    }
    counts
}

fn counts(histogram: &EdgeHistogram) -> Vec<u64> {
    let ends = [histogram.above(), histogram.missing()];
    [histogram.below()].into_iter().chain(histogram.bins().iter().copied()).chain(ends).collect()
}

#[test]
fn edges_are_checked() {
    let check = |edges: &[f64]| EdgeHistogram::new(edges).unwrap_err();
    assert_eq!(check(&[1.0]), EdgesInvalid::HowMany { edges: 1 });
    assert_eq!(check(&vec![0.0; 5000]), EdgesInvalid::HowMany { edges: 5000 });
    assert_eq!(check(&[0.0, f64::INFINITY]), EdgesInvalid::NotFinite { at: 1, edge: f64::INFINITY });
    assert_eq!(check(&[0.0, 1.0, 1.0]), EdgesInvalid::NotAscending { at: 2, edge: 1.0 });
    assert_eq!(check(&[-0.0, 0.0]), EdgesInvalid::NotAscending { at: 1, edge: 0.0 });
    assert!(EdgeHistogram::equal_width(1.0, 1.0, 3).is_err());
    assert!(
        EdgeHistogram::equal_width(0.0, 1.0, 0).is_err()
            && EdgeHistogram::equal_width(0.0, 1.0, 1 << 40).is_err()
    );
    assert!(EdgeHistogram::equal_width(f64::MIN, f64::MAX, 7).is_ok());
}

#[test]
fn the_ends_are_as_documented() {
    let mut histogram = EdgeHistogram::new(&[0.0, 1.0, 3.0]).unwrap();
    histogram.update(&[
        -1.0,
        -0.0,
        0.0,
        0.999,
        1.0,
        3.0,
        3.0_f64.next_up(),
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ]);
    histogram.add_missing(5);
    assert_eq!(
        (histogram.below(), histogram.bins(), histogram.above(), histogram.missing()),
        (2, &[3, 2][..], 2, 6)
    );
    assert_eq!(histogram.total(), 9);
}

#[test]
fn quantile_edges_split_evenly() {
    let values = shaped(SHAPES[1].1, 50_000, 3);
    let mut kll = Kll::new(512, 1).unwrap();
    kll.update(&values);
    let mut histogram = EdgeHistogram::quantile_edges(&kll.view().unwrap(), 10).unwrap();
    histogram.update(&values);
    assert_eq!((histogram.below(), histogram.above(), histogram.bins().len()), (0, 0, 10));
    let slack = 50_000.0 * 2.0 * kll.rank_error().all;
    assert!(
        histogram.bins().iter().all(|count| (*count as f64 - 5000.0).abs() <= slack),
        "{:?}",
        histogram.bins()
    );

    for constant in [7.0, 0.0, f64::MAX, f64::MIN] {
        let mut kll = Kll::new(512, 1).unwrap();
        kll.update(&[constant; 700]);
        let mut histogram = EdgeHistogram::quantile_edges(&kll.view().unwrap(), 10).unwrap();
        histogram.update(&[constant; 700]);
        assert_eq!((histogram.bins(), histogram.total()), (&[700][..], 700));
    }
}

#[test]
fn histograms_of_other_edges_do_not_merge() {
    let mut one = EdgeHistogram::equal_width(0.0, 1.0, 4).unwrap();
    let two = EdgeHistogram::equal_width(0.0, 1.0, 5).unwrap();
    assert_eq!(one.merge(&two), Err(NotMergeable::Parameters { what: "edges" }));
}

fn edges() -> impl Strategy<Value = Vec<f64>> {
    let ascending = |mut edges: Vec<f64>| {
        edges.sort_unstable_by(f64::total_cmp);
        edges.dedup();
        edges
    };
    let width = |(low, span, bins): (f64, f64, usize)| EdgeHistogram::equal_width(low, low + span, bins);
    prop_oneof![
        prop::collection::vec(-10.0..10.0_f64, 2..60).prop_map(ascending),
        prop::collection::vec((-8..8_i32).prop_map(f64::from), 2..30).prop_map(ascending),
        prop::collection::vec(prop::num::f64::NORMAL, 2..30).prop_map(ascending),
        (-10.0..10.0_f64, 1e-14..10.0_f64, 1..100_usize)
            .prop_filter_map("too narrow", move |of| width(of).ok())
            .prop_map(|histogram| histogram.edges().to_vec()),
    ]
    .prop_filter("two edges", |edges| edges.len() >= 2)
}

proptest! {
    #[test]
    fn every_number_is_in_its_bin(
        edges in edges(),
        mut values in prop::collection::vec(prop_oneof![-12.0..12.0_f64, prop::num::f64::ANY], 0..200),
    ) {
        // The edges themselves and what lies beside them.
        values.extend(edges.iter().flat_map(|edge| [*edge, edge.next_up(), edge.next_down()]));
        let mut whole = EdgeHistogram::new(&edges).unwrap();
        whole.update(&values);
        prop_assert_eq!(counts(&whole), plainly(&edges, &values));
        let mut parts = EdgeHistogram::new(&edges).unwrap();
        values.reverse();
        for part in values.chunks(13) {
            let mut one = EdgeHistogram::new(&edges).unwrap();
            one.update(part);
            one.merge(&parts).unwrap();
            parts = one;
        }
        prop_assert_eq!(&parts, &whole);
        prop_assert_eq!(EdgeHistogram::from_bytes(&whole.to_bytes()), Ok(whole));
    }
}
