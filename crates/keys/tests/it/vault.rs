//! Content under keys: sealed once, read back, bound to its project, gone when its key is destroyed.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use bartizan_base::{BlobError, BlobName, BlobReader, BlobWriter, Blobs, Digest, canonical, sha256};
use bartizan_keys::{EraseFailed, FileKeyStore, Keys, SealFailed, Sealed, UnsealFailed, commitment};
use bartizan_store::{DirBlobs, MemBlobs};
use serde_json::{Value, json};

use crate::support::{NOW, World, bytes, name, pattern, project, rng};

fn seal(world: &World, content: &[u8], seed: u64) -> Sealed {
    world.keys.seal(&world.blobs, &mut &content[..], &mut rng(seed), NOW).unwrap()
}

fn record_of(sealed: &Sealed) -> BlobName {
    name(&format!("data/{}", &sealed.blob.as_str()[3..]))
}

#[test]
fn content_comes_back() {
    let world = World::new(1);
    for len in [0, 1, 1000, (1 << 20) - 56, (1 << 20) - 55, 3 << 20] {
        let content = pattern(len);
        let sealed = seal(&world, &content, len as u64);
        assert_eq!(sealed.digest, sha256(&content));
        assert_eq!((sealed.size, sealed.already), (len as u64, false));
        assert_eq!(sealed.blob, world.keys.blob_name(&sealed.digest));
        assert!(world.content(&sealed.blob) == content, "{len}");

        let mut unsealed = world.keys.unseal(&world.blobs, &sealed.blob).unwrap();
        assert_eq!((unsealed.len(), unsealed.is_empty()), (len as u64, len == 0));
        assert_eq!((unsealed.digest(), unsealed.commitment()), (sealed.digest, sealed.commitment));
        assert_eq!(commitment(unsealed.salt(), &sealed.digest), sealed.commitment);
        let mut tail = vec![0; 10.min(len)];
        let from = (len - tail.len()) as u64;
        assert_eq!(unsealed.read_at(from, &mut tail).unwrap(), tail.len());
        assert_eq!(tail, content[len - tail.len()..]);
    }
}

#[test]
fn the_commitment_is_the_documented_one() {
    let salt = [1; 32];
    let digest = sha256(b"content");
    assert_eq!(commitment(&salt, &digest), sha256(&[salt, *digest.as_bytes()].concat()));
}

#[test]
fn equal_content_is_stored_once() {
    let world = World::new(1);
    let first = seal(&world, b"content", 1);
    let count = (world.blobs.count(), world.key_blobs.count());
    let second = seal(&world, b"content", 2);
    assert_eq!(second, Sealed { already: true, ..first.clone() });
    assert_eq!((world.blobs.count(), world.key_blobs.count()), count);
    let third = seal(&world, b"other content", 3);
    assert_ne!(third.blob, first.blob);
    assert_ne!(third.commitment, first.commitment);
}

#[test]
fn projects_share_nothing() {
    let (one, two) = (World::new(1), World::new(100));
    let (a, b) = (seal(&one, b"content", 1), seal(&two, b"content", 1));
    assert_eq!(a.digest, b.digest);
    assert_ne!(a.blob, b.blob);
    // The other project's ciphertext and wrapped key, under its own names: still not readable here.
    let stored = bytes(&two.blobs, &b.blob);
    let record = bytes(&two.key_blobs, &record_of(&b));
    one.blobs.put(&[(&b.blob, &stored)]).unwrap();
    one.key_blobs.put(&[(&record_of(&b), &record)]).unwrap();
    let opened = one.keys.unseal(&one.blobs, &b.blob);
    assert!(matches!(opened, Err(UnsealFailed::KeyInvalid { .. })));
}

#[test]
fn a_blob_name_is_keyed_and_well_formed() {
    let world = World::new(1);
    let digest = Digest::from_bytes([0xab; 32]);
    let blob = world.keys.blob_name(&digest);
    let (shard, digits) = blob.as_str().split_once('/').unwrap();
    assert_eq!((shard.len(), digits.len()), (2, 64));
    assert!(digits.starts_with(shard) && digits != digest.to_hex());
    assert_ne!(blob, World::new(100).keys.blob_name(&digest));
}

#[test]
fn erasing_destroys_the_key_and_says_so() {
    let world = World::new(1);
    let sealed = seal(&world, b"content", 1);
    let kept = seal(&world, b"kept", 2);
    assert!(world.keys.erase(&sealed.blob).unwrap());
    assert!(!world.keys.erase(&sealed.blob).unwrap());
    let opened = world.keys.unseal(&world.blobs, &sealed.blob);
    assert!(matches!(opened, Err(UnsealFailed::Erased { name }) if name == sealed.blob));
    world.blobs.delete(&sealed.blob).unwrap();
    let opened = world.keys.unseal(&world.blobs, &sealed.blob);
    assert!(matches!(opened, Err(UnsealFailed::NotFound { name }) if name == sealed.blob));
    assert_eq!(world.content(&kept.blob), b"kept");

    // The content may come again, under a new key and a new commitment.
    let again = seal(&world, b"content", 3);
    assert!(!again.already);
    assert_ne!(again.commitment, sealed.commitment);
    assert_eq!(world.content(&again.blob), b"content");
}

