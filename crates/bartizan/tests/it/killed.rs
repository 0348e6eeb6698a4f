//! kill -9 and a full disk under load: whatever was answered is on record, and the ledger accounts for every number.
//!
//! `BARTIZAN_KILLS` says how often the server is killed, and `BARTIZAN_SEED` at which moments: those of an earlier run,
//! which printed its seed.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test that meets the unexpected must fail")]

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bartizan_keys::subjects::Subjects;
use bartizan_keys::{FileKeyStore, Keys, OsRandom};
use bartizan_store::DataDir;
use bartizan_store::records::{Records, SegmentInfo};
use rand_core::Rng as _;
use serde_json::Value;

use crate::bench::Bench;
use crate::serving::{INFER, ask, key, ride, wait_ready, with_endpoint, with_models_in};
use crate::up::Up;

/// Connections that ask without pause.
const CLIENTS: usize = 4;
const SEGMENT: &str = "https://bartizan.dev/segment/v1";
const KILLS: u64 = 4;
/// Bytes of a disk that is to be full; uploads need a good part of them to be free.
const ROOM: u64 = 1024 * 1024 * 1024;

/// Clients that ask until they are stopped or cut off, and remember what they were told.
struct Load {
    stop: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    fn begin(up: &Up, key: &str) -> Self {
        let (stop, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = |number| {
            let (address, key) = (up.inference.clone(), key.to_owned());
            let (stop, refused) = (Arc::clone(&stop), Arc::clone(&refused));
            thread::spawn(move || {
                let mut answered = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    if ask_on(&address, &key, number, &stop, &refused, &mut answered).is_err() {
                        break;
                    }
                }
                answered
            })
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { stop, refused, clients }
    }

    /// Stops asking: every prediction whose answer came whole.
    fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    }
}

/// Asks on one connection for as long as it holds.
fn ask_on(
    address: &str,
    key: &str,
    number: usize,
    stop: &AtomicBool,
    refused: &AtomicUsize,
    answered: &mut Vec<String>,
) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    for distance in (0_u8..200).cycle() {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let body = ride(f64::from(distance), f64::from(u8::try_from(number).unwrap()));
        let length = body.len();
        let head = format!(
            "POST {INFER} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all([head, body].concat().as_bytes())?;
        match answer(&mut reader)? {
            (200, body) => {
                let body: Value = serde_json::from_slice(&body)?;
                let id = body.pointer("/parameters/prediction_id").and_then(Value::as_str).unwrap();
                answered.push(id.to_owned());
            }
            (503, _) => {
                refused.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(5));
            }
            (status, body) => panic!("{status}: {}", String::from_utf8_lossy(&body)),
        }
    }
    Ok(())
}

/// Reads one answer, whole or not at all.
fn answer(reader: &mut impl BufRead) -> io::Result<(u16, Vec<u8>)> {
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            let status = head.first().and_then(|line: &String| line.split(' ').nth(1)?.parse().ok());
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            return Ok((status.unwrap(), body));
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push(line);
    }
}

/// The sealed records of a project that nobody has open.
fn records(data: &Path) -> Records {
    let keys = Arc::new(DataDir::open(data).unwrap().keys().unwrap());
    let root = FileKeyStore::open(&data.join("keys")).unwrap();
    let subjects = Subjects::new(&Keys::open(keys, Box::new(root)).unwrap()).unwrap();
    let gateway = std::fs::read_dir(data.join("segments")).unwrap().next().unwrap().unwrap();
    Records::open(&gateway.path(), Arc::new(subjects)).unwrap()
}

/// A segment: its number; first sequence number, count and lost; root.
type Segment = (u64, [u64; 3], String);

/// What an entry says of a segment.
fn said(entry: &Value) -> Segment {
    let said = entry.pointer("/statement/predicate").unwrap();
    let [number, first, count, lost] =
        ["number", "first", "count", "lost"].map(|member| said[member].as_u64().unwrap());
    (number, [first, count, lost], said["root"].as_str().unwrap().to_owned())
}

