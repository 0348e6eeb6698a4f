//! What checks are told beside a schema, from the command line: one way for `data check` and for `data add`.

use std::path::{Path, PathBuf};

use bartizan_base::{Clock as _, Digest, Timestamp, TimestampInvalid, VersionRef, sha256};
use bartizan_data::{Beside, NotBeside, NotKnown, Schema};
use bartizan_store::SystemClock;

use super::{source, threads, unreadable};
use crate::catalog::ids;
use crate::cli;
use crate::commands::{Work, read_bytes};
use crate::failure::Failure;

/// Bytes of a stored profile.
const PROFILE_BYTES: u64 = 256 * 1024 * 1024;

/// Something to compare with: a file, or a data set version of the project.
#[derive(Debug, Clone)]
pub(in crate::commands) enum Other {
    File(PathBuf),
    Version(VersionRef),
}

impl Other {
    /// A data set version is `NAME:VERSION`; a file of such a name is written `./NAME:VERSION`.
    fn of(text: &Path) -> Self {
        match text.to_str().and_then(|text| text.parse().ok()) {
            Some(version) => Self::Version(version),
            None => Self::File(text.to_owned()),
        }
    }
}

/// What the options say, before anything is read.
#[derive(Debug)]
pub(in crate::commands) struct Told {
    pub(in crate::commands) environment: Option<String>,
    pub(in crate::commands) now: Option<Timestamp>,
    /// The reference that was named, and no other.
    pub(in crate::commands) reference: Option<Other>,
    pub(in crate::commands) tables: Vec<(String, Other)>,
}

impl Told {
    pub(in crate::commands) fn parse(beside: &cli::Beside) -> Result<Self, Failure> {
        let now = beside.now.as_deref().map(str::parse).transpose();
        let now = now.map_err(|error: TimestampInvalid| {
            Failure::of(ids::USAGE, &error).then("write it with its zone, such as --now 2026-01-31T12:00:00Z")
        })?;
        let tables: Result<_, Failure> = beside.against.iter().map(|given| table(given)).collect();
        Ok(Self {
            environment: beside.environment.clone(),
            now,
            reference: beside.reference.as_deref().map(Other::of),
            tables: tables?,
        })
    }

    /// The files that are read.
    pub(in crate::commands) fn files(&self) -> impl Iterator<Item = &Path> {
        let others = self.reference.iter().chain(self.tables.iter().map(|(_, other)| other));
        others.filter_map(|other| match other {
            Other::File(path) => Some(path.as_path()),
            Other::Version(_) => None,
        })
    }

    /// Reads all of it from where it is, for a check by the schema at `path`.
    pub(super) fn read(self, work: &Work, schema: &Schema, path: &Path) -> Result<Beside, Failure> {
        let reference = match self.reference {
            Some(other) => Some((bare(other)?, None)),
            None => reference_of(work, schema, path, self.environment.as_deref()),
        };
        let mut beside = Beside::new(self.environment, Some(self.now.unwrap_or_else(|| SystemClock.now())));
        if let Some((file, pinned)) = reference {
            let bytes = read_bytes(&file, PROFILE_BYTES)?;
            beside.take_reference(&bytes, pinned).map_err(|error| not_beside(&file, &error))?;
        }
        for (name, other) in self.tables {
            let file = bare(other)?;
            let (source, progress) = source(work, &file, "reading")?;
            let read = beside.read_table(schema, &name, source, threads(None));
            drop(progress);
            read.map_err(|error| not_beside(&file, &error))?;
        }
        Ok(beside)
    }
}

fn table(given: &str) -> Result<(String, Other), Failure> {
    let split = given.split_once('=').filter(|(name, file)| !name.is_empty() && !file.is_empty());
    let (name, file) = split.ok_or_else(|| {
        let next =
            "write the name that the schema has for the table, such as `--against customers=customers.csv`";
        Failure::new(ids::USAGE, format!("`{given}` is not NAME=FILE")).then(next)
    })?;
    Ok((name.to_owned(), Other::of(Path::new(file))))
}

/// A file, where no project is at hand that has data set versions.
fn bare(other: Other) -> Result<PathBuf, Failure> {
    match other {
        Other::File(path) => Ok(path),
        // It may have been meant as one.
        Other::Version(version) if Path::new(&version.to_string()).is_file() => {
            Ok(version.to_string().into())
        }
        Other::Version(version) => {
            let what = format!("`{version}` is a data set version, and `data check` reads files alone");
            let next = "name a file, or let the project judge: `bartizan data add` takes data set versions";
            Err(Failure::new(ids::USAGE, what).then(next))
        }
    }
}

/// The profile that a schema at `path` names, with its digest if it is pinned. One that is not there leaves its checks
/// undone.
pub(in crate::commands) fn reference_of(
    work: &Work,
    schema: &Schema,
    path: &Path,
    environment: Option<&str>,
) -> Option<(PathBuf, Option<Digest>)> {
    let named = schema.reference.as_ref()?;
    let file = path.parent().unwrap_or(Path::new("")).join(&named.profile);
    if file.try_exists().unwrap_or(true) {
        return Some((file, named.sha256));
    }
    if schema.needs_reference(schema.environment(environment)) {
        work.out.note(&format!(
            "`{}`, which the schema names as its reference, is not there, so rules of drift cannot run; --reference names \
             another.",
            file.display()
        ));
    }
    None
}

/// Refuses a profile that is not the one whose digest a schema names.
pub(in crate::commands) fn pinned_is(file: &Path, pinned: Option<Digest>) -> Result<(), Failure> {
    let Some(expected) = pinned else { return Ok(()) };
    if sha256(&read_bytes(file, PROFILE_BYTES)?) == expected {
        return Ok(());
    }
    Err(not_beside(file, &NotBeside::OtherReference { expected }))
}

/// Why a file cannot be compared with.
fn not_beside(file: &Path, error: &NotBeside) -> Failure {
    match error {
        NotBeside::NotAsked { asked, .. } => {
            let known: Vec<String> = asked.iter().map(|name| format!("`{name}`")).collect();
            Failure::of(ids::USAGE, error).then(match known.is_empty() {
                true => "leave out --against: no rule of the schema has `references`".to_owned(),
                false => format!("the schema looks values up in: {}", known.join(", ")),
            })
        }
        NotBeside::Twice { .. } => Failure::of(ids::USAGE, error).then("name one file for it"),
        NotBeside::Table(NotKnown::Read(error)) => unreadable(file, error),
        NotBeside::Table(NotKnown::NoColumn { .. }) => {
            let mut failure = Failure::of(ids::DELIVERY, error);
            failure.what = format!("`{}`: {}", file.display(), failure.what);
            failure.then(
                "name a table with --against that has it, or mend `references` in the schema; `bartizan data profile FILE` \
                 lists the columns of a file",
            )
        }
        NotBeside::Table(_) => {
            let mut failure = Failure::of(ids::DELIVERY, error);
            failure.what = format!("`{}`: {}", file.display(), failure.what);
            failure.then("look up in tables of fewer different values")
        }
        NotBeside::Reference(_) => {
            let mut failure = Failure::of(ids::INVALID, error);
            let whose = format!("in `{}`, which `bartizan data profile --out` writes", file.display());
            failure.why.insert(0, whose);
            failure.then(
                "name a profile that `bartizan data profile --out` or `data schema infer --reference` wrote",
            )
        }
        NotBeside::OtherReference { .. } => {
            let what = format!("`{}` is not the profile whose digest the schema names", file.display());
            Failure::new(ids::INVALID, what)
                .then("put back the profile that the schema was made with, or name another with --reference")
        }
    }
}
