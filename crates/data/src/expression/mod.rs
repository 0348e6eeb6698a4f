//! Expressions over the columns of a row, as schemas write them: `tips <= fare or payment_type = 'Cash'`.
//!
//! The language is documented in `docs/formats/schema-expressions.md`. It has no loops, no names but those of columns and
//! of a few functions, and nothing to call from outside, so an expression from anywhere can be run. It is typed before it
//! runs, by the types that the schema gives to columns, and a missing value makes what depends on it unknown, as in SQL.
//!
//! Modules in reading order: `lex` (text to words), `parse` (words to a tree, with types), `eval` (a batch of rows at a
//! time).

mod eval;
mod lex;
mod parse;

use std::collections::HashSet;

use crate::pattern::Pattern;
use crate::profile::ColumnType;

pub(crate) use self::eval::{Truth, time_in};
pub(crate) use self::parse::time_of;

/// An expression that was parsed and typed.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    root: Node,
    columns: Vec<(String, ColumnType)>,
}

/// A text is not an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("character {at} of the expression: {what}")]
pub struct ExpressionInvalid {
    /// Where, from 1.
    pub at: usize,
    /// What is wrong there, cut to 300 characters.
    pub what: String,
}

/// What a part of an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Truth,
    Text,
    Time,
}

impl Kind {
    const fn of(column: ColumnType) -> Option<Self> {
        match column {
            ColumnType::Integer | ColumnType::Float | ColumnType::List => Some(Self::Number),
            ColumnType::Boolean => Some(Self::Truth),
            ColumnType::Date | ColumnType::Timestamp => Some(Self::Time),
            ColumnType::String => Some(Self::Text),
            ColumnType::Binary => None,
        }
    }

    /// As a message names it.
    const fn name(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Truth => "a truth value",
            Self::Text => "text",
            Self::Time => "a time",
        }
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Abs,
    Floor,
    Ceil,
    Round,
    Least,
    Greatest,
    Length,
    Lower,
    Upper,
    Trim,
    StartsWith,
    EndsWith,
    Contains,
    Year,
    Month,
    Day,
    Hour,
    Weekday,
    DaysBetween,
    SecondsBetween,
    Coalesce,
}

/// A typed tree. A part of each node has the type that the node needs: the parser saw to it.
#[derive(Debug, Clone)]
enum Node {
    Number(f64),
    Truth(bool),
    Text(Vec<u8>),
    /// Nanoseconds since 1970-01-01T00:00:00.
    Time(i128),
    Column(usize, Kind),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Compare(Comparison, Box<(Node, Node)>),
    IsNull(Box<Node>),
    InNumbers(Box<Node>, Vec<f64>),
    InTexts(Box<Node>, HashSet<Vec<u8>>),
    InTimes(Box<Node>, Vec<i128>),
    Arithmetic(Arithmetic, Box<(Node, Node)>),
    Negate(Box<Node>),
    Matches(Box<Node>, Pattern),
    Call(Function, Vec<Node>),
}

impl Expression {
    /// Parses an expression that says of a row whether something holds. `type_of` knows the columns.
    ///
    /// # Errors
    /// When it does not parse, names a column that is not there, mixes types, or is no truth value; with the place.
    pub fn parse(
        text: &str,
        type_of: &dyn Fn(&str) -> Option<ColumnType>,
    ) -> Result<Self, ExpressionInvalid> {
        parse::parse(text, type_of)
    }

    /// The text of an expression that means the same, but that nothing is unknown for it: a comparison with something
    /// missing is false, and true where it says that something is not so (`!=`, `not in`), as in pandas.
    pub(crate) fn settled(
        text: &str,
        type_of: &dyn Fn(&str) -> Option<ColumnType>,
    ) -> Result<String, ExpressionInvalid> {
        parse::settled(text, type_of)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The columns that it names, each once, in the order in which they come.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.columns == other.columns
    }
}
