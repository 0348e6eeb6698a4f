//! Tables in whatever format they come, read once, column by column.
//!
//! ```text
//!   Source --bytes--> counted, hashed, decompressed --+--> CSV    pieces of whole records    --+
//!                                                     +--> JSON   pieces of whole lines      --+--> Column --> Sink
//!                                                     +--> Arrow  one batch after the other  --+
//!   Source, seekable, hashed and pinned -----------------> Parquet column x row group         --+
//! ```
//!
//! Modules in reading order: `batch` (what a column looks like), `turns` (streams on several threads), `delivered`,
//! `json`, `decoder` (guards those of others), `arrow_ipc`, `parquet`; CSV has a place of its own.

mod arrow_ipc;
pub(crate) mod batch;
mod cells;
mod decoder;
mod delivered;
mod error;
mod flatten;
mod json;
mod parquet;
mod turns;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bartizan_base::Digest;

pub use self::cells::read_columns;
pub use self::decoder::decoding;
pub use self::delivered::Unpacked;
pub(crate) use self::delivered::read_error;
use self::delivered::{Content, take_start};
pub use self::error::{Place, ReadError};
pub(crate) use self::turns::{Columns, Parse, Pieces, Sink, TableRows, run_here};
use crate::csv::pieces::CsvPieces;
use crate::csv::sheet::Sheets;
use crate::csv::sniff;
use crate::csv::{CsvFormat, CsvOptions, CsvReader, Encoding, Separator};
use crate::limits::{COLUMN_NAME_BYTES, COLUMNS, WHOLE_FILE_BYTES};

/// What a table is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Text with separators; also tab-separated and the like.
    Csv,
    /// One JSON object a line.
    Json,
    /// Arrow IPC, a stream or a file (Feather 2).
    Arrow,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Json, Self::Arrow, Self::Parquet];

    /// The name that options take.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "jsonl",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::Json => "JSON lines",
            Self::Arrow => "Arrow",
            Self::Parquet => "Parquet",
        })
    }
}

/// The text is not the name of a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a format: `csv`, `jsonl`, `arrow` or `parquet`")]
pub struct FormatInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

impl FromStr for Format {
    type Err = FormatInvalid;

    fn from_str(text: &str) -> Result<Self, FormatInvalid> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| FormatInvalid { text: text.chars().take(80).collect() })
    }
}

/// How to read a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// The format; `None` finds out from the first bytes.
    pub format: Option<Format>,
    /// How to read CSV.
    pub csv: CsvOptions,
}

/// What can be read at any place: a name for three bounds, of which one makes no object.
trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// Where a table's bytes come from.
pub struct Source<'a>(Bytes<'a>);

enum Bytes<'a> {
    Stream(Box<dyn Read + Send + 'a>),
    Seekable(Box<dyn ReadSeek>),
}

impl<'a> Source<'a> {
    /// What comes once, from the beginning to the end.
    pub fn stream(input: impl Read + Send + 'a) -> Self {
        Self(Bytes::Stream(Box::new(input)))
    }

    /// What can be read at any place. Parquet, which is read from its end, needs this unless it is small.
    pub fn seekable(input: impl Read + Seek + Send + 'static) -> Self {
        Self(Bytes::Seekable(Box::new(input)))
    }

    /// The same, which cannot be read any further once somebody has seen enough: a reader that asks for more fails.
    pub(crate) fn until(self, enough: Arc<AtomicBool>) -> Self {
        match self.0 {
            Bytes::Stream(input) => Self::stream(Until { input, enough }),
            Bytes::Seekable(input) => Self::seekable(Until { input, enough }),
        }
    }
}

struct Until<T> {
    input: T,
    enough: Arc<AtomicBool>,
}

impl<T: Read> Read for Until<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.enough.load(Ordering::Relaxed) {
            return Err(io::Error::other("enough of it was read"));
        }
        self.input.read(into)
    }
}

impl<T: Seek> Seek for Until<T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.input.seek(to)
    }
}

/// What a read to the very end learned. Nothing else makes one, so whoever holds it has seen the whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOutcome {
    bytes: u64,
    digest: Digest,
    rows: u64,
    kind: Format,
    format: CsvFormat,
}

