//! The mergeable state that one pass over a table leaves behind.

mod column;
mod extremes;
mod stored;
mod values;

use std::io::Read;

pub use self::column::{ColumnProfile, ColumnType, ColumnTypeInvalid, Kinds};
pub use self::stored::ProfileInvalid;
use crate::cell::{self, Value};
use crate::csv::{CsvOptions, CsvReader, NullTokens, ReadError, ReadOutcome, Row};
use crate::limits::ROWS;

/// What is known of a table after one pass: counts, kinds, extremes and, where they are few, distinct values.
///
/// Memory depends on the columns alone. Merging is associative and commutative and exact: however a table is cut
/// into parts, the merged profile equals that of the whole, byte for byte in the stored form.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    null: NullTokens,
    rows: u64,
    columns: Vec<ColumnProfile>,
}

/// Two profiles are not of the same table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The columns or their order differ.
    #[error("the profiles have different columns")]
    Columns,
    /// They take different cells for "no value".
    #[error("the profiles spell null differently")]
    Null,
    /// Together they have too many rows.
    #[error("together more than the {ROWS} rows allowed")]
    Rows,
}

/// Reads a CSV file once and profiles it.
///
/// # Errors
/// When the file cannot be read to its end.
pub fn infer(input: impl Read, options: &CsvOptions) -> Result<(Profile, ReadOutcome), ReadError> {
    let reader = CsvReader::open(input, options)?;
    let mut profile = Profile::new(reader.header(), &options.null);
    let outcome = reader.for_each_row(|row| profile.observe(row, |_, _, _| {}))?;
    Ok((profile, outcome))
}

impl Profile {
    /// The profile of a table without rows.
    pub(crate) fn new(header: &[String], null: &NullTokens) -> Self {
        let columns = header.iter().map(|name| ColumnProfile::new(name.clone(), header.len())).collect();
        Self { null: null.clone(), rows: 0, columns }
    }

    /// Takes one row in and shows each cell, with its column's place from 0 and its value, to `also`.
    #[inline]
    pub(crate) fn observe(&mut self, row: Row<'_>, mut also: impl FnMut(usize, &[u8], Value)) {
        self.rows += 1;
        for (at, (column, cell)) in self.columns.iter_mut().zip(row.cells()).enumerate() {
            let value = cell::classify(cell, &self.null);
            column.observe(cell, value);
            also(at, cell, value);
        }
    }

    /// Takes in what `other` knows of further rows of the same table.
    ///
    /// # Errors
    /// When the other profile is of another table; then nothing changed.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.null != other.null {
            return Err(MergeError::Null);
        }
        if !self.columns.iter().map(|column| &column.name).eq(other.columns.iter().map(|column| &column.name))
        {
            return Err(MergeError::Columns);
        }
        let rows = self.rows.checked_add(other.rows).filter(|rows| *rows <= ROWS).ok_or(MergeError::Rows)?;
        self.rows = rows;
        self.columns.iter_mut().zip(&other.columns).for_each(|(mine, theirs)| mine.merge(theirs));
        Ok(())
    }

    /// Rows seen.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Which cells counted as "no value".
    pub const fn null(&self) -> &NullTokens {
        &self.null
    }

    /// The columns in the order of the header.
    pub fn columns(&self) -> &[ColumnProfile] {
        &self.columns
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|column| column.name == name)
    }
}
