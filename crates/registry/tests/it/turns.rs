//! One writer at a time: what happens to those who give up waiting, and when the index cannot follow.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::io::Cursor;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bartizan_policy::{ProjectWide, Role, op};
use bartizan_registry::statement::{Sensitivity, Standing};
use bartizan_registry::{Caller, Destination, Failed, KeyLimits, NewBeside, NewDataset, NewDelivery};
use bartizan_store::Db;
use tokio::task::JoinSet;

use crate::world::{World, import_into};

/// Drives a future for so many polls, then drops it.
async fn abandon<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gives_up_waiting_disturbs_nobody() {
    let world = World::new().await;
    for polls in (1..400).step_by(3) {
        let content = format!("content {polls}");
        let files: [(&str, &[u8]); 1] = [("m", content.as_bytes())];
        let import = world.import(&world.admin, &files);
        let done = abandon(import, polls).await.is_some();
        world.registry.ask(&world.admin, op::ModelList, ProjectWide).await.unwrap();
        if done {
            let state = world.registry.state();
            for version in state.models().values().flat_map(|model| model.versions.values()) {
                world.registry.verify_model(&world.admin, &version.body.version).await.unwrap();
            }
            return;
        }
    }
    panic!("an import takes more than 400 polls");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_cannot_follow_costs_no_content() {
    let world = World::new().await;
    let holder = Db::open(&world.directory.path().join("index.db")).await.unwrap();
    let registry = world.reopen_impatient().await;
    let alice = registry.local_caller("alice").await.unwrap();
    let files: [(&str, &[u8]); 1] = [("m", b"weights")];
    let held = holder.tx("somebody else's", async |_tx| {
        Ok::<_, Failed>(import_into(&registry, &alice, &files, Sensitivity::Normal).await.unwrap())
    });
    let version = held.await.unwrap();
    holder.close().await;
    registry.verify_model(&alice, &version).await.unwrap();
    registry.approve(&alice, &version).await.unwrap();
    let again = world.reopen(false).await.unwrap();
    let caller = again.local_caller("alice").await.unwrap();
    assert!(again.verify_model(&caller, &version).await.unwrap().released);
}

#[tokio::test]
async fn a_key_that_was_revoked_meanwhile_decides_nothing() {
    let world = World::new().await;
    let limits = KeyLimits {
        scopes: "model.list".parse().unwrap(),
        networks: "127.0.0.0/8".parse().unwrap(),
        expires_at: world.registry.now().plus_millis(60_000),
    };
    let key = world.registry.issue_key(&world.admin, world.admin.principal(), limits).await.unwrap();
    let admitted = world.registry.admit(&key, "127.0.0.1".parse().unwrap()).unwrap();
    let caller = Caller::key(Arc::clone(&admitted));
    world.registry.ask(&caller, op::ModelList, ProjectWide).await.unwrap();
    world.registry.revoke_key(&world.admin, key.id()).await.unwrap();
    let late = world.registry.ask(&caller, op::ModelList, ProjectWide).await;
    assert!(matches!(late, Err(Failed::KeyEnded)), "{late:?}");
}

/// What is refused later on takes nothing with it that others have stored.
#[tokio::test]
async fn a_refused_delivery_cannot_take_somebody_elses_manifest_with_it() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let digest = bartizan_base::sha256(b"weights").to_hex();
    let manifest = format!(
        r#"{{"files":[{{"path":"m","sha256":"{digest}","size":7}}],"format":"bartizan-manifest-v1"}}"#
    );
    let to = Destination::Dataset("copy".parse().unwrap());
    let permit = world.registry.permit_upload(&dora, &to).await.unwrap();
    let upload = world.registry.upload(&permit, Cursor::new(manifest.into_bytes())).await.unwrap();
    let version = world.import(&world.admin, &[("m", b"weights")]).await.unwrap();
    let new = NewDataset {
        name: "copy".parse().unwrap(),
        deliveries: vec![NewDelivery { upload: upload.id, source: "a guess".to_owned(), signature: None }],
        schema: Some("nonsense".to_owned()),
        label: None,
        extend: false,
        require_signature: false,
        derived: None,
        beside: NewBeside::default(),
    };
    assert!(world.registry.add_data(&dora, new).await.is_err());
    world.registry.verify_model(&world.admin, &version).await.unwrap();
}

/// Reads that are asked for at the same time are recorded together, each in an entry of its own.
#[tokio::test(flavor = "multi_thread")]
async fn reads_are_recorded_one_by_one_and_written_together() {
    let world = World::new().await;
    let before = world.registry.checkpoint().size();
    let mut asked = JoinSet::new();
    for _ in 0..64 {
        let (registry, admin) = (world.registry.clone(), Caller::local(world.admin.principal()));
        asked.spawn(async move { registry.ask(&admin, op::ModelList, ProjectWide).await });
    }
    for answer in asked.join_all().await {
        answer.unwrap();
    }
    assert_eq!(world.registry.checkpoint().size(), before + 64);
    let state = world.registry.state();
    assert_eq!(
        state.logged().iter().filter(|logged| logged.predicate_type.contains("/decision/")).count(),
        64
    );
    world.reopen(false).await.unwrap();
}

/// A decision that waits while what it rests on changes is made anew.
#[tokio::test]
async fn a_read_that_waited_is_decided_on_what_is_so_now() {
    let world = World::new().await;
    let vera = world.person("vera", &[Role::Viewer]).await;
    let disable = world.registry.set_standing(&world.admin, vera.principal(), Standing::Disabled);
    let read = world.registry.ask(&vera, op::ModelList, ProjectWide);
    let (disabled, read) = tokio::join!(disable, read);
    disabled.unwrap();
    assert!(matches!(read, Err(Failed::Refused(_))), "{read:?}");
    world.reopen(false).await.unwrap();
}

/// Whoever keeps changing things holds up nobody's reading.
#[tokio::test(flavor = "multi_thread")]
async fn provers_stop_no_reader() {
    let world = World::new().await;
    let version = world.import(&world.admin, &[("m", b"w")]).await.unwrap();
    world.registry.approve(&world.admin, &version).await.unwrap();
    let mut provers = JoinSet::new();
    for number in 0..3 {
        let (registry, admin) = (world.registry.clone(), Caller::local(world.admin.principal()));
        let alias: bartizan_base::AliasRef = format!("fraud@a{number}").parse().unwrap();
        let version = version.clone();
        provers.spawn(async move {
            loop {
                registry.prove_model(&admin, &version, BTreeSet::new()).await.unwrap();
                registry.set_alias(&admin, &alias, &version).await.unwrap();
            }
        });
    }
    for _ in 0..10 {
        world.registry.ask(&world.admin, op::ModelList, ProjectWide).await.unwrap();
    }
    provers.abort_all();
}
