//! Invariants over random questions: no role no mutation, forbids win, separation holds whatever the roles.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use bartizan_base::{ProjectId, Timestamp, sha256};
use bartizan_policy::{
    Access, Action, AliasFacts, ArtifactFacts, ContextFacts, DatasetFacts, Effect, EndpointFacts, GrantFacts,
    KeyFacts, Makers, ModelFacts, PersonId, PrincipalFacts, ProjectFacts, ProjectWide, Question,
    ResourceFacts, ResourceKind, Role, Roles, SourceFacts, Standing, Tier, UserFacts,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::world::{model, person, policies, principal, project};

fn persons() -> impl Strategy<Value = BTreeSet<PersonId>> {
    prop::collection::btree_set((0_u8..5).prop_map(person), 0..4)
}

fn models() -> impl Strategy<Value = ModelFacts> {
    let stopped_by = prop::option::of((0_u8..5).prop_map(person));
    (any::<bool>(), persons(), persons(), persons(), persons(), persons(), stopped_by).prop_map(
        |(sensitive, submitted, owned, trained, imported, approvers, stopped_by)| ModelFacts {
            sensitive,
            makers: Makers { submitted, owned, trained, imported },
            approvers,
            stopped_by,
            ..model()
        },
    )
}

fn resources(kind: ResourceKind) -> BoxedStrategy<ResourceFacts> {
    // A person, or a service that a person is responsible for; and perhaps somebody who confirmed.
    let beneficiary = (0_u8..5, any::<bool>(), prop::option::of((0_u8..5).prop_map(person))).prop_map(
        |(who, service, confirmed_by)| {
            (if service { principal(40 + who) } else { principal(who) }, person(who), confirmed_by)
        },
    );
    match kind {
        ResourceKind::Project => Just(ProjectWide.into()).boxed(),
        ResourceKind::Dataset => {
            Just(DatasetFacts { name: "payments".parse().unwrap(), version: None }.into()).boxed()
        }
        ResourceKind::Model => models().prop_map_into().boxed(),
        ResourceKind::Alias => (any::<bool>(), models())
            .prop_map(|(guarded, target)| {
                AliasFacts { alias: "fraud@prod".parse().unwrap(), guarded, target }.into()
            })
            .boxed(),
        ResourceKind::Endpoint => models()
            .prop_map(|target| {
                EndpointFacts { endpoint: "scores".parse().unwrap(), target: Some(target) }.into()
            })
            .boxed(),
        ResourceKind::User => {
            beneficiary.prop_map(|(principal, person, _)| UserFacts { principal, person }.into()).boxed()
        }
        ResourceKind::Key => beneficiary
            .prop_map(|(principal, person, _)| {
                let key = "00112233aabbccdd".parse().unwrap();
                KeyFacts { key, principal, person, enrolment: false, newcomer: false }.into()
            })
            .boxed(),
        ResourceKind::Grant => beneficiary
            .prop_map(|(to, person, confirmed_by)| GrantFacts { to, person, confirmed_by }.into())
            .boxed(),
        ResourceKind::Source => {
            Just(SourceFacts { source: bartizan_base::SourceId::from_random([5; 16]) }.into()).boxed()
        }
        ResourceKind::Artifact => Just(ArtifactFacts { subject: sha256(b"x") }.into()).boxed(),
    }
}

fn principals(roles: impl Strategy<Value = Roles>) -> impl Strategy<Value = PrincipalFacts> {
    let standing = prop_oneof![8 => Just(Standing::Active), 1 => select(Standing::ALL)];
    let home = prop_oneof![8 => Just(project()), 1 => Just(ProjectId::from_random([8; 16]))];
    (0_u8..3, 0_u8..5, roles, standing, home).prop_map(|(kind, who, roles, standing, home)| {
        let principal = match kind {
            0 => PrincipalFacts::person(home, person(who), roles),
            1 => PrincipalFacts::service(home, principal(40 + who), person(who), roles),
            _ => PrincipalFacts::workload(home, principal(50 + who), person(who), roles),
        };
        principal.with_standing(standing)
    })
}

fn contexts() -> impl Strategy<Value = ContextFacts> {
    (any::<bool>(), any::<u32>(), any::<bool>(), 0_i64..4_000_000_000_000).prop_map(
        |(local, address, loopback, millis)| {
            let now = Timestamp::from_millis(millis);
            let address = if loopback { Ipv4Addr::LOCALHOST } else { Ipv4Addr::from_bits(address) };
            if local { ContextFacts::local(now) } else { ContextFacts::session(IpAddr::V4(address), now) }
        },
    )
}

fn any_roles() -> impl Strategy<Value = Roles> {
    subsequence(Role::ALL, 0..=Role::ALL.len()).prop_map(|list| list.into_iter().collect())
}

fn questions(
    roles: impl Strategy<Value = Roles>,
    actions: Vec<Action>,
    tier: impl Strategy<Value = Tier>,
) -> impl Strategy<Value = Question> {
    (principals(roles), tier, select(actions), contexts()).prop_flat_map(
        |(principal, tier, action, context)| {
            resources(action.kind()).prop_map(move |resource| Question {
                principal: principal.clone(),
                project: ProjectFacts { id: project(), tier },
                action,
                resource,
                context: context.clone(),
            })
        },
    )
}

fn actions(keep: impl Fn(Action) -> bool) -> Vec<Action> {
    Action::ALL.iter().copied().filter(|action| keep(*action)).collect()
}

fn any_tier() -> impl Strategy<Value = Tier> {
    select(Tier::ALL)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn without_a_role_nothing_is_allowed(
        question in questions(Just(Roles::new()), actions(|_| true), any_tier())
    ) {
        prop_assert_eq!(policies().evaluate(&question).effect, Effect::Deny);
    }

    #[test]
    fn auditors_and_viewers_change_nothing_in_tier_release(
        question in questions(
            subsequence(vec![Role::Viewer, Role::Auditor], 1..=2).prop_map(|list| list.into_iter().collect()),
            actions(|action| action.access() == Access::Mutation),
            Just(Tier::Release),
        )
    ) {
        let own_key = matches!(
            (&question.action, &question.resource),
            (Action::KeyIssue | Action::KeyRevoke, ResourceFacts::Key(key))
                if key.person == question.principal.responsible()
        );
        prop_assume!(!own_key);
        prop_assert_eq!(policies().evaluate(&question).effect, Effect::Deny);
    }

    #[test]
    fn no_one_promotes_their_own_work_in_tier_release(
        question in questions(
            any_roles(),
            vec![Action::ModelApprove, Action::ModelAliasSet, Action::EndpointRoute],
            Just(Tier::Release),
        )
    ) {
        let person = question.principal.responsible();
        let own = match &question.resource {
            ResourceFacts::Model(model) => {
                model.makers.contains(person) || model.stopped_by == Some(person)
            }
            ResourceFacts::Alias(alias) => alias.guarded && alias.target.makers.contains(person),
            ResourceFacts::Endpoint(endpoint) => {
                endpoint.target.as_ref().is_some_and(|target| target.makers.contains(person))
            }
            other => panic!("a promotion is asked for on {other:?}"),
        };
        let allowed = policies().evaluate(&question).effect == Effect::Allow;
        prop_assert!(!(own && allowed));
        let approver = question.principal.roles().contains(&Role::Approver);
        if let ResourceFacts::Model(_) = &question.resource {
            prop_assert!(!allowed || approver);
        }
    }

    #[test]
    fn no_one_grants_to_themselves_and_guarded_roles_take_two(
        question in questions(
            any_roles().prop_map(|roles| roles.into_iter().chain([Role::Admin]).collect()),
            actions(|action| matches!(action, Action::RoleGrant(_))),
            any_tier(),
        )
    ) {
        if policies().evaluate(&question).effect == Effect::Deny {
            return Ok(());
        }
        let ResourceFacts::Grant(grant) = &question.resource else { panic!("asked for on a grant") };
        let person = question.principal.responsible();
        prop_assert_ne!(grant.to, question.principal.id());
        prop_assert_ne!(grant.to, person.principal());
        let guarded = matches!(
            question.action,
            Action::RoleGrant(Role::Admin | Role::Approver | Role::Security)
        );
        if guarded && question.project.tier == Tier::Release {
            let second = grant.confirmed_by.unwrap();
            prop_assert_ne!(second, person);
            prop_assert_ne!(second, grant.person);
            prop_assert_ne!(person, grant.person);
        }
    }

    #[test]
    fn the_disabled_strangers_and_distant_never_pass(
        question in questions(any_roles(), actions(|_| true), any_tier())
    ) {
        let decision = policies().evaluate(&question);
        if decision.effect == Effect::Deny {
            return Ok(());
        }
        prop_assert_eq!(question.principal.standing(), Standing::Active);
        prop_assert_eq!(question.principal.project(), question.project.id);
        if question.project.tier == Tier::Explore {
            prop_assert!(matches!(question.context.network().as_str(), "local" | "loopback"));
        } else {
            prop_assert!(!decision.self_approved());
        }
    }

    #[test]
    fn every_decision_has_a_reason_and_the_same_question_the_same_answer(
        question in questions(any_roles(), actions(|_| true), any_tier())
    ) {
        let policies = policies();
        let decision = policies.evaluate(&question);
        prop_assert!(!decision.reasons.is_empty());
        prop_assert_eq!(policies.evaluate(&question.clone()), decision);
    }
}

/// Guards the generators above: a property over questions that are never allowed would prove nothing.
#[test]
fn the_generators_reach_allowed_questions() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let policies = policies();
    let mut runner = TestRunner::deterministic();
    let strategy = questions(any_roles(), actions(|_| true), any_tier());
    let (mut allowed, mut self_approved) = (0, 0);
    for _ in 0..400 {
        let question = strategy.new_tree(&mut runner).unwrap().current();
        let decision = policies.evaluate(&question);
        allowed += u32::from(decision.effect == Effect::Allow);
        self_approved += u32::from(decision.self_approved());
    }
    assert!((80..320).contains(&allowed), "{allowed} of 400 allowed");
    assert!(self_approved > 0);
}
