//! The development root key: 32 bytes in a file that only its owner may read.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand_core::CryptoRng;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::format::{self, RootKeyFile, RootKind};
use super::{CreateRootKey, KeyStore, KeyStoreError, OpenRootKey, RootKey, Wrapped};
use crate::secret::Secret;
use crate::wrap::{WrappingKey, WrappingKeyId};

/// A root key in a 0600 file, unsealed: whoever reads the file has the key. For development only.
pub struct FileKeyStore {
    key: WrappingKey,
}

impl FileKeyStore {
    /// Makes a new root key in `directory`, which must exist and hold none.
    ///
    /// # Errors
    /// When there is one already or it cannot be written.
    pub fn create(directory: &Path, rng: &mut dyn CryptoRng) -> Result<Self, CreateRootKey> {
        let secret = Secret::generate(rng);
        let key = WrappingKey::new(&secret).map_err(|_| CreateRootKey::Crypto)?;
        format::write(directory, text(&secret, key.id()).as_bytes())?;
        Ok(Self { key })
    }

    /// Opens the root key in `directory`.
    ///
    /// # Errors
    /// When there is none, others may access it, it is sealed, or it is damaged.
    pub fn open(directory: &Path) -> Result<Self, OpenRootKey> {
        #[derive(Deserialize)]
        struct Body<'a> {
            key: &'a str,
        }
        let RootKeyFile { path, kind: found, bytes } = format::read(directory)?;
        if found != RootKind::DevelopmentFile {
            return Err(OpenRootKey::OtherKind { path, wanted: RootKind::DevelopmentFile, found });
        }
        let secret = serde_json::from_slice::<Body<'_>>(&bytes).ok().and_then(|body| secret(body.key));
        let Some(secret) = secret else {
            return Err(OpenRootKey::Malformed { path });
        };
        let key = WrappingKey::new(&secret).map_err(|_| OpenRootKey::Crypto)?;
        // One spelling only: also catches an id that is not this key's, and members that do not belong.
        if text(&secret, key.id()).as_bytes() != bytes.as_slice() {
            return Err(OpenRootKey::Malformed { path });
        }
        Ok(Self { key })
    }
}

impl KeyStore for FileKeyStore {
    fn describe(&self) -> RootKey {
        RootKey { kind: RootKind::DevelopmentFile, id: self.key.id(), development: true }
    }

    fn wrap(&self, secret: &Secret, aad: &[u8], rng: &mut dyn CryptoRng) -> Result<Wrapped, KeyStoreError> {
        wrap(&self.key, secret, aad, rng)
    }

    fn unwrap(&self, wrapped: &Wrapped, aad: &[u8]) -> Result<Secret, KeyStoreError> {
        unwrap(&self.key, wrapped, aad)
    }
}

impl fmt::Debug for FileKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileKeyStore({})", self.key.id())
    }
}

pub(super) fn wrap(
    key: &WrappingKey,
    secret: &Secret,
    aad: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<Wrapped, KeyStoreError> {
    let bytes = key.wrap(secret.expose(), aad, rng).map_err(|e| KeyStoreError::Unavailable(e.into()))?;
    Ok(Wrapped { root: key.id(), bytes })
}

pub(super) fn unwrap(key: &WrappingKey, wrapped: &Wrapped, aad: &[u8]) -> Result<Secret, KeyStoreError> {
    if wrapped.root != key.id() {
        return Err(KeyStoreError::OtherKey { wanted: wrapped.root, held: key.id() });
    }
    let plain = key.unwrap(&wrapped.bytes, aad).ok_or(KeyStoreError::Changed)?;
    Secret::from_slice(&plain).ok_or(KeyStoreError::Changed)
}

// The canonical JSON of the file, built by hand because a JSON writer would leave copies of the key behind.
fn text(secret: &Secret, id: WrappingKeyId) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    text.push_str("{\"format\":\"");
    text.push_str(format::FORMAT);
    text.push_str("\",\"id\":\"");
    text.push_str(&id.to_string());
    text.push_str("\",\"key\":\"");
    STANDARD.encode_string(secret.expose(), &mut text);
    text.push_str("\",\"kind\":\"");
    text.push_str(&RootKind::DevelopmentFile.to_string());
    text.push_str("\"}");
    text
}

fn secret(digits: &str) -> Option<Secret> {
    Secret::from_slice(&Zeroizing::new(STANDARD.decode(digits).ok()?))
}
