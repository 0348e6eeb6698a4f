//! Power cuts and kills at every call: what was acknowledged is there, everything else is old or new.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use bartizan_base::{Blobs, Cas, CasError};
use bartizan_store::{DirBlobs, DirCas, SimDisk};

use crate::{get, name, put, texts};

const SEEDS: u64 = 12;

/// What each name may show: one value when the last write was acknowledged, more after a failed one.
#[derive(Default, Clone)]
struct Allowed(BTreeMap<&'static str, BTreeSet<Option<Vec<u8>>>>);

impl Allowed {
    fn record(&mut self, name: &'static str, value: Option<&[u8]>, acknowledged: bool) {
        let values = self.0.entry(name).or_insert_with(|| BTreeSet::from([None]));
        if acknowledged {
            values.clear();
        }
        values.insert(value.map(<[u8]>::to_vec));
    }

    fn check(&self, when: &str, mut look: impl FnMut(&'static str) -> Option<Vec<u8>>) {
        for (name, values) in &self.0 {
            let seen = look(name);
            assert!(values.contains(&seen), "{when}: `{name}` shows {seen:?}, allowed are {values:?}");
        }
    }
}

const LONG: &[u8] = &[0xaa; 300];
const LONGER: &[u8] = &[0xbb; 700];

/// Writes until the disk fails; says what may be found afterwards.
fn write_blobs(blobs: &DirBlobs, allowed: &mut Allowed) -> Result<(), ()> {
    let mut batch = |blobs: &DirBlobs, items: &[(&'static str, &[u8])]| {
        let names: Vec<_> = items.iter().map(|(text, _)| name(text)).collect();
        let pairs: Vec<_> = names.iter().zip(items).map(|(name, (_, bytes))| (name, *bytes)).collect();
        let result = blobs.put(&pairs);
        items.iter().for_each(|(name, bytes)| allowed.record(name, Some(bytes), result.is_ok()));
        result.map_err(drop)
    };
    batch(blobs, &[("top", b"1"), ("a/b/c", LONG), ("a/b/d", b"2")])?;
    batch(blobs, &[("a/b/c", LONGER), ("a/e", b"3"), ("f/g", LONG)])?;
    let streamed = || {
        let mut writer = blobs.create().map_err(drop)?;
        writer.write_all(LONG).map_err(drop)?;
        writer.write_all(LONGER).map_err(drop)?;
        writer.commit(&name("h/streamed")).map_err(drop)
    };
    let result = streamed();
    allowed.record("h/streamed", Some(&[LONG, LONGER].concat()), result.is_ok());
    result?;
    let result = blobs.delete(&name("a/e"));
    allowed.record("a/e", None, result.is_ok());
    result.map_err(drop)?;
    let result = put(blobs, "top", LONGER);
    allowed.record("top", Some(LONGER), result.is_ok());
    result.map_err(drop)
}

fn check_blobs(when: &str, disk: &SimDisk, allowed: &Allowed) -> DirBlobs {
    let blobs = DirBlobs::on(disk, "data/blobs").unwrap();
    allowed.check(when, |text| get(&blobs, text).ok());
    let listed = blobs.list("", None, 100).unwrap();
    for text in texts(&listed) {
        assert!(allowed.0.contains_key(text), "{when}: `{text}` was never written");
        get(&blobs, text).unwrap();
    }
    let left_over: Vec<_> = disk.files().into_iter().filter(|file| file.contains(".tmp/")).collect();
    assert!(left_over.is_empty(), "{when}: {left_over:?}");
    blobs
}

#[test]
fn blobs_survive_a_cut_at_every_call() {
    let whole = SimDisk::new();
    let mut everything = Allowed::default();
    write_blobs(&DirBlobs::on(&whole, "data/blobs").unwrap(), &mut everything).unwrap();
    assert!(everything.0.values().all(|values| values.len() == 1));
    check_blobs("at the end", &whole.after_crash(0), &everything);

    for call in 1..=whole.calls() {
        let disk = SimDisk::new();
        disk.crash_at(call);
        let mut allowed = Allowed::default();
        if let Ok(blobs) = DirBlobs::on(&disk, "data/blobs") {
            write_blobs(&blobs, &mut allowed).unwrap_err();
        }
        assert!(disk.crashed());
        let mut found: Vec<_> =
            (0..SEEDS).map(|seed| (format!("cut {call} seed {seed}"), disk.after_crash(seed))).collect();
        found.push((format!("kill {call}"), disk.after_kill()));
        for (when, disk) in found {
            let blobs = check_blobs(&when, &disk, &allowed);
            // The next process writes everything again and loses power right after the last acknowledgement.
            let mut again = allowed.clone();
            write_blobs(&blobs, &mut again).unwrap();
            check_blobs(&format!("{when}, again"), &disk.after_crash(0), &again);
        }
    }
}

fn write_cas(cas: &DirCas, allowed: &mut Allowed) -> Result<(), ()> {
    for (key, value) in [("head", b"1".as_slice()), ("deep/key", LONG), ("head", LONGER), ("head", b"4")] {
        let old = cas.load(&name(key)).map_err(drop)?;
        // What was seen is what a later reader sees, or the new value.
        allowed.record(key, old.as_deref(), true);
        let result = cas.swap(&name(key), old.as_deref(), value);
        assert!(!matches!(result, Err(CasError::Conflict { .. })));
        allowed.record(key, Some(value), result.is_ok());
        result.map_err(drop)?;
    }
    Ok(())
}

#[test]
fn swaps_survive_a_cut_at_every_call() {
    let whole = SimDisk::new();
    write_cas(&DirCas::on(&whole, "data/ledger").unwrap(), &mut Allowed::default()).unwrap();
    for call in 1..=whole.calls() {
        let disk = SimDisk::new();
        disk.crash_at(call);
        let mut allowed = Allowed::default();
        if let Ok(cas) = DirCas::on(&disk, "data/ledger") {
            write_cas(&cas, &mut allowed).unwrap_err();
        }
        let mut found: Vec<_> = (0..SEEDS).map(|seed| disk.after_crash(seed)).collect();
        found.push(disk.after_kill());
        for disk in found {
            let cas = DirCas::on(&disk, "data/ledger").unwrap();
            // What the next process reads must still be there after it loses power, too.
            let mut read = Allowed::default();
            allowed.check(&format!("cut {call}"), |key| {
                let seen = cas.load(&name(key)).unwrap();
                read.record(key, seen.as_deref(), true);
                seen
            });
            let later = DirCas::on(&disk.after_crash(0), "data/ledger").unwrap();
            read.check(&format!("cut {call}, read, cut"), |key| later.load(&name(key)).unwrap());
            write_cas(&later, &mut read).unwrap();
        }
    }
}

/// The simulation itself: without a sync nothing is durable, so a store that forgot one would be caught.
#[test]
fn an_unsynced_name_is_lost() {
    let disk = SimDisk::new();
    let blobs = DirBlobs::on(&disk, "").unwrap();
    let mut writer = blobs.create().unwrap();
    writer.write_all(b"bytes").unwrap();
    // Let the last call, the sync of the directory, fail: the name can be seen, and is gone after the cut.
    disk.fail_at(disk.calls() + 3, bartizan_store::SimFault::Io);
    writer.commit(&name("x")).unwrap_err();
    assert_eq!(get(&blobs, "x").unwrap(), b"bytes");
    assert!(!disk.after_crash(0).files().contains(&"x".to_owned()));
    let survives = (1..20).filter(|seed| disk.after_crash(*seed).files().contains(&"x".to_owned())).count();
    assert!((1..19).contains(&survives), "{survives} of 19 seeds keep the name");
}
