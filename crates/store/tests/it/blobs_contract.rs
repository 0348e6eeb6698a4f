//! The contract of `Blobs`, run against every implementation.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use bartizan_base::{BlobErrorKind, BlobName, Blobs};
use bartizan_store::{DirBlobs, FailingBlobs, Faults, MemBlobs, SimDisk};
use proptest::prelude::*;

use crate::{get, name, put, texts};

#[test]
fn memory() {
    contract(&|| Box::new(MemBlobs::new()));
}

#[test]
fn wrapped_without_failures() {
    contract(&|| Box::new(FailingBlobs::new(MemBlobs::new(), Faults::new())));
}

#[test]
fn real_directory() {
    let home = tempfile::tempdir().unwrap();
    let mut next = 0;
    let next = std::cell::RefCell::new(&mut next);
    contract(&|| {
        **next.borrow_mut() += 1;
        Box::new(DirBlobs::create(&home.path().join(next.borrow().to_string())).unwrap())
    });
}

#[test]
fn simulated_directory() {
    contract(&|| Box::new(DirBlobs::on(&SimDisk::new(), "some/where").unwrap()));
}

fn contract(fresh: &dyn Fn() -> Box<dyn Blobs>) {
    what_is_missing(&*fresh());
    put_replaces_and_readers_keep(&*fresh());
    reads_at_offsets(&*fresh());
    batches(&*fresh());
    streams(&*fresh());
    lists_in_order(&*fresh());
    refuses_folders(&*fresh());
    deletes(&*fresh());
    many_writers(&*fresh());
}

fn what_is_missing(blobs: &dyn Blobs) {
    let error = blobs.open(&name("no/such")).err().unwrap();
    assert_eq!(error.kind, BlobErrorKind::NotFound);
    assert_eq!(error.to_string(), "cannot read blob `no/such`");
    assert!(!blobs.delete(&name("no/such")).unwrap());
    assert!(blobs.list("", None, 10).unwrap().is_empty());
    assert!(blobs.list("no/", None, 10).unwrap().is_empty());
    assert!(blobs.list("../", None, 10).unwrap().is_empty());
    assert!(blobs.list("/", None, 10).unwrap().is_empty());
}

fn put_replaces_and_readers_keep(blobs: &dyn Blobs) {
    put(blobs, "a/b", b"one").unwrap();
    let reader = blobs.open(&name("a/b")).unwrap();
    put(blobs, "a/b", b"second").unwrap();
    assert_eq!(get(blobs, "a/b").unwrap(), b"second");
    let mut old = [0; 3];
    reader.read_exact_at(0, &mut old).unwrap();
    assert_eq!((&old, reader.len(), reader.is_empty()), (b"one", 3, false));
    blobs.delete(&name("a/b")).unwrap();
    reader.read_exact_at(0, &mut old).unwrap();
    assert_eq!(&old, b"one");
}

fn reads_at_offsets(blobs: &dyn Blobs) {
    put(blobs, "x", b"0123456789").unwrap();
    put(blobs, "empty", b"").unwrap();
    let reader = blobs.open(&name("x")).unwrap();
    let mut two = [0; 2];
    reader.read_exact_at(8, &mut two).unwrap();
    assert_eq!(&two, b"89");
    for offset in [9, 10, 11, u64::MAX] {
        reader.read_exact_at(offset, &mut two).expect_err("ends before that");
    }
    reader.read_exact_at(10, &mut []).unwrap();
    let empty = blobs.open(&name("empty")).unwrap();
    assert!(empty.is_empty());
    assert_eq!(get(blobs, "empty").unwrap(), b"");
    let error = bartizan_base::read_all(blobs, &name("x"), 9).unwrap_err();
    assert_eq!(error.source.to_string(), "10 bytes, more than the 9 allowed");
}

