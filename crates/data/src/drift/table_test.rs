//! What a comparison was asked beside its columns one by one: of joined rows, and of all columns together.

use crate::check::Outcome;

/// A question about rows, and not about the distribution of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableTest {
    /// Whether enough rows of both sides could be joined by their key.
    JoinedRows,
    /// Whether a feature has the same values in joined rows.
    Skew,
    /// Whether a classifier tells the sides apart by all columns.
    Together,
}

impl TableTest {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::JoinedRows, Self::Skew, Self::Together];

    /// The stable word for it, which is the rule of reports too.
    pub const fn id(self) -> &'static str {
        match self {
            Self::JoinedRows => "joined-rows",
            Self::Skew => "skew",
            Self::Together => "together",
        }
    }
}

/// What came of such a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFinding {
    /// The question.
    pub test: TableTest,
    /// The feature that it is about; the comparison, or nothing, where it is about all of them.
    pub column: String,
    /// `valid` when nothing differs by more than it may, `error` when it could not be told.
    pub outcome: Outcome,
    /// The figures in words, without values of the tables.
    pub message: String,
}
