//! The SQL database: opening it, and running transactions on it.
//!
//! ```text
//!   Db --tx("name", body)--> Tx --index::*--> rows
//!    '-- dialect: sqlite (its own file: connections, values, error codes)
//! ```
//!
//! Statements are written once, in the SQL that SQLite and PostgreSQL share (`$1` parameters, `ON CONFLICT`, row
//! values); a dialect supplies connections, the schema's types and the meaning of error codes.

mod error;
mod migrations;
mod sqlite;
mod tx;

use std::path::Path;
use std::time::Duration;

pub use self::error::{DbError, DbOpen, TxError};
pub use self::tx::Tx;
pub(crate) use self::tx::{Row, Value};
use crate::limits::{DB_BUSY_MS, TX_ATTEMPTS, TX_PAUSE_MOST_MS, TX_PAUSE_MS};

/// The database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Db {
    dialect: Dialect,
    attempts: u32,
}

#[derive(Debug, Clone)]
enum Dialect {
    Sqlite(sqlite::Pools),
}

/// How to open a database, where the defaults do not fit.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// Refuse to write; default no.
    pub read_only: bool,
    /// How long a connection waits for another writer; default 2 s.
    pub busy_timeout: Duration,
    /// Attempts of one transaction before it gives up; default 5.
    pub attempts: u32,
    /// The most bytes that the database may take; default unlimited.
    pub max_bytes: Option<u64>,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self {
            read_only: false,
            busy_timeout: Duration::from_millis(DB_BUSY_MS),
            attempts: TX_ATTEMPTS,
            max_bytes: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl Db {
    /// Makes the database file `path` (mode 0600) with empty tables.
    ///
    /// # Errors
    /// When a file is there already or the operating system refuses.
    pub async fn create(path: &Path) -> Result<Self, DbOpen> {
        sqlite::create_file(path)?;
        Self::open(path).await
    }

    /// Opens the existing database file `path` and brings its tables up to date.
    ///
    /// # Errors
    /// When it is missing, no database, damaged, of a newer version, or cannot be used.
    pub async fn open(path: &Path) -> Result<Self, DbOpen> {
        Self::open_with(path, &DbOptions::default()).await
    }

    /// Opens the existing database file `path`. With `read_only` its tables must be up to date.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub async fn open_with(path: &Path, options: &DbOptions) -> Result<Self, DbOpen> {
        let pools = sqlite::Pools::open(path, options).await?;
        let db = Self { dialect: Dialect::Sqlite(pools), attempts: options.attempts.max(1) };
        migrations::run(&db, path, options.read_only).await?;
        Ok(db)
    }

    /// Runs `body` in a transaction that sees and makes its changes at one instant.
    ///
    /// When another writer is in the way, `body` is run again from the start, a few times; so it must not do
    /// anything outside the transaction. It is given the transaction by value: `async |mut tx| get(&mut tx, &key)`.
    /// It commits when `body` returns `Ok` and no statement failed; it leaves
    /// no trace when `body` returns `Err` or is dropped. `name` appears in errors and logs.
    ///
    /// # Errors
    /// [`TxError::Busy`] when every attempt met another writer, [`TxError::Db`] when the database failed around
    /// `body`, [`TxError::Body`] with what `body` returned.
    pub async fn tx<T, E, F, B>(&self, name: &'static str, body: F) -> Result<T, TxError<E>>
    where
        F: FnMut(Tx) -> B,
        B: Future<Output = Result<T, E>>,
    {
        self.run(name, Access::Write, body).await
    }

    /// Runs `body` on an unchanging view of the database, beside writers and other readers.
    ///
    /// # Errors
    /// As [`Db::tx`]; a statement that writes fails with [`DbError::ReadOnly`].
    pub async fn read<T, E, F, B>(&self, name: &'static str, body: F) -> Result<T, TxError<E>>
    where
        F: FnMut(Tx) -> B,
        B: Future<Output = Result<T, E>>,
    {
        self.run(name, Access::Read, body).await
    }

    /// Waits for running transactions, then closes all connections.
    pub async fn close(&self) {
        match &self.dialect {
            Dialect::Sqlite(pools) => pools.close().await,
        }
    }

    async fn run<T, E, F, B>(&self, name: &'static str, access: Access, mut body: F) -> Result<T, TxError<E>>
    where
        F: FnMut(Tx) -> B,
        B: Future<Output = Result<T, E>>,
    {
        let mut pause = Duration::from_millis(TX_PAUSE_MS);
        let mut attempt = 1;
        loop {
            let source = match self.attempt(name, access, &mut body).await {
                Err(TxError::Db { source, .. }) if source.is_busy() => source,
                other => return other,
            };
            if attempt >= self.attempts {
                return Err(TxError::Busy { name, attempts: attempt, source });
            }
            tracing::debug!(transaction = name, attempt, error = %source, "database busy, trying again");
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(Duration::from_millis(TX_PAUSE_MOST_MS));
            attempt += 1;
        }
    }

    async fn attempt<T, E, F, B>(
        &self,
        name: &'static str,
        access: Access,
        body: &mut F,
    ) -> Result<T, TxError<E>>
    where
        F: FnMut(Tx) -> B,
        B: Future<Output = Result<T, E>>,
    {
        let failed = |source| TxError::Db { name, source };
        let tx = self.begin(access).await.map_err(failed)?;
        let result = body(tx.handle()).await;
        match (result, tx.end().await) {
            // Whatever the body made of it: it is run again.
            (_, Err(failure)) if failure.is_busy() => Err(failed(failure)),
            (Err(error), _) => Err(TxError::Body(error)),
            // The body hid the failure of a statement; what it believes about the rows may be wrong.
            (Ok(_), Err(failure)) => Err(failed(failure)),
            (Ok(value), Ok(inner)) => inner.commit().await.map(|()| value).map_err(failed),
        }
    }

    async fn begin(&self, access: Access) -> Result<Tx, DbError> {
        match &self.dialect {
            Dialect::Sqlite(pools) => pools.begin(access).await,
        }
    }
}
