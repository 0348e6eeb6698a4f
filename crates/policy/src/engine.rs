//! The built-in policies, validated once, and the evaluation of one question against them.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_base::{Digest, Hasher, sha256};
use cedar_policy::{
    Authorizer, Decision as CedarDecision, Effect as CedarEffect, Policy, PolicyId, PolicySet, Schema,
    ValidationMode, Validator,
};

use crate::decision::{Clause, Decided, Decision, Effect, Reason, Topic};
use crate::explain::{Explanation, explanation};
use crate::op::Operation;
use crate::question::{Question, Request};
use crate::role::{Role, Tier};
use crate::translate::{Translated, Untranslatable, translate};

const SCHEMA: &str = include_str!("../cedar/bartizan.cedarschema");
const PERMITS: &str = include_str!("../cedar/permits.cedar");
const FORBIDS: &str = include_str!("../cedar/forbids.cedar");
const DIGEST_DOMAIN: &[u8] = b"bartizan-policy-v1\0";

/// Policies that parsed, carry their annotations, and passed strict validation against their schema.
pub struct Policies {
    schema: Schema,
    all: PolicySet,
    permits: PolicySet,
    clauses: BTreeMap<PolicyId, Clause>,
    digest: Digest,
}

/// The policies cannot be used. With the built-in ones this is a fault in the build; start nothing.
#[derive(Debug, thiserror::Error)]
pub enum PoliciesInvalid {
    /// The schema does not parse.
    #[error("the schema is not valid: {detail}")]
    Schema {
        /// What Cedar says.
        detail: String,
    },
    /// A file of policies does not parse.
    #[error("the {file} are not valid Cedar: {detail}")]
    Syntax {
        /// `permits` or `forbids`.
        file: &'static str,
        /// What Cedar says.
        detail: String,
    },
    /// A policy stands in the wrong file, is a template, or lacks an annotation.
    #[error("policy `{policy}` in the {file} {problem}")]
    Shape {
        /// `permits` or `forbids`.
        file: &'static str,
        /// Its id, or its place in the file.
        policy: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A policy does not fit the schema, or can never apply.
    #[error("the policies do not pass strict validation: {detail}")]
    Validation {
        /// What Cedar says.
        detail: String,
    },
}

impl Policies {
    /// The policies that are built into this version.
    ///
    /// # Errors
    /// Only when this version was built from broken files.
    pub fn builtin() -> Result<Self, PoliciesInvalid> {
        Self::load(SCHEMA, PERMITS, FORBIDS)
    }

    pub(crate) fn load(
        schema_text: &str,
        permits_text: &str,
        forbids_text: &str,
    ) -> Result<Self, PoliciesInvalid> {
        let (schema, warnings) = Schema::from_cedarschema_str(schema_text)
            .map_err(|error| PoliciesInvalid::Schema { detail: error.to_string() })?;
        let warnings: Vec<String> = warnings.map(|warning| warning.to_string()).collect();
        if !warnings.is_empty() {
            return Err(PoliciesInvalid::Schema { detail: warnings.join("; ") });
        }
        let mut clauses = BTreeMap::new();
        let permits = read("permits", permits_text, CedarEffect::Permit, &mut clauses)?;
        let forbids = read("forbids", forbids_text, CedarEffect::Forbid, &mut clauses)?;
        let all = collect("policies", permits.policies().chain(forbids.policies()).cloned())?;
        let result = Validator::new(schema.clone()).validate(&all, ValidationMode::Strict);
        if !result.validation_passed_without_warnings() {
            return Err(PoliciesInvalid::Validation { detail: result.to_string() });
        }
        Ok(Self { schema, all, permits, clauses, digest: digest(&[schema_text, permits_text, forbids_text]) })
    }

    /// SHA-256 over the schema, the permits and the forbids, in this order (`docs/policy.md`, "Digests").
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The Cedar schema, permits and forbids as shipped, for people who want to read or analyse them.
    pub const fn sources() -> [&'static str; 3] {
        [SCHEMA, PERMITS, FORBIDS]
    }

