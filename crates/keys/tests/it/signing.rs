//! Keys that sign: known answers, foreign forms, and signatures that must not verify.

use bartizan_base::sha256;
use bartizan_keys::{Algorithm, KeyId, OsRandom, PublicKey, PublicKeyInvalid, SignatureInvalid, SigningKey};
use expect_test::{Expect, expect};

use crate::support::{chain, rng};

const BOTH: [Algorithm; 2] = [Algorithm::EcdsaP256Sha256, Algorithm::Ed25519];

// RFC 8032 section 7.1, test 2, its seed in PKCS#8 (RFC 8410 section 7).
const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7
-----END PRIVATE KEY-----
";

#[test]
fn ed25519_known_answer() {
    let key = SigningKey::from_pkcs8_pem(ED25519_PEM).unwrap();
    let public = hex::decode("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").unwrap();
    assert_eq!(key.public().ed25519_raw().unwrap().as_slice(), public);
    let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                     085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    assert_eq!(hex::encode(key.sign(&[0x72]).unwrap()), signature);
    assert_eq!(key.public().verify(&[0x72], &hex::decode(signature).unwrap()), Ok(()));
}

// RFC 6979 appendix A.2.5: the key, and its signature of "sample" with SHA-256.
#[test]
fn p256_known_answer() {
    let point = "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
                 7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
    let spki = format!("3059301306072a8648ce3d020106082a8648ce3d030107034200{point}");
    let key = PublicKey::from_spki_der(&hex::decode(spki).unwrap()).unwrap();
    let signature = "3046\
         022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
         022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
    let signature = hex::decode(signature).unwrap();
    assert_eq!(key.verify(b"sample", &signature), Ok(()));
    assert_eq!(key.verify(b"Sample", &signature), Err(SignatureInvalid));
}

#[test]
fn what_is_signed_verifies_and_nothing_else_does() {
    for algorithm in BOTH {
        let key = SigningKey::generate(algorithm, &mut rng(1)).unwrap();
        let other = SigningKey::generate(algorithm, &mut rng(2)).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert_eq!(key.public().verify(b"message", &signature), Ok(()));
        assert_eq!(key.public().verify(b"massage", &signature), Err(SignatureInvalid));
        assert_eq!(key.public().verify(b"", &signature), Err(SignatureInvalid));
        assert_eq!(other.public().verify(b"message", &signature), Err(SignatureInvalid));
        for index in 0..signature.len() {
            let mut changed = signature.clone();
            changed[index] ^= 1;
            assert_eq!(key.public().verify(b"message", &changed), Err(SignatureInvalid), "byte {index}");
        }
        for wrong in [&signature[1..], &signature[..signature.len() - 1], &[], &[0; 64], &[0x30, 0]] {
            assert_eq!(key.public().verify(b"message", wrong), Err(SignatureInvalid));
        }
        let longer = [signature.as_slice(), &[0]].concat();
        assert_eq!(key.public().verify(b"message", &longer), Err(SignatureInvalid));
    }
}

// Encodings that Wycheproof's ECDSA vectors warn of.
#[test]
fn degenerate_ecdsa_signatures_are_refused() {
    let key = SigningKey::generate(Algorithm::EcdsaP256Sha256, &mut rng(3)).unwrap();
    let order = "00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    for signature in [
        "3006020100020100".to_owned(),    // r = s = 0
        "3006020101020100".to_owned(),    // s = 0
        "3006020100020101".to_owned(),    // r = 0
        "30060201ff020101".to_owned(),    // r = -1
        format!("30260221{order}020101"), // r = the order
        format!("30260201010221{order}"), // s = the order
        "308006020101020101".to_owned(),  // indefinite length
    ] {
        let signature = hex::decode(signature).unwrap();
        assert_eq!(key.public().verify(b"message", &signature), Err(SignatureInvalid));
    }
}

