//! A request for a prediction, from its body to its answer.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bartizan_gateway::{
    Answer, Caller, Endpoint, PredictRequest, Prediction, RecordFailed, Refused, oip, predict,
};
use bartizan_keys::{OsRandom, Purpose};
use bartizan_registry::{Judged, NewReceipt, RECEIPT_HEADER, Receipt};
use bartizan_store::records::{AppendFailed, Appended};
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::headers::{HeadersInvalid, Said};
use super::numbers::{Count, Outcome, Tally, TurnedAway};
use super::{Gateway, allowed, answer};
use crate::catalog::ids;

/// Bytes of a request.
const REQUEST_BYTES: usize = bartizan_gateway::limits::BODY_BYTES;
/// How long a request's body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// Requests of up to so many bytes, and models that take up to so many steps for them, are worked on where they come
/// in: that is done in less than a millisecond. All others get a thread of their own.
const QUICK_BYTES: usize = 16 * 1024;
const QUICK_STEPS: u64 = 500_000;
/// How long such a request waits for its turn.
const TURN_PATIENCE: Duration = Duration::from_secs(10);
/// How long after a prediction the ledger names the segment of its record, at the latest: logs are sealed after a
/// minute, and looked at each second.
const SEALED_WITHIN_MS: i64 = bartizan_store::limits::SEAL_AFTER_MS + 30_000;

/// A request that somebody may make, whole.
struct Asked {
    endpoint: Arc<Endpoint>,
    judged: Judged,
    version: Option<NonZeroU32>,
    body: Bytes,
    said: Said,
}

/// An answer whose record the log has taken.
struct Taken {
    appended: Appended,
    answer: Answer,
    receipt: HeaderValue,
    count: Count,
}

/// Why there is no prediction.
struct Refusal {
    outcome: Outcome,
    status: StatusCode,
    body: Vec<u8>,
}

/// Identifies, authorises, reads the body, predicts, and answers once the record is durable.
pub(super) async fn made(
    gateway: &Arc<Gateway>,
    request: Request,
    model: &str,
    version: Option<NonZeroU32>,
) -> Response {
    let (parts, body) = request.into_parts();
    let (endpoint, judged) = match allowed(gateway, &parts, model).await {
        Ok(allowed) => allowed,
        Err(refused) => {
            gateway.numbers.turn_away(TurnedAway::of_status(refused.status().as_u16()));
            return refused;
        }
    };
    let mut tally = gateway.numbers.begin(endpoint.name(), gateway.registry.now());
    let answered = match read(&parts, body).await {
        Ok((said, body)) => {
            answered(gateway, Asked { endpoint, judged, version, body, said }, &mut tally).await
        }
        Err(refusal) => Err(refusal),
    };
    answered.unwrap_or_else(|Refusal { outcome, status, body }| {
        tally.end(outcome);
        answer(status, body)
    })
}

/// Reads what a request says, with its body.
async fn read(parts: &Parts, body: Body) -> Result<(Said, Bytes), Refusal> {
    let said = Said::read(&parts.headers).map_err(|invalid| {
        let status = match invalid {
            HeadersInvalid::Binary | HeadersInvalid::Coding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::BAD_REQUEST,
        };
        Refusal::new(Outcome::Malformed, status, &invalid.to_string(), ids::INFER_REQUEST)
    })?;
    match timeout(BODY_PATIENCE, Limited::new(body, REQUEST_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok((said, collected.to_bytes())),
        Ok(Err(_)) => {
            let what = format!("the body has more than {REQUEST_BYTES} bytes, or broke off");
            Err(Refusal::new(Outcome::TooLarge, StatusCode::PAYLOAD_TOO_LARGE, &what, ids::INVALID))
        }
        Err(_) => {
            let what = "the body came too slowly";
            Err(Refusal::new(Outcome::TooSlow, StatusCode::REQUEST_TIMEOUT, what, ids::SLOW))
        }
    }
}

/// Predicts, and gives the answer out once its record is durable: no record, no answer.
async fn answered(gateway: &Arc<Gateway>, asked: Asked, tally: &mut Tally) -> Result<Response, Refusal> {
    // It was taken out of service while the body came in.
    if asked.endpoint.is_retired() {
        let what = "there is no such endpoint, or it is not yours";
        return Err(Refusal::new(Outcome::Unavailable, StatusCode::NOT_FOUND, what, ids::NOT_FOUND));
    }
    // Without a ledger nobody could be stopped, and no record would find its way into a segment.
    if !gateway.goes_on() {
        return Err(Refusal::not_recorded());
    }
    let taken = if asked.is_quick(gateway) {
        gateway.take(&asked)
    } else {
        let turn = gateway.turn().await?;
        let worker = Arc::clone(gateway);
        let work = move || {
            let taken = worker.take(&asked);
            drop(turn);
            taken
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a prediction could not be made");
            Err(Refusal::defect("the prediction could not be made"))
        })
    };
    let Taken { appended, answer: given, receipt, count } = taken?;
    tally.count(count);
    if let Err(error) = gateway.log.when_durable(appended.sequence).await {
        tracing::error!(%error, "the record log has stopped");
        return Err(Refusal::not_recorded());
    }
    let mut response = answer(StatusCode::from_u16(given.status).unwrap_or(StatusCode::OK), given.body);
    response.headers_mut().insert(RECEIPT_HEADER, receipt);
    Ok(response)
}

