//! Damaged and hostile files: named by file and offset, and never a panic.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bartizan_base::Timestamp;
use bartizan_keys::OsRandom;
use bartizan_store::records::{
    CheckedLogs, Log, LogOpen, MissingRecords, Position, ReadFailed, Records, Seal,
};
use proptest::prelude::*;
use tempfile::TempDir;

use super::support::{GATEWAY, Kept, NOW, drain, expect_all, keep, make, open_in, subject, subjects_in};

fn log_file(home: &Path, number: u64) -> PathBuf {
    home.join(format!("records/log/{number:016x}"))
}

fn segment_file(home: &Path) -> PathBuf {
    home.join("records/seg/00000000/0000000000000001")
}

fn reopen(home: &Path) -> Result<Log, LogOpen> {
    Log::open(&home.join("records"), subjects_in(home), GATEWAY, Box::new(OsRandom), NOW)
}

/// A log of ten batches of one record each.
fn ten() -> (TempDir, Kept) {
    let home = tempfile::tempdir().unwrap();
    make(home.path());
    let (log, subjects) = open_in(home.path());
    let kept = (0..10).map(|number| (number, keep(&log, &subjects, number).unwrap().digest)).collect();
    drop(log);
    (home, kept)
}

#[test]
fn a_torn_end_is_cut_and_damage_before_it_is_refused() {
    let (home, mut kept) = ten();
    let file = log_file(home.path(), 1);
    let whole = fs::read(&file).unwrap();
    let batches: Vec<usize> = (0..whole.len()).filter(|at| whole[*at..].starts_with(b"BZLB")).collect();
    assert_eq!(batches.len(), 10);

    for at in [124, 150, batches[3] + 5, batches[8], batches[9] - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&file, &damaged).unwrap();
        let error = reopen(home.path()).unwrap_err();
        let LogOpen::Damaged { file, offset, .. } = error else { panic!("{error:?}") };
        let batch = batches.iter().rev().find(|batch| **batch <= at).unwrap();
        assert_eq!((file.as_str(), offset), ("log/0000000000000001", u64::try_from(*batch).unwrap()));
    }
    for at in [0, 20, 70, 123] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&file, &damaged).unwrap();
        assert!(matches!(reopen(home.path()), Err(LogOpen::Damaged { .. })), "byte {at} of the header");
    }
    // Cut anywhere in the last batch, all before it is there.
    fs::write(&file, &whole[..whole.len() - 7]).unwrap();
    kept.remove(&9);
    let log = reopen(home.path()).unwrap();
    let drained = drain(&log);
    assert_eq!((drained[0].epoch, drained[0].count), (1, 9));
    expect_all(&Records::open(&home.path().join("records"), subjects_in(home.path())).unwrap(), &kept);
}

/// A log that is written over an earlier one ends where its own batches end, and is damaged where they are.
#[test]
fn what_an_earlier_log_left_in_the_file_is_neither_read_nor_damage() {
    let home = tempfile::tempdir().unwrap();
    make(home.path());
    let (log, subjects) = open_in(home.path());
    let mut kept: Kept =
        (0..10).map(|number| (number, keep(&log, &subjects, number).unwrap().digest)).collect();
    drain(&log);
    log.seal(NOW, Seal::Now).unwrap().unwrap();
    kept.extend((10..14).map(|number| (number, keep(&log, &subjects, number).unwrap().digest)));
    drop(log);
    let file = log_file(home.path(), 3);
    let whole = fs::read(&file).unwrap();
    let batches: Vec<usize> = (0..whole.len()).filter(|at| whole[*at..].starts_with(b"BZLB")).collect();
    assert!(batches.len() > 8, "4 of its own and those behind them: {batches:?}");
    let length = u64::try_from(whole.len()).unwrap();
    assert_eq!(whole[56..64], length.to_be_bytes(), "the header says how long the file was");

    for at in [batches[0] + 9, batches[2] + 30] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&file, &damaged).unwrap();
        let error = reopen(home.path()).unwrap_err();
        let batch = batches.iter().rev().find(|batch| **batch <= at).unwrap();
        assert!(matches!(error, LogOpen::Damaged { offset, .. } if offset == u64::try_from(*batch).unwrap()));
    }
    // More than a batch behind what there was before: nobody wrote that.
    let mut longer = whole.clone();
    longer.resize(whole.len() + 9 * 1024 * 1024, 0);
    fs::write(&file, &longer).unwrap();
    assert!(matches!(reopen(home.path()), Err(LogOpen::Damaged { .. })));

    let mut torn = whole.clone();
    torn[batches[3] + 40] ^= 1;
    fs::write(&file, &torn).unwrap();
    kept.remove(&13);
    let log = reopen(home.path()).unwrap();
    let counts: Vec<u64> = drain(&log).iter().map(|sealed| sealed.count).collect();
    assert_eq!(counts, [0, 3, 0], "segments 2 and 3 of the first epoch, and the next");
    expect_all(&Records::open(&home.path().join("records"), subjects_in(home.path())).unwrap(), &kept);
}

