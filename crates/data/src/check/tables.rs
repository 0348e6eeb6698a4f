//! Other tables that values are looked up in, read before the check.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bartizan_base::Digest;

use crate::cell::Value;
use crate::csv::ReadError;
use crate::expression::time_in;
use crate::limits::REFERENCED_BYTES;
use crate::number::Number;
use crate::profile::ColumnType;
use crate::read::batch::{Cell, Column};
use crate::read::{self, ReadOptions, Sink, Source};
use crate::schema::Schema;

/// The different values of some columns of a table.
#[derive(Debug, Default)]
pub struct KnownTable {
    columns: BTreeMap<String, KnownValues>,
}

/// The different values of one column.
#[derive(Debug, Default)]
pub(in crate::check) struct KnownValues {
    /// As they are spelled, for each class of types that they are looked up by.
    sets: Vec<(ColumnType, Spellings)>,
    bytes: usize,
}

/// What each value takes beside its bytes.
const VALUE_BYTES: usize = 64;

/// What all values of a table may take, whichever thread holds them.
struct Room {
    left: AtomicUsize,
    /// Whether a value found none. Then the table is read no further.
    full: Arc<AtomicBool>,
}

impl Room {
    fn take(&self, bytes: usize) -> bool {
        let taken = !self.is_full()
            && self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
                .is_ok();
        if !taken {
            self.full.store(true, Ordering::Relaxed);
        }
        taken
    }

    fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }

    fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }
}

type Spellings = HashSet<Box<[u8]>, foldhash::fast::RandomState>;

/// Another table cannot be looked up in.
#[derive(Debug, thiserror::Error)]
pub enum NotKnown {
    /// It could not be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It has no such column.
    #[error("the table has no column `{column}`")]
    NoColumn {
        /// The column.
        column: String,
    },
    /// Its values are more than are held.
    #[error("the values of all tables that are looked up in take more than the {} that are held of them", bytes(*.held))]
    TooLarge {
        /// Bytes that are held, with 64 for each value.
        held: usize,
    },
}

/// A number of bytes for people: in GiB where it is some of them.
fn bytes(count: usize) -> String {
    const GIB: usize = 1024 * 1024 * 1024;
    if count >= GIB && count.is_multiple_of(GIB) {
        format!("{} GiB", count / GIB)
    } else {
        format!("{count} bytes")
    }
}

impl KnownValues {
    fn new(classes: &BTreeSet<ColumnType>) -> Self {
        Self { sets: classes.iter().map(|class| (*class, Spellings::default())).collect(), bytes: 0 }
    }

    /// Whether it has a value, spelled for a column of that type.
    pub(in crate::check) fn has(&self, spelling: &[u8], kind: ColumnType) -> bool {
        let class = class(kind);
        self.sets.iter().any(|(of, values)| *of == class && values.contains(spelling))
    }

    /// Takes in a value, unless there is no room for one more that is new.
    fn add(&mut self, at: usize, spelling: &[u8], room: &Room) {
        if let Some((_, values)) = self.sets.get_mut(at)
            && !values.contains(spelling)
            && room.take(spelling.len() + VALUE_BYTES)
        {
            self.bytes += spelling.len() + VALUE_BYTES;
            values.insert(spelling.into());
        }
    }

    /// Takes in values of the same classes. They take the room that they have had.
    fn merge(&mut self, after: Self) {
        for (at, (_, values)) in after.sets.into_iter().enumerate() {
            let Some((_, mine)) = self.sets.get_mut(at) else { continue };
            for value in values {
                let bytes = value.len() + VALUE_BYTES;
                if mine.insert(value) {
                    self.bytes += bytes;
                }
            }
        }
    }
}

impl KnownTable {
    /// Reads the columns of a table that `schema` looks up in what it calls `name`.
    ///
    /// # Errors
    /// When it cannot be read to its end, lacks one of the columns, or has more values than are held; what comes after those
    /// is not read.
    pub fn read(
        source: Source<'_>,
        options: &ReadOptions,
        threads: usize,
        schema: &Schema,
        name: &str,
    ) -> Result<Self, NotKnown> {
        let room = (REFERENCED_BYTES, REFERENCED_BYTES);
        let read = Self::read_whole(source, options, threads, (schema, name), room);
        read.map(|(table, _)| table)
    }

