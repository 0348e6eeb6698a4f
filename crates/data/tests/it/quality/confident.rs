//! Confident learning against rows that cleanlab 2.9.0 found.

use bartizan_data::quality::{
    Filter, LabelIssues, Probabilities, ProbabilitiesInvalid, Ranking, label_issues,
};
use expect_test::{Expect, expect};

use super::planted::Random;

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

/// Labels that features decide up to `width`, and what a model says of them that is too sure: log-odds that are 1.4
/// times the true ones, with an error of its own. A share of the labels is drawn anew.
fn sure(rows: usize, width: f64, redrawn: f64, seed: u64) -> (Vec<u32>, Vec<f64>) {
    let mut random = Random(seed);
    let (mut labels, mut values) = (Vec::with_capacity(rows), Vec::with_capacity(2 * rows));
    let sigmoid = |score: f64| 1.0 / (1.0 + (-score).exp());
    for _ in 0..rows {
        let score = random.normal() / width;
        let label = u32::from(random.unit() < sigmoid(score));
        labels.push(if random.unit() < redrawn { random.below(2) } else { label });
        let yes = sigmoid(1.4 * score + random.normal());
        values.extend([1.0 - yes, yes]);
    }
    (labels, values)
}

fn issues(rows: usize, width: f64, redrawn: f64, seed: u64) -> LabelIssues {
    let (labels, values) = sure(rows, width, redrawn, seed);
    let probabilities = Probabilities::new(&values, 2).unwrap();
    label_issues(&labels, probabilities, Filter::Both, Ranking::SelfConfidence, 2).unwrap()
}

/// At 1 % a hundred clean tables have one false alarm on average; four have a chance of 2 %.
#[test]
fn a_model_that_is_too_sure_is_no_sign_of_wrong_labels() {
    let (mut alarms, mut listed) = (0, 0);
    for seed in 0..100 {
        let width = [0.125, 0.25, 0.5, 1.0][seed as usize % 4];
        let found = issues(1_000, width, 0.0, 3_000 + seed);
        alarms += usize::from(found.chance.ln < 0.01_f64.ln());
        listed += found.rows.len();
    }
    println!("{alarms} of 100 clean tables have a chance below 1 %");
    assert!(alarms <= 4 && listed > 1_000);
}

#[test]
fn labels_that_are_drawn_anew_where_the_model_is_sure_are_no_chance() {
    for (seed, redrawn) in [(1, 0.06), (2, 0.1), (3, 0.2)] {
        let found = issues(4_000, 0.1, redrawn, seed);
        assert!(found.chance.ln < 1e-6_f64.ln(), "{redrawn}: {}", found.chance);
        assert!((found.redrawn / redrawn - 1.0).abs() < 0.3, "{redrawn}: {}", found.redrawn);
        let beyond = found.confident as f64 - found.expected;
        assert!(beyond > 0.3 * redrawn * 4_000.0, "{redrawn}: {beyond} of {}", found.confident);
    }
    // Where features leave the label open, nobody can tell.
    assert!(issues(1_000, 1.0, 0.1, 4).chance.ln > 0.01_f64.ln());
}

/// A model is right or sure of nothing, a class has no rows, probabilities are nought.
#[test]
fn odd_probabilities_have_a_chance_too() {
    let cases: [(&[u32], &[f64]); 4] = [
        (&[0, 1, 1], &[1.0, 0.0, 0.0, 1.0, 0.0, 1.0]),
        (&[0, 1, 1], &[0.0, 1.0, 1.0, 0.0, 1.0, 0.0]),
        (&[1, 1, 1], &[0.5; 6]),
        (&[0], &[0.0, 1.0]),
    ];
    for (labels, values) in cases {
        let probabilities = Probabilities::new(values, 2).unwrap();
        let found = label_issues(labels, probabilities, Filter::Both, Ranking::SelfConfidence, 1).unwrap();
        assert!(found.chance.ln <= 0.0 && found.chance.ln > -5.0, "{labels:?}: {}", found.chance);
        assert!((0.0..=1.0).contains(&found.redrawn) && found.expected.is_finite());
    }
}

/// More classes than have all second derivatives.
#[test]
fn many_classes_are_fitted_too() {
    let mut random = Random(9);
    let (mut labels, mut values) = (Vec::new(), Vec::new());
    for row in 0..2_000_u32 {
        let class = row % 40;
        let own = 0.9 + 0.09 * random.unit();
        values.extend((0..40).map(|other| if other == class { own } else { (1.0 - own) / 39.0 }));
        labels.push(if random.unit() < 0.7 * (1.0 - own) { random.below(40) } else { class });
    }
    let probabilities = Probabilities::new(&values, 40).unwrap();
    let found = label_issues(&labels, probabilities, Filter::Both, Ranking::SelfConfidence, 2).unwrap();
    assert!(found.chance.ln > 0.01_f64.ln(), "{}", found.chance);
}
