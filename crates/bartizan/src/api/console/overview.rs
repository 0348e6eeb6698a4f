//! What the first page shows.

use std::collections::BTreeMap;

use bartizan_policy::{ProjectWide, op};
use bartizan_registry::state::Logged;
use bartizan_registry::statement::{Standing, VersionState};
use bartizan_registry::{Caller, Failed};

use super::endpoints::row;
use super::scene::{Scene, count};
use super::story::tell;
use crate::api::App;
use crate::console::view::endpoint::{EndpointRow, EndpointStanding};
use crate::console::view::overview::{AttentionView, DataCounts, LedgerPart, ModelCounts, OverviewView};
use crate::console::view::{Paged, Tone};
use crate::console::{ENDPOINTS_PATH, LEDGER_PATH, OVERVIEW_PATH, endpoint_path, version_path};
use crate::failure::Failure;

/// Types of statements that are made in passing, by proving and by serving.
const IN_PASSING: [&str; 2] = ["https://bartizan.dev/state-map/v1", "https://bartizan.dev/segment/v1"];
/// Rows of each part of the page.
const ROWS: usize = 8;
/// The type of the statements about data sets.
const DATASET: &str = "https://bartizan.dev/dataset/v1";

/// What is served now, and what needs attention but for the first `skipped`, as far as the caller may see it.
pub(super) async fn overview(app: &App, caller: &Caller, skipped: usize) -> Result<OverviewView, Failure> {
    // Asked together, they are recorded together.
    let (seen, data, ledger) = tokio::join!(
        app.registry.ask(caller, op::ModelList, ProjectWide),
        app.registry.ask(caller, op::DataList, ProjectWide),
        app.registry.ask(caller, op::LedgerShow, ProjectWide),
    );
    seen?;
    let (data, ledger) = (may(data)?, may(ledger)?);
    let scene = Scene::set(app).await?;
    let mut attention = Vec::new();
    let endpoints = endpoints(app, &scene, &mut attention);
    let not_serving = count(attention.len());
    let models = models(&scene, &mut attention);
    let data_sets = data.then(|| data_sets(app, &scene, &mut attention));
    attention.sort_by_key(|row| std::cmp::Reverse(row.tone));
    let total = count(attention.len());
    let next = skipped.saturating_add(ROWS);
    let next = (next < attention.len()).then(|| format!("?attention={next}#attention"));
    let first = (skipped > 0).then(|| format!("{OVERVIEW_PATH}#attention"));
    let attention = attention.into_iter().skip(skipped).take(ROWS).collect();
    Ok(OverviewView {
        frame: scene.frame(app, caller),
        endpoints,
        not_serving,
        attention: Paged { rows: attention, total, first, next },
        models,
        data_sets,
        ledger: match ledger {
            true => {
                let newest = app.statements.newest(&scene.state, None, ROWS, |logged| {
                    (!IN_PASSING.contains(&logged.predicate_type)).then_some(logged.index)
                });
                let changes = tell(app, &scene, newest).await?;
                Some(LedgerPart { head: scene.head(app), changes })
            }
            false => None,
        },
    })
}

