//! Files of prediction records: a segment, its list, a log that was left, the epoch, a proof. What is read is what was
//! written, whatever the bytes are.
#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use bartizan_base::{Digest, Timestamp};
use bartizan_keys::subjects::Subjects;
use bartizan_keys::{FileKeyStore, Keys, OsRandom};
use bartizan_ledger::segment::{Group, RecordDigest, RecordProof};
use bartizan_store::DirBlobs;
use bartizan_store::records::{GatewayId, Log, Position, Records, Seal};
use libfuzzer_sys::fuzz_target;

const GATEWAY: GatewayId = GatewayId::from_bytes([7; 16]);
const NOW: Timestamp = Timestamp::from_millis(1_772_366_400_000);
const RECORDS: u32 = 17;
/// The first byte of an input says which of these the rest becomes.
const FILES: [&str; 5] = [
    "seg/00000000/0000000000000001",
    "manifest/00000000",
    "log/0000000000000003",
    "log/0000000000000003.key",
    "epoch",
];

/// The sample, where it may be changed.
struct Sample {
    home: PathBuf,
    subjects: Arc<Subjects>,
    /// The files of records, with what they hold.
    files: BTreeMap<PathBuf, Vec<u8>>,
    digests: Vec<RecordDigest>,
    root: Digest,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/segment/v1");
    let home = std::env::temp_dir().join(format!("bartizan-fuzz-records-{}", std::process::id()));
    let mut files = BTreeMap::new();
    copy(&golden, Path::new(""), &home, &mut files);
    let files: BTreeMap<PathBuf, Vec<u8>> =
        files.into_iter().filter_map(|(path, bytes)| Some((path.strip_prefix("records").ok()?.to_owned(), bytes))).collect();
    let blobs = Arc::new(DirBlobs::open(&home.join("keys")).expect("the sample has keys"));
    let store = FileKeyStore::open(&home).expect("the sample has a root key");
    let keys = Keys::open(blobs, Box::new(store)).expect("the sample's keys open");
    let subjects = Arc::new(Subjects::new(&keys).expect("the sample has a key for subjects"));
    let records = Records::open(&home.join("records"), Arc::clone(&subjects)).expect("the sample has records");
    let digests = (0..RECORDS)
        .map(|index| records.read(Position { segment: 1, index }).expect("the sample is read").digest)
        .collect();
    let root = records.check(1).expect("the sample is whole").root;
    Sample { home, subjects, files, digests, root }
});

fn copy(from: &Path, folder: &Path, to: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    fs::create_dir_all(to.join(folder)).expect("a directory for the sample");
    for entry in fs::read_dir(from.join(folder)).expect("the sample is there") {
        let path = folder.join(entry.expect("an entry").file_name());
        if from.join(&path).is_dir() {
            copy(from, &path, to, files);
            continue;
        }
        let bytes = fs::read(from.join(&path)).expect("a file of the sample");
        fs::write(to.join(&path), &bytes).expect("a copy of it");
        fs::set_permissions(to.join(&path), fs::Permissions::from_mode(0o600)).expect("a private copy");
        files.insert(path, bytes);
    }
}

impl Sample {
    /// Puts every file of records back, and takes away what was made since.
    fn restore(&self) {
        let records = self.home.join("records");
        for folder in ["log", "manifest", "seg"] {
            fs::remove_dir_all(records.join(folder)).expect("a directory to remove");
        }
        for (path, bytes) in &self.files {
            fs::create_dir_all(records.join(path).parent().expect("a parent")).expect("a directory");
            fs::write(records.join(path), bytes).expect("a file");
        }
    }

    /// Everything that a reader can do. Records that are read are those that were written.
    fn read_all(&self, records: &Records) {
        drop(records.check(1));
        for index in 0..RECORDS + 2 {
            if let Ok(record) = records.read(Position { segment: 1, index }) {
                assert_eq!(Some(&record.digest), self.digests.get(index as usize));
                drop(records.by_id(record.id, None));
                drop(records.prove(record.position, &Group::ALL));
            }
        }
        for sequence in [0, 1, 17, 18, u64::MAX] {
            drop(records.at(1, sequence));
        }
        drop(records.by_subject(self.subjects.tag(b"person 1"), None, 100));
        drop(records.by_request(self.subjects.request_tag(b"request 2"), None, 100));
        drop(records.segments(None, 10));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let sample = &*SAMPLE;
    let Some((which, bytes)) = bytes.split_first() else { return };
    let Some(name) = FILES.get(usize::from(*which)) else {
        if let Ok(proof) = RecordProof::parse(bytes) {
            assert_eq!(RecordProof::parse(proof.to_text().as_bytes()).as_ref(), Ok(&proof));
            let revealed = proof.verify(&sample.root, u64::from(RECORDS));
            assert!(revealed.is_err() || sample.digests.contains(&revealed.expect("it verifies").digest()));
        }
        return;
    };
    sample.restore();
    let place = sample.home.join("records");
    fs::write(place.join(name), bytes).expect("the file takes the bytes");
    if let Ok(records) = Records::open(&place, Arc::clone(&sample.subjects)) {
        sample.read_all(&records);
    }
    let random = Box::new(OsRandom);
    if let Ok(log) = Log::open(&place, Arc::clone(&sample.subjects), GATEWAY, random, NOW) {
        drop(log.seal(NOW, Seal::WhenDue));
        drop(log);
        if let Ok(records) = Records::open(&place, Arc::clone(&sample.subjects)) {
            sample.read_all(&records);
        }
    }
});
