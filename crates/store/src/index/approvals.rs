//! Approvals of model versions.

use super::table::{Page, table};
use crate::db::{DbError, Tx};

table! {
    /// One approval.
    Approval in "approvals"
    key {
        /// The model.
        model: String,
        /// The version.
        version: u32,
        /// The person who approved.
        approver: String,
        /// The digest of what the approval covers, 64 hexadecimal digits; it lapses when that changes.
        covers: String,
    }
    rest {
        /// The ledger entry that records it.
        entry: u64,
    }
}

/// Up to `limit` approvals of a model version, after a key.
///
/// # Errors
/// When the database fails.
pub async fn of_version(
    tx: &mut Tx,
    model: &str,
    version: u32,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Approval>, DbError> {
    Page::all().with("model", model).with_number("version", version).after(after)?.fetch(tx, limit).await
}

/// Up to `limit` approvals by a person, after a key.
///
/// # Errors
/// When the database fails.
pub async fn by_approver(
    tx: &mut Tx,
    approver: &str,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Approval>, DbError> {
    Page::all().with("approver", approver).after(after)?.fetch(tx, limit).await
}
