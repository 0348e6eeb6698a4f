//! Tables in memory, as far as they are compared: numbers, times as seconds, and texts by their place in a list.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::compare::Side;
use super::spelling;
use crate::cell::{self, Value};
use crate::limits::{DRIFT_CATEGORIES, DRIFT_TABLE_BYTES};
use crate::profile::whole as whole_number;
use crate::read::batch::{Cell, CellSource, Column, Lane, Rows};
use crate::read::{ReadError, ReadOptions, ReadOutcome, Sink, Source, read};
use crate::text;

/// What to do with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Nothing.
    Skip,
    /// Compare it as what its values are.
    Found,
    /// Compare its values as categories, also where they are numbers or times: equal ones are one, however they are
    /// written.
    Categories,
    /// Compare its values as categories by their text, in which `1` and `1.0` are two.
    Texts,
    /// Tell its rows apart by its values, exactly, for [`Tags`](super::Tags); they are not compared.
    Key,
}

/// What all values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FrameKind {
    /// There is none.
    #[default]
    Empty,
    /// Numbers, and the lengths of lists.
    Numbers,
    /// Days and instants, as seconds since 1970-01-01.
    Times,
    /// Anything else, and mixtures.
    Texts,
}

/// A table in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    columns: Vec<FrameColumn>,
    /// Names of the columns that were not wanted.
    skipped: Vec<String>,
    rows: usize,
}

/// A column in memory.
#[derive(Debug, Clone, PartialEq, Default)]
// INVARIANT: numbers and times have `numbers`, texts have `codes`; both as long as the column, with NaN and
// `Side::MISSING` where there is no value. Every other code is a place in `texts`, or `DRIFT_CATEGORIES` for what
// came after that many. Numbers of a key are integers, held as such in `integers` beside `numbers`, with 0 where there is
// none; other numbers of a key are texts. Times of a key are held in `nanos` too, as nanoseconds since 1970-01-01.
pub struct FrameColumn {
    name: String,
    kind: FrameKind,
    missing: usize,
    numbers: Vec<f64>,
    integers: Vec<i64>,
    nanos: Vec<i128>,
    codes: Vec<u32>,
    texts: Vec<Box<[u8]>>,
    nested: bool,
}

/// A code for each row, and what each code stands for.
pub(super) type Coded<'a> = (&'a [u32], &'a [Box<[u8]>]);

/// A table was not read into memory.
#[derive(Debug, thiserror::Error)]
pub enum NotFramed {
    /// It could not be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is too large to be held.
    #[error("the table takes more than {DRIFT_TABLE_BYTES} bytes of memory")]
    TooLarge,
}

impl Frame {
    /// Reads the columns that are wanted. What is read is the same whatever the number of threads.
    ///
    /// # Errors
    /// When the table cannot be read to its end, or does not fit into
    /// [`DRIFT_TABLE_BYTES`](crate::limits::DRIFT_TABLE_BYTES).
    pub fn read(
        source: Source<'_>,
        options: &ReadOptions,
        threads: usize,
        want: impl Fn(&str) -> Want + Sync,
    ) -> Result<(Self, ReadOutcome), NotFramed> {
        let filling = Filling { want, used: AtomicU64::new(0) };
        let table = read(source, options, threads, &filling)?;
        if filling.used.into_inner() > DRIFT_TABLE_BYTES {
            return Err(NotFramed::TooLarge);
        }
        let rows = usize::try_from(table.outcome.rows()).map_err(|_| NotFramed::TooLarge)?;
        let (mut columns, mut skipped) = (Vec::new(), Vec::new());
        for (name, state) in table.columns {
            match state.want {
                Want::Skip => skipped.push(name),
                Want::Found | Want::Categories | Want::Texts | Want::Key => {
                    columns.push(state.column(name, rows))
                }
            }
        }
        Ok((Self { columns, skipped, rows }, table.outcome))
    }

    /// The columns, in the order of the table.
    pub fn columns(&self) -> &[FrameColumn] {
        &self.columns
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&FrameColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether the table has a column of that name, wanted or not.
    pub fn has(&self, name: &str) -> bool {
        self.column(name).is_some() || self.skipped.iter().any(|skipped| skipped == name)
    }

    /// How many rows there are.
    pub const fn rows(&self) -> usize {
        self.rows
    }
}

impl FrameColumn {
    /// Its name; elements of lists have one of their own.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its values are.
    pub const fn kind(&self) -> FrameKind {
        self.kind
    }

    /// Whether it holds the elements of lists, which are not one for each row.
    pub const fn is_nested(&self) -> bool {
        self.nested
    }

