//! `data schema`: schemas made of files, of suites of expectations, and of schemas before; and what checks need beside.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bartizan_base::{Clock as _, Timestamp, TimestampInvalid, sha256};
use bartizan_data::expectations::{Imported, NotImported, Translation, import};
use bartizan_data::{
    CheckOptions, ColumnType, DriftRules, InferOptions, KnownTable, NotInferred, NotKnown, NotUpdated,
    Profile, ProfileOptions, ReadOptions, ReferenceProfile, Schema, SchemaInvalid, Tier, Updated,
    check_table, drift,
};
use bartizan_store::SystemClock;
use serde_json::{Value, json};

use super::report::{apart, stored_profile};
use super::{diff, format_of, parse_schema, profile_options, profiled, source, threads, unreadable};
use crate::catalog::ids;
use crate::cli::{Beside, Reading, Schema as Verb};
use crate::commands::{Work, file_failure, read_text};
use crate::failure::Failure;
use crate::out::Format;

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
    apart(out.into_iter().chain(reference), &[file])?;
    let options = profile_options(reading, &[])?;
    let (profile, read) = profiled(work, file, &options, threads(reading.threads))?;
    let inferred = Schema::infer(&profile, read.format(), &InferOptions { label });
    let mut schema = inferred.map_err(|error: NotInferred| Failure::of(ids::DELIVERY, &error))?;
    let mut frozen = None;
    if let Some(path) = reference {
        let bytes = profile.to_bytes().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        let named = beside(path, out)?;
        schema.reference = Some(ReferenceProfile { profile: named, sha256: Some(sha256(&bytes)) });
        limit_drift(&mut schema, &profile);
        frozen = Some((path, bytes));
    }
    let text = schema.to_toml().map_err(|error: SchemaInvalid| Failure::of(ids::SCHEMA, &error))?;
    if let Some((path, bytes)) = frozen {
        std::fs::write(path, bytes).map_err(|error| file_failure(path, &error))?;
    }
    work.deliver(out, text.as_bytes())
}

