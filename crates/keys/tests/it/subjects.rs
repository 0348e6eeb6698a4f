//! Keys of subjects: tags, shards, new keys in logs, erasure, and stores that fail.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use bartizan_base::{BlobError, BlobName, BlobReader, BlobWriter, Blobs, sha256};
use bartizan_keys::limits::{PENDING_SUBJECT_KEYS, SUBJECT_SHARD_KEYS};
use bartizan_keys::subjects::{
    ShardInvalid, SubjectKey, SubjectKeyFailed, SubjectKeyId, SubjectTag, Subjects,
};
use bartizan_keys::{FileKeyStore, Keys};
use bartizan_store::{FailingBlobs, Faults, MemBlobs, Moment};
use proptest::prelude::*;

use crate::support::{NOW, World, bytes, name, project, rng};

fn subjects(world: &World) -> Subjects {
    Subjects::new(&world.open_through(world.key_blobs.clone())).unwrap()
}

/// Whether two keys are the same: what one encrypts the other decrypts.
fn same(one: &SubjectKey, other: &SubjectKey) -> bool {
    let mut body = *b"some groups";
    let tag = one.cipher().seal([1; 12], b"aad", &mut body).unwrap();
    let mut sealed = [body.as_slice(), &tag].concat();
    one.id() == other.id()
        && other.cipher().open([1; 12], b"aad", &mut sealed).is_some_and(|b| b == b"some groups")
}

#[test]
fn tags_are_keyed_by_project() {
    let (one, other) = (World::new(1), World::new(2));
    let (one, other) = (subjects(&one), subjects(&other));
    let tag = one.tag(b"person 1");
    assert_eq!(tag, one.tag(b"person 1"));
    assert_ne!(tag, one.tag(b"person 2"));
    assert_ne!(tag, other.tag(b"person 1"));
    assert_ne!(one.request_tag(b"r").as_bytes(), other.request_tag(b"r").as_bytes());
    assert_ne!(&one.request_tag(b"person 1").as_bytes()[..], &tag.as_bytes()[..16]);
    assert_eq!(tag.to_string().parse::<SubjectTag>().unwrap(), tag);
    for text in ["", "00", &tag.to_string().to_uppercase(), &format!("{tag}0")] {
        text.parse::<SubjectTag>().unwrap_err();
    }
}

#[test]
fn a_key_settles_and_is_found_again() {
    let world = World::new(1);
    let first = subjects(&world);
    let tag = first.tag(b"person");
    let key = first.current(tag, &mut rng(7)).unwrap();
    assert!(Arc::ptr_eq(&key, &first.current(tag, &mut rng(8)).unwrap()));
    assert!(!key.is_journaled());
    assert!(subjects(&world).find(tag, key.id()).unwrap().is_none(), "only in memory so far");
    assert_eq!(first.settle(&mut rng(9)).unwrap(), 1);
    assert_eq!(first.settle(&mut rng(9)).unwrap(), 0);
    assert!(key.is_journaled());

    let second = subjects(&world);
    let found = second.find(tag, key.id()).unwrap().unwrap();
    assert!(same(&key, &found) && found.is_journaled());
    assert!(second.find(tag, SubjectKeyId::from_bytes([0; 8])).unwrap().is_none());
    assert!(same(&key, &second.current(tag, &mut rng(10)).unwrap()));
}

#[test]
fn a_new_key_travels_in_a_log() {
    let world = World::new(1);
    let first = subjects(&world);
    let tag = first.tag(b"person");
    let key = first.current(tag, &mut rng(7)).unwrap();
    let (pending, wrapped_pending) = first.make_pending_key(b"log 1", &mut rng(8)).unwrap();
    let wrapped = key.wrap_pending(&pending, &mut rng(9)).unwrap();

    let second = subjects(&world);
    assert!(second.open_pending_key(&wrapped_pending, b"log 2").unwrap().is_none());
    let pending = second.open_pending_key(&wrapped_pending, b"log 1").unwrap().unwrap();
    assert!(!second.adopt(second.tag(b"somebody else"), key.id(), &wrapped, &pending).unwrap());
    assert!(!second.adopt(tag, SubjectKeyId::from_bytes([0; 8]), &wrapped, &pending).unwrap());
    assert!(second.adopt(tag, key.id(), &wrapped, &pending).unwrap());
    assert!(same(&key, &second.find(tag, key.id()).unwrap().unwrap()));
    assert_eq!(second.settle(&mut rng(10)).unwrap(), 1);
    // One that a shard has may not be durable there: it is settled again.
    let third = subjects(&world);
    assert!(third.adopt(tag, key.id(), &wrapped, &pending).unwrap());
    assert_eq!(third.settle(&mut rng(11)).unwrap(), 1);
    assert!(same(&key, &subjects(&world).find(tag, key.id()).unwrap().unwrap()));
}

