//! `data pii scan`: what is where in files and directories.

use std::convert::Infallible;
use std::io::Read;
use std::path::Path;

use bartizan_data::pii::delimited::{Cell, Delimited, Rewriting};
use bartizan_data::pii::{
    ColumnDetector, ColumnScan, Detector, Finding, Keep, KindSet, LineScanner, Scanner, TablePlace, json,
    scan_table,
};
use bartizan_data::{Format, ReadError, ReadOptions, Source, Unpacked, threads};

use super::report::{FileReport, Place, print};
use super::source::{self, Layout, Opened, Skipped, Why};
use crate::cli::PiiScan;
use crate::commands::Work;
use crate::failure::Failure;
use crate::out::Progress;

/// Bytes that are read at a time.
const PIECE: usize = 256 * 1024;

/// Places that are kept of one file, whatever was asked for.
const PLACES: usize = 100_000;

/// Searches, prints, and returns 1 when something was found, or something could not be searched: nobody is to take that for
/// clean. What lies in a directory and is passed over, see [`Why`], is only listed.
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
        threads: 1,
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let wanted_threads = wanted.threads.unwrap_or(cores).max(1);
    let threads = wanted_threads.min(files.len().max(1));
    let search = Search { threads: (wanted_threads / threads).max(1), ..search };
    let found = threads::map(threads, files.len(), |at| files.get(at).map(|path| (path, search.file(path))));
    drop(progress);
    let mut done: Vec<_> = found.into_iter().flatten().collect();
    done.sort_by_key(|(path, _)| *path);
    let mut reports = Vec::new();
    for (path, found) in done {
        match found {
            Ok(report) => {
                let cut = report.cut.clone().map(Why::Unsearched);
                skipped.extend(cut.map(|why| Skipped { path: path.clone(), why }));
                reports.push(report);
            }
            Err(why) => skipped.push(Skipped { path: path.clone(), why }),
        }
    }
    let asked = |one: Skipped| match wanted.paths.contains(&one.path) {
        true => Skipped { why: one.why.asked(), ..one },
        false => one,
    };
    let skipped: Vec<Skipped> = skipped.into_iter().map(asked).collect();
    print(work.out, &reports, &skipped, options.min_score)?;
    let unsearched = skipped.iter().any(|one| matches!(one.why, Why::Unsearched(_)));
    Ok(u8::from(unsearched || reports.iter().any(|report| !report.report.is_clean())))
}

struct Search<'d> {
    detector: &'d Detector,
    columns: &'d ColumnDetector,
    places: usize,
    show: bool,
    min_score: u8,
    progress: &'d Progress,
    /// For one file that holds columns.
    threads: usize,
}

