//! `data schema infer`: what a clean file allows, and the distributions that drift is measured from.

use std::path::{Path, PathBuf};

use bartizan_base::sha256;
use bartizan_data::report::Gate;
use bartizan_data::{
    ColumnType, DriftRules, InferOptions, NotInferred, Profile, ReferenceProfile, Schema, SchemaInvalid,
    WithoutRange, drift, personal_domain,
};
use serde_json::{Value, json};

use super::super::put::{Kind, may_replace, put};
use super::super::report::apart;
use super::super::{profile_options, profiled, threads};
use crate::catalog::ids;
use crate::cli::Reading;
use crate::commands::{Work, file_failure};
use crate::failure::Failure;
use crate::out::Format;

/// Columns without a range that are named beside a schema that is printed.
const TOLD: usize = 50;

pub(super) fn run(
    work: &Work,
    file: &Path,
    label: Option<String>,
    (reading, null): (&Reading, &[String]),
    out: Option<&Path>,
    reference: Option<&Path>,
) -> Result<u8, Failure> {
    apart(out.into_iter().chain(reference), &[file])?;
    if let Some(path) = reference {
        may_replace(path, Kind::Profile, "--reference").map_err(|failure| {
            let next = "name a new file with --reference: the profile of the table is written there";
            failure.then(next)
        })?;
    }
    if let Some(path) = out {
        may_replace(path, Kind::Schema, "--out")?;
    }
    let options = profile_options(reading, null)?;
    let (profile, read) = profiled(work, file, &options, threads(reading.threads))?;
    let inferred = Schema::infer(&profile, read.format(), &InferOptions { label });
    let mut schema = inferred.map_err(|error: NotInferred| {
        Failure::of(ids::INVALID, &error).then("name a column of the file with --label")
    })?;
    let mut frozen = None;
    if let Some(path) = reference {
        let bytes = profile.to_bytes().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        let named = beside(path, out)?;
        schema.reference = Some(ReferenceProfile {
            profile: named,
            sha256: Some(sha256(&bytes)),
            level: ReferenceProfile::LEVEL,
        });
        limit_drift(&mut schema, &profile);
        frozen = Some((path, bytes));
    }
    let text = schema.to_toml().map_err(|error: SchemaInvalid| Failure::of(ids::SCHEMA, &error))?;
    if let Some((path, bytes)) = frozen {
        put(path, &bytes)?;
    }
    let (without, personal) = (without_range(&profile), without_domain(&profile));
    let table = work.out.format == Format::Table;
    if out.is_none() && table {
        told(work, &without, &personal);
        return work.deliver(None, text.as_bytes());
    }
    let without: Vec<Value> =
        without.into_iter().map(|(column, why)| json!({ "column": column, "why": why.message() })).collect();
    let mut answer = match out {
        None => json!({ "schema": text }),
        Some(path) => {
            put(path, text.as_bytes())?;
            json!({ "file": path.display().to_string(), "bytes": text.len() })
        }
    };
    let personal: Vec<Value> =
        personal.into_iter().map(|(column, kind)| json!({ "column": column, "looksLike": kind })).collect();
    if let Some(members) = answer.as_object_mut() {
        for (name, list) in [("without_range", without), ("without_domain", personal)] {
            // People are not told of nothing.
            if !(table && list.is_empty()) {
                members.insert(name.to_owned(), list.into());
            }
        }
    }
    work.answer(&answer)
}

/// Limits drift of each column that has enough of a distribution: numbers, and what has a domain.
fn limit_drift(schema: &mut Schema, profile: &Profile) {
    for column in &mut schema.columns {
        let counted = profile.column(&column.name).is_some_and(|known| known.values().is_some());
        let statistic = match column.kind {
            // What numbers rows is other numbers in the next batch.
            ColumnType::Integer | ColumnType::Float if is_measured(profile, &column.name) => {
                drift::Statistic::KolmogorovSmirnov
            }
            ColumnType::Boolean | ColumnType::String if counted && column.domain.is_some() => {
                drift::Statistic::JensenShannon
            }
            _ => continue,
        };
        column.drift = Some(DriftRules { statistic: Some(statistic), limit: statistic.floor() });
    }
}

fn is_measured(profile: &Profile, column: &str) -> bool {
    let why = profile.column(column).map(WithoutRange::of);
    why.is_some_and(|why| why.is_none_or(|why| why == WithoutRange::TooFar))
}

/// The columns of numbers that got no range, which somebody may want to give them, and why.
fn without_range(profile: &Profile) -> Vec<(&str, WithoutRange)> {
    let columns = profile.columns().iter();
    columns.filter_map(|column| Some((column.name(), WithoutRange::of(column)?))).collect()
}

/// The columns whose values are not listed, and what these look like.
fn without_domain(profile: &Profile) -> Vec<(&str, String)> {
    let gate = Gate::new();
    let columns = profile.columns().iter();
    columns.filter_map(|column| Some((column.name(), personal_domain(column, &gate)?))).collect()
}

/// Says beside a schema that is printed which columns got no range, and which no domain.
fn told(work: &Work, without: &[(&str, WithoutRange)], personal: &[(&str, String)]) {
    for (column, kind) in personal.iter().take(TOLD) {
        work.out.note(&format!("no domain for `{column}`: its values look like {kind}"));
    }
    for (column, why) in without.iter().take(TOLD) {
        work.out.note(&format!("no range for `{column}`: {}", why.message()));
    }
    if let Some(more @ 1..) = without.len().checked_sub(TOLD) {
        work.out.note(&format!("no range for {more} more columns"));
    }
}

/// How a schema that is written to `schema`, or here, names a file: by the way from its directory.
fn beside(path: &Path, schema: Option<&Path>) -> Result<String, Failure> {
    let directory = |path: &Path| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        std::fs::canonicalize(parent).map_err(|error| file_failure(parent, &error))
    };
    let (to, from) = (directory(path)?, directory(schema.unwrap_or(Path::new("schema.toml")))?);
    let same = to.components().zip(from.components()).take_while(|(one, other)| one == other).count();
    let mut way = PathBuf::new();
    from.components().skip(same).for_each(|_| way.push(".."));
    way.extend(to.components().skip(same));
    way.extend(path.file_name());
    way.to_str().map(str::to_owned).ok_or_else(|| {
        Failure::new(ids::USAGE, format!("`{}` cannot be named in a schema, which is UTF-8", path.display()))
            .then("give the reference a name in UTF-8")
    })
}
