//! What is shown of a prediction, and in which words.

use bartizan_base::Timestamp;
use bartizan_gateway::PredictionId;
use bartizan_ledger::segment::Group;
use bartizan_store::records::{ClearRecord, StoredRecord};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

/// The first group of a prediction's record.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    pub(super) answered_by: String,
    pub(super) endpoint: String,
    epoch: u64,
    fallback_reason: Option<String>,
    gateway: String,
    head_age_ms: u64,
    id: String,
    manifest: Option<String>,
    model: Option<String>,
    route: String,
    sequence: u64,
    time: Timestamp,
    tree_size: u64,
    weight_ppm: u32,
}

#[derive(Deserialize)]
struct Subject {
    principal: String,
    request: Option<String>,
    slices: Vec<Value>,
    subject: Option<String>,
}

#[derive(Deserialize)]
struct Input {
    outputs: Option<Vec<String>>,
    tensors: Vec<Tensor>,
}

#[derive(Deserialize)]
struct Output {
    status: u16,
    tensors: Vec<Tensor>,
}

#[derive(Deserialize)]
struct Tensor {
    data: Option<Value>,
    datatype: String,
    name: String,
    shape: Vec<usize>,
}

#[derive(Deserialize)]
struct Decisions {
    decision: String,
    flags: Vec<Value>,
    flags_left_off: usize,
    policy: String,
    timings_ns: Vec<Value>,
}

impl Envelope {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether a version answered that is `NAME:VERSION`, or any of the model `NAME`.
    pub(super) fn is_by(&self, wanted: &str) -> bool {
        self.model.as_ref().is_some_and(|model| {
            model == wanted || model.strip_prefix(wanted).is_some_and(|rest| rest.starts_with(':'))
        })
    }

    /// A line of a list, and how many columns have a flag.
    pub(super) fn row(self, record: &ClearRecord<'_>) -> Option<(Value, usize)> {
        let decisions: Decisions = serde_json::from_slice(record.decisions).ok()?;
        let flags = decisions.flags.len() + decisions.flags_left_off;
        let row = json!({
            "id": PredictionId::from(record.id).to_string(),
            "time": record.time,
            "endpoint": self.endpoint,
            "model": self.model,
            "answeredBy": self.answered_by,
            "fallbackReason": self.fallback_reason,
            "flags": flags,
            "segment": record.position.segment,
            "index": record.position.index,
        });
        Some((row, flags))
    }
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
    let envelope: Envelope = parsed(record, Group::Envelope)?.ok_or_else(|| unknown(record))?;
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
        if let Some(input) = parsed::<Input>(record, Group::Input)? {
            members.insert("outputsAskedFor".to_owned(), input.outputs.into());
            members.insert("inputs".to_owned(), tensors(record, input.tensors)?);
        }
        if let Some(output) = parsed::<Output>(record, Group::Output)? {
            members.insert("status".to_owned(), output.status.into());
            members.insert("outputs".to_owned(), tensors(record, output.tensors)?);
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

fn tensors(record: &StoredRecord, tensors: Vec<Tensor>) -> Result<Value, Failure> {
    let shown = |tensor: Tensor| {
        let data = match &tensor.data {
            None => Value::Null,
            Some(data) => elements(&tensor.datatype, data).ok_or_else(|| unknown(record))?,
        };
        let Tensor { name, datatype, shape, .. } = tensor;
        let withheld = data.is_null();
        let mut value = json!({ "name": name, "datatype": datatype, "shape": shape, "data": data });
        if withheld && let Some(members) = value.as_object_mut() {
            members.insert("withheld".to_owned(), true.into());
        }
        Ok(value)
    };
    tensors.into_iter().map(shown).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// The elements of a tensor as people read them. A float that JSON has no number for is a text.
fn elements(datatype: &str, data: &Value) -> Option<Value> {
    if datatype == "BYTES" {
        return data.is_array().then(|| data.clone());
    }
    let bytes = STANDARD.decode(data.as_str()?).ok()?;
    let each = match datatype {
        "BOOL" => bytes.iter().map(|byte| Value::Bool(*byte != 0)).collect(),
        "INT32" => numbers(&bytes, |bytes: &[u8; 4]| i32::from_le_bytes(*bytes).into())?,
        "INT64" => numbers(&bytes, |bytes: &[u8; 8]| i64::from_le_bytes(*bytes).into())?,
        // The fewest digits that read back as the same 32 bits.
        "FP32" => numbers(&bytes, |bytes: &[u8; 4]| float(&f32::from_le_bytes(*bytes).to_string()))?,
        "FP64" => numbers(&bytes, |bytes: &[u8; 8]| float(&f64::from_le_bytes(*bytes).to_string()))?,
        _ => return None,
    };
    Some(Value::Array(each))
}

fn numbers<const N: usize>(bytes: &[u8], number: impl Fn(&[u8; N]) -> Value) -> Option<Vec<Value>> {
    let (chunks, rest) = bytes.as_chunks::<N>();
    rest.is_empty().then(|| chunks.iter().map(number).collect())
}

fn float(text: &str) -> Value {
    let number = text.parse().ok().and_then(serde_json::Number::from_f64);
    number.map_or_else(|| text.into(), Value::Number)
}
