//! Tests of `ledger` through its public face.

#![expect(
    clippy::cast_possible_truncation,
    clippy::needless_range_loop,
    clippy::reversed_empty_ranges,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected must fail; sizes here are small, and empty ranges are a case"
)]

mod append;
mod batch;
mod checkpoints;
mod crash;
mod fsck;
mod golden;
mod merkle;
mod notes;
mod proofs;
mod read;
mod remembered;
mod segment;
mod support;
mod tiles;
mod writers;
