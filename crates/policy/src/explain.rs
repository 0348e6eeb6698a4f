//! Why a decision is what it is, and which conditions the nearest permits miss: `access explain`.

use std::fmt;

use crate::decision::{Clause, Decision, Effect, Reason};
use crate::engine::Policies;
use crate::question::Question;
use crate::role::Role;

/// The explanation of one decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decision itself.
    pub decision: Decision,
    /// The permits that apply, also when a forbid outweighs them.
    pub permits: Vec<Clause>,
    /// The forbids that apply.
    pub forbids: Vec<Clause>,
    /// For a denial: the permits that come closest, those that miss least first.
    pub nearest: Vec<Nearest>,
}

/// A permit that would lead to a yes, if it were not for what it misses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nearest {
    /// What stands in its way; never empty.
    pub missing: Vec<Missing>,
    /// The permit.
    pub permit: Clause,
}

/// One condition that failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// One of these roles.
    Role(Vec<Role>),
    /// A forbid applies: tier, separation, scope, network and the like, as its topic says.
    Condition(Clause),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(any_of) => Reason::RoleMissing { any_of: any_of.clone() }.fmt(f),
            Self::Condition(clause) => write!(f, "{} ({})", clause.reason, clause.topic),
        }
    }
}

pub(crate) fn explanation(policies: &Policies, question: &Question) -> Explanation {
    let decision = policies.evaluate(question);
    let determining: Vec<Clause> = decision
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Policy(clause) => Some(clause.clone()),
            Reason::RoleMissing { .. }
            | Reason::NothingAllows
            | Reason::NotApplicable { .. }
            | Reason::Failed { .. } => None,
        })
        .collect();
    if decision.effect == Effect::Allow {
        return Explanation { decision, permits: determining, forbids: Vec::new(), nearest: Vec::new() };
    }
    // A question that cannot be judged has no near permits; the decision says what went wrong.
    let judged = !decision
        .reasons
        .iter()
        .any(|reason| matches!(reason, Reason::Failed { .. } | Reason::NotApplicable { .. }));
    let (permits, nearest) = if judged { near(policies, question, &determining) } else { Default::default() };
    Explanation { decision, permits, forbids: determining, nearest }
}

/// The permits that apply to the roles held, or failing those, to any role added, with what each misses.
fn near(policies: &Policies, question: &Question, forbids: &[Clause]) -> (Vec<Clause>, Vec<Nearest>) {
    let conditions: Vec<Missing> = forbids.iter().cloned().map(Missing::Condition).collect();
    let held = question.principal.roles();
    let permits = policies.permitting(question, held).unwrap_or_default();
    let mut nearest: Vec<Nearest> = permits
        .iter()
        .map(|permit| Nearest { missing: conditions.clone(), permit: permit.clone() })
        .collect();
    if permits.is_empty() {
        let mut by_permit: Vec<(Clause, Vec<Role>)> = Vec::new();
        for role in Role::ALL.iter().copied() {
            let mut roles = held.clone();
            roles.insert(role);
            for permit in policies.permitting(question, &roles).unwrap_or_default() {
                match by_permit.iter_mut().find(|(known, _)| *known == permit) {
                    Some((_, any_of)) => any_of.push(role),
                    None => by_permit.push((permit, vec![role])),
                }
            }
        }
        for (permit, any_of) in by_permit {
            let missing = std::iter::once(Missing::Role(any_of)).chain(conditions.clone()).collect();
            nearest.push(Nearest { missing, permit });
        }
    }
    (permits, nearest)
}
