//! A transaction: statements in, rows out, in the few types that the index needs.

use super::error::DbError;
use super::sqlite;

/// A running transaction. It is undone unless [`Db::tx`](super::Db::tx) commits it.
#[derive(Debug)]
pub struct Tx {
    inner: TxDialect,
    failure: Option<DbError>,
    plans: Option<Vec<String>>,
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
        Self { inner, failure: None, plans: None }
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
        let result = match &mut self.inner {
            TxDialect::Sqlite(tx) => sqlite::execute(tx, sql, values).await,
        };
        self.note(result)
    }

    /// Runs statements that take no parameters.
    pub(super) async fn script(&mut self, sql: &'static str) -> Result<(), DbError> {
        let result = match &mut self.inner {
            TxDialect::Sqlite(tx) => sqlite::script(tx, sql).await,
        };
        self.note(result)
    }

    /// Runs a query.
    pub(crate) async fn fetch(&mut self, sql: String, values: &[Value]) -> Result<Vec<Row>, DbError> {
        let result = match &mut self.inner {
            TxDialect::Sqlite(tx) => {
                if let Some(plans) = &mut self.plans {
                    plans.push(sqlite::plan(tx, &sql, values).await?);
                }
                sqlite::fetch(tx, sql, values).await
            }
        };
        self.note(result)
    }

    /// Whether there is a table of that name.
    pub(super) async fn has_table(&mut self, name: &str) -> Result<bool, DbError> {
        let sql = match &self.inner {
            TxDialect::Sqlite(_) => sqlite::FIND_TABLE,
        };
        Ok(!self.fetch(sql.to_owned(), &[Value::Text(name.to_owned())]).await?.is_empty())
    }

    pub(super) async fn commit(self) -> Result<(), DbError> {
        match self.inner {
            TxDialect::Sqlite(tx) => sqlite::commit(tx).await,
        }
    }

    pub(super) fn take_failure(&mut self) -> Option<DbError> {
        self.failure.take()
    }

    // INVARIANT: after a statement failed, the transaction is never committed.
    fn note<T>(&mut self, result: Result<T, DbError>) -> Result<T, DbError> {
        if let Err(error) = &result
            && self.failure.is_none()
        {
            self.failure = Some(error.clone());
        }
        result
    }
}
