//! One failing call, at every position: errors are told apart, nothing is mixed up, repeating helps.

use std::io::{ErrorKind, Write};

use bartizan_base::{BlobErrorKind, Blobs, Cas, CasError};
use bartizan_store::{
    DirBlobs, DirCas, FailingBlobs, FailingCas, Faults, MemBlobs, MemCas, Moment, SimDisk, SimFault,
};

use crate::{get, name, put};

const OLD: &[u8] = b"old";
const NEW: &[u8] = b"the new one";

fn write_all_ways(blobs: &dyn Blobs) -> Result<(), BlobErrorKind> {
    let (a, b) = (name("d/a"), name("d/b"));
    blobs.put(&[(&a, NEW), (&b, NEW)]).map_err(|error| error.kind)?;
    let mut writer = blobs.create().map_err(|error| error.kind)?;
    writer.write_all(NEW).map_err(|error| match error.kind() {
        ErrorKind::StorageFull => BlobErrorKind::Full,
        _ => BlobErrorKind::Io,
    })?;
    writer.commit(&name("new/c")).map_err(|error| error.kind)?;
    blobs.delete(&name("d/gone")).map_err(|error| error.kind)?;
    let reader = blobs.open(&a).map_err(|error| error.kind)?;
    let mut bytes = vec![0; NEW.len()];
    reader.read_exact_at(0, &mut bytes).map_err(|error| error.kind)?;
    blobs.list("", None, 10).map_err(|error| error.kind)?;
    Ok(())
}

fn prepare(blobs: &dyn Blobs) {
    for text in ["d/a", "d/b", "d/gone"] {
        put(blobs, text, OLD).unwrap();
    }
}

fn check_old_or_new(blobs: &dyn Blobs) {
    for text in ["d/a", "d/b"] {
        let seen = get(blobs, text).unwrap();
        assert!(seen == OLD || seen == NEW, "{seen:?}");
    }
    for (text, value) in [("new/c", NEW), ("d/gone", OLD)] {
        match get(blobs, text) {
            Ok(seen) => assert_eq!(seen, value),
            Err(error) => assert_eq!(error.kind, BlobErrorKind::NotFound),
        }
    }
}

fn check_repeated(blobs: &dyn Blobs) {
    write_all_ways(blobs).unwrap();
    for text in ["d/a", "d/b", "new/c"] {
        assert_eq!(get(blobs, text).unwrap(), NEW);
    }
    assert_eq!(get(blobs, "d/gone").unwrap_err().kind, BlobErrorKind::NotFound);
}

#[test]
fn directory_blobs_fail_at_every_call() {
    let whole = SimDisk::new();
    let blobs = DirBlobs::on(&whole, "x").unwrap();
    prepare(&blobs);
    let before = whole.calls();
    write_all_ways(&blobs).unwrap();
    for call in before + 1..=whole.calls() {
        for (fault, kind) in [(SimFault::Full, BlobErrorKind::Full), (SimFault::Io, BlobErrorKind::Io)] {
            let disk = SimDisk::new();
            let blobs = DirBlobs::on(&disk, "x").unwrap();
            prepare(&blobs);
            disk.fail_at(call, fault);
            assert_eq!(write_all_ways(&blobs).unwrap_err(), kind, "call {call}");
            check_old_or_new(&blobs);
            let temporary = disk.files().iter().filter(|file| file.contains(".tmp/")).count();
            assert_eq!(temporary, 0, "call {call} left a temporary file");
            check_repeated(&blobs);
            let later = DirBlobs::on(&disk.after_crash(0), "x").unwrap();
            for text in ["d/a", "d/b", "new/c"] {
                assert_eq!(get(&later, text).unwrap(), NEW, "call {call}");
            }
        }
    }
}

