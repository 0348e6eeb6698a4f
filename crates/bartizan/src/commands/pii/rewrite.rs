//! A file written anew, with values in it replaced and everything else as it was.

use std::io::{BufRead, Read, Write};
use std::path::Path;

use bartizan_data::limits::JSON_LINE_BYTES;
use bartizan_data::pii::delimited::{Cell, Delimited, Rewriting};
use bartizan_data::pii::{
    ColumnDetector, ColumnScan, Detector, Finding, Given, KindSet, Replacer, Rewriter, Scanner, Title, json,
};
use bartizan_data::{ReadError, Unpacked};

use super::source::{Layout, Opened, open};
use crate::catalog::ids;
use crate::failure::Failure;

/// Bytes that are read at a time.
const PIECE: usize = 256 * 1024;

/// Which values of a file are replaced.
pub(super) struct Plan<'d> {
    /// What the caller says that the file is.
    pub(super) said: Option<String>,
    pub(super) layout: Layout,
    /// In these columns only; all when empty.
    pub(super) columns: Vec<String>,
    pub(super) values: Values<'d>,
    /// Of each column the kinds that its numbers pass as by chance.
    pub(super) ruled_out: Vec<KindSet>,
}

/// What counts as a value.
pub(super) enum Values<'d> {
    /// What is found.
    Found(&'d Detector),
    /// Whole cells, which are of this kind.
    Cells(String),
}

impl Plan<'_> {
    /// Opens the file, or once more.
    pub(super) fn open(&self, path: &Path) -> Result<Opened<'static>, Failure> {
        open(path, self.said.as_deref())
    }

    /// Reads a file and writes it anew; `given` says what stands for a value. Returns how many were replaced.
    pub(super) fn rewrite(
        &self,
        file: &mut dyn Read,
        given: &mut Given<'_>,
        out: &mut dyn Write,
    ) -> Result<u64, Failure> {
        match (self.layout, &self.values) {
            (Layout::Table(separator), _) => self.table(file, separator, given, out),
            (Layout::Lines, Values::Found(detector)) => lines(file, detector, given, out),
            (Layout::Text, Values::Found(detector)) => text(file, detector, given, out),
            (Layout::Columns(_), _) => Err(Failure::new(ids::USAGE, "only text is written anew")),
            (Layout::Lines | Layout::Text, Values::Cells(_)) => {
                Err(Failure::new(ids::USAGE, "only a table has columns"))
            }
        }
    }

    fn table(
        &self,
        file: &mut dyn Read,
        separator: u8,
        given: &mut Given<'_>,
        out: &mut dyn Write,
    ) -> Result<u64, Failure> {
        let table = Delimited::new(separator);
        // Of each column its title, and whether its values are replaced.
        let mut columns: Vec<(Title, bool)> = Vec::new();
        let (mut count, mut seen) = (0_u64, 0_usize);
        let mut cell = |cell: Cell<'_>| -> Result<Option<Vec<u8>>, Failure> {
            if cell.record == 0 {
                let name = String::from_utf8_lossy(cell.content).trim_start_matches('\u{feff}').to_owned();
                let wanted = self.columns.is_empty() || self.columns.contains(&name);
                seen += usize::from(wanted && !self.columns.is_empty());
                columns.push((Title::new(&name), wanted));
                // A file without a header has values there.
                return match &self.values {
                    Values::Found(detector) if self.columns.is_empty() => {
                        let found = detector.find(cell.content);
                        replaced(cell.content, &found, detector, given, &mut count)
                    }
                    _ => Ok(None),
                };
            }
            if cell.record == 1 && cell.column == 0 && seen < self.columns.len() {
                let missing = self.columns.iter().find(|name| {
                    !columns.iter().any(|(title, wanted)| *wanted && *title == Title::new(name))
                });
                let missing = missing.map_or("", String::as_str);
                return Err(Failure::new(ids::USAGE, format!("the file has no column `{missing}`")));
            }
            let rest = (Title::default(), self.columns.is_empty());
            let (title, wanted) = columns.get(cell.column).unwrap_or(&rest);
            let ruled_out = self.ruled_out.get(cell.column).copied().unwrap_or_default();
            match &self.values {
                _ if !wanted || cell.content.is_empty() => Ok(None),
                Values::Found(detector) => {
                    let found = detector.find_besides(title, cell.content, ruled_out);
                    replaced(cell.content, &found, detector, given, &mut count)
                }
                Values::Cells(kind) => {
                    let mut new = Vec::new();
                    put(kind, cell.content, given, &mut new).map_err(|failure| at(failure, &cell))?;
                    count += 1;
                    Ok(Some(new))
                }
            }
        };
        each_cell(file, table, &mut cell, |written| write(out, written))?;
        Ok(count)
    }
}

