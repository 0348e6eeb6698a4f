//! Lines of JSON: read by one thread and by three to the same profile or the same error.
#![no_main]

mod tables;

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: tables::let_decoders_panic(),
    |bytes: &[u8]| tables::read(bytes, bartizan_data::Format::Json)
);
