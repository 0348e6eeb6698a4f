//! The facts that decisions rest on, taken from the fold of the ledger and from nowhere else.

use bartizan_base::{AliasRef, Digest, PrincipalId, VersionRef};
use bartizan_policy::{
    AliasFacts, GrantFacts, Makers, ModelFacts, PersonId, PrincipalFacts, PrincipalKind, ProjectFacts, Role,
    UserFacts,
};

use super::Failed;
use crate::limits::GUARDED_ALIASES;
use crate::state::{State, Version};
use crate::statement::{Sensitivity, Standing};

impl State {
    pub(super) fn project_facts(&self) -> Result<ProjectFacts, Failed> {
        let project = self.project().ok_or_else(|| Failed::not_found("project", "in this data directory"))?;
        Ok(ProjectFacts { id: project.id, tier: project.tier })
    }

    pub(super) fn principal_facts(&self, id: PrincipalId) -> Result<PrincipalFacts, Failed> {
        let project = self.project_facts()?.id;
        let found = self.principals().get(&id).ok_or_else(|| Failed::not_found("principal", id))?;
        let roles = self.roles(id);
        let person = self.person(id);
        let facts = match found.kind {
            PrincipalKind::Person => PrincipalFacts::person(project, person, roles),
            PrincipalKind::Service => PrincipalFacts::service(project, id, person, roles),
            PrincipalKind::Workload => PrincipalFacts::workload(project, id, person, roles),
        };
        let disabled = |principal: PrincipalId| {
            self.principals().get(&principal).is_none_or(|found| found.standing == Standing::Disabled)
        };
        let standing = if disabled(id) {
            bartizan_policy::Standing::Disabled
        } else if disabled(person.principal()) {
            bartizan_policy::Standing::PersonDisabled
        } else {
            bartizan_policy::Standing::Active
        };
        Ok(facts.with_standing(standing))
    }

    pub(super) fn user_facts(&self, id: PrincipalId) -> UserFacts {
        UserFacts { principal: id, person: self.person(id) }
    }

    /// The version of a model that a request named.
    pub(super) fn known_version(&self, version: &VersionRef) -> Result<&Version, Failed> {
        self.version(version).ok_or_else(|| Failed::not_found("model version", version))
    }

    /// The facts about a model version. One that does not exist has facts too, so that the policy is asked about
    /// it like about any other and whoever may not see it learns nothing; afterwards comes
    /// [`State::known_version`].
    pub(super) fn model_facts(&self, version: &VersionRef) -> ModelFacts {
        let found = self.version(version);
        let stopped = found.filter(|found| found.stopped()).and_then(|found| found.last_stop);
        ModelFacts {
            version: version.clone(),
            manifest: found.map_or_else(|| bartizan_base::sha256(b""), |found| found.body.manifest),
            sensitive: found.is_some_and(|found| found.body.sensitivity == Sensitivity::Sensitive),
            makers: self.makers(version),
            approvers: self.approvals(version).map(|verdict| verdict.approvers).unwrap_or_default(),
            stopped_by: stopped.map(|stop| self.person(stop.by)),
        }
    }

    /// The facts about a model version that an import is about to make.
    pub(super) fn new_model_facts(
        &self,
        version: &VersionRef,
        manifest: Digest,
        sensitivity: Sensitivity,
        importer: PersonId,
    ) -> ModelFacts {
        ModelFacts {
            version: version.clone(),
            manifest,
            sensitive: sensitivity == Sensitivity::Sensitive,
            makers: Makers { imported: [importer].into(), ..Makers::default() },
            approvers: std::collections::BTreeSet::new(),
            stopped_by: None,
        }
    }

    pub(super) fn alias_facts(&self, alias: &AliasRef, target: &VersionRef) -> AliasFacts {
        let guarded = GUARDED_ALIASES.contains(&alias.alias.as_str());
        AliasFacts { alias: alias.clone(), guarded, target: self.model_facts(target) }
    }

    /// The facts about a grant by somebody, with the latest confirmation by another person who may still confirm.
    pub(super) fn grant_facts(
        &self,
        to: PrincipalId,
        role: Role,
        granter: PrincipalId,
    ) -> (GrantFacts, Option<u64>) {
        let confirmation = self
            .role_confirmations()
            .iter()
            .rev()
            .filter(|(_, found)| found.principal == to && found.role == role)
            .find(|(_, found)| {
                let active =
                    self.principals().get(&found.by).is_some_and(|by| by.standing == Standing::Active);
                let other = self.person(found.by) != self.person(granter);
                active && other && self.roles(found.by).contains(&Role::Admin)
            });
        let facts = GrantFacts {
            to,
            person: self.person(to),
            confirmed_by: confirmation.map(|(_, found)| self.person(found.by)),
        };
        (facts, confirmation.map(|(index, _)| *index))
    }
}
