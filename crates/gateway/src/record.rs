//! The record of a prediction: five groups of canonical JSON, complete but for the place in the log.
//!
//! Format: `docs/formats/prediction-record.md`. Members are declared in the order of their names, so that what serde
//! writes is canonical as it stands.

use std::collections::BTreeSet;
use std::fmt;

use bartizan_base::{Digest, Hex, Name, PrincipalId, Timestamp, VersionRef};
use bartizan_keys::subjects::{RequestTag, SubjectTag};
use bartizan_ledger::limits::RECORD_GROUP_BYTES;
use bartizan_model::{Port, Tensor};
use bartizan_registry::prediction::{AnsweredBy, FORMAT, RecordEnvelope};
use bartizan_store::limits::RECORD_BYTES;
use bartizan_store::records::{GatewayId, NewRecord, Place};
use serde::Serialize;

use crate::id::PredictionId;
use crate::limits::{ENVELOPE_BYTES, FLAGS};
use crate::oip::{Datatype, Shown, json};
use crate::validate::{Compared, Flag, Flags, Uncompared};

/// All of a route's traffic, in millionths.
const WHOLE_WEIGHT: u32 = 1_000_000;

/// A place in the log of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The gateway.
    pub gateway: GatewayId,
    /// The epoch of its log.
    pub epoch: u64,
    /// The sequence number.
    pub sequence: u64,
}

impl From<&Place<'_>> for Placement {
    fn from(place: &Place<'_>) -> Self {
        Self { gateway: place.gateway(), epoch: place.epoch(), sequence: place.sequence() }
    }
}

/// The five groups of a record, in their order.
#[derive(Clone, PartialEq, Eq)]
pub struct Groups([Vec<u8>; 5]);

/// Three of them are personal: how long they are is enough for logs.
impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Groups{:?}", self.0.each_ref().map(Vec::len))
    }
}

impl Groups {
    /// The bytes, in the order of [`Group::ALL`](bartizan_ledger::segment::Group::ALL).
    pub fn as_slices(&self) -> [&[u8]; 5] {
        self.0.each_ref().map(Vec::as_slice)
    }
}

/// A record that has no place in a log yet.
pub(crate) struct Draft {
    pub(crate) id: PredictionId,
    pub(crate) time: Timestamp,
    pub(crate) subject_tag: Option<SubjectTag>,
    pub(crate) envelope: Envelope,
    /// Principal and subject, input, output, decisions.
    pub(crate) others: [Vec<u8>; 4],
}

/// What the envelope says beside its place.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) endpoint: Name,
    pub(crate) head_age_ms: u64,
    pub(crate) tree_size: u64,
    /// Version and manifest digest of the model that answered.
    pub(crate) model: Option<(VersionRef, Digest)>,
    pub(crate) answered_by: AnsweredBy,
    pub(crate) fallback_reason: Option<&'static str>,
}

#[derive(Serialize)]
struct SubjectWire<'a> {
    principal: PrincipalId,
    request: Option<&'a str>,
    slices: Vec<SliceWire<'a>>,
    subject: Option<String>,
}

#[derive(Serialize)]
struct SliceWire<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct InputWire<'a> {
    outputs: Option<Vec<&'a str>>,
    tensors: Vec<TensorWire<'a>>,
}

#[derive(Serialize)]
struct OutputWire<'a> {
    status: u16,
    tensors: Vec<TensorWire<'a>>,
}

#[derive(Serialize)]
struct TensorWire<'a> {
    /// `null` where the endpoint withholds the values.
    data: Option<Shown<'a>>,
    datatype: &'static str,
    name: &'a str,
    shape: &'a [usize],
}

#[derive(Serialize)]
struct DecisionsWire<'a> {
    compared: &'static str,
    decision: Digest,
    flags: Vec<FlagWire<'a>>,
    flags_left_off: usize,
    not_compared: Vec<&'a str>,
    not_compared_left_off: usize,
    policy: Digest,
    timings_ns: Vec<TimingWire>,
}

#[derive(Serialize)]
struct FlagWire<'a> {
    column: &'a str,
    count: usize,
    first_row: usize,
    kind: &'a str,
}

impl<'a> From<&'a Flag> for FlagWire<'a> {
    fn from(flag: &'a Flag) -> Self {
        Self { column: &flag.column, count: flag.count, first_row: flag.first_row, kind: flag.kind.as_str() }
    }
}

#[derive(Serialize)]
struct TimingWire {
    ns: u64,
    phase: &'static str,
}

