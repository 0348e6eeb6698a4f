//! Keys that were seen, by hash, each with the row that it was first seen in.
//!
//! Open addressing with linear probing (Knuth, The Art of Computer Programming, volume 3, section 6.4). A slot is 24
//! bytes and lies where the hash says in proportion to the table, so a table grows by copying from front to back, and keys
//! are gathered and placed in the order of their slots: one after the other they would wait for memory each time. Hashes
//! are mixed with a seed of the process first, so that nobody can choose keys that lie side by side.
#![expect(
    clippy::indexing_slicing,
    reason = "places are below the number of slots, and buckets below theirs"
)]

use std::hash::BuildHasher as _;

use crate::sketch::hash::mixed;

/// A hash of 128 bits; [`NONE`] is none.
pub(super) type Hash = [u64; 2];

/// The hash of a row that has no key.
pub(super) const NONE: Hash = [0, 0];

/// Slots of the smallest table.
const LEAST: usize = 1024;

/// Keys that all tables of one check gather together before they are placed.
const GATHERED: usize = 256 * 1024;

/// Keys that each gathers at least.
const GATHERED_LEAST: usize = 4 * 1024;

/// Buckets that gathered keys are put in order by.
const BUCKETS: usize = 1 << BUCKET_BITS;
const BUCKET_BITS: u32 = 11;

/// Marks a row whose key came again.
const AGAIN: u64 = 1 << 63;

/// The hash, then the row from 1 and whether the key came again; nought in a slot that is free.
type Slot = [u64; 3];

/// A key that was there before.
pub(super) struct Repeated {
    pub(super) row: u64,
    /// The row that it was first seen in.
    pub(super) before: u64,
    /// Whether it came again before.
    pub(super) again: bool,
}

pub(super) struct Seen {
    slots: Vec<Slot>,
    keys: usize,
    seed: u64,
    gathered: Vec<Slot>,
    gather: usize,
}

impl Seen {
    /// Nothing yet, for one of so many keys that are counted.
    pub(super) fn one_of(keys: usize) -> Self {
        Self {
            slots: Vec::new(),
            keys: 0,
            seed: foldhash::fast::RandomState::default().hash_one(0_u64),
            gathered: Vec::new(),
            gather: (GATHERED / keys.max(1)).max(GATHERED_LEAST),
        }
    }

    /// Different keys, of those that were placed.
    pub(super) const fn len(&self) -> usize {
        self.keys
    }

    /// Bytes of the table.
    pub(super) const fn bytes(&self) -> usize {
        self.slots.len().saturating_mul(size_of::<Slot>())
    }

    /// Takes in the keys of rows from `first` on. Tells of those that were there before, in the order of their rows, once they
    /// are placed. False when the table would need more than `room` bytes; then nothing more can be told.
    pub(super) fn take_in(
        &mut self,
        keys: &[Hash],
        first: u64,
        room: usize,
        tell: impl FnMut(Repeated),
    ) -> bool {
        for (row, key) in (first..).zip(keys).filter(|(_, key)| **key != NONE) {
            // What is mixed in can be taken out again, so different keys stay different.
            self.gathered.push([mixed(key[0] ^ mixed(key[1] ^ self.seed)), key[1], row]);
        }
        self.gathered.len() < self.gather || self.place_all(room, tell)
    }

    /// Places what was gathered, in a table of so many bytes at most.
    pub(super) fn place_all(&mut self, room: usize, tell: impl FnMut(Repeated)) -> bool {
        if self.gathered.is_empty() {
            return true;
        }
        let gathered = std::mem::take(&mut self.gathered);
        if !self.make_room(gathered.len(), room) {
            return false;
        }
        let mut repeated = Vec::new();
        for slot in in_buckets(&gathered) {
            repeated.extend(self.insert(slot));
        }
        repeated.sort_unstable_by_key(|one: &Repeated| one.row);
        repeated.into_iter().for_each(tell);
        self.gathered = gathered;
        self.gathered.clear();
        true
    }

    fn insert(&mut self, new: Slot) -> Option<Repeated> {
        let slots = self.slots.as_mut_slice();
        let mut at = place(new[0], slots.len());
        loop {
            let slot = &mut slots[at];
            if slot[2] == 0 {
                *slot = new;
                self.keys += 1;
                return None;
            }
            if slot[0] == new[0] && slot[1] == new[1] {
                let before = slot[2];
                slot[2] |= AGAIN;
                return Some(Repeated { row: new[2], before: before & !AGAIN, again: before & AGAIN != 0 });
            }
            at = if at + 1 == slots.len() { 0 } else { at + 1 };
        }
    }

    /// Keeps a quarter of the slots free, if the table before and the one after it have room beside each other.
    fn make_room(&mut self, more: usize, room: usize) -> bool {
        let least = (self.keys + more).saturating_mul(4) / 3 + 1;
        if least <= self.slots.len() {
            return true;
        }
        let slots = least.max(self.slots.len() * 2).max(LEAST);
        if slots.saturating_mul(size_of::<Slot>()).saturating_add(self.bytes()) > room {
            return false;
        }
        let larger = vec![[0; 3]; slots];
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot[2] != 0 {
                let slots = self.slots.as_mut_slice();
                let mut at = place(slot[0], slots.len());
                while slots[at][2] != 0 {
                    at = if at + 1 == slots.len() { 0 } else { at + 1 };
                }
                slots[at] = slot;
            }
        }
        true
    }
}

/// Where a key lies among so many slots: as far from the front as its hash among all hashes (Lemire 2019).
#[inline]
fn place(hash: u64, slots: usize) -> usize {
    // The upper half of a product with a length is below that length.
    usize::try_from((u128::from(hash) * slots as u128) >> 64).unwrap_or(0)
}

/// Keys in the order of the upper bits of their hashes, otherwise as they came.
fn in_buckets(keys: &[Slot]) -> Vec<Slot> {
    let bucket = |key: &Slot| usize::try_from(key[0] >> (64 - BUCKET_BITS)).unwrap_or(0);
    let mut starts = [0_usize; BUCKETS];
    keys.iter().for_each(|key| starts[bucket(key)] += 1);
    let mut sum = 0;
    for start in &mut starts {
        sum += std::mem::replace(start, sum);
    }
    let mut sorted = vec![[0; 3]; keys.len()];
    for key in keys {
        let at = &mut starts[bucket(key)];
        sorted[*at] = *key;
        *at += 1;
    }
    sorted
}
