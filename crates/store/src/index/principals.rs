//! Principals: people, services and workloads, by their pseudonymous ids.

use super::table::{Page, table};
use crate::db::{DbError, Tx};

table! {
    /// One principal.
    Principal in "principals"
    key {
        /// Its id, `usr_` and 32 hexadecimal digits.
        id: String,
    }
    rest {
        /// `person`, `service` or `workload`.
        kind: String,
        /// The person who answers for it, unless it is a person itself.
        responsible: Option<String>,
        /// Whether it may act, for example `active` or `suspended`.
        status: String,
        /// The ledger entry that gave it this status.
        since_entry: u64,
    }
}

/// Up to `limit` principals after a key for which a person answers.
///
/// # Errors
/// When the database fails.
pub async fn of_person(
    tx: &mut Tx,
    person: &str,
    after: Option<&Key>,
    limit: u32,
) -> Result<Vec<Principal>, DbError> {
    Page::all().with("responsible", person).after(after)?.fetch(tx, limit).await
}
