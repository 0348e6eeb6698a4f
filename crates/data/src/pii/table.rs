//! Tables of any format, searched cell by cell.

use std::collections::BTreeMap;

use super::column::{ColumnDetector, ColumnScan};
use super::finding::Finding;
use super::kind::{Kind, KindSet};
use super::report::PiiReport;
use crate::cell::Value;
use crate::read::batch::Column;
use crate::read::{ReadError, ReadOptions, ReadOutcome, Sink, Source, read};

/// What is kept of the findings in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Places, the first ones of the table.
    pub places: usize,
    /// Whether the values are kept too. **These are what the search is about.**
    pub values: bool,
}

/// Where in a table something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePlace {
    /// The row, from 1; 0 is the name of the column.
    pub row: u64,
    /// The column, from 1.
    pub column: usize,
    /// Its name.
    pub name: String,
    /// What, and where in the text of the cell.
    pub finding: Finding,
    /// The value, when it is kept.
    pub value: Option<String>,
}

/// What is in a table that was read to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFindings {
    /// Counts, and what each column holds.
    pub report: PiiReport,
    /// Places in order of rows and columns.
    pub places: Vec<TablePlace>,
    /// What was read.
    pub outcome: ReadOutcome,
}

/// Searches a table of whatever format, and the names of its columns. Structures are searched field by field, lists
/// element by element (`tags[]`), numbers and dates as CSV writes them. What is found does not depend on the number of
/// threads.
///
/// # Errors
/// When it cannot be read to its end: what was found until then is not told.
pub fn scan_table(
    source: Source<'_>,
    options: &ReadOptions,
    threads: usize,
    detector: &ColumnDetector,
    keep: Keep,
) -> Result<TableFindings, ReadError> {
    let table = read(source, options, threads, &Search { detector, keep })?;
    let mut report =
        PiiReport { bytes: table.outcome.bytes(), min_score: detector.min_score(), ..PiiReport::default() };
    let mut places = Vec::new();
    for (column, (name, searched)) in (1..).zip(table.columns) {
        let mut note = |row, finding: Finding, value| {
            places.push(TablePlace { row, column, name: name.clone(), finding, value });
        };
        for one in detector.column("").observe(name.as_bytes()) {
            report.count(detector.id(one.kind()));
            note(0, *one, keep.values.then(|| text_of(name.as_bytes(), one)));
        }
        for (kind, count) in searched.counts.into_iter().chain(searched.scan.checked()) {
            let total = report.findings.entry(detector.id(kind).to_owned()).or_default();
            *total = total.saturating_add(count);
        }
        searched.places.into_iter().for_each(|(row, finding, value)| note(row, finding, value));
        for (passes, (row, finding, value)) in searched.by_chance {
            if let Some(kind) = searched.scan.kind_of(passes) {
                note(row, finding.of_kind(kind), value);
            }
        }
        report.columns.push(searched.scan.verdict());
    }
    places.sort_by_key(|place| (place.row, place.column));
    places.truncate(keep.places);
    Ok(TableFindings { report, places, outcome: table.outcome })
}

fn text_of(cell: &[u8], finding: &Finding) -> String {
    String::from_utf8_lossy(cell.get(finding.range()).unwrap_or_default()).into_owned()
}

struct Search<'d> {
    detector: &'d ColumnDetector,
    keep: Keep,
}

/// What was found in a column.
struct Searched<'d> {
    scan: ColumnScan<'d>,
    counts: BTreeMap<Kind, u64>,
    /// The first ones.
    places: Vec<Found>,
    /// The first ones of numbers that pass as these kinds, for which the whole column decides.
    by_chance: Vec<(KindSet, Found)>,
}

/// The row, what, and the value.
type Found = (u64, Finding, Option<String>);

impl<'d> Sink for Search<'d> {
    type State = Searched<'d>;

    fn start(&self, path: &str, _: usize) -> Searched<'d> {
        Searched {
            scan: self.detector.column(path),
            counts: BTreeMap::new(),
            places: Vec::new(),
            by_chance: Vec::new(),
        }
    }

    fn observe(&self, state: &mut Searched<'d>, column: &Column<'_>) {
        for at in 0..column.len() {
            let cell = column.cell(at);
            // The length of a list is no value of the table.
            let text = match cell.value {
                Value::Null | Value::List(_) => Default::default(),
                _ => cell.text(),
            };
            state.scan.observe(&text);
            let passes = state.scan.by_chance();
            for one in state.scan.found() {
                let found = || {
                    let value = self.keep.values.then(|| text_of(&text, one));
                    (column.row(at), *one, value)
                };
                if passes != KindSet::EMPTY {
                    if state.by_chance.len() < self.keep.places {
                        state.by_chance.push((passes, found()));
                    }
                    continue;
                }
                *state.counts.entry(one.kind()).or_default() += 1;
                if state.places.len() < self.keep.places {
                    state.places.push(found());
                }
            }
        }
    }

    fn merge(&self, state: &mut Searched<'d>, after: Searched<'d>) {
        state.scan.add(after.scan.counts());
        for (kind, count) in after.counts {
            *state.counts.entry(kind).or_default() += count;
        }
        let room = self.keep.places.saturating_sub(state.places.len());
        state.places.extend(after.places.into_iter().take(room));
        let room = self.keep.places.saturating_sub(state.by_chance.len());
        state.by_chance.extend(after.by_chance.into_iter().take(room));
    }
}
