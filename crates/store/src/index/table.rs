//! What all tables share: rows as plain structs, and the handful of statements made from their columns.

use crate::db::{DbError, Row, Tx, Value};
use crate::limits::INSERT_ROWS;

/// A row of a table. Implemented by [`table!`] alone.
pub(crate) trait Table: Clone + Ord + std::fmt::Debug {
    type Key: Clone + Ord + std::fmt::Debug + KeyValues;

    const NAME: &'static str;
    /// All columns, those of the key first.
    const COLUMNS: &'static [&'static str];
    /// How many of them are the key.
    const KEY: usize;

    fn key(&self) -> Self::Key;
    fn values(&self) -> Result<Vec<Value>, DbError>;
    fn from_row(row: &Row) -> Result<Self, DbError>;
}

/// The values of a key, in the order of its columns.
pub(crate) trait KeyValues {
    fn values(&self) -> Result<Vec<Value>, DbError>;
}

/// A type that a column can have.
pub(crate) trait Column: Sized {
    fn to_value(&self) -> Result<Value, DbError>;
    fn from_value(value: Value) -> Option<Self>;
}

impl Column for String {
    fn to_value(&self) -> Result<Value, DbError> {
        Ok(Value::Text(self.clone()))
    }

    fn from_value(value: Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text) } else { None }
    }
}

impl Column for Option<String> {
    fn to_value(&self) -> Result<Value, DbError> {
        Ok(self.clone().map_or(Value::Null, Value::Text))
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            Value::Text(text) => Some(Some(text)),
            Value::Int(_) => None,
        }
    }
}

impl Column for i64 {
    fn to_value(&self) -> Result<Value, DbError> {
        Ok(Value::Int(*self))
    }

    fn from_value(value: Value) -> Option<Self> {
        if let Value::Int(number) = value { Some(number) } else { None }
    }
}

impl Column for u64 {
    fn to_value(&self) -> Result<Value, DbError> {
        i64::try_from(*self).map(Value::Int).map_err(|_| DbError::TooLarge { number: *self })
    }

    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).and_then(|number| number.try_into().ok())
    }
}

impl Column for u32 {
    fn to_value(&self) -> Result<Value, DbError> {
        Ok(Value::Int(i64::from(*self)))
    }

    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).and_then(|number| number.try_into().ok())
    }
}

/// Reads a column of a row.
pub(crate) fn column<T: Table, C: Column>(row: &Row, column: usize) -> Result<C, DbError> {
    row.value(column).and_then(C::from_value).ok_or(DbError::Column { table: T::NAME, column })
}

