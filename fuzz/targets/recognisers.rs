//! The text of a file of recognisers: what parses can be searched with, in any text.
#![no_main]

use bartizan_data::pii::{Detector, DetectorOptions, KindSet, Recognisers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(recognisers) = Recognisers::parse(text) else { return };
    let options = DetectorOptions { kinds: KindSet::EMPTY, min_score: 0, recognisers: Some(recognisers) };
    for one in Detector::new(&options).find(bytes) {
        assert!(one.start() < one.end() && one.end() <= bytes.len() as u64);
    }
});
