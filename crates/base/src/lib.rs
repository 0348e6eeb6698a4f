//! The vocabulary every other crate speaks: digests, names, ids, time, limits and the two storage seams.
//!
//! `base` does no I/O, holds no secrets and decides nothing. It does not know what a model or a ledger is;
//! it only makes sure that a digest, a name or a timestamp means the same thing wherever it turns up.
//!
//! ```text
//!   bytes --sha256--> Digest         text --parse--> Name, VersionRef, AliasRef
//!   value --canonical--> bytes       Clock --now--> Timestamp
//!   Blobs, Cas: declared here, implemented in `store`, used by `keys`, `ledger` and `registry`
//! ```

mod blobs;
pub mod canonical;
mod cas;
mod digest;
mod hex;
mod id;
pub mod limits;
mod name;
mod time;

pub use crate::blobs::{
    BlobError, BlobErrorKind, BlobName, BlobNameInvalid, BlobReader, BlobWriter, Blobs, read_all,
};
pub use crate::cas::{Cas, CasError};
pub use crate::digest::{Digest, DigestInvalid, Hasher, sha256};
pub use crate::hex::Hex;
pub use crate::id::{ArtifactId, ErasureId, IdInvalid, PrincipalId, ProjectId, RequestId, RunId, SourceId};
pub use crate::name::{AliasRef, Name, NameInvalid, VersionRef};
pub use crate::time::{Clock, ManualClock, Timestamp, TimestampInvalid};
