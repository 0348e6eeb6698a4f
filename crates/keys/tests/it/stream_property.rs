//! Encrypted streams of any length, read and changed anywhere.

use bartizan_keys::stream::{FIRST_PLAIN_BYTES, PLAIN_BYTES, stored_bytes};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::stream::{decrypt, encrypt, open};
use crate::support::pattern;

// Lengths around the borders of the first three segments, and others.
fn lengths() -> impl Strategy<Value = usize> {
    let near = (0..3_usize, 0..40_usize).prop_map(|(segments, offset)| {
        (FIRST_PLAIN_BYTES + segments * PLAIN_BYTES + offset).saturating_sub(20)
    });
    prop_oneof![3 => near, 1 => 0..100_usize, 1 => 0..3 * PLAIN_BYTES]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_range_of_any_length(len in lengths(), ranges in prop::collection::vec(any::<(Index, Index)>(), 1..6)) {
        let plain = pattern(len);
        let stored = encrypt(&plain);
        prop_assert_eq!(stored.len() as u64, stored_bytes(len as u64).unwrap());
        let mut stream = open(&stored).unwrap();
        prop_assert_eq!(stream.len(), len as u64);
        for (a, b) in ranges {
            let (a, b) = (a.index(len + 1), b.index(len + 1));
            let (from, to) = (a.min(b), a.max(b));
            let mut buf = vec![0xee; to - from];
            prop_assert_eq!(stream.read_at(from as u64, &mut buf).unwrap(), to - from);
            prop_assert!(buf == plain[from..to]);
        }
    }

    #[test]
    fn any_changed_byte_is_noticed(len in lengths(), at in any::<Index>(), flip in 1..=255_u8) {
        let mut stored = encrypt(&pattern(len));
        let at = at.index(stored.len());
        stored[at] ^= flip;
        prop_assert_eq!(decrypt(&stored), None);
    }

    #[test]
    fn any_cut_is_noticed_at_once(len in lengths(), at in any::<Index>()) {
        let stored = encrypt(&pattern(len));
        prop_assert!(open(&stored[..at.index(stored.len())]).is_err());
    }

    #[test]
    fn random_bytes_open_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(open(&bytes).is_err());
    }
}
