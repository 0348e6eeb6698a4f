//! `data schema import`: a schema made of a suite of expectations, and what became of each of them.

use std::path::Path;

use bartizan_data::ProfileOptions;
use bartizan_data::expectations::{Imported, ImportedExpectation, NotImported, Translation, import};
use serde_json::{Value, json};

use super::super::put::{Kind, may_replace, put};
use super::super::report::apart;
use super::super::{profiled, threads};
use crate::catalog::ids;
use crate::commands::{Work, read_text};
use crate::failure::Failure;
use crate::out::Format;

/// Bytes of a suite of expectations.
const SUITE_BYTES: u64 = 8 * 1024 * 1024;

pub(super) fn run(work: &Work, suite: &Path, like: Option<&Path>, out: Option<&Path>) -> Result<u8, Failure> {
    apart(out.into_iter(), &[suite].into_iter().chain(like).collect::<Vec<_>>())?;
    if let Some(path) = out {
        may_replace(path, Kind::Schema, "--out")?;
    }
    let json = read_text(suite, SUITE_BYTES)?;
    let like = like
        .map(|file| profiled(work, file, &ProfileOptions::default(), threads(None)))
        .transpose()?
        .map(|(profile, read)| (profile, read.format()));
    let known = like.as_ref().map(|(profile, format)| (profile, *format));
    let imported = import(json.as_bytes(), known).map_err(|error: NotImported| {
        let mut failure = Failure::of(ids::INVALID, &error);
        failure.what = format!("`{}`: {}", suite.display(), failure.what);
        failure.then(
            "name the JSON of an expectation suite; docs/formats/expectations.md says what becomes of it",
        )
    })?;
    let text = imported.to_toml().map_err(|error| Failure::of(ids::SCHEMA, &error))?;
    if out.is_none() && work.out.format == Format::Table {
        return work.deliver(None, text.as_bytes());
    }
    if let Some(path) = out {
        put(path, text.as_bytes())?;
    }
    match work.out.format {
        Format::Table => {
            work.out.lines(&listed(&imported)).map_err(|error| Failure::of(ids::FILE, &error))?;
            Ok(0)
        }
        Format::Json | Format::Jsonl => {
            let expectations: Vec<Value> = imported.expectations.iter().map(described).collect();
            work.answer(&match out {
                Some(path) => json!({ "expectations": expectations, "file": path.display().to_string() }),
                None => json!({ "expectations": expectations, "schema": text }),
            })
        }
    }
}

fn listed(imported: &Imported) -> String {
    let (whole, partly, not) = imported.counts();
    let mut text = format!(
        "suite `{}`: {} expectations translated, {partly} of them in part, {not} not\n",
        imported.name,
        whole + partly
    );
    for one in &imported.expectations {
        let column = one.column.as_deref().unwrap_or("(table)");
        let said = match &one.translation {
            Translation::Whole(how) => how.clone(),
            Translation::Partly { how, but } => format!("{how}, but {but}"),
            Translation::Not(why) => format!("NOT TRANSLATED: {why}"),
        };
        text.push_str(&format!("  {}. {}  {column}: {said}\n", one.place, one.kind));
    }
    text
}

fn described(one: &ImportedExpectation) -> Value {
    let (outcome, how) = match &one.translation {
        Translation::Whole(how) => ("whole", Some(how)),
        Translation::Partly { how, .. } => ("partly", Some(how)),
        Translation::Not(_) => ("not", None),
    };
    json!({ "column": one.column, "expectation": one.kind, "how": how, "lost": one.translation.lost(),
            "outcome": outcome, "place": one.place })
}
