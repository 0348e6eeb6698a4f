//! A project's keys: made once and whole, opened only unchanged, listed in a fixed order.

use std::sync::Arc;

use bartizan_base::{BlobErrorKind, Blobs, Digest, canonical};
use bartizan_keys::{
    Algorithm, CreateKeys, FileKeyStore, KeyStatus, KeyStore, KeyStoreError, Keys, OpenKeys, Purpose,
    RootKey, RootKind, Secret, Wrapped,
};
use bartizan_store::{FailingBlobs, Faults, MemBlobs, Moment};
use expect_test::expect;
use rand_core::CryptoRng;
use serde_json::{Value, json};

use crate::support::{NOW, World, bytes, chain, name, project, rng, sealed_store};

const RECORD: &str = "project-keys.json";

#[test]
fn a_new_project_has_one_key_for_each_purpose() {
    let world = World::new(1);
    let list = world.keys.list();
    assert_eq!(list.iter().map(|key| key.purpose).collect::<Vec<_>>(), Purpose::ALL);
    for info in list {
        assert_eq!(world.keys.signing(info.purpose).public(), &info.public);
        assert_eq!(info.public.id(), info.id);
        assert_eq!((info.status, info.created_at), (KeyStatus::Active, NOW));
        let quick = matches!(info.purpose, Purpose::LedgerOrigin | Purpose::Gateway);
        let expected = if quick { Algorithm::Ed25519 } else { Algorithm::EcdsaP256Sha256 };
        assert_eq!((info.algorithm, info.public.algorithm()), (expected, expected));
    }
    let mut ids: Vec<_> = list.iter().map(|key| key.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), Purpose::ALL.len());
    expect!["project-root ledger-origin access dataset registry model-signing gateway"]
        .assert_eq(&list.iter().map(|key| key.purpose.to_string()).collect::<Vec<_>>().join(" "));
}

#[test]
fn opening_gives_the_same_keys() {
    let world = World::new(1);
    let again = world.open_through(world.key_blobs.clone());
    assert_eq!(again.list(), world.keys.list());
    assert_eq!(again.project(), project(1));
    let digest = Digest::from_bytes([5; 32]);
    assert_eq!(again.blob_name(&digest), world.keys.blob_name(&digest));
    for purpose in Purpose::ALL {
        let signature = again.signing(purpose).sign(b"message").unwrap();
        assert!(world.keys.signing(purpose).public().verify(b"message", &signature).is_ok());
    }
}

#[test]
fn keys_are_never_replaced() {
    let world = World::new(1);
    let before = bytes(&world.key_blobs, &name(RECORD));
    let blobs = Arc::new(world.key_blobs.clone());
    let again = Keys::create(blobs, world.root(), project(2), &mut rng(9), NOW);
    assert!(matches!(again, Err(CreateKeys::Exists)));
    assert_eq!(bytes(&world.key_blobs, &name(RECORD)), before);

    let nothing = Keys::open(Arc::new(MemBlobs::new()), world.root());
    assert!(matches!(nothing, Err(OpenKeys::NotFound)));
}

#[test]
fn development_stays_development() {
    let world = World::new(1);
    assert!(world.keys.development());
    let dir = tempfile::tempdir().unwrap();
    let blobs = Arc::new(MemBlobs::new());
    let keys = Keys::create(blobs.clone(), Box::new(sealed_store(&dir, 1)), project(1), &mut rng(2), NOW);
    assert!(!keys.unwrap().development());
    let text = String::from_utf8(bytes(&*blobs, &name(RECORD))).unwrap();
    assert!(text.contains("\"development\":false"));
}

// A key that was ever protected by a development root key alone may have been read by anybody.
#[test]
fn a_better_root_key_does_not_end_development() {
    struct Relabelled(FileKeyStore);
    impl KeyStore for Relabelled {
        fn describe(&self) -> RootKey {
            RootKey { kind: RootKind::SealedFile, development: false, ..self.0.describe() }
        }
        fn wrap(
            &self,
            secret: &Secret,
            aad: &[u8],
            rng: &mut dyn CryptoRng,
        ) -> Result<Wrapped, KeyStoreError> {
            self.0.wrap(secret, aad, rng)
        }
        fn unwrap(&self, wrapped: &Wrapped, aad: &[u8]) -> Result<Secret, KeyStoreError> {
            self.0.unwrap(wrapped, aad)
        }
    }
    let world = World::new(1);
    let root = Box::new(Relabelled(FileKeyStore::open(world.dir.path()).unwrap()));
    assert!(!root.describe().development);
    assert!(Keys::open(Arc::new(world.key_blobs.clone()), root).unwrap().development());
}

#[test]
fn another_root_key_opens_nothing() {
    let world = World::new(1);
    let dir = tempfile::tempdir().unwrap();
    let other: Box<dyn KeyStore> = Box::new(FileKeyStore::create(dir.path(), &mut rng(50)).unwrap());
    let opened = Keys::open(Arc::new(world.key_blobs.clone()), other);
    assert!(matches!(opened, Err(OpenKeys::Root(KeyStoreError::OtherKey { .. }))));
}

// Rewrites the record as canonical JSON, so that only the change itself can be what is refused.
fn open_changed(world: &World, change: impl FnOnce(&mut Value)) -> Result<Keys, OpenKeys> {
    let mut record: Value = serde_json::from_slice(&bytes(&world.key_blobs, &name(RECORD))).unwrap();
    let before = record.clone();
    change(&mut record);
    assert_ne!(record, before);
    let blobs = MemBlobs::new();
    blobs.put(&[(&name(RECORD), &canonical::to_bytes(&record).unwrap())]).unwrap();
    Keys::open(Arc::new(blobs), world.root())
}

