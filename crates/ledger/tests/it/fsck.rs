//! The check of a whole ledger: clean ones are clean, and every kind of damage is named.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use bartizan_base::{BlobError, BlobName, BlobReader, BlobWriter, Blobs, Cas, sha256};
use bartizan_ledger::{Defect, DefectKind, Ledger, NOT_COVERED, OpenFailed, Report, StagingInvalid, fsck};
use bartizan_store::{FailingBlobs, Faults, MemBlobs, Moment};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::support::{ORIGIN, Store, entry, fsck_clean, key, log, name, signer};

fn check(store: &Store) -> Report {
    fsck(&store.blobs, Some(&store.cas), &log(), NonZeroUsize::new(2).unwrap())
}

fn defects(store: &Store) -> Vec<Defect> {
    let report = check(store);
    assert_eq!(report.defects_total, report.defects.len() as u64);
    report.defects
}

fn only(store: &Store) -> (String, Option<u64>, DefectKind) {
    match <[Defect; 1]>::try_from(defects(store)) {
        Ok([Defect { path, index, kind }]) => (path, index, kind),
        Err(defects) => panic!("{defects:#?}"),
    }
}

#[test]
fn clean_ledgers_of_many_sizes() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 513, 1000] {
        let report = fsck_clean(&Store::filled(size));
        assert_eq!((report.entries, report.checkpoint.unwrap().size()), (size, size));
    }
    assert!(NOT_COVERED.contains("older copy"));
}

#[test]
fn stale_partials_are_counted_and_checked() {
    let store = Store::default();
    let ledger = store.create().unwrap();
    for size in [10, 20, 5] {
        ledger.append((0..size).map(entry).collect()).unwrap();
    }
    drop(ledger);
    assert_eq!(fsck_clean(&store).stale_partials, 4);
    store.flip("tile/0/000.p/30", 100);
    store.flip("tile/entries/000.p/10", 3);
    let found = defects(&store);
    assert_eq!(found.len(), 2, "{found:#?}");
    for path in ["tile/0/000.p/30", "tile/entries/000.p/10"] {
        let kind = DefectKind::Partial;
        assert!(found.contains(&Defect { path: path.to_owned(), index: None, kind }), "{found:#?}");
    }
}

/// Every blob of a ledger is damaged in turn: changed anywhere, cut, or removed. Nothing goes unnoticed, and the
/// damaged blob is the one that is blamed.
#[test]
fn all_damage_is_found_and_blamed() {
    let store = Store::filled(600);
    for path in store.names("") {
        let whole = store.get(&path);
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let copy = store.copy();
            copy.flip(&path, at);
            let found = defects(&copy);
            assert!(found.iter().any(|defect| defect.path == path), "{path} at {at}: {found:#?}");
            if path != "checkpoint" {
                assert_eq!(found.len(), 1, "{path} at {at}: {found:#?}");
            }
        }
        let copy = store.copy();
        copy.put(&path, &whole[..whole.len() - 1]);
        assert!(defects(&copy).iter().any(|defect| defect.path == path), "{path} cut");
    }
    for path in [
        "checkpoint",
        "tile/0/000",
        "tile/0/002.p/88",
        "tile/entries/001",
        "tile/entries/002.p/88",
        "tile/1/000.p/2",
    ] {
        let copy = store.copy();
        copy.delete(path);
        assert_eq!(only(&copy), (path.to_owned(), None, DefectKind::Missing));
    }
}

#[test]
fn defects_name_the_entry() {
    let store = Store::filled(600);
    let at = |index: u64| -> usize { (0..index % 256).map(|i| 2 + entry(index / 256 * 256 + i).len()).sum() };
    for (path, index) in [("tile/entries/000", 17), ("tile/entries/001", 300), ("tile/entries/002.p/88", 599)]
    {
        let copy = store.copy();
        copy.flip(path, at(index) + 3);
        assert_eq!(only(&copy), (path.to_owned(), Some(index), DefectKind::Entry));
    }
    for (path, index) in [("tile/0/000", 17), ("tile/0/001", 300), ("tile/0/002.p/88", 599)] {
        let copy = store.copy();
        copy.flip(path, (index as usize % 256) * 32 + 7);
        assert_eq!(only(&copy), (path.to_owned(), Some(index), DefectKind::Hash));
    }
    let copy = store.copy();
    copy.flip("tile/1/000.p/2", 40);
    assert_eq!(only(&copy), ("tile/1/000.p/2".to_owned(), Some(256), DefectKind::Hash));
}

