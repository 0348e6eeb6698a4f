//! The binary as its users run it.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests run the binary, and what is unexpected must fail them"
)]

mod api;
mod back;
mod bench;
mod beside;
mod bodies;
mod client;
mod console;
mod crash;
mod demo;
mod drift;
mod drift_told;
mod endpoints;
mod input;
mod killed;
mod lineage;
mod metrics;
mod pii;
mod poison;
mod predictions;
mod progress;
mod proving;
mod remote;
mod report;
mod runs;
mod schema;
mod serving;
mod stops;
mod tables;
mod up;