#[test]
fn logs_are_checked_while_nobody_or_somebody_writes_them() {
    let check = |home: &Path| {
        let records = Records::open(&home.join("records"), subjects_in(home)).unwrap();
        records.check_logs().unwrap()
    };
    let home = tempfile::tempdir().unwrap();
    make(home.path());
    let checked = check(home.path());
    assert_eq!((checked.epoch, checked.logs.len(), checked.missing.len()), (0, 0, 0));
    let (log, subjects) = open_in(home.path());
    for number in 0..5 {
        keep(&log, &subjects, number).unwrap();
    }
    let counts = |checked: &CheckedLogs| -> Vec<(u64, u64)> {
        assert!(checked.missing.is_empty(), "{checked:?}");
        assert!(checked.logs.iter().all(|log| log.damage.is_none() && log.gone.is_empty()), "{checked:?}");
        checked.logs.iter().map(|log| (log.number, log.records)).collect()
    };
    assert_eq!(counts(&check(home.path())), [(1, 5)]);
    drain(&log);
    assert_eq!(counts(&check(home.path())), [(2, 0)]);
    for number in 5..10 {
        keep(&log, &subjects, number).unwrap();
    }
    assert_eq!(counts(&check(home.path())), [(2, 5)]);
    drop(log);
    assert_eq!(counts(&check(home.path())), [(2, 5)]);

    let (file, key) = (log_file(home.path(), 2), log_file(home.path(), 2).with_extension("key"));
    let (whole, held) = (fs::read(&file).unwrap(), fs::read(&key).unwrap());
    let second = (0..whole.len()).filter(|at| whole[*at..].starts_with(b"BZLB")).nth(1).unwrap();
    for at in [20, 70, second + 5, second + 40] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&file, damaged).unwrap();
        let checked = check(home.path());
        let offset = if at < 124 { 0 } else { u64::try_from(second).unwrap() };
        let [log] = &checked.logs[..] else { panic!("{checked:?}") };
        assert!(
            matches!(log.damage, Some(ReadFailed::Damaged { offset: told, .. }) if told == offset),
            "{at}: {log:?}"
        );
    }
    fs::write(&file, &whole[..whole.len() - 7]).unwrap();
    assert!(check(home.path()).logs[0].damage.is_none(), "what a crash leaves is no damage");

    fs::write(&file, &whole).unwrap();
    fs::write(&key, [0; 7]).unwrap();
    assert!(check(home.path()).logs[0].damage.is_some());
    // The keys of all three people were settled with the first segment.
    fs::remove_file(&key).unwrap();
    assert_eq!(counts(&check(home.path())), [(2, 5)]);
    for shard in fs::read_dir(home.path().join("keys/subjects")).unwrap() {
        fs::remove_file(shard.unwrap().path()).unwrap();
    }
    assert_eq!(check(home.path()).logs[0].gone.len(), 3);

    fs::write(&key, held).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(check(home.path()).missing, [MissingRecords { epoch: 1, after: 6, before: None }]);
}

