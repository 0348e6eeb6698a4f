//! All keys of one project: made once, opened with the root key.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use bartizan_base::canonical::EncodeError;
use bartizan_base::{ArtifactId, BlobError, BlobName, Blobs, Digest, ProjectId, Timestamp};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::public::{Algorithm, KeyId, PublicKey};
use crate::root::{KeyStore, KeyStoreError};
use crate::secret::Secret;
use crate::signing::{SigningKey, SigningKeyInvalid};
use crate::wrap::{CryptoFailed, WrappingKey};

mod create;
mod open;
mod record;
mod unseal;
mod vault;

pub use self::unseal::{UnsealFailed, Unsealed};
pub use self::vault::{EraseFailed, SealFailed, Sealed, Unnamed, commitment};

/// What a signing key may sign; the order is that of [`Keys::list`], the names are those of stored formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Says which key may sign what; its public half is in the trust file.
    ProjectRoot,
    /// Signs the ledger's checkpoints.
    LedgerOrigin,
    /// Signs statements about principals, roles and policies.
    Access,
    /// Signs statements about data sets.
    Dataset,
    /// Signs statements about models and their versions.
    Registry,
    /// Signs OpenSSF Model Signing bundles.
    ModelSigning,
    /// Signs receipts of predictions, statements about segments of their records, and statements that stop a version
    /// whose stored bytes are damaged.
    Gateway,
}

impl Purpose {
    /// Every purpose, in order.
    pub const ALL: [Self; 7] = [
        Self::ProjectRoot,
        Self::LedgerOrigin,
        Self::Access,
        Self::Dataset,
        Self::Registry,
        Self::ModelSigning,
        Self::Gateway,
    ];

    /// The algorithm of its keys.
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::LedgerOrigin | Self::Gateway => Algorithm::Ed25519,
            _ => Algorithm::EcdsaP256Sha256,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProjectRoot => "project-root",
            Self::LedgerOrigin => "ledger-origin",
            Self::Access => "access",
            Self::Dataset => "dataset",
            Self::Registry => "registry",
            Self::ModelSigning => "model-signing",
            Self::Gateway => "gateway",
        })
    }
}

/// Where a signing key stands in its life; the names are those of stored formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyStatus {
    /// May sign.
    Active,
    /// Signs no more; what it signed stands.
    Retired,
    /// Signs no more; what it signed counts up to the ledger index that its revocation names.
    Revoked,
}

impl fmt::Display for KeyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        })
    }
}

/// The public facts of one signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// The key's id.
    pub id: KeyId,
    /// What it may sign.
    pub purpose: Purpose,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Its public half.
    pub public: PublicKey,
    /// When it was made, as the machine that made it believed.
    pub created_at: Timestamp,
    /// Where it stands in its life.
    pub status: KeyStatus,
}

/// The keys of one project, open: seven kinds of signing key, the key that wraps data keys, and the key that
/// names blobs.
///
/// Of all [`Keys`] of one project, in all processes, only one may seal and erase at a time: the caller holds
/// the data directory's lock. Within one value all methods may be called from any thread.
pub struct Keys {
    blobs: Arc<dyn Blobs>,
    project: ProjectId,
    development: bool,
    wrapping: WrappingKey,
    naming: hmac::Key,
    signing: SigningKeys,
    locks: vault::Locks,
}

// The newest active key of each purpose.
struct SigningKeys {
    project_root: SigningKey,
    ledger_origin: SigningKey,
    access: SigningKey,
    dataset: SigningKey,
    registry: SigningKey,
    model_signing: SigningKey,
    gateway: SigningKey,
    // INVARIANT: sorted by purpose, then newest first, then id.
    list: Vec<KeyInfo>,
}

