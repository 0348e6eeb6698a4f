//! Data sets.

use std::sync::Arc;

use bartizan_base::Name;
use bartizan_data::Compared;
use bartizan_data::openlineage::Table;
use bartizan_policy::{ProjectWide, Tier, op};
use bartizan_registry::state::State;
use bartizan_registry::statement::{ComparedV1, ComparedWithV1, FromSource};
use bartizan_registry::{CompareWith, NewBeside, NewDataset, NewDelivery, NewDerived, UploadId};
use bartizan_store::index::datasets;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

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
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Add {
    deliveries: Vec<AddDelivery>,
    schema: Option<String>,
    label: Option<String>,
    #[serde(default)]
    extend: bool,
    #[serde(default)]
    require_signature: bool,
    derived: Option<AddDerived>,
    environment: Option<String>,
    /// RFC 3339.
    now: Option<String>,
    format: Option<String>,
    reference: Option<Other>,
    #[serde(default)]
    tables: Vec<AddTable>,
}

/// A table that the schema looks values up in, by the name that it has there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddTable {
    name: String,
    with: Other,
}

/// What deliveries are compared with: an upload, or a data set version `NAME:VERSION`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Other {
    Upload(String),
    Version(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddDerived {
    #[serde(default)]
    from: Vec<String>,
    run: Option<String>,
    transform: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddDelivery {
    upload: String,
    source: String,
    /// In base64.
    signature: Option<String>,
}

impl Add {
    /// All uploads that it names, as far as they are ids.
    fn uploads(&self) -> Vec<UploadId> {
        let others = self.reference.iter().chain(self.tables.iter().map(|table| &table.with));
        let others = others.filter_map(|other| match other {
            Other::Upload(upload) => Some(upload),
            Other::Version(_) => None,
        });
        let all = self.deliveries.iter().map(|delivery| &delivery.upload).chain(others);
        all.filter_map(|upload| upload.parse().ok()).collect()
    }
}

pub(super) async fn add(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let name = call.part("name")?;
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let wanted: Add = call.json().await?;
    let uploads = wanted.uploads();
    let new = match ordered(name, wanted) {
        Ok(new) => new,
        Err(failure) => {
            app.registry.discard_uploads(&caller, &uploads).await;
            return Err(failure);
        }
    };
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
        "tier": verdict.tier,
        "judged": judged(verdict.tier, outcome.spared),
        "comparedWith": compared(&outcome.compared),
        "verdict": { "checks": verdict.checks, "blocking": verdict.blocking, "warnings": verdict.warnings, "tier": verdict.tier },
        "reasons": reasons,
        "project": app.registry.keys().project(),
        "tables": outcome.tables.iter().map(table).collect::<Vec<_>>(),
    })))
}

/// What is asked for, as the registry takes it.
fn ordered(name: Name, wanted: Add) -> Result<NewDataset, Failure> {
    let mut deliveries = Vec::with_capacity(wanted.deliveries.len());
    for delivery in wanted.deliveries {
        let signature = delivery.signature.map(|text| STANDARD.decode(text)).transpose();
        let signature =
            signature.map_err(|_| Failure::new(ids::INVALID, "the signature of a delivery is not base64"))?;
        deliveries.push(NewDelivery { upload: delivery.upload.parse()?, source: delivery.source, signature });
    }
    Ok(NewDataset {
        name,
        deliveries,
        schema: wanted.schema,
        label: wanted.label,
        extend: wanted.extend,
        require_signature: wanted.require_signature,
        derived: wanted.derived.map(derived).transpose()?,
        beside: beside(wanted.environment, wanted.now, wanted.format, wanted.reference, wanted.tables)?,
    })
}

/// By which tier, in words: the same deliveries can fare otherwise by another.
fn judged(tier: Tier, spared: u64) -> String {
    match (tier, spared) {
        (Tier::Release, _) => {
            "by tier release, that of the project: what the schema calls `block` refuses".to_owned()
        }
        (Tier::Explore, 0) => "by tier explore, that of the project: findings only warn".to_owned(),
        (Tier::Explore, spared) => format!(
            "by tier explore, that of the project: findings only warn; {spared} of them would refuse in tier release, by \
             which `data check` judges unless it is told otherwise"
        ),
    }
}

/// What a verdict rests on beside schema and deliveries; null where that is all.
fn compared(compared: &Compared) -> Value {
    if compared.is_empty() {
        return Value::Null;
    }
    let other = |other: &bartizan_data::Other| json!({ "digest": other.digest, "version": other.version });
    let tables: serde_json::Map<String, Value> =
        compared.tables.iter().map(|(name, of)| (name.clone(), other(of))).collect();
    json!({
        "environment": compared.environment,
        "now": compared.now,
        "reference": compared.reference.as_ref().map(other),
        "tables": tables,
    })
}

