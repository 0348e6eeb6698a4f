//! The table that is looked at: columns in memory, borrowed, all of one length.

use bartizan_base::sha256;

use crate::limits::{QUALITY_CLASSES, QUALITY_FEATURES, QUALITY_ROWS};

/// The code of a missing category.
pub const MISSING: u32 = u32::MAX;

/// Texts as numbers: each cell names its text by its place among `values`, or is [`MISSING`].
#[derive(Debug, Clone, Copy)]
pub struct Codes<'a> {
    /// One for each row.
    pub codes: &'a [u32],
    /// The different texts.
    pub values: &'a [String],
}

/// The cells of a feature.
#[derive(Debug, Clone, Copy)]
pub enum Cells<'a> {
    /// Numbers; NaN where one is missing.
    Numbers(&'a [f64]),
    /// Categories.
    Codes(Codes<'a>),
}

/// A column that a model could learn from.
#[derive(Debug, Clone, Copy)]
pub struct Feature<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its cells, one for each row.
    pub cells: Cells<'a>,
}

/// A column beside the features, such as the label, the source or the writer of each row.
#[derive(Debug, Clone, Copy)]
pub struct Tag<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it says of each row.
    pub codes: Codes<'a>,
}

/// A labelled table. Rows are numbered from 1 in everything that is reported.
#[derive(Debug, Clone)]
pub struct Table<'a> {
    // INVARIANT: all columns have `rows` cells, and every code is `MISSING` or a place in its `values`; every
    // label is there.
    rows: usize,
    features: Vec<Feature<'a>>,
    label: Tag<'a>,
    source: Option<Tag<'a>>,
    writer: Option<Tag<'a>>,
    keys: Option<&'a [u128]>,
}

/// Columns that make no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableInvalid {
    /// Too few or too many rows.
    #[error("{got} rows, and 2 to {QUALITY_ROWS} are possible")]
    Rows {
        /// How many there are.
        got: usize,
    },
    /// No features, or too many.
    #[error("{got} features, and 1 to {QUALITY_FEATURES} are possible")]
    Features {
        /// How many there are.
        got: usize,
    },
    /// A column with another number of cells than there are labels.
    #[error("the column `{name}` has {got} cells, and there are {expected} labels")]
    Length {
        /// The column.
        name: String,
        /// Its cells.
        got: usize,
        /// The labels.
        expected: usize,
    },
    /// A cell names a text that is not there.
    #[error("row {row} of the column `{name}` has a code without a text")]
    Code {
        /// The column.
        name: String,
        /// The row, from 1.
        row: usize,
    },
    /// A number that is not finite.
    #[error("row {row} of the column `{name}` is infinite")]
    Infinite {
        /// The column.
        name: String,
        /// The row, from 1.
        row: usize,
    },
    /// A row has no label.
    #[error("row {row} has no label")]
    Unlabelled {
        /// The row, from 1.
        row: usize,
    },
    /// Too many different labels.
    #[error("{got} different labels, and at most {QUALITY_CLASSES} are possible")]
    Classes {
        /// How many there are.
        got: usize,
    },
}

impl<'a> Table<'a> {
    /// A table of these features and labels.
    ///
    /// # Errors
    /// When columns differ in length, a code or number is not usable, a row has no label, or there is more of
    /// something than the limits allow.
    pub fn new(features: Vec<Feature<'a>>, label: Tag<'a>) -> Result<Self, TableInvalid> {
        let rows = label.codes.codes.len();
        if !(2..=QUALITY_ROWS).contains(&rows) {
            return Err(TableInvalid::Rows { got: rows });
        }
        if !(1..=QUALITY_FEATURES).contains(&features.len()) {
            return Err(TableInvalid::Features { got: features.len() });
        }
        if label.codes.values.len() > QUALITY_CLASSES {
            return Err(TableInvalid::Classes { got: label.codes.values.len() });
        }
        if let Some(row) = label.codes.codes.iter().position(|code| *code == MISSING) {
            return Err(TableInvalid::Unlabelled { row: row + 1 });
        }
        tag_fits(&label, rows)?;
        for feature in &features {
            match feature.cells {
                Cells::Numbers(cells) => {
                    fits(feature.name, cells.len(), rows)?;
                    if let Some(row) = cells.iter().position(|cell| cell.is_infinite()) {
                        return Err(TableInvalid::Infinite { name: feature.name.to_owned(), row: row + 1 });
                    }
                }
                Cells::Codes(codes) => tag_fits(&Tag { name: feature.name, codes }, rows)?,
            }
        }
        Ok(Self { rows, features, label, source: None, writer: None, keys: None })
    }