/// Declares a table's row and key as structs, and the access that every table has.
macro_rules! table {
    (
        $(#[$doc:meta])* $row:ident in $name:literal
        key { $($(#[$key_doc:meta])* $key:ident: $key_type:ty,)+ }
        rest { $($(#[$rest_doc:meta])* $rest:ident: $rest_type:ty,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $row {
            $($(#[$key_doc])* pub $key: $key_type,)+
            $($(#[$rest_doc])* pub $rest: $rest_type,)*
        }

        #[doc = concat!("What tells the rows of `", $name, "` apart; they are sorted by it.")]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct Key {
            $($(#[$key_doc])* pub $key: $key_type,)+
        }

        impl Key {
            /// The key of these parts.
            pub fn new($($key: impl Into<$key_type>),+) -> Self {
                Self { $($key: $key.into()),+ }
            }
        }

        impl $crate::index::table::KeyValues for Key {
            fn values(&self) -> Result<Vec<$crate::db::Value>, $crate::DbError> {
                use $crate::index::table::Column as _;
                Ok(vec![$(self.$key.to_value()?),+])
            }
        }

        impl $row {
            /// The row's key.
            pub fn key(&self) -> Key {
                Key { $($key: self.$key.clone()),+ }
            }
        }

        impl $crate::index::table::Table for $row {
            type Key = Key;

            const NAME: &'static str = $name;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($key),)+ $(stringify!($rest)),*];
            const KEY: usize = [$(stringify!($key)),+].len();

            fn key(&self) -> Key {
                Self::key(self)
            }

            fn values(&self) -> Result<Vec<$crate::db::Value>, $crate::DbError> {
                use $crate::index::table::Column as _;
                Ok(vec![$(self.$key.to_value()?,)+ $(self.$rest.to_value()?),*])
            }

            fn from_row(row: &$crate::db::Row) -> Result<Self, $crate::DbError> {
                let mut columns = 0..;
                let mut next = || columns.next().unwrap_or_default();
                Ok(Self {
                    $($key: $crate::index::table::column::<Self, _>(row, next())?,)+
                    $($rest: $crate::index::table::column::<Self, _>(row, next())?,)*
                })
            }
        }

        /// Writes a row, replacing the one with its key.
        ///
        /// # Errors
        /// When the database fails.
        pub async fn upsert(tx: &mut $crate::Tx, row: &$row) -> Result<(), $crate::DbError> {
            $crate::index::table::upsert(tx, std::slice::from_ref(row)).await
        }

        /// The row with a key, if there is one.
        ///
        /// # Errors
        /// When the database fails.
        pub async fn get(tx: &mut $crate::Tx, key: &Key) -> Result<Option<$row>, $crate::DbError> {
            $crate::index::table::get(tx, key).await
        }

        /// Up to `limit` rows after a key, ascending by key.
        ///
        /// # Errors
        /// When the database fails.
        pub async fn list(
            tx: &mut $crate::Tx,
            after: Option<&Key>,
            limit: u32,
        ) -> Result<Vec<$row>, $crate::DbError> {
            $crate::index::table::Page::ascending(&[], after)?.fetch(tx, limit).await
        }
    };
}
pub(crate) use table;

/// Writes rows, replacing those with their keys.
pub(crate) async fn upsert<T: Table>(tx: &mut Tx, rows: &[T]) -> Result<(), DbError> {
    for group in rows.chunks(INSERT_ROWS) {
        let mut values = Vec::with_capacity(group.len() * T::COLUMNS.len());
        for row in group {
            values.extend(row.values()?);
        }
        tx.execute(upsert_sql::<T>(group.len()), &values).await?;
    }
    Ok(())
}

fn upsert_sql<T: Table>(rows: usize) -> String {
    let width = T::COLUMNS.len();
    let tuples: Vec<String> = (0..rows)
        .map(|row| format!("({})", parameters(row * width, width)))
        .collect();
    let (key, rest) = T::COLUMNS.split_at(T::KEY);
    let changes: Vec<String> = rest.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let change = if changes.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", changes.join(", ")) };
    format!(
        "INSERT INTO {} ({}) VALUES {} ON CONFLICT ({}) DO {change}",
        T::NAME,
        T::COLUMNS.join(", "),
        tuples.join(", "),
        key.join(", "),
    )
}

/// `$n, $n+1, ...`: `count` parameters after the first `before`.
fn parameters(before: usize, count: usize) -> String {
    let parameters: Vec<String> = (1..=count).map(|i| format!("${}", before + i)).collect();
    parameters.join(", ")
}

/// Removes the row with a key, if there is one.
pub(crate) async fn remove<T: Table>(tx: &mut Tx, key: &T::Key) -> Result<(), DbError> {
    let sql = format!("DELETE FROM {} WHERE {}", T::NAME, key_is::<T>());
    tx.execute(sql, &key.values()?).await.map(drop)
}

/// Removes all rows.
pub(crate) async fn clear<T: Table>(tx: &mut Tx) -> Result<(), DbError> {
    tx.execute(format!("DELETE FROM {}", T::NAME), &[]).await.map(drop)
}

pub(crate) async fn get<T: Table>(tx: &mut Tx, key: &T::Key) -> Result<Option<T>, DbError> {
    let sql = format!("SELECT {} FROM {} WHERE {}", T::COLUMNS.join(", "), T::NAME, key_is::<T>());
    let rows = tx.fetch(sql, &key.values()?).await?;
    rows.first().map(T::from_row).transpose()
}

/// All rows, ascending by key.
pub(crate) async fn all<T: Table>(tx: &mut Tx) -> Result<Vec<T>, DbError> {
    Page::ascending(&[], None::<&T::Key>)?.fetch(tx, u32::MAX).await
}

fn key_is<T: Table>() -> String {
    let (key, _) = T::COLUMNS.split_at(T::KEY);
    let parts: Vec<String> = key.iter().enumerate().map(|(i, column)| format!("{column} = ${}", i + 1)).collect();
    parts.join(" AND ")
}

/// One page of a list: rows that match a filter, in the order of some columns, from a position on.
///
/// Filter columns followed by order columns must be the start of an index; a test looks at the plans.
pub(crate) struct Page {
    filter: Vec<(&'static str, Value)>,
    /// Columns of the order; `None` means those of the key that are not in the filter.
    order: Option<&'static [&'static str]>,
    descending: bool,
    from: Option<Vec<Value>>,
}

impl Page {
    /// Ascending by key, after a key.
    pub(crate) fn ascending<K: KeyValues>(
        filter: &[(&'static str, &str)],
        after: Option<&K>,
    ) -> Result<Self, DbError> {
        let text = |(column, text): &(&'static str, &str)| (*column, Value::Text((*text).to_owned()));
        let filter = filter.iter().map(text).collect();
        Ok(Self { filter, order: None, descending: false, from: after.map(K::values).transpose()? })
    }

    /// Also requires a number; for key columns that are numbers.
    pub(crate) fn and(mut self, column: &'static str, number: u32) -> Self {
        self.filter.push((column, Value::Int(i64::from(number))));
        self
    }

    /// Descending by columns of the caller's choice, before a position in them.
    pub(crate) fn descending(
        filter: &[(&'static str, &str)],
        order: &'static [&'static str],
        before: Option<Vec<Value>>,
    ) -> Self {
        let text = |(column, text): &(&'static str, &str)| (*column, Value::Text((*text).to_owned()));
        Self { filter: filter.iter().map(text).collect(), order: Some(order), descending: true, from: before }
    }

    pub(crate) async fn fetch<T: Table>(self, tx: &mut Tx, limit: u32) -> Result<Vec<T>, DbError> {
        let (sql, values) = self.statement::<T>(limit);
        tx.fetch(sql, &values).await?.iter().map(T::from_row).collect()
    }

    fn statement<T: Table>(self, limit: u32) -> (String, Vec<Value>) {
        let Self { filter, order, descending, from } = self;
        let (key, _) = T::COLUMNS.split_at(T::KEY);
        let fixed = |column: &str| filter.iter().any(|(filtered, _)| *filtered == column);
        // The position is a whole key; its filtered columns are fixed and would only confuse the planner.
        let (columns, from): (Vec<&str>, Option<Vec<Value>>) = match order {
            Some(order) => (order.to_vec(), from),
            None => {
                let from = from.map(|from| {
                    key.iter().zip(from).filter(|(column, _)| !fixed(column)).map(|(_, value)| value).collect()
                });
                (key.iter().copied().filter(|column| !fixed(column)).collect(), from)
            }
        };
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        for (column, value) in filter {
            values.push(value);
            conditions.push(format!("{column} = ${}", values.len()));
        }
        if let Some(from) = from.filter(|_| !columns.is_empty()) {
            let sign = if descending { '<' } else { '>' };
            conditions.push(format!("({}) {sign} ({})", columns.join(", "), parameters(values.len(), from.len())));
            values.extend(from);
        }
        let direction = if descending { " DESC" } else { "" };
        let order: Vec<String> = columns.iter().map(|column| format!("{column}{direction}")).collect();
        let mut sql = format!("SELECT {} FROM {}", T::COLUMNS.join(", "), T::NAME);
        if !conditions.is_empty() {
            sql.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
        }
        values.push(Value::Int(i64::from(limit)));
        sql.push_str(&format!(" ORDER BY {} LIMIT ${}", order.join(", "), values.len()));
        (sql, values)
    }
}
