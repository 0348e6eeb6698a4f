//! Tests of `data` through its public face.
#![expect(clippy::unwrap_used, reason = "test helpers outside #[test] functions")]

mod check;
mod csv;
mod real;
mod schema;
