//! What one statement holds of an erasure.

use bartizan_base::limits::ENTRY_BYTES;
use bartizan_base::{Digest, ErasureId, Timestamp};

use super::{ERASED_RANGES, ERASED_SEGMENTS, portions};
use crate::statement::{ErasedSegment, ErasureStep, ErasureV1, Statement};

fn segment(number: u64, ranges: usize) -> ErasedSegment {
    let ranges = u32::try_from(ranges).unwrap();
    // The longest numbers that there are.
    let records = (0..ranges).map(|at| (60_000 + 2 * at, 60_000 + 2 * at)).collect();
    ErasedSegment { number: 9_007_199_254_000_000 + number, root: Digest::from_bytes([0xff; 32]), records }
}

#[test]
fn what_is_erased_is_divided_into_statements_that_fit_an_entry() {
    let many = |count: u64, ranges| (0..count).map(|number| segment(number, ranges)).collect::<Vec<_>>();
    let (most, all) = (u64::try_from(ERASED_SEGMENTS).unwrap(), ERASED_RANGES);
    for (case, segments, expected) in [
        ("nothing", vec![], vec![]),
        ("one", many(1, 1), vec![1]),
        ("as many as fit", many(most, 1), vec![ERASED_SEGMENTS]),
        ("one more", many(most + 1, 1), vec![ERASED_SEGMENTS, 1]),
        ("as much as fits", many(2, all / 2), vec![2]),
        ("more records", many(3, all / 2), vec![2, 1]),
        ("one segment for several", vec![segment(1, 2 * all + 1), segment(2, 1)], vec![1, 1, 1, 1]),
        ("unread", many(2, 0), vec![2]),
    ] {
        let portions = portions(segments.clone());
        assert_eq!(portions.iter().map(Vec::len).collect::<Vec<_>>(), expected, "{case}");
        let records = |segments: &[ErasedSegment]| {
            segments.iter().flat_map(|segment| segment.records.clone()).collect::<Vec<_>>()
        };
        assert_eq!(records(&portions.concat()), records(&segments), "{case}");
        for segments in portions {
            let step = ErasureStep::Records { gateway: "0".repeat(32), segments };
            let erasure = ErasureId::from_random([0; 16]);
            let body = ErasureV1 { erasure, step, at: Timestamp::EPOCH };
            let payload = Statement::about(body).to_bytes().unwrap().len();
            // In base64, with signature and key id around it.
            assert!(payload.div_ceil(3) * 4 + 1024 <= ENTRY_BYTES, "{case}: {payload}");
        }
    }
}
