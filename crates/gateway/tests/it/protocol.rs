//! The protocol: what is read is what was written, answers and metadata.

use std::sync::Arc;

use bartizan_gateway::oip::{self, Request};
use bartizan_model::{Tensor, Values};
use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::onnx;
use crate::shelf::Shelf;

#[test]
fn a_request_is_read_in_any_order_of_its_members() {
    let body = r#" { "outputs" : [ { "parameters": {}, "name" : "y" } ] , "parameters" : {"a": true, "b": -1.5e3, "c": null},
        "inputs" : [ { "data" : [ [ 1, null ] , [ -0.25, 1e-3 ] ], "shape" : [ 2, 2 ], "parameters": {"content_type": "np"},
        "datatype" : "FP64", "name" : "\u0078\n\ud83d\ude00" } ], "id" : "\"7\\/\u00e9" } "#;
    let request = Request::parse(body.as_bytes()).unwrap();
    assert_eq!(request.id.as_deref(), Some("\"7\\/é"));
    assert_eq!(request.outputs.as_ref().unwrap(), &["y"]);
    let [(name, tensor)] = request.inputs.as_slice() else { panic!() };
    assert_eq!(name, "x\n😀");
    assert_eq!(tensor.shape(), [2, 2]);
    let values = tensor.as_f64().unwrap();
    assert!(values[0] == 1.0 && values[1].is_nan() && values[2] == -0.25 && values[3] == 0.001, "{values:?}");
}

