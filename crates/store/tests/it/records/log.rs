//! What a log takes, what it seals, and how its records are found again.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use bartizan_base::{Digest, Timestamp, sha256};
use bartizan_ledger::segment::Group;
use bartizan_store::limits::SCAN_BLOCKS;
use bartizan_store::records::{
    AppendFailed, Checked, ConfirmFailed, GatewayId, Log, LogCreate, LogOpen, NewRecord, Position, Records,
    Seal,
};
use bartizan_store::{SimDisk, SimFault};
use proptest::prelude::*;

use super::support::{
    GATEWAY, Kept, NOW, World, append, drain, expect, expect_all, groups, id, keep, subject,
};

#[test]
fn records_are_sealed_found_and_proved() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    let kept: Kept =
        (0..700).map(|number| (number, append(&log, &subjects, number).unwrap().digest)).collect();
    log.durable(700).unwrap();
    assert_eq!(log.seal(NOW, Seal::WhenDue).unwrap(), None);
    let sealed = log.seal(NOW.plus_millis(60_000), Seal::WhenDue).unwrap().unwrap();
    assert_eq!((sealed.first, sealed.last, sealed.count, sealed.lost), (1, 700, 700, 0));
    assert_eq!((sealed.gateway, sealed.epoch, sealed.number, sealed.previous_root), (GATEWAY, 1, 1, None));
    assert!(matches!(log.confirm(&sha256(b"x")), Err(ConfirmFailed::NotNext { .. })));
    log.confirm(&sealed.root).unwrap();
    let records = world.records(&disk);
    expect_all(&records, &kept);
    let checked = Checked { root: sealed.root, count: 700, gone: Vec::new() };
    assert_eq!(records.check(1).unwrap(), checked);

    let at = |index| Position { segment: 1, index };
    assert_eq!(records.at(1, 701).unwrap(), None);
    assert_eq!(records.at(2, 1).unwrap(), None);
    assert_eq!(records.at(1, 300).unwrap(), Some(at(299)));
    let record = records.read(at(299)).unwrap();
    assert_eq!((record.epoch, record.sequence, record.subject), (1, 300, None));
    assert!(
        format!("{record:?}").contains("input: RevealedGroup(13 bytes)"),
        "what is formatted shows no group"
    );

    let tag = subjects.request_tag(b"request 7");
    assert_eq!(records.by_request(tag, None, 10).unwrap().positions, [at(15), at(14)]);
    let page = records.by_request(tag, None, 1).unwrap();
    assert_eq!((page.positions.as_slice(), page.before), ([at(15)].as_slice(), Some(at(15))));
    assert_eq!(records.by_request(tag, page.before, 1).unwrap().positions, [at(14)]);

    let (mut about, mut before) = (Vec::new(), None);
    loop {
        let found = records.by_subject(subject(&subjects, 1).unwrap(), before, 50).unwrap();
        about.extend(found.positions.iter().map(|position| position.index));
        before = found.before;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(about, (0..700).rev().filter(|index| index % 4 == 1).collect::<Vec<u32>>());

    let (from, to) = (NOW.plus_millis(250_000), NOW.plus_millis(260_000));
    let (found, before) = scanned(&records, from..to, None, 4);
    assert_eq!((found.as_slice(), before), ([259, 258, 257, 256].as_slice(), Some(at(256))));
    let (found, before) = scanned(&records, from..to, before, 100);
    assert_eq!((found.as_slice(), before), ([255, 254, 253, 252, 251, 250].as_slice(), None));
    let (found, _) = scanned(&records, NOW..NOW.plus_millis(1_000_000), None, 1_000);
    assert_eq!(found, (0..700).rev().collect::<Vec<u32>>());
    assert_eq!(records.by_id(id(700), None).unwrap().positions, []);
}

