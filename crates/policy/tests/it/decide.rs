//! Decisions on versions and aliases: separation of duties, quarantine, sensitivity, and what is not judged at all.

use bartizan_policy::{
    Action, ContextFacts, Makers, ModelFacts, PersonId, PrincipalFacts, ProjectWide, Question, Role, Tier,
};
use expect_test::{Expect, expect};

use crate::world::{
    ANNA, BEN, CLARA, LOOPBACK, NOW, alias, ask, model, people, person, policies, principal, project, roles,
    show,
};

const RELEASE: Tier = Tier::Release;
const EXPLORE: Tier = Tier::Explore;

#[track_caller]
fn check(question: Question, expected: Expect) {
    expected.assert_eq(&show(&policies().evaluate(&question)));
}

fn approve(tier: Tier, list: &[Role], version: ModelFacts) -> Question {
    Question { resource: version.into(), ..ask(tier, list, Action::ModelApprove) }
}

fn made_by(makers: Makers) -> ModelFacts {
    ModelFacts { makers, ..model() }
}

#[test]
fn an_approver_approves_the_work_of_another() {
    check(
        approve(RELEASE, &[Role::Approver], model()),
        expect![[r#"
        allow
          approvers approve versions"#]],
    );
}

#[test]
fn a_viewer_does_not_approve() {
    check(
        approve(RELEASE, &[Role::Viewer], model()),
        expect![[r#"
        deny
          role approver is needed"#]],
    );
}

#[test]
fn nobody_approves_what_they_had_a_hand_in() {
    let anna = || people(&[ANNA]);
    check(
        approve(RELEASE, &[Role::Approver], made_by(Makers { imported: anna(), ..Makers::default() })),
        expect![[r#"
            deny
              the version was imported by you: another person must approve"#]],
    );
    check(
        approve(RELEASE, &[Role::Approver], made_by(Makers { trained: anna(), ..Makers::default() })),
        expect![[r#"
            deny
              the version was trained by you: another person must approve"#]],
    );
    check(
        approve(RELEASE, &[Role::Approver], made_by(Makers { owned: anna(), ..Makers::default() })),
        expect![[r#"
            deny
              the version is owned by you: another person must approve"#]],
    );
    check(
        approve(RELEASE, &[Role::Approver], made_by(Makers { submitted: anna(), ..Makers::default() })),
        expect![[r#"
            deny
              the version was submitted by you: another person must approve"#]],
    );
}

#[test]
fn every_role_together_does_not_outweigh_separation_and_every_obstacle_is_named() {
    let makers = Makers { imported: people(&[ANNA]), trained: people(&[ANNA, BEN]), ..Makers::default() };
    check(
        approve(RELEASE, Role::ALL, made_by(makers.clone())),
        expect![[r#"
        deny
          the version was imported by you: another person must approve
          the version was trained by you: another person must approve"#]],
    );
    check(
        approve(RELEASE, &[Role::MlEngineer], made_by(makers)),
        expect![[r#"
        deny
          the version was imported by you: another person must approve
          the version was trained by you: another person must approve
          role approver is needed"#]],
    );
}

#[test]
fn a_service_counts_as_the_person_responsible_for_it() {
    let service = |responsible: PersonId| {
        PrincipalFacts::service(project(), principal(40), responsible, roles(&[Role::Approver]))
    };
    let workload = PrincipalFacts::workload(project(), principal(41), CLARA, roles(&[Role::Approver]));
    // Clara imported the version: neither her service nor her workload approves it, the service of Ben does.
    let question = approve(RELEASE, &[], model());
    check(
        Question { principal: service(CLARA), ..question.clone() },
        expect![[r#"
        deny
          the version was imported by you: another person must approve"#]],
    );
    check(
        Question { principal: workload, ..question.clone() },
        expect![[r#"
        deny
          the version was imported by you: another person must approve"#]],
    );
    check(
        Question { principal: service(BEN), ..question },
        expect![[r#"
        allow
          approvers approve versions"#]],
    );
}

#[test]
fn one_person_approves_once() {
    let version = ModelFacts { sensitive: true, approvers: people(&[ANNA]), ..model() };
    check(
        approve(RELEASE, &[Role::Approver], version),
        expect![[r#"
        deny
          you have approved this version already: another person must approve"#]],
    );
    let version = ModelFacts { sensitive: true, approvers: people(&[BEN]), ..model() };
    check(
        approve(RELEASE, &[Role::Approver], version),
        expect![[r#"
        allow
          approvers approve versions"#]],
    );
}

#[test]
fn quarantine_is_lifted_by_another_person() {
    let by = |who| ModelFacts { stopped_by: Some(who), ..model() };
    check(
        approve(RELEASE, &[Role::Approver, Role::Security], by(ANNA)),
        expect![[r#"
        deny
          the version was put in quarantine by you: another person must lift it by approval"#]],
    );
    check(
        approve(RELEASE, &[Role::Approver, Role::Security], by(BEN)),
        expect![[r#"
        allow
          approvers approve versions"#]],
    );
}

#[test]
fn in_tier_explore_one_person_may_do_everything_and_the_decision_says_so() {
    let makers = Makers { imported: people(&[ANNA]), ..Makers::default() };
    let version = ModelFacts { stopped_by: Some(ANNA), ..made_by(makers) };
    check(
        approve(EXPLORE, &[Role::Admin], version),
        expect![[r#"
        allow
          in tier explore an admin may do everything
          waived: separation-imported
          waived: separation-quarantined"#]],
    );
    check(
        approve(EXPLORE, &[Role::Admin], model()),
        expect![[r#"
        allow
          in tier explore an admin may do everything"#]],
    );
}

#[test]
fn setting_a_guarded_alias_is_a_promotion() {
    let set = |list: &[Role], guarded, makers: Makers| {
        let mut facts = alias(guarded);
        facts.target.makers = makers;
        Question { resource: facts.into(), ..ask(RELEASE, list, Action::ModelAliasSet) }
    };
    let anna = || Makers { trained: people(&[ANNA]), ..Makers::default() };
    let every_hand = || {
        let [submitted, owned, trained, imported] = [(); 4].map(|()| people(&[ANNA]));
        Makers { submitted, owned, trained, imported }
    };
    check(
        set(&[Role::MlEngineer], true, anna()),
        expect![[r#"
        deny
          the version was trained by you: another person must approve
          role approver is needed"#]],
    );
    check(
        set(&[Role::MlEngineer], false, every_hand()),
        expect![[r#"
        allow
          ML engineers set aliases that are not guarded"#]],
    );
    check(
        set(&[Role::Approver], true, anna()),
        expect![[r#"
        deny
          the version was trained by you: another person must approve"#]],
    );
    check(
        set(&[Role::Approver], true, Makers::default()),
        expect![[r#"
        allow
          setting a guarded alias is a promotion, and approvers promote"#]],
    );
}

#[test]
fn a_version_in_quarantine_stays_where_it_is() {
    let quarantined = ModelFacts { stopped_by: Some(BEN), ..model() };
    let mut facts = alias(false);
    facts.target = quarantined.clone();
    check(
        Question { resource: facts.into(), ..ask(RELEASE, &[Role::MlEngineer], Action::ModelAliasSet) },
        expect![[r#"
            deny
              the version is in quarantine or revoked: no alias may be pointed to it"#]],
    );
    let export =
        |list| Question { resource: quarantined.clone().into(), ..ask(RELEASE, list, Action::ModelExport) };
    check(
        export(&[Role::MlEngineer]),
        expect![[r#"
        deny
          the version is in quarantine or revoked: only security may take it out"#]],
    );
    check(
        export(&[Role::Security]),
        expect![[r#"
        allow
          ML engineers and security take out models"#]],
    );
}

#[test]
fn a_sensitive_model_is_not_taken_out_by_everybody() {
    let sensitive = ModelFacts { sensitive: true, ..model() };
    check(
        Question { resource: sensitive.into(), ..ask(RELEASE, &[Role::DataScientist], Action::ModelExport) },
        expect![[r#"
            deny
              role ml-engineer or security is needed"#]],
    );
}

#[test]
fn an_action_on_the_wrong_kind_of_resource_is_denied() {
    check(
        Question { resource: ProjectWide.into(), ..ask(RELEASE, Role::ALL, Action::ModelApprove) },
        expect![[r#"
            deny
              `model.approve` is asked for on a Model, not on a Project"#]],
    );
}

#[test]
fn facts_that_are_too_many_are_denied() {
    let crowd = (0..=u16::try_from(bartizan_policy::limits::PEOPLE).unwrap())
        .map(|number| {
            let mut id = [77; 16];
            id[..2].copy_from_slice(&number.to_be_bytes());
            PersonId::new(bartizan_base::PrincipalId::from_random(id))
        })
        .collect();
    let version = ModelFacts { approvers: crowd, ..model() };
    check(
        approve(RELEASE, &[Role::Approver], version),
        expect![[r#"
        deny
          the question could not be judged: more than 1024 people in one set of facts"#]],
    );
}

#[test]
fn seconds_do_not_change_a_question_and_minutes_do() {
    let policies = policies();
    let at = |millis| {
        let context = ContextFacts::session(LOOPBACK, NOW.plus_millis(millis));
        policies.evaluate(&Question { context, ..ask(RELEASE, &[Role::Viewer], Action::ModelList) }).input
    };
    assert_eq!(at(0), at(59_999));
    assert_ne!(at(0), at(60_000));
}

#[test]
fn digests_tell_questions_and_resources_apart() {
    let policies = policies();
    let decide = |person: PersonId, version: ModelFacts| {
        let principal = PrincipalFacts::person(project(), person, roles(&[Role::Approver]));
        policies.evaluate(&Question { principal, ..approve(RELEASE, &[], version) })
    };
    let first = decide(ANNA, model());
    let by_another = decide(person(4), model());
    assert_ne!(first.input, by_another.input);
    assert_eq!(first.resource, by_another.resource);
    let of_another = decide(ANNA, ModelFacts { sensitive: true, ..model() });
    assert_ne!(first.input, of_another.input);
    assert_ne!(first.resource, of_another.resource);
}
