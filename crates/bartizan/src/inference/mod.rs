//! Predictions over the Open Inference Protocol v2: who asks, what answers, and the record of it.
//!
//! ```text
//!   ledger --follow: load what is released, stop what is not--> endpoints
//!   request --identify, authorise--> gateway::predict --> record log, durable --> answer
//!                                                             '--sealed--> segment --> ledger
//! ```

mod back;
mod erase;
mod follow;
mod headers;
mod load;
mod loading;
mod made;
pub(crate) mod numbers;
mod records;
mod reread;
mod route;
mod status;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use bartizan_base::Name;
use bartizan_gateway::{Endpoint, Fault, oip};
use bartizan_keys::subjects::Subjects;
use bartizan_policy::api_key::ApiKey;
use bartizan_registry::{Failed, Judged, NotJudged, Registry};
use bartizan_store::records::{Log, Records, Seal};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

pub(crate) use self::back::{Chosen, choose as choose_back};
use self::follow::is_active;
pub(crate) use self::load::{columns_of, turn_to_look};
use self::made::made;
use self::numbers::Numbers;
use self::records::Sealing;
pub(crate) use self::records::{directory_of, gateway_id};
pub(crate) use self::route::{Checked, Wanted, WantedFallback, check as check_route};
use self::status::ANSWERS;
pub(crate) use self::status::{Comparison, READY, Status};
use crate::api::{self, App, Ended, Place};
use crate::catalog::ids;
use crate::failure::Failure;

/// Everything that answers for predictions.
pub(crate) struct Gateway {
    registry: Registry,
    log: Log,
    subjects: Arc<Subjects>,
    records: Arc<Records>,
    sealing: tokio::sync::Mutex<Sealing>,
    /// One erasure is carried out at a time.
    erasing: tokio::sync::Mutex<()>,
    endpoints: RwLock<BTreeMap<Name, Arc<Endpoint>>>,
    numbers: Arc<Numbers>,
    /// Permits to take a thread for a prediction, one for each core. More would not make any of them sooner, and whatever
    /// stops a version must not wait for a thread behind them.
    turns: Arc<tokio::sync::Semaphore>,
    began: Instant,
}

impl Gateway {
    /// Answers, follows the ledger and seals records until `ended` says true; then seals what is left.
    pub(crate) async fn serve(
        self: &Arc<Self>,
        listener: TcpListener,
        app: &App,
        mut ended: watch::Receiver<bool>,
    ) -> Ended {
        let end = async move {
            // An error says that nobody is left who could say it.
            drop(ended.wait_for(|ended| *ended).await);
        };
        let served = tokio::select! {
            served = api::serve(listener, app, router(self), end) => served,
            () = self.follow() => Ended::CutOff,
            () = self.keep() => Ended::CutOff,
            () = self.finish_erasures() => Ended::CutOff,
        };
        if let Err(failure) = self.seal(Seal::Now).await {
            tracing::error!(id = failure.id, what = failure.what, why = ?failure.why, "the last records are not sealed; they are in the log");
        }
        served
    }

    /// The numbers of its endpoints.
    pub(crate) const fn numbers(&self) -> &Arc<Numbers> {
        &self.numbers
    }

    /// Whether an endpoint has an answer now; `None` when it is not loaded.
    pub(crate) fn has_answer(&self, endpoint: &Name) -> Option<bool> {
        self.endpoint(endpoint).map(|endpoint| endpoint.is_ready())
    }

    /// Whether the version that an endpoint is routed to answers now, and not its fallback.
    pub(crate) fn primary_answers(&self, endpoint: &Name) -> bool {
        self.status(endpoint).is_some_and(|status| status.primary == ANSWERS)
    }

    /// Whether records can be taken, and the ledger takes entries, without a new start.
    fn goes_on(&self) -> bool {
        self.log.stopped().is_none() && !self.registry.has_stopped()
    }

    fn endpoint(&self, name: &Name) -> Option<Arc<Endpoint>> {
        self.endpoints.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// The routes of the protocol. Live and ready tell strangers nothing but that; the rest needs an API key.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router {
    Router::new()
        .route("/v2/health/live", get(health_live))
        .route("/v2/health/ready", get(health_ready))
        .route("/v2", get(async || answer(StatusCode::OK, oip::server_metadata(env!("CARGO_PKG_VERSION")))))
        .route("/v2/models/{model}", get(metadata))
        .route("/v2/models/{model}/ready", get(ready))
        .route("/v2/models/{model}/infer", post(infer))
        .route("/v2/models/{model}/versions/{version}", get(metadata_of_version))
        .route("/v2/models/{model}/versions/{version}/ready", get(ready_version))
        .route("/v2/models/{model}/versions/{version}/infer", post(infer_version))
        .fallback(async || failed(StatusCode::NOT_FOUND, "there is nothing here", ids::NOT_FOUND))
        .method_not_allowed_fallback(async || {
            failed(
                StatusCode::METHOD_NOT_ALLOWED,
                "not with this method: `infer` takes POST, all else GET",
                ids::INVALID,
            )
        })
        .with_state(Arc::clone(gateway))
}

async fn metadata(
    State(gateway): State<Arc<Gateway>>,
    Path(model): Path<String>,
    request: Request,
) -> Response {
    described(&gateway, &request.into_parts().0, &model, None).await
}

async fn metadata_of_version(
    State(gateway): State<Arc<Gateway>>,
    Path((model, version)): Path<(String, String)>,
    request: Request,
) -> Response {
    match version.parse() {
        Ok(version) => described(&gateway, &request.into_parts().0, &model, Some(version)).await,
        Err(_) => no_version(),
    }
}

fn no_version() -> Response {
    failed(StatusCode::NOT_FOUND, "a version is a number from 1, as in `/versions/3`", ids::NOT_FOUND)
}

/// What an endpoint takes and gives; with a version, only while that one may answer.
async fn described(gateway: &Gateway, parts: &Parts, model: &str, version: Option<NonZeroU32>) -> Response {
    match allowed(gateway, parts, model).await {
        Ok((endpoint, _)) => {
            let serving = endpoint.serving();
            let served = served(&endpoint);
            if version.is_some() && version != served {
                return failed(StatusCode::NOT_FOUND, "this version is not served here", ids::NOT_FOUND);
            }
            let versions: Vec<u32> = served.map(NonZeroU32::get).into_iter().collect();
            answer(StatusCode::OK, oip::model_metadata(model, &versions, serving.signature()))
        }
        Err(refused) => refused,
    }
}

/// The version that can be asked for by its number, while it may answer.
fn served(endpoint: &Endpoint) -> Option<NonZeroU32> {
    let serving = endpoint.serving();
    let there = serving.primary().is_ok_and(|primary| endpoint.may_infer(primary));
    there.then(|| serving.version().version)
}

/// A log or ledger that has stopped begins again only with a start: whoever restarts what is not alive mends it.
async fn health_live(State(gateway): State<Arc<Gateway>>) -> Response {
    let live = gateway.goes_on();
    let status = if live { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, oip::live(live))
}

async fn health_ready(State(gateway): State<Arc<Gateway>>) -> Response {
    let ready = gateway.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, oip::ready(ready))
}

