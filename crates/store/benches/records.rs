//! How much processor time a prediction record takes, from being handed in to being in a sealed segment.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench prints, and one that meets the unexpected must fail"
)]
#![expect(clippy::disallowed_methods, reason = "a bench measures time and spawns what it measures")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bartizan_base::{Clock, ProjectId};
use bartizan_keys::subjects::{RequestTag, SubjectTag, Subjects};
use bartizan_keys::{FileKeyStore, Keys, OsRandom};
use bartizan_store::records::{AppendFailed, GatewayId, Log, NewRecord, RecordId, Seal};
use bartizan_store::{DirBlobs, SystemClock};

const CALLERS: usize = 64;
const RECORDS: u64 = 1_000_000;
const SUBJECTS: usize = 20_000;
/// Few enough to stay in the processor's cache, like groups that were made a moment ago.
const SAMPLES: usize = 2_048;
/// Records after which the same people come in the same order.
const PEOPLE: usize = 262_144;
const ROUNDS: usize = 3;
/// Ticks of processor time in one second, on Linux.
const TICKS: f64 = 100.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    println!("{CALLERS} callers, {RECORDS} records of about 600 bytes, {SUBJECTS} subjects, {ROUNDS} rounds");
    for (name, callers) in [("tasks", Callers::Tasks), ("threads", Callers::Threads)] {
        if wanted(name) {
            (0..ROUNDS).for_each(|_| round(name, callers));
        }
    }
}

#[derive(Clone, Copy)]
enum Callers {
    /// Tasks on one thread, as in the gateway.
    Tasks,
    /// A blocked thread each.
    Threads,
}

struct Samples {
    /// Whom the next records are about, again and again.
    subjects: Vec<Option<SubjectTag>>,
    requests: Vec<RequestTag>,
    groups: Vec<[Vec<u8>; 5]>,
}

impl Samples {
    fn new(subjects: &Subjects) -> Self {
        let groups = (0..SAMPLES as u64).map(groups).collect();
        let requests =
            (0..SAMPLES as u64).map(|number| subjects.request_tag(&number.to_be_bytes())).collect();
        let tags: Vec<SubjectTag> = (0..SUBJECTS).map(|person| subjects.tag(&person.to_be_bytes())).collect();
        let subjects = (0..PEOPLE as u64).map(|number| person(number).map(|person| tags[person])).collect();
        Self { subjects, requests, groups }
    }
}

/// Whom record `number` is about: a tenth of the people have half of the records; one record in 16 is about
/// nobody.
fn person(number: u64) -> Option<usize> {
    let random = mixed(number ^ 0x5555);
    let share = (random >> 16) as f64 / (1_u64 << 48) as f64;
    (!random.is_multiple_of(16)).then(|| (share.powf(3.3) * SUBJECTS as f64) as usize)
}

/// Numbers that look random and are the same in every run (SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What a gateway would write about a prediction on ten features.
fn groups(number: u64) -> [Vec<u8>; 5] {
    let random = |at: u64| mixed(number * 64 + at);
    let person = random(0) % SUBJECTS as u64;
    let envelope = format!(
        "{{\"endpoint\":\"fraud\",\"epoch\":1,\"gateway\":\"0707070707070707\",\"id\":\"{:032x}\",\"model\":\"{:016x}\",\
         \"route\":\"primary\",\"sequence\":{number},\"time\":\"2026-03-01T12:00:{:02}.{:03}Z\",\"tree_size\":{},\"weight\":0.9}}",
        u128::from(random(1)) << 64 | u128::from(random(2)),
        mixed(random(3) % 3),
        random(4) % 60,
        random(5) % 1000,
        10_000 + number / 1000,
    );
    let subject = format!("{{\"principal\":\"usr_{:032x}\",\"subject\":{person}}}", random(6) % 50);
    let values: Vec<String> =
        (10..24).map(|at| format!("{:.2}", (random(at) % 100_000) as f32 / 100.0)).collect();
    let input = format!(
        "{{\"amount\":[{}],\"country\":\"DE\",\"device\":\"mobile\",\"merchant_category\":\"5411\"}}",
        values.join(",")
    );
    let output = format!("{{\"label\":{},\"scores\":[0.{:06}]}}", random(7) % 2, random(8) % 1_000_000);
    let decisions = format!(
        "{{\"decision\":\"{:016x}\",\"flags\":[],\"infer_us\":{},\"policy\":\"{:016x}\"}}",
        mixed(random(9) % 5),
        random(30) % 500,
        mixed(7),
    );
    [envelope, subject, input, output, decisions].map(String::into_bytes)
}

