//! The life of a model version.

use bartizan_policy::{ProjectWide, Role, op};
use bartizan_registry::statement::{RoleChange, Sensitivity, Standing, VersionState};
use bartizan_registry::{Failed, Quarantine};

use crate::world::World;

#[tokio::test]
async fn an_imported_model_is_approved_by_somebody_else() {
    let world = World::new().await;
    let engineer = world.person("eve", &[Role::MlEngineer]).await;
    let approver = world.person("adam", &[Role::Approver]).await;
    world.release().await;
    let version = world.import(&engineer, &[("model.onnx", b"weights")]).await.unwrap();
    assert_eq!(version.to_string(), "fraud:1");
    let own = world.registry.approve(&engineer, &version).await;
    assert!(matches!(own, Err(Failed::Refused(_))), "{own:?}");
    assert_eq!(world.registry.approve(&approver, &version).await.unwrap(), VersionState::Approved);
    let report = world.registry.verify_model(&approver, &version).await.unwrap();
    assert!(report.released, "{report:?}");
    let again = world.reopen(false).await.unwrap();
    assert_eq!(again.state().version(&version).unwrap().state, VersionState::Approved);
}

#[tokio::test]
async fn a_sensitive_model_needs_two_people_in_tier_release() {
    let world = World::new().await;
    let engineer = world.person("eve", &[Role::MlEngineer]).await;
    let first = world.person("adam", &[Role::Approver]).await;
    let second = world.person("ada", &[Role::Approver]).await;
    world.release().await;
    let version =
        world.import_as(&engineer, &[("model.onnx", b"weights")], Sensitivity::Sensitive).await.unwrap();
    assert_eq!(world.registry.approve(&first, &version).await.unwrap(), VersionState::Candidate);
    let twice = world.registry.approve(&first, &version).await;
    assert!(matches!(twice, Err(Failed::Refused(_))), "{twice:?}");
    assert_eq!(world.registry.approve(&second, &version).await.unwrap(), VersionState::Approved);
}

#[tokio::test]
async fn quarantine_is_lifted_only_by_somebody_else() {
    let world = World::new().await;
    let engineer = world.person("eve", &[Role::MlEngineer]).await;
    let both = world.person("adam", &[Role::Approver, Role::MlEngineer]).await;
    let other = world.person("ada", &[Role::Approver]).await;
    world.release().await;
    let version = world.import(&engineer, &[("model.onnx", b"weights")]).await.unwrap();
    world.registry.approve(&both, &version).await.unwrap();
    let order = Quarantine { version: version.clone(), reason: "drift".to_owned() };
    world.registry.quarantine(&both, &order).await.unwrap();
    let report = world.registry.verify_model(&other, &version).await.unwrap();
    assert_eq!((report.released, report.state), (false, VersionState::Quarantined));
    assert!(matches!(world.registry.approve(&both, &version).await, Err(Failed::Refused(_))));
    assert_eq!(world.registry.approve(&other, &version).await.unwrap(), VersionState::Approved);
}

#[tokio::test]
async fn renamed_files_of_equal_bytes_are_another_model() {
    let world = World::new().await;
    let one = world.import(&world.admin, &[("a.bin", b"1"), ("b.bin", b"2")]).await.unwrap();
    let other = world.import(&world.admin, &[("c.bin", b"1"), ("d.bin", b"2")]).await.unwrap();
    let state = world.registry.state();
    let (one, other) = (&state.version(&one).unwrap().body, &state.version(&other).unwrap().body);
    assert_eq!(one.oms_root, other.oms_root, "the signing bundle's root does not bind names");
    assert_ne!(one.manifest, other.manifest, "the manifest does");
}

#[tokio::test]
async fn the_same_files_are_refused_and_what_exists_survives() {
    let world = World::new().await;
    let version = world.import(&world.admin, &[("a.bin", b"same")]).await.unwrap();
    let again = world.import(&world.admin, &[("a.bin", b"same")]).await;
    assert!(
        matches!(&again, Err(Failed::SameFiles { version: there, .. }) if *there == version),
        "{again:?}"
    );
    assert!(!world.registry.verify_model(&world.admin, &version).await.unwrap().released);
}

#[tokio::test]
async fn a_refused_import_leaves_no_content_behind() {
    let world = World::new().await;
    let before = (world.blobs.count(), world.key_blobs.count());
    let bad = world.import(&world.admin, &[("../escape", b"secret bytes")]).await;
    assert!(matches!(bad, Err(Failed::Manifest(_))), "{bad:?}");
    assert_eq!((world.blobs.count(), world.key_blobs.count()), before);
}

#[tokio::test]
async fn a_clock_that_went_back_stops_writing_but_no_quarantine() {
    let world = World::new().await;
    let version = world.import(&world.admin, &[("m", b"w")]).await.unwrap();
    let bob = world.person("bob", &[Role::Viewer]).await.principal();
    world.clock.advance_millis(-60 * 60 * 1000);
    let late = world.import(&world.admin, &[("a.bin", b"1")]).await;
    assert!(matches!(late, Err(Failed::ClockBehind { behind_seconds: 3600 })), "{late:?}");
    let read = world.registry.ask(&world.admin, op::ModelList, ProjectWide).await;
    assert!(matches!(read, Err(Failed::ClockBehind { .. })), "{read:?}");
    let order = Quarantine { version, reason: "wrong answers".to_owned() };
    world.registry.quarantine(&world.admin, &order).await.unwrap();
    world.registry.set_standing(&world.admin, bob, Standing::Disabled).await.unwrap();
    world.registry.change_role(&world.admin, bob, Role::Viewer, RoleChange::Withdrawn).await.unwrap();
    world.clock.advance_millis(59 * 60 * 1000);
    world.import(&world.admin, &[("a.bin", b"1")]).await.unwrap();
}

/// Whoever comes with a key that the clock calls good can stop a model, whatever time an entry asserted once.
#[tokio::test]
async fn a_clock_that_was_ahead_holds_up_no_quarantine() {
    let world = World::new().await;
    let version = world.import(&world.admin, &[("m", b"w")]).await.unwrap();
    let alice = world.admin.principal();
    let key = world.registry.issue_key(&world.admin, alice, world.limits(30)).await.unwrap();
    world.clock.advance_millis(40 * 24 * 60 * 60 * 1000);
    world.registry.ask(&world.admin, op::ModelList, ProjectWide).await.unwrap();
    world.clock.advance_millis(-40 * 24 * 60 * 60 * 1000);
    let caller = world.with_key(&key).unwrap();
    let order = Quarantine { version, reason: "wrong answers".to_owned() };
    world.registry.quarantine(&caller, &order).await.unwrap();
    world.registry.revoke_key(&caller, key.id()).await.unwrap();
}
