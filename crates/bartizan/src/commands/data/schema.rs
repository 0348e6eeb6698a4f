//! `data schema`: schemas made of files, of suites of expectations, and of schemas before; and what checks need beside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bartizan_base::{Clock as _, Hasher, Timestamp, TimestampInvalid};
use bartizan_data::expectations::{Imported, NotImported, Translation, import};
use bartizan_data::{
    CheckOptions, ColumnType, DriftRules, InferOptions, KnownTable, NotInferred, NotKnown, NotUpdated,
    Profile, ProfileInvalid, ProfileOptions, ReadOptions, ReferenceProfile, Schema, SchemaInvalid, Tier,
    Updated, check_table, drift,
};
use bartizan_store::SystemClock;
use serde_json::{Value, json};

use super::{diff, format_of, parse_schema, profile_options, profiled, source, threads, unreadable};
use crate::catalog::ids;
use crate::cli::{Beside, Reading, Schema as Verb};
use crate::commands::{Work, file_failure, read_text};
use crate::failure::Failure;
use crate::out::Format;

/// Bytes of a stored profile.
const PROFILE_BYTES: u64 = 512 * 1024 * 1024;

/// Bytes of a suite of expectations.
const SUITE_BYTES: u64 = 8 * 1024 * 1024;

/// Passes over a file after which a schema has changed all that it can: a wider type lets the range be looked at.
const PASSES: usize = 4;

pub(super) fn run(work: &Work, verb: Verb) -> Result<u8, Failure> {
    match verb {
        Verb::Infer { file, label, reading, out, reference } => {
            infer(work, &file, label, &reading, out.as_deref(), reference.as_deref())
        }
        Verb::Update { schema, files, out, dry_run, diff, environment, format } => {
            let wanted = Wanted { environment, format, dry_run, diff };
            update(work, &schema, &files, out.as_deref().unwrap_or(&schema), &wanted)
        }
        Verb::Import { suite, like, out } => import_suite(work, &suite, like.as_deref(), out.as_deref()),
    }
}

fn infer(
    work: &Work,
    file: &Path,
    label: Option<String>,
    reading: &Reading,
    out: Option<&Path>,
    reference: Option<&Path>,
) -> Result<u8, Failure> {
    let options = profile_options(reading, &[])?;
    let (profile, read) = profiled(work, file, &options, threads(reading.threads))?;
    let inferred = Schema::infer(&profile, read.format(), &InferOptions { label });
    let mut schema = inferred.map_err(|error: NotInferred| Failure::of(ids::DELIVERY, &error))?;
    if let Some(path) = reference {
        let bytes = profile.to_bytes().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        std::fs::write(path, &bytes).map_err(|error| file_failure(path, &error))?;
        let mut hasher = Hasher::new();
        hasher.update(&bytes);
        let named = relative(path, out);
        schema.reference = Some(ReferenceProfile { profile: named, sha256: Some(hasher.finish()) });
        for column in &mut schema.columns {
            let known = profile.column(&column.name);
            let few = known.is_some_and(|known| known.values().is_some());
            let statistic = match column.kind {
                ColumnType::Integer | ColumnType::Float => drift::Statistic::KolmogorovSmirnov,
                ColumnType::Boolean | ColumnType::String if few && column.domain.is_some() => {
                    drift::Statistic::JensenShannon
                }
                _ => continue,
            };
            column.drift = Some(DriftRules { statistic: Some(statistic), limit: statistic.floor() });
        }
    }
    let text = schema.to_toml().map_err(|error: SchemaInvalid| Failure::of(ids::SCHEMA, &error))?;
    work.deliver(out, text.as_bytes())
}

/// The name of a file beside the schema, or as it was given.
fn relative(path: &Path, schema: Option<&Path>) -> String {
    let beside = schema.is_some_and(|schema| schema.parent() == path.parent());
    let named = if beside { path.file_name().map(Path::new).unwrap_or(path) } else { path };
    named.display().to_string()
}

/// What checks are told beside the schema, read from where it is.
pub(super) struct Known {
    environment: Option<String>,
    now: Timestamp,
    reference: Option<Profile>,
    tables: BTreeMap<String, KnownTable>,
}

