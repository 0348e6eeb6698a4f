//! What is shown of a prediction, and in which words.

use bartizan_gateway::{PredictionId, RecordedInput, RecordedOutput, RecordedTensor};
use bartizan_ledger::segment::Group;
use bartizan_model::Values;
use bartizan_registry::prediction::RecordEnvelope;
use bartizan_store::records::{ClearRecord, StoredRecord};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::catalog::ids;
use crate::failure::Failure;

/// Whether what is personal is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revealed {
    /// Only that it was made, by what, and when.
    Clear,
    /// Also who asked, about whom, what was asked and what was answered.
    Personal,
}

#[derive(Deserialize)]
struct Subject {
    principal: String,
    request: Option<String>,
    slices: Vec<Value>,
    subject: Option<String>,
}

#[derive(Deserialize)]
struct Decisions {
    /// Absent, as what is said of inputs below, in records that were made before this was noted.
    compared: Option<String>,
    decision: String,
    flags: Vec<Value>,
    flags_left_off: usize,
    #[serde(default)]
    not_compared: Vec<String>,
    #[serde(default)]
    not_compared_left_off: usize,
    policy: String,
    timings_ns: Vec<Value>,
}

/// Whether a version answered that is `NAME:VERSION`, or any of the model `NAME`.
pub(super) fn is_by(envelope: &RecordEnvelope, wanted: &str) -> bool {
    let model = envelope.model.as_ref();
    model.is_some_and(|model| model.name.as_str() == wanted || model.to_string() == wanted)
}

/// A line of a list, and how many columns have a flag.
pub(super) fn row(envelope: &RecordEnvelope, record: &ClearRecord<'_>) -> Option<(Value, usize)> {
    let decisions: Decisions = serde_json::from_slice(record.decisions).ok()?;
    let flags = decisions.flags.len() + decisions.flags_left_off;
    let row = json!({
        "id": PredictionId::from(record.id).to_string(),
        "time": record.time,
        "endpoint": envelope.endpoint,
        "model": envelope.model,
        "answeredBy": envelope.answered_by,
        "fallbackReason": envelope.fallback_reason,
        "flags": flags,
        "segment": record.position.segment,
        "index": record.position.index,
    });
    Some((row, flags))
}

/// A prediction. `sealed` is what is known of its segment, `personal` what became of what is personal.
///
/// # Errors
/// When the record is authentic and not of a form that this version knows.
pub(crate) fn shown(
    record: &StoredRecord,
    sealed: &Value,
    personal: &Value,
    revealed: Revealed,
) -> Result<Value, Failure> {
    let envelope: RecordEnvelope = parsed(record, Group::Envelope)?.ok_or_else(|| unknown(record))?;
    let decisions: Decisions = parsed(record, Group::Decisions)?.ok_or_else(|| unknown(record))?;
    let mut value = json!({
        "id": envelope.id,
        "time": envelope.time,
        "endpoint": envelope.endpoint,
        "model": envelope.model,
        "manifest": envelope.manifest,
        "answeredBy": envelope.answered_by,
        "fallbackReason": envelope.fallback_reason,
        "route": envelope.route,
        "weightPpm": envelope.weight_ppm,
        "flags": decisions.flags,
        "flagsLeftOff": decisions.flags_left_off,
        "compared": decisions.compared,
        "notCompared": decisions.not_compared,
        "notComparedLeftOff": decisions.not_compared_left_off,
        "timingsNs": decisions.timings_ns,
        "decision": decisions.decision,
        "policy": decisions.policy,
        "gateway": envelope.gateway,
        "epoch": envelope.epoch,
        "sequence": envelope.sequence,
        "treeSize": envelope.tree_size,
        "headAgeMs": envelope.head_age_ms,
        "record": record.digest.digest(),
        "sealed": sealed,
        "personal": personal,
    });
    if revealed == Revealed::Personal
        && let Some(members) = value.as_object_mut()
    {
        if let Some(about) = parsed::<Subject>(record, Group::Subject)? {
            let Subject { principal, request, slices, subject } = about;
            members.insert("principal".to_owned(), principal.into());
            members.insert("request".to_owned(), request.into());
            members.insert("slices".to_owned(), slices.into());
            members.insert("subject".to_owned(), subject.into());
        }
        if let Some(input) = record.group(Group::Input) {
            let input = RecordedInput::parse(&input.bytes).map_err(|_| unknown(record))?;
            members.insert("outputsAskedFor".to_owned(), input.outputs.into());
            members.insert("inputs".to_owned(), tensors(&input.tensors));
        }
        if let Some(output) = record.group(Group::Output) {
            let output = RecordedOutput::parse(&output.bytes).map_err(|_| unknown(record))?;
            members.insert("status".to_owned(), output.status.into());
            members.insert("outputs".to_owned(), tensors(&output.tensors));
        }
    }
    Ok(value)
}

fn parsed<T: DeserializeOwned>(record: &StoredRecord, group: Group) -> Result<Option<T>, Failure> {
    let Some(revealed) = record.group(group) else { return Ok(None) };
    serde_json::from_slice(&revealed.bytes).map(Some).map_err(|_| unknown(record))
}

fn unknown(record: &StoredRecord) -> Failure {
    let position = record.position;
    let what = format!(
        "record {} of segment {} is authentic and of a form that this version does not know",
        position.index, position.segment
    );
    Failure::new(ids::TOO_NEW, what)
}

/// Tensors of a record as people read them.
pub(crate) fn tensors(tensors: &[RecordedTensor]) -> Value {
    let shown = |recorded: &RecordedTensor| {
        let RecordedTensor { name, datatype, shape, tensor } = recorded;
        let data = tensor.as_ref().map_or(Value::Null, |tensor| elements(tensor.values()));
        let mut value = json!({ "name": name, "datatype": datatype.as_str(), "shape": shape, "data": data });
        if tensor.is_none()
            && let Some(members) = value.as_object_mut()
        {
            members.insert("withheld".to_owned(), true.into());
        }
        value
    };
    tensors.iter().map(shown).collect()
}

/// Elements as JSON has them. A float that it has no number for is a text.
fn elements(values: &Values) -> Value {
    match values {
        Values::Text(values) => values.iter().map(|text| Value::from(&**text)).collect(),
        Values::Bool(values) => values.iter().copied().map(Value::from).collect(),
        Values::I32(values) => values.iter().copied().map(Value::from).collect(),
        Values::I64(values) => values.iter().copied().map(Value::from).collect(),
        // The fewest digits that read back as the same 32 bits.
        Values::F32(values) => values.iter().map(|value| float(&value.to_string())).collect(),
        Values::F64(values) => values.iter().map(|value| float(&value.to_string())).collect(),
    }
}

fn float(text: &str) -> Value {
    let number = text.parse().ok().and_then(serde_json::Number::from_f64);
    number.map_or_else(|| text.into(), Value::Number)
}
