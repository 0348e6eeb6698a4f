//! Reports of drift, and what is remembered of them between runs: what is read is written again as the same bytes.
#![no_main]

use bartizan_data::drift::{DriftReport, Watch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(watch) = Watch::from_bytes(bytes) {
        assert_eq!(watch.to_bytes().expect("a watch that was read can be written"), bytes);
    }
    if let Ok(report) = DriftReport::from_bytes(bytes) {
        assert_eq!(report.to_bytes().expect("a report that was read can be written"), bytes);
        report.outcome();
        report.render();
    }
});
