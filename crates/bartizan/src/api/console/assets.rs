//! What the lists of data sets and runs show.

use std::ops::Bound;

use bartizan_base::Name;
use bartizan_registry::Caller;
use bartizan_registry::state::Run;
use bartizan_registry::statement::{Isolation, RunEnd};

use super::scene::{PAGE, Scene, count, verdict_of};
use crate::api::App;
use crate::console::view::assets::{DataSetSummary, DataSetsView, RunRow, RunsView};
use crate::console::view::{Paged, Tone};
use crate::console::{DATA_SETS_PATH, RUNS_PATH};
use crate::failure::Failure;

/// Reasons that are shown of why the output of a run was refused.
const REASONS: usize = 3;

/// Where a list by name goes on.
pub(super) fn after(name: Option<&Name>) -> (Bound<&Name>, Bound<&Name>) {
    (name.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

/// The data sets, from the one after `name` on.
pub(super) async fn data_sets(
    app: &App,
    caller: &Caller,
    name: Option<&Name>,
) -> Result<DataSetsView, Failure> {
    let scene = Scene::set(app).await?;
    let sets = scene.state.datasets();
    let found = sets.range::<_, Name>(after(name)).take(PAGE + 1).filter_map(|(name, versions)| {
        let (latest, found) = versions.get_max()?;
        let verdict = &found.body.verdict;
        Some(DataSetSummary {
            name: name.to_string(),
            versions: count(versions.len()),
            latest: u64::from(latest.get()),
            verdict: verdict_of(&verdict.outcome),
            warnings: verdict.warnings,
            parts: count(found.parts.len()),
            rows: found.parts.iter().fold(0, |sum, part| sum.saturating_add(part.rows)),
            at: found.body.act.at.to_string(),
            entry: found.statement.entry,
        })
    });
    let mut rows: Vec<_> = found.collect();
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|row| format!("?after={}", row.name));
    let first = name.map(|_| DATA_SETS_PATH.to_owned());
    Ok(DataSetsView {
        frame: scene.frame(app, caller),
        data_sets: Paged { rows, total: count(sets.len()), first, next },
    })
}

/// The runs that were started before entry `before`, newest first.
pub(super) async fn runs(app: &App, caller: &Caller, before: Option<u64>) -> Result<RunsView, Failure> {
    let scene = Scene::set(app).await?;
    let known = scene.state.runs();
    let wanted = known.values().filter(|run| before.is_none_or(|before| run.statement.entry < before));
    let mut found: Vec<&Run> = wanted.collect();
    found.sort_unstable_by_key(|run| std::cmp::Reverse(run.statement.entry));
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let mut rows: Vec<RunRow> = Vec::with_capacity(found.len());
    for run in found {
        let reason = match run.ended {
            Some((_, RunEnd::Refused)) => why_refused(app, run).await?,
            _ => None,
        };
        rows.push(RunRow { reason, ..row(&scene, run) });
    }
    let next = rows.last().filter(|_| more).map(|row| format!("?before={}", row.entry));
    let first = before.map(|_| RUNS_PATH.to_owned());
    Ok(RunsView {
        frame: scene.frame(app, caller),
        runs: Paged { rows, total: count(known.len()), first, next },
    })
}

/// Why what a run left was refused, unless that was erased.
async fn why_refused(app: &App, run: &Run) -> Result<Option<String>, Failure> {
    let told = app.registry.told_of_run(run.body.run).await?;
    let refused = told.record.as_ref().and_then(|record| record.get("refused")?.as_array());
    let reasons = refused.into_iter().flatten().filter_map(serde_json::Value::as_str).take(REASONS);
    let reasons: Vec<&str> = reasons.collect();
    Ok((!reasons.is_empty()).then(|| reasons.join("; ")))
}

fn row(scene: &Scene, run: &Run) -> RunRow {
    let (end, tone) = match run.ended.map(|(_, end)| end) {
        Some(RunEnd::Succeeded) => ("succeeded", Tone::Ok),
        Some(RunEnd::Failed) => ("failed", Tone::Bad),
        Some(RunEnd::TimedOut) => ("timed out", Tone::Bad),
        Some(RunEnd::Refused) => ("output refused", Tone::Bad),
        Some(RunEnd::Interrupted) => ("interrupted", Tone::Warn),
        None => ("running", Tone::Neutral),
    };
    let made = scene.state.made_by(run.body.run);
    RunRow {
        run: run.body.run.to_string(),
        model: run.body.model.to_string(),
        version: made.map(|version| u64::from(version.body.version.version.get())),
        end,
        tone,
        reason: None,
        isolated: run.body.isolation == Isolation::Full,
        inputs: run.body.inputs.iter().map(|input| input.version.to_string()).collect(),
        at: run.body.act.at.to_string(),
        entry: run.statement.entry,
    }
}
