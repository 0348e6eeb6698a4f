//! What the demo takes from a user's file at most.

/// Columns of a table.
pub(crate) const COLUMNS: usize = 1_000;