impl Refusal {
    fn new(outcome: Outcome, status: StatusCode, what: &str, id: &str) -> Self {
        Self { outcome, status, body: oip::error(what, id) }
    }

    fn defect(what: &str) -> Self {
        Self::new(Outcome::Defect, StatusCode::INTERNAL_SERVER_ERROR, what, ids::INTERNAL)
    }

    fn not_recorded() -> Self {
        let what = "the prediction cannot be recorded now";
        Self::new(Outcome::NotRecorded, StatusCode::SERVICE_UNAVAILABLE, what, ids::STORAGE)
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
        Self { outcome: refused.fault.into(), status, body: refused.body }
    }
}

impl Asked {
    /// Whether it is answered sooner than another thread would have taken it over.
    fn is_quick(&self, gateway: &Gateway) -> bool {
        let bytes = self.body.len();
        let small = bytes <= QUICK_BYTES && self.endpoint.serving().steps_at_most(bytes) <= QUICK_STEPS;
        let subjects = &gateway.subjects;
        let is_near = |subject: &String| subjects.is_near(subjects.tag(subject.as_bytes()));
        small && self.said.subject.as_ref().is_none_or(is_near)
    }
}

impl Gateway {
    /// Waits until one more prediction may take a thread. The permit goes with the work, not with the connection: whoever
    /// hangs up has its work done all the same, and it counts until then.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let turn = timeout(TURN_PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or_else(|| {
            let what = format!("too many predictions wait; none began within {} s", TURN_PATIENCE.as_secs());
            Refusal::new(Outcome::Busy, StatusCode::SERVICE_UNAVAILABLE, &what, ids::INFER_BUSY)
        })
    }

    /// Predicts, puts the record into the log, and signs a receipt for it. The answer may be given out when the record
    /// is durable.
    fn take(&self, asked: &Asked) -> Result<Taken, Refusal> {
        let Asked { endpoint, judged, version, body, said } = asked;
        let tag = |value: &[u8]| self.subjects.tag(value);
        let predicted = predict(
            endpoint,
            PredictRequest {
                body,
                version: *version,
                caller: Caller {
                    principal: judged.principal,
                    decision: judged.decision,
                    policy: judged.policy,
                    request: said.request.as_deref(),
                    subject: said.subject.as_ref().map(|value| tag(value.as_bytes())),
                    subject_tag: &tag,
                    slices: &[],
                },
                now: self.registry.now(),
                elapsed: &|| self.began.elapsed(),
                random: &mut OsRandom,
            },
        );
        let made = match predicted {
            Prediction::Made(made) => *made,
            Prediction::Refused(refused) => return Err(refused.into()),
        };
        let count = Count::of(&made);
        let request = made.request.as_ref().map(|id| self.subjects.request_tag(id.as_bytes()));
        let (appended, answer) = made.record(&self.log, request).map_err(|error| match error {
            // That the log has stopped was said when it did.
            RecordFailed::Append(AppendFailed::Stopped(_)) => Refusal::not_recorded(),
            RecordFailed::Append(error) => {
                tracing::warn!(%error, "a prediction was not recorded, so it is not answered");
                Refusal::not_recorded()
            }
            RecordFailed::Encode(error) => {
                tracing::error!(%error, "a prediction has no record");
                Refusal::defect("the prediction has no record")
            }
        })?;
        let receipt = self.receipt(&appended, &answer).map_err(|error| {
            tracing::error!(%error, "a prediction has no receipt");
            Refusal::defect("the prediction has no receipt")
        })?;
        Ok(Taken { appended, answer, receipt, count })
    }

    /// Promises that the record of an answer will be in a segment that the ledger names.
    fn receipt(&self, appended: &Appended, answer: &Answer) -> anyhow::Result<HeaderValue> {
        let new = NewReceipt {
            answer: answer.digest,
            epoch: self.log.epoch(),
            gateway: self.log.gateway().to_string(),
            prediction: answer.id.to_string(),
            record: *appended.digest.digest(),
            seal_by: answer.time.plus_millis(SEALED_WITHIN_MS),
            sequence: appended.sequence,
            tree_size: answer.tree_size,
        };
        let value = Receipt::sign(new, self.registry.keys().signing(Purpose::Gateway))?;
        // Base64 and full stops.
        HeaderValue::try_from(value).map_err(Into::into)
    }
}

#[cfg(test)]
mod tests;
