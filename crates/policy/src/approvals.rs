//! Whether the approvals of a version suffice: which count, which do not and why, and how many are missing.

use std::collections::BTreeSet;

use bartizan_base::Digest;

use crate::facts::Makers;
use crate::role::{PersonId, Tier, words};

/// What an approval covers. It lapses when any of the three changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covers {
    /// The manifest digest: the bytes of the model.
    pub manifest: Digest,
    /// The digest of the evidence: the checks and gates that were looked at.
    pub evidence: Digest,
    /// The digest of the policies.
    pub policy: Digest,
}

/// One recorded approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    /// The person who approved, or who is responsible for the service that did.
    pub by: PersonId,
    /// What they looked at.
    pub covers: Covers,
    /// Where the approval stands in the ledger.
    pub index: u64,
}

/// The last time that a version was stopped: put in quarantine, retired or revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The person who put it in quarantine, who cannot be the one to lift it; absent after another stop.
    pub quarantined_by: Option<PersonId>,
    /// Where the order stands in the ledger.
    pub index: u64,
}

/// The version whose approvals are counted, as it is now.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The tier of the project.
    pub tier: Tier,
    /// Whether the model is sensitive.
    pub sensitive: bool,
    /// Who had a hand in the version.
    pub makers: &'a Makers,
    /// What an approval must cover to count.
    pub covers: Covers,
    /// When it was stopped last, if ever.
    pub stop: Option<Stop>,
    /// The entry that raised the project to tier release, if one did.
    pub raised: Option<u64>,
    /// The entry that put the policies in force: what was approved under others lapses, also when they come back.
    pub policy_since: u64,
}

words!(
    /// Why an approval does not count.
    Discounted, "reason not to count an approval" {
        /// The manifest, the evidence or the policies have changed since.
        Lapsed = "lapsed",
        /// It was given before the version was put in quarantine or retired.
        BeforeStop = "before-stop",
        /// It was given in tier explore, and the project has been raised to tier release since.
        BeforeRelease = "before-release",
        /// The approver had a hand in the version.
        Maker = "maker",
        /// The approver put the version in quarantine.
        Quarantiner = "quarantiner",
        /// An earlier approval by the same person counts already.
        Repeated = "repeated",
    }
);

/// What the approvals of a version amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How many persons must approve: two for a sensitive model in tier release, else one.
    pub needed: usize,
    /// Whose approvals count.
    pub approvers: BTreeSet<PersonId>,
    /// The ledger indexes of the approvals that do not count, in order, each with the reason.
    pub discounted: Vec<(u64, Discounted)>,
    /// Whether somebody approved what they made or quarantined themselves, or approved alone what tier release
    /// would have two persons approve; only in tier explore.
    pub self_approved: bool,
}

impl Verdict {
    /// Whether enough persons have approved.
    pub fn complete(&self) -> bool {
        self.approvers.len() >= self.needed
    }

    /// How many more persons must approve.
    pub fn missing(&self) -> usize {
        self.needed.saturating_sub(self.approvers.len())
    }
}

/// Counts `approvals` for `case`, in the order of the ledger, however they are passed.
pub fn evaluate(case: Case<'_>, approvals: &[Approval]) -> Verdict {
    let mut ordered: Vec<Approval> = approvals.to_vec();
    ordered.sort_by_key(|approval| approval.index);
    let strict = case.tier == Tier::Release;
    let mut verdict = Verdict {
        needed: if strict && case.sensitive { 2 } else { 1 },
        approvers: BTreeSet::new(),
        discounted: Vec::new(),
        self_approved: false,
    };
    for approval in ordered {
        match judge(case, approval, &verdict.approvers) {
            None => {
                verdict.approvers.insert(approval.by);
            }
            Some(Discounted::Maker | Discounted::Quarantiner) if !strict => {
                verdict.approvers.insert(approval.by);
                verdict.self_approved = true;
            }
            Some(reason) => verdict.discounted.push((approval.index, reason)),
        }
    }
    if !strict && case.sensitive && verdict.approvers.len() == 1 {
        verdict.self_approved = true;
    }
    verdict
}

fn judge(case: Case<'_>, approval: Approval, counted: &BTreeSet<PersonId>) -> Option<Discounted> {
    if approval.covers != case.covers || approval.index < case.policy_since {
        return Some(Discounted::Lapsed);
    }
    if case.stop.is_some_and(|stop| approval.index <= stop.index) {
        return Some(Discounted::BeforeStop);
    }
    if case.raised.is_some_and(|raised| approval.index <= raised) {
        return Some(Discounted::BeforeRelease);
    }
    if counted.contains(&approval.by) {
        return Some(Discounted::Repeated);
    }
    if case.makers.contains(approval.by) {
        return Some(Discounted::Maker);
    }
    if case.stop.is_some_and(|stop| stop.quarantined_by == Some(approval.by)) {
        return Some(Discounted::Quarantiner);
    }
    None
}
