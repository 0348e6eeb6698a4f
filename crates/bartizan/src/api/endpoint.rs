//! Endpoints: where they are routed, and what answers instead.

use std::collections::BTreeSet;
use std::sync::Arc;

use bartizan_base::{Name, VersionRef};
use bartizan_gateway::{Columns, Constant, FallbackReason};
use bartizan_policy::{ProjectWide, op};
use bartizan_registry::state::{Endpoint, State};
use bartizan_registry::statement::{Beyond, EndpointChange, Routed};
use bartizan_registry::{NewEndpoint, NewRoute};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;
use crate::inference::numbers::{Class, Seen};
use crate::inference::{
    Checked, Chosen, Comparison, READY, Status, Wanted, WantedFallback, check_route, choose_back, columns_of,
};

/// What is said of a primary that may be served and cannot.
const NOT_LOADED: &str = FallbackReason::NotLoaded.as_str();

/// Settings of an endpoint: what is absent stays as it is, an empty name takes a setting away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    beyond: Option<Beyond>,
    subject_input: Option<String>,
    withhold: Option<BTreeSet<String>>,
    slice: Option<BTreeSet<String>>,
    input_columns: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: Name,
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    primary: VersionRef,
    fallback: Option<WiredFallback>,
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WiredFallback {
    Version(VersionRef),
    Constant(Value),
    Nobody,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rollback {
    to: Option<VersionRef>,
}

impl Settings {
    /// What the columns are for with these settings, when that is something else than before.
    fn columns(&self, before: &Columns) -> Result<(Columns, Option<Vec<u8>>), Failure> {
        let mut columns = before.clone();
        let filled =
            |names: &BTreeSet<String>| names.iter().filter(|name| !name.is_empty()).cloned().collect();
        if let Some(subject) = &self.subject_input {
            columns.subject = Some(subject.clone()).filter(|subject| !subject.is_empty());
        }
        if let Some(withheld) = &self.withhold {
            columns.withheld = filled(withheld);
        }
        if let Some(slices) = &self.slice {
            columns.slices = filled(slices);
        }
        if let Some(order) = &self.input_columns {
            columns.order = match order.as_slice() {
                [only] if only.is_empty() => Vec::new(),
                order => order.to_vec(),
            };
        }
        columns.check().map_err(|error| Failure::of(ids::ROUTE, &error))?;
        let document = columns.to_document().map_err(|error| Failure::of(ids::INVALID, &error))?;
        let changed = (columns != *before).then_some(document);
        Ok((columns, changed))
    }
}

pub(super) async fn create(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let caller = call.caller.take().ok_or_else(nobody)?;
    let Create { name, settings } = call.json().await?;
    let (_, columns) = settings.columns(&Columns::default())?;
    let beyond = settings.beyond.unwrap_or(Beyond::Flag);
    let new = NewEndpoint { endpoint: name.clone(), beyond, columns };
    app.registry.create_endpoint(&caller, new).await?;
    described(app, &name, None).await
}

pub(super) async fn route(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let endpoint: Name = call.part("endpoint")?;
    let caller = call.caller.take().ok_or_else(nobody)?;
    let wanted: Route = call.json().await?;
    // Whoever may not learns nothing of the models, and makes nobody load them.
    app.registry.ask_to_route(&caller, &endpoint, &wanted.primary).await?;
    let state = app.registry.state();
    // Everything that is kept of the endpoint comes from this one statement, which the route then names.
    let found = state.endpoints().get(&endpoint);
    let before = match found {
        Some(found) => columns_of(&app.registry, found.body.columns.as_ref()).await?,
        None => Columns::default(),
    };
    let (columns, changed) = wanted.settings.columns(&before)?;
    let beyond = wanted.settings.beyond.or(found.map(|found| found.body.beyond)).unwrap_or(Beyond::Flag);
    let fallback = match wanted.fallback {
        Some(WiredFallback::Version(version)) => WantedFallback::Version(version),
        Some(WiredFallback::Constant(outputs)) => WantedFallback::Constant(outputs),
        Some(WiredFallback::Nobody) => WantedFallback::Unavailable,
        None => present(app, &state, found, &wanted.primary).await?,
    };
    let check = Wanted { primary: wanted.primary.clone(), fallback, beyond, columns };
    let Checked { fallback, comparison } = check_route(&app.registry, check).await?;
    let route = NewRoute {
        endpoint: endpoint.clone(),
        rests_on: found.map(|found| found.statement.entry),
        primary: wanted.primary,
        fallback,
        beyond: Some(beyond),
        columns: changed,
    };
    app.registry.route_endpoint(&caller, route).await?;
    let warning = not_obeyed(app, &endpoint).await;
    let mut answer = described(app, &endpoint, Some(comparison)).await?;
    if let (Answer::Json(Value::Object(members)), Some(warning)) = (&mut answer, warning) {
        members.insert("warning".to_owned(), warning.into());
    }
    Ok(answer)
}

/// What whoever changed an endpoint is to know of the server, when it does not do yet what the ledger says.
async fn not_obeyed(app: &App, endpoint: &Name) -> Option<String> {
    let gateway = app.open_gateway()?;
    let obeys = gateway.obeys(endpoint).await;
    (!obeys).then(|| {
        format!("the server has not loaded it yet, or cannot: bartizan endpoint show {endpoint} tells, and its log why")
    })
}

/// What stands in for a version that is promoted: the present one, or if it may not be served its fallback.
async fn present(
    app: &App,
    state: &State,
    found: Option<&Endpoint>,
    promoted: &VersionRef,
) -> Result<WantedFallback, Failure> {
    let name_it = "name it: --fallback VERSION, --fallback-constant FILE or --no-fallback";
    let Some(Endpoint { body, .. }) = found else {
        let what =
            format!("nothing is routed under that name yet, so nothing there may stand in for {promoted}");
        return Err(Failure::new(ids::ROUTE, what).then(name_it));
    };
    let (primary, fallback) = (body.primary.as_ref(), body.fallback.version.as_ref());
    let manifest = state.version(promoted).map(|found| found.body.manifest);
    let stands_in = |routed: &&Routed| {
        let found = state.version(&routed.version);
        Some(routed.manifest) != manifest && found.is_some_and(|found| state.releasable(found))
    };
    if let Some(version) = primary.into_iter().chain(fallback).find(stands_in) {
        return Ok(WantedFallback::Version(version.version.clone()));
    }
    if let Some(constant) = &body.fallback.constant {
        let document = app.registry.read_document(constant).await?;
        let outputs = Constant::outputs_of(&document).map_err(|error| Failure::of(ids::ROUTE, &error))?;
        return Ok(WantedFallback::Constant(outputs));
    }
    let what = format!("nothing that the endpoint is routed to may stand in for {promoted}");
    Err(Failure::new(ids::ROUTE, what).then(name_it))
}

pub(super) async fn roll_back(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let endpoint: Name = call.part("endpoint")?;
    let caller = call.caller.take().ok_or_else(nobody)?;
    let Rollback { to } = call.json().await?;
    let planned = app.registry.plan_rollback(&caller, &endpoint, to.as_ref()).await?;
    let Chosen { settings, fallback, notes } =
        choose_back(&app.registry, app.open_gateway(), &planned).await?;
    let done = app.registry.roll_back_endpoint(&caller, planned, settings, fallback).await?;
    let not_obeyed = not_obeyed(app, &endpoint).await;
    let state = app.registry.state();
    let found = state.endpoints().get(&endpoint);
    let usable = state.version(&done.from).is_some_and(|found| state.releasable(found));
    let next = usable.then(|| {
        format!(
            "{0} may still be routed; to stop it everywhere: bartizan model quarantine {0} --reason TEXT",
            done.from
        )
    });
    let status = app.open_gateway().and_then(|gateway| gateway.status(&endpoint));
    let warning = not_obeyed.or_else(|| found.and_then(|found| lacking(found, status.as_ref())));
    Ok(Answer::Json(json!({
        "from": done.from.to_string(),
        "to": done.to.to_string(),
        "notes": notes,
        "warning": warning,
        "next": next,
        "endpoint": found.map_or(Value::Null, |found| shown(&state, found)),
        "serving": status,
    })))
}

/// What an endpoint in service lacks to answer, now or once its model is stopped; as far as that is known, for only the
/// process that serves knows what it could load.
fn lacking(found: &Endpoint, status: Option<&Status>) -> Option<String> {
    let body = &found.body;
    let primary = body.primary.as_ref().map(|primary| &primary.version)?;
    if status.is_some_and(|status| status.primary == NOT_LOADED) {
        return Some(format!(
            "{primary} cannot be served as it is routed, so what stands in for it answers: the server's log says why"
        ));
    }
    let named = body.fallback.version.is_some() || body.fallback.constant.is_some();
    let nobody = format!("nobody answers if {primary} is stopped");
    let again = "bartizan endpoint route takes another fallback";
    match (named, status.map(|status| status.fallback)) {
        (true, None | Some(READY)) => None,
        (true, Some("stopped")) => {
            Some(format!("what is to answer instead is stopped, so {nobody} too: {again}"))
        }
        (true, Some(_)) => Some(format!("what is to answer instead cannot, so {nobody}: {again}")),
        // Whoever routes says so. Whoever rolls back may not have meant it.
        (false, _) if body.change == EndpointChange::RolledBack => {
            Some(format!("nothing is there to answer instead, so {nobody}: {again}"))
        }
        (false, _) => None,
    }
}

fn nobody() -> Failure {
    Failure::new(ids::NOT_AUTHENTICATED, "nobody asks")
}

pub(super) async fn disable(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let endpoint: Name = call.part("endpoint")?;
    app.registry.disable_endpoint(call.caller()?, endpoint.clone()).await?;
    let warning = not_obeyed(app, &endpoint).await;
    Ok(Answer::Json(json!({ "endpoint": endpoint, "standing": "disabled", "warning": warning })))
}

pub(super) async fn list(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::ModelList, ProjectWide).await?;
    let state = app.registry.state();
    Ok(Answer::Json(state.endpoints().values().map(|found| shown(&state, found)).collect()))
}

