//! Tests of `model` through its public face.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers outside #[test]; a skipped test says so"
)]

mod cases;
mod real;
