//! Predictions: answers, records, flags, withheld values.

use std::sync::Arc;
use std::time::Duration;

use bartizan_base::{Timestamp, sha256};
use bartizan_gateway::oip::Request;
use bartizan_gateway::validate::OutOfBounds;
use bartizan_gateway::{
    Caller, Columns, Endpoint, Fallback, Fault, Phase, Placement, RecordedInput, RecordedOutput, Serving,
};
use bartizan_keys::OsRandom;
use bartizan_model::{Tensor, Values};
use bartizan_store::SimDisk;
use bartizan_store::records::Log;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::expect;
use serde_json::{Value, json};

use crate::asked::{
    GATEWAY, ask, ask_as, bounded, caller, canonical, endpoint, made, placed, refused, rows, settings, tag,
    told,
};
use crate::onnx;
use crate::shelf::Shelf;

fn two_rows() -> Vec<u8> {
    let mut body = rows(&[(json!(1), json!(0), "Oslo"), (json!(30.5), json!(1.5), "Rome")]);
    body["id"] = json!("call 7");
    serde_json::to_vec(&body).unwrap()
}

#[test]
fn numbers_are_recorded_to_the_last_bit_however_many_there_are() {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    for count in [1_u16, 2, 3, 23, 24, 25, 48, 49, 500] {
        let numbers: Vec<f32> = (0..count).map(|row| 1.0 + f32::from(row) / 7.0).collect();
        let all: Vec<_> = numbers.iter().map(|number| (json!(number), json!(0), "Oslo")).collect();
        let body = serde_json::to_vec(&rows(&all)).unwrap();
        let (_, [_, _, input, _, _], _) = placed(made(ask(&endpoint, &body)));
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        assert_eq!(input["tensors"][0]["data"], STANDARD.encode(bytes), "{count} rows");
    }
}

/// What is printed of what holds a person's data may end in a log.
#[test]
fn nothing_personal_is_printed_for_debugging() {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    let body = two_rows();
    let prediction = made(ask(&endpoint, &body));
    let mut printed = vec![format!("{:?}", Request::parse(&body).unwrap()), format!("{prediction:?}")];
    let placement = Placement { gateway: GATEWAY, epoch: 2, sequence: 17 };
    let (groups, answer) = prediction.place(&placement).unwrap();
    let [_, _, input, output, _] = groups.as_slices();
    let (input, output) = (RecordedInput::parse(input).unwrap(), RecordedOutput::parse(output).unwrap());
    printed.extend([
        format!("{groups:?}"),
        format!("{answer:?}"),
        format!("{input:?}"),
        format!("{output:?}"),
    ]);
    for text in printed {
        for value in ["call 7", "Oslo", "Rome", "30.5", "79, 115, 108, 111"] {
            assert!(!text.contains(value), "{value}: {text}");
        }
    }
}

