//! How far the index has followed the ledger.

use crate::db::{DbError, Row, Tx, Value};

/// SHA-256 of no bytes: the root of the empty tree (RFC 6962, section 2.1).
const EMPTY_ROOT: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The tree that the index was made from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    /// Its size: how many entries were applied.
    pub applied_size: u64,
    /// Its root, 64 hexadecimal digits.
    pub applied_root: String,
}

impl Default for Head {
    /// The empty tree.
    fn default() -> Self {
        Self { applied_size: 0, applied_root: EMPTY_ROOT.to_owned() }
    }
}

/// The tree that the index was made from.
///
/// # Errors
/// When the database fails.
pub async fn get(tx: &mut Tx) -> Result<Head, DbError> {
    let rows = tx.fetch("SELECT applied_size, applied_root FROM head WHERE one = 1".to_owned(), &[]).await?;
    let column = |column| rows.first().and_then(|row: &Row| row.value(column));
    match (column(0), column(1)) {
        (Some(Value::Int(size)), Some(Value::Text(applied_root))) if size >= 0 => {
            Ok(Head { applied_size: size.unsigned_abs(), applied_root })
        }
        _ => Err(DbError::Column { table: "head", column: 0 }),
    }
}

pub(super) async fn set(tx: &mut Tx, head: &Head) -> Result<(), DbError> {
    let size =
        i64::try_from(head.applied_size).map_err(|_| DbError::TooLarge { number: head.applied_size })?;
    let values = [Value::Int(size), Value::Text(head.applied_root.clone())];
    let sql = "INSERT INTO head (one, applied_size, applied_root) VALUES (1, $1, $2) \
               ON CONFLICT (one) DO UPDATE SET applied_size = excluded.applied_size, applied_root = excluded.applied_root";
    tx.execute(sql.to_owned(), &values).await.map(drop)
}
