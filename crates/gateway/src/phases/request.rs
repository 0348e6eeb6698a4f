//! What a prediction is made from: the body, and facts that somebody else has established.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_base::{Digest, PrincipalId, Timestamp};
use bartizan_keys::subjects::SubjectTag;
use bartizan_model::{Signature, Tensor, Values};
use rand_core::CryptoRng;

use crate::endpoint::Columns;
use crate::fault::{Fault, Refusal};
use crate::limits::{REQUEST_ID_BYTES, SLICE_BYTES, SLICES};
use crate::validate::Fitted;

/// Who asks, and why they may.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// The principal, authenticated.
    pub principal: PrincipalId,
    /// The digest of the decision that allowed the request.
    pub decision: Digest,
    /// The digest of the policy that the decision was made by.
    pub policy: Digest,
    /// The request's id from a header; an id in the body comes before it.
    pub request: Option<&'a str>,
    /// Whom the prediction is about, from a header; it comes before the endpoint's subject input.
    pub subject: Option<SubjectTag>,
    /// Makes the tag of a subject's value.
    pub subject_tag: &'a dyn Fn(&[u8]) -> SubjectTag,
    /// Names and values that predictions are grouped by.
    pub slices: &'a [(String, String)],
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({})", self.principal)
    }
}

/// The ledger as the gateway knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Entries.
    pub tree_size: u64,
    /// How old that knowledge is, in milliseconds.
    pub age_ms: u64,
}

/// A request that may be made.
pub struct PredictRequest<'a> {
    /// The body.
    pub body: &'a [u8],
    /// The version that the caller insists on, from the path.
    pub version: Option<NonZeroU32>,
    /// Who asks.
    pub caller: Caller<'a>,
    /// The time.
    pub now: Timestamp,
    /// The time since some moment, by a clock that never steps back.
    pub elapsed: &'a dyn Fn() -> Duration,
    /// Where the prediction's id comes from.
    pub random: &'a mut dyn CryptoRng,
}

impl fmt::Debug for PredictRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PredictRequest({} bytes, {:?})", self.body.len(), self.caller)
    }
}

impl PredictRequest<'_> {
    /// Whether what comes from headers is within the limits.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let Caller { request, slices, .. } = &self.caller;
        if request.is_some_and(|id| id.is_empty() || id.len() > REQUEST_ID_BYTES) {
            return Err(Refusal::new(
                Fault::Malformed,
                format!("a request id has 1 to {REQUEST_ID_BYTES} bytes"),
            ));
        }
        let long = |(name, value): &(String, String)| name.len() > SLICE_BYTES || value.len() > SLICE_BYTES;
        if slices.len() > SLICES || slices.iter().any(long) {
            let message = format!("at most {SLICES} slice tags of {SLICE_BYTES} bytes");
            return Err(Refusal::new(Fault::Malformed, message));
        }
        Ok(())
    }
}

/// Whom the prediction is about: what a header said, or the one value of the endpoint's subject input.
pub(super) fn subject(
    columns: &Columns,
    signature: &Signature,
    fitted: &Fitted<'_>,
    caller: &Caller<'_>,
) -> Result<Option<SubjectTag>, Refusal> {
    if caller.subject.is_some() {
        return Ok(caller.subject);
    }
    let Some(input) = &columns.subject else { return Ok(None) };
    let place = signature.inputs.iter().position(|port| port.name == *input);
    let tensor = place.and_then(|place| fitted.inputs.get(place));
    let refuse = |what| Refusal::new(Fault::Mismatch, format!("the input `{input}` {what}"));
    let tensor = tensor.ok_or_else(|| refuse("says whom a prediction is about, and the model has none"))?;
    let value = one_value(tensor)
        .ok_or_else(|| refuse("says whom a prediction is about: all rows of a request are about one"))?;
    Ok(Some((caller.subject_tag)(value.as_bytes())))
}

/// What the prediction is grouped by: what came with the request, and the values of the endpoint's slices on which all
/// rows agree. A value that is too long, missing or not the same in all rows is left out.
pub(super) fn slices(
    columns: &Columns,
    signature: &Signature,
    fitted: &Fitted<'_>,
    caller: &Caller<'_>,
) -> Result<Vec<(String, String)>, Refusal> {
    let value = |name: &String| {
        let place = signature.inputs.iter().position(|port| port.name == *name)?;
        let value = any_value(fitted.inputs.get(place)?)?;
        (value.len() <= SLICE_BYTES).then(|| (name.clone(), value))
    };
    let given = caller.slices.iter().filter(|(name, _)| !columns.slices.contains(name)).cloned();
    let all: Vec<_> = columns.slices.iter().filter_map(value).chain(given).collect();
    if all.len() > SLICES {
        return Err(Refusal::new(Fault::Malformed, format!("at most {SLICES} slice tags")));
    }
    Ok(all)
}

/// The value that all elements have, as text.
fn any_value(tensor: &Tensor) -> Option<String> {
    match tensor.values() {
        Values::Text(_) | Values::I64(_) | Values::I32(_) => one_value(tensor),
        Values::F32(values) => same(values).filter(|_| values.iter().all(|value| value.is_finite())),
        Values::F64(values) => same(values).filter(|_| values.iter().all(|value| value.is_finite())),
        Values::Bool(values) => same(values),
    }
}

fn same<T: PartialEq + ToString>(values: &[T]) -> Option<String> {
    let first = values.first()?;
    values.iter().all(|value| value == first).then(|| first.to_string())
}

/// The value that all elements have, as text: a whole number or a text, for nothing else names anybody.
fn one_value(tensor: &Tensor) -> Option<String> {
    match tensor.values() {
        Values::Text(values) => same(values),
        Values::I64(values) => same(values),
        Values::I32(values) => same(values),
        Values::F32(_) | Values::F64(_) | Values::Bool(_) => None,
    }
}
