//! What the pages of endpoints show: the fold of the ledger says how they are routed, the gateway how they do.

use bartizan_base::{Name, Timestamp, VersionRef};
use bartizan_registry::Caller;
use bartizan_registry::state::{Endpoint, Logged};
use bartizan_registry::statement::{Beyond, EndpointChange, EndpointV1, Standing};

use super::assets::after;
use super::scene::{PAGE, Scene, count, state_of};
use super::story::changes;
use crate::api::App;
use crate::catalog::ids;
use crate::console::view::endpoint::{
    BeyondView, EndpointRow, EndpointStanding, EndpointView, EndpointsView, FallbackView, MinuteView,
    NumbersView, OutcomeView, RoutedVersion,
};
use crate::console::view::{Paged, Tone, VersionState};
use crate::console::{ENDPOINTS_PATH, endpoint_path};
use crate::failure::Failure;
use crate::inference::numbers::{Class, Numbers, Outcome, Seen};

/// The type of the statements about endpoints.
const ENDPOINT: &str = "https://bartizan.dev/endpoint/v1";

/// The endpoints, from the one after `name` on.
pub(super) async fn list(app: &App, caller: &Caller, name: Option<&Name>) -> Result<EndpointsView, Failure> {
    let scene = Scene::set(app).await?;
    let endpoints = scene.state.endpoints();
    let found = endpoints.range::<_, Name>(after(name)).take(PAGE + 1);
    let mut rows: Vec<_> = found.map(|(_, endpoint)| row(app, &scene, endpoint)).collect();
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|row| format!("?after={}", row.name));
    let first = name.map(|_| ENDPOINTS_PATH.to_owned());
    let total = count(endpoints.len());
    Ok(EndpointsView { frame: scene.frame(app, caller), endpoints: Paged { rows, total, first, next } })
}

/// One endpoint with its numbers.
pub(super) async fn one(
    app: &App,
    caller: &Caller,
    name: &Name,
    before: Option<u64>,
) -> Result<EndpointView, Failure> {
    let scene = Scene::set(app).await?;
    let endpoint = scene.state.endpoints().get(name);
    let endpoint = endpoint.ok_or_else(|| Failure::new(ids::NOT_FOUND, "there is no such endpoint"))?;
    let body = &endpoint.body;
    let about = |logged: &Logged| logged.predicate_type == ENDPOINT && logged.name == name.as_str();
    let here = endpoint_path(name.as_str());
    Ok(EndpointView {
        frame: scene.frame(app, caller),
        row: row(app, &scene, endpoint),
        beyond: match body.beyond {
            Beyond::Reject => BeyondView::Reject,
            Beyond::Flag => BeyondView::Flag,
        },
        compared: app
            .open_gateway()
            .and_then(|gateway| gateway.status(name))
            .map(|status| status.comparison.in_words()),
        entry: endpoint.statement.entry,
        at: body.act.at.to_string(),
        by: scene.name(body.act.by),
        numbers: numbers(app, name),
        changes: changes(app, &scene, about, before, &here).await?,
        events: format!("{here}/events"),
    })
}

/// An endpoint in a list.
pub(super) fn row(app: &App, scene: &Scene, endpoint: &Endpoint) -> EndpointRow {
    let name = &endpoint.body.endpoint;
    let version = |version: &VersionRef| RoutedVersion {
        model: version.name.to_string(),
        version: u64::from(version.version.get()),
        state: scene
            .state
            .version(version)
            .map_or(VersionState::Revoked, |found| state_of(&scene.state, found)),
    };
    let fallback = &endpoint.body.fallback;
    let seen = seen(app, name, app.registry.now());
    EndpointRow {
        name: name.to_string(),
        standing: standing(app, endpoint),
        primary: endpoint.body.primary.as_ref().map(|primary| version(&primary.version)),
        fallback: match (&fallback.version, &fallback.constant) {
            (Some(other), _) => FallbackView::Version(version(&other.version)),
            (None, Some(_)) => FallbackView::Constant,
            (None, None) => FallbackView::Unavailable,
        },
        last_minute: seen.last_minute,
        hour: Class::ALL.map(|class| seen.of_class(class)),
        p99: seen.hour().quantile(990),
    }
}

/// How an endpoint stands.
pub(super) fn standing(app: &App, endpoint: &Endpoint) -> EndpointStanding {
    let EndpointV1 { endpoint: name, standing, change, .. } = &endpoint.body;
    if *change == EndpointChange::Created {
        return EndpointStanding::NotRouted;
    }
    let Some(gateway) = app.open_gateway() else { return EndpointStanding::NotLoaded };
    match (standing, gateway.has_answer(name)) {
        (Standing::Disabled, _) => EndpointStanding::Disabled,
        (Standing::Active, None) => EndpointStanding::NotLoaded,
        (Standing::Active, Some(false)) => EndpointStanding::Unanswered,
        (Standing::Active, Some(true)) if gateway.primary_answers(name) => EndpointStanding::Serving,
        (Standing::Active, Some(true)) => EndpointStanding::OnFallback,
    }
}

fn seen(app: &App, name: &Name, now: Timestamp) -> Seen {
    let gateway = app.open_gateway();
    gateway.map_or_else(|| Numbers::default().seen(name, now), |gateway| gateway.numbers().seen(name, now))
}

/// The numbers of an endpoint now.
pub(super) fn numbers(app: &App, name: &Name) -> NumbersView {
    let now = app.registry.now();
    let seen = seen(app, name, now);
    let hour = seen.hour();
    let minutes = seen.minutes.iter().map(|minute| MinuteView {
        at: minute.at.to_string().get(11..16).unwrap_or_default().to_owned(),
        classes: minute.classes,
        p50: minute.latency.quantile(500),
        p99: minute.latency.quantile(990),
        spread: minute.latency.buckets().filter(|(_, count)| *count > 0).collect(),
    });
    NumbersView {
        as_of: now.to_string(),
        since: app.started.to_string(),
        last_minute: seen.last_minute,
        under_way: seen.under_way,
        flagged: seen.flagged,
        minutes: minutes.collect(),
        latency: [500, 950, 990].map(|per_mille| hour.quantile(per_mille)),
        outcomes: Outcome::ALL.map(|outcome| told(outcome, seen.of(outcome))).to_vec(),
    }
}

fn told(outcome: Outcome, count: u64) -> OutcomeView {
    let label = match outcome {
        Outcome::Primary => "Answered by the version",
        Outcome::Fallback => "Answered by the fallback",
        Outcome::Constant => "Answered by the constant",
        Outcome::Malformed => "No inference request",
        Outcome::TooLarge => "Too large",
        Outcome::TooSlow => "Came too slowly",
        Outcome::Mismatch => "Not for this model",
        Outcome::BeyondTraining => "Beyond the training data",
        Outcome::Version => "For another version",
        Outcome::Abandoned => "The caller left",
        Outcome::Busy => "Too busy",
        Outcome::NoAnswer => "No answer for the values",
        Outcome::Unavailable => "Nobody could answer",
        Outcome::NotRecorded => "Could not be recorded",
        Outcome::Defect => "Defect",
    };
    let tone = match outcome.class() {
        Class::Answered => Tone::Ok,
        Class::Instead => Tone::Warn,
        Class::Refused => Tone::Neutral,
        Class::Failed => Tone::Bad,
    };
    OutcomeView { key: outcome.as_str(), label, tone, count }
}
