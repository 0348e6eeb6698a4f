//! Questions: typed requests, their untyped form, and the canonical bytes their digests are taken over.

use std::collections::BTreeSet;

use bartizan_base::canonical::{self, EncodeError};
use bartizan_base::{AliasRef, Digest, PrincipalId, ProjectId, SourceId, Timestamp, sha256};
use serde::Serialize;

use crate::action::Action;
use crate::api_key::{ApiKeyId, Scopes};
use crate::facts::{
    ContextFacts, Credential, Makers, ModelFacts, NetworkClass, PrincipalFacts, ProjectFacts, ResourceFacts,
};
use crate::op::Operation;
use crate::role::{PersonId, PrincipalKind, Role, Standing, Tier};

/// May this principal do this operation on this resource now? The answer is a [`Decided<O>`](crate::Decided).
#[derive(Debug, Clone)]
pub struct Request<O: Operation> {
    /// Who asks.
    pub principal: PrincipalFacts,
    /// In which project.
    pub project: ProjectFacts,
    /// What for.
    pub operation: O,
    /// On what.
    pub resource: O::Resource,
    /// In which circumstances.
    pub context: ContextFacts,
}

impl<O: Operation> Request<O> {
    /// The same question without its type, for explaining it.
    pub fn question(&self) -> Question {
        Question {
            principal: self.principal.clone(),
            project: self.project,
            action: self.operation.action(),
            resource: self.resource.clone().into(),
            context: self.context.clone(),
        }
    }
}

/// A question whose action is only known at run time; for `access explain` and `access who-can`.
///
/// Its answer is information and no permission: only a typed [`Request`] leads to an
/// [`Allowed`](crate::Allowed). An action asked for on another kind of resource than its own is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Who asks.
    pub principal: PrincipalFacts,
    /// In which project.
    pub project: ProjectFacts,
    /// What for.
    pub action: Action,
    /// On what.
    pub resource: ResourceFacts,
    /// In which circumstances.
    pub context: ContextFacts,
}

impl Question {
    /// SHA-256 over the canonical JSON of everything the decision rests on (`docs/policy.md`, "Input").
    ///
    /// # Errors
    /// When the facts have no canonical form.
    pub fn digest(&self) -> Result<Digest, EncodeError> {
        canonical::to_bytes(&InputV1::of(self)).map(|bytes| sha256(&bytes))
    }

    /// SHA-256 over the canonical JSON of the resource alone.
    pub(crate) fn resource_digest(&self) -> Result<Digest, EncodeError> {
        canonical::to_bytes(&ResourceV1::of(&self.resource)).map(|bytes| sha256(&bytes))
    }

    /// The name by which people know the resource. Asset names are public within a project; ids are pseudonyms.
    pub(crate) fn resource_name(&self) -> String {
        match &self.resource {
            ResourceFacts::Project(_) => self.project.id.to_string(),
            ResourceFacts::Dataset(dataset) => match dataset.version {
                Some(version) => format!("{}:{version}", dataset.name),
                None => dataset.name.to_string(),
            },
            ResourceFacts::Source(source) => source.source.to_string(),
            ResourceFacts::Model(model) => model.version.to_string(),
            ResourceFacts::Alias(alias) => {
                format!("{}={}", alias_name(&alias.alias), alias.target.version.version)
            }
            ResourceFacts::Endpoint(endpoint) => match &endpoint.target {
                Some(target) => format!("{}={}", endpoint.endpoint, target.version),
                None => endpoint.endpoint.to_string(),
            },
            ResourceFacts::User(user) => user.principal.to_string(),
            ResourceFacts::Key(key) => key.key.to_string(),
            ResourceFacts::Grant(grant) => grant.to.to_string(),
            ResourceFacts::Artifact(artifact) => artifact.subject.to_hex(),
        }
    }
}

fn alias_name(alias: &AliasRef) -> String {
    format!("{}@{}", alias.name, alias.alias)
}

// The stored shapes. Members are listed in canonical order; a change of any of them is a new version.

#[derive(Serialize)]
struct InputV1<'a> {
    action: Action,
    context: ContextV1<'a>,
    format: &'static str,
    principal: PrincipalV1<'a>,
    project: ProjectV1,
    resource: ResourceV1<'a>,
}

