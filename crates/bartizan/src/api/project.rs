//! The project as a whole: health, facts, keys, the trust file.

use std::sync::Arc;

use bartizan_keys::{NoteKey, NoteKeyKind, Purpose, TrustFile, hello};
use bartizan_policy::{ProjectWide, op};
use serde_json::json;

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;
use crate::handed_out::HandedIn;

pub(super) async fn healthz(_: &Arc<App>, _: Call) -> Result<Answer, Failure> {
    Ok(Answer::Json(json!({ "status": "ok" })))
}

/// Shows that this process knows the secret in the lock file, for whoever is about to show it an API key.
pub(super) async fn hello(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let secret = app.secret.as_ref().ok_or_else(|| Failure::new(ids::NOT_FOUND, "there is nothing here"))?;
    let mut nonce = [0; hello::NONCE_BYTES];
    let text = call.query.get("nonce").map_or("", String::as_str);
    hex::decode_to_slice(text, &mut nonce)
        .map_err(|_| Failure::new(ids::INVALID, "`nonce` is 32 bytes in hexadecimal digits"))?;
    Ok(Answer::Json(json!({ "answer": hex::encode(hello::answer(secret, &nonce)) })))
}

pub(super) async fn show(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::ModelList, ProjectWide).await?;
    let state = app.registry.state();
    let checkpoint = app.registry.checkpoint();
    let project = state.project().ok_or_else(|| Failure::new(ids::NOT_FOUND, "there is no project"))?;
    Ok(Answer::Json(json!({
        "project": project.id,
        "tier": project.tier,
        "developmentKeys": project.development,
        "ledger": { "origin": checkpoint.origin(), "size": checkpoint.size(), "root": checkpoint.root() },
        "datasets": state.datasets().len(),
        "models": state.models().len(),
        "principals": state.principals().len(),
    })))
}

pub(super) async fn raise_tier(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.raise_tier(call.caller()?).await?;
    Ok(Answer::Json(json!({ "tier": "release" })))
}

pub(super) async fn list_keys(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::SigningKeyList, ProjectWide).await?;
    let keys: Vec<_> = app
        .registry
        .keys()
        .list()
        .iter()
        .map(|key| {
            json!({
                "purpose": key.purpose,
                "id": key.id,
                "algorithm": key.algorithm.to_string(),
                "status": key.status,
                "created": key.created_at,
            })
        })
        .collect();
    Ok(Answer::Json(keys.into()))
}

/// The trust file of the present checkpoint, which is remembered so that later proofs continue from it.
pub(super) async fn trust(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::SigningKeyExport, ProjectWide).await?;
    let keys = app.registry.keys();
    let checkpoint = app.registry.checkpoint();
    let ledger_key = keys.signing(Purpose::LedgerOrigin).public();
    let ledger_key = NoteKey::new(checkpoint.origin(), NoteKeyKind::Ed25519, ledger_key)
        .map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    let trust = TrustFile {
        origin: checkpoint.origin().to_owned(),
        ledger_key,
        witnesses: Vec::new(),
        quorum: 0,
        project: keys.project(),
        project_root: keys.signing(Purpose::ProjectRoot).public().clone(),
        minimum_size: checkpoint.size(),
        minimum_root: checkpoint.root(),
        development: keys.development(),
    };
    app.handed_out.remember(HandedIn::Trust, checkpoint.size())?;
    let bytes = trust.to_bytes().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    Ok(Answer::Bytes("application/json", bytes))
}
