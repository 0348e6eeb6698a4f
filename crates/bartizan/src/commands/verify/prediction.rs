//! `verify` of a prediction: what its record shows, its receipt, and the model run again.

use std::io::Read as _;

use bartizan_base::sha256;
use bartizan_gateway::{RecordedInput, RecordedOutput, Replayed, model_file, replay};
use bartizan_ledger::segment::Group;
use bartizan_model::limits::MODEL_BYTES;
use bartizan_registry::Receipt;
use bartizan_registry::manifest::Manifest;
use bartizan_registry::proof::{ProvenPrediction, Verdict};
use serde_json::{Map, Value, json};

use super::super::{file_failure, read_bytes, tree};
use super::expect;
use crate::catalog::ids;
use crate::cli::Verify;
use crate::failure::Failure;
use crate::predictions::tensors;

/// Bytes of a file with a receipt: it may hold all headers of an answer.
const RECEIPT_BYTES: u64 = 64 * 1024;
/// Bytes of an answer.
const ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// Refuses what can only be asked of a prediction.
pub(super) fn not_asked(wanted: &Verify) -> Result<(), Failure> {
    if wanted.prediction.is_none() && !wanted.replay && wanted.receipt.is_none() {
        return Ok(());
    }
    Err(Failure::new(
        ids::PROOF_EXPECTED,
        "the proof holds, but it is of a model version, not of a prediction",
    ))
}

/// Compares a proven prediction with what was asked for, and says what its record shows.
pub(super) fn about(wanted: &Verify, verdict: &mut Verdict) -> Result<Value, Failure> {
    let missing = || Failure::new(ids::INTERNAL, "a verified prediction is not there");
    let prediction = verdict.prediction.as_ref().ok_or_else(missing)?;
    let envelope = &prediction.envelope;
    if wanted.prediction.as_ref().is_some_and(|expected| *expected != envelope.id) {
        let what = format!("the proof holds, but it is of {}", envelope.id);
        return Err(Failure::new(ids::PROOF_EXPECTED, what));
    }
    stands(wanted, prediction)?;
    let model = expect(wanted, envelope.model.as_ref(), envelope.manifest)?;
    let mut proven = Vec::new();
    let again = wanted.replay.then(|| again(wanted, model.as_ref(), prediction)).transpose()?;
    let mut promised = Value::Null;
    let mut not_covered = None;
    if let Some(path) = &wanted.receipt {
        let text = read_bytes(path, RECEIPT_BYTES)?;
        let receipt = Receipt::find(&text, &verdict.gateway_keys)?;
        if wanted.unproved {
            proven.extend(promise(&receipt, prediction)?);
            not_covered = Some(format!(
                "whether the record of {} is there: `prove` shows it, and whoever keeps the records can't show that it is not",
                receipt.prediction
            ));
            promised = json!(receipt);
        } else {
            receipt.check_record(prediction)?;
            proven.push("the gateway gave the caller a receipt for this very record".to_owned());
        }
        if let Some(path) = &wanted.answer {
            receipt.check_answer(&read_bytes(path, ANSWER_BYTES)?)?;
            proven.push("the receipt is for this very answer".to_owned());
        }
    }
    let mut answer = json!({
        "prediction": envelope.id,
        "endpoint": envelope.endpoint,
        "version": envelope.model.as_ref().map(ToString::to_string),
        "manifest": envelope.manifest,
        "answeredBy": envelope.answered_by,
        "time": envelope.time,
        "state": prediction.stands_now,
        "record": groups(prediction),
    });
    if let Some(members) = answer.as_object_mut().filter(|_| !promised.is_null()) {
        members.insert("promised".to_owned(), promised);
    }
    again.into_iter().for_each(|shown| verdict.ran_again(shown));
    verdict.proven.extend(proven);
    verdict.not_covered.extend(not_covered);
    Ok(answer)
}

/// Why a receipt without any proof shows nothing.
pub(super) fn receipt_alone() -> Failure {
    let mut failure = Failure::new(ids::PROOF_RECEIPT, "a receipt by itself cannot be checked");
    failure.why.push("the trust file names no gateway's key: statements in the ledger grant it".to_owned());
    failure.then(
        "bartizan verify PROOF --receipt FILE, with the proof of its prediction; when that cannot be had, add --unproved and give the \
         proof of any other prediction by the same gateway",
    )
}

