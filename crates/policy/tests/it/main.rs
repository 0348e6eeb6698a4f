//! The policies through the public face of the crate: matrix, separation of duties, grants, tokens, API keys.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod api_key;
mod approvals;
mod circumstances;
mod decide;
mod explain;
mod grants;
mod matrix;
mod network;
mod property;
mod record;
mod table;
mod world;
