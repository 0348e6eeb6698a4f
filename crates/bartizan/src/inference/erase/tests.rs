//! An erasure that was interrupted after any of its steps: whoever starts next finishes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bartizan_base::ErasureId;
use bartizan_keys::OsRandom;
use bartizan_keys::subjects::SubjectTag;
use bartizan_registry::state::State;
use bartizan_registry::{Caller, Indexing, Profile, Registry};
use bartizan_store::DirLock;
use bartizan_store::records::{NewRecord, Personal, Seal};
use rand_core::Rng as _;
use tempfile::TempDir;

use super::{Gateway, Named, ranges};
use crate::boot;
use crate::client::os_user;
use crate::failure::Failure;
use crate::predictions::{Ledger, check};

/// A project whose gateway takes records.
struct World {
    gateway: Arc<Gateway>,
    _lock: DirLock,
}

impl World {
    async fn new(home: &Path) -> Self {
        let founder = Profile { name: "admin".to_owned(), local_user: Some(os_user()), email: None };
        boot::init(&home.join("data"), None, founder).await.unwrap();
        Self::open(home).await
    }

    async fn open(home: &Path) -> Self {
        let path = home.join("data");
        let opened = boot::open(&path, "test", None, Indexing::Compare).await.unwrap();
        let gateway = Gateway::open(opened.registry, &path).unwrap();
        Self { gateway, _lock: opened.lock }
    }

    fn registry(&self) -> &Registry {
        &self.gateway.registry
    }

    async fn admin(&self) -> Caller {
        self.registry().local_caller(&os_user()).await.unwrap()
    }

    fn tag(&self, who: &str) -> Option<SubjectTag> {
        (!who.is_empty()).then(|| self.gateway.subjects.tag(who.as_bytes()))
    }

    /// Takes a record about somebody.
    fn take(&self, who: &str) {
        let mut id = [0; 16];
        OsRandom.fill_bytes(&mut id);
        let text = who.as_bytes();
        let record = NewRecord {
            id: bartizan_store::records::RecordId::from_bytes(id),
            time: self.registry().now(),
            subject: self.tag(who),
            request: None,
            groups: [b"{}", text, text, text, b"{}"],
        };
        let appended = self.gateway.log.append(&record).unwrap();
        self.gateway.log.durable(appended.sequence).unwrap();
    }

    /// What everybody's records say: how many can be read, and how many were erased as the ledger says.
    fn told(&self, who: &str) -> (usize, usize) {
        let (state, id) = (self.registry().state(), self.gateway.id());
        let found = self.gateway.records.by_subject(self.tag(who).unwrap(), None, 1000).unwrap();
        assert_eq!(found.before, None);
        let mut told = (0, 0);
        for position in found.positions {
            let record = self.gateway.records.read(position).unwrap();
            let erased = state.erased(&id, position.segment, position.index);
            match record.personal {
                Personal::Clear { .. } => told.0 += 1,
                Personal::Erased if erased.is_some() => told.1 += 1,
                Personal::Erased => panic!("{position:?} is gone, and nobody said so"),
            }
        }
        told
    }

    async fn check(&self) -> Result<serde_json::Value, Failure> {
        self.gateway.seal(Seal::Now).await.unwrap();
        let mut online = Online(self.gateway.registry.clone(), self.registry().state());
        check(&self.gateway.records, &self.gateway.id(), &mut online).unwrap().verdict()
    }
}

struct Online(Registry, Arc<State>);

impl Ledger for Online {
    fn state(&self) -> &State {
        &self.1
    }

    fn advance(&mut self) -> Result<bool, Failure> {
        let before = std::mem::replace(&mut self.1, self.0.state());
        Ok(before.next_index() != self.1.next_index())
    }

    fn subject(&self, erasure: ErasureId) -> Option<SubjectTag> {
        let registry = self.0.clone();
        let found = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(registry.subject_of_erasure(erasure)).ok()
        });
        found.join().unwrap()
    }
}