/// What a receipt promises for another prediction than the proven one, and what the proof says of when it was due.
fn promise(receipt: &Receipt, other: &ProvenPrediction) -> Result<[String; 2], Failure> {
    let Receipt { prediction, gateway, epoch, sequence, .. } = receipt;
    if *prediction == other.envelope.id {
        let what = format!("the proof is of {prediction} itself, so the receipt is not --unproved");
        return Err(Failure::new(ids::PROOF_EXPECTED, what).then("leave --unproved away"));
    }
    let promised = format!(
        "gateway {gateway} promised for {prediction} that the record with digest {} has number {sequence} of its epoch {epoch}, that \
         the ledger names its segment by {}, and that it answered by {} entries of the ledger",
        receipt.record, receipt.seal_by, receipt.tree_size
    );
    let segment = &other.segment;
    let same = segment.gateway == *gateway;
    // A segment has `count` records and `lost` numbers that were never used.
    let end = segment.first.saturating_add(segment.count).saturating_add(segment.lost);
    let due = if same && segment.epoch == *epoch && (segment.first..end).contains(sequence) {
        format!(
            "number {sequence} is among those of segment {}, which entry {} names with {} records and {} unused numbers: the record is \
             there, or the promise was broken",
            segment.number, other.segment_entry, segment.count, segment.lost
        )
    } else if same && (segment.epoch, segment.first) > (*epoch, *sequence) {
        format!(
            "the promise was due: segment {}, which entry {} names, begins after that number, so a segment before it has the record, \
             or the promise was broken",
            segment.number, other.segment_entry
        )
    } else {
        format!(
            "the proof is of segment {} of gateway {}, which says nothing about whether the promise was due",
            segment.number, segment.gateway
        )
    };
    Ok([promised, due])
}

/// Compares how the version that answered stands now with what was asked for. Whoever names no prediction, and has no
/// receipt of one, may take the file for the proof of a release: then the version must be approved, as with a proof of the version itself.
fn stands(wanted: &Verify, prediction: &ProvenPrediction) -> Result<(), Failure> {
    let named = wanted.prediction.is_some() || wanted.receipt.is_some();
    let unsaid = (!named).then_some("approved");
    let Some(state) = wanted.state.as_deref().or(unsaid).filter(|state| *state != "any") else {
        return Ok(());
    };
    let id = &prediction.envelope.id;
    let what = match (&prediction.envelope.model, &prediction.stands_now) {
        (Some(_), Some(now)) if now == state => return Ok(()),
        (Some(version), Some(now)) => format!("it is of {id}, by {version}, which is {now} now"),
        _ => format!("it is of {id}, which no version answered"),
    };
    let failure = Failure::new(ids::PROOF_EXPECTED, format!("the proof holds, but {what}"));
    Err(match wanted.state {
        Some(_) => failure,
        None => failure.then(format!("if a proof of that prediction is what you want, `--prediction {id}`")),
    })
}

/// The groups of the record that the proof shows, as JSON.
fn groups(prediction: &ProvenPrediction) -> Value {
    let mut shown = Map::new();
    for group in Group::ALL {
        let Some(bytes) = prediction.group(group) else { continue };
        shown.insert(group.to_string(), readable(group, bytes));
    }
    shown.into()
}

/// A group as people read it: tensors with their numbers.
fn readable(group: Group, bytes: &[u8]) -> Value {
    let known = match group {
        Group::Input => RecordedInput::parse(bytes)
            .map(|input| json!({ "outputs": input.outputs, "tensors": tensors(&input.tensors) }))
            .ok(),
        Group::Output => RecordedOutput::parse(bytes)
            .map(|output| json!({ "status": output.status, "tensors": tensors(&output.tensors) }))
            .ok(),
        Group::Envelope | Group::Subject | Group::Decisions => serde_json::from_slice(bytes).ok(),
    };
    known.unwrap_or_else(|| json!(String::from_utf8_lossy(bytes)))
}

/// Runs the model again, by the manifest that was compared with the proof.
fn again(
    wanted: &Verify,
    manifest: Option<&Manifest>,
    prediction: &ProvenPrediction,
) -> Result<String, Failure> {
    let refuse = |what: String| Failure::new(ids::PROOF_REPLAY, what);
    let hidden = |group| refuse(format!("the proof does not show the {group} of the prediction"));
    let input = prediction.group(Group::Input).ok_or_else(|| hidden(Group::Input))?;
    let output = prediction.group(Group::Output).ok_or_else(|| hidden(Group::Output))?;
    let named = wanted.model.as_deref().zip(manifest);
    let (path, manifest) = named.ok_or_else(|| refuse("no model is named".to_owned()))?;
    let no_file = |count| refuse(format!("the model has {count} ONNX files, and one is served"));
    let wanted = model_file(manifest).map_err(no_file)?;
    let files = tree::list(path, None)?;
    let file = files.iter().find(|file| file.path == wanted.path);
    let file = file.ok_or_else(|| refuse(format!("`{}` is not there", wanted.path)))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(MODEL_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    file.open()?.take(limit).read_to_end(&mut bytes).map_err(|error| file_failure(path, &error))?;
    if sha256(&bytes) != wanted.sha256 {
        return Err(refuse(format!("`{}` changed while it was read, or is too large", wanted.path)));
    }
    let model =
        bartizan_model::Model::load(&bytes).map_err(|error| Failure::of(ids::PROOF_REPLAY, &error))?;
    match replay(&model, input, output).map_err(|error| Failure::of(ids::PROOF_REPLAY, &error))? {
        Replayed::Same { outputs } => Ok(format!(
            "the model, run again here on what was asked, gives every bit of the {outputs} outputs that were answered"
        )),
        Replayed::Differs { output } => {
            Err(refuse(format!("the model, run again, gives another `{output}` than was answered")))
        }
    }
}
