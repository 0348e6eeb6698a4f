//! A proof file: under the trust file of the sample nothing but the claims of the samples is proven.
#![no_main]

use std::sync::LazyLock;

use bartizan_keys::TrustFile;
use bartizan_registry::proof::{Claim, ProofFile, VerifyOptions, verify};
use libfuzzer_sys::fuzz_target;

const SAMPLES: [&[u8]; 2] = [
    include_bytes!("../../tests/golden/proof/v1/fraud-1.proof.json"),
    include_bytes!("../../tests/golden/proof/v1/prediction.proof.json"),
];
const OPTIONS: VerifyOptions = VerifyOptions { allow_development: true };

static TRUST: LazyLock<TrustFile> = LazyLock::new(|| {
    let bytes = include_bytes!("../../tests/golden/proof/v1/trust.json");
    TrustFile::parse(bytes).expect("the sample's trust file is one")
});
static CLAIMS: LazyLock<[Claim; 2]> = LazyLock::new(|| {
    SAMPLES.map(|sample| verify(sample, &TRUST, None, OPTIONS).expect("the sample verifies").claim)
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = ProofFile::parse(bytes) {
        assert_eq!(file.to_bytes().expect("a proof file has a form"), bytes);
    }
    if let Ok(verdict) = verify(bytes, &TRUST, None, OPTIONS) {
        assert!(CLAIMS.contains(&verdict.claim), "{:?}", verdict.claim);
    }
});
