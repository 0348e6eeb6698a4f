//! Envelopes from hostile hands: parsing never panics, and what verifies is what was signed.

use std::sync::LazyLock;

use bartizan_keys::dsse::{self, Envelope};
use bartizan_keys::{Algorithm, SigningKey};
use proptest::prelude::*;

use crate::support::rng;

const TYPE: &str = "application/vnd.in-toto+json";
const PAYLOAD: &[u8] = br#"{"_type":"https://in-toto.io/Statement/v1"}"#;

static KEYS: LazyLock<[SigningKey; 2]> =
    LazyLock::new(|| [1, 2].map(|seed| SigningKey::generate(Algorithm::Ed25519, &mut rng(seed)).unwrap()));
static SIGNED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let [a, b] = &*KEYS;
    dsse::sign(TYPE, PAYLOAD, &[a, b]).unwrap().to_bytes()
});

// INVARIANT under test: no change lets another payload or type pass, or a signer appear that did not sign.
fn judge(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(envelope) = Envelope::parse(bytes) {
        prop_assert_eq!(&Envelope::parse(&envelope.to_bytes()).unwrap(), &envelope);
    }
    let trusted = |id| KEYS.iter().map(SigningKey::public).find(|key| key.id() == id).cloned();
    if let Ok(verified) = dsse::verify(bytes, &trusted, TYPE) {
        prop_assert_eq!(verified.get().bytes.as_slice(), PAYLOAD);
        prop_assert!(!verified.signers().is_empty());
    }
    Ok(())
}

proptest! {
    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        judge(&bytes)?;
    }

    #[test]
    fn random_json_of_the_right_shape(
        payload in "[A-Za-z0-9+/_=-]{0,12}", kind in ".{0,6}", keyid in ".{0,6}", sig in "[A-Za-z0-9+/=]{0,8}",
    ) {
        let value = serde_json::json!({
            "payload": payload, "payloadType": kind, "signatures": [{"keyid": keyid, "sig": sig}],
        });
        judge(&serde_json::to_vec(&value).unwrap())?;
    }

    #[test]
    fn changed_bytes(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = SIGNED.clone();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        judge(&bytes)?;
    }

    #[test]
    fn cut_and_spliced(at in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let (at, to) = (at.index(SIGNED.len()), to.index(SIGNED.len()));
        judge(&SIGNED[..at])?;
        judge(&[&SIGNED[..at], &SIGNED[to..]].concat())?;
    }
}
