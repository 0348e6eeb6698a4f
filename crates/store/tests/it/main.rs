//! Tests of `store` through its public face.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected must fail"
)]

mod blobs_contract;
mod cas_contract;
mod crash;
mod failures;
mod files;
mod golden;
mod lock;
mod objects;
mod records;
mod sql;

use bartizan_base::{BlobError, BlobName, Blobs, read_all};

fn name(text: &str) -> BlobName {
    text.parse().unwrap()
}

fn get(blobs: &dyn Blobs, text: &str) -> Result<Vec<u8>, BlobError> {
    read_all(blobs, &name(text), 1 << 20)
}

fn put(blobs: &dyn Blobs, text: &str, bytes: &[u8]) -> Result<(), BlobError> {
    blobs.put(&[(&name(text), bytes)])
}

fn texts(names: &[BlobName]) -> Vec<&str> {
    names.iter().map(BlobName::as_str).collect()
}
