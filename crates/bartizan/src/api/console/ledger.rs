//! What the pages of the ledger show.

use std::sync::{Mutex, PoisonError};

use bartizan_base::sha256;
use bartizan_keys::dsse;
use bartizan_registry::Caller;
use bartizan_registry::state::{Logged, State};
use serde_json::Value;

use super::scene::{DECISION, PAGE, Scene, count};
use crate::api::App;
use crate::catalog::ids;
use crate::console::LEDGER_PATH;
use crate::console::view::Paged;
use crate::console::view::ledger::{EntryView, LedgerView, Shown};
use crate::failure::Failure;

/// How many of the first entries are decisions; counted on from there when a page wants to know.
#[derive(Debug, Default)]
pub(crate) struct Counted(Mutex<(usize, u64)>);

impl Counted {
    fn decisions(&self, state: &State) -> u64 {
        let logged = state.logged();
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (upto, decisions) = *counted;
        let new = logged.clone().slice(upto.min(logged.len())..);
        let more = count(new.iter().filter(|logged| is_decision(logged)).count());
        *counted = (upto.max(logged.len()), decisions + more);
        decisions + more
    }
}

/// The entries before `before`, newest first.
pub(super) async fn list(
    app: &App,
    caller: &Caller,
    shown: Shown,
    before: Option<u64>,
) -> Result<LedgerView, Failure> {
    let scene = Scene::set(app).await?;
    let logged = scene.state.logged();
    let end = before.and_then(|before| usize::try_from(before).ok()).unwrap_or(usize::MAX);
    let until = logged.take(end.min(logged.len()));
    let wanted = until.iter().rev().filter(|logged| match shown {
        Shown::Statements => !is_decision(logged),
        Shown::Decisions => is_decision(logged),
        Shown::All => true,
    });
    let mut rows: Vec<_> = wanted.take(PAGE + 1).map(|logged| scene.entry(logged)).collect();
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let (decisions, entries) = (app.counted.decisions(&scene.state), count(logged.len()));
    let show = shown.as_str();
    let next = rows.last().filter(|_| more).map(|row| format!("?show={show}&before={}", row.index));
    let total = match shown {
        Shown::Statements => entries.saturating_sub(decisions),
        Shown::Decisions => decisions,
        Shown::All => entries,
    };
    Ok(LedgerView {
        frame: scene.frame(app, caller),
        shown,
        entries: Paged { rows, total, first: before.map(|_| format!("{LEDGER_PATH}?show={show}")), next },
        head: scene.head(app),
    })
}

/// One entry with its payload.
pub(super) async fn entry(app: &App, caller: &Caller, index: u64) -> Result<EntryView, Failure> {
    let scene = Scene::set(app).await?;
    let logged = scene.logged(index);
    let logged = logged.ok_or_else(|| Failure::new(ids::NOT_FOUND, "there is no such entry"))?;
    let registry = app.registry.clone();
    let bytes = tokio::task::spawn_blocking(move || registry.snapshot().map(|ledger| ledger.entry(index)));
    let bytes = bytes.await.map_err(|error| Failure::of(ids::INTERNAL, &error))??;
    let damaged = |error: &dyn std::error::Error| Failure::of(ids::LEDGER_DAMAGED, error);
    let envelope = dsse::Envelope::parse(&bytes.map_err(|error| damaged(&error))?);
    let envelope = envelope.map_err(|error| damaged(&error))?;
    let payload: Value = serde_json::from_slice(envelope.payload()).map_err(|error| damaged(&error))?;
    let payload = serde_json::to_string_pretty(&payload).map_err(|error| damaged(&error))?;
    Ok(EntryView {
        frame: scene.frame(app, caller),
        row: scene.entry(logged),
        predicate_type: logged.predicate_type.to_owned(),
        subject_digest: logged.subject.to_string(),
        payload_digest: sha256(envelope.payload()).to_string(),
        signers: envelope.key_ids().iter().map(ToString::to_string).collect(),
        payload,
        size: count(scene.state.logged().len()),
    })
}

fn is_decision(logged: &Logged) -> bool {
    logged.predicate_type == DECISION
}