/// Whether the policy allows it; anything but its answer is a failure.
fn may(asked: Result<(), Failed>) -> Result<bool, Failure> {
    match asked {
        Ok(()) => Ok(true),
        Err(Failed::Refused(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn endpoints(app: &App, scene: &Scene, attention: &mut Vec<AttentionView>) -> Paged<EndpointRow> {
    let active = scene.state.endpoints().values().filter(|found| found.body.standing == Standing::Active);
    let mut rows: Vec<EndpointRow> = active.map(|endpoint| row(app, scene, endpoint)).collect();
    for found in &rows {
        let (tone, what, detail) = match found.standing {
            EndpointStanding::Serving | EndpointStanding::Disabled | EndpointStanding::NotRouted => continue,
            EndpointStanding::OnFallback => {
                (Tone::Warn, "is on its fallback", "Its version does not answer now")
            }
            EndpointStanding::Unanswered => (
                Tone::Bad,
                "has nobody who answers",
                "Callers get 503: no version and no fallback may answer",
            ),
            EndpointStanding::NotLoaded => {
                (Tone::Bad, "is not loaded", "Callers get 503; the log of the server says why")
            }
        };
        attention.push(AttentionView {
            tone,
            subject: found.name.clone(),
            what,
            detail: detail.to_owned(),
            href: Some(endpoint_path(&found.name)),
            command: format!("bartizan model promote NAME:VERSION --endpoint {}", found.name),
        });
    }
    rows.sort_by_key(|row| row.standing == EndpointStanding::Serving);
    let total = count(rows.len());
    let next = (rows.len() > ROWS).then(|| ENDPOINTS_PATH.to_owned());
    rows.truncate(ROWS);
    Paged { rows, total, first: None, next }
}

fn models(scene: &Scene, attention: &mut Vec<AttentionView>) -> ModelCounts {
    let mut counts = ModelCounts { models: count(scene.state.models().len()), ..ModelCounts::default() };
    for model in scene.state.models().values() {
        let newest = model.versions.get_max().map(|(number, _)| *number);
        for (number, version) in &model.versions {
            counts.versions += 1;
            let reference = version.body.version.to_string();
            let href = Some(version_path(version.body.version.name.as_str(), u64::from(number.get())));
            match version.state {
                VersionState::Approved => counts.approved += 1,
                VersionState::Candidate => {
                    counts.candidates += 1;
                    // What came before a newer version hardly waits for anybody.
                    if Some(*number) == newest {
                        let verdict = scene.state.approvals(&version.body.version);
                        let given = verdict.as_ref().map_or(0, |verdict| verdict.approvers.len());
                        let needed = verdict.map_or(1, |verdict| verdict.needed);
                        attention.push(AttentionView {
                            tone: Tone::Neutral,
                            command: format!("bartizan model approve {reference}"),
                            subject: reference,
                            what: "waits for approval",
                            detail: format!("{given} of {needed} given"),
                            href,
                        });
                    }
                }
                VersionState::Quarantined => {
                    counts.quarantined += 1;
                    let since = version.last_stop.map(|stop| scene.at(stop.entry)).unwrap_or_default();
                    let by = version.last_stop.map(|stop| scene.stopped_by(stop)).unwrap_or_default();
                    attention.push(AttentionView {
                        tone: Tone::Bad,
                        command: format!("bartizan model show {reference}"),
                        subject: reference,
                        what: "is quarantined",
                        detail: format!("By {by}, {}", since.get(..10).unwrap_or(&since)),
                        href,
                    });
                }
                VersionState::Retired | VersionState::Revoked => {}
            }
        }
    }
    counts
}

/// Counts data sets, and finds the last delivery of each when it was refused.
fn data_sets(app: &App, scene: &Scene, attention: &mut Vec<AttentionView>) -> DataCounts {
    let sets = scene.state.datasets();
    let checked = app.statements.newest(&scene.state, None, usize::MAX, |logged| {
        (logged.predicate_type == DATASET).then(|| (logged.name.clone(), logged.clone()))
    });
    // Oldest first, so that the newest of each is what is kept.
    let last: BTreeMap<String, Logged> = checked.into_iter().rev().collect();
    let accepted = |logged: &Logged| {
        let versions = logged.name.parse().ok().and_then(|name| sets.get::<bartizan_base::Name>(&name));
        let newest = versions.and_then(|versions| versions.get_max());
        newest.is_some_and(|(_, found)| found.statement.entry == logged.index)
    };
    let refused: Vec<Logged> = last.into_values().filter(|logged| !accepted(logged)).collect();
    for logged in &refused {
        attention.push(AttentionView {
            tone: Tone::Warn,
            subject: logged.name.clone(),
            what: "had its last delivery refused",
            detail: format!(
                "Entry #{}, {}",
                logged.index,
                logged.at.to_string().get(..10).unwrap_or_default()
            ),
            href: Some(format!("{LEDGER_PATH}/{}", logged.index)),
            command: format!(
                "bartizan data check FILE  # mend it, then: bartizan data add {} FILE",
                logged.name
            ),
        });
    }
    let versions = sets.values().map(|versions| count(versions.len())).sum();
    DataCounts { data_sets: count(sets.len()), versions, refused: count(refused.len()) }
}
