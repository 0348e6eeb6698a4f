//! A trust file: what parses has one form, and that form is what was read.
#![no_main]

use bartizan_keys::TrustFile;
use bartizan_registry::proof::trusted_log;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(trust) = TrustFile::parse(bytes) else { return };
    let written = trust.to_bytes().expect("a trust file has a form");
    assert_eq!(TrustFile::parse(&written).expect("the form is a trust file"), trust);
    if let Ok(log) = trusted_log(&trust) {
        assert_eq!(log.witnesses().len(), trust.witnesses.len());
    }
});
