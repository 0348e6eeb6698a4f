//! Rows of text to columns in memory: numbers where every cell is one, texts by their place in a list elsewhere.

use std::collections::HashMap;

use super::table::{Cells, Codes, Feature, MISSING, Tag};
use crate::cell::{self, Value};
use crate::csv::{NullTokens, Row};
use crate::limits::{QUALITY_CELLS, QUALITY_ROWS, QUALITY_TEXT_BYTES};

/// Columns that are being filled.
#[derive(Debug)]
pub struct Gather {
    names: Vec<String>,
    columns: Vec<Filling>,
    nulls: NullTokens,
    rows: usize,
    text_bytes: usize,
}

#[derive(Debug, Default)]
struct Filling {
    /// Numbers as long as no cell is anything else.
    numbers: Vec<f64>,
    codes: Vec<u32>,
    values: Vec<String>,
    places: HashMap<Box<[u8]>, u32, foldhash::fast::RandomState>,
    texts: bool,
}

/// A column in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// Its name.
    pub name: String,
    /// Its cells as numbers, NaN where one is missing; absent when a cell is no number.
    pub numbers: Option<Vec<f64>>,
    /// For each cell the place of its text among `values`, or [`MISSING`].
    pub codes: Vec<u32>,
    /// The different texts, in the order in which they came first.
    pub values: Vec<String>,
}

/// More than fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatherFailed {
    /// Too many rows, or too many cells.
    #[error("more than {QUALITY_ROWS} rows or {QUALITY_CELLS} cells")]
    Cells,
    /// The different texts are too long together.
    #[error("the different texts are longer than {QUALITY_TEXT_BYTES} bytes together")]
    Texts,
}

impl Gather {
    /// Columns of these names, with the spellings of "no value".
    pub fn new(names: &[String], nulls: &NullTokens) -> Self {
        let columns = names.iter().map(|_| Filling::default()).collect();
        Self { names: names.to_vec(), columns, nulls: nulls.clone(), rows: 0, text_bytes: 0 }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When there is more than fits.
    pub fn push(&mut self, row: Row<'_>) -> Result<(), GatherFailed> {
        self.rows = self.rows.saturating_add(1);
        if self.rows > QUALITY_ROWS || self.rows.saturating_mul(self.names.len()) > QUALITY_CELLS {
            return Err(GatherFailed::Cells);
        }
        for (column, cell) in self.columns.iter_mut().zip(row.cells()) {
            self.text_bytes = self.text_bytes.saturating_add(column.push(cell, &self.nulls));
        }
        if self.text_bytes > QUALITY_TEXT_BYTES { Err(GatherFailed::Texts) } else { Ok(()) }
    }

    /// The columns, in the order of the names.
    pub fn finish(self) -> Vec<Gathered> {
        let gathered = |(name, column): (String, Filling)| {
            let numbers = (!column.texts).then_some(column.numbers);
            Gathered { name, numbers, codes: column.codes, values: column.values }
        };
        self.names.into_iter().zip(self.columns).map(gathered).collect()
    }
}

impl Filling {
    /// Takes a cell, and says how many bytes of text that keeps.
    fn push(&mut self, cell: &[u8], nulls: &NullTokens) -> usize {
        let number = match cell::classify(cell, nulls) {
            Value::Null => {
                self.codes.push(MISSING);
                if !self.texts {
                    self.numbers.push(f64::NAN);
                }
                return 0;
            }
            Value::Integer(integer) => Some(integer as f64),
            Value::Float(float) => Some(float),
            Value::Boolean
            | Value::Date
            | Value::Timestamp
            | Value::Text
            | Value::Binary
            | Value::List(_) => None,
        };
        match number {
            Some(number) if !self.texts => self.numbers.push(number),
            Some(_) => {}
            None => {
                self.texts = true;
                self.numbers = Vec::new();
            }
        }
        if let Some(code) = self.places.get(cell) {
            self.codes.push(*code);
            return 0;
        }
        let code = u32::try_from(self.values.len()).unwrap_or(MISSING);
        self.places.insert(cell.into(), code);
        self.values.push(String::from_utf8_lossy(cell).into_owned());
        self.codes.push(code);
        cell.len().saturating_mul(2).saturating_add(64)
    }
}

impl Gathered {
    /// The column as a feature.
    pub fn feature(&self) -> Feature<'_> {
        let cells = match &self.numbers {
            Some(numbers) => Cells::Numbers(numbers),
            None => Cells::Codes(self.categories()),
        };
        Feature { name: &self.name, cells }
    }

    /// The column as texts, also when all of them are numbers.
    pub fn categories(&self) -> Codes<'_> {
        Codes { codes: &self.codes, values: &self.values }
    }

    /// The column as a label, a source or a writer.
    pub fn tag(&self) -> Tag<'_> {
        Tag { name: &self.name, codes: self.categories() }
    }
}