#[derive(Serialize)]
struct ContextV1<'a> {
    at: Timestamp,
    credential: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<ApiKeyId>,
    network: NetworkClass,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'a Scopes>,
}

#[derive(Serialize)]
struct PrincipalV1<'a> {
    id: PrincipalId,
    kind: PrincipalKind,
    person: PersonId,
    project: ProjectId,
    roles: BTreeSet<&'a str>,
    standing: Standing,
}

#[derive(Serialize)]
struct ProjectV1 {
    id: ProjectId,
    tier: Tier,
}

#[derive(Serialize, Default)]
struct ResourceV1<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approvers: Option<&'a BTreeSet<PersonId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_by: Option<PersonId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolment: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guarded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<ApiKeyId>,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    makers: Option<MakersV1<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newcomer: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<PrincipalId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_by: Option<PersonId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

#[derive(Serialize)]
struct MakersV1<'a> {
    imported: &'a BTreeSet<PersonId>,
    owned: &'a BTreeSet<PersonId>,
    submitted: &'a BTreeSet<PersonId>,
    trained: &'a BTreeSet<PersonId>,
}

impl<'a> InputV1<'a> {
    fn of(question: &'a Question) -> Self {
        let principal = &question.principal;
        let context = &question.context;
        let (credential, expires_at, key, scopes) = match context.credential() {
            Credential::Local => ("local", None, None, None),
            Credential::Session => ("session", None, None, None),
            Credential::ApiKey { id, scopes, expires_at } => {
                ("api-key", Some(*expires_at), Some(*id), Some(scopes))
            }
        };
        let at = context.minute();
        Self {
            action: question.action,
            context: ContextV1 { at, credential, expires_at, key, network: context.network(), scopes },
            format: "bartizan-policy-input-v1",
            principal: PrincipalV1 {
                id: principal.id(),
                kind: principal.kind(),
                person: principal.responsible(),
                project: principal.project(),
                roles: principal.roles().iter().copied().map(Role::as_str).collect(),
                standing: principal.standing(),
            },
            project: ProjectV1 { id: question.project.id, tier: question.project.tier },
            resource: ResourceV1::of(&question.resource),
        }
    }
}

impl<'a> ResourceV1<'a> {
    fn of(resource: &'a ResourceFacts) -> Self {
        let base = Self { kind: resource.kind().as_str(), ..Self::default() };
        match resource {
            ResourceFacts::Project(_) => base,
            ResourceFacts::Dataset(dataset) => Self {
                name: Some(dataset.name.to_string()),
                version: dataset.version.map(std::num::NonZeroU32::get),
                ..base
            },
            ResourceFacts::Source(source) => Self { source: Some(source.source), ..base },
            ResourceFacts::Model(model) => Self::model(base, model),
            ResourceFacts::Alias(alias) => Self {
                alias: Some(alias_name(&alias.alias)),
                guarded: Some(alias.guarded),
                ..Self::model(base, &alias.target)
            },
            ResourceFacts::Endpoint(endpoint) => match &endpoint.target {
                Some(target) => {
                    Self { endpoint: Some(endpoint.endpoint.to_string()), ..Self::model(base, target) }
                }
                None => Self { endpoint: Some(endpoint.endpoint.to_string()), ..base },
            },
            ResourceFacts::User(user) => {
                Self { person: Some(user.person), principal: Some(user.principal), ..base }
            }
            ResourceFacts::Key(key) => Self {
                key: Some(key.key),
                person: Some(key.person),
                principal: Some(key.principal),
                enrolment: Some(key.enrolment),
                newcomer: Some(key.newcomer),
                ..base
            },
            ResourceFacts::Grant(grant) => Self {
                confirmed_by: grant.confirmed_by,
                person: Some(grant.person),
                principal: Some(grant.to),
                ..base
            },
            ResourceFacts::Artifact(artifact) => Self { subject: Some(artifact.subject), ..base },
        }
    }

    fn model(base: Self, model: &'a ModelFacts) -> Self {
        let Makers { submitted, owned, trained, imported } = &model.makers;
        Self {
            approvers: Some(&model.approvers),
            makers: Some(MakersV1 { imported, owned, submitted, trained }),
            name: Some(model.version.name.to_string()),
            stopped_by: model.stopped_by,
            sensitive: Some(model.sensitive),
            subject: Some(model.manifest),
            version: Some(model.version.version.get()),
            ..base
        }
    }
}
