//! A transaction: statements in, rows out, in the few types that the index needs.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::error::DbError;
use super::sqlite;

/// A running transaction. [`Db::tx`](super::Db::tx) commits it when its body is done; whoever kept it longer
/// finds it ended.
///
/// It is handed to the body by value, and the connection is shared with `Db::tx`: a body that were lent it
/// could not be awaited by tasks that move between threads (rust-lang/rust#110338).
#[derive(Debug)]
pub struct Tx {
    shared: Arc<Mutex<Running>>,
    plans: Option<Vec<String>>,
}

#[derive(Debug)]
struct Running {
    /// `None` once it has ended.
    inner: Option<TxDialect>,
    failure: Option<DbError>,
}

#[derive(Debug)]
pub(super) enum TxDialect {
    Sqlite(sqlite::Transaction),
}

/// A value for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
}

/// A row that a statement returned.
pub(crate) enum Row {
    Sqlite(sqlx::sqlite::SqliteRow),
}

impl Row {
    /// The value of a column, from 0; `None` when it is not of the type.
    pub(crate) fn value(&self, column: usize) -> Option<Value> {
        match self {
            Self::Sqlite(row) => sqlite::value(row, column),
        }
    }
}

impl Tx {
    pub(super) fn new(inner: TxDialect) -> Self {
        let running = Running { inner: Some(inner), failure: None };
        Self { shared: Arc::new(Mutex::new(running)), plans: None }
    }

    /// The same transaction, for the body.
    pub(super) fn handle(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), plans: None }
    }

    /// From now on, keep how the database means to answer each query; for tests of the schema.
    pub fn record_plans(&mut self) {
        self.plans = Some(Vec::new());
    }

    /// The recorded plans, one text for each query, in the database's own words.
    pub fn plans(&self) -> &[String] {
        self.plans.as_deref().unwrap_or_default()
    }

    /// Runs a statement that returns nothing; how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: String, values: &[Value]) -> Result<u64, DbError> {
        let mut running = self.shared.lock().await;
        let result = match running.inner()? {
            TxDialect::Sqlite(tx) => sqlite::execute(tx, sql, values).await,
        };
        running.note(result)
    }

    /// Runs statements that take no parameters.
    pub(super) async fn script(&mut self, sql: &'static str) -> Result<(), DbError> {
        let mut running = self.shared.lock().await;
        let result = match running.inner()? {
            TxDialect::Sqlite(tx) => sqlite::script(tx, sql).await,
        };
        running.note(result)
    }

    /// Runs a query.
    pub(crate) async fn fetch(&mut self, sql: String, values: &[Value]) -> Result<Vec<Row>, DbError> {
        let mut running = self.shared.lock().await;
        let result = match running.inner()? {
            TxDialect::Sqlite(tx) => {
                if let Some(plans) = &mut self.plans {
                    plans.push(sqlite::plan(tx, &sql, values).await?);
                }
                sqlite::fetch(tx, sql, values).await
            }
        };
        running.note(result)
    }

    /// Whether there is a table of that name.
    pub(super) async fn has_table(&mut self, name: &str) -> Result<bool, DbError> {
        let sql = match self.shared.lock().await.inner()? {
            TxDialect::Sqlite(_) => sqlite::FIND_TABLE,
        };
        Ok(!self.fetch(sql.to_owned(), &[Value::Text(name.to_owned())]).await?.is_empty())
    }

    /// Ends the transaction for every handle: what is left to commit, and the first failure of a statement.
    pub(super) async fn end(self) -> Result<TxDialect, DbError> {
        let mut running = self.shared.lock().await;
        let inner = running.inner.take().ok_or(DbError::Ended)?;
        // INVARIANT: after a statement failed, the transaction is never committed: here its connection goes.
        running.failure.take().map_or(Ok(inner), Err)
    }
}

impl TxDialect {
    pub(super) async fn commit(self) -> Result<(), DbError> {
        match self {
            Self::Sqlite(tx) => sqlite::commit(tx).await,
        }
    }
}

impl Running {
    fn inner(&mut self) -> Result<&mut TxDialect, DbError> {
        self.inner.as_mut().ok_or(DbError::Ended)
    }

    fn note<T>(&mut self, result: Result<T, DbError>) -> Result<T, DbError> {
        if let Err(error) = &result
            && self.failure.is_none()
        {
            self.failure = Some(error.clone());
        }
        result
    }
}