    /// A number for each row, NaN where there is none; `None` unless it holds numbers or times.
    pub fn numbers(&self) -> Option<&[f64]> {
        matches!(self.kind, FrameKind::Numbers | FrameKind::Times).then_some(self.numbers.as_slice())
    }

    /// The integer of a row of a key.
    pub(super) fn integer(&self, row: usize) -> Option<i64> {
        self.integers.get(row).copied()
    }

    /// The time of a row of a key, in nanoseconds since 1970-01-01.
    pub(super) fn nanos(&self, row: usize) -> Option<i128> {
        self.nanos.get(row).copied()
    }

    /// A code for each row and what each code stands for; `None` unless it holds texts.
    pub(super) fn coded(&self) -> Option<Coded<'_>> {
        (self.kind == FrameKind::Texts).then_some((self.codes.as_slice(), self.texts.as_slice()))
    }

    /// How many values there are, with and without one.
    pub fn len(&self) -> usize {
        match self.kind {
            FrameKind::Empty => self.missing,
            FrameKind::Numbers | FrameKind::Times => self.numbers.len(),
            FrameKind::Texts => self.codes.len(),
        }
    }

    /// Whether there is no row at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What is held of a column while it is read.
struct State {
    want: Want,
    column: FrameColumn,
    places: HashMap<Box<[u8]>, u32, foldhash::fast::RandomState>,
    /// Bytes of its texts, and of all of it as far as they were counted among those of all columns.
    text_bytes: u64,
    used: u64,
}

struct Filling<W> {
    want: W,
    /// Bytes of all columns together. What comes when they are too many is not kept.
    used: AtomicU64,
}

impl<W: Fn(&str) -> Want + Sync> Sink for Filling<W> {
    type State = State;

    fn start(&self, path: &str, _: usize) -> State {
        State {
            want: (self.want)(path),
            column: FrameColumn::default(),
            places: HashMap::default(),
            text_bytes: 0,
            used: 0,
        }
    }

    fn observe(&self, state: &mut State, column: &Column<'_>) {
        if state.want == Want::Skip || self.used.load(Ordering::Relaxed) > DRIFT_TABLE_BYTES {
            return;
        }
        state.column.nested |= matches!(column.rows, Rows::Of(..));
        state.lane(&column.lane);
        self.settle(state);
    }

    fn merge(&self, state: &mut State, after: State) {
        if state.want == Want::Skip || self.used.load(Ordering::Relaxed) > DRIFT_TABLE_BYTES {
            return;
        }
        self.used.fetch_sub(after.used, Ordering::Relaxed);
        state.append(after.column);
        self.settle(state);
    }
}

impl<W> Filling<W> {
    /// Counts what a column grew by.
    fn settle(&self, state: &mut State) {
        let column = &state.column;
        let numbers = column.numbers.len() as u64 + column.integers.len() as u64;
        let cells = 8 * numbers + 16 * column.nanos.len() as u64 + 4 * column.codes.len() as u64;
        let now = cells + state.text_bytes;
        self.used.fetch_add(now.saturating_sub(state.used), Ordering::Relaxed);
        state.used = now.max(state.used);
    }
}

/// What a text costs beside its bytes, which are held twice.
const TEXT_COST: u64 = 64;

impl State {
    fn lane(&mut self, lane: &Lane<'_>) {
        match lane {
            Lane::Nulls(count) => (0..*count).for_each(|_| self.missing()),
            Lane::Integers(values, None) => values.iter().for_each(|value| self.integer(*value)),
            Lane::Floats(values, None) => values.iter().for_each(|value| self.float(*value)),
            _ => (0..lane.len()).for_each(|at| self.cell(&lane.cell(at))),
        }
    }

    fn cell(&mut self, cell: &Cell<'_>) {
        match cell.value {
            Value::Null => self.missing(),
            _ if self.want == Want::Texts => self.text(&spelling::by_text(cell.text())),
            _ if self.want == Want::Categories => self.text(&spelling::by_value(cell)),
            Value::Integer(value) => self.integer(value),
            Value::Float(value) if self.want == Want::Key => self.key(value, cell),
            Value::Float(value) => self.float(value),
            Value::List(length) => self.float(f64::from(length)),
            Value::Date | Value::Timestamp if self.want == Want::Key => match nanos(cell) {
                Some(nanos) => self.instant(nanos),
                None => self.text(cell.text().trim_ascii()),
            },
            Value::Date | Value::Timestamp => match seconds(cell) {
                Some(seconds) => self.time(seconds),
                None => self.text(&cell.text()),
            },
            Value::Boolean | Value::Text | Value::Binary => self.text(&spelling::by_value(cell)),
        }
    }

