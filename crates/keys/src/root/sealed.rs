//! The sealed root key: 32 bytes in a file, encrypted under a passphrase.

use std::fmt;
use std::path::Path;

use argon2::{Argon2, Block, Params, Version};
use bartizan_base::canonical;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::file::{unwrap, wrap};
use super::format::{self, FORMAT, RootKeyFile, RootKind};
use super::{CreateRootKey, KeyStore, KeyStoreError, OpenRootKey, RootKey, Wrapped};
use crate::encoding;
use crate::limits::{
    ARGON2_LANES_MAX, ARGON2_MEMORY_KIB_MAX, ARGON2_MEMORY_KIB_MIN, ARGON2_PASSES_MAX, ARGON2_PASSES_MIN,
    PASSPHRASE_BYTES_MAX, PASSPHRASE_BYTES_MIN,
};
use crate::secret::Secret;
use crate::wrap::{WrappingKey, WrappingKeyId};

/// A passphrase of 12 to 1,024 bytes. Wiped when dropped, never printed.
pub struct Passphrase(Zeroizing<Vec<u8>>);

/// The passphrase is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a passphrase has {PASSPHRASE_BYTES_MIN} to {PASSPHRASE_BYTES_MAX} bytes")]
pub struct PassphraseInvalid;

impl Passphrase {
    /// Takes the bytes as they are: nothing is trimmed or normalised.
    ///
    /// # Errors
    /// When there are too few or too many.
    pub fn new(bytes: Vec<u8>) -> Result<Self, PassphraseInvalid> {
        let bytes = Zeroizing::new(bytes);
        if (PASSPHRASE_BYTES_MIN..=PASSPHRASE_BYTES_MAX).contains(&bytes.len()) {
            return Ok(Self(bytes));
        }
        Err(PassphraseInvalid)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What one guess at the passphrase costs: the parameters of argon2id (RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argon2Cost {
    /// Memory in KiB: 19,456 (19 MiB) to 1,048,576 (1 GiB).
    pub memory_kib: u32,
    /// Passes over the memory: 2 to 16.
    pub passes: u32,
    /// Lanes: 1 to 4.
    pub lanes: u32,
}

impl Argon2Cost {
    /// 64 MiB, 3 passes, 4 lanes: the second recommended choice of RFC 9106 section 4.
    pub const DEFAULT: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// The least that is accepted.
    pub const LEAST: Self = Self { memory_kib: ARGON2_MEMORY_KIB_MIN, passes: ARGON2_PASSES_MIN, lanes: 1 };

    const fn allowed(self) -> bool {
        self.memory_kib >= ARGON2_MEMORY_KIB_MIN
            && self.memory_kib <= ARGON2_MEMORY_KIB_MAX
            && self.passes >= ARGON2_PASSES_MIN
            && self.passes <= ARGON2_PASSES_MAX
            && self.lanes >= 1
            && self.lanes <= ARGON2_LANES_MAX
    }
}

/// A root key in a file, sealed with a passphrase: argon2id, then AES-256-GCM.
pub struct SealedKeyStore {
    key: WrappingKey,
}

// What is stored beside the sealed key, and bound to it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    argon2id: Argon2Cost,
    format: String,
    id: WrappingKeyId,
    kind: RootKind,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    argon2id: Argon2Cost,
    format: String,
    id: WrappingKeyId,
    kind: RootKind,
    salt: String,
    sealed: String,
}

impl SealedKeyStore {
    /// Makes a new root key in `directory`, which must exist and hold none, sealed with `passphrase`.
    ///
    /// # Errors
    /// When there is one already, it cannot be written, or `cost` is outside the limits.
    pub fn create(
        directory: &Path,
        passphrase: &Passphrase,
        cost: Argon2Cost,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, CreateRootKey> {
        let Argon2Cost { memory_kib, passes, lanes } = cost;
        if !cost.allowed() {
            return Err(CreateRootKey::Cost { memory_kib, passes, lanes });
        }
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let secret = Secret::generate(rng);
        let key = WrappingKey::new(&secret).map_err(|_| CreateRootKey::Crypto)?;
        let head = Head {
            argon2id: cost,
            format: FORMAT.to_owned(),
            id: key.id(),
            kind: RootKind::SealedFile,
            salt: encoding::to_base64(&salt),
        };
        let aad = canonical::to_bytes(&head).map_err(|_| CreateRootKey::Crypto)?;
        let sealing = stretch(passphrase, &salt, cost).ok_or(CreateRootKey::Crypto)?;
        let sealed = sealing.wrap(secret.expose(), &aad, rng).map_err(|_| CreateRootKey::Crypto)?;
        let Head { argon2id, format, id, kind, salt } = head;
        let body = Body { argon2id, format, id, kind, salt, sealed: encoding::to_base64(&sealed) };
        let bytes = canonical::to_bytes(&body).map_err(|_| CreateRootKey::Crypto)?;
        format::write(directory, &bytes)?;
        Ok(Self { key })
    }

    /// Opens the root key in `directory`. Takes the time and memory that the file asks for, within the limits.
    ///
    /// # Errors
    /// When there is none, others may access it, it is not sealed, it is damaged, or the passphrase is wrong.
    pub fn open(directory: &Path, passphrase: &Passphrase) -> Result<Self, OpenRootKey> {
        let RootKeyFile { path, kind: found, bytes } = format::read(directory)?;
        if found != RootKind::SealedFile {
            return Err(OpenRootKey::OtherKind { path, wanted: RootKind::SealedFile, found });
        }
        let Ok(Body { argon2id, format, id, kind, salt, sealed }) = canonical::from_bytes::<Body>(&bytes)
        else {
            return Err(OpenRootKey::Malformed { path });
        };
        let salt_bytes = encoding::from_base64(&salt).and_then(|salt| <[u8; 16]>::try_from(salt).ok());
        let (Some(salt_bytes), Some(sealed), true) =
            (salt_bytes, encoding::from_base64(&sealed), argon2id.allowed())
        else {
            return Err(OpenRootKey::Malformed { path });
        };
        let aad = canonical::to_bytes(&Head { argon2id, format, id, kind, salt })
            .map_err(|_| OpenRootKey::Crypto)?;
        let sealing = stretch(passphrase, &salt_bytes, argon2id).ok_or(OpenRootKey::Crypto)?;
        let secret = sealing.unwrap(&sealed, &aad).and_then(|plain| Secret::from_slice(&plain));
        let Some(secret) = secret else {
            return Err(OpenRootKey::Passphrase { path });
        };
        let key = WrappingKey::new(&secret).map_err(|_| OpenRootKey::Crypto)?;
        if key.id() != id {
            return Err(OpenRootKey::Malformed { path });
        }
        Ok(Self { key })
    }
}

impl KeyStore for SealedKeyStore {
    fn describe(&self) -> RootKey {
        RootKey { kind: RootKind::SealedFile, id: self.key.id(), development: false }
    }

    fn wrap(&self, secret: &Secret, aad: &[u8], rng: &mut dyn CryptoRng) -> Result<Wrapped, KeyStoreError> {
        wrap(&self.key, secret, aad, rng)
    }

    fn unwrap(&self, wrapped: &Wrapped, aad: &[u8]) -> Result<Secret, KeyStoreError> {
        unwrap(&self.key, wrapped, aad)
    }
}

impl fmt::Debug for SealedKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedKeyStore({})", self.key.id())
    }
}

fn stretch(passphrase: &Passphrase, salt: &[u8; 16], cost: Argon2Cost) -> Option<WrappingKey> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).ok()?;
    // Memory of our own: what the crate takes by itself is freed as it is, and its last blocks lead to the key
    // without the cost of a guess.
    let blocks = params.block_count();
    let mut memory = Zeroizing::new(Vec::new());
    memory.try_reserve_exact(blocks).ok()?;
    memory.resize(blocks, Block::new());
    let argon2 = Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    argon2.hash_password_into_with_memory(&passphrase.0, salt, &mut *key, memory.as_mut_slice()).ok()?;
    WrappingKey::new(&Secret::from_slice(&*key)?).ok()
}
