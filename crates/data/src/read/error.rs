//! Why a table could not be read to its end.

use std::fmt;
use std::io;

use super::Format;
use crate::csv::{Encoding, Separator};
use crate::limits::{
    CELL_BYTES, COLUMN_NAME_BYTES, COLUMNS, DECOMPRESSION_RATIO, DEPTH, RECORD_BYTES, ROWS, WHOLE_FILE_BYTES,
};

/// Where in a file: the header (row 0) or a row counted from 1 after it, and a column counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 0 for the header, else the row's number.
    pub row: u64,
    /// The column, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            0 => write!(f, "the header, column {}", self.column),
            row => write!(f, "row {row}, column {}", self.column),
        }
    }
}

/// A file was not read to its end, so nothing may be concluded from it.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The storage failed.
    #[error("cannot read the file")]
    Io(#[source] io::Error),
    /// No bytes, or nothing but a byte order mark and empty lines.
    #[error("the file is empty")]
    Empty,
    /// A header and nothing after it.
    #[error("the file has a header and no rows")]
    NoRows,
    /// Not text.
    #[error("the file is not text: {recognised}")]
    Binary {
        /// What it seems to be, for example `a gzip archive`.
        recognised: &'static str,
    },
    /// Bytes that are not text in the encoding.
    #[error(
        "byte {offset} of the file ({place}) is not {encoding}; if the file is in another encoding, name it"
    )]
    BadText {
        /// The encoding that was expected.
        encoding: Encoding,
        /// Where in the table.
        place: Place,
        /// Where in the file, from 0.
        offset: u64,
    },
    /// A zero byte in the text.
    #[error("a zero byte in {place}")]
    ZeroByte {
        /// Where in the table.
        place: Place,
    },
    /// A record that does not end.
    #[error("the record at {place} is longer than {RECORD_BYTES} bytes; is the separator or a quote wrong?")]
    RecordTooLong {
        /// Where the limit was passed.
        place: Place,
    },
    /// A cell that is too long.
    #[error("the cell in {place} has {bytes} bytes, more than the {CELL_BYTES} allowed")]
    CellTooLong {
        /// Where in the table.
        place: Place,
        /// Its bytes.
        bytes: usize,
    },
    /// More columns than a table may have.
    #[error("row {row} has more than the {COLUMNS} columns allowed")]
    TooManyColumns {
        /// 0 for the header.
        row: u64,
    },
    /// More rows than can be counted.
    #[error("more than the {ROWS} rows allowed")]
    TooManyRows,
    /// The file ends within quotes: it was cut off, or a quote is missing.
    #[error("the file ends inside the quoted cell in {place}; was it cut off?")]
    UnclosedQuote {
        /// The cell that does not end.
        place: Place,
    },
    /// A row with more or fewer cells than the header.
    #[error("row {row} has {got} cells, the header has {expected}")]
    Ragged {
        /// The row, from 1.
        row: u64,
        /// Cells in the header.
        expected: usize,
        /// Cells in the row.
        got: usize,
    },
    /// Two columns of one name.
    #[error("columns {first} and {second} are both named `{name}`")]
    DuplicateColumn {
        /// The name.
        name: String,
        /// The first of the two, from 1.
        first: usize,
        /// The second.
        second: usize,
    },
    /// Keys of JSON that come to one column by different ways.
    #[error("the column `{path}` is a key by that name, and a way through other keys: rename one of them")]
    AmbiguousPath {
        /// The path.
        path: String,
    },
    /// A column without a name.
    #[error("column {column} has no name; if the first line is not a header, add one")]
    UnnamedColumn {
        /// The column, from 1.
        column: usize,
    },
    /// A column's name that nobody could have meant.
    #[error("the name of column {column} has control characters or more than {COLUMN_NAME_BYTES} bytes")]
    ColumnName {
        /// The column, from 1.
        column: usize,
    },
    /// A first line of numbers only.
    #[error("the first line holds only numbers, so it is no header; add a line with the columns' names")]
    NoHeader,
    /// It cannot be decompressed, or was cut off.
    #[error("the {compression} compressed file cannot be decompressed; was it cut off?")]
    Compressed {
        /// `gzip` or `zstd`.
        compression: &'static str,
        /// What the decoder says.
        #[source]
        source: io::Error,
    },
    /// So little makes so much that it can only be meant to.
    #[error("the file decompresses to more than {DECOMPRESSION_RATIO} times its size")]
    TooDense,
    /// A line of JSON that cannot be taken as a row.
    #[error("row {row}, character {character}: {what}")]
    Json {
        /// The line, from 1, empty ones not counted.
        row: u64,
        /// The character in it, from 1.
        character: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// Not what a file of this format looks like.
    #[error("the {format} file is damaged{}: {what}", Within(.column, .row))]
    Damaged {
        /// The format.
        format: Format,
        /// The column, when it is known.
        column: Option<String>,
        /// The first row of the part that cannot be read, when it is known.
        row: Option<u64>,
        /// What the decoder says, cut to 200 characters.
        what: String,
    },
    /// More of something than a file may have.
    #[error("the {format} file{} has {what} of {got}, more than the {allowed} allowed", Within(.column, &None))]
    Limit {
        /// The format.
        format: Format,
        /// The column, when there is one.
        column: Option<String>,
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        got: u64,
        /// How much there may be.
        allowed: u64,
    },
    /// Values within values within values.
    #[error("{place} nests deeper than the {DEPTH} levels allowed")]
    TooDeep {
        /// A column, or a row.
        place: String,
    },
    /// A column of a type that is no table's, or stored in a way that is not read.
    #[error("column `{column}` is {kind}, which is not supported")]
    Unsupported {
        /// The column.
        column: String,
        /// What it is.
        kind: String,
    },
    /// A format that is read from its end, out of a pipe and too large to be kept.
    #[error("a Parquet file of more than {WHOLE_FILE_BYTES} bytes cannot be read from a pipe; save it first")]
    NotSeekable,
    /// The file changed between two reads of the same place.
    #[error("the file changed while it was read")]
    Changed,
    /// The stated separator does not occur in the header, another does.
    #[error("the header is not separated by `{given}` but, it seems, by `{likely}`")]
    WrongSeparator {
        /// What was stated.
        given: Separator,
        /// What the header uses.
        likely: Separator,
    },
}

/// Where in a file, for messages.
struct Within<'a>(&'a Option<String>, &'a Option<u64>);

impl fmt::Display for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(column), Some(row)) => write!(f, " in column `{column}` from row {row} on"),
            (Some(column), None) => write!(f, " in column `{column}`"),
            (None, Some(row)) => write!(f, " from row {row} on"),
            (None, None) => Ok(()),
        }
    }
}

impl ReadError {
    /// What a decoder says, without what would be long or speak to a terminal.
    pub(crate) fn damaged(format: Format, what: &dyn fmt::Display) -> Self {
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let what = what.to_string().chars().take(200).map(plain).collect();
        Self::Damaged { format, column: None, row: None, what }
    }

    /// The same, about a column.
    pub(crate) fn in_column(self, name: &str, first_row: u64) -> Self {
        match self {
            Self::Damaged { format, what, .. } => {
                Self::Damaged { format, column: Some(name.to_owned()), row: Some(first_row), what }
            }
            Self::Limit { format, what, got, allowed, .. } => {
                Self::Limit { format, column: Some(name.to_owned()), what, got, allowed }
            }
            other => other,
        }
    }

    /// Whether the same read may succeed later: storage fails, files stay as they are.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Io(_))
    }
}
