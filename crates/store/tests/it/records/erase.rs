//! Erasing subjects: from segments, from logs, from memory, and across crashes.

use bartizan_ledger::segment::Group;
use bartizan_store::SimDisk;
use bartizan_store::records::{EraseFailed, Log, Personal, ProveFailed, Records, Seal, SealFailed};

use super::support::{GATEWAY, NOW, World, drain, expect, keep, subject};

fn personal(records: &Records, number: u64) -> Personal {
    let position = records.by_id(super::support::id(number), None).unwrap().positions[0];
    records.read(position).unwrap().personal
}

#[test]
fn an_erased_subject_cannot_be_read_and_still_proves() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    let digests: Vec<_> = (0..8).map(|number| keep(&log, &subjects, number).unwrap().digest).collect();
    let sealed = drain(&log);
    // Records 8 to 11 are in a log that is not sealed yet.
    let later: Vec<_> = (8..12).map(|number| keep(&log, &subjects, number).unwrap().digest).collect();
    let tag = subject(&subjects, 1).unwrap();
    assert_eq!(log.erase(&[tag]).unwrap(), 1);
    assert_eq!(log.erase(&[tag]).unwrap(), 0);
    keep(&log, &subjects, 13).unwrap();
    let rest = drain(&log);

    let records = world.records(&disk);
    for (number, digest) in (0..).zip(digests.iter().chain(&later)) {
        let record = expect(&records, number, *digest);
        assert_eq!(record.personal == Personal::Erased, number % 4 == 1, "record {number}");
    }
    assert_ne!(personal(&records, 13), Personal::Erased, "a later record has a new key");
    let position = records.by_subject(tag, None, 10).unwrap().positions.pop().unwrap();
    let proof = records.prove(position, &[Group::Envelope, Group::Decisions]).unwrap();
    assert_eq!(proof.verify(&sealed[0].root, 8).unwrap().digest(), digests[1]);
    let error = records.prove(position, &[Group::Input]).unwrap_err();
    assert!(matches!(error, ProveFailed::Erased { group: Group::Input }));
    assert!(rest.iter().any(|sealed| sealed.count == 4));

    // A check tells what is gone, and of whom; an index tells under which key each of her records was.
    let gone = |segment| records.check(segment).unwrap().gone;
    assert_eq!((gone(1), gone(2)), (vec![(1, tag), (5, tag)], vec![(1, tag)]));
    let about = |segment| records.about(segment, tag).unwrap();
    let (first, last) = (about(1), about(4));
    assert_eq!(first.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 5]);
    assert!(first[0].1 == first[1].1 && last.len() == 1 && last[0].1 != first[0].1, "{first:?} {last:?}");
    let nobody = subjects.tag(b"nobody");
    assert_eq!(records.about(1, nobody).unwrap(), []);
}

fn erase_all(world: &World, disk: &SimDisk) -> Option<()> {
    let subjects = world.subjects(disk)?;
    let random = Box::new(bartizan_keys::OsRandom);
    let log = Log::open_on(disk, "records", subjects.clone(), GATEWAY, random, NOW).ok()?;
    for number in 0..6 {
        keep(&log, &subjects, number)?;
    }
    log.seal(NOW, Seal::Now).ok()??;
    for number in 6..10 {
        keep(&log, &subjects, number)?;
    }
    log.erase(&[subject(&subjects, 1).unwrap()]).ok().map(drop)
}

/// Once an erasure was acknowledged no crash brings the key back; before, erasing again completes it. Nobody
/// else loses anything.
#[test]
fn an_erasure_survives_a_cut_at_any_call() {
    let world = World::new();
    let whole = world.disk();
    erase_all(&world, &whole).unwrap();
    let calls = whole.calls();
    for call in (1..=calls + 1).rev() {
        let disk = world.disk();
        disk.crash_at(call);
        let acknowledged = erase_all(&world, &disk).is_some();
        // The last one is killed, so that much of what the next process sees is not durable yet.
        let killed = [disk.after_kill()].into_iter();
        for (seed, disk) in (0..).zip((0..4).map(|seed| disk.after_crash(seed)).chain(killed)) {
            let (log, subjects) = world.open(&disk);
            if !acknowledged {
                log.erase(&[subject(&subjects, 1).unwrap()]).unwrap();
            }
            drain(&log);
            drop(log);
            let disk = disk.after_crash(0);
            let records = world.records(&disk);
            for number in 0..10 {
                let Some(position) = records.by_id(super::support::id(number), None).unwrap().positions.pop()
                else {
                    assert!(!acknowledged);
                    continue;
                };
                let record = records.read(position).unwrap();
                let erased = record.personal == Personal::Erased;
                assert_eq!(erased, number % 4 == 1, "cut {call} seed {seed} record {number}");
            }
        }
    }
}

/// An erasure that failed half-way leaves the old key in a log. A record that was acknowledged since is under a newer
/// key, which must not be given up for the old one.
#[test]
fn a_newer_key_outlives_a_crash_after_half_an_erasure() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    for _ in 0..16 {
        log.seal(NOW, Seal::Now).unwrap().unwrap();
    }
    let first = keep(&log, &subjects, 1).unwrap().digest;
    let error = log.erase(&[subject(&subjects, 1).unwrap()]).unwrap_err();
    assert!(matches!(error, EraseFailed::Seal(SealFailed::Behind)), "{error}");
    let second = keep(&log, &subjects, 5).unwrap().digest;
    drop(log);

    let disk = disk.after_crash(0);
    let (log, _) = world.open(&disk);
    for sealed in log.unconfirmed() {
        log.confirm(&sealed.root).unwrap();
    }
    drain(&log);
    let records = world.records(&disk);
    assert_eq!(expect(&records, 1, first).personal, Personal::Erased);
    assert_ne!(expect(&records, 5, second).personal, Personal::Erased);
}

/// After an erasure no file holds anything that the project's keys open to the subject's key: the pending key
/// of every log that was closed is gone.
#[test]
fn pending_keys_of_closed_logs_are_destroyed() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    keep(&log, &subjects, 1).unwrap();
    let key_files = |disk: &SimDisk| disk.files().into_iter().filter(|file| file.ends_with(".key")).count();
    assert_eq!(key_files(&disk), 1);
    log.seal(NOW, Seal::Now).unwrap();
    keep(&log, &subjects, 2).unwrap();
    assert_eq!(key_files(&disk), 2);
    log.erase(&[subject(&subjects, 1).unwrap()]).unwrap();
    assert_eq!(key_files(&disk), 1, "only that of the log which was begun then");
    assert!(disk.files().contains(&"records/log/0000000000000003.key".to_owned()));
}