#[test]
fn an_erased_key_is_gone_from_store_and_memory() {
    let world = World::new(1);
    let first = subjects(&world);
    let (settled, pending, other) = (first.tag(b"settled"), first.tag(b"pending"), first.tag(b"other"));
    let settled_key = first.current(settled, &mut rng(1)).unwrap();
    let other_key = first.current(other, &mut rng(2)).unwrap();
    first.settle(&mut rng(3)).unwrap();
    let pending_key = first.current(pending, &mut rng(4)).unwrap();
    for (tag, key) in [(settled, &settled_key), (pending, &pending_key)] {
        assert!(first.erase(tag).unwrap());
        assert!(key.is_erased(), "those who hold it are told");
        assert!(first.find(tag, key.id()).unwrap().is_none());
        assert!(!first.erase(tag).unwrap());
        assert!(!same(key, &first.current(tag, &mut rng(5)).unwrap()), "the next key is another");
    }
    first.settle(&mut rng(6)).unwrap();
    let second = subjects(&world);
    assert!(second.find(settled, settled_key.id()).unwrap().is_none());
    assert!(same(&other_key, &second.find(other, other_key.id()).unwrap().unwrap()));
    assert!(!other_key.is_erased());
}

/// Says that the store was reached, and waits until it may go on.
type Stop = (Sender<()>, Receiver<()>);

/// A store that stops in the middle of a write, until it may go on.
#[derive(Clone)]
struct Slow {
    blobs: MemBlobs,
    /// Filled when a write begins, and when it may end; nothing stops while it is empty.
    stop: Arc<std::sync::Mutex<Option<Stop>>>,
}

impl Blobs for Slow {
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        let stop = self.stop.lock().unwrap().take();
        if let Some((begun, go_on)) = stop {
            begun.send(()).unwrap();
            go_on.recv().unwrap();
        }
        self.blobs.put(blobs)
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.blobs.create()
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        self.blobs.open(name)
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        self.blobs.list(prefix, after, limit)
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        self.blobs.delete(name)
    }
}

/// A disk that takes its time over an erasure keeps nobody waiting but who asks for the very person.
#[test]
fn others_do_not_wait_while_a_key_is_erased() {
    let world = World::new(1);
    let slow = Slow { blobs: world.key_blobs.clone(), stop: Arc::default() };
    let subjects = Arc::new(Subjects::new(&world.open_through(slow.clone())).unwrap());
    let of = |shard: u8, person: u8| {
        SubjectTag::from_bytes([&[shard][..], &[person; 31]].concat().try_into().unwrap())
    };
    let (anna, ben, carl) = (of(1, 1), of(1, 2), of(2, 3));
    let keys = [anna, ben, carl].map(|tag| subjects.current(tag, &mut rng(1)).unwrap());
    subjects.settle(&mut rng(2)).unwrap();

    let ((begun, has_begun), (go_on, may_go_on)) = (channel(), channel());
    *slow.stop.lock().unwrap() = Some((begun, may_go_on));
    let thread = |work: fn(&Subjects, SubjectTag)| {
        let subjects = Arc::clone(&subjects);
        std::thread::spawn(move || work(&subjects, anna))
    };
    let erasing = thread(|subjects, anna| assert!(subjects.erase(anna).unwrap()));
    has_begun.recv().unwrap();
    assert!(!subjects.is_near(anna), "who asks for her would wait");
    assert!(keys[0].is_erased());
    // She comes back meanwhile: her next key is made when the one before is gone for good.
    let again = Arc::clone(&subjects);
    let coming_back = std::thread::spawn(move || again.current(anna, &mut rng(3)).unwrap());
    // The others are there, also those whom nobody asked for yet. With a lock held this would never end.
    let (done, is_done) = channel();
    let others = Arc::clone(&subjects);
    let dora = of(1, 4);
    std::thread::spawn(move || {
        let found = [ben, carl].map(|tag| others.current(tag, &mut rng(4)).unwrap());
        let new = [dora, of(3, 5)].map(|tag| others.current(tag, &mut rng(5)).unwrap().tag());
        done.send((found, new)).unwrap();
    });
    let (found, new) = is_done.recv_timeout(Duration::from_secs(30)).expect("others wait too");
    assert!(same(&found[0], &keys[1]) && same(&found[1], &keys[2]));
    assert_eq!(new, [dora, of(3, 5)]);
    assert!(!coming_back.is_finished());
    go_on.send(()).unwrap();
    erasing.join().unwrap();
    assert!(!same(&coming_back.join().unwrap(), &keys[0]));
    subjects.settle(&mut rng(6)).unwrap();
    let fresh = self::subjects(&world);
    assert!(fresh.find(anna, keys[0].id()).unwrap().is_none());
    assert!(same(&keys[1], &fresh.find(ben, keys[1].id()).unwrap().unwrap()));
}