    /// The same, with where each row comes from.
    ///
    /// # Errors
    /// When the column does not fit.
    pub fn with_source(self, source: Tag<'a>) -> Result<Self, TableInvalid> {
        tag_fits(&source, self.rows)?;
        Ok(Self { source: Some(source), ..self })
    }

    /// The same, with who wrote each row.
    ///
    /// # Errors
    /// When the column does not fit.
    pub fn with_writer(self, writer: Tag<'a>) -> Result<Self, TableInvalid> {
        tag_fits(&writer, self.rows)?;
        Ok(Self { writer: Some(writer), ..self })
    }

    /// The same, with what names each row across versions: see [`key`].
    ///
    /// # Errors
    /// When there is not one for each row.
    pub fn with_keys(self, keys: &'a [u128]) -> Result<Self, TableInvalid> {
        fits("key", keys.len(), self.rows)?;
        Ok(Self { keys: Some(keys), ..self })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The features.
    pub fn features(&self) -> &[Feature<'a>] {
        &self.features
    }

    /// The labels.
    pub fn label(&self) -> Tag<'a> {
        self.label
    }

    /// Where each row comes from.
    pub fn source(&self) -> Option<Tag<'a>> {
        self.source
    }

    /// Who wrote each row.
    pub fn writer(&self) -> Option<Tag<'a>> {
        self.writer
    }

    /// What names each row.
    pub fn keys(&self) -> Option<&'a [u128]> {
        self.keys
    }

    /// Different labels, also those that no row has.
    pub fn classes(&self) -> usize {
        self.label.codes.values.len()
    }

    /// The labels' codes.
    pub(crate) fn labels(&self) -> &'a [u32] {
        self.label.codes.codes
    }

    /// How often each label comes.
    pub(crate) fn class_counts(&self) -> Vec<usize> {
        counts(self.labels(), self.classes())
    }
}

/// How often each code comes; missing ones are not counted.
pub(crate) fn counts(codes: &[u32], values: usize) -> Vec<usize> {
    let mut counts = vec![0; values];
    for code in codes {
        if let Some(count) = counts.get_mut(place(*code)) {
            *count += 1;
        }
    }
    counts
}

/// A code as a place.
pub(crate) fn place(code: u32) -> usize {
    usize::try_from(code).unwrap_or(usize::MAX)
}

/// What names a row across versions: the first 128 bits of SHA-256 of the text of its key.
pub fn key(text: &[u8]) -> u128 {
    let digest = sha256(text);
    digest.as_bytes().iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
}

fn fits(name: &str, got: usize, expected: usize) -> Result<(), TableInvalid> {
    if got == expected { Ok(()) } else { Err(TableInvalid::Length { name: name.to_owned(), got, expected }) }
}

fn tag_fits(tag: &Tag<'_>, rows: usize) -> Result<(), TableInvalid> {
    fits(tag.name, tag.codes.codes.len(), rows)?;
    let values = tag.codes.values.len();
    let unknown = |code: &u32| *code != MISSING && place(*code) >= values;
    match tag.codes.codes.iter().position(unknown) {
        Some(row) => Err(TableInvalid::Code { name: tag.name.to_owned(), row: row + 1 }),
        None => Ok(()),
    }
}
