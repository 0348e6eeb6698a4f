//! Endpoints: making them, routing them to versions and back, and taking them out of service.

use bartizan_base::{Name, VersionRef};
use bartizan_policy::{EndpointFacts, op};

use super::models::{check_approvals, check_twin};
use super::write::Writer;
use super::{Caller, Failed, Registry};
use crate::limits::DOCUMENT_BYTES;
use crate::state::{Endpoint, Promoted, State};
use crate::statement::{
    Beyond, EndpointChange, EndpointV1, Fallback, Private, Routed, Standing, Statement, VersionState,
};

/// An endpoint that is to be made.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// The endpoint.
    pub endpoint: Name,
    /// What is done with requests beyond what the model was trained on.
    pub beyond: Beyond,
    /// The document that says what its columns are for. Whoever makes it has checked it.
    pub columns: Option<Vec<u8>>,
}

/// Where an endpoint is to be routed.
#[derive(Debug, Clone)]
pub struct NewRoute {
    /// The endpoint; it is made when there is none of that name.
    pub endpoint: Name,
    /// The version that answers.
    pub primary: VersionRef,
    /// What answers when that version may not.
    pub fallback: NewFallback,
    /// What is done with requests beyond what the model was trained on; as before when it is absent.
    pub beyond: Option<Beyond>,
    /// The document that says what its columns are for, checked by whoever makes it; as before when it is absent.
    pub columns: Option<Vec<u8>>,
}

/// What answers when the version of an endpoint may not.
#[derive(Debug, Clone)]
pub enum NewFallback {
    /// Another version.
    Version(VersionRef),
    /// A document with a constant answer. Whoever makes it has checked it against the model.
    Constant(Vec<u8>),
    /// Nobody: the caller is told that the endpoint is unavailable.
    Unavailable,
}

/// What became of a rollback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// The version that it was routed to, and that is approved as before.
    pub from: VersionRef,
    /// The version that it is routed to now.
    pub to: VersionRef,
}

impl Registry {
    /// Makes an endpoint with its settings. It is out of service until it is routed.
    ///
    /// # Errors
    /// When the caller may not, or there is one of that name.
    pub async fn create_endpoint(&self, caller: &Caller, new: NewEndpoint) -> Result<(), Failed> {
        let writer = self.writer().await?;
        let facts = EndpointFacts { endpoint: new.endpoint.clone(), target: None };
        let allowed = writer.allow(caller, op::EndpointCreate, facts).await?;
        if writer.state().endpoints().contains_key(&new.endpoint) {
            return Err(Failed::conflict(format!("endpoint {}", new.endpoint), "it is there already"));
        }
        let columns = match new.columns {
            Some(columns) => Some(sealed(&writer, "columns", columns).await?),
            None => None,
        };
        let body = EndpointV1 {
            endpoint: new.endpoint,
            previous: None,
            change: EndpointChange::Created,
            standing: Standing::Disabled,
            primary: None,
            fallback: Fallback { version: None, constant: None },
            beyond: new.beyond,
            columns,
            act: writer.act(&allowed),
        };
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
    }

