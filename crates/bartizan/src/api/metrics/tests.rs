//! The text of metrics.

use std::collections::BTreeMap;

use bartizan_base::Timestamp;
use expect_test::expect;

use super::{Metrics, OfEndpoint};
use crate::inference::numbers::{Numbers, TurnedAway};

fn metrics(endpoints: &[&str]) -> Metrics {
    let at = Timestamp::from_millis(1_800_000_000_250);
    let numbers = Numbers::default();
    let seen = |name: &&str| OfEndpoint {
        name: (*name).to_owned(),
        ready: true,
        seen: numbers.seen(&"unasked".parse().unwrap(), at),
    };
    Metrics {
        started: at,
        entries: 41,
        records: 1000,
        versions: BTreeMap::from([("approved".to_owned(), 2), ("quarantined".to_owned(), 1)]),
        turned_away: TurnedAway::ALL.map(|why| (why, 3)).to_vec(),
        endpoints: endpoints.iter().map(seen).collect(),
    }
}

#[test]
fn the_text_of_a_server_without_endpoints() {
    expect![[r#"
        # HELP bartizan_build_info The version of this server, always 1.
        # TYPE bartizan_build_info gauge
        bartizan_build_info{version="0.1.0"} 1
        # HELP process_start_time_seconds When the server started, in seconds since 1970.
        # TYPE process_start_time_seconds gauge
        process_start_time_seconds 1800000000.25
        # HELP bartizan_ledger_entries Entries in the ledger.
        # TYPE bartizan_ledger_entries gauge
        bartizan_ledger_entries 41
        # HELP bartizan_ledger_records Prediction records in segments that the ledger names.
        # TYPE bartizan_ledger_records gauge
        bartizan_ledger_records 1000
        # HELP bartizan_model_versions Model versions by state.
        # TYPE bartizan_model_versions gauge
        bartizan_model_versions{state="approved"} 2
        bartizan_model_versions{state="quarantined"} 1
        # HELP bartizan_endpoint_ready Whether an endpoint in service has an answer.
        # TYPE bartizan_endpoint_ready gauge
        # HELP bartizan_inference_requests_total Requests that an endpoint was asked for, by what came of them.
        # TYPE bartizan_inference_requests_total counter
        # HELP bartizan_inference_flagged_requests_total Requests that were answered although values were unlike those of training.
        # TYPE bartizan_inference_flagged_requests_total counter
        # HELP bartizan_inference_turned_away_requests_total Requests that got as far as no endpoint, by why.
        # TYPE bartizan_inference_turned_away_requests_total counter
        bartizan_inference_turned_away_requests_total{reason="unidentified"} 3
        bartizan_inference_turned_away_requests_total{reason="unknown"} 3
        bartizan_inference_turned_away_requests_total{reason="not_ready"} 3
        # HELP bartizan_inference_requests_in_flight Requests under way.
        # TYPE bartizan_inference_requests_in_flight gauge
        # HELP bartizan_inference_request_duration_seconds From the moment a request may be made until its answer is given out; only those that were answered are in it.
        # TYPE bartizan_inference_request_duration_seconds histogram
    "#]]
    .assert_eq(&metrics(&[]).exposition());
}

#[test]
fn every_endpoint_has_every_outcome_and_every_bucket() {
    let text = metrics(&["scores", "a\"b\\c\n"]).exposition();
    let outcomes = text.matches("bartizan_inference_requests_total{endpoint=\"scores\",outcome=\"").count();
    assert_eq!(outcomes, 15, "{text}");
    let buckets = text.lines().filter(|line| line.contains("_bucket{endpoint=\"scores\",le=\"")).count();
    assert_eq!(buckets, 21, "{text}");
    assert!(text.contains("le=\"0.000064\"} 0\n") && text.contains("le=\"33.554432\"} 0\n"), "{text}");
    assert!(text.contains("bartizan_endpoint_ready{endpoint=\"a\\\"b\\\\c\\n\"} 1\n"), "{text}");
    assert!(text.lines().all(|line| line.starts_with('#') || line.rsplit(' ').next().is_some()), "{text}");
}
