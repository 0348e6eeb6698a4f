//! Sources of data and their keys.

use std::sync::Arc;

use bartizan_base::SourceId;
use bartizan_keys::{KeyId, PublicKey};
use bartizan_policy::{ProjectWide, op};
use bartizan_registry::statement::Standing;
use bartizan_registry::{Caller, SourceView};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;

pub(super) async fn list(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let sources = app.registry.list_sources(call.caller()?).await?;
    let row = |source: &SourceView| {
        let active = source.source.keys.iter().filter(|key| key.revoked.is_none()).count();
        json!({
            "name": source.name,
            "id": source.id,
            "standing": source.source.standing,
            "keys": active,
            "parts": source.parts.0,
            "signed": source.parts.1,
            "refused": source.source.refused.map_or(0, |(count, _)| count),
        })
    };
    Ok(Answer::Json(sources.iter().map(row).collect()))
}

pub(super) async fn show(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let sources = app.registry.list_sources(call.caller()?).await?;
    let id = named(app, call.caller()?, &text(&call)).await?;
    let found = sources.into_iter().find(|source| source.id == id);
    let found = found.ok_or_else(|| Failure::new(ids::NOT_FOUND, format!("there is no source `{id}`")))?;
    Ok(Answer::Json(shown(&found)))
}

fn shown(source: &SourceView) -> Value {
    let keys = source.source.keys.iter().map(|key| {
        json!({ "key": key.key, "algorithm": key.algorithm, "standing": if key.revoked.is_some() { "revoked" } else { "active" }, "revokedFrom": key.revoked })
    });
    json!({
        "name": source.name,
        "id": source.id,
        "standing": source.source.standing,
        "entries": source.source.entries,
        "parts": source.parts.0,
        "signed": source.parts.1,
        "refused": source.source.refused.map(|(count, entry)| json!({ "deliveries": count, "entry": entry })),
        "keys": keys.collect::<Vec<_>>(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    name: String,
    /// As people keep them in files.
    keys: Vec<String>,
}

pub(super) async fn add(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let (caller, wanted): (Caller, Add) = asking(call).await?;
    let keys = keys(&wanted.keys)?;
    let shown: Vec<KeyId> = keys.iter().map(PublicKey::id).collect();
    let source = app.registry.add_source(&caller, &wanted.name, keys).await?;
    Ok(Answer::Json(json!({ "source": source, "name": wanted.name, "keys": shown })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trust {
    keys: Vec<String>,
}

pub(super) async fn trust(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let source = named(app, call.caller()?, &text(&call)).await?;
    let (caller, wanted): (Caller, Trust) = asking(call).await?;
    let keys = keys(&wanted.keys)?;
    let shown: Vec<KeyId> = keys.iter().map(PublicKey::id).collect();
    app.registry.trust_source_keys(&caller, source, keys).await?;
    Ok(Answer::Json(json!({ "source": source, "keys": shown })))
}

pub(super) async fn revoke(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let (key, from): (KeyId, Option<u64>) = (call.part("key")?, call.query("from")?);
    let source = named(app, call.caller()?, &text(&call)).await?;
    let from = app.registry.revoke_source_key(call.caller()?, source, key, from).await?;
    Ok(Answer::Json(json!({ "source": source, "key": key, "revokedFrom": from })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetStanding {
    standing: Standing,
}

pub(super) async fn set_standing(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let source = named(app, call.caller()?, &text(&call)).await?;
    let (caller, wanted): (Caller, SetStanding) = asking(call).await?;
    app.registry.set_source_standing(&caller, source, wanted.standing).await?;
    Ok(Answer::Json(json!({ "source": source, "standing": wanted.standing })))
}

fn text(call: &Call) -> String {
    call.path.get("source").map(|name| name.chars().take(300).collect()).unwrap_or_default()
}

/// The source that the path names, by id or name. Names are told to those alone who may list them.
async fn named(app: &App, caller: &Caller, text: &str) -> Result<SourceId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    app.registry.ask(caller, op::SourceList, ProjectWide).await?;
    Ok(app.registry.find_source(text).await?)
}

fn keys(files: &[String]) -> Result<Vec<PublicKey>, Failure> {
    let read = |text: &String| PublicKey::from_key_file(text);
    let read: Result<Vec<PublicKey>, _> = files.iter().map(read).collect();
    read.map_err(|error| Failure::of(ids::INVALID, &error))
}

async fn asking<T: serde::de::DeserializeOwned>(mut call: Call) -> Result<(Caller, T), Failure> {
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    Ok((caller, call.json().await?))
}
