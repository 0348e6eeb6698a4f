//! Grants and API keys: never to oneself, two people for guarded roles, no key that speaks for another.

use bartizan_policy::{Action, GrantFacts, PersonId, PrincipalFacts, Question, ResourceFacts, Role, Tier};
use expect_test::{Expect, expect};

use crate::world::{ANNA, BEN, CLARA, allowed, ask, key_of, policies, principal, project, roles, show};

const RELEASE: Tier = Tier::Release;
const EXPLORE: Tier = Tier::Explore;

#[track_caller]
fn check(question: Question, expected: Expect) {
    expected.assert_eq(&show(&policies().evaluate(&question)));
}

fn grant(tier: Tier, role: Role, facts: GrantFacts) -> Question {
    Question { resource: facts.into(), ..ask(tier, &[Role::Admin], Action::RoleGrant(role)) }
}

fn to(person: PersonId, confirmed_by: Option<PersonId>) -> GrantFacts {
    GrantFacts { to: person.principal(), person, confirmed_by }
}

#[test]
fn nobody_grants_to_themselves_in_any_tier() {
    check(
        grant(RELEASE, Role::Viewer, to(ANNA, None)),
        expect![[r#"
        deny
          nobody grants a role to themselves"#]],
    );
    check(
        grant(EXPLORE, Role::Viewer, to(ANNA, None)),
        expect![[r#"
        deny
          nobody grants a role to themselves"#]],
    );
    let confirm = ask(RELEASE, &[Role::Admin], Action::RoleConfirm(Role::Admin));
    check(
        Question { resource: to(ANNA, None).into(), ..confirm },
        expect![[r#"
        deny
          nobody grants a role to themselves"#]],
    );
}

#[test]
fn granting_to_ones_own_service_is_granting_to_oneself_in_tier_release() {
    let facts = || GrantFacts { to: principal(40), person: ANNA, confirmed_by: None };
    check(
        grant(RELEASE, Role::MlEngineer, facts()),
        expect![[r#"
        deny
          the role would go to a service or workload that you are responsible for: another person must grant it"#]],
    );
    check(
        grant(EXPLORE, Role::MlEngineer, facts()),
        expect![[r#"
        allow
          admins add users, issue API keys and grant roles
          in tier explore an admin may do everything
          waived: grant-own-service"#]],
    );
    // The service itself cannot help its person, nor itself, to a role.
    let service = PrincipalFacts::service(project(), principal(40), ANNA, roles(&[Role::Admin]));
    let by_service = |facts| Question { principal: service.clone(), ..grant(EXPLORE, Role::Viewer, facts) };
    check(
        by_service(to(ANNA, None)),
        expect![[r#"
        deny
          nobody grants a role to themselves"#]],
    );
    check(
        by_service(facts()),
        expect![[r#"
        deny
          nobody grants a role to themselves"#]],
    );
}

#[test]
fn guarded_roles_take_two_people_in_tier_release() {
    // Neither the granter nor the beneficiary is a second person.
    check(
        grant(RELEASE, Role::Approver, to(CLARA, None)),
        expect![[r#"
        deny
          granting admin, approver or security takes two people: another one must confirm"#]],
    );
    check(
        grant(RELEASE, Role::Approver, to(CLARA, Some(BEN))),
        expect![[r#"
        allow
          admins add users, issue API keys and grant roles"#]],
    );
    for role in [Role::Admin, Role::Approver, Role::Security] {
        let decide = |confirmed_by| allowed(policies(), &grant(RELEASE, role, to(CLARA, confirmed_by)));
        let answers = [None, Some(ANNA), Some(CLARA), Some(BEN)].map(decide);
        assert_eq!(answers, [false, false, false, true], "{role}");
    }
    check(
        grant(RELEASE, Role::DataScientist, to(CLARA, None)),
        expect![[r#"
        allow
          admins add users, issue API keys and grant roles"#]],
    );
    check(
        grant(EXPLORE, Role::Approver, to(CLARA, None)),
        expect![[r#"
        allow
          admins add users, issue API keys and grant roles
          in tier explore an admin may do everything
          waived: grant-alone"#]],
    );
}

#[test]
fn an_admin_cannot_take_the_key_of_another_persons_service() {
    let issue = |tier, facts| Question {
        resource: ResourceFacts::Key(facts),
        ..ask(tier, &[Role::Admin], Action::KeyIssue)
    };
    check(
        issue(RELEASE, key_of(BEN)),
        expect![[r#"
        deny
          the API key would speak for another person: nobody else may see its secret; who holds no role yet can be sent an enrolment key"#]],
    );
    check(
        issue(RELEASE, key_of(ANNA)),
        expect![[r#"
        allow
          admins add users, issue API keys and grant roles
          everybody with a role may issue and revoke the API keys they are responsible for"#]],
    );
    check(
        issue(EXPLORE, key_of(BEN)),
        expect![[r#"
        allow
          admins add users, issue API keys and grant roles
          in tier explore an admin may do everything
          waived: key-for-another"#]],
    );
}
