//! Proofs of predictions, and predictions made again.

use std::collections::BTreeSet;
use std::sync::Arc;

use bartizan_gateway::{PredictionId, Replayed, model_file, replay};
use bartizan_ledger::segment::{Group, RevealedGroup};
use bartizan_model::Model;
use bartizan_model::limits::MODEL_BYTES;
use bartizan_policy::{ProjectWide, op};
use bartizan_registry::Caller;
use bartizan_registry::manifest::Manifest;
use bartizan_registry::prediction::RecordEnvelope;
use bartizan_store::records::{Position, ProveFailed, Records, StoredRecord};
use serde_json::json;

use super::predictions::{cursor, reading};
use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;
use crate::handed_out::HandedIn;
use crate::inference::Gateway;
use crate::inference::turn_to_look;
use crate::predictions::{by_id, unread};

/// Pages of segments that one call goes through, of 1,024 each.
const PAGES: usize = 64;

/// The groups that a proof shows unless somebody says otherwise.
const SHOWN: [Group; 2] = [Group::Output, Group::Decisions];

/// Writes the proof of a prediction.
pub(super) async fn prove(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let groups = |name| call.query.get(name).map_or(Ok(BTreeSet::new()), |names| named(names));
    let (show, hide) = (groups("show")?, groups("hide")?);
    let since = super::model::since(app, &call)?;
    let asked = Asked::read(call)?;
    let mut reveal: BTreeSet<Group> = show.iter().copied().chain(SHOWN).collect();
    reveal.retain(|group| !hide.contains(group));
    asked.may_see(app, &reveal).await?;
    let (gateway, record) = asked.found(app).await?;
    let envelope = envelope(&record)?;
    match &envelope.model {
        Some(version) => app.registry.ask_to_prove(&asked.caller, version).await?,
        None => app.registry.ask_to_prove_endpoint(&asked.caller, &envelope.endpoint).await?,
    }
    // What was erased since, or is to be, is not shown unless somebody insists, and the rest is no less true.
    let position = record.position;
    let named = app.registry.state().erased(&gateway.id(), position.segment, position.index).is_some();
    let there = |group: Group| record.group(group).is_some() && !(named && group.is_personal());
    reveal.retain(|group| show.contains(group) || there(*group));
    reveal.insert(Group::Envelope);
    let proof = reading(&gateway, move |records| {
        let groups: Vec<Group> = reveal.into_iter().collect();
        records.prove(position, &groups).map_err(|error| match error {
            ProveFailed::Erased { .. } => {
                Failure::of(ids::NOT_FOUND, &error).then("prove it without that group")
            }
            ProveFailed::Read(error) => unread(&error),
        })
    });
    let proof = app.registry.prove_prediction(proof.await?, position.segment, since).await?;
    app.handed_out.remember(HandedIn::Proof, proof.tree_size)?;
    Ok(Answer::Bytes("application/json", proof.bytes))
}

/// Runs the model again on what was asked, and compares with what was answered.
pub(super) async fn again(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let asked = Asked::read(call)?;
    asked.may_see(app, &BTreeSet::from([Group::Input, Group::Output])).await?;
    let (_, record) = asked.found(app).await?;
    let envelope = envelope(&record)?;
    let refuse = |what: String| Failure::new(ids::PROOF_REPLAY, what);
    let gone = |group: Group| refuse(format!("the {group} of the prediction was erased"));
    let group = |group| record.group(group).ok_or_else(|| gone(group)).cloned();
    let (input, output) = (group(Group::Input)?, group(Group::Output)?);
    let version = envelope.model.ok_or_else(|| refuse("no model answered".to_owned()))?;
    let state = app.registry.state();
    let stated = state.version(&version).map(|found| found.body.manifest_blob.clone());
    let stated = stated.ok_or_else(|| refuse(format!("{version} is not in the ledger")))?;
    let manifest = app.registry.read_document(&stated).await?;
    let manifest = Manifest::parse(&manifest).map_err(|error| Failure::of(ids::CONTENT_CHANGED, &error))?;
    let no_file = |count| refuse(format!("{version} has {count} ONNX files, and one is served"));
    let file = model_file(&manifest).map_err(no_file)?;
    let turn = turn_to_look().await?;
    let bytes = app.registry.read_model_file(file, MODEL_BYTES).await?;
    let work = move || {
        let replayed = run(&bytes, &input, &output);
        drop(turn);
        replayed
    };
    let replayed = tokio::task::spawn_blocking(work).await;
    match replayed.map_err(|error| Failure::of(ids::INTERNAL, &error))?? {
        Replayed::Same { outputs } => Ok(Answer::Json(
            json!({ "id": envelope.id, "version": version.to_string(), "same": true, "outputs": outputs }),
        )),
        Replayed::Differs { output } => {
            Err(refuse(format!("{version}, run again, gives another `{output}` than was answered")))
        }
    }
}

