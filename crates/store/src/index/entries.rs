//! Ledger entries: what each is about and who signed it.

use super::table::{Page, table};
use crate::db::{DbError, Tx, Value};

table! {
    /// One ledger entry.
    Entry in "entries"
    key {
        /// Its position in the ledger, from 0.
        idx: u64,
    }
    rest {
        /// The predicate type of its statement, a URI.
        predicate_type: String,
        /// SHA-256 of its first subject, 64 hexadecimal digits.
        subject: String,
        /// Id of the key that signed it, 64 hexadecimal digits.
        signer: String,
        /// When its signer says it was made, in milliseconds.
        at_ms: i64,
    }
}

/// Which entries a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// All of them.
    All,
    /// Those of a predicate type.
    PredicateType(&'a str),
    /// Those about a subject, 64 hexadecimal digits.
    Subject(&'a str),
    /// Those signed by a key, 64 hexadecimal digits.
    Signer(&'a str),
}

/// Up to `limit` entries before position `before`, newest first.
///
/// # Errors
/// When the database fails.
pub async fn latest(
    tx: &mut Tx,
    which: Which<'_>,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Entry>, DbError> {
    let page = match which {
        Which::All => Page::all(),
        Which::PredicateType(predicate_type) => Page::all().with("predicate_type", predicate_type),
        Which::Subject(subject) => Page::all().with("subject", subject),
        Which::Signer(signer) => Page::all().with("signer", signer),
    };
    // A position beyond what the database can count to is after every entry.
    let before = before.map(|idx| vec![Value::Int(i64::try_from(idx).unwrap_or(i64::MAX))]);
    page.descending(&["idx"], before).fetch(tx, limit).await
}
