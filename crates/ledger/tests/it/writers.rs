//! More than one writer, a writer that has stopped, and keys that do not sign.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bartizan_base::{BlobError, BlobName, BlobReader, BlobWriter, Blobs, Cas, CasError};
use bartizan_ledger::limits::GROUP_ENTRIES;
use bartizan_ledger::{
    AppendFailed, CheckpointInvalid, GroupFailed, HeadInvalid, Ledger, NoteSigner, OpenFailed, SignFailed,
    bulk::{BulkBuilder, BulkFailed},
};
use bartizan_store::{FailingBlobs, Faults, MemBlobs, Moment};

use crate::support::{ORIGIN, Store, entry, fsck_clean, key, name, signer};

#[test]
fn the_second_writer_shuts_out_the_first() {
    let store = Store::filled(10);
    let first = store.open().unwrap();
    let second = store.open().unwrap();
    let refused = first.append(vec![b"first".to_vec()]).unwrap_err();
    let AppendFailed::NotCommitted(why) = refused else { panic!("{refused:?}") };
    assert!(matches!(*why, GroupFailed::Overtaken), "{why:?}");
    let refused = first.append(vec![b"first".to_vec()]).unwrap_err();
    assert!(matches!(refused, AppendFailed::Stopped(_)), "{refused:?}");
    assert_eq!(second.append(vec![entry(10)]).unwrap().first_index, 10);
    drop((first, second));
    // What the first one staged in vain is gone after the next opening.
    assert_eq!(store.names("staging/").len(), 1);
    assert_eq!(store.open().unwrap().checkpoint().size(), 11);
    assert_eq!(store.names("staging/"), Vec::<String>::new());
    fsck_clean(&store);
}

/// A compare-and-swap during which somebody else acts, once.
struct Meanwhile<C> {
    inner: C,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// Before which call of `swap`, counted from 1; `None`: before a call of `load`.
    at_swap: Option<u64>,
    swaps: AtomicU64,
}

impl<C> Meanwhile<C> {
    fn act(&self) {
        if let Some(act) = self.act.lock().unwrap().take() {
            act();
        }
    }
}

impl<C: Cas> Cas for Meanwhile<C> {
    fn load(&self, key: &BlobName) -> Result<Option<Vec<u8>>, BlobError> {
        if self.at_swap.is_none() && self.swaps.load(Ordering::SeqCst) >= 2 {
            self.act();
        }
        self.inner.load(key)
    }

    fn swap(&self, key: &BlobName, expected: Option<&[u8]>, new: &[u8]) -> Result<(), CasError> {
        if Some(self.swaps.fetch_add(1, Ordering::SeqCst) + 1) == self.at_swap {
            self.act();
        }
        self.inner.swap(key, expected, new)
    }
}

fn interrupted(
    store: &Store,
    at_swap: Option<u64>,
    act: impl FnOnce() + Send + 'static,
) -> Result<Ledger, OpenFailed> {
    let act: Box<dyn FnOnce() + Send> = Box::new(act);
    let cas =
        Meanwhile { inner: store.cas.clone(), act: Mutex::new(Some(act)), at_swap, swaps: AtomicU64::new(0) };
    Ledger::open(Arc::new(store.blobs.clone()), Arc::new(cas), signer())
}

/// Another writer takes over and appends between the staging and the swap of the first one.
#[test]
fn overtaken_before_the_swap() {
    let store = Store::filled(10);
    let other = store.clone();
    let first = interrupted(&store, Some(2), move || {
        other.open().unwrap().append(vec![entry(10), entry(11)]).unwrap();
    })
    .unwrap();
    let refused = first.append(vec![b"first".to_vec()]).unwrap_err();
    assert!(matches!(refused, AppendFailed::NotCommitted(_)), "{refused:?}");
    assert_eq!(store.open().unwrap().snapshot().unwrap().entry(10).unwrap(), entry(10));
    fsck_clean(&store);
}

/// Another writer takes over after the first one's swap: the first one's entries are committed, and the older
/// checkpoint that it publishes late does not stay.
#[test]
fn overtaken_after_the_swap() {
    let store = Store::filled(10);
    let other = store.clone();
    let first = interrupted(&store, None, move || {
        let second = other.open().unwrap();
        assert_eq!(second.append(vec![entry(11)]).unwrap().first_index, 11);
        // The first one's late publication.
        let old = Store::filled(11).get("checkpoint");
        drop(second);
        other.put("checkpoint", &old);
    })
    .unwrap();
    let appended = first.append(vec![entry(10)]).unwrap();
    assert_eq!((appended.first_index, appended.checkpoint.size()), (10, 11));
    assert!(matches!(first.append(vec![entry(12)]).unwrap_err(), AppendFailed::Stopped(_)));
    drop(first);
    assert_eq!(store.reader().checkpoint().unwrap().size(), 12);
    assert_eq!(store.open().unwrap().checkpoint().size(), 12);
    fsck_clean(&store);
}

