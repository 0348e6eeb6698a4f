//! API keys, without anything secret.

use super::table::{Page, table};
use crate::db::{DbError, Tx};

table! {
    /// One API key.
    ApiKey in "api_keys"
    key {
        /// Its public id.
        id: String,
    }
    rest {
        /// The principal it stands for.
        principal: String,
        /// Whether it may be used, for example `active` or `revoked`.
        status: String,
        /// When it expires, in milliseconds.
        expires_ms: i64,
        /// The ledger entry that gave it this status.
        entry: u64,
    }
}

/// Up to `limit` keys of a principal, after a key.
///
/// # Errors
/// When the database fails.
pub async fn of_principal(
    tx: &mut Tx,
    principal: &str,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<ApiKey>, DbError> {
    Page::all().with("principal", principal).after(after)?.fetch(tx, limit).await
}
