//! The sample of version 1: a segment, proofs, a log that was left, and the keys; it must be readable for ever.

use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bartizan_base::{Digest, ProjectId, sha256};
use bartizan_keys::subjects::Subjects;
use bartizan_keys::{FileKeyStore, Keys};
use bartizan_ledger::segment::{Group, RecordProof, RecordProofRefused};
use bartizan_store::DirBlobs;
use bartizan_store::records::{Log, Personal, Position, Records, Seal};
use rand_core::utils::next_word_via_fill;
use rand_core::{TryCryptoRng, TryRng};
use tempfile::TempDir;

use super::support::{GATEWAY, NOW, groups, id, keep, open_in, subject, subjects_in};

const RECORDS: u64 = 17;
const ROOT: &str = "root-of-segment-1";
const FILES: [&str; 4] = ["proof-5", "proof-2-erased", ROOT, "keys/project-keys.json"];

/// A generator that gives the same bytes for the same seed.
struct TestRng(u64, u64);

impl TryRng for TestRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(32) {
            let block = sha256(&[self.0.to_be_bytes(), self.1.to_be_bytes()].concat());
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
            self.1 += 1;
        }
        Ok(())
    }
}

impl TryCryptoRng for TestRng {}

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/segment/v1")
}

/// Makes the sample: 17 records in segment 1, the third person erased, two records in a log that is not sealed.
fn sample(home: &Path) {
    let store = Box::new(FileKeyStore::create(home, &mut TestRng(1, 0)).unwrap());
    let blobs = Arc::new(DirBlobs::create(&home.join("keys")).unwrap());
    let project = ProjectId::from_random([1; 16]);
    let keys = Keys::create(blobs, store, project, &mut TestRng(2, 0), NOW).unwrap();
    let subjects = Arc::new(Subjects::new(&keys).unwrap());
    let records = home.join("records");
    fs::create_dir(&records).unwrap();
    Log::create(&records, GATEWAY).unwrap();
    let log = Log::open(&records, subjects.clone(), GATEWAY, Box::new(TestRng(3, 0)), NOW).unwrap();
    for number in 0..RECORDS {
        keep(&log, &subjects, number).unwrap();
    }
    let sealed = log.seal(NOW.plus_millis(60_000), Seal::WhenDue).unwrap().unwrap();
    log.confirm(&sealed.root).unwrap();
    let reader = Records::open(&records, subjects.clone()).unwrap();
    let prove = |index, groups: &[Group]| reader.prove(Position { segment: 1, index }, groups).unwrap();
    fs::write(home.join("proof-5"), prove(5, &Group::ALL).to_text()).unwrap();
    log.erase(&[subject(&subjects, 2).unwrap()]).unwrap();
    fs::write(home.join("proof-2-erased"), prove(2, &[Group::Envelope]).to_text()).unwrap();
    fs::write(home.join(ROOT), format!("{}\n", sealed.root.to_hex())).unwrap();
    keep(&log, &subjects, RECORDS).unwrap();
    keep(&log, &subjects, RECORDS + 1).unwrap();
}

/// Files below a folder, without the stores' own.
fn files(root: &Path, folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with('.') || name == "writer.lock" {
            continue;
        }
        if path.is_dir() {
            files(root, &path, out);
        } else {
            out.push(path.strip_prefix(root).unwrap().to_owned());
        }
    }
    out.sort();
}

fn all_files(root: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    files(root, root, &mut out);
    out
}

/// The sample, where it may be changed, with the modes that version control does not keep.
fn copy() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for file in all_files(&golden()) {
        let to = home.path().join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(golden().join(&file), &to).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
    }
    home
}

fn root() -> Digest {
    fs::read_to_string(golden().join(ROOT)).unwrap().trim_end().parse().unwrap()
}

#[test]
fn the_sample_is_read() {
    let home = copy();
    let records = Records::open(&home.path().join("records"), subjects_in(home.path())).unwrap();
    let checked = records.check(1).unwrap();
    assert_eq!((checked.root, checked.count), (root(), RECORDS));
    for (number, index) in (0..RECORDS).zip(0..) {
        let record = records.read(Position { segment: 1, index }).unwrap();
        assert_eq!((record.id, record.sequence, record.epoch), (id(number), number + 1, 1));
        assert_eq!(record.envelope.bytes, groups(number)[0]);
        let Personal::Clear { input, .. } = record.personal else {
            assert_eq!(number % 4, 2, "record {number}");
            continue;
        };
        assert_eq!(input.bytes, groups(number)[2]);
        assert_ne!(number % 4, 2, "record {number}");
    }
}

#[test]
fn the_log_of_the_sample_is_taken_over() {
    let home = copy();
    let (log, _) = open_in(home.path());
    let sealed = log.seal(NOW, Seal::WhenDue).unwrap().unwrap();
    assert_eq!((sealed.epoch, sealed.first, sealed.last, sealed.previous_root), (1, 18, 19, Some(root())));
    let records = Records::open(&home.path().join("records"), subjects_in(home.path())).unwrap();
    for number in RECORDS..RECORDS + 2 {
        let position = records.by_id(id(number), None).unwrap().positions[0];
        assert_eq!(records.read(position).unwrap().group(Group::Output).unwrap().bytes, groups(number)[3]);
    }
}

#[test]
fn the_proofs_of_the_sample_verify() {
    let read = |name: &str| RecordProof::parse(&fs::read(golden().join(name)).unwrap()).unwrap();
    let revealed = read("proof-5").verify(&root(), RECORDS).unwrap();
    for group in Group::ALL {
        assert_eq!(revealed.group(group).unwrap(), groups(5)[group.index()]);
    }
    let erased = read("proof-2-erased").verify(&root(), RECORDS).unwrap();
    assert_eq!((erased.index(), erased.group(Group::Envelope)), (2, Some(groups(2)[0].as_slice())));
    assert_eq!(erased.group(Group::Input), None);
    let wrong = read("proof-5").verify(&root(), RECORDS + 1).unwrap_err();
    assert_eq!(wrong, RecordProofRefused::Count { claimed: RECORDS, count: RECORDS + 1 });
}

/// Today's writer makes the sample again, byte for byte; but of the segment only its root, because another
/// version of zstd may compress otherwise.
#[test]
fn the_sample_is_still_written_like_this() {
    let home = tempfile::tempdir().unwrap();
    sample(home.path());
    let made = all_files(home.path());
    assert_eq!(made, all_files(&golden()));
    for file in made.into_iter().filter(|file| !file.starts_with("records/seg")) {
        let (made, kept) =
            (fs::read(home.path().join(&file)).unwrap(), fs::read(golden().join(&file)).unwrap());
        assert!(made == kept, "{}", file.display());
    }
    assert!(FILES.iter().all(|file| golden().join(file).exists()));
}

/// Makes the sample. Only for a new version of a format; what was released is never made again.
#[test]
#[ignore = "writes the golden samples"]
fn make_the_samples() {
    assert!(!golden().exists(), "released samples are never made again");
    let home = tempfile::tempdir().unwrap();
    sample(home.path());
    for file in all_files(home.path()) {
        let to = golden().join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(home.path().join(&file), to).unwrap();
    }
}
