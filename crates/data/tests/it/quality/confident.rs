//! Confident learning against rows that cleanlab 2.9.0 found.

use bartizan_data::quality::{Filter, Probabilities, ProbabilitiesInvalid, Ranking, label_issues};
use expect_test::{Expect, expect};

/// Labels and probabilities that Python makes alike; see [`check`].
fn case() -> (Vec<u32>, Vec<f64>) {
    let (mut labels, mut values) = (Vec::new(), Vec::new());
    let mut state = 7_u64;
    let mut next = || {
        state = (state.wrapping_mul(6_364_136_223_846_793_005) % (1 << 48)
            + 1_442_695_040_888_963_407 % (1 << 48))
            % (1 << 48);
        (state >> 16) as f64 / 4_294_967_296.0
    };
    for row in 0..90_u32 {
        let mut shares = [next() + 0.05, next() + 0.05, next() + 0.05];
        shares[row as usize % 3] += 1.5;
        let sum = shares[0] + shares[1] + shares[2];
        values.extend(shares.map(|share| share / sum));
        labels.push(if next() < 0.2 { (row + 1) % 3 } else { row % 3 });
    }
    (labels, values)
}

/// The expected rows are those of cleanlab for the same numbers:
///
/// ```python
/// import numpy as np
/// from cleanlab.filter import find_label_issues
/// state, M = 7, 1 << 48
/// def next():
///     global state
///     state = (state * 6364136223846793005 % M + 1442695040888963407 % M) % M
///     return (state >> 16) / 4294967296.0
/// labels, values = [], []
/// for row in range(90):
///     shares = [next() + 0.05, next() + 0.05, next() + 0.05]
///     shares[row % 3] += 1.5
///     total = shares[0] + shares[1] + shares[2]
///     values.append([share / total for share in shares])
///     labels.append((row + 1) % 3 if next() < 0.2 else row % 3)
/// for kind in ["prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "low_self_confidence",
///              "low_normalized_margin"]:
///     print(kind, find_label_issues(np.array(labels), np.array(values), filter_by=kind,
///                                   return_indices_ranked_by="self_confidence", n_jobs=1).tolist())
/// ```
fn check(filter: Filter, expected: &Expect) {
    let (labels, values) = case();
    let probabilities = Probabilities::new(&values, 3).unwrap();
    let one = label_issues(&labels, probabilities, filter, Ranking::SelfConfidence, 1).unwrap();
    let many = label_issues(&labels, probabilities, filter, Ranking::SelfConfidence, 3).unwrap();
    assert_eq!(one, many);
    expected.assert_eq(&format!("{:?}", one.rows));
}

#[test]
fn rows_are_those_of_cleanlab() {
    check(
        Filter::PruneByNoiseRate,
        &expect![[r#"[67, 32, 12, 42, 20, 64, 38, 30, 11, 60, 63, 26, 31, 55, 73, 45, 50, 2, 46, 35, 43]"#]],
    );
    check(
        Filter::PruneByClass,
        &expect![[r#"[67, 32, 12, 42, 20, 64, 38, 30, 11, 60, 63, 26, 31, 55, 73, 81, 50, 2, 4, 46, 35]"#]],
    );
    check(
        Filter::Both,
        &expect![[r#"[67, 32, 12, 42, 20, 64, 38, 30, 11, 60, 63, 26, 31, 55, 73, 50, 2, 46, 35]"#]],
    );
    check(
        Filter::ConfidentLearning,
        &expect![[r#"[67, 32, 12, 42, 20, 64, 38, 30, 11, 60, 63, 26, 31, 55, 73, 45, 2, 46, 35]"#]],
    );
    check(
        Filter::LowSelfConfidence,
        &expect![[r#"[67, 32, 12, 42, 20, 64, 38, 30, 11, 60, 63, 26, 31, 55, 73, 81, 45, 50, 2]"#]],
    );
    check(
        Filter::LowNormalizedMargin,
        &expect![[r#"[67, 32, 12, 42, 20, 64, 38, 30, 11, 60, 63, 26, 31, 55, 73, 45, 2, 46, 35]"#]],
    );
}

#[test]
fn what_is_no_probability_is_refused() {
    let refused = |values: &[f64], classes| Probabilities::new(values, classes).unwrap_err();
    assert_eq!(refused(&[0.5, 0.5], 1), ProbabilitiesInvalid::Classes { got: 1 });
    assert_eq!(refused(&[], 2), ProbabilitiesInvalid::Rows { got: 0 });
    assert_eq!(refused(&[0.5, 0.5, 1.0], 2), ProbabilitiesInvalid::Length { got: 3, rows: 1, classes: 2 });
    assert_eq!(refused(&[0.5, 0.5, f64::NAN, 1.0], 2), ProbabilitiesInvalid::Range { row: 2 });
    assert_eq!(refused(&[1.5, -0.5], 2), ProbabilitiesInvalid::Range { row: 1 });
    assert_eq!(refused(&[0.5, 0.4], 2), ProbabilitiesInvalid::Sum { row: 1 });
    let two = Probabilities::new(&[0.5, 0.5, 1.0, 0.0], 2).unwrap();
    let found = |labels: &[u32]| label_issues(labels, two, Filter::Both, Ranking::SelfConfidence, 1);
    assert_eq!(found(&[0, 2]).unwrap_err(), ProbabilitiesInvalid::Label { row: 2 });
    assert_eq!(found(&[0]).unwrap_err(), ProbabilitiesInvalid::Length { got: 4, rows: 1, classes: 2 });
}
