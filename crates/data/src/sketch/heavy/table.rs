//! Byte strings with counts, in three flat pieces of memory: a value that is soon forgotten costs no allocation.
#![expect(clippy::indexing_slicing, reason = "a kernel; entries and slots point into each other")]
#![expect(clippy::cast_possible_truncation, reason = "hashes are cut, and sizes stay below 2^25")]

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::RandomState;

/// Counts of byte strings, found by a hash that is seeded per process: a file cannot be made to collide. Nothing that can
/// be seen from outside depends on it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    hasher: RandomState,
    /// One more than the place among `entries`, or 0. A power of two, at least twice as many as entries.
    slots: Vec<u32>,
    entries: Vec<Entry>,
    text: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    count: u64,
    hash: u64,
    start: u32,
    len: u32,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::default(), slots: vec![0; 16], entries: Vec::new(), text: Vec::new() }
    }

    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of all values together.
    pub(super) const fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Values and counts, in the order in which the values came.
    pub(super) fn items(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.entries.iter().map(|entry| (self.value(entry), entry.count))
    }

    pub(super) fn count(&self, value: &[u8]) -> u64 {
        let (entry, _) = self.find(value, self.hash(value));
        entry.map_or(0, |entry| self.entries[entry].count)
    }

    /// Adds to the count of a value; says whether the value is new.
    #[inline]
    pub(super) fn add(&mut self, value: &[u8], count: u64) -> bool {
        let hash = self.hash(value);
        let (found, slot) = self.find(value, hash);
        if let Some(entry) = found {
            self.entries[entry].count += count;
            return false;
        }
        let (start, len) = (self.text.len() as u32, value.len() as u32);
        self.text.extend_from_slice(value);
        self.entries.push(Entry { count, hash, start, len });
        self.slots[slot] = self.entries.len() as u32;
        if 2 * self.entries.len() > self.slots.len() {
            self.index(2 * self.slots.len());
        }
        true
    }

    /// Takes the smallest number from all counts that leaves at most `entries` values with `bytes` bytes, and returns
    /// it. It depends on the counted values alone.
    pub(super) fn shrink(&mut self, entries: usize, bytes: usize) -> u64 {
        let Some(taken) = self.first_out(entries, bytes) else { return 0 };
        // What stays moves to the front, in place.
        let (mut kept, mut start) = (0, 0);
        for at in 0..self.entries.len() {
            let entry = self.entries[at];
            if entry.count > taken {
                let from = entry.start as usize;
                self.text.copy_within(from..from + entry.len as usize, start as usize);
                self.entries[kept] = Entry { count: entry.count - taken, start, ..entry };
                start += entry.len;
                kept += 1;
            }
        }
        self.entries.truncate(kept);
        self.text.truncate(start as usize);
        self.index(self.slots.len());
        taken
    }

    /// The largest count that has no place any more: those of it and above do not fit together.
    ///
    /// Nearly all counts are small, so they are counted instead of sorted.
    fn first_out(&self, entries: usize, bytes: usize) -> Option<u64> {
        const SMALL: usize = 64;
        let (mut small, mut large) = ([(0_usize, 0_usize); SMALL], Vec::new());
        for entry in &self.entries {
            match small.get_mut(entry.count as usize) {
                Some((values, sum)) if entry.count < SMALL as u64 => {
                    *values += 1;
                    *sum += entry.len as usize;
                }
                _ => large.push((entry.count, entry.len)),
            }
        }
        large.sort_unstable_by(|one, two| two.cmp(one));
        let large = large.into_iter().map(|(count, len)| (count, (1, len as usize)));
        let small = (0..SMALL).rev().map(|count| (count as u64, small[count]));
        let (mut values, mut sum) = (0, 0);
        let full = large.chain(small).find(|(_, (more, len))| {
            values += more;
            sum += len;
            values > entries || sum > bytes
        });
        full.map(|(count, _)| count)
    }

    fn value(&self, entry: &Entry) -> &[u8] {
        &self.text[entry.start as usize..][..entry.len as usize]
    }

    #[inline]
    fn hash(&self, value: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(value);
        hasher.finish()
    }

    /// The entry of a value, and its slot or the free one where it would go.
    #[inline]
    fn find(&self, value: &[u8], hash: u64) -> (Option<usize>, usize) {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let Some(place) = self.slots[slot].checked_sub(1) else { return (None, slot) };
            let entry = &self.entries[place as usize];
            if entry.hash == hash && self.value(entry) == value {
                return (Some(place as usize), slot);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Fills that many slots anew.
    fn index(&mut self, slots: usize) {
        self.slots.clear();
        self.slots.resize(slots, 0);
        for place in 0..self.entries.len() {
            let mut slot = self.entries[place].hash as usize & (slots - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (slots - 1);
            }
            self.slots[slot] = place as u32 + 1;
        }
    }
}
