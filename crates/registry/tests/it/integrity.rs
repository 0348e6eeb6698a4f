//! Reading stored versions again: what is damage, what is not, and what a gateway may do about it.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use bartizan_base::{BlobName, Blobs as _, VersionRef};
use bartizan_policy::Role;
use bartizan_registry::proof::{VerifyOptions, verify};
use bartizan_registry::statement::{Damage, VersionState};
use bartizan_registry::{Failed, Registry, Reread};
use bartizan_store::{Faults, Moment};

use crate::world::World;

const GATEWAY: &str = "00112233445566778899aabbccddeeff";

/// Reads all parts of a version again; the first that is damaged.
async fn reread(registry: &Registry, version: &VersionRef) -> Result<Option<(String, Damage)>, Failed> {
    let parts = match registry.stored_parts(version).await? {
        Ok(parts) => parts,
        Err(damage) => return Ok(Some(("the manifest".to_owned(), damage))),
    };
    for part in parts {
        let mut open = match registry.open_stored(&part).await? {
            Ok(open) => open,
            Err(damage) => return Ok(Some((part.name, damage))),
        };
        loop {
            match registry.reread(open).await? {
                Reread::More(rest, _) => open = *rest,
                Reread::Whole => break,
                Reread::Damaged(damage) => return Ok(Some((part.name, damage))),
            }
        }
    }
    Ok(None)
}

fn stored(world: &World) -> Vec<BlobName> {
    world.blobs.list("", None, 1_000).unwrap()
}

fn bytes(world: &World, name: &BlobName) -> Vec<u8> {
    bartizan_base::read_all(&world.blobs, name, 10_000_000).unwrap()
}

#[tokio::test]
async fn every_changed_byte_and_every_missing_part_is_found_and_nothing_else() {
    let world = World::new().await;
    let before = stored(&world);
    let large = vec![7; 3_000_000];
    let files: [(&str, &[u8]); 3] = [("model.onnx", b"weights"), ("large", &large), ("empty", b"")];
    let version = world.import(&world.admin, &files).await.unwrap();
    let found = async || reread(&world.registry, &version).await.unwrap();
    assert_eq!(found().await, None);
    let new: Vec<BlobName> = stored(&world).into_iter().filter(|name| !before.contains(name)).collect();
    let mut damaged = BTreeSet::new();
    for name in new {
        let good = bytes(&world, &name);
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            world.blobs.put(&[(&name, &bad)]).unwrap();
            let Some((part, damage)) = found().await else { continue };
            assert_eq!(damage, Damage::Changed, "{part}");
            damaged.insert(part);
        }
        world.blobs.put(&[(&name, &good[..good.len() - 1])]).unwrap();
        let cut = found().await;
        world.blobs.delete(&name).unwrap();
        let gone = found().await;
        assert_eq!(cut.is_some(), gone.is_some());
        assert!(gone.is_none_or(|(_, damage)| damage == Damage::Missing));
        world.blobs.put(&[(&name, &good)]).unwrap();
        assert_eq!(found().await, None);
    }
    // The declaration of origin is stored too, and nothing that is served.
    assert_eq!(damaged.len(), 5, "{damaged:?}");
}

#[tokio::test]
async fn storage_that_fails_says_nothing_about_what_is_stored() {
    let world = World::new().await;
    let version = world.import(&world.admin, &[("model.onnx", b"weights")]).await.unwrap();
    let counting = Faults::new();
    let registry = world.reopen_failing(&counting).await;
    let opened = counting.calls();
    assert_eq!(reread(&registry, &version).await.unwrap(), None);
    let calls = counting.calls() - opened;
    assert!(calls > 5, "{calls} calls");
    for nth in 1..=calls {
        let faults = Faults::new();
        let registry = world.reopen_failing(&faults).await;
        faults.fail_at(faults.calls() + nth, Moment::Before, ErrorKind::TimedOut);
        let failed = reread(&registry, &version).await;
        assert!(failed.is_err(), "call {nth}: {failed:?}");
    }
}

#[tokio::test]
async fn a_gateway_stops_a_version_and_only_a_person_lifts_that() {
    let world = World::new().await;
    let trust = world.trust();
    let eve = world.person("eve", &[Role::MlEngineer]).await;
    let adam = world.person("adam", &[Role::Approver]).await;
    world.release().await;
    let version = world.import(&eve, &[("model.onnx", b"weights")]).await.unwrap();
    world.registry.approve(&adam, &version).await.unwrap();
    let part = ("customers/jane.onnx", Some(bartizan_base::sha256(b"weights")));
    let stop =
        async |gateway: &str| world.registry.stop_damaged(gateway, &version, part, Damage::Changed).await;
    for gateway in ["", "a gateway", &GATEWAY.to_uppercase(), GATEWAY.trim_end_matches('f')] {
        assert!(stop(gateway).await.is_err(), "`{gateway}` is no gateway's id");
    }
    assert!(stop(GATEWAY).await.unwrap());
    assert!(!stop(GATEWAY).await.unwrap(), "it is stopped already");
    let state = || world.registry.state().version(&version).unwrap().state;
    assert_eq!(state(), VersionState::Quarantined);
    assert!(world.registry.release(&version).await.is_err());
    let (_, reason) = world.registry.words_about(&version).await.unwrap();
    assert_eq!(
        reason.as_deref(),
        Some("a gateway read it again, and what is stored of it is changed: customers/jane.onnx")
    );
    let ledger = world.ledger_bytes();
    assert!(!ledger.windows(4).any(|window| window == b"jane"), "paths can be personal");

    let since = BTreeSet::from([trust.minimum_size]);
    let proof = world.registry.prove_model(&adam, &version, since).await.unwrap().bytes;
    let options = VerifyOptions { allow_development: true };
    let verdict = verify(&proof, &trust, None, options).unwrap();
    assert!(format!("{:?}", verdict.claim).contains("Quarantined"), "{:?}", verdict.claim);

    let early = world.registry.approve(&eve, &version).await;
    assert!(matches!(early, Err(Failed::Refused(_))), "she imported it: {early:?}");
    assert_eq!(world.registry.approve(&adam, &version).await.unwrap(), VersionState::Approved);
    world.registry.release(&version).await.unwrap();

    let again = world.reopen(false).await.unwrap();
    assert_eq!(again.state().version(&version).unwrap().state, VersionState::Approved);
}
