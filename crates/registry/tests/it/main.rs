//! The registry through its public face: one project in memory, from its beginning to a verified proof.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers outside #[test] functions")]

mod beside;
mod data;
mod delivered;
mod duties;
mod endpoints;
mod erasures;
mod faults;
mod integrity;
mod judged;
mod lineage;
mod manifests;
mod models;
mod predictions;
mod proofs;
mod runs;
mod segments;
mod sources;
mod tokens;
mod turns;
mod uploads;
mod world;
