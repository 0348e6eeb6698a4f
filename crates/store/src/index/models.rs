//! Model versions.

use super::table::{self, Column as _, Page, table};
use crate::db::{DbError, Tx, Value};

table! {
    /// One version of a model.
    Model in "models"
    key {
        /// The model's name.
        name: String,
        /// The version, from 1.
        version: u32,
    }
    rest {
        /// The digest of its manifest, 64 hexadecimal digits.
        manifest: String,
        /// `candidate`, `approved`, `retired`, `quarantined` or `revoked`.
        state: String,
        /// How carefully it must be treated.
        sensitivity: String,
        /// When its statement says it was made, in milliseconds.
        created_ms: i64,
        /// The ledger entry that records it.
        entry: u64,
        /// The ledger entry that gave it its state.
        state_entry: u64,
    }
}

/// Up to `limit` versions in a state, after a key.
///
/// # Errors
/// When the database fails.
pub async fn in_state(
    tx: &mut Tx,
    state: &str,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Model>, DbError> {
    Page::all().with("state", state).after(after)?.fetch(tx, limit).await
}

/// Up to `limit` versions with a manifest, after a key.
///
/// # Errors
/// When the database fails.
pub async fn with_manifest(
    tx: &mut Tx,
    manifest: &str,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Model>, DbError> {
    Page::all().with("manifest", manifest).after(after)?.fetch(tx, limit).await
}

/// Up to `limit` versions of a model below version `before`, newest first.
///
/// # Errors
/// When the database fails.
pub async fn versions(
    tx: &mut Tx,
    name: &str,
    before: Option<u32>,
    limit: u32,
) -> Result<Vec<Model>, DbError> {
    let before = before.map(|version| vec![Value::Int(i64::from(version))]);
    Page::all().with("name", name).descending(&["version"], before).fetch(tx, limit).await
}

/// The newest version of each of up to `limit` models whose names come after `after`, ascending by name.
///
/// # Errors
/// When the database fails.
pub async fn newest(tx: &mut Tx, after: Option<&str>, limit: u32) -> Result<Vec<Model>, DbError> {
    table::newest(tx, after, limit).await
}

/// Up to `limit` versions of all models, those of the latest ledger entries first; `before` is the last
/// row of the page before.
///
/// # Errors
/// When the database fails.
pub async fn latest(tx: &mut Tx, before: Option<&Model>, limit: u32) -> Result<Vec<Model>, DbError> {
    let position = |row: &Model| -> Result<Vec<Value>, DbError> {
        Ok(vec![row.entry.to_value()?, row.name.to_value()?, row.version.to_value()?])
    };
    let before = before.map(position).transpose()?;
    Page::all().descending(&["entry", "name", "version"], before).fetch(tx, limit).await
}
