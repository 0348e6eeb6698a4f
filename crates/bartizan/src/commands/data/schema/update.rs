//! `data schema update`: a schema that allows what new files hold, and what is left for a person to judge.

use std::path::{Path, PathBuf};

use bartizan_data::limits::{COLUMNS, FINDINGS};
use bartizan_data::{Change, CheckOptions, Left, NotUpdated, Schema, Tier, Updated, check_table};
use serde_json::{Value, json};

use super::super::put::{Kind, may_replace, put};
use super::super::report::apart;
use super::super::{diff, format_of, parse_schema, source, threads, unreadable};
use crate::catalog::ids;
use crate::commands::Work;
use crate::failure::Failure;
use crate::out::Format;

/// Passes over a file after which a schema has changed all that it can: a wider type lets the range be looked at, and a report
/// does not hold the findings of all columns that a file can have.
const PASSES: usize = 4 + COLUMNS / FINDINGS;

/// How a schema is to be updated.
pub(super) struct Wanted {
    pub(super) environment: Option<String>,
    pub(super) format: Option<String>,
    pub(super) dry_run: bool,
    pub(super) diff: bool,
}

/// A schema that was updated, and by which file.
struct Widened<'a> {
    text: String,
    changes: Vec<(&'a Path, Change)>,
    left: Vec<(&'a Path, Left)>,
}

pub(super) fn run(
    work: &Work,
    schema: &Path,
    files: &[PathBuf],
    out: &Path,
    wanted: &Wanted,
) -> Result<u8, Failure> {
    let read: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    apart(std::iter::once(out), &read)?;
    if out != schema && !wanted.dry_run {
        may_replace(out, Kind::Schema, "--out")?;
    }
    // Says what is wrong with the schema, and where.
    let (known, before) = parse_schema(schema)?;
    environment_is_there(&known, wanted.environment.as_deref())?;
    let widened = widen(work, &before, files, wanted)?;
    let written = !wanted.dry_run && (widened.text != before || out != schema);
    if written {
        put(out, widened.text.as_bytes())?;
    }
    let diff = wanted.diff.then(|| diff::unified(&before, &widened.text, &schema.display().to_string()));
    show(work, &widened, written.then_some(out), diff)
}

fn environment_is_there(known: &Schema, environment: Option<&str>) -> Result<(), Failure> {
    let Some(unknown) = environment.filter(|one| !known.environments.iter().any(|other| other == one)) else {
        return Ok(());
    };
    let names = known.environments.join(", ");
    let next = if names.is_empty() {
        "leave out --environment: it has none".to_owned()
    } else {
        format!("it has: {names}")
    };
    Err(Failure::new(ids::USAGE, format!("the schema has no environment `{unknown}`")).then(next))
}

/// Lets the schema allow what each file holds, one after the other.
fn widen<'a>(
    work: &Work,
    before: &str,
    files: &'a [PathBuf],
    wanted: &Wanted,
) -> Result<Widened<'a>, Failure> {
    let format = format_of(wanted.format.as_deref())?;
    let environment = wanted.environment.as_deref();
    let mut widened = Widened { text: before.to_owned(), changes: Vec::new(), left: Vec::new() };
    for file in files {
        // Standard input and pipes are gone once they are read.
        let again = std::fs::metadata(file).map_or(file != Path::new("-"), |metadata| metadata.is_file());
        for pass in 1..=PASSES {
            let parsed = Schema::parse(&widened.text).map_err(|error| Failure::of(ids::SCHEMA, &error))?;
            let (source, progress) = source(work, file, "reading")?;
            let options = CheckOptions {
                environment,
                format,
                threads: threads(None),
                ..CheckOptions::new(Tier::Explore)
            };
            let checked = check_table(source, &parsed, &options);
            drop(progress);
            let report = checked.map_err(|error| unreadable(file, &error))?;
            let updated = Schema::update(&widened.text, &report, environment);
            let updated = updated.map_err(|error: NotUpdated| Failure::of(ids::SCHEMA, &error))?;
            let Updated { text, changes, left } = updated;
            let done = changes.is_empty();
            widened.changes.extend(changes.into_iter().map(|change| (file.as_path(), change)));
            widened.text = text;
            if done || !again || pass == PASSES {
                widened.left.extend(left.into_iter().map(|one| (file.as_path(), one)));
                break;
            }
        }
    }
    Ok(widened)
}

fn show(work: &Work, widened: &Widened<'_>, out: Option<&Path>, diff: Option<String>) -> Result<u8, Failure> {
    let Widened { changes, left, .. } = widened;
    if work.out.format == Format::Table {
        // A terminal is shown what controls it; a program that is fed the diff gets it as it is.
        let lines = diff.unwrap_or_default();
        let printed = work.out.lines(&in_words(widened, out)).and_then(|()| work.out.file(&lines));
        printed.map_err(|error| Failure::of(ids::FILE, &error))?;
        return Ok(0);
    }
    let change = |(file, one): &(&Path, Change)| {
        json!({ "column": one.column, "file": file.display().to_string(), "from": one.from, "rule": one.rule,
                "to": one.to })
    };
    let stays = |(file, one): &(&Path, Left)| json!({ "column": one.column, "file": file.display().to_string(), "rule": one.rule, "why": one.why });
    let changes: Vec<Value> = changes.iter().map(change).collect();
    let left: Vec<Value> = left.iter().map(stays).collect();
    let file = out.map(|out| out.display().to_string());
    let mut answer = json!({ "changes": changes, "left": left, "written": file });
    if let (Some(answer), Some(diff)) = (answer.as_object_mut(), diff) {
        answer.insert("diff".to_owned(), diff.into());
    }
    work.answer(&answer)
}

fn in_words(widened: &Widened<'_>, out: Option<&Path>) -> String {
    let mut shown = String::new();
    for (file, change) in &widened.changes {
        let column = change.column.as_deref().unwrap_or("(batch)");
        let from = change.from.as_deref().unwrap_or("nothing");
        let file = file.display();
        shown.push_str(&format!("{column}  {}: {from} -> {}  ({file})\n", change.rule, change.to));
    }
    for (file, one) in &widened.left {
        let column = one.column.as_deref().unwrap_or("(batch)");
        let (file, Left { rule, why, .. }) = (file.display(), one);
        shown.push_str(&format!(
            "{column}  {rule} is broken, and left for a person to judge: {why}  ({file})\n"
        ));
    }
    if widened.changes.is_empty() && widened.left.is_empty() {
        shown.push_str("nothing to change: the files keep the schema\n");
    }
    if let Some(out) = out {
        shown.push_str(&format!("written to {}\n", out.display()));
    }
    shown
}
