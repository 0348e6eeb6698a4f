//! Reading encrypted content back, at any offset or from the beginning to the end.

use std::fmt;
use std::io::{self, Read};

use bartizan_base::{BlobError, BlobErrorKind, BlobName, Blobs, Digest, Hasher};

use super::Keys;
use super::record::stream_aad;
use super::vault::{DataKey, commitment};
use crate::secret::Secret;
use crate::stream::{Decryptor, OpenStream, ReadStream};

/// Encrypted content could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum UnsealFailed {
    /// The name is not one that [`Keys::blob_name`] makes.
    #[error("`{name}` is not the name of encrypted content")]
    NotSealed {
        /// The name.
        name: BlobName,
    },
    /// There is neither a key nor a blob of that name: never stored, or erased and cleaned up.
    #[error("there is no content `{name}`")]
    NotFound {
        /// The name.
        name: BlobName,
    },
    /// The ciphertext is there but its key is not: erased, or its storing was interrupted.
    #[error("the key of `{name}` was destroyed")]
    Erased {
        /// The name.
        name: BlobName,
    },
    /// The key is there but the ciphertext is not: evidence was destroyed.
    #[error("the ciphertext of `{name}` is missing")]
    Missing {
        /// The name.
        name: BlobName,
    },
    /// The wrapped key was changed, or belongs to another project or another wrapping key.
    #[error("the wrapped key of `{name}` is not authentic")]
    KeyInvalid {
        /// The name.
        name: BlobName,
    },
    /// The ciphertext was changed or cut.
    #[error("the ciphertext of `{name}` is not authentic")]
    Changed {
        /// The name.
        name: BlobName,
    },
    /// The storage failed.
    #[error("cannot read encrypted content")]
    Storage(#[from] BlobError),
    /// The cryptographic library failed, which it does only without memory.
    #[error("cannot decrypt")]
    Crypto,
}

/// Encrypted content, open for reading.
///
/// Reading it from the beginning to the end through [`Read`] also checks its digest before the last bytes are
/// handed out; [`Unsealed::read_at`] relies on the authentication of the segments it touches.
pub struct Unsealed {
    stream: Decryptor,
    salt: Secret,
    digest: Digest,
    position: u64,
    whole: Whole,
}

// Whether the content, read from the beginning to the end, is what its key names.
enum Whole {
    Reading(Hasher),
    Right,
    Wrong,
}

impl Keys {
    /// Opens the content of `blob`. The key, the ciphertext's end and so its length are authentic then.
    ///
    /// # Errors
    /// When there is no key ([`UnsealFailed::Erased`], [`UnsealFailed::NotFound`]), no ciphertext, one of them
    /// was changed, or the storage fails.
    pub fn unseal(&self, blobs: &dyn Blobs, blob: &BlobName) -> Result<Unsealed, UnsealFailed> {
        let key = match self.data_key(blob) {
            Err(UnsealFailed::NotFound { name }) => {
                return Err(match blobs.open(blob) {
                    Ok(_) => UnsealFailed::Erased { name },
                    Err(error) if error.kind == BlobErrorKind::NotFound => UnsealFailed::NotFound { name },
                    Err(error) => UnsealFailed::Storage(error),
                });
            }
            other => other?,
        };
        let stream = self.open_stream(blobs, blob, &key)?;
        let DataKey { salt, digest, .. } = key;
        Ok(Unsealed { stream, salt, digest, position: 0, whole: Whole::Reading(Hasher::new()) })
    }

    pub(super) fn open_stream(
        &self,
        blobs: &dyn Blobs,
        blob: &BlobName,
        key: &DataKey,
    ) -> Result<Decryptor, UnsealFailed> {
        let name = || blob.clone();
        let reader = blobs.open(blob).map_err(|error| match error.kind {
            BlobErrorKind::NotFound => UnsealFailed::Missing { name: name() },
            _ => UnsealFailed::Storage(error),
        })?;
        let aad = stream_aad(self.project(), key.artifact);
        let stream = Decryptor::open(reader, &key.key, &aad).map_err(|error| match error {
            OpenStream::Storage(error) => UnsealFailed::Storage(error),
            OpenStream::Malformed | OpenStream::Changed => UnsealFailed::Changed { name: name() },
            OpenStream::Crypto(_) => UnsealFailed::Crypto,
        })?;
        if stream.len() != key.size {
            return Err(UnsealFailed::Changed { name: name() });
        }
        Ok(stream)
    }
}

impl Unsealed {
    /// Bytes of the content.
    pub const fn len(&self) -> u64 {
        self.stream.len()
    }

    /// Whether the content has no bytes.
    pub const fn is_empty(&self) -> bool {
        self.stream.is_empty()
    }

    /// SHA-256 of the content, as authenticated with the key.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The [`commitment`] to the content.
    pub fn commitment(&self) -> Digest {
        commitment(self.salt.expose(), &self.digest)
    }

    /// The salt of the commitment. Whoever has it can test guesses of the content: give it only to those who
    /// may see the content, for example in a proof that discloses it.
    pub const fn salt(&self) -> &[u8; 32] {
        self.salt.expose()
    }

    /// Reads from `offset` until `buf` is full or the content ends, and returns how many bytes that were.
    /// Does not move the position of [`Read`].
    ///
    /// # Errors
    /// When the storage fails or a segment was changed; `buf` then holds zeros.
    pub fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadStream> {
        self.stream.read_at(offset, buf)
    }
}

impl Read for Unsealed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let other = || {
            let other = "the content is not the one that its key names";
            io::Error::new(io::ErrorKind::InvalidData, other)
        };
        if matches!(self.whole, Whole::Wrong) {
            return Err(other());
        }
        let count = self.stream.read_at(self.position, buf).map_err(|error| match error {
            ReadStream::Storage(error) => io::Error::other(error),
            changed @ ReadStream::Changed { .. } => io::Error::new(io::ErrorKind::InvalidData, changed),
        })?;
        self.position += count as u64;
        if let Whole::Reading(hasher) = &mut self.whole {
            hasher.update(buf.get(..count).unwrap_or_default());
            if self.position == self.stream.len() {
                let right = hasher.clone().finish() == self.digest;
                self.whole = if right { Whole::Right } else { Whole::Wrong };
                if !right {
                    buf.fill(0);
                    return Err(other());
                }
            }
        }
        Ok(count)
    }
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unsealed({} bytes)", self.len())
    }
}
