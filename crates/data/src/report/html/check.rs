//! The page of a check against a schema.

use std::collections::{BTreeMap, HashMap};

use maud::{Markup, html};

use super::super::gate::{Gate, TOLD_ROWS};
use super::column::{ColumnView, card, line};
use super::findings::finding;
use super::page::{Heading, Paper, class_of_severity, counted, footer, foreign, heading, named, size, tiles};
use super::{against, title};
use crate::check::{Compared, Other, Outcome, Report};
use crate::limits::REPORT_COLUMNS;
use crate::profile::Profile;
use crate::profile::render::grouped;
use crate::report::rules::about;
use crate::report::{Subject, plain};
use crate::schema::{Schema, Severity};

const TASK: &str = "Data check";

/// What a check of a file against a schema says; with the profile of an earlier table, distributions stand side by side.
///
/// The page is [`REPORT_BYTES`](crate::limits::REPORT_BYTES) at most, and says what it had no room for.
pub fn check(subject: &Subject, report: &Report, schema: &Schema, reference: Option<&Profile>) -> String {
    let gate = Gate::new();
    let views = views(report, schema, reference);
    let places: HashMap<&str, usize> = views.iter().map(|view| (view.name, view.place)).collect();
    let mut paper = Paper::new();
    paper.put(&top(subject, report));
    if report.findings.is_empty() {
        paper.put(&html! { h2 { "Findings" } div.card { p.empty { "Nothing was found." } } });
    } else {
        paper.put(&html! { h2 #findings { "Findings" } });
        paper.put(&open("ul class=\"card findings\""));
        let place = |name: &Option<String>| name.as_deref().and_then(|name| places.get(name).copied());
        let left_out = paper.put_all(&report.findings, |one| finding(one, place(&one.column)));
        paper.put(&close("ul"));
        paper.put(&left(left_out, "finding", "findings"));
    }
    paper.put(&checks(report));
    columns(&mut paper, &views, reference.is_some(), &gate);
    paper.put(&footer(subject, &notes()));
    paper.finish(&title(TASK, &subject.name))
}

/// A tag whose content is written bit by bit.
pub(super) fn open(tag: &str) -> Markup {
    maud::PreEscaped(format!("<{tag}>"))
}

pub(super) fn close(tag: &str) -> Markup {
    maud::PreEscaped(format!("</{tag}>"))
}

/// How many of something the page has no room for.
pub(super) fn left(count: usize, one: &str, many: &str) -> Markup {
    html! { @if count > 0 { p.aside { (counted(count as u64, one, many)) " more, for which this page has no room." } } }
}

/// What the verdict rests on beside schema and file.
fn beside(compared: &Compared) -> Vec<(&'static str, Markup)> {
    let other = |name: Option<&str>, other: &Other| {
        html! {
            @if let Some(name) = name { (named(name)) " " }
            @if let Some(version) = &other.version { (foreign(version)) " " }
            code.digest title=(other.digest) { "sha256:" (other.digest.short()) "…" }
        }
    };
    let mut facts = Vec::new();
    facts.extend(compared.environment.as_deref().map(|name| ("Environment", named(name))));
    facts.extend(compared.now.map(|now| ("As of", html! { time datetime=(now) { (now) } })));
    facts.extend(compared.reference.as_ref().map(|one| ("Reference", other(None, one))));
    facts.extend(compared.tables.iter().map(|(name, one)| ("Looked up in", other(Some(name), one))));
    facts
}

/// Name, verdict and numbers.
fn top(subject: &Subject, report: &Report) -> Markup {
    let missing: u64 = report.profile.columns().iter().map(|column| column.nulls()).sum();
    let cells: u64 = report.profile.columns().iter().map(|column| column.count()).sum();
    let ran = if report.checks == report.planned {
        "all that the schema plans".to_owned()
    } else {
        format!("of {} planned", grouped(report.planned as u64))
    };
    let facts = [
        against(subject),
        Some(("Tier", html! { (report.tier.as_str()) })),
        Some(("File", html! { (report.kind) ", " (size(report.bytes)) })),
        Some((
            "Digest",
            html! { code.digest title=(report.digest) { "sha256:" (report.digest.short()) "…" } },
        )),
    ];
    let facts = facts.into_iter().flatten().chain(beside(&report.compared));
    html! {
        (heading(&Heading {
            subject,
            task: TASK,
            outcome: report.outcome,
            verdict: verdict(subject, report),
            facts: facts.collect(),
        }))
        (tiles(&[
            ("Rows", grouped(report.rows), "each of them was read".to_owned()),
            ("Columns", grouped(report.profile.columns().len() as u64), format!("{} of the cells are empty", super::column::share(missing, cells))),
            ("Checks run", grouped(report.checks as u64), ran),
            ("Findings", grouped(report.findings.len() as u64), format!("{} refuse, {} warn", report.blocking(), report.warnings())),
        ]))
    }
}

/// The verdict in plain words.
fn verdict(subject: &Subject, report: &Report) -> Markup {
    let rows = counted(report.rows, "row", "rows");
    let (checks, planned) = (report.checks as u64, report.planned as u64);
    let warnings = report.warnings() as u64;
    let schema = || html! { @match &subject.against { Some(against) => (foreign(&against.name)), None => "its schema" } };
    html! {
        @match report.outcome {
            Outcome::Valid => p {
                strong { "Nothing refuses this file." } " All " (counted(checks, "check", "checks")) " of " (schema()) " ran, on all " (rows)
                @if warnings > 0 { "; " (counted(warnings, "finding warns", "findings warn")) "." } @else { ", and every rule holds." }
            },
            Outcome::Invalid => p {
                strong { "This file is refused." } " "
                @match report.blocking() { 1 => "1 finding refuses it", more => { (grouped(more as u64)) " findings refuse it" } }
                " under " (schema())
                @if warnings > 0 { ", and " (counted(warnings, "more warns", "more warn")) }
                ". " (counted(checks, "check", "checks")) " ran, on all " (rows) "."
            },
            Outcome::Error => p {
                strong { "There is no verdict." } " Of " (counted(planned, "check", "checks")) " that " (schema()) " plans, "
                @if checks < planned { (counted(planned - checks, "could not run", "could not run")) ", so whether the rest holds says nothing about the file." }
                @else { "all ran, but they found more than a report holds." }
            },
        }
        @if report.outcome != Outcome::Error && checks < planned {
            p.by { (counted(planned - checks, "planned check", "planned checks")) " could not run." }
        }
    }
}

/// How every kind of rule fared.
fn checks(report: &Report) -> Markup {
    let mut rules: BTreeMap<&'static str, [u64; 4]> = BTreeMap::new();
    for check in report.each.iter().filter(|check| check.moot.is_none()) {
        let [kept, warned, broken, not_run] = rules.entry(check.rule.id()).or_default();
        let severities =
            check.findings.iter().filter_map(|place| report.findings.get(*place)).map(|one| one.severity);
        let place = match (check.ran, severities.max(), check.findings.is_empty()) {
            (false, ..) => not_run,
            (true, Some(Severity::Block), _) => broken,
            (true, _, true) => kept,
            (true, ..) => warned,
        };
        *place += 1;
    }
    let not_run = report.each.iter().filter(|check| !check.ran && check.moot.is_none());
    let not_run: Vec<_> = not_run.take(50).collect();
    let number = |count: u64| html! { @if count == 0 { span.nil { "0" } } @else { (grouped(count)) } };
    html! {
        h2 { "Checks" }
        div.card {
            table.stack {
                thead { tr {
                    th scope="col" { "Rule" } th scope="col" { "What it asks for" }
                    th.num scope="col" { "Kept" } th.num scope="col" { "Warned" } th.num scope="col" { "Broken" } th.num scope="col" { "Not run" }
                } }
                tbody {
                    @for (rule, [kept, warned, broken, not_run]) in rules {
                        tr {
                            th scope="row" { span.rule { (rule) } }
                            td.words data-label="Asks" { (about(rule)) }
                            td.num data-label="Kept" { (number(kept)) }
                            td.num.warn[warned > 0] data-label="Warned" { (number(warned)) }
                            td.num.bad[broken > 0] data-label="Broken" { (number(broken)) }
                            td.num.warn[not_run > 0] data-label="Not run" { (number(not_run)) }
                        }
                    }
                }
            }
            @if !not_run.is_empty() {
                p.aside {
                    "Not run: "
                    @for (at, check) in not_run.iter().enumerate() {
                        @if at > 0 { ", " }
                        span.rule { (check.rule.id()) } @if let Some(column) = &check.column { " of " (named(column)) }
                    }
                    @if report.each.iter().filter(|check| !check.ran && check.moot.is_none()).count() > not_run.len() { " and more" }
                    "."
                }
            }
        }
    }
}

/// Columns with findings first, the gravest before others, then in the order of the file; those that are not in it last.
fn views<'a>(report: &'a Report, schema: &'a Schema, reference: Option<&'a Profile>) -> Vec<ColumnView<'a>> {
    let rules: HashMap<&str, _> = schema.columns.iter().map(|rules| (rules.name.as_str(), rules)).collect();
    let there: HashMap<&str, _> = by_name(reference);
    let mut notes: HashMap<&str, Vec<(Severity, String)>> = HashMap::new();
    for one in &report.findings {
        if let Some(name) = &one.column {
            let words = format!("{}: {}", one.rule.id(), plain(&one.message));
            notes.entry(name).or_default().push((one.severity, words));
        }
    }
    let known: HashMap<&str, _> = by_name(Some(&report.profile));
    let names = report.profile.columns().iter().map(|column| column.name());
    let absent =
        schema.columns.iter().map(|rules| rules.name.as_str()).filter(|name| !known.contains_key(name));
    let mut names: Vec<&str> = names.chain(absent).collect();
    let gravest = |name: &&str| notes.get(*name).and_then(|notes| notes.iter().map(|note| note.0).max());
    names.sort_by_key(|name| std::cmp::Reverse(gravest(name)));
    let view = |(place, name): (usize, &'a str)| ColumnView {
        place,
        name,
        now: known.get(name).copied(),
        reference: there.get(name).copied(),
        rules: rules.get(name).copied(),
        notes: notes
            .get(name)
            .into_iter()
            .flatten()
            .map(|(severity, words)| (class_of_severity(*severity), words.clone()))
            .collect(),
    };
    (1..).zip(names).map(view).collect()
}

