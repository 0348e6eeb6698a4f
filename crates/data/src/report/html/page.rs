//! The frame of a page: one file that asks nobody for anything, of bounded size.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::check::Outcome;
use crate::limits::REPORT_BYTES;
use crate::report::{Subject, plain};
use crate::schema::Severity;

const STYLE: &str = include_str!("page.css");
/// Nothing is loaded, run or sent; the style is in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A page while it is written: what has no room is left out, and counted.
pub(super) struct Paper {
    text: String,
    room: usize,
}

impl Paper {
    /// An empty page with room for its own beginning and end.
    pub(super) fn new() -> Self {
        Self { text: String::new(), room: REPORT_BYTES - STYLE.len() - 64 * 1024 }
    }

    /// Writes a part if there is room for it.
    pub(super) fn put(&mut self, part: &Markup) -> bool {
        let fits = self.text.len() + part.0.len() <= self.room;
        if fits {
            self.text.push_str(&part.0);
        }
        fits
    }

    /// Writes parts until there is no room, and returns how many were left out.
    pub(super) fn put_all<T>(
        &mut self,
        parts: impl IntoIterator<Item = T>,
        each: impl Fn(T) -> Markup,
    ) -> usize {
        let mut left_out = 0;
        for part in parts {
            if left_out > 0 || !self.put(&each(part)) {
                left_out += 1;
            }
        }
        left_out
    }

    /// The page.
    pub(super) fn finish(self, title: &str) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="referrer" content="no-referrer";
                    meta name="color-scheme" content="light dark";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body { main { (PreEscaped(self.text)) } }
            }
        };
        page.0
    }
}

/// Name and verdict of what was judged.
pub(super) struct Heading<'a> {
    pub(super) subject: &'a Subject,
    /// What was done: `Data check`.
    pub(super) task: &'static str,
    pub(super) outcome: Outcome,
    /// The verdict in one sentence, and what belongs to it.
    pub(super) verdict: Markup,
    /// What is in small print below the name.
    pub(super) facts: Vec<(&'static str, Markup)>,
}

pub(super) fn heading(heading: &Heading<'_>) -> Markup {
    let Heading { subject, task, outcome, verdict, facts } = heading;
    let class = class_of(*outcome);
    html! {
        header {
            p.brand { (turret()) "Bartizan" span.task { (task) } }
            div.head {
                h1 { (foreign(&subject.name)) }
                span.pill.(class) { (icon(class)) (outcome.as_str()) }
            }
            div.banner.(class) { (icon(class)) div { (verdict) } }
            dl.sub {
                @for (name, value) in facts { div { dt { (name) } dd { (value) } } }
            }
        }
    }
}

/// Large numbers in a row.
pub(super) fn tiles(tiles: &[(&str, String, String)]) -> Markup {
    html! {
        dl.tiles {
            @for (name, value, hint) in tiles {
                div.card { dt { (name) } dd { strong { (value) } span { (hint) } } }
            }
        }
    }
}

pub(super) fn footer(subject: &Subject, notes: &[Markup]) -> Markup {
    html! {
        footer {
            h2 { "What this page holds" }
            @for note in notes { p { (note) } }
            p.by {
                "Written by Bartizan " (plain(&subject.version))
                @if let Some(at) = subject.at { " on " time datetime=(at) { (at) } }
                ". The page is complete in itself: it loads nothing and runs no script."
            }
        }
    }
}

/// Text from outside, whose direction does not reach beyond it.
pub(super) fn foreign(text: &str) -> Markup {
    html! { bdi { (plain(text)) } }
}

/// A name from outside.
pub(super) fn named(name: &str) -> Markup {
    html! { code { bdi { (plain(name)) } } }
}

pub(super) const fn class_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Valid => "ok",
        Outcome::Invalid => "bad",
        Outcome::Error => "warn",
    }
}

pub(super) const fn class_of_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Block => "bad",
        Severity::Warn => "warn",
    }
}

/// A sign for a class: they differ in form, not in colour alone.
pub(super) fn icon(class: &str) -> Markup {
    let path = match class {
        "ok" => "M3 8.5 6.5 12 13 4.5",
        "bad" => "M5.2 1.8h5.6l3.4 3.4v5.6l-3.4 3.4H5.2l-3.4-3.4V5.2zM8 4.8v3.7M8 11v.2",
        "warn" => "M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.7v.1",
        _ => "M3.5 8h9",
    };
    html! { svg.icon viewBox="0 0 16 16" aria-hidden="true" focusable="false" { path d=(path) {} } }
}

/// The mark of the brand.
fn turret() -> Markup {
    html! {
        svg.turret viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
            path.body d="M4 2.5h3.6v2.6h2.6V2.5h3.6v2.6h2.6V2.5H20v10.2H4zM5.2 14.2h13.6L14.6 21.5H9.4z" {}
            path.slit d="M11 7.2h2v4h-2z" {}
        }
    }
}

/// `1 check`, `2 checks`.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    let number = crate::profile::render::grouped(count);
    format!("{number} {}", if count == 1 { one } else { many })
}

/// `1.2 MB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let (mut amount, mut unit) = (bytes as f64, 0);
    while amount >= 1_000.0 && unit + 1 < UNITS.len() {
        amount /= 1_000.0;
        unit += 1;
    }
    let unit = UNITS.get(unit).copied().unwrap_or("TB");
    if bytes < 1_000 || amount >= 100.0 {
        format!("{amount:.0} {unit}")
    } else {
        format!("{amount:.1} {unit}")
    }
}
