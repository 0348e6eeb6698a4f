//! How long it takes to find a prediction record among full segments.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench prints, and one that meets the unexpected must fail"
)]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::fs;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bartizan_base::{ProjectId, Timestamp};
use bartizan_keys::subjects::Subjects;
use bartizan_keys::{FileKeyStore, Keys, OsRandom};
use bartizan_store::DirBlobs;
use bartizan_store::records::{GatewayId, Log, NewRecord, Position, RecordId, Records, Seal};

const SEGMENTS: u64 = 16;
const RECORDS: u64 = 65_536;
const ROUNDS: u64 = 50;
const SUBJECTS: u64 = 20_000;
/// How many segments the figures are told for.
const TOLD: f64 = 1_000.0;

fn main() {
    let home = tempfile::tempdir().unwrap();
    let (records, subjects) = fill(home.path());
    let file = home.path().join("records/seg/00000000/0000000000000001");
    let megabytes = fs::metadata(&file).unwrap().len() as f64 / 1e6;
    println!(
        "{SEGMENTS} segments of {RECORDS} records, {megabytes:.0} MB each; times for {TOLD} such segments"
    );

    // What is in the oldest segment, and what is in none, takes a look at all.
    let each = |name: &str, find: &dyn Fn(u64) -> Vec<Position>, expected: usize| {
        let begun = Instant::now();
        for round in 0..ROUNDS {
            assert_eq!(black_box(find(round)).len(), expected, "{name}");
        }
        let one = begun.elapsed().as_secs_f64() / (ROUNDS * SEGMENTS) as f64;
        println!("{name:<28} {:>8.1} us a segment {:>8.1} ms", one * 1e6, one * TOLD * 1e3);
    };
    let first = |round: u64| round * 1_311 % RECORDS;
    each("by id, oldest", &|round| records.by_id(id(first(round)), None).unwrap().positions, 1);
    each("by id, unknown", &|round| records.by_id(id(u64::MAX - round), None).unwrap().positions, 0);
    let request = |number: u64| subjects.request_tag(&number.to_be_bytes());
    each(
        "by request, oldest",
        &|round| records.by_request(request(first(round)), None, 1).unwrap().positions,
        1,
    );
    let nobody = subjects.tag(b"nobody");
    each("by subject, unknown", &|_| records.by_subject(nobody, None, 50).unwrap().positions, 0);

    let begun = Instant::now();
    let mut seen = 0_u64;
    let next = records.scan(Timestamp::EPOCH..Timestamp::from_millis(i64::MAX), None, |record| {
        black_box(record.envelope);
        seen += 1;
        ControlFlow::Continue(())
    });
    let took = begun.elapsed().as_secs_f64();
    assert!(next.unwrap().before.is_some());
    println!("one scan looks at {seen} records in {:.1} ms", took * 1e3);
    let begun = Instant::now();
    for round in 0..ROUNDS {
        let index = u32::try_from(first(round)).unwrap();
        black_box(records.read(Position { segment: 1, index }).unwrap());
    }
    println!("one record is read in {:.2} ms", begun.elapsed().as_secs_f64() * 1e3 / ROUNDS as f64);
}

fn id(number: u64) -> RecordId {
    // Spread like random ones.
    let digest = bartizan_base::sha256(&number.to_be_bytes());
    RecordId::from_bytes(*digest.as_bytes().first_chunk().unwrap())
}

/// Makes full segments.
fn fill(home: &Path) -> (Records, Arc<Subjects>) {
    let gateway = GatewayId::from_bytes([7; 16]);
    let now = Timestamp::from_millis(1_772_366_400_000);
    fs::create_dir(home.join("records")).unwrap();
    let root = Box::new(FileKeyStore::create(home, &mut OsRandom).unwrap());
    let blobs = Arc::new(DirBlobs::create(&home.join("keys")).unwrap());
    let project = ProjectId::from_random([1; 16]);
    let keys = Keys::create(blobs, root, project, &mut OsRandom, now).unwrap();
    let subjects = Arc::new(Subjects::new(&keys).unwrap());
    let path = home.join("records");
    Log::create(&path, gateway).unwrap();
    let log = Log::open(&path, Arc::clone(&subjects), gateway, Box::new(OsRandom), now).unwrap();
    for segment in 0..SEGMENTS {
        for number in segment * RECORDS..(segment + 1) * RECORDS {
            let person = (number % SUBJECTS).to_be_bytes();
            let appended = log.append(&NewRecord {
                id: id(number),
                time: now.plus_millis(i64::try_from(number).unwrap()),
                subject: Some(subjects.tag(&person)),
                request: Some(subjects.request_tag(&number.to_be_bytes())),
                groups: [&[b'e'; 40], &[b's'; 20], &[b'i'; 40], &[b'o'; 20], &[b'd'; 40]],
            });
            if number % 4_096 == 4_095 {
                log.durable(appended.unwrap().sequence).unwrap();
            }
        }
        while let Some(sealed) = log.seal(now, Seal::WhenDue).unwrap() {
            log.confirm(&sealed.root).unwrap();
        }
    }
    (Records::open(&path, Arc::clone(&subjects)).unwrap(), subjects)
}
