//! The page of an examination for poisoning and wrong labels.

use maud::{Markup, html};

use super::check::{close, left, open};
use super::findings::severity;
use super::page::{Heading, Paper, class_of_severity, counted, footer, foreign, heading, icon, named, tiles};
use super::title;
use crate::check::Outcome;
use crate::limits::QUALITY_EXAMPLES;
use crate::profile::render::grouped;
use crate::quality::{Finding, Of, QualityReport};
use crate::report::rules::about;
use crate::report::{Subject, plain};

const TASK: &str = "Poisoning and label quality";
/// Columns of one finding that are named.
const NAMED: usize = 12;

/// What an examination of a labelled table says. It holds no value: triggers and labels are named by their columns alone.
///
/// The page is [`REPORT_BYTES`](crate::limits::REPORT_BYTES) at most, and says what it had no room for.
pub fn quality(subject: &Subject, report: &QualityReport) -> String {
    let mut paper = Paper::new();
    paper.put(&top(subject, report));
    paper.put(&html! { h2 { "Findings" } });
    if report.findings.is_empty() {
        paper.put(&html! { div.card { p.empty { "Nothing was found." } } });
    } else {
        paper.put(&open("ul class=\"card findings\""));
        let left_out = paper.put_all(&report.findings, finding);
        paper.put(&close("ul"));
        paper.put(&left(left_out, "finding", "findings"));
    }
    paper.put(&rules(report));
    let note =
        html! { "Names of columns, numbers of rows, counts and probabilities; no value, and no label." };
    paper.put(&footer(subject, &[note]));
    paper.finish(&title(TASK, &subject.name))
}

fn top(subject: &Subject, report: &QualityReport) -> Markup {
    let outcome = report.outcome();
    let (blocking, all) = (report.blocking() as u64, report.findings.len() as u64);
    let wanting = report.not_run.iter().filter(|one| one.planned).count() as u64;
    let rows = counted(report.rows as u64, "row", "rows");
    let verdict = html! {
        @match outcome {
            Outcome::Valid => p {
                strong { "Nothing refuses this file." } " " (counted(report.ran.len() as u64, "rule", "rules")) " looked at " (rows)
                @if all > 0 { "; " (counted(all, "finding warns", "findings warn")) "." } @else { " and found nothing." }
            },
            Outcome::Invalid => p {
                strong { "This file is refused." } " " (counted(blocking, "finding", "findings")) " in " (rows)
                " should not be trained on before somebody has looked."
            },
            Outcome::Error => p {
                strong { "There is no verdict." } " "
                @if wanting > 0 { (counted(wanting, "rule that was asked for", "rules that were asked for")) " did not run." }
                @else { "More was found than a report holds." }
            },
        }
        @if outcome == Outcome::Invalid && wanting > 0 { p.by { (counted(wanting, "rule", "rules")) " that should have run did not." } }
    };
    html! {
        (heading(&Heading {
            subject,
            task: TASK,
            outcome,
            verdict,
            facts: vec![
                ("Label", foreign(&report.label)),
                ("Features", html! { (grouped(report.features.len() as u64)) }),
                ("Seed", html! { (report.seed) }),
            ],
        }))
        (tiles(&[
            ("Rows", grouped(report.rows as u64), "all of them looked at".to_owned()),
            ("Rules run", grouped(report.ran.len() as u64), format!("{} did not run", report.not_run.len())),
            ("Refuse", grouped(blocking), "findings that block".to_owned()),
            ("Warn", grouped(all - blocking.min(all)), "findings worth a look".to_owned()),
        ]))
    }
}

fn finding(one: &Finding) -> Markup {
    let class = class_of_severity(one.severity);
    let shown: Vec<String> =
        one.rows.iter().take(QUALITY_EXAMPLES).map(|row| grouped(u64::from(*row))).collect();
    let unit = match one.of {
        Of::Table => "rows ",
        Of::Test => "rows of the test file ",
    };
    html! {
        li.finding {
            span.node.(class) { (icon(class)) }
            div {
                p.title {
                    @if one.columns.is_empty() { "The whole file" }
                    @for (at, name) in one.columns.iter().take(NAMED).enumerate() { @if at > 0 { ", " } (named(name)) }
                    @if one.columns.len() > NAMED { " and " (one.columns.len() - NAMED) " more" }
                    " " span.rule { (one.rule.id()) }
                    " " span.pill.(class) { (severity(one.severity)) }
                }
                p { (plain(&one.message)) "." }
                @if !shown.is_empty() {
                    p.examples { (unit) (shown.join(", ")) @if one.count > shown.len() { ", …" } }
                }
            }
            div.measure {
                p { strong { (grouped(one.count as u64)) } " rows" }
                @if let Some(chance) = one.chance { p.scale { span { "by chance " (chance) } } }
            }
        }
    }
}

fn rules(report: &QualityReport) -> Markup {
    html! {
        h2 { "Rules" }
        div.card {
            table.stack {
                thead { tr {
                    th scope="col" { "Rule" } th scope="col" { "What it asks for" } th scope="col" { "How it was done" } th.num scope="col" { "Findings" }
                } }
                tbody {
                    @for (rule, how) in &report.ran {
                        @let found = report.findings.iter().filter(|one| one.rule == *rule).count();
                        tr {
                            th scope="row" { span.rule { (rule.id()) } }
                            td.words data-label="Asks" { (about(rule.id())) }
                            td.words data-label="How" { (plain(how)) }
                            td.num data-label="Findings" { @if found == 0 { span.nil { "0" } } @else { (found) } }
                        }
                    }
                    @for one in &report.not_run {
                        tr {
                            th scope="row" { span.rule { (one.rule.id()) } }
                            td.words data-label="Asks" { (about(one.rule.id())) }
                            td.words data-label="How" { (plain(&one.reason)) }
                            td.num.warn[one.planned] data-label="Findings" { "not run" }
                        }
                    }
                }
            }
        }
    }
}
