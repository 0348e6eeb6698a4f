//! The page of a comparison of two tables.

use std::collections::HashMap;

use maud::{Markup, html};

use super::super::gate::Gate;
use super::chart::gauge;
use super::check::{by_name, close, columns, left, notes, open};
use super::column::ColumnView;
use super::page::{Heading, Paper, counted, footer, heading, icon, named, tiles};
use super::{against, title};
use crate::check::Outcome;
use crate::drift::{ColumnDrift, DriftReport, Measure, Purpose, TableFinding, Verdict};
use crate::profile::Profile;
use crate::profile::render::grouped;
use crate::report::suite::drifted;
use crate::report::{Subject, plain};

/// What the comparison of two tables says and what follows of it, with both distributions of each column side by side where profiles are at hand.
///
/// The page is [`REPORT_BYTES`](crate::limits::REPORT_BYTES) at most, and says what it had no room for.
pub fn drift(
    subject: &Subject,
    report: &DriftReport,
    outcome: Outcome,
    reference: Option<&Profile>,
    current: Option<&Profile>,
) -> String {
    let task = match report.purpose {
        Purpose::Drift => "Data drift",
        Purpose::Skew => "Training and serving skew",
    };
    let gate = Gate::new();
    let ordered = ordered(report);
    let views = views(&ordered, reference, current);
    let places: HashMap<&str, usize> = views.iter().map(|view| (view.name, view.place)).collect();
    let mut paper = Paper::new();
    paper.put(&top(subject, task, report, outcome, reference, current));
    paper.put(&html! { h2 { "Comparisons" } });
    paper.put(&open("div class=\"card\"><table class=\"stack drift\""));
    paper.put(&html! { thead { tr {
        th scope="col" { "Column" } th scope="col" { "Statistic" }
        th scope="col" { "Effect, and the least that counts" }
        th.num scope="col" { "Adjusted p" } th scope="col" { "Verdict" }
    } } });
    paper.put(&open("tbody"));
    let left_out = paper.put_all(&ordered, |one| line(one, places.get(one.column.as_str()).copied()));
    paper.put(&close("tbody></table></div"));
    paper.put(&left(left_out, "comparison", "comparisons"));
    if !report.beside.is_empty() {
        beside(&mut paper, report);
    }
    if current.is_some() && !views.is_empty() {
        columns(&mut paper, &views, reference.is_some(), &gate);
    }
    paper.put(&footer(subject, &notes()));
    paper.finish(&title(task, &subject.name))
}

/// What drifts first, the most significant of it before others; then what could not be judged.
fn ordered(report: &DriftReport) -> Vec<&ColumnDrift> {
    let mut ordered: Vec<&ColumnDrift> = report.columns.iter().collect();
    let rank = |one: &ColumnDrift| match one.verdict {
        Verdict::Drift => 0,
        Verdict::NotJudged(_) => 1,
        Verdict::NoDrift => 2,
    };
    let times = |one: &ColumnDrift| over_floor(one).unwrap_or(0.0);
    ordered.sort_by(|one, two| rank(one).cmp(&rank(two)).then_with(|| times(two).total_cmp(&times(one))));
    ordered
}

/// How many times the floor the effect is.
fn over_floor(one: &ColumnDrift) -> Option<f64> {
    one.effect.map(|effect| effect.value / one.floor.max(f64::MIN_POSITIVE))
}

fn top(
    subject: &Subject,
    task: &'static str,
    report: &DriftReport,
    outcome: Outcome,
    reference: Option<&Profile>,
    current: Option<&Profile>,
) -> Markup {
    let (drifted, open) = (report.drifted().count() as u64, report.not_judged().count() as u64);
    let all = report.columns.len() as u64;
    let what = match report.purpose {
        Purpose::Drift => "drift",
        Purpose::Skew => "skew",
    };
    let verdict = html! {
        @match outcome {
            Outcome::Invalid if drifted == 0 => p {
                strong { "There is " (what) "." } " No column differs by itself, but the rows compared together or one by one do."
            },
            Outcome::Valid if drifted > 0 => p {
                strong { "Nothing refuses this file." } " " (grouped(drifted)) " of " (counted(all, "comparison", "comparisons"))
                " differ by more than chance explains and by enough to matter, of which this comparison only warns."
            },
            Outcome::Error if drifted > 0 || open == 0 => p {
                strong { "There is no verdict." } " Not everything that was asked for could be judged."
            },
            Outcome::Invalid => p {
                strong { "There is " (what) "." } " " (grouped(drifted)) " of " (counted(all, "comparison", "comparisons"))
                " differ by more than chance explains at these sizes, and by enough to matter."
                @if open > 0 { " " (counted(open, "comparison", "comparisons")) " could not be judged." }
            },
            Outcome::Valid => p {
                strong { "No " (what) "." } " None of " (counted(all, "comparison differs", "comparisons differs"))
                " by more than chance explains and by enough to matter."
            },
            Outcome::Error => p {
                strong { "There is no verdict." } " No " (what) " was found, but " (grouped(open)) " of " (counted(all, "comparison", "comparisons"))
                " could not be judged, which is not the same as none."
            },
        }
    };
    let facts = [
        against(subject),
        Some((
            "False alarms",
            html! { "at most " (super::chart::percent(report.level)) " of what is called " (what) },
        )),
        Some(("Dependence", html! { (report.dependence.id()) })),
        Some(("Seed", html! { (report.seed) })),
    ];
    let mut counts = vec![
        ("Comparisons", grouped(all), "values, and shares of missing ones".to_owned()),
        ("Differ", grouped(drifted), format!("called {what}")),
        ("Not judged", grouped(open), "never to be read as none".to_owned()),
    ];
    // What was not profiled was not counted.
    if let (Some(current), Some(reference)) = (current, reference) {
        counts.push((
            "Rows",
            grouped(current.rows()),
            format!("{} in the reference", grouped(reference.rows())),
        ));
    }
    html! {
        (heading(&Heading { subject, task, outcome, verdict, facts: facts.into_iter().flatten().collect() }))
        (tiles(&counts))
    }
}

