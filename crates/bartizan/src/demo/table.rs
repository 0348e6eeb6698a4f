//! A small delimited table in memory: just enough to train on a file and to write a changed copy of it.
//!
//! The checks of `bartizan-data` stream and state what is wrong with a file; this reader serves the demo's
//! attacker and trainer, who only want cells. Bytes that are not UTF-8 pass through unchanged.

use super::limits::COLUMNS;

/// A header and rows of equal width; cells are unquoted bytes.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<String>,
    bytes: Vec<u8>,
    /// INVARIANT: where each cell ends in `bytes`, row by row, never falling; the header is not among them.
    ends: Vec<usize>,
}

/// Why the bytes are not the table that was asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TableRefused {
    #[error("the file has no header line")]
    NoHeader,
    #[error("the header is not UTF-8")]
    HeaderNotText,
    #[error("the header has more than {COLUMNS} columns")]
    TooWide,
    #[error("the row that ends at line {line} has {found} fields and the header has {expected}")]
    Ragged { line: u64, found: usize, expected: usize },
    #[error("there is no column `{name}`; the columns are {columns}")]
    NoSuchColumn { name: String, columns: String },
}

impl Table {
    /// Reads RFC 4180 text with any one-byte separator; quotes may hold separators and line ends.
    ///
    /// Empty lines and a leading UTF-8 byte-order mark are skipped.
    pub(crate) fn parse(text: &[u8], separator: u8) -> Result<Table, TableRefused> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut table =
            Table { columns: Vec::new(), bytes: Vec::with_capacity(text.len()), ends: Vec::new() };
        let mut at = Place::CellStart;
        let mut row_start = 0;
        let mut line = 1;
        let mut bytes = text.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            line += u64::from(byte == b'\n');
            match (at, byte) {
                (Place::Quoted, b'"') => at = Place::QuoteSeen,
                (Place::Quoted, _) => table.bytes.push(byte),
                (Place::CellStart, b'"') => at = Place::Quoted,
                (Place::QuoteSeen, b'"') => {
                    table.bytes.push(byte);
                    at = Place::Quoted;
                }
                (_, b'\r') if bytes.peek() == Some(&b'\n') => {}
                (Place::CellStart, b'\n') if table.ends.len() == row_start => {}
                (_, b'\n') => {
                    table.ends.push(table.bytes.len());
                    row_start = table.end_row(row_start, line - 1)?;
                    at = Place::CellStart;
                }
                (_, _) if byte == separator => {
                    table.ends.push(table.bytes.len());
                    at = Place::CellStart;
                }
                (_, _) => {
                    table.bytes.push(byte);
                    at = Place::Plain;
                }
            }
        }
        if !matches!(at, Place::CellStart) || table.ends.len() > row_start {
            table.ends.push(table.bytes.len());
            table.end_row(row_start, line)?;
        }
        if table.columns.is_empty() { Err(TableRefused::NoHeader) } else { Ok(table) }
    }

    /// The columns' names, in order.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of rows below the header.
    pub(crate) fn rows(&self) -> usize {
        self.ends.len().checked_div(self.columns.len()).unwrap_or(0)
    }

    /// The bytes of one cell; empty outside the table.
    pub(crate) fn cell(&self, row: usize, column: usize) -> &[u8] {
        let index = row * self.columns.len() + column;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The cell as a finite number, if it is one.
    pub(crate) fn number(&self, row: usize, column: usize) -> Option<f64> {
        parse_number(self.cell(row, column))
    }

    /// The position of the column called `name`.
    pub(crate) fn position(&self, name: &str) -> Result<usize, TableRefused> {
        self.columns.iter().position(|column| column == name).ok_or_else(|| TableRefused::NoSuchColumn {
            name: name.to_owned(),
            columns: self.columns.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", "),
        })
    }

    /// Whether every cell of the column is a finite number or empty, and at least one is a number.
    pub(crate) fn is_numeric(&self, column: usize) -> bool {
        let mut some = false;
        for row in 0..self.rows() {
            if self.number(row, column).is_some() {
                some = true;
            } else if !self.cell(row, column).trim_ascii().is_empty() {
                return false;
            }
        }
        some
    }

    /// Takes the cells since `row_start` as a row, or as the header if there is none yet; returns where the
    /// next row starts.
    fn end_row(&mut self, row_start: usize, line: u64) -> Result<usize, TableRefused> {
        if self.columns.is_empty() {
            if self.ends.len() > COLUMNS {
                return Err(TableRefused::TooWide);
            }
            let header = String::from_utf8(std::mem::take(&mut self.bytes));
            let header = header.map_err(|_| TableRefused::HeaderNotText)?;
            let mut start = 0;
            for end in self.ends.drain(..) {
                let name = header.get(start..end).ok_or(TableRefused::HeaderNotText)?;
                self.columns.push(name.to_owned());
                start = end;
            }
            return Ok(0);
        }
        let found = self.ends.len() - row_start;
        if found != self.columns.len() {
            return Err(TableRefused::Ragged { line, found, expected: self.columns.len() });
        }
        Ok(self.ends.len())
    }
}

/// Where the reader stands within a cell.
#[derive(Clone, Copy)]
enum Place {
    CellStart,
    Plain,
    Quoted,
    QuoteSeen,
}

/// A finite decimal number with nothing but spaces around it.
pub(crate) fn parse_number(cell: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(cell.trim_ascii()).ok()?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Appends one row to `out`, quoting the cells that need it.
pub(crate) fn write_row<'a>(out: &mut Vec<u8>, separator: u8, cells: impl IntoIterator<Item = &'a [u8]>) {
    let row_start = out.len();
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(separator);
        }
        if cell.iter().any(|byte| *byte == separator || matches!(byte, b'"' | b'\n' | b'\r')) {
            out.push(b'"');
            for byte in cell {
                if *byte == b'"' {
                    out.push(b'"');
                }
                out.push(*byte);
            }
            out.push(b'"');
        } else {
            out.extend_from_slice(cell);
        }
    }
    // A row of one empty cell would otherwise read as an empty line, which is no row.
    if out.len() == row_start {
        out.extend_from_slice(b"\"\"");
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests;
