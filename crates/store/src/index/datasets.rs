//! Dataset versions.

use super::table::{self, Column as _, Page, table};
use crate::db::{DbError, Tx, Value};

table! {
    /// One version of a dataset.
    Dataset in "datasets"
    key {
        /// The dataset's name.
        name: String,
        /// The version, from 1.
        version: u32,
    }
    rest {
        /// The digest over its parts, 64 hexadecimal digits.
        root: String,
        /// How many rows it has.
        rows: u64,
        /// How many parts it has.
        parts: u64,
        /// What the data check said: `valid`, `warn`, `blocked` or `error`.
        outcome: String,
        /// When its statement says it was made, in milliseconds.
        created_ms: i64,
        /// The ledger entry that records it.
        entry: u64,
    }
}

/// Up to `limit` versions with a root, after a key.
///
/// # Errors
/// When the database fails.
pub async fn with_root(
    tx: &mut Tx,
    root: &str,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Dataset>, DbError> {
    Page::all().with("root", root).after(after)?.fetch(tx, limit).await
}

/// Up to `limit` versions of a dataset below version `before`, newest first.
///
/// # Errors
/// When the database fails.
pub async fn versions(
    tx: &mut Tx,
    name: &str,
    before: Option<u32>,
    limit: u32,
) -> Result<Vec<Dataset>, DbError> {
    let before = before.map(|version| vec![Value::Int(i64::from(version))]);
    Page::all().with("name", name).descending(&["version"], before).fetch(tx, limit).await
}

/// The newest version of each of up to `limit` datasets whose names come after `after`, ascending by name.
///
/// # Errors
/// When the database fails.
pub async fn newest(tx: &mut Tx, after: Option<&str>, limit: u32) -> Result<Vec<Dataset>, DbError> {
    table::newest(tx, after, limit).await
}

/// Up to `limit` versions of all datasets, those of the latest ledger entries first; `before` is the last
/// row of the page before.
///
/// # Errors
/// When the database fails.
pub async fn latest(tx: &mut Tx, before: Option<&Dataset>, limit: u32) -> Result<Vec<Dataset>, DbError> {
    let position = |row: &Dataset| -> Result<Vec<Value>, DbError> {
        Ok(vec![row.entry.to_value()?, row.name.to_value()?, row.version.to_value()?])
    };
    let before = before.map(position).transpose()?;
    Page::all().descending(&["entry", "name", "version"], before).fetch(tx, limit).await
}