pub(super) fn by_name(profile: Option<&Profile>) -> HashMap<&str, &crate::profile::ColumnProfile> {
    profile.into_iter().flat_map(Profile::columns).map(|column| (column.name(), column)).collect()
}

/// Cards of the first columns, and a line for each of the others.
pub(super) fn columns(paper: &mut Paper, views: &[ColumnView<'_>], compared: bool, gate: &Gate) {
    let (cards, lines) = views.split_at(views.len().min(REPORT_COLUMNS));
    paper.put(&html! {
        h2 { "Columns" }
        @if compared {
            p.legend {
                span { i.key.now {} "this file" }
                span { i.key.ref {} "reference, in the same bins and on the same scale" }
            }
        }
    });
    paper.put(&open("div class=\"columns\""));
    let left_out = paper.put_all(cards, |view| card(view, gate));
    paper.put(&close("div"));
    paper.put(&left(left_out, "column", "columns"));
    if lines.is_empty() || left_out > 0 {
        paper.put(&left(lines.len(), "column", "columns"));
        return;
    }
    paper.put(&html! { h2 { (counted(lines.len() as u64, "further column", "further columns")) } });
    paper.put(&open("div class=\"card\"><table class=\"stack\""));
    paper.put(&html! { thead { tr {
        th scope="col" { "Column" } th scope="col" { "Type" }
        @for name in ["Missing", "Distinct", "Least", "Median", "Greatest"] { th.num scope="col" { (name) } }
    } } });
    paper.put(&open("tbody"));
    let left_out = paper.put_all(lines, |view| line(view, gate));
    paper.put(&close("tbody></table></div"));
    paper.put(&left(left_out, "column", "columns"));
}

/// What values the page may show.
pub(super) fn notes() -> Vec<Markup> {
    vec![
        html! { "Findings name rows and show shapes, in which letters are " code { "A" } " and " code { "a" } ", digits " code { "9" } ", and repetitions one; never the value." },
        html! {
            "Numbers, days and times are summed up: least, greatest, mean, quantiles and counts between edges, unless they look like personal data or fewer than " (TOLD_ROWS) " rows have one. Quantiles and large counts of different values are estimates. "
            "Values of text are shown only where a column has few, each in " (TOLD_ROWS) " rows or more and none that looks like personal data, as a schema lists them; other text is shown by shape."
        },
    ]
}