/// Blobs through which a checkpoint is published late: somebody else acts before the n-th one is put.
struct Late {
    inner: MemBlobs,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    at: u64,
    published: AtomicU64,
}

impl Blobs for Late {
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        if blobs.iter().any(|(name, _)| name.as_str() == "checkpoint")
            && self.published.fetch_add(1, Ordering::SeqCst) + 1 == self.at
        {
            let act = self.act.lock().unwrap().take();
            act.into_iter().for_each(|act| act());
        }
        self.inner.put(blobs)
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.inner.create()
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        self.inner.open(name)
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        self.inner.list(prefix, after, limit)
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        self.inner.delete(name)
    }
}

/// The writer that took over goes on while the first one puts its checkpoint back: the last one published is the
/// newest all the same.
#[test]
fn overtaken_again_while_making_good() {
    let store = Store::filled(10);
    let second: Arc<Mutex<Option<Ledger>>> = Arc::default();
    let (other, opened) = (store.clone(), Arc::clone(&second));
    let take_over = move || {
        let ledger = other.open().unwrap();
        ledger.append(vec![entry(11)]).unwrap();
        *opened.lock().unwrap() = Some(ledger);
    };
    let take_over: Box<dyn FnOnce() + Send> = Box::new(take_over);
    let cas = Meanwhile {
        inner: store.cas.clone(),
        act: Mutex::new(Some(take_over)),
        at_swap: None,
        swaps: AtomicU64::new(0),
    };
    let ongoing = Arc::clone(&second);
    let go_on: Box<dyn FnOnce() + Send> = Box::new(move || {
        ongoing.lock().unwrap().as_ref().unwrap().append(vec![entry(12)]).unwrap();
    });
    // The first checkpoint is the first writer's own; the second is the one that it puts back.
    let blobs = Late {
        inner: store.blobs.clone(),
        act: Mutex::new(Some(go_on)),
        at: 2,
        published: AtomicU64::new(0),
    };
    let first = Ledger::open(Arc::new(blobs), Arc::new(cas), signer()).unwrap();
    assert_eq!(first.append(vec![entry(10)]).unwrap().first_index, 10);
    assert!(matches!(first.append(vec![entry(13)]).unwrap_err(), AppendFailed::Stopped(_)));
    drop((first, second.lock().unwrap().take()));
    assert_eq!(store.reader().checkpoint().unwrap().size(), 13);
    fsck_clean(&store);
}

/// What gathers while a group is being written is committed together, but never more than a group may hold.
#[test]
fn groups_have_limits() {
    let store = Store::filled(10);
    let (writing, begun) = sync_channel::<()>(1);
    let (release, held) = sync_channel::<()>(1);
    let act = move || {
        writing.send(()).unwrap();
        held.recv().unwrap();
    };
    let ledger = interrupted(&store, Some(2), act).unwrap();
    let append = |count: usize| ledger.append(vec![b"entry".to_vec(); count]).unwrap();
    let mut groups: BTreeMap<u64, usize> = BTreeMap::new();
    thread::scope(|scope| {
        let first = scope.spawn(|| append(1));
        begun.recv().unwrap();
        let others: Vec<_> = (0..12).map(|_| scope.spawn(|| append(1000))).collect();
        // Time for all of them to queue; were it too short, there would only be more groups.
        thread::sleep(Duration::from_millis(300));
        release.send(()).unwrap();
        assert_eq!(first.join().unwrap().checkpoint.size(), 11);
        for other in others {
            *groups.entry(other.join().unwrap().checkpoint.size()).or_default() += 1000;
        }
    });
    assert!(groups.values().all(|entries| *entries <= GROUP_ENTRIES), "{groups:?}");
    assert!((3..12).contains(&groups.len()), "{groups:?}");
}

/// Partial tiles that a crash kept a writer from removing are removed by the next one.
#[test]
fn stale_partials_of_a_crash_are_removed() {
    let store = Store::filled(600);
    let stale = ["tile/0/001.p/7", "tile/entries/001.p/200"];
    store.put(stale[0], &store.get("tile/0/001")[..7 * 32]);
    store.put(stale[1], b"whatever it holds");
    store.open().unwrap().append(vec![entry(600)]).unwrap();
    assert!(!stale.iter().any(|path| store.exists(path)));
    assert!(store.exists("tile/0/002.p/88") && store.exists("tile/0/002.p/89"));
    fsck_clean(&store);
}

#[test]
fn two_openings_at_once() {
    let store = Store::filled(10);
    let other = store.clone();
    let opened = interrupted(&store, Some(1), move || drop(other.open().unwrap()));
    assert!(matches!(opened.unwrap_err(), OpenFailed::Contended));
}

