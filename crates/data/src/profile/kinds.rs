//! Kinds of values, and the type of a column that holds them.

use std::fmt;
use std::str::FromStr;

use crate::cell::Value;

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
    /// Bytes that are not said to be text.
    Binary,
    /// Lists; their elements are a column of their own.
    List,
}

impl ColumnType {
    /// Every type, in the order of the stored counts.
    pub const ALL: [Self; 8] = [
        Self::Integer,
        Self::Float,
        Self::Boolean,
        Self::Date,
        Self::Timestamp,
        Self::String,
        Self::Binary,
        Self::List,
    ];

    /// The type's name, as schemas write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::String => "string",
            Self::Binary => "binary",
            Self::List => "list",
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
            (_, Value::Null) | (Self::Binary, Value::Binary) | (Self::List, Value::List(_)) => true,
            (_, Value::Binary | Value::List(_)) => false,
            (Self::String, _)
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
#[error(
    "`{text}` is not a type: `integer`, `float`, `boolean`, `date`, `timestamp`, `string`, `binary` or `list`"
)]
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
    /// Bytes that are not said to be text.
    pub binary: u64,
    /// Lists.
    pub list: u64,
}

impl Kinds {
    /// The counts in the order of [`ColumnType::ALL`].
    pub const fn counts(&self) -> [u64; 8] {
        let Self { integer, float, boolean, date, timestamp, string, binary, list } = *self;
        [integer, float, boolean, date, timestamp, string, binary, list]
    }

    pub(super) const fn from_counts(counts: [u64; 8]) -> Self {
        let [integer, float, boolean, date, timestamp, string, binary, list] = counts;
        Self { integer, float, boolean, date, timestamp, string, binary, list }
    }

    /// All values.
    pub fn total(&self) -> u64 {
        self.counts().into_iter().sum()
    }

    const fn only(&self, count: u64) -> bool {
        let Self { integer, float, boolean, date, timestamp, string, binary, list } = *self;
        integer + float + boolean + date + timestamp + string + binary + list == count
    }

    /// The smallest type that holds all values; `string` when there are none.
    pub const fn column_type(&self) -> ColumnType {
        let Self { integer, float, boolean, date, timestamp, string, binary, list } = *self;
        match (binary > 0, list > 0) {
            (true, _) if self.only(binary) => return ColumnType::Binary,
            (_, true) if self.only(list) => return ColumnType::List,
            _ => {}
        }
        let other = string > 0 || binary > 0 || list > 0;
        match (integer > 0, float > 0, boolean > 0, date > 0, timestamp > 0, other) {
            (true, false, false, false, false, false) => ColumnType::Integer,
            (_, true, false, false, false, false) => ColumnType::Float,
            (false, false, true, false, false, false) => ColumnType::Boolean,
            (false, false, false, true, false, false) => ColumnType::Date,
            (false, false, false, _, true, false) => ColumnType::Timestamp,
            _ => ColumnType::String,
        }
    }
}
