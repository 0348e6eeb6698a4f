//! Storage that fails at the n-th call, in every way: nothing acknowledged is lost, nothing half-written counts.

use std::io::ErrorKind;

use bartizan_ledger::fsck;
use bartizan_registry::statement::Sensitivity;
use bartizan_store::{Faults, Moment};

use crate::world::{World, import_into};

#[tokio::test]
async fn an_import_survives_storage_that_fails_at_any_call() {
    let world = World::new().await;
    let counting = Faults::new();
    let registry = world.reopen_failing(&counting).await;
    let opened = counting.calls();
    let caller = registry.local_caller("alice").await.unwrap();
    import_into(&registry, &caller, &[("m", b"first")], Sensitivity::Normal).await.unwrap();
    let calls = counting.calls() - opened;
    assert!(calls > 20, "an import makes {calls} calls");
    drop(registry);
    let mut done = 1;
    for nth in (1..=calls).step_by(3) {
        for moment in [Moment::Before, Moment::Halfway, Moment::After] {
            let faults = Faults::new();
            let registry = world.reopen_failing(&faults).await;
            let caller = registry.local_caller("alice").await.unwrap();
            faults.fail_at(faults.calls() + nth, moment, ErrorKind::StorageFull);
            let content = format!("content {nth} {moment:?}");
            let imported =
                import_into(&registry, &caller, &[("m", content.as_bytes())], Sensitivity::Normal).await;
            drop(registry);
            let again =
                world.reopen(false).await.unwrap_or_else(|error| panic!("call {nth} {moment:?}: {error:?}"));
            let versions =
                again.state().models()[&"fraud".parse::<bartizan_base::Name>().unwrap()].versions.len();
            assert!(versions == done || versions == done + 1, "call {nth} {moment:?}");
            if let Ok(version) = imported {
                assert_eq!(
                    versions,
                    done + 1,
                    "{version} was acknowledged and lost at call {nth} {moment:?}"
                );
            }
            done = versions;
            let report = fsck(&world.ledger, Some(&world.heads), again.log(), std::num::NonZeroUsize::MIN);
            assert!(report.is_clean(), "call {nth} {moment:?}: {:?}", report.defects);
        }
    }
    let registry = world.reopen(false).await.unwrap();
    let caller = registry.local_caller("alice").await.unwrap();
    let state = registry.state();
    for version in state.models()[&"fraud".parse::<bartizan_base::Name>().unwrap()].versions.values() {
        registry.verify_model(&caller, &version.body.version).await.unwrap();
    }
}
