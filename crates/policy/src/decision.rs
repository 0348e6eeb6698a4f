//! What was decided and why, sealed until it is recorded, and the token that a recorded permission is.

use std::fmt;

use bartizan_base::{Digest, PrincipalId};

use crate::action::{Action, ResourceKind};
use crate::facts::{ContextFacts, PrincipalFacts, ProjectFacts};
use crate::op::Operation;
use crate::question::{Question, Request};
use crate::record::DecisionRecord;
use crate::role::{PersonId, Role, words};

words!(
    /// Yes or no.
    Effect, "effect" {
        /// Yes.
        Allow = "allow",
        /// No.
        Deny = "deny",
    }
);

words!(
    /// What a policy is about.
    Topic, "kind of policy" {
        /// Which roles may do what; every permit.
        Role = "role",
        /// Disabled principals.
        Standing = "standing",
        /// Roles of another project.
        Project = "project",
        /// From where a request comes.
        Network = "network",
        /// Scope and life of an API key.
        Scope = "scope",
        /// Changes of tier.
        Tier = "tier",
        /// Duties that two persons must share.
        Separation = "separation",
        /// Grants that a second person must confirm.
        Confirmation = "confirmation",
        /// Versions in quarantine.
        Quarantine = "quarantine",
    }
);

/// One policy that determined a decision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clause {
    /// Its `@id`.
    pub policy: String,
    /// Its `@reason`, in plain words.
    pub reason: String,
    /// What it is about.
    pub topic: Topic,
}

/// Why a decision is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A policy applies.
    Policy(Clause),
    /// No policy allows it to the principal; it would be to somebody with one of these roles.
    RoleMissing {
        /// The roles each of which would do, in the order of [`Role::ALL`].
        any_of: Vec<Role>,
    },
    /// No policy allows it, whatever the role.
    NothingAllows,
    /// The action exists, but not for this kind of resource.
    NotApplicable {
        /// What was asked for.
        action: Action,
        /// On what.
        kind: ResourceKind,
    },
    /// The question could not be judged.
    Failed {
        /// What went wrong.
        detail: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(clause) => f.write_str(&clause.reason),
            Self::RoleMissing { any_of } => {
                let words: Vec<&str> = any_of.iter().map(|role| role.as_str()).collect();
                write!(f, "role {} is needed", words.join(" or "))
            }
            Self::NothingAllows => f.write_str("no policy allows it to anybody"),
            Self::NotApplicable { action, kind } => {
                write!(f, "`{action}` is asked for on a {}, not on a {kind}", action.kind())
            }
            Self::Failed { detail } => write!(f, "the question could not be judged: {detail}"),
        }
    }
}

/// A decision as information. It permits nothing: that takes an [`Allowed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Yes or no.
    pub effect: Effect,
    /// Why. For a yes the permits that apply; for a no everything that stands in the way.
    pub reasons: Vec<Reason>,
    /// What tier release would have forbidden and tier explore let pass; never more than that for a yes.
    pub waived: Vec<Clause>,
    /// The digest of the policies.
    pub policy: Digest,
    /// The digest of the whole question.
    pub input: Digest,
    /// The digest of the facts about the resource.
    pub resource: Digest,
}

impl Decision {
    /// Whether one person did what tier release asks of two; proofs repeat it.
    pub const fn self_approved(&self) -> bool {
        !self.waived.is_empty()
    }
}

/// A decision that nobody has seen yet: it is opened by recording it, and in no other way.
///
/// ```compile_fail,E0616
/// fn peek(decided: bartizan_policy::Decided<bartizan_policy::op::ModelApprove>) {
///     let _ = decided.decision; // private: no record, no answer
/// }
/// ```
#[must_use = "a decision that is not recorded answers nothing"]
#[derive(Debug)]
pub struct Decided<O: Operation> {
    request: Request<O>,
    record: DecisionRecord,
    decision: Decision,
}

