//! `/metrics`: who may read them, what they count, and that reading them does not fill the ledger.

use serde_json::Value;

use crate::serving::{INFER, ask, ride, wait_ready, with_endpoint};
use crate::up::Up;

fn scrape(up: &Up, key: Option<&str>) -> String {
    let host = &up.address;
    let authorization = key.map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
    up.whole(&format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{authorization}\r\n"))
}

/// The value of a sample.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    assert!(line.is_some(), "no {sample} in {text}");
    line.unwrap().parse().unwrap()
}

#[test]
fn metrics_count_requests_and_take_a_key_that_may_see_the_models() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let limited = bench.json(&["access", "key", "create", "admin", "--days", "1", "--scopes", "model.show"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    assert!(scrape(&up, None).starts_with("HTTP/1.1 401"));
    let refused = scrape(&up, limited.get("key").and_then(Value::as_str));
    assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("BZ-0202"), "{refused}");

    for _ in 0..3 {
        assert_eq!(ask(&up, "POST", INFER, Some(&key), &ride(3.0, 2.0)).status, 200);
    }
    assert_eq!(ask(&up, "POST", INFER, Some(&key), "hello").status, 400);
    assert_eq!(ask(&up, "POST", INFER, None, "hello").status, 401);
    let quarantine = ["model", "quarantine", "tips:2", "--reason", "a test"];
    assert_eq!(bench.run_with("BARTIZAN_TOKEN", &key, &quarantine).code, 0);
    let mut instead = 0.0;
    while instead < 1.0 {
        assert_eq!(ask(&up, "POST", INFER, Some(&key), &ride(3.0, 2.0)).status, 200);
        let text = scrape(&up, Some(&key));
        instead = value(&text, r#"bartizan_inference_requests_total{endpoint="scores",outcome="fallback"}"#);
    }
    let text = scrape(&up, Some(&key));
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(text.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{text}");
    let of = |outcome: &str| {
        value(
            &text,
            &format!(r#"bartizan_inference_requests_total{{endpoint="scores",outcome="{outcome}"}}"#),
        )
    };
    assert!(of("primary") >= 3.0, "{text}");
    assert_eq!((of("malformed"), of("abandoned"), of("not_recorded")), (1.0, 0.0, 0.0), "{text}");
    let away = r#"bartizan_inference_turned_away_requests_total{reason="unidentified"}"#;
    assert_eq!(value(&text, away), 1.0, "{text}");
    assert_eq!(value(&text, r#"bartizan_endpoint_ready{endpoint="scores"}"#), 1.0, "{text}");
    assert_eq!(value(&text, r#"bartizan_model_versions{state="quarantined"}"#), 1.0, "{text}");
    let count = r#"bartizan_inference_request_duration_seconds_count{endpoint="scores"}"#;
    let all = r#"bartizan_inference_request_duration_seconds_bucket{endpoint="scores",le="+Inf"}"#;
    // What was refused says nothing of how long an answer takes.
    assert_eq!((value(&text, count), value(&text, all)), (of("primary") + instead, value(&text, count)));
    assert_eq!(value(&text, r#"bartizan_inference_requests_in_flight{endpoint="scores"}"#), 0.0);

    let shown = bench.run_with("BARTIZAN_TOKEN", &key, &["endpoint", "show", "scores"]);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let hour = |member: &str| shown.pointer(&format!("/lastHour/{member}")).and_then(Value::as_f64).unwrap();
    assert_eq!((hour("answeredByPrimary"), hour("answeredInstead")), (of("primary"), instead), "{shown}");
    assert_eq!((hour("refused"), hour("failed")), (1.0, 0.0), "{shown}");
    let (half, most) = (hour("latencyMicros/p50"), hour("latencyMicros/p99"));
    assert!(half > 0.0 && half <= most, "{shown}");
}

#[test]
fn reading_metrics_again_and_again_is_one_decision_until_the_ledger_says_something_new() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    let entries = || value(&scrape(&up, Some(&key)), "bartizan_ledger_entries");
    let first = entries();
    let again = [entries(), entries(), entries()];
    assert_eq!(again, [first; 3]);
    // A role that goes takes the numbers with it at once.
    let user =
        bench.run_with("BARTIZAN_TOKEN", &key, &["access", "user", "add", "watcher", "--kind", "person"]);
    assert_eq!(user.code, 0, "{}", user.stderr);
    assert!(entries() > first);
}
