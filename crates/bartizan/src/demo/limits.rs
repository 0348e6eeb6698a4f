//! What the demo takes from a user's file at most.

/// Columns of a table.
pub(crate) const COLUMNS: usize = 1_000;
/// Numeric columns that the demo's model looks at; the first ones win.
pub(crate) const FEATURES: usize = 64;
/// Rows that the trainer looks at, spread evenly over the file.
pub(crate) const TRAINING_ROWS: usize = 50_000;
