//! Tiers, networks, standing and other projects: from where, and in which state, nobody passes.

use std::net::IpAddr;

use bartizan_base::ProjectId;
use bartizan_policy::{Action, ContextFacts, PrincipalFacts, Question, Role, Standing, Tier};
use expect_test::{Expect, expect};

use crate::world::{ANNA, NOW, ask, policies, roles, show};

const RELEASE: Tier = Tier::Release;
const EXPLORE: Tier = Tier::Explore;

#[track_caller]
fn check(question: Question, expected: Expect) {
    expected.assert_eq(&show(&policies().evaluate(&question)));
}

#[test]
fn a_project_does_not_leave_tier_release() {
    check(
        ask(RELEASE, &[Role::Admin], Action::ProjectTier(EXPLORE)),
        expect![[r#"
        deny
          a project in tier release stays there: going back would undo the separation of duties"#]],
    );
    check(
        ask(EXPLORE, &[Role::Admin], Action::ProjectTier(RELEASE)),
        expect![[r#"
        allow
          in tier explore an admin may do everything
          admins look after the project"#]],
    );
}

#[test]
fn a_project_is_set_up_on_its_own_machine() {
    let init = ask(EXPLORE, &[Role::Admin], Action::ProjectInit);
    check(
        init.clone(),
        expect![[r#"
        deny
          a project is set up on its own machine, in its data directory"#]],
    );
    check(
        Question { context: ContextFacts::local(NOW), ..init },
        expect![[r#"
        allow
          in tier explore an admin may do everything
          admins look after the project"#]],
    );
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
    check(
        from(EXPLORE, "10.1.2.3"),
        expect![[r#"
        deny
          a project in tier explore answers only on its own machine"#]],
    );
    check(
        from(EXPLORE, "::1"),
        expect![[r#"
        allow
          in tier explore an admin may do everything
          everybody with a role may see assets, the ledger and the trust file"#]],
    );
    check(
        from(EXPLORE, "::ffff:127.0.0.1"),
        expect![[r#"
        allow
          in tier explore an admin may do everything
          everybody with a role may see assets, the ledger and the trust file"#]],
    );
    check(
        from(RELEASE, "203.0.113.7"),
        expect![[r#"
        allow
          everybody with a role may see assets, the ledger and the trust file"#]],
    );
}

#[test]
fn the_disabled_do_nothing() {
    let with = |standing| {
        let question = ask(RELEASE, Role::ALL, Action::ModelList);
        Question { principal: question.principal.clone().with_standing(standing), ..question }
    };
    check(
        with(Standing::Disabled),
        expect![[r#"
        deny
          your access is disabled"#]],
    );
    check(
        with(Standing::PersonDisabled),
        expect![[r#"
        deny
          the person responsible for this service or workload is disabled"#]],
    );
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
