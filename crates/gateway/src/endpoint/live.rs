//! An endpoint while it serves: swapped whole, stopped at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bartizan_base::{Digest, Name, VersionRef};

use super::loaded::LoadedVersion;
use super::serving::{Fallback, Serving};
use crate::fault::Fault;

/// What an endpoint is, whatever it serves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name: the model name of the protocol.
    pub name: Name,
    /// The id that explains a fault, from the catalogue of whoever answers.
    pub error_id: fn(Fault) -> &'static str,
}

/// A name under which predictions are made. All methods may be called from any thread.
///
/// ```text
///   Released + bytes --load--> LoadedVersion --+
///                    fallback, bounds ---------+--> Serving --swap--> Endpoint --predict--> answers
///                                                                        ^
///   the ledger says: quarantined, revoked, retired --stop(manifest)------+
/// ```
#[derive(Debug)]
pub struct Endpoint {
    settings: Settings,
    serving: RwLock<Arc<Serving>>,
    // Stopped manifests, each with the size of the ledger whose entries stop it.
    // INVARIANT: `any_stop` is true whenever this is not empty.
    stops: RwLock<BTreeMap<Digest, u64>>,
    any_stop: AtomicBool,
    retired: AtomicBool,
}

/// What is to be served is older than what is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwapRefused {
    /// The evidence is from a smaller ledger than that of what is served now.
    #[error("released at tree size {got}, and what is served now at {current}")]
    Older {
        /// The size it is from.
        got: u64,
        /// The size of what is served.
        current: u64,
    },
    /// A version in it was stopped after it was released.
    #[error("{version} was stopped at tree size {stopped}, after it was released at {released}")]
    Stopped {
        /// The version.
        version: VersionRef,
        /// When it was released.
        released: u64,
        /// When it was stopped.
        stopped: u64,
    },
}

impl Endpoint {
    /// An endpoint that serves this.
    pub fn new(settings: Settings, serving: Serving) -> Self {
        Self {
            settings,
            serving: RwLock::new(Arc::new(serving)),
            stops: RwLock::default(),
            any_stop: AtomicBool::new(false),
            retired: AtomicBool::new(false),
        }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.settings.name
    }

    /// What it is.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What serves now. A request holds one such value from its first phase to its last.
    pub fn serving(&self) -> Arc<Serving> {
        // The lock guards one pointer, which is always whole.
        Arc::clone(&self.serving.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves something else from now on. Requests that have begun end with what they began with.
    ///
    /// # Errors
    /// When the evidence is older than that of what is served, or than a stop of a version in it.
    pub fn swap(&self, next: Serving) -> Result<(), SwapRefused> {
        let mut stops = self.stops.write().unwrap_or_else(PoisonError::into_inner);
        let mut serving = self.serving.write().unwrap_or_else(PoisonError::into_inner);
        if next.tree_size() < serving.tree_size() {
            return Err(SwapRefused::Older { got: next.tree_size(), current: serving.tree_size() });
        }
        for version in next.versions() {
            // What holds at size n is known to evidence from size n on.
            if let Some(stopped) =
                stops.get(version.manifest()).copied().filter(|at| *at > version.tree_size())
            {
                let (released, version) = (version.tree_size(), version.version().clone());
                return Err(SwapRefused::Stopped { version, released, stopped });
            }
        }
        for version in next.versions() {
            stops.remove(version.manifest());
        }
        self.any_stop.store(!stops.is_empty(), Ordering::Release);
        *serving = Arc::new(next);
        Ok(())
    }

    /// Stops a manifest: from the return of this call on, no request begins to infer with it here, also none that is
    /// under way. `tree_size` is the size of the ledger that says so. Only a later release lifts it, by
    /// [`Endpoint::swap`].
    pub fn stop(&self, manifest: &Digest, tree_size: u64) {
        let mut stops = self.stops.write().unwrap_or_else(PoisonError::into_inner);
        let at = stops.entry(*manifest).or_insert(tree_size);
        *at = (*at).max(tree_size);
        self.any_stop.store(true, Ordering::Release);
    }

    /// Takes it out of service for good: whoever still holds it, because a request is under way, gets no answer from it,
    /// not even a constant one. Nobody tells it of stops from now on.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// Whether it was taken out of service.
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Whether a version may begin to infer now.
    pub fn may_infer(&self, version: &LoadedVersion) -> bool {
        if self.is_retired() {
            return false;
        }
        if !self.any_stop.load(Ordering::Acquire) {
            return true;
        }
        let stops = self.stops.read().unwrap_or_else(PoisonError::into_inner);
        !stops.contains_key(version.manifest())
    }

    /// Whether it has an answer: the primary may answer, or there is a fallback that may.
    pub fn is_ready(&self) -> bool {
        if self.is_retired() {
            return false;
        }
        let serving = self.serving();
        let fallback = match serving.fallback() {
            Fallback::Version(version) => self.may_infer(version),
            Fallback::Constant(_) => true,
            Fallback::Unavailable => false,
        };
        fallback || serving.primary().is_ok_and(|primary| self.may_infer(primary))
    }
}
