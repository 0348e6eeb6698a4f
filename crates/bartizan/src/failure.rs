//! One shape for everything that goes wrong: id, what, why, next; with an exit code and an HTTP status.

use std::error::Error;
use std::fmt;

use bartizan_policy::Action;
use bartizan_registry::proof::{KnownBy, ProofRefused, ProveFailed};
use bartizan_registry::statement::RefusedBecause;
use bartizan_registry::{Failed, IndexFailed, ReplayFailed};
use serde::{Deserialize, Serialize};

use crate::catalog::{self, ids};
use crate::out::shown;

/// What went wrong, for people and programs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// The stable id.
    pub(crate) id: String,
    /// What failed.
    pub(crate) what: String,
    /// Why, from the outside in.
    pub(crate) why: Vec<String>,
    /// What to do next.
    pub(crate) next: String,
}

impl Failure {
    /// A failure with an id from the catalogue.
    pub(crate) fn new(id: &'static str, what: impl fmt::Display) -> Self {
        let next = catalog::find(id).map_or("", |entry| entry.next);
        Self { id: id.to_owned(), what: what.to_string(), why: Vec::new(), next: next.to_owned() }
    }

    /// A failure that an error explains.
    pub(crate) fn of(id: &'static str, error: &dyn Error) -> Self {
        let mut failure = Self::new(id, error);
        let mut source = error.source();
        while let Some(error) = source {
            let text = error.to_string();
            // Many an error tells its cause in its own words already.
            let told = std::iter::once(&failure.what).chain(&failure.why).any(|said| said.contains(&text));
            if !told {
                failure.why.push(text);
            }
            source = error.source();
        }
        failure
    }

    /// The same, for another next step.
    #[must_use]
    pub(crate) fn then(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// The exit code of the command line.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.id.as_str() {
            ids::USAGE
            | ids::NOT_CONFIRMED
            | ids::CONFIGURATION
            | ids::INVALID
            | ids::FILE
            | ids::SCHEMA
            | ids::RECOGNISERS
            | ids::DRIFT
            | ids::WATCH
            | ids::OBJECT
            | ids::EXISTS
            | ids::ROOT_KEY
            | ids::PLAIN_CONNECTION
            | ids::NO_TLS
            | ids::ISOLATION
            | ids::FOREIGN_DIRECTORY => 2,
            ids::NOT_AUTHENTICATED | ids::REFUSED | ids::OTHER_SERVER | ids::OBJECT_DENIED => 3,
            ids::NOT_FOUND | ids::NOT_YOURS | ids::NO_DATA_DIRECTORY => 4,
            ids::LOCKED
            | ids::STORAGE
            | ids::LEDGER_STOPPED
            | ids::INDEX_DIFFERS
            | ids::CLOCK
            | ids::UNREACHABLE
            | ids::OBJECT_UNREACHABLE
            | ids::SLOW => 5,
            _ => 1,
        }
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        match self.id.as_str() {
            ids::NOT_AUTHENTICATED => 401,
            ids::REFUSED => 403,
            ids::NOT_FOUND | ids::NOT_YOURS => 404,
            ids::SLOW => 408,
            ids::CONFLICT | ids::NOT_READY | ids::EXISTS => 409,
            ids::USAGE
            | ids::INVALID
            | ids::SCHEMA
            | ids::DELIVERY
            | ids::SIGNATURE_MISSING
            | ids::SIGNATURE_WRONG
            | ids::SIGNATURE_REVOKED
            | ids::OPENLINEAGE
            | ids::MODEL_FILES
            | ids::RUN
            | ids::ROUTE
            | ids::ISOLATION
            | ids::PUBLISHER_SIGNATURE => 422,
            ids::STORAGE
            | ids::LEDGER_STOPPED
            | ids::INDEX_DIFFERS
            | ids::CLOCK
            | ids::LOCKED
            | ids::VIEWERS => 503,
            _ => 500,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Further lines are set in, so that no text from outside can pass for a line of ours.
        let lines = |text: &str| text.split('\n').map(shown).collect::<Vec<_>>().join("\n           ");
        write!(f, "error[{}]: {}", shown(&self.id), lines(&self.what))?;
        for why in &self.why {
            write!(f, "\n  because: {}", lines(why))?;
        }
        if !self.next.is_empty() {
            write!(f, "\n  next:    {}", lines(&self.next))?;
        }
        Ok(())
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        if let Failed::Refused(refused) = &failed {
            let what = format!("`{}` on `{}` is not allowed", refused.action, refused.resource);
            let mut failure = Self::new(ids::REFUSED, what);
            failure.why = refused.reasons.iter().map(ToString::to_string).collect();
            failure.why.push(format!("recorded as ledger entry {}", refused.ledger_index));
            if refused.action != Action::KeyIssue {
                failure.next = format!("bartizan access explain WHO {} {}", refused.action, refused.resource);
            }
            return failure;
        }
        let failure = Self::of(id_of(&failed), &failed);
        match &failed {
            Failed::Unreadable { .. } => {
                failure.then("restore the directory `keys` of the data directory from a backup")
            }
            Failed::NotFound { what, .. } => failure.then(where_to_look(what)),
            Failed::NotInferred(_) => failure.then("name a column of the file with --label"),
            Failed::Index(IndexFailed::Ahead { .. }) => failure.then(
                "find the newer ledger (the copy that was replaced, or the newest backup) and put its directory \
                 `ledger` back; only when it is lost for good: bartizan ledger rebuild --accept-smaller-ledger",
            ),
            Failed::Unproven { entry, .. } => {
                let mut failure = failure;
                failure.why.push(format!("recorded as ledger entry {entry}"));
                failure
            }
            _ => failure,
        }
    }
}

