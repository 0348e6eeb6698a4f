//! Lineage: what came out of what.

use super::table::{Page, table};
use crate::db::{DbError, Tx};

table! {
    /// One edge: `to` came out of `from`.
    Edge in "lineage"
    key {
        /// What the source is, for example `dataset`.
        from_kind: String,
        /// Which one it is.
        from_id: String,
        /// What the result is, for example `model`.
        to_kind: String,
        /// Which one it is.
        to_id: String,
        /// How the result came out of the source, for example `trained-on`.
        relation: String,
    }
    rest {
        /// The ledger entry that says so.
        entry: u64,
    }
}

/// Up to `limit` edges into a thing, after a key: what it came out of.
///
/// # Errors
/// When the database fails.
pub async fn up(
    tx: &mut Tx,
    kind: &str,
    id: &str,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Edge>, DbError> {
    Page::all().with("to_kind", kind).with("to_id", id).after(after)?.fetch(tx, limit).await
}

/// Up to `limit` edges out of a thing, after a key: what came out of it.
///
/// # Errors
/// When the database fails.
pub async fn down(
    tx: &mut Tx,
    kind: &str,
    id: &str,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Edge>, DbError> {
    Page::all().with("from_kind", kind).with("from_id", id).after(after)?.fetch(tx, limit).await
}