impl ReadOutcome {
    pub(crate) const fn new(bytes: u64, digest: Digest, rows: u64, kind: Format, format: CsvFormat) -> Self {
        Self { bytes, digest, rows, kind, format }
    }

    /// Bytes of the file, as delivered.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of those bytes.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Rows, the header not counted.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// What the file is.
    pub const fn kind(&self) -> Format {
        self.kind
    }

    /// How the text was written; of what is not CSV, how CSV is written by default.
    pub const fn format(&self) -> CsvFormat {
        self.format
    }
}

/// A table that was read to its end.
pub(crate) struct Table<S> {
    pub(crate) columns: Vec<(String, S)>,
    pub(crate) outcome: ReadOutcome,
}

const PLAIN: CsvFormat = CsvFormat { separator: Separator::COMMA, encoding: Encoding::Utf8 };

/// Reads a table to its end with so many threads, and shows every column to `sink`. What it learns is the same
/// whatever their number.
pub(crate) fn read<K: Sink>(
    source: Source<'_>,
    options: &ReadOptions,
    threads: usize,
    sink: &K,
) -> Result<Table<K::State>, ReadError> {
    keep_memory();
    let (source, start) = start_of(source.0)?;
    let stated = options.format.or_else(|| outer_format(&start));
    if stated == Some(Format::Parquet) {
        if !start.starts_with(b"PAR1") {
            return Err(ReadError::damaged(Format::Parquet, &"it does not begin as a file does"));
        }
        return parquet(source, threads, sink);
    }
    let input: Box<dyn Read + Send + '_> = match source {
        Bytes::Stream(input) => input,
        Bytes::Seekable(input) => Box::new(input),
    };
    let mut content = Content::open(input)?;
    let start = take_start(&mut content).map_err(read_error)?;
    let format = options.format.unwrap_or_else(|| inner_format(&start));
    let content = Cursor::new(start.clone()).chain(content);
    let (columns, rows, written, content) = match format {
        Format::Csv | Format::Parquet => csv(content, options, threads, sink)?,
        Format::Json => json(content, threads, sink)?,
        Format::Arrow => arrow(content, start.starts_with(b"ARROW1"), threads, sink)?,
    };
    if rows == 0 {
        return Err(if format == Format::Json { ReadError::Empty } else { ReadError::NoRows });
    }
    let (bytes, digest) = content.into_inner().1.tally();
    Ok(Table { columns, outcome: ReadOutcome::new(bytes, digest, rows, format, written) })
}

/// Has the allocator keep a few megabytes that are free for what is allocated next.
///
/// Readers take and leave buffers of a hundred kilobytes or so all the time. The allocator of glibc gives such back to the
/// system each time, and a sixth of the time of a profile of Parquet went into taking the pages anew; it stops that
/// for sizes up to the largest that was freed (`mallopt(3)`, `M_MMAP_THRESHOLD`). So one is freed that nobody touches.
fn keep_memory() {
    const KEPT: usize = 4 * 1024 * 1024;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT)));
}

type Decompressed<'a> = io::Chain<Cursor<Vec<u8>>, Content<'a>>;
type Finished<'a, S> = (Vec<(String, S)>, u64, CsvFormat, Decompressed<'a>);

/// The first bytes, and a source that still has them.
fn start_of(source: Bytes<'_>) -> Result<(Bytes<'_>, Vec<u8>), ReadError> {
    match source {
        Bytes::Stream(mut input) => {
            let start = take_start(&mut input).map_err(ReadError::Io)?;
            Ok((Bytes::Stream(Box::new(Cursor::new(start.clone()).chain(input))), start))
        }
        Bytes::Seekable(mut input) => {
            input.seek(SeekFrom::Start(0)).map_err(ReadError::Io)?;
            let start = take_start(&mut input).map_err(ReadError::Io)?;
            input.seek(SeekFrom::Start(0)).map_err(ReadError::Io)?;
            Ok((Bytes::Seekable(input), start))
        }
    }
}