/// The command that lists things of a kind.
fn where_to_look(kind: &str) -> &'static str {
    match kind {
        "model version" => "bartizan model list",
        "data set version" => "bartizan data list",
        "endpoint" => "bartizan endpoint list",
        "source" | "key of that source" => "bartizan data source list",
        "run" => "bartizan run list",
        "principal" => "bartizan access user list",
        "principal for" => {
            "set BARTIZAN_TOKEN to your API key, or ask an admin for `access user add --local-uid`"
        }
        "API key" => "bartizan access key list",
        "ledger entry" => "bartizan ledger show",
        "upload" => "upload it again: what is not used within an hour is destroyed",
        _ => "bartizan status",
    }
}

fn id_of(failed: &Failed) -> &'static str {
    use bartizan_ledger::{OpenFailed, RememberFailed};
    match failed {
        Failed::Refused(_) => ids::REFUSED,
        Failed::KeyEnded => ids::NOT_AUTHENTICATED,
        Failed::Together(failed) => id_of(failed),
        Failed::Outdated => ids::CONFLICT,
        Failed::NotFound { .. } => ids::NOT_FOUND,
        Failed::Conflict { .. } | Failed::SameFiles { .. } => ids::CONFLICT,
        Failed::NotReady { .. } => ids::NOT_READY,
        Failed::Invalid { .. } | Failed::Terms(_) => ids::INVALID,
        Failed::Manifest(_) => ids::MODEL_FILES,
        Failed::ClockBehind { .. } => ids::CLOCK,
        Failed::Append(_) => ids::LEDGER_STOPPED,
        Failed::Create(_) | Failed::Seal(_) | Failed::Erase(_) | Failed::Tokens(_) => ids::STORAGE,
        Failed::Open(OpenFailed::RolledBack { .. }) | Failed::Remember(RememberFailed::Smaller { .. }) => {
            ids::LEDGER_FORKED
        }
        Failed::Remember(_) => ids::LEDGER_FORKED,
        Failed::Open(OpenFailed::Storage(_)) => ids::STORAGE,
        Failed::Open(_) | Failed::Read(_) => ids::LEDGER_DAMAGED,
        Failed::Replay(ReplayFailed::Read(_) | ReplayFailed::Entry(_)) => ids::LEDGER_DAMAGED,
        Failed::Replay(ReplayFailed::Discontinued { .. }) => ids::LEDGER_FORKED,
        Failed::Index(IndexFailed::Db(_)) => ids::STORAGE,
        Failed::Index(IndexFailed::Ahead { .. }) => ids::LEDGER_FORKED,
        Failed::Index(_) => ids::INDEX_DIFFERS,
        Failed::Unseal(_) | Failed::Content(_) | Failed::Unreadable { .. } => ids::CONTENT_CHANGED,
        Failed::Prove(ProveFailed::Erased { .. }) => ids::NOT_FOUND,
        Failed::Prove(_) => ids::CONTENT_CHANGED,
        Failed::Signature(_) => ids::MODEL_SIGNATURE,
        Failed::Publisher(_) | Failed::PublisherFiles(_) => ids::PUBLISHER_SIGNATURE,
        Failed::NotInferred(_) => ids::INVALID,
        Failed::Delivery(_) | Failed::OneDelivery { .. } | Failed::Folder(_) => ids::DELIVERY,
        Failed::Schema(_) | Failed::FolderSchema(_) => ids::SCHEMA,
        Failed::Unproven { why: RefusedBecause::Unsigned, .. } => ids::SIGNATURE_MISSING,
        Failed::Unproven { why: RefusedBecause::RevokedKey, .. } => ids::SIGNATURE_REVOKED,
        Failed::Unproven { .. } => ids::SIGNATURE_WRONG,
        Failed::NotAdmitted(_)
        | Failed::Entry(_)
        | Failed::Sign(_)
        | Failed::Policies(_)
        | Failed::Interrupted => ids::INTERNAL,
    }
}

