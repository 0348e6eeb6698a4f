//! A signed note: what opens under the key of the sample ledger is the checkpoint of the sample, or an older one.
#![no_main]

use std::sync::LazyLock;

use bartizan_ledger::{SignedCheckpoint, TrustedLog, VerifierKey};
use libfuzzer_sys::fuzz_target;

static LOG: LazyLock<TrustedLog> = LazyLock::new(|| {
    let key = include_str!("../../tests/golden/ledger/v1/vkey").trim_end();
    TrustedLog::new(key.parse().expect("the sample's key is a key")).expect("one key makes a log")
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(key) = text.parse::<VerifierKey>()
    {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(checkpoint) = SignedCheckpoint::open(bytes, &LOG) {
        assert_eq!(checkpoint.note().as_bytes(), bytes);
        assert_eq!(checkpoint.origin(), LOG.origin());
        // The sample's key signed trees of 1, 200, 256, 765 and 770 entries.
        assert!([1, 200, 256, 765, 770].contains(&checkpoint.size()), "{}", checkpoint.size());
    }
});