/// Someone who rewrites an entry and everything above it, but cannot sign, is caught by the root; someone who
/// stops half-way is caught where the forgery meets the rest.
#[test]
fn consistent_forgeries() {
    let store = Store::filled(600);
    let forged = Store::default();
    let ledger = forged.create().unwrap();
    ledger
        .append((0..600).map(|i| if i == 300 { b"forged 300".to_vec() } else { entry(i) }).collect())
        .unwrap();
    drop(ledger);
    let copy = store.copy();
    for path in ["tile/entries/001", "tile/0/001"] {
        copy.put(path, &forged.get(path));
    }
    assert_eq!(only(&copy), ("tile/0/001".to_owned(), Some(256), DefectKind::Replaced));
    copy.put("tile/1/000.p/2", &forged.get("tile/1/000.p/2"));
    assert_eq!(only(&copy), ("checkpoint".to_owned(), None, DefectKind::Root));
    // With the signature of the operator only the head, a remembered checkpoint or a witness tells.
    copy.put("checkpoint", &forged.get("checkpoint"));
    assert_eq!(only(&copy), ("ledger-head".to_owned(), None, DefectKind::HeadDiffers));
    let without_head = fsck(&copy.blobs, None, &log(), NonZeroUsize::MIN);
    assert!(without_head.is_clean());
}

#[test]
fn strangers_among_the_tiles() {
    let store = Store::filled(300);
    for (path, kind) in [
        ("tile/0/002", DefectKind::Beyond),
        ("tile/0/001.p/45", DefectKind::Beyond),
        ("tile/3/000.p/1", DefectKind::Beyond),
        ("tile/entries/x001/000", DefectKind::Beyond),
        ("tile/0/0000", DefectKind::Name),
        ("tile/9/000", DefectKind::Name),
        ("tile/readme.md", DefectKind::Name),
    ] {
        let copy = store.copy();
        copy.put(path, b"?");
        assert_eq!(only(&copy), (path.to_owned(), None, kind));
    }
    // Beside a running writer, what is beyond the checkpoint is not yet a defect.
    let copy = store.copy();
    copy.put("tile/0/002", b"?");
    assert!(fsck(&copy.blobs, None, &log(), NonZeroUsize::MIN).is_clean());
}

/// A server checks its own ledger while requests append to it.
#[test]
fn a_growing_ledger_is_clean() {
    let store = Store::default();
    let ledger = store.create().unwrap();
    let done = AtomicBool::new(false);
    let mut last = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                ledger.append(vec![entry(0)]).unwrap();
            }
        });
        for _ in 0..300 {
            let report = check(&store);
            if !report.is_clean() {
                done.store(true, Ordering::SeqCst);
                panic!("{report:#?}");
            }
            last = report.checkpoint.unwrap().size();
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(last > 1, "nothing was appended meanwhile");
}

/// Blobs whose partial tiles are gone after the first look, as when a writer completes the full ones.
struct Vanishing {
    inner: MemBlobs,
    seen: Mutex<BTreeSet<BlobName>>,
}

impl Blobs for Vanishing {
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        self.inner.put(blobs)
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.inner.create()
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        let partial = name.as_str().contains(".p/");
        if partial && !self.seen.lock().unwrap().insert(name.clone()) {
            return Err(BlobError::new("read", name, ErrorKind::NotFound.into()));
        }
        self.inner.open(name)
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        self.inner.list(prefix, after, limit)
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        self.inner.delete(name)
    }
}

#[test]
fn partial_tiles_may_vanish_while_they_are_read() {
    let store = Store::filled(600);
    store.put("checkpoint", &Store::filled(300).get("checkpoint"));
    for (path, from) in [
        ("tile/0/001.p/44", "tile/0/001.p/44"),
        ("tile/entries/001.p/44", "tile/entries/001.p/44"),
        ("tile/1/000.p/1", "tile/1/000.p/1"),
    ] {
        store.put(path, &Store::filled(300).get(from));
    }
    let full = [store.get("tile/1/000.p/1"), vec![0; 255 * 32]].concat();
    store.put("tile/1/000", &full);
    let blobs = Vanishing { inner: store.blobs.clone(), seen: Mutex::default() };
    let report = fsck(&blobs, None, &log(), NonZeroUsize::MIN);
    assert!(report.is_clean(), "{report:#?}");
}

/// What a crash leaves between the swap of the head and the tiles: the acknowledged group is in the staging blob
/// alone.
fn unfinished() -> (Store, String) {
    let (faults, store) = (Faults::new(), Store::filled(200));
    let blobs = FailingBlobs::new(store.blobs.clone(), faults.clone());
    let ledger = Ledger::open(Arc::new(blobs), Arc::new(store.cas.clone()), signer()).unwrap();
    // The first put stages; the second, of the tiles, fails half-way.
    faults.fail_at(faults.calls() + 2, Moment::Halfway, ErrorKind::Other);
    assert_eq!(ledger.append((200..300).map(entry).collect()).unwrap().first_index, 200);
    drop(ledger);
    let [staging] = <[String; 1]>::try_from(store.names("staging/")).unwrap();
    (store, staging)
}

