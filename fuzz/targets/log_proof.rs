//! A tlog-proof file: what parses is written as it was read, and only the sample's entry 300 verifies.
#![no_main]

use std::sync::LazyLock;

use bartizan_ledger::{LogProof, TrustedLog, VerifierKey};
use libfuzzer_sys::fuzz_target;

const ENTRY: &[u8] = include_bytes!("../../tests/golden/tlog-proof/v1/entry-300.entry");

static LOG: LazyLock<TrustedLog> = LazyLock::new(|| {
    let parse = |line: &str| line.trim_end().parse::<VerifierKey>().expect("the sample's keys are keys");
    let witnesses = include_str!("../../tests/golden/tlog-proof/v1/witnesses").lines().map(parse).collect();
    let key = parse(include_str!("../../tests/golden/ledger/v1/vkey"));
    TrustedLog::witnessed(key, witnesses, 2).expect("the sample's keys make a log")
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(proof) = LogProof::parse(bytes) else { return };
    assert_eq!(proof.to_text().as_bytes(), bytes);
    if let Ok(included) = proof.verify(ENTRY, &LOG) {
        assert_eq!((included.index(), included.checkpoint().size()), (300, 770));
    }
});
