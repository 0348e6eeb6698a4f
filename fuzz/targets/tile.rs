//! Tiles of a ledger: whatever bytes stand in the place of one, what a reader returns is what was appended.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use bartizan_base::Blobs;
use bartizan_ledger::{LedgerReader, TrustedLog, fsck};
use bartizan_store::MemBlobs;
use libfuzzer_sys::fuzz_target;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/ledger/v1");
const TILES: [&str; 5] = ["tile/entries/000", "tile/entries/003.p/2", "tile/0/001", "tile/0/003.p/2", "tile/1/000.p/3"];

static LOG: LazyLock<TrustedLog> = LazyLock::new(|| {
    let key = std::fs::read_to_string(format!("{SAMPLE}/vkey")).expect("the sample has a key");
    TrustedLog::new(key.trim_end().parse().expect("it is a key")).expect("one key makes a log")
});

/// The sample ledger, in memory, and what was appended to it.
static LEDGER: LazyLock<(Vec<(String, Vec<u8>)>, Vec<Vec<u8>>)> = LazyLock::new(|| {
    let files: Vec<(String, Vec<u8>)> = walk(&PathBuf::from(format!("{SAMPLE}/ledger")), "");
    let stored = MemBlobs::new();
    for (name, content) in &files {
        stored.put(&[(&name.parse().expect("a name of the sample"), content)]).expect("memory takes it");
    }
    let snapshot = LedgerReader::new(Arc::new(stored), LOG.clone()).snapshot().expect("it is whole");
    let size = snapshot.size();
    (files, (0..size).map(|index| snapshot.entry(index).expect("it is whole")).collect())
});

/// Every file below a directory: a store that is opened there would leave its lock in the sample.
fn walk(directory: &Path, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the sample is there") {
        let entry = entry.expect("it can be listed");
        let name = format!("{prefix}{}", entry.file_name().to_str().expect("names are text"));
        if entry.path().is_dir() {
            found.extend(walk(&entry.path(), &format!("{name}/")));
        } else {
            found.push((name, std::fs::read(entry.path()).expect("it can be read")));
        }
    }
    found
}

fuzz_target!(|bytes: &[u8]| {
    let Some((place, tile)) = bytes.split_first() else { return };
    let replaced = TILES[usize::from(*place) % TILES.len()];
    let (files, appended) = &*LEDGER;
    let blobs = MemBlobs::new();
    for (name, content) in files {
        let content = if name == replaced { tile } else { content.as_slice() };
        blobs.put(&[(&name.parse().expect("a name of the sample"), content)]).expect("memory takes it");
    }
    let report = fsck(&blobs, None, &LOG, std::num::NonZeroUsize::MIN);
    let same = files.iter().any(|(name, content)| name == replaced && content == tile);
    assert_eq!(report.is_clean(), same, "{replaced}");
    let reader = LedgerReader::new(Arc::new(blobs), LOG.clone());
    let Ok(snapshot) = reader.snapshot() else { return };
    for index in [0, 255, 256, 600, 767, 768, 769] {
        if let Ok(entry) = snapshot.entry(index) {
            assert_eq!(entry, appended[usize::try_from(index).expect("it is small")], "{replaced} {index}");
        }
        if let Ok(path) = snapshot.inclusion(index, snapshot.size()) {
            let leaf = bartizan_ledger::leaf_hash(&appended[usize::try_from(index).expect("it is small")]);
            let (size, root) = (snapshot.size(), snapshot.checkpoint().root());
            bartizan_ledger::verify_inclusion(&leaf, index, size, &path, &root).expect("a verified tile");
        }
    }
});