// The key record says nothing else then, but it is not the one that was written.
#[test]
fn other_spellings_of_the_record_are_refused() {
    let world = World::new(1);
    let time = open_changed(&world, |record| record["body"]["created_at"] = json!("2026-03-01T12:00:00Z"));
    expect!["the project keys are malformed: not a canonical key record"].assert_eq(&chain(time));
    let mac = open_changed(&world, |record| {
        record["mac"] = record["mac"].as_str().unwrap().to_uppercase().into();
    });
    expect!["the project keys were changed"].assert_eq(&chain(mac));
}

#[test]
fn every_change_of_the_record_is_noticed() {
    let world = World::new(1);
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 9] = [
        ("created", |record| record["body"]["created_at"] = json!("2020-01-01T00:00:00.000Z")),
        ("development", |record| record["body"]["development"] = json!(false)),
        ("status", |record| record["body"]["signing"][2]["status"] = json!("revoked")),
        ("purpose", |record| {
            let access = record["body"]["signing"][2]["purpose"].take();
            record["body"]["signing"][2]["purpose"] = record["body"]["signing"][3]["purpose"].take();
            record["body"]["signing"][3]["purpose"] = access;
        }),
        ("order", |record| record["body"]["signing"].as_array_mut().unwrap().swap(0, 5)),
        ("missing key", |record| drop(record["body"]["signing"].as_array_mut().unwrap().pop())),
        ("repeated key", |record| {
            let key = record["body"]["signing"][0].clone();
            record["body"]["signing"].as_array_mut().unwrap().push(key);
        }),
        ("naming", |record| record["body"]["naming"] = record["body"]["signing"][0]["sealed"].clone()),
        ("mac", |record| record["mac"] = json!("00".repeat(32))),
    ];
    for (what, change) in changes {
        assert!(matches!(open_changed(&world, change), Err(OpenKeys::Changed)), "{what}");
    }
    // The project and the wrapping key are bound already where the root key wraps.
    let opened = open_changed(&world, |record| record["body"]["project"] = json!(project(2).to_string()));
    assert!(matches!(opened, Err(OpenKeys::Root(KeyStoreError::Changed))));
    let opened = open_changed(&world, |record| record["body"]["wrapping"]["id"] = json!("00".repeat(16)));
    assert!(matches!(opened, Err(OpenKeys::Root(KeyStoreError::Changed))));
}

#[test]
fn malformed_records_are_refused_by_rule() {
    let world = World::new(1);
    let opened = open_changed(&world, |record| record["body"]["format"] = json!("bartizan-key-store-v2"));
    expect!["the project keys are malformed: unknown format"].assert_eq(&chain(opened));
    let opened = open_changed(&world, |record| record["body"]["extra"] = json!(1));
    expect!["the project keys are malformed: not a canonical key record"].assert_eq(&chain(opened));
    let opened = open_changed(&world, |record| record["body"]["wrapping"]["sealed"] = json!("*"));
    expect!["the project keys are malformed: a key is not base64"].assert_eq(&chain(opened));

    let blobs = MemBlobs::new();
    let mut spaced = bytes(&world.key_blobs, &name(RECORD));
    spaced.push(b'\n');
    blobs.put(&[(&name(RECORD), &spaced)]).unwrap();
    let opened = Keys::open(Arc::new(blobs), world.root());
    expect!["the project keys are malformed: not a canonical key record"].assert_eq(&chain(opened));
}

// Whichever call of the storage fails, there are afterwards no keys or whole ones.
#[test]
fn making_keys_survives_a_failing_storage() {
    let world = World::new(1);
    for moment in [Moment::Before, Moment::After] {
        for call in 1.. {
            let faults = Faults::new();
            faults.fail_at(call, moment, std::io::ErrorKind::Other);
            let blobs = MemBlobs::new();
            let failing = Arc::new(FailingBlobs::new(blobs.clone(), faults.clone()));
            let made = Keys::create(failing, world.root(), project(1), &mut rng(7), NOW);
            if faults.calls() < call {
                assert!(made.is_ok());
                assert_eq!(call, 3, "a look and a write");
                break;
            }
            // The look finds nothing and says so, and has no other answer to lose.
            if (call, moment) != (1, Moment::After) {
                assert!(matches!(&made, Err(CreateKeys::Storage(error)) if error.kind == BlobErrorKind::Io));
            }
            match Keys::open(Arc::new(blobs.clone()), world.root()) {
                Ok(keys) => assert_eq!((keys.list().len(), moment), (Purpose::ALL.len(), Moment::After)),
                Err(OpenKeys::NotFound) => {
                    Keys::create(Arc::new(blobs), world.root(), project(1), &mut rng(8), NOW).unwrap();
                }
                Err(error) => panic!("half-made keys: {error}"),
            }
        }
    }
}

#[test]
fn a_failing_storage_is_not_taken_for_missing_keys() {
    let world = World::new(1);
    for call in 1.. {
        let faults = Faults::new();
        faults.fail_at(call, Moment::Before, std::io::ErrorKind::PermissionDenied);
        let failing = FailingBlobs::new(world.key_blobs.clone(), faults.clone());
        let opened = Keys::open(Arc::new(failing), world.root());
        if faults.calls() < call {
            break;
        }
        assert!(matches!(opened, Err(OpenKeys::Storage(error)) if error.kind == BlobErrorKind::Denied));
    }
}
