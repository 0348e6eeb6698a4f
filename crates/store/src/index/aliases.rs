//! Aliases: movable names of model versions.

use super::table::{Page, table};
use crate::db::{DbError, Tx};

table! {
    /// One alias.
    Alias in "aliases"
    key {
        /// The model.
        model: String,
        /// The alias, for example `prod`.
        alias: String,
    }
    rest {
        /// The version it names.
        version: u32,
        /// The ledger entry that set it.
        entry: u64,
    }
}

/// Up to `limit` aliases of a model, after a key.
///
/// # Errors
/// When the database fails.
pub async fn of_model(
    tx: &mut Tx,
    model: &str,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Alias>, DbError> {
    Page::all().with("model", model).after(after)?.fetch(tx, limit).await
}

/// Up to `limit` aliases of a model version, after a key.
///
/// # Errors
/// When the database fails.
pub async fn of_version(
    tx: &mut Tx,
    model: &str,
    version: u32,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Alias>, DbError> {
    Page::all().with("model", model).with_number("version", version).after(after)?.fetch(tx, limit).await
}