    /// Decides `request`. The answer is sealed until it has been recorded.
    pub fn decide<O: Operation>(&self, request: Request<O>) -> Decided<O> {
        let question = request.question();
        let decision = self.evaluate(&question);
        Decided::new(request, &question, decision)
    }

    /// What the answer to `question` would be. Information, no permission.
    pub fn evaluate(&self, question: &Question) -> Decision {
        let (Ok(input), Ok(resource)) = (question.digest(), question.resource_digest()) else {
            let none = sha256(b"bartizan-policy-input-v1: no canonical form");
            let failed = Reason::Failed { detail: "the facts have no canonical form".to_owned() };
            return self.denied(vec![failed], none, none);
        };
        if question.action.kind() != question.resource.kind() {
            let (action, kind) = (question.action, question.resource.kind());
            return self.denied(vec![Reason::NotApplicable { action, kind }], input, resource);
        }
        match self.judge(question) {
            Ok(Judged { effect, reasons, waived }) => {
                Decision { effect, reasons, waived, policy: self.digest, input, resource }
            }
            Err(Failure(detail)) => self.denied(vec![Reason::Failed { detail }], input, resource),
        }
    }

    /// Why the answer to `question` is what it is, and for a denial, what would have to change.
    pub fn explain(&self, question: &Question) -> Explanation {
        explanation(self, question)
    }

    fn denied(&self, reasons: Vec<Reason>, input: Digest, resource: Digest) -> Decision {
        let effect = Effect::Deny;
        Decision { effect, reasons, waived: Vec::new(), policy: self.digest, input, resource }
    }

    fn judge(&self, question: &Question) -> Result<Judged, Failure> {
        let roles = question.principal.roles();
        let tier = question.project.tier;
        let (decision, mut determining) = self.ask(&self.all, question, roles, tier)?;
        if decision == CedarDecision::Allow {
            let waived = match tier {
                Tier::Release => Vec::new(),
                Tier::Explore => self.waived(question)?,
            };
            let reasons = determining.into_iter().map(Reason::Policy).collect();
            return Ok(Judged { effect: Effect::Allow, reasons, waived });
        }
        determining.sort();
        let mut reasons: Vec<Reason> = determining.into_iter().map(Reason::Policy).collect();
        if self.permitting(question, roles)?.is_empty() {
            let any_of = self.sufficient_roles(question)?;
            reasons.push(if any_of.is_empty() {
                Reason::NothingAllows
            } else {
                Reason::RoleMissing { any_of }
            });
        }
        Ok(Judged { effect: Effect::Deny, reasons, waived: Vec::new() })
    }

    /// The separation of duties that tier release would have demanded and tier explore did not.
    fn waived(&self, question: &Question) -> Result<Vec<Clause>, Failure> {
        let roles = question.principal.roles();
        let (decision, determining) = self.ask(&self.all, question, roles, Tier::Release)?;
        if decision == CedarDecision::Allow {
            return Ok(Vec::new());
        }
        let separating = |clause: &Clause| matches!(clause.topic, Topic::Separation | Topic::Confirmation);
        Ok(determining.into_iter().filter(separating).collect())
    }

    /// The permits that would apply to somebody with `roles`, whatever the forbids say.
    pub(crate) fn permitting(
        &self,
        question: &Question,
        roles: &BTreeSet<Role>,
    ) -> Result<Vec<Clause>, Failure> {
        let (decision, determining) = self.ask(&self.permits, question, roles, question.project.tier)?;
        Ok(if decision == CedarDecision::Allow { determining } else { Vec::new() })
    }

    /// The roles each of which, added to those held, makes some permit apply.
    fn sufficient_roles(&self, question: &Question) -> Result<Vec<Role>, Failure> {
        let held = question.principal.roles();
        let mut sufficient = Vec::new();
        for role in Role::ALL.iter().copied().filter(|role| !held.contains(role)) {
            let mut roles = held.clone();
            roles.insert(role);
            if !self.permitting(question, &roles)?.is_empty() {
                sufficient.push(role);
            }
        }
        Ok(sufficient)
    }

