//! The binary as its users run it.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests run the binary, and what is unexpected must fail them"
)]

mod api;
mod bench;
mod crash;
mod input;