// RFC 8032 section 5.1.7: S plus the order of the group is the same number to a lax verifier.
#[test]
fn malleable_ed25519_signatures_are_refused() {
    let key = SigningKey::from_pkcs8_pem(ED25519_PEM).unwrap();
    let good = key.sign(b"message").unwrap();
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let mut changed = good.clone();
    let mut carry = 0;
    for (digit, addend) in changed[32..].iter_mut().zip(hex::decode(order).unwrap()) {
        let sum = u16::from(*digit) + u16::from(addend) + carry;
        [*digit, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert_eq!(key.public().verify(b"message", &good), Ok(()));
    assert_eq!(key.public().verify(b"message", &changed), Err(SignatureInvalid));
}

// The points whose order divides 8, and every second encoding of a point, with either sign. Under the neutral
// element, the signature of 32 bytes of it and 32 zeros verifies over every message.
#[test]
fn weak_ed25519_keys_are_refused() {
    let p = |low: u8| format!("{low:02x}{}7f", "ff".repeat(30));
    let mut points = vec![
        "00".repeat(32),
        format!("01{}", "00".repeat(31)),
        p(0xec),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".to_owned(),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a".to_owned(),
    ];
    points.extend((0xed..=0xff).map(p));
    for point in points {
        let mut raw: [u8; 32] = hex::decode(point).unwrap().try_into().unwrap();
        for sign in [0, 0x80] {
            raw[31] ^= sign;
            let key = PublicKey::from_ed25519_raw(&raw);
            assert_eq!(key, Err(PublicKeyInvalid::Key), "{}", hex::encode(raw));
        }
    }
    // The largest y of all, and the smallest beside a weak one, are as good as others.
    for good in [p(0xeb), format!("03{}", "00".repeat(31))] {
        assert!(PublicKey::from_ed25519_raw(&hex::decode(good).unwrap().try_into().unwrap()).is_ok());
    }
}

#[test]
fn a_public_key_survives_every_form() {
    for algorithm in BOTH {
        let key = SigningKey::generate(algorithm, &mut OsRandom).unwrap().public().clone();
        assert_eq!(PublicKey::from_spki_der(key.spki_der()).unwrap(), key);
        assert_eq!(PublicKey::from_pem(&key.pem()).unwrap(), key);
        assert_eq!(serde_json::from_value::<PublicKey>(serde_json::to_value(&key).unwrap()).unwrap(), key);
        assert_eq!(key.id(), KeyId::from_digest(sha256(key.spki_der())));
        assert_eq!(key.id().to_string().parse::<KeyId>().unwrap(), key.id());
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(key.ed25519_raw().is_some(), algorithm == Algorithm::Ed25519);
        if let Some(raw) = key.ed25519_raw() {
            assert_eq!(PublicKey::from_ed25519_raw(&raw).unwrap(), key);
        }
    }
}

#[test]
fn a_key_id_has_one_spelling() {
    let id = "ab".repeat(32);
    assert!(id.parse::<KeyId>().is_ok());
    for other in [id.to_uppercase(), format!("sha256:{id}"), format!("{id} "), String::new(), "é".repeat(32)]
    {
        assert!(other.parse::<KeyId>().is_err(), "{other}");
    }
}

fn check_public(der: &[u8], expected: Expect) {
    expected.assert_eq(&chain(PublicKey::from_spki_der(der)));
}

#[test]
fn other_public_keys_are_refused() {
    let p256 = SigningKey::generate(Algorithm::EcdsaP256Sha256, &mut rng(4)).unwrap();
    let der = p256.public().spki_der().to_vec();
    let elsewhere = "not the DER of an Ed25519 key or of an uncompressed P-256 key";
    for other in [&der[1..], &der[..der.len() - 1], &[der.as_slice(), &[0]].concat(), &[]] {
        assert_eq!(chain(PublicKey::from_spki_der(other)), elsewhere);
    }
    let mut off_curve = der.clone();
    off_curve[90] ^= 1;
    check_public(&off_curve, expect!["not a valid key of its algorithm"]);
    let mut compressed = der.clone();
    compressed[26] = 2;
    check_public(&compressed, expect!["not the DER of an Ed25519 key or of an uncompressed P-256 key"]);

    let pem = p256.public().pem();
    for other in [
        String::new(),
        pem.replace("PUBLIC", "PRIVATE"),
        pem.repeat(2),
        pem.replace('=', ""),
        format!("{pem}{}", " ".repeat(20_000)),
    ] {
        assert_eq!(
            chain(PublicKey::from_pem(&other)),
            "not a PEM file with one `PUBLIC KEY` block",
            "{other}"
        );
    }
}

#[test]
fn other_private_keys_are_refused() {
    let garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    expect!["not the PKCS#8 form of an Ed25519 or P-256 key"]
        .assert_eq(&chain(SigningKey::from_pkcs8_pem(garbage)));
    let sec1 = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
    expect!["not a PEM file with one unencrypted `PRIVATE KEY` block (PKCS#8)"]
        .assert_eq(&chain(SigningKey::from_pkcs8_pem(sec1)));
}

// All zeros are no P-256 scalar; a generator stuck there ends in an error, not in a loop.
#[test]
fn a_broken_generator_makes_no_key() {
    struct Stuck;
    impl rand_core::TryRng for Stuck {
        type Error = rand_core::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, rand_core::Infallible> {
            Ok(0)
        }
        fn try_next_u64(&mut self) -> Result<u64, rand_core::Infallible> {
            Ok(0)
        }
        fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), rand_core::Infallible> {
            dst.fill(0);
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Stuck {}
    let made = SigningKey::generate(Algorithm::EcdsaP256Sha256, &mut Stuck);
    expect!["not a valid private key of its algorithm"].assert_eq(&chain(made));
}