#[test]
fn a_log_that_is_gone_from_between_others_is_missed() {
    let home = tempfile::tempdir().unwrap();
    make(home.path());
    let (log, subjects) = open_in(home.path());
    for number in 0..6 {
        keep(&log, &subjects, number).unwrap();
        if number % 2 == 1 {
            log.seal(NOW, Seal::Now).unwrap().unwrap();
        }
    }
    drop(log);
    let check = || {
        let records = Records::open(&home.path().join("records"), subjects_in(home.path())).unwrap();
        records.check_logs().unwrap().missing
    };
    assert!(check().is_empty());
    // As if it had never been sealed.
    fs::remove_dir_all(home.path().join("records/manifest")).unwrap();
    fs::create_dir(home.path().join("records/manifest")).unwrap();
    assert!(check().is_empty());
    fs::remove_file(log_file(home.path(), 2)).unwrap();
    assert_eq!(check(), [MissingRecords { epoch: 1, after: 3, before: Some(5) }]);
}

#[test]
fn a_header_that_was_never_finished_is_removed() {
    let home = tempfile::tempdir().unwrap();
    make(home.path());
    for bytes in [Vec::new(), vec![0; 50], vec![0; 124]] {
        fs::write(log_file(home.path(), 77), bytes).unwrap();
        drop(reopen(home.path()).unwrap());
        assert!(!log_file(home.path(), 77).exists());
    }
    fs::write(log_file(home.path(), 77), [0; 125]).unwrap();
    assert!(matches!(reopen(home.path()), Err(LogOpen::Damaged { .. })));
}

/// A segment of 300 records in two blocks.
fn segment() -> (TempDir, Vec<u8>) {
    let home = tempfile::tempdir().unwrap();
    make(home.path());
    let (log, subjects) = open_in(home.path());
    for number in 0..300 {
        super::support::append(&log, &subjects, number).unwrap();
    }
    log.durable(300).unwrap();
    log.seal(NOW, Seal::Now).unwrap().unwrap();
    let bytes = fs::read(segment_file(home.path())).unwrap();
    (home, bytes)
}

/// Everything a reader can do with segment 1.
fn read_all(home: &Path) -> Result<(), ReadFailed> {
    let subjects = subjects_in(home);
    let records = Records::open(&home.join("records"), subjects.clone())?;
    records.check(1)?;
    for number in [0, 150, 299] {
        let position = records.by_id(super::support::id(number), None)?.positions;
        let missing = ReadFailed::NotFound { segment: 1, index: 0 };
        records.read(*position.first().ok_or(missing)?)?;
    }
    records.by_subject(subject(&subjects, 1).unwrap(), None, 1_000)?;
    records.by_request(subjects.request_tag(b"request 7"), None, 1_000)?;
    records.scan(NOW..NOW.plus_millis(1_000_000), None, |_| ControlFlow::Continue(()))?;
    Ok(())
}

#[test]
fn every_part_of_a_segment_is_checked() {
    let (home, whole) = segment();
    read_all(home.path()).unwrap();
    // Every byte is covered by something: a sample of them, and all of the header and the trailer.
    let places = (0..232).chain((232..whole.len()).step_by(97)).chain(whole.len() - 24..whole.len());
    for at in places {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(segment_file(home.path()), &damaged).unwrap();
        // A check alone finds it, whatever else is read.
        let records = Records::open(&home.path().join("records"), subjects_in(home.path()));
        assert!(records.and_then(|records| records.check(1)).is_err(), "byte {at} of {}", whole.len());
        let error = read_all(home.path()).expect_err(&format!("byte {at} of {}", whole.len()));
        let text = error.to_string();
        assert!(text.starts_with("`seg/00000000/0000000000000001` is damaged at byte "), "{at}: {text}");
    }
}

#[test]
fn a_damaged_segment_takes_nothing_from_the_others() {
    let home = tempfile::tempdir().unwrap();
    make(home.path());
    let (log, subjects) = open_in(home.path());
    for number in 0..3 {
        keep(&log, &subjects, number).unwrap();
        drain(&log);
    }
    drop(log);
    let records = Records::open(&home.path().join("records"), subjects).unwrap();
    let at = |number| records.by_id(super::support::id(number), None).unwrap();
    let segments = [0, 1, 2].map(|number| at(number).positions[0].segment);
    let file = home.path().join(format!("records/seg/00000000/{:016x}", segments[1]));
    let whole = fs::read(&file).unwrap();
    let scan = || {
        let mut seen = Vec::new();
        let scanned = records.scan(Timestamp::EPOCH..NOW.plus_millis(10_000), None, |record| {
            seen.push(record.position.segment);
            ControlFlow::Continue(())
        });
        (seen, scanned.unwrap().unread)
    };
    let cuts: [&dyn Fn(); 2] =
        [&|| fs::write(&file, &whole[..whole.len() / 2]).unwrap(), &|| fs::remove_file(&file).unwrap()];
    for cut in cuts {
        cut();
        assert_eq!((at(0).positions.len(), at(0).unread), (1, vec![segments[1]]));
        assert_eq!((at(1).positions.len(), at(1).unread), (0, vec![segments[1]]));
        assert_eq!((at(2).positions.len(), at(2).unread), (1, vec![]), "it is newer");
        assert_eq!(scan(), (vec![segments[2], segments[0]], vec![segments[1]]));
    }
    fs::write(&file, &whole).unwrap();
    assert_eq!(scan(), (segments.iter().rev().copied().collect(), vec![]));
}

