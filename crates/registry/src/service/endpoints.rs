//! Endpoints: making them, routing them to versions and back, and taking them out of service.

use bartizan_base::{Name, VersionRef};
use bartizan_policy::{EndpointFacts, op};

use super::models::{check_approvals, check_twin};
use super::write::Writer;
use super::{Caller, Failed, Registry};
use crate::limits::{DOCUMENT_BYTES, FALLBACKS_TRIED};
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
    /// The ledger entry of the statement about the endpoint that this was made from, none when there was none: whatever
    /// is said of the endpoint meanwhile is not undone unseen.
    pub rests_on: Option<u64>,
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

/// Settings of an endpoint, as the ledger has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSettings {
    /// What is done with requests beyond what the model was trained on.
    pub beyond: Beyond,
    /// What its columns are for.
    pub columns: Option<Private>,
}

/// How an endpoint may be routed back, by what the ledger says. Whether it can be served so is found out by whoever can
/// load it.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// The endpoint.
    pub endpoint: Name,
    /// The version that it is routed to.
    pub from: Routed,
    /// The version that it would be routed to.
    pub to: Routed,
    /// The settings that it has.
    pub present: EndpointSettings,
    /// Those that it had when it was routed to that version last. Each of the two settings may be one or the other.
    pub before: EndpointSettings,
    /// What may answer instead, the best first and nobody last.
    pub fallbacks: Vec<Fallback>,
    /// Another version that it could be routed back to.
    pub further: Option<VersionRef>,
    /// The ledger entry of the statement about the endpoint that this was made from.
    rests_on: u64,
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
    /// When the caller may not, a version is not approved now, or something else was said of the endpoint than the route
    /// rests on.
    pub async fn route_endpoint(&self, caller: &Caller, new: NewRoute) -> Result<(), Failed> {
        let writer = self.writer().await?;
        let state = writer.state();
        let target = Some(state.model_facts(&new.primary));
        let facts = EndpointFacts { endpoint: new.endpoint.clone(), target };
        let allowed = writer.allow(caller, op::EndpointRoute, facts).await?;
        let found = state.endpoints().get(&new.endpoint);
        check_unchanged(&new.endpoint, found, new.rests_on, "route")?;
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

    /// How an endpoint may be routed back to the version that was promoted to it before, or to an earlier one. What
    /// answered instead of that one comes first of what may answer instead; when that may not be served now, the present
    /// fallback, and then the versions promoted before, the latest first. Of constants it is the latest first, and never
    /// one that approvers have replaced.
    ///
    /// # Errors
    /// When the caller may not, or that version may not be served now: then it says which earlier one may.
    pub async fn plan_rollback(
        &self,
        caller: &Caller,
        endpoint: &Name,
        to: Option<&VersionRef>,
    ) -> Result<Rollback, Failed> {
        let ask = |target| {
            self.ask_early(caller, op::EndpointRollback, EndpointFacts { endpoint: endpoint.clone(), target })
        };
        // Whoever may not roll back at all learns nothing of what was promoted before.
        ask(None).await?;
        let state = self.state();
        let found = state.endpoints().get(endpoint).ok_or_else(|| Failed::not_found("endpoint", endpoint))?;
        let (from, target) = earlier(&state, found, to)?;
        ask(Some(state.model_facts(&target.primary.version))).await?;
        let mut others = found.before().map(|before| &before.primary);
        let further = others.find(|other| **other != target.primary && may_be_served(&state, other));
        Ok(Rollback {
            endpoint: endpoint.clone(),
            from,
            present: EndpointSettings { beyond: found.body.beyond, columns: found.body.columns.clone() },
            before: EndpointSettings { beyond: target.beyond, columns: target.columns.clone() },
            fallbacks: fallbacks_behind(&state, found, &target),
            further: further.map(|further| further.version.clone()),
            rests_on: found.statement.entry,
            to: target.primary,
        })
    }

    /// Routes an endpoint back as it may be, with settings and a fallback that were chosen of those.
    ///
    /// # Errors
    /// When the caller may not, a version may not be served any more, or something was said of the endpoint meanwhile.
    pub async fn roll_back_endpoint(
        &self,
        caller: &Caller,
        planned: Rollback,
        settings: EndpointSettings,
        fallback: Fallback,
    ) -> Result<RolledBack, Failed> {
        // A clock that is behind does not hold up what pulls a version back.
        let writer = self.stopping_writer().await?;
        let state = writer.state();
        let Rollback { endpoint, from, to, rests_on, .. } = planned;
        let facts =
            EndpointFacts { endpoint: endpoint.clone(), target: Some(state.model_facts(&to.version)) };
        let allowed = writer.allow(caller, op::EndpointRollback, facts).await?;
        check_unchanged(&endpoint, state.endpoints().get(&endpoint), Some(rests_on), "roll back")?;
        for version in std::iter::once(&to).chain(&fallback.version) {
            routed(&state, &version.version)?;
        }
        let body = EndpointV1 {
            endpoint,
            previous: Some(rests_on),
            change: EndpointChange::RolledBack,
            standing: Standing::Active,
            fallback,
            primary: Some(to.clone()),
            beyond: settings.beyond,
            columns: settings.columns,
            act: writer.act(&allowed),
        };
        writer.append(vec![Statement::about(body)]).await?;
        Ok(RolledBack { from: from.version, to: to.version })
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

/// Refuses what was made from an earlier statement about an endpoint than the last.
fn check_unchanged(
    endpoint: &Name,
    found: Option<&Endpoint>,
    rests_on: Option<u64>,
    again: &str,
) -> Result<(), Failed> {
    let last = found.map(|found| found.statement.entry);
    if last == rests_on {
        return Ok(());
    }
    let entry = last.map(|entry| format!(" (ledger entry {entry})")).unwrap_or_default();
    let why = format!(
        "somebody changed it while this was looked at{entry}, and nothing of that is undone unseen: bartizan endpoint show {endpoint} \
         tells what it is now; then {again} again"
    );
    Err(Failed::conflict(format!("endpoint {endpoint}"), why))
}

/// What may answer instead of a version that an endpoint is routed back to, the best first. Nobody is the last resort,
/// and the only one where somebody said so of that very version.
fn fallbacks_behind(state: &State, found: &Endpoint, target: &Promoted) -> Vec<Fallback> {
    let nobody = Fallback { version: None, constant: None };
    if target.fallback == nobody {
        return vec![nobody];
    }
    let constants = found.constants_since(&target.primary).into_iter();
    let constants = constants.map(|constant| Fallback { version: None, constant: Some(constant.clone()) });
    let versions = found.before().skip_while(|before| before.primary != target.primary);
    let versions = versions.map(|before| Fallback { version: Some(before.primary.clone()), constant: None });
    let own = match &target.fallback.constant {
        Some(_) => constants.collect(),
        None => vec![target.fallback.clone()],
    };
    let present = Some(found.body.fallback.clone()).filter(|present| *present != nobody);
    let may = |fallback: &Fallback| match &fallback.version {
        Some(version) => version.manifest != target.primary.manifest && may_be_served(state, version),
        None => true,
    };
    let mut fallbacks: Vec<Fallback> = Vec::new();
    for fallback in own.into_iter().chain(present).chain(versions).filter(may) {
        if fallbacks.len() < FALLBACKS_TRIED && !fallbacks.contains(&fallback) {
            fallbacks.push(fallback);
        }
    }
    fallbacks.push(nobody);
    fallbacks
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
