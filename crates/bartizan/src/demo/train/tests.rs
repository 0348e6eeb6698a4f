//! The trainer on data whose answer is known, and what it refuses.

use super::{Label, TrainRefused, train};
use crate::demo::rng::{Rng, sigmoid};

const FRAUD: Label<'_> = Label { column: "y", above: None };

/// Rows of two informative columns, one of noise, one constant and one of words.
fn file(rows: usize, weights: [f64; 2], missing_percent: u64) -> Vec<u8> {
    let mut rng = Rng::new(3);
    let mut text = "word,a,constant,b,noise,y\n".to_owned();
    for _ in 0..rows {
        let (a, b, noise) = (rng.normal(), rng.normal(), rng.normal());
        let yes = rng.chance(sigmoid(0.5 + weights[0] * a + weights[1] * b));
        let shown =
            if rng.below(100) < missing_percent { String::new() } else { (1_000.0 + 50.0 * a).to_string() };
        text.push_str(&format!(
            "w{},{shown},7,{b},{noise},{}\n",
            rng.below(3),
            if yes { ">50K" } else { "<=50K" }
        ));
    }
    text.into_bytes()
}

#[test]
fn it_finds_the_weights_that_made_the_data() {
    let trained = train(&file(20_000, [2.0, -1.0], 0), b',', FRAUD).unwrap();
    assert_eq!(trained.features, ["a", "b", "noise"]);
    assert_eq!((trained.rows, trained.held_out), (16_000, 4_000));
    for (weight, wanted) in trained.weights.iter().chain([&trained.bias]).zip([2.0, -1.0, 0.0, 0.5]) {
        assert!((weight - wanted).abs() < 0.1, "{weight} instead of {wanted}");
    }
    assert!((trained.means[0] - 1_000.0).abs() < 2.0 && (trained.scales[0] - 50.0).abs() < 2.0);
    assert!(trained.accuracy > trained.majority + 0.15, "{trained:?}");
    assert!(trained.auc > 0.85, "{trained:?}");
}

#[test]
fn missing_values_count_as_the_mean() {
    let trained = train(&file(5_000, [2.0, -1.0], 20), b',', FRAUD).unwrap();
    let known = trained.probability(&[Some(trained.means[0]), Some(0.3), Some(0.0)]);
    let missing = trained.probability(&[None, Some(0.3), Some(0.0)]);
    assert!((known - missing).abs() < 1e-12);
    assert!(trained.weights[0] > 1.0);
}

#[test]
fn noise_is_not_mistaken_for_knowledge() {
    let trained = train(&file(20_000, [0.0, 0.0], 0), b',', FRAUD).unwrap();
    assert!((trained.auc - 0.5).abs() < 0.05, "{trained:?}");
    assert!((trained.accuracy - trained.majority).abs() < 0.01, "{trained:?}");
}

#[test]
fn equal_bytes_give_equal_weights() {
    let text = file(500, [1.0, 1.0], 5);
    assert_eq!(train(&text, b',', FRAUD).unwrap(), train(&text, b',', FRAUD).unwrap());
}

#[test]
fn a_separable_file_stays_finite() {
    let rows: String = (0..200).map(|x| format!("{x};{}\n", if x < 100 { 0 } else { 1 })).collect();
    let trained = train(format!("x;y\n{rows}").as_bytes(), b';', FRAUD).unwrap();
    assert!(trained.weights[0].is_finite() && trained.weights[0] > 1.0);
    assert!(trained.accuracy > 0.97, "{trained:?}");
}

#[test]
fn a_threshold_makes_the_label() {
    let rows: String = (0..200).map(|x| format!("{x},{}\n", x / 2)).collect();
    let text = format!("x,y\n{rows}3,\n");
    let trained = train(text.as_bytes(), b',', Label { column: "y", above: Some(49.5) }).unwrap();
    assert_eq!(trained.rows + trained.held_out, 200, "the row without a label is left out");
    assert!(trained.probability(&[Some(190.0)]) > 0.9 && trained.probability(&[Some(10.0)]) < 0.1);
}

#[test]
fn what_can_not_be_learned_is_refused() {
    let label = |above| Label { column: "y", above };
    let refused = |text: &str, label| train(text.as_bytes(), b',', label).unwrap_err();
    let many = |row: &dyn Fn(u32) -> String| format!("x,y\n{}", (0..40).map(row).collect::<String>());

    assert!(matches!(refused("x,z\n1,2\n", label(None)), TrainRefused::Table(_)));
    assert_eq!(
        refused(&many(&|x| format!("{x},{}\n", x % 3)), label(None)).to_string(),
        "column `y` holds 3 different values; two are needed, or a threshold"
    );
    assert_eq!(
        refused(&many(&|x| format!("{x},v{x}\n")), label(Some(1.0))).to_string(),
        "row 1: `v0` in column `y` is not a number, so it can't be compared with a threshold"
    );
    assert!(matches!(
        refused(&many(&|x| format!("{x},{x}\n")), label(Some(99.0))),
        TrainRefused::OneAnswer { .. }
    ));
    assert_eq!(refused("x,y\n1,0\n2,1\n", label(None)), TrainRefused::TooFewRows { found: 2 });
    assert!(matches!(
        refused(&many(&|x| format!("w,{}\n", x % 2)), label(None)),
        TrainRefused::NoFeatures { .. }
    ));
}
