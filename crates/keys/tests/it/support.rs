//! What the tests share: a repeatable generator, open keys, blobs, and the samples of the stored formats.

use std::error::Error;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use bartizan_base::{BlobName, Blobs, ProjectId, Timestamp, read_all, sha256};
use bartizan_keys::{Argon2Cost, FileKeyStore, KeyStore, Keys, Passphrase, SealedKeyStore};
use bartizan_store::MemBlobs;
use rand_core::utils::next_word_via_fill;
use rand_core::{Infallible, TryCryptoRng, TryRng};
use tempfile::TempDir;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_772_366_400_000);

/// A generator that gives the same bytes for the same seed.
pub(crate) struct TestRng {
    seed: u64,
    block: u64,
}

pub(crate) fn rng(seed: u64) -> TestRng {
    TestRng { seed, block: 0 }
}

impl TryRng for TestRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(32) {
            let block = sha256(&[self.seed.to_be_bytes(), self.block.to_be_bytes()].concat());
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
            self.block += 1;
        }
        Ok(())
    }
}

impl TryCryptoRng for TestRng {}

/// The keys of a project in memory, with the directory of their development root key.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) key_blobs: MemBlobs,
    pub(crate) blobs: MemBlobs,
    pub(crate) keys: Keys,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key_blobs = MemBlobs::new();
        let root = Box::new(FileKeyStore::create(dir.path(), &mut rng(seed)).unwrap());
        let keys =
            Keys::create(Arc::new(key_blobs.clone()), root, project(1), &mut rng(seed + 1), NOW).unwrap();
        Self { dir, key_blobs, blobs: MemBlobs::new(), keys }
    }

    pub(crate) fn root(&self) -> Box<dyn KeyStore> {
        Box::new(FileKeyStore::open(self.dir.path()).unwrap())
    }

    /// Opens the keys again, through `blobs` instead of the ones they were made in.
    pub(crate) fn open_through(&self, blobs: impl Blobs + 'static) -> Keys {
        Keys::open(Arc::new(blobs), self.root()).unwrap()
    }

    pub(crate) fn content(&self, blob: &BlobName) -> Vec<u8> {
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut self.keys.unseal(&self.blobs, blob).unwrap(), &mut content).unwrap();
        content
    }
}

pub(crate) fn project(byte: u8) -> ProjectId {
    ProjectId::from_random([byte; 16])
}

pub(crate) fn name(text: &str) -> BlobName {
    text.parse().unwrap()
}

pub(crate) fn bytes(blobs: &dyn Blobs, blob: &BlobName) -> Vec<u8> {
    read_all(blobs, blob, 1 << 30).unwrap()
}

pub(crate) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.as_bytes().to_vec()).unwrap()
}

/// A sealed store that costs as little as is allowed.
pub(crate) fn sealed_store(dir: &TempDir, seed: u64) -> SealedKeyStore {
    let cost = Argon2Cost::LEAST;
    SealedKeyStore::create(dir.path(), &passphrase("correct horse battery"), cost, &mut rng(seed)).unwrap()
}

/// Bytes that repeat late and at no segment border.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

/// The messages of an error and its sources.
pub(crate) fn chain<T: Debug, E: Error>(result: Result<T, E>) -> String {
    let error = result.unwrap_err();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// The folder with the samples of a stored format.
pub(crate) fn golden(format: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(format).join("v1")
}