impl From<ProofRefused> for Failure {
    fn from(refused: ProofRefused) -> Self {
        let id = match &refused {
            ProofRefused::Malformed(_) => ids::PROOF_MALFORMED,
            ProofRefused::Checkpoint { .. } => ids::PROOF_CHECKPOINT,
            ProofRefused::TrustKey => ids::PROOF_TRUST,
            ProofRefused::Smaller { .. } => ids::PROOF_SMALLER,
            ProofRefused::Rewritten { .. } => ids::PROOF_REWRITTEN,
            ProofRefused::NoConsistency { .. } => ids::PROOF_CONSISTENCY,
            ProofRefused::EntryOrder { .. } => ids::PROOF_ORDER,
            ProofRefused::NotIncluded(_) => ids::PROOF_NOT_INCLUDED,
            ProofRefused::Statement(_) => ids::PROOF_STATEMENT,
            ProofRefused::OtherProject => ids::PROOF_PROJECT,
            ProofRefused::Development => ids::PROOF_DEVELOPMENT,
            ProofRefused::Opening { .. } | ProofRefused::NotOpened { .. } => ids::PROOF_OPENING,
            ProofRefused::Manifest(_) | ProofRefused::ModelSignature { .. } => ids::PROOF_SIGNATURE,
            ProofRefused::LeftOut { .. } => ids::PROOF_LEFT_OUT,
            ProofRefused::Claim { .. } => ids::PROOF_CLAIM,
            ProofRefused::RecordProof(_) | ProofRefused::RecordEnvelope(_) => ids::PROOF_MALFORMED,
            ProofRefused::NotInSegment(_) | ProofRefused::Record { .. } => ids::PROOF_RECORD,
            ProofRefused::Receipt { .. } => ids::PROOF_RECEIPT,
        };
        let failure = Self::of(id, &refused);
        match &refused {
            ProofRefused::Smaller { by: KnownBy::TrustFile, .. } => failure.then(
                "bartizan prove WHAT --out FILE makes a proof of the ledger as it is now, which the trust file is newer \
                 than; if that one is smaller too, the log was rolled back. An older proof is verified with the trust \
                 file that was published before it",
            ),
            ProofRefused::Smaller { by: KnownBy::Verifier, .. } => failure.then(
                "bartizan prove WHAT --out FILE makes a proof of the ledger as it is now; if that one is smaller too, \
                 the log was rolled back. `--memory` with an empty directory verifies an older proof as of its own time",
            ),
            _ => failure,
        }
    }
}
