//! What a profile knows of one column.

use std::fmt;
use std::str::FromStr;

use super::extremes::Extremes;
use super::values::Values;
use crate::cell::{self, Value};

/// From here on whole numbers do not fit into 64 bits.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// The type of a column: the smallest that holds all its values. `integer` < `float` < `string`,
/// `date` < `timestamp` < `string`, `boolean` < `string`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnType {
    /// Whole numbers within 64 bits.
    Integer,
    /// Numbers.
    Float,
    /// `true` and `false`.
    Boolean,
    /// Days.
    Date,
    /// Instants.
    Timestamp,
    /// Any text.
    String,
}

impl ColumnType {
    /// Every type, in the order of the stored counts.
    pub const ALL: [Self; 6] =
        [Self::Integer, Self::Float, Self::Boolean, Self::Date, Self::Timestamp, Self::String];

    /// The type's name, as schemas write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::String => "string",
        }
    }

    /// Whether the type's values are numbers.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Float)
    }

    /// Whether a column of this type may hold the value. A whole float within 64 bits, such as `5.0`, passes for an
    /// integer: that is how other tools write integers once one is missing.
    pub(crate) fn accepts(self, value: Value) -> bool {
        match (self, value) {
            (_, Value::Null)
            | (Self::String, _)
            | (Self::Integer | Self::Float, Value::Integer(_))
            | (Self::Float, Value::Float(_))
            | (Self::Boolean, Value::Boolean)
            | (Self::Date | Self::Timestamp, Value::Date)
            | (Self::Timestamp, Value::Timestamp) => true,
            (Self::Integer, Value::Float(number)) => {
                number.fract() == 0.0 && (-TWO_TO_63..TWO_TO_63).contains(&number)
            }
            _ => false,
        }
    }
}

/// The text is not the name of a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a type: `integer`, `float`, `boolean`, `date`, `timestamp` or `string`")]
pub struct ColumnTypeInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

impl FromStr for ColumnType {
    type Err = ColumnTypeInvalid;

    fn from_str(text: &str) -> Result<Self, ColumnTypeInvalid> {
        let known = Self::ALL.into_iter().find(|known| known.name() == text);
        known.ok_or_else(|| ColumnTypeInvalid { text: text.chars().take(80).collect() })
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many values of each kind a column holds, each value counted at its smallest type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// Whole numbers within 64 bits.
    pub integer: u64,
    /// Other numbers.
    pub float: u64,
    /// `true` and `false`.
    pub boolean: u64,
    /// Days.
    pub date: u64,
    /// Instants.
    pub timestamp: u64,
    /// Other text.
    pub string: u64,
}

impl Kinds {
    /// The counts in the order of [`ColumnType::ALL`].
    pub const fn counts(&self) -> [u64; 6] {
        [self.integer, self.float, self.boolean, self.date, self.timestamp, self.string]
    }

    pub(super) const fn from_counts(counts: [u64; 6]) -> Self {
        let [integer, float, boolean, date, timestamp, string] = counts;
        Self { integer, float, boolean, date, timestamp, string }
    }

    /// All values.
    pub fn total(&self) -> u64 {
        self.counts().into_iter().sum()
    }

    /// The smallest type that holds all values; `string` when there are none.
    pub const fn column_type(&self) -> ColumnType {
        let Self { integer, float, boolean, date, timestamp, string } = *self;
        match (integer > 0, float > 0, boolean > 0, date > 0, timestamp > 0, string > 0) {
            (true, false, false, false, false, false) => ColumnType::Integer,
            (_, true, false, false, false, false) => ColumnType::Float,
            (false, false, true, false, false, false) => ColumnType::Boolean,
            (false, false, false, true, false, false) => ColumnType::Date,
            (false, false, false, _, true, false) => ColumnType::Timestamp,
            _ => ColumnType::String,
        }
    }
}

/// What a profile knows of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnProfile {
    pub(super) name: String,
    pub(super) nulls: u64,
    pub(super) kinds: Kinds,
    pub(super) integers: Option<(i64, i64)>,
    pub(super) extremes: Extremes,
    pub(super) lengths: Option<(u64, u64)>,
    pub(super) values: Values,
}

impl ColumnProfile {
    pub(super) fn new(name: String, columns: usize) -> Self {
        Self {
            name,
            nulls: 0,
            kinds: Kinds::default(),
            integers: None,
            extremes: Extremes::new(),
            lengths: None,
            values: Values::new(columns),
        }
    }

    /// The column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Cells without a value.
    pub const fn nulls(&self) -> u64 {
        self.nulls
    }

    /// Cells with a value, by kind.
    pub const fn kinds(&self) -> Kinds {
        self.kinds
    }

    /// The smallest type that holds all values.
    pub const fn column_type(&self) -> ColumnType {
        self.kinds.column_type()
    }

    /// The least and the greatest of the whole numbers, exactly.
    pub const fn integers(&self) -> Option<(i64, i64)> {
        self.integers
    }

    /// The lowest numbers, ascending, 16 at most, ties included. Whole numbers beyond 2^53 are rounded.
    pub fn lowest(&self) -> Vec<f64> {
        self.extremes.lowest()
    }

    /// The highest numbers, descending, 16 at most, ties included. Whole numbers beyond 2^53 are rounded.
    pub fn highest(&self) -> Vec<f64> {
        self.extremes.highest()
    }

    /// The shortest and the longest value, in characters.
    pub const fn lengths(&self) -> Option<(u64, u64)> {
        self.lengths
    }

    /// How many distinct values there are, or `None` when they were too many to count exactly.
    pub fn distinct(&self) -> Option<usize> {
        self.values.len()
    }

    /// Distinct values and their counts by ascending bytes, or `None` when they were too many.
    pub fn values(&self) -> Option<Vec<(&str, u64)>> {
        let text = |(value, count)| std::str::from_utf8(value).ok().map(|value| (value, count));
        self.values.sorted()?.into_iter().map(text).collect()
    }

    #[inline]
    pub(super) fn observe(&mut self, cell: &[u8], value: Value) {
        let kinds = &mut self.kinds;
        match value {
            Value::Null => {
                self.nulls += 1;
                return;
            }
            Value::Integer(integer) => {
                kinds.integer += 1;
                let (least, greatest) = self.integers.unwrap_or((integer, integer));
                self.integers = Some((least.min(integer), greatest.max(integer)));
                self.extremes.observe(integer as f64);
            }
            Value::Float(float) => {
                kinds.float += 1;
                self.extremes.observe(float);
            }
            Value::Boolean => kinds.boolean += 1,
            Value::Date => kinds.date += 1,
            Value::Timestamp => kinds.timestamp += 1,
            Value::Text => kinds.string += 1,
        }
        let length = if value == Value::Text { cell::length(cell) } else { cell.len() } as u64;
        let (shortest, longest) = self.lengths.unwrap_or((length, length));
        self.lengths = Some((shortest.min(length), longest.max(length)));
        self.values.observe(cell);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.nulls += other.nulls;
        let counts = self.kinds.counts();
        let mut sums = other.kinds.counts();
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        self.kinds = Kinds::from_counts(sums);
        self.integers = widest(self.integers, other.integers);
        self.lengths = widest(self.lengths, other.lengths);
        self.extremes.merge(&other.extremes);
        self.values.merge(&other.values);
    }
}

fn widest<T: Ord>(one: Option<(T, T)>, two: Option<(T, T)>) -> Option<(T, T)> {
    match (one, two) {
        (Some((low1, high1)), Some((low2, high2))) => Some((low1.min(low2), high1.max(high2))),
        (one, two) => one.or(two),
    }
}
