//! The fixed hash of values, by which stored sketches tell distinct ones: it never changes.
//!
//! It has no key: whoever chooses the values can make them collide, so nothing but a count of distinct values rests on
//! it. Numbers that are equal have equal hashes whether they came as integers or as doubles; a number and a text never
//! share one by design. `docs/formats/sketches.md` defines it for other languages, with samples.
#![expect(clippy::cast_possible_truncation, reason = "a hash takes words apart")]
#![expect(clippy::cast_sign_loss, reason = "bits are reinterpreted, not converted")]

// The square roots of 2, 3, 5, 7 and 11 behind the point, with which SHA-512 starts too, the last bit set: nothing up
// the sleeve.
const ROOT_2: u64 = 0x6A09_E667_F3BC_C909;
const ROOT_3: u64 = 0xBB67_AE85_84CA_A73B;
const ROOT_5: u64 = 0x3C6E_F372_FE94_F82B;
const ROOT_7: u64 = 0xA54F_F53A_5F1D_36F1;
const ROOT_11: u64 = 0x510E_527F_ADE6_82D1;

/// 2^63, the end of 64-bit integers.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// Mixes all bits of a word into all others, and can be undone: MurmurHash3's finaliser (Appleby 2011) with the constants
/// of Stafford's variant 13, as in SplitMix64.
#[inline]
pub(crate) const fn mixed(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// The hash of an integer. No two have the same.
#[inline]
pub const fn of_i64(value: i64) -> u64 {
    mixed(value as u64 ^ ROOT_2)
}

/// The hash of an unsigned integer: that of the signed one where there is one.
#[inline]
pub const fn of_u64(value: u64) -> u64 {
    if value >> 63 == 0 { mixed(value ^ ROOT_2) } else { mixed(value ^ ROOT_3) }
}

/// The hash of a double: that of the equal integer where there is one within 64 bits. All NaN have the same.
#[inline]
pub fn of_f64(value: f64) -> u64 {
    if (-TWO_TO_63..TWO_TO_63).contains(&value) {
        let whole = value as i64;
        if whole as f64 == value {
            return of_i64(whole);
        }
    }
    let bits = if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    mixed(bits ^ ROOT_5)
}

/// The hash of a byte string.
#[inline]
pub fn of_bytes(bytes: &[u8]) -> u64 {
    let (mut state, mut rest) = (ROOT_7, bytes);
    while rest.len() > 16
        && let Some((block, tail)) = rest.split_first_chunk::<16>()
    {
        let (one, two) = halves(u128::from_le_bytes(*block));
        state = step(state, one, two);
        rest = tail;
    }
    let (one, two) = last_words(rest);
    mixed(step(state, one, two) ^ bytes.len() as u64)
}

/// The last 16 bytes or fewer as two words; together with the length they say which bytes these are.
#[inline]
fn last_words(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    match *bytes {
        [] => (0, 0),
        [one] => (u64::from_le_bytes([one, one, one, 0, 0, 0, 0, 0]), 0),
        [one, two] => (u64::from_le_bytes([one, two, two, 0, 0, 0, 0, 0]), 0),
        [one, two, three, ..] => (u64::from_le_bytes([one, two, three, 0, 0, 0, 0, 0]), 0),
    }
}

/// Takes two words in: the halves of a product of 128 bits (as in Wang Yi's wyhash), and the state itself, so that a
/// factor of nought does not wipe it out.
#[inline]
const fn step(state: u64, one: u64, two: u64) -> u64 {
    let product = (one ^ ROOT_11 ^ state) as u128 * (two ^ ROOT_3) as u128;
    let (low, high) = halves(product);
    low ^ high ^ state.rotate_left(32)
}

#[inline]
const fn halves(wide: u128) -> (u64, u64) {
    (wide as u64, (wide >> 64) as u64)
}
