//! The rows that break rules, read once more and written out as they were.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan_base::Digest;
use serde_json::Value as Json;

use super::report::{Report, Rule};
use crate::cell::Value;
use crate::csv::ReadError;
use crate::limits::{LISTED_BYTES, LISTED_ROWS};
use crate::read::batch::Column;
use crate::read::{self, ReadOptions, Sink, Source};
use crate::schema::Severity;

/// A row that breaks a rule that blocks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrokenRow {
    /// The row, from 1 after the header.
    pub row: u64,
    /// The rule.
    pub rule: Rule,
    /// The column whose cell breaks it.
    pub column: String,
    /// What the rule is called where there are several of its kind: a slice, an expression, the columns of a key; or empty.
    pub name: String,
}

/// The rows were not read.
#[derive(Debug, thiserror::Error)]
pub enum RowsNotRead {
    /// The table could not be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is not the table that was checked.
    #[error("the file changed since it was checked")]
    Changed,
    /// They are too much to hold.
    #[error("the cells of the rows to be written take more than {LISTED_BYTES} bytes")]
    TooLarge,
}

/// Rows of a table, with all their cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    columns: Vec<String>,
    /// By row, then by place of the column. An element of a list is a cell of its own.
    cells: BTreeMap<u64, BTreeMap<usize, Vec<Option<String>>>>,
}

impl Report {
    /// The rows of the findings that block, by row: [`LISTED_ROWS`] at most, and whether that is all of them. What is about
    /// no row, such as a column that is not there, has none. Only what [`check_listing`](crate::check_listing) noted is here.
    pub fn broken_rows(&self) -> (Vec<BrokenRow>, bool) {
        let (mut rows, mut whole) = (Vec::new(), true);
        let mut names: Vec<&str> = vec![""; self.findings.len()];
        for check in &self.each {
            for place in &check.findings {
                if let (Some(name), Some(own)) = (names.get_mut(*place), &check.name) {
                    *name = own;
                }
            }
        }
        let blocking =
            self.findings.iter().zip(names).filter(|(finding, _)| finding.severity == Severity::Block);
        for (finding, name) in blocking.filter(|(finding, _)| !finding.rows.is_empty()) {
            // Rules of rows are about no column.
            let column = finding.column.clone().unwrap_or_default();
            // Elements of one list are several cells of one row.
            whole &= column.contains("[]") || finding.rows.len() as u64 >= finding.count;
            let broken = |row: &u64| BrokenRow {
                row: *row,
                rule: finding.rule,
                column: column.clone(),
                name: name.to_owned(),
            };
            rows.extend(finding.rows.iter().map(broken));
            if rows.len() > 2 * LISTED_ROWS {
                rows.sort_unstable();
                rows.truncate(LISTED_ROWS);
                whole = false;
            }
        }
        rows.sort_unstable();
        whole &= rows.len() <= LISTED_ROWS;
        rows.truncate(LISTED_ROWS);
        (rows, whole)
    }
}

/// Reads a table once more, in whatever format, for the rows named, which ascend.
///
/// # Errors
/// When it cannot be read to its end, is not the one of that digest, or the rows are too large.
pub fn read_rows(
    source: Source<'_>,
    options: &ReadOptions,
    digest: Digest,
    wanted: &[BrokenRow],
) -> Result<Rows, RowsNotRead> {
    let mut rows: Vec<u64> = wanted.iter().map(|broken| broken.row).collect();
    rows.dedup();
    let picker = Picker { rows: &rows, bytes: AtomicUsize::new(0) };
    let table = read::read(source, options, 1, &picker)?;
    if table.outcome.digest() != digest {
        return Err(RowsNotRead::Changed);
    }
    if picker.bytes.load(Ordering::Relaxed) > LISTED_BYTES {
        return Err(RowsNotRead::TooLarge);
    }
    let mut cells: BTreeMap<u64, BTreeMap<usize, Vec<Option<String>>>> =
        rows.iter().map(|row| (*row, BTreeMap::new())).collect();
    // A list is a column of lengths and one of elements, which say the same.
    let lists: HashSet<String> =
        table.columns.iter().filter_map(|(name, _)| name.strip_suffix("[]").map(str::to_owned)).collect();
    let mut columns = Vec::with_capacity(table.columns.len());
    for (name, picked) in table.columns.into_iter().filter(|(name, _)| !lists.contains(name)) {
        let place = columns.len();
        columns.push(name);
        for (row, cell) in picked {
            if let Some(row) = cells.get_mut(&row) {
                row.entry(place).or_default().push(cell);
            }
        }
    }
    Ok(Rows { columns, cells })
}