impl Keys {
    /// Makes the keys of a new project in `blobs`, protected by `root`: one signing key for each purpose, a
    /// key that wraps data keys and a key that names blobs. They appear together or not at all.
    ///
    /// # Errors
    /// When there are keys already, or the storage or the root key fails.
    pub fn create(
        blobs: Arc<dyn Blobs>,
        root: Box<dyn KeyStore>,
        project: ProjectId,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Self, CreateKeys> {
        create::create(blobs, &*root, project, rng, now)
    }

    /// Opens the keys in `blobs` with the root key that protects them.
    ///
    /// # Errors
    /// When there are none, they were changed, `root` is another root key, or storage or root key fail.
    pub fn open(blobs: Arc<dyn Blobs>, root: Box<dyn KeyStore>) -> Result<Self, OpenKeys> {
        open::open(blobs, &*root)
    }

    /// The project.
    pub const fn project(&self) -> ProjectId {
        self.project
    }

    /// Whether the keys were made under a development root key, or are protected by one now.
    pub const fn development(&self) -> bool {
        self.development
    }

    /// The newest active key of that purpose.
    pub const fn signing(&self, purpose: Purpose) -> &SigningKey {
        match purpose {
            Purpose::ProjectRoot => &self.signing.project_root,
            Purpose::LedgerOrigin => &self.signing.ledger_origin,
            Purpose::Access => &self.signing.access,
            Purpose::Dataset => &self.signing.dataset,
            Purpose::Registry => &self.signing.registry,
            Purpose::ModelSigning => &self.signing.model_signing,
            Purpose::Gateway => &self.signing.gateway,
        }
    }

    /// Every signing key: by purpose in the order of [`Purpose`], then newest first, then by id.
    pub fn list(&self) -> &[KeyInfo] {
        &self.signing.list
    }

    /// The name under which content with this SHA-256 digest is stored in this project:
    /// `<first 2 digits>/<64 digits>` of HMAC-SHA256(naming key, "bartizan-blob-v1" || digest).
    pub fn blob_name(&self, digest: &Digest) -> BlobName {
        vault::blob_name(&self.naming, digest)
    }

    /// A key of its own for `label`, which no stored record starts with: HMAC-SHA256(record MAC key, label).
    pub(crate) fn derived(&self, label: &[u8]) -> Secret {
        let mut bytes = Zeroizing::new([0; 32]);
        bytes.copy_from_slice(&self.wrapping.mac(label));
        Secret::from_bytes(*bytes)
    }

    /// Where the keys are.
    pub(crate) fn store(&self) -> Arc<dyn Blobs> {
        Arc::clone(&self.blobs)
    }

    fn document_name(&self, artifact: ArtifactId) -> BlobName {
        vault::document_name(&self.naming, artifact)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.project)
    }
}

/// The keys of a new project could not be made. Nothing was stored, unless the storage failed: then the
/// record may exist, and is whole if it does.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeys {
    /// There are keys already; they are never replaced.
    #[error("there are project keys already")]
    Exists,
    /// The storage failed.
    #[error("cannot store the project keys")]
    Storage(#[from] BlobError),
    /// The root key failed.
    #[error("cannot protect the project keys")]
    Root(#[from] KeyStoreError),
    /// The record has no canonical form.
    #[error("cannot encode the project keys")]
    Encode(#[from] EncodeError),
    /// No signing key could be drawn.
    #[error("cannot make a signing key")]
    Signing(#[from] SigningKeyInvalid),
    /// The cryptographic library failed, which it does only without memory.
    #[error("cannot make the project keys")]
    Crypto(#[from] CryptoFailed),
}

/// The keys of a project could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenKeys {
    /// There are none; `init` makes them.
    #[error("there are no project keys")]
    NotFound,
    /// The storage failed.
    #[error("cannot read the project keys")]
    Storage(#[source] BlobError),
    /// The root key failed, or is another one.
    #[error("cannot unlock the project keys")]
    Root(#[from] KeyStoreError),
    /// The record is not of a known format, or breaks its rules.
    #[error("the project keys are malformed: {reason}")]
    Malformed {
        /// Which rule.
        reason: &'static str,
    },
    /// The record was changed by somebody without the keys.
    #[error("the project keys were changed")]
    Changed,
    /// The record has no canonical form.
    #[error("cannot encode the project keys")]
    Encode(#[from] EncodeError),
    /// A purpose has no active key.
    #[error("there is no active {purpose} key")]
    NoActiveKey {
        /// The purpose.
        purpose: Purpose,
    },
    /// The cryptographic library failed, which it does only without memory.
    #[error("cannot open the project keys")]
    Crypto(#[from] CryptoFailed),
}

#[cfg(test)]
mod tests;
