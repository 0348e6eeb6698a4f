//! Crashes and failures at every single call: nothing acknowledged is lost, and the ledger goes on.

use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bartizan_base::{Blobs, Cas};
use bartizan_ledger::{AppendFailed, Ledger, LedgerReader, OpenFailed, Remembered, fsck};
use bartizan_store::{DirBlobs, DirCas, FailingBlobs, FailingCas, Faults, MemCas, Moment, SimDisk, SimFault};

use crate::support::{Store, entry, log, signer};

type Storage = (Arc<dyn Blobs>, Arc<dyn Cas>);

/// Sizes of the appends: partial tiles, a tile filled exactly, a group over two tiles, one at a time.
const APPENDS: [u64; 6] = [1, 2, 253, 300, 1, 1];

/// What a run of the workload could be sure of.
#[derive(Debug, Default)]
struct Run {
    created: bool,
    acknowledged: u64,
    attempted: u64,
}

/// Creates a ledger and appends to it until something fails.
fn workload((blobs, cas): Storage) -> Run {
    let mut run = Run::default();
    let Ok(ledger) = Ledger::create(blobs, cas, signer()) else { return run };
    run.created = true;
    for size in APPENDS {
        let entries = (run.attempted..run.attempted + size).map(entry).collect();
        run.attempted += size;
        match ledger.append(entries) {
            Ok(appended) => {
                assert_eq!(appended.first_index + size, run.attempted);
                assert_eq!(appended.checkpoint.size(), run.attempted);
                run.acknowledged = run.attempted;
            }
            Err(failed) => {
                assert!(
                    matches!(
                        failed,
                        AppendFailed::NotCommitted(_) | AppendFailed::Unknown(_) | AppendFailed::Stopped(_)
                    ),
                    "{failed:?}"
                );
                // The writer has stopped for good, whatever the storage does from now on.
                assert!(ledger.stopped().is_some());
                let again = ledger.append(vec![entry(run.attempted)]).unwrap_err();
                assert!(matches!(again, AppendFailed::Stopped(_)), "{again:?}");
                if !matches!(failed, AppendFailed::Unknown(_)) {
                    run.attempted -= size;
                }
                return run;
            }
        }
    }
    run
}

/// Opens what a run left behind, and checks that it is whole and goes on.
fn check_recovery(run: &Run, (blobs, cas): Storage, what: &str) {
    if run.created {
        // A crash is no damage: the check finds all that was acknowledged, if need be in the staging blob.
        let report = fsck(blobs.as_ref(), Some(cas.as_ref()), &log(), NonZeroUsize::MIN);
        assert!(report.is_clean(), "{what}: {report:#?}");
        assert!(report.entries >= run.acknowledged, "{what}: {report:#?} after {run:?}");
    }
    let ledger = match Ledger::open(Arc::clone(&blobs), Arc::clone(&cas), signer()) {
        Ok(ledger) => ledger,
        Err(OpenFailed::Missing) => {
            assert!(!run.created, "{what}: an acknowledged ledger is gone");
            Ledger::create(Arc::clone(&blobs), Arc::clone(&cas), signer()).unwrap()
        }
        Err(failed) => panic!("{what}: {failed:?}"),
    };
    let size = ledger.checkpoint().size();
    assert!((run.acknowledged..=run.attempted).contains(&size), "{what}: {size} after {run:?}");
    ledger.append(vec![entry(size), entry(size + 1)]).unwrap();
    let snapshot = LedgerReader::new(Arc::clone(&blobs), log()).snapshot().unwrap();
    assert_eq!(snapshot.size(), size + 2, "{what}");
    for (found, index) in snapshot.entries(0..u64::MAX).zip(0..) {
        assert_eq!(found.unwrap().bytes, entry(index), "{what}");
    }
    drop(ledger);
    let report = fsck(blobs.as_ref(), Some(cas.as_ref()), &log(), NonZeroUsize::MIN);
    assert!(report.is_clean() && !report.unfinished, "{what}: {report:#?}");
    assert!(blobs.list("staging/", None, 10).unwrap().is_empty(), "{what}: staging is left");
}

fn on(disk: &SimDisk) -> Storage {
    (Arc::new(DirBlobs::on(disk, "ledger").unwrap()), Arc::new(DirCas::on(disk, "ledger").unwrap()))
}

fn calls_of_a_whole_run() -> (u64, u64) {
    let disk = SimDisk::new();
    let storage = on(&disk);
    let before = disk.calls();
    let run = workload(storage);
    assert_eq!(run.acknowledged, APPENDS.iter().sum::<u64>());
    (before, disk.calls())
}