/// The indexes of records of a time, up to `limit`, and where to go on. What is in clear of each is what was kept.
fn scanned(
    records: &Records,
    times: Range<Timestamp>,
    before: Option<Position>,
    limit: usize,
) -> (Vec<u32>, Option<Position>) {
    let mut found = Vec::new();
    let before = records.scan(times, before, |record| {
        let number = u64::from(record.position.index);
        assert_eq!((record.id, record.envelope), (id(number), groups(number)[0].as_slice()));
        assert!(records.peek(record.position, |peeked| peeked == record).unwrap());
        found.push(record.position.index);
        if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    (found, before.unwrap().before)
}

/// A scan reads a bounded number of blocks, says where to go on, and leaves nothing out.
#[test]
fn a_scan_for_something_rare_goes_on_where_it_stopped() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    let segments = u32::try_from(SCAN_BLOCKS).unwrap() + 10;
    for number in 0..segments {
        keep(&log, &subjects, u64::from(number)).unwrap();
        let sealed = log.seal(NOW, Seal::Now).unwrap().unwrap();
        log.confirm(&sealed.root).unwrap();
    }
    let records = world.records(&disk);
    let (mut seen, mut before, mut calls) = (Vec::new(), None, 0);
    loop {
        before = records
            .scan(Timestamp::EPOCH..NOW.plus_millis(1_000_000), before, |record| {
                seen.push(record.position.segment);
                ControlFlow::Continue(())
            })
            .unwrap()
            .before;
        calls += 1;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((calls, seen), (2, (1..=u64::from(segments)).rev().collect()));
}

#[test]
fn empty_segments_and_unused_places_show() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    let first = log.seal(NOW, Seal::Now).unwrap().unwrap();
    assert_eq!((first.first, first.last, first.count, first.root), (1, 0, 0, sha256(b"")));
    keep(&log, &subjects, 1).unwrap();
    drop(log.reserve(10).unwrap());
    let place = log.reserve(1).unwrap();
    let number = place.sequence();
    let too_large = NewRecord {
        id: id(9),
        time: NOW,
        subject: None,
        request: None,
        groups: [b"too", b"large", b"for", b"its", b"place"],
    };
    assert!(matches!(place.append(&too_large), Err(AppendFailed::TooLarge { bytes: 19, allowed: 1 })));
    let appended = keep(&log, &subjects, 2).unwrap();
    assert_eq!((number, appended.sequence), (3, 4));
    let second = log.seal(NOW, Seal::Now).unwrap().unwrap();
    assert_eq!((second.first, second.last, second.count, second.lost), (1, 4, 2, 2));
    assert_eq!(second.previous_root, Some(first.root));
    let records = world.records(&disk);
    assert_eq!(records.at(1, 2).unwrap(), None);
    assert_eq!(records.at(1, 4).unwrap(), Some(Position { segment: 2, index: 1 }));
    expect(&records, 2, appended.digest);
    assert_eq!(log.unconfirmed(), [first, second]);
}

#[test]
fn the_sequence_is_known_before_the_record() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    let first = log.reserve(100).unwrap();
    let second = log.reserve(100).unwrap();
    assert_eq!((first.sequence(), second.sequence(), second.epoch()), (1, 2, 1));
    let record = |number| NewRecord {
        id: id(number),
        time: NOW,
        subject: subject(&subjects, number),
        request: None,
        groups: [b"e", b"s", b"i", b"o", b"d"],
    };
    let later = second.append(&record(2)).unwrap();
    let mut durable = std::pin::pin!(log.when_durable(later.sequence));
    // The second waits for the first, which has not come.
    assert!(durable.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    first.append(&record(1)).unwrap();
    log.durable(2).unwrap();
    let ready = durable.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(ready, Poll::Ready(Ok(()))));
}

#[test]
fn a_full_log_refuses_and_goes_on() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    let places: Vec<_> = (0..31).map(|_| log.reserve(2 * 1024 * 1024).unwrap()).collect();
    assert!(matches!(log.reserve(2 * 1024 * 1024 + 1), Err(AppendFailed::TooLarge { .. })));
    let last = log.reserve(2 * 1024 * 1024).unwrap();
    assert!(matches!(log.reserve(1), Err(AppendFailed::Full)));
    drop(places);
    drop(last);
    let appended = keep(&log, &subjects, 1).unwrap();
    assert_eq!(appended.sequence, 33);
    let places: Vec<_> = (0..8_192).map(|_| log.reserve(0).unwrap()).collect();
    assert!(matches!(log.reserve(0), Err(AppendFailed::Full)));
    drop(places);
    log.durable(33 + 8_192).unwrap();
    keep(&log, &subjects, 2).unwrap();
}

#[test]
fn unconfirmed_segments_hold_new_ones_back() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    let mut kept = Kept::new();
    for number in 0..16 {
        kept.insert(number, keep(&log, &subjects, number).unwrap().digest);
        log.seal(NOW, Seal::Now).unwrap().unwrap();
    }
    let error = log.seal(NOW, Seal::Now).unwrap_err();
    assert_eq!(error.to_string(), "16 segments wait to be confirmed");
    log.confirm(&log.unconfirmed()[0].root).unwrap();
    assert!(log.seal(NOW, Seal::Now).unwrap().is_some());
    expect_all(&world.records(&disk), &kept);
}

