//! Predictions over the Open Inference Protocol v2: who asks, what answers, and the record of it.
//!
//! ```text
//!   ledger --follow: load what is released, stop what is not--> endpoints
//!   request --identify, authorise--> gateway::predict --> record log, durable --> answer
//!                                                             '--sealed--> segment --> ledger
//! ```

mod follow;
mod headers;
mod load;
mod records;
mod route;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use bartizan_base::Name;
use bartizan_gateway::{
    Answer as Given, Caller, Endpoint, Fault, Made, PredictRequest, Prediction, RecordFailed, oip, predict,
};
use bartizan_keys::subjects::Subjects;
use bartizan_keys::{OsRandom, Purpose};
use bartizan_policy::api_key::ApiKey;
use bartizan_registry::{Failed, Judged, NewReceipt, NotJudged, RECEIPT_HEADER, Receipt, Registry};
use bartizan_store::records::{Appended, Log, Records, Seal};
use http_body_util::{BodyExt as _, Limited};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use self::follow::is_active;
use self::headers::{HeadersInvalid, Said};
use self::records::Sealing;
pub(crate) use self::route::{Wanted, WantedFallback, check as check_route, columns_of};
use crate::api::{self, App, Ended, Place};
use crate::catalog::ids;
use crate::failure::Failure;

/// Bytes of a request.
const REQUEST_BYTES: usize = bartizan_gateway::limits::BODY_BYTES;
/// How long a request's body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// How long after a prediction the ledger names the segment of its record, at the latest: logs are sealed after a
/// minute, and looked at each second.
const SEALED_WITHIN_MS: i64 = bartizan_store::limits::SEAL_AFTER_MS + 30_000;

/// Everything that answers for predictions.
pub(crate) struct Gateway {
    registry: Registry,
    log: Log,
    subjects: Arc<Subjects>,
    records: Arc<Records>,
    sealing: tokio::sync::Mutex<Sealing>,
    endpoints: RwLock<BTreeMap<Name, Arc<Endpoint>>>,
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
        };
        if let Err(failure) = self.seal(Seal::Now).await {
            tracing::error!(id = failure.id, what = failure.what, why = ?failure.why, "the last records are not sealed; they are in the log");
        }
        served
    }

    fn endpoint(&self, name: &Name) -> Option<Arc<Endpoint>> {
        self.endpoints.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// The routes of the protocol. Live and ready tell strangers nothing but that; the rest needs an API key.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router {
    Router::new()
        .route("/v2/health/live", get(async || answer(StatusCode::OK, oip::live(true))))
        .route("/v2/health/ready", get(health_ready))
        .route("/v2", get(async || answer(StatusCode::OK, oip::server_metadata(env!("CARGO_PKG_VERSION")))))
        .route("/v2/models/{model}", get(metadata))
        .route("/v2/models/{model}/ready", get(ready))
        .route("/v2/models/{model}/infer", post(infer))
        .route("/v2/models/{model}/versions/{version}/infer", post(infer_version))
        .fallback(async || failed(StatusCode::NOT_FOUND, "there is nothing here", ids::NOT_FOUND))
        .with_state(Arc::clone(gateway))
}

async fn metadata(State(gateway): State<Arc<Gateway>>, Path(model): Path<String>, parts: Parts) -> Response {
    match allowed(&gateway, &parts, &model).await {
        Ok((endpoint, _)) => {
            let serving = endpoint.serving();
            // Nothing else can be asked for by number, and this only while it may answer.
            let there = serving.primary().is_ok_and(|primary| endpoint.may_infer(primary));
            let versions: Vec<u32> = there.then(|| serving.version().version.get()).into_iter().collect();
            let body = oip::model_metadata(&model, &versions, serving.signature());
            answer(StatusCode::OK, body)
        }
        Err(refused) => refused,
    }
}

async fn health_ready(State(gateway): State<Arc<Gateway>>) -> Response {
    let ready = gateway.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, oip::ready(ready))
}

async fn ready(State(gateway): State<Arc<Gateway>>, Path(model): Path<String>) -> Response {
    let ready = model.parse().is_ok_and(|name| gateway.endpoint(&name).is_some_and(|found| found.is_ready()));
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, oip::model_ready(&model, ready))
}

async fn infer(
    State(gateway): State<Arc<Gateway>>,
    Path(model): Path<String>,
    parts: Parts,
    body: Body,
) -> Response {
    made(&gateway, &parts, &model, None, body).await
}

async fn infer_version(
    State(gateway): State<Arc<Gateway>>,
    Path((model, version)): Path<(String, NonZeroU32)>,
    parts: Parts,
    body: Body,
) -> Response {
    made(&gateway, &parts, &model, Some(version), body).await
}

