//! Storing content encrypted: one pass that hashes and encrypts, then the data key; erasing by destroying it.

use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use bartizan_base::canonical::{self, EncodeError};
use bartizan_base::{
    ArtifactId, BlobError, BlobErrorKind, BlobName, BlobWriter, Blobs, Digest, Hasher, Timestamp, read_all,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::Keys;
use super::record::{DATA_FORMAT, DataBinding, DataRecord, name, stream_aad};
use super::unseal::UnsealFailed;
use crate::encoding::{from_base64, to_base64};
use crate::limits::WRAPPED_KEY_BYTES;
use crate::secret::Secret;
use crate::stream::{CopyFailed, Encryptor};
use crate::wrap::CryptoFailed;

/// Content that is stored encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The name of the encrypted blob.
    pub blob: BlobName,
    /// SHA-256 of the content.
    pub digest: Digest,
    /// Bytes of the content.
    pub size: u64,
    /// The [`commitment`] to the content, fit for the ledger.
    pub commitment: Digest,
    /// Whether equal content was known already: nothing was written, unless its ciphertext was lost.
    pub already: bool,
}

/// Content that was encrypted and has no name yet. When this is dropped, it is gone.
pub struct Unnamed {
    key: DataKey,
    writer: Box<dyn BlobWriter>,
}

impl std::fmt::Debug for Unnamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unnamed({} bytes)", self.key.size)
    }
}