async fn ready(State(gateway): State<Arc<Gateway>>, Path(model): Path<String>) -> Response {
    let has_answer = |name| gateway.has_answer(&name).unwrap_or(false);
    let ready = gateway.goes_on() && model.parse().is_ok_and(has_answer);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, oip::model_ready(&model, ready))
}

async fn ready_version(
    State(gateway): State<Arc<Gateway>>,
    Path((model, version)): Path<(String, String)>,
) -> Response {
    let Ok(version) = version.parse() else { return no_version() };
    let endpoint = model.parse().ok().and_then(|name| gateway.endpoint(&name));
    let there = endpoint.is_some_and(|endpoint| served(&endpoint) == Some(version));
    let ready = gateway.goes_on() && there;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, oip::model_ready(&model, ready))
}

async fn infer(State(gateway): State<Arc<Gateway>>, Path(model): Path<String>, request: Request) -> Response {
    made(&gateway, request, &model, None).await
}

async fn infer_version(
    State(gateway): State<Arc<Gateway>>,
    Path((model, version)): Path<(String, String)>,
    request: Request,
) -> Response {
    match version.parse() {
        Ok(version) => made(&gateway, request, &model, Some(version)).await,
        Err(_) => no_version(),
    }
}

/// Who asks, whether they may, and what would answer. To whoever may not, an unknown endpoint looks the same.
async fn allowed(gateway: &Gateway, parts: &Parts, model: &str) -> Result<(Arc<Endpoint>, Judged), Response> {
    let stranger = || {
        let what = "an API key is needed: `Authorization: Bearer KEY`";
        failed(StatusCode::UNAUTHORIZED, what, ids::NOT_AUTHENTICATED)
    };
    let unknown =
        || failed(StatusCode::NOT_FOUND, "there is no such endpoint, or it is not yours", ids::NOT_FOUND);
    let (key, from) = presented(parts).ok_or_else(stranger)?;
    let known = || {
        if let Some(place) = parts.extensions.get::<Arc<Place>>() {
            place.recognise();
        }
    };
    let Ok(name) = model.parse::<Name>() else {
        let admitted = ApiKey::parse(key).and_then(|key| gateway.registry.admit(&key, from));
        admitted.map_err(|_| stranger())?;
        known();
        return Err(unknown());
    };
    match gateway.registry.judge_prediction(key, from, &name).await {
        Ok(judged) => {
            known();
            let in_service = || gateway.registry.state().endpoints().get(&name).is_some_and(is_active);
            let endpoint = gateway.endpoint(&name).ok_or_else(|| match in_service() {
                true => {
                    let what = "the endpoint is not loaded; the log of the server says why";
                    failed(StatusCode::SERVICE_UNAVAILABLE, what, ids::INFER_UNAVAILABLE)
                }
                false => unknown(),
            })?;
            Ok((endpoint, judged))
        }
        Err(NotJudged::NotAdmitted(_)) => Err(stranger()),
        Err(NotJudged::Failed(failed)) => {
            known();
            if let Failed::Refused(_) = failed {
                return Err(unknown());
            }
            let failure = Failure::from(failed);
            let status = StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Err(answer(status, oip::error(&failure.what, &failure.id)))
        }
    }
}

/// The API key that a request comes with, and from where.
fn presented(parts: &Parts) -> Option<(&str, IpAddr)> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    // Of two credentials nobody knows which one counts.
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    let from = parts.extensions.get::<SocketAddr>()?.ip();
    scheme.eq_ignore_ascii_case("bearer").then(|| (key.trim(), from))
}

fn failed(status: StatusCode, what: &str, id: &str) -> Response {
    answer(status, oip::error(what, id))
}

fn answer(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The id that explains why a prediction was not made.
const fn error_id(fault: Fault) -> &'static str {
    match fault {
        Fault::Malformed | Fault::TooLarge | Fault::Mismatch => ids::INFER_REQUEST,
        Fault::OutOfBounds => ids::INFER_BEYOND,
        Fault::Version => ids::NOT_FOUND,
        Fault::NoAnswer => ids::INFER_NO_ANSWER,
        Fault::Unavailable => ids::INFER_UNAVAILABLE,
        Fault::Defect => ids::INTERNAL,
    }
}