    /// Refuses, on the record, whoever may not route an endpoint to a version; before work that is long.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn ask_to_route(
        &self,
        caller: &Caller,
        endpoint: &Name,
        primary: &VersionRef,
    ) -> Result<(), Failed> {
        let target = Some(self.state().model_facts(primary));
        self.ask_early(caller, op::EndpointRoute, EndpointFacts { endpoint: endpoint.clone(), target }).await
    }

    /// Routes an endpoint to a version; the first route makes the endpoint.
    ///
    /// # Errors
    /// When the caller may not, or a version is not approved now.
    pub async fn route_endpoint(&self, caller: &Caller, new: NewRoute) -> Result<(), Failed> {
        let writer = self.writer().await?;
        let state = writer.state();
        let target = Some(state.model_facts(&new.primary));
        let facts = EndpointFacts { endpoint: new.endpoint.clone(), target };
        let allowed = writer.allow(caller, op::EndpointRoute, facts).await?;
        let primary = routed(&state, &new.primary)?;
        let fallback = match new.fallback {
            NewFallback::Version(version) => {
                let version = routed(&state, &version)?;
                if version.manifest == primary.manifest {
                    return Err(Failed::conflict(
                        format!("endpoint {}", new.endpoint),
                        "its fallback is the very version that it is routed to",
                    ));
                }
                Fallback { version: Some(version), constant: None }
            }
            NewFallback::Constant(answer) => {
                let constant = sealed(&writer, "constant answer", answer).await?;
                Fallback { version: None, constant: Some(constant) }
            }
            NewFallback::Unavailable => Fallback { version: None, constant: None },
        };
        let found = state.endpoints().get(&new.endpoint);
        let columns = match new.columns {
            Some(columns) => Some(sealed(&writer, "columns", columns).await?),
            None => found.and_then(|found| found.body.columns.clone()),
        };
        let beyond = new.beyond.or(found.map(|found| found.body.beyond)).unwrap_or(Beyond::Flag);
        let body = EndpointV1 {
            endpoint: new.endpoint,
            previous: found.map(|found| found.statement.entry),
            change: EndpointChange::Routed,
            standing: Standing::Active,
            primary: Some(primary),
            fallback,
            beyond,
            columns,
            act: writer.act(&allowed),
        };
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
    }

    /// Routes an endpoint back to the version that was promoted to it before, or to an earlier one, and to what answered
    /// instead of that one. When that may not be served now, the present fallback stays, or else the latest version before
    /// it that may takes its place.
    ///
    /// # Errors
    /// When the caller may not, or that version may not be served now: then it says which earlier one may.
    pub async fn roll_back_endpoint(
        &self,
        caller: &Caller,
        endpoint: &Name,
        to: Option<&VersionRef>,
    ) -> Result<RolledBack, Failed> {
        // Whoever may not roll back at all learns nothing of what was promoted before.
        let nothing = EndpointFacts { endpoint: endpoint.clone(), target: None };
        self.ask_early(caller, op::EndpointRollback, nothing).await?;
        // A clock that is behind does not hold up what pulls a version back.
        let writer = self.stopping_writer().await?;
        let state = writer.state();
        let found = state.endpoints().get(endpoint).ok_or_else(|| Failed::not_found("endpoint", endpoint))?;
        let (from, target) = earlier(&state, found, to)?;
        let fallback = fallback_behind(&state, found, &target);
        let target = target.primary;
        let facts =
            EndpointFacts { endpoint: endpoint.clone(), target: Some(state.model_facts(&target.version)) };
        let allowed = writer.allow(caller, op::EndpointRollback, facts).await?;
        let body = EndpointV1 {
            endpoint: endpoint.clone(),
            previous: Some(found.statement.entry),
            change: EndpointChange::RolledBack,
            standing: Standing::Active,
            fallback,
            primary: Some(target.clone()),
            beyond: found.body.beyond,
            columns: found.body.columns.clone(),
            act: writer.act(&allowed),
        };
        writer.append(vec![Statement::about(body)]).await?;
        Ok(RolledBack { from: from.version, to: target.version })
    }

    /// Takes an endpoint out of service.
    ///
    /// # Errors
    /// When the caller may not, or it is not in service.
    pub async fn disable_endpoint(&self, caller: &Caller, endpoint: Name) -> Result<(), Failed> {
        let writer = self.stopping_writer().await?;
        let facts = EndpointFacts { endpoint: endpoint.clone(), target: None };
        let allowed = writer.allow(caller, op::EndpointDisable, facts).await?;
        let state = writer.state();
        let found =
            state.endpoints().get(&endpoint).ok_or_else(|| Failed::not_found("endpoint", &endpoint))?;
        if found.body.standing == Standing::Disabled {
            return Err(Failed::conflict(format!("endpoint {endpoint}"), "it is out of service already"));
        }
        let body = EndpointV1 {
            endpoint,
            previous: Some(found.statement.entry),
            change: EndpointChange::Disabled,
            standing: Standing::Disabled,
            primary: None,
            fallback: Fallback { version: None, constant: None },
            beyond: found.body.beyond,
            columns: found.body.columns.clone(),
            act: writer.act(&allowed),
        };
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
    }
}

