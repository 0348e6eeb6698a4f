//! The golden samples: what version 1 wrote must be read, verified and written the same way for ever.

use std::fs;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bartizan_base::{Cas, Timestamp};
use bartizan_ledger::{
    Ledger, LedgerReader, LogProof, LogProofRefused, Remembered, TrustedLog, VerifierKey, cosign, fsck,
    verify_consistency,
};
use bartizan_store::{FailingBlobs, Faults, MemCas, Moment};

use crate::support::{Store, key, log, name, signer, witness};

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(golden(path)).unwrap()
}

/// The entries of the sample: short, of all byte values, and one of the largest length.
fn sample_entry(index: u64) -> Vec<u8> {
    if index == 700 {
        return vec![0xa5; 61_440];
    }
    let mut bytes = format!("sample {index} ").into_bytes();
    bytes.push(u8::try_from(index % 256).unwrap());
    bytes
}

/// 770 entries in five appends, so that there are full and partial tiles of two levels and stale ones.
fn sample() -> Store {
    let store = Store::default();
    let ledger = store.create().unwrap();
    for range in [0..1, 1..200, 200..256, 256..765, 765..770] {
        ledger.append(range.map(sample_entry).collect()).unwrap();
    }
    drop(ledger);
    store
}

/// The last append of the sample as a crash after its swap leaves it: the storage, and the staging blob's name.
fn unfinished_sample() -> (Store, String) {
    let store = Store::default();
    let ledger = store.create().unwrap();
    for range in [0..1, 1..200, 200..256, 256..765] {
        ledger.append(range.map(sample_entry).collect()).unwrap();
    }
    drop(ledger);
    let faults = Faults::new();
    let blobs = FailingBlobs::new(store.blobs.clone(), faults.clone());
    let ledger = Ledger::open(Arc::new(blobs), Arc::new(store.cas.clone()), signer()).unwrap();
    // The first put stages; the second, of the tiles, fails.
    faults.fail_at(faults.calls() + 2, Moment::Before, ErrorKind::Other);
    ledger.append((765..770).map(sample_entry).collect()).unwrap();
    drop(ledger);
    let staged = store.names("staging/");
    assert_eq!(staged.len(), 1);
    (store, staged[0].clone())
}

/// The sample as it is stored, in memory, so that the checkout is only read.
fn stored() -> Store {
    fn load(store: &Store, root: &Path, dir: &Path) {
        for file in fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()) {
            if file.is_dir() {
                load(store, root, &file);
            } else {
                let path = file.strip_prefix(root).unwrap().to_str().unwrap();
                store.put(path, &fs::read(&file).unwrap());
            }
        }
    }
    let (store, root) = (Store::default(), golden("ledger/v1/ledger"));
    load(&store, &root, &root);
    store.cas.swap(&name("ledger-head"), None, &fs::read(golden("ledger/v1/head")).unwrap()).unwrap();
    store
}

fn sample_log() -> TrustedLog {
    let key: VerifierKey = text("ledger/v1/vkey").trim_end().parse().unwrap();
    TrustedLog::new(key).unwrap()
}

fn sample_witnesses() -> Vec<VerifierKey> {
    text("tlog-proof/v1/witnesses").lines().map(|line| line.parse().unwrap()).collect()
}

fn sample_proof(store: &Store) -> LogProof {
    let witnesses = vec![witness("witness.example/one", 2), witness("witness.example/two", 3)];
    let trusted = TrustedLog::witnessed(signer().key().clone(), witnesses, 2).unwrap();
    let reader = LedgerReader::new(Arc::new(store.blobs.clone()), log());
    let checkpoint = reader.checkpoint().unwrap();
    let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
    let lines = [
        cosign(&checkpoint, "witness.example/one", &key(2), at(1_767_225_600)).unwrap(),
        cosign(&checkpoint, "witness.example/two", &key(3), at(1_767_225_660)).unwrap(),
    ];
    let cosigned = checkpoint.with_lines(&lines.concat(), &trusted).unwrap();
    let proof = reader.snapshot_at(cosigned).unwrap().prove(300).unwrap();
    proof.with_extra(b"sample".to_vec()).unwrap()
}