/// A fresh directory inside the build's own, which is on the disk that is to be measured.
fn scratch() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("records-bench");
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    fs::create_dir_all(path.join("records")).unwrap();
    path
}

/// Processor time of this process so far, its kernel time included.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks = |at: usize| f64::from(fields[at].parse::<u32>().unwrap());
    (ticks(11) + ticks(12)) / TICKS
}

fn round(name: &str, callers: Callers) {
    let home = scratch();
    let root = Box::new(FileKeyStore::create(&home, &mut OsRandom).unwrap());
    let blobs = Arc::new(DirBlobs::create(&home.join("keys")).unwrap());
    let project = ProjectId::from_random([1; 16]);
    let keys = Keys::create(blobs, root, project, &mut OsRandom, SystemClock.now()).unwrap();
    let subjects = Arc::new(Subjects::new(&keys).unwrap());
    let (records, gateway) = (home.join("records"), GatewayId::from_bytes([7; 16]));
    Log::create(&records, gateway).unwrap();
    let log =
        Log::open(&records, Arc::clone(&subjects), gateway, Box::new(OsRandom), SystemClock.now()).unwrap();
    let log = Arc::new(log);
    let samples = Arc::new(Samples::new(&subjects));
    let size: usize = samples.groups.iter().flatten().map(Vec::len).sum();

    let next = Arc::new(AtomicU64::new(0));
    let done = AtomicBool::new(false);
    let (cpu, begun) = (cpu_seconds(), Instant::now());
    thread::scope(|scope| {
        let sealer = scope.spawn(|| seal(&log, &done));
        match callers {
            Callers::Tasks => tasks(&log, &samples, &next),
            Callers::Threads => thread::scope(|scope| {
                for _ in 0..CALLERS {
                    scope.spawn(|| {
                        while let Some(record) = take(&samples, &next) {
                            let appended = retry(&log, &record);
                            log.durable(appended).unwrap();
                        }
                    });
                }
            }),
        }
        done.store(true, Ordering::Release);
        sealer.join().unwrap();
    });
    let (cpu, wall) = (cpu_seconds() - cpu, begun.elapsed().as_secs_f64());
    let stored: u64 = walk(&records.join("seg"));
    println!(
        "  {name:8} {:8.0} records per CPU-second, {:8.0}/s of wall time; groups of {} bytes, {} bytes stored for each",
        RECORDS as f64 / cpu,
        RECORDS as f64 / wall,
        size / SAMPLES,
        stored / RECORDS,
    );
    drop(log);
    fs::remove_dir_all(home).unwrap();
}

fn take<'a>(samples: &'a Samples, next: &AtomicU64) -> Option<NewRecord<'a>> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    if number >= RECORDS {
        return None;
    }
    let sample = number as usize % SAMPLES;
    let [envelope, subject, input, output, decisions] = &samples.groups[sample];
    let id = u128::from(mixed(number)) << 64 | u128::from(mixed(!number));
    Some(NewRecord {
        id: RecordId::from_bytes(id.to_be_bytes()),
        time: SystemClock.now(),
        subject: samples.subjects[number as usize % PEOPLE],
        request: Some(samples.requests[sample]),
        groups: [envelope, subject, input, output, decisions],
    })
}

fn retry(log: &Log, record: &NewRecord<'_>) -> u64 {
    loop {
        match log.append(record) {
            Ok(appended) => return appended.sequence,
            Err(AppendFailed::Full) => thread::sleep(Duration::from_millis(1)),
            Err(error) => panic!("{error}"),
        }
    }
}

fn tasks(log: &Arc<Log>, samples: &Arc<Samples>, next: &Arc<AtomicU64>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let local = tokio::task::LocalSet::new();
    for _ in 0..CALLERS {
        let (log, samples, next) = (Arc::clone(log), Arc::clone(samples), Arc::clone(next));
        local.spawn_local(async move {
            while let Some(record) = take(&samples, &next) {
                let sequence = retry(&log, &record);
                log.when_durable(sequence).await.unwrap();
            }
        });
    }
    runtime.block_on(local);
}

fn seal(log: &Log, done: &AtomicBool) {
    loop {
        let last = done.load(Ordering::Acquire);
        let when = if last { Seal::Now } else { Seal::WhenDue };
        while let Some(sealed) = log.seal(SystemClock.now(), when).unwrap() {
            log.confirm(&sealed.root).unwrap();
            if sealed.count == 0 {
                return;
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn walk(path: &Path) -> u64 {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            let meta = entry.metadata().unwrap();
            if meta.is_dir() { walk(&entry.path()) } else { meta.len() }
        })
        .sum()
}