/// The group about principal and subject.
pub(crate) fn subject_group(
    principal: PrincipalId,
    request: Option<&str>,
    slices: &[(String, String)],
    subject: Option<SubjectTag>,
) -> Result<Vec<u8>, serde_json::Error> {
    let wire = SubjectWire {
        principal,
        request,
        slices: slices.iter().map(|(name, value)| SliceWire { name, value }).collect(),
        subject: subject.map(|tag| Hex(tag.as_bytes()).to_string()),
    };
    json(192, &wire)
}

/// The group of what was asked; the values of withheld inputs stay out of it.
pub(crate) fn input_group(
    inputs: &[(&Port, &Tensor)],
    withheld: &BTreeSet<String>,
    outputs: Option<Vec<&str>>,
) -> Result<Vec<u8>, serde_json::Error> {
    let tensors =
        inputs.iter().map(|(port, tensor)| tensor_wire(port, tensor, withheld.contains(&port.name)));
    let bytes = inputs.iter().map(|(port, tensor)| tensor_bytes(port, tensor)).sum();
    json(bytes, &InputWire { outputs, tensors: tensors.collect() })
}

/// The group of what was answered.
pub(crate) fn output_group(status: u16, outputs: &[(&Port, Tensor)]) -> Result<Vec<u8>, serde_json::Error> {
    let tensors = outputs.iter().map(|(port, tensor)| tensor_wire(port, tensor, false));
    let bytes = outputs.iter().map(|(port, tensor)| tensor_bytes(port, tensor)).sum();
    json(bytes, &OutputWire { status, tensors: tensors.collect() })
}

/// The group of guards and decisions.
pub(crate) fn decisions_group(
    decision: Digest,
    policy: Digest,
    flags: &Flags,
    compared: Compared<'_>,
    timings: &[(&'static str, u64)],
) -> Result<Vec<u8>, serde_json::Error> {
    let left_out: &[Uncompared] = if let Compared::AllBut(inputs) = compared { inputs } else { &[] };
    let wire = DecisionsWire {
        compared: compared.as_str(),
        decision,
        flags: flags.flags.iter().map(FlagWire::from).collect(),
        flags_left_off: flags.left_off,
        not_compared: left_out.iter().take(FLAGS).map(|found| found.name.as_str()).collect(),
        not_compared_left_off: left_out.len().saturating_sub(FLAGS),
        policy,
        timings_ns: timings.iter().map(|(phase, ns)| TimingWire { ns: *ns, phase }).collect(),
    };
    json(576 + 128 * flags.flags.len(), &wire)
}

/// About what a tensor takes in a group, and its part of what is around.
fn tensor_bytes(port: &Port, tensor: &Tensor) -> usize {
    96 + port.name.len() + 12 * tensor.values().len()
}

fn tensor_wire<'a>(port: &'a Port, tensor: &'a Tensor, withheld: bool) -> TensorWire<'a> {
    TensorWire {
        data: (!withheld).then(|| Shown(tensor.values())),
        datatype: Datatype::from(tensor.element()).as_str(),
        name: &port.name,
        shape: tensor.shape(),
    }
}

impl Draft {
    /// Whether a log takes it.
    pub(crate) fn fits(&self) -> bool {
        self.others.iter().all(|group| group.len() <= RECORD_GROUP_BYTES) && self.bytes() <= RECORD_BYTES
    }

    /// Bytes that its groups take at most, wherever it is placed.
    pub(crate) fn bytes(&self) -> usize {
        self.others.iter().map(Vec::len).sum::<usize>() + ENVELOPE_BYTES
    }

    /// The record at a place.
    pub(crate) fn place(self, place: &Placement) -> Result<Groups, serde_json::Error> {
        let Envelope { endpoint, head_age_ms, tree_size, model, answered_by, fallback_reason } =
            self.envelope;
        let (model, manifest) = model.unzip();
        let envelope = RecordEnvelope {
            answered_by,
            endpoint,
            epoch: place.epoch,
            fallback_reason: fallback_reason.map(str::to_owned),
            format: FORMAT.to_owned(),
            gateway: place.gateway.to_string(),
            head_age_ms,
            id: self.id.to_string(),
            manifest,
            model,
            route: "primary".to_owned(),
            sequence: place.sequence,
            time: self.time,
            tree_size,
            weight_ppm: WHOLE_WEIGHT,
        };
        let envelope = json(ENVELOPE_BYTES, &envelope)?;
        let [subject, input, output, decisions] = self.others;
        Ok(Groups([envelope, subject, input, output, decisions]))
    }
}

impl Groups {
    /// The record as a log takes it.
    pub fn record(
        &self,
        id: PredictionId,
        time: Timestamp,
        subject: Option<SubjectTag>,
        request: Option<RequestTag>,
    ) -> NewRecord<'_> {
        NewRecord { id: id.record(), time, subject, request, groups: self.as_slices() }
    }
}
