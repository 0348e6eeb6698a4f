//! Text to records: one pass, a bounded buffer, every row as long as the header.

use std::collections::HashMap;
use std::io::Read;

use csv_core::ReadRecordResult;

use super::source::{Fault, Source};
use super::{CsvFormat, CsvOptions, Encoding, Place, ReadError, ReadOutcome, Separator, sniff};
use crate::cell;
use crate::limits::{CELL_BYTES, COLUMN_NAME_BYTES, COLUMNS, RECORD_BYTES, ROWS};
use crate::read::{Format, read_error};

/// One row of a table.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    number: u64,
    text: &'a [u8],
    /// Where each cell ends in `text`.
    ends: &'a [usize],
}

impl<'a> Row<'a> {
    /// The row's number, from 1; the header is not counted, and neither are empty lines.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The cells in the order of the header, each UTF-8.
    pub fn cells(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (text, mut start) = (self.text, 0);
        self.ends.iter().map(move |end| {
            let cell = text.get(start..*end).unwrap_or_default();
            start = *end;
            cell
        })
    }
}

/// A CSV file whose header was read.
///
/// Quoting is that of RFC 4180 and of Python's `csv`: a cell that starts with `"` ends at the next single `"`,
/// `""` within stands for one, line ends within belong to the cell. Lines end with LF, CR LF or CR; empty lines
/// are skipped.
pub struct CsvReader<R> {
    records: Records<R>,
    header: Vec<String>,
    format: CsvFormat,
}

impl<R: Read> CsvReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When the file is empty or not text, or its first line cannot be a header.
    pub fn open(input: R, options: &CsvOptions) -> Result<Self, ReadError> {
        Self::start(Source::open(input, options.encoding, true), options)
    }

    /// The same, of what is counted and hashed elsewhere.
    pub(crate) fn open_content(input: R, options: &CsvOptions) -> Result<Self, ReadError> {
        Self::start(Source::open(input, options.encoding, false), options)
    }

    fn start(source: Result<Source<R>, Fault>, options: &CsvOptions) -> Result<Self, ReadError> {
        let mut source =
            source.map_err(|fault| at_place(fault, Encoding::Utf8, Place { row: 0, column: 1 }))?;
        let (head, likely) = read_head(&mut source);
        let separator = options.separator.or(likely).unwrap_or(Separator::COMMA);
        let format = CsvFormat { separator, encoding: source.encoding() };
        let mut records = Records::new(source, head, separator);
        if !records.next()? {
            return Err(ReadError::Empty);
        }
        let cells: Vec<&[u8]> = records.row().cells().collect();
        if let (1, Some(given), Some(likely)) = (cells.len(), options.separator, likely)
            && given != likely
        {
            return Err(ReadError::WrongSeparator { given, likely });
        }
        let header = header_names(&cells, options.numbers_name)?;
        records.end_header();
        Ok(Self { records, header, format })
    }

    /// The columns' names.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// How the file is written.
    pub fn format(&self) -> CsvFormat {
        self.format
    }

    /// Where the reader is: the rest of the file, what was read of it already, and what the header says.
    pub(super) fn into_parts(self) -> (Source<R>, Vec<u8>, Vec<String>, CsvFormat) {
        let Records { source, head, input, parsed, .. } = self.records;
        let read = match input {
            Input::Head => head.get(parsed..).unwrap_or_default().to_vec(),
            Input::Source => source.text().get(parsed..).unwrap_or_default().to_vec(),
            Input::LastLineEnd | Input::Done => Vec::new(),
        };
        (source, read, self.header, self.format)
    }

    /// Shows every row to `each` and reads to the end of the file.
    ///
    /// # Errors
    /// At the first thing that is wrong. What `each` saw until then is part of a file and proves nothing.
    pub fn for_each_row(mut self, mut each: impl FnMut(Row<'_>)) -> Result<ReadOutcome, ReadError> {
        let expected = self.header.len();
        while self.records.next()? {
            let row = self.records.row();
            if row.ends.len() != expected {
                return Err(ReadError::Ragged { row: row.number, expected, got: row.ends.len() });
            }
            each(row);
        }
        let rows = self.records.rows;
        if rows == 0 {
            return Err(ReadError::NoRows);
        }
        let (bytes, digest) = self.records.source.finish();
        Ok(ReadOutcome::new(bytes, digest, rows, Format::Csv, self.format))
    }
}

/// Reads until the header line is complete, and says what seems to separate it. A fault within that line is put
/// back: the parser will meet it and know its column.
fn read_head<R: Read>(source: &mut Source<R>) -> (Vec<u8>, Option<Separator>) {
    let mut head = Vec::new();
    loop {
        let more = match source.advance() {
            Ok(more) => more,
            Err(fault) => {
                source.put_back(fault);
                false
            }
        };
        if more {
            head.extend_from_slice(source.text());
        }
        let line = sniff::header_line(&head);
        if line.complete || !more || head.len() > RECORD_BYTES {
            return (head, line.separator);
        }
    }
}

fn header_names(cells: &[&[u8]], numbers_name: bool) -> Result<Vec<String>, ReadError> {
    if !numbers_name && cells.iter().all(|cell| cell::is_number(cell)) {
        return Err(ReadError::NoHeader);
    }
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    let mut places = HashMap::with_capacity(cells.len());
    for (column, cell) in (1..).zip(cells) {
        let name = String::from_utf8_lossy(cell).into_owned();
        if name.trim().is_empty() {
            return Err(ReadError::UnnamedColumn { column });
        }
        if name.len() > COLUMN_NAME_BYTES || name.chars().any(char::is_control) {
            return Err(ReadError::ColumnName { column });
        }
        if let Some(first) = places.insert(name.clone(), column) {
            return Err(ReadError::DuplicateColumn { name, first, second: column });
        }
        names.push(name);
    }
    Ok(names)
}

