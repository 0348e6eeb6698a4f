//! The encoder against a golden file that the `onnx` checker and ONNX Runtime have accepted.
//!
//! `.ci/onnx/check.py` runs both over the golden file and compares ONNX Runtime's answers with
//! `golden.cases.json`; here the same cases are compared with our own arithmetic, and the bytes with the file.

use super::encode;
use crate::demo::train::Trained;

const GOLDEN: &[u8] = include_bytes!("golden.onnx");

/// Awkward names, and scales that differ by nine orders of magnitude.
fn model() -> Trained {
    Trained {
        features: ["amount", "probability", "days since 1970", "größe"].map(str::to_owned).to_vec(),
        means: vec![81.25, 0.5, 1_400_000_000.0, -0.001],
        scales: vec![140.5, 0.25, 30_000_000.0, 0.0004],
        weights: vec![1.5, -0.75, 0.125, 0.0625],
        bias: -0.3,
        rows: 80,
        held_out: 20,
        accuracy: 0.9,
        majority: 0.6,
        auc: 0.95,
    }
}

#[test]
fn bytes_are_the_golden_ones() {
    let bytes = encode(&model());
    if bytes != GOLDEN {
        let path = std::env::temp_dir().join("golden.onnx");
        std::fs::write(&path, bytes).unwrap();
        panic!("the bytes changed; if they should, `.ci/onnx/check.py {}` first", path.display());
    }
}

#[test]
fn golden_cases_are_what_the_model_answers() {
    let cases: serde_json::Value = serde_json::from_str(include_str!("golden.cases.json")).unwrap();
    let model = model();
    let column = |name: &str| cases["inputs"][name].as_array().unwrap();
    let expected = cases["outputs"]["probability_"].as_array().unwrap();
    assert!(expected.len() >= 5);
    for (index, expected) in expected.iter().enumerate() {
        let row: Vec<Option<f64>> = model.features.iter().map(|name| column(name)[index].as_f64()).collect();
        let ours = model.probability(&row);
        assert!(
            (ours - expected.as_f64().unwrap()).abs() < 1e-6,
            "case {index}: {ours} instead of {expected}"
        );
        let label = cases["outputs"]["label"][index].as_i64().unwrap();
        assert_eq!(label, i64::from(ours > 0.5), "case {index}");
    }
}

#[test]
fn a_long_model_keeps_its_lengths_right() {
    // Lengths above 127 and 16,383 take two and three bytes on the wire.
    let wide = Trained {
        features: (0..2_000).map(|index| format!("column_{index}")).collect(),
        means: vec![0.0; 2_000],
        scales: vec![1.0; 2_000],
        weights: vec![0.5; 2_000],
        ..model()
    };
    let bytes = encode(&wide);
    let mut rest = bytes.as_slice();
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (tag, after) = varint(rest);
        let (value, after) = varint(after);
        fields.push(tag >> 3);
        rest = if tag & 7 == 2 { &after[usize::try_from(value).unwrap()..] } else { after };
    }
    assert_eq!(fields, [1, 2, 3, 7, 8, 8]);
}

fn varint(bytes: &[u8]) -> (u64, &[u8]) {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
    let value = bytes[..=end].iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
    (value, &bytes[end + 1..])
}
