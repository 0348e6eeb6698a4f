//! Reports beside what is printed: pages, JUnit, SARIF and events, and the rows that break rules.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use bartizan_base::{Clock as _, sha256};
use bartizan_data::drift::DriftReport;
use bartizan_data::limits::LISTED_ROWS;
use bartizan_data::openlineage::{CheckEvent, Named, Table, event};
use bartizan_data::quality::QualityReport;
use bartizan_data::report::{Against, Subject, Suite, html, junit, sarif, uri_of_path};
use bartizan_data::{Format, Outcome, Profile, ReadOptions, Report, Schema, Tier};
use bartizan_keys::OsRandom;
use bartizan_store::SystemClock;
use rand_core::Rng as _;
use serde_json::json;

use super::beside::Told;
use super::put::{Kind, may_replace, put_report};
use super::{parse_schema, rows, source, unreadable};
use crate::catalog::ids;
use crate::cli::{Beside, CheckReports, Reports};
use crate::commands::remote::named;
use crate::commands::{PRODUCER, Work};
use crate::failure::Failure;
use crate::out::Format as Printed;

/// What was done, as pages and as other reports call it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    page: &'static str,
    suite: &'static str,
}

impl Task {
    pub(crate) const CHECK: Self = Self { page: "Data check", suite: "data check" };
    pub(crate) const DRIFT: Self = Self { page: "Data drift", suite: "data drift" };
    pub(crate) const POISON: Self = Self { page: "Poisoning and label quality", suite: "data poison" };
}

/// A check that is asked for.
pub(super) struct Checking<'a> {
    pub(super) file: &'a Path,
    pub(super) schema: &'a Path,
    pub(super) tier: Tier,
    pub(super) format: Option<Format>,
    pub(super) threads: usize,
    pub(super) beside: &'a Beside,
}

/// Checks a file, writes the reports that are asked for, and prints the verdict.
pub(super) fn check(work: &Work, checking: &Checking<'_>, wanted: &CheckReports) -> Result<u8, Failure> {
    let mut files = vec![checking.file, checking.schema];
    let told = Told::parse(checking.beside)?;
    files.extend(told.files());
    let also = [&wanted.openlineage, &wanted.rows].into_iter().flatten().map(|path| path.as_path());
    apart(paths(&wanted.reports).chain(also), &files)?;
    replaceable(&wanted.reports)?;
    if let Some(path) = &wanted.openlineage {
        may_replace(path, Kind::Event, "--openlineage")?;
    }
    let mut subject = subject(checking.file);
    let judged = judge(work, checking, told, wanted, &mut subject);
    let judged = judged.inspect_err(|failure| {
        let told = fail(&wanted.reports, &subject, Task::CHECK, failure).and_then(|()| {
            tell(wanted.openlineage.as_deref(), checking.file, Table::unread(), Some(failure))
        });
        // A report that cannot be written cannot say so either.
        if let Err(other) = told
            && other.what != failure.what
        {
            work.out.failure(&other);
        }
    });
    let report = match judged {
        Ok(report) => report,
        Err(failure) => {
            // Programs read standard output; what they find there is never taken for a verdict.
            if failure.id == ids::DELIVERY && work.out.format != Printed::Table {
                let tier = checking.tier.as_str();
                let none = json!({ "error": failure, "format": "bartizan-no-verdict-v1", "outcome": "error", "tier": tier });
                work.answer(&none)?;
            }
            return Err(failure);
        }
    };
    let printed = match work.out.format {
        Printed::Table => work.out.lines(&report.render()),
        Printed::Json | Printed::Jsonl => {
            let bytes = report.to_bytes().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
            work.out.exact(&format!("{}\n", String::from_utf8_lossy(&bytes)))
        }
    };
    printed.map_err(|error| Failure::of(ids::FILE, &error))?;
    Ok(u8::from(report.outcome != Outcome::Valid))
}

fn judge(
    work: &Work,
    checking: &Checking<'_>,
    told: Told,
    wanted: &CheckReports,
    subject: &mut Subject,
) -> Result<Report, Failure> {
    let Checking { file, schema: path, tier, format, threads, .. } = *checking;
    if let Some(rows) = &wanted.rows {
        rows::may_write(rows)?;
    }
    let schema = against(subject, path)?;
    let listed = if wanted.rows.is_some() { LISTED_ROWS } else { 0 };
    let beside = told.read(work, &schema, path)?;
    // Rows are read once more, and what comes through a pipe is gone by then.
    let spooled = match &wanted.rows {
        Some(_) => rows::spool(work, file)?,
        None => None,
    };
    let open = |doing: &str| match &spooled {
        Some(spooled) => spooled.source(work, doing),
        None => source(work, file, doing),
    };
    let (opened, progress) = open("checking")?;
    let checked = beside.check(opened, &schema, (tier, format, threads, listed));
    drop(progress);
    let report = checked.map_err(|error| unreadable(file, &error))?;
    if let Some(path) = &wanted.rows {
        let options = ReadOptions { format: Some(report.kind), csv: schema.csv_options() };
        rows::write(work, (file, path), &report, &options, || open("reading rows of"))?;
    }
    let suite = || Suite::check(subject, &report);
    let page = || html::check(subject, &report, &schema, beside.reference());
    write(&wanted.reports, suite, page)?;
    tell(wanted.openlineage.as_deref(), file, Table::of(&report), None)?;
    Ok(report)
}

