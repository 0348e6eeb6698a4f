//! Checking a batch against a schema: one pass, and a verdict only when every check ran to the end.

mod beside;
mod joint;
mod judge;
mod plan;
mod report;
mod rows;
mod rules;
mod tables;

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use bartizan_base::Timestamp;

use self::joint::RowChecks;
use self::judge::Counts;
use self::rules::Watched;
use crate::csv::ReadError;
use crate::limits::{KEY_BYTES, LISTED_ROWS, LISTED_ROWS_ALL};
use crate::pii::{ColumnDetector, DetectorOptions};
use crate::profile::{Profile, Profiler, Profiling};
use crate::read::batch::Column;
use crate::read::{self, Format, ReadOptions, Sink, Source, TableRows};
use crate::schema::{ColumnRules, LabelRules, Schema};

pub use self::beside::{Beside, Compared, NotBeside, Other};
pub use self::report::{Check, Example, Finding, Outcome, Report, Rule, Tier};
pub use self::rows::{BrokenRow, Rows, RowsNotRead, read_rows};
pub use self::tables::{KnownTable, NotKnown};

/// What a check is told beside the schema. What a rule needs and is not here makes the outcome an error.
#[derive(Debug, Clone)]
pub struct CheckOptions<'a> {
    /// How strictly severities are taken.
    pub tier: Tier,
    /// The format; `None` finds out from the first bytes.
    pub format: Option<Format>,
    /// How many threads read.
    pub threads: usize,
    /// How many rows that break its rule each finding names, at most.
    pub listed: usize,
    /// Which of the schema's environments it is for; the first one if none is named.
    pub environment: Option<&'a str>,
    /// What time it is, for rules of freshness.
    pub now: Option<Timestamp>,
    /// The profile that distributions are compared with.
    pub reference: Option<&'a Profile>,
    /// Bytes that all keys together may take to tell which values come twice.
    pub key_bytes: usize,
    /// Other tables, by the names that the schema has for them.
    pub tables: BTreeMap<String, &'a KnownTable>,
}

impl CheckOptions<'_> {
    /// A check on this thread that is told nothing else.
    pub const fn new(tier: Tier) -> Self {
        Self {
            tier,
            format: None,
            threads: 1,
            listed: 0,
            environment: None,
            now: None,
            reference: None,
            key_bytes: KEY_BYTES,
            tables: BTreeMap::new(),
        }
    }
}

/// Reads a batch once and checks it against a schema, on this thread alone. What is read is whatever the bytes are.
///
/// # Errors
/// When the batch cannot be read to its end; then there is no verdict.
pub fn check(input: impl Read + Send, schema: &Schema, tier: Tier) -> Result<Report, ReadError> {
    check_table(Source::stream(input), schema, &CheckOptions::new(tier))
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
    let options = CheckOptions { format, threads, listed, ..CheckOptions::new(tier) };
    check_table(source, schema, &options)
}

/// Reads a batch once and checks it with all that is known beside it. The report is the same whatever the number of
/// threads.
///
/// # Errors
/// When the batch cannot be read to its end; then there is no verdict.
pub fn check_table(
    source: Source<'_>,
    schema: &Schema,
    options: &CheckOptions<'_>,
) -> Result<Report, ReadError> {
    let read_options = ReadOptions { format: options.format, csv: schema.csv_options() };
    let context = Context::new(schema, options);
    let checker = Checker { context: &context, checks: RowChecks::new(&context) };
    let table = read::read(source, &read_options, options.threads, &checker)?;
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
    let (keys, rows) = checker.checks.finish();
    Ok(judge::judge(&context, Counts { header, watched, profile, keys, rows }, &table.outcome))
}

/// A schema, as it is meant in one environment.
struct Context<'a> {
    schema: &'a Schema,
    environment: Option<&'a str>,
    options: &'a CheckOptions<'a>,
    rules: HashMap<&'a str, &'a ColumnRules>,
    profiler: Profiler,
    detector: Option<ColumnDetector>,
}

/// A column while it is checked.
struct Checking<'a> {
    profiling: Profiling,
    /// Whether its profile is nothing that anybody asks for.
    unprofiled: bool,
    watched: Option<Watched<'a>>,
}

impl<'a> Context<'a> {
    fn new(schema: &'a Schema, options: &'a CheckOptions<'a>) -> Self {
        let environment = schema.environment(options.environment);
        let in_slices = schema.slices.iter().flat_map(|slice| &slice.columns);
        let detects = schema.columns.iter().chain(in_slices).any(|rules| rules.no_pii);
        let meant = schema.columns.iter().filter(|rules| rules.is_in(environment));
        Self {
            schema,
            environment,
            options,
            rules: meant.map(|rules| (rules.name.as_str(), rules)).collect(),
            profiler: Profiler::plain(),
            detector: detects.then(|| ColumnDetector::new(&DetectorOptions::default())),
        }
    }

    /// The columns of the environment.
    fn columns(&self) -> impl Iterator<Item = &'a ColumnRules> {
        let environment = self.environment;
        self.schema.columns.iter().filter(move |rules| rules.is_in(environment))
    }

    /// The label, where the environment has it.
    fn label(&self) -> Option<&'a LabelRules> {
        self.schema.label.as_ref().filter(|label| self.rules.contains_key(label.column.as_str()))
    }

    /// How many rows each finding names, at most.
    fn listed(&self) -> usize {
        let schema = self.schema;
        let of_rows = schema.keys.len() + schema.expressions.len();
        let many = (schema.columns.len() + of_rows).max(1);
        self.options.listed.min(LISTED_ROWS).min(LISTED_ROWS_ALL / many)
    }

    fn environment_is_known(&self) -> bool {
        self.options.environment.is_none_or(|given| self.schema.environments.iter().any(|one| one == given))
    }

    fn checking(&'a self, path: &str, width: usize, rules: Option<&'a ColumnRules>) -> Checking<'a> {
        let watched = rules.map(|rules| {
            let known = rules.references.as_ref().and_then(|references| {
                self.options.tables.get(&references.table)?.column(&references.column)
            });
            Watched::new(rules, self.label(), known, self.detector.as_ref()).listing(self.listed())
        });
        Checking { profiling: self.profiler.start(path, width), unprofiled: false, watched }
    }
}

/// Profiles each column, watches those that have rules, and looks at rows where that is asked for.
struct Checker<'a> {
    context: &'a Context<'a>,
    checks: RowChecks<'a>,
}

impl<'a> Sink for Checker<'a> {
    type State = Checking<'a>;

    fn start(&self, path: &str, width: usize) -> Checking<'a> {
        self.context.checking(path, width, self.context.rules.get(path).copied())
    }

    fn observe(&self, state: &mut Checking<'a>, column: &Column<'_>) {
        self.context.observe(state, column);
    }

    fn merge(&self, state: &mut Checking<'a>, after: Checking<'a>) {
        self.context.merge(state, after);
    }

    fn together(&self) -> &[String] {
        &self.checks.wanted
    }

    fn rows(&self, rows: &TableRows<'_>) {
        self.checks.rows(rows);
    }
}
