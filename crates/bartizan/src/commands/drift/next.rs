//! What follows from a comparison, and the next command, which repeats the one that was given.

use std::ffi::OsString;
use std::path::Path;

use bartizan_data::Outcome;
use bartizan_data::drift::{NotJudged, Verdict};

use super::Compared;
use super::input::{Input, Opened};
use crate::cli::Drift;
use crate::out::shown;

/// The outcome and what to do.
pub(super) fn next(drift: &Drift, opened: &Opened, compared: &[Compared], outcome: Outcome) -> String {
    let step = match outcome {
        Outcome::Valid => return "outcome: no drift\n".to_owned(),
        Outcome::Error => {
            let few = compared.iter().flat_map(|one| one.report.not_judged());
            let few = few.filter(|line| line.verdict == Verdict::NotJudged(NotJudged::TooFew)).count();
            let step = if compared.iter().all(|one| one.report.columns.is_empty()) {
                "no column was compared: leave fewer out, or name some with `--columns COLUMN`"
            } else if few > 0 {
                "more rows, or fewer columns at once with `--columns`, make a verdict possible"
            } else {
                "mend what could not be judged, or leave it out with `--leave-out COLUMN`"
            };
            return format!(
                "outcome: error, something could not be judged, so there is no all-clear\nnext: {step}\n"
            );
        }
        Outcome::Invalid => after_drift(drift, opened, compared),
    };
    format!("outcome: drift\nnext: {step}\n")
}

fn after_drift(drift: &Drift, opened: &Opened, compared: &[Compared]) -> String {
    // The first file that drifts; with `--by` there is one, or the reference itself is taken apart.
    let at = compared.iter().position(|one| one.report.outcome() == Outcome::Invalid).unwrap_or(0);
    let current = drift.current.get(at).or_else(|| drift.current.first()).unwrap_or(&drift.reference);
    let current = file(current);
    let kinds: Vec<&str> =
        compared.iter().flat_map(|one| one.kinds.iter().flatten()).map(|kind| kind.id).collect();
    let is_table = matches!(opened.inputs, Input::Tables(_));
    let untold = drift.time.is_none() && drift.source.is_none() && drift.label.is_none();
    if kinds.iter().any(|kind| matches!(*kind, "suspected-attack" | "one-label")) {
        let label = drift.label.as_deref().unwrap_or("LABEL");
        format!("bartizan data poison {current} --label {}", quoted(label))
    } else if kinds.contains(&"one-source") {
        "ask that source what it changed, and compare again with its rows left out".to_owned()
    } else if kinds.contains(&"schema-change") {
        format!("bartizan data schema infer {current} --out new.toml, and compare it with the schema in use")
    } else if untold && is_table {
        let given = std::env::args_os().skip(1).collect();
        format!(
            "name the columns that tell what kind of change it is: {}",
            repeated(given, "--time COLUMN --source COLUMN --label COLUMN")
        )
    } else {
        format!("bartizan data profile {current}, then train anew if the change is real")
    }
}

fn file(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// The command that was given, with more options.
fn repeated(given: Vec<OsString>, more: &str) -> String {
    let mut words = vec!["bartizan".to_owned()];
    let mut more = Some(more.to_owned());
    for word in given {
        // What follows this is no option.
        if word == "--" {
            words.extend(more.take());
        }
        words.push(quoted(&word.to_string_lossy()));
    }
    words.extend(more);
    words.join(" ")
}

/// A word as a shell takes it for itself alone. What a terminal would obey is shown instead, in a form that shells know.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if shown(word) == word {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut text = "$'".to_owned();
    for c in word.chars() {
        if matches!(c, '\'' | '\\') {
            text.extend(['\\', c]);
        } else if shown(c.encode_utf8(&mut [0; 4])).starts_with('\\') {
            text.push_str(&format!("\\U{:08x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text.push('\'');
    text
}
