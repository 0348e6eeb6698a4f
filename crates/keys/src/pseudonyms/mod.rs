//! The handle under which values of a project become pseudonyms: keyed hashes, format-preserving tokens, sealed values.
//!
//! ```text
//!   Keys --derive, one key for each use--> Pseudonyms
//!                                             |-- hash: HMAC-SHA256, one way
//!                                             |-- encrypt, decrypt: FF1, digits stay digits
//!                                             '-- seal, open: AES-256-GCM, for values behind random tokens
//! ```
//!
//! The keys are derived from the project's wrapping key, so that whoever opens the project has them again; destroying
//! the project's keys destroys them. Derivation and formats: `docs/formats/pii-tokens.md`.

mod ff1;

use std::fmt;

use aws_lc_rs::hmac;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use self::ff1::Ff1;
pub use self::ff1::NotEncryptable;
use crate::project::Keys;
use crate::secret::Secret;
use crate::subjects::{Cipher, NONCE_BYTES, TAG_BYTES};
use crate::wrap::{CryptoFailed, derive};

/// Bytes that sealing adds to a value: nonce and tag.
pub const SEALED_BYTES: usize = NONCE_BYTES + TAG_BYTES;

const HASH_INFO: &[u8] = b"bartizan-pii-hash-v1";
const FF1_INFO: &[u8] = b"bartizan-pii-ff1-v1";
const SEAL_INFO: &[u8] = b"bartizan-pii-seal-v1";

/// The keys of a project's pseudonyms. It may be used from any thread.
pub struct Pseudonyms {
    hash: hmac::Key,
    ff1: Ff1,
    cipher: Cipher,
}

impl Pseudonyms {
    /// The handle of the project of `keys`.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn new(keys: &Keys) -> Result<Self, CryptoFailed> {
        Self::from_secret(&keys.derived(b"bartizan-pii-v1"))
    }

    /// A handle of a secret that belongs to no project, which the caller keeps.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn from_secret(secret: &Secret) -> Result<Self, CryptoFailed> {
        let key = |info: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            derive(secret.expose(), &[], info, &mut *key)?;
            Ok(key)
        };
        Ok(Self {
            hash: hmac::Key::new(hmac::HMAC_SHA256, &*key(HASH_INFO)?),
            ff1: Ff1::new(&*key(FF1_INFO)?)?,
            cipher: Cipher::new(&Secret::from_bytes(*key(SEAL_INFO)?))?,
        })
    }

    /// The keyed hash of a value of a kind: HMAC-SHA256(key, kind || 0x00 || value). Equal values have equal hashes,
    /// and nobody without the key can try values out.
    pub fn hash(&self, kind: &str, value: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.hash);
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(value);
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }

    /// Encrypts symbols below `radix` in place into as many symbols (FF1, NIST SP 800-38G). Equal symbols under equal
    /// tweaks become equal symbols.
    ///
    /// # Errors
    /// When there are too few or too many symbols for the radix, or one is not below it.
    pub fn encrypt(&self, radix: u16, tweak: &[u8], symbols: &mut [u16]) -> Result<(), NotEncryptable> {
        self.ff1.encrypt(radix, tweak, symbols)
    }

    /// The reverse of [`Pseudonyms::encrypt`]. There is no check: other symbols become other symbols.
    ///
    /// # Errors
    /// As [`Pseudonyms::encrypt`].
    pub fn decrypt(&self, radix: u16, tweak: &[u8], symbols: &mut [u16]) -> Result<(), NotEncryptable> {
        self.ff1.decrypt(radix, tweak, symbols)
    }

    /// Encrypts a value so that it can be opened under the same `aad` only: nonce, ciphertext, tag. Nonces are drawn:
    /// at most 2^32 values for one project (NIST SP 800-38D, section 8.3).
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn seal(&self, aad: &[u8], value: &[u8], rng: &mut dyn CryptoRng) -> Result<Vec<u8>, CryptoFailed> {
        let mut nonce = [0; NONCE_BYTES];
        rng.fill_bytes(&mut nonce);
        let mut body = Zeroizing::new(value.to_vec());
        let tag = self.cipher.seal(nonce, aad, &mut body)?;
        Ok([nonce.as_slice(), &body, &tag].concat())
    }

    /// The value that was sealed under this `aad`; `None` when these bytes are not that.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self.cipher.open(*nonce, aad, &mut body)?.len();
        body.truncate(length);
        Some(body)
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms(..)")
    }
}
