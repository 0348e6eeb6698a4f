//! Doubles as integers of the same order, which sort and merge without a branch.
#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "bits are reinterpreted, not converted"
)]
#![expect(clippy::indexing_slicing, reason = "a kernel; both lists end before their indices do")]

use std::hint::select_unpredictable;

use super::Key;

/// The key of a finite number; both zeroes have the same.
#[inline]
pub(super) fn key_of(value: f64) -> Key {
    // Adding zero takes the sign from a zero.
    flipped((value + 0.0).to_bits() as Key)
}

/// The number of a key.
#[inline]
pub(super) fn value_of(key: Key) -> f64 {
    f64::from_bits(flipped(key) as u64)
}

/// Negative numbers have their bits in the opposite order, but for the sign. Its own inverse.
#[inline]
fn flipped(bits: Key) -> Key {
    bits ^ (((bits >> 63) as u64) >> 1) as Key
}

/// Two ascending lists of keys as one.
pub(super) fn merge_sorted(one: &[Key], two: &[Key]) -> Vec<Key> {
    let mut merged = vec![0; one.len() + two.len()];
    let (mut at_one, mut at_two, mut at) = (0, 0, 0);
    while at_one < one.len() && at_two < two.len() {
        let (key_one, key_two) = (one[at_one], two[at_two]);
        let first = key_one <= key_two;
        // Which is first can't be predicted, so there must not be a branch.
        merged[at] = select_unpredictable(first, key_one, key_two);
        at_one += usize::from(first);
        at_two += usize::from(!first);
        at += 1;
    }
    let rest = if at_one < one.len() { &one[at_one..] } else { &two[at_two..] };
    merged[at..].copy_from_slice(rest);
    merged
}
