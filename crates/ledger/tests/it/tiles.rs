//! The layout on disk: names, widths, bytes.

use bartizan_ledger::{Level, TilePath, leaf_hash, root_of};
use proptest::prelude::*;

use crate::support::{Store, entry};

#[test]
fn paths_of_the_specification() {
    let check = |text: &str, level, index, width| {
        let path: TilePath = text.parse().unwrap();
        assert_eq!((path.level(), path.index(), path.width()), (level, index, width), "{text}");
        assert_eq!(path.to_string(), text);
        assert_eq!(path.blob_name().as_str(), text);
    };
    check("tile/0/x001/x234/067", Level::Hashes(0), 1_234_067, 256);
    check("tile/entries/x001/067", Level::Entries, 1067, 256);
    check("tile/0/000", Level::Hashes(0), 0, 256);
    check("tile/7/000.p/1", Level::Hashes(7), 0, 1);
    check("tile/2/999.p/255", Level::Hashes(2), 999, 255);
    check("tile/entries/x001/000.p/112", Level::Entries, 1000, 112);
}

#[test]
fn other_spellings_are_refused() {
    for text in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/8/000",
        "tile/00/000",
        "tile/+1/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/001",
        "tile/0/x001",
        "tile/0/xx01/000",
        "tile/0/001/",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000.p/1/2",
        "tile/0/+01",
        "/tile/0/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert!(text.parse::<TilePath>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn names_that_parse_are_names_that_are_written(text in "tile/(entries|[0-9]{1,2})/[x0-9/]{1,16}(\\.p/[0-9]{1,3})?") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }
}

/// The example of the specification, scaled to what a test can build: 70,000 leaves.
#[test]
fn a_tree_of_70_000() {
    let store = Store::default();
    let ledger = store.create().unwrap();
    let entries: Vec<Vec<u8>> = (0..70_000).map(entry).collect();
    for group in entries.chunks(4000) {
        ledger.append(group.to_vec()).unwrap();
    }
    drop(ledger);
    let count = |prefix: &str| {
        let paths = store.names(prefix);
        let partial = paths.iter().filter(|path| path.contains(".p/")).count();
        (paths.len() - partial, partial)
    };
    assert_eq!(count("tile/0/").0, 273);
    assert_eq!(count("tile/entries/").0, 273);
    assert_eq!(count("tile/1/").0, 1);
    assert_eq!(count("tile/2/").0, 0);
    for path in ["tile/0/273.p/112", "tile/entries/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"] {
        assert!(store.exists(path), "{path}");
    }
    let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    assert_eq!(store.reader().snapshot().unwrap().checkpoint().root(), root_of(&leaves));
    assert_eq!(store.get("tile/2/000.p/1"), root_of(&leaves[..65_536]).as_bytes());
    assert_eq!(store.get("tile/1/001.p/17")[..32], *root_of(&leaves[65_536..65_792]).as_bytes());
}

#[test]
fn bytes_of_a_small_tree() {
    let store = Store::default();
    let ledger = store.create().unwrap();
    ledger.append(vec![b"a".to_vec(), vec![0xff; 300]]).unwrap();
    drop(ledger);
    let mut bundle = b"\x00\x01a\x01\x2c".to_vec();
    bundle.extend([0xff; 300]);
    assert_eq!(store.get("tile/entries/000.p/2"), bundle);
    let hashes = [leaf_hash(b"a"), leaf_hash(&[0xff; 300])];
    assert_eq!(store.get("tile/0/000.p/2"), [*hashes[0].as_bytes(), *hashes[1].as_bytes()].concat());
    assert_eq!(store.names(""), ["checkpoint", "tile/0/000.p/2", "tile/entries/000.p/2"]);
}

/// Partial tiles go once full ones are there, a few with each group, and only those.
#[test]
fn stale_partials_are_removed() {
    let store = Store::default();
    let ledger = store.create().unwrap();
    for index in 0..300 {
        ledger.append(vec![entry(index)]).unwrap();
        let partials = store.names("tile/0/000.p/").len();
        let expected = if index < 255 { index + 1 } else { 0 };
        if !(255..290).contains(&index) {
            assert_eq!(partials as u64, expected, "after {index}");
        }
    }
    assert_eq!(store.names("tile/entries/000.p/"), Vec::<String>::new());
    assert_eq!(store.names("tile/0/001.p/").len(), 44);
    assert_eq!(store.names("tile/1/000.p/"), ["tile/1/000.p/1"]);
}