#[test]
fn empty_and_single_shapes_are_shapes() {
    for (shape, data) in
        [("[0]", "[]"), ("[2,0]", "[[],[]]"), ("[2,0]", "[]"), ("[]", "[5]"), ("[1,1]", "[[5]]")]
    {
        for order in [
            format!(r#"{{"inputs":[{{"name":"x","datatype":"INT32","shape":{shape},"data":{data}}}]}}"#),
            format!(r#"{{"inputs":[{{"data":{data},"shape":{shape},"datatype":"INT32","name":"x"}}]}}"#),
        ] {
            Request::parse(order.as_bytes()).unwrap();
        }
    }
    let nulls = Request::parse(br#"{"id":null,"parameters":null,"inputs":[],"outputs":null}"#).unwrap();
    assert_eq!((nulls.id, nulls.outputs), (None, None));
    assert!(Request::parse(br#"{"inputs":null}"#).is_err());
}

#[test]
fn metadata_and_probes_are_those_of_the_protocol() {
    let shelf = Shelf::new();
    let loaded = shelf.load("fraud", &onnx::model("Add", "Log"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    expect![[r#"{"name":"fraud","versions":["1"],"platform":"bartizan_onnx","inputs":[{"name":"age","datatype":"FP32","shape":[-1,1]},{"name":"income","datatype":"FP32","shape":[-1,1]},{"name":"city","datatype":"BYTES","shape":[-1,1]}],"outputs":[{"name":"score","datatype":"FP32","shape":[-1,1]},{"name":"where","datatype":"BYTES","shape":[-1,1]}]}"#]]
        .assert_eq(&text(oip::model_metadata("fraud", &[1], loaded.signature())));
    expect![[r#"{"name":"bartizan","version":"0.1.0","extensions":[]}"#]]
        .assert_eq(&text(oip::server_metadata("0.1.0")));
    expect![[r#"{"live":true}"#]].assert_eq(&text(oip::live(true)));
    expect![[r#"{"ready":false}"#]].assert_eq(&text(oip::ready(false)));
    expect![[r#"{"name":"fraud","ready":true}"#]].assert_eq(&text(oip::model_ready("fraud", true)));
    expect![[r#"{"error":"say \"what\"","id":"BZ-0003"}"#]]
        .assert_eq(&text(oip::error("say \"what\"", "BZ-0003")));
    let long: Value = serde_json::from_slice(&oip::error(&"é".repeat(10_000), "BZ-0003")).unwrap();
    assert_eq!(long["error"].as_str().unwrap().len(), 1024);
}

/// A tensor as numpy would write it, flat or nested.
fn written(name: &str, tensor: &Tensor, nested: bool) -> Value {
    let (datatype, flat): (&str, Vec<Value>) = match tensor.values() {
        Values::F32(values) => ("FP32", values.iter().map(|value| json!(value)).collect()),
        Values::F64(values) => ("FP64", values.iter().map(|value| json!(value)).collect()),
        Values::I64(values) => ("INT64", values.iter().map(|value| json!(value)).collect()),
        Values::I32(values) => ("INT32", values.iter().map(|value| json!(value)).collect()),
        Values::Bool(values) => ("BOOL", values.iter().map(|value| json!(value)).collect()),
        Values::Text(values) => ("BYTES", values.iter().map(|value| json!(**value)).collect()),
    };
    let mut data = flat;
    if nested {
        for length in tensor.shape().iter().skip(1).rev() {
            data = data.chunks(*length).map(|chunk| Value::Array(chunk.to_vec())).collect();
        }
    }
    json!({"name": name, "shape": tensor.shape(), "datatype": datatype, "data": data})
}

fn values(count: usize) -> impl Strategy<Value = Values> {
    let of = move |strategy| prop::collection::vec(strategy, count);
    let float = prop_oneof![any::<f64>().prop_filter("finite", |x| x.is_finite()), Just(f64::NAN)];
    let single = prop_oneof![any::<f32>().prop_filter("finite", |x| x.is_finite()), Just(f32::NAN)];
    prop_oneof![
        of(float.boxed()).prop_map(Values::F64),
        prop::collection::vec(single, count).prop_map(Values::F32),
        prop::collection::vec(any::<i64>(), count).prop_map(Values::I64),
        prop::collection::vec(any::<i32>(), count).prop_map(Values::I32),
        prop::collection::vec(any::<bool>(), count).prop_map(Values::Bool),
        prop::collection::vec(any::<String>(), count)
            .prop_map(|texts| Values::Text(texts.into_iter().map(Arc::from).collect())),
    ]
}

fn tensor() -> impl Strategy<Value = Tensor> {
    prop::collection::vec(1_usize..4, 1..4).prop_flat_map(|shape| {
        values(shape.iter().product()).prop_map(move |values| Tensor::new(shape.clone(), values).unwrap())
    })
}

/// Bit by bit, but for the payload of NaN.
fn same(one: &Tensor, other: &Tensor) -> bool {
    let bits64 =
        |values: &[f64]| values.iter().map(|x| if x.is_nan() { 1 } else { x.to_bits() }).collect::<Vec<_>>();
    let bits32 =
        |values: &[f32]| values.iter().map(|x| if x.is_nan() { 1 } else { x.to_bits() }).collect::<Vec<_>>();
    one.shape() == other.shape()
        && match (one.values(), other.values()) {
            (Values::F64(one), Values::F64(other)) => bits64(one) == bits64(other),
            (Values::F32(one), Values::F32(other)) => bits32(one) == bits32(other),
            (one, other) => one == other,
        }
}

proptest! {
    #[test]
    fn what_is_written_is_read(tensors in prop::collection::vec((tensor(), any::<bool>()), 0..4), id in ".{1,20}", spaced in any::<bool>()) {
        let inputs: Vec<Value> = tensors.iter().enumerate()
            .map(|(index, (tensor, nested))| written(&format!("in {index}"), tensor, *nested)).collect();
        let body = json!({"id": id, "inputs": inputs});
        let body = if spaced { serde_json::to_vec_pretty(&body) } else { serde_json::to_vec(&body) }.unwrap();
        let request = Request::parse(&body).unwrap();
        prop_assert_eq!(request.id.as_deref(), Some(id.as_str()));
        prop_assert_eq!(request.inputs.len(), tensors.len());
        for ((_, read), (tensor, _)) in request.inputs.iter().zip(&tensors) {
            prop_assert!(same(read, tensor), "{:?} {:?}", read, tensor);
        }
    }
}
