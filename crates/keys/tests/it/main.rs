//! Integration tests of the `keys` crate.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod detached;
mod dsse;
mod dsse_fuzz;
mod golden;
mod oms;
mod oms_refused;
mod project;
mod root;
mod secrets;
mod signing;
mod stream;
mod stream_property;
mod subjects;
mod support;
mod trust;
mod vault;
mod vault_faults;
