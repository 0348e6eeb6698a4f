//! Roles that principals hold.

use super::table::{Page, table};
use crate::db::{DbError, Tx};

table! {
    /// One role that a principal holds.
    Role in "roles"
    key {
        /// The principal.
        principal: String,
        /// The role's name.
        role: String,
    }
    rest {
        /// The principal who granted it.
        granted_by: String,
        /// The ledger entry that granted it.
        entry: u64,
    }
}

/// Up to `limit` roles of a principal, after a key.
///
/// # Errors
/// When the database fails.
pub async fn of_principal(
    tx: &mut Tx,
    principal: &str,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Role>, DbError> {
    Page::all().with("principal", principal).after(after)?.fetch(tx, limit).await
}

/// Up to `limit` holders of a role, after a key.
///
/// # Errors
/// When the database fails.
pub async fn holders(tx: &mut Tx, role: &str, after: Option<&Key>, limit: u32) -> Result<Vec<Role>, DbError> {
    Page::all().with("role", role).after(after)?.fetch(tx, limit).await
}