#[test]
fn a_lost_ciphertext_is_not_an_erased_one() {
    let world = World::new(1);
    let sealed = seal(&world, b"content", 1);
    world.blobs.delete(&sealed.blob).unwrap();
    let opened = world.keys.unseal(&world.blobs, &sealed.blob);
    assert!(matches!(opened, Err(UnsealFailed::Missing { name }) if name == sealed.blob));
}

#[test]
fn sealing_again_heals_and_keeps_the_commitment() {
    let world = World::new(1);
    let content = pattern(5000);
    let sealed = seal(&world, &content, 1);
    let stored = bytes(&world.blobs, &sealed.blob);
    let cut = &stored[..stored.len() - 1];
    let mut flipped = stored.clone();
    flipped[100] ^= 1;
    for damage in [None, Some(cut), Some(&flipped)] {
        match damage {
            None => drop(world.blobs.delete(&sealed.blob).unwrap()),
            Some(bytes) => world.blobs.put(&[(&sealed.blob, bytes)]).unwrap(),
        }
        assert!(world.keys.unseal(&world.blobs, &sealed.blob).is_err());
        let healed = seal(&world, &content, 2);
        // It was known before: whoever brings it now has no business to take it away again.
        assert_eq!(healed, Sealed { already: true, ..sealed.clone() });
        assert_eq!(world.content(&sealed.blob), content);
    }
}

#[test]
fn other_names_are_refused() {
    let world = World::new(1);
    let digits = "ab".repeat(32);
    for other in [
        "data".to_owned(),
        digits.clone(),
        format!("cd/{digits}"),
        format!("a/{digits}"),
        format!("ab/{digits}/x"),
        format!("ab/{}", &digits[2..]),
        format!("ab/{}z", &digits[1..]),
    ] {
        let blob = name(&other);
        let opened = world.keys.unseal(&world.blobs, &blob);
        assert!(matches!(opened, Err(UnsealFailed::NotSealed { .. })), "{other}");
        assert!(matches!(world.keys.erase(&blob), Err(EraseFailed::NotSealed { .. })), "{other}");
    }
    let absent = world.keys.blob_name(&sha256(b"never stored"));
    let opened = world.keys.unseal(&world.blobs, &absent);
    assert!(matches!(opened, Err(UnsealFailed::NotFound { .. })));
}

#[test]
fn a_wrapped_key_is_bound_to_everything_in_its_record() {
    let world = World::new(1);
    let sealed = seal(&world, b"content", 1);
    let other = seal(&world, b"other content", 2);
    let record: Value = serde_json::from_slice(&bytes(&world.key_blobs, &record_of(&sealed))).unwrap();
    let foreign: Value = serde_json::from_slice(&bytes(&world.key_blobs, &record_of(&other))).unwrap();
    let put = |record: &Value| {
        let bytes = canonical::to_bytes(record).unwrap();
        world.key_blobs.put(&[(&record_of(&sealed), &bytes)]).unwrap();
        world.keys.unseal(&world.blobs, &sealed.blob)
    };
    assert!(put(&record).is_ok());

    let mut changes: Vec<Value> = Vec::new();
    let members: Vec<String> = record["bound"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["artifact", "blob", "created_at", "format", "project", "size", "wrapping"]);
    for member in &members {
        let mut changed = record.clone();
        changed["bound"][member] = match member.as_str() {
            "size" => json!(8),
            "created_at" => json!("2020-01-01T00:00:00.000Z"),
            "artifact" => foreign["bound"]["artifact"].clone(),
            "project" => json!("prj_00000000000000000000000000000000"),
            "wrapping" => json!("00000000000000000000000000000000"),
            _ => json!("other"),
        };
        changes.push(changed);
    }
    let mut changed = record.clone();
    changed["sealed"] = foreign["sealed"].clone();
    changes.push(changed);
    let mut changed = record.clone();
    changed["more"] = json!(1);
    changes.push(changed);
    // A whole record of other content under this name.
    changes.push(foreign);
    for changed in changes {
        let opened = put(&changed);
        assert!(matches!(opened, Err(UnsealFailed::KeyInvalid { .. })), "{changed}");
        // And it is not quietly replaced by storing the content again.
        let again = world.keys.seal(&world.blobs, &mut &b"content"[..], &mut rng(9), NOW);
        assert!(matches!(again, Err(SealFailed::ExistingKey(UnsealFailed::KeyInvalid { .. }))), "{changed}");
    }
    assert!(put(&record).is_ok());
}