/// What the ledger says of segments, oldest first, as the server tells it.
fn stated(bench: &Bench, key: &str) -> Vec<Segment> {
    let mut up = Up::start(bench);
    let get = |path: &str| -> Value {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
        );
        let whole = up.whole(&request);
        serde_json::from_str(whole.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let (mut found, mut before) = (Vec::new(), u64::MAX >> 1);
    loop {
        let page = get(&format!("/api/v1/ledger/entries?before={before}"));
        let rows = page.as_array().unwrap();
        for row in rows {
            before = row["index"].as_u64().unwrap();
            if row["predicate"] == SEGMENT {
                found.push(said(&get(&format!("/api/v1/ledger/entries/{before}"))));
            }
        }
        if rows.is_empty() {
            break;
        }
    }
    up.end();
    found.reverse();
    found
}

/// Every answered prediction has its record; every record hashes to the root that the ledger names; no sequence number
/// is unaccounted for. Nobody has the project open.
fn check(bench: &Bench, key: &str, answered: &[String]) -> u64 {
    let mut stated = stated(bench, key);
    // Whoever was asked ended with a segment of its own.
    let latest = bench.json(&["ledger", "show"]);
    let last = latest.as_array().unwrap().iter().find(|row| row["predicate"] == SEGMENT).unwrap();
    stated.push(said(&bench.json(&["ledger", "show", &last["index"].to_string()])));
    assert_eq!(bench.json(&["ledger", "fsck"])["clean"], true);
    let records = records(&bench.path("bartizan-data"));
    let mut segments: Vec<SegmentInfo> = records.segments(None, usize::MAX).unwrap();
    segments.reverse();
    let made: Vec<_> = segments
        .iter()
        .map(|made| (made.number, [made.first, made.count, made.lost], made.root.to_hex()))
        .collect();
    assert_eq!(made, stated, "the ledger names every segment there is, and no other");
    let (mut epoch, mut next) = (0, 1);
    for segment in &segments {
        if segment.epoch != epoch {
            assert!(segment.epoch > epoch, "{segment:?}");
            (epoch, next) = (segment.epoch, 1);
        }
        assert_eq!(segment.first, next, "a silent gap before {segment:?}");
        next += segment.count + segment.lost;
        let checked = records.check(segment.number).unwrap();
        assert_eq!((checked.root, checked.count), (segment.root, segment.count));
    }
    let unique: BTreeSet<&String> = answered.iter().collect();
    assert_eq!(unique.len(), answered.len(), "an id was given out twice");
    for id in answered {
        let found = records.by_id(id.trim_start_matches("prd_").parse().unwrap(), None).unwrap();
        let position =
            *found.positions.first().unwrap_or_else(|| panic!("{id} was answered and is not on record"));
        assert_eq!(format!("prd_{}", records.read(position).unwrap().id), *id);
    }
    segments.iter().map(|segment| segment.count).sum()
}

/// Moments that follow from a seed: the SplitMix64 generator (Steele, Lea and Flood 2014).
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> Duration {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Duration::from_micros((mixed ^ (mixed >> 31)) % 400_000)
    }
}

/// A number from the environment, which must be one when it is there.
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// One answered prediction of every round is proved by the server, and its proof verifies elsewhere.
fn prove(bench: &Bench, key: &str, rounds: &[Vec<String>]) -> usize {
    let latest = rounds.iter().filter_map(|answered| answered.last());
    let proved = latest.inspect(|id| {
        let file = format!("{id}.proof.json");
        let ran = bench.run_with("BARTIZAN_TOKEN", key, &["prove", id, "--out", &file]);
        assert_eq!(ran.code, 0, "{id} was answered and is not proved: {}", ran.stderr);
        let ran =
            bench.run(&["verify", &file, "--prediction", id, "--trust", "trust.json", "--allow-development"]);
        assert_eq!(ran.code, 0, "{id}: {}", ran.stderr);
    });
    proved.count()
}

