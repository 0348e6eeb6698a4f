//! Remembered checkpoints: smaller, forked and foreign ledgers are refused, each with its own reason.

use std::sync::Arc;

use bartizan_base::{Cas, Timestamp, sha256};
use bartizan_ledger::{
    CheckpointInvalid, Ledger, NoteSigner, RememberFailed, Remembered, TrustedLog, cosign,
};
use bartizan_store::{MemBlobs, MemCas};

use crate::support::{ORIGIN, Store, entry, key, log, name, signer, witness};

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

/// Who calls has a verified checkpoint, but perhaps one that was verified under other keys than this memory's.
#[test]
fn what_others_trust_is_not_remembered() {
    let cas = MemCas::new();
    let memory = memory(&cas);
    let impostor = NoteSigner::new(ORIGIN, key(9)).unwrap();
    let ledger = Ledger::create(Arc::new(MemBlobs::new()), Arc::new(MemCas::new()), impostor).unwrap();
    let refused = memory.begin(&ledger.checkpoint()).unwrap_err();
    assert!(matches!(refused, RememberFailed::Untrusted(CheckpointInvalid::NotSigned { .. })), "{refused:?}");
    assert!(memory.largest().unwrap().is_none());

    let store = Store::filled(3);
    memory.begin(&store.reader().checkpoint().unwrap()).unwrap();
    ledger.append((0..9).map(entry).collect()).unwrap();
    let refused = memory.follow(&ledger.snapshot().unwrap()).unwrap_err();
    assert!(matches!(refused, RememberFailed::Untrusted(_)), "{refused:?}");
    assert_eq!(memory.largest().unwrap().unwrap().size(), 3);

    // A memory that demands a witness does not take what was verified without.
    let witnessed = TrustedLog::witnessed(signer().key().clone(), vec![witness("w", 2)], 1).unwrap();
    let strict = Remembered::new(Arc::new(cas.clone()), witnessed.clone());
    let larger = Store::filled(5).reader().snapshot().unwrap();
    let refused = strict.follow(&larger).unwrap_err();
    assert!(matches!(refused, RememberFailed::Untrusted(CheckpointInvalid::Quorum { .. })), "{refused:?}");
    let line = cosign(larger.checkpoint(), "w", &key(2), Timestamp::from_millis(5000)).unwrap();
    let cosigned = larger.checkpoint().with_lines(&line, &witnessed).unwrap();
    strict.advance(&cosigned, &mut |old| larger.consistency(old, 5)).unwrap();
    assert_eq!(strict.largest().unwrap().unwrap().size(), 5);
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
