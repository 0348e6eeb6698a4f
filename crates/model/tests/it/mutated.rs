//! Random bytes, and models with random changes: never a panic, always an end.

use bartizan_model::{Dimension, ElementType, Model, Tensor, Values, train};
use proptest::prelude::*;

use crate::real::models;
use crate::training::table;
use crate::writer::{floats, ints, node, one, raw_floats, texts};

/// Loads what may be a model and runs it on `rows` rows of what it says it takes.
fn load_and_run(bytes: &[u8], rows: usize, fill: f32) {
    let Ok(model) = Model::load(bytes) else { return };
    let inputs: Vec<(&str, Tensor)> = model
        .signature()
        .inputs
        .iter()
        .map(|port| {
            let length = |dimension: &Dimension| match dimension {
                Dimension::Rows => rows.min(model.most_rows()),
                Dimension::Fixed(length) => *length,
                Dimension::Open => 2,
            };
            let shape: Vec<usize> = port.shape.iter().map(length).collect();
            let count = shape.iter().product();
            let values = match port.element {
                ElementType::F32 => Values::F32(vec![fill; count]),
                ElementType::F64 => Values::F64(vec![f64::from(fill); count]),
                ElementType::I64 => Values::I64(vec![fill as i64; count]),
                ElementType::I32 => Values::I32(vec![fill as i32; count]),
                ElementType::Bool => Values::Bool(vec![fill > 0.0; count]),
                ElementType::Text => Values::Text(vec!["a".into(); count]),
            };
            (port.name.as_str(), Tensor::new(shape, values).unwrap())
        })
        .collect();
    let outcome = model.run(&inputs);
    let broken = matches!(&outcome, Err(failed) if failed.is_defect());
    assert!(!broken, "an operator breaks what was promised when the model was loaded: {outcome:?}");
    if let Ok(outputs) = outcome {
        for (port, output) in model.signature().outputs.iter().zip(&outputs) {
            assert_eq!(port.element, output.element());
            for (dimension, length) in port.shape.iter().zip(output.shape()) {
                match dimension {
                    Dimension::Fixed(fixed) => assert_eq!(fixed, length, "{}", port.name),
                    Dimension::Rows => {
                        assert!(*length == rows.min(model.most_rows()) || *length == 1, "{}", port.name)
                    }
                    Dimension::Open => {}
                }
            }
        }
    }
}

/// Small models of many kinds, made here; and the real ones, where they are at hand.
fn seeds() -> Vec<Vec<u8>> {
    let (columns, labels) = table(60);
    let boosted = train::Learner::Boosted { rounds: 3, depth: 2, rate: 0.3, share: 1.0 };
    let logistic = train::Options::default();
    let options = train::Options { learner: boosted, ..logistic };
    let svm = [
        ints("classlabels_ints", &[0, 1, 2]),
        floats("coefficients", &[1.0, -1.0, 0.5, 0.2, -0.3, 1.0]),
        floats("rho", &[0.1, 0.2, 0.3]),
        floats("support_vectors", &[0.0, 1.0, 1.0, 0.0, 0.5, 0.5]),
        ints("vectors_per_class", &[1, 1, 1]),
        floats("kernel_params", &[0.5, 0.0, 3.0]),
    ];
    let encoder = [texts("values_strings", &["x", "y"]), ints("keys_int64s", &[0, 1])];
    let mut seeds = vec![
        train::train(&columns, &labels, &logistic).unwrap().onnx,
        train::train(&columns, &labels, &options).unwrap().onnx,
        one(node("ai.onnx.ml:SVMClassifier", &["X"], &["L", "Y"], &svm), 2, &[]),
        one(node("MatMul", &["X", "w"], &["Y"], &[]), 2, &[raw_floats("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0])]),
        one(node("ai.onnx.ml:LabelEncoder", &["X"], &["Y"], &encoder), 2, &[]),
    ];
    let small = ["taxi_tip_logistic", "penguins_knn", "penguins_svc", "penguins_mlp", "taxi_fare_ridge"];
    match models() {
        Some(folder) => {
            seeds
                .extend(small.iter().map(|name| std::fs::read(folder.join(format!("{name}.onnx"))).unwrap()));
        }
        None => {
            eprintln!("SKIPPED: there is no folder shared/models beside the repository to change models of")
        }
    }
    seeds
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        load_and_run(&bytes, 2, 1.0);
    }
}

#[test]
fn changed_models() {
    let seeds = seeds();
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    let changes = prop::collection::vec(change, 1..6);
    let config = ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let input = (
        any::<prop::sample::Index>(),
        changes,
        0..40_usize,
        prop::sample::select(vec![1.0, -3.5, 1e30, f32::NAN]),
    );
    let outcome = runner.run(&input, |(seed, changes, rows, fill)| {
        let mut bytes = seed.get(&seeds).clone();
        for (at, value, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = value,
                1 => bytes[at] ^= 1 << (value & 7),
                _ => bytes.truncate(at.max(1)),
            }
        }
        load_and_run(&bytes, rows, fill);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn unchanged_models_run() {
    for seed in seeds() {
        for rows in [0, 1, 15, 16, 17, 40] {
            load_and_run(&seed, rows, 1.0);
        }
    }
}