pub(super) async fn show(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::ModelList, ProjectWide).await?;
    described(app, &call.part("endpoint")?, None).await
}

/// An endpoint with all its settings. `comparison` is how much of a request will be compared with training, where that
/// is known without the process that serves.
async fn described(app: &Arc<App>, name: &Name, comparison: Option<Comparison>) -> Result<Answer, Failure> {
    let state = app.registry.state();
    let found = state.endpoints().get(name);
    let found = found.ok_or_else(|| {
        let failure = Failure::new(ids::NOT_FOUND, format!("there is no endpoint {name}"));
        failure.then("bartizan endpoint list")
    })?;
    let mut described = shown(&state, found);
    let columns = columns_of(&app.registry, found.body.columns.as_ref()).await?;
    let before = found.before().map(|before| {
        let routed = &before.primary;
        let standing = state.version(&routed.version).map(|version| state.standing_of(version));
        json!({ "version": routed.version.to_string(), "state": standing })
    });
    if let Some(members) = described.as_object_mut() {
        // Only the process that serves knows; a command that opened the data directory alone does not.
        let status = app.open_gateway().and_then(|gateway| gateway.status(name));
        members.insert("warning".to_owned(), lacking(found, status.as_ref()).into());
        members.insert("serving".to_owned(), json!(status));
        if let Some(comparison) = comparison.or(status.map(|status| status.comparison)) {
            members.insert("compared".to_owned(), comparison.compared.into());
            members.insert("notCompared".to_owned(), comparison.not_compared.into());
        }
        members.insert("before".to_owned(), before.collect());
        if let Some(constant) = &found.body.fallback.constant {
            // What cannot be read is no reason to say nothing of an endpoint that is in trouble.
            let document = app.registry.read_document(constant).await.ok();
            let outputs = document.and_then(|document| Constant::outputs_of(&document).ok());
            members.insert("fallbackConstant".to_owned(), outputs.unwrap_or_default());
        }
        members.insert("subject_input".to_owned(), columns.subject.into());
        members.insert("withheld".to_owned(), columns.withheld.into_iter().collect());
        members.insert("slices".to_owned(), columns.slices.into_iter().collect());
        members.insert("inputColumns".to_owned(), columns.order.into());
        if let Some(gateway) = app.open_gateway() {
            members.insert("ready".to_owned(), json!(gateway.has_answer(name).unwrap_or(false)));
            let seen = gateway.numbers().seen(name, app.registry.now());
            members.insert("lastHour".to_owned(), last_hour(&seen));
        }
    }
    Ok(Answer::Json(described))
}

