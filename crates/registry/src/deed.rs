//! What can be done to what: the action and resource that a recorded decision and its effect must agree on.

use std::num::NonZeroU32;

use bartizan_base::{AliasRef, Name, PrincipalId, ProjectId, SourceId, VersionRef};
use bartizan_policy::{Action, Role};

/// An action on a resource, as decision records name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The action.
    pub action: Action,
    /// The resource's name; see `resource_name` in `docs/policy.md`.
    pub resource: String,
    /// Who gains or loses by it, where the resource's name does not say.
    pub beneficiary: Option<PrincipalId>,
}

impl Deed {
    fn new(action: Action, resource: impl ToString) -> Self {
        Self { action, resource: resource.to_string(), beneficiary: None }
    }

    /// Making a principal.
    pub fn user_add(principal: PrincipalId) -> Self {
        Self::new(Action::UserAdd, principal)
    }

    /// Disabling a principal.
    pub fn user_disable(principal: PrincipalId) -> Self {
        Self::new(Action::UserDisable, principal)
    }

    /// Enabling a principal again.
    pub fn user_enable(principal: PrincipalId) -> Self {
        Self::new(Action::UserEnable, principal)
    }

    /// Granting a role.
    pub fn role_grant(principal: PrincipalId, role: Role) -> Self {
        Self::new(Action::RoleGrant(role), principal)
    }

    /// Confirming, as the second person, that a role may be granted.
    pub fn role_confirm(principal: PrincipalId, role: Role) -> Self {
        Self::new(Action::RoleConfirm(role), principal)
    }

    /// Withdrawing a role.
    pub fn role_revoke(principal: PrincipalId, role: Role) -> Self {
        Self::new(Action::RoleRevoke(role), principal)
    }

    /// Issuing an API key to a principal.
    pub fn key_issue(id: impl ToString, to: PrincipalId) -> Self {
        Self { beneficiary: Some(to), ..Self::new(Action::KeyIssue, id) }
    }

    /// Claiming an API key for oneself in exchange for another one.
    pub fn key_claim(id: impl ToString, to: PrincipalId) -> Self {
        Self { beneficiary: Some(to), ..Self::new(Action::KeyClaim, id) }
    }

    /// Revoking an API key of a principal.
    pub fn key_revoke(id: impl ToString, of: PrincipalId) -> Self {
        Self { beneficiary: Some(of), ..Self::new(Action::KeyRevoke, id) }
    }

    /// Adding deliveries to a data set.
    pub fn data_add(name: &Name) -> Self {
        Self::new(Action::DataAdd, name)
    }

    /// Naming a source of data, or trusting it more.
    pub fn source_add(source: SourceId) -> Self {
        Self::new(Action::SourceAdd, source)
    }

    /// Revoking a key of a source of data, or disabling the source.
    pub fn source_revoke(source: SourceId) -> Self {
        Self::new(Action::SourceRevoke, source)
    }

    /// Stating what another system says of its jobs and data.
    pub fn lineage_import(project: ProjectId) -> Self {
        Self::new(Action::LineageImport, project)
    }

    /// Importing a model as a version.
    pub fn model_import(version: &VersionRef) -> Self {
        Self::new(Action::ModelImport, version)
    }

    /// Starting a training run.
    pub fn run_start(project: ProjectId) -> Self {
        Self::new(Action::RunStart, project)
    }

    /// Making what a run put out a version.
    pub fn model_push(version: &VersionRef) -> Self {
        Self::new(Action::ModelPush, version)
    }

    /// Approving a model version.
    pub fn model_approve(version: &VersionRef) -> Self {
        Self::new(Action::ModelApprove, version)
    }

    /// Putting a model version in quarantine.
    pub fn model_quarantine(version: &VersionRef) -> Self {
        Self::new(Action::ModelQuarantine, version)
    }

    /// Retiring a model version.
    pub fn model_retire(version: &VersionRef) -> Self {
        Self::new(Action::ModelRetire, version)
    }

    /// Revoking a model version for ever.
    pub fn model_revoke(version: &VersionRef) -> Self {
        Self::new(Action::ModelRevoke, version)
    }

    /// Making an endpoint that is not routed yet.
    pub fn endpoint_create(endpoint: &Name) -> Self {
        Self::new(Action::EndpointCreate, endpoint)
    }

    /// Routing an endpoint back to a version.
    pub fn endpoint_rollback(endpoint: &Name, version: &VersionRef) -> Self {
        Self::new(Action::EndpointRollback, format!("{endpoint}={version}"))
    }

    /// Routing an endpoint to a version.
    pub fn endpoint_route(endpoint: &Name, version: &VersionRef) -> Self {
        Self::new(Action::EndpointRoute, format!("{endpoint}={version}"))
    }

    /// Taking an endpoint out of service.
    pub fn endpoint_disable(endpoint: &Name) -> Self {
        Self::new(Action::EndpointDisable, endpoint)
    }

    /// Erasing what is recorded of a person.
    pub fn predictions_erase(project: ProjectId) -> Self {
        Self::new(Action::PredictionsErase, project)
    }

    /// Pointing an alias to a version of its model, or removing it from there.
    pub fn alias_set(alias: &AliasRef, version: NonZeroU32) -> Self {
        Self::new(Action::ModelAliasSet, format!("{alias}={version}"))
    }
}
