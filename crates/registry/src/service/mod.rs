//! The registry at work: decide, record, sign, append, fold.

mod access;
mod api_keys;
mod beside;
mod checked;
mod datasets;
mod delivered;
mod endpoints;
mod erasures;
mod facts;
mod failed;
mod held;
mod judged;
mod life;
mod lineage;
mod models;
mod profile;
mod proofs;
mod register;
mod reread;
mod roles;
mod runs;
mod serving;
mod sources;
mod together;
mod tokens;
mod unusual;
mod uploads;
mod write;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bartizan_base::{Blobs, Clock, PrincipalId, Timestamp, VersionRef};
use bartizan_keys::Keys;
use bartizan_ledger::{Ledger, SignedCheckpoint, Snapshot, TrustedLog};
use bartizan_policy::api_key::{Admitted, ApiKeyId};
use bartizan_policy::{ContextFacts, Policies};
use rand_core::CryptoRng;

pub use self::access::{Explained, NewPrincipal, PrincipalView};
pub use self::api_keys::{KeyClaim, KeyLimits};
pub use self::beside::{CompareWith, NewBeside};
pub use self::datasets::{DatasetDetail, DatasetOutcome, NewDataset, NewDelivery, NewDerived};
pub use self::endpoints::{EndpointSettings, NewEndpoint, NewFallback, NewRoute, Rollback, RolledBack};
pub use self::erasures::subject_of;
pub use self::failed::Failed;
pub use self::judged::{Judged, NotJudged};
pub use self::life::{Founder, Indexing, Stores, create, ledger_key, ledger_origin, open};
pub use self::lineage::NamedGraph;
pub use self::models::{Quarantine, VerificationReport};
pub use self::profile::Profile;
pub use self::proofs::Proof;
pub use self::register::{ModelFile, NewModel, Publisher};
pub use self::reread::{OpenPart, Reread, StoredPart};
pub use self::roles::RoleChanged;
pub use self::runs::{NewRun, RunInput, RunOutput, RunReport, StartedRun, ToldOfRun};
pub use self::serving::ReleaseFailed;
pub use self::sources::{SourceView, sign_delivery};
pub use self::tokens::TokenForm;
pub use self::uploads::{Destination, Upload, UploadId, UploadPermit};
use crate::replay::Replayed;
use crate::state::State;

/// A generator of random bytes, made anew for each use.
pub type Randomness = fn() -> Box<dyn CryptoRng + Send>;

/// The open registry of one project. Cheap to clone; all methods may be called from any task.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    ledger: Ledger,
    keys: Arc<Keys>,
    blobs: Arc<dyn Blobs>,
    index: crate::index::Index,
    clock: Arc<dyn Clock>,
    random: Randomness,
    policies: Policies,
    state: RwLock<Arc<State>>,
    writer: Arc<tokio::sync::Mutex<()>>,
    waiting: together::Waiting,
    judged: judged::Kept,
    lineage: lineage::Kept,
    replayed: Mutex<Option<Arc<Replayed>>>,
    uploads: Mutex<uploads::Pending>,
    held: Mutex<held::Held>,
}

/// Who asks, and how they proved who they are.
#[derive(Debug)]
pub struct Caller {
    principal: PrincipalId,
    credential: Presented,
}

#[derive(Debug)]
enum Presented {
    Local,
    Key(Arc<Admitted>),
}

impl Caller {
    /// Somebody who opened the data directory itself on this machine.
    pub fn local(principal: PrincipalId) -> Self {
        Self { principal, credential: Presented::Local }
    }

    /// Somebody whose API key was admitted, for this request or when a session began. The key is looked up again
    /// when a decision is taken: what was revoked or has expired by then decides nothing.
    pub fn key(admitted: Arc<Admitted>) -> Self {
        Self { principal: admitted.principal(), credential: Presented::Key(admitted) }
    }

    /// The principal.
    pub fn principal(&self) -> PrincipalId {
        self.principal
    }

    /// The API key that was shown; none by somebody who opened the data directory.
    pub fn key_id(&self) -> Option<ApiKeyId> {
        match &self.credential {
            Presented::Local => None,
            Presented::Key(admitted) => Some(admitted.id()),
        }
    }

    fn context(&self, now: Timestamp) -> ContextFacts {
        match &self.credential {
            Presented::Local => ContextFacts::local(now),
            Presented::Key(admitted) => ContextFacts::api_key(admitted, now),
        }
    }
}

impl Registry {
    /// The state after the last entry.
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.inner.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last checkpoint.
    pub fn checkpoint(&self) -> SignedCheckpoint {
        self.inner.ledger.checkpoint()
    }

    /// The ledger as it is now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, Failed> {
        Ok(self.inner.ledger.snapshot()?)
    }

    /// Asks the policy, and records the answer, for reading that needs nothing else.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn ask<O: bartizan_policy::Operation>(
        &self,
        caller: &Caller,
        operation: O,
        resource: O::Resource,
    ) -> Result<(), Failed> {
        self.allow(caller, operation, resource).await.map(|_| ())
    }

    /// Asks whether the caller may see a model version, and records the answer. Whether there is one is told
    /// only to those who may.
    ///
    /// # Errors
    /// When the caller may not, or there is no such version.
    pub async fn ask_for_model(&self, caller: &Caller, version: &VersionRef) -> Result<(), Failed> {
        let facts = self.state().model_facts(version);
        self.ask(caller, bartizan_policy::op::ModelShow, facts).await?;
        self.state().known_version(version).map(|_| ())
    }

    /// Whether what a caller was admitted with is still good: an API key may end by itself while nothing is stated.
    pub fn still_admits(&self, caller: &Caller) -> bool {
        caller.stands(&self.state(), self.now())
    }

    /// The present time, as this machine believes it.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Whether the ledger takes no more entries until the project is opened again: a write to it failed.
    pub fn has_stopped(&self) -> bool {
        self.inner.ledger.stopped().is_some()
    }

    /// Whose signatures the ledger's checkpoints carry.
    pub fn log(&self) -> &TrustedLog {
        self.inner.ledger.log()
    }

    /// The public facts of the project's keys.
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// The policies that decisions are taken under.
    pub fn policies(&self) -> &Policies {
        &self.inner.policies
    }

    /// The SQL index, for paged lists; it grants nothing.
    pub fn index(&self) -> &crate::index::Index {
        &self.inner.index
    }

    /// Runs blocking work (files, hashing, encryption, signatures) off the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Failed> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(|_| Failed::Interrupted)?
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry({})", self.inner.keys.project())
    }
}

/// Every operation can be awaited by a server that moves tasks between threads.
#[expect(dead_code, reason = "compiling it is the check")]
fn operations_are_send(registry: &Registry, caller: &Caller, version: &VersionRef) {
    fn send<T: Send>(_: T) {}
    send(registry.approve(caller, version));
    send(registry.verify_model(caller, version));
}
