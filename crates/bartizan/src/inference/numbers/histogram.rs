//! How long requests took: four buckets to each doubling, from 16 microseconds to about a minute.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The first doubling begins at 2^4 microseconds; what is shorter is in bucket 0.
const FIRST: u32 = 4;
/// The last one ends at 2^26 microseconds, 67 seconds; what is longer is in the last bucket.
const END: u32 = 26;
/// Buckets.
pub(super) const BUCKETS: usize = 2 + 4 * (END - FIRST) as usize;

/// The bucket of a duration. A bucket holds what is longer than its beginning and not longer than its end.
pub(super) fn bucket_of(took: Duration) -> usize {
    let micros = u64::try_from(took.as_nanos().saturating_sub(1) / 1000).unwrap_or(u64::MAX);
    let Some(doubling) = micros.checked_ilog2().filter(|doubling| *doubling >= FIRST) else { return 0 };
    if doubling >= END {
        return BUCKETS - 1;
    }
    let quarter = usize::try_from((micros >> (doubling - 2)) & 3).unwrap_or_default();
    let before = usize::try_from(doubling - FIRST).unwrap_or_default();
    1 + 4 * before + quarter
}

/// The end of a bucket in microseconds; `None` for the last one, which has none.
pub(super) fn bucket_end_micros(bucket: usize) -> Option<u64> {
    let Some(inner) = bucket.checked_sub(1) else { return Some(1 << FIRST) };
    if bucket >= BUCKETS - 1 {
        return None;
    }
    let quarter = u64::try_from(inner % 4).ok()?;
    let doubling = FIRST + u32::try_from(inner / 4).ok()?;
    Some((5 + quarter) << (doubling - 2))
}

/// Counters, one for each bucket.
#[derive(Debug)]
pub(super) struct Histogram {
    counts: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [const { AtomicU64::new(0) }; BUCKETS], nanos: AtomicU64::new(0) }
    }
}

impl Histogram {
    pub(super) fn add(&self, bucket: usize, took: Duration) {
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        Counts::of(self.counts.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// All durations together.
    pub(super) fn sum(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}

/// How many requests took how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counts([u64; BUCKETS]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Counts {
    pub(super) fn of(counts: impl Iterator<Item = u64>) -> Self {
        let mut all = Self::default();
        for (into, count) in all.0.iter_mut().zip(counts) {
            *into = count;
        }
        all
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (into, count) in self.0.iter_mut().zip(other.0) {
            *into += count;
        }
    }

    /// How many there are.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Each bucket's end in microseconds, with what is in it.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        self.0.iter().enumerate().map(|(bucket, count)| (bucket_end_micros(bucket), *count))
    }

    /// The microseconds that so many in a thousand did not exceed, to about a tenth of it; `None` when there are none.
    pub(crate) fn quantile(&self, per_mille: u64) -> Option<u64> {
        let total = self.total();
        let rank = total.saturating_mul(per_mille.min(1000)).div_ceil(1000).max(1);
        let (mut before, mut begin) = (0, 0);
        for (end, count) in self.buckets() {
            // The last bucket has no end; what is there took longer than its beginning.
            let end = end.unwrap_or(begin);
            if before + count >= rank && count > 0 {
                return Some(begin + (end - begin).saturating_mul(rank - before) / count);
            }
            before += count;
            begin = end;
        }
        None
    }
}