/// A copy of what a process that is killed now would leave.
fn killed(home: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let mut open: Vec<PathBuf> = vec![PathBuf::from("data")];
    while let Some(folder) = open.pop() {
        std::fs::create_dir(copy.path().join(&folder)).unwrap();
        for entry in std::fs::read_dir(home.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let inside = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                open.push(inside);
            } else {
                std::fs::copy(entry.path(), copy.path().join(&inside)).unwrap();
            }
        }
    }
    // Modes matter to keys.
    for folder in ["data", "data/keys"] {
        let mode = std::fs::metadata(home.join(folder)).unwrap().permissions();
        std::fs::set_permissions(copy.path().join(folder), mode).unwrap();
    }
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_starts_next_finishes_an_erasure_from_any_step() {
    let home = tempfile::tempdir().unwrap();
    let world = World::new(home.path()).await;
    for who in ["anna", "ben", "", "anna"] {
        world.take(who);
    }
    world.gateway.seal(Seal::Now).await.unwrap();
    for who in ["ben", "anna"] {
        world.take(who);
    }
    let gateway = &world.gateway;
    let anna = world.tag("anna").unwrap();
    let mut copies = Vec::new();
    let admin = world.admin().await;
    let erasure = world.registry().order_erasure(&admin, anna, "she asked".to_owned()).await.unwrap();
    copies.push(("ordered", killed(home.path()), 0));
    gateway.seal_taken().await.unwrap();
    copies.push(("sealed", killed(home.path()), 0));
    gateway.name_records(erasure, anna, Named::Readable).await.unwrap();
    copies.push(("named", killed(home.path()), 0));
    // Somebody asks about her while she is being erased: first under the old key, then under a new one.
    world.take("anna");
    copies.push(("one more", killed(home.path()), 1));
    gateway.destroy_key(anna).await.unwrap();
    copies.push(("destroyed", killed(home.path()), 1));
    gateway.seal_taken().await.unwrap();
    copies.push(("sealed again", killed(home.path()), 1));
    gateway.name_records(erasure, anna, Named::Gone).await.unwrap();
    copies.push(("all named", killed(home.path()), 1));
    world.registry().state_erasure_finished(erasure).await.unwrap();
    copies.push(("finished", killed(home.path()), 1));
    drop(world);

    for (step, home, more) in copies {
        let world = World::open(home.path()).await;
        let open = world.registry().state().erasures()[&erasure].finished.is_none();
        assert_eq!(open, step != "finished", "{step}");
        // What waits for its end is no evidence that somebody destroyed.
        world.check().await.unwrap_or_else(|failure| panic!("{step}: {failure}"));
        world.gateway.finish_ordered().await.unwrap();
        assert_eq!(world.told("anna"), (0, 3 + more), "{step}");
        assert_eq!(world.told("ben"), (2, 0), "{step}");
        let found = world.registry().state().erasures()[&erasure].clone();
        assert!(found.finished.is_some() && found.records >= 3, "{step}: {found:?}");
        // Finishing again changes nothing, and she may come back.
        let entries = world.registry().state().next_index();
        world.gateway.finish_ordered().await.unwrap();
        assert_eq!(world.registry().state().next_index(), entries, "{step}");
        world.take("anna");
        world.gateway.seal_taken().await.unwrap();
        assert_eq!(world.told("anna"), (1, 3 + more), "{step}");
        let checked = world.check().await.unwrap();
        assert_eq!(checked["erased"], 3 + more, "{step}");
        drop(world);
        World::open(home.path()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_under_load_names_every_record_that_it_takes() {
    let home = tempfile::tempdir().unwrap();
    let world = World::new(home.path()).await;
    world.take("anna");
    let stop = std::sync::atomic::AtomicBool::new(false);
    let admin = world.admin().await;
    let anna = world.tag("anna").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    world.take("anna");
                }
            });
        }
        let runtime = tokio::runtime::Handle::current();
        for _ in 0..3 {
            let erased = world.gateway.erase(&admin, anna, "she asked".to_owned());
            tokio::task::block_in_place(|| runtime.block_on(erased)).unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let checked = world.check().await.unwrap();
    assert!(checked["erased"].as_u64().unwrap() > 3, "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_cannot_be_read_does_not_save_the_others() {
    let home = tempfile::tempdir().unwrap();
    let world = World::new(home.path()).await;
    for _ in 0..2 {
        world.take("anna");
        world.take("ben");
        world.gateway.seal(Seal::Now).await.unwrap();
    }
    let directory = super::super::directory_of(&home.path().join("data"), world.gateway.log.gateway());
    let file = directory.join("seg/00000000/0000000000000001");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, b"damaged").unwrap();
    let admin = world.admin().await;
    let anna = world.tag("anna").unwrap();
    let erasure = world.gateway.erase(&admin, anna, "she asked".to_owned()).await.unwrap();
    let found = world.registry().state().erasures()[&erasure].clone();
    assert_eq!((found.records, found.unread.len()), (1, 1), "{found:?}");
    assert_eq!(world.check().await.unwrap_err().id, crate::catalog::ids::RECORD_DAMAGED);
    // Once it is restored, what it holds of her is erased too, and what it holds of others is not.
    std::fs::write(&file, whole).unwrap();
    assert_eq!(world.check().await.unwrap()["erased"], 2);
    let records = |position| world.gateway.records.read(position).unwrap().personal;
    let at = |index| bartizan_store::records::Position { segment: 1, index };
    assert_eq!(records(at(0)), Personal::Erased);
    assert_ne!(records(at(1)), Personal::Erased);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_came_back_without_a_statement_is_found() {
    let home = tempfile::tempdir().unwrap();
    let world = World::new(home.path()).await;
    for who in ["anna", "ben", "carl"] {
        world.take(who);
    }
    world.gateway.seal(Seal::Now).await.unwrap();
    let keys = home.path().join("data/keys/subjects");
    let shard = |who: &str| keys.join(format!("{:02x}", world.tag(who).unwrap().as_bytes()[0]));
    let before = std::fs::read(shard("anna")).unwrap();
    let admin = world.admin().await;
    let anna = world.tag("anna").unwrap();
    world.gateway.erase(&admin, anna, "she asked".to_owned()).await.unwrap();
    world.check().await.unwrap();
    drop(world);
    // A shard that an older copy replaces brings her key back.
    let world = World::open(home.path()).await;
    let shard = |who: &str| keys.join(format!("{:02x}", world.tag(who).unwrap().as_bytes()[0]));
    let (anna, ben) = (shard("anna"), shard("ben"));
    std::fs::write(&anna, before).unwrap();
    let failure = world.check().await.unwrap_err();
    assert_eq!(failure.id, crate::catalog::ids::NOT_ERASED, "{failure}");
    // Erasing once more destroys it again, although every record was named before.
    let tag = world.tag("anna").unwrap();
    world.gateway.erase(&admin, tag, "a backup was restored".to_owned()).await.unwrap();
    world.check().await.unwrap();
    drop(world);
    // Without a shard, those whose keys it held are lost, and no erasure took them.
    std::fs::remove_file(&ben).unwrap();
    let world = World::open(home.path()).await;
    let failure = world.check().await.unwrap_err();
    assert_eq!(failure.id, crate::catalog::ids::DESTROYED_EVIDENCE, "{failure}");
    assert!(failure.why[0].starts_with("segment 1, record 1:"), "{failure}");
}

#[test]
fn indexes_become_ranges() {
    for (indexes, expected) in [
        (vec![], vec![]),
        (vec![3], vec![(3, 3)]),
        (vec![0, 1, 2, 4, 6, 7], vec![(0, 2), (4, 4), (6, 7)]),
        (vec![u32::MAX - 1, u32::MAX], vec![(u32::MAX - 1, u32::MAX)]),
    ] {
        assert_eq!(ranges(&indexes.into_iter().collect()), expected);
    }
}

/// What somebody else seals, and has not stated yet, cannot be named by an entry: the next look finds it.
#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_is_sealed_and_not_stated_yet_waits_for_its_turn() {
    let home = tempfile::tempdir().unwrap();
    let world = World::new(home.path()).await;
    world.take("anna");
    world.gateway.seal(Seal::Now).await.unwrap();
    let anna = world.tag("anna").unwrap();
    let admin = world.admin().await;
    let erasure = world.registry().order_erasure(&admin, anna, "she asked".to_owned()).await.unwrap();
    world.take("anna");
    world.gateway.log.seal(world.registry().now(), Seal::Now).unwrap();
    assert_eq!(world.gateway.log.unconfirmed().len(), 1);
    world.gateway.name_records(erasure, anna, Named::Readable).await.unwrap();
    assert_eq!(world.registry().state().erasures()[&erasure].records, 1);
    world.gateway.seal(Seal::Now).await.unwrap();
    world.gateway.finish_ordered().await.unwrap();
    assert_eq!(world.registry().state().erasures()[&erasure].records, 2);
    assert_eq!(world.told("anna"), (0, 2));
    world.check().await.unwrap();
}

/// While the ledger cannot be written, segments gather that it does not name; sealing goes on when it can be again.
#[tokio::test]
async fn as_many_segments_as_may_wait_do_not_keep_sealing_from_going_on() {
    let home = tempfile::tempdir().unwrap();
    let world = World::new(home.path()).await;
    let log = &world.gateway.log;
    // So long ago that the next one is due.
    let earlier = world.registry().now().plus_millis(-120_000);
    while log.seal(earlier, Seal::Now).is_ok() {}
    assert_eq!(log.unconfirmed().len(), 16);
    world.take("anna");
    world.gateway.seal(Seal::Now).await.unwrap();
    assert_eq!((log.unconfirmed(), world.told("anna")), (Vec::new(), (1, 0)));
}
