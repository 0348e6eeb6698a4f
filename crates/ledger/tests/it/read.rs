//! Reading: ranges, proofs, and every kind of tile changed behind the reader's back.

use bartizan_ledger::{Entry, ReadFailed, TileBytesInvalid, verify_consistency};

use crate::support::{Store, entry};

const SIZE: u64 = 70_000;

/// A ledger with partial and full tiles on three levels.
fn large() -> Store {
    let store = Store::default();
    let ledger = store.create().unwrap();
    let entries: Vec<Vec<u8>> = (0..SIZE).map(entry).collect();
    for group in entries.chunks(4096) {
        ledger.append(group.to_vec()).unwrap();
    }
    drop(ledger);
    store
}

#[test]
fn entries_and_ranges() {
    let store = Store::filled(600);
    let snapshot = store.reader().snapshot().unwrap();
    for index in [0, 1, 255, 256, 511, 512, 599] {
        assert_eq!(snapshot.entry(index).unwrap(), entry(index));
    }
    for index in [600, 601, u64::MAX] {
        assert!(matches!(snapshot.entry(index), Err(ReadFailed::Beyond { size: 600, .. })), "{index}");
    }
    for range in
        [0..600, 0..0, 10..10, 20..10, 3..4, 250..260, 255..257, 512..600, 599..600, 590..9000, 600..700]
    {
        let read: Vec<Entry> = snapshot.entries(range.clone()).map(Result::unwrap).collect();
        let expected: Vec<Entry> =
            (range.start..range.end.min(600)).map(|index| Entry { index, bytes: entry(index) }).collect();
        assert_eq!(read, expected, "{range:?}");
    }
}

/// A ledger that goes on growing takes partial tiles away under whoever still reads an earlier tree.
#[test]
fn an_earlier_tree_can_be_read_while_the_ledger_grows() {
    let store = Store::filled(10);
    let reader = store.reader();
    let earlier = reader.snapshot().unwrap();
    let ledger = store.open().unwrap();
    for size in [11, 40, 255, 256, 300] {
        let held = ledger.checkpoint().size();
        ledger.append((held..size).map(entry).collect()).unwrap();
        for index in [0, 3, 9] {
            assert_eq!(earlier.entry(index).unwrap(), entry(index), "{index} after {size}");
        }
        assert_eq!(earlier.inclusion(9, 10).unwrap(), reader.snapshot().unwrap().inclusion(9, 10).unwrap());
    }
}

/// A group is committed before its tiles are in their places: whoever reads beside a writer sees what can be read.
#[test]
fn whoever_reads_beside_a_writer_finds_every_tile() {
    let store = Store::filled(1);
    let ledger = store.open().unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for index in 1..2_000 {
                ledger.append(vec![entry(index)]).unwrap();
                // What was acknowledged can be read.
                assert!(ledger.snapshot().unwrap().size() > index);
            }
        });
        while !writer.is_finished() {
            let snapshot = ledger.snapshot().unwrap();
            let last = snapshot.size() - 1;
            assert_eq!(snapshot.entry(last).unwrap(), entry(last));
            snapshot.inclusion(last, last + 1).unwrap();
        }
    });
}

#[test]
fn sizes_beyond_the_checkpoint() {
    let snapshot = Store::filled(10).reader().snapshot().unwrap();
    let beyond = |result: Result<Vec<_>, ReadFailed>| matches!(result, Err(ReadFailed::Beyond { .. }));
    assert!(beyond(snapshot.inclusion(0, 11)));
    assert!(beyond(snapshot.inclusion(10, 10)));
    assert!(beyond(snapshot.inclusion(0, 0)));
    assert!(beyond(snapshot.consistency(0, 11)));
    assert!(beyond(snapshot.consistency(8, 7)));
    assert!(matches!(snapshot.root(11), Err(ReadFailed::Beyond { asked: 11, size: 10 })));
    assert!(snapshot.prove(10).is_err());
}

/// A snapshot of an older checkpoint goes on working while the ledger grows and partial tiles are cleaned away.
#[test]
fn old_snapshots_outlive_their_partial_tiles() {
    let store = Store::default();
    let ledger = store.create().unwrap();
    let old = ledger.append((0..100).map(entry).collect()).unwrap().checkpoint;
    let held = store.reader().snapshot_at(old.clone()).unwrap();
    for index in 100..600 {
        ledger.append(vec![entry(index)]).unwrap();
    }
    assert!(!store.exists("tile/0/000.p/100") && !store.exists("tile/entries/000.p/100"));
    for snapshot in [held, store.reader().snapshot_at(old.clone()).unwrap()] {
        let read: Vec<Entry> = snapshot.entries(0..1000).map(Result::unwrap).collect();
        assert_eq!(read.len(), 100);
        assert!(snapshot.inclusion(99, 100).is_ok());
    }
    let new = ledger.snapshot().unwrap();
    let proof = new.consistency(100, 600).unwrap();
    verify_consistency(100, 600, &proof, &old.root(), &new.checkpoint().root()).unwrap();
}

fn tile_named(failed: &ReadFailed) -> String {
    match failed {
        ReadFailed::TileBytes { tile, .. } | ReadFailed::TileHash { tile, .. } => tile.clone(),
        ReadFailed::Edge { tiles, .. } => tiles.clone(),
        ReadFailed::Storage(missing) => missing.name.clone(),
        other => panic!("{other:?}"),
    }
}

