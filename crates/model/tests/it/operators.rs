//! Every operator against answers of ONNX Runtime 1.31.1, in `tests/data/operators.jsonl`.
//!
//! One model a line: its nodes, constants and inputs, and what ONNX Runtime made of them. The files are built here.
//! Left out are cases in which its answer depends on memory that it does not set (`PROBIT` with one sum of two).
//! `.ci/onnx/corners.py` makes some four thousand more with the values at which implementations part; those that once
//! found a difference are here, their names begin with `corner_`.

use bartizan_model::Model;
use serde_json::Value;

use crate::cases::{Comparison, chain, tensor};
use crate::writer::{FLOAT, Graph, INT64, Proto, TEXT, model, node, port};

fn float(value: &Value) -> f32 {
    value.as_f64().map_or(f32::NAN, |value| value as f32)
}

fn element(json: &Value) -> i64 {
    match json["datatype"].as_str().unwrap() {
        "FP32" => FLOAT,
        "FP64" => 11,
        "INT64" => INT64,
        "INT32" => 6,
        "BOOL" => 9,
        "BYTES" => TEXT,
        other => panic!("{other}"),
    }
}

/// A tensor as ONNX writes it, each type in its own field.
fn constant(name: &str, json: &Value) -> Proto {
    let dims = json["shape"].as_array().unwrap();
    let start = dims.iter().fold(Proto::default(), |proto, dim| proto.int(1, dim.as_i64().unwrap()));
    let start = start.int(2, element(json)).bytes(8, name);
    json["data"].as_array().unwrap().iter().fold(start, |proto, value| match element(json) {
        FLOAT => proto.float(4, float(value)),
        11 => proto.bytes(10, value.as_f64().unwrap_or(f64::NAN).to_le_bytes()),
        INT64 => proto.int(7, value.as_i64().unwrap()),
        6 => proto.int(5, value.as_i64().unwrap()),
        9 => proto.int(5, i64::from(value.as_bool().unwrap())),
        _ => proto.bytes(6, value.as_str().unwrap()),
    })
}

fn attribute(name: &str, json: &Value) -> Proto {
    let (kind, value) = json.as_object().unwrap().iter().next().unwrap();
    let proto = Proto::default().bytes(1, name);
    let list = || value.as_array().unwrap().iter();
    match kind.as_str() {
        "f" => proto.float(2, float(value)).int(20, 1),
        "i" => proto.int(3, value.as_i64().unwrap()).int(20, 2),
        "s" => proto.bytes(4, value.as_str().unwrap()).int(20, 3),
        "t" => proto.message(5, &constant("", value)).int(20, 4),
        "floats" => list().fold(proto, |proto, value| proto.float(7, float(value))).int(20, 6),
        "ints" => list().fold(proto, |proto, value| proto.int(8, value.as_i64().unwrap())).int(20, 7),
        "strings" => list().fold(proto, |proto, value| proto.bytes(9, value.as_str().unwrap())).int(20, 8),
        other => panic!("{other}"),
    }
}

fn build(case: &Value) -> Vec<u8> {
    let names = |json: &Value| {
        json.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let mut graph = Graph::default();
    for json in case["nodes"].as_array().unwrap() {
        let (inputs, outputs): (Vec<String>, Vec<String>) = (names(&json["inputs"]), names(&json["outputs"]));
        let attributes = json["attributes"].as_object().unwrap();
        let attributes: Vec<Proto> = attributes.iter().map(|(name, json)| attribute(name, json)).collect();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        graph.nodes.push(node(json["operator"].as_str().unwrap(), &inputs, &outputs, &attributes));
    }
    for (name, json) in case["constants"].as_object().unwrap() {
        graph.constants.push(constant(name, json));
    }
    for (name, json) in case["inputs"].as_object().unwrap() {
        let mut dims: Vec<i64> =
            json["shape"].as_array().unwrap().iter().map(|dim| dim.as_i64().unwrap()).collect();
        if case["fixed"] == Value::Bool(false) {
            dims[0] = -1;
        }
        graph.inputs.push(port(name, element(json), &dims));
    }
    for (name, json) in case["outputs"].as_object().unwrap() {
        // What is declared of an output is wrong on purpose: it is not read.
        graph.outputs.push(port(name, element(json), &[77]));
    }
    let sets = [("", case["plain"].as_i64().unwrap()), ("ai.onnx.ml", case["tables"].as_i64().unwrap())];
    model(&graph.message(), &sets)
}

#[test]
fn answers_are_those_of_onnx_runtime() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for line in include_str!("../data/operators.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        cases += 1;
        let found = answer(&case);
        match found {
            Ok(found) if found.differences.is_empty() && found.worst <= 1e-5 => {}
            Ok(found) => wrong.push(format!("{}: {found:?}", case["name"])),
            Err(why) => wrong.push(format!("{}: {why}", case["name"])),
        }
    }
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases > 200);
}

fn answer(case: &Value) -> Result<Comparison, String> {
    let model = Model::load(&build(case)).map_err(|error| chain(&error))?;
    let inputs = case["inputs"].as_object().unwrap();
    let inputs: Vec<_> = inputs.iter().map(|(name, json)| (name.as_str(), tensor(json))).collect();
    let outputs = model.run(&inputs).map_err(|error| chain(&error))?;
    let mut comparison = Comparison::default();
    for (port, got) in model.signature().outputs.iter().zip(&outputs) {
        comparison.add(&port.name, got, &tensor(&case["outputs"][&port.name]));
    }
    Ok(comparison)
}
