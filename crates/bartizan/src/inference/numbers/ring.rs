//! Rings of the last minutes and seconds. A place is cleared by the first request of a new minute or second.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use bartizan_base::Timestamp;

use super::Class;
use super::histogram::{BUCKETS, Counts};

/// Places in each ring.
const PLACES: i64 = 60;
/// A place that was never used.
const NEVER: i64 = i64::MIN;

/// What happened in one minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MinuteSeen {
    /// When it began.
    pub(crate) at: Timestamp,
    /// Requests that ended in it, in the order of [`Class::ALL`].
    pub(crate) classes: [u64; Class::ALL.len()],
    /// How long they took.
    pub(crate) latency: Counts,
}

impl MinuteSeen {
    /// How many requests of a class ended in it.
    pub(crate) fn of(&self, class: Class) -> u64 {
        let mut each = Class::ALL.iter().zip(self.classes);
        each.find(|(known, _)| **known == class).map_or(0, |(_, count)| count)
    }
}

/// The last 60 minutes.
#[derive(Debug)]
pub(super) struct Minutes {
    places: Box<[Minute]>,
    turning: Mutex<()>,
}

#[derive(Debug)]
struct Minute {
    // INVARIANT: what is counted here was counted in this minute; whoever changes it holds `turning` and clears first.
    number: AtomicI64,
    classes: [AtomicU32; Class::ALL.len()],
    latency: [AtomicU32; BUCKETS],
}

impl Default for Minutes {
    fn default() -> Self {
        let minute = |_| Minute {
            number: AtomicI64::new(NEVER),
            classes: [const { AtomicU32::new(0) }; Class::ALL.len()],
            latency: [const { AtomicU32::new(0) }; BUCKETS],
        };
        Self { places: (0..PLACES).map(minute).collect(), turning: Mutex::default() }
    }
}

impl Minutes {
    pub(super) fn add(&self, at: Timestamp, class: Class, bucket: Option<usize>) {
        let number = at.millis() / 60_000;
        let Some(place) = place(&self.places, number) else { return };
        if place.number.load(Ordering::Acquire) != number {
            let _turning = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
            if place.number.load(Ordering::Acquire) != number {
                for count in place.classes.iter().chain(&place.latency) {
                    count.store(0, Ordering::Relaxed);
                }
                place.number.store(number, Ordering::Release);
            }
        }
        for (known, count) in Class::ALL.iter().zip(&place.classes) {
            if *known == class {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        if let Some(count) = bucket.and_then(|bucket| place.latency.get(bucket)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The last 60, oldest first.
    pub(super) fn seen(&self, now: Timestamp) -> Vec<MinuteSeen> {
        let current = now.millis() / 60_000;
        (current - PLACES + 1..=current).map(|number| self.one(number)).collect()
    }

    fn one(&self, number: i64) -> MinuteSeen {
        let at = Timestamp::from_millis(number.saturating_mul(60_000));
        let mut seen = MinuteSeen { at, classes: [0; Class::ALL.len()], latency: Counts::default() };
        let Some(place) = place(&self.places, number) else { return seen };
        if place.number.load(Ordering::Acquire) != number {
            return seen;
        }
        let count = |count: &AtomicU32| u64::from(count.load(Ordering::Relaxed));
        for (into, from) in seen.classes.iter_mut().zip(&place.classes) {
            *into = count(from);
        }
        seen.latency = Counts::of(place.latency.iter().map(count));
        seen
    }
}

/// The last 60 seconds.
#[derive(Debug)]
pub(super) struct Seconds {
    places: Box<[(AtomicI64, AtomicU32)]>,
    turning: Mutex<()>,
}

impl Default for Seconds {
    fn default() -> Self {
        let second = |_| (AtomicI64::new(NEVER), AtomicU32::new(0));
        Self { places: (0..PLACES).map(second).collect(), turning: Mutex::default() }
    }
}

impl Seconds {
    pub(super) fn add(&self, at: Timestamp) {
        let number = at.millis() / 1000;
        let Some((second, count)) = place(&self.places, number) else { return };
        if second.load(Ordering::Acquire) != number {
            let _turning = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
            if second.load(Ordering::Acquire) != number {
                count.store(0, Ordering::Relaxed);
                second.store(number, Ordering::Release);
            }
        }
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn of_last_minute(&self, now: Timestamp) -> u64 {
        let now = now.millis() / 1000;
        let recent = self.places.iter().filter(|(second, _)| {
            let second = second.load(Ordering::Acquire);
            second > now - PLACES && second <= now
        });
        recent.map(|(_, count)| u64::from(count.load(Ordering::Relaxed))).sum()
    }
}

fn place<T>(places: &[T], number: i64) -> Option<&T> {
    usize::try_from(number.rem_euclid(PLACES)).ok().and_then(|at| places.get(at))
}
