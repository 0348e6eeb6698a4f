//! FF1 gives the samples that NIST publishes, and is its own inverse.

use proptest::prelude::*;

use super::{Ff1, NotEncryptable};

const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94";

fn symbols(text: &str) -> Vec<u16> {
    text.chars().map(|c| u16::try_from(c.to_digit(36).unwrap()).unwrap()).collect()
}

fn text(symbols: &[u16]) -> String {
    symbols.iter().map(|symbol| char::from_digit(u32::from(*symbol), 36).unwrap()).collect()
}

fn check(key_bytes: usize, radix: u16, tweak: &str, plain: &str, cipher: &str) {
    let ff1 = Ff1::new(&hex::decode(KEY).unwrap()[..key_bytes]).unwrap();
    let tweak = hex::decode(tweak).unwrap();
    let mut value = symbols(plain);
    ff1.encrypt(radix, &tweak, &mut value).unwrap();
    assert_eq!(text(&value), cipher);
    ff1.decrypt(radix, &tweak, &mut value).unwrap();
    assert_eq!(text(&value), plain);
}

// https://csrc.nist.gov/CSRC/media/Projects/Cryptographic-Standards-and-Guidelines/documents/examples/FF1samples.pdf
#[test]
fn the_nine_samples_of_nist() {
    let (decimal, letters) = ("0123456789", "0123456789abcdefghi");
    let (short, long) = ("39383736353433323130", "3737373770717273373737");
    check(16, 10, "", decimal, "2433477484");
    check(16, 10, short, decimal, "6124200773");
    check(16, 36, long, letters, "a9tv40mll9kdu509eum");
    check(24, 10, "", decimal, "2830668132");
    check(24, 10, short, decimal, "2496655549");
    check(24, 36, long, letters, "xbj3kv35jrawxv32ysr");
    check(32, 10, "", decimal, "6657667009");
    check(32, 10, short, decimal, "1001623463");
    check(32, 36, long, letters, "xs8a0azh2avyalyzuwd");
}

#[test]
fn what_is_too_short_too_long_or_not_of_the_radix_is_refused() {
    let ff1 = Ff1::new(&[7; 32]).unwrap();
    let refused = |radix, count| ff1.encrypt(radix, b"", &mut vec![1; count]);
    assert_eq!(refused(10, 5), Err(NotEncryptable::TooShort));
    assert_eq!(refused(10, 6), Ok(()));
    assert_eq!(refused(62, 3), Err(NotEncryptable::TooShort));
    assert_eq!(refused(62, 4), Ok(()));
    assert_eq!(refused(10, 72), Ok(()));
    assert_eq!(refused(10, 74), Err(NotEncryptable::TooLong));
    assert_eq!(refused(1, 30), Err(NotEncryptable::Radix));
    assert_eq!(refused(300, 30), Err(NotEncryptable::Radix));
    assert_eq!(ff1.encrypt(10, b"", &mut [1, 2, 3, 4, 5, 10]), Err(NotEncryptable::Symbol));
    assert_eq!(ff1.encrypt(10, &[0; 257], &mut [1; 8]), Err(NotEncryptable::Tweak));
}

proptest! {
    #[test]
    fn decrypting_reverses_encrypting(
        key in any::<[u8; 32]>(),
        tweak in proptest::collection::vec(any::<u8>(), 0..40),
        (radix, plain) in prop_oneof![Just((10_u16, 6..=70_usize)), Just((36, 4..=46)), Just((62, 4..=40))]
            .prop_flat_map(|(radix, length)| (Just(radix), proptest::collection::vec(0..radix, length))),
    ) {
        let ff1 = Ff1::new(&key).unwrap();
        let mut value = plain.clone();
        ff1.encrypt(radix, &tweak, &mut value).unwrap();
        prop_assert!(value.iter().all(|symbol| *symbol < radix));
        ff1.decrypt(radix, &tweak, &mut value).unwrap();
        prop_assert_eq!(value, plain);
    }
}
