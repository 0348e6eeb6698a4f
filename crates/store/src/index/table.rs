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

/// A key for people: its parts, joined by `/`.
pub(crate) fn key_text(key: &impl KeyValues) -> String {
    let part = |value| match value {
        Value::Null => String::new(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text,
    };
    let parts: Vec<String> = key.values().unwrap_or_default().into_iter().map(part).collect();
    parts.join("/")
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
            $crate::index::table::Page::all().after(after)?.fetch(tx, limit).await
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
    let tuples: Vec<String> = (0..rows).map(|row| format!("({})", parameters(row * width, width))).collect();
    let (key, rest) = T::COLUMNS.split_at(T::KEY);
    let changes: Vec<String> = rest.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let change =
        if changes.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", changes.join(", ")) };
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

/// Removes the rows with the keys of these.
pub(crate) async fn remove<T: Table>(tx: &mut Tx, rows: &[T]) -> Result<(), DbError> {
    let sql = format!("DELETE FROM {} WHERE {}", T::NAME, key_is::<T>());
    for row in rows {
        tx.execute(sql.clone(), &row.key().values()?).await?;
    }
    Ok(())
}

/// Makes these the only rows.
pub(crate) async fn replace<T: Table>(tx: &mut Tx, rows: &[T]) -> Result<(), DbError> {
    tx.execute(format!("DELETE FROM {}", T::NAME), &[]).await?;
    upsert(tx, rows).await
}

/// The row with a key, if there is one.
pub(crate) async fn get<T: Table>(tx: &mut Tx, key: &T::Key) -> Result<Option<T>, DbError> {
    let sql = format!("SELECT {} FROM {} WHERE {}", T::COLUMNS.join(", "), T::NAME, key_is::<T>());
    let rows = tx.fetch(sql, &key.values()?).await?;
    rows.first().map(T::from_row).transpose()
}

/// All rows, ascending by key.
pub(crate) async fn all<T: Table>(tx: &mut Tx) -> Result<Vec<T>, DbError> {
    Page::all().fetch(tx, u32::MAX).await
}

fn key_is<T: Table>() -> String {
    let (key, _) = T::COLUMNS.split_at(T::KEY);
    let parts: Vec<String> =
        key.iter().enumerate().map(|(i, column)| format!("{column} = ${}", i + 1)).collect();
    parts.join(" AND ")
}

/// One page of a list: rows that match a filter, in some order, from a position on.
///
/// Filter columns followed by order columns must be the start of an index; a test looks at the plans.
pub(crate) struct Page {
    filter: Vec<(&'static str, Value)>,
    /// Descending by these columns; `None` means ascending by those of the key that are not in the filter.
    descending: Option<&'static [&'static str]>,
    from: Option<Vec<Value>>,
}

impl Page {
    /// Every row, ascending by key.
    pub(crate) fn all() -> Self {
        Self { filter: Vec::new(), descending: None, from: None }
    }

    /// Only rows that have `text` in `column`.
    pub(crate) fn with(mut self, column: &'static str, text: &str) -> Self {
        self.filter.push((column, Value::Text(text.to_owned())));
        self
    }

    /// Only rows that have `number` in `column`.
    pub(crate) fn with_number(mut self, column: &'static str, number: u32) -> Self {
        self.filter.push((column, Value::Int(i64::from(number))));
        self
    }

    /// Only rows after `key`. What the key says about filtered columns is ignored.
    pub(crate) fn after<K: KeyValues>(mut self, key: Option<&K>) -> Result<Self, DbError> {
        self.from = key.map(K::values).transpose()?;
        Ok(self)
    }

    /// Descending by `columns`, from before a position in them.
    pub(crate) fn descending(mut self, columns: &'static [&'static str], before: Option<Vec<Value>>) -> Self {
        self.descending = Some(columns);
        self.from = before;
        self
    }

    pub(crate) async fn fetch<T: Table>(self, tx: &mut Tx, limit: u32) -> Result<Vec<T>, DbError> {
        let (sql, values) = self.statement::<T>(limit);
        tx.fetch(sql, &values).await?.iter().map(T::from_row).collect()
    }

    fn statement<T: Table>(self, limit: u32) -> (String, Vec<Value>) {
        let (order, from) = self.order::<T>();
        let (sign, direction) = if self.descending.is_some() { ("<", " DESC") } else { (">", "") };
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        for (column, value) in self.filter {
            values.push(value);
            conditions.push(format!("{column} = ${}", values.len()));
        }
        if let Some(from) = from {
            let position = parameters(values.len(), from.len());
            conditions.push(format!("({}) {sign} ({position})", order.join(", ")));
            values.extend(from);
        }
        let filter = if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        };
        let order: Vec<String> = order.iter().map(|column| format!("{column}{direction}")).collect();
        values.push(Value::Int(i64::from(limit)));
        let sql = format!(
            "SELECT {} FROM {}{filter} ORDER BY {} LIMIT ${}",
            T::COLUMNS.join(", "),
            T::NAME,
            order.join(", "),
            values.len(),
        );
        (sql, values)
    }

    /// The columns of the order, and the position in them.
    fn order<T: Table>(&self) -> (Vec<&'static str>, Option<Vec<Value>>) {
        if let Some(columns) = self.descending {
            return (columns.to_vec(), self.from.clone());
        }
        let (key, _) = T::COLUMNS.split_at(T::KEY);
        let free = |column: &str| !self.filter.iter().any(|(filtered, _)| *filtered == column);
        let columns = key.iter().copied().filter(|column| free(column)).collect();
        let from = self.from.iter().flatten().cloned();
        let from: Vec<Value> =
            key.iter().zip(from).filter(|(column, _)| free(column)).map(|(_, value)| value).collect();
        (columns, (!from.is_empty()).then_some(from))
    }
}

/// The newest version of each name after `after`, ascending by name; for tables keyed by name and version.
pub(crate) async fn newest<T: Table>(
    tx: &mut Tx,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<T>, DbError> {
    let next = format!("SELECT name FROM {} WHERE name > $1 ORDER BY name LIMIT 1", T::NAME);
    let mut found = Vec::new();
    let mut name = after.unwrap_or_default().to_owned();
    for _ in 0..limit {
        let rows = tx.fetch(next.clone(), &[Value::Text(name)]).await?;
        let Some(row) = rows.first() else { break };
        name = column::<T, String>(row, 0)?;
        found.extend(Page::all().with("name", &name).descending(&["version"], None).fetch::<T>(tx, 1).await?);
    }
    Ok(found)
}