    fn missing(&mut self) {
        self.column.missing += 1;
        match self.column.kind {
            FrameKind::Empty => {}
            FrameKind::Numbers | FrameKind::Times => self.number(f64::NAN, 0),
            FrameKind::Texts => self.column.codes.push(Side::MISSING),
        }
    }

    /// Takes a number, of which `integer` is what a key keeps, or a time that is no key or not there.
    fn number(&mut self, number: f64, integer: i64) {
        self.column.numbers.push(number);
        match self.column.kind {
            FrameKind::Numbers if self.want == Want::Key => self.column.integers.push(integer),
            FrameKind::Times if self.want == Want::Key => self.column.nanos.push(0),
            _ => {}
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers beyond 2^53 are compared as the nearest double")]
    fn integer(&mut self, value: i64) {
        let want = self.want;
        match want {
            Want::Key if self.becomes(FrameKind::Numbers) => self.number(value as f64, value),
            Want::Key | Want::Categories | Want::Texts => self.text(&integer_text(value)),
            Want::Found | Want::Skip => self.float(value as f64),
        }
    }

    fn float(&mut self, value: f64) {
        let want = self.want;
        match want {
            _ if value.is_nan() => self.missing(),
            Want::Key if let Some(integer) = whole_number(value) => self.integer(integer),
            Want::Found | Want::Skip if self.becomes(FrameKind::Numbers) => self.number(value + 0.0, 0),
            _ => self.text(&number_text(value)),
        }
    }

    /// Takes a number that is to be told from all others: as it is written where a double does not hold it.
    fn key(&mut self, value: f64, cell: &Cell<'_>) {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.abs() < EXACT || matches!(cell.source, CellSource::Number) {
            self.float(value);
        } else {
            self.text(cell.text().trim_ascii());
        }
    }

    fn time(&mut self, seconds: f64) {
        if self.becomes(FrameKind::Times) {
            self.number(seconds, 0);
        } else {
            self.text(&time_text(seconds));
        }
    }

    /// Takes a time that is to be told from all others.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the seconds are for people, the nanoseconds are kept beside"
    )]
    fn instant(&mut self, nanos: i128) {
        if self.becomes(FrameKind::Times) {
            self.column.numbers.push(nanos as f64 / 1e9);
            self.column.nanos.push(nanos);
        } else {
            self.text(&instant_text(nanos));
        }
    }

    /// Whether the column holds this kind, now that a value of it came.
    fn becomes(&mut self, kind: FrameKind) -> bool {
        if self.column.kind == FrameKind::Empty {
            self.column.kind = kind;
            self.column.numbers = vec![f64::NAN; self.column.missing];
            match kind {
                FrameKind::Numbers if self.want == Want::Key => {
                    self.column.integers = vec![0; self.column.missing];
                }
                FrameKind::Times if self.want == Want::Key => {
                    self.column.nanos = vec![0; self.column.missing];
                }
                _ => {}
            }
        }
        self.column.kind == kind
    }

    fn text(&mut self, text: &[u8]) {
        self.become_texts();
        let code = self.code(text);
        self.column.codes.push(code);
    }

    /// Turns what came until now into texts.
    fn become_texts(&mut self) {
        let kind = std::mem::replace(&mut self.column.kind, FrameKind::Texts);
        match kind {
            FrameKind::Texts => {}
            FrameKind::Empty => self.column.codes = vec![Side::MISSING; self.column.missing],
            FrameKind::Numbers | FrameKind::Times => {
                let numbers = std::mem::take(&mut self.column.numbers);
                let mut integers = std::mem::take(&mut self.column.integers).into_iter();
                let mut nanos = std::mem::take(&mut self.column.nanos).into_iter();
                for number in numbers {
                    let (integer, nanos) = (integers.next(), nanos.next());
                    let code = match kind {
                        _ if number.is_nan() => Side::MISSING,
                        _ if let Some(integer) = integer => self.code(&integer_text(integer)),
                        _ if let Some(nanos) = nanos => self.code(&instant_text(nanos)),
                        FrameKind::Times => self.code(&time_text(number)),
                        _ => self.code(&number_text(number)),
                    };
                    self.column.codes.push(code);
                }
            }
        }
    }

    fn code(&mut self, text: &[u8]) -> u32 {
        let text = text.get(..TEXT_BYTES).unwrap_or(text);
        if let Some(code) = self.places.get(text) {
            return *code;
        }
        // Keys are told apart as far as memory goes, which is counted elsewhere.
        let most = if self.want == Want::Key { usize::MAX } else { DRIFT_CATEGORIES };
        let code = u32::try_from(self.column.texts.len().min(most)).unwrap_or(Side::MISSING);
        if self.column.texts.len() < most {
            self.text_bytes += 2 * text.len() as u64 + TEXT_COST;
            self.column.texts.push(text.into());
            self.places.insert(text.into(), code);
        }
        code
    }

