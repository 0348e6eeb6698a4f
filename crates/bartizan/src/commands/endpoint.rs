//! `endpoint`, `model promote` and `model rollback`: what answers under a name.

use std::path::Path;

use serde_json::{Value, json};

use super::{Work, encoded, read_text};
use crate::catalog::ids;
use crate::cli::{Endpoint, EndpointSettings, Fallback, PromoteFallback, Route};
use crate::failure::Failure;

/// Bytes of a file with a constant answer.
const CONSTANT_BYTES: u64 = 1024 * 1024;

pub(super) async fn run(work: &Work, verb: Endpoint) -> Result<u8, Failure> {
    match verb {
        Endpoint::Create { endpoint, settings } => {
            let body = json!({ "name": endpoint, "settings": wired(&settings) });
            let made = work.client().await?.post("/api/v1/endpoints", &body).await?;
            work.answer(&made)
        }
        Endpoint::Route(Route { endpoint, model, fallback, settings }) => {
            let Fallback { fallback, fallback_constant, no_fallback } = &fallback;
            let fallback = instead(fallback.as_deref(), fallback_constant.as_deref(), *no_fallback)?;
            route(work, &endpoint, &model, &fallback, &wired(&settings)).await
        }
        Endpoint::Disable { endpoint } => {
            let disabled = work.client().await?.delete(&path(&endpoint)).await?;
            work.answer(&disabled)
        }
        Endpoint::List => work.show("/api/v1/endpoints").await,
        Endpoint::Show { endpoint } => work.show(&path(&endpoint)).await,
    }
}

pub(super) async fn promote(
    work: &Work,
    version: &str,
    endpoint: &str,
    fallback: &PromoteFallback,
) -> Result<u8, Failure> {
    let PromoteFallback { fallback, fallback_constant, no_fallback } = fallback;
    let fallback = instead(fallback.as_deref(), fallback_constant.as_deref(), *no_fallback)?;
    route(work, endpoint, version, &fallback, &json!({})).await
}

pub(super) async fn roll_back(work: &Work, endpoint: &str, to: Option<&str>) -> Result<u8, Failure> {
    let path = format!("{}/rollback", path(endpoint));
    let done = work.client().await?.post(&path, &json!({ "to": to })).await?;
    work.answer(&done)
}

async fn route(
    work: &Work,
    endpoint: &str,
    version: &str,
    fallback: &Value,
    settings: &Value,
) -> Result<u8, Failure> {
    let body = json!({ "primary": version, "fallback": fallback, "settings": settings });
    let routed = work.client().await?.post(&path(endpoint), &body).await?;
    work.answer(&routed)
}

/// What answers instead; null where nothing was said.
fn instead(version: Option<&str>, constant: Option<&Path>, nobody: bool) -> Result<Value, Failure> {
    Ok(match (version, constant, nobody) {
        (Some(version), _, _) => json!({ "version": version }),
        (None, Some(file), _) => {
            let text = read_text(file, CONSTANT_BYTES)?;
            let outputs: Value = serde_json::from_str(&text).map_err(|error| {
                Failure::new(ids::INVALID, format!("`{}` is no JSON: {error}", file.display()))
            })?;
            // The whole response will do, as a client has it.
            let outputs = match outputs {
                Value::Object(mut response) if response.contains_key("outputs") => {
                    response.remove("outputs").unwrap_or_default()
                }
                outputs => outputs,
            };
            json!({ "constant": outputs })
        }
        (None, None, true) => json!("nobody"),
        (None, None, false) => Value::Null,
    })
}

fn wired(settings: &EndpointSettings) -> Value {
    let EndpointSettings { beyond, subject_input, withhold, slice, input_columns } = settings;
    json!({
        "beyond": beyond, "subject_input": subject_input, "withhold": withhold, "slice": slice,
        "input_columns": input_columns,
    })
}

fn path(endpoint: &str) -> String {
    format!("/api/v1/endpoints/{}", encoded(endpoint))
}
