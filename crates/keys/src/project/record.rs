//! The stored records: a project's keys, and one wrapped data key.

use bartizan_base::canonical::{self, EncodeError};
use bartizan_base::{ArtifactId, BlobName, ProjectId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{KeyStatus, Purpose};
use crate::public::{Algorithm, KeyId, PublicKey};
use crate::wrap::WrappingKeyId;

/// The value of `format` in a project's key record.
pub(super) const KEYS_FORMAT: &str = "bartizan-key-store-v1";

/// The value of `format` in a wrapped data key record.
pub(super) const DATA_FORMAT: &str = "bartizan-wrapped-key-v1";

/// The first line of the associated data of an encrypted stream.
const STREAM_FORMAT: &str = "bartizan-encrypted-stream-v1";

/// A project's keys: `body`, and its MAC under the project's wrapping key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRecord {
    pub(super) body: KeyBody,
    pub(super) mac: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyBody {
    pub(super) created_at: Timestamp,
    pub(super) development: bool,
    pub(super) format: String,
    pub(super) naming: String,
    pub(super) project: ProjectId,
    pub(super) signing: Vec<SigningEntry>,
    pub(super) wrapping: WrappingEntry,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrappingEntry {
    pub(super) id: WrappingKeyId,
    pub(super) root: WrappingKeyId,
    pub(super) sealed: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SigningEntry {
    pub(super) algorithm: Algorithm,
    pub(super) created_at: Timestamp,
    pub(super) id: KeyId,
    pub(super) public: PublicKey,
    pub(super) purpose: Purpose,
    pub(super) sealed: String,
    pub(super) status: KeyStatus,
}

/// One wrapped data key: what it is bound to, and the wrapped bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataRecord {
    pub(super) bound: DataBinding,
    pub(super) sealed: String,
}

/// What a data key is bound to; its canonical bytes are the associated data of the wrapping.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataBinding {
    pub(super) artifact: ArtifactId,
    pub(super) blob: String,
    pub(super) created_at: Timestamp,
    pub(super) format: String,
    pub(super) project: ProjectId,
    pub(super) size: u64,
    pub(super) wrapping: WrappingKeyId,
}

/// A blob name that is made of constants and hexadecimal digits.
#[expect(clippy::expect_used, reason = "callers pass such names only; the tests parse every kind of them")]
pub(super) fn name(text: &str) -> BlobName {
    text.parse().expect("a constant and digits are a blob name")
}

/// The name of the blob that holds a project's keys.
pub(super) fn keys_name() -> BlobName {
    name("project-keys.json")
}

/// The associated data of a key in a project's key record.
pub(super) fn key_aad(
    project: ProjectId,
    wrapping: WrappingKeyId,
    role: &Role,
) -> Result<Vec<u8>, EncodeError> {
    #[derive(Serialize)]
    struct Aad {
        format: &'static str,
        key: Option<KeyId>,
        project: ProjectId,
        role: String,
        wrapping: WrappingKeyId,
    }
    let (role, key) = match role {
        Role::Wrapping => ("wrapping".to_owned(), None),
        Role::Naming => ("naming".to_owned(), None),
        Role::Signing(purpose, key) => (purpose.to_string(), Some(*key)),
    };
    canonical::to_bytes(&Aad { format: KEYS_FORMAT, key, project, role, wrapping })
}

/// What a key in a project's key record is for.
pub(super) enum Role {
    Wrapping,
    Naming,
    Signing(Purpose, KeyId),
}

/// The associated data of an encrypted stream.
pub(super) fn stream_aad(project: ProjectId, artifact: ArtifactId) -> Vec<u8> {
    format!("{STREAM_FORMAT}\n{project}\n{artifact}\n").into_bytes()
}
