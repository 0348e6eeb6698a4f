//! The contract of `Cas`, run against every implementation.

use std::sync::atomic::{AtomicU32, Ordering};

use bartizan_base::{Blobs, Cas, CasError};
use bartizan_store::{DirBlobs, DirCas, FailingCas, Faults, MemCas, SimDisk, limits};

use crate::{name, put, texts};

#[test]
fn memory() {
    contract(&[&MemCas::new()]);
    let shared = MemCas::new();
    contract(&[&shared.clone(), &shared]);
}

#[test]
fn wrapped_without_failures() {
    contract(&[&FailingCas::new(MemCas::new(), Faults::new())]);
}

#[test]
fn real_directory() {
    let home = tempfile::tempdir().unwrap();
    let open = || DirCas::open(home.path()).unwrap();
    contract(&[&open(), &open(), &open()]);
}

#[test]
fn simulated_directory() {
    let disk = SimDisk::new();
    let open = || DirCas::on(&disk, "ledger").unwrap();
    contract(&[&open(), &open(), &open()]);
}

/// `handles` are views of one empty store.
fn contract(handles: &[&dyn Cas]) {
    let (first, last) = (handles[0], handles[handles.len() - 1]);
    let key = name("head");
    assert_eq!(first.load(&key).unwrap(), None);
    assert!(matches!(first.swap(&key, Some(b"x"), b"y"), Err(CasError::Conflict { .. })));
    first.swap(&key, None, b"one").unwrap();
    assert_eq!(last.load(&key).unwrap().unwrap(), b"one");
    let error = last.swap(&key, None, b"two").unwrap_err();
    assert_eq!(error.to_string(), "`head` was changed by another writer");
    last.swap(&key, Some(b"one"), b"two").unwrap();
    assert!(matches!(first.swap(&key, Some(b"one"), b"three"), Err(CasError::Conflict { .. })));
    assert_eq!(first.load(&key).unwrap().unwrap(), b"two");

    let nested = name("deep/er/key");
    first.swap(&nested, None, b"").unwrap();
    assert_eq!(last.load(&nested).unwrap().unwrap(), b"");
    last.swap(&nested, Some(b""), b"full").unwrap();
    assert_eq!(first.load(&name("deep/er/key/below")).unwrap(), None);
    assert!(matches!(
        first.swap(&name("deep/er/key/below"), Some(b"x"), b"y"),
        Err(CasError::Conflict { .. })
    ));

    let largest = vec![7; limits::CAS_VALUE_BYTES];
    first.swap(&name("large"), None, &largest).unwrap();
    assert_eq!(first.load(&name("large")).unwrap().unwrap(), largest);
    let too_large = vec![7; limits::CAS_VALUE_BYTES + 1];
    let error = first.swap(&name("larger"), None, &too_large).unwrap_err();
    assert!(matches!(error, CasError::Storage(_)));
    assert_eq!(first.load(&name("larger")).unwrap(), None);

    counts_every_swap(handles);
}

/// Threads that add one to a counter lose no addition.
fn counts_every_swap(handles: &[&dyn Cas]) {
    let key = name("counter");
    let conflicts = AtomicU32::new(0);
    std::thread::scope(|threads| {
        for worker in 0..4 {
            let cas = handles[worker % handles.len()];
            let (key, conflicts) = (&key, &conflicts);
            threads.spawn(move || {
                let mut done = 0;
                while done < 25 {
                    let old = cas.load(key).unwrap();
                    let count: u32 =
                        old.as_deref().map_or(0, |old| std::str::from_utf8(old).unwrap().parse().unwrap());
                    match cas.swap(key, old.as_deref(), (count + 1).to_string().as_bytes()) {
                        Ok(()) => done += 1,
                        Err(CasError::Conflict { .. }) => drop(conflicts.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
        }
    });
    assert_eq!(handles[0].load(&key).unwrap().unwrap(), b"100");
}

#[test]
fn shares_a_directory_with_blobs() {
    let disk = SimDisk::new();
    let (blobs, cas) = (DirBlobs::on(&disk, "ledger").unwrap(), DirCas::on(&disk, "ledger").unwrap());
    put(&blobs, "head", b"blob").unwrap();
    cas.swap(&name("head"), None, b"value").unwrap();
    assert_eq!(crate::get(&blobs, "head").unwrap(), b"blob");
    assert_eq!(cas.load(&name("head")).unwrap().unwrap(), b"value");
    assert_eq!(texts(&blobs.list("", None, 9).unwrap()), ["head"]);
}