#[test]
fn whatever_was_answered_is_on_record_however_often_the_server_is_killed() {
    let kills = number("BARTIZAN_KILLS").unwrap_or(KILLS);
    let seed = number("BARTIZAN_SEED").unwrap_or_else(|| OsRandom.next_u64());
    println!("BARTIZAN_SEED={seed} kills at the same moments again");
    let (bench, key) = with_endpoint(&["--no-fallback"]);
    assert_eq!(bench.run(&["keys", "export", "--out", "trust.json"]).code, 0);
    let (mut rounds, mut moments) = (Vec::new(), Moments(seed));
    for round in 0..kills {
        let mut up = Up::start(&bench);
        // Some are killed while they still recover what the last one left.
        if round % 4 != 3 {
            wait_ready(&up);
        }
        let load = Load::begin(&up, &key);
        thread::sleep(moments.next());
        up.child.kill().unwrap();
        up.child.wait().unwrap();
        rounds.push(load.end());
    }
    let answered = rounds.concat();
    assert!(!answered.is_empty(), "nobody was answered before the server was killed");
    let mut up = Up::start(&bench);
    wait_ready(&up);
    assert_eq!(ask(&up, "POST", INFER, Some(&key), &ride(4.0, 1.0)).status, 200);
    let proved = prove(&bench, &key, &rounds);
    up.end();
    let recorded = check(&bench, &key, &answered);
    println!("{kills} kills, {} predictions answered, {recorded} on record, {proved} proved", answered.len());
}

/// A file system of its own in a directory, unmounted when it is dropped.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    /// None where this user may not mount.
    fn memory(at: &'a Path) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        mount(&["-t", "tmpfs", "-o", &format!("mode=0700,size={ROOM}"), "bartizan-test"], at)
            .then_some(Self(at))
    }

    /// Leaves room for so many bytes more.
    fn leave(&self, bytes: u64) {
        let now = rustix::fs::statvfs(self.0).unwrap();
        let used = (now.f_blocks - now.f_bfree) * now.f_frsize;
        assert!(mount(&["-o", &format!("remount,size={}", used + bytes)], self.0));
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // Whoever still runs there keeps it; nothing of this is left when they end.
        Command::new("umount").arg("-l").arg(self.0).status().ok();
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    Command::new("mount").args(arguments).arg(at).output().is_ok_and(|ran| ran.status.success())
}

#[test]
fn a_full_disk_refuses_predictions_and_loses_none() {
    let bench = Bench::new();
    let data = bench.path("bartizan-data");
    let Some(mounted) = Mounted::memory(&data) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "not tested: this user may not mount a file system to fill"
        );
        eprintln!("SKIPPED: this user may not mount a file system to fill");
        return;
    };
    let bench = with_models_in(bench, &[]);
    let ran = bench.run(&["endpoint", "route", "scores", "--model", "tips:2", "--no-fallback"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let key = key(&bench);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    let load = Load::begin(&up, &key);
    thread::sleep(Duration::from_millis(200));

    mounted.leave(512 * 1024);
    let begun = Instant::now();
    while load.refused.load(Ordering::Relaxed) < 20 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is refused on a full disk");
        thread::sleep(Duration::from_millis(20));
    }
    let answered = load.end();
    assert!(!answered.is_empty());
    let refused = ask(&up, "POST", INFER, Some(&key), &ride(4.0, 1.0));
    assert_eq!(refused.status, 503, "{}", refused.body);
    // A new start mends it, and whoever asks is told that it takes one.
    for path in ["/v2/health/live", "/v2/health/ready", "/v2/models/scores/ready"] {
        assert_eq!(ask(&up, "GET", path, None, "").status, 503, "{path}");
    }
    up.child.kill().unwrap();
    up.child.wait().unwrap();

    mounted.leave(ROOM);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    assert_eq!(ask(&up, "POST", INFER, Some(&key), &ride(4.0, 1.0)).status, 200);
    up.end();
    let recorded = check(&bench, &key, &answered);
    println!("{} predictions answered before the disk was full, {recorded} on record", answered.len());
}
