//! Files that are searched: which there are below a path, what they are, and why some are passed over.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::super::file_failure;
use crate::catalog::ids;
use crate::failure::Failure;

/// Files of one search, and levels of directories.
const FILES: usize = 1_000_000;
const DEPTH: usize = 64;

/// Bytes that tell what a file is.
const HEAD: u64 = 64 * 1024;

/// How the bytes of a file are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Cells between separators, the first record being the header.
    Table(u8),
    /// A JSON value on each line.
    Lines,
    /// Anything else.
    Text,
}

/// A file that is not searched.
pub(super) struct Skipped {
    pub(super) path: PathBuf,
    pub(super) why: String,
}

/// Lists regular files below the paths, in order of their names, and what was passed over.
///
/// # Errors
/// When a path that was named cannot be read, or there are too many files.
pub(super) fn list(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<Skipped>), Failure> {
    let (mut files, mut skipped) = (Vec::new(), Vec::new());
    for path in paths {
        fs::symlink_metadata(path).map_err(|error| file_failure(path, &error))?;
        walk(path, 0, &mut files, &mut skipped)?;
    }
    Ok((files, skipped))
}

fn walk(
    path: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
    skipped: &mut Vec<Skipped>,
) -> Result<(), Failure> {
    let mut skip = |why: String| skipped.push(Skipped { path: path.to_owned(), why });
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) => {
            skip(error.to_string());
            return Ok(());
        }
    };
    if kind.is_symlink() {
        skip("a link".to_owned());
    } else if kind.is_file() {
        if files.len() >= FILES {
            return Err(Failure::new(ids::FILE, format!("there are more than {FILES} files")));
        }
        files.push(path.to_owned());
    } else if !kind.is_dir() {
        skip("not a regular file".to_owned());
    } else if depth >= DEPTH {
        skip(format!("more than {DEPTH} directories deep"));
    } else {
        let entries = fs::read_dir(path).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        match entries {
            Err(error) => skip(error.to_string()),
            Ok(entries) => {
                let mut below: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
                below.sort();
                for path in below {
                    walk(&path, depth + 1, files, skipped)?;
                }
            }
        }
    }
    Ok(())
}

/// Opens a regular file without following a link, and says how its bytes are taken; the reason when it is passed over.
pub(super) fn open(path: &Path) -> Result<(File, Layout), String> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
    let opened = fs::OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| error.to_string())?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err("not a regular file".to_owned());
    }
    let head = head(path).map_err(|error| error.to_string())?;
    if let Some(why) = unreadable(&head) {
        return Err(why.to_owned());
    }
    Ok((file, layout(path, &head)))
}

/// The first bytes of a file.
pub(super) fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

fn unreadable(head: &[u8]) -> Option<&'static str> {
    let controls =
        head.iter().filter(|byte| **byte < 0x20 && !b"\t\n\r\x0b\x0c\x1b\x08".contains(byte)).count();
    if head.starts_with(&[0x1f, 0x8b])
        || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || head.starts_with(b"PK\x03\x04")
    {
        return Some("compressed");
    }
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Some("UTF-16 text");
    }
    (head.contains(&0) || controls.saturating_mul(20) > head.len()).then_some("binary")
}

/// What the ending of a name, and the first line, say of a file.
pub(super) fn layout(path: &Path, head: &[u8]) -> Layout {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "tsv" => Layout::Table(b'\t'),
        "csv" => Layout::Table(separator(head)),
        "jsonl" | "ndjson" => Layout::Lines,
        _ => Layout::Text,
    }
}

/// The separator that comes most often in the first line.
pub(super) fn separator(head: &[u8]) -> u8 {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |mark: u8| line.iter().filter(|byte| **byte == mark).count();
    // Of equally many the first counts, so that a single column is taken as separated by commas.
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|mark| count(*mark)).unwrap_or(b',')
}
