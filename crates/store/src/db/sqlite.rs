//! The SQLite dialect: one writing connection and some reading ones, values, and what error codes mean.
//!
//! Write-ahead log, `synchronous = FULL` (a commit survives a power cut), foreign keys on. Writing transactions
//! start with `BEGIN IMMEDIATE`, so that they meet another writer at once and not in the middle.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Row as _, Sqlite, SqliteConnection, TypeInfo as _, ValueRef as _};

use super::error::{DbError, DbOpen};
use super::tx::{Row, Tx, TxDialect, Value};
use super::{Access, DbOptions};
use crate::limits::{DB_ACQUIRE_MS, DB_READERS};

pub(super) type Transaction = sqlx::Transaction<'static, Sqlite>;

/// Primary result codes (<https://www.sqlite.org/rescode.html>); the low byte of an extended code.
mod code {
    pub(super) const PERM: u32 = 3;
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const READONLY: u32 = 8;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const CONSTRAINT: u32 = 19;
    pub(super) const NOTADB: u32 = 26;
}

#[derive(Debug, Clone)]
pub(super) struct Pools {
    // INVARIANT: one connection, so that writers of this process queue fairly and do not meet as "busy".
    write: SqlitePool,
    read: SqlitePool,
}

/// Makes an empty file that only its owner may read; SQLite gives its companions (`-wal`, `-shm`) the same mode.
pub(super) fn create_file(path: &Path) -> Result<(), DbOpen> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map(drop).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => DbOpen::Exists { path: path.to_owned() },
        _ => DbOpen::Db { path: path.to_owned(), source: DbError::Denied(Arc::new(error.into())) },
    })
}

impl Pools {
    pub(super) async fn open(path: &Path, options: &DbOptions) -> Result<Self, DbOpen> {
        match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DbOpen::Missing { path: path.to_owned() });
            }
            _ => {}
        }
        let db = |error| DbOpen::Db { path: path.to_owned(), source: classify(error) };
        // SQLite takes what begins with `file:` for a URI; an absolute path does not, and stays the same file for
        // connections that are made later.
        let absolute = std::path::absolute(path).map_err(|error| db(error.into()))?;
        let common = SqliteConnectOptions::new()
            .filename(absolute)
            .create_if_missing(false)
            .read_only(options.read_only)
            .busy_timeout(options.busy_timeout)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .pragma("trusted_schema", "OFF");
        // A read-only connection cannot change the mode, and the file remembers it.
        let mut writer = if options.read_only {
            common.clone()
        } else {
            common.clone().journal_mode(SqliteJournalMode::Wal)
        };
        if let Some(bytes) = options.max_bytes {
            let pages = (bytes / PAGE_BYTES).max(1).to_string();
            writer = writer.page_size(PAGE_SIZE).pragma("max_page_count", pages);
        }
        let pool = |most| {
            let wait = Duration::from_millis(DB_ACQUIRE_MS);
            SqlitePoolOptions::new().max_connections(most).acquire_timeout(wait).test_before_acquire(false)
        };
        let write = pool(1).connect_with(writer).await.map_err(db)?;
        let read = pool(DB_READERS).connect_lazy_with(common.pragma("query_only", "ON"));
        Ok(Self { write, read })
    }

    pub(super) async fn begin(&self, access: Access) -> Result<Tx, DbError> {
        let transaction = match access {
            Access::Read => self.read.begin_with("BEGIN").await,
            Access::Write => self.write.begin_with("BEGIN IMMEDIATE").await,
        };
        Ok(Tx::new(TxDialect::Sqlite(transaction.map_err(classify)?)))
    }

    pub(super) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

const PAGE_SIZE: u32 = 4096;
const PAGE_BYTES: u64 = PAGE_SIZE as u64;

/// Finds the table named by the first parameter.
pub(super) const FIND_TABLE: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = $1";

type Query<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

fn query(sql: String, values: &[Value]) -> Query<'static> {
    // Statements are put together from this crate's constants only; values are always parameters.
    values.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| match value {
        Value::Null => query.bind(None::<i64>),
        Value::Int(number) => query.bind(*number),
        Value::Text(text) => query.bind(text.clone()),
    })
}

pub(super) async fn execute(
    connection: &mut SqliteConnection,
    sql: String,
    values: &[Value],
) -> Result<u64, DbError> {
    let done = query(sql, values).execute(connection).await.map_err(classify)?;
    Ok(done.rows_affected())
}

pub(super) async fn script(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), DbError> {
    sqlx::raw_sql(sql).execute(connection).await.map(drop).map_err(classify)
}

pub(super) async fn fetch(
    connection: &mut SqliteConnection,
    sql: String,
    values: &[Value],
) -> Result<Vec<Row>, DbError> {
    let rows = query(sql, values).fetch_all(connection).await.map_err(classify)?;
    Ok(rows.into_iter().map(Row::Sqlite).collect())
}

/// The lines of `EXPLAIN QUERY PLAN`.
pub(super) async fn plan(
    connection: &mut SqliteConnection,
    sql: &str,
    values: &[Value],
) -> Result<String, DbError> {
    let explained = format!("EXPLAIN QUERY PLAN {sql}");
    let rows = query(explained, values).fetch_all(connection).await.map_err(classify)?;
    let lines: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get("detail")).collect();
    Ok(lines.map_err(classify)?.join("\n"))
}

pub(super) async fn commit(transaction: Transaction) -> Result<(), DbError> {
    transaction.commit().await.map_err(classify)
}

pub(super) fn value(row: &SqliteRow, column: usize) -> Option<Value> {
    let raw = row.try_get_raw(column).ok()?;
    if raw.is_null() {
        return Some(Value::Null);
    }
    match raw.type_info().name() {
        "INTEGER" => row.try_get(column).ok().map(Value::Int),
        "TEXT" => row.try_get(column).ok().map(Value::Text),
        _ => None,
    }
}

fn classify(error: sqlx::Error) -> DbError {
    let code = match &error {
        sqlx::Error::Database(database) => database.code().and_then(|code| code.parse::<u32>().ok()),
        sqlx::Error::PoolTimedOut => return DbError::Busy(Arc::new(error)),
        sqlx::Error::Io(_) => return DbError::Io(Arc::new(error)),
        _ => None,
    };
    let error = Arc::new(error);
    match code.map(|code| code & 0xff) {
        Some(code::BUSY | code::LOCKED) => DbError::Busy(error),
        Some(code::CORRUPT | code::NOTADB) => DbError::Corrupt(error),
        Some(code::READONLY) => DbError::ReadOnly(error),
        Some(code::FULL) => DbError::Full(error),
        Some(code::CANTOPEN | code::PERM) => DbError::Denied(error),
        Some(code::IOERR) => DbError::Io(error),
        Some(code::CONSTRAINT) => DbError::Constraint(error),
        _ => DbError::Other(error),
    }
}
