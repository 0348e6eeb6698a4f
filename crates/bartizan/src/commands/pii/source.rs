//! Files that are searched: which there are below a path, what they are, and why some are passed over.

use std::error::Error;
use std::fs;
use std::io::{self, Cursor, Read, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bartizan_data::{Format, Unpacked};
use rustix::fs::OFlags;

use super::super::file_failure;
use super::super::remote::open_remote;
use crate::catalog::ids;
use crate::failure::Failure;
use crate::out::Progress;

/// Files of one search, and levels of directories.
const FILES: usize = 1_000_000;
const DEPTH: usize = 64;

const NOT_REGULAR: &str = "not a regular file";

/// Bytes that tell what a file is.
const HEAD: u64 = 64 * 1024;

/// How the bytes of a file are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Cells between separators, the first record being the header.
    Table(u8),
    /// A JSON value on each line, or one on several.
    Lines,
    /// Columns, Parquet or Arrow.
    Columns(Format),
    /// Anything else.
    Text,
}

impl Layout {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Table(_) => "csv",
            Self::Lines => "jsonl",
            Self::Columns(format) => format.name(),
            Self::Text => "text",
        }
    }
}

/// A file that is not searched, or not to its end.
pub(super) struct Skipped {
    pub(super) path: PathBuf,
    pub(super) why: Why,
}

/// Why a file is not searched.
#[derive(Debug, Clone)]
pub(super) enum Why {
    /// There is nothing in it to search: neither text nor a table, a link, or no regular file.
    PassedOver(String),
    /// There may be: it cannot be read to its end, or nothing here looks into what it is.
    Unsearched(String),
}

impl Why {
    pub(super) fn said(&self) -> &str {
        match self {
            Self::PassedOver(said) | Self::Unsearched(said) => said,
        }
    }

    /// The word that reports use.
    pub(super) const fn id(&self) -> &'static str {
        match self {
            Self::PassedOver(_) => "passed-over",
            Self::Unsearched(_) => "unsearched",
        }
    }

    /// The same of a file that somebody asked to be searched, where nothing is passed over.
    pub(super) fn asked(self) -> Self {
        match self {
            Self::PassedOver(said) | Self::Unsearched(said) => Self::Unsearched(said),
        }
    }
}

/// Lists objects that are named by URL, and regular files below the other paths in order of their names, and what was
/// passed over.
///
/// # Errors
/// When a path that was named cannot be read, or there are too many files.
pub(super) fn list(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<Skipped>), Failure> {
    let (mut files, mut skipped) = (Vec::new(), Vec::new());
    for path in paths {
        // Whether an object is there is found out before the search begins.
        if open_remote(path)?.is_some() {
            files.push(path.clone());
            continue;
        }
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
    let mut skip = |why: Why| skipped.push(Skipped { path: path.to_owned(), why });
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) => {
            skip(Why::Unsearched(error.to_string()));
            return Ok(());
        }
    };
    if kind.is_symlink() {
        skip(Why::PassedOver("a link".to_owned()));
    } else if kind.is_file() {
        if files.len() >= FILES {
            return Err(Failure::new(ids::FILE, format!("there are more than {FILES} files")));
        }
        files.push(path.to_owned());
    } else if !kind.is_dir() {
        skip(Why::PassedOver(NOT_REGULAR.to_owned()));
    } else if depth >= DEPTH {
        skip(Why::Unsearched(format!("more than {DEPTH} directories deep")));
    } else {
        let entries = fs::read_dir(path).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        match entries {
            Err(error) => skip(Why::Unsearched(error.to_string())),
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

/// Bytes that can be read at any place.
pub(super) trait Stored: Read + Seek + Send {}

impl<T: Read + Seek + Send> Stored for T {}

/// Opens an object, or a regular file without following a link; the reason when it is passed over.
pub(super) fn stored(path: &Path, progress: &Progress) -> Result<Box<dyn Stored>, Why> {
    if let Some(object) = open_remote(path).map_err(|failure| Why::Unsearched(told(&failure)))? {
        return Ok(Box::new(progress.follow(object)));
    }
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
    let opened = fs::OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| Why::Unsearched(error.to_string()))?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(Why::PassedOver(NOT_REGULAR.to_owned()));
    }
    Ok(Box::new(progress.follow(file)))
}

fn told(failure: &Failure) -> String {
    let why = failure.why.iter().map(|why| format!(": {why}"));
    std::iter::once(failure.what.clone()).chain(why).collect()
}

/// An error with what it comes from.
pub(super) fn reasons(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut further = error.source();
    while let Some(source) = further {
        said.push_str(&format!(": {source}"));
        further = source.source();
    }
    said
}

/// The bytes of a file, decompressed, and how they are taken.
pub(super) struct Opened<'a> {
    head: Cursor<Vec<u8>>,
    // Why there is no more, when that showed already while the head was read.
    failed: Option<io::Error>,
    rest: Unpacked<'a>,
    pub(super) layout: Layout,
}

