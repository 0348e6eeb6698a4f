//! Following the ledger: what is stopped answers no more, what is routed is loaded.
//!
//! ```text
//!   every 100 ms: has the ledger grown? --> stop what may not be served, drop what is out of service
//!   every 100 ms: what is not as the ledger says? --> a task that loads it (`loading`) --> put, swap
//! ```
//!
//! None of them waits for another: a quarantine bites, and other endpoints are routed, while a large model loads.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bartizan_base::{Name, VersionRef};
use bartizan_gateway::{Endpoint, Serving, Settings};
use bartizan_registry::state::{Endpoint as Stated, State};
use bartizan_registry::statement::Standing;

use super::{Gateway, error_id};
use crate::catalog::ids;
use crate::failure::Failure;

/// How often the ledger is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(100);

impl Gateway {
    /// Follows the ledger until it is dropped by whoever runs it.
    pub(crate) async fn follow(self: &Arc<Self>) {
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
    pub(crate) fn stop_what_is_stopped(&self) {
        let mut endpoints = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
        // Taken under the lock: whoever puts an endpoint there looks at the state under it too.
        let state = self.registry.state();
        let gone = |name: &Name| !state.endpoints().get(name).is_some_and(is_active);
        for (_, endpoint) in endpoints.extract_if(.., |name, _| gone(name)) {
            endpoint.retire();
        }
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

    /// Serves something under a name from now on, unless the ledger says otherwise meanwhile.
    pub(super) fn put(&self, name: &Name, serving: Serving) -> Result<(), Failure> {
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

    /// Takes away what a name served before it was routed to something that cannot be loaded: whoever stated the new route
    /// did not want the old one to go on.
    pub(super) fn take_away(&self, stated: &Stated) {
        let mut endpoints = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
        let state = self.registry.state();
        let (name, entry) = (&stated.body.endpoint, stated.statement.entry);
        let still = state.endpoints().get(name).is_some_and(|now| now.statement.entry == entry);
        let older = endpoints.get(name).is_some_and(|endpoint| endpoint.serving().route() != Some(entry));
        if still
            && older
            && let Some(endpoint) = endpoints.remove(name)
        {
            endpoint.retire();
        }
    }

    /// Whether answers can be recorded, and every endpoint in service is loaded and has one.
    pub(super) fn is_ready(&self) -> bool {
        let state = self.registry.state();
        self.goes_on()
            && state
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

/// Whether an endpoint is in service.
pub(super) fn is_active(stated: &Stated) -> bool {
    stated.body.standing == Standing::Active
}
