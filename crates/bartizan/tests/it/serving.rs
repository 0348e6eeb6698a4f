//! Predictions over the Open Inference Protocol, from a trained model to a record in the ledger.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::up::Up;

/// A project with an endpoint `scores` that answers `tips:1`, and `tips:2` after it; and a key for its admin.
pub(crate) fn with_endpoint(more: &[&str]) -> (Bench, String) {
    with_endpoint_of(&[], more)
}

/// The same, of models imported with more arguments.
pub(crate) fn with_endpoint_of(origin: &[&str], more: &[&str]) -> (Bench, String) {
    let bench = with_models(origin);
    let route = ["endpoint", "route", "scores", "--model", "tips:2"];
    let ran = bench.run(&[&route[..], more].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let key = key(&bench);
    (bench, key)
}

/// An API key of the admin.
pub(crate) fn key(bench: &Bench) -> String {
    let key = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    key.get("key").and_then(Value::as_str).unwrap().to_owned()
}

/// A project with two approved versions, `tips:1` and `tips:2`.
pub(crate) fn with_models(origin: &[&str]) -> Bench {
    with_models_in(Bench::new(), origin)
}

/// The same in a directory without a project.
pub(crate) fn with_models_in(bench: Bench, origin: &[&str]) -> Bench {
    assert_eq!(bench.run(&["init"]).code, 0);
    // Each distance comes twice: numbers that are all different are taken for those of rows.
    let rows = (0..200).map(|row| format!("{},{},{}\n", row / 2 * 2, row % 7, u8::from(row > 100)));
    let csv = std::iter::once("distance,hour,tip\n".to_owned()).chain(rows).collect::<String>();
    bench.write("rides.csv", csv.as_bytes());
    assert_eq!(bench.run(&["data", "add", "rides", "rides.csv", "--source", "a test"]).code, 0);
    for version in ["1", "2"] {
        train(&bench, version, origin);
        assert_eq!(bench.run(&["model", "approve", &format!("tips:{version}")]).code, 0);
    }
    bench
}

/// Trains and imports one more version of `tips`.
pub(crate) fn train(bench: &Bench, seed: &str, origin: &[&str]) {
    let ran = bench.run(&["train", "rides.csv", "--label", "tip", "--seed", seed, "--out", "tips"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let import = ["model", "import", "tips", "--name", "tips", "--origin", "a test"];
    let ran = bench.run(&[&import[..], origin].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    std::fs::remove_dir_all(bench.path("tips")).unwrap();
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// Asks the gateway, on a connection of its own.
pub(crate) fn ask(up: &Up, method: &str, path: &str, key: Option<&str>, body: &str) -> Answer {
    ask_with(up, method, path, key, "", body)
}

/// The same with more headers, each with its end of line.
pub(crate) fn ask_with(
    up: &Up,
    method: &str,
    path: &str,
    key: Option<&str>,
    headers: &str,
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(&up.inference).unwrap();
    let authorization = key.map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}\
         {headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, body: serde_json::from_str(body).unwrap() }
}

pub(crate) fn ride(distance: f64, hour: f64) -> String {
    let input = |name: &str, value: f64| json!({ "name": name, "shape": [1, 1], "datatype": "FP32", "data": [value] });
    json!({ "inputs": [input("distance", distance), input("hour", hour)] }).to_string()
}

/// Waits until the endpoint is ready; the gateway follows the ledger, and so begins without endpoints.
pub(crate) fn wait_ready(up: &Up) {
    let begun = Instant::now();
    while ask(up, "GET", "/v2/models/scores/ready", None, "").status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the endpoint does not get ready");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) const INFER: &str = "/v2/models/scores/infer";

#[test]
fn a_released_version_answers_and_each_answer_has_its_record() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    assert_eq!(ask(&up, "GET", "/v2/health/live", None, "").status, 200);
    let described = ask(&up, "GET", "/v2/models/scores", Some(&key), "");
    let inputs = described.body["inputs"].as_array().unwrap().iter();
    let names: Vec<&str> = inputs.map(|input| input["name"].as_str().unwrap()).collect();
    assert_eq!((described.status, names), (200, vec!["distance", "hour"]), "{}", described.body);

    let near = ask(&up, "POST", INFER, Some(&key), &ride(3.0, 2.0));
    let far = ask(&up, "POST", INFER, Some(&key), &ride(190.0, 2.0));
    assert_eq!((near.status, far.status), (200, 200), "{}{}", near.body, far.body);
    assert_eq!(near.body["model_version"], "2", "{}", near.body);
    let tips = |answer: &Answer| answer.body["outputs"][1]["data"][1].as_f64().unwrap();
    assert!(tips(&near) < 0.5 && tips(&far) > 0.5, "{}{}", near.body, far.body);
    let id = |answer: &Answer| answer.body["parameters"]["prediction_id"].as_str().unwrap().to_owned();
    assert_ne!(id(&near), id(&far));

    up.end();
    assert_eq!(sealed(&bench), (2, 0));
}

#[test]
fn what_was_answered_is_on_record_when_the_process_is_killed() {
    let (bench, key) = with_endpoint(&["--no-fallback"]);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    for distance in [1.0, 2.0, 3.0] {
        assert_eq!(ask(&up, "POST", INFER, Some(&key), &ride(distance, 1.0)).status, 200);
    }
    up.child.kill().unwrap();
    up.child.wait().unwrap();
    let mut up = Up::start(&bench);
    wait_ready(&up);
    assert_eq!(ask(&up, "POST", INFER, Some(&key), &ride(4.0, 1.0)).status, 200);
    up.end();
    assert_eq!(sealed(&bench), (4, 0));
}

/// How many records the segments of the ledger hold together, and how many they say are lost.
fn sealed(bench: &Bench) -> (u64, u64) {
    let shown = bench.json(&["ledger", "show"]);
    let segments = shown.as_array().unwrap().iter();
    let segments = segments.filter(|entry| entry["predicate"] == "https://bartizan.dev/segment/v1");
    let bodies = segments.map(|entry| bench.json(&["ledger", "show", &entry["index"].to_string()]));
    bodies.fold((0, 0), |(count, lost), body| {
        let stated = |member| body.pointer(&format!("/statement/predicate/{member}")).and_then(Value::as_u64);
        (count + stated("count").unwrap(), lost + stated("lost").unwrap())
    })
}

#[test]
fn import_says_whether_a_model_can_be_served() {
    let bench = Bench::with_project();
    bench.write("rides.csv", b"distance,tip\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n7,0\n8,1\n9,0\n10,1\n");
    assert_eq!(bench.run(&["train", "rides.csv", "--label", "tip", "--out", "trained"]).code, 0);
    for (file, bytes) in [
        ("pickled/model.joblib", b"\x80\x04".as_slice()),
        ("torch/weights.pt", b"PK"),
        ("none/model.bin", b"?"),
        ("broken/model.onnx", b"no ONNX"),
        ("two/a.onnx", b"1"),
        ("two/b.onnx", b"2"),
    ] {
        bench.write(file, bytes);
    }
    for (model, words) in [
        ("trained", "yes"),
        ("pickled", "skl2onnx"),
        ("torch", "torch.onnx.export"),
        ("none", "no file is called *.onnx"),
        ("broken", "the file is not an ONNX model"),
        ("two", "2 files are called *.onnx"),
    ] {
        let imported = bench.json(&["model", "import", model, "--name", model, "--origin", "a test"]);
        let said = imported.get("servable").and_then(Value::as_str).unwrap();
        assert!(said.contains(words), "{model}: {said}");
    }
}

#[test]
fn whoever_may_not_ask_learns_nothing_and_what_is_no_request_is_refused() {
    let (bench, key) = with_endpoint(&["--no-fallback"]);
    let limited = bench.json(&["access", "key", "create", "admin", "--days", "1", "--scopes", "model.show"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    let good = ride(3.0, 2.0);
    let table = [
        ("no key", None, INFER, good.as_str(), 401),
        ("no key of this project", Some("bzk_nobody"), INFER, &good, 401),
        ("a key for other things", limited["key"].as_str(), INFER, &good, 404),
        ("no such endpoint", Some(key.as_str()), "/v2/models/other/infer", &good, 404),
        ("a name that is none", Some(key.as_str()), "/v2/models/%2e%2e/infer", &good, 404),
        ("a version that is not routed", Some(&key), "/v2/models/scores/versions/1/infer", &good, 404),
        ("a version that is no number", Some(&key), "/v2/models/scores/versions/tips:2/infer", &good, 404),
        ("another method", Some(&key), "/v2/models/scores", &good, 405),
        ("no JSON", Some(&key), INFER, "hello", 400),
        ("nothing", Some(&key), INFER, "", 400),
        ("no inputs", Some(&key), INFER, "{}", 400),
        ("other inputs", Some(&key), INFER, r#"{"inputs": []}"#, 400),
    ];
    for (case, key, path, body, status) in table {
        let answer = ask(&up, "POST", path, key, body);
        assert_eq!(answer.status, status, "{case}: {}", answer.body);
        assert!(answer.body["error"].is_string(), "{case}: {}", answer.body);
    }
}

#[test]
fn a_revoked_key_is_refused_by_the_very_next_request() {
    let (bench, key) = with_endpoint(&["--no-fallback"]);
    let created = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let (id, other) = (created["id"].as_str().unwrap(), created["key"].as_str().unwrap());
    let up = Up::start(&bench);
    wait_ready(&up);
    let status = || ask(&up, "POST", INFER, Some(other), &ride(3.0, 2.0)).status;
    assert_eq!([status(), status()], [200, 200]);
    let ran = bench.run_with("BARTIZAN_TOKEN", &key, &["access", "key", "revoke", id]);
    assert_eq!((ran.code, status()), (0, 401), "{}", ran.stderr);
    assert_eq!(ask(&up, "POST", INFER, Some(&key), &ride(3.0, 2.0)).status, 200);
}

#[test]
fn values_beyond_the_training_data_are_refused_where_the_route_says_so() {
    let trained = ["--trained-on", "rides:1"];
    let (bench, key) = with_endpoint_of(&trained, &["--no-fallback", "--beyond", "reject"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    assert_eq!(ask(&up, "POST", INFER, Some(&key), &ride(199.0, 6.0)).status, 200);
    let refused = ask(&up, "POST", INFER, Some(&key), &ride(5000.0, 6.0));
    let told = refused.body.to_string();
    assert_eq!((refused.status, told.contains("BZ-0332")), (400, true), "{told}");
}

#[test]
fn a_quarantined_version_answers_no_more_and_the_fallback_does() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    let version = || {
        let answer = ask(&up, "POST", INFER, Some(&key), &ride(3.0, 2.0));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["model_version"].as_str().unwrap().to_owned()
    };
    assert_eq!(version(), "2");
    let quarantine = ["model", "quarantine", "tips:2", "--reason", "a test"];
    let ran = bench.run_with("BARTIZAN_TOKEN", &key, &quarantine);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let begun = Instant::now();
    while version() != "1" {
        assert!(begun.elapsed() < Duration::from_secs(10), "what is quarantined still answers");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn without_a_fallback_a_quarantine_leaves_nobody_to_answer() {
    let (bench, key) = with_endpoint(&["--no-fallback"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    let quarantine = ["model", "quarantine", "tips:2", "--reason", "a test"];
    assert_eq!(bench.run_with("BARTIZAN_TOKEN", &key, &quarantine).code, 0);
    let begun = Instant::now();
    let refused = loop {
        let answer = ask(&up, "POST", INFER, Some(&key), &ride(3.0, 2.0));
        if answer.status != 200 {
            break answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "what is quarantined still answers");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(ask(&up, "GET", "/v2/models/scores/ready", None, "").status, 503);
}

#[test]
fn a_version_can_be_asked_about_while_it_answers() {
    let (bench, key) = with_endpoint(&["--no-fallback"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    let status =
        |path: &str| ask(&up, "GET", &format!("/v2/models/scores/versions/{path}"), Some(&key), "").status;
    assert_eq!([status("2"), status("1"), status("2/ready"), status("1/ready")], [200, 404, 200, 503]);
    assert_eq!(ask(&up, "GET", "/v2/models/scores/versions/2", None, "").status, 401);
    // Of two credentials nobody knows which one counts.
    let twice = format!("Authorization: Bearer {key}\r\n");
    assert_eq!(ask_with(&up, "POST", INFER, Some(&key), &twice, &ride(3.0, 2.0)).status, 401);
    let packed = ask_with(&up, "POST", INFER, Some(&key), "Content-Encoding: gzip\r\n", &ride(3.0, 2.0));
    assert_eq!((packed.status, &packed.body["id"]), (415, &json!("BZ-0331")));

    let order = ["model", "quarantine", "tips:2", "--reason", "a test"];
    assert_eq!(bench.run_with("BARTIZAN_TOKEN", &key, &order).code, 0);
    let begun = Instant::now();
    let refused = loop {
        let answer = ask(&up, "POST", INFER, Some(&key), &ride(3.0, 2.0));
        if answer.status == 503 {
            break answer.body;
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "what is quarantined still answers");
    };
    assert_eq!(refused["error"], "the model is stopped, and there is no fallback");
    // It is on record as well, and the caller can name it.
    let id = refused["prediction_id"].as_str().unwrap();
    let shown = bench.run_with("BARTIZAN_TOKEN", &key, &["predictions", "show", id]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert_eq!([status("2"), status("2/ready")], [404, 503]);
}