#[test]
fn an_answer_says_who_gave_it_and_its_record_says_all() {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    let digest = *endpoint.serving().primary().unwrap().manifest();
    let slices = [("region".to_owned(), "nørd".to_owned())];
    let caller = Caller { slices: &slices, subject: Some(tag(b"anna")), ..caller() };
    let prediction = made(ask_as(&endpoint, &two_rows(), caller, Some(1)));
    let (id, request) = (prediction.id, prediction.request.clone());
    assert_eq!(request.as_deref(), Some("call 7"));
    let phases: Vec<Phase> = prediction.timings.phases().iter().map(|(phase, _)| *phase).collect();
    assert_eq!(phases, Phase::ALL);
    let (body, [envelope, subject, input, output, decisions], answer) = placed(prediction);
    assert_eq!(answer.digest, sha256(&answer.body));
    let ln32 = f64::from(32.0_f32.ln());
    let score = body["outputs"][0]["data"][1].as_f64().unwrap();
    assert!((score - ln32).abs() < 1e-6, "{score}");
    assert_eq!(
        body,
        json!({
            "model_name": "fraud", "model_version": "1", "id": "call 7",
            "parameters": {"prediction_id": id.to_string(), "model": "fraud:1", "model_digest": digest.to_string(),
                "answered_by": "primary"},
            "outputs": [
                {"name": "score", "datatype": "FP32", "shape": [2, 1], "data": [0.0, body["outputs"][0]["data"][1]]},
                {"name": "where", "datatype": "BYTES", "shape": [2, 1], "data": ["Oslo", "Rome"]},
            ],
        })
    );
    assert_eq!(
        envelope,
        json!({
            "format": "bartizan-prediction-v1", "id": id.to_string(), "time": "2026-03-01T12:00:01.000Z",
            "gateway": GATEWAY.to_string(), "epoch": 2, "sequence": 17, "tree_size": 40, "head_age_ms": 250,
            "endpoint": "fraud", "route": "primary", "weight_ppm": 1_000_000, "answered_by": "primary",
            "fallback_reason": null, "model": "fraud:1", "manifest": digest.to_hex(),
        })
    );
    assert_eq!(
        subject,
        json!({
            "principal": "usr_03030303030303030303030303030303", "request": "call 7",
            "slices": [{"name": "region", "value": "nørd"}], "subject": sha256(b"anna").to_hex(),
        })
    );
    assert_eq!(
        input,
        json!({"outputs": null, "tensors": [
            {"name": "age", "datatype": "FP32", "shape": [2, 1], "data": "AACAPwAA9EE="},
            {"name": "income", "datatype": "FP32", "shape": [2, 1], "data": "AAAAAAAAwD8="},
            {"name": "city", "datatype": "BYTES", "shape": [2, 1], "data": ["Oslo", "Rome"]},
        ]})
    );
    assert_eq!(output["status"], 200);
    assert_eq!(output["tensors"][1]["data"], json!(["Oslo", "Rome"]));
    assert_eq!(decisions["decision"], sha256(b"decision").to_hex());
    assert_eq!(decisions["policy"], sha256(b"policy").to_hex());
    assert_eq!(decisions["flags"], json!([]));
    assert_eq!((&decisions["compared"], &decisions["not_compared"]), (&json!("none"), &json!([])));
    let recorded: Vec<&Value> =
        decisions["timings_ns"].as_array().unwrap().iter().map(|timing| &timing["phase"]).collect();
    assert_eq!(recorded, ["parse", "validate", "route", "infer", "sanitise", "redact"]);
}

