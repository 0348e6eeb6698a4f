//! What the tests of records share: keys, logs, records that can be told apart.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bartizan_base::{ProjectId, Timestamp};
use bartizan_keys::subjects::{SubjectTag, Subjects};
use bartizan_keys::{FileKeyStore, Keys, OsRandom};
use bartizan_ledger::segment::{Group, RecordDigest};
use bartizan_store::records::{
    Appended, GatewayId, Log, NewRecord, Personal, RecordId, Records, Seal, Sealed, StoredRecord,
};
use bartizan_store::{DirBlobs, SimDisk};
use tempfile::TempDir;

pub(super) const GATEWAY: GatewayId = GatewayId::from_bytes([7; 16]);
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_772_366_400_000);

/// A simulated disk with keys and an empty log, and the root key outside of it.
pub(super) struct World {
    root: TempDir,
    disk: SimDisk,
}

impl World {
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let disk = SimDisk::new();
        let store = Box::new(FileKeyStore::create(root.path(), &mut OsRandom).unwrap());
        let blobs = Arc::new(DirBlobs::on(&disk, "keys").unwrap());
        Keys::create(blobs, store, ProjectId::from_random([1; 16]), &mut OsRandom, NOW).unwrap();
        Log::create_on(&disk, "records", GATEWAY).unwrap();
        Self { root, disk }
    }

    /// The disk as it was in the beginning.
    pub(super) fn disk(&self) -> SimDisk {
        self.disk.after_crash(0)
    }

    /// The keys on a disk, with nothing in memory.
    pub(super) fn subjects(&self, disk: &SimDisk) -> Option<Arc<Subjects>> {
        let blobs = Arc::new(DirBlobs::on(disk, "keys").ok()?);
        let keys = Keys::open(blobs, Box::new(FileKeyStore::open(self.root.path()).unwrap())).ok()?;
        Some(Arc::new(Subjects::new(&keys).unwrap()))
    }

    pub(super) fn open(&self, disk: &SimDisk) -> (Log, Arc<Subjects>) {
        let subjects = self.subjects(disk).unwrap();
        let log =
            Log::open_on(disk, "records", Arc::clone(&subjects), GATEWAY, Box::new(OsRandom), NOW).unwrap();
        (log, subjects)
    }

    pub(super) fn records(&self, disk: &SimDisk) -> Records {
        Records::open_on(disk, "records", self.subjects(disk).unwrap()).unwrap()
    }
}

/// Real directories with keys and an empty log.
pub(super) fn make(home: &Path) {
    std::fs::create_dir(home.join("records")).unwrap();
    let store = Box::new(FileKeyStore::create(home, &mut OsRandom).unwrap());
    let blobs = Arc::new(DirBlobs::create(&home.join("keys")).unwrap());
    Keys::create(blobs, store, ProjectId::from_random([1; 16]), &mut OsRandom, NOW).unwrap();
    Log::create(&home.join("records"), GATEWAY).unwrap();
}

pub(super) fn subjects_in(home: &Path) -> Arc<Subjects> {
    let blobs = Arc::new(DirBlobs::open(&home.join("keys")).unwrap());
    let keys = Keys::open(blobs, Box::new(FileKeyStore::open(home).unwrap())).unwrap();
    Arc::new(Subjects::new(&keys).unwrap())
}

pub(super) fn open_in(home: &Path) -> (Log, Arc<Subjects>) {
    let subjects = subjects_in(home);
    let random = Box::new(OsRandom);
    let log = Log::open(&home.join("records"), Arc::clone(&subjects), GATEWAY, random, NOW).unwrap();
    (log, subjects)
}

pub(super) fn id(number: u64) -> RecordId {
    let mut bytes = [0x5a; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    RecordId::from_bytes(bytes)
}

/// The subject of record `number`: one of three people, or nobody.
pub(super) fn subject(subjects: &Subjects, number: u64) -> Option<SubjectTag> {
    (number % 4 != 3).then(|| subjects.tag(format!("person {}", number % 4).as_bytes()))
}

pub(super) fn groups(number: u64) -> [Vec<u8>; 5] {
    let text = |what: &str| format!("{{\"{what}\":{number}}}").into_bytes();
    [text("envelope"), text("subject"), text("input"), text("output"), text("decisions")]
}

/// Appends record `number`, whose time is that many seconds after [`NOW`].
pub(super) fn append(
    log: &Log,
    subjects: &Subjects,
    number: u64,
) -> Result<Appended, bartizan_store::records::AppendFailed> {
    let groups = groups(number);
    let [envelope, subject_group, input, output, decisions] = &groups;
    log.append(&NewRecord {
        id: id(number),
        time: NOW.plus_millis(i64::try_from(number * 1000).unwrap()),
        subject: subject(subjects, number),
        request: Some(subjects.request_tag(format!("request {}", number / 2).as_bytes())),
        groups: [envelope, subject_group, input, output, decisions],
    })
}

/// Appends a record and waits until it is durable.
pub(super) fn keep(log: &Log, subjects: &Subjects, number: u64) -> Option<Appended> {
    let appended = append(log, subjects, number).ok()?;
    log.durable(appended.sequence).ok()?;
    Some(appended)
}

/// Seals and confirms everything there is.
pub(super) fn drain(log: &Log) -> Vec<Sealed> {
    let mut drained = Vec::new();
    while log.seal(NOW, Seal::WhenDue).unwrap().is_some() {}
    log.seal(NOW, Seal::Now).unwrap().unwrap();
    for sealed in log.unconfirmed() {
        log.confirm(&sealed.root).unwrap();
        drained.push(sealed);
    }
    drained
}

/// Finds a record by its id and checks what it holds.
pub(super) fn expect(records: &Records, number: u64, digest: RecordDigest) -> StoredRecord {
    let found = records.by_id(id(number), None).unwrap().positions;
    let [position] = found.as_slice() else { panic!("record {number} is at {found:?}") };
    let record = records.read(*position).unwrap();
    assert_eq!((record.id, record.digest), (id(number), digest));
    let expected = groups(number);
    for group in Group::ALL {
        match record.group(group) {
            Some(revealed) => assert_eq!(revealed.bytes, expected[group.index()]),
            None => assert_eq!(record.personal, Personal::Erased),
        }
    }
    record
}

pub(super) type Kept = BTreeMap<u64, RecordDigest>;

/// Every acknowledged record is in a segment, once, in clear, and proves.
pub(super) fn expect_all(records: &Records, kept: &Kept) {
    for (number, digest) in kept {
        let record = expect(records, *number, *digest);
        assert_ne!(record.personal, Personal::Erased, "record {number}");
        let info = records.segments(Some(record.position.segment + 1), 1).unwrap()[0];
        let proof = records.prove(record.position, &[Group::Envelope, Group::Output]).unwrap();
        let revealed = proof.verify(&info.root, info.count).unwrap();
        assert_eq!(revealed.digest(), *digest);
        assert_eq!(revealed.group(Group::Input), None);
        assert_eq!(revealed.group(Group::Output).unwrap(), groups(*number)[3]);
    }
}
