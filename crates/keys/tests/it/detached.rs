//! Detached signatures that other tools made: `openssl`, `minisign` 0.11, and a DSSE envelope signed by `openssl`.
//!
//! The samples in `tests/golden/delivery/v1` were made with `openssl pkeyutl -sign -rawin`, `openssl dgst -sha256
//! -sign`, `minisign -S` and `minisign -S -l`.

use bartizan_base::sha256;
use bartizan_keys::PublicKey;
use bartizan_keys::detached::{Detached, DetachedInvalid, MinisignHash};
use bartizan_keys::dsse::Envelope;

const FILE: &[u8] = include_bytes!("../../../../tests/golden/delivery/v1/delivery.csv");
const ED25519: &str = include_str!("../../../../tests/golden/delivery/v1/ed25519.pub.pem");
const ED25519_SIG: &[u8] = include_bytes!("../../../../tests/golden/delivery/v1/ed25519.sig");
const P256: &str = include_str!("../../../../tests/golden/delivery/v1/p256.pub.pem");
const P256_SIG: &[u8] = include_bytes!("../../../../tests/golden/delivery/v1/p256.sig");
const MINISIGN: &str = include_str!("../../../../tests/golden/delivery/v1/minisign.pub");
const PREHASHED: &str = include_str!("../../../../tests/golden/delivery/v1/prehashed.minisig");
const LEGACY: &str = include_str!("../../../../tests/golden/delivery/v1/legacy.minisig");
const ENVELOPE: &[u8] = include_bytes!("../../../../tests/golden/delivery/v1/envelope.json");

fn key(text: &str) -> PublicKey {
    PublicKey::from_key_file(text).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn signatures_of_openssl_are_taken_raw_and_in_base64() {
    for (text, signature) in [(ED25519, ED25519_SIG), (P256, P256_SIG)] {
        let wrapped =
            base64(signature).as_bytes().chunks(20).map(<[u8]>::to_vec).collect::<Vec<_>>().join(&b'\n');
        for written in [signature.to_vec(), base64(signature).into_bytes(), wrapped] {
            let Detached::Raw(raw) = Detached::parse(&written).unwrap() else { panic!("not raw") };
            key(text).verify(FILE, &raw).unwrap();
            assert!(key(text).verify(b"another file", &raw).is_err());
        }
    }
    let digest = sha256(FILE);
    key(P256).verify_sha256(&digest, P256_SIG).unwrap();
    assert!(key(P256).verify_sha256(&sha256(b"another file"), P256_SIG).is_err());
    assert!(key(ED25519).verify_sha256(&digest, ED25519_SIG).is_err(), "Ed25519 signs no digest");
}

#[test]
fn signatures_of_minisign_verify_with_both_of_its_ways() {
    let mut hash = MinisignHash::default();
    FILE.chunks(3).for_each(|piece| hash.update(piece));
    let hash = hash.finish();
    for (text, message, prehashed) in [(PREHASHED, &hash[..], true), (LEGACY, FILE, false)] {
        let Detached::Minisign(minisign) = Detached::parse(text.as_bytes()).unwrap() else {
            panic!("another form")
        };
        assert_eq!(minisign.prehashed(), prehashed);
        minisign.verify(&key(MINISIGN), message).unwrap();
        assert!(minisign.verify(&key(MINISIGN), b"another file").is_err());
        assert!(minisign.verify(&key(ED25519), message).is_err());
        assert!(minisign.verify(&key(P256), message).is_err());
    }
    // The trusted comment is signed too.
    let edited = PREHASHED.replace("delivery of a test", "delivery of a pest");
    let Detached::Minisign(minisign) = Detached::parse(edited.as_bytes()).unwrap() else {
        panic!("another form")
    };
    assert!(minisign.verify(&key(MINISIGN), &hash).is_err());
}

#[test]
fn an_envelope_is_told_from_the_rest() {
    let parsed = Detached::parse(ENVELOPE).unwrap();
    assert_eq!(parsed, Detached::Envelope(Envelope::parse(ENVELOPE).unwrap()));
    let Detached::Envelope(envelope) = parsed else { panic!("another form") };
    let trusted = |id| (id == key(ED25519).id()).then(|| key(ED25519));
    envelope.verify(&trusted, "application/vnd.bartizan.delivery+json").unwrap();
}

#[test]
fn what_is_no_signature_is_refused() {
    let refused = |bytes: &[u8]| Detached::parse(bytes).unwrap_err();
    assert!(matches!(refused(b""), DetachedInvalid::Unknown));
    assert!(matches!(refused(&[0; 63]), DetachedInvalid::Unknown));
    assert!(matches!(refused(b"{}"), DetachedInvalid::Envelope(_)));
    assert!(matches!(refused(&vec![b'a'; 17 * 1024]), DetachedInvalid::TooLarge));
    assert!(matches!(refused(base64(&[7; 65]).as_bytes()), DetachedInvalid::Unknown));
    for cut in ["trusted comment: delivery of a test\n", "untrusted comment: signature"] {
        let text = PREHASHED.replacen(cut, "", 1);
        assert!(Detached::parse(text.as_bytes()).is_err(), "{text}");
    }
    for text in
        ["", "untrusted comment: a key\n", "untrusted comment: a key\nAAAA", "untrusted comment: \n\n"]
    {
        assert!(PublicKey::from_key_file(text).is_err(), "{text}");
    }
}