/// Each kind of tile is changed in turn; whoever needs it gets an error that names it, whoever does not need it
/// does not notice, and nobody gets wrong data.
#[test]
fn changed_tiles_are_named() {
    let store = large();
    let top = ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"];
    for path in top {
        for at in [0, 31, 32 * path.rsplit_once('/').unwrap().1.parse::<usize>().unwrap() - 1] {
            let copy = store.copy();
            copy.flip(path, at);
            let failed = copy.reader().snapshot().unwrap_err();
            assert!(
                matches!(failed, ReadFailed::Edge { .. }) && tile_named(&failed).contains(path),
                "{failed:?}"
            );
            assert!(copy.open().is_err());
        }
    }
    // Full tiles: level 1 is needed for all proofs below it, level 0 and bundles for their own leaves.
    let check = |path: &str, index: u64, other: u64, needed_for_proof: bool| {
        for at in [2, 40, 2000] {
            let copy = store.copy();
            copy.flip(path, at);
            let snapshot = copy.reader().snapshot().unwrap();
            for _ in 0..2 {
                assert_eq!(
                    tile_named(&snapshot.entries(index..index + 256).find_map(Result::err).unwrap()),
                    path
                );
                assert_eq!(snapshot.inclusion(index, SIZE).is_err(), needed_for_proof, "{path}");
            }
            assert_eq!(snapshot.entry(other).unwrap(), entry(other));
        }
    };
    check("tile/1/000", 0, 69_999, true);
    check("tile/0/000", 0, 256, true);
    check("tile/0/255", 65_280, 65_279, true);
    check("tile/0/272", 69_632, 69_631, true);
    check("tile/entries/000", 0, 256, false);
    check("tile/entries/272", 69_632, 69_631, false);
    let partial = store.copy();
    partial.flip("tile/entries/273.p/112", 5);
    let failed = partial.reader().snapshot().unwrap().entry(69_888).unwrap_err();
    assert_eq!(tile_named(&failed), "tile/entries/273.p/112");
    assert!(partial.open().is_err(), "a writer would carry the change on");
}

/// A process that has read a wrong tile goes on when the storage is repaired.
#[test]
fn repaired_tiles_are_read_again() {
    let store = Store::filled(600);
    let snapshot = store.reader().snapshot().unwrap();
    let right = store.get("tile/0/001");
    store.flip("tile/0/001", 40);
    for _ in 0..2 {
        assert_eq!(tile_named(&snapshot.entry(300).unwrap_err()), "tile/0/001");
    }
    store.put("tile/0/001", &right);
    assert_eq!(snapshot.entry(300).unwrap(), entry(300));
}

#[test]
fn missing_and_misshapen_tiles() {
    let store = Store::filled(300);
    for path in store.names("tile/") {
        let stale = path.contains(".p/") && !path.ends_with(".p/44") && path != "tile/1/000.p/1";
        let copy = store.copy();
        copy.delete(&path);
        let read = |store: &Store| {
            let snapshot = store.reader().snapshot()?;
            snapshot.entries(0..300).try_for_each(|entry| entry.map(drop))
        };
        assert_eq!(read(&copy).is_ok(), stale, "{path} deleted");
        if stale {
            continue;
        }
        assert_eq!(tile_named(&read(&copy).unwrap_err()), path);
        let whole = store.get(&path);
        for bytes in [vec![], whole[..whole.len() - 1].to_vec(), [&whole[..], b"\0"].concat()] {
            copy.put(&path, &bytes);
            let failed = read(&copy).unwrap_err();
            // One byte too many is over the limit of a full hash tile and is not even read.
            assert!(
                matches!(failed, ReadFailed::TileBytes { .. } | ReadFailed::Storage(_)),
                "{path}: {failed:?}"
            );
            assert_eq!(tile_named(&failed), path);
        }
    }
}

#[test]
fn misshapen_bundles() {
    let store = Store::filled(2);
    let check = |bytes: &[u8], expected| {
        store.put("tile/entries/000.p/2", bytes);
        match store.reader().snapshot().unwrap().entry(0).unwrap_err() {
            ReadFailed::TileBytes { source, .. } => assert_eq!(source, expected),
            other => panic!("{other:?}"),
        }
    };
    check(b"", TileBytesInvalid::Truncated { position: 0 });
    check(b"\x00", TileBytesInvalid::Truncated { position: 0 });
    check(b"\x00\x01", TileBytesInvalid::Truncated { position: 0 });
    check(b"\x00\x01a", TileBytesInvalid::Truncated { position: 1 });
    check(b"\x00\x01a\x00\x02b", TileBytesInvalid::Truncated { position: 1 });
    check(b"\x00\x01a\x00\x01bc", TileBytesInvalid::Trailing { bytes: 1 });
    check(b"\x00\x00\x00\x01b", TileBytesInvalid::EntryLength { position: 0, bytes: 0 });
    check(b"\x00\x01a\xff\xff", TileBytesInvalid::EntryLength { position: 1, bytes: 65_535 });
}

/// Entries swapped within their bundle, hashes swapped within their tile: same bytes, other places.
#[test]
fn reordered_entries_are_noticed() {
    let store = Store::filled(256);
    let mut bundle = store.get("tile/entries/000");
    let (first, second) = (2 + entry(0).len(), 2 + entry(1).len());
    assert_eq!(first, second);
    let (a, b) = bundle[..first + second].split_at_mut(first);
    a.swap_with_slice(b);
    let copy = store.copy();
    copy.put("tile/entries/000", &bundle);
    let snapshot = copy.reader().snapshot().unwrap();
    assert!(snapshot.entry(0).is_err() && snapshot.entry(1).is_err());
    assert_eq!(snapshot.entry(2).unwrap(), entry(2));
    let mut tile = store.get("tile/0/000");
    let (a, b) = tile[..64].split_at_mut(32);
    a.swap_with_slice(b);
    copy.put("tile/0/000", &tile);
    let failed = copy.reader().snapshot().unwrap().entry(0).unwrap_err();
    assert_eq!(tile_named(&failed), "tile/0/000");
}
