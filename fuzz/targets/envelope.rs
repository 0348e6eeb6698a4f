//! A DSSE envelope: what verifies under the keys of the sample is the payload of the sample.
#![no_main]

use std::sync::LazyLock;

use bartizan_keys::PublicKey;
use bartizan_keys::dsse::{self, Envelope};
use libfuzzer_sys::fuzz_target;

const TYPE: &str = "application/vnd.in-toto+json";
const PAYLOAD: &[u8] = include_bytes!("../../tests/golden/dsse/v1/payload.json");

static KEYS: LazyLock<[PublicKey; 2]> = LazyLock::new(|| {
    [
        include_str!("../../tests/golden/dsse/v1/ed25519.pub"),
        include_str!("../../tests/golden/dsse/v1/p256.pub"),
    ]
    .map(|pem| PublicKey::from_pem(pem).expect("the sample's keys are keys"))
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(envelope) = Envelope::parse(bytes) {
        assert_eq!(Envelope::parse(&envelope.to_bytes()).expect("an envelope parses"), envelope);
    }
    let trusted = |id| KEYS.iter().find(|key| key.id() == id).cloned();
    if let Ok(verified) = dsse::verify(bytes, &trusted, TYPE) {
        assert_eq!(verified.get().bytes, PAYLOAD);
        assert!(!verified.signers().is_empty());
    }
});
