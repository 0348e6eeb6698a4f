//! Tests of `data` through its public face.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers outside #[test]; a skipped test says so"
)]

mod beside;
mod check;
mod csv;
mod drift;
mod expectations;
mod expression;
mod folder;
mod formats;
mod hostile;
mod numbers;
mod openlineage;
mod pii;
mod profile;
mod quality;
mod real;
mod report;
mod rules;
mod schema;
mod sketch;
mod unusual;
mod update;