fn batches(blobs: &dyn Blobs) {
    blobs.put(&[]).unwrap();
    // More than are written in one group.
    let names: Vec<BlobName> = (0..150).map(|i| name(&format!("{:02}/{i:03}", i % 7))).collect();
    let bytes: Vec<Vec<u8>> = (0..150).map(|i: usize| i.to_string().into_bytes()).collect();
    let batch: Vec<(&BlobName, &[u8])> = names.iter().zip(bytes.iter().map(Vec::as_slice)).collect();
    blobs.put(&batch).unwrap();
    for (name, bytes) in &batch {
        assert_eq!(get(blobs, name.as_str()).unwrap(), *bytes);
    }
    assert_eq!(blobs.list("", None, usize::MAX).unwrap().len(), 150);
}

fn streams(blobs: &dyn Blobs) {
    let mut dropped = blobs.create().unwrap();
    dropped.write_all(b"never named").unwrap();
    drop(dropped);
    assert!(blobs.list("", None, 10).unwrap().is_empty());

    let mut writer = blobs.create().unwrap();
    for part in [b"ab".as_slice(), b"", b"cde"] {
        writer.write_all(part).unwrap();
    }
    writer.flush().unwrap();
    assert!(blobs.list("", None, 10).unwrap().is_empty(), "nothing is there before the commit");
    writer.commit(&name("s/t")).unwrap();
    assert_eq!(get(blobs, "s/t").unwrap(), b"abcde");

    let mut again = blobs.create().unwrap();
    again.write_all(b"new").unwrap();
    again.commit(&name("s/t")).unwrap();
    assert_eq!(get(blobs, "s/t").unwrap(), b"new");
    blobs.create().unwrap().commit(&name("s/nothing")).unwrap();
    assert_eq!(get(blobs, "s/nothing").unwrap(), b"");
}

fn lists_in_order(blobs: &dyn Blobs) {
    // `-` and `.` sort before `/`, digits and letters after it.
    let all = ["a-b", "a.b", "a/b", "a/c/d", "a/c0", "a0", "b", "tile/0/000", "tile/0/001", "tile/1/000"];
    for text in all.iter().rev() {
        put(blobs, text, b"").unwrap();
    }
    assert_eq!(texts(&blobs.list("", None, 100).unwrap()), all);
    assert_eq!(texts(&blobs.list("a/", None, 100).unwrap()), ["a/b", "a/c/d", "a/c0"]);
    assert_eq!(texts(&blobs.list("a/c", None, 100).unwrap()), ["a/c/d", "a/c0"]);
    assert_eq!(texts(&blobs.list("a", None, 3).unwrap()), ["a-b", "a.b", "a/b"]);
    assert_eq!(texts(&blobs.list("tile/0/", Some(&name("tile/0/000")), 9).unwrap()), ["tile/0/001"]);
    assert_eq!(texts(&blobs.list("a/b", None, 9).unwrap()), ["a/b"]);
    assert!(blobs.list("a/b/", None, 9).unwrap().is_empty());
    assert!(blobs.list("", None, 0).unwrap().is_empty());
    assert!(blobs.list("zz", None, 9).unwrap().is_empty());

    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = blobs.list("", after.as_ref(), 3).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        paged.extend(page);
    }
    assert_eq!(texts(&paged), all);
    // A position that is no blob is fine.
    assert_eq!(texts(&blobs.list("", Some(&name("a/c")), 2).unwrap()), ["a/c/d", "a/c0"]);
    assert_eq!(texts(&blobs.list("a/", Some(&name("b")), 2).unwrap()), [""; 0]);
}

fn refuses_folders(blobs: &dyn Blobs) {
    put(blobs, "f", b"file").unwrap();
    put(blobs, "g/h", b"file").unwrap();
    put(blobs, "f/x", b"").expect_err("`f` is a blob");
    put(blobs, "g", b"").expect_err("`g` is a folder");
    assert_eq!(get(blobs, "f").unwrap(), b"file");
    assert_eq!(get(blobs, "g/h").unwrap(), b"file");
    assert_eq!(texts(&blobs.list("", None, 9).unwrap()), ["f", "g/h"]);
    // Below a blob there is none, which is no failure of the storage.
    assert_eq!(blobs.open(&name("f/x/y")).err().unwrap().kind, BlobErrorKind::NotFound);
    assert!(!blobs.delete(&name("f/x/y")).unwrap());
    assert!(!blobs.delete(&name("f/x")).unwrap());
    assert!(blobs.list("f/", None, 9).unwrap().is_empty());
}

