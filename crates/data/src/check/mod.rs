//! Checking a batch against a schema: one pass, and a verdict only when every check ran to the end.

mod judge;
mod report;
mod rows;
mod rules;

use std::collections::HashMap;
use std::io::Read;

use self::rules::Watched;
use crate::csv::ReadError;
use crate::limits::{LISTED_ROWS, LISTED_ROWS_ALL};
use crate::profile::{Profile, Profiler, Profiling};
use crate::read::batch::Column;
use crate::read::{self, Format, ReadOptions, Sink, Source};
use crate::schema::{ColumnRules, Schema};

pub use self::report::{Check, Example, Finding, Outcome, Report, Rule, Tier};
pub use self::rows::{BrokenRow, Rows, RowsNotRead, read_rows};

/// Reads a batch once and checks it against a schema, on this thread alone. What is read is whatever the bytes are.
///
/// # Errors
/// When the batch cannot be read to its end; then there is no verdict.
pub fn check(input: impl Read + Send, schema: &Schema, tier: Tier) -> Result<Report, ReadError> {
    check_source(Source::stream(input), None, schema, tier, 1)
}

/// Reads a batch once, in the format or what its bytes are, and checks it with so many threads. The report is the same
/// whatever their number.
///
/// # Errors
/// When the batch cannot be read to its end; then there is no verdict.
pub fn check_source(
    source: Source<'_>,
    format: Option<Format>,
    schema: &Schema,
    tier: Tier,
    threads: usize,
) -> Result<Report, ReadError> {
    check_listing(source, format, schema, tier, threads, 0)
}

/// The same, where each finding also names the first rows that break its rule: [`LISTED_ROWS`](crate::limits::LISTED_ROWS)
/// at most, and fewer where there are many columns, so that memory has a bound.
///
/// # Errors
/// When the batch cannot be read to its end; then there is no verdict.
pub fn check_listing(
    source: Source<'_>,
    format: Option<Format>,
    schema: &Schema,
    tier: Tier,
    threads: usize,
    listed: usize,
) -> Result<Report, ReadError> {
    let options = ReadOptions { format, csv: schema.csv_options() };
    let listed = listed.min(LISTED_ROWS).min(LISTED_ROWS_ALL / schema.columns.len().max(1));
    let checker = Checker { schema, rules: rules_of(schema), profiler: Profiler::plain(), listed };
    let table = read::read(source, &options, threads, &checker)?;
    let rows = table.outcome.rows();
    let (mut header, mut columns, mut watched) = (Vec::new(), Vec::new(), Vec::new());
    for (name, state) in table.columns {
        columns.push(state.profiling.profile);
        if let Some(mut rules) = state.watched {
            // The elements of lists are not one for each row.
            let absent = columns.last().map_or(0, |column| rows.saturating_sub(column.count()));
            rules.absent(if name.contains("[]") { 0 } else { absent });
            watched.push(rules);
        }
        header.push(name);
    }
    let profile = Profile::of_read(columns, &table.outcome, &schema.csv.null);
    Ok(judge::judge(schema, tier, &header, &watched, profile, &table.outcome))
}

fn rules_of(schema: &Schema) -> HashMap<&str, &ColumnRules> {
    schema.columns.iter().map(|rules| (rules.name.as_str(), rules)).collect()
}

/// Profiles each column, and watches those that have rules.
struct Checker<'a> {
    schema: &'a Schema,
    rules: HashMap<&'a str, &'a ColumnRules>,
    profiler: Profiler,
    listed: usize,
}

struct Checking<'a> {
    profiling: Profiling,
    watched: Option<Watched<'a>>,
}

impl<'a> Sink for Checker<'a> {
    type State = Checking<'a>;

    fn start(&self, path: &str, width: usize) -> Checking<'a> {
        let watched =
            |rules: &&'a ColumnRules| Watched::new(rules, self.schema.label.as_ref()).listing(self.listed);
        let watched = self.rules.get(path).map(watched);
        Checking { profiling: self.profiler.start(path, width), watched }
    }

    fn observe(&self, state: &mut Checking<'a>, column: &Column<'_>) {
        self.profiler.observe(&mut state.profiling, column);
        if let Some(watched) = &mut state.watched {
            watched.observe(column);
        }
    }

    fn merge(&self, state: &mut Checking<'a>, after: Checking<'a>) {
        self.profiler.merge(&mut state.profiling, after.profiling);
        if let (Some(mine), Some(theirs)) = (&mut state.watched, after.watched) {
            mine.merge(theirs);
        }
    }
}
