//! What is written down about a decision before it takes effect: `bartizan-decision-v1`.
//!
//! Specified in `docs/policy.md`. It holds digests, pseudonymous ids, asset names and policy ids, and nothing
//! personal, so it may go into the ledger.

use bartizan_base::canonical::{self, DecodeError, EncodeError};
use bartizan_base::{Digest, PrincipalId, ProjectId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::action::{Action, ResourceKind};
use crate::decision::{Clause, Decision, Effect, Reason};
use crate::facts::Via;
use crate::limits::DECISION_BYTES;
use crate::question::Question;
use crate::role::{PersonId, Role, Tier};

/// The record of one decision, allowed or denied. Members are listed in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecord {
    /// What was asked for.
    pub action: Action,
    /// The minute in which it was asked.
    pub at: Timestamp,
    /// Who gains or loses by it, when the resource is a principal, an API key or a grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beneficiary: Option<PrincipalId>,
    /// Yes or no.
    pub effect: Effect,
    /// The format and its version.
    pub format: Format,
    /// The digest of the whole question.
    pub input: Digest,
    /// The person who answers for the principal.
    pub person: PersonId,
    /// The ids of the policies that determined the decision, sorted; none when nothing allows it.
    pub policies: Vec<String>,
    /// The digest of the policies.
    pub policy: Digest,
    /// Who asked.
    pub principal: PrincipalId,
    /// In which project.
    pub project: ProjectId,
    /// The digest of the facts about the resource.
    pub resource: Digest,
    /// What kind of resource it is.
    pub resource_kind: ResourceKind,
    /// Its name.
    pub resource_name: String,
    /// The roles each of which would have sufficed, when none was held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles_missing: Vec<Role>,
    /// The tier of the project.
    pub tier: Tier,
    /// Whether it was asked through the API or directly.
    pub via: Via,
    /// The ids of the policies on separation of duties that tier explore let pass, sorted: self-approved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<String>,
}

/// The format of a decision record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// The first version.
    #[serde(rename = "bartizan-decision-v1")]
    V1,
}

/// The bytes are not a decision record.
#[derive(Debug, thiserror::Error)]
pub enum RecordInvalid {
    /// More bytes than a record may have.
    #[error("a decision record has {bytes} bytes, more than the {DECISION_BYTES} allowed")]
    TooLarge {
        /// How many there were.
        bytes: usize,
    },
    /// Not canonical JSON of the expected shape.
    #[error("not a decision record")]
    Shape(#[source] DecodeError),
}

impl DecisionRecord {
    pub(crate) fn of(question: &Question, decision: &Decision) -> Self {
        let ids = |clauses: &[Clause]| -> Vec<String> {
            clauses.iter().map(|clause| clause.policy.clone()).collect()
        };
        let mut determining = Vec::new();
        let mut roles_missing = Vec::new();
        for reason in &decision.reasons {
            match reason {
                Reason::Policy(clause) => determining.push(clause.clone()),
                Reason::RoleMissing { any_of } => roles_missing.clone_from(any_of),
                Reason::NothingAllows | Reason::NotApplicable { .. } | Reason::Failed { .. } => {}
            }
        }
        Self {
            action: question.action,
            at: question.context.minute(),
            beneficiary: question.resource.beneficiary(),
            effect: decision.effect,
            format: Format::V1,
            input: decision.input,
            person: question.principal.responsible(),
            policies: ids(&determining),
            policy: decision.policy,
            principal: question.principal.id(),
            project: question.project.id,
            resource: decision.resource,
            resource_kind: question.resource.kind(),
            resource_name: question.resource_name(),
            roles_missing,
            tier: question.project.tier,
            via: question.context.via(),
            waived: ids(&decision.waived),
        }
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// Never for a record that this crate made; the canonical form has the error in its type.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        canonical::to_bytes(self)
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// When there are too many of them, or they are not canonical JSON of this shape.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordInvalid> {
        if bytes.len() > DECISION_BYTES {
            return Err(RecordInvalid::TooLarge { bytes: bytes.len() });
        }
        canonical::from_bytes(bytes).map_err(RecordInvalid::Shape)
    }
}