fn deletes(blobs: &dyn Blobs) {
    put(blobs, "d/1", b"1").unwrap();
    put(blobs, "d/2", b"2").unwrap();
    assert!(blobs.delete(&name("d/1")).unwrap());
    assert!(!blobs.delete(&name("d/1")).unwrap());
    assert_eq!(blobs.open(&name("d/1")).err().unwrap().kind, BlobErrorKind::NotFound);
    assert_eq!(texts(&blobs.list("", None, 9).unwrap()), ["d/2"]);
    put(blobs, "d/1", b"again").unwrap();
    assert_eq!(get(blobs, "d/1").unwrap(), b"again");
}

fn many_writers(blobs: &dyn Blobs) {
    let versions: Vec<Vec<u8>> = (0..4_u8).map(|v| vec![v; 10_000]).collect();
    std::thread::scope(|threads| {
        for version in &versions {
            threads.spawn(|| {
                for round in 0..10 {
                    put(blobs, "same/name", version).unwrap();
                    put(blobs, &format!("own/{}/{round}", version[0]), version).unwrap();
                    let seen = get(blobs, "same/name").unwrap();
                    assert!(versions.contains(&seen), "a mixture of two writes");
                }
            });
        }
    });
    assert_eq!(blobs.list("own/", None, 100).unwrap().len(), 40);
}

fn any_name() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "a.", "a-b", "0", "c_"]), 1..4)
        .prop_map(|segments| segments.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// A directory behaves like a sorted map, whatever is written, deleted and listed.
    #[test]
    fn directory_is_a_sorted_map(
        steps in prop::collection::vec((any_name(), any::<bool>()), 1..40),
        prefix in any_name(),
        cut in 0_usize..6,
        after in prop::option::of(any_name()),
        limit in 0_usize..8,
    ) {
        let (memory, sim) = (MemBlobs::new(), DirBlobs::on(&SimDisk::new(), "").unwrap());
        let mut model = BTreeMap::new();
        let mut folders = BTreeSet::new();
        for (text, write) in &steps {
            if *write {
                // What once was a folder stays one in a directory, even when it is empty.
                if folders.contains(text.as_str()) {
                    continue;
                }
                folders.extend(text.match_indices('/').map(|(end, _)| text.get(..end).unwrap()));
                let results = (put(&memory, text, text.as_bytes()), put(&sim, text, text.as_bytes()));
                prop_assert_eq!(results.0.is_ok(), results.1.is_ok());
                if results.0.is_ok() {
                    model.insert(text.clone(), ());
                }
            } else {
                let expected = model.remove(text).is_some();
                prop_assert_eq!(memory.delete(&name(text)).unwrap(), expected);
                // Deleting below a blob, or a folder, finds nothing or is refused.
                prop_assert_eq!(sim.delete(&name(text)).unwrap_or(false), expected);
            }
        }
        let prefix = prefix.get(..cut.min(prefix.len())).unwrap();
        let after = after.map(|after| name(&after));
        let expected: Vec<&str> = model
            .keys()
            .map(String::as_str)
            .filter(|text| text.starts_with(prefix) && after.as_ref().is_none_or(|after| *text > after.as_str()))
            .take(limit)
            .collect();
        let in_memory = memory.list(prefix, after.as_ref(), limit).unwrap();
        let in_directory = sim.list(prefix, after.as_ref(), limit).unwrap();
        prop_assert_eq!(texts(&in_memory), expected.clone());
        prop_assert_eq!(texts(&in_directory), expected);
    }
}
