//! Folding statements about endpoints.

use super::{Coverage, Endpoint, NotAdmitted, State, edge};
use crate::deed::Deed;
use crate::statement::{EndpointV1, Routed, Standing, StatementRef};

impl State {
    pub(super) fn apply_endpoint(&mut self, at: StatementRef, body: &EndpointV1) -> Result<(), NotAdmitted> {
        let index = at.entry;
        let what = || format!("endpoint {}", body.endpoint);
        let refuse = |why| Err(edge(index, what(), why));
        let last = self.endpoints.get(&body.endpoint).map(|found| found.statement.entry);
        // An excerpt may begin anywhere in the chain; from there on it has no gaps.
        let begins = self.coverage == Coverage::Excerpt && last.is_none();
        if last != body.previous && !begins {
            return refuse("it does not follow the last statement about the endpoint");
        }
        match (body.standing, &body.primary) {
            (Standing::Active, Some(primary)) => {
                self.consume(index, &body.act, &Deed::endpoint_route(&body.endpoint, &primary.version))?;
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
            }
            (Standing::Disabled, None) => {
                self.consume(index, &body.act, &Deed::endpoint_disable(&body.endpoint))?;
                if body.fallback.version.is_some() || body.fallback.constant.is_some() {
                    return refuse("it is out of service and has a fallback");
                }
                let found = self.endpoints.get(&body.endpoint);
                if found.is_none_or(|found| found.body.standing == Standing::Disabled) {
                    return refuse("it is not in service");
                }
            }
            _ => return refuse("it is in service and routed, or neither"),
        }
        self.endpoints.insert(body.endpoint.clone(), Endpoint { statement: at, body: body.clone() });
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
