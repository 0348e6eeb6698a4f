//! Keys that sign statements, by what they may sign.

use super::table::{Page, table};
use crate::db::{DbError, Tx};

table! {
    /// One signing key.
    SigningKey in "signing_keys"
    key {
        /// Its id: SHA-256 of the public key, 64 hexadecimal digits.
        id: String,
    }
    rest {
        /// What it may sign.
        purpose: String,
        /// Its signature algorithm.
        algorithm: String,
        /// Whether it counts, for example `active` or `revoked`.
        status: String,
        /// The ledger entry that gave it this status.
        entry: u64,
    }
}

/// Up to `limit` keys of a purpose, after a key.
///
/// # Errors
/// When the database fails.
pub async fn of_purpose(
    tx: &mut Tx,
    purpose: &str,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<SigningKey>, DbError> {
    Page::all().with("purpose", purpose).after(after)?.fetch(tx, limit).await
}
