//! Who may not, although they may: duties that stay separated when something changes.

use std::collections::BTreeSet;

use bartizan_policy::Role;
use bartizan_registry::proof::{VerifyOptions, verify};
use bartizan_registry::statement::{RoleChange, Sensitivity, Standing, VersionState};
use bartizan_registry::{Failed, Quarantine};

use crate::world::World;

#[tokio::test]
async fn raising_the_tier_makes_self_approval_lapse_for_all_to_see() {
    let world = World::new().await;
    let trust = world.trust();
    let adam = world.person("adam", &[Role::Approver]).await;
    let version = world.import(&world.admin, &[("m", b"w")]).await.unwrap();
    world.registry.approve(&world.admin, &version).await.unwrap();
    world.registry.raise_tier(&world.admin).await.unwrap();
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
        said.contains("does not count: maker") && said.contains("one person made and approved it"),
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
    world.registry.raise_tier(&world.admin).await.unwrap();
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
    world.registry.raise_tier(&world.admin).await.unwrap();
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
    world.registry.raise_tier(&world.admin).await.unwrap();
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
