//! Folding statements about endpoints.

use imbl::Vector;

use super::{Coverage, Endpoint, NotAdmitted, Promoted, State, edge};
use crate::deed::Deed;
use crate::statement::{EndpointChange, EndpointV1, Fallback, Private, Routed, Standing, StatementRef};

impl State {
    pub(super) fn apply_endpoint(&mut self, at: StatementRef, body: &EndpointV1) -> Result<(), NotAdmitted> {
        let index = at.entry;
        let refuse = |why| Err(edge(index, format!("endpoint {}", body.endpoint), why));
        let found = self.endpoints.get(&body.endpoint).cloned();
        // An excerpt may begin anywhere in the chain; from there on it has no gaps.
        let begins = self.coverage == Coverage::Excerpt && found.is_none();
        if found.as_ref().map(|found| found.statement.entry) != body.previous && !begins {
            return refuse("it does not follow the last statement about the endpoint");
        }
        match (body.change, body.standing, &body.primary) {
            (EndpointChange::Created, Standing::Disabled, None) => {
                self.consume(index, &body.act, &Deed::endpoint_create(&body.endpoint))?;
                if found.is_some() || body.fallback != NOTHING {
                    return refuse("it is there already, or falls back to something without being routed");
                }
            }
            (EndpointChange::Routed, Standing::Active, Some(primary)) => {
                self.consume(index, &body.act, &Deed::endpoint_route(&body.endpoint, &primary.version))?;
                self.check_route(index, body, primary)?;
            }
            (EndpointChange::RolledBack, Standing::Active, Some(primary)) => {
                self.consume(index, &body.act, &Deed::endpoint_rollback(&body.endpoint, &primary.version))?;
                self.check_route(index, body, primary)?;
            }
            (EndpointChange::Disabled, Standing::Disabled, None) => {
                self.consume(index, &body.act, &Deed::endpoint_disable(&body.endpoint))?;
                if body.fallback != NOTHING {
                    return refuse("it is out of service and has a fallback");
                }
            }
            _ => return refuse("it is in service and routed, or neither"),
        }
        match Endpoint::after(found.as_ref(), at, body) {
            Ok(endpoint) => self.endpoints.insert(body.endpoint.clone(), endpoint),
            Err(why) => return refuse(why),
        };
        self.note_served(index, body);
        Ok(())
    }

    fn check_route(&self, index: u64, body: &EndpointV1, primary: &Routed) -> Result<(), NotAdmitted> {
        let refuse = |why| Err(edge(index, format!("endpoint {}", body.endpoint), why));
        self.check_routed(index, primary)?;
        if body.fallback.version.is_some() && body.fallback.constant.is_some() {
            return refuse("it has two fallbacks");
        }
        if let Some(fallback) = &body.fallback.version {
            self.check_routed(index, fallback)?;
            if fallback.manifest == primary.manifest {
                return refuse("it falls back to the very files that it is routed to");
            }
        }
        Ok(())
    }

    /// Checks that a version may be served now.
    fn check_routed(&self, index: u64, routed: &Routed) -> Result<(), NotAdmitted> {
        let found = self.version(&routed.version).filter(|found| found.body.manifest == routed.manifest);
        let found = found.ok_or_else(|| edge(index, &routed.version, "no entry makes this version"))?;
        if self.releasable(found) {
            return Ok(());
        }
        Err(edge(index, &routed.version, "it is not approved now"))
    }
}

impl Endpoint {
    /// The endpoint after a statement about it, as far as that depends on the statements before. Proofs ask this too,
    /// to find out how far back they have to reach.
    pub(crate) fn after(
        found: Option<&Self>,
        at: StatementRef,
        body: &EndpointV1,
    ) -> Result<Self, &'static str> {
        let mut promoted = found.map(|found| found.promoted.clone()).unwrap_or_default();
        match (body.change, &body.primary) {
            (EndpointChange::Routed, Some(primary)) => {
                if promoted.last().is_some_and(|last| last.primary == *primary) {
                    promoted.pop_back();
                }
                if body.fallback.constant.is_some() {
                    let same = |found: &&mut Promoted| found.primary.version.name == primary.version.name;
                    promoted.iter_mut().filter(same).for_each(|found| found.replaced = true);
                }
                promoted.push_back(Promoted {
                    primary: primary.clone(),
                    fallback: body.fallback.clone(),
                    replaced: false,
                    beyond: body.beyond,
                    columns: body.columns.clone(),
                });
            }
            (EndpointChange::RolledBack, Some(primary)) => promoted = rolled_back(found, body, primary)?,
            (EndpointChange::Disabled, _) => {
                let found = found.filter(|found| found.body.standing == Standing::Active);
                if !same_settings(&found.ok_or("it is not in service")?.body, body) {
                    return Err("its settings change while it is taken out of service");
                }
            }
            _ => {}
        }
        Ok(Self { statement: at, body: body.clone(), promoted })
    }
}

const NOTHING: Fallback = Fallback { version: None, constant: None };

/// What was promoted to an endpoint and is not rolled back from, after it is routed back to `primary`. More people may
/// route back than may promote, so nothing comes of it that approvers have not put there: the settings are the present
/// ones or those that the version was promoted with, and so is what answers instead.
fn rolled_back(
    found: Option<&Endpoint>,
    body: &EndpointV1,
    primary: &Routed,
) -> Result<Vector<Promoted>, &'static str> {
    let Some(found) = found.filter(|found| found.body.standing == Standing::Active) else {
        return Err("it is routed back while it is not in service");
    };
    let mut promoted = found.promoted.clone();
    promoted.pop_back();
    while promoted.last().is_some_and(|last| last.primary != *primary) {
        promoted.pop_back();
    }
    let Some(target) = promoted.last() else {
        return Err("it is routed back to what was never promoted to it before");
    };
    let beyond = [found.body.beyond, target.beyond];
    let columns = [&found.body.columns, &target.columns];
    if !beyond.contains(&body.beyond) || !columns.contains(&&body.columns) {
        return Err("its settings become others than the present or earlier ones while it is routed back");
    }
    let present = &found.body.fallback;
    let version = |version: &Routed| {
        let stood_in =
            [present, &target.fallback].iter().any(|known| known.version.as_ref() == Some(version));
        stood_in || promoted.iter().any(|promoted| promoted.primary == *version)
    };
    let constant = |constant: &Private| found.constants_since(primary).contains(&constant);
    let Fallback { version: stands_in, constant: says } = &body.fallback;
    if !stands_in.as_ref().is_none_or(version) || !says.as_ref().is_none_or(constant) {
        return Err("it is routed back with a fallback that was not promoted to it, or was replaced since");
    }
    if let Some(target) = promoted.back_mut() {
        target.fallback = body.fallback.clone();
        target.replaced = false;
        target.beyond = body.beyond;
        target.columns = body.columns.clone();
    }
    Ok(promoted)
}

fn same_settings(one: &EndpointV1, other: &EndpointV1) -> bool {
    one.beyond == other.beyond && one.columns == other.columns
}