#[test]
fn the_sample_ledger_verifies() {
    let Store { blobs, cas } = stored();
    let trusted = sample_log();
    let report = fsck(&blobs, Some(&cas), &trusted, NonZeroUsize::MIN);
    assert!(report.is_clean(), "{report:#?}");
    assert_eq!((report.entries, report.stale_partials, report.unfinished), (770, 2, false));

    let snapshot = LedgerReader::new(Arc::new(blobs), trusted.clone()).snapshot().unwrap();
    assert_eq!(
        snapshot.checkpoint().root().to_hex(),
        "678719ce69f497f8e49c57a3c2a07722d5fed8b29e4094c770be01eaabc8746c"
    );
    for (entry, index) in snapshot.entries(0..u64::MAX).zip(0..) {
        assert_eq!(entry.unwrap().bytes, sample_entry(index));
    }
    for old in 0..=770 {
        let proof = snapshot.consistency(old, 770).unwrap();
        let (old_root, new_root) = (snapshot.root(old).unwrap(), snapshot.checkpoint().root());
        verify_consistency(old, 770, &proof, &old_root, &new_root).unwrap();
    }
    let memory = Remembered::new(Arc::new(MemCas::new()), trusted);
    memory.begin(snapshot.checkpoint()).unwrap();
}

/// Today's writer makes the sample again, byte for byte.
#[test]
fn the_sample_ledger_is_still_written_like_this() {
    let made = sample();
    let stored = stored();
    assert_eq!(made.names(""), stored.names(""));
    for path in stored.names("") {
        assert!(made.get(&path) == stored.get(&path), "{path}");
    }
    let head = made.cas.load(&name("ledger-head")).unwrap().unwrap();
    assert_eq!(String::from_utf8(head).unwrap(), text("ledger/v1/head"));
    assert_eq!(format!("{}\n", signer().key()), text("ledger/v1/vkey"));
}

/// A ledger that version 1 left unfinished is finished, and goes on.
#[test]
fn the_sample_of_a_crash_is_recovered() {
    let (store, staging) = unfinished_sample();
    assert_eq!(format!("{staging}\n"), text("ledger/v1/staging.name"));
    assert!(store.get(&staging) == fs::read(golden("ledger/v1/staging")).unwrap());
    store.put(&staging, &fs::read(golden("ledger/v1/staging")).unwrap());
    assert_eq!(store.reader().checkpoint().unwrap().size(), 765);
    let ledger = store.open().unwrap();
    assert_eq!(store.get("checkpoint"), fs::read(golden("ledger/v1/ledger/checkpoint")).unwrap());
    assert_eq!(ledger.append(vec![sample_entry(770)]).unwrap().first_index, 770);
}

#[test]
fn the_sample_proof_verifies() {
    let file = fs::read(golden("tlog-proof/v1/entry-300.tlog-proof")).unwrap();
    let entry = fs::read(golden("tlog-proof/v1/entry-300.entry")).unwrap();
    let proof = LogProof::parse(&file).unwrap();
    let trusted = TrustedLog::witnessed(sample_log().key().clone(), sample_witnesses(), 2).unwrap();
    let included = proof.verify(&entry, &trusted).unwrap();
    assert_eq!((included.index(), included.checkpoint().size()), (300, 770));
    assert_eq!(included.checkpoint().witnessed_at().unwrap().to_string(), "2026-01-01T00:01:00.000Z");
    assert_eq!((proof.extra(), entry), (Some(&b"sample"[..]), sample_entry(300)));
    assert_eq!(proof.to_text().as_bytes(), file);
    assert!(matches!(proof.verify(b"another entry", &trusted), Err(LogProofRefused::Inclusion(_))));
}

#[test]
fn the_sample_proof_is_still_written_like_this() {
    assert_eq!(sample_proof(&sample()).to_text(), text("tlog-proof/v1/entry-300.tlog-proof"));
}

/// Makes the samples. Only for a new version of a format; what was released is never made again.
#[test]
#[ignore = "writes the golden samples"]
fn make_the_samples() {
    let store = sample();
    let root = golden("ledger/v1/ledger");
    assert!(!root.exists(), "released samples are never made again");
    for path in store.names("") {
        let file = root.join(&path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, store.get(&path)).unwrap();
    }
    fs::write(golden("ledger/v1/head"), store.cas.load(&name("ledger-head")).unwrap().unwrap()).unwrap();
    fs::write(golden("ledger/v1/vkey"), format!("{}\n", signer().key())).unwrap();
    let (unfinished, staging) = unfinished_sample();
    fs::write(golden("ledger/v1/staging.name"), format!("{staging}\n")).unwrap();
    fs::write(golden("ledger/v1/staging"), unfinished.get(&staging)).unwrap();
    fs::create_dir_all(golden("tlog-proof/v1")).unwrap();
    fs::write(golden("tlog-proof/v1/entry-300.tlog-proof"), sample_proof(&store).to_text()).unwrap();
    fs::write(golden("tlog-proof/v1/entry-300.entry"), sample_entry(300)).unwrap();
    let witnesses = [witness("witness.example/one", 2), witness("witness.example/two", 3)];
    let lines: Vec<String> = witnesses.iter().map(|key| format!("{key}\n")).collect();
    fs::write(golden("tlog-proof/v1/witnesses"), lines.concat()).unwrap();
}