#[test]
fn an_unfinished_group_is_checked_where_it_is() {
    let (store, staging) = unfinished();
    let report = check(&store);
    assert!(report.is_clean() && report.unfinished, "{report:#?}");
    assert_eq!((report.entries, report.checkpoint.unwrap().size()), (300, 300));

    let whole = store.get(&staging);
    let copy = store.copy();
    copy.flip(&staging, whole.len() / 2);
    assert_eq!(only(&copy), (staging.clone(), None, DefectKind::Staging(StagingInvalid::Digest)));
    // Opening says the same.
    assert!(matches!(copy.open().unwrap_err(), OpenFailed::Staging { .. }));

    // Well formed, but not what was signed.
    let at = whole.windows(9).position(|window| window == b"entry 270").unwrap();
    let mut forged = whole[..whole.len() - 32].to_vec();
    forged[at] = b'E';
    let digest = sha256(&forged);
    forged.extend_from_slice(digest.as_bytes());
    let copy = store.copy();
    copy.put(&staging, &forged);
    assert_eq!(only(&copy), ("tile/entries/001.p/44".to_owned(), Some(270), DefectKind::Entry));

    // What was published before is still compared.
    let other = Store::default();
    let entries = (0..200).map(|index| entry(index + u64::from(index == 7))).collect();
    drop(other.create().unwrap().append(entries).unwrap());
    let copy = store.copy();
    for path in ["checkpoint", "tile/0/000.p/200", "tile/entries/000.p/200"] {
        copy.put(path, &other.get(path));
    }
    assert!(!check(&copy).is_clean());
    assert!(matches!(copy.open().unwrap_err(), OpenFailed::RolledBack { published: 200, head: 300 }));
    let copy = store.copy();
    copy.put("checkpoint", &other.get("checkpoint"));
    assert_eq!(only(&copy), ("ledger-head".to_owned(), None, DefectKind::HeadDiffers));
}

#[test]
fn heads_that_do_not_fit() {
    let head = name("ledger-head");
    let load = |store: &Store| store.cas.load(&head).unwrap().unwrap();
    let store = Store::filled(10);
    let larger = Store::filled(20);
    let swapped = |with: &[u8]| {
        let copy = store.copy();
        copy.cas.swap(&head, Some(&load(&copy)), with).unwrap();
        only(&copy)
    };
    let path = "ledger-head".to_owned();
    assert_eq!(swapped(&load(&larger)), (path.clone(), None, DefectKind::HeadUnfinished));
    assert_eq!(swapped(&load(&Store::filled(5))), (path.clone(), None, DefectKind::HeadDiffers));
    assert!(matches!(swapped(b"?"), (_, None, DefectKind::Head(_))));
    let missing = Store { cas: Store::default().cas, ..store.copy() };
    assert_eq!(only(&missing), (path, None, DefectKind::Missing));
}

#[test]
fn all_defects_are_counted_and_some_are_listed() {
    let store = Store::default();
    let ledger = store.create().unwrap();
    let entries: Vec<Vec<u8>> = (0..12_000).map(entry).collect();
    for group in entries.chunks(4000) {
        ledger.append(group.to_vec()).unwrap();
    }
    drop(ledger);
    for path in store.names("tile/entries/") {
        let mut bundle = store.get(&path);
        bundle.iter_mut().filter(|byte| **byte == b'e').for_each(|byte| *byte = b'E');
        store.put(&path, &bundle);
    }
    let report = check(&store);
    // The partial bundles that each append left behind are defects too.
    assert!(report.defects_total >= 12_000, "{}", report.defects_total);
    assert_eq!((report.defects.len(), report.gave_up), (10_000, false));
}

/// An operator who signs an absurd size keeps nobody's auditor busy for ever.
#[test]
fn absurd_sizes_are_given_up_on() {
    let store = Store::filled(10);
    let text = format!("{ORIGIN}\n{}\n{}\n", 1u64 << 56, "A".repeat(43) + "=");
    let signature = key(1).sign(text.as_bytes()).unwrap();
    let blob = BASE64.encode([&log().key().key_id()[..], &signature].concat());
    store.put("checkpoint", format!("{text}\n\u{2014} {ORIGIN} {blob}\n").as_bytes());
    let report = check(&store);
    assert_eq!(report.checkpoint.as_ref().unwrap().size(), 1 << 56);
    assert!(report.gave_up && report.defects_total >= 100_000 && !report.is_clean());
    assert!(store.reader().snapshot().is_err());
}