/// Identifies, authorises, reads the body, predicts, and answers once the record is durable.
async fn made(
    gateway: &Arc<Gateway>,
    parts: &Parts,
    model: &str,
    version: Option<NonZeroU32>,
    body: Body,
) -> Response {
    let (endpoint, judged) = match allowed(gateway, parts, model).await {
        Ok(allowed) => allowed,
        Err(refused) => return refused,
    };
    let Said { request, subject } = match Said::read(&parts.headers) {
        Ok(said) => said,
        Err(invalid @ HeadersInvalid::Binary) => {
            return failed(StatusCode::UNSUPPORTED_MEDIA_TYPE, &invalid.to_string(), ids::INFER_REQUEST);
        }
        Err(invalid) => return failed(StatusCode::BAD_REQUEST, &invalid.to_string(), ids::INFER_REQUEST),
    };
    let collected = timeout(BODY_PATIENCE, Limited::new(body, REQUEST_BYTES).collect()).await;
    let body = match collected {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(_)) => {
            return failed(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too large, or broke off",
                ids::INVALID,
            );
        }
        Err(_) => return failed(StatusCode::REQUEST_TIMEOUT, "the body came too slowly", ids::SLOW),
    };
    let worker = Arc::clone(gateway);
    let predicted = tokio::task::spawn_blocking(move || {
        let subjects = &worker.subjects;
        let tag = |value: &[u8]| subjects.tag(value);
        let began = worker.began;
        predict(
            &endpoint,
            PredictRequest {
                body: &body,
                version,
                caller: Caller {
                    principal: judged.principal,
                    decision: judged.decision,
                    policy: judged.policy,
                    request: request.as_deref(),
                    subject: subject.as_deref().map(tag),
                    subject_tag: &tag,
                    slices: &[],
                },
                now: worker.registry.now(),
                elapsed: &|| began.elapsed(),
                random: &mut OsRandom,
            },
        )
    });
    match predicted.await {
        Ok(Prediction::Made(made)) => recorded(gateway, *made).await,
        Ok(Prediction::Refused(refused)) => {
            answer(StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST), refused.body)
        }
        Err(error) => {
            tracing::error!(%error, "a prediction could not be made");
            failed(StatusCode::INTERNAL_SERVER_ERROR, "the prediction could not be made", ids::INTERNAL)
        }
    }
}

/// Gives the answer out for its record: no record, no answer.
async fn recorded(gateway: &Gateway, made: Made) -> Response {
    let request = made.request.as_ref().map(|id| gateway.subjects.request_tag(id.as_bytes()));
    let (appended, prediction) = match made.record(&gateway.log, request) {
        Ok(taken) => taken,
        Err(RecordFailed::Append(error)) => {
            tracing::warn!(%error, "a prediction was not recorded, so it is not answered");
            return failed(
                StatusCode::SERVICE_UNAVAILABLE,
                "the prediction cannot be recorded now",
                ids::STORAGE,
            );
        }
        Err(RecordFailed::Encode(error)) => {
            tracing::error!(%error, "a prediction has no record");
            return failed(StatusCode::INTERNAL_SERVER_ERROR, "the prediction has no record", ids::INTERNAL);
        }
    };
    let receipt = match receipt(gateway, &appended, &prediction) {
        Ok(receipt) => receipt,
        Err(error) => {
            tracing::error!(%error, "a prediction has no receipt");
            return failed(StatusCode::INTERNAL_SERVER_ERROR, "the prediction has no receipt", ids::INTERNAL);
        }
    };
    match gateway.log.when_durable(appended.sequence).await {
        Ok(()) => {
            let status = StatusCode::from_u16(prediction.status).unwrap_or(StatusCode::OK);
            let mut response = answer(status, prediction.body);
            response.headers_mut().insert(RECEIPT_HEADER, receipt);
            response
        }
        Err(error) => {
            tracing::error!(%error, "the record log has stopped");
            failed(StatusCode::SERVICE_UNAVAILABLE, "the prediction cannot be recorded now", ids::STORAGE)
        }
    }
}

/// Promises that the record of an answer will be in a segment that the ledger names.
fn receipt(gateway: &Gateway, appended: &Appended, given: &Given) -> anyhow::Result<HeaderValue> {
    let new = NewReceipt {
        answer: given.digest,
        epoch: gateway.log.epoch(),
        gateway: gateway.log.gateway().to_string(),
        prediction: given.id.to_string(),
        record: *appended.digest.digest(),
        seal_by: given.time.plus_millis(SEALED_WITHIN_MS),
        sequence: appended.sequence,
        tree_size: given.tree_size,
    };
    let value = Receipt::sign(new, gateway.registry.keys().signing(Purpose::Gateway))?;
    // Base64 and full stops.
    HeaderValue::try_from(value).map_err(Into::into)
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
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
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
        Fault::Unavailable => ids::INFER_UNAVAILABLE,
        Fault::Defect => ids::INTERNAL,
    }
}