/// Blobs whose staging area is looked at through somebody else's hands.
struct Staging {
    inner: MemBlobs,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    hidden: bool,
    late: bool,
}

impl Blobs for Staging {
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        self.inner.put(blobs)
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.inner.create()
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        self.inner.open(name)
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        if prefix != "staging/" {
            return self.inner.list(prefix, after, limit);
        }
        let before = self.inner.list(prefix, after, limit)?;
        if let Some(act) = self.act.lock().unwrap().take() {
            act();
        }
        match (self.hidden, self.late) {
            (true, _) => Ok(Vec::new()),
            (false, true) => Ok(before),
            (false, false) => self.inner.list(prefix, after, limit),
        }
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        self.inner.delete(name)
    }
}

/// A writer that is opening the ledger must not tidy away what a later one has staged and committed, but not
/// finished before it died.
#[test]
fn staging_of_later_writers_is_left_alone() {
    let store = Store::filled(10);
    let other = store.clone();
    let act = move || {
        let faults = Faults::new();
        let blobs = FailingBlobs::new(other.blobs.clone(), faults.clone());
        let later = Ledger::open(Arc::new(blobs), Arc::new(other.cas.clone()), signer()).unwrap();
        // The first put stages; the second, of the tiles, fails.
        faults.fail_at(faults.calls() + 2, Moment::Before, ErrorKind::Other);
        assert_eq!(later.append(vec![entry(10)]).unwrap().first_index, 10);
    };
    let act: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(Some(Box::new(act)));
    let blobs = Staging { inner: store.blobs.clone(), act, hidden: false, late: false };
    let first = Ledger::open(Arc::new(blobs), Arc::new(store.cas.clone()), signer()).unwrap();
    assert!(matches!(first.append(vec![b"first".to_vec()]), Err(AppendFailed::NotCommitted(_))));
    assert!(!store.exists("tile/entries/000.p/11"));
    assert_eq!(store.open().unwrap().snapshot().unwrap().entry(10).unwrap(), entry(10));
    fsck_clean(&store);
}

/// The writer of a committed group finishes it, and removes its staging blob, just when another one that is
/// opening the ledger has seen that blob.
#[test]
fn staging_may_vanish_when_its_group_is_finished() {
    let finished = Store::filled(12);
    let store = Store { cas: finished.cas.clone(), ..Store::filled(10) };
    let root = finished.reader().checkpoint().unwrap().root();
    let staging = format!("staging/0-12-{}", root.to_hex());
    store.put(&staging, b"seen, and then gone");
    let other = store.clone();
    let act = move || {
        for path in finished.names("") {
            other.put(&path, &finished.get(&path));
        }
        other.delete(&staging);
    };
    let act: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(Some(Box::new(act)));
    let blobs = Staging { inner: store.blobs.clone(), act, hidden: false, late: true };
    let ledger = Ledger::open(Arc::new(blobs), Arc::new(store.cas.clone()), signer()).unwrap();
    assert_eq!(ledger.append(vec![entry(12)]).unwrap().first_index, 12);
    drop(ledger);
    fsck_clean(&store);
}

/// A committed group whose tiles and staging are both gone is an error at opening, never a shorter ledger.
#[test]
fn lost_tiles_are_not_forgotten() {
    let (store, larger) = (Store::filled(10), Store::filled(12));
    let store = Store { blobs: store.blobs, cas: larger.cas };
    let blobs = Staging { inner: store.blobs.clone(), act: Mutex::new(None), hidden: true, late: false };
    let opened = Ledger::open(Arc::new(blobs), Arc::new(store.cas), signer());
    assert!(matches!(opened.unwrap_err(), OpenFailed::Tiles(_)));
}

#[test]
fn rolled_back_heads_and_checkpoints() {
    let (small, large) = (Store::filled(10), Store::filled(20));
    let head_back = Store { blobs: large.copy().blobs, cas: small.copy().cas };
    assert!(matches!(head_back.open().unwrap_err(), OpenFailed::RolledBack { published: 20, head: 10 }));
    // A published checkpoint that is older than the head is only a crash between the two.
    let published_back = large.copy();
    published_back.put("checkpoint", &small.get("checkpoint"));
    assert_eq!(published_back.open().unwrap().checkpoint().size(), 20);
    assert_eq!(published_back.get("checkpoint"), large.get("checkpoint"));
    // One that the head does not continue is not, whatever its size.
    let forked = Store::default();
    drop(forked.create().unwrap().append(vec![b"other".to_vec(); 10]).unwrap());
    let other_tree = large.copy();
    other_tree.put("checkpoint", &forked.get("checkpoint"));
    assert!(matches!(other_tree.open().unwrap_err(), OpenFailed::RolledBack { published: 10, head: 20 }));
    let damaged = large.copy();
    damaged.flip("checkpoint", 3);
    assert!(matches!(damaged.open().unwrap_err(), OpenFailed::Published(_)));
}

