//! Loading what an endpoint is routed to: the released versions, the fallback, the bounds of the training data.

use std::sync::{Arc, PoisonError};

use bartizan_base::VersionRef;
use bartizan_gateway::validate::{Bounds, OutOfBounds};
use bartizan_gateway::{
    Absent, Columns, Constant, Fallback, FallbackReason, LoadedVersion, Serving, model_file,
};
use bartizan_model::Signature;
use bartizan_model::limits::MODEL_BYTES;
use bartizan_registry::state::Endpoint as Stated;
use bartizan_registry::statement::{Beyond, Private, Routed};
use bartizan_registry::{ModelVersion, Registry, ReleaseFailed, Released};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::Gateway;
use super::follow::may_be_served;
use crate::catalog::ids;
use crate::failure::Failure;

/// Permits to have a model decoded, in this process: it takes its size in memory twice.
static READS: Semaphore = Semaphore::const_new(2);
/// The same for models that are decoded to be looked at, when a route is made or a prediction made again. Endpoints do
/// not wait for those.
static LOOKS: Semaphore = Semaphore::const_new(1);

/// Waits until a model may be decoded to be looked at.
///
/// # Errors
/// Never: nobody closes it.
pub(crate) async fn turn_to_look() -> Result<SemaphorePermit<'static>, Failure> {
    LOOKS.acquire().await.map_err(|error| Failure::of(ids::INTERNAL, &error))
}

/// Why a version is not loaded.
pub(super) enum NotLoaded {
    /// It may not be served; only an entry of the ledger changes that.
    NotReleased(Failure),
    /// It may, and cannot be now.
    Failed(Failure),
}

impl NotLoaded {
    fn reason(&self) -> FallbackReason {
        match self {
            Self::NotReleased(_) => FallbackReason::Stopped,
            Self::Failed(_) => FallbackReason::NotLoaded,
        }
    }

    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::NotReleased(failure) | Self::Failed(failure) => failure,
        }
    }
}

impl Gateway {
    /// What an endpoint can serve of its route; and what it lacks, if that is worth another attempt.
    ///
    /// # Errors
    /// When neither its primary nor its fallback can answer.
    pub(super) async fn assemble(&self, stated: &Stated) -> Result<(Serving, Option<Failure>), Failure> {
        let missing = || Failure::new(ids::INTERNAL, "an endpoint in service has no version");
        let routed = stated.body.primary.as_ref().ok_or_else(missing)?;
        let why = match self.load(routed).await {
            Ok(primary) => match self.with_primary(stated, primary).await {
                Ok(served) => return Ok(served),
                // It is there and cannot be served as the endpoint is to be: what the route names instead can.
                Err(failure) => NotLoaded::Failed(failure),
            },
            Err(why) => why,
        };
        self.without_primary(stated, &routed.version, why).await
    }

    async fn with_primary(
        &self,
        stated: &Stated,
        primary: Arc<LoadedVersion>,
    ) -> Result<(Serving, Option<Failure>), Failure> {
        let columns = self.columns(stated).await?;
        let (registry, beyond) = (&self.registry, stated.body.beyond);
        let order = &columns.order;
        let bounds = bounds(registry, primary.version(), primary.signature(), order, beyond).await?;
        let (fallback, lacks) = match self.fallback(stated, Some(primary.signature())).await {
            Ok(fallback) => (fallback, None),
            // What may not be served is no reason to take down what may.
            Err(NotLoaded::NotReleased(failure)) => {
                let endpoint = &stated.body.endpoint;
                tracing::error!(%endpoint, what = failure.what, why = ?failure.why, "nothing stands in for the model: its fallback may not be served");
                (Fallback::Unavailable, None)
            }
            Err(NotLoaded::Failed(failure)) => (Fallback::Unavailable, Some(failure)),
        };
        let (serving, lacks) = match Serving::new(Arc::clone(&primary), fallback, bounds.clone()) {
            Ok(serving) => (serving, lacks),
            Err(error) => {
                let alone = Serving::new(primary, Fallback::Unavailable, bounds);
                (alone.map_err(|error| unavailable(&error))?, Some(unavailable(&error)))
            }
        };
        Ok((serving.with_columns(columns).map_err(|error| unavailable(&error))?, lacks))
    }