fn line(one: &ColumnDrift, place: Option<usize>) -> Markup {
    let (class, word) = match one.verdict {
        Verdict::Drift => ("bad", "drift"),
        Verdict::NoDrift => ("ok", "no drift"),
        Verdict::NotJudged(_) => ("warn", "not judged"),
    };
    html! {
        tr {
            th scope="row" {
                @match place { Some(place) => a href={ "#c" (place) } { (named(&one.column)) }, None => (named(&one.column)) }
                @if one.measure == Measure::Missing { span.kind { "missing" } }
            }
            td data-label="Statistic" { (one.statistic.id()) }
            td.effect data-label="Effect" {
                @if let (Some(effect), Some(times)) = (one.effect, over_floor(one)) {
                    span { (number(effect.value)) span.of { " of " (number(one.floor)) } }
                    // Two floors are in the middle: the scale bends so that all effects are on it.
                    (gauge(times / (times + 2.0), 1.0 / 3.0, class))
                } @else { "–" }
            }
            td.num data-label="Adjusted p" { (one.adjusted_p.map_or_else(|| "–".to_owned(), probability)) }
            td data-label="Verdict" {
                span.pill.(class) { (icon(class)) (word) }
                @if let Verdict::NotJudged(reason) = one.verdict { p.why { (reason.message()) } }
            }
        }
    }
}

/// What was asked beside the columns; what differs first.
fn beside(paper: &mut Paper, report: &DriftReport) {
    let mut all: Vec<&TableFinding> = report.beside.iter().collect();
    all.sort_by_key(|one| match one.outcome {
        Outcome::Invalid => 0,
        Outcome::Error => 1,
        Outcome::Valid => 2,
    });
    paper.put(&html! { h2 { "Rows compared one by one, and together" } });
    paper.put(&open("div class=\"card\"><table class=\"stack\""));
    paper.put(&html! { thead { tr {
        th scope="col" { "Test" } th scope="col" { "Of" } th scope="col" { "Figures" } th scope="col" { "Verdict" }
    } } });
    paper.put(&open("tbody"));
    let left_out = paper.put_all(&all, |one| {
        let (class, word) = match one.outcome {
            Outcome::Invalid => ("bad", "differs"),
            Outcome::Valid => ("ok", "the same"),
            Outcome::Error => ("warn", "not judged"),
        };
        html! { tr {
            th scope="row" { (one.test.id()) }
            td data-label="Of" { (named(&one.column)) }
            td data-label="Figures" { (plain(&one.message)) }
            td data-label="Verdict" { span.pill.(class) { (icon(class)) (word) } }
        } }
    });
    paper.put(&close("tbody></table></div"));
    paper.put(&left(left_out, "test", "tests"));
}

fn number(number: f64) -> String {
    format!("{number:.3}")
}

fn probability(p: f64) -> String {
    if p < 0.001 { format!("{p:.0e}") } else { format!("{p:.3}") }
}

fn views<'a>(
    ordered: &[&'a ColumnDrift],
    reference: Option<&'a Profile>,
    current: Option<&'a Profile>,
) -> Vec<ColumnView<'a>> {
    let (before, now) = (by_name(reference), by_name(current));
    let mut views: Vec<ColumnView<'a>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for one in ordered {
        let name = one.column.as_str();
        // A column in one of several periods is no column of the table, whose distributions are of all periods together.
        if current.is_some() && !now.contains_key(name) && !before.contains_key(name) {
            continue;
        }
        let at = *places.entry(name).or_insert_with(|| {
            views.push(ColumnView {
                place: views.len() + 1,
                name,
                now: now.get(name).copied(),
                reference: before.get(name).copied(),
                rules: None,
                notes: Vec::new(),
            });
            views.len() - 1
        });
        let note = match one.verdict {
            Verdict::Drift => ("bad", drifted(one)),
            Verdict::NotJudged(reason) => ("warn", format!("not judged: {}", reason.message())),
            Verdict::NoDrift => continue,
        };
        if let Some(view) = views.get_mut(at) {
            view.notes.push(note);
        }
    }
    views
}