#[test]
fn a_foreign_segment_is_refused() {
    let (home, _) = segment();
    let (other, bytes) = segment();
    fs::write(segment_file(home.path()), &bytes).unwrap();
    let error = read_all(home.path()).unwrap_err();
    assert!(error.to_string().contains("the segment's key is not authentic"), "{error}");
    drop(other);
    fs::write(home.path().join("records/manifest/00000000"), b"no list").unwrap();
    let error = read_all_ids(home.path()).unwrap_err();
    assert!(matches!(error, ReadFailed::Damaged { file, .. } if file == "manifest/00000000"));
}

/// Whoever writes a list of segments with the digest that it must have cannot make a writer run out of numbers.
#[test]
fn a_list_that_leaves_no_number_is_damaged() {
    let (home, _) = segment();
    let at = home.path().join("records/manifest");
    let list = fs::read(at.join("00000000")).unwrap();
    let (content, _) = list.split_last_chunk::<32>().unwrap();
    let mut content = content.to_vec();
    let number = "bartizan-segment-list-1\n".len();
    content[number..number + 8].copy_from_slice(&u64::MAX.to_be_bytes());
    let digest = bartizan_base::sha256(&content);
    content.extend_from_slice(digest.as_bytes());
    let page = format!("{:08x}", u64::MAX / bartizan_store::limits::MANIFEST_SEGMENTS);
    fs::write(at.join(&page), content).unwrap();
    let error = reopen(home.path()).unwrap_err();
    let LogOpen::Damaged { file, .. } = error else { panic!("{error:?}") };
    assert_eq!(file, format!("manifest/{page}"));
    assert!(matches!(read_all_ids(home.path()), Err(ReadFailed::Damaged { .. })));
}

fn read_all_ids(home: &Path) -> Result<(), ReadFailed> {
    let records = Records::open(&home.join("records"), subjects_in(home))?;
    records.by_id(super::support::id(1), None).map(drop)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// No bytes make a reader or a writer panic, and none are taken for whole.
    #[test]
    fn hostile_bytes_never_panic(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        use std::sync::OnceLock;
        static SEGMENT: OnceLock<(TempDir, Vec<u8>)> = OnceLock::new();
        static TEN: OnceLock<(TempDir, Vec<u8>)> = OnceLock::new();
        let (home, whole) = SEGMENT.get_or_init(segment);
        let mut bytes = whole.clone();
        cuts.iter().for_each(|(at, byte)| *at.get_mut(&mut bytes) = *byte);
        if cut {
            bytes.truncate(end.index(whole.len()));
        }
        fs::write(segment_file(home.path()), &bytes).unwrap();
        prop_assert_eq!(read_all(home.path()).is_ok(), bytes == *whole);
        let records = Records::open(&home.path().join("records"), subjects_in(home.path())).unwrap();
        drop(records.read(Position { segment: 1, index: 299 }));

        let (home, whole) = TEN.get_or_init(|| {
            let (home, _) = ten();
            let bytes = fs::read(log_file(home.path(), 1)).unwrap();
            (home, bytes)
        });
        let mut bytes = whole.clone();
        cuts.iter().for_each(|(at, byte)| *at.get_mut(&mut bytes) = *byte);
        if cut {
            bytes.truncate(end.index(whole.len()));
        }
        fs::write(log_file(home.path(), 1), &bytes).unwrap();
        drop(reopen(home.path()));
    }
}
