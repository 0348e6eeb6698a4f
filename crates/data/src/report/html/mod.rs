//! Pages: one HTML file each, complete in itself, for people who were not there when it was written.
//!
//! A page loads nothing and runs no script; a policy in it forbids both. It looks like the console, light or dark as its
//! reader likes, on a telephone, a screen and paper. Charts have words and tables beside them, and no colour says anything alone.

mod bins;
mod chart;
mod check;
mod column;
mod drift;
mod findings;
mod page;
mod quality;
mod shown;

use std::error::Error;

use maud::html;

pub use self::check::check;
pub use self::drift::drift;
use self::page::{Heading, Paper, footer, foreign, heading};
pub use self::quality::quality;
use super::{Subject, plain};
use crate::check::Outcome;

/// The page of something that could not be judged: the file cannot be read to its end, or what is asked for cannot be done.
/// `task` is what was to be done, such as `Data check`.
pub fn unread(subject: &Subject, task: &'static str, why: &dyn Error) -> String {
    let mut reasons = vec![why.to_string()];
    let mut source = why.source();
    while let Some(error) = source {
        reasons.push(error.to_string());
        source = error.source();
    }
    let verdict = html! {
        p { strong { "There is no verdict" } " on " (foreign(&subject.name)) ": what was asked for did not run to its end, so nothing is known of it." }
        @for reason in &reasons { p.by { (plain(reason)) } }
    };
    let heading = heading(&Heading {
        subject,
        task,
        outcome: Outcome::Error,
        verdict,
        facts: against(subject).into_iter().collect(),
    });
    let mut paper = Paper::new();
    paper.put(&heading);
    let note =
        html! { "No value of the file: what was read until then proves nothing, and was thrown away." };
    paper.put(&footer(subject, &[note]));
    paper.finish(&title(task, &subject.name))
}

fn title(task: &str, name: &str) -> String {
    format!("{task}: {}", plain(name))
}

/// What it was held against, with the first digits of its digest.
fn against(subject: &Subject) -> Option<(&'static str, maud::Markup)> {
    let against = subject.against.as_ref()?;
    let shown = html! {
        (foreign(&against.name))
        @if let Some(digest) = &against.digest { " " code.digest title=(digest) { "sha256:" (digest.short()) "…" } }
    };
    Some(("Held against", shown))
}
