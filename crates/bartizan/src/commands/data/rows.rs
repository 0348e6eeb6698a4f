//! Rows that break rules, read once more and written out.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use bartizan_data::{Outcome, ReadOptions, Report, RowsNotRead, Source, read_rows};
use bartizan_keys::OsRandom;
use rand_core::Rng as _;

use super::unreadable;
use crate::catalog::ids;
use crate::commands::remote::open_remote;
use crate::commands::{Work, anew, file_failure};
use crate::failure::Failure;
use crate::out::Progress;

/// Whether rows can be written to a file: nothing is there yet.
pub(super) fn may_write(rows: &Path) -> Result<(), Failure> {
    if rows.symlink_metadata().is_ok() {
        let what = format!("`{}` is there already, and rows are never written over anything", rows.display());
        return Err(Failure::new(ids::USAGE, what).then("name a new file with --rows"));
    }
    Ok(())
}

/// What came through a pipe, in a file that has no name and is gone with this process.
pub(super) struct Spooled {
    file: File,
    bytes: u64,
    name: String,
}

/// Keeps what can be read but once where it can be read again: nothing for files and objects.
pub(super) fn spool(work: &Work, path: &Path) -> Result<Option<Spooled>, Failure> {
    let input = path == Path::new("-");
    let seekable = || std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    if !input && (open_remote(path)?.is_some() || seekable()) {
        return Ok(None);
    }
    let name = if input { "standard input".to_owned() } else { path.display().to_string() };
    let mut from: Box<dyn io::Read> =
        if input { Box::new(io::stdin()) } else { Box::new(super::open(path)?) };
    let directory = std::env::temp_dir();
    let mut file = nameless(&directory).map_err(|error| file_failure(&directory, &error))?;
    let progress = work.out.working(&format!("keeping {name} for a second look"));
    let copied = io::copy(&mut from, &mut file);
    drop(progress);
    let bytes = copied.map_err(|error| {
        file_failure(&directory, &error).then(format!(
            "`--rows` looks at {name} twice, so all of it is kept in the temporary directory: name one with room in TMPDIR, or \
             check a file"
        ))
    })?;
    Ok(Some(Spooled { file, bytes, name }))
}

impl Spooled {
    pub(super) fn source(&self, work: &Work, doing: &str) -> Result<(Source<'static>, Progress), Failure> {
        let file = self.file.try_clone().map_err(|error| file_failure(Path::new(&self.name), &error))?;
        let progress = work.out.progress(&format!("{doing} {}", self.name), self.bytes);
        let followed = progress.follow(file);
        Ok((Source::seekable(followed), progress))
    }
}

/// A new file for this user alone, whose name is taken away at once: nobody else can open it, and nothing is left behind
/// whatever becomes of this process.
fn nameless(directory: &Path) -> io::Result<File> {
    let mut random = [0; 16];
    OsRandom.fill_bytes(&mut random);
    let path = directory.join(format!("bartizan-{:032x}", u128::from_be_bytes(random)));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Reads the file once more, and writes the rows that break rules that block.
pub(super) fn write(
    work: &Work,
    (file, path): (&Path, &PathBuf),
    report: &Report,
    options: &ReadOptions,
    open: impl FnOnce() -> Result<(Source<'static>, Progress), Failure>,
) -> Result<(), Failure> {
    if report.outcome == Outcome::Error {
        work.out.note("There is no verdict, so no rows are written.");
        return Ok(());
    }
    let (broken, whole) = report.broken_rows();
    if broken.is_empty() {
        work.out.note("No row breaks a rule that blocks, so no rows are written.");
        return Ok(());
    }
    let (opened, progress) = open()?;
    let rows = read_rows(opened, options, report.digest, &broken);
    drop(progress);
    let rows = rows.map_err(|error| match error {
        RowsNotRead::Read(error) => unreadable(file, &error),
        other => Failure::of(ids::DELIVERY, &other),
    })?;
    let lines = matches!(path.extension().and_then(|end| end.to_str()), Some("jsonl" | "ndjson" | "json"));
    let text = if lines { rows.to_json_lines(&broken) } else { rows.to_csv(&broken) };
    // It is made here, so that nothing that came there in between is written over.
    anew(path, |out| out.write_all(text.as_bytes()).map_err(|error| file_failure(path, &error)))?;
    let more = if whole { "" } else { "; there are more of them" };
    work.out.note(&format!(
        "{} lines written to {}, one for each row and rule that it breaks{more}. They hold the rows as they are, with all \
         their values.",
        broken.len(),
        path.display()
    ));
    Ok(())
}
