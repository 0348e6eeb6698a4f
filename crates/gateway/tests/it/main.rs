//! Tests of `gateway` through its public face.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers outside #[test]; a skipped test says so"
)]

mod asked;
mod endpoint;
mod hostile;
mod onnx;
mod predict;
mod protocol;
mod real;
mod replay;
mod shelf;
mod validate;