/// The version that an endpoint is routed to, and the one that it is to be routed back to.
fn earlier(state: &State, found: &Endpoint, to: Option<&VersionRef>) -> Result<(Routed, Promoted), Failed> {
    let what = format!("endpoint {}", found.body.endpoint);
    let conflict = |why: String| Err(Failed::conflict(&what, why));
    let Some(from) = found.body.primary.clone() else {
        return conflict("it is out of service: route it to a version".to_owned());
    };
    let mut before = found.before();
    let target = match to {
        Some(version) => before.find(|before| before.primary.version == *version),
        None => before.next(),
    };
    let Some(target) = target.cloned() else {
        return conflict(match to {
            Some(version) => {
                format!("{version} was not promoted to it before, or was rolled back from: promote it")
            }
            None => "nothing was promoted to it before".to_owned(),
        });
    };
    let version = &target.primary.version;
    match routed(state, version) {
        Ok(_) => Ok((from, target)),
        Err(Failed::Conflict { why, .. }) => {
            let mut others = found.before().map(|before| &before.primary);
            conflict(match others.find(|routed| may_be_served(state, routed)) {
                Some(other) => format!("{version}: {why}; `--to {}` would do", other.version),
                None => format!("{version}: {why}; nor may any other be served that was promoted to it"),
            })
        }
        Err(failed) => Err(failed),
    }
}

/// What answers instead of a version that an endpoint is routed back to: what answered instead of it before, but not a
/// constant that was replaced by another since. When that may not be served any more, the present fallback, or else the
/// latest version before it that may.
fn fallback_behind(state: &State, found: &Endpoint, target: &Promoted) -> Fallback {
    let fits = |routed: &Routed| routed.manifest != target.primary.manifest && may_be_served(state, routed);
    let (before, present) = (&target.fallback, &found.body.fallback);
    let replaced = before.constant.is_some() && present.constant.is_some();
    let candidates = if replaced { [present, present] } else { [before, present] };
    let holds = |fallback: &&Fallback| match &fallback.version {
        Some(version) => fits(version),
        // Nobody was to answer only where somebody said so of that very version.
        None => fallback.constant.is_some() || *fallback == before,
    };
    let earlier = || {
        let before = found.before().skip_while(|before| before.primary != target.primary);
        let version = before.map(|before| &before.primary).find(|routed| fits(routed))?;
        Some(Fallback { version: Some(version.clone()), constant: None })
    };
    let known = candidates.into_iter().find(holds).cloned();
    known.or_else(earlier).unwrap_or(Fallback { version: None, constant: None })
}

fn may_be_served(state: &State, routed: &Routed) -> bool {
    state.version(&routed.version).is_some_and(|found| state.releasable(found))
}

async fn sealed(writer: &Writer<'_>, what: &'static str, document: Vec<u8>) -> Result<Private, Failed> {
    if document.is_empty() || document.len() > DOCUMENT_BYTES {
        return Err(Failed::invalid(what, "it is empty or too large"));
    }
    writer.seal_document(document).await
}

/// A version that may be served now.
fn routed(state: &State, version: &VersionRef) -> Result<Routed, Failed> {
    let found = state.known_version(version)?;
    if found.state != VersionState::Approved {
        return Err(Failed::conflict(version, format!("it is {}, not approved", found.state)));
    }
    check_approvals(state, version)?;
    check_twin(state, found)?;
    Ok(Routed { version: version.clone(), manifest: found.body.manifest })
}