/// Whoever waits for a record would wait for the ledger, for who knows how long: no place is given out.
#[test]
fn a_log_that_is_full_and_cannot_be_closed_refuses() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    for number in 0..16 {
        keep(&log, &subjects, number).unwrap();
        log.seal(NOW, Seal::Now).unwrap().unwrap();
    }
    let full = 16 + 65_536;
    while log.last_given() < full {
        if log.reserve(0).is_err() {
            thread::yield_now();
        }
    }
    log.durable(full).unwrap();
    let refused = (0..1_000).find_map(|_| {
        thread::sleep(Duration::from_millis(1));
        log.reserve(0).err()
    });
    assert!(matches!(refused, Some(AppendFailed::Full)), "{refused:?}");
    log.confirm(&log.unconfirmed()[0].root).unwrap();
    let next = (0..10_000).find_map(|_| {
        thread::sleep(Duration::from_millis(1));
        keep(&log, &subjects, 17)
    });
    assert!(next.is_some());
}

#[test]
fn a_log_is_closed_when_it_is_full_of_records() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    thread::scope(|scope| {
        for part in 0..4 {
            let (log, subjects) = (&log, &subjects);
            scope.spawn(move || {
                for number in (0..20_000).map(|number| number * 4 + part) {
                    while let Err(error) = append(log, subjects, number) {
                        assert!(matches!(error, AppendFailed::Full));
                        thread::yield_now();
                    }
                }
            });
        }
    });
    log.durable(80_000).unwrap();
    let sealed = log.seal(NOW, Seal::WhenDue).unwrap().unwrap();
    assert_eq!((sealed.first, sealed.last, sealed.count), (1, 65_536, 65_536));
    assert_eq!(log.seal(NOW, Seal::WhenDue).unwrap(), None);
    let rest = log.seal(NOW, Seal::Now).unwrap().unwrap();
    assert_eq!((rest.first, rest.last, rest.previous_root), (65_537, 80_000, Some(sealed.root)));
    let records = world.records(&disk);
    let checked = Checked { root: sealed.root, count: 65_536, gone: Vec::new() };
    assert_eq!(records.check(sealed.number).unwrap(), checked);
    assert_eq!(records.at(1, 65_536).unwrap(), Some(Position { segment: 1, index: 65_535 }));
    assert_eq!(records.at(1, 65_537).unwrap(), Some(Position { segment: 2, index: 0 }));
}

#[test]
fn a_log_is_made_once_and_written_by_one() {
    let world = World::new();
    let disk = world.disk();
    assert!(matches!(Log::create_on(&disk, "records", GATEWAY), Err(LogCreate::Exists)));
    let open = |disk: &SimDisk, path, gateway| {
        let subjects = world.subjects(disk).unwrap();
        Log::open_on(disk, path, subjects, gateway, Box::new(bartizan_keys::OsRandom), NOW)
    };
    assert!(matches!(open(&disk, "elsewhere", GATEWAY), Err(LogOpen::Missing)));
    let other = GatewayId::from_bytes([8; 16]);
    assert!(matches!(open(&disk, "records", other), Err(LogOpen::OtherGateway)));
    let log = open(&disk, "records", GATEWAY).unwrap();
    assert!(matches!(open(&disk, "records", GATEWAY), Err(LogOpen::Taken)));
    drop(log);
    assert_eq!(open(&disk, "records", GATEWAY).unwrap().epoch(), 2);
}

/// A clock that was set back does not put sealing off.
#[test]
fn a_log_that_seems_to_begin_in_the_future_is_due() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    keep(&log, &subjects, 1).unwrap();
    assert_eq!(log.seal(NOW.plus_millis(59_999), Seal::WhenDue).unwrap(), None);
    let sealed = log.seal(NOW.plus_millis(-3_600_000), Seal::WhenDue).unwrap().unwrap();
    assert_eq!(sealed.count, 1);
    assert_eq!(log.seal(NOW.plus_millis(-3_600_000), Seal::WhenDue).unwrap(), None);
}

