//! What callers cannot bring about: several keys of a purpose, and authentic records that say what is wrong.

use std::io::{ErrorKind, Read};

use bartizan_base::Timestamp;

use bartizan_store::MemBlobs;

use super::open::assemble;
use super::*;
use crate::OsRandom;
use crate::root::FileKeyStore;

fn key(purpose: Purpose, created: i64, status: KeyStatus) -> (KeyInfo, SigningKey) {
    let algorithm = purpose.algorithm();
    let key = SigningKey::generate(algorithm, &mut OsRandom).unwrap();
    let public = key.public().clone();
    let created_at = Timestamp::from_millis(created);
    (KeyInfo { id: public.id(), purpose, algorithm, public, created_at, status }, key)
}

fn one_of_each() -> Vec<(KeyInfo, SigningKey)> {
    Purpose::ALL.map(|purpose| key(purpose, 1000, KeyStatus::Active)).into()
}

#[test]
fn by_purpose_then_newest_first_then_id() {
    let mut keys = one_of_each();
    keys.push(key(Purpose::Registry, 3000, KeyStatus::Retired));
    keys.push(key(Purpose::Registry, 2000, KeyStatus::Active));
    keys.push(key(Purpose::Registry, 2000, KeyStatus::Active));
    keys.push(key(Purpose::ProjectRoot, 500, KeyStatus::Revoked));
    keys.reverse();
    let signing = assemble(keys).unwrap();
    let order: Vec<_> = signing.list.iter().map(|key| (key.purpose, key.created_at.millis())).collect();
    let expected = [
        (Purpose::ProjectRoot, 1000),
        (Purpose::ProjectRoot, 500),
        (Purpose::LedgerOrigin, 1000),
        (Purpose::Access, 1000),
        (Purpose::Dataset, 1000),
        (Purpose::Registry, 3000),
        (Purpose::Registry, 2000),
        (Purpose::Registry, 2000),
        (Purpose::Registry, 1000),
        (Purpose::ModelSigning, 1000),
        (Purpose::Gateway, 1000),
    ];
    assert_eq!(order, expected);
    assert!(signing.list[6].id < signing.list[7].id);
    // The retired one is newer; the first active one signs.
    assert_eq!(signing.registry.public().id(), signing.list[6].id);
    assert_eq!(signing.project_root.public().id(), signing.list[0].id);
}

#[test]
fn a_purpose_without_an_active_key_is_named() {
    for purpose in Purpose::ALL {
        for status in [KeyStatus::Retired, KeyStatus::Revoked] {
            let mut keys = one_of_each();
            for (info, _) in &mut keys {
                info.status = if info.purpose == purpose { status } else { KeyStatus::Active };
            }
            let result = assemble(keys);
            assert!(matches!(result, Err(OpenKeys::NoActiveKey { purpose: named }) if named == purpose));
        }
    }
}

#[test]
fn one_key_for_two_purposes_is_refused() {
    let mut keys = one_of_each();
    let (info, _) = &keys[2];
    let mut twin = key(Purpose::Access, 2000, KeyStatus::Active);
    twin.0.id = info.id;
    keys.push(twin);
    assert!(matches!(assemble(keys), Err(OpenKeys::Malformed { .. })));
    // Also when they do not stand side by side.
    let mut keys = one_of_each();
    keys[5].0.id = keys[2].0.id;
    assert!(matches!(assemble(keys), Err(OpenKeys::Malformed { .. })));
}

// Whoever holds the keys could still write a record that does not fit its ciphertext, by a fault of the program.
#[test]
fn an_authentic_record_must_fit_its_content() {
    let dir = tempfile::tempdir().unwrap();
    let (key_blobs, blobs) = (MemBlobs::new(), MemBlobs::new());
    let rng = &mut OsRandom;
    let root = Box::new(FileKeyStore::create(dir.path(), rng).unwrap());
    let project = ProjectId::from_random([1; 16]);
    let keys = Keys::create(Arc::new(key_blobs.clone()), root, project, rng, Timestamp::EPOCH).unwrap();
    let content = [5; 3000];
    let blob = keys.seal(&blobs, &mut &content[..], rng, Timestamp::EPOCH).unwrap().blob;
    let record: BlobName = format!("data/{}", blob.as_str().split_once('/').unwrap().1).parse().unwrap();

    let mut key = keys.data_key(&blob).unwrap();
    key.size += 1;
    let bytes = keys.wrap_data_key(&blob, &key, rng).unwrap();
    key_blobs.put(&[(&record, &bytes)]).unwrap();
    assert!(matches!(keys.unseal(&blobs, &blob), Err(UnsealFailed::Changed { .. })));

    key.size -= 1;
    key.digest = Digest::from_bytes([0; 32]);
    let bytes = keys.wrap_data_key(&blob, &key, rng).unwrap();
    key_blobs.put(&[(&record, &bytes)]).unwrap();
    let mut unsealed = keys.unseal(&blobs, &blob).unwrap();
    let mut buf = [0; 2000];
    assert_eq!(unsealed.read(&mut buf).unwrap(), 2000);
    // The last bytes are withheld.
    buf.fill(7);
    assert_eq!(unsealed.read(&mut buf).unwrap_err().kind(), ErrorKind::InvalidData);
    assert!(buf.iter().all(|byte| *byte == 0));
    // It does not end well for whoever reads on, either.
    assert_eq!(unsealed.read(&mut buf).unwrap_err().kind(), ErrorKind::InvalidData);
}
