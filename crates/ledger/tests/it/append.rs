//! Appending: groups, order, conditions, limits.

use std::sync::{Arc, Barrier};
use std::thread;

use bartizan_ledger::limits::{GROUP_BYTES, GROUP_ENTRIES};
use bartizan_ledger::{AppendFailed, CreateFailed, OpenFailed, empty_root};

use crate::support::{Store, entry, fsck_clean};

#[test]
fn creation_is_explicit_and_happens_once() {
    let store = Store::default();
    assert!(matches!(store.open().unwrap_err(), OpenFailed::Missing));
    assert_eq!(store.names(""), Vec::<String>::new(), "a failed open leaves nothing");
    let ledger = store.create().unwrap();
    assert_eq!((ledger.checkpoint().size(), ledger.checkpoint().root()), (0, empty_root()));
    assert_eq!(store.reader().checkpoint().unwrap(), ledger.checkpoint());
    drop(ledger);
    assert!(matches!(store.create().unwrap_err(), CreateFailed::Exists));
    assert_eq!(store.open().unwrap().checkpoint().size(), 0);

    // Neither a lost head nor a lost checkpoint makes room for a new ledger.
    let headless = Store { cas: Store::default().cas, ..Store::filled(3).copy() };
    assert!(matches!(headless.create().unwrap_err(), CreateFailed::Exists));
    assert!(matches!(headless.open().unwrap_err(), OpenFailed::HeadMissing));
    headless.delete("checkpoint");
    assert!(matches!(headless.create().unwrap_err(), CreateFailed::Exists));
}

#[test]
fn entries_of_one_append_stay_together() {
    let store = Store::default();
    let ledger = Arc::new(store.create().unwrap());
    let (threads, appends) = (8u64, 40u64);
    let barrier = Arc::new(Barrier::new(8));
    let workers: Vec<_> = (0..threads)
        .map(|worker| {
            let (ledger, barrier) = (Arc::clone(&ledger), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                let mut firsts = Vec::new();
                for append in 0..appends {
                    let entries: Vec<Vec<u8>> =
                        (0..3).map(|part| format!("{worker} {append} {part}").into_bytes()).collect();
                    let appended = ledger.append(entries).unwrap();
                    assert!(appended.checkpoint.size() >= appended.first_index + 3);
                    firsts.push(appended.first_index);
                }
                (worker, firsts)
            })
        })
        .collect();
    let results: Vec<(u64, Vec<u64>)> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.size(), threads * appends * 3);
    for (worker, firsts) in results {
        assert!(firsts.is_sorted());
        for (append, first) in firsts.into_iter().enumerate() {
            for part in 0..3 {
                let expected = format!("{worker} {append} {part}").into_bytes();
                assert_eq!(snapshot.entry(first + part).unwrap(), expected);
            }
        }
    }
    drop(ledger);
    fsck_clean(&store);
}

/// What was appended can be read at once, through the published checkpoint too.
#[test]
fn acknowledged_means_readable() {
    let store = Store::default();
    let ledger = store.create().unwrap();
    let reader = store.reader();
    for index in 0..20 {
        let appended = ledger.append(vec![entry(index)]).unwrap();
        assert_eq!(appended.first_index, index);
        assert_eq!(reader.checkpoint().unwrap(), appended.checkpoint);
        let snapshot = reader.snapshot_at(appended.checkpoint).unwrap();
        assert_eq!(snapshot.entry(index).unwrap(), entry(index));
    }
}

#[test]
fn conditional_appends() {
    let store = Store::filled(5);
    let ledger = store.open().unwrap();
    assert_eq!(ledger.append_if(5, vec![entry(5), entry(6)]).unwrap().first_index, 5);
    for expected in [0, 5, 6, 8, u64::MAX] {
        match ledger.append_if(expected, vec![b"no".to_vec()]).unwrap_err() {
            AppendFailed::Conflict { expected: told, size: 7 } => assert_eq!(told, expected),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ledger.append_if(7, vec![entry(7)]).unwrap().checkpoint.size(), 8);
}

/// Many deciders on one state: exactly one wins each round, and every loser sees a durable larger size.
#[test]
fn one_of_many_conditional_appends_wins() {
    let store = Store::default();
    let ledger = Arc::new(store.create().unwrap());
    for round in 0..20 {
        let barrier = Arc::new(Barrier::new(6));
        let workers: Vec<_> = (0..6u64)
            .map(|worker| {
                let (ledger, barrier) = (Arc::clone(&ledger), Arc::clone(&barrier));
                thread::spawn(move || {
                    barrier.wait();
                    ledger.append_if(round, vec![entry(worker)])
                })
            })
            .collect();
        let mut won = 0;
        for worker in workers {
            match worker.join().unwrap() {
                Ok(appended) => {
                    won += 1;
                    assert_eq!(appended.first_index, round);
                }
                Err(AppendFailed::Conflict { expected, size }) => {
                    assert_eq!((expected, size), (round, round + 1));
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!((won, ledger.checkpoint().size()), (1, round + 1));
    }
}

#[test]
fn limits_of_an_append() {
    let store = Store::default();
    let ledger = store.create().unwrap();
    assert!(matches!(ledger.append(Vec::new()), Err(AppendFailed::NoEntries)));
    let refused = ledger.append(vec![entry(0), Vec::new()]);
    assert!(matches!(refused, Err(AppendFailed::EntryLength { position: 1, bytes: 0 })));
    let refused = ledger.append(vec![vec![0; 61_441]]);
    assert!(matches!(refused, Err(AppendFailed::EntryLength { position: 0, bytes: 61_441 })));
    let refused = ledger.append(vec![vec![0]; GROUP_ENTRIES + 1]);
    assert!(matches!(refused, Err(AppendFailed::TooMuch { entries: 4097, bytes: 4097 })));
    let refused = ledger.append(vec![vec![0; 61_440]; GROUP_BYTES / 61_440 + 1]);
    assert!(matches!(refused, Err(AppendFailed::TooMuch { entries: 274, .. })));
    assert_eq!(ledger.checkpoint().size(), 0);

    // The largest that is allowed is allowed, also on top of a bundle that is nearly full of large entries.
    ledger.append(vec![vec![1; 61_440]; 255]).unwrap();
    ledger.append(vec![vec![2; 61_440]; GROUP_BYTES / 61_440]).unwrap();
    ledger.append(vec![vec![3]; GROUP_ENTRIES]).unwrap();
    drop(ledger);
    assert_eq!(fsck_clean(&store).entries, 255 + 273 + 4096);
    assert_eq!(store.open().unwrap().snapshot().unwrap().entry(300).unwrap(), vec![2; 61_440]);
}

/// Opening and appending in small steps gives the same tiles, bytes and root as one large append.
#[test]
fn history_does_not_show_in_full_tiles() {
    let sizes = [1u64, 2, 3, 250, 1, 255, 256, 257, 5];
    let steps = Store::default();
    drop(steps.create().unwrap());
    let mut next = 0;
    for size in sizes {
        let ledger = steps.open().unwrap();
        ledger.append((next..next + size).map(entry).collect()).unwrap();
        next += size;
    }
    let once = Store::default();
    once.create().unwrap().append((0..next).map(entry).collect()).unwrap();
    assert_eq!(once.get("checkpoint"), steps.get("checkpoint"));
    let once_names = once.names("tile/");
    assert!(once_names.len() >= 10, "{once_names:?}");
    for path in once_names {
        assert_eq!(once.get(&path), steps.get(&path), "{path}");
    }
}
