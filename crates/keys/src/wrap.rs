//! Wrapping of short secrets under a key: AES-256-GCM with sub-keys derived by HKDF.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The id of a wrapping key: 16 bytes derived from the key, written as 32 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WrappingKeyId([u8; 16]);

/// The text is not a wrapping key's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a wrapping key id of 32 lowercase hexadecimal digits")]
pub struct WrappingKeyIdInvalid;

/// The cryptographic library failed, which it does only without memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library failed")]
pub struct CryptoFailed;

/// A 256-bit key that wraps other secrets. The key itself is used for derivation only.
pub(crate) struct WrappingKey {
    id: WrappingKeyId,
    aead: LessSafeKey,
    mac: hmac::Key,
}

const ID_INFO: &[u8] = b"bartizan-wrapping-key-id-v1";
const WRAP_INFO: &[u8] = b"bartizan-wrap-v1";
const MAC_INFO: &[u8] = b"bartizan-record-mac-v1";

impl WrappingKey {
    pub(crate) fn new(key: &Secret) -> Result<Self, CryptoFailed> {
        let mut id = [0; 16];
        derive(key.expose(), &[], ID_INFO, &mut id)?;
        let mut wrap = Zeroizing::new([0; 32]);
        derive(key.expose(), &[], WRAP_INFO, &mut *wrap)?;
        let mut mac = Zeroizing::new([0; 32]);
        derive(key.expose(), &[], MAC_INFO, &mut *mac)?;
        Ok(Self { id: WrappingKeyId(id), aead: aead(&wrap)?, mac: hmac::Key::new(hmac::HMAC_SHA256, &*mac) })
    }

    pub(crate) const fn id(&self) -> WrappingKeyId {
        self.id
    }

    /// Nonce (12 random bytes), ciphertext, tag (16 bytes), one after the other.
    pub(crate) fn wrap(
        &self,
        plain: &[u8],
        aad: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, CryptoFailed> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let mut body = Zeroizing::new(plain.to_vec());
        let tag = self
            .aead
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut body)
            .map_err(|_| CryptoFailed)?;
        Ok([&nonce, body.as_slice(), tag.as_ref()].concat())
    }

    /// `None` when the bytes were not wrapped by this key with this `aad`.
    pub(crate) fn unwrap(&self, wrapped: &[u8], aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = wrapped.split_first_chunk::<NONCE_LEN>()?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .aead
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut body)
            .ok()?
            .len();
        body.truncate(length);
        Some(body)
    }

    pub(crate) fn mac(&self, bytes: &[u8]) -> Vec<u8> {
        hmac::sign(&self.mac, bytes).as_ref().to_vec()
    }

    /// Compares in constant time.
    pub(crate) fn mac_matches(&self, bytes: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&self.mac, bytes, mac).is_ok()
    }
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappingKey({})", self.id)
    }
}

pub(crate) fn aead(key: &[u8; 32]) -> Result<LessSafeKey, CryptoFailed> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| CryptoFailed)
}

/// HKDF with SHA-256 (RFC 5869), filling `out`.
pub(crate) fn derive(secret: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), CryptoFailed> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info], Length(out.len()))
        .and_then(|okm| okm.fill(out))
        .map_err(|_| CryptoFailed)
}

impl fmt::Display for WrappingKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for WrappingKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for WrappingKeyId {
    type Err = WrappingKeyIdInvalid;

    fn from_str(text: &str) -> Result<Self, WrappingKeyIdInvalid> {
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id).map_err(|_| WrappingKeyIdInvalid)?;
        if hex::encode(id) != text {
            return Err(WrappingKeyIdInvalid);
        }
        Ok(Self(id))
    }
}

impl Serialize for WrappingKeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WrappingKeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
