//! Real models, asked over the protocol, answer what ONNX Runtime answers.

use std::path::{Path, PathBuf};

use bartizan_gateway::{Endpoint, Fallback, Serving};
use serde_json::{Value, json};

use crate::asked::{ask, made, placed, settings};
use crate::shelf::Shelf;

/// The folder `shared/models` beside the repository or beside a folder that it is in.
fn models() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().skip(3).map(|above| above.join("shared/models")).find(|folder| folder.is_dir())
}

fn agrees(name: &str) {
    let Some(folder) = models() else {
        eprintln!("SKIPPED: there is no folder shared/models beside the repository for {name}");
        return;
    };
    let bytes = std::fs::read(folder.join(format!("{name}.onnx"))).unwrap();
    let cases = std::fs::read_to_string(folder.join(format!("{name}.cases.json"))).unwrap();
    let cases: Value = serde_json::from_str(&cases).unwrap();
    let shelf = Shelf::new();
    let loaded = shelf.load("real", &bytes);
    let endpoint = Endpoint::new(settings(), Serving::new(loaded, Fallback::Unavailable, None).unwrap());
    let inputs: Vec<Value> = cases["inputs"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, tensor)| {
            let mut input = tensor.clone();
            input["name"] = json!(name);
            input
        })
        .collect();
    let body = serde_json::to_vec(&json!({"inputs": inputs})).unwrap();
    let (answer, _, _) = placed(made(ask(&endpoint, &body)));
    for output in answer["outputs"].as_array().unwrap() {
        let expected = &cases["outputs"][output["name"].as_str().unwrap()];
        assert_eq!(
            (&output["shape"], &output["datatype"]),
            (&expected["shape"], &expected["datatype"]),
            "{name}"
        );
        let pairs = output["data"].as_array().unwrap().iter().zip(expected["data"].as_array().unwrap());
        for (got, expected) in pairs {
            match (got.as_f64(), expected.as_f64()) {
                (Some(got), Some(expected)) => {
                    // A small score of two is one minus the large one, in 32 bits.
                    let slack = 1e-5 * expected.abs() + 2.0 * f64::from(f32::EPSILON);
                    assert!((got - expected).abs() <= slack, "{name}: {got} instead of {expected}");
                }
                _ => assert_eq!(got, expected, "{name}"),
            }
        }
    }
}

macro_rules! models {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            agrees(stringify!($name));
        }
    )*};
}

models!(
    taxi_tip_gbdt,
    taxi_tip_logistic,
    adult_forest,
    adult_logistic,
    adult_lightgbm,
    adult_xgboost,
    taxi_fare_hist,
    taxi_fare_ridge,
    taxi_outlier_iforest,
    penguins_knn,
    penguins_mlp,
    penguins_svc
);
