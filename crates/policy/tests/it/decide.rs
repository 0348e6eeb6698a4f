//! Decisions one by one: separation of duties, grants, quarantine, tiers, keys and everything that denies.

use std::net::IpAddr;

use bartizan_base::ProjectId;
use bartizan_policy::{
    Action, ContextFacts, GrantFacts, Makers, ModelFacts, PersonId, PrincipalFacts, ProjectWide, Question,
    ResourceFacts, Role, Standing, Tier,
};
use expect_test::{Expect, expect};

use crate::world::{
    ANNA, BEN, CLARA, LOOPBACK, NOW, alias, ask, key_of, model, people, person, policies, principal, project,
    roles, show,
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
    check(approve(RELEASE, &[Role::Approver], model()), expect![[r#"
        allow
          approvers approve versions"#]]);
}

#[test]
fn a_viewer_does_not_approve() {
    check(approve(RELEASE, &[Role::Viewer], model()), expect![[r#"
        deny
          role approver is needed"#]]);
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
    check(approve(RELEASE, Role::ALL, made_by(makers.clone())), expect![[r#"
        deny
          the version was imported by you: another person must approve
          the version was trained by you: another person must approve"#]]);
    check(approve(RELEASE, &[Role::MlEngineer], made_by(makers)), expect![[r#"
        deny
          the version was imported by you: another person must approve
          the version was trained by you: another person must approve
          role approver is needed"#]]);
}

#[test]
fn a_service_counts_as_the_person_responsible_for_it() {
    let service = |responsible: PersonId| {
        PrincipalFacts::service(project(), principal(40), responsible, roles(&[Role::Approver]))
    };
    let workload = PrincipalFacts::workload(project(), principal(41), CLARA, roles(&[Role::Approver]));
    // Clara imported the version: neither her service nor her workload approves it, the service of Ben does.
    let question = approve(RELEASE, &[], model());
    check(Question { principal: service(CLARA), ..question.clone() }, expect![[r#"
        deny
          the version was imported by you: another person must approve"#]]);
    check(Question { principal: workload, ..question.clone() }, expect![[r#"
        deny
          the version was imported by you: another person must approve"#]]);
    check(Question { principal: service(BEN), ..question }, expect![[r#"
        allow
          approvers approve versions"#]]);
}

#[test]
fn one_person_approves_once() {
    let version = ModelFacts { sensitive: true, approvers: people(&[ANNA]), ..model() };
    check(approve(RELEASE, &[Role::Approver], version), expect![[r#"
        deny
          you have approved this version already: another person must approve"#]]);
    let version = ModelFacts { sensitive: true, approvers: people(&[BEN]), ..model() };
    check(approve(RELEASE, &[Role::Approver], version), expect![[r#"
        allow
          approvers approve versions"#]]);
}

#[test]
fn quarantine_is_lifted_by_another_person() {
    let by = |who| ModelFacts { quarantined_by: Some(who), ..model() };
    check(approve(RELEASE, &[Role::Approver, Role::Security], by(ANNA)), expect![[r#"
        deny
          the version was put in quarantine by you: another person must lift it by approval"#]]);
    check(approve(RELEASE, &[Role::Approver, Role::Security], by(BEN)), expect![[r#"
        allow
          approvers approve versions"#]]);
}

#[test]
fn in_tier_explore_one_person_may_do_everything_and_the_decision_says_so() {
    let makers = Makers { imported: people(&[ANNA]), ..Makers::default() };
    let version = ModelFacts { quarantined_by: Some(ANNA), ..made_by(makers) };
    check(approve(EXPLORE, &[Role::Admin], version), expect![[r#"
        allow
          in tier explore an admin may do everything
          waived: separation-imported
          waived: separation-quarantined"#]]);
    check(approve(EXPLORE, &[Role::Admin], model()), expect![[r#"
        allow
          in tier explore an admin may do everything"#]]);
}

#[test]
fn setting_a_guarded_alias_is_a_promotion() {
    let set = |list: &[Role], guarded, makers: Makers| {
        let mut facts = alias(guarded);
        facts.target.makers = makers;
        Question { resource: facts.into(), ..ask(RELEASE, list, Action::ModelAliasSet) }
    };
    let anna = || Makers { trained: people(&[ANNA]), ..Makers::default() };
    check(set(&[Role::MlEngineer], true, anna()), expect![[r#"
        deny
          the version was trained by you: another person must approve
          role approver is needed"#]]);
    check(set(&[Role::MlEngineer], false, anna()), expect![[r#"
        allow
          ML engineers set aliases that are not guarded"#]]);
    check(set(&[Role::Approver], true, anna()), expect![[r#"
        deny
          the version was trained by you: another person must approve"#]]);
    check(set(&[Role::Approver], true, Makers::default()), expect![[r#"
        allow
          setting a guarded alias is a promotion, and approvers promote"#]]);
}

#[test]
fn a_version_in_quarantine_stays_where_it_is() {
    let quarantined = ModelFacts { quarantined_by: Some(BEN), ..model() };
    let mut facts = alias(false);
    facts.target = quarantined.clone();
    check(
        Question { resource: facts.into(), ..ask(RELEASE, &[Role::MlEngineer], Action::ModelAliasSet) },
        expect![[r#"
            deny
              the version is in quarantine: no alias may point to it"#]],
    );
    let export =
        |list| Question { resource: quarantined.clone().into(), ..ask(RELEASE, list, Action::ModelExport) };
    check(export(&[Role::MlEngineer]), expect![[r#"
        deny
          the version is in quarantine: only security may take it out"#]]);
    check(export(&[Role::Security]), expect![[r#"
        allow
          ML engineers and security take out models"#]]);
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

fn grant(tier: Tier, role: Role, facts: GrantFacts) -> Question {
    Question { resource: facts.into(), ..ask(tier, &[Role::Admin], Action::RoleGrant(role)) }
}

fn to(person: PersonId, confirmed_by: Option<PersonId>) -> GrantFacts {
    GrantFacts { to: person.principal(), person, confirmed_by }
}

#[test]
fn nobody_grants_to_themselves_in_any_tier() {
    check(grant(RELEASE, Role::Viewer, to(ANNA, None)), expect![[r#"
        deny
          nobody grants a role to themselves"#]]);
    check(grant(EXPLORE, Role::Viewer, to(ANNA, None)), expect![[r#"
        deny
          nobody grants a role to themselves"#]]);
    let confirm = ask(RELEASE, &[Role::Admin], Action::RoleConfirm(Role::Admin));
    check(Question { resource: to(ANNA, None).into(), ..confirm }, expect![[r#"
        deny
          nobody grants a role to themselves"#]]);
}

#[test]
fn granting_to_ones_own_service_is_granting_to_oneself_in_tier_release() {
    let facts = || GrantFacts { to: principal(40), person: ANNA, confirmed_by: None };
    check(grant(RELEASE, Role::MlEngineer, facts()), expect![[r#"
        deny
          the role would go to a service or workload that you are responsible for: another person must grant it"#]]);
    check(grant(EXPLORE, Role::MlEngineer, facts()), expect![[r#"
        allow
          admins add users, issue API keys and grant roles
          in tier explore an admin may do everything
          waived: grant-own-service"#]]);
    // The service itself cannot help its person, nor itself, to a role.
    let service = PrincipalFacts::service(project(), principal(40), ANNA, roles(&[Role::Admin]));
    let by_service = |facts| Question { principal: service.clone(), ..grant(EXPLORE, Role::Viewer, facts) };
    check(by_service(to(ANNA, None)), expect![[r#"
        deny
          nobody grants a role to themselves"#]]);
    check(by_service(facts()), expect![[r#"
        deny
          nobody grants a role to themselves"#]]);
}

#[test]
fn guarded_roles_take_two_people_in_tier_release() {
    for role in [Role::Admin, Role::Approver, Role::Security] {
        let policies = policies();
        let decide = |confirmed_by| policies.evaluate(&grant(RELEASE, role, to(CLARA, confirmed_by)));
        expect![[r#"
            deny
              granting admin, approver or security takes two people: another one must confirm"#]
            deny
              granting admin, approver or security takes two people: another one must confirm"#]
            deny
              granting admin, approver or security takes two people: another one must confirm"#]].assert_eq(&show(&decide(None)));
        // Neither the granter nor the beneficiary is a second person.
        expect![[r#"
            deny
              granting admin, approver or security takes two people: another one must confirm"#]
            deny
              granting admin, approver or security takes two people: another one must confirm"#]
            deny
              granting admin, approver or security takes two people: another one must confirm"#]].assert_eq(&show(&decide(Some(ANNA))));
        expect![[r#"
            deny
              granting admin, approver or security takes two people: another one must confirm"#]
            deny
              granting admin, approver or security takes two people: another one must confirm"#]
            deny
              granting admin, approver or security takes two people: another one must confirm"#]].assert_eq(&show(&decide(Some(CLARA))));
        expect![[r#"
            allow
              admins add users, issue API keys and grant roles"#]
            allow
              admins add users, issue API keys and grant roles"#]
            allow
              admins add users, issue API keys and grant roles"#]].assert_eq(&show(&decide(Some(BEN))));
    }
    check(grant(RELEASE, Role::DataScientist, to(CLARA, None)), expect![[r#"
        allow
          admins add users, issue API keys and grant roles"#]]);
    check(grant(EXPLORE, Role::Approver, to(CLARA, None)), expect![[r#"
        allow
          admins add users, issue API keys and grant roles
          in tier explore an admin may do everything
          waived: grant-alone"#]]);
}

#[test]
fn an_admin_cannot_take_the_key_of_another_persons_service() {
    let issue = |tier, facts| Question {
        resource: ResourceFacts::Key(facts),
        ..ask(tier, &[Role::Admin], Action::KeyIssue)
    };
    check(issue(RELEASE, key_of(BEN)), expect![[r#"
        deny
          the API key would speak for another person: only the person responsible for it may be handed its secret"#]]);
    check(issue(RELEASE, key_of(ANNA)), expect![[r#"
        allow
          admins add users, issue API keys and grant roles
          everybody with a role may issue and revoke the API keys they are responsible for"#]]);
    check(issue(EXPLORE, key_of(BEN)), expect![[r#"
        allow
          admins add users, issue API keys and grant roles
          in tier explore an admin may do everything
          waived: key-for-another"#]]);
}

#[test]
fn a_project_does_not_leave_tier_release() {
    check(ask(RELEASE, &[Role::Admin], Action::ProjectTier(EXPLORE)), expect![[r#"
        deny
          a project in tier release stays there: going back would undo the separation of duties"#]]);
    check(ask(EXPLORE, &[Role::Admin], Action::ProjectTier(RELEASE)), expect![[r#"
        allow
          in tier explore an admin may do everything
          admins look after the project"#]]);
}

#[test]
fn a_project_is_set_up_on_its_own_machine() {
    let init = ask(EXPLORE, &[Role::Admin], Action::ProjectInit);
    check(init.clone(), expect![[r#"
        deny
          a project is set up on its own machine, in its data directory"#]]);
    check(Question { context: ContextFacts::local(NOW), ..init }, expect![[r#"
        allow
          in tier explore an admin may do everything
          admins look after the project"#]]);
}

#[test]
fn tier_explore_answers_only_on_its_own_machine() {
    let from = |tier, address: &str| {
        let address: IpAddr = address.parse().unwrap();
        Question {
            context: ContextFacts::session(address, NOW),
            ..ask(tier, &[Role::Admin], Action::ModelList)
        }
    };
    check(from(EXPLORE, "10.1.2.3"), expect![[r#"
        deny
          a project in tier explore answers only on its own machine"#]]);
    check(from(EXPLORE, "::1"), expect![[r#"
        allow
          in tier explore an admin may do everything
          everybody with a role may see assets, the ledger and the trust file"#]]);
    check(from(EXPLORE, "::ffff:127.0.0.1"), expect![[r#"
        allow
          in tier explore an admin may do everything
          everybody with a role may see assets, the ledger and the trust file"#]]);
    check(from(RELEASE, "203.0.113.7"), expect![[r#"
        allow
          everybody with a role may see assets, the ledger and the trust file"#]]);
}

#[test]
fn the_disabled_do_nothing() {
    let with = |standing| {
        let question = ask(RELEASE, Role::ALL, Action::ModelList);
        Question { principal: question.principal.clone().with_standing(standing), ..question }
    };
    check(with(Standing::Disabled), expect![[r#"
        deny
          your access is disabled"#]]);
    check(with(Standing::PersonDisabled), expect![[r#"
        deny
          the person responsible for this service or workload is disabled"#]]);
}

#[test]
fn roles_of_another_project_are_worth_nothing() {
    let elsewhere = ProjectId::from_random([8; 16]);
    let stranger = PrincipalFacts::person(elsewhere, ANNA, roles(&[Role::Admin]));
    check(
        Question { principal: stranger, ..ask(EXPLORE, &[], Action::ModelList) },
        expect![[r#"
            deny
              your roles are those of another project"#]],
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
    check(approve(RELEASE, &[Role::Approver], version), expect![[r#"
        deny
          the question could not be judged: more than 1024 people in one set of facts"#]]);
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
