//! Events of OpenLineage: what is read has a stored form that is read again as the same, and points nowhere outside.
#![no_main]

use bartizan_data::openlineage::{Lineage, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(lineage) = read(bytes) {
        let (jobs, datasets) = (lineage.jobs.len() as u64, lineage.datasets.len() as u64);
        assert!(lineage.flows.iter().all(|flow| flow.job < jobs && flow.dataset < datasets));
        assert!(lineage.runs.iter().all(|run| run.job < jobs));
        let stored = lineage.to_bytes().expect("what was read has a stored form");
        assert_eq!(Lineage::parse(&stored).expect("the stored form is read"), lineage);
    }
    if let Ok(lineage) = Lineage::parse(bytes) {
        assert_eq!(lineage.to_bytes().expect("what was read has a stored form"), bytes);
    }
});
