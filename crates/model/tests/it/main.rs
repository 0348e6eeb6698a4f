//! Tests of `model` through its public face.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test that meets the unexpected must fail; a skipped test says so"
)]

mod cases;
mod mutated;
mod operators;
mod real;
mod refused;
mod training;
mod writer;
