//! Why a file could not be read to its end.

use std::fmt;
use std::io;

use super::{Encoding, Separator};
use crate::limits::{CELL_BYTES, COLUMN_NAME_BYTES, COLUMNS, RECORD_BYTES, ROWS};

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
    /// The stated separator does not occur in the header, another does.
    #[error("the header is not separated by `{given}` but, it seems, by `{likely}`")]
    WrongSeparator {
        /// What was stated.
        given: Separator,
        /// What the header uses.
        likely: Separator,
    },
}

impl ReadError {
    /// Whether the same read may succeed later: storage fails, files stay as they are.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Io(_))
    }
}
