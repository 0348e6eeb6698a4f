//! What the pages of the ledger show.

use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// Which entries are statements, and not decisions: reading makes one decision each, so those are soon the most.
/// Known as far as somebody asked, and found out from there on.
#[derive(Debug, Default)]
pub(crate) struct Statements(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    entries: usize,
    statements: Vec<usize>,
}

impl Statements {
    /// What the statements before entry `before` give, newest first, up to `most` of it.
    pub(super) fn newest<T>(
        &self,
        state: &State,
        before: Option<u64>,
        most: usize,
        give: impl FnMut(&Logged) -> Option<T>,
    ) -> Vec<T> {
        let logged = state.logged();
        let end = before.and_then(|before| usize::try_from(before).ok()).unwrap_or(usize::MAX);
        let end = end.min(logged.len());
        let known = self.known(state);
        let older = known.statements.iter().rev().skip_while(|at| **at >= end);
        older.filter_map(|at| logged.get(*at)).filter_map(give).take(most).collect()
    }

    /// How many statements there are.
    fn total(&self, state: &State) -> u64 {
        let known = self.known(state);
        count(known.statements.partition_point(|at| *at < state.logged().len()))
    }

    fn known(&self, state: &State) -> MutexGuard<'_, Known> {
        let logged = state.logged();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.entries < logged.len() {
            let new = logged.clone().slice(known.entries..);
            let more = (known.entries..).zip(&new).filter(|(_, logged)| !is_decision(logged));
            let more: Vec<usize> = more.map(|(at, _)| at).collect();
            known.statements.extend(more);
            known.entries = logged.len();
        }
        known
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
    let mut rows = match shown {
        Shown::Statements => {
            app.statements.newest(&scene.state, before, PAGE + 1, |logged| Some(scene.entry(logged)))
        }
        Shown::Decisions | Shown::All => {
            let end = before.and_then(|before| usize::try_from(before).ok()).unwrap_or(usize::MAX);
            let until = logged.take(end.min(logged.len()));
            let wanted = until.iter().rev().filter(|logged| shown == Shown::All || is_decision(logged));
            wanted.take(PAGE + 1).map(|logged| scene.entry(logged)).collect()
        }
    };
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let (statements, entries) = (app.statements.total(&scene.state), count(logged.len()));
    let show = shown.as_str();
    let next = rows.last().filter(|_| more).map(|row| format!("?show={show}&before={}", row.index));
    let total = match shown {
        Shown::Statements => statements,
        Shown::Decisions => entries.saturating_sub(statements),
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
