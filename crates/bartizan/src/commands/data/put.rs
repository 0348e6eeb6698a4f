//! Files that commands of `data` write where something may be already: nothing is replaced but what they wrote themselves.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use bartizan_data::Profile;

use crate::catalog::ids;
use crate::commands::file_failure;
use crate::failure::Failure;

/// Bytes at the start of a file in which its kind shows; people write comments over a schema.
const START: u64 = 1024 * 1024;
/// Bytes at its end: members of canonical JSON are in order, and what it is stands behind a long list.
const END: u64 = 64 * 1024;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Kind {
    Profile,
    Schema,
    Page,
    Junit,
    Sarif,
    Event,
    Drift,
    PoisonRows,
}

impl Kind {
    const fn noun(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Schema => "schema",
            Self::Page => "page",
            Self::Junit => "JUnit report",
            Self::Sarif => "SARIF report",
            Self::Event => "OpenLineage event",
            Self::Drift => "drift report",
            Self::PoisonRows => "list of rows",
        }
    }

    /// Whether a file of these bytes, at both ends, is one that was written here.
    fn is(self, start: &[u8]) -> bool {
        let has = |text: &str| start.windows(text.len()).any(|window| window == text.as_bytes());
        match self {
            Self::Profile => {
                start.starts_with(Profile::MAGIC)
                    || start.starts_with(b"{") && has("\"format\":\"bartizan-profile-v1\"")
            }
            Self::Schema => start
                .split(|byte| *byte == b'\n')
                .filter_map(|line| line.trim_ascii_start().strip_prefix(b"format"))
                .any(|rest| {
                    let value = rest.trim_ascii_start().strip_prefix(b"=").map(<[u8]>::trim_ascii_start);
                    value.is_some_and(|value| {
                        value.get(1..).is_some_and(|value| {
                            [&b"bartizan-schema-"[..], b"bartizan-folder-schema-"]
                                .iter()
                                .any(|format| value.starts_with(format))
                        })
                    })
                }),
            Self::Page => start.starts_with(
                b"<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">",
            ) && has("Bartizan"),
            Self::Junit => start.starts_with(b"<?xml") && has("<testsuites name=\"bartizan "),
            Self::Sarif => {
                start.starts_with(b"{\n  \"$schema\": \"https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
            }
            // One line alone: more of them are somebody's collection.
            Self::Event => {
                let lines = start.trim_ascii_end().iter().filter(|byte| **byte == b'\n').count();
                start.starts_with(b"{") && lines == 0 && has("\"producer\":\"https://bartizan.dev/")
            }
            Self::Drift => start.starts_with(b"{") && has("\"format\":\"bartizan-drift-report-v1\""),
            Self::PoisonRows => start.starts_with(b"rule,finding,table,row,score\n"),
        }
    }
}

/// Refuses to write over what may be somebody's table: only something of the same kind is replaced, and what is empty.
/// `option` is the one that names the file.
pub(in crate::commands) fn may_replace(path: &Path, kind: Kind, option: &str) -> Result<(), Failure> {
    // Devices and pipes lose nothing.
    if !std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(());
    }
    let bytes = ends(path).map_err(|error| file_failure(path, &error))?;
    if bytes.is_empty() || kind.is(&bytes) {
        return Ok(());
    }
    let what = format!(
        "`{}` is there already and is no {} of Bartizan's, so it is not written over",
        path.display(),
        kind.noun()
    );
    Err(Failure::new(ids::USAGE, what)
        .then(format!("name a new file with {option}, or take this one away first")))
}

/// Whether there is a file that was written here and is of this kind.
pub(in crate::commands) fn is(path: &Path, kind: Kind) -> Result<bool, Failure> {
    if !std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(false);
    }
    ends(path).map(|bytes| kind.is(&bytes)).map_err(|error| file_failure(path, &error))
}

fn ends(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(START).read_to_end(&mut bytes)?;
    let place = file.metadata()?.len().saturating_sub(END);
    if place > START {
        file.seek(SeekFrom::Start(place))?;
    }
    file.take(END).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a file that people keep, in one step: when the disk is full, the one before is as it was, and a new one is not
/// left in part.
pub(in crate::commands) fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replace(path, bytes).map_err(|error| file_failure(path, &error))
}

/// Writes a report, in the place of the one before. One that was not finished goes, and none of an earlier run is taken for it.
pub(in crate::commands) fn put_report(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    over(path, bytes).map_err(|error| file_failure(path, &error))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a link leads to is what people mean, and only files that are there have something to lose.
    let Ok(path) = std::fs::canonicalize(path) else { return over(path, bytes) };
    let metadata = std::fs::metadata(&path)?;
    let Some(name) = path.file_name().filter(|_| metadata.is_file()) else {
        return over(&path, bytes);
    };
    let mut spare = name.to_owned();
    spare.push(format!(".{}.new", std::process::id()));
    let spare = path.with_file_name(spare);
    // It holds what the other holds, so nobody else may read it meanwhile.
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&spare) {
        Ok(file) => file,
        // The directory takes no new files, but the file may take new bytes.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            return std::fs::write(path, bytes);
        }
        Err(error) => return Err(error),
    };
    let replaced = file
        .write_all(bytes)
        .and_then(|()| file.set_permissions(metadata.permissions()))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&spare, &path));
    replaced.inspect_err(|_| drop(std::fs::remove_file(&spare)))
}

fn over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes).inspect_err(|_| {
        if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            drop(std::fs::remove_file(path));
        }
    })
}
