//! `endpoint`: what answers under a name.

use serde_json::{Value, json};

use super::{Work, encoded, read_text};
use crate::catalog::ids;
use crate::cli::{Endpoint, Fallback, Route};
use crate::failure::Failure;

/// Bytes of a file with a constant answer.
const CONSTANT_BYTES: u64 = 1024 * 1024;

pub(super) async fn run(work: &Work, verb: Endpoint) -> Result<u8, Failure> {
    match verb {
        Endpoint::Route(route) => send(work, &route).await,
        Endpoint::Disable { endpoint } => {
            let disabled = work.client().await?.delete(&path(&endpoint)).await?;
            work.answer(&disabled)
        }
        Endpoint::List => work.show("/api/v1/endpoints").await,
        Endpoint::Show { endpoint } => work.show(&path(&endpoint)).await,
    }
}

async fn send(work: &Work, route: &Route) -> Result<u8, Failure> {
    let Fallback { fallback, fallback_constant, no_fallback: _ } = &route.fallback;
    let constant: Option<Value> = match fallback_constant {
        Some(file) => {
            let text = read_text(file, CONSTANT_BYTES)?;
            Some(serde_json::from_str(&text).map_err(|error| Failure::of(ids::INVALID, &error))?)
        }
        None => None,
    };
    let body = json!({
        "primary": route.model,
        "fallback_version": fallback,
        "fallback_constant": constant,
        "beyond": route.beyond,
    });
    let routed = work.client().await?.post(&path(&route.endpoint), &body).await?;
    work.answer(&routed)
}

fn path(endpoint: &str) -> String {
    format!("/api/v1/endpoints/{}", encoded(endpoint))
}
