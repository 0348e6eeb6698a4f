//! Remembered checkpoints: smaller, forked and foreign ledgers are refused, each with its own reason.

use std::sync::Arc;

use bartizan_base::{Cas, sha256};
use bartizan_ledger::{Ledger, NoteSigner, RememberFailed, Remembered, TrustedLog};
use bartizan_store::{MemBlobs, MemCas};

use crate::support::{ORIGIN, Store, entry, key, log, name};

fn memory(cas: &MemCas) -> Remembered {
    Remembered::new(Arc::new(cas.clone()), log())
}

/// A ledger of the same origin and key that agrees with `Store::filled` up to `fork`.
fn forked(fork: u64, size: u64) -> Store {
    let store = Store::default();
    let ledger = store.create().unwrap();
    if size == 0 {
        return store;
    }
    ledger
        .append((0..size).map(|i| if i < fork { entry(i) } else { b"rewritten".to_vec() }).collect())
        .unwrap();
    store
}

#[test]
fn follows_a_growing_ledger() {
    let cas = MemCas::new();
    let store = Store::filled(5);
    let memory = memory(&cas);
    assert!(memory.largest().unwrap().is_none());
    let snapshot = store.reader().snapshot().unwrap();
    assert!(matches!(memory.follow(&snapshot), Err(RememberFailed::NothingYet { .. })));
    memory.begin(snapshot.checkpoint()).unwrap();
    assert!(matches!(memory.begin(snapshot.checkpoint()), Err(RememberFailed::Already { .. })));
    let ledger = store.open().unwrap();
    for index in 5..600 {
        if index % 50 == 0 {
            memory.follow(&ledger.snapshot().unwrap()).unwrap();
            assert_eq!(memory.largest().unwrap().unwrap().size(), index);
        }
        ledger.append(vec![entry(index)]).unwrap();
    }
    memory.follow(&ledger.snapshot().unwrap()).unwrap();
    memory.follow(&ledger.snapshot().unwrap()).unwrap();
    assert_eq!(memory.largest().unwrap().unwrap(), ledger.checkpoint());
}

#[test]
fn refuses_rollback_and_rewriting() {
    let cas = MemCas::new();
    let memory = memory(&cas);
    memory.begin(Store::filled(300).reader().snapshot().unwrap().checkpoint()).unwrap();
    let check = |store: Store| memory.follow(&store.reader().snapshot().unwrap());
    assert!(matches!(
        check(Store::filled(299)).unwrap_err(),
        RememberFailed::Smaller { remembered: 300, shown: 299 }
    ));
    assert!(matches!(check(forked(0, 0)).unwrap_err(), RememberFailed::Smaller { shown: 0, .. }));
    assert!(matches!(check(forked(299, 300)).unwrap_err(), RememberFailed::SameSizeOtherRoot { size: 300 }));
    for fork in [0, 255, 256, 299] {
        assert!(matches!(
            check(forked(fork, 400)).unwrap_err(),
            RememberFailed::Inconsistent { remembered: 300, shown: 400, .. }
        ));
    }
    assert_eq!(memory.largest().unwrap().unwrap().size(), 300, "refusals change nothing");
    check(forked(300, 400)).unwrap();
    assert_eq!(memory.largest().unwrap().unwrap().size(), 400);
}

#[test]
fn a_proof_from_elsewhere_must_hold() {
    let cas = MemCas::new();
    let memory = memory(&cas);
    let store = Store::filled(20);
    let snapshot = store.reader().snapshot().unwrap();
    memory.begin(Store::filled(7).reader().snapshot().unwrap().checkpoint()).unwrap();
    let shown = snapshot.checkpoint();
    let refused = memory.advance(shown, &mut |_| Ok(vec![sha256(b"no")])).unwrap_err();
    assert!(matches!(refused, RememberFailed::Inconsistent { .. }));
    memory
        .advance(shown, &mut |old| {
            assert_eq!(old, 7);
            snapshot.consistency(old, 20)
        })
        .unwrap();
}

#[test]
fn other_logs_and_damage() {
    let other_signer = || NoteSigner::new("ledger.example/other", key(1)).unwrap();
    let blobs = Arc::new(MemBlobs::new());
    let other = Ledger::create(blobs, Arc::new(MemCas::new()), other_signer()).unwrap();
    let cas = MemCas::new();
    let memory = memory(&cas);
    assert!(matches!(memory.begin(&other.checkpoint()), Err(RememberFailed::OtherLog { .. })));
    memory.begin(&Store::filled(3).reader().checkpoint().unwrap()).unwrap();
    assert!(matches!(memory.follow(&other.snapshot().unwrap()), Err(RememberFailed::OtherLog { .. })));

    // Both are remembered side by side.
    let other_log = TrustedLog::new(other_signer().key().clone()).unwrap();
    let both = Remembered::new(Arc::new(cas.clone()), other_log);
    both.begin(&other.checkpoint()).unwrap();
    assert_eq!(memory.largest().unwrap().unwrap().size(), 3);

    let key = name(&format!("remembered/{}", sha256(ORIGIN.as_bytes()).to_hex()));
    let value = cas.load(&key).unwrap().unwrap();
    cas.swap(&key, Some(&value), b"damaged").unwrap();
    assert!(matches!(memory.largest(), Err(RememberFailed::Damaged(_))));
    let snapshot = Store::filled(9).reader().snapshot().unwrap();
    assert!(matches!(memory.follow(&snapshot), Err(RememberFailed::Damaged(_))));
}
