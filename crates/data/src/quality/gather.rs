//! A table in any format to columns in memory: numbers where every cell is one, texts by their place in a list elsewhere.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::table::{Cells, Codes, Feature, MISSING, Tag};
use crate::cell::{self, Value};
use crate::limits::{QUALITY_CELLS, QUALITY_ROWS, QUALITY_TEXT_BYTES};
use crate::read::batch::{Cell, CellSource, Column, Lane, Rows};
use crate::read::{ReadError, ReadOptions, ReadOutcome, Sink, Source, read};
use crate::text;

/// A column in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// Its name.
    pub name: String,
    /// Its cells as numbers, NaN where one is missing; absent when a cell is no number.
    pub numbers: Option<Vec<f64>>,
    /// For each cell the place of its text among `values`, or [`MISSING`].
    pub codes: Vec<u32>,
    /// The different texts, in the order in which they came first. Equal values have one spelling, whatever the format.
    pub values: Vec<String>,
}

/// A table was not taken into memory.
#[derive(Debug, thiserror::Error)]
pub enum NotGathered {
    /// It could not be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Too many rows, or too many cells.
    #[error("more than {QUALITY_ROWS} rows or {QUALITY_CELLS} cells")]
    Cells,
    /// The different texts are too long together.
    #[error("the different texts are longer than {QUALITY_TEXT_BYTES} bytes together")]
    Texts,
}

/// Reads a table, in whatever format, into columns of one cell for each row, in the order of the table. A list is a
/// column of lengths; its elements, which are not one for each row, are left out. What is read is the same whatever the
/// number of threads.
///
/// # Errors
/// When the table cannot be read to its end, or is more than fits.
pub fn gather(
    source: Source<'_>,
    options: &ReadOptions,
    threads: usize,
) -> Result<(Vec<Gathered>, ReadOutcome), NotGathered> {
    let gathering = Gathering::default();
    let table = read(source, options, threads, &gathering)?;
    let rows = usize::try_from(table.outcome.rows()).unwrap_or(usize::MAX);
    let columns: Vec<(String, Filling)> =
        table.columns.into_iter().filter(|(_, column)| !column.elements).collect();
    // What is held in the end decides; what was held on the way depends on which thread came first.
    let cells = gathering.cells.into_inner();
    if rows > QUALITY_ROWS || cells.max(rows.saturating_mul(columns.len())) > QUALITY_CELLS {
        return Err(NotGathered::Cells);
    }
    let text_bytes = columns.iter().map(|(_, column)| column.text_bytes).fold(0, usize::saturating_add);
    // Texts that were held twice may be gone by now, but what found no room beside them is missing.
    if text_bytes > QUALITY_TEXT_BYTES || gathering.left_out.into_inner() {
        return Err(NotGathered::Texts);
    }
    Ok((columns.into_iter().map(|(name, column)| column.finish(name, rows)).collect(), table.outcome))
}

/// Bytes of texts that are held before parts of a table are joined, where they have the same texts; beyond it nothing
/// more is kept.
const ON_THE_WAY: usize = 2 * QUALITY_TEXT_BYTES;

#[derive(Default)]
struct Gathering {
    cells: AtomicUsize,
    text_bytes: AtomicUsize,
    /// Whether anything that should have been kept was not.
    left_out: AtomicBool,
}

/// A column that is being filled.
#[derive(Debug, Default)]
struct Filling {
    /// Numbers as long as no cell is anything else.
    numbers: Vec<f64>,
    codes: Vec<u32>,
    values: Vec<String>,
    places: HashMap<Box<[u8]>, u32, foldhash::fast::RandomState>,
    texts: bool,
    text_bytes: usize,
    /// Whether these are elements of lists, of which nothing is kept.
    elements: bool,
}

impl Gathering {
    /// Whether there is room for more; where there is none, what comes is left out.
    fn has_room(&self) -> bool {
        let full = self.cells.load(Ordering::Relaxed) > QUALITY_CELLS
            || self.text_bytes.load(Ordering::Relaxed) > ON_THE_WAY;
        if full {
            self.left_out.store(true, Ordering::Relaxed);
        }
        !full
    }

