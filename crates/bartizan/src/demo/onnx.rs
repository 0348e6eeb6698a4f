//! Writes a trained logistic regression as an ONNX file, without a protobuf library.
//!
//! ```text
//!   one float input [N, 1] per column
//!     -> Concat -> Imputer (missing = mean) -> Scaler (standardise) -> Gemm -> Sigmoid -> probability [N, 1]
//!                                                                                \-> Greater 0.5 -> label [N, 1]
//! ```
//!
//! Inputs are called like the columns; a missing value is NaN. The format is `onnx.proto` of ONNX 1.x (IR
//! version 8, opset 13, `ai.onnx.ml` 1), in protocol buffers' wire format; fields are written in the order of
//! their numbers, so equal models have equal bytes. It writes this one shape of graph and reads nothing.

use super::train::Trained;

const IR_VERSION: u64 = 8;
const OPSET: u64 = 13;
const ML_DOMAIN: &str = "ai.onnx.ml";
const ML_OPSET: u64 = 1;
/// `TensorProto.DataType`.
const FLOAT: u64 = 1;
const INT64: u64 = 7;

/// The bytes of an ONNX model that answers as [`Trained::probability`] does, in single precision.
pub(crate) fn encode(model: &Trained) -> Vec<u8> {
    let mut message = Message::default();
    message.varint(1, IR_VERSION);
    message.text(2, "bartizan demo");
    message.text(3, "1");
    message.message(7, graph(model));
    message.message(8, opset("", OPSET));
    message.message(8, opset(ML_DOMAIN, ML_OPSET));
    message.0
}

fn opset(domain: &str, version: u64) -> Message {
    let mut message = Message::default();
    message.text(1, domain);
    message.varint(2, version);
    message
}

fn graph(model: &Trained) -> Message {
    let probability = unused_name("probability", &model.features);
    let label = unused_name("label", &model.features);
    let [joined, filled, scaled, log_odds, over, weights, bias, half] =
        ["joined", "filled", "scaled", "log_odds", "over", "weights", "bias", "half"]
            .map(|name| unused_name(name, &model.features));
    let features: Vec<&str> = model.features.iter().map(String::as_str).collect();
    let inverse: Vec<f64> = model.scales.iter().map(|scale| 1.0 / scale).collect();

    let nodes = [
        node("Concat", "", &features, &joined, [int_attribute("axis", 1)]),
        node(
            "Imputer",
            ML_DOMAIN,
            &[&joined],
            &filled,
            [
                floats_attribute("imputed_value_floats", &model.means),
                float_attribute("replaced_value_float", QUIET_NAN),
            ],
        ),
        node(
            "Scaler",
            ML_DOMAIN,
            &[&filled],
            &scaled,
            [floats_attribute("offset", &model.means), floats_attribute("scale", &inverse)],
        ),
        node("Gemm", "", &[&scaled, &weights, &bias], &log_odds, []),
        node("Sigmoid", "", &[&log_odds], &probability, []),
        node("Greater", "", &[&probability, &half], &over, []),
        node("Cast", "", &[&over], &label, [int_attribute("to", INT64)]),
    ];
    let mut message = Message::default();
    for node in nodes {
        message.message(1, node);
    }
    message.text(2, "logistic regression");
    message.message(5, tensor(&weights, &[model.weights.len(), 1], &model.weights));
    message.message(5, tensor(&bias, &[1], &[model.bias]));
    message.message(5, tensor(&half, &[1], &[0.5]));
    for feature in &model.features {
        message.message(11, column(feature, FLOAT));
    }
    message.message(12, column(&label, INT64));
    message.message(12, column(&probability, FLOAT));
    message
}

/// `wanted`, or with as many underscores behind it as make it differ from every column's name.
fn unused_name(wanted: &str, taken: &[String]) -> String {
    let mut name = wanted.to_owned();
    while taken.contains(&name) {
        name.push('_');
    }
    name
}

/// `NodeProto`.
fn node<const N: usize>(
    op: &str,
    domain: &str,
    inputs: &[&str],
    output: &str,
    attributes: [Message; N],
) -> Message {
    let mut message = Message::default();
    for input in inputs {
        message.text(1, input);
    }
    message.text(2, output);
    message.text(3, &format!("{op}_{output}"));
    message.text(4, op);
    for attribute in attributes {
        message.message(5, attribute);
    }
    if !domain.is_empty() {
        message.text(7, domain);
    }
    message
}

/// `AttributeProto` of type FLOAT.
fn float_attribute(name: &str, value: f32) -> Message {
    let mut message = Message::default();
    message.text(1, name);
    message.float(2, value);
    message.varint(20, 1);
    message
}

/// `AttributeProto` of type INT.
fn int_attribute(name: &str, value: u64) -> Message {
    let mut message = Message::default();
    message.text(1, name);
    message.varint(3, value);
    message.varint(20, 2);
    message
}

/// `AttributeProto` of type FLOATS.
fn floats_attribute(name: &str, values: &[f64]) -> Message {
    let mut message = Message::default();
    message.text(1, name);
    for value in values {
        message.float(7, single(*value));
    }
    message.varint(20, 6);
    message
}

/// `TensorProto` of floats, as raw little-endian bytes.
fn tensor(name: &str, shape: &[usize], values: &[f64]) -> Message {
    let mut message = Message::default();
    for extent in shape {
        message.varint(1, *extent as u64);
    }
    message.varint(2, FLOAT);
    message.text(8, name);
    let raw: Vec<u8> = values.iter().flat_map(|value| single(*value).to_le_bytes()).collect();
    message.bytes(9, &raw);
    message
}

/// `ValueInfoProto` of a tensor `[N, 1]`.
fn column(name: &str, element: u64) -> Message {
    let (mut any, mut one, mut shape) = (Message::default(), Message::default(), Message::default());
    any.text(2, "N");
    one.varint(1, 1);
    shape.message(1, any);
    shape.message(1, one);
    let (mut tensor, mut kind, mut message) = (Message::default(), Message::default(), Message::default());
    tensor.varint(1, element);
    tensor.message(2, shape);
    kind.message(1, tensor);
    message.text(1, name);
    message.message(2, kind);
    message
}

const QUIET_NAN: f32 = f32::from_bits(0x7fc0_0000);

#[expect(clippy::cast_possible_truncation, reason = "rounding to single precision is what is wanted")]
fn single(value: f64) -> f32 {
    value as f32
}

/// A protocol-buffers message under construction.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, field: u64, value: u64) {
        self.raw_varint(field << 3);
        self.raw_varint(value);
    }

    fn float(&mut self, field: u64, value: f32) {
        self.raw_varint(field << 3 | 5);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.raw_varint(field << 3 | 2);
        self.raw_varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn text(&mut self, field: u64, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    fn message(&mut self, field: u64, value: Message) {
        self.bytes(field, &value.0);
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }
}

#[cfg(test)]
mod tests;
