//! Whether a route can be served, found out before it is stated: an endpoint is not routed to what cannot answer.

use std::sync::Arc;

use bartizan_base::VersionRef;
use bartizan_gateway::{Columns, Constant, Fallback, LoadedVersion, Serving};
use bartizan_registry::statement::Beyond;
use bartizan_registry::{NewFallback, Registry};
use serde_json::Value;

use super::load::{self, NotLoaded};
use super::status::Comparison;
use crate::catalog::ids;
use crate::failure::Failure;

/// A route as somebody wants it.
pub(crate) struct Wanted {
    /// The version that answers.
    pub(crate) primary: VersionRef,
    /// What answers instead.
    pub(crate) fallback: WantedFallback,
    /// What is done with requests beyond what the model was trained on.
    pub(crate) beyond: Beyond,
    /// What the columns are for.
    pub(crate) columns: Columns,
}

/// What shall answer instead.
pub(crate) enum WantedFallback {
    /// Another version.
    Version(VersionRef),
    /// The `outputs` of an inference response.
    Constant(Value),
    /// Nobody.
    Unavailable,
}

/// A route that can be served.
pub(crate) struct Checked {
    /// What answers instead.
    pub(crate) fallback: NewFallback,
    /// How much of a request will be compared with what the model was trained on.
    pub(crate) comparison: Comparison,
}

/// Loads what a route names, and puts it together as the gateway will.
///
/// # Errors
/// When a version may not be served now, or the parts cannot be served together.
pub(crate) async fn check(registry: &Registry, wanted: Wanted) -> Result<Checked, Failure> {
    let Wanted { primary, fallback, beyond, columns } = wanted;
    let _turn = load::turn_to_look().await?;
    let loaded = version(registry, &primary).await?;
    let refused = |error: &dyn std::error::Error| Failure::of(ids::ROUTE, error);
    let (stands_in, fallback) = match fallback {
        WantedFallback::Version(other) => {
            (Fallback::Version(version(registry, &other).await?), NewFallback::Version(other))
        }
        WantedFallback::Constant(outputs) => {
            let document = Constant::to_document(loaded.signature(), outputs);
            let document = document.map_err(|error| refused(&error))?;
            let constant = Constant::from_document(&document, Some(loaded.signature()));
            (Fallback::Constant(constant.map_err(|error| refused(&error))?), NewFallback::Constant(document))
        }
        WantedFallback::Unavailable => (Fallback::Unavailable, NewFallback::Unavailable),
    };
    let bounds = load::bounds(registry, &primary, loaded.signature(), &columns.order, beyond).await;
    let bounds = bounds.map_err(|failure| because(ids::ROUTE, failure))?;
    let serving = Serving::new(loaded, stands_in, bounds).map_err(|error| refused(&error))?;
    // Who says what columns are for knows the model; what one lacks is a mistake here, and none later.
    columns.check_for(serving.signature()).map_err(|error| refused(&error))?;
    let serving = serving.with_columns(columns).map_err(|error| refused(&error))?;
    Ok(Checked { fallback, comparison: serving.compared().into() })
}

pub(super) async fn version(
    registry: &Registry,
    version: &VersionRef,
) -> Result<Arc<LoadedVersion>, Failure> {
    let released = load::release(registry, version).await.map_err(|why| match why {
        NotLoaded::NotReleased(failure) if failure.id == ids::INFER_UNAVAILABLE => {
            because(ids::CONFLICT, failure)
        }
        NotLoaded::NotReleased(failure) => failure,
        NotLoaded::Failed(failure) => failure,
    })?;
    load::read(registry, released).await.map_err(|failure| match failure.id.as_str() {
        ids::INFER_UNAVAILABLE => because(ids::ROUTE, failure),
        _ => failure,
    })
}

/// The same failure under another id.
pub(super) fn because(id: &'static str, failure: Failure) -> Failure {
    Failure { why: failure.why, ..Failure::new(id, failure.what) }
}
