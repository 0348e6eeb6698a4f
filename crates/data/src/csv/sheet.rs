//! Pieces of text to columns of cells, each cell with what it says.

use super::pieces::{After, CsvPieces, Piece};
use super::reader::Records;
use super::source::Source;
use super::{CsvFormat, NullTokens, ReadError};
use crate::cell::{Value, classify};
use crate::limits::{CELL_BYTES, RECORD_BYTES, ROWS};
use crate::read::batch::{Cells, Column, Lane, Rows};
use crate::read::{Columns, Parse};

/// How to parse the pieces of one file.
pub(crate) struct Sheets<'a> {
    pub(crate) width: usize,
    pub(crate) format: CsvFormat,
    pub(crate) null: &'a NullTokens,
}

/// A piece in columns.
pub(crate) struct Sheet {
    /// The text of the piece, and after it cells whose doubled quotes were made one.
    text: Vec<u8>,
    /// Bytes of the piece itself.
    raw: usize,
    columns: Vec<SheetColumn>,
    rows: usize,
    first_row: u64,
    after: After,
    /// Whether the piece has to be read again, slowly, to say what is wrong where.
    irregular: bool,
}

#[derive(Default)]
struct SheetColumn {
    spans: Vec<(u32, u32)>,
    values: Vec<Value>,
}

impl<R: std::io::Read> Parse<CsvPieces<R>> for Sheets<'_> {
    type Parsed = Sheet;

    fn parse(&self, raw: Piece) -> Sheet {
        let mut sheet = Sheet::new(raw, self.width);
        if !matches!(sheet.after, After::Fault(_) | After::TooLong) {
            sheet.irregular = sheet.fill(self.format.separator.byte(), self.width).is_none();
        }
        if !sheet.irregular {
            sheet.classify(self.null);
        }
        sheet
    }

    fn place(&self, sheet: &mut Sheet, rows: u64, _: &mut Columns) -> Result<u64, ReadError> {
        sheet.first_row = rows + 1;
        if sheet.irregular {
            sheet.refill(self, rows)?;
            sheet.classify(self.null);
        }
        let more = sheet.rows as u64;
        if rows + more > ROWS { Err(ReadError::TooManyRows) } else { Ok(more) }
    }

    fn show(&self, sheet: &Sheet, column: usize, show: &mut dyn FnMut(&Column<'_>)) {
        let Some(cells) = sheet.columns.get(column) else { return };
        let cells = Cells { text: &sheet.text, spans: &cells.spans, values: &cells.values };
        show(&Column { rows: Rows::From(sheet.first_row), lane: Lane::Cells(cells) });
    }
}

impl Sheet {
    fn new(piece: Piece, width: usize) -> Self {
        let raw = piece.text.len();
        let columns = std::iter::repeat_with(SheetColumn::default).take(width).collect();
        Self { text: piece.text, raw, columns, rows: 0, first_row: 0, after: piece.after, irregular: true }
    }

    /// Notes where each cell is; `None` at the first thing that is not as in most files.
    fn fill(&mut self, separator: u8, width: usize) -> Option<()> {
        let mut at = 0;
        let mut unquoted = Vec::new();
        while at < self.raw {
            if matches!(self.text.get(at), Some(b'\n' | b'\r')) {
                at += 1;
                continue;
            }
            let (mut column, mut bytes) = (0, 0);
            loop {
                let ((start, end), next) = if self.text.get(at) == Some(&b'"') {
                    let closed = matches!(self.after, After::Record);
                    quoted_cell(&self.text, self.raw, at, separator, closed, &mut unquoted)?
                } else {
                    let end = plain_end(self.text.get(at..self.raw)?, separator) + at;
                    ((at, end), end)
                };
                bytes += end - start;
                if end - start > CELL_BYTES || bytes > RECORD_BYTES {
                    return None;
                }
                let span = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
                self.columns.get_mut(column)?.spans.push(span);
                column += 1;
                at = next + 1;
                match self.text.get(next) {
                    Some(byte) if next < self.raw && *byte == separator => {}
                    _ => break,
                }
            }
            if column != width {
                return None;
            }
            self.rows += 1;
        }
        self.text.append(&mut unquoted);
        Some(())
    }

    /// Reads the piece again as a file is read from its beginning to its end, which says what is wrong and where.
    fn refill(&mut self, sheets: &Sheets<'_>, rows: u64) -> Result<(), ReadError> {
        self.text.truncate(self.raw);
        let text = std::mem::take(&mut self.text);
        let fault = match std::mem::replace(&mut self.after, After::Record) {
            After::Fault(fault) => Some(fault),
            After::Record | After::End | After::TooLong => None,
        };
        let source = Source::ended(sheets.format.encoding, fault);
        let mut records = Records::resume(source, text, sheets.format.separator, rows);
        self.columns.iter_mut().for_each(|column| column.spans.clear());
        self.rows = 0;
        while records.next()? {
            let row = records.row();
            let got = row.cells().count();
            if got != sheets.width {
                return Err(ReadError::Ragged { row: row.number(), expected: sheets.width, got });
            }
            for (column, cell) in self.columns.iter_mut().zip(row.cells()) {
                let start = self.text.len();
                self.text.extend_from_slice(cell);
                let span = (u32::try_from(start), u32::try_from(self.text.len()));
                column.spans.push((span.0.unwrap_or(u32::MAX), span.1.unwrap_or(u32::MAX)));
            }
            self.rows += 1;
        }
        Ok(())
    }

    fn classify(&mut self, null: &NullTokens) {
        for column in &mut self.columns {
            column.values.clear();
            column.values.extend(column.spans.iter().map(|(start, end)| {
                classify(self.text.get(*start as usize..*end as usize).unwrap_or_default(), null)
            }));
        }
    }
}

/// Where a cell without quotes ends in `text`, which begins with it.
#[inline]
fn plain_end(text: &[u8], separator: u8) -> usize {
    text.iter().position(|byte| *byte == separator || *byte == b'\n' || *byte == b'\r').unwrap_or(text.len())
}

type Quoted = ((usize, usize), usize);

/// The cell whose opening quote is at `at`, and where it ends. What is not one run of bytes of the text is put
/// together behind it.
fn quoted_cell(
    text: &[u8],
    raw: usize,
    at: usize,
    separator: u8,
    closed: bool,
    unquoted: &mut Vec<u8>,
) -> Option<Quoted> {
    let within = text.get(..raw)?;
    let begin = at + 1;
    let close = begin + memchr::memchr(b'"', within.get(begin..)?)?;
    let ends = |next: usize| match within.get(next) {
        None => !closed,
        Some(byte) => *byte == separator || matches!(byte, b'\n' | b'\r'),
    };
    if ends(close + 1) {
        return Some(((begin, close), close + 1));
    }
    let start = raw + unquoted.len();
    let mut from = begin;
    let mut quote = close;
    loop {
        unquoted.extend_from_slice(within.get(from..quote)?);
        from = quote + 1;
        if within.get(from) == Some(&b'"') {
            unquoted.push(b'"');
            from += 1;
            quote = from + memchr::memchr(b'"', within.get(from..)?)?;
        } else {
            // After its closing quote a cell goes on as if it had none.
            let end = from + plain_end(within.get(from..)?, separator);
            unquoted.extend_from_slice(within.get(from..end)?);
            return Some(((start, raw + unquoted.len()), end));
        }
    }
}