#[test]
fn directory_opens_after_failing_at_every_call() {
    let whole = SimDisk::new();
    let blobs = DirBlobs::on(&whole, "x/y").unwrap();
    drop(blobs.create().unwrap());
    for call in 1..=whole.calls() {
        let disk = SimDisk::new();
        disk.fail_at(call, SimFault::Io);
        match DirBlobs::on(&disk, "x/y") {
            Ok(blobs) => drop(blobs.create().map(drop)),
            Err(error) => assert_eq!(error.to_string(), "cannot use the directory `x/y`"),
        }
        check_repeated_from_nothing(&DirBlobs::on(&disk, "x/y").unwrap());
    }
}

fn check_repeated_from_nothing(blobs: &dyn Blobs) {
    prepare(blobs);
    check_repeated(blobs);
}

#[test]
fn wrapped_blobs_fail_at_every_call() {
    let counting = Faults::new();
    let blobs = FailingBlobs::new(MemBlobs::new(), counting.clone());
    prepare(&blobs);
    let before = counting.calls();
    write_all_ways(&blobs).unwrap();
    assert_eq!(counting.calls() - before, 7);
    for call in before + 1..=counting.calls() {
        for moment in [Moment::Before, Moment::Halfway, Moment::After] {
            let faults = Faults::new();
            let blobs = FailingBlobs::new(MemBlobs::new(), faults.clone());
            prepare(&blobs);
            faults.fail_at(call, moment, ErrorKind::StorageFull);
            assert_eq!(write_all_ways(&blobs).unwrap_err(), BlobErrorKind::Full);
            check_old_or_new(&blobs);
            if call == before + 1 {
                let written = ["d/a", "d/b"].map(|text| get(&blobs, text).unwrap() == NEW);
                let expected = match moment {
                    Moment::Before => [false, false],
                    Moment::Halfway => [true, false],
                    Moment::After => [true, true],
                };
                assert_eq!(written, expected);
            }
            check_repeated(&blobs);
        }
    }
}

fn swap_twice(cas: &dyn Cas) -> Result<(), CasError> {
    for value in [b"1".as_slice(), b"22"] {
        let old = cas.load(&name("k"))?;
        cas.swap(&name("k"), old.as_deref(), value)?;
    }
    Ok(())
}

#[test]
fn directory_cas_fails_at_every_call() {
    let whole = SimDisk::new();
    let cas = DirCas::on(&whole, "x").unwrap();
    let before = whole.calls();
    swap_twice(&cas).unwrap();
    for call in before + 1..=whole.calls() {
        let disk = SimDisk::new();
        let cas = DirCas::on(&disk, "x").unwrap();
        disk.fail_at(call, SimFault::Full);
        match swap_twice(&cas).unwrap_err() {
            CasError::Storage(error) => assert_eq!(error.kind, BlobErrorKind::Full),
            CasError::Conflict { .. } => panic!("a failing disk is no conflict"),
        }
        // `load` tells which value it is, and that one is durable.
        let told = cas.load(&name("k")).unwrap();
        assert!([None, Some(b"1".to_vec()), Some(b"22".to_vec())].contains(&told));
        let later = DirCas::on(&disk.after_crash(0), "x").unwrap();
        assert_eq!(later.load(&name("k")).unwrap(), told, "call {call}");
        swap_twice(&cas).unwrap();
        assert_eq!(cas.load(&name("k")).unwrap().unwrap(), b"22");
    }
}

#[test]
fn wrapped_cas_fails_at_every_call() {
    for call in 1..=4 {
        for moment in [Moment::Before, Moment::After] {
            let faults = Faults::new();
            let cas = FailingCas::new(MemCas::new(), faults.clone());
            faults.fail_at(call, moment, ErrorKind::Other);
            assert!(matches!(swap_twice(&cas), Err(CasError::Storage(_))));
            let expected = match (call, moment) {
                (1, _) | (2, Moment::Before) => None,
                (2 | 3, _) | (4, Moment::Before) => Some(b"1".to_vec()),
                _ => Some(b"22".to_vec()),
            };
            assert_eq!(cas.load(&name("k")).unwrap(), expected);
        }
    }
}