impl<'a> Opened<'a> {
    /// Looks at the first bytes of the file of that name; the reason when it is passed over. Who says what it is may have
    /// text with control characters.
    pub(super) fn new(path: &Path, bytes: impl Read + Send + 'a, said: Option<&str>) -> Result<Self, Why> {
        let mut rest = Unpacked::open(bytes).map_err(|error| Why::Unsearched(reasons(&error)))?;
        let mut head = Vec::new();
        let failed = rest.by_ref().take(HEAD).read_to_end(&mut head).err();
        let layout = match columns(&head, rest.compression()) {
            Some(format) => Layout::Columns(format),
            None => {
                let within = |what: &str| match rest.compression() {
                    Some(compression) => format!("{what}, in {compression}"),
                    None => what.to_owned(),
                };
                let binary = said.is_none() && is_binary(&head);
                if let Some(what) = unreadable(&head, binary) {
                    return Err(Why::Unsearched(within(what)));
                }
                if binary {
                    // Where it breaks off, what came until then says nothing of the rest.
                    let of = if failed.is_some() { Why::Unsearched } else { Why::PassedOver };
                    return Err(of(within("binary")));
                }
                match said {
                    Some("csv") => Layout::Table(separator(&head)),
                    Some("jsonl") => Layout::Lines,
                    Some(_) => Layout::Text,
                    None => layout(path, &head, rest.compression().is_some()),
                }
            }
        };
        Ok(Self { head: Cursor::new(head), failed, rest, layout })
    }
}

/// Opens a file that is to be written anew, or an object by its URL.
pub(super) fn open(path: &Path, said: Option<&str>) -> Result<Opened<'static>, Failure> {
    let bytes: Box<dyn Read + Send> = match open_remote(path)? {
        Some(object) => Box::new(object),
        None => {
            let file = fs::File::open(path).map_err(|error| file_failure(path, &error))?;
            if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
                return Err(Failure::new(ids::FILE, format!("`{}` is not a regular file", path.display())));
            }
            Box::new(file)
        }
    };
    let opened = Opened::new(path, bytes, said).map_err(|why| {
        let mut failure = Failure::new(ids::DELIVERY, format!("`{}` is no text", path.display()));
        failure.why.push(why.said().to_owned());
        failure
    })?;
    if let Layout::Columns(format) = opened.layout {
        let what = format!("`{}` is {format}, and only text is written anew", path.display());
        return Err(Failure::new(ids::DELIVERY, what).then("write the table as CSV or JSON lines before"));
    }
    Ok(opened)
}

impl Read for Opened<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.head.read(into)? {
            0 => self.failed.take().map_or_else(|| self.rest.read(into), Err),
            length => Ok(length),
        }
    }
}

/// The format of a file that holds columns. Parquet is read from its end and so is none where it is compressed.
fn columns(head: &[u8], compression: Option<&str>) -> Option<Format> {
    if head.starts_with(b"PAR1") && compression.is_none() {
        return Some(Format::Parquet);
    }
    (head.starts_with(b"ARROW1\0\0") || head.starts_with(&[0xff; 4])).then_some(Format::Arrow)
}

/// What a file is that is no text as it stands and may hold some, by how it begins.
const NO_TEXT: [(&[u8], &str); 8] = [
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x04\x22\x4d\x18", "compressed with lz4"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"%PDF-", "PDF"),
];

/// What begins so and is binary holds tables, or text.
const HOLDERS: [(&[u8], &str); 7] = [
    // Where it is compressed.
    (b"PAR1", "Parquet"),
    (b"ORC", "ORC"),
    (b"Obj\x01", "Avro"),
    (b"FEA1", "Feather"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an OLE document"),
];

/// Where the headers of tar archives say that they are such (POSIX.1-1988 and later).
const TAR: std::ops::Range<usize> = 257..262;

fn unreadable(head: &[u8], binary: bool) -> Option<&'static str> {
    let holders = HOLDERS.iter().filter(|_| binary);
    if let Some((_, what)) = NO_TEXT.iter().chain(holders).find(|(magic, _)| head.starts_with(magic)) {
        return Some(what);
    }
    if head.get(TAR) == Some(b"ustar") {
        return Some("a tar archive");
    }
    // Compressed twice.
    (head.starts_with(&[0x1f, 0x8b, 0x08]) || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]))
        .then_some("compressed")
}

fn is_binary(head: &[u8]) -> bool {
    let controls =
        head.iter().filter(|byte| **byte < 0x20 && !b"\t\n\r\x0b\x0c\x1b\x08".contains(byte)).count();
    head.contains(&0) || controls.saturating_mul(20) > head.len()
}

/// What the ending of a name, and the first line, say of a file.
fn layout(path: &Path, head: &[u8], packed: bool) -> Layout {
    let ending = |path: &Path| {
        path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase()
    };
    let mut last = ending(path);
    // `people.csv.gz` is a table.
    if packed && matches!(last.as_str(), "gz" | "gzip" | "zst" | "zstd") {
        last = ending(&path.with_extension(""));
    }
    match last.as_str() {
        "tsv" => Layout::Table(b'\t'),
        "csv" => Layout::Table(separator(head)),
        "jsonl" | "ndjson" | "json" => Layout::Lines,
        _ => Layout::Text,
    }
}

/// The separator that comes most often in the first line.
fn separator(head: &[u8]) -> u8 {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |mark: u8| line.iter().filter(|byte| **byte == mark).count();
    // Of equally many the first counts, so that a single column is taken as separated by commas.
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|mark| count(*mark)).unwrap_or(b',')
}