/// An epoch file that was put back from a copy is noticed.
#[test]
fn an_epoch_is_never_used_twice() {
    let home = tempfile::tempdir().unwrap();
    super::support::make(home.path());
    let copy = std::fs::read(home.path().join("records/epoch")).unwrap();
    let (log, subjects) = super::support::open_in(home.path());
    keep(&log, &subjects, 1).unwrap();
    drop(log);
    std::fs::write(home.path().join("records/epoch"), &copy).unwrap();
    let open = || {
        let (path, subjects) = (home.path().join("records"), super::support::subjects_in(home.path()));
        Log::open(&path, subjects, GATEWAY, Box::new(bartizan_keys::OsRandom), NOW)
    };
    let error = open().unwrap_err();
    assert_eq!(error.to_string(), "epoch 1 was used already by `log/0000000000000001`");
}

/// A failed flush stops the writer for good; what was acknowledged is found when the log is opened again.
/// Its sequence numbers may be higher than those of a log that is written now: written over it, they would look like
/// later ones.
#[test]
fn a_log_of_an_earlier_epoch_is_not_written_over() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    for number in 0..40 {
        keep(&log, &subjects, number).unwrap();
    }
    drop(log);
    let (log, subjects) = world.open(&disk);
    let sealed = log.seal(NOW, Seal::WhenDue).unwrap().unwrap();
    assert_eq!((sealed.epoch, sealed.count), (1, 40));
    log.confirm(&sealed.root).unwrap();
    keep(&log, &subjects, 40).unwrap();
    assert_eq!(drain(&log).len(), 1);
    drop(log);
    let (log, _) = world.open(&disk);
    drain(&log);
    let kept = world.records(&disk).segments(None, 10).unwrap();
    assert_eq!(kept.iter().map(|segment| segment.count).sum::<u64>(), 41);
}

#[test]
fn an_error_of_the_disk_stops_the_writer() {
    let world = World::new();
    for fault in [SimFault::Io, SimFault::Full] {
        for call in 1..=2 {
            let disk = world.disk();
            let (log, subjects) = world.open(&disk);
            let first = keep(&log, &subjects, 1).unwrap();
            disk.fail_at(disk.calls() + call, fault);
            let second = append(&log, &subjects, 5).unwrap();
            assert!(matches!(log.durable(second.sequence), Err(AppendFailed::Stopped(_))));
            assert!(matches!(append(&log, &subjects, 9), Err(AppendFailed::Stopped(_))));
            assert!(log.seal(NOW, Seal::Now).is_err());
            assert_eq!(log.stopped().unwrap().file, "log/0000000000000001");
            drop(log);
            let disk = disk.after_crash(0);
            let (log, _) = world.open(&disk);
            let drained = drain(&log);
            assert_eq!((drained[0].epoch, drained[0].count), (1, 1));
            expect_all(&world.records(&disk), &Kept::from([(1, first.digest)]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the groups hold, they come back as they were, from the log and from the segment.
    #[test]
    fn any_groups_come_back(
        records in proptest::collection::vec(
            (proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 5), 0..4_u64),
            1..40,
        ),
        crash in any::<bool>(),
    ) {
        let world = World::new();
        let mut disk = world.disk();
        let (mut log, subjects) = world.open(&disk);
        for (number, (groups, about)) in (0..).zip(&records) {
            let record = NewRecord {
                id: id(number),
                time: NOW,
                subject: subject(&subjects, *about),
                request: None,
                groups: [&groups[0], &groups[1], &groups[2], &groups[3], &groups[4]],
            };
            log.append(&record).unwrap();
        }
        let count = u64::try_from(records.len()).unwrap();
        log.durable(count).unwrap();
        if crash {
            drop(log);
            disk = disk.after_crash(0);
            log = world.open(&disk).0;
        }
        let root: Digest = drain(&log)[0].root;
        let reader = world.records(&disk);
        for (index, (groups, _)) in (0..).zip(&records) {
            let position = Position { segment: 1, index };
            let proof = reader.prove(position, &Group::ALL).unwrap();
            let revealed = proof.verify(&root, count).unwrap();
            for group in Group::ALL {
                prop_assert_eq!(revealed.group(group).unwrap(), &groups[group.index()]);
            }
        }
    }
}

#[test]
fn a_record_goes_from_thread_to_thread() {
    fn sendable<T: Send + Sync>(_: &T) {}
    let world = World::new();
    let disk = world.disk();
    let (log, _) = world.open(&disk);
    sendable(&Arc::new(log));
    assert_eq!(groups(1).len(), 5);
}