impl Search<'_> {
    /// Searches one file; the reason when nothing of it can be read.
    fn file(&self, path: &Path) -> Result<FileReport, Why> {
        let (file, mut found) = self.open(path)?;
        let searched = match found.layout {
            Layout::Columns(format) => return self.columns(path, format, found),
            Layout::Table(separator) => match self.table(&mut Pieces::of(file), separator, &mut found) {
                // What is no table is text: no cell of it is passed over.
                Err(NoTable::Text(why)) => {
                    let file;
                    (file, found) = self.as_text(path, why)?;
                    self.plain(&mut Pieces::of(file), &mut found)
                }
                Err(NoTable::Read(cut)) => Err(cut),
                Ok(()) => Ok(()),
            },
            Layout::Lines => match self.text(&mut Pieces::of(file), Stream::lines(self.detector), &mut found)
            {
                Err(NoTable::Text(why)) => {
                    let file;
                    (file, found) = self.as_text(path, why.clone())?;
                    let searched = self.plain(&mut Pieces::of(file), &mut found);
                    // Escapes may hide what no search of the bytes finds.
                    found.cut = Some(format!("its escapes were not decoded: {why}"));
                    searched
                }
                Err(NoTable::Read(cut)) => Err(cut),
                Ok(()) => Ok(()),
            },
            Layout::Text => self.plain(&mut Pieces::of(file), &mut found),
        };
        match searched {
            Ok(()) => Ok(found),
            Err(Cut { why, .. }) if found.report.bytes == 0 => Err(Why::Unsearched(why)),
            // What was found until then is there all the same.
            Err(Cut { line, why }) => {
                let cut = format!("searched up to line {line} only: {why}");
                found.cut = Some(found.cut.take().map_or(cut.clone(), |earlier| format!("{earlier}; {cut}")));
                Ok(found)
            }
        }
    }

    fn open(&self, path: &Path) -> Result<(Opened<'static>, FileReport), Why> {
        let opened = Opened::new(path, source::stored(path, self.progress)?, None)?;
        let found = FileReport::new(path.to_owned(), opened.layout, self.min_score);
        Ok((opened, found))
    }

    /// Opens a file once more that is not what its name says.
    fn as_text(&self, path: &Path, why: String) -> Result<(Opened<'static>, FileReport), Why> {
        let (file, mut found) = self.open(path)?;
        found.layout = Layout::Text;
        found.note = Some(format!("searched as text: {why}"));
        Ok((file, found))
    }

    fn columns(&self, path: &Path, format: Format, mut found: FileReport) -> Result<FileReport, Why> {
        let source = Source::seekable(source::stored(path, self.progress)?);
        let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
        let keep = Keep { places: self.places, values: self.show };
        match scan_table(source, &options, self.threads, self.columns, keep) {
            Ok(searched) => {
                found.report = searched.report;
                let place = |one: TablePlace| {
                    let (id, at) =
                        (self.columns.id(one.finding.kind()), u64::try_from(one.column).unwrap_or(0));
                    Place::new(id, &one.finding, one.row, at, Some(one.name), one.value)
                };
                found.places = searched.places.into_iter().map(place).collect();
                Ok(found)
            }
            Err(ReadError::NoRows) => Ok(found),
            Err(error) => Err(Why::Unsearched(source::reasons(&error))),
        }
    }

    fn plain(&self, pieces: &mut Pieces, found: &mut FileReport) -> Result<(), Cut> {
        let stream = Stream::Text(Scanner::new(self.detector));
        self.text(pieces, stream, found).map_err(|error| match error {
            NoTable::Read(cut) => cut,
            NoTable::Text(why) => Cut { line: 1, why },
        })
    }

    fn text(
        &self,
        pieces: &mut Pieces,
        mut scanner: Stream<'_>,
        found: &mut FileReport,
    ) -> Result<(), NoTable> {
        let (mut lines, mut held) = (Lines::default(), Held::default());
        let mut findings = Vec::new();
        let ended = loop {
            let piece = match pieces.next() {
                Ok(Some(piece)) => piece,
                Ok(None) => break None,
                Err(why) => break Some(why),
            };
            held.bytes.extend_from_slice(piece);
            scanner.push(piece, &mut findings)?;
            self.note(&mut findings, &mut lines, &held, found);
            let settled = scanner.settled();
            held.forget(settled.min(lines.forgettable(&held, settled)));
        };
        scanner.finish(&mut findings);
        self.note(&mut findings, &mut lines, &held, found);
        found.report.bytes = held.end();
        lines.advance(&held, held.end());
        ended.map_or(Ok(()), |why| Err(NoTable::Read(Cut { line: lines.line, why })))
    }

    fn note(&self, findings: &mut Vec<Finding>, lines: &mut Lines, held: &Held, found: &mut FileReport) {
        for one in findings.drain(..) {
            found.report.count(self.detector.id(one.kind()));
            lines.advance(held, one.start());
            if found.places.len() < self.places {
                let column = one.start().saturating_sub(lines.start).saturating_add(1);
                let written = held.slice(one.start(), one.end());
                let value = self.show.then(|| match found.layout {
                    Layout::Lines => String::from_utf8_lossy(&json::decode(written)).into_owned(),
                    _ => String::from_utf8_lossy(written).into_owned(),
                });
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

    fn table(&self, pieces: &mut Pieces, separator: u8, found: &mut FileReport) -> Result<(), NoTable> {
        let mut table = Delimited::new(separator);
        let mut columns: Vec<(String, ColumnScan<'_>)> = Vec::new();
        let mut line = 1;
        // Only what is found matters here; the text is handed on to nobody.
        let mut out = Vec::new();
        let report = &mut found.report;
        let places = &mut found.places;
        // Numbers for which the whole column decides.
        let mut by_chance: Vec<(usize, KindSet, Finding, Place)> = Vec::new();
        let place = |id: &str, one: &Finding, cell: &Cell<'_>, name: Option<&String>| {
            let value = cell.content.get(one.range()).unwrap_or_default();
            let value = self.show.then(|| String::from_utf8_lossy(value).into_owned());
            let at = u64::try_from(cell.column).unwrap_or(0).saturating_add(1);
            Place::new(id, one, cell.line, at, name.cloned(), value)
        };
        let mut cell = |cell: Cell<'_>| -> Result<Option<Vec<u8>>, Infallible> {
            line = cell.line;
            if cell.record == 0 {
                let name = String::from_utf8_lossy(cell.content).trim_start_matches('\u{feff}').to_owned();
                columns.push((name.clone(), self.columns.column(&name)));
                // A file without a header has values there. They are no cells of the column.
                for one in self.detector.find(cell.content) {
                    report.count(self.detector.id(one.kind()));
                    if places.len() < self.places {
                        places.push(place(self.detector.id(one.kind()), &one, &cell, None));
                    }
                }
                return Ok(None);
            }
            while columns.len() <= cell.column {
                let name = format!("column {}", columns.len() + 1);
                columns.push((name.clone(), self.columns.column(&name)));
            }
            if let Some((name, column)) = columns.get_mut(cell.column) {
                column.observe(cell.content);
                let passes = column.by_chance();
                for one in column.found() {
                    let id = self.columns.id(one.kind());
                    if passes != KindSet::EMPTY {
                        if by_chance.len() < self.places {
                            by_chance.push((cell.column, passes, *one, place(id, one, &cell, Some(name))));
                        }
                        continue;
                    }
                    report.count(id);
                    if places.len() < self.places {
                        places.push(place(id, one, &cell, Some(name)));
                    }
                }
            }
            Ok(None)
        };
        let mut bytes = 0_u64;
        let ended = loop {
            let piece = match pieces.next() {
                Ok(Some(piece)) => piece,
                Ok(None) => break None,
                Err(why) => break Some(why),
            };
            bytes = bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(0));
            table.push(piece, &mut out, &mut cell).map_err(no_table)?;
            out.clear();
        };
        // Where the file is cut, a quote may well be open; what there is of that cell is not looked at.
        let finished = table.finish(&mut out, &mut cell);
        found.report.bytes = bytes;
        found.report.columns = columns.iter().map(|(_, column)| column.verdict()).collect();
        self.decide(&columns, by_chance, found);
        match ended {
            Some(why) => Err(NoTable::Read(Cut { line, why })),
            None => finished.map(|_| ()).map_err(no_table),
        }
    }

    /// Takes in numbers that are found for their check digits alone, now that their columns are known.
    fn decide(
        &self,
        columns: &[(String, ColumnScan<'_>)],
        by_chance: Vec<(usize, KindSet, Finding, Place)>,
        found: &mut FileReport,
    ) {
        for (kind, count) in columns.iter().flat_map(|(_, column)| column.checked()) {
            let total = found.report.findings.entry(self.columns.id(kind).to_owned()).or_default();
            *total = total.saturating_add(count);
        }
        for (column, passes, one, place) in by_chance {
            if let Some(kind) = columns.get(column).and_then(|(_, column)| column.kind_of(passes)) {
                found.places.push(place.told_as(self.columns.id(kind), &one.of_kind(kind)));
            }
        }
        found.places.sort_by_key(Place::at);
        found.places.truncate(self.places);
    }
}

/// Text that arrives in pieces, searched as what it is.
enum Stream<'d> {
    Text(Scanner<'d>),
    Lines(LineScanner<'d>),
}

impl<'d> Stream<'d> {
    const fn lines(detector: &'d Detector) -> Self {
        Self::Lines(LineScanner::new(detector))
    }

    fn push(&mut self, piece: &[u8], found: &mut Vec<Finding>) -> Result<(), NoTable> {
        match self {
            Self::Text(scanner) => scanner.push(piece, found),
            Self::Lines(scanner) => {
                scanner.push(piece, found).map_err(|error| NoTable::Text(error.to_string()))?;
            }
        }
        Ok(())
    }

    fn settled(&self) -> u64 {
        match self {
            Self::Text(scanner) => scanner.settled(),
            Self::Lines(scanner) => scanner.settled(),
        }
    }

    fn finish(self, found: &mut Vec<Finding>) {
        match self {
            Self::Text(scanner) => scanner.finish(found),
            Self::Lines(scanner) => scanner.finish(found),
        }
    }
}

/// Why a file was not searched to its end, and up to where it was.
struct Cut {
    line: u64,
    why: String,
}

/// Why a file is not searched as a table, or as JSON lines.
enum NoTable {
    Text(String),
    Read(Cut),
}

fn no_table(error: Rewriting<Infallible>) -> NoTable {
    NoTable::Text(error.to_string())
}

/// Pieces of a file.
struct Pieces {
    file: Opened<'static>,
    buffer: Vec<u8>,
}

impl Pieces {
    fn of(file: Opened<'static>) -> Self {
        Self { file, buffer: vec![0; PIECE] }
    }

    fn next(&mut self) -> Result<Option<&[u8]>, String> {
        loop {
            match self.file.read(&mut self.buffer) {
                Ok(0) => return Ok(None),
                Ok(length) => return Ok(self.buffer.get(..length)),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(source::reasons(&Unpacked::error(error))),
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