    async fn without_primary(
        &self,
        stated: &Stated,
        version: &VersionRef,
        why: NotLoaded,
    ) -> Result<(Serving, Option<Failure>), Failure> {
        // Taken before the fallback is looked at: what is known later may lift the stop.
        let tree_size = self.registry.state().next_index();
        let fallback = match self.fallback(stated, None).await {
            Ok(Fallback::Unavailable) => return Err(why.into_failure()),
            Ok(fallback) => fallback,
            Err(also) => {
                let failure = why.into_failure();
                let also = also.into_failure();
                tracing::error!(endpoint = %stated.body.endpoint, what = also.what, why = ?also.why, "neither the model nor its fallback can be loaded");
                return Err(failure);
            }
        };
        let columns = self.columns(stated).await?;
        let (bounds, uncompared) = self.bounds_instead(stated, version, &fallback, &columns.order).await?;
        let absent = Absent { version: version.clone(), why: why.reason(), tree_size };
        let serving = Serving::without_primary(absent, fallback, bounds);
        let serving = serving.map_err(|error| unavailable(&error))?;
        let serving = serving.with_columns(columns).map_err(|error| unavailable(&error))?;
        let lacks = match why {
            NotLoaded::NotReleased(failure) => {
                let endpoint = &stated.body.endpoint;
                tracing::error!(%endpoint, what = failure.what, why = ?failure.why, "the fallback answers: the model may not be served");
                uncompared
            }
            NotLoaded::Failed(failure) => Some(failure),
        };
        Ok((serving, lacks))
    }

    /// The bounds of what answers instead of a version: those of the data that this was trained on, or else of its own.
    /// Where neither can be had, and why not, a constant answers all the same, which is within any bounds, and so does a
    /// version where nobody demands the comparison.
    async fn bounds_instead(
        &self,
        stated: &Stated,
        version: &VersionRef,
        fallback: &Fallback,
        order: &[String],
    ) -> Result<(Option<(Bounds, OutOfBounds)>, Option<Failure>), Failure> {
        let (registry, beyond) = (&self.registry, stated.body.beyond);
        let (signature, own) = match fallback {
            Fallback::Version(loaded) => (loaded.signature(), Some(loaded.version())),
            Fallback::Constant(constant) => (constant.signature(), None),
            Fallback::Unavailable => return Ok((None, None)),
        };
        let failure = match bounds(registry, version, signature, order, beyond).await {
            Ok(bounds) => return Ok((bounds, None)),
            Err(failure) => failure,
        };
        if let Some(own) = own {
            match bounds(registry, own, signature, order, beyond).await {
                Ok(bounds) => return Ok((bounds, None)),
                // Whoever asked for a comparison is not served without one.
                Err(failure) if beyond == Beyond::Reject => return Err(failure),
                Err(_) => {}
            }
        }
        Ok((None, Some(failure)))
    }

    /// What answers instead. `signature` is that of the primary, when it is there.
    async fn fallback(&self, stated: &Stated, signature: Option<&Signature>) -> Result<Fallback, NotLoaded> {
        match (&stated.body.fallback.version, &stated.body.fallback.constant) {
            (Some(version), _) => Ok(Fallback::Version(self.load(version).await?)),
            (None, Some(constant)) => {
                let read = self.registry.read_document(constant).await;
                let document = read.map_err(|error| NotLoaded::Failed(Failure::from(error)))?;
                let constant = Constant::from_document(&document, signature);
                constant.map(Fallback::Constant).map_err(|error| NotLoaded::Failed(unavailable(&error)))
            }
            (None, None) => Ok(Fallback::Unavailable),
        }
    }

    async fn columns(&self, stated: &Stated) -> Result<Columns, Failure> {
        columns_of(&self.registry, stated.body.columns.as_ref()).await
    }

    async fn load(&self, routed: &Routed) -> Result<Arc<LoadedVersion>, NotLoaded> {
        let released = release(&self.registry, &routed.version).await?;
        if let Some(there) = self.in_memory(routed) {
            let again = there.released_again(released);
            let other = || Failure::new(ids::INTERNAL, "a version is in memory with other files");
            return again.map(Arc::new).ok_or_else(|| NotLoaded::Failed(other()));
        }
        // What is in memory already does not wait for what must be read.
        let turn = READS.acquire().await;
        let _turn = turn.map_err(|error| NotLoaded::Failed(Failure::of(ids::INTERNAL, &error)))?;
        read(&self.registry, released).await.map_err(NotLoaded::Failed)
    }