/// Limits drift of each column that has enough of a distribution: numbers, and what has a domain.
fn limit_drift(schema: &mut Schema, profile: &Profile) {
    for column in &mut schema.columns {
        let counted = profile.column(&column.name).is_some_and(|known| known.values().is_some());
        let statistic = match column.kind {
            ColumnType::Integer | ColumnType::Float => drift::Statistic::KolmogorovSmirnov,
            ColumnType::Boolean | ColumnType::String if counted && column.domain.is_some() => {
                drift::Statistic::JensenShannon
            }
            _ => continue,
        };
        column.drift = Some(DriftRules { statistic: Some(statistic), limit: statistic.floor() });
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

/// What checks are told beside the schema, read from where it is.
pub(super) struct Known {
    environment: Option<String>,
    now: Timestamp,
    /// The profile that distributions are compared with.
    pub(super) reference: Option<Profile>,
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
        let now = beside.now.as_deref().map(str::parse).transpose();
        let now = now.map_err(|error: TimestampInvalid| {
            Failure::of(ids::USAGE, &error).then("write it with its zone, such as --now 2026-01-31T12:00:00Z")
        })?;
        Ok(Self {
            environment: beside.environment.clone(),
            now: now.unwrap_or_else(|| SystemClock.now()),
            reference: reference(work, schema, path, given)?,
            tables: tables(work, schema, &beside.against)?,
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

/// The tables that values are looked up in, each read once.
fn tables(work: &Work, schema: &Schema, given: &[String]) -> Result<BTreeMap<String, KnownTable>, Failure> {
    let in_slices = schema.slices.iter().flat_map(|slice| &slice.columns);
    let asked = schema.columns.iter().chain(in_slices).filter_map(|rules| rules.references.as_ref());
    let asked: BTreeSet<&str> = asked.map(|references| references.table.as_str()).collect();
    let usage = |what: String| Failure::new(ids::USAGE, what);
    let mut tables = BTreeMap::new();
    for given in given {
        let (name, file) =
            given.split_once('=').filter(|(name, file)| !name.is_empty() && !file.is_empty()).ok_or_else(
                || {
                    usage(format!("`{given}` is not NAME=FILE"))
                        .then("write the name that the schema has for the table, such as `--against customers=customers.csv`")
                },
            )?;
        if !asked.contains(name) {
            let known: Vec<String> = asked.iter().map(|name| format!("`{name}`")).collect();
            let next = match known.is_empty() {
                true => "leave out --against: no rule of the schema has `references`".to_owned(),
                false => format!("the schema looks values up in: {}", known.join(", ")),
            };
            return Err(usage(format!("the schema looks nothing up in a table `{name}`")).then(next));
        }
        if tables.contains_key(name) {
            return Err(usage(format!("the table `{name}` is given twice")).then("name one file for it"));
        }
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
    Ok(tables)
}

/// The profile that a schema names, or that was given in its place. One that is not there leaves its checks undone.
fn reference(
    work: &Work,
    schema: &Schema,
    path: &Path,
    given: Option<&Path>,
) -> Result<Option<Profile>, Failure> {
    if let Some(given) = given {
        return stored_profile(given, None).map(Some);
    }
    let Some(named) = &schema.reference else { return Ok(None) };
    let file = path.parent().unwrap_or(Path::new("")).join(&named.profile);
    if !file.try_exists().unwrap_or(true) {
        if schema.columns.iter().any(|column| column.drift.is_some()) {
            work.out.note(&format!(
                "`{}`, which the schema names as its reference, is not there, so rules of drift cannot run; --reference names \
                 another.",
                file.display()
            ));
        }
        return Ok(None);
    }
    stored_profile(&file, named.sha256).map(Some)
}

struct Wanted {
    environment: Option<String>,
    format: Option<String>,
    dry_run: bool,
    diff: bool,
}

fn update(work: &Work, schema: &Path, files: &[PathBuf], out: &Path, wanted: &Wanted) -> Result<u8, Failure> {
    let read: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    apart(std::iter::once(out), &read)?;
    // Says what is wrong with the schema, and where.
    let (known, before) = parse_schema(schema)?;
    let format = format_of(wanted.format.as_deref())?;
    let environment = wanted.environment.as_deref();
    if let Some(unknown) = environment.filter(|one| !known.environments.iter().any(|other| other == one)) {
        let what = format!("the schema has no environment `{unknown}`");
        let names = known.environments.join(", ");
        let next = if names.is_empty() {
            "leave out --environment: it has none".to_owned()
        } else {
            format!("it has: {names}")
        };
        return Err(Failure::new(ids::USAGE, what).then(next));
    }
    let (mut text, mut changes, mut left) = (before.clone(), Vec::new(), Vec::new());
    for file in files {
        // Standard input and pipes are gone once they are read.
        let again = std::fs::metadata(file).map_or(file != Path::new("-"), |metadata| metadata.is_file());
        for pass in 1..=PASSES {
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
            if done || !again || pass == PASSES {
                left.extend(broken.into_iter().map(|one| (file, one)));
                break;
            }
        }
    }
    let written = !wanted.dry_run && (text != before || out != schema);
    if written {
        replace(out, text.as_bytes()).map_err(|error| file_failure(out, &error))?;
    }
    let lines = if wanted.diff {
        diff::unified(&before, &text, &schema.display().to_string())
    } else {
        String::new()
    };
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
                    "{column}  {} is broken, and left for a person to judge: {}  ({})\n",
                    one.rule,
                    one.why,
                    file.display()
                ));
            }
            if changes.is_empty() && left.is_empty() {
                shown.push_str("nothing to change: the files keep the schema\n");
            }
            if written {
                shown.push_str(&format!("written to {}\n", out.display()));
            }
            // A terminal is shown what controls it; a program that is fed the diff gets it as it is.
            let printed = work.out.lines(&shown).and_then(|()| work.out.file(&lines));
            printed.map_err(|error| Failure::of(ids::FILE, &error))?;
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
            let file = written.then(|| out.display().to_string());
            let mut answer = json!({ "changes": changes, "left": left, "written": file });
            if let Some(answer) = answer.as_object_mut().filter(|_| wanted.diff) {
                answer.insert("diff".to_owned(), lines.into());
            }
            work.answer(&answer)
        }
    }
}

/// Writes a file that people edit in one step: a disk that is full or a crash leaves the one before as it was.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // What a link leads to is what people mean, and only files that are there have something to lose.
    let Ok(path) = std::fs::canonicalize(path) else { return std::fs::write(path, bytes) };
    let metadata = std::fs::metadata(&path)?;
    let Some(name) = path.file_name().filter(|_| metadata.is_file()) else {
        return std::fs::write(path, bytes);
    };
    let mut spare = name.to_owned();
    spare.push(format!(".{}.new", std::process::id()));
    let spare = path.with_file_name(spare);
    let mut file = match std::fs::OpenOptions::new().write(true).create_new(true).open(&spare) {
        Ok(file) => file,
        // The directory takes no new files, but the file may take new bytes.
        Err(_) => return std::fs::write(path, bytes),
    };
    let replaced = file
        .write_all(bytes)
        .and_then(|()| file.set_permissions(metadata.permissions()))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&spare, &path));
    replaced.inspect_err(|_| drop(std::fs::remove_file(&spare)))
}

fn import_suite(work: &Work, suite: &Path, like: Option<&Path>, out: Option<&Path>) -> Result<u8, Failure> {
    apart(out.into_iter(), &[suite].into_iter().chain(like).collect::<Vec<_>>())?;
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
