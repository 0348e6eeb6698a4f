//! What is stopped, gone or slow, and what answers meanwhile.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::serving::{Answer, INFER, ask, key, ride, wait_ready, with_endpoint, with_models};
use crate::up::Up;

/// How long it may take until a stop bites.
const BITES: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(30);

fn predict(up: &Up, key: &str) -> Answer {
    ask(up, "POST", INFER, Some(key), &ride(3.0, 2.0))
}

/// The status, the version that answered, and why it was not the one that is routed to.
fn who(answer: &Answer) -> (u16, Option<&str>, Option<&str>) {
    let reason = answer.body.pointer("/parameters/fallback_reason").and_then(Value::as_str);
    (answer.status, answer.body.get("model_version").and_then(Value::as_str), reason)
}

/// Asks until the answer is as expected.
fn until(up: &Up, key: &str, patience: Duration, expected: (u16, Option<&str>, Option<&str>)) {
    let begun = Instant::now();
    loop {
        let answer = predict(up, key);
        if who(&answer) == expected {
            return;
        }
        assert!(begun.elapsed() < patience, "{:?} instead of {expected:?}: {}", who(&answer), answer.body);
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn say(bench: &Bench, key: &str, arguments: &[&str]) {
    let ran = bench.run_with("BARTIZAN_TOKEN", key, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
}

fn quarantine(bench: &Bench, key: &str, version: &str) {
    say(bench, key, &["model", "quarantine", version, "--reason", "a test"]);
}

fn health(up: &Up) -> u16 {
    ask(up, "GET", "/v2/health/ready", None, "").status
}

#[test]
fn after_a_restart_the_fallback_answers_for_a_quarantined_model_until_that_is_lifted() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    assert_eq!(bench.run(&["model", "quarantine", "tips:2", "--reason", "a test"]).code, 0);
    let up = Up::start(&bench);
    until(&up, &key, PATIENCE, (200, Some("1"), Some("stopped")));
    assert_eq!(health(&up), 200);
    let described = ask(&up, "GET", "/v2/models/scores", Some(&key), "");
    assert_eq!(described.body.get("versions"), Some(&Value::Array(Vec::new())), "{}", described.body);
    let shown = bench.run_with("BARTIZAN_TOKEN", &key, &["endpoint", "show", "scores"]);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let serving = json!({ "primary": "stopped", "fallback": "ready", "ready": true });
    assert_eq!(shown.get("serving"), Some(&serving), "{shown}");
    let insisting = ask(&up, "POST", "/v2/models/scores/versions/2/infer", Some(&key), &ride(3.0, 2.0));
    assert_eq!(insisting.status, 503, "{}", insisting.body);
    say(&bench, &key, &["model", "approve", "tips:2"]);
    until(&up, &key, PATIENCE, (200, Some("2"), None));
}

#[test]
fn after_a_restart_a_constant_answers_for_a_quarantined_model() {
    let bench = with_models(&[]);
    let shown = json!([
        {"name": "label", "shape": [1], "datatype": "INT64", "data": [0]},
        {"name": "probabilities", "shape": [1, 2], "datatype": "FP32", "data": [0.75, 0.25]},
    ]);
    bench.write("constant.json", shown.to_string().as_bytes());
    let route = ["endpoint", "route", "scores", "--model", "tips:2", "--fallback-constant", "constant.json"];
    bench.json(&route);
    assert_eq!(bench.run(&["model", "quarantine", "tips:2", "--reason", "a test"]).code, 0);
    let key = key(&bench);
    let limited = |more: &str| {
        let scopes = format!("predictions.show,predictions.read{more}");
        let created = bench.json(&["access", "key", "create", "admin", "--days", "1", "--scopes", &scopes]);
        created["key"].as_str().unwrap().to_owned()
    };
    let [showing, proving] = ["", ",prove"].map(limited);
    say(&bench, &key, &["keys", "export", "--out", "trust.json"]);
    let up = Up::start(&bench);
    until(&up, &key, PATIENCE, (200, None, Some("stopped")));
    let answer = predict(&up, &key);
    assert_eq!(answer.body.pointer("/parameters/answered_by").unwrap(), "constant", "{}", answer.body);
    let id = answer.body.pointer("/parameters/prediction_id").and_then(Value::as_str).unwrap();
    for (limited, code) in [(&showing, 3), (&proving, 0)] {
        let ran = bench.run_with("BARTIZAN_TOKEN", limited, &["prove", id, "--out", "proof.json"]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
    }
    let verify = ["verify", "proof.json", "--trust", "trust.json", "--allow-development"];
    let gate = bench.run(&verify);
    assert_eq!(gate.code, 1, "it proves no approved version: {}", gate.stdout);
    assert!(gate.stderr.contains("which no version answered"), "{}", gate.stderr);
    say(&bench, &key, &[&verify[..], &["--prediction", id]].concat());
    let misfit = ask(&up, "POST", INFER, Some(&key), r#"{"inputs": []}"#);
    assert_eq!(misfit.status, 400, "what the model takes is still known: {}", misfit.body);
    say(&bench, &key, &["model", "approve", "tips:2"]);
    until(&up, &key, PATIENCE, (200, Some("2"), None));
}

#[test]
fn what_is_promoted_and_rolled_back_answers_at_once() {
    let (bench, key) = with_endpoint(&["--no-fallback"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    say(&bench, &key, &["model", "promote", "tips:1", "--endpoint", "scores"]);
    until(&up, &key, PATIENCE, (200, Some("1"), None));
    say(&bench, &key, &["model", "rollback", "--endpoint", "scores"]);
    until(&up, &key, PATIENCE, (200, Some("2"), None));
    say(&bench, &key, &["model", "promote", "tips:1", "--endpoint", "scores"]);
    until(&up, &key, PATIENCE, (200, Some("1"), None));
    say(&bench, &key, &["model", "revoke", "tips:2", "--reason", "a test"]);
    let refused = bench.run_with("BARTIZAN_TOKEN", &key, &["model", "rollback", "--endpoint", "scores"]);
    assert_eq!((refused.code, refused.stderr.contains("revoked")), (1, true), "{}", refused.stderr);
    until(&up, &key, BITES, (200, Some("1"), None));
}

#[test]
fn a_quarantined_fallback_does_not_take_the_model_down() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    assert_eq!(bench.run(&["model", "quarantine", "tips:1", "--reason", "a test"]).code, 0);
    let up = Up::start(&bench);
    until(&up, &key, PATIENCE, (200, Some("2"), None));
    quarantine(&bench, &key, "tips:2");
    until(&up, &key, BITES, (503, None, None));
    assert_eq!(health(&up), 503);
    say(&bench, &key, &["model", "approve", "tips:1"]);
    until(&up, &key, PATIENCE, (200, Some("1"), Some("stopped")));
    say(&bench, &key, &["model", "approve", "tips:2"]);
    until(&up, &key, PATIENCE, (200, Some("2"), None));
    quarantine(&bench, &key, "tips:2");
    until(&up, &key, BITES, (200, Some("1"), Some("stopped")));
}

#[test]
fn nobody_is_ready_while_an_endpoint_in_service_is_not() {
    let (bench, key) = with_endpoint(&["--no-fallback"]);
    assert_eq!(bench.run(&["model", "quarantine", "tips:2", "--reason", "a test"]).code, 0);
    let up = Up::start(&bench);
    std::thread::sleep(BITES);
    assert_eq!((health(&up), predict(&up, &key).status), (503, 503));
    say(&bench, &key, &["endpoint", "disable", "scores"]);
    assert_eq!(health(&up), 200, "nothing is in service");
    assert_eq!(predict(&up, &key).status, 404);
}

#[test]
fn what_cannot_be_read_is_loaded_when_it_can() {
    let bench = with_models(&[]);
    let stored = one_more(&bench, "3");
    bench.json(&["endpoint", "route", "scores", "--model", "more:1", "--fallback", "tips:2"]);
    let key = key(&bench);
    // A directory cannot be read as a file: the storage fails, and nothing is known of what it holds.
    let away = bench.path("away");
    std::fs::rename(&stored, &away).unwrap();
    std::fs::create_dir(&stored).unwrap();
    let up = Up::start(&bench);
    until(&up, &key, PATIENCE, (200, Some("2"), Some("not-loaded")));
    assert_eq!(health(&up), 200);
    std::thread::sleep(2 * BITES);
    std::fs::remove_dir(&stored).unwrap();
    std::fs::rename(&away, &stored).unwrap();
    // Nothing is asked that would change anything, and a read that fails is no damage.
    until(&up, &key, PATIENCE, (200, Some("1"), None));
    let shown = bench.run_with("BARTIZAN_TOKEN", &key, &["ledger", "show"]);
    assert!(!shown.stdout.contains("integrity"), "{}", shown.stdout);
}

/// The files under a directory, with their sizes.
fn files(directory: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let (path, data) = entry.map(|entry| (entry.path(), entry.metadata().unwrap())).unwrap();
        match data.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path, data.len())),
        }
    }
    found
}

/// Imports and approves one more version, and finds where its model is stored.
fn one_more(bench: &Bench, seed: &str) -> PathBuf {
    let blobs = bench.path("bartizan-data/blobs");
    let before = files(&blobs);
    let train = ["train", "rides.csv", "--label", "tip", "--seed", seed, "--out", "more"];
    assert_eq!(bench.run(&train).code, 0);
    let stored = std::fs::metadata(bench.path("more/model.onnx")).unwrap().len();
    assert_eq!(bench.run(&["model", "import", "more", "--name", "more", "--origin", "a test"]).code, 0);
    std::fs::remove_dir_all(bench.path("more")).unwrap();
    assert_eq!(bench.run(&["model", "approve", "more:1"]).code, 0);
    let new = files(&blobs).into_iter().filter(|found| !before.contains(found));
    new.min_by_key(|(_, bytes)| bytes.abs_diff(stored)).unwrap().0
}

#[test]
fn a_quarantine_bites_while_another_model_is_loaded() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let stored = one_more(&bench, "3");
    let route = ["endpoint", "route", "a-slow-one", "--model", "more:1", "--no-fallback"];
    assert_eq!(bench.run(&route).code, 0);
    // Reading it does not end.
    std::fs::remove_file(&stored).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&stored).status().unwrap();
    assert!(made.success());
    let up = Up::start(&bench);
    wait_ready(&up);
    until(&up, &key, PATIENCE, (200, Some("2"), None));
    assert_eq!(health(&up), 503, "the other is not loaded");
    quarantine(&bench, &key, "tips:2");
    until(&up, &key, BITES, (200, Some("1"), Some("stopped")));
    // Nor do other endpoints wait for it.
    say(&bench, &key, &["model", "approve", "tips:2"]);
    until(&up, &key, PATIENCE, (200, Some("2"), None));
    say(&bench, &key, &["model", "promote", "tips:1", "--endpoint", "scores"]);
    until(&up, &key, PATIENCE, (200, Some("1"), None));
    say(&bench, &key, &["model", "rollback", "--endpoint", "scores"]);
    until(&up, &key, PATIENCE, (200, Some("2"), None));
}

