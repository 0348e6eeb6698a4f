//! Following the ledger: what is stopped answers no more, what is routed is loaded.
//!
//! ```text
//!   every 100 ms: has the ledger grown? --> stop what may not be served, drop what is out of service
//!   every 100 ms: what is not as the ledger says? --> load (reads, may take long) --> put, swap
//! ```
//!
//! The two never wait for each other: a quarantine bites while a large model loads.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bartizan_base::{Name, VersionRef};
use bartizan_gateway::{Endpoint, Fallback, Serving, Settings};
use bartizan_registry::state::{Endpoint as Stated, State};
use bartizan_registry::statement::Standing;
use tokio::time::Instant;

use super::{Gateway, error_id};
use crate::catalog::ids;
use crate::failure::Failure;

/// How often the ledger is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long after a failure an endpoint is loaded again; twice as long after each further one.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest time between two attempts.
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);

/// What an endpoint should serve: its last statement, and which versions of it may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    entry: u64,
    primary: bool,
    fallback: bool,
}

/// What became of the last attempt to load an endpoint.
#[derive(Debug)]
struct Attempt {
    wanted: Wanted,
    failed: Option<Failed>,
}

/// An endpoint that is not served, or not whole.
#[derive(Debug)]
struct Failed {
    times: u32,
    again: Instant,
    said: String,
}

impl Gateway {
    /// Follows the ledger until it is dropped by whoever runs it.
    pub(crate) async fn follow(&self) {
        tokio::join!(self.keep_stopping(), self.keep_loading(), self.keep_rereading());
    }