    /// Counts what a column grew by while `work` was done.
    fn counted(&self, column: &mut Filling, work: impl FnOnce(&mut Filling)) {
        let (cells, text_bytes) = (column.codes.len(), column.text_bytes);
        work(column);
        self.cells.fetch_add(column.codes.len().saturating_sub(cells), Ordering::Relaxed);
        self.text_bytes.fetch_add(column.text_bytes.saturating_sub(text_bytes), Ordering::Relaxed);
    }
}

impl Sink for Gathering {
    type State = Filling;

    fn start(&self, _: &str, _: usize) -> Filling {
        Filling::default()
    }

    fn observe(&self, state: &mut Filling, column: &Column<'_>) {
        state.elements |= matches!(column.rows, Rows::Of(..));
        if !state.elements && self.has_room() {
            self.counted(state, |state| state.lane(&column.lane));
        }
    }

    fn merge(&self, state: &mut Filling, after: Filling) {
        state.elements |= after.elements;
        if !state.elements && self.has_room() {
            self.cells.fetch_sub(after.codes.len(), Ordering::Relaxed);
            self.text_bytes.fetch_sub(after.text_bytes, Ordering::Relaxed);
            self.counted(state, |state| state.append(after));
        }
    }
}

impl Filling {
    fn lane(&mut self, lane: &Lane<'_>) {
        match lane {
            Lane::Nulls(count) => (0..*count).for_each(|_| self.missing()),
            Lane::Dictionary { keys, nulls, values } => {
                // Each text is looked for once, at the first cell that has it.
                let mut known: Vec<Option<(Option<f64>, u32)>> = vec![None; values.len()];
                for (at, key) in keys.iter().enumerate() {
                    let place = usize::try_from(*key).unwrap_or(usize::MAX);
                    let there = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at));
                    match known.get_mut(place).filter(|_| there) {
                        None => self.missing(),
                        Some(Some((number, code))) => self.push(*number, *code),
                        Some(unknown) => *unknown = self.cell(&values.cell(place)),
                    }
                }
            }
            _ => (0..lane.len()).for_each(|at| _ = self.cell(&lane.cell(at))),
        }
    }

    /// Takes a cell, and says what became of it unless nothing is there.
    fn cell(&mut self, cell: &Cell<'_>) -> Option<(Option<f64>, u32)> {
        let number = match cell.value {
            Value::Null => {
                self.missing();
                return None;
            }
            Value::Integer(integer) => Some(integer as f64),
            Value::Float(float) => Some(float),
            Value::List(length) => Some(f64::from(length)),
            Value::Boolean | Value::Date | Value::Timestamp | Value::Text | Value::Binary => None,
        };
        let code = self.code(&spelled(cell));
        self.push(number, code);
        Some((number, code))
    }

    fn missing(&mut self) {
        self.codes.push(MISSING);
        if !self.texts {
            self.numbers.push(f64::NAN);
        }
    }

    fn push(&mut self, number: Option<f64>, code: u32) {
        match number {
            Some(number) if !self.texts => self.numbers.push(number),
            Some(_) => {}
            None => {
                self.texts = true;
                self.numbers = Vec::new();
            }
        }
        self.codes.push(code);
    }

    /// The place of a text, which is kept when it is new.
    fn code(&mut self, text: &[u8]) -> u32 {
        if let Some(code) = self.places.get(text) {
            return *code;
        }
        let code = u32::try_from(self.values.len()).unwrap_or(MISSING);
        self.places.insert(text.into(), code);
        self.values.push(String::from_utf8_lossy(text).into_owned());
        self.text_bytes = self.text_bytes.saturating_add(text.len().saturating_mul(2).saturating_add(64));
        code
    }

    /// Takes in what came after.
    fn append(&mut self, after: Self) {
        let mut texts: Vec<(Box<[u8]>, u32)> = after.places.into_iter().collect();
        texts.sort_unstable_by_key(|(_, code)| *code);
        let codes: Vec<u32> = texts.iter().map(|(text, _)| self.code(text)).collect();
        let code = |old: &u32| usize::try_from(*old).ok().and_then(|old| codes.get(old)).copied();
        self.codes.extend(after.codes.iter().map(|old| code(old).unwrap_or(MISSING)));
        self.texts |= after.texts;
        if self.texts {
            self.numbers = Vec::new();
        } else {
            self.numbers.extend(after.numbers);
        }
    }

    fn finish(mut self, name: String, rows: usize) -> Gathered {
        // A column of JSON may end early.
        while self.codes.len() < rows {
            self.missing();
        }
        let numbers = (!self.texts).then_some(self.numbers);
        Gathered { name, numbers, codes: self.codes, values: self.values }
    }
}

