//! `/metrics`: the numbers of this server for Prometheus.

#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use bartizan_base::Timestamp;
use bartizan_registry::state::State;
use bartizan_registry::statement::Standing;

use self::text::{Kind, Text};
use super::{Answer, App, Call};
use crate::failure::Failure;
use crate::inference::numbers::{Outcome, Seen, TurnedAway};

/// The text format of Prometheus.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is told.
struct Metrics {
    started: Timestamp,
    entries: u64,
    records: u64,
    versions: BTreeMap<String, u64>,
    turned_away: Vec<(TurnedAway, u64)>,
    endpoints: Vec<OfEndpoint>,
}

struct OfEndpoint {
    name: String,
    ready: bool,
    seen: Seen,
}

pub(super) async fn show(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.remembered.may_see_numbers(&app.registry, call.caller()?, call.peer).await?;
    let metrics = Metrics::gather(app, &app.registry.state());
    Ok(Answer::Bytes(CONTENT_TYPE, metrics.exposition().into_bytes()))
}

impl Metrics {
    fn gather(app: &App, state: &State) -> Self {
        let mut versions = BTreeMap::new();
        for version in state.models().values().flat_map(|model| model.versions.values()) {
            *versions.entry(version.state.to_string()).or_default() += 1;
        }
        let gateway = app.open_gateway();
        let now = app.registry.now();
        let active = state.endpoints().values().filter(|endpoint| endpoint.body.standing == Standing::Active);
        let endpoints = active.filter_map(|endpoint| {
            let name = &endpoint.body.endpoint;
            let ready = gateway?.has_answer(name) == Some(true);
            Some(OfEndpoint { name: name.to_string(), ready, seen: gateway?.numbers().seen(name, now) })
        });
        Self {
            started: app.started,
            entries: state.next_index(),
            records: state.segments().values().map(|segment| segment.records).sum(),
            versions,
            turned_away: gateway.map(|it| it.numbers().turned_away().to_vec()).unwrap_or_default(),
            endpoints: endpoints.collect(),
        }
    }

    fn exposition(&self) -> String {
        let mut text = Text::default();
        self.process(&mut text);
        self.inference(&mut text);
        text.done()
    }

    fn process(&self, text: &mut Text) {
        text.family("bartizan_build_info", Kind::Gauge, "The version of this server, always 1.");
        text.sample("", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        let help = "When the server started, in seconds since 1970.";
        text.family("process_start_time_seconds", Kind::Gauge, help);
        text.seconds("", &[], u128::from(self.started.millis().unsigned_abs()) * 1_000_000);
        text.family("bartizan_ledger_entries", Kind::Gauge, "Entries in the ledger.");
        text.sample("", &[], self.entries);
        let help = "Prediction records in segments that the ledger names.";
        text.family("bartizan_ledger_records", Kind::Gauge, help);
        text.sample("", &[], self.records);
        text.family("bartizan_model_versions", Kind::Gauge, "Model versions by state.");
        for (state, count) in &self.versions {
            text.sample("", &[("state", state)], *count);
        }
    }

    fn inference(&self, text: &mut Text) {
        let help = "Whether an endpoint in service has an answer.";
        text.family("bartizan_endpoint_ready", Kind::Gauge, help);
        for endpoint in &self.endpoints {
            text.sample("", &[("endpoint", &endpoint.name)], u64::from(endpoint.ready));
        }
        let help = "Requests that an endpoint was asked for, by what came of them.";
        text.family("bartizan_inference_requests_total", Kind::Counter, help);
        for OfEndpoint { name, seen, .. } in &self.endpoints {
            for outcome in Outcome::ALL {
                let labels = [("endpoint", name.as_str()), ("outcome", outcome.as_str())];
                text.sample("", &labels, seen.of(outcome));
            }
        }
        let help = "Requests that were answered although values were unlike those of training.";
        text.family("bartizan_inference_flagged_requests_total", Kind::Counter, help);
        for OfEndpoint { name, seen, .. } in &self.endpoints {
            text.sample("", &[("endpoint", name)], seen.flagged);
        }
        let help = "Requests that got as far as no endpoint, by why.";
        text.family("bartizan_inference_turned_away_requests_total", Kind::Counter, help);
        for (why, count) in &self.turned_away {
            text.sample("", &[("reason", why.as_str())], *count);
        }
        let help = "Requests under way.";
        text.family("bartizan_inference_requests_in_flight", Kind::Gauge, help);
        for OfEndpoint { name, seen, .. } in &self.endpoints {
            text.sample("", &[("endpoint", name)], seen.under_way);
        }
        let help = "From the moment a request may be made until its answer is given out; \
                    only those that were answered are in it.";
        text.family("bartizan_inference_request_duration_seconds", Kind::Histogram, help);
        for OfEndpoint { name, seen, .. } in &self.endpoints {
            text.histogram(("endpoint", name), &seen.latency, seen.latency_sum);
        }
    }
}
