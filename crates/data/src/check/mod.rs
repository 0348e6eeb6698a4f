//! Checking a batch against a schema: one pass, and a verdict only when every check ran to the end.

mod judge;
mod report;

use std::collections::HashMap;
use std::io::Read;

use crate::cell::{self, Value};
use crate::csv::{CsvReader, ReadError};
use crate::limits::EXAMPLES;
use crate::profile::Profile;
use crate::schema::{ColumnRules, LabelRules, Schema};

pub use self::report::{Example, Finding, Outcome, Report, Rule, Tier};

/// Reads a batch once and checks it against a schema.
///
/// # Errors
/// When the batch cannot be read to its end; then there is no verdict.
pub fn check(input: impl Read, schema: &Schema, tier: Tier) -> Result<Report, ReadError> {
    let reader = CsvReader::open(input, &schema.csv_options())?;
    let header = reader.header().to_vec();
    let rules: HashMap<&str, &ColumnRules> =
        schema.columns.iter().map(|rules| (rules.name.as_str(), rules)).collect();
    let mut watched: Vec<Option<Watched<'_>>> = header
        .iter()
        .map(|name| rules.get(name.as_str()).map(|rules| Watched::new(rules, schema.label.as_ref())))
        .collect();
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
    /// For the label alone, when the schema knows shares.
    pub(crate) labels: Option<Labels<'a>>,
}

/// How often each label of the schema came. The profile cannot say it: it stops counting when there are too many
/// distinct values.
pub(crate) struct Labels<'a> {
    pub(crate) rules: &'a LabelRules,
    /// In the order of the schema.
    pub(crate) counts: Vec<u64>,
    pub(crate) unseen: Counted,
    places: HashMap<&'a [u8], usize>,
}

impl<'a> Labels<'a> {
    fn new(rules: &'a LabelRules) -> Self {
        let places = rules.shares.iter().enumerate().map(|(at, (value, _))| (value.as_bytes(), at)).collect();
        Self { rules, counts: vec![0; rules.shares.len()], unseen: Counted::default(), places }
    }

    fn observe(&mut self, row: u64, cell: &[u8]) {
        match self.places.get(cell).and_then(|at| self.counts.get_mut(*at)) {
            Some(count) => *count += 1,
            None => self.unseen.add(row, cell),
        }
    }
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
    fn new(rules: &'a ColumnRules, label: Option<&'a LabelRules>) -> Self {
        let labels = label.filter(|label| label.column == rules.name && !label.shares.is_empty());
        Self {
            rules,
            present: 0,
            missing: Counted::default(),
            wrong_type: Counted::default(),
            outside: Counted::default(),
            unseen: Counted::default(),
            too_long: Counted::default(),
            labels: labels.map(Labels::new),
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
        if let Some(labels) = &mut self.labels {
            labels.observe(row, cell);
        }
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