#[test]
fn an_endpoint_that_is_disabled_under_load_answers_no_more() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    let disabled = std::sync::OnceLock::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let begun = Instant::now();
                loop {
                    let late = disabled.get().is_some_and(|at: &Instant| at.elapsed() > BITES);
                    let answer = predict(&up, &key);
                    match answer.status {
                        200 => assert!(!late && begun.elapsed() < PATIENCE, "it still answers"),
                        404 => break,
                        // One that was under way at that moment.
                        503 => assert!(begun.elapsed() < PATIENCE, "{}", answer.body),
                        _ => panic!("{}", answer.body),
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_millis(200));
        say(&bench, &key, &["endpoint", "disable", "scores"]);
        disabled.set(Instant::now()).unwrap();
    });
    assert_eq!(health(&up), 200);
}

/// A body that comes slowly belongs to a request that began before: it must not be answered by what is out of service.
#[test]
fn a_request_held_back_while_its_endpoint_is_disabled_is_not_answered() {
    for again in [false, true] {
        let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
        let up = Up::start(&bench);
        wait_ready(&up);
        let body = ride(3.0, 2.0);
        let (half, rest) = body.split_at(body.len() / 2);
        let mut held = TcpStream::connect(&up.inference).unwrap();
        let head = format!(
            "POST {INFER} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{half}",
            body.len()
        );
        held.write_all(head.as_bytes()).unwrap();
        // By now it is known who asks, and for what.
        std::thread::sleep(Duration::from_millis(300));
        until(&up, &key, BITES, (200, Some("2"), None));
        say(&bench, &key, &["endpoint", "disable", "scores"]);
        std::thread::sleep(BITES);
        if again {
            say(&bench, &key, &["endpoint", "route", "scores", "--model", "tips:1", "--no-fallback"]);
            until(&up, &key, PATIENCE, (200, Some("1"), None));
        }
        quarantine(&bench, &key, "tips:2");
        held.write_all(rest.as_bytes()).unwrap();
        let mut answer = String::new();
        held.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    }
}