/// The numbers of the server that serves, which begin with its start.
fn last_hour(seen: &Seen) -> Value {
    let latency = seen.hour();
    let micros = |per_mille| latency.quantile(per_mille);
    json!({
        "requestsInLastMinute": seen.last_minute,
        "answeredByPrimary": seen.of_class(Class::Answered),
        "answeredInstead": seen.of_class(Class::Instead),
        "refused": seen.of_class(Class::Refused),
        "failed": seen.of_class(Class::Failed),
        "latencyMicros": { "p50": micros(500), "p95": micros(950), "p99": micros(990) },
    })
}

fn shown(state: &State, endpoint: &Endpoint) -> Value {
    let body = &endpoint.body;
    let standing_of = |version: &VersionRef| state.version(version).map(|found| state.standing_of(found));
    let primary = body.primary.as_ref().map(|primary| &primary.version);
    let fallback = match (&body.fallback.version, &body.fallback.constant) {
        (Some(version), _) => version.version.to_string(),
        (None, Some(_)) => "a constant answer".to_owned(),
        (None, None) => "unavailable".to_owned(),
    };
    json!({
        "name": body.endpoint,
        "standing": body.standing,
        "primary": primary.map(VersionRef::to_string),
        "state": primary.and_then(standing_of),
        "fallback": fallback,
        "fallbackState": body.fallback.version.as_ref().and_then(|fallback| standing_of(&fallback.version)),
        "beyond": body.beyond,
        "change": body.change,
        "entry": endpoint.statement.entry,
    })
}