fn run(model: &[u8], input: &RevealedGroup, output: &RevealedGroup) -> Result<Replayed, Failure> {
    let model = Model::load(model).map_err(|error| Failure::of(ids::PROOF_REPLAY, &error))?;
    replay(&model, &input.bytes, &output.bytes).map_err(|error| Failure::of(ids::PROOF_REPLAY, &error))
}

/// Groups by their names.
fn named(names: &str) -> Result<BTreeSet<Group>, Failure> {
    let unknown = |name: &str| {
        let what = format!("`{name}` is no group of a record: subject, input, output, decisions");
        Failure::new(ids::INVALID, what)
    };
    let group = |name: &str| {
        let found = Group::ALL.into_iter().find(|group| group.to_string() == name);
        found.ok_or_else(|| unknown(name))
    };
    names.split(',').filter(|name| !name.is_empty()).map(group).collect()
}

/// Who asks about which prediction, and where its record is, if they know.
struct Asked {
    caller: Caller,
    id: PredictionId,
    at: Option<Position>,
}

impl Asked {
    fn read(mut call: Call) -> Result<Self, Failure> {
        let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
        let at = cursor(call.query.get("at").map(String::as_str))?;
        Ok(Self { caller, id: call.part("id")?, at })
    }

    /// Whether they may see these groups of any prediction.
    async fn may_see(&self, app: &App, groups: &BTreeSet<Group>) -> Result<(), Failure> {
        match groups.iter().any(|group| group.is_personal()) {
            true => app.registry.ask(&self.caller, op::PredictionsRead, ProjectWide).await?,
            false => app.registry.ask(&self.caller, op::PredictionsShow, ProjectWide).await?,
        }
        Ok(())
    }

    /// The record: at the place named, or as far as one call looks.
    async fn found(&self, app: &App) -> Result<(Arc<Gateway>, StoredRecord), Failure> {
        let (id, gateway) = (self.id, Arc::clone(app.gateway().await?));
        let missing = || Failure::new(ids::NOT_FOUND, format!("there is no record of {id}"));
        let position = match self.at {
            Some(position) => position,
            None => {
                let mut found = look(&gateway, id).await?;
                if found.is_none() {
                    gateway.seal_taken().await?;
                    found = look(&gateway, id).await?;
                }
                found.ok_or_else(|| missing().then("bartizan predictions search"))?
            }
        };
        let read = move |records: &Records| records.read(position).map_err(|error| unread(&error));
        let record = reading(&gateway, read).await?;
        if PredictionId::from(record.id) != id {
            return Err(missing());
        }
        Ok((gateway, record))
    }
}

/// What the record of a prediction says in clear of who answered, and the number of the segment that it is in.
pub(super) async fn answered(
    app: &App,
    caller: Caller,
    id: PredictionId,
) -> Result<(RecordEnvelope, u64), Failure> {
    let asked = Asked { caller, id, at: None };
    asked.may_see(app, &BTreeSet::new()).await?;
    let (_, record) = asked.found(app).await?;
    Ok((envelope(&record)?, record.position.segment))
}

/// Goes through the indices of the segments, newest first, as far as one call may.
async fn look(gateway: &Gateway, id: PredictionId) -> Result<Option<Position>, Failure> {
    let mut before = None;
    for _ in 0..PAGES {
        let read = move |records: &Records| by_id(records, id, before).map_err(|error| unread(&error));
        let found = reading(gateway, read).await?;
        if found.before.is_none() || !found.positions.is_empty() {
            return Ok(found.positions.first().copied());
        }
        before = found.before;
    }
    let what = format!("the record of {id} is not among the latest segments");
    Err(Failure::new(ids::NOT_FOUND, what)
        .then("name its place: `at=SEGMENT-INDEX`, as `predictions show` tells it"))
}

fn envelope(record: &StoredRecord) -> Result<RecordEnvelope, Failure> {
    let missing = || Failure::new(ids::RECORD_DAMAGED, "a record has no envelope");
    let bytes = &record.group(Group::Envelope).ok_or_else(missing)?.bytes;
    RecordEnvelope::parse(bytes).map_err(|error| Failure::of(ids::TOO_NEW, &error))
}
