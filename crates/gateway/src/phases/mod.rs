//! The phases of a prediction, in their one order.
//!
//! Each phase is a function that takes what the one before gave, so none can be left out or moved: it would not
//! compile. In brackets is what has its place here and is not made yet.
//!
//! ```text
//!   accept, identify, rate, resolve and authorise, quota          the binary, before it calls `predict`
//!     |
//!     v  body, who asks, the decision that allowed it
//!   parse ------> Request      bytes are an inference request          malformed: 400, too large: 413; no record
//!   validate ---> Valid        it fits the model; values like those    mismatch: 400; no record
//!     |                        of training, or flags                   out of bounds and rejecting: 400, recorded
//!     |           (screen: probing, novelty)
//!   route ------> Routed       primary, or why not
//!   infer ------> Inferred     on the original values                  no answer: the fallback, or 503, recorded
//!   sanitise ---> Answered     finite, and not stopped meanwhile       else: the fallback, or 503, recorded
//!   redact -----> Copies       what the record will hold
//!   record -----> Made         five groups; too large to keep: 413
//!     |
//!     v  place, append, durable: `Made::record` gives the answer only to whoever has recorded it
//!   answer
//! ```

mod infer;
mod made;
mod request;

use std::sync::Arc;
use std::time::Duration;

use bartizan_ledger::limits::RECORD_GROUP_BYTES;
use bartizan_model::{Port, Tensor, Values};

pub use self::infer::FallbackReason;
use self::infer::{Answered, infer, route, sanitise};
pub use self::made::{Answer, Made, Prediction, RecordFailed, Refused};
pub use self::request::{Caller, Head, PredictRequest};
use crate::endpoint::{Endpoint, Serving};
use crate::fault::{Fault, Refusal};
use crate::id::PredictionId;
use crate::oip::Request;
use crate::record::{Draft, Envelope, decisions_group, input_group, output_group, subject_group};
use crate::validate::{Fitted, Flags, OutOfBounds, fit};

/// A phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Bytes to tensors.
    Parse,
    /// Against the signature and the bounds of training.
    Validate,
    /// Which version is to answer.
    Route,
    /// The model runs.
    Infer,
    /// What it said is fit to be said.
    Sanitise,
    /// The copy that is recorded.
    Redact,
    /// The groups of the record.
    Record,
    /// The bytes of the answer.
    Answer,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 8] = [
        Self::Parse,
        Self::Validate,
        Self::Route,
        Self::Infer,
        Self::Sanitise,
        Self::Redact,
        Self::Record,
        Self::Answer,
    ];

    /// The word that records and metrics use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Validate => "validate",
            Self::Route => "route",
            Self::Infer => "infer",
            Self::Sanitise => "sanitise",
            Self::Redact => "redact",
            Self::Record => "record",
            Self::Answer => "answer",
        }
    }
}

/// How long phases took, in the order in which they ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timings(Vec<(Phase, Duration)>);

impl Timings {
    fn new() -> Self {
        Self(Vec::with_capacity(Phase::ALL.len()))
    }

    /// The phases that ended, with their times.
    pub fn phases(&self) -> &[(Phase, Duration)] {
        &self.0
    }

    fn in_ns(&self) -> Vec<(&'static str, u64)> {
        let ns = |time: &Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min((1 << 53) - 1);
        self.0.iter().map(|(phase, time)| (phase.as_str(), ns(time))).collect()
    }
}

/// Measures phases one after the other: each begins where the one before ended.
struct Watch<'a> {
    elapsed: &'a dyn Fn() -> Duration,
    last: Duration,
    timings: Timings,
}

impl Watch<'_> {
    fn end<T>(&mut self, phase: Phase, result: T) -> T {
        let now = (self.elapsed)();
        self.timings.0.push((phase, now.saturating_sub(self.last)));
        self.last = now;
        result
    }
}

/// A request that fits the model, and what is odd about it.
struct Valid<'a> {
    fitted: Fitted<'a>,
    flags: Flags,
    /// Why it is not answered although it could be.
    rejected: Option<Refusal>,
}

/// The groups of a record that say who, what and what came of it.
struct Copies {
    subject: Vec<u8>,
    input: Vec<u8>,
    output: Vec<u8>,
}

/// Makes a prediction, or says why not.
///
/// It blocks for as long as the model runs; a server calls it on a thread for that, where
/// [`Serving::steps_at_most`] says that this may be long. Whatever the body holds, it returns.
pub fn predict(endpoint: &Endpoint, request: PredictRequest<'_>) -> Prediction {
    let mut watch = Watch { elapsed: request.elapsed, last: (request.elapsed)(), timings: Timings::new() };
    let result = run(endpoint, request, &mut watch);
    let timings = watch.timings;
    match result {
        Ok(made) => Prediction::Made(Box::new(Made { timings, ..made })),
        Err(refusal) => Prediction::Refused(Refused::new(refusal, endpoint.settings().error_id, timings)),
    }
}

fn run(endpoint: &Endpoint, request: PredictRequest<'_>, watch: &mut Watch<'_>) -> Result<Made, Refusal> {
    request.check()?;
    let PredictRequest { body, version, caller, now, random, .. } = request;
    let serving = endpoint.serving();
    // Before anything is inferred: see `Serving::head`.
    let head = serving.head(watch.last);
    let id = PredictionId::draw(random);

    let parsed = watch.end(Phase::Parse, parse(body))?;
    let valid = watch.end(Phase::Validate, validate(&serving, parsed))?;
    let routed = watch.end(Phase::Route, route(&serving, version))?;
    let inferred = watch.end(Phase::Infer, infer(endpoint, &serving, routed, &valid.fitted, valid.rejected));
    let answered = watch.end(Phase::Sanitise, sanitise(endpoint, &serving, inferred, &valid.fitted));
    let asked = Asked { endpoint, serving: &serving, fitted: &valid.fitted, caller: &caller };
    let (subject_tag, copies) = watch.end(Phase::Redact, redact(&asked, &answered))?;
    let kept = Kept { id, now, head, subject_tag, copies, flags: &valid.flags };
    let draft = watch.end(Phase::Record, record(&asked, &answered, kept, &watch.timings))?;
    watch.end(Phase::Answer, made::answer(&asked, &answered, valid.flags, draft))
}