/// Significant digits that a double keeps of any decimal number (`DBL_DIG` of C).
const EXACT_DIGITS: usize = 15;

/// The spelling that a value has in all formats. A number of so many digits that a double does not tell it from others
/// keeps its own.
fn spelled<'a>(cell: &Cell<'a>) -> Cow<'a, [u8]> {
    let mut out = Vec::new();
    match (cell.value, cell.source) {
        (Value::Integer(integer), _) => text::integer(&mut out, integer),
        (Value::Float(float), CellSource::Text(_) | CellSource::Decimal(..)) => {
            let own = cell.text();
            let digits = own.iter().filter(|byte| byte.is_ascii_digit()).count();
            if digits > EXACT_DIGITS || is_shortest(&own, float) {
                return own;
            }
            text::float(&mut out, float);
        }
        (Value::Boolean, CellSource::Text(_)) => {
            out.extend_from_slice(if cell.truth() == Some(true) { b"true" } else { b"false" });
        }
        (Value::Date, CellSource::Text(text)) => return Cow::Borrowed(text.trim_ascii()),
        (Value::Timestamp, CellSource::Text(text)) => match cell::instant(text) {
            Some((nanos, zoned)) => {
                text::nanos(&mut out, nanos);
                out.extend(zoned.then_some(b'Z'));
            }
            None => return Cow::Borrowed(text),
        },
        _ => return cell.text(),
    }
    Cow::Owned(out)
}

/// Whether a number of so few digits is written as [`text::float`] would: it begins with a digit, has no exponent, and a
/// fraction that does not end with nought. Most are, and this is far cheaper to see than to write.
fn is_shortest(text: &[u8], value: f64) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let plain = unsigned.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let ends = matches!(unsigned.last(), Some(b'1'..=b'9')) && unsigned.contains(&b'.');
    plain && ends && unsigned.first().is_some_and(u8::is_ascii_digit) && value.abs() >= 1e-5
}

impl Gathered {
    /// The column as a feature.
    pub fn feature(&self) -> Feature<'_> {
        let cells = match &self.numbers {
            Some(numbers) => Cells::Numbers(numbers),
            None => Cells::Codes(self.categories()),
        };
        Feature { name: &self.name, cells }
    }

    /// The column as texts, also when all of them are numbers.
    pub fn categories(&self) -> Codes<'_> {
        Codes { codes: &self.codes, values: &self.values }
    }

    /// The column as a label, a source or a writer.
    pub fn tag(&self) -> Tag<'_> {
        Tag { name: &self.name, codes: self.categories() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limits are gibibytes, so that they are reached here by name.
    #[test]
    fn what_found_no_room_is_known_when_there_is_room_again() {
        let column = || Column { rows: Rows::From(1), lane: Lane::Nulls(3) };
        let elements = || Column { rows: Rows::Of(1, std::sync::Arc::default()), lane: Lane::Nulls(3) };
        let full = || Gathering { text_bytes: AtomicUsize::new(ON_THE_WAY + 1), ..Gathering::default() };
        let after = |gathering: Gathering, work: &dyn Fn(&Gathering, &mut Filling)| {
            let mut state = Filling::default();
            work(&gathering, &mut state);
            gathering.text_bytes.store(0, Ordering::Relaxed);
            (state.codes.len(), gathering.left_out.into_inner())
        };
        assert_eq!(after(Gathering::default(), &|all, state| all.observe(state, &column())), (3, false));
        assert_eq!(after(full(), &|all, state| all.observe(state, &column())), (0, true));
        assert_eq!(after(full(), &|all, state| all.merge(state, Filling::default())), (0, true));
        // Elements are never kept, so that nothing of them is missing.
        assert_eq!(after(full(), &|all, state| all.observe(state, &elements())), (0, false));
    }
}