    /// One evaluation by Cedar. An error in any policy fails the whole question: Cedar would skip that policy,
    /// and a skipped forbid would be a hole.
    fn ask(
        &self,
        policies: &PolicySet,
        question: &Question,
        roles: &BTreeSet<Role>,
        tier: Tier,
    ) -> Result<(CedarDecision, Vec<Clause>), Failure> {
        let Translated { request, entities } = translate(&self.schema, question, roles, tier)?;
        let response = Authorizer::new().is_authorized(&request, policies, &entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(Failure(format!("a policy could not be evaluated: {error}")));
        }
        let mut clauses = Vec::new();
        for id in response.diagnostics().reason() {
            let clause =
                self.clauses.get(id).ok_or_else(|| Failure(format!("policy `{id}` is not known")))?;
            clauses.push(clause.clone());
        }
        clauses.sort();
        Ok((response.decision(), clauses))
    }
}

struct Judged {
    effect: Effect,
    reasons: Vec<Reason>,
    waived: Vec<Clause>,
}

/// The evaluation itself went wrong; always a denial.
pub(crate) struct Failure(pub(crate) String);

impl From<Untranslatable> for Failure {
    fn from(error: Untranslatable) -> Self {
        Self(error.to_string())
    }
}

/// Reads one file: every policy static, of the file's effect, and annotated; `@id` becomes its id.
fn read(
    file: &'static str,
    text: &str,
    effect: CedarEffect,
    clauses: &mut BTreeMap<PolicyId, Clause>,
) -> Result<PolicySet, PoliciesInvalid> {
    let parsed: PolicySet = text.parse().map_err(|error: cedar_policy::ParseErrors| {
        PoliciesInvalid::Syntax { file, detail: error.to_string() }
    })?;
    if let Some(template) = parsed.templates().next() {
        let policy = template.id().to_string();
        return Err(PoliciesInvalid::Shape { file, policy, problem: "is a template" });
    }
    let mut named = Vec::new();
    for policy in parsed.policies() {
        let place = policy.id().to_string();
        let wrong = |problem| PoliciesInvalid::Shape { file, policy: place.clone(), problem };
        let annotated = |key| policy.annotation(key).filter(|text| !text.is_empty());
        if policy.effect() != effect {
            return Err(wrong("has the other effect"));
        }
        let id = annotated("id").ok_or_else(|| wrong("has no `@id`"))?;
        let reason = annotated("reason").ok_or_else(|| wrong("has no `@reason`"))?;
        let topic = match (effect, annotated("kind")) {
            (CedarEffect::Permit, None) => Topic::Role,
            (CedarEffect::Permit, Some(_)) => return Err(wrong("is a permit with a `@kind`")),
            (CedarEffect::Forbid, kind) => kind
                .and_then(|kind| kind.parse().ok())
                .filter(|topic| *topic != Topic::Role)
                .ok_or_else(|| wrong("has no known `@kind`"))?,
        };
        let clause = Clause { policy: id.to_owned(), reason: reason.to_owned(), topic };
        let policy_id = PolicyId::new(id);
        if clauses.insert(policy_id.clone(), clause).is_some() {
            return Err(wrong("has the `@id` of another policy"));
        }
        named.push(policy.new_id(policy_id));
    }
    collect(file, named)
}

fn collect(
    file: &'static str,
    policies: impl IntoIterator<Item = Policy>,
) -> Result<PolicySet, PoliciesInvalid> {
    PolicySet::from_policies(policies)
        .map_err(|error| PoliciesInvalid::Syntax { file, detail: error.to_string() })
}

fn digest(texts: &[&str]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(DIGEST_DOMAIN);
    for text in texts {
        // A text of 2^64 bytes does not exist; `usize` is at most 64 bits wide here.
        hasher.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
