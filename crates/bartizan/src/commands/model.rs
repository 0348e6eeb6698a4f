//! `model`.

use std::sync::Arc;

use bartizan_base::{AliasRef, VersionRef};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Work, encoded, endpoint, read_bytes, read_text, tree, upload, version_path};
use crate::catalog::ids;
use crate::cli::{Model, Stop};
use crate::failure::Failure;
use crate::servable;

const BUNDLE_BYTES: u64 = 16 * 1024 * 1024;
const KEY_BYTES: u64 = 64 * 1024;

pub(super) async fn run(work: &Work, verb: Model) -> Result<u8, Failure> {
    match verb {
        Model::Import { path, name, origin, trained_on, sensitive, signature, signer } => {
            let files = tree::list(&path, signature.as_deref())?;
            let servable = servable::note(&files, |file| &file.path, tree::ModelFile::open)?;
            let publisher = match (signature, signer) {
                (Some(signature), Some(signer)) => Some(json!({
                    "bundle": STANDARD.encode(read_bytes(&signature, BUNDLE_BYTES)?),
                    "key": read_text(&signer, KEY_BYTES)?,
                })),
                _ => None,
            };
            let client = Arc::new(work.client().await?);
            let bytes = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
            let progress = work.out.progress(&format!("importing {} files", files.len()), bytes);
            let to = format!("/api/v1/uploads?model={}", encoded(&name));
            let uploaded = upload::files(&client, &to, files, &progress).await?;
            progress.work("putting the model together");
            let body = json!({
                "files": uploaded,
                "sensitive": sensitive,
                "trained_on": trained_on,
                "origin": origin,
                "publisher": publisher,
            });
            let mut imported =
                client.order(&format!("/api/v1/models/{}/versions", encoded(&name)), &body).await?;
            drop(progress);
            if let Some(members) = imported.as_object_mut() {
                members.insert("servable".to_owned(), servable.into());
            }
            work.answer(&imported)
        }
        Model::List => work.show_all("/api/v1/models").await,
        Model::Show { version } => work.show(&version_path("models", &version)?).await,
        Model::Verify { version } => {
            let path = format!("{}/verification", version_path("models", &version)?);
            let client = work.client().await?;
            let progress = work.out.working("reading every byte again");
            let verified = client.examine(&path).await?;
            drop(progress);
            work.answer(&verified)
        }
        Model::Approve { version } => {
            let path = format!("{}/approvals", version_path("models", &version)?);
            let approved = work.client().await?.post(&path, &json!({})).await?;
            work.answer(&approved)
        }
        Model::Promote { version, endpoint: to, fallback } => {
            endpoint::promote(work, &version, &to, &fallback).await
        }
        Model::Rollback { endpoint: of, to } => endpoint::roll_back(work, &of, to.as_deref()).await,
        Model::Quarantine(stop) => halt(work, &stop, "quarantine").await,
        Model::Retire(stop) => halt(work, &stop, "retirement").await,
        Model::Revoke(stop) => halt(work, &stop, "revocation").await,
        Model::Alias { alias, version } => {
            let alias: AliasRef = alias.parse().map_err(|error| Failure::of(ids::USAGE, &error))?;
            let version: VersionRef = version.parse().map_err(|error| Failure::of(ids::USAGE, &error))?;
            let path = format!("/api/v1/models/{}/aliases/{}", alias.name, alias.alias);
            let set = work.client().await?.post(&path, &json!({ "version": version })).await?;
            work.answer(&set)
        }
    }
}

async fn halt(work: &Work, stop: &Stop, how: &str) -> Result<u8, Failure> {
    let path = format!("{}/{how}", version_path("models", &stop.version)?);
    let stopped = work.client().await?.post(&path, &json!({ "reason": stop.reason })).await?;
    work.answer(&stopped)
}