#[test]
fn ciphertexts_cannot_be_exchanged() {
    let world = World::new(1);
    let (a, b) = (seal(&world, b"content a", 1), seal(&world, b"content b", 2));
    let stored = bytes(&world.blobs, &b.blob);
    world.blobs.put(&[(&a.blob, &stored)]).unwrap();
    let opened = world.keys.unseal(&world.blobs, &a.blob);
    assert!(matches!(opened, Err(UnsealFailed::Changed { .. })));
}

#[test]
fn reading_notices_a_changed_middle() {
    let world = World::new(1);
    let content = pattern(3 << 20);
    let sealed = seal(&world, &content, 1);
    let mut stored = bytes(&world.blobs, &sealed.blob);
    stored[(1 << 20) + 7] ^= 1;
    world.blobs.put(&[(&sealed.blob, &stored)]).unwrap();
    let mut unsealed = world.keys.unseal(&world.blobs, &sealed.blob).unwrap();
    let mut read = Vec::new();
    let error = unsealed.read_to_end(&mut read).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(content.starts_with(&read) && read.len() < content.len());
}

#[test]
fn storage_holds_no_plain_text() {
    let world = World::new(1);
    let content = b"a secret that is easy to find: 4111 1111 1111 1111";
    let sealed = seal(&world, content, 1);
    let salt = *world.keys.unseal(&world.blobs, &sealed.blob).unwrap().salt();
    let digest = sealed.digest;
    let mut haystack = Vec::new();
    for blobs in [&world.blobs, &world.key_blobs] {
        for blob in blobs.list("", None, 100).unwrap() {
            haystack.write_all(blob.as_str().as_bytes()).unwrap();
            haystack.write_all(&bytes(blobs, &blob)).unwrap();
        }
    }
    let digits = digest.to_hex();
    let needles: [&[u8]; 4] = [&content[..10], digits.as_bytes(), digest.as_bytes(), &salt];
    for needle in needles {
        assert!(!haystack.windows(needle.len()).any(|part| part == needle));
    }
}

// Blobs that take their time to write, so that whoever does not wait for another's write runs into it.
struct Slow(MemBlobs);

impl Blobs for Slow {
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        std::thread::sleep(Duration::from_millis(20));
        self.0.put(blobs)
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.0.create()
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        self.0.open(name)
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        self.0.list(prefix, after, limit)
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        self.0.delete(name)
    }
}

#[test]
fn equal_content_from_many_threads() {
    let world = World::new(1);
    let keys = world.open_through(Slow(world.key_blobs.clone()));
    let contents: Vec<Vec<u8>> = (0..4).map(|byte| vec![byte; 10_000]).collect();
    let mut sealed: Vec<Sealed> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|thread| {
                let (content, blobs, keys) = (&contents[thread % 4], &world.blobs, &keys);
                scope
                    .spawn(move || keys.seal(blobs, &mut &content[..], &mut rng(thread as u64), NOW).unwrap())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(sealed.iter().filter(|sealed| !sealed.already).count(), 4);
    sealed.iter_mut().for_each(|sealed| sealed.already = false);
    sealed.sort_by(|a, b| a.blob.cmp(&b.blob));
    sealed.dedup();
    assert_eq!(sealed.len(), 4);
    for content in &contents {
        assert_eq!(&world.content(&world.keys.blob_name(&sha256(content))), content);
    }
}

// As in a data directory: the root key's file lies beside the blobs of the keys.
#[test]
fn on_a_disk() {
    let dir = tempfile::tempdir().unwrap();
    let [key_dir, blob_dir] = ["keys", "blobs"].map(|folder| dir.path().join(folder));
    for folder in [&key_dir, &blob_dir] {
        std::fs::create_dir(folder).unwrap();
    }
    let content = pattern(2 << 20);
    let sealed = {
        let root = Box::new(FileKeyStore::create(&key_dir, &mut rng(1)).unwrap());
        let key_blobs = Arc::new(DirBlobs::open(&key_dir).unwrap());
        let keys = Keys::create(key_blobs, root, project(1), &mut rng(2), NOW).unwrap();
        let blobs = DirBlobs::open(&blob_dir).unwrap();
        keys.seal(&blobs, &mut content.as_slice(), &mut rng(3), NOW).unwrap()
    };
    let blobs = DirBlobs::open(&blob_dir).unwrap();
    let root = Box::new(FileKeyStore::open(&key_dir).unwrap());
    let keys = Keys::open(Arc::new(DirBlobs::open(&key_dir).unwrap()), root).unwrap();
    let mut read = Vec::new();
    keys.unseal(&blobs, &sealed.blob).unwrap().read_to_end(&mut read).unwrap();
    assert!(read == content);
    assert!(keys.erase(&sealed.blob).unwrap());
    assert!(matches!(keys.unseal(&blobs, &sealed.blob), Err(UnsealFailed::Erased { .. })));
}