    async fn keep_stopping(&self) {
        let mut seen = None;
        loop {
            let state = self.registry.state();
            if seen != Some(state.facts()) {
                seen = Some(state.facts());
                self.stop_what_is_stopped();
            }
            self.confirm(&state);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Tells endpoints of every version that may not be served any more, and drops those that are out of service.
    /// It reads nothing, so it is at once.
    fn stop_what_is_stopped(&self) {
        let mut endpoints = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
        // Taken under the lock: whoever puts an endpoint there looks at the state under it too.
        let state = self.registry.state();
        endpoints.retain(|name, _| state.endpoints().get(name).is_some_and(is_active));
        for endpoint in endpoints.values() {
            stop(endpoint, &endpoint.serving(), &state);
        }
    }

    /// Notes up to which entry endpoints are known to serve what the ledger says. What may not be served is stopped.
    fn confirm(&self, state: &State) {
        let endpoints = self.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        for (name, endpoint) in endpoints.iter() {
            let serving = endpoint.serving();
            let route = state.endpoints().get(name).map(|stated| stated.statement.entry);
            if route == serving.route() {
                serving.confirm(state.next_index(), self.began.elapsed());
            }
        }
    }

    async fn keep_loading(&self) {
        let mut seen = None;
        let mut attempts = BTreeMap::new();
        loop {
            let state = self.registry.state();
            let failing = attempts.values().any(|attempt: &Attempt| attempt.failed.is_some());
            if seen != Some(state.facts()) || failing {
                seen = Some(state.facts());
                self.load_what_is_routed(&state, &mut attempts).await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Loads endpoints that do not serve what the ledger says.
    async fn load_what_is_routed(&self, state: &State, attempts: &mut BTreeMap<Name, Attempt>) {
        attempts.retain(|name, _| state.endpoints().get(name).is_some_and(is_active));
        for stated in state.endpoints().values().filter(|stated| is_active(stated)) {
            let name = &stated.body.endpoint;
            let wanted = wanted(state, stated);
            let before = attempts.remove(name).filter(|attempt| attempt.wanted == wanted);
            let due = match before.as_ref().map(|attempt| &attempt.failed) {
                Some(Some(failed)) => Instant::now() >= failed.again,
                Some(None) => !self.serves(name, wanted),
                None => true,
            };
            if !due {
                attempts.extend(before.map(|attempt| (name.clone(), attempt)));
                continue;
            }
            let said = match self.assemble(stated).await {
                Ok((serving, lacks)) => {
                    self.put(name, serving.routed_by(stated.statement.entry)).err().or(lacks)
                }
                Err(failure) => Some(failure),
            };
            let failed = said.map(|failure| failed(name, &failure, before.and_then(|before| before.failed)));
            attempts.insert(name.clone(), Attempt { wanted, failed });
        }
    }

    /// Whether every version that may answer under a name can.
    fn serves(&self, name: &Name, wanted: Wanted) -> bool {
        self.endpoint(name).is_some_and(|endpoint| {
            let serving = endpoint.serving();
            let primary = serving.primary().is_ok_and(|primary| endpoint.may_infer(primary));
            let fallback = match serving.fallback() {
                Fallback::Version(version) => endpoint.may_infer(version),
                Fallback::Constant(_) | Fallback::Unavailable => false,
            };
            (primary || !wanted.primary) && (fallback || !wanted.fallback)
        })
    }

    /// Serves something under a name from now on, unless the ledger says otherwise meanwhile.
    fn put(&self, name: &Name, serving: Serving) -> Result<(), Failure> {
        let mut endpoints = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
        let state = self.registry.state();
        let stated = state.endpoints().get(name).filter(|stated| is_active(stated));
        // Another route was stated while this was loaded: that one is next.
        if stated.map(|stated| stated.statement.entry) != serving.route() {
            return Ok(());
        }
        let now = self.began.elapsed();
        match endpoints.get(name) {
            Some(endpoint) => {
                stop(endpoint, &serving, &state);
                serving.confirm(state.next_index(), now);
                endpoint.swap(serving).map_err(|error| Failure::of(ids::INFER_UNAVAILABLE, &error))
            }
            None => {
                let settings = Settings { name: name.clone(), error_id };
                let endpoint = Endpoint::new(settings, serving);
                stop(&endpoint, &endpoint.serving(), &state);
                endpoint.serving().confirm(state.next_index(), now);
                endpoints.insert(name.clone(), Arc::new(endpoint));
                Ok(())
            }
        }
    }

    /// Whether every endpoint in service is loaded and has an answer.
    pub(super) fn is_ready(&self) -> bool {
        let state = self.registry.state();
        state
            .endpoints()
            .values()
            .filter(|stated| is_active(stated))
            .all(|stated| self.endpoint(&stated.body.endpoint).is_some_and(|found| found.is_ready()))
    }
}

/// Tells an endpoint of the versions in `serving` that may not be served any more.
fn stop(endpoint: &Endpoint, serving: &Serving, state: &State) {
    for loaded in serving.versions() {
        if !may_be_served(state, loaded.version()) {
            endpoint.stop(loaded.manifest(), state.next_index());
        }
    }
}

/// Whether a version may be served now.
pub(super) fn may_be_served(state: &State, version: &VersionRef) -> bool {
    state.version(version).is_some_and(|found| state.releasable(found))
}

fn wanted(state: &State, stated: &Stated) -> Wanted {
    let may = |routed: &Option<bartizan_registry::statement::Routed>| {
        routed.as_ref().is_some_and(|routed| may_be_served(state, &routed.version))
    };
    Wanted {
        entry: stated.statement.entry,
        primary: may(&stated.body.primary),
        fallback: may(&stated.body.fallback.version),
    }
}

/// Whether an endpoint is in service.
pub(super) fn is_active(stated: &Stated) -> bool {
    stated.body.standing == Standing::Active
}

/// Notes a failure, and says so in the log when it is not the same as before.
fn failed(name: &Name, failure: &Failure, before: Option<Failed>) -> Failed {
    let said = std::iter::once(&failure.what).chain(&failure.why).cloned().collect::<Vec<_>>().join(": ");
    let times = before.as_ref().map_or(0, |before| before.times.saturating_add(1));
    if before.is_none_or(|before| before.said != said) {
        tracing::error!(endpoint = %name, id = failure.id, what = failure.what, why = ?failure.why, "an endpoint is not served as it is routed");
    }
    let wait = AGAIN.saturating_mul(1 << times.min(6)).min(AGAIN_AT_MOST);
    Failed { times, again: Instant::now() + wait, said }
}