impl Known {
    pub(super) fn read(
        work: &Work,
        schema: &Schema,
        path: &Path,
        beside: &Beside,
        given: Option<&Path>,
    ) -> Result<Self, Failure> {
        let usage = |what: String| Failure::new(ids::USAGE, what);
        let now = beside.now.as_deref().map(str::parse).transpose();
        let now = now.map_err(|error: TimestampInvalid| Failure::of(ids::USAGE, &error))?;
        let mut tables = BTreeMap::new();
        for given in &beside.against {
            let (name, file) = given
                .split_once('=')
                .filter(|(name, file)| !name.is_empty() && !file.is_empty())
                .ok_or_else(|| {
                    usage(format!("`{given}` is not NAME=FILE, such as `customers=customers.csv`"))
                })?;
            let file = Path::new(file);
            let (source, progress) = source(work, file, "reading")?;
            let known = KnownTable::read(source, &ReadOptions::default(), threads(None), schema, name);
            drop(progress);
            let known = known.map_err(|error| match error {
                NotKnown::Read(error) => unreadable(file, &error),
                other => {
                    let mut failure = Failure::of(ids::DELIVERY, &other);
                    failure.what = format!("`{}`: {}", file.display(), failure.what);
                    failure
                }
            })?;
            tables.insert(name.to_owned(), known);
        }
        Ok(Self {
            environment: beside.environment.clone(),
            now: now.unwrap_or_else(|| SystemClock.now()),
            reference: reference(schema, path, given)?,
            tables,
        })
    }

    pub(super) fn options(&self, tier: Tier) -> CheckOptions<'_> {
        CheckOptions {
            environment: self.environment.as_deref(),
            now: Some(self.now),
            reference: self.reference.as_ref(),
            tables: self.tables.iter().map(|(name, table)| (name.clone(), table)).collect(),
            ..CheckOptions::new(tier)
        }
    }
}

/// The profile that a schema names, or that was given in its place. One that is not there leaves its checks undone.
fn reference(schema: &Schema, path: &Path, given: Option<&Path>) -> Result<Option<Profile>, Failure> {
    let named = schema.reference.as_ref();
    let file: PathBuf = match (given, named) {
        (Some(given), _) => given.to_owned(),
        (None, Some(named)) => path.parent().unwrap_or(Path::new("")).join(&named.profile),
        (None, None) => return Ok(None),
    };
    if given.is_none() && !file.exists() {
        return Ok(None);
    }
    let metadata = std::fs::metadata(&file).map_err(|error| file_failure(&file, &error))?;
    if metadata.len() > PROFILE_BYTES {
        let what = format!("`{}` has more than the {PROFILE_BYTES} bytes of a profile", file.display());
        return Err(Failure::new(ids::INVALID, what));
    }
    let bytes = std::fs::read(&file).map_err(|error| file_failure(&file, &error))?;
    if let (None, Some(wanted)) = (given, named.and_then(|named| named.sha256)) {
        let mut hasher = Hasher::new();
        hasher.update(&bytes);
        if hasher.finish() != wanted {
            let what = format!("`{}` is not the profile whose digest the schema names", file.display());
            return Err(Failure::new(ids::INVALID, what));
        }
    }
    let profile = Profile::from_bytes(&bytes).map_err(|error: ProfileInvalid| {
        let mut failure = Failure::of(ids::INVALID, &error);
        failure.what = format!("`{}`: {}", file.display(), failure.what);
        failure
    })?;
    Ok(Some(profile))
}

struct Wanted {
    environment: Option<String>,
    format: Option<String>,
    dry_run: bool,
    diff: bool,
}