#[test]
fn power_cut_at_every_call() {
    let (before, calls) = calls_of_a_whole_run();
    for n in before + 1..=calls + 1 {
        let disk = SimDisk::new();
        let storage = on(&disk);
        disk.crash_at(n);
        let run = workload(storage);
        for seed in 0..4 {
            check_recovery(&run, on(&disk.after_crash(seed)), &format!("crash at {n}, seed {seed}"));
        }
    }
}

#[test]
fn kill_at_every_call() {
    let (before, calls) = calls_of_a_whole_run();
    for n in before + 1..=calls {
        let disk = SimDisk::new();
        let storage = on(&disk);
        disk.crash_at(n);
        let run = workload(storage);
        check_recovery(&run, on(&disk.after_kill()), &format!("kill at {n}"));
    }
}

/// The process lives on after one failed call, for example an fsync: the writer stops, and opening again on the
/// same disk finds everything acknowledged, also when the power is cut after that.
#[test]
fn failure_at_every_call() {
    let (before, calls) = calls_of_a_whole_run();
    for n in before + 1..=calls {
        for fault in [SimFault::Io, SimFault::Full] {
            let disk = SimDisk::new();
            let storage = on(&disk);
            disk.fail_at(n, fault);
            let run = workload(storage);
            check_recovery(&run, on(&disk), &format!("{fault:?} at {n}"));
        }
    }
}

/// The opening that recovers crashes too, at every one of its own calls.
#[test]
fn power_cut_during_recovery() {
    let (before, calls) = calls_of_a_whole_run();
    for n in (before + 1..=calls).step_by(7) {
        let disk = SimDisk::new();
        let storage = on(&disk);
        disk.crash_at(n);
        let run = workload(storage);
        for m in 1.. {
            let second = disk.after_crash(n);
            let storage = on(&second);
            second.crash_at(second.calls() + m);
            let opened = Ledger::open(storage.0, storage.1, signer()).map(drop);
            let crashed = second.crashed();
            check_recovery(
                &run,
                on(&second.after_crash(m)),
                &format!("crash at {n}, then at {m}: {opened:?}"),
            );
            if !crashed {
                break;
            }
        }
    }
}

/// The contract of the seams, independent of any disk: a failing call may have done nothing, half or all.
#[test]
fn every_moment_of_every_failing_call() {
    let plan = |faults: &Faults, store: &Store| -> Storage {
        let blobs = FailingBlobs::new(store.blobs.clone(), faults.clone());
        (Arc::new(blobs), Arc::new(FailingCas::new(store.cas.clone(), faults.clone())))
    };
    let faults = Faults::new();
    let whole = workload(plan(&faults, &Store::default()));
    assert_eq!(whole.acknowledged, APPENDS.iter().sum::<u64>());
    let mut unknown = 0;
    for n in 1..=faults.calls() {
        for moment in [Moment::Before, Moment::Halfway, Moment::After] {
            let (faults, store) = (Faults::new(), Store::default());
            faults.fail_at(n, moment, ErrorKind::Other);
            let run = workload(plan(&faults, &store));
            unknown += u32::from(run.attempted > run.acknowledged);
            let storage: Storage = (Arc::new(store.blobs.clone()), Arc::new(store.cas.clone()));
            check_recovery(&run, storage, &format!("call {n} {moment:?}"));
        }
    }
    // Each of the swaps leaves the caller in doubt at each of the moments, and nothing else does.
    assert_eq!(unknown as usize, APPENDS.len() * 3);
}

/// The memory of checkpoints survives failures at every call and never goes backwards.
#[test]
fn remembering_fails_safely() {
    let (small, large) = (Store::filled(10), Store::filled(20));
    let (small, large) = (small.reader().snapshot().unwrap(), large.reader().snapshot().unwrap());
    for n in 1..=6 {
        for moment in [Moment::Before, Moment::After] {
            let (faults, cas) = (Faults::new(), MemCas::new());
            let sound = Remembered::new(Arc::new(cas.clone()), log());
            sound.begin(small.checkpoint()).unwrap();
            faults.fail_at(n, moment, ErrorKind::Other);
            let failing = Remembered::new(Arc::new(FailingCas::new(cas, faults)), log());
            let accepted = failing.follow(&large).is_ok();
            let now = sound.largest().unwrap().unwrap().size();
            assert!(now == 20 || (now == 10 && !accepted), "call {n} {moment:?}: {now}");
            sound.follow(&large).unwrap();
            assert!(sound.follow(&small).is_err());
        }
    }
}
