//! Delimited text, cell by cell, with every byte that is not replaced handed on as it was.
//!
//! RFC 4180, with any separator: a cell that begins with a quote ends with one, and two quotes in it are one. Unlike a
//! reader of tables this keeps the bytes of the file: what nobody touches stays the same, line ends and quotes included.

use crate::limits::{CELL_BYTES, COLUMNS};

/// A cell, where it is, and what is in it without its quotes.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    /// The record, from 0; the header is one.
    pub record: u64,
    /// The line that the cell begins in, from 1; cells may hold line ends.
    pub line: u64,
    /// The column, from 0.
    pub column: usize,
    /// Its content.
    pub content: &'a [u8],
}

/// Delimited text that cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDelimited {
    /// A cell is too long.
    #[error("line {line}: the cell in column {column} has more than {CELL_BYTES} bytes")]
    CellTooLong {
        /// The line that it begins in.
        line: u64,
        /// Its column, from 1.
        column: usize,
    },
    /// A record has too many cells.
    #[error("line {line}: there are more than {COLUMNS} columns")]
    TooManyColumns {
        /// Its line.
        line: u64,
    },
    /// The text ends inside quotes.
    #[error("line {line}: a quote is not closed")]
    NotClosed {
        /// The line that the cell begins in.
        line: u64,
    },
}

/// What a callback made of a cell, or why there is none.
#[derive(Debug, thiserror::Error)]
pub enum Rewriting<E> {
    /// The text is not delimited text.
    #[error(transparent)]
    Text(#[from] NotDelimited),
    /// The callback failed.
    #[error(transparent)]
    Cell(E),
}

/// Reads delimited text that arrives in pieces.
#[derive(Debug)]
pub struct Delimited {
    separator: u8,
    place: Place,
    // The cell as it is written, and its content.
    written: Vec<u8>,
    content: Vec<u8>,
    record: u64,
    column: usize,
    line: u64,
    begun: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first byte of a record.
    Record,
    /// Before the first byte of a further cell.
    Cell,
    /// In a cell without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// Behind a quote in quotes, which ends them or is the first of two.
    Quote,
}

impl Delimited {
    /// Text whose cells this byte separates.
    pub const fn new(separator: u8) -> Self {
        Self {
            separator,
            place: Place::Record,
            written: Vec::new(),
            content: Vec::new(),
            record: 0,
            column: 0,
            line: 1,
            begun: 1,
        }
    }

    /// Takes the next piece. Each cell that ends in it is given to `cell`, and what that returns, or else the cell as it
    /// was written, is appended to `out` with the mark behind it.
    ///
    /// # Errors
    /// When a limit is passed, or `cell` fails.
    pub fn push<E>(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        mut cell: impl FnMut(Cell<'_>) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<(), Rewriting<E>> {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            // Most bytes are none of the four that matter.
            if matches!(self.place, Place::Plain | Place::Quoted) {
                let plain = rest.iter().take_while(|byte| !self.matters(**byte)).count();
                if let Some((run, further)) = rest.split_at_checked(plain).filter(|_| plain > 0) {
                    self.written.extend_from_slice(run);
                    self.content.extend_from_slice(run);
                    self.fits()?;
                    rest = further;
                    continue;
                }
            }
            rest = after;
            let ends = *byte == b'\n' || *byte == self.separator;
            match (self.place, *byte) {
                (Place::Quoted, b'"') => {
                    self.written.push(b'"');
                    self.place = Place::Quote;
                }
                (Place::Quoted, byte) => {
                    self.line += u64::from(byte == b'\n');
                    self.keep(byte)?;
                }
                (Place::Quote, b'"') => {
                    self.keep(b'"')?;
                    self.place = Place::Quoted;
                }
                (_, byte) if ends => {
                    self.end(Some(byte), out, &mut cell)?;
                    self.line += u64::from(byte == b'\n');
                    self.begun = self.line;
                }
                (Place::Record | Place::Cell, b'"') => {
                    self.written.push(b'"');
                    self.place = Place::Quoted;
                }
                (_, byte) => {
                    self.keep(byte)?;
                    self.place = Place::Plain;
                }
            }
        }
        Ok(())
    }

    /// Ends the text.
    ///
    /// # Errors
    /// When a quote is not closed, or `cell` fails.
    pub fn finish<E>(
        mut self,
        out: &mut Vec<u8>,
        mut cell: impl FnMut(Cell<'_>) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<(), Rewriting<E>> {
        match self.place {
            Place::Record => Ok(()),
            Place::Quoted => Err(NotDelimited::NotClosed { line: self.begun }.into()),
            Place::Cell | Place::Plain | Place::Quote => self.end(None, out, &mut cell),
        }
    }

    const fn matters(&self, byte: u8) -> bool {
        byte == b'"' || byte == b'\n' || byte == self.separator
    }

    fn keep(&mut self, byte: u8) -> Result<(), NotDelimited> {
        self.written.push(byte);
        self.content.push(byte);
        self.fits()
    }

    fn fits(&self) -> Result<(), NotDelimited> {
        if self.content.len() <= CELL_BYTES {
            return Ok(());
        }
        Err(NotDelimited::CellTooLong { line: self.begun, column: self.column + 1 })
    }

    fn end<E>(
        &mut self,
        mark: Option<u8>,
        out: &mut Vec<u8>,
        cell: &mut impl FnMut(Cell<'_>) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<(), Rewriting<E>> {
        // `\r\n` ends a line; before a separator or inside quotes `\r` is content.
        let returned = mark != Some(self.separator)
            && self.content.last() == Some(&b'\r')
            && self.written.last() == Some(&b'\r');
        if returned {
            self.content.pop();
            self.written.pop();
        }
        let found =
            Cell { record: self.record, line: self.begun, column: self.column, content: &self.content };
        match cell(found).map_err(Rewriting::Cell)? {
            None => out.append(&mut self.written),
            Some(new) => self.write(&new, out),
        }
        if returned {
            out.push(b'\r');
        }
        out.extend(mark);
        self.written.clear();
        self.content.clear();
        if mark == Some(self.separator) {
            self.column += 1;
            self.place = Place::Cell;
            if self.column >= COLUMNS {
                return Err(NotDelimited::TooManyColumns { line: self.begun }.into());
            }
        } else {
            self.column = 0;
            self.record += 1;
            self.place = Place::Record;
        }
        Ok(())
    }

    /// A new cell, in quotes where the old one had them or the content needs them.
    fn write(&self, new: &[u8], out: &mut Vec<u8>) {
        let quoted = self.written.first() == Some(&b'"');
        if !quoted && !new.iter().any(|byte| self.matters(*byte) || *byte == b'\r') {
            out.extend_from_slice(new);
            return;
        }
        out.push(b'"');
        for byte in new {
            out.push(*byte);
            if *byte == b'"' {
                out.push(b'"');
            }
        }
        out.push(b'"');
    }
}
