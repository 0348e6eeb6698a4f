//! Counts of the words of one batch.

use crate::limits::COUNTED_VALUES;
use crate::sketch::hash;

/// How often each word of one batch comes, while they are few.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Words and counts; a count of 0 marks a free place.
    slots: Vec<(u64, u64)>,
    used: Vec<usize>,
}

impl Tally {
    const SLOTS: usize = 4 * COUNTED_VALUES.next_power_of_two();

    /// Counts words; `false` when there are more different ones than are ever counted exactly.
    pub(super) fn count(&mut self, words: &[u64]) -> bool {
        self.slots.resize(Self::SLOTS, (0, 0));
        let mut last: Option<(u64, usize)> = None;
        for word in words {
            if let Some((known, at)) = last
                && known == *word
            {
                if let Some((_, count)) = self.slots.get_mut(at) {
                    *count += 1;
                }
                continue;
            }
            let mut at = usize::try_from(hash::of_u64(*word) >> 40).unwrap_or(0) % Self::SLOTS;
            loop {
                let Some((known, count)) = self.slots.get_mut(at) else { return false };
                if *count == 0 {
                    if self.used.len() == COUNTED_VALUES {
                        self.drain();
                        return false;
                    }
                    (*known, *count) = (*word, 1);
                    self.used.push(at);
                    break;
                }
                if known == word {
                    *count += 1;
                    break;
                }
                at = (at + 1) % Self::SLOTS;
            }
            last = Some((*word, at));
        }
        true
    }

    /// The words and their counts; after that there are none.
    pub(super) fn drain(&mut self) -> Vec<(u64, u64)> {
        let mut counted = Vec::with_capacity(self.used.len());
        for at in self.used.drain(..) {
            if let Some(slot) = self.slots.get_mut(at) {
                counted.push(std::mem::take(slot));
            }
        }
        counted
    }
}
