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
    /// Half of the hash.
    tag: u32,
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
        self.entries.push(Entry { count, tag: (hash >> 32) as u32, start, len });
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

    /// The count of the first value that has no place any more, the most frequent (and of these the longest) placed first.
    fn first_out(&self, entries: usize, bytes: usize) -> Option<u64> {
        let mut sizes: Vec<(u64, u32)> = self.entries.iter().map(|entry| (entry.count, entry.len)).collect();
        let mut next = None;
        if sizes.len() > entries {
            // Selecting takes a fraction of the time of sorting, and is all that is needed while bytes are no matter.
            let (_, first, _) = sizes.select_nth_unstable_by(entries, |one, two| two.cmp(one));
            next = Some(first.0);
            sizes.truncate(entries);
        }
        let all: usize = sizes.iter().map(|(_, len)| *len as usize).sum();
        if all <= bytes {
            return next;
        }
        sizes.sort_unstable_by(|one, two| two.cmp(one));
        let mut room = bytes;
        let full = sizes.iter().find(|(_, len)| {
            let left = room.checked_sub(*len as usize);
            room = left.unwrap_or(0);
            left.is_none()
        });
        full.map(|(count, _)| *count)
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
            if entry.tag == (hash >> 32) as u32 && self.value(entry) == value {
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
            let hash = self.hash(self.value(&self.entries[place]));
            let mut slot = hash as usize & (slots - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (slots - 1);
            }
            self.slots[slot] = place as u32 + 1;
        }
    }
}
