//! Following the ledger: what is released is loaded, what is stopped answers no more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bartizan_base::Name;
use bartizan_gateway::oip::Request;
use bartizan_gateway::validate::{Bounds, OutOfBounds};
use bartizan_gateway::{Constant, Endpoint, Fallback, LoadedVersion, Serving, Settings, model_file};
use bartizan_model::limits::MODEL_BYTES;
use bartizan_registry::state::Endpoint as Stated;
use bartizan_registry::statement::{Beyond, Routed, Standing};

use super::{Gateway, error_id};
use crate::catalog::ids;
use crate::failure::Failure;

/// How often the ledger is looked at.
const LOOK: Duration = Duration::from_millis(100);

impl Gateway {
    /// Follows the ledger until it is dropped by whoever runs it.
    pub(crate) async fn follow(&self) {
        let mut seen = None;
        let mut routed = BTreeMap::new();
        loop {
            let state = self.registry.state();
            if seen != Some(state.facts()) {
                seen = Some(state.facts());
                self.stop_what_is_stopped();
                self.load_what_is_routed(&mut routed).await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Tells endpoints of every version that may not be served any more. It reads nothing, so it is at once.
    fn stop_what_is_stopped(&self) {
        let state = self.registry.state();
        let endpoints = self.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        for endpoint in endpoints.values() {
            for loaded in endpoint.serving().versions() {
                let may = state.version(loaded.version()).is_some_and(|found| state.releasable(found));
                if !may {
                    endpoint.stop(loaded.manifest(), state.next_index());
                }
            }
        }
    }

    /// Loads endpoints whose route has changed, and drops those that are out of service.
    async fn load_what_is_routed(&self, routed: &mut BTreeMap<Name, u64>) {
        let state = self.registry.state();
        let active = |stated: &&Stated| is_active(stated);
        for stated in state.endpoints().values().filter(active) {
            let name = &stated.body.endpoint;
            if routed.get(name) == Some(&stated.statement.entry) {
                continue;
            }
            match self.serving(stated).await {
                Ok(serving) => {
                    self.put(name, serving);
                    routed.insert(name.clone(), stated.statement.entry);
                }
                Err(failure) => {
                    tracing::error!(endpoint = %name, id = failure.id, what = failure.what, why = ?failure.why, "an endpoint cannot be served");
                    // Tried again when the ledger grows; what it served before goes on, unless it is stopped.
                }
            }
        }
        let kept: BTreeSet<Name> =
            state.endpoints().values().filter(active).map(|stated| stated.body.endpoint.clone()).collect();
        routed.retain(|name, _| kept.contains(name));
        let mut endpoints = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
        endpoints.retain(|name, _| kept.contains(name));
    }

    fn put(&self, name: &Name, serving: Serving) {
        let mut endpoints = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
        match endpoints.get(name) {
            Some(endpoint) => {
                if let Err(error) = endpoint.swap(serving) {
                    tracing::warn!(%error, endpoint = %name, "a route is older than what is served");
                }
            }
            None => {
                let settings =
                    Settings { name: name.clone(), withheld: BTreeSet::new(), subject_input: None, error_id };
                endpoints.insert(name.clone(), Arc::new(Endpoint::new(settings, serving)));
            }
        }
    }

    async fn serving(&self, stated: &Stated) -> Result<Serving, Failure> {
        let missing = || Failure::new(ids::INTERNAL, "an endpoint in service has no version");
        let primary = self.load(stated.body.primary.as_ref().ok_or_else(missing)?).await?;
        let fallback = match (&stated.body.fallback.version, &stated.body.fallback.constant) {
            (Some(version), _) => Fallback::Version(self.load(version).await?),
            (None, Some(constant)) => {
                let outputs = self.registry.read_document(constant).await?;
                Fallback::Constant(constant_of(&outputs, &primary)?)
            }
            (None, None) => Fallback::Unavailable,
        };
        let bounds = self.bounds(&primary, stated.body.beyond).await?;
        Serving::new(primary, fallback, bounds).map_err(|error| Failure::of(ids::INFER_UNAVAILABLE, &error))
    }

    async fn load(&self, routed: &Routed) -> Result<Arc<LoadedVersion>, Failure> {
        let released = self.registry.release(&routed.version).await;
        let released = released.map_err(|error| Failure::of(ids::INFER_UNAVAILABLE, &error))?;
        let no_file = |count| {
            let what = format!("{} has {count} ONNX files, and one is served", routed.version);
            Failure::new(ids::INFER_UNAVAILABLE, what)
        };
        let file = model_file(&released.get().manifest).map_err(no_file)?.clone();
        let bytes = self.registry.read_model_file(&file, MODEL_BYTES).await?;
        let loaded = tokio::task::spawn_blocking(move || LoadedVersion::load(released, &bytes)).await;
        let loaded = loaded.map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        loaded.map(Arc::new).map_err(|error| Failure::of(ids::INFER_UNAVAILABLE, &error))
    }

    /// The bounds of the data that a version was trained on, when its inputs are columns of that data.
    async fn bounds(
        &self,
        primary: &LoadedVersion,
        beyond: Beyond,
    ) -> Result<Option<(Bounds, OutOfBounds)>, Failure> {
        let schema = self.registry.training_schema(primary.version()).await?;
        let bounds = schema.map(|schema| Bounds::by_input(&schema, primary.signature())).transpose();
        match (bounds, beyond) {
            (Ok(Some(bounds)), Beyond::Reject) => Ok(Some((bounds, OutOfBounds::Reject))),
            (Ok(Some(bounds)), Beyond::Flag) => Ok(Some((bounds, OutOfBounds::Flag))),
            (Ok(None), Beyond::Flag) => Ok(None),
            (Err(error), Beyond::Flag) => {
                tracing::warn!(%error, version = %primary.version(), "requests are not compared with the training data");
                Ok(None)
            }
            // Whoever asked for a comparison is not served without one.
            (Ok(None), Beyond::Reject) => {
                let what =
                    format!("{} names no data that requests could be compared with", primary.version());
                Err(Failure::new(ids::INFER_UNAVAILABLE, what))
            }
            (Err(error), Beyond::Reject) => Err(Failure::of(ids::INFER_UNAVAILABLE, &error)),
        }
    }
}

/// Whether an endpoint is in service.
pub(super) fn is_active(stated: &Stated) -> bool {
    stated.body.standing == Standing::Active
}

/// A constant answer, checked against what the model would answer.
fn constant_of(outputs: &[u8], primary: &LoadedVersion) -> Result<Constant, Failure> {
    // Outputs have the form of inputs, so the parser of requests reads them, with all its limits.
    let body = [br#"{"inputs":"#.as_slice(), outputs, b"}"].concat();
    let parsed = Request::parse(&body).map_err(|error| Failure::of(ids::INFER_UNAVAILABLE, &error))?;
    let given = parsed.inputs.into_iter().map(|(name, tensor)| (name.into_owned(), tensor)).collect();
    Constant::check(primary.signature(), given).map_err(|error| Failure::of(ids::INFER_UNAVAILABLE, &error))
}
