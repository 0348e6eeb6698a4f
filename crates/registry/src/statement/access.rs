//! Predicates about the project itself: keys, policy, principals, roles, API keys and decisions.

use std::fmt;

use bartizan_base::{Digest, PrincipalId, ProjectId, Timestamp};
use bartizan_keys::{Algorithm, KeyId, Purpose};
use bartizan_policy::api_key::Scopes;
use bartizan_policy::{DecisionRecord, Networks, PrincipalKind, Role, Tier};
use serde::{Deserialize, Serialize};

use super::{Body, Private, Subject, digest_of_name};

/// Who did something, when, and by which recorded decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The principal that acted.
    pub by: PrincipalId,
    /// The ledger index of the decision that allowed it; absent only for acts of the project root key.
    pub decision: Option<u64>,
    /// When, as the writer's clock asserts.
    pub at: Timestamp,
}

/// The project: the first entry of its ledger, and later one entry per change of tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProjectV1 {
    /// The project.
    pub project: ProjectId,
    /// The project root key, which signs this statement and every statement about keys.
    pub root_key: KeyId,
    /// The origin line of the ledger.
    pub origin: String,
    /// How much separation of duties is demanded.
    pub tier: Tier,
    /// Whether the root key is held in the unprotected development store.
    pub development: bool,
    /// When, as the writer's clock asserts.
    pub at: Timestamp,
}

/// Whether a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyStanding {
    /// It signs new statements.
    Active,
    /// It signs no new statements; what it signed stands.
    Retired,
    /// What it signed after this entry, and what depends on it, does not stand.
    Revoked,
}

/// Which statements a key may sign, said by the project root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeyV1 {
    /// The key.
    pub key: KeyId,
    /// Its public half: base64 of the DER SubjectPublicKeyInfo (RFC 5280 section 4.1).
    pub public_key: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// What it is for.
    pub purpose: Purpose,
    /// The predicate types it may sign.
    pub predicate_types: Vec<String>,
    /// Whether it may sign.
    pub standing: KeyStanding,
    /// When, as the writer's clock asserts.
    pub at: Timestamp,
}

/// The access policy that decisions are taken under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PolicyV1 {
    /// The digest over schema and policies.
    pub policy: Digest,
    /// The entry that put the policy before it in force: no policy in between can be kept quiet.
    pub previous: Option<u64>,
    /// When, as the writer's clock asserts.
    pub at: Timestamp,
}

/// Whether a principal or credential may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It may.
    Active,
    /// It may not any more.
    Disabled,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        })
    }
}

impl fmt::Display for KeyStanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        })
    }
}

/// A principal exists, or its standing changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PrincipalV1 {
    /// The principal.
    pub principal: PrincipalId,
    /// Person, service or workload.
    pub kind: PrincipalKind,
    /// The person who answers for a service or workload; absent for persons.
    pub responsible: Option<PrincipalId>,
    /// Name and logins, encrypted.
    pub profile: Private,
    /// Whether it may act.
    pub standing: Standing,
    /// Who said so.
    pub act: Act,
}

/// What happens to a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleChange {
    /// Somebody confirms that it may be granted; another person may then grant it.
    Confirmed,
    /// It is held from here on.
    Granted,
    /// It is not held any more.
    Withdrawn,
}

/// A role was confirmed, granted or withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RoleV1 {
    /// The principal that holds it.
    pub principal: PrincipalId,
    /// The role.
    pub role: Role,
    /// What happens to it.
    pub change: RoleChange,
    /// The index of the confirmation that this grant rests on, when two people are needed.
    pub confirmed: Option<u64>,
    /// Who said so.
    pub act: Act,
}

/// An API key was issued, or its standing changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ApiKeyV1 {
    /// The public id inside the key's text.
    pub id: String,
    /// Whose key it is.
    pub principal: PrincipalId,
    /// The digest that a presented secret must have; see `docs/formats/api-key.md`.
    pub verifier: Digest,
    /// The actions it is limited to.
    pub scopes: Scopes,
    /// The networks it may be used from, as CIDR.
    pub networks: Networks,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether it may be used.
    pub standing: Standing,
    /// The key that it was claimed with, and that is used up by it: an enrolment key, or the key that it replaces.
    pub claims: Option<String>,
    /// Who said so.
    pub act: Act,
}

impl Body for ProjectV1 {
    fn subject(&self) -> Subject {
        Subject::new(self.project, *self.root_key.digest())
    }
}

impl Body for KeyV1 {
    fn subject(&self) -> Subject {
        Subject::new(self.purpose, *self.key.digest())
    }
}

impl Body for PolicyV1 {
    fn subject(&self) -> Subject {
        Subject::new("access-policy", self.policy)
    }
}

impl Body for PrincipalV1 {
    fn subject(&self) -> Subject {
        Subject::new(self.principal, digest_of_name(self.principal))
    }
}

impl Body for RoleV1 {
    fn subject(&self) -> Subject {
        Subject::new(self.principal, digest_of_name(self.principal))
    }
}

impl Body for ApiKeyV1 {
    fn subject(&self) -> Subject {
        Subject::new(&self.id, digest_of_name(&self.id))
    }
}

impl Body for DecisionRecord {
    fn subject(&self) -> Subject {
        Subject::new(&self.resource_name, self.input)
    }
}