    /// The same, holding so many bytes of values more of those that are held of all tables, with the digest of the bytes of
    /// the table.
    pub(in crate::check) fn read_whole(
        source: Source<'_>,
        options: &ReadOptions,
        threads: usize,
        (schema, name): (&Schema, &str),
        (left, held): (usize, usize),
    ) -> Result<(Self, Digest), NotKnown> {
        let mut wanted: BTreeMap<String, BTreeSet<ColumnType>> = BTreeMap::new();
        let slices = schema.slices.iter().flat_map(|slice| &slice.columns);
        for rules in schema.columns.iter().chain(slices) {
            if let Some(references) = rules.references.as_ref().filter(|one| one.table == name) {
                wanted.entry(references.column.clone()).or_default().insert(class(rules.kind));
            }
        }
        let room = Room { left: AtomicUsize::new(left), full: Arc::default() };
        let source = source.until(room.full.clone());
        let read = read::read(source, options, threads, &Gather { wanted: &wanted, room: &room });
        // That it was read no further is how the reader sees it.
        if room.is_full() {
            return Err(NotKnown::TooLarge { held });
        }
        let table = read?;
        let mut columns = BTreeMap::new();
        for (path, values) in table.columns {
            if !wanted.contains_key(&path) {
                continue;
            }
            columns.insert(path, values);
        }
        match wanted.into_keys().find(|column| !columns.contains_key(column)) {
            Some(column) => Err(NotKnown::NoColumn { column }),
            None => Ok((Self { columns }, table.outcome.digest())),
        }
    }

    /// Takes in the values of a further part of the table, of the same columns.
    pub(in crate::check) fn merge(&mut self, part: Self) {
        for (name, values) in part.columns {
            let mine = self.columns.entry(name).or_default();
            match mine.sets.is_empty() {
                true => *mine = values,
                false => mine.merge(values),
            }
        }
    }

    /// Bytes that its values are held in, with 64 for each.
    pub(in crate::check) fn bytes(&self) -> usize {
        self.columns.values().fold(0, |sum, values| sum.saturating_add(values.bytes))
    }

    pub(in crate::check) fn column(&self, name: &str) -> Option<&KnownValues> {
        self.columns.get(name)
    }
}

struct Gather<'a> {
    wanted: &'a BTreeMap<String, BTreeSet<ColumnType>>,
    room: &'a Room,
}

impl Sink for Gather<'_> {
    type State = KnownValues;

    fn start(&self, path: &str, _: usize) -> KnownValues {
        self.wanted.get(path).map_or_else(KnownValues::default, KnownValues::new)
    }

    fn observe(&self, state: &mut KnownValues, column: &Column<'_>) {
        if self.room.is_full() {
            return;
        }
        let classes: Vec<ColumnType> = state.sets.iter().map(|(class, _)| *class).collect();
        for (at, class) in classes.into_iter().enumerate() {
            for row in 0..column.len() {
                let cell = column.cell(row);
                if cell.value != Value::Null {
                    state.add(at, &spelling(&cell, class), self.room);
                }
            }
        }
    }

    fn merge(&self, state: &mut KnownValues, after: KnownValues) {
        let held = state.bytes + after.bytes;
        state.merge(after);
        // Values that both had are held once from here on.
        self.room.give_back(held.saturating_sub(state.bytes));
    }
}

/// Types whose values are spelled alike.
pub(in crate::check) const fn class(kind: ColumnType) -> ColumnType {
    match kind {
        ColumnType::Integer | ColumnType::Float | ColumnType::List => ColumnType::Float,
        ColumnType::Date | ColumnType::Timestamp => ColumnType::Timestamp,
        ColumnType::Boolean => ColumnType::Boolean,
        ColumnType::String | ColumnType::Binary => ColumnType::String,
    }
}

/// A value by what it is for a column of a type: equal values have one spelling, whatever format they came in, and the
/// spellings of different classes differ.
pub(in crate::check) fn spelling<'c>(cell: &'c Cell<'_>, kind: ColumnType) -> Cow<'c, [u8]> {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    match class(kind) {
        ColumnType::Float => match Number::in_cell(cell) {
            Some(number) => return Cow::Owned(number.text().into_owned()),
            None => return cell.text(),
        },
        ColumnType::Timestamp => match time_in(cell) {
            Some(nanos) => write!(out, "{nanos}").ok(),
            None => return cell.text(),
        },
        ColumnType::Boolean => match cell.truth() {
            Some(truth) => write!(out, "{truth}").ok(),
            None => return cell.text(),
        },
        _ => return cell.text(),
    };
    Cow::Owned(out)
}
