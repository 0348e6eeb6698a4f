//! Models with answers: what ONNX Runtime said, and whether we say the same.

use std::path::Path;
use std::sync::Arc;

use bartizan_model::{Model, Tensor, Values};
use serde_json::Value;

/// A tensor as the Open Inference Protocol writes it; a missing float is `null`, and the infinite ones are texts.
#[expect(clippy::cast_possible_truncation, reason = "floats are written as decimal numbers")]
pub(crate) fn tensor(json: &Value) -> Tensor {
    let shape = json["shape"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dim| dim.as_u64().unwrap().try_into().unwrap())
        .collect();
    let data = json["data"].as_array().unwrap();
    let float = |value: &Value| match value.as_str() {
        Some(text) => text.parse().unwrap(),
        None => value.as_f64().unwrap_or(f64::NAN),
    };
    let values = match json["datatype"].as_str().unwrap() {
        "FP32" => Values::F32(data.iter().map(|value| float(value) as f32).collect()),
        "FP64" => Values::F64(data.iter().map(float).collect()),
        "INT64" => Values::I64(data.iter().map(|value| value.as_i64().unwrap()).collect()),
        "INT32" => {
            Values::I32(data.iter().map(|value| value.as_i64().unwrap().try_into().unwrap()).collect())
        }
        "BOOL" => Values::Bool(data.iter().map(|value| value.as_bool().unwrap()).collect()),
        "BYTES" => Values::Text(data.iter().map(|value| Arc::from(value.as_str().unwrap())).collect()),
        other => panic!("{other}"),
    };
    Tensor::new(shape, values).unwrap()
}

/// What a comparison found.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// The largest relative difference of floats. A difference of up to two units in the last place of the row's
    /// largest score does not count: a small score of two is one minus the large one, in 32 bits.
    pub(crate) worst: f64,
    /// Floats compared, and how many were the same bit by bit.
    pub(crate) floats: usize,
    pub(crate) same: usize,
    /// Labels, shapes and types that differ.
    pub(crate) differences: Vec<String>,
}

/// Runs the model on the inputs of its cases and compares.
pub(crate) fn compare(folder: &Path, name: &str) -> Result<Comparison, String> {
    let bytes = std::fs::read(folder.join(format!("{name}.onnx"))).unwrap();
    let cases = std::fs::read_to_string(folder.join(format!("{name}.cases.json"))).unwrap();
    let cases: Value = serde_json::from_str(&cases).unwrap();
    let model = Model::load(&bytes).map_err(|error| chain(&error))?;
    let inputs: Vec<(&str, Tensor)> = cases["inputs"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, json)| (name.as_str(), tensor(json)))
        .collect();
    let outputs = model.run(&inputs).map_err(|error| chain(&error))?;
    let mut comparison = Comparison::default();
    for (port, got) in model.signature().outputs.iter().zip(&outputs) {
        let expected = tensor(&cases["outputs"][&port.name]);
        comparison.add(&port.name, got, &expected);
    }
    Ok(comparison)
}

impl Comparison {
    pub(crate) fn add(&mut self, name: &str, got: &Tensor, expected: &Tensor) {
        if got.shape() != expected.shape() || got.element() != expected.element() {
            self.differences.push(format!(
                "{name}: {:?} {} instead of {:?} {}",
                got.shape(),
                got.element(),
                expected.shape(),
                expected.element()
            ));
            return;
        }
        let pairs: Vec<(f64, f64)> = match (got.values(), expected.values()) {
            (Values::F32(got), Values::F32(expected)) => got
                .iter()
                .zip(expected)
                .map(|(got, expected)| (f64::from(*got), f64::from(*expected)))
                .collect(),
            (Values::F64(got), Values::F64(expected)) => {
                got.iter().copied().zip(expected.iter().copied()).collect()
            }
            (got, expected) => {
                if got != expected {
                    self.differences.push(format!("{name}: {got:?} instead of {expected:?}"));
                }
                return;
            }
        };
        // ONNX Runtime may give nought for what is beneath the smallest normal number: exp(-98) in a Softmax, for one.
        let least = match got.values() {
            Values::F32(_) => f64::from(f32::MIN_POSITIVE),
            _ => 0.0,
        };
        let columns = got.shape().last().copied().unwrap_or(1).max(1);
        let largest = |row: usize| {
            let scores = pairs.iter().skip(row * columns).take(columns);
            scores.map(|(_, expected)| expected.abs()).filter(|score| score.is_finite()).fold(0.0, f64::max)
        };
        for (index, (got, expected)) in pairs.iter().copied().enumerate() {
            let slack = 2.0 * largest(index / columns) * f64::from(f32::EPSILON);
            let slack = if expected == 0.0 { slack.max(least) } else { slack };
            self.floats += 1;
            self.same += usize::from(got == expected || got.is_nan() && expected.is_nan());
            if got.is_nan() != expected.is_nan() {
                self.differences.push(format!("{name}: {got} instead of {expected}"));
            } else if got != expected && !expected.is_nan() && (got - expected).abs() > slack {
                self.worst = self.worst.max((got - expected).abs() / expected.abs());
            }
        }
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