#[test]
fn what_is_in_memory_is_near() {
    let world = World::new(1);
    let first = subjects(&world);
    let tag = first.tag(b"person");
    assert!(!first.is_near(tag), "its shard was not read yet");
    first.current(tag, &mut rng(1)).unwrap();
    assert!(first.is_near(tag));
    let mut other = *tag.as_bytes();
    other[31] ^= 1;
    assert!(first.is_near(SubjectTag::from_bytes(other)), "of the same shard");
}

/// Shards that are read, settled and erased by several at a time give everybody one key at a time.
#[test]
fn nobody_has_two_keys_however_many_ask() {
    let world = World::new(1);
    let subjects = subjects(&world);
    let tags: Vec<SubjectTag> = (0..64_u8).map(|person| subjects.tag(&[person])).collect();
    let kept = subjects.current(tags[0], &mut rng(1)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (subjects, tags, kept) = (&subjects, &tags, &kept);
            scope.spawn(move || {
                for round in 0..200_u64 {
                    for tag in tags {
                        subjects.current(*tag, &mut rng(thread * 1000 + round)).unwrap();
                    }
                    assert!(same(kept, &subjects.current(tags[0], &mut rng(9)).unwrap()));
                }
            });
        }
        for round in 0..200_u64 {
            subjects.settle(&mut rng(round)).unwrap();
            subjects.erase(tags[1 + usize::try_from(round).unwrap() % 63]).unwrap();
        }
    });
    // Those who were erased last, after everybody had asked, get their new key here.
    let keys: Vec<_> = tags.iter().map(|tag| subjects.current(*tag, &mut rng(8)).unwrap()).collect();
    subjects.settle(&mut rng(7)).unwrap();
    let fresh = self::subjects(&world);
    for (tag, key) in tags.into_iter().zip(keys) {
        assert!(fresh.find(tag, key.id()).unwrap().is_some_and(|found| same(&found, &key)));
    }
}

#[test]
fn segment_keys_are_bound_to_their_header() {
    let world = World::new(1);
    let subjects = subjects(&world);
    let (key, wrapped) = subjects.make_segment_key(b"header", &mut rng(1)).unwrap();
    assert!(subjects.open_segment_key(&wrapped, b"another").unwrap().is_none());
    let opened = subjects.open_segment_key(&wrapped, b"header").unwrap().unwrap();
    let mut seen = Vec::new();
    for (cipher, same) in
        [(key.batches(), opened.batches()), (key.pages(), opened.pages()), (key.records(), opened.records())]
    {
        let mut body = [0; 8];
        let tag = cipher.seal([0; 12], b"", &mut body).unwrap();
        seen.push(body);
        assert!(same.open([0; 12], b"", &mut [&body[..], &tag].concat()).is_some());
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "three uses have three keys");
}

#[test]
fn a_damaged_shard_is_refused() {
    let world = World::new(1);
    let first = subjects(&world);
    let tag = first.tag(b"person");
    let id = first.current(tag, &mut rng(1)).unwrap().id();
    first.settle(&mut rng(2)).unwrap();
    let shard = world.key_blobs.list("subjects/", None, 10).unwrap().remove(0);
    assert_eq!(shard, name(&format!("subjects/{:02x}", tag.as_bytes()[0])));
    let whole = bytes(&world.key_blobs, &shard);
    assert_eq!(whole.len(), 42 + 100 + 32);
    for at in (0..whole.len()).step_by(3) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        world.key_blobs.put(&[(&shard, &damaged)]).unwrap();
        let error = subjects(&world).find(tag, id).unwrap_err();
        assert!(matches!(error, SubjectKeyFailed::Damaged { source: ShardInvalid::Mac, .. }), "byte {at}");
    }
    // Neither another project's shard, nor that of other subjects, is taken.
    let other = name(&format!("subjects/{:02x}", tag.as_bytes()[0] ^ 1));
    world.key_blobs.put(&[(&other, &whole)]).unwrap();
    let mut moved = *tag.as_bytes();
    moved[0] ^= 1;
    let error = subjects(&world).find(SubjectTag::from_bytes(moved), id).unwrap_err();
    assert!(matches!(error, SubjectKeyFailed::Damaged { source: ShardInvalid::Form, .. }));
}

