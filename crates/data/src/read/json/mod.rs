//! JSON lines: one object a line, taken apart into columns by path.
//!
//! The keys `{"address": {"city": "x"}, "tags": ["a", "b"]}` make the columns `address.city`, `tags` (how many elements)
//! and `tags[]` (the elements). A key that a line lacks is null there, and so is one that is `null`. Numbers, truth
//! values and text keep their kinds; text that reads as a day or an instant is one, because JSON has no other way to
//! write them.

mod columns;
mod parse;

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use self::columns::{Lines, Path};
use super::batch::{Cells, Column, Lane, Rows};
use super::{Columns, Parse, Pieces, ReadError, read_error};
use crate::limits::{JSON_COLUMNS, RECORD_BYTES, ROWS};

/// Bytes of a piece, when its lines allow.
const PIECE_BYTES: usize = 256 * 1024;

/// Whole lines of a file.
pub(super) struct JsonPieces<R> {
    input: R,
    rest: Vec<u8>,
    ended: bool,
}

impl<R: Read> JsonPieces<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, rest: Vec::new(), ended: false }
    }

    pub(super) fn into_input(self) -> R {
        self.input
    }
}

impl<R: Read> Pieces for JsonPieces<R> {
    type Raw = Vec<u8>;

    fn next(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        let (mut known, mut line_end) = (0, None);
        loop {
            // What was looked at before holds no later line end.
            let fresh = self.rest.get(known..).unwrap_or_default();
            line_end = memchr::memrchr(b'\n', fresh).map(|at| known + at + 1).or(line_end);
            known = self.rest.len();
            if let Some(end) = line_end
                && known >= PIECE_BYTES
            {
                let mut piece = self.rest.split_off(end);
                std::mem::swap(&mut piece, &mut self.rest);
                return Ok(Some(piece));
            }
            // A line that is longer than lines may be is parsed as far as it came, which says where it is.
            let too_long = line_end.is_none() && known > RECORD_BYTES + PIECE_BYTES;
            let read = if too_long {
                0
            } else {
                let more = self.input.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut self.rest);
                more.map_err(read_error)?
            };
            if read == 0 {
                self.ended = true;
                return Ok(Some(std::mem::take(&mut self.rest)));
            }
        }
    }
}

/// How the lines of one file become columns: what is known of them so far.
pub(super) struct JsonLines {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    places: HashMap<Path, usize>,
    columns: Vec<KnownColumn>,
    /// How many elements each list had so far; rows have the empty path.
    spaces: HashMap<Path, u64>,
}

struct KnownColumn {
    path: Path,
    keys: Option<Path>,
    space: Path,
    /// Whether any value but null was seen.
    filled: bool,
}

/// A piece in columns, and where each column of the file is among them.
pub(super) struct Parsed {
    lines: Result<Lines, (u64, u64, &'static str)>,
    first_row: u64,
    /// For each column of the file: its place here, what came before the first piece that has it, and how many places
    /// to leave empty where this piece does not have it.
    shown: Vec<Shown>,
}

#[derive(Clone, Copy)]
enum Shown {
    Here { column: usize, before: u64 },
    Absent(u64),
}

impl JsonLines {
    pub(super) fn new() -> Self {
        Self { known: Mutex::new(Known::default()) }
    }

    /// Which columns never held a value and only stand where others are within: `a` when there is `a.b`.
    pub(super) fn hollow(&self) -> Vec<bool> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let within: std::collections::HashSet<&[u8]> =
            known.columns.iter().flat_map(|column| parents(column.path.as_bytes())).collect();
        known.columns.iter().map(|column| !column.filled && within.contains(column.path.as_bytes())).collect()
    }
}

/// The paths around a path.
fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter()
        .enumerate()
        .filter(|(_, byte)| matches!(byte, b'.' | b'['))
        .filter_map(|(at, _)| path.get(..at))
}

impl<R: Read> Parse<JsonPieces<R>> for JsonLines {
    type Parsed = Parsed;

    fn parse(&self, raw: Vec<u8>) -> Parsed {
        Parsed { lines: Lines::parse(raw), first_row: 0, shown: Vec::new() }
    }

    fn place(&self, parsed: &mut Parsed, rows: u64, columns: &mut Columns) -> Result<u64, ReadError> {
        let lines = match &mut parsed.lines {
            Ok(lines) => lines,
            Err((line, character, what)) => {
                return Err(ReadError::Json { row: rows + *line, character: *character, what });
            }
        };
        parsed.first_row = rows + 1;
        let more = lines.rows() as u64;
        if rows + more > ROWS {
            return Err(ReadError::TooManyRows);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = &mut *known;
        parsed.shown.resize(known.columns.len(), Shown::Absent(0));
        for (at, column) in lines.columns().iter().enumerate() {
            let (place, before) = match known.places.get(&column.path) {
                Some(place) => (*place, 0),
                None => {
                    let place = known.columns.len();
                    if place >= JSON_COLUMNS {
                        return Err(ReadError::TooManyColumns { row: rows + 1 });
                    }
                    known.places.insert(column.path.clone(), place);
                    let space = lines.space_path(column.space);
                    let before = known.spaces.get(&space).copied().unwrap_or(0);
                    let (path, keys) = (column.path.clone(), column.keys.clone());
                    known.columns.push(KnownColumn { path, keys, space, filled: false });
                    columns.push(column.path.to_string());
                    parsed.shown.push(Shown::Absent(0));
                    (place, before)
                }
            };
            if let Some(known) = known.columns.get_mut(place) {
                if known.keys != column.keys {
                    return Err(ReadError::AmbiguousPath { path: column.path.to_string() });
                }
                known.filled |= column.filled();
            }
            if let Some(shown) = parsed.shown.get_mut(place) {
                *shown = Shown::Here { column: at, before };
            }
        }
        let lengths = lines.space_lengths();
        for (shown, column) in parsed.shown.iter_mut().zip(&known.columns) {
            if let Shown::Absent(count) = shown {
                *count = lengths.get(&column.space).copied().unwrap_or(0);
            }
        }
        for (space, length) in lengths {
            *known.spaces.entry(space).or_default() += length;
        }
        Ok(more)
    }

    fn show(&self, parsed: &Parsed, column: usize, show: &mut dyn FnMut(&Column<'_>)) {
        let Ok(lines) = &parsed.lines else { return };
        let mut nothing = |count: u64| {
            if let Ok(count @ 1..) = usize::try_from(count) {
                show(&Column { rows: Rows::From(1), lane: Lane::Nulls(count) });
            }
        };
        match parsed.shown.get(column).copied() {
            None => {}
            Some(Shown::Absent(count)) => nothing(count),
            Some(Shown::Here { column, before }) => {
                nothing(before);
                let Some(column) = lines.columns().get(column) else { return };
                let cells = Cells { text: lines.text(), spans: &column.spans, values: &column.values };
                let rows = lines.rows_of(column.space, parsed.first_row);
                show(&Column { rows, lane: Lane::Cells(cells) });
            }
        }
    }
}
