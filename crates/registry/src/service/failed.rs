//! How an operation of the registry can fail.

use std::sync::Arc;

use bartizan_base::{Digest, Name, VersionRef};
use bartizan_data::folder::{FolderInvalid, FolderSchemaInvalid};
use bartizan_data::{NotInferred, ReadError, SchemaInvalid};
use bartizan_keys::oms::{Differences, VerifyBundle};
use bartizan_keys::{EraseFailed, SealFailed, UnsealFailed};
use bartizan_ledger::{AppendFailed, CreateFailed, OpenFailed, ReadFailed, RememberFailed};
use bartizan_policy::api_key::TermsInvalid;
use bartizan_policy::{PoliciesInvalid, Refused};

use crate::index::IndexFailed;
use crate::manifest::ManifestInvalid;
use crate::proof::{ProofRefused, ProveFailed};
use crate::replay::ReplayFailed;
use crate::state::{EntryInvalid, NotAdmitted};
use crate::statement::RefusedBecause;

/// An operation of the registry failed; nothing took effect unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The policy says no, and that is recorded. The caller's fault.
    #[error("not allowed")]
    Refused(#[from] Refused),
    /// The API key was revoked, or has expired, since the request came in.
    #[error("the API key is not accepted any more")]
    KeyEnded,
    /// There is no such thing, or the caller may not know of it.
    #[error("there is no {what} `{name}`")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Not one document of the project can be read: their keys are gone.
    #[error(
        "the project's documents cannot be read, those that say who `{login}` is among them: their keys are missing"
    )]
    Unreadable {
        /// Who wanted to be known.
        login: String,
    },
    /// What was asked for is not possible as things stand. The caller's fault.
    #[error("{what}: {why}")]
    Conflict {
        /// The thing concerned.
        what: String,
        /// Why not.
        why: String,
    },
    /// The files are a version already. The caller's fault.
    #[error("model {}: these files are {version} already (manifest {manifest})", version.name)]
    SameFiles {
        /// Which version.
        version: VersionRef,
        /// The digest of its manifest.
        manifest: Digest,
    },
    /// The project would be stuck in tier release. The caller's fault.
    #[error(
        "tier `release` takes two admins and an approver who can sign in by themselves, with an API key that is good for granting roles and for \
         approving; there are {admins} and {approvers}"
    )]
    NotReady {
        /// Admins who can act in tier release.
        admins: usize,
        /// Approvers who can.
        approvers: usize,
    },
    /// The request itself is wrong. The caller's fault.
    #[error("{what}: {why}")]
    Invalid {
        /// What is wrong.
        what: String,
        /// Why.
        why: String,
    },
    /// The files do not make a model. The caller's fault.
    #[error("the files do not make a model")]
    Manifest(#[from] ManifestInvalid),
    /// The terms of an API key are not possible. The caller's fault.
    #[error("the API key cannot be issued")]
    Terms(#[from] TermsInvalid),
    /// This machine's clock is far behind the last statement: writing on would make times lie.
    #[error("the clock is {behind_seconds} seconds behind the last statement in the ledger")]
    ClockBehind {
        /// By how much.
        behind_seconds: i64,
    },
    /// The ledger did not take the entries; the variant inside says whether that is certain.
    #[error("the ledger did not take the statement")]
    Append(#[from] AppendFailed),
    /// A statement that was about to be written does not follow from the ones before: a defect of this program.
    #[error("the statement does not follow from the ledger")]
    NotAdmitted(#[from] NotAdmitted),
    /// An entry that was about to be written does not verify: a defect of this program.
    #[error("the entry does not verify")]
    Entry(#[from] EntryInvalid),
    /// A statement could not be signed.
    #[error("the statement could not be signed")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No ledger was made.
    #[error("the ledger could not be made")]
    Create(#[from] CreateFailed),
    /// The ledger cannot be opened.
    #[error("the ledger cannot be opened")]
    Open(#[from] OpenFailed),
    /// The ledger cannot be read.
    #[error("the ledger cannot be read")]
    Read(#[from] ReadFailed),
    /// The ledger does not fold.
    #[error("the ledger cannot be folded")]
    Replay(#[from] ReplayFailed),
    /// The ledger is not a continuation of what this data directory has seen.
    #[error("the ledger is not the one that was here before")]
    Remember(#[from] RememberFailed),
    /// The SQL index failed or disagrees with the ledger.
    #[error("the SQL index cannot be used")]
    Index(#[from] IndexFailed),
    /// Content could not be stored.
    #[error("the content could not be stored")]
    Seal(#[from] SealFailed),
    /// Stored content cannot be read: it was erased or changed.
    #[error("stored content cannot be read")]
    Unseal(#[from] UnsealFailed),
    /// Stored content cannot be erased.
    #[error("stored content could not be erased")]
    Erase(#[from] EraseFailed),
    /// Stored content cannot be read to its end.
    #[error("stored content cannot be read")]
    Content(#[source] std::io::Error),
    /// The vault of tokens cannot be read or written.
    #[error("the vault of tokens cannot be used")]
    Tokens(#[from] bartizan_base::BlobError),
    /// The signature of a model does not hold.
    #[error("the model's signature does not hold")]
    Signature(#[source] ProofRefused),
    /// The publisher's bundle is not a signature by the expected key. Nothing was imported.
    #[error("the publisher's signature does not hold")]
    Publisher(#[source] VerifyBundle),
    /// The publisher signed other files. Nothing was imported.
    #[error("the publisher signed other files")]
    PublisherFiles(#[source] Differences),
    /// A delivery cannot be read to its end. Nothing was accepted.
    #[error("the delivery cannot be read")]
    Delivery(#[from] ReadError),
    /// The same of one among several.
    #[error("delivery {number} of {of} cannot be read")]
    OneDelivery {
        /// Which, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// Why not.
        #[source]
        source: ReadError,
    },
    /// Deliveries are not signed as they have to be. Nothing was accepted, and that is recorded.
    #[error("delivery {number} of {name}: {}", why.words())]
    Unproven {
        /// The data set.
        name: Name,
        /// The first delivery that was refused, from 1.
        number: usize,
        /// Why.
        why: RefusedBecause,
        /// The ledger entry that says so.
        entry: u64,
    },
    /// The schema is wrong. Nothing was accepted.
    #[error("the schema is wrong")]
    Schema(#[from] SchemaInvalid),
    /// A directory cannot be read to its end. Nothing was accepted.
    #[error("the directory cannot be read")]
    Folder(#[from] FolderInvalid),
    /// The schema of a directory is wrong. Nothing was accepted.
    #[error("the schema is wrong")]
    FolderSchema(#[from] FolderSchemaInvalid),
    /// No schema can be inferred from the delivery. Nothing was accepted.
    #[error("no schema can be inferred")]
    NotInferred(#[from] NotInferred),
    /// A proof could not be made.
    #[error("the proof could not be made")]
    Prove(#[from] ProveFailed),
    /// The built-in policies are broken: a defect of this program.
    #[error("the access policy cannot be loaded")]
    Policies(#[from] PoliciesInvalid),
    /// The group of decisions that this one was written with could not be written.
    #[error(transparent)]
    Together(Arc<Failed>),
    /// What the decision rests on changed before it was recorded; it is asked for anew.
    #[error("what the decision rests on keeps changing")]
    Outdated,
    /// The work was interrupted because the program is ending.
    #[error("the program is ending")]
    Interrupted,
}

impl Failed {
    /// Says which delivery could not be read, where there are several.
    pub(super) fn of_delivery(self, place: usize, of: usize) -> Self {
        match self {
            Self::Delivery(source) if of > 1 => Self::OneDelivery { number: place + 1, of, source },
            other => other,
        }
    }

    /// Whether something may be in the ledger although the operation failed.
    pub(crate) fn may_have_happened(&self) -> bool {
        match self {
            Self::Together(failed) => failed.may_have_happened(),
            failed => {
                matches!(
                    failed,
                    Self::Append(AppendFailed::Unknown(_) | AppendFailed::Gone) | Self::Interrupted
                )
            }
        }
    }

    pub(crate) fn not_found(what: &'static str, name: impl ToString) -> Self {
        Self::NotFound { what, name: name.to_string() }
    }

    pub(crate) fn conflict(what: impl ToString, why: impl ToString) -> Self {
        Self::Conflict { what: what.to_string(), why: why.to_string() }
    }

    pub(crate) fn invalid(what: impl ToString, why: impl ToString) -> Self {
        Self::Invalid { what: what.to_string(), why: why.to_string() }
    }
}
