//! The schema and its history: numbered migrations, each in a transaction of its own.

use std::path::Path;

use super::Db;
use super::error::{DbError, DbOpen, TxError};
use super::tx::{Tx, Value};

struct Migration {
    number: u32,
    name: &'static str,
    sqlite: &'static str,
}

/// Every migration ever released, ascending without gaps. A released one is never edited.
const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "index of the ledger",
    sqlite: include_str!("migrations/0001.sqlite.sql"),
}];

const HISTORY: &str =
    "CREATE TABLE IF NOT EXISTS schema_history (number INTEGER PRIMARY KEY, name TEXT NOT NULL)";

/// Brings the tables up to date, or refuses.
pub(super) async fn run(db: &Db, path: &Path, read_only: bool) -> Result<(), DbOpen> {
    let supported = MIGRATIONS.last().map_or(0, |migration| migration.number);
    let found = db
        .read("schema version", async |mut tx| version(&mut tx).await)
        .await
        .map_err(|error| DbOpen::Db { path: path.to_owned(), source: error.into_body() })?;
    if found > supported {
        return Err(DbOpen::TooNew { path: path.to_owned(), found, supported });
    }
    if read_only && found < supported {
        return Err(DbOpen::TooOld { path: path.to_owned(), found, supported });
    }
    for migration in MIGRATIONS.iter().filter(|migration| migration.number > found) {
        let Migration { number, name, sqlite } = *migration;
        let applied: Result<(), TxError<DbError>> = db
            .tx("migration", async |mut tx| {
                // Another process may have been faster.
                if version(&mut tx).await? >= number {
                    return Ok(());
                }
                tx.script(HISTORY).await?;
                tx.script(sqlite).await?;
                let values = [Value::Int(i64::from(number)), Value::Text(name.to_owned())];
                tx.execute("INSERT INTO schema_history (number, name) VALUES ($1, $2)".to_owned(), &values)
                    .await
                    .map(drop)
            })
            .await;
        applied.map_err(|error| DbOpen::Migration {
            path: path.to_owned(),
            number,
            name,
            source: error.into_body(),
        })?;
    }
    Ok(())
}

/// The number of the last migration that was applied; 0 for an empty database.
async fn version(tx: &mut Tx) -> Result<u32, DbError> {
    if !tx.has_table("schema_history").await? {
        return Ok(0);
    }
    let last = tx.fetch("SELECT coalesce(max(number), 0) FROM schema_history".to_owned(), &[]).await?;
    match last.first().and_then(|row| row.value(0)) {
        Some(Value::Int(number)) => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
        _ => Err(DbError::Column { table: "schema_history", column: 0 }),
    }
}
