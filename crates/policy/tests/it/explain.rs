//! Explanations: which permits come close, and which of their conditions fail.

use bartizan_policy::{Action, Explanation, Makers, ModelFacts, Question, Role, Tier};
use expect_test::{Expect, expect};

use crate::world::{ANNA, ask, model, people, policies};

fn show(explanation: &Explanation) -> String {
    let mut lines = vec![explanation.decision.effect.to_string()];
    lines.extend(
        explanation.permits.iter().map(|clause| format!("permit {}: {}", clause.policy, clause.reason)),
    );
    lines.extend(
        explanation
            .forbids
            .iter()
            .map(|clause| format!("forbid {} ({}): {}", clause.policy, clause.topic, clause.reason)),
    );
    for nearest in &explanation.nearest {
        lines.push(format!("nearest {}", nearest.permit.policy));
        lines.extend(nearest.missing.iter().map(|missing| format!("  {missing}")));
    }
    lines.join("\n")
}

#[track_caller]
fn check(question: &Question, expected: Expect) {
    expected.assert_eq(&show(&policies().explain(question)));
}

#[test]
fn an_allow_names_its_permits() {
    check(
        &ask(Tier::Explore, &[Role::Admin, Role::Approver], Action::ModelApprove),
        expect![[r#"
        allow
        permit explore-admin: in tier explore an admin may do everything
        permit model-approve: approvers approve versions"#]],
    );
}

#[test]
fn a_missing_role() {
    check(
        &ask(Tier::Release, &[Role::Viewer], Action::DataAdd),
        expect![[r#"
        deny
        nearest data-work
          role data-scientist or ml-engineer is needed"#]],
    );
    check(
        &ask(Tier::Explore, &[], Action::ModelApprove),
        expect![[r#"
        deny
        nearest model-approve
          role approver is needed
        nearest explore-admin
          role admin is needed"#]],
    );
}

#[test]
fn separation_alone_and_with_a_missing_role() {
    let own = ModelFacts { makers: Makers { trained: people(&[ANNA]), ..Makers::default() }, ..model() };
    let question =
        |list| Question { resource: own.clone().into(), ..ask(Tier::Release, list, Action::ModelApprove) };
    check(
        &question(&[Role::Approver]),
        expect![[r#"
        deny
        permit model-approve: approvers approve versions
        forbid separation-trained (separation): the version was trained by you: another person must approve
        nearest model-approve
          the version was trained by you: another person must approve (separation)"#]],
    );
    check(
        &question(&[Role::MlEngineer]),
        expect![[r#"
        deny
        forbid separation-trained (separation): the version was trained by you: another person must approve
        nearest model-approve
          role approver is needed
          the version was trained by you: another person must approve (separation)"#]],
    );
}

#[test]
fn different_permits_miss_different_roles() {
    check(
        &ask(Tier::Release, &[Role::Viewer], Action::ModelExport),
        expect![[r#"
        deny
        nearest model-export-ordinary
          role data-scientist is needed
        nearest model-export
          role ml-engineer or security is needed"#]],
    );
}

#[test]
fn a_question_that_cannot_be_judged() {
    let question = Question {
        resource: bartizan_policy::ProjectWide.into(),
        ..ask(Tier::Release, &[Role::Approver], Action::ModelApprove)
    };
    check(&question, expect!["deny"]);
}

#[test]
fn the_explanation_and_the_decision_never_differ() {
    let policies = policies();
    for tier in [Tier::Explore, Tier::Release] {
        for role in Role::ALL.iter().copied() {
            for action in Action::ALL.iter().copied() {
                let question = ask(tier, &[role], action);
                let explanation = policies.explain(&question);
                assert_eq!(explanation.decision, policies.evaluate(&question));
                let allowed = explanation.decision.effect == bartizan_policy::Effect::Allow;
                assert_eq!(allowed, explanation.nearest.is_empty(), "{action} {role} {tier}");
                assert!(explanation.nearest.iter().all(|nearest| !nearest.missing.is_empty()));
            }
        }
    }
}
