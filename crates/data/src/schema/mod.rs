//! Schemas: what a clean batch looks like, as a TOML file that people read and edit.

mod infer;
mod text;

use std::fmt;
use std::str::FromStr;

use crate::csv::{CsvOptions, Encoding, NullTokens, Separator};
use crate::profile::ColumnType;

pub(crate) use self::infer::as_f64;
pub use self::infer::{InferOptions, NotInferred};
pub use self::text::{NotToml, SchemaInvalid};

/// What a clean batch looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// How files are written.
    pub csv: CsvRules,
    /// How many rows a batch has.
    pub rows: RowRules,
    /// The column that is to be predicted, and how often each of its values comes.
    pub label: Option<LabelRules>,
    /// The columns, in the order of the file they were inferred from; a batch may have another order.
    pub columns: Vec<ColumnRules>,
}

/// How files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvRules {
    /// What separates cells.
    pub separator: Separator,
    /// How text is written as bytes.
    pub encoding: Encoding,
    /// Which cells mean "no value".
    pub null: NullTokens,
}

/// How many rows a batch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowRules {
    /// At least so many.
    pub min: Option<u64>,
    /// At most so many.
    pub max: Option<u64>,
}

/// The label and the share of each of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelRules {
    /// The column.
    pub column: String,
    /// Each value with its share of the rows that have a label; empty when it has too many values.
    pub shares: Vec<(String, f64)>,
    /// Rows that the shares were counted over.
    pub counted: u64,
    /// How far a share may move, in addition to what chance explains.
    pub tolerance: f64,
    /// What a violation means.
    pub severity: Severity,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnRules {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnType,
    /// The least share of rows that must have a value.
    pub min_present: f64,
    /// The least and the greatest number.
    pub range: Option<Range>,
    /// The values it may have.
    pub domain: Option<Domain>,
    /// The longest text, in characters.
    pub max_length: Option<u64>,
    /// What a violation means.
    pub severity: Severity,
}

/// The numbers a column may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The share of values that may lie outside.
    pub max_outside: f64,
}

/// The values a column may hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    /// The values, sorted.
    pub values: Vec<String>,
    /// The share of values that may be others.
    pub max_unseen: f64,
}

/// What a violation means in tier `release`; in tier `explore` everything warns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is reported.
    Warn,
    /// It refuses the batch.
    Block,
}

impl Severity {
    /// The word that schemas and findings use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "warn" => Ok(Self::Warn),
            "block" => Ok(Self::Block),
            _ => Err(()),
        }
    }
}

impl Schema {
    /// How to read a file that this schema is about.
    pub fn csv_options(&self) -> CsvOptions {
        CsvOptions {
            separator: Some(self.csv.separator),
            encoding: Some(self.csv.encoding),
            null: self.csv.null.clone(),
        }
    }

    /// The rules of a column.
    pub fn column(&self, name: &str) -> Option<&ColumnRules> {
        self.columns.iter().find(|column| column.name == name)
    }
}