fn parse(body: &[u8]) -> Result<Request<'_>, Refusal> {
    Request::parse(body).map_err(|invalid| {
        let fault = if invalid.is_too_large() { Fault::TooLarge } else { Fault::Malformed };
        Refusal::new(fault, invalid.to_string())
    })
}

fn validate<'a>(serving: &Serving, request: Request<'a>) -> Result<Valid<'a>, Refusal> {
    let fitted = fit(request, serving.signature(), serving.most_rows());
    let fitted = fitted.map_err(|mismatch| Refusal::new(Fault::Mismatch, mismatch.to_string()))?;
    let Some((bounds, policy)) = serving.bounds() else {
        return Ok(Valid { fitted, flags: Flags::default(), rejected: None });
    };
    let flags = bounds.check(&fitted.inputs);
    let reject = *policy == OutOfBounds::Reject && !flags.is_empty();
    let rejected = reject.then(|| {
        Refusal::new(
            Fault::OutOfBounds,
            format!("values unlike those that the model was trained on: {flags}"),
        )
    });
    Ok(Valid { fitted, flags, rejected })
}

/// What all later phases look back at.
struct Asked<'r, 'a> {
    endpoint: &'r Endpoint,
    serving: &'r Arc<Serving>,
    fitted: &'r Fitted<'a>,
    caller: &'r Caller<'a>,
}

impl Asked<'_, '_> {
    /// What the caller calls the request: what the body says, or else what a header said.
    fn request_id(&self) -> Option<&str> {
        self.fitted.id.as_deref().or(self.caller.request)
    }
}

/// Everything of a record but its place.
struct Kept<'r> {
    id: PredictionId,
    now: bartizan_base::Timestamp,
    head: Head,
    subject_tag: Option<bartizan_keys::subjects::SubjectTag>,
    copies: Copies,
    flags: &'r Flags,
}

fn redact(
    asked: &Asked<'_, '_>,
    answered: &Answered<'_>,
) -> Result<(Option<bartizan_keys::subjects::SubjectTag>, Copies), Refusal> {
    let Asked { serving, fitted, caller, .. } = asked;
    let signature = serving.signature();
    let subject = request::subject(serving.columns(), signature, fitted, caller)?;
    let slices = request::slices(serving.columns(), signature, fitted, caller)?;
    let wanted = fitted.outputs.iter().filter_map(|index| signature.outputs.get(*index));
    let wanted = fitted.selects.then(|| wanted.map(|port| port.name.as_str()).collect());
    let inputs: Vec<_> = signature.inputs.iter().zip(&fitted.inputs).collect();
    if !may_fit(answered.outputs()) {
        return Err(too_large());
    }
    let defect = |_| Refusal::new(Fault::Defect, "the record cannot be written");
    let copies = Copies {
        subject: subject_group(caller.principal, asked.request_id(), &slices, subject).map_err(defect)?,
        input: input_group(&inputs, &serving.columns().withheld, wanted).map_err(defect)?,
        output: output_group(answered.status(), answered.outputs()).map_err(defect)?,
    };
    Ok((subject, copies))
}

/// Whether a record may have room for these outputs. A model may say far more than it was asked, and names the same
/// long text in every row: that is not to be written out first.
fn may_fit(outputs: &[(&Port, Tensor)]) -> bool {
    let least = |tensor: &Tensor| match tensor.values() {
        Values::Text(texts) => texts.iter().map(|text| text.len() as u64 + 2).sum(),
        values => (values.len() as u64).saturating_mul(tensor.element().bytes()),
    };
    outputs.iter().map(|(_, tensor)| least(tensor)).fold(0, u64::saturating_add) <= RECORD_GROUP_BYTES as u64
}

fn too_large() -> Refusal {
    Refusal::new(Fault::TooLarge, "the request is too large to be recorded: send fewer rows")
}

fn record(
    asked: &Asked<'_, '_>,
    answered: &Answered<'_>,
    kept: Kept<'_>,
    timings: &Timings,
) -> Result<Draft, Refusal> {
    let Kept { id, now, head, subject_tag, copies, flags } = kept;
    let Copies { subject, input, output } = copies;
    let (decision, policy) = (asked.caller.decision, asked.caller.policy);
    let decisions = decisions_group(decision, policy, flags, asked.serving.compared(), &timings.in_ns());
    let decisions = decisions.map_err(|_| Refusal::new(Fault::Defect, "the record cannot be written"))?;
    let envelope = Envelope {
        endpoint: asked.endpoint.name().clone(),
        head_age_ms: head.age_ms,
        tree_size: head.tree_size,
        model: answered.version().map(|version| (version.version().clone(), *version.manifest())),
        answered_by: answered.answered_by(),
        fallback_reason: answered.reason().map(FallbackReason::as_str),
    };
    let draft = Draft { id, time: now, subject_tag, envelope, others: [subject, input, output, decisions] };
    if !draft.fits() {
        return Err(too_large());
    }
    Ok(draft)
}
