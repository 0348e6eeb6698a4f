//! Counting approvals: two for sensitive models, different persons, nothing lapsed, nobody judging their own work.

use bartizan_base::sha256;
use bartizan_policy::approvals::{Approval, Case, Covers, Stop, evaluate};
use bartizan_policy::{Makers, PersonId, Tier};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::world::{ANNA, BEN, CLARA, people, person};

fn covers() -> Covers {
    Covers { manifest: sha256(b"manifest"), evidence: sha256(b"evidence"), policy: sha256(b"policy") }
}

fn approval(by: PersonId, index: u64) -> Approval {
    Approval { by, covers: covers(), index }
}

fn makers() -> Makers {
    Makers { imported: people(&[CLARA]), ..Makers::default() }
}

fn case(tier: Tier, sensitive: bool, makers: &Makers) -> Case<'_> {
    Case { tier, sensitive, makers, covers: covers(), stop: None, raised: None, policy_since: 0 }
}

#[track_caller]
fn check(case: Case<'_>, approvals: &[Approval], expected: Expect) {
    let verdict = evaluate(case, approvals);
    let discounted: Vec<String> =
        verdict.discounted.iter().map(|(index, reason)| format!("#{index} {reason}")).collect();
    expected.assert_eq(&format!(
        "{} of {}, missing {}, {}{}; not counted: [{}]",
        verdict.approvers.len(),
        verdict.needed,
        verdict.missing(),
        if verdict.complete() { "complete" } else { "incomplete" },
        if verdict.self_approved { ", self-approved" } else { "" },
        discounted.join(", "),
    ));
}

#[test]
fn an_ordinary_model_needs_one() {
    let makers = makers();
    check(
        case(Tier::Release, false, &makers),
        &[],
        expect!["0 of 1, missing 1, incomplete; not counted: []"],
    );
    check(
        case(Tier::Release, false, &makers),
        &[approval(ANNA, 5)],
        expect!["1 of 1, missing 0, complete; not counted: []"],
    );
}

#[test]
fn what_was_approved_in_explore_does_not_count_in_release() {
    let makers = makers();
    let raised = Case { raised: Some(6), ..case(Tier::Release, false, &makers) };
    check(
        raised,
        &[approval(ANNA, 5)],
        expect!["0 of 1, missing 1, incomplete; not counted: [#5 before-release]"],
    );
    check(
        raised,
        &[approval(ANNA, 5), approval(ANNA, 7)],
        expect!["1 of 1, missing 0, complete; not counted: [#5 before-release]"],
    );
}

#[test]
fn what_was_approved_under_a_policy_does_not_come_back_with_it() {
    let makers = makers();
    check(
        Case { policy_since: 6, ..case(Tier::Release, false, &makers) },
        &[approval(ANNA, 5)],
        expect!["0 of 1, missing 1, incomplete; not counted: [#5 lapsed]"],
    );
}

#[test]
fn a_sensitive_model_needs_two_different_persons() {
    let makers = makers();
    let sensitive = case(Tier::Release, true, &makers);
    check(sensitive, &[approval(ANNA, 5)], expect!["1 of 2, missing 1, incomplete; not counted: []"]);
    check(
        sensitive,
        &[approval(ANNA, 5), approval(ANNA, 6)],
        expect!["1 of 2, missing 1, incomplete; not counted: [#6 repeated]"],
    );
    check(
        sensitive,
        &[approval(BEN, 6), approval(ANNA, 5)],
        expect!["2 of 2, missing 0, complete; not counted: []"],
    );
}

#[test]
fn makers_do_not_count_in_tier_release() {
    let makers = makers();
    check(
        case(Tier::Release, false, &makers),
        &[approval(CLARA, 5)],
        expect!["0 of 1, missing 1, incomplete; not counted: [#5 maker]"],
    );
    check(
        case(Tier::Explore, false, &makers),
        &[approval(CLARA, 5)],
        expect!["1 of 1, missing 0, complete, self-approved; not counted: []"],
    );
    check(
        case(Tier::Explore, true, &makers),
        &[approval(ANNA, 5)],
        expect!["1 of 1, missing 0, complete, self-approved; not counted: []"],
    );
    check(
        case(Tier::Explore, true, &makers),
        &[approval(ANNA, 5), approval(BEN, 6)],
        expect!["2 of 1, missing 0, complete; not counted: []"],
    );
}

#[test]
fn an_approval_lapses_when_anything_it_covers_changes() {
    let makers = makers();
    let mut other_manifest = approval(ANNA, 5);
    other_manifest.covers.manifest = sha256(b"another");
    let mut other_evidence = approval(ANNA, 6);
    other_evidence.covers.evidence = sha256(b"another");
    let mut other_policy = approval(ANNA, 7);
    other_policy.covers.policy = sha256(b"another");
    check(
        case(Tier::Release, false, &makers),
        &[other_manifest, other_evidence, other_policy],
        expect!["0 of 1, missing 1, incomplete; not counted: [#5 lapsed, #6 lapsed, #7 lapsed]"],
    );
}

#[test]
fn quarantine_takes_new_approvals_by_others() {
    let makers = makers();
    let quarantined = |tier| Case {
        stop: Some(Stop { quarantined_by: Some(BEN), index: 10 }),
        ..case(tier, false, &makers)
    };
    check(
        quarantined(Tier::Release),
        &[approval(ANNA, 5), approval(BEN, 11)],
        expect!["0 of 1, missing 1, incomplete; not counted: [#5 before-stop, #11 quarantiner]"],
    );
    check(
        quarantined(Tier::Release),
        &[approval(ANNA, 5), approval(ANNA, 12)],
        expect!["1 of 1, missing 0, complete; not counted: [#5 before-stop]"],
    );
    check(
        quarantined(Tier::Explore),
        &[approval(BEN, 11)],
        expect!["1 of 1, missing 0, complete, self-approved; not counted: []"],
    );
}

proptest! {
    /// In tier release a complete verdict always rests on enough different persons, none of them a maker.
    #[test]
    fn complete_means_enough_strangers(
        sensitive: bool,
        given in prop::collection::vec((0_u8..6, 0_u64..40, any::<bool>()), 0..12),
        made in prop::collection::btree_set(0_u8..6, 0..4),
        quarantine in prop::option::of((0_u8..6, 0_u64..40)),
    ) {
        let makers = Makers { trained: made.iter().copied().map(person).collect(), ..Makers::default() };
        let stop = quarantine.map(|(by, index)| Stop { quarantined_by: Some(person(by)), index });
        let approvals: Vec<Approval> = given
            .iter()
            .map(|(by, index, lapsed)| {
                let mut approval = approval(person(*by), *index);
                if *lapsed {
                    approval.covers.evidence = sha256(b"older evidence");
                }
                approval
            })
            .collect();
        let verdict = evaluate(Case { stop, ..case(Tier::Release, sensitive, &makers) }, &approvals);
        prop_assert!(!verdict.self_approved);
        prop_assert_eq!(verdict.complete(), verdict.approvers.len() >= if sensitive { 2 } else { 1 });
        prop_assert_eq!(verdict.approvers.len() + verdict.discounted.len(), approvals.len());
        for approver in &verdict.approvers {
            prop_assert!(!makers.contains(*approver));
            prop_assert!(stop.is_none_or(|stop| stop.quarantined_by != Some(*approver)));
            let given = approvals.iter().any(|approval| {
                approval.by == *approver
                    && approval.covers == covers()
                    && stop.is_none_or(|stop| approval.index > stop.index)
            });
            prop_assert!(given);
        }
    }
}
