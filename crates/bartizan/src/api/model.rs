//! Models and their versions.

use std::collections::BTreeSet;
use std::sync::Arc;

use bartizan_base::{AliasRef, VersionRef};
use bartizan_keys::PublicKey;
use bartizan_policy::{ProjectWide, op};
use bartizan_registry::statement::Sensitivity;
use bartizan_registry::{ModelFile, NewModel, Publisher, Quarantine};
use bartizan_store::index::models;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;
use crate::handed_out::HandedIn;

const PAGE: u32 = 100;
/// Earlier tree sizes that a request for a proof may name.
const SINCE: usize = 16;

pub(super) async fn list(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::ModelList, ProjectWide).await?;
    let after = call.query.get("after").cloned();
    let read = app
        .registry
        .index()
        .db()
        .read("list models", async |mut tx| models::newest(&mut tx, after.as_deref(), PAGE).await);
    let rows = read.await.map_err(|error| Failure::of(ids::STORAGE, &error))?;
    let state = app.registry.state();
    let mut listed = Vec::with_capacity(rows.len());
    for row in &rows {
        let version = format!("{}:{}", row.name, row.version);
        let found = version.parse().ok().and_then(|version: VersionRef| state.version(&version));
        // The index may lag behind the ledger by a moment; what it says of a state counts for nothing.
        let Some(found) = found else {
            return Err(Failure::new(ids::INDEX_DIFFERS, format!("no statement makes {version}")));
        };
        listed.push(json!({ "name": row.name, "version": row.version, "state": state.standing_of(found), "sensitivity": found.body.sensitivity, "manifest": found.body.manifest }));
    }
    Ok(Answer::Json(listed.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    files: Vec<ImportFile>,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    trained_on: Vec<VersionRef>,
    origin: String,
    publisher: Option<ImportPublisher>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportFile {
    path: String,
    upload: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportPublisher {
    bundle: String,
    key: String,
}

pub(super) async fn import(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let name = call.part("name")?;
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let wanted: Import = call.json().await?;
    let mut files = Vec::with_capacity(wanted.files.len());
    for file in wanted.files {
        files.push(ModelFile { path: file.path, upload: file.upload.parse()? });
    }
    let publisher = match wanted.publisher {
        None => None,
        Some(publisher) => Some(Publisher {
            bundle: STANDARD.decode(&publisher.bundle).map_err(|error| Failure::of(ids::INVALID, &error))?,
            key: PublicKey::from_pem(&publisher.key)
                .map_err(|error| Failure::of(ids::PUBLISHER_SIGNATURE, &error))?,
        }),
    };
    let new = NewModel {
        name,
        files,
        sensitivity: if wanted.sensitive { Sensitivity::Sensitive } else { Sensitivity::Normal },
        trained_on: wanted.trained_on,
        declaration: wanted.origin,
        publisher,
    };
    let version = app.registry.import_model(&caller, new).await?;
    let state = app.registry.state();
    let manifest = state.version(&version).map(|found| found.body.manifest);
    Ok(Answer::Json(json!({ "version": version.to_string(), "state": "candidate", "manifest": manifest })))
}

pub(super) async fn show(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let version = call.version()?;
    app.registry.ask_for_model(call.caller()?, &version).await?;
    let state = app.registry.state();
    let found =
        state.version(&version).ok_or_else(|| Failure::new(ids::NOT_FOUND, "there is no such version"))?;
    let (origin, reason) = app.registry.words_about(&version).await?;
    let trained_on =
        state.origin_of(found).map(bartizan_registry::state::Origin::trained_on).unwrap_or_default();
    let trained_on: Vec<String> = trained_on.iter().map(|dataset| dataset.version.to_string()).collect();
    let approvals: Vec<Value> = state
        .counted_approvals(&version)
        .iter()
        .map(|approval| json!({ "by": approval.body.act.by, "at": approval.body.act.at, "entry": approval.statement.entry, "selfApproved": approval.body.self_approved }))
        .collect();
    let aliases: Vec<String> = state
        .models()
        .get(&version.name)
        .map(|model| {
            model
                .aliases
                .iter()
                .filter(|(_, (named, _))| *named == version.version)
                .map(|(alias, _)| alias.to_string())
                .collect()
        })
        .unwrap_or_default();
    Ok(Answer::Json(json!({
        "version": version.to_string(),
        "state": state.standing_of(found),
        "manifest": found.body.manifest,
        "files": found.body.files,
        "bytes": found.body.bytes,
        "sensitivity": found.body.sensitivity,
        "omsRoot": found.body.oms_root,
        "importedBy": found.body.act.by,
        "importedAt": found.body.act.at,
        "entry": found.statement.entry,
        "origin": origin,
        "trainedOn": trained_on,
        "approvals": approvals,
        "aliases": aliases,
        "reason": reason,
    })))
}

pub(super) async fn verify(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let report = app.registry.verify_model(call.caller()?, &call.version()?).await?;
    Ok(Answer::Json(json!({
        "version": report.version.to_string(),
        "manifest": report.manifest,
        "files": report.files,
        "bytes": report.bytes,
        "state": report.state,
        "released": report.released,
        "notReleased": report.not_released,
    })))
}

pub(super) async fn prove(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let version = call.version()?;
    let since = since(app, &call)?;
    let proof = app.registry.prove_model(call.caller()?, &version, since).await?;
    app.handed_out.remember(HandedIn::Proof, proof.tree_size)?;
    Ok(Answer::Bytes("application/json", proof.bytes))
}

/// The tree sizes that a proof is to be consistent with: those handed out, and those that the call names.
pub(super) fn since(app: &App, call: &Call) -> Result<BTreeSet<u64>, Failure> {
    let mut since = app.handed_out.sizes();
    for size in call.query.get("since").map(|sizes| sizes.split(',')).into_iter().flatten().take(SINCE) {
        since.insert(size.parse().map_err(|error| Failure::of(ids::INVALID, &error))?);
    }
    Ok(since)
}

pub(super) async fn approve(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let version = call.version()?;
    let state = app.registry.approve(call.caller()?, &version).await?;
    let now = app.registry.state();
    let verdict = now.approvals(&version);
    let (approvals, needed) = verdict.map_or((0, 0), |verdict| (verdict.approvers.len(), verdict.needed));
    Ok(Answer::Json(
        json!({ "version": version.to_string(), "state": state, "approvals": approvals, "needed": needed }),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

/// The caller, the version and the reason of a request to stop a version.
async fn stopping(mut call: Call) -> Result<(bartizan_registry::Caller, VersionRef, String), Failure> {
    let version = call.version()?;
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let Reason { reason } = call.json().await?;
    Ok((caller, version, reason))
}

/// Has the server that runs here stop what was stopped, before whoever stopped it is told so.
fn stop_now(app: &App) {
    if let Some(gateway) = app.open_gateway() {
        gateway.stop_what_is_stopped();
    }
}

pub(super) async fn quarantine(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let (caller, version, reason) = stopping(call).await?;
    app.registry.quarantine(&caller, &Quarantine { version: version.clone(), reason }).await?;
    stop_now(app);
    Ok(Answer::Json(json!({ "version": version.to_string(), "state": "quarantined" })))
}

pub(super) async fn retire(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let (caller, version, reason) = stopping(call).await?;
    app.registry.retire(&caller, &version, &reason).await?;
    stop_now(app);
    Ok(Answer::Json(json!({ "version": version.to_string(), "state": "retired" })))
}

pub(super) async fn revoke(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let (caller, version, reason) = stopping(call).await?;
    app.registry.revoke(&caller, &version, &reason).await?;
    stop_now(app);
    Ok(Answer::Json(json!({ "version": version.to_string(), "state": "revoked" })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetAlias {
    version: VersionRef,
}

pub(super) async fn set_alias(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let alias = AliasRef { name: call.part("name")?, alias: call.part("alias")? };
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let SetAlias { version } = call.json().await?;
    app.registry.set_alias(&caller, &alias, &version).await?;
    Ok(Answer::Json(json!({ "alias": alias.to_string(), "version": version.to_string() })))
}