/// Shows each cell of a table, and hands on what is written of it piece by piece.
fn each_cell(
    file: &mut dyn Read,
    mut table: Delimited,
    cell: &mut impl FnMut(Cell<'_>) -> Result<Option<Vec<u8>>, Failure>,
    mut take: impl FnMut(&mut Vec<u8>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut buffer, mut written) = (vec![0; PIECE], Vec::new());
    loop {
        let length = read(file, &mut buffer)?;
        if length == 0 {
            break;
        }
        table.push(buffer.get(..length).unwrap_or_default(), &mut written, &mut *cell).map_err(broken)?;
        take(&mut written)?;
    }
    table.finish(&mut written, cell).map_err(broken)?;
    take(&mut written)
}

/// Reads the numbers of a table, and says of each column which kinds they pass as by chance.
pub(super) fn ruled_out(
    file: &mut dyn Read,
    separator: u8,
    detector: &ColumnDetector,
) -> Result<Vec<KindSet>, Failure> {
    let mut columns: Vec<ColumnScan<'_>> = Vec::new();
    let mut cell = |cell: Cell<'_>| -> Result<Option<Vec<u8>>, Failure> {
        if cell.record == 0 {
            let name = String::from_utf8_lossy(cell.content);
            columns.push(detector.column(name.trim_start_matches('\u{feff}')));
        } else if cell.content.trim_ascii().iter().all(u8::is_ascii_digit)
            && let Some(column) = columns.get_mut(cell.column)
        {
            column.observe(cell.content);
        }
        Ok(None)
    };
    each_cell(file, Delimited::new(separator), &mut cell, |written| {
        written.clear();
        Ok(())
    })?;
    Ok(columns.iter().map(ColumnScan::ruled_out).collect())
}

/// A cell with what was found in it replaced, if anything was.
fn replaced(
    cell: &[u8],
    found: &[Finding],
    detector: &Detector,
    given: &mut Given<'_>,
    count: &mut u64,
) -> Result<Option<Vec<u8>>, Failure> {
    if found.is_empty() {
        return Ok(None);
    }
    let (mut new, mut place) = (Vec::with_capacity(cell.len()), 0);
    for one in found {
        let range = one.range();
        new.extend_from_slice(cell.get(place..range.start).unwrap_or_default());
        put(detector.id(one.kind()), cell.get(range.clone()).unwrap_or_default(), given, &mut new)?;
        place = range.end;
        *count += 1;
    }
    new.extend_from_slice(cell.get(place..).unwrap_or_default());
    Ok(Some(new))
}

/// JSON lines, each of which stays JSON.
fn lines(
    file: &mut dyn Read,
    detector: &Detector,
    given: &mut Given<'_>,
    out: &mut dyn Write,
) -> Result<u64, Failure> {
    let mut reader = std::io::BufReader::with_capacity(PIECE, file);
    let (mut line, mut written, mut count, mut number) = (Vec::new(), Vec::new(), 0_u64, 0_u64);
    loop {
        line.clear();
        let most = u64::try_from(JSON_LINE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        let length = reader.by_ref().take(most).read_until(b'\n', &mut line).map_err(not_read)?;
        if length == 0 {
            return Ok(count);
        }
        number += 1;
        if length > JSON_LINE_BYTES {
            return Err(Failure::new(
                ids::DELIVERY,
                format!("line {number} has more than {JSON_LINE_BYTES} bytes"),
            ));
        }
        let put = |kind: &str, value: &[u8], new: &mut Vec<u8>| put(kind, value, given, new);
        count = count.saturating_add(json::rewrite(detector, &line, &mut written, put)?);
        write(out, &mut written)?;
    }
}

fn text(
    file: &mut dyn Read,
    detector: &Detector,
    given: &mut Given<'_>,
    out: &mut dyn Write,
) -> Result<u64, Failure> {
    let mut rewriter = Rewriter::new(Scanner::new(detector), Replacer::given(given));
    let (mut buffer, mut written) = (vec![0; PIECE], Vec::new());
    let failed = |error| Failure::of(ids::INTERNAL, &error);
    loop {
        let length = read(file, &mut buffer)?;
        if length == 0 {
            break;
        }
        rewriter.push(buffer.get(..length).unwrap_or_default(), &mut written).map_err(failed)?;
        write(out, &mut written)?;
    }
    let count = rewriter.finish(&mut written).map_err(failed)?;
    write(out, &mut written)?;
    Ok(count)
}

fn put(kind: &str, value: &[u8], given: &mut Given<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    if given(kind, value, out) {
        return Ok(());
    }
    Err(Failure::new(ids::INTERNAL, format!("nothing stands for a value of kind `{kind}`")))
}

fn at(mut failure: Failure, cell: &Cell<'_>) -> Failure {
    failure.why.push(format!("line {}, column {}", cell.line, cell.column.saturating_add(1)));
    failure
}

fn broken(error: Rewriting<Failure>) -> Failure {
    match error {
        Rewriting::Cell(failure) => failure,
        Rewriting::Text(error) => Failure::of(ids::DELIVERY, &error),
    }
}

pub(super) fn read(file: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, Failure> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            read => return read.map_err(not_read),
        }
    }
}

fn not_read(error: std::io::Error) -> Failure {
    match Unpacked::error(error) {
        ReadError::Io(error) => Failure::of(ids::FILE, &error),
        error => Failure::of(ids::DELIVERY, &error),
    }
}

fn write(out: &mut dyn Write, written: &mut Vec<u8>) -> Result<(), Failure> {
    out.write_all(written).map_err(|error| Failure::of(ids::FILE, &error))?;
    written.clear();
    Ok(())
}