    /// A version with these files that some endpoint serves: its bytes were compared with the manifest already.
    pub(super) fn in_memory(&self, routed: &Routed) -> Option<Arc<LoadedVersion>> {
        let endpoints = self.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        endpoints.values().find_map(|endpoint| {
            let serving = endpoint.serving();
            serving.versions().find(|loaded| *loaded.manifest() == routed.manifest).cloned()
        })
    }
}

fn unavailable(error: &dyn std::error::Error) -> Failure {
    Failure::of(ids::INFER_UNAVAILABLE, error)
}

/// What the columns of an endpoint are for.
///
/// # Errors
/// When what was said of them cannot be read.
pub(crate) async fn columns_of(registry: &Registry, columns: Option<&Private>) -> Result<Columns, Failure> {
    let Some(columns) = columns else { return Ok(Columns::default()) };
    let document = registry.read_document(columns).await?;
    Columns::from_document(&document).map_err(|error| unavailable(&error))
}

pub(super) async fn release(
    registry: &Registry,
    version: &VersionRef,
) -> Result<Released<ModelVersion>, NotLoaded> {
    registry.release(version).await.map_err(|error| match error {
        ReleaseFailed::NotReleased(why) => NotLoaded::NotReleased(unavailable(&why)),
        // What may not be served may be damaged as well, and then waiting for it is of no use either.
        ReleaseFailed::Failed(error) => match may_be_served(&registry.state(), version) {
            true => NotLoaded::Failed(Failure::from(error)),
            false => NotLoaded::NotReleased(Failure::from(error)),
        },
    })
}

/// Reads the model of a released version.
pub(super) async fn read(
    registry: &Registry,
    released: Released<ModelVersion>,
) -> Result<Arc<LoadedVersion>, Failure> {
    let file = model_file(&released.get().manifest).cloned().map_err(|count| {
        let what = format!("{} has {count} ONNX files, and one is served", released.get().version);
        Failure::new(ids::INFER_UNAVAILABLE, what)
    })?;
    let bytes = registry.read_model_file(&file, MODEL_BYTES).await?;
    let loaded = tokio::task::spawn_blocking(move || LoadedVersion::load(released, &bytes)).await;
    let loaded = loaded.map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    loaded.map(Arc::new).map_err(|error| unavailable(&error))
}

/// The bounds of the data that a version was trained on. `order` names the columns that its inputs hold; where it is
/// empty, each input is a column by its own name.
pub(super) async fn bounds(
    registry: &Registry,
    version: &VersionRef,
    signature: &Signature,
    order: &[String],
    beyond: Beyond,
) -> Result<Option<(Bounds, OutOfBounds)>, Failure> {
    let Some(schema) = registry.training_schema(version).await? else {
        // Whoever asked for a comparison is not served without one.
        return match beyond {
            Beyond::Flag => Ok(None),
            Beyond::Reject => {
                let what = format!(
                    "`--beyond reject` is not possible: {version} names no data that requests could be compared with"
                );
                Err(Failure::new(ids::INFER_UNAVAILABLE, what))
            }
        };
    };
    let bounds = match order {
        [] => Bounds::by_input(&schema, signature),
        order => Bounds::by_column(&schema, signature, order).map_err(|error| unavailable(&error))?,
    };
    match (beyond, bounds.uncompared()) {
        (Beyond::Reject, []) => Ok(Some((bounds, OutOfBounds::Reject))),
        (Beyond::Reject, [first, more @ ..]) => {
            let mut failure = unavailable(&first.why);
            failure.what = format!("`--beyond reject` is not possible: {}", failure.what);
            failure.why.extend(more.iter().map(ToString::to_string));
            Err(failure)
        }
        (Beyond::Flag, uncompared) => {
            for input in uncompared {
                tracing::warn!(%input, %version, "an input is not compared with the training data");
            }
            Ok(Some((bounds, OutOfBounds::Flag)))
        }
    }
}
