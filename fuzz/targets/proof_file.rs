//! A proof file: under the trust file of the sample nothing but the claim of the sample is proven.
#![no_main]

use std::sync::LazyLock;

use bartizan_keys::TrustFile;
use bartizan_registry::proof::{Claim, ProofFile, VerifyOptions, verify};
use libfuzzer_sys::fuzz_target;

const SAMPLE: &[u8] = include_bytes!("../../tests/golden/proof/v1/fraud-1.proof.json");
const OPTIONS: VerifyOptions = VerifyOptions { allow_development: true };

static TRUST: LazyLock<TrustFile> = LazyLock::new(|| {
    let bytes = include_bytes!("../../tests/golden/proof/v1/trust.json");
    TrustFile::parse(bytes).expect("the sample's trust file is one")
});
static CLAIM: LazyLock<Claim> =
    LazyLock::new(|| verify(SAMPLE, &TRUST, None, OPTIONS).expect("the sample verifies").claim);

fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = ProofFile::parse(bytes) {
        assert_eq!(file.to_bytes().expect("a proof file has a form"), bytes);
    }
    if let Ok(verdict) = verify(bytes, &TRUST, None, OPTIONS) {
        assert_eq!(verdict.claim, *CLAIM);
    }
});
