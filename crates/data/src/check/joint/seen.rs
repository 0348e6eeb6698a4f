//! Keys that were seen, by hash, each with the row that it was first seen in.
//!
//! Open addressing with linear probing (Knuth, The Art of Computer Programming, volume 3, section 6.4). A slot is 24
//! bytes and lies where the hash says in proportion to the table, so a table grows by copying from front to back. Hashes
//! are mixed with a seed of the process first, so that nobody can choose keys that lie side by side.
#![expect(clippy::indexing_slicing, reason = "places are below the number of slots, which is never nought")]

use std::hash::BuildHasher as _;
use std::hint::black_box;

use crate::sketch::hash::mixed;

/// A hash of 128 bits; [`NONE`] is none.
pub(super) type Hash = [u64; 2];

/// The hash of a row that has no key.
pub(super) const NONE: Hash = [0, 0];

/// Slots of the smallest table.
const LEAST: usize = 1024;

/// Keys whose slots are asked for together, so that the waits for memory overlap.
const TOGETHER: usize = 32;

/// Marks a row whose key came again.
const AGAIN: u64 = 1 << 63;

/// The hash, then the row from 1 and whether the key came again; nought in a slot that is free.
type Slot = [u64; 3];

/// What became of a key.
pub(super) enum Found {
    /// It is new.
    New,
    /// It was first seen in that row, and whether it came again before.
    Before { row: u64, again: bool },
}

pub(super) struct Seen {
    slots: Vec<Slot>,
    keys: usize,
    seed: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Self { slots: Vec::new(), keys: 0, seed: foldhash::fast::RandomState::default().hash_one(0_u64) }
    }
}

impl Seen {
    /// Different keys.
    pub(super) const fn len(&self) -> usize {
        self.keys
    }

    /// Takes in the keys of rows from `first` on, and tells what became of each.
    pub(super) fn take_in(&mut self, keys: &[Hash], first: u64, mut tell: impl FnMut(u64, Found)) {
        let mut row = first;
        let mut spread = [NONE; TOGETHER];
        for keys in keys.chunks(TOGETHER) {
            self.make_room(keys.len());
            let slots = self.slots.as_slice();
            let mut asked = 0;
            for (spread, key) in spread.iter_mut().zip(keys) {
                // What is mixed in can be taken out again, so different keys stay different.
                *spread = [mixed(key[0] ^ mixed(key[1] ^ self.seed)), key[1]];
                asked ^= slots[place(*spread, slots.len())][2];
            }
            black_box(asked);
            for (key, spread) in keys.iter().zip(&spread) {
                if *key != NONE {
                    let found = self.insert(*spread, row);
                    tell(row, found);
                }
                row += 1;
            }
        }
    }

    fn insert(&mut self, key: Hash, row: u64) -> Found {
        let slots = self.slots.as_mut_slice();
        let mut at = place(key, slots.len());
        loop {
            let slot = &mut slots[at];
            if slot[2] == 0 {
                *slot = [key[0], key[1], row];
                self.keys += 1;
                return Found::New;
            }
            if slot[0] == key[0] && slot[1] == key[1] {
                let before = slot[2];
                slot[2] |= AGAIN;
                return Found::Before { row: before & !AGAIN, again: before & AGAIN != 0 };
            }
            at = if at + 1 == slots.len() { 0 } else { at + 1 };
        }
    }

    /// Keeps a quarter of the slots free.
    fn make_room(&mut self, more: usize) {
        if (self.keys + more) * 4 <= self.slots.len() * 3 {
            return;
        }
        let larger = vec![[0; 3]; (self.slots.len() * 2).max(LEAST)];
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot[2] != 0 {
                let slots = self.slots.as_mut_slice();
                let mut at = place([slot[0], slot[1]], slots.len());
                while slots[at][2] != 0 {
                    at = if at + 1 == slots.len() { 0 } else { at + 1 };
                }
                slots[at] = slot;
            }
        }
    }
}

/// Where a key lies among so many slots: as far from the front as its hash among all hashes (Lemire 2019).
#[inline]
fn place(key: Hash, slots: usize) -> usize {
    // The upper half of a product with a length is below that length.
    usize::try_from((u128::from(key[0]) * slots as u128) >> 64).unwrap_or(0)
}
