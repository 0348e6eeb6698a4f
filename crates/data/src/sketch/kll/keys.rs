//! Doubles as integers of the same order, which sort and merge without a branch.
#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "bits are reinterpreted, not converted"
)]
#![expect(clippy::indexing_slicing, reason = "a kernel; sentinels keep its indices in range")]

use super::Key;

/// Larger than the key of any finite number.
const SENTINEL: Key = Key::MAX;

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
pub(super) fn merge_sorted(mut one: Vec<Key>, mut two: Vec<Key>) -> Vec<Key> {
    if one.is_empty() || two.is_empty() {
        one.append(&mut two);
        return one;
    }
    let mut merged = vec![0; one.len() + two.len()];
    one.push(SENTINEL);
    two.push(SENTINEL);
    let (mut at_one, mut at_two) = (0, 0);
    for place in &mut merged {
        let (key_one, key_two) = (one[at_one], two[at_two]);
        let first = key_one <= key_two;
        *place = if first { key_one } else { key_two };
        at_one += usize::from(first);
        at_two += usize::from(!first);
    }
    merged
}
