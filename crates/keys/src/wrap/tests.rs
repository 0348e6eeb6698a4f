//! Known answers of the key derivation, and what wrapping promises.

use super::*;

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn check_hkdf(secret: &str, salt: &str, info: &str, expected: &str) {
    let mut out = vec![0; expected.len() / 2];
    derive(&unhex(secret), &unhex(salt), &unhex(info), &mut out).unwrap();
    assert_eq!(hex::encode(out), expected);
}

// RFC 5869 appendix A, test cases 1 to 3.
#[test]
fn hkdf_known_answers() {
    check_hkdf(
        &"0b".repeat(22),
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
    let count = |from: u8, to: u8| hex::encode((from..=to).collect::<Vec<u8>>());
    check_hkdf(
        &count(0x00, 0x4f),
        &count(0x60, 0xaf),
        &count(0xb0, 0xff),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
         59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
         cc30c58179ec3e87c14c01d5c1f3434f1d87",
    );
    check_hkdf(
        &"0b".repeat(22),
        "",
        "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    );
}

// The labels are part of the stored formats.
#[test]
fn sub_keys_are_the_documented_ones() {
    let key = WrappingKey::new(&Secret::from_bytes([7; 32])).unwrap();
    let sub_key = |label: &str, len: usize| {
        let mut out = vec![0; len];
        derive(&[7; 32], &[], label.as_bytes(), &mut out).unwrap();
        out
    };
    assert_eq!(key.id().to_string(), hex::encode(sub_key("bartizan-wrapping-key-id-v1", 16)));

    let wrapped = key.wrap(b"secret", b"aad", &mut crate::OsRandom).unwrap();
    let aead = aead(&sub_key("bartizan-wrap-v1", 32).try_into().unwrap()).unwrap();
    let nonce = Nonce::try_assume_unique_for_key(&wrapped[..12]).unwrap();
    let mut body = wrapped[12..].to_vec();
    assert_eq!(aead.open_in_place(nonce, Aad::from(b"aad"), &mut body).unwrap(), b"secret");

    let mac = hmac::Key::new(hmac::HMAC_SHA256, &sub_key("bartizan-record-mac-v1", 32));
    assert_eq!(key.mac(b"record"), hmac::sign(&mac, b"record").as_ref());
    assert!(key.mac_matches(b"record", &key.mac(b"record")));
    assert!(!key.mac_matches(b"record!", &key.mac(b"record")));
    assert!(!key.mac_matches(b"record", &key.mac(b"record")[..31]));
    assert!(!key.mac_matches(b"record", b""));
}

#[test]
fn an_id_has_one_spelling() {
    let id = "0123456789abcdef0123456789abcdef";
    assert_eq!(id.parse::<WrappingKeyId>().unwrap().to_string(), id);
    for other in [id.to_uppercase(), format!("{id}00"), "0123456789abcdef".to_owned(), String::new()] {
        assert!(other.parse::<WrappingKeyId>().is_err(), "{other}");
    }
}
