//! An OMS bundle: what verifies under the key of the samples names the files of the samples.
#![no_main]

use std::sync::LazyLock;

use bartizan_base::Digest;
use bartizan_keys::{PublicKey, oms};
use libfuzzer_sys::fuzz_target;

const SAMPLES: [&[u8]; 2] = [
    include_bytes!("../../tests/golden/oms-bundle/v1/bartizan.sig"),
    include_bytes!("../../tests/golden/oms-bundle/v1/model-signing-1.1.1.sig"),
];

static KEY: LazyLock<PublicKey> = LazyLock::new(|| {
    let pem = include_str!("../../tests/golden/oms-bundle/v1/key.pub");
    PublicKey::from_pem(pem).expect("the sample's key is a key")
});
static ROOTS: LazyLock<[Digest; 2]> =
    LazyLock::new(|| SAMPLES.map(|bundle| oms::verify(bundle, &KEY).expect("the samples verify").get().root));

fuzz_target!(|bytes: &[u8]| {
    if let Ok(verified) = oms::verify(bytes, &KEY) {
        assert!(ROOTS.contains(&verified.get().root));
        assert_eq!(oms::root(&verified.get().files).expect("signed files have a root"), verified.get().root);
    }
});
