//! Which values may be told to whoever reads a report, a schema or a terminal.

use crate::pii::{ColumnDetector, DetectorOptions};
use crate::profile::ColumnProfile;

/// Rows that have a value, at least, if it is told.
pub(crate) const TOLD_ROWS: u64 = 20;

/// Keeps values back that look like personal data or secrets.
#[derive(Debug)]
pub struct Gate {
    pub(super) detector: ColumnDetector,
}

impl Gate {
    /// One for all columns; making it takes some milliseconds.
    pub fn new() -> Self {
        Self { detector: ColumnDetector::new(&DetectorOptions::default()) }
    }

    /// Whether a value of a column may be told that so many rows have.
    pub fn opens(&self, column: &str, value: &str, rows: u64) -> bool {
        rows >= TOLD_ROWS && self.may_name(column, value)
    }

    /// Whether what somebody names may be told, however few rows have it.
    pub fn may_name(&self, column: &str, value: &str) -> bool {
        self.detector.column(column).observe(value.as_bytes()).is_empty()
    }

    /// What the values of a column look like, if any of them is personal or secret: the kind's id. Only while all of them
    /// are known.
    pub fn personal(&self, column: &ColumnProfile) -> Option<String> {
        let mut scan = self.detector.column(column.name());
        let mut found = None;
        for (value, _) in column.values()? {
            if let Some(first) = scan.observe(value.as_bytes()).first() {
                found.get_or_insert_with(|| self.detector.id(first.kind()).to_owned());
            }
        }
        scan.verdict().holds.or(found)
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
