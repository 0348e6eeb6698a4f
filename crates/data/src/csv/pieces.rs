//! Text in pieces that end where a record ends, for several threads to parse.
//!
//! A quote opens a cell only where a cell begins, so counting quotes is not enough to tell whether a line end is one
//! (Ge et al., "Speculative Distributed CSV Data Parsing for Big Data Analytics", 2019, guess and check for that
//! reason). Looking at each quote and the byte before it, in order, is exact and takes a fraction of what parsing
//! takes: all else is skipped by vector instructions.

use std::io::Read;

use bartizan_base::Digest;

use super::reader::CsvReader;
use super::source::{Fault, Source};
use super::{CsvFormat, ReadError, Separator};
use crate::limits::{COLUMNS, RECORD_BYTES};
use crate::read::Pieces;

/// Bytes of a piece, when its records allow: its cells then stay in a core's own cache.
const PIECE_BYTES: usize = 256 * 1024;

/// More bytes than a record within the limits can take: each a quote that is doubled, and each cell in quotes.
const LONGEST: usize = 2 * RECORD_BYTES + 4 * COLUMNS;

/// Records, whole ones, and what comes after them.
pub(crate) struct Piece {
    pub(crate) text: Vec<u8>,
    pub(crate) after: After,
}

/// What comes after a piece.
pub(crate) enum After {
    /// Another record, or the end.
    Record,
    /// The end of the file, perhaps without a line end, perhaps within quotes.
    End,
    /// Bytes that are no text.
    Fault(Fault),
    /// More of a record that is too long already.
    TooLong,
}

/// The records of a file below its header.
pub(crate) struct CsvPieces<R> {
    source: Source<R>,
    /// What the last piece left over: the beginning of a record.
    rest: Vec<u8>,
    scan: Scan,
    ended: bool,
}

impl<R: Read> CsvPieces<R> {
    /// Goes on where a reader has read the header.
    pub(crate) fn after_header(reader: CsvReader<R>) -> (Self, Vec<String>, CsvFormat) {
        let (source, rest, header, format) = reader.into_parts();
        let scan = Scan::new(format.separator);
        (Self { source, rest, scan, ended: false }, header, format)
    }

    /// How many bytes were read, and their digest, where the source counts them.
    pub(crate) fn tally(self) -> (u64, Digest) {
        self.source.finish()
    }

    /// What was read from.
    pub(crate) fn into_input(self) -> R {
        self.source.into_input()
    }

    fn piece(&mut self, end: usize, after: After) -> Piece {
        let mut text = self.rest.split_off(end);
        std::mem::swap(&mut text, &mut self.rest);
        self.scan.cut(end);
        Piece { text, after }
    }
}

impl<R: Read> Pieces for CsvPieces<R> {
    type Raw = Piece;

    fn next(&mut self) -> Result<Option<Piece>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        loop {
            self.scan.look(&self.rest);
            if self.scan.boundary > 0 && self.rest.len() >= PIECE_BYTES {
                return Ok(Some(self.piece(self.scan.boundary, After::Record)));
            }
            let after = match self.source.advance() {
                Ok(true) if self.rest.len() > LONGEST + PIECE_BYTES => After::TooLong,
                Ok(true) => {
                    self.rest.extend_from_slice(self.source.text());
                    continue;
                }
                Ok(false) => After::End,
                Err(fault) => After::Fault(fault),
            };
            self.ended = true;
            return Ok(Some(self.piece(self.rest.len(), after)));
        }
    }
}

/// Finds where records end.
struct Scan {
    separator: u8,
    /// Bytes looked at.
    at: usize,
    /// Where the last record that was seen whole ends.
    boundary: usize,
    quoted: bool,
}

impl Scan {
    fn new(separator: Separator) -> Self {
        Self { separator: separator.byte(), at: 0, boundary: 0, quoted: false }
    }

    /// Looks on through `text`, whose first `at` bytes are known.
    fn look(&mut self, text: &[u8]) {
        while self.at < text.len() {
            let ahead = text.get(self.at..).unwrap_or_default();
            let quote = memchr::memchr(b'"', ahead).map(|offset| self.at + offset);
            if !self.quoted {
                let plain = text.get(self.at..quote.unwrap_or(text.len())).unwrap_or_default();
                if let Some(line_end) = memchr::memrchr2(b'\n', b'\r', plain) {
                    self.boundary = self.at + line_end + 1;
                }
            }
            let Some(quote) = quote else {
                self.at = text.len();
                return;
            };
            if self.quoted {
                match text.get(quote + 1) {
                    // Whether it closes the cell is told by the next byte.
                    None => {
                        self.at = quote;
                        return;
                    }
                    Some(b'"') => self.at = quote + 2,
                    Some(_) => {
                        self.quoted = false;
                        self.at = quote + 1;
                    }
                }
            } else {
                let before = quote.checked_sub(1).and_then(|before| text.get(before));
                self.quoted =
                    before.is_none_or(|byte| *byte == self.separator || matches!(byte, b'\n' | b'\r'));
                self.at = quote + 1;
            }
        }
    }

    /// The first `end` bytes are gone.
    fn cut(&mut self, end: usize) {
        self.at = self.at.saturating_sub(end);
        self.boundary = 0;
    }
}