/// Formats that are not compressed from outside.
fn outer_format(start: &[u8]) -> Option<Format> {
    (sniff::recognise(start) == Some("a Parquet file")).then_some(Format::Parquet)
}

fn inner_format(start: &[u8]) -> Format {
    if start.starts_with(b"ARROW1\0\0") || start.starts_with(&[0xFF; 4]) {
        return Format::Arrow;
    }
    let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    let is_object = text
        .strip_prefix(b"{")
        .is_some_and(|rest| matches!(rest.trim_ascii_start().first(), Some(b'"' | b'}') | None));
    if is_object { Format::Json } else { Format::Csv }
}

fn csv<'a, K: Sink>(
    content: Decompressed<'a>,
    options: &ReadOptions,
    threads: usize,
    sink: &K,
) -> Result<Finished<'a, K::State>, ReadError> {
    let reader = CsvReader::open_content(content, &options.csv)?;
    let (pieces, header, format) = CsvPieces::after_header(reader);
    let sheets = Sheets { width: header.len(), format, null: &options.csv.null };
    let (finished, pieces) = turns::run(pieces, &sheets, sink, header, threads)?;
    Ok((finished.columns, finished.rows, format, pieces.into_input()))
}

fn json<'a, K: Sink>(
    content: Decompressed<'a>,
    threads: usize,
    sink: &K,
) -> Result<Finished<'a, K::State>, ReadError> {
    let lines = json::JsonLines::new();
    let pieces = json::JsonPieces::new(content);
    let (finished, pieces) = turns::run(pieces, &lines, sink, Vec::new(), threads)?;
    let columns: Vec<_> = finished
        .columns
        .into_iter()
        .zip(lines.hollow())
        .filter_map(|(column, hollow)| (!hollow).then_some(column))
        .collect();
    check_names(columns.iter().map(|(name, _)| name))?;
    Ok((columns, finished.rows, PLAIN, pieces.into_input()))
}

fn arrow<'a, K: Sink>(
    content: Decompressed<'a>,
    is_file: bool,
    threads: usize,
    sink: &K,
) -> Result<Finished<'a, K::State>, ReadError> {
    let pieces = arrow_ipc::ArrowPieces::open(content, is_file)?;
    let columns = pieces.columns()?;
    let (finished, pieces) = turns::run(pieces, &arrow_ipc::ArrowBatches, sink, columns, threads)?;
    Ok((finished.columns, finished.rows, PLAIN, pieces.into_input()))
}

fn parquet<K: Sink>(source: Bytes<'_>, threads: usize, sink: &K) -> Result<Table<K::State>, ReadError> {
    let file = match source {
        Bytes::Seekable(file) => file,
        Bytes::Stream(input) => {
            let mut bytes = Vec::new();
            input.take(WHOLE_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(ReadError::Io)?;
            if bytes.len() as u64 > WHOLE_FILE_BYTES {
                return Err(ReadError::NotSeekable);
            }
            Box::new(Cursor::new(bytes))
        }
    };
    let parquet::Read { columns, rows, bytes, digest } = parquet::read(file, sink, threads)?;
    if rows == 0 {
        return Err(ReadError::NoRows);
    }
    Ok(Table { columns, outcome: ReadOutcome::new(bytes, digest, rows, Format::Parquet, PLAIN) })
}

/// Holds the names of columns to what a profile can keep.
fn check_names<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Result<(), ReadError> {
    let mut places: HashMap<String, usize> = HashMap::new();
    for (column, name) in (1..).zip(names) {
        let name = name.as_ref();
        if column > COLUMNS {
            return Err(ReadError::TooManyColumns { row: 0 });
        }
        if name.trim().is_empty() {
            return Err(ReadError::UnnamedColumn { column });
        }
        if name.len() > COLUMN_NAME_BYTES || name.chars().any(char::is_control) {
            return Err(ReadError::ColumnName { column });
        }
        if let Some(first) = places.insert(name.to_owned(), column) {
            return Err(ReadError::DuplicateColumn { name: name.to_owned(), first, second: column });
        }
    }
    if places.is_empty() { Err(ReadError::Empty) } else { Ok(()) }
}
