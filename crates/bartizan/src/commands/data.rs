//! `data`: schemas and checks on bare files, and data sets.

pub(super) mod beside;
mod diff;
mod folder;
pub(super) mod profile;
pub(super) mod put;
pub(super) mod report;
mod rows;
mod schema;
mod unread;

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::Path;

use bartizan_data::{
    CsvOptions, EncodingInvalid, Format, FormatInvalid, NotProfiled, NullTokens, NullTokensInvalid, Profile,
    ProfileOptions, ReadOptions, ReadOutcome, Schema, SeparatorInvalid, Source, Tier,
};

use self::folder::Folder;
pub(super) use self::unread::unreadable;
use super::remote::open_remote;
use super::steady::Steady;
use super::{Work, file_failure, pii, read_text, version_path};
use crate::catalog::ids;
use crate::cli::{Data, Pii, Reading};
use crate::failure::Failure;
use crate::out::Progress;

pub(super) const SCHEMA_BYTES: u64 = 8 * 1024 * 1024;

pub(super) async fn run(work: &Work, verb: Data) -> Result<u8, Failure> {
    match verb {
        Data::Profile { files, labels, reading, null, out } => {
            let first = files.first().map_or(Path::new("-"), |file| file.as_path());
            match Folder::of(first, labels.as_deref())? {
                Some(folder) => {
                    folder.refuse(&reading.given())?;
                    let more =
                        [("--null", !null.is_empty()), ("--out", out.is_some()), ("FILE", files.len() > 1)];
                    folder.refuse(&more)?;
                    folder.profile(work)
                }
                None => profile::run(work, &files, &reading, &null, out.as_deref()),
            }
        }
        Data::Schema(verb) => schema::run(work, verb),
        Data::Check { file, labels, schema, tier, format, threads: wanted, beside, reports } => {
            let tier = if tier == "explore" { Tier::Explore } else { Tier::Release };
            if let Some(folder) = Folder::of(&file, labels.as_deref())? {
                folder.refuse(&[("--format", format.is_some()), ("--threads", wanted.is_some())])?;
                folder.refuse(&beside.given())?;
                folder.refuse(&reports.given())?;
                return folder.check(work, &schema, tier);
            }
            let format = format_of(format.as_deref())?;
            let threads = threads(wanted);
            let reading =
                report::Checking { file: &file, schema: &schema, tier, format, threads, beside: &beside };
            report::check(work, &reading, &reports)
        }
        Data::Drift(wanted) => super::drift::run(work, &wanted),
        Data::Poison(wanted) => super::poison::run(work, &wanted),
        Data::Add(wanted) => super::deliver::run(work, *wanted).await,
        Data::Sign(wanted) => super::source::sign(work, &wanted),
        Data::Source(verb) => super::source::run(work, verb).await,
        Data::Pii(Pii::Scan(wanted)) => pii::scan(work, &wanted),
        Data::Redact(wanted) => pii::redact(work, &wanted).await,
        Data::Tokenize(wanted) => pii::tokenize(work, &wanted).await,
        Data::Detokenize(wanted) => pii::detokenize(work, &wanted).await,
        Data::List => work.show_all("/api/v1/datasets").await,
        Data::Show { version } => work.show(&version_path("datasets", &version)?).await,
    }
}

/// How to read, as the options say.
pub(super) fn profile_options(reading: &Reading, null: &[String]) -> Result<ProfileOptions, Failure> {
    let usage = |error: &dyn std::error::Error| Failure::of(ids::USAGE, error);
    let separator = reading.separator.as_deref().map(str::parse).transpose();
    let encoding = reading.encoding.as_deref().map(str::parse).transpose();
    let null = if null.is_empty() { Ok(NullTokens::default()) } else { NullTokens::new(null) };
    let csv = CsvOptions {
        separator: separator.map_err(|error: SeparatorInvalid| usage(&error))?,
        encoding: encoding.map_err(|error: EncodingInvalid| usage(&error))?,
        null: null.map_err(|error: NullTokensInvalid| usage(&error))?,
        ..CsvOptions::default()
    };
    let format = format_of(reading.format.as_deref())?;
    Ok(ProfileOptions { read: ReadOptions { format, csv }, ..ProfileOptions::default() })
}

fn format_of(text: Option<&str>) -> Result<Option<Format>, Failure> {
    text.map(str::parse).transpose().map_err(|error: FormatInvalid| Failure::of(ids::USAGE, &error))
}

/// Threads that work at a time, whatever was asked for.
const THREADS: usize = 256;

pub(super) fn threads(wanted: Option<NonZeroUsize>) -> usize {
    let wanted = wanted.or_else(|| std::thread::available_parallelism().ok());
    wanted.map_or(1, NonZeroUsize::get).min(THREADS)
}

/// A file, or standard input when it is called `-`.
pub(super) fn source(work: &Work, path: &Path, doing: &str) -> Result<(Source<'static>, Progress), Failure> {
    if path == Path::new("-") {
        let progress = work.out.working(&format!("{doing} standard input"));
        return Ok((Source::stream(std::io::stdin()), progress));
    }
    if let Some(file) = open_remote(path)? {
        let progress = work.out.progress(&format!("{doing} {}", path.display()), file.length());
        let followed = progress.follow(file);
        return Ok((Source::seekable(followed), progress));
    }
    let file = open(path)?;
    let progress = work.out.progress(&format!("{doing} {}", path.display()), length(&file));
    // A pipe or a device has no places to go back to, and no length that could change.
    let regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if !regular {
        return Ok((Source::stream(progress.follow(file)), progress));
    }
    let steady = Steady::new(file).map_err(|error| file_failure(path, &error))?;
    Ok((Source::seekable(progress.follow(steady)), progress))
}

fn profiled(
    work: &Work,
    path: &Path,
    options: &ProfileOptions,
    threads: usize,
) -> Result<(Profile, ReadOutcome), Failure> {
    let (source, progress) = source(work, path, "reading")?;
    let profiled = bartizan_data::profile(source, options, threads);
    drop(progress);
    profiled.map_err(|error| match error {
        NotProfiled::Read(error) => unreadable(path, &error),
        other => Failure::of(ids::INVALID, &other),
    })
}

pub(super) fn open(path: &Path) -> Result<File, Failure> {
    let file = File::open(path).map_err(|error| file_failure(path, &error))?;
    let metadata = file.metadata().map_err(|error| file_failure(path, &error))?;
    if metadata.is_dir() {
        return Err(Failure::new(ids::FILE, format!("`{}` is a directory, not a file", path.display())));
    }
    Ok(file)
}

/// Opens a delivery, which is stored and so has an end: a regular file, not a device or a pipe.
pub(super) fn open_delivery(path: &Path) -> Result<Steady, Failure> {
    let metadata = std::fs::metadata(path).map_err(|error| file_failure(path, &error))?;
    if metadata.is_file() || metadata.is_dir() {
        return Steady::new(open(path)?).map_err(|error| file_failure(path, &error));
    }
    Err(Failure::new(ids::FILE, format!("`{}` is not a regular file", path.display())))
}

/// How many bytes there are to read, as far as is known before.
pub(super) fn length(file: &File) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}

/// A schema, and its bytes.
pub(super) fn parse_schema(path: &Path) -> Result<(Schema, String), Failure> {
    let text = read_text(path, SCHEMA_BYTES)?;
    let schema = Schema::parse(&text).map_err(|error| {
        let mut failure = Failure::of(ids::SCHEMA, &error);
        failure.why.insert(0, format!("in `{}`", path.display()));
        failure
    })?;
    Ok((schema, text))
}