/// Content could not be stored. Nothing readable was stored, unless the storage failed while the key was
/// written: then the content may be stored whole. Sealing again is safe.
#[derive(Debug, thiserror::Error)]
pub enum SealFailed {
    /// The source cannot be read.
    #[error("cannot read the content")]
    Read(#[source] io::Error),
    /// The encrypted bytes cannot be written.
    #[error("cannot write the encrypted content")]
    Write(#[source] io::Error),
    /// The storage failed.
    #[error("cannot store the encrypted content")]
    Storage(#[from] BlobError),
    /// Equal content is stored already, and its key or ciphertext cannot be read.
    #[error("equal content is stored already and cannot be used")]
    ExistingKey(#[source] UnsealFailed),
    /// The record has no canonical form: the content has 2^53 bytes or more.
    #[error("cannot encode the wrapped key")]
    Encode(#[from] EncodeError),
    /// The cryptographic library failed, which it does only without memory.
    #[error("cannot encrypt")]
    Crypto(#[from] CryptoFailed),
}

/// A data key could not be destroyed; whether it was is unknown, and erasing again is safe.
#[derive(Debug, thiserror::Error)]
pub enum EraseFailed {
    /// The name is not one that [`Keys::blob_name`] makes.
    #[error("`{name}` is not the name of encrypted content")]
    NotSealed {
        /// The name.
        name: BlobName,
    },
    /// The storage of the keys failed.
    #[error("cannot destroy the data key")]
    Storage(#[from] BlobError),
}

/// What the ledger says of private content: SHA-256(salt || SHA-256(content)).
///
/// It binds to the content and, while the 32 random bytes of salt are secret, says nothing about it. The digest
/// stands in for the content so that content is hashed once.
pub fn commitment(salt: &[u8; 32], digest: &Digest) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(salt);
    hasher.update(digest.as_bytes());
    hasher.finish()
}

impl Keys {
    /// Encrypts all of `source` into `blobs`, in one pass: each byte is hashed once and encrypted in place.
    ///
    /// Content that this project stores already is not stored twice, though it is hashed and encrypted to find
    /// that out. The content's key is written last: a crash before leaves ciphertext that nobody can read,
    /// and sealing again replaces it. Memory: about 1 MiB, whatever the size.
    ///
    /// # Errors
    /// When the source, the storage, or the key of equal content fails.
    pub fn seal(
        &self,
        blobs: &dyn Blobs,
        source: &mut dyn Read,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Sealed, SealFailed> {
        let unnamed = self.encrypt(blobs, source, rng, now)?;
        self.name(blobs, unnamed, rng)
    }

    /// The first half of [`Keys::seal`], which takes as long as the source does: encrypts all of it, hashing it on the way.
    /// Nothing of it is stored before it has a name.
    ///
    /// # Errors
    /// When the source or the storage fails.
    pub fn encrypt(
        &self,
        blobs: &dyn Blobs,
        source: &mut dyn Read,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Unnamed, SealFailed> {
        let mut artifact = [0; 16];
        rng.fill_bytes(&mut artifact);
        let artifact = ArtifactId::from_random(artifact);
        let key = Secret::generate(rng);
        let salt = Secret::generate(rng);

        let mut hasher = Hasher::new();
        let mut stream = Encryptor::new(blobs.create()?, &key, &stream_aad(self.project, artifact), rng)?;
        let size = stream.copy_from(source, &mut hasher).map_err(|error| match error {
            CopyFailed::Read(source) => SealFailed::Read(source),
            CopyFailed::Write(source) => SealFailed::Write(source),
        })?;
        let digest = hasher.finish();
        let writer = stream.finish().map_err(SealFailed::Write)?;
        Ok(Unnamed { key: DataKey { artifact, key, salt, digest, size, created_at: now }, writer })
    }

    /// The second half: stores it, unless equal content is stored already.
    ///
    /// # Errors
    /// When the storage or the key of equal content fails.
    pub fn name(
        &self,
        blobs: &dyn Blobs,
        unnamed: Unnamed,
        rng: &mut dyn CryptoRng,
    ) -> Result<Sealed, SealFailed> {
        let blob = self.blob_name(&unnamed.key.digest);
        self.keep(blobs, blob, unnamed, rng)
    }

    /// As [`Keys::seal`], for a document in memory that is never shared: equal documents have names, keys, salts
    /// and so commitments of their own. Whoever guesses one cannot confirm it by storing the guess, and erasing
    /// one leaves the others.
    ///
    /// # Errors
    /// As [`Keys::seal`].
    pub fn seal_document(
        &self,
        blobs: &dyn Blobs,
        mut bytes: &[u8],
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Sealed, SealFailed> {
        let unnamed = self.encrypt(blobs, &mut bytes, rng, now)?;
        let blob = self.document_name(unnamed.key.artifact);
        self.keep(blobs, blob, unnamed, rng)
    }

    /// Destroys the data key of `blob`: nobody can read it any more, backups aside that hold the wrapped key.
    /// `false` when there was none. The caller deletes the ciphertext afterwards, or leaves it.
    ///
    /// # Errors
    /// When the name is not one of encrypted content or the storage of the keys fails.
    pub fn erase(&self, blob: &BlobName) -> Result<bool, EraseFailed> {
        let record = record_name(blob).ok_or_else(|| EraseFailed::NotSealed { name: blob.clone() })?;
        let _guard = self.locks.lock(&record);
        Ok(self.blobs.delete(&record)?)
    }

    // Gives the finished ciphertext its name and writes its key, unless equal content is stored already.
    fn keep(
        &self,
        blobs: &dyn Blobs,
        blob: BlobName,
        Unnamed { key: mut fresh, writer }: Unnamed,
        rng: &mut dyn CryptoRng,
    ) -> Result<Sealed, SealFailed> {
        let record = record_name(&blob).ok_or(CryptoFailed)?;
        let sealed = |key: &DataKey, already| Sealed {
            blob: blob.clone(),
            digest: key.digest,
            size: key.size,
            commitment: commitment(key.salt.expose(), &key.digest),
            already,
        };
        let mut known = false;
        // Two writers of equal content would mix one's blob with the other's key.
        let _guard = self.locks.lock(&record);
        match self.data_key(&blob) {
            Ok(existing) => match self.open_stream(blobs, &blob, &existing) {
                Ok(_) => return Ok(sealed(&existing, true)),
                // The ciphertext is lost or damaged, and here is the content again. The salt stays, so that
                // what the ledger says of this content stays true.
                Err(UnsealFailed::Missing { .. } | UnsealFailed::Changed { .. }) => {
                    fresh.salt = existing.salt;
                    known = true;
                }
                Err(error) => return Err(SealFailed::ExistingKey(error)),
            },
            Err(UnsealFailed::NotFound { .. }) => {}
            Err(error) => return Err(SealFailed::ExistingKey(error)),
        }
        let bytes = self.wrap_data_key(&blob, &fresh, rng)?;
        writer.commit(&blob)?;
        self.blobs.put(&[(&record, bytes.as_slice())])?;
        Ok(sealed(&fresh, known))
    }

    pub(super) fn wrap_data_key(
        &self,
        blob: &BlobName,
        key: &DataKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, SealFailed> {
        let bound = DataBinding {
            artifact: key.artifact,
            blob: blob.to_string(),
            created_at: key.created_at,
            format: DATA_FORMAT.to_owned(),
            project: self.project,
            size: key.size,
            wrapping: self.wrapping.id(),
        };
        let aad = canonical::to_bytes(&bound)?;
        let plain =
            Zeroizing::new([&key.key.expose()[..], key.salt.expose(), key.digest.as_bytes()].concat());
        let sealed = to_base64(&self.wrapping.wrap(&plain, &aad, rng)?);
        Ok(canonical::to_bytes(&DataRecord { bound, sealed })?)
    }

    /// Reads and unwraps the data key of `blob`.
    pub(super) fn data_key(&self, blob: &BlobName) -> Result<DataKey, UnsealFailed> {
        let Some(record) = record_name(blob) else {
            return Err(UnsealFailed::NotSealed { name: blob.clone() });
        };
        let bytes = read_all(&*self.blobs, &record, WRAPPED_KEY_BYTES).map_err(|error| match error.kind {
            BlobErrorKind::NotFound => UnsealFailed::NotFound { name: blob.clone() },
            _ => UnsealFailed::Storage(error),
        })?;
        let invalid = || UnsealFailed::KeyInvalid { name: blob.clone() };
        let DataRecord { bound, sealed } = canonical::from_bytes(&bytes).map_err(|_| invalid())?;
        let aad = canonical::to_bytes(&bound).map_err(|_| invalid())?;
        let belongs = bound.format == DATA_FORMAT
            && bound.project == self.project
            && bound.wrapping == self.wrapping.id()
            && bound.blob == blob.as_str();
        if !belongs {
            return Err(invalid());
        }
        let plain = from_base64(&sealed).and_then(|sealed| self.wrapping.unwrap(&sealed, &aad));
        let plain = plain.ok_or_else(invalid)?;
        let (key, rest) = plain.split_first_chunk::<32>().ok_or_else(invalid)?;
        let (salt, digest) = rest.split_first_chunk::<32>().ok_or_else(invalid)?;
        Ok(DataKey {
            artifact: bound.artifact,
            key: Secret::from_bytes(*key),
            salt: Secret::from_bytes(*salt),
            digest: Digest::from_bytes(digest.try_into().map_err(|_| invalid())?),
            size: bound.size,
            created_at: bound.created_at,
        })
    }
}

// The key of one stored content and what it is bound to.
pub(super) struct DataKey {
    pub(super) artifact: ArtifactId,
    pub(super) key: Secret,
    pub(super) salt: Secret,
    pub(super) digest: Digest,
    pub(super) size: u64,
    created_at: Timestamp,
}

pub(super) fn blob_name(naming: &hmac::Key, digest: &Digest) -> BlobName {
    keyed_name(naming, b"bartizan-blob-v1", digest.as_bytes())
}

pub(super) fn document_name(naming: &hmac::Key, artifact: ArtifactId) -> BlobName {
    keyed_name(naming, b"bartizan-document-v1", artifact.to_string().as_bytes())
}

fn keyed_name(naming: &hmac::Key, purpose: &[u8], what: &[u8]) -> BlobName {
    let mut context = hmac::Context::with_key(naming);
    context.update(purpose);
    context.update(what);
    let digits = hex::encode(context.sign());
    let (shard, _) = digits.split_at_checked(2).unwrap_or_default();
    name(&format!("{shard}/{digits}"))
}

// `ab/abcd...` is kept under `data/abcd...`.
fn record_name(blob: &BlobName) -> Option<BlobName> {
    let (shard, digits) = blob.as_str().split_once('/')?;
    let hexadecimal = digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (shard.len() == 2 && digits.starts_with(shard) && digits.len() == 64 && hexadecimal)
        .then(|| name(&format!("data/{digits}")))
}

// Serialises the writers of one name; different names seldom share a lock.
pub(super) struct Locks([Mutex<()>; 64]);

impl Locks {
    fn lock(&self, record: &BlobName) -> Option<MutexGuard<'_, ()>> {
        let last = record.as_str().bytes().rev().take(2).fold(0, |sum, b| sum * 16 + usize::from(b));
        let lock = self.0.get(last % self.0.len())?;
        // A panic elsewhere leaves nothing half-changed in memory: the lock guards stored bytes only.
        Some(lock.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Locks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}
