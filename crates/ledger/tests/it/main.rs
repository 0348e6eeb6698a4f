//! Tests of `ledger` through its public face.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected must fail"
)]

mod append;
mod checkpoints;
mod crash;
mod fsck;
//mod golden;
mod merkle;
mod notes;
mod proofs;
mod read;
mod remembered;
mod support;
mod tiles;
mod writers;
