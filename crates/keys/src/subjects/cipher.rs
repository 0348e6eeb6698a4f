//! AES-256-GCM as records, logs and segments use it, and the keys of logs and segments.

use std::fmt;

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use bartizan_base::ProjectId;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::Subjects;
use crate::secret::Secret;
use crate::wrap::{self, CryptoFailed};

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = NONCE_LEN;

/// Bytes of an authentication tag.
pub const TAG_BYTES: usize = 16;

/// Bytes of a wrapped key: nonce, key, tag.
pub const WRAPPED_BYTES: usize = NONCE_BYTES + 32 + TAG_BYTES;

/// A key that encrypts in place with AES-256-GCM. Who uses it says where its nonces come from.
pub struct Cipher(LessSafeKey);

impl Cipher {
    pub(crate) fn new(secret: &Secret) -> Result<Self, CryptoFailed> {
        wrap::aead(secret.expose()).map(Self)
    }

    /// Encrypts `bytes` in place and returns their tag. A nonce must never be used twice with this key.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn seal(
        &self,
        nonce: [u8; NONCE_BYTES],
        aad: &[u8],
        bytes: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], CryptoFailed> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), bytes);
        let sealed = sealed.map_err(|_| CryptoFailed)?;
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(sealed.as_ref());
        Ok(tag)
    }

    /// Decrypts ciphertext and tag in place and returns the plain text; `None` when they are not authentic.
    pub fn open<'b>(
        &self,
        nonce: [u8; NONCE_BYTES],
        aad: &[u8],
        bytes: &'b mut [u8],
    ) -> Option<&'b mut [u8]> {
        self.0.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), bytes).ok()
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(AES-256-GCM)")
    }
}

/// The key of one log and of the segment that it becomes.
#[derive(Debug)]
pub struct SegmentKey {
    batches: Cipher,
    pages: Cipher,
    records: Cipher,
}

impl SegmentKey {
    fn new(secret: &Secret) -> Result<Self, CryptoFailed> {
        let cipher = |info: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            wrap::derive(secret.expose(), &[], info, &mut *key)?;
            wrap::aead(&key).map(Cipher)
        };
        let batches = cipher(b"bartizan-log-batch-v1")?;
        let pages = cipher(b"bartizan-segment-page-v1")?;
        let records = cipher(b"bartizan-segment-record-v1")?;
        Ok(Self { batches, pages, records })
    }

    /// Encrypts batches of the log; nonces count batches, and a log is never continued by another process.
    pub const fn batches(&self) -> &Cipher {
        &self.batches
    }

    /// Encrypts pages of the segment; nonces are random, because a segment may be made again.
    pub const fn pages(&self) -> &Cipher {
        &self.pages
    }

    /// Encrypts personal groups of records without a subject; nonces are random.
    pub const fn records(&self) -> &Cipher {
        &self.records
    }
}

/// The key under which a log holds the keys of new subjects. It lies apart from the log, so that destroying it
/// makes them unreadable wherever the log is.
#[derive(Debug)]
pub struct PendingKey {
    project: ProjectId,
    cipher: Cipher,
}

impl PendingKey {
    pub(super) const fn project(&self) -> ProjectId {
        self.project
    }

    pub(super) const fn cipher(&self) -> &Cipher {
        &self.cipher
    }
}

impl Subjects {
    /// Draws the key of a new log, and wraps it for the log's header; `aad` is what the header says.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn make_segment_key(
        &self,
        aad: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<(SegmentKey, [u8; WRAPPED_BYTES]), CryptoFailed> {
        let secret = Secret::generate(rng);
        let wrapped = wrap_secret(self.wrapping(), &secret, aad, rng)?;
        Ok((SegmentKey::new(&secret)?, wrapped))
    }

    /// Unwraps the key of a log or segment; `None` when it was not wrapped by this project with this `aad`.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn open_segment_key(
        &self,
        wrapped: &[u8; WRAPPED_BYTES],
        aad: &[u8],
    ) -> Result<Option<SegmentKey>, CryptoFailed> {
        unwrap_secret(self.wrapping(), wrapped, aad).map(|secret| SegmentKey::new(&secret)).transpose()
    }

    /// Draws the key under which a new log holds the keys of new subjects, and wraps it for a file of its own.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn make_pending_key(
        &self,
        aad: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<(PendingKey, [u8; WRAPPED_BYTES]), CryptoFailed> {
        let secret = Secret::generate(rng);
        let wrapped = wrap_secret(self.wrapping(), &secret, aad, rng)?;
        Ok((PendingKey { project: self.project(), cipher: Cipher::new(&secret)? }, wrapped))
    }

    /// Unwraps such a key; `None` when it was not wrapped by this project with this `aad`.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn open_pending_key(
        &self,
        wrapped: &[u8; WRAPPED_BYTES],
        aad: &[u8],
    ) -> Result<Option<PendingKey>, CryptoFailed> {
        let Some(secret) = unwrap_secret(self.wrapping(), wrapped, aad) else { return Ok(None) };
        Ok(Some(PendingKey { project: self.project(), cipher: Cipher::new(&secret)? }))
    }
}

/// Nonce, encrypted key, tag.
pub(super) fn wrap_secret(
    cipher: &Cipher,
    secret: &Secret,
    aad: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<[u8; WRAPPED_BYTES], CryptoFailed> {
    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    let mut body = Zeroizing::new(*secret.expose());
    let tag = cipher.seal(nonce, aad, &mut *body)?;
    let mut wrapped = [0; WRAPPED_BYTES];
    let parts = nonce.iter().chain(&*body).chain(&tag);
    wrapped.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
    Ok(wrapped)
}

pub(super) fn unwrap_secret(cipher: &Cipher, wrapped: &[u8; WRAPPED_BYTES], aad: &[u8]) -> Option<Secret> {
    let (nonce, body) = wrapped.split_first_chunk::<NONCE_BYTES>()?;
    let mut body = Zeroizing::new(body.to_vec());
    let plain = cipher.open(*nonce, aad, &mut body)?;
    Secret::from_slice(plain)
}
