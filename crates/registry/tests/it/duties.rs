//! Who may not, although they may: duties that stay separated when something changes.

use std::collections::BTreeSet;

use bartizan_policy::api_key::{NotAdmitted, Scopes};
use bartizan_policy::{PrincipalKind, ProjectWide, Role, op};
use bartizan_registry::proof::{VerifyOptions, verify};
use bartizan_registry::statement::{RoleChange, Sensitivity, Standing, VersionState};
use bartizan_registry::{Caller, Failed, KeyClaim, KeyLimits, NewPrincipal, Profile, Quarantine};

use crate::world::World;

#[tokio::test]
async fn raising_the_tier_makes_self_approval_lapse_for_all_to_see() {
    let world = World::new().await;
    let trust = world.trust();
    let adam = world.person("adam", &[Role::Approver]).await;
    let version = world.import(&world.admin, &[("m", b"w")]).await.unwrap();
    world.registry.approve(&world.admin, &version).await.unwrap();
    world.release().await;
    let report = world.registry.verify_model(&adam, &version).await.unwrap();
    assert!(!report.released, "{report:?}");
    let proof = world.registry.prove_model(&adam, &version, BTreeSet::new()).await;
    assert!(matches!(proof, Err(Failed::Conflict { .. })), "{proof:?}");
    let champion = "fraud@champion".parse().unwrap();
    let promoted = world.registry.set_alias(&adam, &champion, &version).await;
    assert!(matches!(promoted, Err(Failed::Conflict { .. })), "{promoted:?}");

    assert_eq!(world.registry.approve(&adam, &version).await.unwrap(), VersionState::Approved);
    assert!(world.registry.verify_model(&adam, &version).await.unwrap().released);
    world.registry.set_alias(&adam, &champion, &version).await.unwrap();
    let since = BTreeSet::from([trust.minimum_size]);
    let proof = world.registry.prove_model(&adam, &version, since).await.unwrap();
    let verdict = verify(&proof.bytes, &trust, None, VerifyOptions { allow_development: true }).unwrap();
    let said = verdict.proven.join("\n");
    assert!(
        said.contains("does not count: before-release") && said.contains("one person made and approved it"),
        "{said}"
    );
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn approvals_end_with_what_they_approved() {
    let world = World::new().await;
    let eve = world.person("eve", &[Role::MlEngineer]).await;
    let adam = world.person("adam", &[Role::Approver]).await;
    let ada = world.person("ada", &[Role::Approver]).await;
    let cy = world.person("cy", &[Role::Approver]).await;
    world.release().await;
    let version = world.import_as(&eve, &[("m", b"w")], Sensitivity::Sensitive).await.unwrap();
    world.registry.approve(&adam, &version).await.unwrap();
    world.registry.approve(&ada, &version).await.unwrap();
    world.registry.retire(&eve, &version, "it leaks data").await.unwrap();
    assert_eq!(world.registry.approve(&cy, &version).await.unwrap(), VersionState::Retired);
    assert_eq!(world.registry.approve(&adam, &version).await.unwrap(), VersionState::Approved);
}

#[tokio::test]
async fn files_that_were_stopped_are_stopped_under_every_name() {
    let world = World::new().await;
    let eve = world.person("eve", &[Role::MlEngineer]).await;
    let adam = world.person("adam", &[Role::Approver, Role::Security]).await;
    let ada = world.person("ada", &[Role::Approver]).await;
    world.release().await;
    let version = world.import(&eve, &[("m", b"w")]).await.unwrap();
    let twin = world.import_named(&eve, "fraud-b", &[("m", b"w")]).await.unwrap();
    world.registry.approve(&ada, &twin).await.unwrap();
    let order = Quarantine { version: version.clone(), reason: "backdoor".to_owned() };
    world.registry.quarantine(&adam, &order).await.unwrap();
    let report = world.registry.verify_model(&ada, &twin).await.unwrap();
    assert!(report.not_released.as_deref().is_some_and(|why| why.contains("fraud:1")), "{report:?}");
    let proof = world.registry.prove_model(&ada, &twin, BTreeSet::new()).await;
    assert!(matches!(proof, Err(Failed::Conflict { .. })), "{proof:?}");
    let third = world.import_named(&eve, "fraud-c", &[("m", b"w")]).await;
    assert!(matches!(third, Err(Failed::Conflict { .. })), "{third:?}");
    let retired = world.registry.retire(&eve, &twin, "stopped elsewhere").await;
    assert!(retired.is_ok(), "{retired:?}");
    let back = world.registry.approve(&adam, &twin).await;
    assert!(matches!(back, Err(Failed::Conflict { .. })), "{back:?}");
    assert_eq!(world.registry.approve(&ada, &version).await.unwrap(), VersionState::Approved);
    assert_eq!(world.registry.approve(&ada, &twin).await.unwrap(), VersionState::Approved);
}

#[tokio::test]
async fn what_is_sensitive_stays_sensitive() {
    let world = World::new().await;
    world.import_as(&world.admin, &[("m", b"w")], Sensitivity::Sensitive).await.unwrap();
    for (name, bytes) in [("fraud", b"new".as_slice()), ("other", b"w")] {
        let lowered = world.import_named(&world.admin, name, &[("m", bytes)]).await;
        assert!(matches!(lowered, Err(Failed::Conflict { .. })), "{name}: {lowered:?}");
    }
    world.import_named(&world.admin, "other", &[("m", b"new")]).await.unwrap();
}

#[tokio::test]
async fn a_confirmation_is_for_one_grant() {
    let world = World::new().await;
    let bob = world.person("bob", &[Role::Admin]).await;
    let mallory = world.person("mallory", &[]).await.principal();
    let security = world.person("sec", &[Role::Security]).await;
    world.release().await;
    let change = async |caller, change| {
        world
            .registry
            .change_role(caller, mallory, Role::Approver, change)
            .await
            .map_err(|error| format!("{error:?}"))
    };
    change(&world.admin, RoleChange::Confirmed).await.unwrap();
    change(&world.admin, RoleChange::Confirmed).await.unwrap();
    change(&bob, RoleChange::Confirmed).await.unwrap();
    change(&bob, RoleChange::Granted).await.unwrap();
    change(&security, RoleChange::Withdrawn).await.unwrap();
    let again = change(&bob, RoleChange::Granted).await;
    assert!(again.as_ref().is_err_and(|why| why.contains("Refused")), "{again:?}");
}

#[tokio::test]
async fn roles_can_be_taken_from_whoever_is_disabled() {
    let world = World::new().await;
    let mallory = world.person("mallory", &[Role::Admin]).await.principal();
    world.registry.set_standing(&world.admin, mallory, Standing::Disabled).await.unwrap();
    let granted = world.registry.change_role(&world.admin, mallory, Role::Viewer, RoleChange::Granted).await;
    assert!(matches!(granted, Err(Failed::Conflict { .. })), "{granted:?}");
    world.registry.change_role(&world.admin, mallory, Role::Admin, RoleChange::Withdrawn).await.unwrap();
    world.registry.set_standing(&world.admin, mallory, Standing::Active).await.unwrap();
    assert!(world.registry.state().roles(mallory).is_empty());
}

#[tokio::test]
async fn somebody_can_always_look_after_the_project() {
    let world = World::new().await;
    let alice = world.admin.principal();
    let disabled = world.registry.set_standing(&world.admin, alice, Standing::Disabled).await;
    assert!(matches!(disabled, Err(Failed::Conflict { .. })), "{disabled:?}");
    let withdrawn = world.registry.change_role(&world.admin, alice, Role::Admin, RoleChange::Withdrawn).await;
    assert!(matches!(withdrawn, Err(Failed::Conflict { .. })), "{withdrawn:?}");
}

#[tokio::test]
async fn in_tier_release_a_key_speaks_for_nobody_but_its_owner() {
    let world = World::new().await;
    let eve = world.person("eve", &[Role::MlEngineer]).await;
    let adam = world.person("adam", &[Role::Approver]).await.principal();
    let kept = world.registry.issue_key(&world.admin, adam, world.limits(1)).await.unwrap();
    let version = world.import(&eve, &[("m", b"w")]).await.unwrap();
    let in_time = world.with_key(&kept).unwrap();
    world.registry.approve(&in_time, &version).await.unwrap();
    let laundered = world.registry.claim_key(&in_time, world.claim("model.approve")).await;
    assert!(matches!(laundered, Err(Failed::Invalid { .. })), "{laundered:?}");
    world.release().await;

    assert_eq!(world.with_key(&kept).unwrap_err(), NotAdmitted::HandedOver);
    let late = world.registry.approve(&in_time, &version).await;
    assert!(matches!(late, Err(Failed::KeyEnded)), "{late:?}");
    let report = world.registry.verify_model(&eve, &version).await.unwrap();
    assert!(!report.released, "approved in tier explore, with a key that somebody else held: {report:?}");
    for limits in [world.limits(1), world.enrolment()] {
        let issued = world.registry.issue_key(&world.admin, adam, limits).await;
        assert!(matches!(issued, Err(Failed::Refused { .. })), "adam holds a role: {issued:?}");
    }
}

#[tokio::test]
async fn a_person_enrols_once_and_holds_a_key_that_nobody_else_has_seen() {
    let world = World::new().await;
    world.release().await;
    let adam = world.person("adam", &[]).await.principal();
    let enrolment = world.registry.issue_key(&world.admin, adam, world.enrolment()).await.unwrap();
    let newcomer = world.with_key(&enrolment).unwrap();
    let listed = world.registry.ask(&newcomer, op::ModelList, ProjectWide).await;
    assert!(matches!(listed, Err(Failed::Refused { .. })), "an enrolment key is good for nothing else");

    let own = world.registry.claim_key(&newcomer, world.claim("model.list, access.key.*")).await.unwrap();
    world.registry.change_role(&world.admin, adam, Role::MlEngineer, RoleChange::Granted).await.unwrap();
    let adam = world.with_key(&own).unwrap();
    world.registry.ask(&adam, op::ModelList, ProjectWide).await.unwrap();

    let twice = world.registry.claim_key(&newcomer, world.claim("model.list")).await;
    assert!(matches!(twice, Err(Failed::KeyEnded)), "{twice:?}");
    assert_eq!(world.with_key(&enrolment).unwrap_err(), NotAdmitted::Revoked);
    let local = world.registry.claim_key(&world.admin, world.claim("model.list")).await;
    assert!(matches!(local, Err(Failed::Refused { .. })), "{local:?}");

    let more = world.registry.claim_key(&adam, world.claim("model.list, model.import")).await;
    assert!(matches!(more, Err(Failed::Invalid { .. })), "{more:?}");
    let next = world.registry.claim_key(&adam, world.claim("model.list")).await.unwrap();
    assert_eq!(world.with_key(&own).unwrap_err(), NotAdmitted::Revoked);
    let adam = world.with_key(&next).unwrap();
    world.registry.ask(&adam, op::ModelList, ProjectWide).await.unwrap();
    let without_scope = world.registry.claim_key(&adam, world.claim("model.list")).await;
    assert!(matches!(without_scope, Err(Failed::Refused { .. })), "{without_scope:?}");
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn an_enrolment_key_ends_within_a_week() {
    let world = World::new().await;
    let adam = world.person("adam", &[]).await.principal();
    let limits = KeyLimits { scopes: Scopes::enrolment(), ..world.limits(8) };
    let issued = world.registry.issue_key(&world.admin, adam, limits).await;
    assert!(matches!(issued, Err(Failed::Terms(_))), "{issued:?}");
    let enrolment = world.registry.issue_key(&world.admin, adam, world.enrolment()).await.unwrap();
    world.clock.advance_millis(8 * 24 * 60 * 60 * 1000);
    assert_eq!(world.with_key(&enrolment).unwrap_err(), NotAdmitted::Expired);
}

#[tokio::test]
async fn nobody_gets_stuck_in_tier_release() {
    let world = World::new().await;
    let missing = async || match world.registry.raise_tier(&world.admin).await {
        Err(Failed::NotReady { admins, approvers }) => (admins, approvers),
        other => panic!("{other:?}"),
    };
    assert_eq!(missing().await, (1, 0));
    world.person("adam", &[Role::Approver]).await;
    assert_eq!(missing().await, (1, 1));
    let new = NewPrincipal {
        kind: PrincipalKind::Person,
        responsible: None,
        profile: Profile { name: "ada".to_owned(), local_user: None, email: None },
    };
    let ada = world.registry.add_principal(&world.admin, new).await.unwrap();
    let role = async |change| {
        world.registry.change_role(&world.admin, ada, Role::Admin, change).await.unwrap();
    };
    role(RoleChange::Granted).await;
    world.registry.issue_key(&world.admin, ada, world.limits(1)).await.unwrap();
    assert_eq!(missing().await, (1, 1), "a key that alice has seen is none that ada could act with");
    role(RoleChange::Withdrawn).await;
    let enrolment = world.registry.issue_key(&world.admin, ada, world.enrolment()).await.unwrap();
    let newcomer = world.with_key(&enrolment).unwrap();
    let key = world.registry.claim_key(&newcomer, world.claim("access.*")).await.unwrap();
    role(RoleChange::Granted).await;
    world.registry.raise_tier(&world.admin).await.unwrap();
    // Without that key nobody could enrol her again, nor make anybody else an admin.
    let refused = world.registry.revoke_key(&world.admin, key.id()).await.unwrap_err();
    assert!(refused.to_string().contains("bartizan access user disable"), "{refused}");
    world.registry.set_standing(&world.admin, ada, Standing::Disabled).await.unwrap();
    assert_eq!(
        world.with_key(&key).unwrap().principal(),
        ada,
        "the key is known, and its owner may do nothing"
    );
    let again = world.registry.revoke_key(&world.admin, key.id()).await;
    assert!(matches!(again, Err(Failed::Conflict { .. })), "nor while she is disabled: {again:?}");
    let asked = world.registry.list_principals(&world.with_key(&key).unwrap()).await;
    assert!(matches!(asked, Err(Failed::Refused { .. })), "{asked:?}");
}

/// Somebody who signs in with a key of their own that is good for this alone.
async fn with_own_key(world: &World, name: &str, role: Role, claim: KeyClaim) -> Caller {
    let profile = Profile { name: name.to_owned(), local_user: None, email: None };
    let new = NewPrincipal { kind: PrincipalKind::Person, responsible: None, profile };
    let who = world.registry.add_principal(&world.admin, new).await.unwrap();
    let enrolment = world.registry.issue_key(&world.admin, who, world.enrolment()).await.unwrap();
    let newcomer = world.with_key(&enrolment).unwrap();
    let key = world.registry.claim_key(&newcomer, claim).await.unwrap();
    world.registry.change_role(&world.admin, who, role, RoleChange::Granted).await.unwrap();
    world.with_key(&key).unwrap()
}

/// Who signs in with a key counts for what its scopes are good for.
#[tokio::test]
async fn an_admin_or_approver_whose_key_can_do_nothing_does_not_count_in_tier_release() {
    let world = World::new().await;
    let missing = async || match world.registry.raise_tier(&world.admin).await {
        Err(Failed::NotReady { admins, approvers }) => (admins, approvers),
        other => panic!("{other:?}"),
    };
    let to_grant = "access.role.grant:admin, access.role.grant:approver, access.role.grant:security";
    let to_confirm = "access.role.confirm:admin, access.role.confirm:approver, access.role.confirm:security";
    for (name, scopes) in [("ann", "model.list"), ("abe", to_grant), ("amy", to_confirm)] {
        with_own_key(&world, name, Role::Admin, world.claim(scopes)).await;
        assert_eq!(missing().await, (1, 0), "{scopes}");
    }
    with_own_key(&world, "bob", Role::Approver, world.claim("model.list")).await;
    assert_eq!(missing().await, (1, 0));
    with_own_key(&world, "ben", Role::Approver, world.claim("model.approve")).await;
    assert_eq!(missing().await, (1, 1));
    let enough = format!("{to_grant}, {to_confirm}, access.key.claim");
    let ada = with_own_key(&world, "ada", Role::Admin, world.claim(&enough)).await;
    world.registry.raise_tier(&world.admin).await.unwrap();

    // One of two who are needed does not give away what she is needed for.
    let narrower = world.registry.claim_key(&ada, world.claim("access.key.claim")).await;
    assert!(narrower.is_err(), "{narrower:?}");
    let narrower = world.registry.claim_key(&ada, world.claim(to_grant)).await;
    assert!(matches!(narrower, Err(Failed::Conflict { .. })), "{narrower:?}");
    let key = world.registry.claim_key(&ada, world.claim(&enough)).await.unwrap();
    let ada = world.with_key(&key).unwrap().principal();
    // Whoever cannot do what the role is for is no reason to keep, and none to let go of somebody who can.
    let withdraw =
        async |from| world.registry.change_role(&world.admin, from, Role::Admin, RoleChange::Withdrawn).await;
    assert!(matches!(withdraw(ada).await, Err(Failed::Conflict { .. })));
    let ann = world.registry.find_principal("ann").await.unwrap();
    withdraw(ann).await.unwrap();
    assert!(matches!(withdraw(ada).await, Err(Failed::Conflict { .. })));
    world.reopen(false).await.unwrap();
}

/// Whether a key has expired is told by the clock, also after it was ahead once and entries say so.
#[tokio::test]
async fn a_clock_that_was_ahead_does_not_end_the_keys_of_those_who_are_needed() {
    let world = World::new().await;
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let claim = KeyClaim { expires_at: world.limits(2).expires_at, ..world.claim("access.*") };
    with_own_key(&world, "ada", Role::Admin, claim).await;
    world.release().await;
    let second = world.registry.find_principal("second admin").await.unwrap();
    world.clock.advance_millis(3 * DAY);
    world.registry.ask(&world.admin, op::ModelList, ProjectWide).await.unwrap();
    let withdraw =
        async || world.registry.change_role(&world.admin, second, Role::Admin, RoleChange::Withdrawn).await;
    let expired = withdraw().await;
    assert!(matches!(expired, Err(Failed::Conflict { .. })), "ada could not sign in: {expired:?}");
    world.clock.advance_millis(-3 * DAY);
    withdraw().await.unwrap();
}

#[tokio::test]
async fn whoever_grants_a_role_is_told_which_keys_it_ended() {
    let world = World::new().await;
    let ned = world.person("ned", &[]).await.principal();
    let issue = async || world.registry.issue_key(&world.admin, ned, world.enrolment()).await.unwrap();
    let change =
        async |change| world.registry.change_role(&world.admin, ned, Role::Viewer, change).await.unwrap();
    let key = issue().await;
    assert_eq!(change(RoleChange::Granted).await.ended_keys, [key.id().to_string()]);
    assert_eq!(change(RoleChange::Withdrawn).await.ended_keys, Vec::<String>::new());
    issue().await;
    world.clock.advance_millis(8 * 24 * 60 * 60 * 1000);
    let ended = change(RoleChange::Granted).await.ended_keys;
    assert_eq!(ended, Vec::<String>::new(), "it had expired anyway");
}

#[tokio::test]
async fn what_one_person_confirmed_is_seen_and_can_be_taken_back() {
    let world = World::new().await;
    world.release().await;
    let sue = world.person("sue", &[]).await.principal();
    let second = world.registry.local_caller("second admin").await.unwrap();
    let change =
        async |by: &Caller, change| world.registry.change_role(by, sue, Role::Approver, change).await;
    let confirmed = async || {
        let all = world.registry.list_principals(&world.admin).await.unwrap();
        all.into_iter().find(|one| one.id == sue).unwrap().confirmed
    };
    change(&world.admin, RoleChange::Confirmed).await.unwrap();
    assert_eq!(confirmed().await, [Role::Approver]);
    change(&second, RoleChange::Withdrawn).await.unwrap();
    assert_eq!(confirmed().await, []);
    let granted = change(&second, RoleChange::Granted).await;
    assert!(matches!(granted, Err(Failed::Refused { .. })), "{granted:?}");
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn tier_release_keeps_those_without_whom_nobody_could_grant_or_approve() {
    let world = World::new().await;
    let sam = world.person("sam", &[Role::Security]).await;
    world.release().await;
    let find = async |name| world.registry.find_principal(name).await.unwrap();
    let (second, approver) = (find("second admin").await, find("some approver").await);
    let withdraw = async |by: &Caller, from, role| {
        world.registry.change_role(by, from, role, RoleChange::Withdrawn).await
    };
    let founder = world.admin.principal();
    for (by, from, role) in [
        (&world.admin, second, Role::Admin),
        (&sam, second, Role::Admin),
        (&sam, founder, Role::Admin),
        (&world.admin, approver, Role::Approver),
    ] {
        let refused = withdraw(by, from, role).await.unwrap_err();
        assert!(matches!(refused, Failed::Conflict { .. }), "{refused:?}");
        assert!(refused.to_string().contains("bartizan access user disable"), "{refused}");
    }
    // Whoever must be stopped at once can be, and that can be undone alone.
    world.registry.set_standing(&world.admin, second, Standing::Disabled).await.unwrap();
    assert!(withdraw(&sam, second, Role::Admin).await.is_err(), "the role would not come back");
    world.registry.set_standing(&world.admin, second, Standing::Active).await.unwrap();

    world.registry.set_standing(&sam, approver, Standing::Disabled).await.unwrap();
    assert!(withdraw(&sam, approver, Role::Approver).await.is_err(), "not in two steps either");
    world.registry.set_standing(&world.admin, approver, Standing::Active).await.unwrap();

    let ada = world.person("ada", &[]).await.principal();
    let secondly = world.registry.local_caller("second admin").await.unwrap();
    world.registry.change_role(&world.admin, ada, Role::Admin, RoleChange::Confirmed).await.unwrap();
    world.registry.change_role(&secondly, ada, Role::Admin, RoleChange::Granted).await.unwrap();
    withdraw(&world.admin, second, Role::Admin).await.unwrap();
    assert!(withdraw(&sam, ada, Role::Admin).await.is_err());
    // Nobody is taken away of whom nobody who can sign in could give anything back.
    world.registry.set_standing(&sam, ada, Standing::Disabled).await.unwrap();
    let alone = world.registry.set_standing(&sam, founder, Standing::Disabled).await;
    assert!(matches!(alone, Err(Failed::Conflict { .. })), "{alone:?}");
}

#[tokio::test]
async fn an_exchange_lifts_no_limit_however_often() {
    let world = World::new().await;
    let eve = world.person("eve", &[Role::MlEngineer]).await;
    let limits = KeyLimits { scopes: "model.list, access.key.claim".parse().unwrap(), ..world.limits(30) };
    let key = world.registry.issue_key(&eve, eve.principal(), limits).await.unwrap();
    let caller = world.with_key(&key).unwrap();
    for scopes in ["access.key.claim", "model.import"] {
        let claim = KeyClaim { expires_at: world.limits(1).expires_at, ..world.claim(scopes) };
        let wider = world.registry.claim_key(&caller, claim).await;
        assert!(matches!(wider, Err(Failed::Invalid { .. })), "{scopes}: {wider:?}");
    }
    let own = world.registry.issue_key(&eve, eve.principal(), world.enrolment()).await;
    assert!(matches!(own, Err(Failed::Invalid { .. })), "nobody enrols themselves: {own:?}");
}

/// One person cannot become another who may do something, in no tier and with no left-over.
#[tokio::test]
async fn nobody_enrols_as_somebody_who_holds_a_role() {
    let world = World::new().await;
    let ned = world.person("ned", &[]).await.principal();
    let issue = async || world.registry.issue_key(&world.admin, ned, world.enrolment()).await;
    let first = world.with_key(&issue().await.unwrap()).unwrap();
    let second = world.with_key(&issue().await.unwrap()).unwrap();
    let ended = world.registry.claim_key(&first, world.claim("read")).await;
    assert!(matches!(ended, Err(Failed::KeyEnded)), "there is one enrolment key at a time: {ended:?}");
    let own = world.registry.claim_key(&second, world.claim("read")).await.unwrap();
    let third = world.with_key(&issue().await.unwrap()).unwrap();
    world.registry.change_role(&world.admin, ned, Role::Approver, RoleChange::Granted).await.unwrap();
    let late = world.registry.claim_key(&third, world.claim("read")).await;
    assert!(matches!(late, Err(Failed::KeyEnded)), "a role ends it: {late:?}");
    let refused = issue().await;
    assert!(matches!(refused, Err(Failed::Refused { .. })), "he holds a role: {refused:?}");
    world.with_key(&own).unwrap();

    world.registry.change_role(&world.admin, ned, Role::Approver, RoleChange::Withdrawn).await.unwrap();
    let again = world.with_key(&issue().await.unwrap()).unwrap();
    world.registry.claim_key(&again, world.claim("read")).await.unwrap();
    assert_eq!(world.with_key(&own).unwrap_err(), NotAdmitted::Revoked, "whoever enrols anew notices");
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn what_was_confirmed_in_explore_is_no_second_opinion_in_release() {
    let world = World::new().await;
    let carol = world.person("carol", &[Role::Admin]).await;
    let mallory = world.person("mallory", &[]).await.principal();
    let change =
        async |caller, change| world.registry.change_role(caller, mallory, Role::Approver, change).await;
    change(&carol, RoleChange::Confirmed).await.unwrap();
    world.release().await;
    let alone = change(&world.admin, RoleChange::Granted).await;
    assert!(matches!(alone, Err(Failed::Refused { .. })), "{alone:?}");
}

/// Nothing is stated when a key expires, and whoever was admitted with it is not admitted any more.
#[tokio::test]
async fn a_key_that_expires_admits_nobody_without_a_statement() {
    let world = World::new().await;
    let key = world.registry.issue_key(&world.admin, world.admin.principal(), world.limits(1)).await.unwrap();
    let caller = world.with_key(&key).unwrap();
    let facts = world.registry.state().facts();
    assert!(world.registry.still_admits(&caller) && world.registry.still_admits(&world.admin));
    world.clock.advance_millis(24 * 60 * 60 * 1000);
    assert!(!world.registry.still_admits(&caller));
    assert!(world.registry.still_admits(&world.admin));
    assert_eq!(world.registry.state().facts(), facts);
}