#[test]
fn damaged_staging() {
    let store = Store::filled(10);
    let head = store.reader().checkpoint().unwrap();
    let staging = format!("staging/0-10-{}", head.root().to_hex());
    store.put(&staging, b"bartizan-ledger-staging-v1\n");
    assert!(matches!(store.open().unwrap_err(), OpenFailed::Staging { name, .. } if name == staging));
    store.delete(&staging);
    // Names that no writer made are left alone.
    for path in ["staging/readme", "staging/01-10-aa", "staging/1-10-xyz"] {
        store.put(path, b"?");
    }
    drop(store.open().unwrap());
    assert_eq!(store.names("staging/").len(), 3);
}

#[test]
fn other_keys_cannot_open() {
    let store = Store::filled(3);
    let open = |name: &str, seed| {
        let signer = NoteSigner::new(name, key(seed)).unwrap();
        Ledger::open(Arc::new(store.blobs.clone()), Arc::new(store.cas.clone()), signer).unwrap_err()
    };
    assert!(matches!(
        open(ORIGIN, 9),
        OpenFailed::Head(HeadInvalid::Checkpoint(CheckpointInvalid::NotSigned { .. }))
    ));
    assert!(matches!(
        open("other", 1),
        OpenFailed::Head(HeadInvalid::Checkpoint(CheckpointInvalid::Origin { .. }))
    ));
    let head = name("ledger-head");
    let value = store.cas.load(&head).unwrap().unwrap();
    for bytes in
        [&b""[..], b"bartizan-ledger-head-v1\nepoch 01\n", b"bartizan-ledger-head-v2\nepoch 1\n", b"\xff"]
    {
        let copy = store.copy();
        copy.cas.swap(&head, Some(&value), bytes).unwrap();
        assert!(matches!(copy.open().unwrap_err(), OpenFailed::Head(HeadInvalid::Form)));
    }
}

/// A key that fails, or signs wrongly, stops the writer before anything is committed.
#[test]
fn keys_that_do_not_sign() {
    let store = Store::filled(3);
    let before = store.copy();
    for wrong in [false, true] {
        let calls = AtomicU64::new(0);
        let (good, bad) = (key(1), key(2));
        let sign = move |message: &[u8]| {
            calls.fetch_add(1, Ordering::SeqCst);
            if wrong { Ok(bad.sign(message)?) } else { Err("the token was removed".into()) }
        };
        let signer = NoteSigner::with(ORIGIN, good.public(), sign).unwrap();
        let ledger =
            Ledger::open(Arc::new(store.blobs.clone()), Arc::new(store.cas.clone()), signer).unwrap();
        let refused = ledger.append(vec![entry(3)]).unwrap_err();
        let AppendFailed::NotCommitted(why) = refused else { panic!("{refused:?}") };
        match &*why {
            GroupFailed::Sign(SignFailed::DoesNotVerify { .. }) => assert!(wrong),
            GroupFailed::Sign(SignFailed::Key { .. }) => assert!(!wrong),
            other => panic!("{other:?}"),
        }
        assert!(matches!(ledger.append(vec![entry(3)]), Err(AppendFailed::Stopped(_))));
    }
    assert_eq!(store.get("checkpoint"), before.get("checkpoint"));
    assert_eq!(store.names(""), before.names(""));
}

#[test]
fn bulk_building_needs_an_empty_ledger() {
    let bulk = |store: &Store| {
        BulkBuilder::new(Arc::new(store.blobs.clone()), Arc::new(store.cas.clone()), signer())
    };
    assert!(matches!(bulk(&Store::filled(1)).unwrap_err(), BulkFailed::NotEmpty { size: 1 }));
    assert!(matches!(bulk(&Store::default()).unwrap_err(), BulkFailed::Open(OpenFailed::Missing)));

    let store = Store::default();
    drop(store.create().unwrap());
    let mut builder = bulk(&store).unwrap();
    assert!(matches!(builder.push(b"").unwrap_err(), BulkFailed::EntryLength { bytes: 0 }));
    for index in 0..1000 {
        builder.push(&entry(index)).unwrap();
    }
    let checkpoint = builder.finish().unwrap();
    assert_eq!(checkpoint, Store::filled(1000).reader().checkpoint().unwrap());
    fsck_clean(&store);
    assert_eq!(store.open().unwrap().append(vec![entry(1000)]).unwrap().first_index, 1000);

    let overtaken = Store::default();
    drop(overtaken.create().unwrap());
    let mut builder = bulk(&overtaken).unwrap();
    builder.push(b"a").unwrap();
    drop(overtaken.open().unwrap());
    assert!(matches!(builder.finish().unwrap_err(), BulkFailed::Overtaken));
}