/// Whatever call of the store fails, and however: a key that was settled stays, one that was erased stays gone,
/// and repeating what failed completes it.
#[test]
fn failing_stores_lose_nothing() {
    for moment in [Moment::Before, Moment::Halfway, Moment::After] {
        for call in 1..40 {
            let world = World::new(1);
            let faults = Faults::new();
            let blobs = FailingBlobs::new(world.key_blobs.clone(), faults.clone());
            let subjects = Subjects::new(&world.open_through(blobs)).unwrap();
            faults.fail_at(faults.calls() + call, moment, ErrorKind::Other);
            let tags: Vec<SubjectTag> = (0..5_u8).map(|person| subjects.tag(&[person])).collect();
            let mut keys = Vec::new();
            for tag in &tags {
                keys.push(
                    subjects
                        .current(*tag, &mut rng(1))
                        .or_else(|_| subjects.current(*tag, &mut rng(1)))
                        .unwrap(),
                );
            }
            subjects.settle(&mut rng(2)).or_else(|_| subjects.settle(&mut rng(2))).unwrap();
            subjects.erase(tags[0]).or_else(|_| subjects.erase(tags[0])).unwrap();
            let fresh = self::subjects(&world);
            for (tag, key) in tags.iter().zip(&keys) {
                let found = fresh.find(*tag, key.id()).unwrap();
                assert_eq!(
                    found.is_some_and(|found| same(key, &found)),
                    *tag != tags[0],
                    "{moment:?} {call}"
                );
            }
        }
    }
}

#[test]
fn new_keys_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let root = Box::new(FileKeyStore::create(dir.path(), &mut rng(1)).unwrap());
    let keys = Keys::create(Arc::new(MemBlobs::new()), root, project(1), &mut rng(2), NOW).unwrap();
    let subjects = Subjects::new(&keys).unwrap();
    let mut random = rng(3);
    let mut tag = |number: usize| {
        // As random as tags are, but of as few shards as have room for them.
        let mut bytes = *sha256(&number.to_be_bytes()).as_bytes();
        bytes[0] = u8::try_from(number / SUBJECT_SHARD_KEYS).unwrap();
        subjects.current(SubjectTag::from_bytes(bytes), &mut random)
    };
    for number in 0..PENDING_SUBJECT_KEYS {
        tag(number).unwrap();
    }
    assert!(matches!(tag(PENDING_SUBJECT_KEYS), Err(SubjectKeyFailed::TooManyPending)));
    assert_eq!(subjects.settle(&mut rng(4)).unwrap(), PENDING_SUBJECT_KEYS);
    // The shards of these are full now. A subject for whom there is no room keeps nobody else out.
    let of_shard = |number| SubjectTag::from_bytes([&[number][..], &[0xff; 31]].concat().try_into().unwrap());
    let full = subjects.current(of_shard(0), &mut rng(5)).unwrap_err();
    assert!(matches!(full, SubjectKeyFailed::Full { name: shard } if shard == name("subjects/00")));
    subjects.current(of_shard(9), &mut rng(6)).unwrap();
    assert_eq!(subjects.settle(&mut rng(7)).unwrap(), 1);
}

#[test]
fn the_last_key_that_logs_hold_is_taken_over() {
    let world = World::new(1);
    let first = subjects(&world);
    let tag = first.tag(b"person");
    let (pending, _) = first.make_pending_key(b"log 1", &mut rng(1)).unwrap();
    let in_log = |seed| {
        let key = first.current(tag, &mut rng(seed)).unwrap();
        let wrapped = key.wrap_pending(&pending, &mut rng(seed + 1)).unwrap();
        first.erase(tag).unwrap();
        (key, wrapped)
    };
    let logged = [in_log(10), in_log(20)];
    let second = subjects(&world);
    for (key, wrapped) in &logged {
        assert!(second.adopt(tag, key.id(), wrapped, &pending).unwrap());
    }
    assert_eq!(second.settle(&mut rng(30)).unwrap(), 1);
    let third = subjects(&world);
    assert!(third.find(tag, logged[0].0.id()).unwrap().is_none());
    assert!(same(&logged[1].0, &third.find(tag, logged[1].0.id()).unwrap().unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Keys of many subjects, settled and erased in any order, are as a plain map would have them.
    #[test]
    fn shards_are_a_map(steps in prop::collection::vec((0..40_u8, 0..4_u8), 1..80)) {
        let world = World::new(1);
        let mut subjects = subjects(&world);
        let mut expected = std::collections::BTreeMap::new();
        for (at, (person, step)) in (0..).zip(steps) {
            let tag = subjects.tag(&[person]);
            match step {
                0 | 1 => drop(expected.insert(tag, subjects.current(tag, &mut rng(at)).unwrap())),
                2 => prop_assert_eq!(subjects.erase(tag).unwrap(), expected.remove(&tag).is_some()),
                _ => {
                    subjects.settle(&mut rng(at)).unwrap();
                    subjects = self::subjects(&world);
                }
            }
        }
        for (tag, key) in expected {
            prop_assert!(same(&key, &subjects.current(tag, &mut rng(0)).unwrap()));
        }
    }
}
