//! A real process that is killed while it takes records, again and again.

#![expect(clippy::disallowed_methods, reason = "the test kills a process of its own")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bartizan_base::{Digest, Timestamp};
use bartizan_ledger::segment::RecordDigest;
use bartizan_store::records::{Records, Seal};

use super::support::{Kept, NOW, drain, expect_all, keep, make, open_in, subjects_in};

const CHILD: &str = "BARTIZAN_TEST_RECORDS_CHILD";

/// The child: eight threads take records and say which are durable; a ninth seals and confirms.
#[test]
#[ignore = "runs as the child of another test"]
fn child() {
    let Some(home) = std::env::var_os(CHILD) else { return };
    let (log, subjects) = open_in(Path::new(&home));
    let next = AtomicU64::new(log.epoch() * 1_000_000);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let digest = keep(&log, &subjects, number).unwrap().digest;
                    let line = format!("kept {number} {}\n", digest.digest().to_hex());
                    // One write of a short line to a pipe is whole or not at all.
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
        scope.spawn(|| {
            loop {
                log.seal(NOW, Seal::Now).unwrap();
                for sealed in log.unconfirmed() {
                    log.confirm(&sealed.root).unwrap();
                }
                thread::sleep(std::time::Duration::from_millis(5));
            }
        });
    });
}

#[test]
fn a_killed_process_loses_nothing_acknowledged() {
    let home = tempfile::tempdir().unwrap();
    make(home.path());
    let mut kept = Kept::new();
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["records::kill::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env(CHILD, home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut kept_now = 0;
        while kept_now < 40 + round * 60 {
            let line = lines.next().unwrap().unwrap();
            kept_now += note(&line, &mut kept);
        }
        child.kill().unwrap();
        // What it said before it died counts, too.
        kept_now += lines.map_while(Result::ok).map(|line| note(&line, &mut kept)).sum::<u64>();
        assert!(kept_now > 0);
        child.wait().unwrap();
    }
    let (log, _) = open_in(home.path());
    assert_eq!(log.epoch(), 7);
    drain(&log);
    let records = Records::open(&home.path().join("records"), subjects_in(home.path())).unwrap();
    assert!(kept.len() > 1_000, "{}", kept.len());
    expect_all(&records, &kept);
    let early = records.scan(Timestamp::EPOCH..NOW, None, |record| panic!("{record:?}"));
    assert_eq!(early.unwrap().before, None);
}

fn note(line: &str, kept: &mut Kept) -> u64 {
    let Some((number, digest)) = line.strip_prefix("kept ").and_then(|rest| rest.split_once(' ')) else {
        return 0;
    };
    // The very last line may be cut.
    let Ok(digest) = digest.parse::<Digest>() else { return 0 };
    kept.insert(number.parse().unwrap(), RecordDigest::from_digest(digest));
    1
}