#[test]
fn only_what_is_asked_for_is_answered() {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    let mut body = rows(&[(json!(1), json!(2), "Oslo")]);
    body["outputs"] = json!([{"name": "where"}]);
    let (answer, [_, _, input, output, _], _) =
        placed(made(ask(&endpoint, &serde_json::to_vec(&body).unwrap())));
    assert_eq!(answer["outputs"].as_array().unwrap().len(), 1);
    assert_eq!(answer["outputs"][0]["name"], "where");
    assert_eq!(input["outputs"], json!(["where"]));
    assert_eq!(output["tensors"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_not_finite_is_never_answered() {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    for age in [json!(0), json!(-1), Value::Null] {
        let body = serde_json::to_vec(&rows(&[(age, json!(0), "Oslo")])).unwrap();
        let prediction = made(ask(&endpoint, &body));
        assert_eq!((prediction.status, prediction.fault), (422, Some(Fault::NoAnswer)));
        let (_, [envelope, _, _, output, _], answer) = placed(prediction);
        expect!["no-answer: the model's answer for these values is not finite, and there is no fallback"]
            .assert_eq(&told(&answer.body));
        assert_eq!(envelope["fallback_reason"], "not-finite");
        assert_eq!((&envelope["answered_by"], &envelope["model"]), (&json!("nobody"), &Value::Null));
        assert_eq!(output, json!({"status": 422, "tensors": []}));
        // Nobody asks for the score, so it does not matter.
        let mut body: Value = serde_json::from_slice(&body).unwrap();
        body["outputs"] = json!([{"name": "where"}]);
        assert_eq!(made(ask(&endpoint, &serde_json::to_vec(&body).unwrap())).status, 200);
    }
}

#[test]
fn values_unlike_training_are_flagged_or_rejected() {
    let shelf = Shelf::new();
    let odd = [
        (json!(121), json!(0.1), "Oslo"),
        (json!(1), Value::Null, "Paris"),
        (json!(-1), json!(0.11), "NA"),
        (json!(130), json!(0.05), "Rome"),
    ];
    let body = serde_json::to_vec(&rows(&odd)).unwrap();
    let rejecting = bounded(&shelf, OutOfBounds::Reject);
    let prediction = made(ask(&rejecting, &body));
    assert_eq!((prediction.status, prediction.fault), (400, Some(Fault::OutOfBounds)));
    let (_, [envelope, _, input, output, decisions], answer) = placed(prediction);
    expect!["out-of-bounds: values unlike those that the model was trained on: `age` is below the training range (first in row 2), `age` is above the training range (first in row 0), `income` is above the training range (first in row 2), `city` has no value (first in row 2), `city` has a value that training did not see (first in row 1)"]
        .assert_eq(&told(&answer.body));
    assert_eq!(envelope["answered_by"], "nobody");
    assert_eq!(envelope["fallback_reason"], Value::Null);
    assert_eq!((&decisions["compared"], &decisions["not_compared"]), (&json!("all"), &json!([])));
    assert_eq!(output, json!({"status": 400, "tensors": []}));
    assert_eq!(input["tensors"].as_array().unwrap().len(), 3);
    assert_eq!(
        decisions["flags"],
        json!([
            {"column": "age", "count": 1, "first_row": 2, "kind": "below"},
            {"column": "age", "count": 2, "first_row": 0, "kind": "above"},
            {"column": "income", "count": 1, "first_row": 2, "kind": "above"},
            {"column": "city", "count": 1, "first_row": 2, "kind": "missing"},
            {"column": "city", "count": 1, "first_row": 1, "kind": "unseen"},
        ])
    );
    let ordinary = rows(&[(json!(120), json!(0.1), "Rome"), (json!(0), json!(0.1), "Oslo")]);
    let prediction = made(ask(&rejecting, &serde_json::to_vec(&ordinary).unwrap()));
    assert_eq!((prediction.status, prediction.flags.len()), (200, 0));
    // 0.1 in 32 bits is more than 0.1, and is what training saw all the same.

    let flagging = bounded(&Shelf::new(), OutOfBounds::Flag);
    let body = serde_json::to_vec(&rows(&odd[..2])).unwrap();
    let mut asked: Value = serde_json::from_slice(&body).unwrap();
    asked["outputs"] = json!([{"name": "where"}]);
    let prediction = made(ask(&flagging, &serde_json::to_vec(&asked).unwrap()));
    assert_eq!((prediction.status, prediction.flags.len()), (200, 2));
    assert_eq!(placed(prediction).0["parameters"]["flags"], 2);
}

#[test]
fn withheld_values_are_used_and_not_recorded() {
    let shelf = Shelf::new();
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let columns = Columns {
        subject: Some("city".to_owned()),
        withheld: ["city".to_owned()].into(),
        slices: ["age".to_owned(), "income".to_owned()].into(),
        order: Vec::new(),
    };
    let serving = Serving::new(primary, Fallback::Unavailable, None).unwrap().with_columns(columns).unwrap();
    let endpoint = Endpoint::new(settings(), serving);
    let mut body = rows(&[(json!(1), json!(2), "Oslo"), (json!(3), json!(2), "Oslo")]);
    body["outputs"] = json!([{"name": "score"}]);
    let prediction = made(ask(&endpoint, &serde_json::to_vec(&body).unwrap()));
    assert_eq!(prediction.subject(), Some(tag(b"Oslo")));
    let (groups, _) = prediction.place(&Placement { gateway: GATEWAY, epoch: 1, sequence: 1 }).unwrap();
    let all = groups.as_slices().concat();
    assert!(!all.windows(4).any(|window| window == b"Oslo"), "{}", String::from_utf8_lossy(&all));
    // The ages are not the same in all rows, the incomes are.
    assert_eq!(canonical(&groups)[1]["slices"], json!([{ "name": "income", "value": "2" }]));
    let two = rows(&[(json!(1), json!(2), "Oslo"), (json!(3), json!(2), "Rome")]);
    let refusal = refused(ask(&endpoint, &serde_json::to_vec(&two).unwrap()));
    expect![
        "mismatch: the input `city` says whom a prediction is about: all rows of a request are about one"
    ]
    .assert_eq(&told(&refusal.body));
}

#[test]
fn a_version_that_is_not_served_is_not_found() {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    let refusal = refused(ask_as(&endpoint, &two_rows(), caller(), Some(2)));
    assert_eq!((refusal.status, refusal.fault), (404, Fault::Version));
    expect!["version: version 2 is not served here"].assert_eq(&told(&refusal.body));
}

#[test]
fn what_cannot_be_recorded_is_not_answered() {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    let many = vec![(json!(1), json!(2), "Oslo is a long way from here, and so is everything else"); 20_000];
    let body = serde_json::to_vec(&rows(&many)).unwrap();
    let refusal = refused(ask(&endpoint, &body));
    assert_eq!((refusal.status, refusal.fault), (413, Fault::TooLarge));
    expect!["too-large: the request is too large to be recorded: send fewer rows"]
        .assert_eq(&told(&refusal.body));
}

#[test]
fn an_answer_that_cannot_be_recorded_is_not_even_written() {
    let shelf = Shelf::new();
    let serving = Serving::new(shelf.load("wide", &onnx::wide(4_096)), Fallback::Unavailable, None).unwrap();
    serving.confirm(40, Duration::from_millis(50));
    let endpoint = Endpoint::new(settings(), serving);
    let numbers = vec![1; 2_000];
    let input = json!({ "name": "x", "datatype": "FP32", "shape": [2_000, 1], "data": numbers });
    let refusal = refused(ask(&endpoint, &serde_json::to_vec(&json!({ "inputs": [input] })).unwrap()));
    assert_eq!((refusal.status, refusal.fault), (413, Fault::TooLarge));
    // 32 MB, which would be 43 in a record and more in an answer: known before either is made.
    assert_eq!(refusal.timings.phases().last().map(|(phase, _)| *phase), Some(Phase::Redact));
}

#[test]
fn a_log_takes_the_record_and_only_then_is_there_an_answer() {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    let (disk, subjects) = (SimDisk::new(), shelf.subjects());
    let now: Timestamp = "2026-03-01T12:00:01Z".parse().unwrap();
    Log::create_on(&disk, "records", GATEWAY).unwrap();
    let log =
        Log::open_on(&disk, "records", Arc::clone(&subjects), GATEWAY, Box::new(OsRandom), now).unwrap();
    let subject_tag = |value: &[u8]| subjects.tag(value);
    for round in 1..=3 {
        let caller = Caller { subject: Some(subject_tag(b"anna")), subject_tag: &subject_tag, ..caller() };
        let prediction = made(ask_as(&endpoint, &two_rows(), caller, None));
        let request = prediction.request.as_ref().map(|id| subjects.request_tag(id.as_bytes()));
        let (appended, answer) = prediction.record(&log, request).unwrap();
        log.durable(appended.sequence).unwrap();
        assert_eq!((appended.sequence, answer.status), (round, 200));
    }
    // A log that is closed for good takes nothing, and gives no answer.
    disk.crash_at(disk.calls() + 1);
    let prediction = made(ask(&endpoint, &two_rows()));
    let recorded = prediction.record(&log, None);
    let durable = recorded.map(|(appended, _)| log.durable(appended.sequence));
    assert!(!matches!(durable, Ok(Ok(()))), "{durable:?}");
    assert!(made(ask(&endpoint, &two_rows())).record(&log, None).is_err());
}

#[test]
fn a_constant_answers_every_row() {
    let shelf = Shelf::new();
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let constant = crate::asked::constant(&primary);
    let answer = constant.answer(3).unwrap();
    assert_eq!(answer[0], Tensor::new(vec![3, 1], Values::F32(vec![0.5; 3])).unwrap());
    assert_eq!(answer[1], Tensor::new(vec![3, 1], Values::Text(vec!["nowhere".into(); 3])).unwrap());
    let serving = Serving::new(primary, Fallback::Constant(constant), None).unwrap();
    let endpoint = Endpoint::new(settings(), serving);
    let body = rows(&[(json!(-1), json!(0), "Oslo"), (json!(1), json!(0), "Oslo")]);
    let prediction = made(ask(&endpoint, &serde_json::to_vec(&body).unwrap()));
    let (answer, [envelope, ..], _) = placed(prediction);
    assert_eq!(answer["outputs"][0]["data"], json!([0.5, 0.5]));
    assert_eq!(answer["parameters"]["answered_by"], "constant");
    assert_eq!(answer["parameters"]["fallback_reason"], "not-finite");
    assert!(answer.get("model_version").is_none(), "{answer}");
    assert_eq!((&envelope["answered_by"], &envelope["manifest"]), (&json!("constant"), &Value::Null));
}