fn beside(
    environment: Option<String>,
    now: Option<String>,
    format: Option<String>,
    reference: Option<Other>,
    tables: Vec<AddTable>,
) -> Result<NewBeside, Failure> {
    let invalid = |error: &dyn std::error::Error| Failure::of(ids::INVALID, error);
    let now = now.map(|now| now.parse()).transpose().map_err(|error| invalid(&error))?;
    let format = format.map(|format| format.parse()).transpose().map_err(|error| invalid(&error))?;
    let with = |other: Other| match other {
        Other::Upload(upload) => Ok::<_, Failure>(CompareWith::Upload(upload.parse()?)),
        Other::Version(version) => {
            Ok(CompareWith::Version(version.parse().map_err(|error| invalid(&error))?))
        }
    };
    let reference = reference.map(with).transpose()?;
    let tables: Result<_, Failure> =
        tables.into_iter().map(|table| Ok((table.name, with(table.with)?))).collect();
    Ok(NewBeside { environment, now, format, reference, tables: tables? })
}

fn derived(wanted: AddDerived) -> Result<NewDerived, Failure> {
    let invalid = |error: &dyn std::error::Error| Failure::of(ids::INVALID, error);
    let from: Result<Vec<_>, _> = wanted.from.iter().map(|version| version.parse()).collect();
    let run = wanted.run.map(|run| run.parse()).transpose().map_err(|error| invalid(&error))?;
    Ok(NewDerived { from: from.map_err(|error| invalid(&error))?, run, transform: wanted.transform })
}

/// What is told of a delivery: how many values its columns have, and which rules they broke.
fn table(table: &Table) -> Value {
    let columns = table.columns.iter().map(|column| {
        json!({ "name": column.name, "type": column.kind, "values": column.values, "nulls": column.nulls,
                "distinct": column.distinct })
    });
    let assertions = table.assertions.iter().map(|assertion| {
        json!({ "rule": assertion.rule, "column": assertion.column, "success": assertion.success, "blocks": assertion.blocks })
    });
    json!({
        "rows": table.rows,
        "bytes": table.bytes,
        "columns": columns.collect::<Vec<_>>(),
        "assertions": assertions.collect::<Vec<_>>(),
    })
}

pub(super) async fn show(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let version = call.version()?;
    let detail = app.registry.show_dataset(call.caller()?, &version).await?;
    let body = &detail.dataset.body;
    let state = app.registry.state();
    let found_at = detail.dataset.statement.entry;
    let parts: Vec<_> = detail
        .dataset
        .parts
        .iter()
        .zip(&detail.sources)
        .map(|(part, source)| {
            json!({ "digest": part.digest, "rows": part.rows, "bytes": part.bytes, "source": source, "from": part.from.as_ref().map(|from| from_source(&state, found_at, from)), "writer": part.writer, "time": part.time })
        })
        .collect();
    Ok(Answer::Json(json!({
        "version": version.to_string(),
        "root": body.root,
        "outcome": body.verdict.outcome,
        "checks": body.verdict.checks,
        "warnings": body.verdict.warnings,
        "tier": body.verdict.tier,
        "comparedWith": body.compared.as_ref().map(|compared| stated(compared)),
        "entry": detail.dataset.statement.entry,
        "schemaFrom": body.schema_from,
        "extends": body.extends.as_ref().map(|base| base.version.to_string()),
        "requireSignature": body.require_signature,
        "derivedFrom": body.derived.as_ref().map(|derived| derived.from.iter().map(|from| from.version.to_string()).collect::<Vec<_>>()),
        "run": body.derived.as_ref().and_then(|derived| derived.run).map(|run| run.run),
        "transform": detail.transform,
        "unusual": detail.unusual,
        "parts": parts,
        "schema": detail.schema,
    })))
}

/// What the ledger says of what a version was compared with; the names of the tables are in its findings.
fn stated(compared: &ComparedV1) -> Value {
    let with = |with: &ComparedWithV1| json!({ "digest": with.digest, "version": with.version.as_ref().map(ToString::to_string) });
    json!({
        "now": compared.now,
        "reference": compared.reference.as_ref().map(with),
        "tables": compared.tables.iter().map(with).collect::<Vec<_>>(),
    })
}

/// Which source a part is from, and whether it signed it: `signed` by a key that counts, `disowned` by one that does
/// not any more, or `claimed` by the writer alone.
fn from_source(state: &State, entry: u64, from: &FromSource) -> Value {
    let source = state.sources().get(&from.source);
    let word = match &from.signature {
        None => "claimed",
        Some(signature) if source.is_some_and(|source| source.counts(signature.key, entry)) => "signed",
        Some(_) => "disowned",
    };
    let signature = from.signature.as_ref();
    json!({
        "source": from.source,
        "standing": word,
        "key": signature.map(|signature| signature.key),
        "form": signature.map(|signature| signature.form),
        "signedAt": signature.and_then(|signature| signature.at),
    })
}
