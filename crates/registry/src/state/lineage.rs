//! What the fold keeps for lineage: which endpoints a version ever served, and what other systems said.

use bartizan_base::{Name, Timestamp, VersionRef};
use imbl::{OrdMap, Vector};

use super::{NotAdmitted, State, edge};
use crate::deed::Deed;
use crate::statement::{EndpointV1, LineageV1, StatementRef};

/// When an endpoint was routed to a version first, or fell back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServedSince {
    /// The entry.
    pub entry: u64,
    /// When, as it asserts.
    pub at: Timestamp,
}

/// What another system said, as the ledger states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalLineage {
    /// The statement.
    pub statement: StatementRef,
    /// What it says.
    pub body: LineageV1,
}

impl State {
    /// The endpoints that each model version serves, stands in for, or once did.
    pub fn served(&self) -> &OrdMap<VersionRef, OrdMap<Name, ServedSince>> {
        &self.served
    }

    /// What other systems said, first to last.
    pub fn external_lineage(&self) -> &Vector<ExternalLineage> {
        &self.external_lineage
    }

    /// Notes whom an endpoint is served by.
    pub(super) fn note_served(&mut self, index: u64, body: &EndpointV1) {
        for routed in body.primary.iter().chain(&body.fallback.version) {
            let endpoints = self.served.entry(routed.version.clone()).or_default();
            endpoints.entry(body.endpoint.clone()).or_insert(ServedSince { entry: index, at: body.act.at });
        }
    }

    pub(super) fn apply_lineage(&mut self, at: StatementRef, body: &LineageV1) -> Result<(), NotAdmitted> {
        let index = at.entry;
        let project = self.project().map(|project| project.id);
        let project = project.ok_or_else(|| edge(index, "lineage", "there is no project"))?;
        self.consume(index, &body.act, &Deed::lineage_import(project))?;
        self.external_lineage.push_back(ExternalLineage { statement: at, body: body.clone() });
        Ok(())
    }
}
