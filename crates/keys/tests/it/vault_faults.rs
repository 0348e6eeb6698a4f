//! Sealing and erasing while the storage fails at the n-th call: content reads back right or not at all.

use std::io::{self, ErrorKind, Read};

use bartizan_base::{BlobName, sha256};
use bartizan_keys::{Keys, SealFailed, UnsealFailed};
use bartizan_store::{FailingBlobs, Faults, MemBlobs, Moment};

use crate::support::{NOW, World, pattern, rng};

const MOMENTS: [Moment; 2] = [Moment::Before, Moment::After];

struct Failing {
    keys: Keys,
    blobs: FailingBlobs<MemBlobs>,
    faults: Faults,
}

// The world's keys once more, with both storages failing at one and the same count of calls.
fn failing(world: &World, call: u64, moment: Moment) -> Failing {
    let faults = Faults::new();
    let keys = world.open_through(FailingBlobs::new(world.key_blobs.clone(), faults.clone()));
    let blobs = FailingBlobs::new(world.blobs.clone(), faults.clone());
    faults.fail_at(faults.calls() + call, moment, ErrorKind::Other);
    Failing { keys, blobs, faults }
}

// Runs `attempt` with a failure at the first, second, ... call until it has no more calls that could fail.
// `attempt` says whether it succeeded; with the failure behind its last call it must.
fn for_each_failure(prepare: impl Fn() -> World, attempt: impl Fn(&World, &Failing) -> bool) {
    for moment in MOMENTS {
        let mut failures = 0;
        for call in 1.. {
            let world = prepare();
            let failing = failing(&world, call, moment);
            let start = failing.faults.calls();
            let succeeded = attempt(&world, &failing);
            if failing.faults.calls() - start < call {
                assert!(succeeded);
                break;
            }
            // A call that finds nothing says so, and has no other answer to lose.
            assert!(!succeeded || moment == Moment::After, "call {call} failed and nobody was told");
            failures += 1;
        }
        assert!(failures >= 1, "{moment:?}: something must have failed");
    }
}

// The content whole, or `None` for one of the `allowed` refusals.
fn read(world: &World, blob: &BlobName, allowed: fn(&UnsealFailed) -> bool) -> Option<Vec<u8>> {
    match world.keys.unseal(&world.blobs, blob) {
        Ok(mut unsealed) => {
            let mut content = Vec::new();
            unsealed.read_to_end(&mut content).unwrap();
            Some(content)
        }
        Err(error) => {
            assert!(allowed(&error), "{error}");
            None
        }
    }
}

#[test]
fn sealing_new_content() {
    let content = pattern(2 << 20);
    for_each_failure(
        || World::new(1),
        |world, failing| {
            let sealed = failing.keys.seal(&failing.blobs, &mut &*content, &mut rng(5), NOW);
            let blob = world.keys.blob_name(&sha256(&content));
            let found = read(world, &blob, |error| {
                matches!(error, UnsealFailed::NotFound { .. } | UnsealFailed::Erased { .. })
            });
            assert!(found.is_none_or(|found| found == content));
            if sealed.is_ok() {
                assert_eq!(world.content(&blob), content);
            }
            // Trying again is safe, whatever happened.
            world.keys.seal(&world.blobs, &mut &*content, &mut rng(6), NOW).unwrap();
            assert_eq!(world.content(&blob), content);
            sealed.is_ok()
        },
    );
}

#[test]
fn sealing_content_that_is_there() {
    let content = pattern(5000);
    let prepare = || {
        let world = World::new(1);
        world.keys.seal(&world.blobs, &mut &content[..], &mut rng(3), NOW).unwrap();
        world
    };
    for_each_failure(prepare, |world, failing| {
        let blob = world.keys.blob_name(&sha256(&content));
        let before = world.keys.unseal(&world.blobs, &blob).unwrap().commitment();
        let sealed = failing.keys.seal(&failing.blobs, &mut &content[..], &mut rng(5), NOW);
        assert_eq!(world.content(&blob), content);
        assert_eq!(world.keys.unseal(&world.blobs, &blob).unwrap().commitment(), before);
        sealed.is_ok()
    });
}

#[test]
fn healing_content_whose_ciphertext_is_lost() {
    let content = pattern(5000);
    let prepare = || {
        let world = World::new(1);
        let sealed = world.keys.seal(&world.blobs, &mut &content[..], &mut rng(3), NOW).unwrap();
        bartizan_base::Blobs::delete(&world.blobs, &sealed.blob).unwrap();
        world
    };
    let expected = {
        let world = World::new(1);
        world.keys.seal(&world.blobs, &mut &content[..], &mut rng(3), NOW).unwrap().commitment
    };
    for_each_failure(prepare, |world, failing| {
        let blob = world.keys.blob_name(&sha256(&content));
        let sealed = failing.keys.seal(&failing.blobs, &mut &content[..], &mut rng(5), NOW);
        let found = read(world, &blob, |error| {
            matches!(error, UnsealFailed::Missing { .. } | UnsealFailed::Changed { .. })
        });
        assert!(found.is_none_or(|found| found == content));
        let healed = world.keys.seal(&world.blobs, &mut &content[..], &mut rng(6), NOW).unwrap();
        assert_eq!(healed.commitment, expected);
        assert_eq!(world.content(&blob), content);
        sealed.is_ok()
    });
}

#[test]
fn erasing() {
    let content = pattern(5000);
    let prepare = || {
        let world = World::new(1);
        world.keys.seal(&world.blobs, &mut &content[..], &mut rng(3), NOW).unwrap();
        world
    };
    for_each_failure(prepare, |world, failing| {
        let blob = world.keys.blob_name(&sha256(&content));
        let erased = failing.keys.erase(&blob);
        let found = read(world, &blob, |error| matches!(error, UnsealFailed::Erased { .. }));
        if erased.is_ok() {
            assert_eq!(found, None);
        }
        world.keys.erase(&blob).unwrap();
        assert_eq!(read(world, &blob, |error| matches!(error, UnsealFailed::Erased { .. })), None);
        erased.is_ok()
    });
}

// A failing storage must not be mistaken for an erased or a missing blob.
#[test]
fn unsealing_tells_failure_from_absence() {
    let content = pattern(5000);
    let prepare = || {
        let world = World::new(1);
        world.keys.seal(&world.blobs, &mut &content[..], &mut rng(3), NOW).unwrap();
        world
    };
    for_each_failure(prepare, |world, failing| {
        let blob = world.keys.blob_name(&sha256(&content));
        match failing.keys.unseal(&failing.blobs, &blob) {
            Ok(_) => true,
            Err(error) => {
                assert!(matches!(error, UnsealFailed::Storage(_)), "{error}");
                false
            }
        }
    });
}

#[test]
fn a_source_that_breaks_leaves_nothing() {
    struct Breaks(usize);
    impl Read for Breaks {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(ErrorKind::ConnectionReset.into());
            }
            let count = buf.len().min(self.0);
            buf[..count].fill(1);
            self.0 -= count;
            Ok(count)
        }
    }
    let world = World::new(1);
    for len in [0, 10, 2 << 20] {
        let sealed = world.keys.seal(&world.blobs, &mut Breaks(len), &mut rng(5), NOW);
        assert!(matches!(sealed, Err(SealFailed::Read(error)) if error.kind() == ErrorKind::ConnectionReset));
        assert_eq!((world.blobs.count(), world.key_blobs.count()), (0, 1));
    }
}
