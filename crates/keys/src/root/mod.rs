//! The root key seam: what wraps a project's wrapping key.

use std::io;
use std::path::PathBuf;

use rand_core::CryptoRng;

use crate::secret::Secret;
use crate::wrap::WrappingKeyId;

mod file;
mod format;
mod sealed;

pub use self::file::FileKeyStore;
pub use self::format::{ROOT_KEY_FILE, RootKind, detect_root_key};
pub use self::sealed::{Argon2Cost, Passphrase, PassphraseInvalid, SealedKeyStore};

/// What a root key store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootKey {
    /// Where the key lives.
    pub kind: RootKind,
    /// The key's id.
    pub id: WrappingKeyId,
    /// Whether the key is meant for development only: what it protects fails `verify` unless allowed by name.
    pub development: bool,
}

/// A secret as a root key wrapped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// The root key that unwraps it.
    pub root: WrappingKeyId,
    /// The wrapped bytes; their form is the store's own.
    pub bytes: Vec<u8>,
}

/// A root key that wraps and unwraps 256-bit secrets and never leaves its store.
///
/// Contract:
/// - **Binding.** `unwrap` succeeds only with the root key and the `aad` of `wrap`; the root key is selected by
///   its id and no other key is tried.
/// - **Randomness.** Wrapping one secret twice gives different bytes.
/// - **Concurrency.** All methods may be called from any thread at once.
/// - **Retries.** Nothing is changed by any method, so each may be repeated. A remote store may answer
///   [`KeyStoreError::Unavailable`], and then nothing is known about the secret.
pub trait KeyStore: Send + Sync {
    /// What this store is; constant over its life.
    fn describe(&self) -> RootKey;

    /// Wraps `secret`, bound to `aad`.
    ///
    /// # Errors
    /// When the store cannot be reached or refuses.
    fn wrap(&self, secret: &Secret, aad: &[u8], rng: &mut dyn CryptoRng) -> Result<Wrapped, KeyStoreError>;

    /// Unwraps what `wrap` returned for the same `aad`.
    ///
    /// # Errors
    /// When another root key wrapped it, when it or `aad` was changed, or as for `wrap`.
    fn unwrap(&self, wrapped: &Wrapped, aad: &[u8]) -> Result<Secret, KeyStoreError>;
}

/// A root key store could not wrap or unwrap.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The secret was wrapped by another root key; the operator opened the wrong store.
    #[error("wrapped by root key `{wanted}`, but this store holds `{held}`")]
    OtherKey {
        /// The root key that wrapped it.
        wanted: WrappingKeyId,
        /// The root key of this store.
        held: WrappingKeyId,
    },
    /// The wrapped bytes, or what they are bound to, were changed.
    #[error("the wrapped secret was changed")]
    Changed,
    /// The store failed or cannot be reached; worth a retry.
    #[error("the key store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A root key could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateRootKey {
    /// There is one already; it is never replaced.
    #[error("`{path}` exists already")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written; what was written of it was removed.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The cost asked for is outside the limits.
    #[error("argon2id with {memory_kib} KiB, {passes} passes and {lanes} lanes is outside the limits")]
    Cost {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over the memory.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// The cryptographic library failed, which it does only without memory.
    #[error("the cryptographic library failed")]
    Crypto,
}

/// A root key could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenRootKey {
    /// There is none; `init` makes one.
    #[error("there is no root key at `{path}`")]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others than the owner may access the file; the operator must run `chmod 600` and judge the exposure.
    #[error("`{path}` has mode {mode:03o}, but only its owner may have access (600)")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// The permission bits found.
        mode: u32,
    },
    /// The file is no root key of a known format, or was damaged.
    #[error("`{path}` is not a root key file")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The file holds the other kind of root key.
    #[error("`{path}` holds a {found} root key, not a {wanted} one")]
    OtherKind {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        wanted: RootKind,
        /// What is there.
        found: RootKind,
    },
    /// The passphrase is wrong, or the file was changed; the two cannot be told apart.
    #[error("the passphrase does not open `{path}`")]
    Passphrase {
        /// The file.
        path: PathBuf,
    },
    /// The cryptographic library failed, which it does only without memory.
    #[error("the cryptographic library failed")]
    Crypto,
}
