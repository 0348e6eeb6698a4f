//! Endpoints from the command line.

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::serving::{INFER, ask, key, ride, train, wait_ready, with_models};
use crate::up::Up;

const ROUTE: [&str; 5] = ["endpoint", "route", "scores", "--model", "tips:2"];

fn route(more: &[&'static str]) -> Vec<&'static str> {
    [&ROUTE[..], more].concat()
}

#[test]
fn an_endpoint_names_what_answers_and_what_answers_instead() {
    let bench = with_models(&[]);
    train(&bench, "3", &[]);
    let unapproved = ["endpoint", "route", "scores", "--model", "tips:3", "--no-fallback"];
    bench.refused(&unapproved, 1, "BZ-0204");
    bench.refused(&route(&["--fallback", "tips:3"]), 1, "BZ-0204");
    bench.refused(&route(&["--fallback", "tips:9"]), 4, "BZ-0203");
    assert_eq!(bench.run(&ROUTE).code, 2, "a route names its fallback");
    let shown = bench.json(&route(&["--fallback", "tips:1"]));
    assert_eq!((&shown["primary"], &shown["fallback"]), (&"tips:2".into(), &"tips:1".into()), "{shown}");
    assert_eq!(bench.run(&["model", "quarantine", "tips:2", "--reason", "a test"]).code, 0);
    assert_eq!(bench.json(&["endpoint", "show", "scores"])["state"], "quarantined");
    bench.refused(&route(&["--no-fallback"]), 3, "BZ-0202");
    assert_eq!(bench.json(&["endpoint", "disable", "scores"])["standing"], "disabled");
    bench.refused(&["endpoint", "disable", "scores"], 1, "BZ-0204");
    bench.refused(&["endpoint", "show", "nowhere"], 4, "BZ-0203");
}

#[test]
fn nothing_is_routed_that_cannot_be_served() {
    let bench = with_models(&[]);
    bench.write("two/a.onnx", b"1");
    bench.write("two/b.onnx", b"2");
    bench.write("broken/model.onnx", b"no model");
    for model in ["two", "broken"] {
        let import = ["model", "import", model, "--name", model, "--origin", "a test"];
        assert_eq!(bench.run(&import).code, 0);
        let version = format!("{model}:1");
        assert_eq!(bench.run(&["model", "approve", &version]).code, 0);
        let route = ["endpoint", "route", "scores", "--model", &version, "--no-fallback"];
        bench.refused(&route, 1, "BZ-0340");
        bench.refused(&[&ROUTE[..], &["--fallback", &version]].concat(), 1, "BZ-0340");
    }
    let told = bench.refused(&route(&["--no-fallback", "--beyond", "reject"]), 1, "BZ-0340");
    assert!(told.contains("names no data"), "{told}");
    for (constant, why) in [
        (json!([]), "no output"),
        (json!("tip"), "not the `outputs`"),
        (json!([{"name": "p", "shape": [1], "datatype": "FP32", "data": [0.5]}]), "no output"),
    ] {
        bench.write("constant.json", constant.to_string().as_bytes());
        let told = bench.refused(&route(&["--fallback-constant", "constant.json"]), 1, "BZ-0340");
        assert!(told.contains(why), "{told}");
    }
    bench.refused(&["endpoint", "show", "scores"], 4, "BZ-0203");
}

#[test]
fn an_endpoint_is_made_with_settings_that_later_routes_keep() {
    let bench = with_models(&["--trained-on", "rides:1"]);
    let create =
        ["endpoint", "create", "scores", "--beyond", "reject", "--withhold", "distance", "--slice", "hour"];
    let made = bench.json(&create);
    assert_eq!((&made["standing"], &made["withheld"]), (&"disabled".into(), &json!(["distance"])), "{made}");
    bench.refused(&create, 1, "BZ-0204");
    let both = ["endpoint", "create", "other", "--withhold", "hour", "--slice", "hour"];
    bench.refused(&both, 1, "BZ-0340");
    let routed = bench.json(&route(&["--no-fallback"]));
    let settings = [&routed["beyond"], &routed["withheld"], &routed["slices"], &routed["subject_input"]];
    assert_eq!(
        settings,
        [&json!("reject"), &json!(["distance"]), &json!(["hour"]), &json!(null)],
        "{routed}"
    );
    let told = bench.refused(&route(&["--no-fallback", "--withhold", "distanse"]), 1, "BZ-0340");
    assert!(told.contains("no input `distanse`; it has `distance`, `hour`"), "{told}");
    let told =
        bench.refused(&route(&["--no-fallback", "--subject-input", "hour", "--slice", ""]), 1, "BZ-0340");
    assert!(told.contains("cannot say whom"), "{told}");
    let routed = bench.json(&route(&["--no-fallback", "--slice", "", "--withhold", "hour", "distance"]));
    assert_eq!(
        (&routed["withheld"], &routed["slices"]),
        (&json!(["distance", "hour"]), &json!([])),
        "{routed}"
    );
    let named = |names: &[&'static str]| route(&[&["--no-fallback", "--input-columns"], names].concat());
    let told = bench.refused(&named(&["distance"]), 1, "BZ-0340");
    assert!(told.contains("1 columns are named, and the model's inputs have 2"), "{told}");
    let told = bench.refused(&named(&["hour", "distance"]), 1, "BZ-0340");
    assert!(told.contains("the input `distance` is the column of that name, and not `hour`"), "{told}");
    let routed = bench.json(&named(&["distance", "hour"]));
    assert_eq!((&routed["inputColumns"], &routed["compared"]), (&json!(["distance", "hour"]), &json!("all")));
    let routed = bench.json(&named(&[""]));
    assert_eq!((&routed["inputColumns"], &routed["compared"]), (&json!([]), &json!("all")));
    // The names of columns can be personal.
    let entries = bench.json(&["ledger", "show"]);
    for entry in entries.as_array().unwrap() {
        let shown = bench.json(&["ledger", "show", &entry["index"].to_string()]).to_string();
        assert!(!shown.contains("distance") && !shown.contains("distanse"), "{shown}");
    }
}

#[test]
fn what_the_columns_of_an_endpoint_are_for_is_obeyed() {
    let bench = with_models(&[]);
    bench.json(&["endpoint", "create", "scores", "--withhold", "distance", "--slice", "hour"]);
    bench.json(&route(&["--no-fallback"]));
    let key = key(&bench);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    let answer = ask(&up, "POST", INFER, Some(&key), &ride(87.5, 2.0));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = answer.body.pointer("/parameters/prediction_id").and_then(Value::as_str).unwrap();
    up.end();
    let shown = bench.json(&["predictions", "show", id, "--inputs"]);
    let inputs = shown["inputs"].as_array().unwrap().iter();
    let data: Vec<Option<&Value>> =
        inputs.map(|input| input.get("data").filter(|data| !data.is_null())).collect();
    assert_eq!(data, [None, Some(&json!([2.0]))], "{shown}");
    assert!(!shown.to_string().contains("87.5"), "{shown}");
    assert_eq!(shown["slices"], json!([{ "name": "hour", "value": "2" }]), "{shown}");
}

#[test]
fn a_promotion_keeps_what_answered_and_a_rollback_brings_it_back() {
    let bench = with_models(&[]);
    train(&bench, "3", &[]);
    let promote = ["model", "promote", "tips:1", "--endpoint", "scores"];
    let told = bench.refused(&promote, 1, "BZ-0340");
    assert!(told.contains("--no-fallback"), "{told}");
    bench.json(&[&promote[..], &["--no-fallback"]].concat());
    let rollback = ["model", "rollback", "--endpoint", "scores"];
    bench.refused(&rollback, 1, "BZ-0204");
    bench.refused(&["model", "promote", "tips:3", "--endpoint", "scores"], 1, "BZ-0204");
    let promoted = bench.json(&["model", "promote", "tips:2", "--endpoint", "scores"]);
    assert_eq!((&promoted["primary"], &promoted["fallback"]), (&"tips:2".into(), &"tips:1".into()));
    assert_eq!(bench.run(&["model", "approve", "tips:3"]).code, 0);
    bench.json(&["model", "promote", "tips:3", "--endpoint", "scores"]);
    assert_eq!(bench.run(&["model", "revoke", "tips:2", "--reason", "a test"]).code, 0);
    let told = bench.refused(&rollback, 1, "BZ-0204");
    assert!(told.contains("tips:2: it is revoked") && told.contains("--to tips:1"), "{told}");
    let done = bench.json(&[&rollback[..], &["--to", "tips:1"]].concat());
    assert_eq!((&done["from"], &done["to"]), (&"tips:3".into(), &"tips:1".into()), "{done}");
    assert!(done["next"].as_str().unwrap().contains("bartizan model quarantine tips:3"), "{done}");
    let shown = bench.json(&["endpoint", "show", "scores"]);
    assert_eq!((&shown["change"], &shown["primary"]), (&"rolled-back".into(), &"tips:1".into()), "{shown}");
    let entry = bench.json(&["ledger", "show", &shown["entry"].to_string()]);
    assert_eq!(entry.pointer("/statement/predicate/change").unwrap(), "rolled-back", "{entry}");
    bench.refused(&["model", "rollback", "--endpoint", "nowhere"], 4, "BZ-0203");
}

#[test]
fn whoever_may_not_route_makes_nobody_load_a_model() {
    let bench = Bench::with_project();
    assert_eq!(bench.run(&["access", "user", "add", "vera"]).code, 0);
    assert_eq!(bench.run(&["access", "role", "grant", "vera", "viewer"]).code, 0);
    let key = bench.json(&["access", "key", "create", "vera", "--days", "1"]);
    let up = Up::start(&bench);
    let key = key["key"].as_str().unwrap();
    for arguments in [
        &["model", "promote", "secret:1", "--endpoint", "scores"][..],
        &["model", "rollback", "--endpoint", "scores"],
        &["endpoint", "create", "scores"],
    ] {
        let ran = bench.run_with("BARTIZAN_TOKEN", key, arguments);
        assert_eq!((ran.code, ran.stderr.contains("BZ-0202")), (3, true), "{arguments:?}: {}", ran.stderr);
    }
    drop(up);
}

/// A quarantine is no reason to be left without anybody who answers.
#[test]
fn a_constant_outlives_a_promotion_that_is_undone_and_a_version_that_is_stopped() {
    let bench = with_models(&[]);
    train(&bench, "3", &[]);
    let key = key(&bench);
    bench.write("model_outputs.json", b"not JSON");
    let route =
        ["endpoint", "route", "scores", "--model", "tips:1", "--fallback-constant", "model_outputs.json"];
    let told = bench.refused(&route, 2, "BZ-0003");
    assert!(told.contains("model_outputs.json") && told.contains("line 1"), "{told}");
    // A whole answer will do, as a client has it.
    let up = Up::start(&bench);
    let with_key = |arguments: &[&str]| {
        let ran = bench.run_with("BARTIZAN_TOKEN", &key, arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        serde_json::from_str::<Value>(&ran.stdout).unwrap()
    };
    with_key(&["endpoint", "route", "scores", "--model", "tips:1", "--no-fallback"]);
    wait_ready(&up);
    let answer = ask(&up, "POST", INFER, Some(&key), &ride(3.0, 2.0));
    bench.write("model_outputs.json", answer.body.to_string().as_bytes());
    assert_eq!(with_key(&route)["fallback"], "a constant answer");

    let promoted = with_key(&["model", "promote", "tips:2", "--endpoint", "scores"]);
    assert_eq!(promoted["fallback"], "tips:1");
    let back = with_key(&["model", "rollback", "--endpoint", "scores"]);
    assert_eq!(
        (back.pointer("/endpoint/fallback"), &back["warning"]),
        (Some(&"a constant answer".into()), &Value::Null)
    );
    let by = || {
        let answer = ask(&up, "POST", INFER, Some(&key), &ride(3.0, 2.0));
        answer.body.pointer("/parameters/answered_by").and_then(Value::as_str).map(str::to_owned)
    };
    let answered = |word: &str| assert_eq!(by().as_deref(), Some(word));
    answered("primary");
    with_key(&["model", "quarantine", "tips:1", "--reason", "a test"]);
    let begun = std::time::Instant::now();
    while by().as_deref() == Some("primary") {
        assert!(begun.elapsed().as_secs() < 10, "what is quarantined still answers");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    answered("constant");
    // The next version takes the constant over when nothing else may stand in.
    let promoted = with_key(&["model", "promote", "tips:2", "--endpoint", "scores"]);
    assert_eq!(promoted["fallback"], "a constant answer");
    answered("primary");
}
