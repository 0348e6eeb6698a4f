//! What can go wrong with the database, by what the caller can do about it.

use std::path::PathBuf;
use std::sync::Arc;

/// A statement failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// Another writer is in the way; trying again later may help.
    #[error("the database is busy with another writer")]
    Busy(#[source] Arc<sqlx::Error>),
    /// The file is damaged or is no database; the index has to be rebuilt from the ledger.
    #[error("the database is damaged")]
    Corrupt(#[source] Arc<sqlx::Error>),
    /// The file or its directory cannot be written.
    #[error("the database cannot be written")]
    ReadOnly(#[source] Arc<sqlx::Error>),
    /// The storage is full or over its quota; the operator must make room.
    #[error("there is no space left for the database")]
    Full(#[source] Arc<sqlx::Error>),
    /// The operating system does not let this process use the file.
    #[error("the database cannot be opened")]
    Denied(#[source] Arc<sqlx::Error>),
    /// The storage failed; whether a commit happened is unknown.
    #[error("the database cannot be read or written")]
    Io(#[source] Arc<sqlx::Error>),
    /// A row breaks a rule of the schema, for example refers to a row that is not there.
    #[error("a row breaks a rule of the database")]
    Constraint(#[source] Arc<sqlx::Error>),
    /// A stored value is not of the type that its column has.
    #[error("column {column} of a row of `{table}` holds an unexpected value")]
    Column {
        /// The table.
        table: &'static str,
        /// Position of the column, from 0.
        column: usize,
    },
    /// A number is too large for the database (2^63 and above).
    #[error("`{number}` is too large for the database")]
    TooLarge {
        /// The number.
        number: u64,
    },
    /// The transaction had ended before: its handle was kept longer than its body ran.
    #[error("the transaction has ended")]
    Ended,
    /// Anything else the database says.
    #[error("the database failed")]
    Other(#[source] Arc<sqlx::Error>),
}

impl DbError {
    /// Whether trying again may help.
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DbOpen {
    /// There is no file; the index has to be rebuilt from the ledger.
    #[error("there is no database `{}`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// There is a file already, and making must not take over what exists.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A newer program made its tables.
    #[error("`{}` has schema version {found}, but this program knows versions up to {supported}", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version it has.
        found: u32,
        /// The newest version this program knows.
        supported: u32,
    },
    /// Its tables are older than this program's and may not be changed now.
    #[error("`{}` has schema version {found} and was opened read-only, but version {supported} is needed", path.display())]
    TooOld {
        /// The file.
        path: PathBuf,
        /// The version it has.
        found: u32,
        /// The version this program needs.
        supported: u32,
    },
    /// A migration did not go through; the tables are as they were before it.
    #[error("cannot bring `{}` to schema version {number} ({name})", path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// The migration's number.
        number: u32,
        /// The migration's name.
        name: &'static str,
        /// What the database said.
        #[source]
        source: DbError,
    },
    /// The database failed.
    #[error("cannot open the database `{}`", path.display())]
    Db {
        /// The file.
        path: PathBuf,
        /// What the database said.
        #[source]
        source: DbError,
    },
}

/// A transaction failed; it left no trace, except perhaps after [`DbError::Io`].
#[derive(Debug, thiserror::Error)]
pub enum TxError<E> {
    /// Every attempt met another writer.
    #[error("transaction `{name}` gave up after {attempts} attempts")]
    Busy {
        /// The transaction.
        name: &'static str,
        /// How often it was tried.
        attempts: u32,
        /// What the database said the last time.
        #[source]
        source: DbError,
    },
    /// The database failed at the start or end of the transaction, or a statement failed and the body hid it.
    #[error("transaction `{name}` failed")]
    Db {
        /// The transaction.
        name: &'static str,
        /// What the database said.
        #[source]
        source: DbError,
    },
    /// The body decided to stop.
    #[error(transparent)]
    Body(E),
}

impl<E: From<DbError>> TxError<E> {
    /// The body's kind of error, for callers whose error has a place for the database's.
    pub fn into_body(self) -> E {
        match self {
            Self::Busy { source, .. } | Self::Db { source, .. } => source.into(),
            Self::Body(error) => error,
        }
    }
}
