//! The policies through the public face of the crate: matrix, separation of duties, grants, tokens, API keys.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod api_key;
mod approvals;
mod decide;
mod explain;
mod matrix;
mod network;
mod property;
mod record;
mod table;
mod world;