/// Waits until a version is in quarantine.
fn until_quarantined(bench: &Bench, key: &str, version: &str) {
    let begun = Instant::now();
    loop {
        let ran = bench.run_with("BARTIZAN_TOKEN", key, &["model", "show", version]);
        let shown: Value = serde_json::from_str(&ran.stdout).unwrap();
        if shown.get("state").is_some_and(|state| state == "quarantined") {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{version}: {shown}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_flipped_byte_of_what_is_served_stops_it_and_the_fallback_answers() {
    let bench = with_models(&[]);
    let stored = one_more(&bench, "3");
    bench.json(&["endpoint", "route", "scores", "--model", "more:1", "--fallback", "tips:2"]);
    let key = key(&bench);
    let up = Up::start(&bench);
    wait_ready(&up);
    until(&up, &key, BITES, (200, Some("1"), None));
    let good = std::fs::read(&stored).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    std::fs::write(&stored, &bad).unwrap();
    until(&up, &key, PATIENCE, (200, Some("2"), Some("stopped")));
    until_quarantined(&bench, &key, "more:1");

    // Nobody brings back what is still damaged, and everybody who may approve what is whole again.
    let refused = bench.run_with("BARTIZAN_TOKEN", &key, &["model", "approve", "more:1"]);
    assert_eq!((refused.code, refused.stderr.contains("BZ-0301")), (1, true), "{}", refused.stderr);
    std::fs::write(&stored, &good).unwrap();
    say(&bench, &key, &["model", "approve", "more:1"]);
    until(&up, &key, PATIENCE, (200, Some("1"), None));

    // What is gone is stopped too, and its statement says which file it was.
    std::fs::remove_file(&stored).unwrap();
    until(&up, &key, PATIENCE, (200, Some("2"), Some("stopped")));
    drop(up);
    // A start with what is gone: it may not be served, and that it cannot be read either changes nothing.
    let up = Up::start(&bench);
    until(&up, &key, PATIENCE, (200, Some("2"), Some("stopped")));
    drop(up);
    let entries = bench.json(&["ledger", "show"]);
    let stops = entries.as_array().unwrap().iter();
    let stops = stops.filter(|entry| entry["predicate"] == "https://bartizan.dev/integrity/v1");
    let stops: Vec<Value> =
        stops.map(|entry| bench.json(&["ledger", "show", &entry["index"].to_string()])).collect();
    let said = |stop: &Value| stop.pointer("/statement/predicate/damage").cloned().unwrap();
    let mut damages: Vec<Value> = stops.iter().map(said).collect();
    damages.sort_by_key(Value::to_string);
    assert_eq!(damages, ["changed", "missing"], "{stops:?}");
    assert!(!json!(stops).to_string().contains("model.onnx"), "paths can be personal");
    let shown = bench.json(&["model", "show", "more:1"]);
    assert!(shown.to_string().contains("missing: model.onnx"), "{shown}");
    assert_eq!(bench.run(&["ledger", "fsck"]).code, 0);
}
