//! How an endpoint is routed back so that it can be served: with which settings, and with what standing in.
//!
//! Whoever routes back is in a hurry and may not be somebody who may promote, so nothing is chosen here but what approvers
//! have put on the endpoint: the settings it has or, one by one, those with which the version was promoted. The present
//! ones stay where the version can be served with them. What cannot be found out in time holds nobody up; the gateway lets
//! the fallback answer then, if it must.

use std::sync::Arc;
use std::time::Duration;

use bartizan_gateway::{Columns, Constant, Fallback, LoadedVersion, Serving};
use bartizan_model::Signature;
use bartizan_registry::statement::{Beyond, Fallback as Stated, Private, Routed};
use bartizan_registry::{EndpointSettings, Registry, Rollback};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Gateway;
use super::load::{self, columns_of};
use super::route::{because, version};
use crate::catalog::ids;
use crate::failure::Failure;

/// Permits to have a model decoded for a rollback: it waits neither for what is served nor for routes that are checked.
static LOOKS: Semaphore = Semaphore::const_new(1);

/// How long a rollback waits until it is known whether a model can be served.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was chosen for a rollback.
pub(crate) struct Chosen {
    /// The settings.
    pub(crate) settings: EndpointSettings,
    /// What answers instead.
    pub(crate) fallback: Stated,
    /// What whoever rolls back is to know of it.
    pub(crate) notes: Vec<String>,
}

/// Settings that a rollback may have.
struct Candidate<'a> {
    beyond: Beyond,
    columns: &'a Option<Private>,
    read: &'a Columns,
}

/// The inputs of two models, as far as these could be loaded.
#[derive(Clone, Copy)]
struct Inputs<'a> {
    /// Of the version that the endpoint is routed back to; it may take anything where that is not known.
    takes: Option<&'a Signature>,
    /// Of the version that it is routed to now; it takes nothing where that is not known.
    took: Option<&'a Signature>,
}

/// Chooses the settings and the fallback of a rollback.
///
/// # Errors
/// When the version cannot be served, neither with the settings of the endpoint nor with those that it had: then it says
/// what could be done.
pub(crate) async fn choose(
    registry: &Registry,
    gateway: Option<&Arc<Gateway>>,
    planned: &Rollback,
) -> Result<Chosen, Failure> {
    let to = &planned.to.version;
    let primary = match timeout(PATIENCE, loaded(registry, gateway, &planned.to)).await {
        Ok(loaded) => Some(loaded.map_err(|failure| not_loaded(planned, failure))?),
        Err(_) => None,
    };
    // What may not be served any more, or cannot be loaded, has no say in what else is recorded.
    let now = match planned.present.columns == planned.before.columns {
        true => None,
        false => timeout(PATIENCE, loaded(registry, gateway, &planned.from)).await.ok().and_then(Result::ok),
    };
    let [takes, took] = [&primary, &now].map(|loaded| loaded.as_ref().map(|loaded| loaded.signature()));
    let settings = settings(registry, planned, primary.as_deref(), Inputs { takes, took }).await;
    let settings = settings.map_err(|failure| match failure.id.as_str() {
        ids::ROUTE => unfit(planned, failure),
        _ => failure,
    })?;
    let mut notes = Vec::new();
    if settings.columns != planned.present.columns {
        notes.push(format!("what its columns are for is again what it was when {to} was promoted"));
    }
    if settings.beyond != planned.present.beyond {
        let word = match settings.beyond {
            Beyond::Reject => "rejected",
            Beyond::Flag => "answered, and flagged,",
        };
        notes.push(format!("requests beyond training are {word} again, as when {to} was promoted"));
    }
    let Some(primary) = primary else {
        notes.push(format!(
            "{to} was not loaded within {} seconds, so nobody knows yet whether it can be served like this",
            PATIENCE.as_secs()
        ));
        return Ok(Chosen { settings, fallback: first(planned), notes });
    };
    let fallback = match timeout(PATIENCE, fallback(registry, gateway, planned, &primary)).await {
        Ok(fallback) => fallback,
        Err(_) => first(planned),
    };
    Ok(Chosen { settings, fallback, notes })
}