/// The schema, which the subject is then held against.
fn against(subject: &mut Subject, path: &Path) -> Result<Schema, Failure> {
    let (schema, text) = parse_schema(path)?;
    subject.against = Some(Against { name: name_of(path), digest: Some(sha256(text.as_bytes())) });
    Ok(schema)
}

/// What a report is about: a file, now.
pub(crate) fn subject(file: &Path) -> Subject {
    let shown = file.display().to_string();
    Subject {
        name: if file == Path::new("-") { "standard input".to_owned() } else { name_of(file) },
        uri: if file == Path::new("-") { "stdin".to_owned() } else { uri_of_path(&shown) },
        against: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at: Some(SystemClock.now()),
    }
}

pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Writes the reports of a comparison and what follows of it; profiles of both sides are asked for when a page is.
pub(crate) fn drift(
    wanted: &Reports,
    subject: &Subject,
    report: &DriftReport,
    outcome: Outcome,
    profiles: impl FnOnce() -> Result<Option<(Profile, Profile)>, Failure>,
) -> Result<(), Failure> {
    let profiles = if wanted.report.is_some() { profiles()? } else { None };
    let (reference, current) = profiles.unzip();
    let suite = || Suite::drift(subject, report, outcome);
    write(wanted, suite, || html::drift(subject, report, outcome, reference.as_ref(), current.as_ref()))
}

/// Writes the reports of an examination.
pub(crate) fn quality(wanted: &Reports, subject: &Subject, report: &QualityReport) -> Result<(), Failure> {
    write(wanted, || Suite::quality(subject, report), || html::quality(subject, report))
}

/// Runs what judges a file; when that fails, the reports that are asked for say that there is no verdict, so that no older
/// one is taken for it.
pub(crate) fn guarded(
    wanted: &Reports,
    subject: &Subject,
    task: Task,
    files: &[&Path],
    run: impl FnOnce() -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    apart(paths(wanted), files)?;
    replaceable(wanted)?;
    run().or_else(|failure| {
        fail(wanted, subject, task, &failure)?;
        Err(failure)
    })
}

/// Refuses to write a report over anything but an earlier one.
fn replaceable(wanted: &Reports) -> Result<(), Failure> {
    let Reports { report, junit, sarif } = wanted;
    let all =
        [(report, Kind::Page, "--report"), (junit, Kind::Junit, "--junit"), (sarif, Kind::Sarif, "--sarif")];
    let mut named = all.into_iter().filter_map(|(path, kind, option)| Some((path.as_deref()?, kind, option)));
    named.try_for_each(|(path, kind, option)| may_replace(path, kind, option))
}

fn paths(wanted: &Reports) -> impl Iterator<Item = &Path> {
    [&wanted.report, &wanted.junit, &wanted.sarif].into_iter().flatten().map(PathBuf::as_path)
}

/// Refuses to write over what is read, or twice into one file.
pub(crate) fn apart<'a>(written: impl Iterator<Item = &'a Path>, read: &[&Path]) -> Result<(), Failure> {
    // What is not there yet is known by the directory that it comes into.
    let known = |path: &Path| {
        std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
    };
    let mut seen: Vec<PathBuf> = read.iter().map(|path| known(path)).collect();
    for path in written {
        let place = known(path);
        // A device, such as standard output, takes more than one.
        let regular = std::fs::metadata(&place).map_or(true, |metadata| metadata.is_file());
        if regular && seen.contains(&place) {
            let what =
                format!("`{}` is named twice, and one would be written over the other", path.display());
            return Err(
                Failure::new(ids::USAGE, what).then("name a file of its own for each thing that is written")
            );
        }
        seen.push(place);
    }
    Ok(())
}

fn fail(wanted: &Reports, subject: &Subject, task: Task, failure: &Failure) -> Result<(), Failure> {
    let why = Because(failure);
    write(wanted, || Suite::unread(subject, task.suite, &why), || html::unread(subject, task.page, &why))
}

/// Why there is no verdict, as an error.
#[derive(Debug)]
struct Because<'a>(&'a Failure);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { id, what, why, .. } = self.0;
        write!(f, "{what}")?;
        why.iter().try_for_each(|why| write!(f, ": {why}"))?;
        write!(f, " ({id})")
    }
}

impl Error for Because<'_> {}

fn write(wanted: &Reports, suite: impl Fn() -> Suite, page: impl FnOnce() -> String) -> Result<(), Failure> {
    if let Some(path) = &wanted.junit {
        put_report(path, junit::write(&[suite()]).as_bytes())?;
    }
    if let Some(path) = &wanted.sarif {
        put_report(path, sarif::write(&[suite()]).as_bytes())?;
    }
    if let Some(path) = &wanted.report {
        put_report(path, page().as_bytes())?;
    }
    Ok(())
}

/// Writes the event that tells other systems of a check.
fn tell(path: Option<&Path>, file: &Path, table: Table, failure: Option<&Failure>) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let accepted = table.assertions.first().is_some_and(|accepted| accepted.success);
    let mut run = [0; 16];
    OsRandom.fill_bytes(&mut run);
    let line = event(&CheckEvent {
        at: SystemClock.now(),
        run,
        producer: PRODUCER.to_owned(),
        job: Named { namespace: "bartizan".to_owned(), name: "data-check".to_owned() },
        inputs: vec![(named(file), table)],
        output: None,
        accepted,
        failure: failure.map(|failure| Because(failure).to_string()),
    });
    put_report(path, format!("{line}\n").as_bytes())
}
