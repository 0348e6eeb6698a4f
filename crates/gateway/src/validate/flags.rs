//! Flags: how values of a request are unlike those of training, without naming one.

use std::fmt;

use crate::limits::{FLAGS, FLAGS_SHOWN};

/// How a value is unlike those of training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlagKind {
    /// There is none, in a column that always had one.
    Missing,
    /// Less than the least.
    Below,
    /// More than the greatest.
    Above,
    /// Not one of those that the column had.
    Unseen,
    /// A longer text than any.
    TooLong,
}

impl FlagKind {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [Self::Missing, Self::Below, Self::Above, Self::Unseen, Self::TooLong];

    /// The word that records use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Below => "below",
            Self::Above => "above",
            Self::Unseen => "unseen",
            Self::TooLong => "too-long",
        }
    }
}

impl fmt::Display for FlagKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "has no value",
            Self::Below => "is below the training range",
            Self::Above => "is above the training range",
            Self::Unseen => "has a value that training did not see",
            Self::TooLong => "has a longer text than training saw",
        })
    }
}

/// A column with values unlike those of training. It names no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The column.
    pub column: String,
    /// How.
    pub kind: FlagKind,
    /// Values that are.
    pub count: usize,
    /// The first row of them, from 0.
    pub first_row: usize,
}

/// What was found in a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flags {
    /// The first [`FLAGS`], in the order of inputs and columns.
    pub flags: Vec<Flag>,
    /// Flags that are not listed.
    pub left_off: usize,
}

impl Flags {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.flags.len() + self.left_off
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty()
    }

    pub(super) fn push(&mut self, flag: Flag) {
        if self.flags.len() < FLAGS { self.flags.push(flag) } else { self.left_off += 1 }
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, flag) in self.flags.iter().take(FLAGS_SHOWN).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}`{}` {} (first in row {})", flag.column, flag.kind, flag.first_row)?;
        }
        match self.len().checked_sub(FLAGS_SHOWN) {
            Some(more) if more > 0 => write!(f, ", and {more} more"),
            _ => Ok(()),
        }
    }
}
