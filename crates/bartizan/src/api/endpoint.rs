//! Endpoints: where they are routed, and what answers instead.

use std::sync::Arc;

use bartizan_base::{Name, VersionRef};
use bartizan_policy::{ProjectWide, op};
use bartizan_registry::state::{Endpoint, State};
use bartizan_registry::statement::Beyond;
use bartizan_registry::{NewFallback, NewRoute};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    primary: VersionRef,
    fallback_version: Option<VersionRef>,
    fallback_constant: Option<Value>,
    beyond: Beyond,
}

pub(super) async fn route(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let endpoint: Name = call.part("endpoint")?;
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let wanted: Route = call.json().await?;
    let fallback = match (wanted.fallback_version, wanted.fallback_constant) {
        (Some(version), None) => NewFallback::Version(version),
        (None, Some(outputs)) => NewFallback::Constant(outputs.to_string().into_bytes()),
        (None, None) => NewFallback::Unavailable,
        (Some(_), Some(_)) => return Err(Failure::new(ids::INVALID, "a route has one fallback")),
    };
    let route =
        NewRoute { endpoint: endpoint.clone(), primary: wanted.primary, fallback, beyond: wanted.beyond };
    app.registry.route_endpoint(&caller, route).await?;
    let state = app.registry.state();
    Ok(Answer::Json(state.endpoints().get(&endpoint).map_or(Value::Null, |found| shown(&state, found))))
}

pub(super) async fn disable(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let endpoint: Name = call.part("endpoint")?;
    app.registry.disable_endpoint(call.caller()?, endpoint.clone()).await?;
    Ok(Answer::Json(json!({ "endpoint": endpoint, "standing": "disabled" })))
}

pub(super) async fn list(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::ModelList, ProjectWide).await?;
    let state = app.registry.state();
    Ok(Answer::Json(state.endpoints().values().map(|found| shown(&state, found)).collect()))
}

pub(super) async fn show(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::ModelList, ProjectWide).await?;
    let name: Name = call.part("endpoint")?;
    let state = app.registry.state();
    let found = state.endpoints().get(&name);
    let found = found.ok_or_else(|| Failure::new(ids::NOT_FOUND, format!("there is no endpoint {name}")))?;
    Ok(Answer::Json(shown(&state, found)))
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
        "beyond": body.beyond,
        "entry": endpoint.statement.entry,
    })
}