fn update(work: &Work, schema: &Path, files: &[PathBuf], out: &Path, wanted: &Wanted) -> Result<u8, Failure> {
    // Says what is wrong with the schema, and where.
    let (_, before) = parse_schema(schema)?;
    let format = format_of(wanted.format.as_deref())?;
    let environment = wanted.environment.as_deref();
    let (mut text, mut changes, mut left) = (before.clone(), Vec::new(), Vec::new());
    for file in files {
        for _ in 0..PASSES {
            let parsed = Schema::parse(&text).map_err(|error| Failure::of(ids::SCHEMA, &error))?;
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
            let updated = Schema::update(&text, &report, environment);
            let updated = updated.map_err(|error: NotUpdated| Failure::of(ids::SCHEMA, &error))?;
            let Updated { text: next, changes: more, left: broken } = updated;
            let done = more.is_empty();
            changes.extend(more.into_iter().map(|change| (file, change)));
            text = next;
            if done || file == Path::new("-") {
                left.extend(broken.into_iter().map(|one| (file, one)));
                break;
            }
        }
    }
    if !wanted.dry_run && (text != before || out != schema) {
        std::fs::write(out, &text).map_err(|error| file_failure(out, &error))?;
    }
    match work.out.format {
        Format::Table => {
            let mut shown = String::new();
            for (file, change) in &changes {
                let column = change.column.as_deref().unwrap_or("(batch)");
                let from = change.from.as_deref().unwrap_or("nothing");
                shown.push_str(&format!(
                    "{column}  {}: {from} -> {}  ({})\n",
                    change.rule,
                    change.to,
                    file.display()
                ));
            }
            for (file, one) in &left {
                let column = one.column.as_deref().unwrap_or("(batch)");
                shown.push_str(&format!(
                    "{column}  {} is broken and left: {}  ({})\n",
                    one.rule,
                    one.why,
                    file.display()
                ));
            }
            if changes.is_empty() && left.is_empty() {
                shown.push_str("nothing to change: the files keep the schema\n");
            }
            if wanted.diff {
                shown.push_str(&diff::unified(&before, &text, &schema.display().to_string()));
            }
            work.out.lines(&shown).map_err(|error| Failure::of(ids::FILE, &error))?;
            Ok(0)
        }
        Format::Json | Format::Jsonl => {
            let changes: Vec<Value> = changes
                .iter()
                .map(|(file, one)| {
                    json!({ "column": one.column, "file": file.display().to_string(), "from": one.from,
                            "rule": one.rule, "to": one.to })
                })
                .collect();
            let left: Vec<Value> = left
                .iter()
                .map(|(file, one)| {
                    json!({ "column": one.column, "file": file.display().to_string(), "rule": one.rule,
                            "why": one.why })
                })
                .collect();
            work.answer(&json!({ "changes": changes, "left": left }))
        }
    }
}

fn import_suite(work: &Work, suite: &Path, like: Option<&Path>, out: Option<&Path>) -> Result<u8, Failure> {
    let json = read_text(suite, SUITE_BYTES)?;
    let like = like
        .map(|file| profiled(work, file, &ProfileOptions::default(), threads(None)))
        .transpose()?
        .map(|(profile, read)| (profile, read.format()));
    let known = like.as_ref().map(|(profile, format)| (profile, *format));
    let imported = import(json.as_bytes(), known).map_err(|error: NotImported| {
        let mut failure = Failure::of(ids::INVALID, &error);
        failure.what = format!("`{}`: {}", suite.display(), failure.what);
        failure
    })?;
    let text = imported.to_toml().map_err(|error| Failure::of(ids::SCHEMA, &error))?;
    let Some(path) = out else { return work.deliver(None, text.as_bytes()) };
    std::fs::write(path, &text).map_err(|error| file_failure(path, &error))?;
    match work.out.format {
        Format::Table => {
            work.out.lines(&listed(&imported)).map_err(|error| Failure::of(ids::FILE, &error))?;
            Ok(0)
        }
        Format::Json | Format::Jsonl => {
            let expectations: Vec<Value> = imported.expectations.iter().map(described).collect();
            work.answer(&json!({ "expectations": expectations, "file": path.display().to_string() }))
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

fn described(one: &bartizan_data::expectations::ImportedExpectation) -> Value {
    let (outcome, how) = match &one.translation {
        Translation::Whole(how) => ("whole", Some(how)),
        Translation::Partly { how, .. } => ("partly", Some(how)),
        Translation::Not(_) => ("not", None),
    };
    json!({ "column": one.column, "expectation": one.kind, "how": how, "lost": one.translation.lost(),
            "outcome": outcome, "place": one.place })
}
