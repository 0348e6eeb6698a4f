//! The SQL database and the index in it.

mod errors;
mod index;
mod large;
mod plans;
mod transactions;

use std::path::{Path, PathBuf};

use bartizan_store::{Db, DbError, TxError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

/// A fresh database, and the directory that it goes with.
async fn fresh() -> (tempfile::TempDir, PathBuf, Db) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("bartizan.db");
    let db = Db::create(&path).await.unwrap();
    (home, path, db)
}

/// A connection of somebody with other tools.
pub(crate) async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap()
}

/// Lets plain SQL at a database file.
async fn tamper(path: &Path, sql: &'static str) {
    let mut connection = connect(path).await;
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

type Tried<T> = Result<T, TxError<DbError>>;
