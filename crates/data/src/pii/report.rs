//! What a scan says in the end: counts and shares by column and kind, as canonical JSON.

use std::collections::BTreeMap;

use bartizan_base::canonical;
use serde::Serialize;

use super::column::ColumnVerdict;

/// What was found in one table or text. It holds names of columns and counts, never a value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PiiReport {
    /// Bytes that were read.
    pub bytes: u64,
    /// The least score that counted, in hundredths.
    pub min_score: u8,
    /// Columns, in order; empty for text without columns.
    pub columns: Vec<ColumnVerdict>,
    /// Findings by the id of their kind.
    pub findings: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Stored<'a> {
    bytes: u64,
    columns: Vec<StoredColumn<'a>>,
    findings: &'a BTreeMap<String, u64>,
    format: &'static str,
    min_score: String,
}

#[derive(Serialize)]
struct StoredColumn<'a> {
    cells: u64,
    filled: u64,
    holds: Option<&'a str>,
    kinds: Vec<StoredKind<'a>>,
    name: &'a str,
}

#[derive(Serialize)]
struct StoredKind<'a> {
    cells: u64,
    kind: &'a str,
    share: String,
}

impl PiiReport {
    /// Counts one more finding of the kind with that id.
    pub fn count(&mut self, id: &str) {
        match self.findings.get_mut(id) {
            Some(count) => *count += 1,
            None => {
                self.findings.insert(id.to_owned(), 1);
            }
        }
    }

    /// Findings in all.
    pub fn total(&self) -> u64 {
        self.findings.values().sum()
    }

    /// Whether nothing was found, which the schema rule `no-pii` demands.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.columns.iter().all(|column| column.holds.is_none())
    }

    /// The stored form `bartizan-pii-report-v1` (`docs/formats/pii-report.md`): canonical JSON, shares as decimals.
    ///
    /// # Errors
    /// When a count exceeds what a canonical document holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        canonical::to_bytes(&Stored {
            bytes: self.bytes,
            columns: self.columns.iter().map(stored).collect(),
            findings: &self.findings,
            format: "bartizan-pii-report-v1",
            min_score: format!("{}.{:02}", self.min_score / 100, self.min_score % 100),
        })
    }
}

fn stored(column: &ColumnVerdict) -> StoredColumn<'_> {
    StoredColumn {
        cells: column.cells,
        filled: column.filled,
        holds: column.holds.as_deref(),
        kinds: column
            .kinds
            .iter()
            .map(|kind| StoredKind { cells: kind.cells, kind: &kind.id, share: format!("{:.6}", kind.share) })
            .collect(),
        name: &column.name,
    }
}
