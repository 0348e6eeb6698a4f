//! Segments of prediction records: each follows the one before of its gateway, and none is stated twice.

use bartizan_base::{Digest, Timestamp, sha256};
use bartizan_registry::Failed;
use bartizan_registry::statement::SegmentV1;

use crate::world::World;

const GATEWAY: &str = "07070707070707070707070707070707";

/// Segment `number` with sequence numbers `first` to `first + count + lost - 1`.
fn segment(number: u64, epoch: u64, first: u64, count: u64, previous: Option<&SegmentV1>) -> SegmentV1 {
    SegmentV1 {
        gateway: GATEWAY.to_owned(),
        epoch,
        number,
        first,
        count,
        lost: 1,
        root: root(number, count),
        previous: previous.map(|previous| previous.root),
        at: "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap(),
    }
}

/// Empty segments have the same root, whichever they are.
fn root(number: u64, count: u64) -> Digest {
    if count == 0 { sha256(b"") } else { sha256(&number.to_be_bytes()) }
}

async fn refused(world: &World, segment: SegmentV1) {
    let error = world.registry.state_segment(segment.clone()).await.unwrap_err();
    assert!(matches!(error, Failed::Entry(_)), "{segment:?}: {error:?}");
}

#[tokio::test]
async fn segments_leave_no_gap() {
    let world = World::new().await;
    refused(&world, segment(1, 1, 2, 5, None)).await;
    let first = segment(1, 1, 1, 5, None);
    world.registry.state_segment(first.clone()).await.unwrap();
    let next = |number, epoch, sequence| segment(number, epoch, sequence, 3, Some(&first));
    for wrong in [
        SegmentV1 { root: sha256(b"x"), ..next(1, 1, 7) },
        next(2, 0, 1),
        next(2, 1, 6),
        next(2, 1, 8),
        next(2, 2, 7),
        SegmentV1 { previous: None, ..next(2, 1, 7) },
        SegmentV1 { count: 65_536, ..next(2, 1, 7) },
        SegmentV1 { count: 9_007_199_254_740_991, ..next(2, 1, 7) },
        SegmentV1 { gateway: "7".to_owned(), ..next(2, 1, 7) },
    ] {
        refused(&world, wrong).await;
    }
    let second = next(2, 1, 7);
    world.registry.state_segment(second.clone()).await.unwrap();
    // Numbers may be left out, and a new epoch begins anew.
    world.registry.state_segment(segment(4, 3, 1, 2, Some(&second))).await.unwrap();
    let last = world.registry.state().segments()[GATEWAY];
    assert_eq!((last.number, last.epoch, last.records), (4, 3, 10));
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn a_segment_is_stated_once_and_empty_ones_are_stated_each() {
    let world = World::new().await;
    let size = || world.registry.state().next_index();
    let first = segment(1, 1, 1, 0, None);
    for _ in 0..2 {
        world.registry.state_segment(first.clone()).await.unwrap();
    }
    let before = size();
    let second = segment(2, 1, 2, 0, Some(&first));
    world.registry.state_segment(second).await.unwrap();
    assert_eq!((size(), world.registry.state().segments()[GATEWAY].number), (before + 1, 2));
}
