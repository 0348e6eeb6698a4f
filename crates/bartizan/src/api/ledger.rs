//! The ledger: entries, proofs of inclusion, and a full check.

use std::num::NonZeroUsize;
use std::sync::Arc;

use bartizan_keys::dsse;
use bartizan_ledger::NOT_COVERED;
use bartizan_policy::{ProjectWide, op};
use bartizan_store::index::entries::{self, Which};
use serde_json::{Value, json};

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;

const PAGE: u32 = 100;

/// What else a data directory holds, and what checks it.
const ELSEWHERE: &str = "not covered: keys and stored content, which `model verify` reads for one version; the SQL index, which every \
    start compares with the ledger";

pub(super) async fn list(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::LedgerShow, ProjectWide).await?;
    let before = call.query::<u64>("before")?;
    let read = app
        .registry
        .index()
        .db()
        .read("list entries", async |mut tx| entries::latest(&mut tx, Which::All, before, PAGE).await);
    let rows = read.await.map_err(|error| Failure::of(ids::STORAGE, &error))?;
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "index": row.idx,
                "predicate": row.predicate_type,
                "subject": row.subject,
                "signer": row.signer,
                "at": bartizan_base::Timestamp::from_millis(row.at_ms),
            })
        })
        .collect();
    Ok(Answer::Json(rows.into()))
}

pub(super) async fn show(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::LedgerShow, ProjectWide).await?;
    let index: u64 = call.part("index")?;
    let bytes = entry(app, index)?;
    let envelope = dsse::Envelope::parse(&bytes).map_err(|error| Failure::of(ids::LEDGER_DAMAGED, &error))?;
    let statement: Value = serde_json::from_slice(envelope.payload())
        .map_err(|error| Failure::of(ids::LEDGER_DAMAGED, &error))?;
    let signers: Vec<String> = envelope.key_ids().iter().map(ToString::to_string).collect();
    Ok(Answer::Json(json!({ "index": index, "signers": signers, "statement": statement })))
}

pub(super) async fn prove(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::LedgerProof, ProjectWide).await?;
    let index: u64 = call.part("index")?;
    let snapshot = app.registry.snapshot()?;
    beyond(index, snapshot.size())?;
    let proof = snapshot.prove(index).map_err(|error| Failure::of(ids::LEDGER_DAMAGED, &error))?;
    Ok(Answer::Bytes("text/plain; charset=utf-8", proof.to_text().into_bytes()))
}

pub(super) async fn check(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::LedgerFsck, ProjectWide).await?;
    let dir = crate::boot::data_dir(&app.data_dir)?;
    let log = app.registry.log().clone();
    let report = tokio::task::spawn_blocking(move || {
        let blobs = dir.ledger().map_err(|error| Failure::of(ids::STORAGE, &error))?;
        let heads = dir.ledger_cas().map_err(|error| Failure::of(ids::STORAGE, &error))?;
        Ok::<_, Failure>(bartizan_ledger::fsck(&blobs, Some(&heads), &log, NonZeroUsize::MIN))
    });
    let report = report.await.map_err(|error| Failure::of(ids::INTERNAL, &error))??;
    let mut verdict = verdict(&report)?;
    let rest = verdict.get_mut("notCovered").and_then(Value::as_array_mut);
    if let Some(rest) = rest {
        rest.push(json!("not covered: records of predictions, which `bartizan ledger fsck` beside the data directory reads"));
    }
    Ok(Answer::Json(verdict))
}

/// What a full check says, or the failure that it found.
pub(crate) fn verdict(report: &bartizan_ledger::Report) -> Result<Value, Failure> {
    if report.is_clean() {
        return Ok(json!({
            "clean": true,
            "entries": report.entries,
            "tiles": report.tiles,
            "notCovered": [NOT_COVERED, ELSEWHERE],
        }));
    }
    let what = format!("the ledger has {} defects in {} entries", report.defects_total, report.entries);
    let mut failure = Failure::new(ids::LEDGER_DAMAGED, what).then("restore the ledger from a backup");
    failure.why = report.defects.iter().take(10).map(ToString::to_string).collect();
    Err(failure)
}

fn entry(app: &App, index: u64) -> Result<Vec<u8>, Failure> {
    let snapshot = app.registry.snapshot()?;
    beyond(index, snapshot.size())?;
    snapshot.entry(index).map_err(|error| Failure::of(ids::LEDGER_DAMAGED, &error))
}

fn beyond(index: u64, size: u64) -> Result<(), Failure> {
    if index < size {
        return Ok(());
    }
    Err(Failure::new(ids::NOT_FOUND, format!("there is no entry {index}: the ledger has {size}")))
}
