//! The values of a column that are frequent, with bounds of how often each occurs.

mod stored;
mod table;

use self::table::Table;
use super::{NotMergeable, joint_count};

/// The parameters of a sketch of frequent values are not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeavyHittersInvalid {
    /// Too few or too many counters.
    #[error(
        "the capacity is {capacity}, not between {} and {}",
        HeavyHitters::LEAST_CAPACITY,
        HeavyHitters::MOST_CAPACITY
    )]
    Capacity {
        /// The offending capacity.
        capacity: usize,
    },
    /// Too few or too many bytes.
    #[error(
        "the bytes for values are {bytes}, not between {} and {}",
        HeavyHitters::LEAST_BYTES,
        HeavyHitters::MOST_BYTES
    )]
    Bytes {
        /// The offending number of bytes.
        bytes: usize,
    },
}

/// One value and how often it occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeavyHitter<'a> {
    /// The value.
    pub value: &'a [u8],
    /// It occurs no less often.
    pub lower: u64,
    /// It occurs no more often.
    pub upper: u64,
}

/// A sketch of frequent values: the counters of Misra and Gries (1982) as they are merged by Agarwal, Cormode, Huang,
/// Phillips, Wei and Yi (2013, "Mergeable summaries", <https://doi.org/10.1145/2500128>).
///
/// As long as the distinct values fit, which is up to `capacity` of them with no more than `bytes` bytes together, every
/// count is exact. When they do not fit any more, the smallest number is taken from all counts that leaves at most half of
/// the counters and half of the bytes; what falls to nought is forgotten. The sum of these numbers is the [`Self::error`]
/// of all counts, and whatever occurs more often than that is among [`Self::items`].
///
/// Values of more than [`Self::LONGEST`] bytes are not told apart, only counted: [`Self::long`].
///
/// # Error
/// Taking e from all counts removes e from each of more than c others, c being how many stay. So the error is at most the
/// count of all values divided by c + 1; with values short enough for `bytes` that is capacity / 2 + 1. It is
/// never larger than what [`Self::error`] says, whatever was merged.
///
/// Merging does not depend on the order of two parts; as long as everything fits, it depends on no order at all.
#[derive(Debug, Clone)]
pub struct HeavyHitters {
    capacity: usize,
    bytes: usize,
    count: u64,
    long: u64,
    error: u64,
    table: Table,
}

impl HeavyHitters {
    /// The smallest capacity.
    pub const LEAST_CAPACITY: usize = 2;
    /// The largest capacity.
    pub const MOST_CAPACITY: usize = 1 << 16;
    /// The smallest number of bytes for values.
    pub const LEAST_BYTES: usize = 4 * Self::LONGEST;
    /// The largest number of bytes for values.
    pub const MOST_BYTES: usize = 1 << 24;
    /// Bytes of the longest value that is told apart from others.
    pub const LONGEST: usize = 1024;

    /// A sketch of no values.
    ///
    /// # Errors
    /// When the capacity or the bytes are too small or too large.
    pub fn new(capacity: usize, bytes: usize) -> Result<Self, HeavyHittersInvalid> {
        if !(Self::LEAST_CAPACITY..=Self::MOST_CAPACITY).contains(&capacity) {
            return Err(HeavyHittersInvalid::Capacity { capacity });
        }
        if !(Self::LEAST_BYTES..=Self::MOST_BYTES).contains(&bytes) {
            return Err(HeavyHittersInvalid::Bytes { bytes });
        }
        Ok(Self { capacity, bytes, count: 0, long: 0, error: 0, table: Table::new() })
    }

    /// How many counters there are.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many bytes of values are kept.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many values were taken, long ones included.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// How many of them were too long to be told apart.
    pub const fn long(&self) -> u64 {
        self.long
    }

    /// How much the count of any value that is not long may be too low.
    pub const fn error(&self) -> u64 {
        self.error
    }

    /// Whether every count is exact and no value is missing.
    pub const fn is_exact(&self) -> bool {
        self.error == 0 && self.long == 0
    }

    /// How many distinct values there are, when all are known.
    pub const fn distinct(&self) -> Option<usize> {
        if self.is_exact() { Some(self.table.len()) } else { None }
    }

    /// Takes values.
    pub fn update<'a>(&mut self, values: impl IntoIterator<Item = &'a [u8]>) {
        let mut values = values.into_iter();
        let Some(mut value) = values.next() else { return };
        let mut run = 1;
        for next in values {
            // Columns that are sorted or have few values come in runs.
            if next == value {
                run += 1;
                continue;
            }
            self.add(value, run);
            (value, run) = (next, 1);
        }
        self.add(value, run);
    }

    /// Takes the eight bytes, little-endian, of each word.
    pub fn update_words(&mut self, words: &[u64]) {
        let Some((mut word, rest)) = words.split_first() else { return };
        let mut run = 1;
        for next in rest {
            if next == word {
                run += 1;
                continue;
            }
            self.add(&word.to_le_bytes(), run);
            (word, run) = (next, 1);
        }
        self.add(&word.to_le_bytes(), run);
    }

    /// Takes one value `count` times.
    #[inline]
    pub fn add(&mut self, value: &[u8], count: u64) {
        self.count += count;
        if value.len() > Self::LONGEST {
            self.long += count;
        } else if count > 0 && self.table.add(value, count) {
            self.make_room();
        }
    }

    /// Takes what another sketch took.
    ///
    /// # Errors
    /// When capacity or bytes differ, or there are more values than are counted.
    pub fn merge(&mut self, other: &Self) -> Result<(), NotMergeable> {
        if (self.capacity, self.bytes) != (other.capacity, other.bytes) {
            return Err(NotMergeable::Parameters { what: "capacity" });
        }
        self.count = joint_count(self.count, other.count)?;
        self.long += other.long;
        self.error += other.error;
        // There is room made only once, when all is added, so that the order makes no difference.
        for (value, count) in other.table.items() {
            self.table.add(value, count);
        }
        self.make_room();
        Ok(())
    }

    fn make_room(&mut self) {
        if self.table.len() > self.capacity || self.table.bytes() > self.bytes {
            self.error += self.table.shrink(self.capacity / 2, self.bytes / 2);
        }
    }

    /// The values that are known, most frequent first, then by their bytes.
    pub fn items(&self) -> Vec<HeavyHitter<'_>> {
        let item = |(value, lower)| HeavyHitter { value, lower, upper: lower + self.error };
        let mut items: Vec<HeavyHitter<'_>> = self.table.items().map(item).collect();
        items.sort_unstable_by(|one, two| two.lower.cmp(&one.lower).then(one.value.cmp(two.value)));
        items
    }

    /// Between which two numbers the count of a value lies.
    pub fn bounds(&self, value: &[u8]) -> (u64, u64) {
        if value.len() > Self::LONGEST {
            return (0, self.long);
        }
        let lower = self.table.count(value);
        (lower, lower + self.error)
    }
}

impl PartialEq for HeavyHitters {
    fn eq(&self, other: &Self) -> bool {
        let numbers =
            |sketch: &Self| (sketch.capacity, sketch.bytes, sketch.count, sketch.long, sketch.error);
        numbers(self) == numbers(other) && self.items() == other.items()
    }
}

impl Eq for HeavyHitters {}
