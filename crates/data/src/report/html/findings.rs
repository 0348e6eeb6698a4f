//! What was found, as a list: the gravest first.

use maud::{Markup, html};

use super::chart::{gauge, percent};
use super::page::{class_of_severity, counted, icon, named};
use crate::check::Finding;
use crate::report::plain;
use crate::schema::Severity;

/// One finding of a check, with a link to its column if that has a place on the page.
pub(super) fn finding(finding: &Finding, column: Option<usize>) -> Markup {
    let class = class_of_severity(finding.severity);
    let cells = !finding.examples.is_empty();
    html! {
        li.finding {
            span.node.(class) { (icon(class)) }
            div {
                p.title {
                    @match (&finding.column, column) {
                        (Some(name), Some(place)) => a href={ "#c" (place) } { (named(name)) },
                        (Some(name), None) => (named(name)),
                        (None, _) => "The whole file",
                    }
                    " " span.rule { (finding.rule.id()) }
                    " " span.pill.(class) { (severity(finding.severity)) }
                }
                p { (plain(&finding.message)) "." }
                @if cells {
                    p.examples {
                        @if finding.column.is_some() { (counted(finding.count, "cell", "cells")) } @else { (counted(finding.count, "row", "rows")) }
                        @if finding.count > finding.examples.len() as u64 { ", among them " } @else { ": " }
                        @for (at, example) in finding.examples.iter().enumerate() {
                            @if at > 0 { ", " }
                            span.example { "row " (crate::profile::render::grouped(example.row)) @if !example.shape.is_empty() { " " code { bdi { (plain(&example.shape)) } } } }
                        }
                    }
                }
            }
            @if cells { (measure(finding, class)) }
        }
    }
}

/// The share that was found beside the one that is allowed, on a scale on which both can be told apart.
fn measure(finding: &Finding, class: &'static str) -> Markup {
    let full = [1.0, 0.3, 0.1, 0.03, 0.01, 0.003]
        .into_iter()
        .filter(|full| *full >= finding.share.max(finding.limit));
    let full = full.fold(1.0, f64::min);
    html! {
        div.measure {
            p { strong { (percent(finding.share)) } " of " (percent(finding.limit)) " allowed" }
            (gauge(finding.share / full, finding.limit / full, class))
            p.scale { span { "0" } span { (percent(full)) } }
        }
    }
}

pub(super) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Block => "refuses",
        Severity::Warn => "warns",
    }
}