    /// Takes in what came after.
    fn append(&mut self, after: FrameColumn) {
        self.column.nested |= after.nested;
        match after.kind {
            FrameKind::Empty => (0..after.missing).for_each(|_| self.missing()),
            FrameKind::Numbers | FrameKind::Times => {
                let (mut integers, mut nanos) = (after.integers.into_iter(), after.nanos.into_iter());
                for number in after.numbers {
                    let (integer, nanos) = (integers.next(), nanos.next());
                    match after.kind {
                        _ if number.is_nan() => self.missing(),
                        _ if let Some(integer) = integer => self.integer(integer),
                        _ if let Some(nanos) = nanos => self.instant(nanos),
                        FrameKind::Times => self.time(number),
                        _ => self.float(number),
                    }
                }
            }
            FrameKind::Texts => {
                self.become_texts();
                let known: Vec<u32> = after.texts.iter().map(|text| self.code(text)).collect();
                let beyond = u32::try_from(DRIFT_CATEGORIES).unwrap_or(Side::MISSING);
                for code in after.codes {
                    if code == Side::MISSING {
                        self.missing();
                        continue;
                    }
                    let known = usize::try_from(code).ok().and_then(|code| known.get(code)).copied();
                    self.column.codes.push(known.unwrap_or(beyond));
                }
            }
        }
    }

    fn column(mut self, name: String, rows: usize) -> FrameColumn {
        // A column of JSON may end early.
        if !self.column.nested {
            while self.column.len() < rows {
                self.missing();
            }
        }
        FrameColumn { name, ..self.column }
    }
}

/// Bytes of a text that is told from others by more than its beginning.
const TEXT_BYTES: usize = 1_024;

fn integer_text(integer: i64) -> Vec<u8> {
    let mut out = Vec::new();
    text::integer(&mut out, integer);
    out
}

pub(super) fn number_text(number: f64) -> Vec<u8> {
    let mut out = Vec::new();
    text::float(&mut out, number);
    out
}

fn time_text(seconds: f64) -> Vec<u8> {
    let mut out = Vec::new();
    text::instant(&mut out, whole(seconds), 1, true);
    out
}

pub(super) fn instant_text(nanos: i128) -> Vec<u8> {
    let mut out = Vec::new();
    text::nanos(&mut out, nanos);
    out.push(b'Z');
    out
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of any year that can be written fit")]
const fn whole(seconds: f64) -> i64 {
    seconds as i64
}

/// The time that a cell says, in seconds since 1970-01-01; what names no offset is taken for UTC.
#[expect(clippy::cast_precision_loss, reason = "seconds of any year that can be written are below 2^53")]
fn seconds(cell: &Cell<'_>) -> Option<f64> {
    const DAY: f64 = 86_400.0;
    match (cell.value, cell.source) {
        (_, CellSource::Day(day)) => Some(f64::from(day) * DAY),
        (_, CellSource::Instant { value, per_second, .. }) => Some(value as f64 / per_second as f64),
        (Value::Date, CellSource::Text(text)) => cell::day(text).map(|day| day as f64 * DAY),
        (_, CellSource::Text(text)) => cell::instant(text).map(|(nanos, _)| nanos as f64 / 1e9),
        _ => None,
    }
}

/// The time that a cell says, in nanoseconds since 1970-01-01; what names no offset is taken for UTC. `None` where it says
/// more than that.
fn nanos(cell: &Cell<'_>) -> Option<i128> {
    const DAY: i128 = 86_400 * NANOS;
    match (cell.value, cell.source) {
        (_, CellSource::Day(day)) => Some(i128::from(day) * DAY),
        (_, CellSource::Instant { value, per_second, .. }) => {
            Some(i128::from(value) * (NANOS / i128::from(per_second)))
        }
        (Value::Date, CellSource::Text(text)) => cell::day(text).map(|day| i128::from(day) * DAY),
        (_, CellSource::Text(text)) => {
            let beyond = text.iter().skip_while(|byte| **byte != b'.').skip(10);
            let cut = beyond.take_while(|byte| byte.is_ascii_digit()).any(|digit| *digit != b'0');
            cell::instant(text).filter(|_| !cut).map(|(nanos, _)| nanos)
        }
        _ => None,
    }
}

/// Nanoseconds of a second.
pub(super) const NANOS: i128 = 1_000_000_000;

/// A name as text for people and for comparisons.
pub(super) fn lossy(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text)
}
