//! `data pii scan`: what is where in files and directories.

use std::convert::Infallible;
use std::io::Read;
use std::path::Path;

use bartizan_data::pii::delimited::{Cell, Delimited, Rewriting};
use bartizan_data::pii::{ColumnDetector, ColumnScan, Detector, Finding, Scanner};
use bartizan_data::threads;

use super::report::{FileReport, Place, print};
use super::source::{self, Layout, Skipped};
use crate::cli::PiiScan;
use crate::commands::Work;
use crate::failure::Failure;
use crate::out::Progress;

/// Bytes that are read at a time.
const PIECE: usize = 256 * 1024;

/// Places that are kept of one file, whatever was asked for.
const PLACES: usize = 100_000;

/// Searches, prints, and returns 1 when something was found.
pub(in crate::commands) fn scan(work: &Work, wanted: &PiiScan) -> Result<u8, Failure> {
    let options = super::options(&wanted.wanted)?;
    let (detector, columns) = (Detector::new(&options), ColumnDetector::new(&options));
    let (files, mut skipped) = source::list(&wanted.paths)?;
    let bytes = files.iter().filter_map(|path| path.metadata().ok()).map(|metadata| metadata.len()).sum();
    let progress = work.out.progress(&format!("searching {} files", files.len()), bytes);
    let search = Search {
        detector: &detector,
        columns: &columns,
        places: wanted.places.min(PLACES),
        show: wanted.show,
        min_score: options.min_score,
        progress: &progress,
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = wanted.threads.unwrap_or(cores).clamp(1, files.len().max(1));
    let found = threads::map(threads, files.len(), |at| files.get(at).map(|path| (path, search.file(path))));
    drop(progress);
    let mut done: Vec<_> = found.into_iter().flatten().collect();
    done.sort_by_key(|(path, _)| *path);
    let mut reports = Vec::new();
    for (path, found) in done {
        match found {
            Ok(report) => reports.push(report),
            Err(why) => skipped.push(Skipped { path: path.clone(), why }),
        }
    }
    print(work.out, &reports, &skipped, options.min_score)?;
    Ok(u8::from(reports.iter().any(|report| !report.report.is_clean())))
}

struct Search<'d> {
    detector: &'d Detector,
    columns: &'d ColumnDetector,
    places: usize,
    show: bool,
    min_score: u8,
    progress: &'d Progress,
}

impl Search<'_> {
    /// Searches one file; the reason when it cannot be read to its end.
    fn file(&self, path: &Path) -> Result<FileReport, String> {
        let (file, layout) = source::open(path)?;
        let mut file = self.progress.follow(file);
        let mut found = FileReport::new(path.to_owned(), layout, self.min_score);
        let mut pieces = Pieces { file: &mut file, buffer: vec![0; PIECE] };
        match layout {
            Layout::Table(separator) => match self.table(&mut pieces, separator, &mut found) {
                Ok(()) => Ok(found),
                // What is no table is text: no cell of it is passed over.
                Err(NoTable::Text(why)) => {
                    let (mut file, _) = source::open(path)?;
                    found = FileReport::new(path.to_owned(), Layout::Text, self.min_score);
                    found.note = Some(format!("searched as text: {why}"));
                    self.text(&mut Pieces { file: &mut file, buffer: vec![0; PIECE] }, &mut found)?;
                    Ok(found)
                }
                Err(NoTable::Read(why)) => Err(why),
            },
            Layout::Lines | Layout::Text => self.text(&mut pieces, &mut found).map(|()| found),
        }
    }

    fn text(&self, pieces: &mut Pieces<'_>, found: &mut FileReport) -> Result<(), String> {
        let mut scanner = Scanner::new(self.detector);
        let (mut lines, mut held) = (Lines::default(), Held::default());
        let mut findings = Vec::new();
        while let Some(piece) = pieces.next()? {
            held.bytes.extend_from_slice(piece);
            scanner.push(piece, &mut findings);
            self.note(&mut findings, &mut lines, &held, found);
            let settled = scanner.settled();
            held.forget(settled.min(lines.forgettable(&held, settled)));
        }
        scanner.finish(&mut findings);
        self.note(&mut findings, &mut lines, &held, found);
        found.report.bytes = held.end();
        Ok(())
    }

    fn note(&self, findings: &mut Vec<Finding>, lines: &mut Lines, held: &Held, found: &mut FileReport) {
        for one in findings.drain(..) {
            found.report.count(self.detector.id(one.kind()));
            lines.advance(held, one.start());
            if found.places.len() < self.places {
                let column = one.start().saturating_sub(lines.start).saturating_add(1);
                let value = self
                    .show
                    .then(|| String::from_utf8_lossy(held.slice(one.start(), one.end())).into_owned());
                found.places.push(Place::new(
                    self.detector.id(one.kind()),
                    &one,
                    lines.line,
                    column,
                    None,
                    value,
                ));
            }
        }
    }

    fn table(&self, pieces: &mut Pieces<'_>, separator: u8, found: &mut FileReport) -> Result<(), NoTable> {
        let mut table = Delimited::new(separator);
        let mut columns: Vec<(String, ColumnScan<'_>)> = Vec::new();
        // Only what is found matters here; the text is handed on to nobody.
        let mut out = Vec::new();
        let report = &mut found.report;
        let places = &mut found.places;
        let note =
            |places: &mut Vec<Place>, id: &str, one: &Finding, cell: &Cell<'_>, name: Option<&String>| {
                if places.len() < self.places {
                    let value = cell.content.get(one.range()).unwrap_or_default();
                    let value = self.show.then(|| String::from_utf8_lossy(value).into_owned());
                    let at = u64::try_from(cell.column).unwrap_or(0).saturating_add(1);
                    places.push(Place::new(id, one, cell.line, at, name.cloned(), value));
                }
            };
        let mut cell = |cell: Cell<'_>| -> Result<Option<Vec<u8>>, Infallible> {
            if cell.record == 0 {
                let name = String::from_utf8_lossy(cell.content).trim_start_matches('\u{feff}').to_owned();
                columns.push((name.clone(), self.columns.column(&name)));
                // A file without a header has values there. They are no cells of the column.
                for one in self.detector.find(cell.content) {
                    report.count(self.detector.id(one.kind()));
                    note(places, self.detector.id(one.kind()), &one, &cell, None);
                }
                return Ok(None);
            }
            while columns.len() <= cell.column {
                let name = format!("column {}", columns.len() + 1);
                columns.push((name.clone(), self.columns.column(&name)));
            }
            if let Some((name, column)) = columns.get_mut(cell.column) {
                for one in column.observe(cell.content) {
                    let id = self.columns.id(one.kind());
                    report.count(id);
                    note(places, id, one, &cell, Some(name));
                }
            }
            Ok(None)
        };
        let mut bytes = 0_u64;
        while let Some(piece) = pieces.next().map_err(NoTable::Read)? {
            bytes += u64::try_from(piece.len()).unwrap_or(0);
            table.push(piece, &mut out, &mut cell).map_err(no_table)?;
            out.clear();
        }
        table.finish(&mut out, &mut cell).map_err(no_table)?;
        found.report.bytes = bytes;
        found.report.columns = columns.iter().map(|(_, column)| column.verdict()).collect();
        Ok(())
    }
}

