//! A small delimited table in memory: cells by row and column, and writing a changed copy of them.
//!
//! What a file is, is for `bartizan-data` to say, which the demo's deliveries are checked with too; what is kept here
//! serves the demo's attacker and client, who only want cells.

use bartizan_data::{CsvOptions, CsvReader, ReadError, Separator};

/// A header and rows of equal width; cells are unquoted UTF-8.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<String>,
    separator: Separator,
    bytes: Vec<u8>,
    /// INVARIANT: where each cell ends in `bytes`, row by row, never falling; the header is not among them.
    ends: Vec<usize>,
}

/// Why the bytes are not the table that was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableRefused {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("there is no column `{name}`; the columns are {columns}")]
    NoSuchColumn { name: String, columns: String },
}

impl Table {
    /// Reads a whole file. Without a separator, that of its header is taken.
    pub(crate) fn parse(text: &[u8], separator: Option<Separator>) -> Result<Table, TableRefused> {
        let reader = CsvReader::open(text, &CsvOptions { separator, ..CsvOptions::default() })?;
        let (columns, separator) = (reader.header().to_vec(), reader.format().separator);
        let (mut bytes, mut ends) = (Vec::with_capacity(text.len()), Vec::new());
        reader.for_each_row(|row| {
            for cell in row.cells() {
                bytes.extend_from_slice(cell);
                ends.push(bytes.len());
            }
        })?;
        Ok(Table { columns, separator, bytes, ends })
    }

    /// What its cells are separated by where it comes from.
    pub(crate) fn separator(&self) -> Separator {
        self.separator
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
}

/// A finite decimal number with nothing but spaces around it.
pub(crate) fn parse_number(cell: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(cell.trim_ascii()).ok()?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Appends one row to `out`, quoting the cells that need it.
pub(crate) fn write_row<'a>(
    out: &mut Vec<u8>,
    separator: Separator,
    cells: impl IntoIterator<Item = &'a [u8]>,
) {
    let (row_start, separator) = (out.len(), separator.byte());
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
