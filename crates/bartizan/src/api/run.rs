//! Training runs.

use std::path::PathBuf;
use std::sync::Arc;

use bartizan_base::{Name, RunId, VersionRef};
use bartizan_policy::{ProjectWide, op};
use bartizan_registry::state::Run;
use bartizan_registry::statement::{Isolation, RunEnd};
use bartizan_registry::{Caller, Failed, ModelFile, NewRun, StartedRun};
use bartizan_sandbox::{Demand, Sandbox};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;
use crate::runner::{self, Ask, Ran};

/// Runs on one page.
const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    model: Name,
    #[serde(default)]
    inputs: Vec<VersionRef>,
    #[serde(default)]
    code: Vec<Code>,
    command: Vec<String>,
    environment: Option<PathBuf>,
    wall_seconds: Option<u64>,
    memory_bytes: Option<u64>,
    #[serde(default)]
    reduced: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    path: String,
    upload: String,
}

/// Starts a run and answers when it has ended. It goes on to its end when nobody waits any more.
pub(super) async fn start(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let wanted: Start = call.json().await?;
    let sandbox = blocking(Sandbox::here).await?;
    let sandbox = sandbox.map_err(|error| Failure::of(ids::ISOLATION, &error))?;
    let isolation = isolation(&sandbox, wanted.reduced)?;
    // Whoever may not learns nothing of the paths of this machine.
    app.registry.ask_to_run(&caller).await?;
    let environment = match wanted.environment {
        None => None,
        Some(path) => {
            let data_dir = app.data_dir.clone();
            Some(blocking(move || runner::environment(&path, &data_dir)).await??)
        }
    };
    let mut code = Vec::with_capacity(wanted.code.len());
    for file in wanted.code {
        code.push(ModelFile { path: file.path, upload: file.upload.parse()? });
    }
    let new = NewRun { model: wanted.model, inputs: wanted.inputs, code, command: wanted.command, isolation };
    let run = app.registry.start_run(&caller, new).await?;
    let ask = Ask {
        environment,
        wall_seconds: wanted.wall_seconds,
        memory_bytes: wanted.memory_bytes,
        demand: if wanted.reduced { Demand::Reduced } else { Demand::Full },
    };
    let (registry, data_dir) = (app.registry.clone(), app.data_dir.clone());
    let (run, ran) = blocking(move || {
        let ran = runner::execute(&registry, &run, &data_dir, &sandbox, &ask);
        (run, ran)
    })
    .await?;
    settle(app, &caller, &run, ran).await
}

/// States what came of a run: a model version, or nothing.
async fn settle(
    app: &Arc<App>,
    caller: &Caller,
    run: &StartedRun,
    ran: Result<Ran, Failure>,
) -> Result<Answer, Failure> {
    let mut ran = match ran {
        Ok(ran) => ran,
        Err(failure) => {
            app.registry.end_run(run, &runner::nothing_known(&app.registry, &failure)).await?;
            return Err(match failure.id.as_str() {
                ids::RUN => failure.then(format!("bartizan run show {} tells what is known", run.id())),
                _ => failure,
            });
        }
    };
    if ran.report.end != RunEnd::Succeeded {
        app.registry.end_run(run, &ran.report).await?;
        return Ok(Answer::Json(outcome(run, &ran, None)));
    }
    let outputs = ran.outputs().map_err(|error| Failure::of(ids::STORAGE, &error))?;
    match app.registry.push_run(caller, run, &ran.report, outputs).await {
        Ok(version) => Ok(Answer::Json(outcome(run, &ran, Some(&version)))),
        Err(failed) => {
            let same = match &failed {
                Failed::SameFiles { version, .. } => Some(version.clone()),
                _ => None,
            };
            let mut failure = Failure::from(failed);
            ran.refuse(
                std::iter::once(&failure.what).chain(&failure.why).cloned().collect::<Vec<_>>().join(": "),
            );
            app.registry.end_run(run, &ran.report).await?;
            failure.what = format!("what {} left is not taken: {}", run.id(), failure.what);
            Err(match same {
                Some(version) => failure.then(format!(
                    "bartizan model show {version}: the same input, code and seed gave the same bytes, so there is nothing new to \
                     approve; bartizan run show {} has this run's log and metrics",
                    run.id()
                )),
                None => {
                    let next = format!("{}; bartizan run show {} tells what is known", failure.next, run.id());
                    failure.then(next)
                }
            })
        }
    }
}

fn outcome(run: &StartedRun, ran: &Ran, version: Option<&VersionRef>) -> Value {
    let log = String::from_utf8_lossy(&ran.report.log);
    json!({
        "run": run.id(),
        "end": ran.report.end,
        "status": ran.report.status,
        "version": version.map(VersionRef::to_string),
        "wall_millis": ran.report.resources.wall_millis,
        "cpu_millis": ran.report.resources.cpu_millis,
        "memory_bytes": ran.report.resources.memory_bytes,
        "servable": version.and(ran.servable.as_ref()),
        "refused": ran.refused,
        "log": log,
    })
}

/// How far this machine can cut a run off, if that is far enough.
fn isolation(sandbox: &Sandbox, reduced: bool) -> Result<Isolation, Failure> {
    match sandbox.probe().isolation() {
        bartizan_sandbox::Isolation::Full => Ok(Isolation::Full),
        bartizan_sandbox::Isolation::Reduced { .. } if reduced => Ok(Isolation::Reduced),
        bartizan_sandbox::Isolation::Reduced { .. } => {
            let failure = crate::isolation::missing(ids::ISOLATION, sandbox.probe());
            let remedy = failure.next.clone();
            Err(failure.then(format!("{remedy}; or say `--isolation reduced`, which is recorded")))
        }
    }
}

pub(super) async fn list(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::ModelList, ProjectWide).await?;
    let state = app.registry.state();
    let mut runs: Vec<&Run> = state.runs().values().collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.statement.entry));
    let before = call.query::<u64>("before")?.unwrap_or(u64::MAX);
    let rows = runs.into_iter().filter(|run| run.statement.entry < before).take(PAGE).map(row);
    Ok(Answer::Json(rows.collect()))
}

fn row(run: &Run) -> Value {
    let inputs: Vec<String> = run.body.inputs.iter().map(|input| input.version.to_string()).collect();
    json!({
        "run": run.body.run,
        "model": run.body.model,
        "end": run.ended.map(|(_, end)| end),
        "isolation": run.body.isolation,
        "inputs": inputs,
        "started": run.body.act.at,
        "entry": run.statement.entry,
    })
}

pub(super) async fn show(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::ModelList, ProjectWide).await?;
    let id: RunId = call.part("run")?;
    let state = app.registry.state();
    let run =
        state.runs().get(&id).ok_or_else(|| Failure::new(ids::NOT_FOUND, format!("there is no {id}")))?;
    let mut shown = row(run);
    let told = app.registry.told_of_run(id).await?;
    if let Some(members) = shown.as_object_mut() {
        members.insert("by".to_owned(), json!(run.body.act.by));
        members.insert("code".to_owned(), json!(run.body.code));
        members.insert("command".to_owned(), json!(told.command));
        members.insert("record".to_owned(), told.record.unwrap_or(Value::Null));
        members.insert("log".to_owned(), json!(told.log));
        let version = state.made_by(id).map(|version| version.body.version.to_string());
        members.insert("version".to_owned(), json!(version));
    }
    Ok(Answer::Json(shown))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::of(ids::INTERNAL, &error))
}