fn first(planned: &Rollback) -> Stated {
    planned.fallbacks.first().cloned().unwrap_or(Stated { version: None, constant: None })
}

/// The failure of a version that cannot be loaded, with another that may do.
fn not_loaded(planned: &Rollback, failure: Failure) -> Failure {
    match further(planned) {
        Some(further) => failure.then(further),
        None => failure,
    }
}

/// The refusal of a version whose settings stand in the way, with what would do instead.
fn unfit(planned: &Rollback, why: Failure) -> Failure {
    let (endpoint, to) = (&planned.endpoint, &planned.to.version);
    let what = format!(
        "{to} cannot be served with the settings of {endpoint}, nor with those that it was promoted with"
    );
    let mut refusal = Failure::new(ids::ROUTE, what);
    refusal.why = std::iter::once(why.what).chain(why.why).collect();
    let route = format!(
        "an approver routes it with settings that fit: bartizan endpoint route {endpoint} --model {to}"
    );
    refusal.then(match further(planned) {
        Some(further) => format!("{further}; or {route}"),
        None => route,
    })
}

fn further(planned: &Rollback) -> Option<String> {
    let further = planned.further.as_ref()?;
    Some(format!(
        "bartizan model rollback --endpoint {} --to {further} goes back to another",
        planned.endpoint
    ))
}

/// A version to be looked at: the one that is in memory already, if it is.
async fn loaded(
    registry: &Registry,
    gateway: Option<&Arc<Gateway>>,
    routed: &Routed,
) -> Result<Arc<LoadedVersion>, Failure> {
    if let Some(there) = gateway.and_then(|gateway| gateway.in_memory(routed)) {
        return Ok(there);
    }
    let turn = LOOKS.acquire().await.map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    // Who waits may give up, but decoding goes on, and the turn lasts as long.
    let (registry, routed) = (registry.clone(), routed.version.clone());
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends when one model is decoded, and holds the only turn"
    )]
    let look = tokio::spawn(async move {
        let _turn = turn;
        version(&registry, &routed).await
    });
    look.await.map_err(|error| Failure::of(ids::INTERNAL, &error))?
}

/// The first settings that the version can be served with: the present ones before those that it had, and of these as few
/// as will do.
async fn settings(
    registry: &Registry,
    planned: &Rollback,
    primary: Option<&LoadedVersion>,
    inputs: Inputs<'_>,
) -> Result<EndpointSettings, Failure> {
    let (present, before) = (&planned.present, &planned.before);
    let read = columns_of(registry, present.columns.as_ref()).await?;
    // Without what was said of its columns then, nobody knows what was withheld.
    let read_before = columns_of(registry, before.columns.as_ref()).await;
    let read_before = match read_before {
        Err(_) if before.columns == present.columns => None,
        read => Some(read?),
    };
    let mut candidates = Vec::new();
    let beyonds = if before.beyond == present.beyond {
        &[present.beyond][..]
    } else {
        &[present.beyond, before.beyond]
    };
    for beyond in beyonds {
        candidates.push(Candidate { beyond: *beyond, columns: &present.columns, read: &read });
        let then = read_before.as_ref().filter(|_| before.columns != present.columns);
        candidates.extend(then.map(|read| Candidate { beyond: *beyond, columns: &before.columns, read }));
    }
    let mut why = None;
    for candidate in candidates {
        let fits = match (inputs.exposed(candidate.read, &read, read_before.as_ref()), primary) {
            (Some(what), _) => Err(Failure::new(ids::ROUTE, what)),
            (None, Some(primary)) => fits(registry, &candidate, primary).await,
            (None, None) => Ok(()),
        };
        match fits {
            Ok(()) => {
                return Ok(EndpointSettings { beyond: candidate.beyond, columns: candidate.columns.clone() });
            }
            // The present settings come first, and what is wrong with them is what there is to say.
            Err(failure) => why = why.or(Some(failure)),
        }
    }
    Err(why.unwrap_or_else(|| Failure::new(ids::INTERNAL, "an endpoint has no settings")))
}

