//! What is remembered of drift between runs: what is read is written again as the same bytes.
#![no_main]

use bartizan_data::drift::Watch;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(watch) = Watch::from_bytes(bytes) else { return };
    assert_eq!(watch.to_bytes().expect("a watch that was read can be written"), bytes);
});
