//! Data sets.

use std::sync::Arc;

use bartizan_policy::{DatasetFacts, ProjectWide, op};
use bartizan_registry::{NewDataset, NewDelivery};
use bartizan_store::index::datasets;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;

const PAGE: u32 = 100;

pub(super) async fn list(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::DataList, ProjectWide).await?;
    let after = call.query.get("after").cloned();
    let read = app
        .registry
        .index()
        .db()
        .read("list datasets", async |mut tx| datasets::newest(&mut tx, after.as_deref(), PAGE).await);
    let rows = read.await.map_err(|error| Failure::of(ids::STORAGE, &error))?;
    let rows: Vec<_> = rows
        .iter()
        .map(|row| json!({ "name": row.name, "version": row.version, "rows": row.rows, "parts": row.parts, "outcome": row.outcome, "root": row.root }))
        .collect();
    Ok(Answer::Json(rows.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    deliveries: Vec<AddDelivery>,
    schema: Option<String>,
    label: Option<String>,
    #[serde(default)]
    extend: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddDelivery {
    upload: String,
    source: String,
}

pub(super) async fn add(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let name = call.part("name")?;
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let wanted: Add = call.json().await?;
    let mut deliveries = Vec::with_capacity(wanted.deliveries.len());
    for delivery in wanted.deliveries {
        deliveries.push(NewDelivery { upload: delivery.upload.parse()?, source: delivery.source });
    }
    let new =
        NewDataset { name, deliveries, schema: wanted.schema, label: wanted.label, extend: wanted.extend };
    let outcome = app.registry.add_data(&caller, new).await?;
    let verdict = &outcome.verdict;
    let reasons: Vec<&str> = outcome
        .findings
        .iter()
        .flat_map(|findings| findings.lines())
        .filter(|line| line.starts_with("  block") || line.starts_with("  warn"))
        .map(str::trim)
        .collect();
    Ok(Answer::Json(json!({
        "version": outcome.version.as_ref().map(ToString::to_string),
        "outcome": verdict.outcome,
        "rows": outcome.rows,
        "root": outcome.root,
        "entry": outcome.entry,
        "verdict": { "checks": verdict.checks, "blocking": verdict.blocking, "warnings": verdict.warnings, "tier": verdict.tier },
        "reasons": reasons,
    })))
}

pub(super) async fn show(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let version = call.version()?;
    let detail = app.registry.show_dataset(call.caller()?, &version).await?;
    let body = &detail.dataset.body;
    let parts: Vec<_> = detail
        .dataset
        .parts
        .iter()
        .zip(&detail.sources)
        .map(|(part, source)| {
            json!({ "digest": part.digest, "rows": part.rows, "bytes": part.bytes, "source": source, "writer": part.writer, "time": part.time })
        })
        .collect();
    Ok(Answer::Json(json!({
        "version": version.to_string(),
        "root": body.root,
        "outcome": body.verdict.outcome,
        "checks": body.verdict.checks,
        "warnings": body.verdict.warnings,
        "entry": detail.dataset.statement.entry,
        "schemaFrom": body.schema_from,
        "extends": body.extends.as_ref().map(|base| base.version.to_string()),
        "parts": parts,
        "schema": detail.schema,
    })))
}

/// What was made from a data set version.
pub(super) async fn lineage(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let version = call.version()?;
    let facts = DatasetFacts { name: version.name.clone(), version: Some(version.version) };
    app.registry.ask(call.caller()?, op::DataShow, facts).await?;
    let state = app.registry.state();
    let found = state
        .dataset(&version)
        .ok_or_else(|| Failure::new(ids::NOT_FOUND, format!("there is no data set {version}")))?;
    let up: Vec<_> = found
        .body
        .extends
        .iter()
        .map(|base| json!({ "kind": "dataset", "version": base.version.to_string() }))
        .collect();
    let down: Vec<_> = state
        .trained_from(&version)
        .iter()
        .map(|model| json!({ "kind": "model", "version": model.to_string() }))
        .collect();
    Ok(Answer::Json(json!({ "version": version.to_string(), "up": up, "down": down })))
}
