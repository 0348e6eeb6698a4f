//! Endpoints: routing them to versions and taking them out of service.

use bartizan_base::{Name, VersionRef};
use bartizan_policy::{EndpointFacts, op};

use super::models::{check_approvals, check_twin};
use super::{Caller, Failed, Registry};
use crate::limits::DOCUMENT_BYTES;
use crate::state::State;
use crate::statement::{Beyond, EndpointV1, Fallback, Routed, Standing, Statement, VersionState};

/// Where an endpoint is to be routed.
#[derive(Debug, Clone)]
pub struct NewRoute {
    /// The endpoint; it is made when there is none of that name.
    pub endpoint: Name,
    /// The version that answers.
    pub primary: VersionRef,
    /// What answers when that version may not.
    pub fallback: NewFallback,
    /// What is done with requests beyond what the model was trained on.
    pub beyond: Beyond,
}

/// What answers when the version of an endpoint may not.
#[derive(Debug, Clone)]
pub enum NewFallback {
    /// Another version.
    Version(VersionRef),
    /// The `outputs` of an inference response, as JSON. Whoever makes it has checked it against the model.
    Constant(Vec<u8>),
    /// Nobody: the caller is told that the endpoint is unavailable.
    Unavailable,
}

impl Registry {
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
                if answer.is_empty() || answer.len() > DOCUMENT_BYTES {
                    return Err(Failed::invalid("constant answer", "it is empty or too large"));
                }
                Fallback { version: None, constant: Some(writer.seal_document(answer).await?) }
            }
            NewFallback::Unavailable => Fallback { version: None, constant: None },
        };
        let previous = state.endpoints().get(&new.endpoint).map(|found| found.statement.entry);
        let body = EndpointV1 {
            endpoint: new.endpoint,
            previous,
            standing: Standing::Active,
            primary: Some(primary),
            fallback,
            beyond: new.beyond,
            act: writer.act(&allowed),
        };
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
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
            standing: Standing::Disabled,
            primary: None,
            fallback: Fallback { version: None, constant: None },
            beyond: found.body.beyond,
            act: writer.act(&allowed),
        };
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
    }
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