async fn fits(
    registry: &Registry,
    candidate: &Candidate<'_>,
    primary: &LoadedVersion,
) -> Result<(), Failure> {
    let Candidate { beyond, read, .. } = candidate;
    let signature = primary.signature();
    read.check_served(signature).map_err(|error| Failure::of(ids::ROUTE, &error))?;
    let bounds = load::bounds(registry, primary.version(), signature, &read.order, *beyond).await;
    bounds.map(|_| ()).map_err(|failure| because(ids::ROUTE, failure))
}

impl Inputs<'_> {
    /// What settings would give away of the version's inputs: a value that is withheld, or whom a prediction is about. What
    /// was said of an input then counts unless the present model takes it too: only then has somebody decided about it since.
    fn exposed(&self, columns: &Columns, present: &Columns, before: Option<&Columns>) -> Option<String> {
        let has =
            |signature: &Signature, name: &String| signature.inputs.iter().any(|port| port.name == *name);
        let takes = |name: &&String| self.takes.is_none_or(|signature| has(signature, name));
        let undecided = |name: &&String| !self.took.is_some_and(|signature| has(signature, name));
        let then = before.map(|before| before.withheld.iter().filter(undecided)).into_iter().flatten();
        let mut withheld = present.withheld.iter().chain(then).filter(takes);
        if let Some(name) = withheld.find(|name| !columns.withheld.contains(*name)) {
            return Some(format!(
                "the values of `{name}` are withheld, or were with this version, and would be recorded"
            ));
        }
        let then = before.and_then(|before| before.subject.as_ref()).filter(undecided);
        let subject = present.subject.as_ref().filter(takes).or(then.filter(takes));
        let lost = subject.filter(|subject| columns.subject.as_ref() != Some(subject));
        lost.map(|name| {
            format!(
                "`{name}` says whom a prediction is about, or did with this version, and would not any more"
            )
        })
    }
}

/// The first of what may answer instead that fits the version.
async fn fallback(
    registry: &Registry,
    gateway: Option<&Arc<Gateway>>,
    planned: &Rollback,
    primary: &Arc<LoadedVersion>,
) -> Stated {
    for candidate in &planned.fallbacks {
        match stands_in(registry, gateway, candidate, primary).await {
            Ok(()) => return candidate.clone(),
            Err(failure) => {
                let (endpoint, to) = (&planned.endpoint, &planned.to.version);
                tracing::warn!(%endpoint, %to, what = failure.what, why = ?failure.why, "what could answer instead after a rollback does not fit, or cannot be loaded");
            }
        }
    }
    Stated { version: None, constant: None }
}

async fn stands_in(
    registry: &Registry,
    gateway: Option<&Arc<Gateway>>,
    candidate: &Stated,
    primary: &Arc<LoadedVersion>,
) -> Result<(), Failure> {
    let refused = |error: &dyn std::error::Error| Failure::of(ids::ROUTE, error);
    let fallback = match (&candidate.version, &candidate.constant) {
        (Some(version), _) => Fallback::Version(loaded(registry, gateway, version).await?),
        (None, Some(constant)) => {
            let document = registry.read_document(constant).await?;
            let constant = Constant::from_document(&document, Some(primary.signature()));
            Fallback::Constant(constant.map_err(|error| refused(&error))?)
        }
        (None, None) => Fallback::Unavailable,
    };
    Serving::new(Arc::clone(primary), fallback, None).map(|_| ()).map_err(|error| refused(&error))
}

#[cfg(test)]
mod tests;