/// Why a file is not searched as a table.
enum NoTable {
    Text(String),
    Read(String),
}

fn no_table(error: Rewriting<Infallible>) -> NoTable {
    NoTable::Text(error.to_string())
}

/// Pieces of a file.
struct Pieces<'f> {
    file: &'f mut dyn Read,
    buffer: Vec<u8>,
}

impl Pieces<'_> {
    fn next(&mut self) -> Result<Option<&[u8]>, String> {
        loop {
            match self.file.read(&mut self.buffer) {
                Ok(0) => return Ok(None),
                Ok(length) => return Ok(self.buffer.get(..length)),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// Bytes of the stream that findings to come may still be in.
#[derive(Default)]
struct Held {
    base: u64,
    bytes: Vec<u8>,
}

impl Held {
    fn end(&self) -> u64 {
        self.base.saturating_add(u64::try_from(self.bytes.len()).unwrap_or(0))
    }

    fn slice(&self, start: u64, end: u64) -> &[u8] {
        let place = |at: u64| usize::try_from(at.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.bytes.get(place(start)..place(end).min(self.bytes.len())).unwrap_or_default()
    }

    fn forget(&mut self, until: u64) {
        let length = usize::try_from(until.saturating_sub(self.base)).unwrap_or(0).min(self.bytes.len());
        self.bytes.drain(..length);
        self.base = self.base.saturating_add(u64::try_from(length).unwrap_or(0));
    }
}

/// Which line a place is in.
struct Lines {
    line: u64,
    // Where the line begins, and up to where line ends were counted.
    start: u64,
    counted: u64,
}

impl Default for Lines {
    fn default() -> Self {
        Self { line: 1, start: 0, counted: 0 }
    }
}

impl Lines {
    /// Counts line ends up to `place`.
    fn advance(&mut self, held: &Held, place: u64) {
        let from = self.counted;
        for (at, byte) in held.slice(from, place).iter().enumerate() {
            if *byte == b'\n' {
                self.line = self.line.saturating_add(1);
                self.start = from.saturating_add(u64::try_from(at).unwrap_or(0)).saturating_add(1);
            }
        }
        self.counted = self.counted.max(place);
    }

    /// Counts on to where nothing can be found any more, and says that what is before may go.
    fn forgettable(&mut self, held: &Held, settled: u64) -> u64 {
        self.advance(held, settled.min(held.end()));
        settled
    }
}
