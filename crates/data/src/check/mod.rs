//! Checking a batch against a schema: one pass, and a verdict only when every check ran to the end.

mod judge;
mod report;

use std::io::Read;

use crate::cell::{self, Value};
use crate::csv::{CsvReader, ReadError};
use crate::limits::EXAMPLES;
use crate::profile::Profile;
use crate::schema::{ColumnRules, Schema};

pub use self::report::{Example, Finding, Outcome, Report, Rule, Tier};

/// Reads a batch once and checks it against a schema.
///
/// # Errors
/// When the batch cannot be read to its end; then there is no verdict.
pub fn check(input: impl Read, schema: &Schema, tier: Tier) -> Result<Report, ReadError> {
    let reader = CsvReader::open(input, &schema.csv_options())?;
    let header = reader.header().to_vec();
    let mut watched: Vec<Option<Watched<'_>>> =
        header.iter().map(|name| schema.column(name).map(Watched::new)).collect();
    let mut profile = Profile::new(&header, &schema.csv.null);
    let outcome = reader.for_each_row(|row| {
        let number = row.number();
        profile.observe(row, |at, cell, value| {
            if let Some(Some(watched)) = watched.get_mut(at) {
                watched.observe(number, cell, value);
            }
        });
    })?;
    let watched: Vec<Watched<'_>> = watched.into_iter().flatten().collect();
    Ok(judge::judge(schema, tier, &header, &watched, profile, &outcome))
}

/// What is counted against the rules of one column.
pub(crate) struct Watched<'a> {
    pub(crate) rules: &'a ColumnRules,
    pub(crate) present: u64,
    pub(crate) missing: Counted,
    pub(crate) wrong_type: Counted,
    pub(crate) outside: Counted,
    pub(crate) unseen: Counted,
    pub(crate) too_long: Counted,
}

/// How often a rule was broken, and where first.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) count: u64,
    pub(crate) examples: Vec<Example>,
}

impl Counted {
    fn add(&mut self, row: u64, cell: &[u8]) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(Example { row, shape: cell::shape(cell) });
        }
    }
}

impl<'a> Watched<'a> {
    fn new(rules: &'a ColumnRules) -> Self {
        Self {
            rules,
            present: 0,
            missing: Counted::default(),
            wrong_type: Counted::default(),
            outside: Counted::default(),
            unseen: Counted::default(),
            too_long: Counted::default(),
        }
    }

    fn observe(&mut self, row: u64, cell: &[u8], value: Value) {
        let number = match value {
            Value::Null => {
                self.missing.add(row, cell);
                return;
            }
            Value::Integer(integer) => Some(integer as f64),
            Value::Float(float) => Some(float),
            Value::Boolean | Value::Date | Value::Timestamp | Value::Text => None,
        };
        self.present += 1;
        if !self.rules.kind.accepts(value) {
            self.wrong_type.add(row, cell);
            return;
        }
        if let (Some(range), Some(number)) = (self.rules.range, number)
            && !(range.min..=range.max).contains(&number)
        {
            self.outside.add(row, cell);
        }
        if let Some(domain) = &self.rules.domain
            && domain.values.binary_search_by(|known| known.as_bytes().cmp(cell)).is_err()
        {
            self.unseen.add(row, cell);
        }
        if let Some(longest) = self.rules.max_length
            && u64::try_from(cell::length(cell)).unwrap_or(u64::MAX) > longest
        {
            self.too_long.add(row, cell);
        }
    }
}