/// The recorded permission to do one operation on one resource.
///
/// Only [`Decided::record`] and [`Decided::record_sync`] make one, after the record is durable. It cannot be
/// copied, stored or sent; whoever carries out the operation takes it by value and acts on the facts inside it.
///
/// It is not made by hand:
/// ```compile_fail,E0451
/// use bartizan_policy::{Allowed, Request, op};
/// fn forge(request: Request<op::ModelApprove>) -> Allowed<op::ModelApprove> {
///     Allowed { request, decision: todo!(), ledger_index: 7 }
/// }
/// ```
/// It is not copied:
/// ```compile_fail,E0599
/// use bartizan_policy::{Allowed, op};
/// fn twice(allowed: Allowed<op::RoleGrant>) -> (Allowed<op::RoleGrant>, Allowed<op::RoleGrant>) {
///     (allowed.clone(), allowed)
/// }
/// ```
/// It is not used twice by the function that takes it:
/// ```compile_fail,E0382
/// use bartizan_policy::{Allowed, op};
/// fn import(_: Allowed<op::ModelImport>) {}
/// fn replay(allowed: Allowed<op::ModelImport>) {
///     import(allowed);
///     import(allowed);
/// }
/// ```
/// The permission for one operation is none for another:
/// ```compile_fail,E0308
/// use bartizan_policy::{Allowed, op};
/// fn approve(_: Allowed<op::ModelApprove>) {}
/// fn confuse(allowed: Allowed<op::ModelShow>) {
///     approve(allowed);
/// }
/// ```
/// It is not serialisable:
/// ```compile_fail,E0277
/// use bartizan_policy::{Allowed, op};
/// fn store(allowed: &Allowed<op::ModelExport>) -> Vec<u8> {
///     serde_json::to_vec(allowed).unwrap()
/// }
/// ```
/// This is how it is had:
/// ```
/// use bartizan_policy::{Allowed, DecisionRecord, Policies, RefusedOr, Request, op};
///
/// fn approve(
///     policies: &Policies,
///     request: Request<op::ModelApprove>,
///     append: impl FnOnce(&DecisionRecord) -> std::io::Result<u64>,
/// ) -> Result<Allowed<op::ModelApprove>, RefusedOr<std::io::Error>> {
///     policies.decide(request).record_sync(append)
/// }
/// ```
#[must_use = "a permission that is not used was recorded in vain"]
#[derive(Debug)]
pub struct Allowed<O: Operation> {
    request: Request<O>,
    decision: Decision,
    ledger_index: u64,
}

/// A recorded denial.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{action}` on `{resource}` is not allowed: {}", sentence(reasons))]
pub struct Refused {
    /// What was asked for.
    pub action: Action,
    /// On what, by name.
    pub resource: String,
    /// Everything that stands in the way.
    pub reasons: Vec<Reason>,
    /// Where the denial is recorded.
    pub ledger_index: u64,
}

/// No permission: either the answer is no, or it could not be recorded and there is none.
#[derive(Debug, thiserror::Error)]
pub enum RefusedOr<E> {
    /// The answer is no, and recorded.
    #[error(transparent)]
    Refused(Refused),
    /// The decision could not be recorded; it counts as a denial.
    #[error("the decision could not be recorded, so there is none")]
    NotRecorded(#[source] E),
}

fn sentence(reasons: &[Reason]) -> String {
    let words: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    words.join("; ")
}

impl<O: Operation> Decided<O> {
    pub(crate) fn new(request: Request<O>, question: &Question, decision: Decision) -> Self {
        let record = DecisionRecord::of(question, &decision);
        Self { request, record, decision }
    }

    /// Records the decision with `recorder`, which returns its index in the ledger once it is durable, and only
    /// then says what it is.
    ///
    /// # Errors
    /// When the answer is no, or when `recorder` fails.
    pub async fn record<E>(
        self,
        recorder: impl AsyncFnOnce(&DecisionRecord) -> Result<u64, E>,
    ) -> Result<Allowed<O>, RefusedOr<E>> {
        let recorded = recorder(&self.record).await;
        self.open(recorded)
    }

    /// Like [`Decided::record`], for a recorder that blocks.
    ///
    /// # Errors
    /// When the answer is no, or when `recorder` fails.
    pub fn record_sync<E>(
        self,
        recorder: impl FnOnce(&DecisionRecord) -> Result<u64, E>,
    ) -> Result<Allowed<O>, RefusedOr<E>> {
        let recorded = recorder(&self.record);
        self.open(recorded)
    }

    fn open<E>(self, recorded: Result<u64, E>) -> Result<Allowed<O>, RefusedOr<E>> {
        let ledger_index = recorded.map_err(RefusedOr::NotRecorded)?;
        let Self { request, record, decision } = self;
        match decision.effect {
            Effect::Allow => Ok(Allowed { request, decision, ledger_index }),
            Effect::Deny => Err(RefusedOr::Refused(Refused {
                action: record.action,
                resource: record.resource_name,
                reasons: decision.reasons,
                ledger_index,
            })),
        }
    }
}

impl<O: Operation> Allowed<O> {
    /// What is allowed, with what its type leaves open, such as the role of a grant.
    pub const fn operation(&self) -> &O {
        &self.request.operation
    }

    /// The facts about what it is allowed on. Act on these, not on facts fetched again.
    pub const fn resource(&self) -> &O::Resource {
        &self.request.resource
    }

    /// Who may do it.
    pub const fn principal(&self) -> &PrincipalFacts {
        &self.request.principal
    }

    /// The person who answers for it; what later separation of duties is compared with.
    pub const fn person(&self) -> PersonId {
        self.request.principal.responsible()
    }

    /// The id of the principal.
    pub const fn principal_id(&self) -> PrincipalId {
        self.request.principal.id()
    }

    /// In which project and tier.
    pub const fn project(&self) -> ProjectFacts {
        self.request.project
    }

    /// In which circumstances.
    pub const fn context(&self) -> &ContextFacts {
        &self.request.context
    }

    /// The decision with its reasons and digests.
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Where the decision is recorded.
    pub const fn ledger_index(&self) -> u64 {
        self.ledger_index
    }
}