impl Rows {
    /// As CSV (RFC 4180): row, rule, column and name of the rule, then the cells of the row. **These are raw values.** Elements
    /// of a list stand in one cell, as JSON; bytes that are no text are written as hexadecimal digits.
    pub fn to_csv(&self, broken: &[BrokenRow]) -> String {
        let mut text = String::from("row,rule,column,name");
        for name in &self.columns {
            text.push(',');
            quote(&mut text, name);
        }
        text.push('\n');
        for BrokenRow { row, rule, column, name } in broken {
            text.push_str(&format!("{row},{},", rule.id()));
            quote(&mut text, column);
            text.push(',');
            quote(&mut text, name);
            for (place, name) in self.columns.iter().enumerate() {
                text.push(',');
                match self.cell(*row, place, name) {
                    Json::Null => {}
                    Json::String(cell) => quote(&mut text, &cell),
                    list => quote(&mut text, &list.to_string()),
                }
            }
            text.push('\n');
        }
        text
    }

    /// As a JSON object a line: `row`, `rule`, `column`, `name`, and `values` by column, in the order of the table. **These are
    /// raw values.** Bytes that are no text are written as hexadecimal digits.
    pub fn to_json_lines(&self, broken: &[BrokenRow]) -> String {
        let mut text = String::new();
        for BrokenRow { row, rule, column, name } in broken {
            let named = self.columns.iter().enumerate();
            // A map would keep the order or sort it, depending on what else is built into the program.
            let values: Vec<String> = named
                .map(|(place, name)| {
                    format!("{}:{}", Json::from(name.as_str()), self.cell(*row, place, name))
                })
                .collect();
            let (rule, column, name) =
                (Json::from(rule.id()), Json::from(column.as_str()), Json::from(name.as_str()));
            let values = values.join(",");
            text.push_str(&format!(
                "{{\"row\":{row},\"rule\":{rule},\"column\":{column},\"name\":{name},\"values\":{{{values}}}}}\n"
            ));
        }
        text
    }

    fn cell(&self, row: u64, place: usize, name: &str) -> Json {
        let cells = self.cells.get(&row).and_then(|row| row.get(&place)).map_or(&[][..], Vec::as_slice);
        let one = |cell: &Option<String>| cell.as_deref().map_or(Json::Null, Json::from);
        match cells {
            elements if name.contains("[]") => elements.iter().map(one).collect(),
            [cell, ..] => one(cell),
            [] => Json::Null,
        }
    }
}

/// A cell of CSV, in quotes where it must be.
fn quote(text: &mut String, cell: &str) {
    let plain = !cell.contains([',', '"', '\n', '\r']) && cell.trim() == cell;
    if plain {
        text.push_str(cell);
    } else {
        text.push('"');
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    }
}

/// Keeps the cells of some rows.
struct Picker<'a> {
    /// Ascending.
    rows: &'a [u64],
    /// Of all cells so far; beyond the limit no more are kept.
    bytes: AtomicUsize,
}

impl Picker<'_> {
    fn pick(&self, state: &mut Vec<(u64, Option<String>)>, row: u64, column: &Column<'_>, at: usize) {
        let cell = column.cell(at);
        let mut text = cell.text();
        if cell.value == Value::Binary {
            text = hex::encode(&text).into_bytes().into();
        }
        // 64 for where the cell is kept.
        if self.bytes.fetch_add(text.len() + 64, Ordering::Relaxed) <= LISTED_BYTES {
            // A spelling of "no value" is written as it was.
            let there = cell.value != Value::Null || !text.is_empty();
            state.push((row, there.then(|| String::from_utf8_lossy(&text).into_owned())));
        }
    }
}

impl Sink for Picker<'_> {
    type State = Vec<(u64, Option<String>)>;

    fn start(&self, _: &str, _: usize) -> Self::State {
        Vec::new()
    }

    fn observe(&self, state: &mut Self::State, column: &Column<'_>) {
        let Some(last) = column.len().checked_sub(1) else { return };
        let (first, last) = (column.row(0), column.row(last));
        let from = self.rows.partition_point(|row| *row < first);
        let within = self.rows.iter().skip(from).take_while(|row| **row <= last);
        let mut at = 0;
        for row in within {
            // Rows ascend in a column, and several elements may come from one.
            while at < column.len() && column.row(at) < *row {
                at += 1;
            }
            while at < column.len() && column.row(at) == *row {
                self.pick(state, *row, column, at);
                at += 1;
            }
        }
    }

    fn merge(&self, state: &mut Self::State, after: Self::State) {
        state.extend(after);
    }
}
