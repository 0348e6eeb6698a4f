//! What comes out: a prediction whose answer is had only for its record, or a refusal that needs none.

use std::fmt;

use bartizan_base::{Digest, Timestamp, VersionRef, sha256};
use bartizan_keys::subjects::{RequestTag, SubjectTag};
use bartizan_store::records::{AppendFailed, Appended, Log};

use super::infer::{Answered, FallbackReason};
use super::{Asked, Timings};
use crate::fault::{Fault, Refusal};
use crate::id::PredictionId;
use crate::oip::{self, Parameters, Response};
use crate::record::{Draft, Groups, Placement};
use crate::validate::Flags;

/// What came of a request.
#[derive(Debug)]
pub enum Prediction {
    /// It is to be recorded, and then answered.
    Made(Box<Made>),
    /// It was no request for this model, or is not to be kept; nothing is recorded.
    Refused(Refused),
}

/// A refusal that leaves no record.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub fault: Fault,
    /// The HTTP status.
    pub status: u16,
    /// The body of the answer.
    pub body: Vec<u8>,
    /// How long the phases took that ended.
    pub timings: Timings,
}

impl Refused {
    pub(super) fn new(refusal: Refusal, error_id: fn(Fault) -> &'static str, timings: Timings) -> Self {
        let Refusal { fault, message } = refusal;
        Self { fault, status: fault.status(), body: oip::error(&message, error_id(fault)), timings }
    }
}

/// A prediction, also one that was rejected or that nobody could answer. Its answer is given out for its record.
pub struct Made {
    /// Its id.
    pub id: PredictionId,
    /// The HTTP status of the answer.
    pub status: u16,
    /// Why there is none, when there is none.
    pub fault: Option<Fault>,
    /// `primary`, `fallback`, `constant` or `nobody`.
    pub answered_by: &'static str,
    /// Why it was not the primary.
    pub reason: Option<FallbackReason>,
    /// The version that answered, and its manifest.
    pub version: Option<(VersionRef, Digest)>,
    /// Values unlike those of training.
    pub flags: Flags,
    /// What the caller calls the request: make the record's request tag of it.
    pub request: Option<String>,
    /// How long the phases took.
    pub timings: Timings,
    pub(super) draft: Draft,
    pub(super) body: Vec<u8>,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Made({}, {} by {})", self.id, self.status, self.answered_by)
    }
}

/// An answer whose record a log has taken. It may be sent when that is durable.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The prediction.
    pub id: PredictionId,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// Its SHA-256, which a receipt names.
    pub digest: Digest,
    /// Its time, which the record says.
    pub time: Timestamp,
    /// How many entries of the ledger were obeyed, which the record says.
    pub tree_size: u64,
}

/// What was answered is personal and not for logs.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {}, {} bytes)", self.id, self.status, self.body.len())
    }
}

/// A prediction could not be recorded, so it is not answered: 503, or 500.
#[derive(Debug, thiserror::Error)]
pub enum RecordFailed {
    /// The log did not take it.
    #[error("the prediction cannot be recorded")]
    Append(#[from] AppendFailed),
    /// The record has no canonical form, which should not be.
    #[error("the prediction has no record")]
    Encode(#[from] serde_json::Error),
}

impl Made {
    /// Bytes to reserve for its record.
    pub fn record_bytes(&self) -> usize {
        self.draft.bytes()
    }

    /// Its time, which the record says.
    pub fn time(&self) -> Timestamp {
        self.draft.time
    }

    /// Whom it is about.
    pub fn subject(&self) -> Option<SubjectTag> {
        self.draft.subject_tag
    }

    /// Puts its record into a log, and hands out the answer for that: no record, no answer.
    ///
    /// The answer may be sent when the log says that [`Appended::sequence`] is durable.
    ///
    /// # Errors
    /// When the log is full or has stopped.
    pub fn record(self, log: &Log, request: Option<RequestTag>) -> Result<(Appended, Answer), RecordFailed> {
        let place = log.reserve(self.record_bytes())?;
        let (id, time, subject) = (self.id, self.time(), self.subject());
        let (groups, answer) = self.place(&Placement::from(&place))?;
        let appended = place.append(&groups.record(id, time, subject, request))?;
        Ok((appended, answer))
    }

    /// The groups of its record at a place, and the answer, for whoever keeps records in another way.
    ///
    /// # Errors
    /// When the record has no canonical form, which should not be.
    pub fn place(self, place: &Placement) -> Result<(Groups, Answer), serde_json::Error> {
        let Self { id, status, draft, body, .. } = self;
        let (time, tree_size) = (draft.time, draft.envelope.tree_size);
        let groups = draft.place(place)?;
        let digest = sha256(&body);
        Ok((groups, Answer { id, status, body, digest, time, tree_size }))
    }
}

/// The last phase: the bytes of the answer.
pub(super) fn answer(
    asked: &Asked<'_, '_>,
    answered: &Answered<'_>,
    flags: Flags,
    draft: Draft,
) -> Result<Made, Refusal> {
    let settings = asked.endpoint.settings();
    let version = answered.version();
    let body = match answered.refusal() {
        Some(refusal) => {
            let id = (settings.error_id)(refusal.fault);
            oip::recorded_error(&refusal.message, id, &draft.id.to_string())
        }
        None => oip::response(&Response {
            endpoint: asked.endpoint.name().as_str(),
            version: version.map(|version| version.version().version.to_string()),
            id: asked.fitted.id.as_deref(),
            parameters: Parameters {
                prediction_id: draft.id.to_string(),
                model: version.map(|version| version.version().to_string()),
                model_digest: version.map(|version| version.manifest().to_string()),
                answered_by: answered.answered_by().as_str(),
                fallback_reason: answered.reason().map(FallbackReason::as_str),
                flags: flags.len(),
            },
            outputs: answered.outputs(),
        })
        .map_err(|_| Refusal::new(Fault::Defect, "the answer cannot be written"))?,
    };
    Ok(Made {
        id: draft.id,
        status: answered.status(),
        fault: answered.refusal().map(|refusal| refusal.fault),
        answered_by: answered.answered_by().as_str(),
        reason: answered.reason(),
        version: version.map(|version| (version.version().clone(), *version.manifest())),
        flags,
        request: asked.request_id().map(str::to_owned),
        timings: Timings::default(),
        draft,
        body,
    })
}
