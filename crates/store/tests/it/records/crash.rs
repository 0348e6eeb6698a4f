//! Power cuts and kills at every call: nothing acknowledged is lost, and the log goes on.

use bartizan_store::SimDisk;
use bartizan_store::records::{Log, Seal};

use super::support::{GATEWAY, Kept, NOW, World, drain, expect_all, keep};

const SEEDS: u64 = 6;

/// Takes, seals and confirms until the disk fails, and notes what was acknowledged.
fn work(world: &World, disk: &SimDisk, kept: &mut Kept, numbers: u64) -> Option<()> {
    let subjects = world.subjects(disk)?;
    let random = Box::new(bartizan_keys::OsRandom);
    let log = Log::open_on(disk, "records", subjects.clone(), GATEWAY, random, NOW).ok()?;
    let mut take = |count: u64, from: u64| {
        (from..from + count).try_for_each(|number| {
            kept.insert(number, keep(&log, &subjects, number)?.digest);
            Some(())
        })
    };
    take(5, numbers)?;
    log.seal(NOW, Seal::Now).ok()??;
    take(3, numbers + 5)?;
    log.confirm(&log.unconfirmed().first()?.root).ok()?;
    take(1, numbers + 8)?;
    log.seal(NOW, Seal::Now).ok()??;
    take(1, numbers + 9)
}

#[test]
fn nothing_acknowledged_is_lost_by_a_cut_at_any_call() {
    let world = World::new();
    let whole = world.disk();
    let mut everything = Kept::new();
    work(&world, &whole, &mut everything, 0).unwrap();
    assert_eq!(everything.len(), 10);
    let calls = whole.calls();
    assert!(calls > 60, "{calls}");

    for call in 1..=calls {
        let disk = world.disk();
        disk.crash_at(call);
        let mut kept = Kept::new();
        let done = work(&world, &disk, &mut kept, 0);
        assert!(done.is_none() || !disk.crashed() || kept.len() == 10);
        let mut found: Vec<_> =
            (0..SEEDS).map(|seed| (format!("cut {call} seed {seed}"), disk.after_crash(seed))).collect();
        found.push((format!("kill {call}"), disk.after_kill()));
        for (when, disk) in found {
            check(&world, &disk, &kept, &when);
        }
    }
}

/// The next process, which is cut off in its turn while it recovers, and the one after it.
fn check(world: &World, disk: &SimDisk, kept: &Kept, when: &str) {
    let again = disk.after_kill();
    again.crash_at(u64::try_from(when.len()).unwrap() % 9 + 12);
    let mut more = kept.clone();
    // It may get far enough to acknowledge records of its own.
    let _acknowledged = work(world, &again, &mut more, 100);
    for (disk, kept) in [(disk.clone(), kept), (again.after_crash(0), &more)] {
        let (log, subjects) = world.open(&disk);
        let mut kept = kept.clone();
        kept.insert(1_000, keep(&log, &subjects, 1_000).unwrap().digest);
        let drained = drain(&log);
        let (first, last) = (drained.first().unwrap(), drained.last().unwrap());
        assert!(first.epoch <= last.epoch && last.count == 1, "{when}: {drained:?}");
        drop(log);
        let disk = disk.after_crash(0);
        expect_all(&world.records(&disk), &kept);
        let left: Vec<_> = disk.files().into_iter().filter(|file| file.contains("/log/0")).collect();
        assert_eq!(left.len(), 2, "{when}: {left:?}");
    }
}

/// A segment that is seen after a kill is made durable before its log may go.
#[test]
fn a_segment_outlives_its_log_whenever_the_power_goes() {
    let world = World::new();
    let begin = |disk: &SimDisk| {
        let (log, subjects) = world.open(disk);
        let kept: Kept =
            (0..4).map(|number| (number, keep(&log, &subjects, number).unwrap().digest)).collect();
        (log, kept)
    };
    let whole = world.disk();
    let (log, _) = begin(&whole);
    let before = whole.calls();
    log.seal(NOW, Seal::Now).unwrap();
    let mut reported = 0;
    for call in before + 1..=whole.calls() {
        let disk = world.disk();
        let (log, kept) = begin(&disk);
        disk.crash_at(call);
        drop(log.seal(NOW, Seal::Now));
        drop(log);
        let disk = disk.after_kill();
        let (log, _) = world.open(&disk);
        for sealed in log.unconfirmed() {
            reported += 1;
            log.confirm(&sealed.root).unwrap();
        }
        drop(log);
        let disk = disk.after_crash(0);
        let (log, _) = world.open(&disk);
        drain(&log);
        expect_all(&world.records(&disk), &kept);
    }
    assert!(reported > 0);
}

/// A log that was sealed and not confirmed is reported again, with the same root.
#[test]
fn an_unconfirmed_segment_is_reported_again() {
    let world = World::new();
    let disk = world.disk();
    let (log, subjects) = world.open(&disk);
    let digest = keep(&log, &subjects, 1).unwrap().digest;
    let sealed = log.seal(NOW, Seal::Now).unwrap().unwrap();
    drop(log);
    let disk = disk.after_crash(0);
    let (log, _) = world.open(&disk);
    assert_eq!(log.unconfirmed(), std::slice::from_ref(&sealed));
    let next = log.seal(NOW, Seal::Now).unwrap().unwrap();
    assert_eq!((next.epoch, next.previous_root), (2, Some(sealed.root)));
    log.confirm(&sealed.root).unwrap();
    log.confirm(&next.root).unwrap();
    expect_all(&world.records(&disk), &Kept::from([(1, digest)]));
}