fn at_place(fault: Fault, encoding: Encoding, place: Place) -> ReadError {
    match fault {
        Fault::Io(error) => read_error(error),
        Fault::Binary(recognised) => ReadError::Binary { recognised },
        Fault::ZeroByte => ReadError::ZeroByte { place },
        Fault::BadText(offset) => ReadError::BadText { encoding, place, offset },
    }
}

/// The parser and its buffers.
pub(super) struct Records<R> {
    source: Source<R>,
    parser: csv_core::Reader,
    /// The start of the file, which was read before the separator was known.
    head: Vec<u8>,
    input: Input,
    /// Bytes of the current input that were parsed.
    parsed: usize,
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    in_header: bool,
    /// Rows read so far.
    rows: u64,
}

/// Where the parser's next bytes are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Head,
    Source,
    /// One line end after the last byte. A record in progress ends with it, except within quotes: there it is
    /// one more character of the cell, which tells a file that was cut off.
    LastLineEnd,
    Done,
}

impl<R: Read> Records<R> {
    fn new(source: Source<R>, head: Vec<u8>, separator: Separator) -> Self {
        let parser = csv_core::ReaderBuilder::new().delimiter(separator.byte()).build();
        Self {
            source,
            parser,
            head,
            input: Input::Head,
            parsed: 0,
            text: vec![0; 4096],
            text_len: 0,
            ends: vec![0; 64],
            ends_len: 0,
            in_header: true,
            rows: 0,
        }
    }

    /// Reads on in `text`, which follows so many rows, and then in the source.
    pub(super) fn resume(source: Source<R>, text: Vec<u8>, separator: Separator, rows: u64) -> Self {
        Self { in_header: false, rows, ..Self::new(source, text, separator) }
    }

    fn end_header(&mut self) {
        self.in_header = false;
    }

    fn number(&self) -> u64 {
        if self.in_header { 0 } else { self.rows }
    }

    /// The record that `next` read.
    pub(super) fn row(&self) -> Row<'_> {
        let text = self.text.get(..self.text_len).unwrap_or_default();
        let ends = self.ends.get(..self.ends_len).unwrap_or_default();
        Row { number: self.number(), text, ends }
    }

    /// Reads one record; `false` at the end of the file.
    pub(super) fn next(&mut self) -> Result<bool, ReadError> {
        (self.text_len, self.ends_len) = (0, 0);
        loop {
            let input = match self.input {
                Input::Head => self.head.as_slice(),
                Input::Source => self.source.text(),
                Input::LastLineEnd => b"\n",
                Input::Done => return Ok(false),
            };
            let input = input.get(self.parsed..).unwrap_or_default();
            if input.is_empty() {
                self.refill()?;
                continue;
            }
            let text = self.text.get_mut(self.text_len..).unwrap_or_default();
            let ends = self.ends.get_mut(self.ends_len..).unwrap_or_default();
            let (result, read, written, ended) = self.parser.read_record(input, text, ends);
            self.parsed += read;
            self.text_len += written;
            self.ends_len += ended;
            match result {
                ReadRecordResult::Record => return self.end_record(),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.grow_text()?,
                ReadRecordResult::OutputEndsFull => self.grow_ends()?,
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    fn end_record(&mut self) -> Result<bool, ReadError> {
        if self.text_len > CELL_BYTES {
            let mut lengths = (1..).zip(self.row().cells().map(<[u8]>::len));
            if let Some((column, bytes)) = lengths.find(|(_, bytes)| *bytes > CELL_BYTES) {
                let place = Place { column, ..self.place() };
                return Err(ReadError::CellTooLong { place, bytes });
            }
        }
        if !self.in_header {
            if self.rows == ROWS {
                return Err(ReadError::TooManyRows);
            }
            self.rows += 1;
        }
        Ok(true)
    }

    /// The cell being read.
    fn place(&self) -> Place {
        let row = if self.in_header { 0 } else { self.rows + 1 };
        Place { row, column: self.ends_len + 1 }
    }

    fn refill(&mut self) -> Result<(), ReadError> {
        self.parsed = 0;
        match self.input {
            Input::Head | Input::Source => {
                self.head = Vec::new();
                let encoding = self.source.encoding();
                let more = self.source.advance().map_err(|fault| at_place(fault, encoding, self.place()))?;
                self.input = if more { Input::Source } else { Input::LastLineEnd };
            }
            Input::LastLineEnd | Input::Done => {
                if self.text_len > 0 || self.ends_len > 0 {
                    return Err(ReadError::UnclosedQuote { place: self.place() });
                }
                self.input = Input::Done;
            }
        }
        Ok(())
    }

    fn grow_text(&mut self) -> Result<(), ReadError> {
        if self.text.len() >= RECORD_BYTES {
            return Err(ReadError::RecordTooLong { place: self.place() });
        }
        self.text.resize((self.text.len() * 2).min(RECORD_BYTES), 0);
        Ok(())
    }

    fn grow_ends(&mut self) -> Result<(), ReadError> {
        // The parser asks for another end before it goes on to another cell.
        if self.ends.len() >= COLUMNS {
            return Err(ReadError::TooManyColumns { row: self.place().row });
        }
        self.ends.resize((self.ends.len() * 2).min(COLUMNS), 0);
        Ok(())
    }
}
