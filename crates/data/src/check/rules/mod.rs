//! The rules of one column while a batch is read: a file for each family of rules.
//!
//! A rule is shown one column batch after the other. Most batches keep most rules, so a rule first looks at the lane as a
//! whole ([`Rule::clean`]: the range of its numbers, whether it has nulls, the entries of its dictionary), and only where
//! that finds something at the cells one by one ([`Rule::cell`]), which is what counts and says where. To add a rule, write
//! such a file, name it in [`Watcher`], make it in [`Watched::new`], and let the judge weigh it.

mod domain;
mod kind;
mod label;
mod length;
mod pattern;
mod pii;
mod presence;
mod range;
mod references;

use std::collections::HashMap;

pub(super) use self::domain::Domain;
pub(super) use self::kind::Kind;
pub(super) use self::label::Labels;
pub(super) use self::length::Length;
pub(super) use self::pattern::Pattern;
pub(super) use self::pii::Pii;
pub(super) use self::presence::Presence;
pub(super) use self::range::Range;
pub(super) use self::references::References;
use super::report::Example;
use super::tables::KnownValues;
use crate::cell::{self, Value};
use crate::expression::{time_in, time_of};
use crate::limits::EXAMPLES;
use crate::number::Number;
use crate::pii::ColumnDetector;
use crate::profile::ColumnType;
use crate::read::batch::{Cell, Column, Lane};
use crate::schema::{ColumnRules, LabelRules};

/// A rule of one column.
pub(super) trait Rule {
    /// Whether a glance at the lane shows that no cell of it breaks the rule. `false` is always right.
    fn clean(&self, lane: &Lane<'_>) -> bool;

    /// Looks at one cell: for [`Presence`] any, for the others one whose value is of the column's type, or any that has a
    /// value where the column asks for that.
    fn cell(&mut self, row: u64, cell: &Cell<'_>);
}

/// How often a rule was broken, and where first.
#[derive(Debug, Default, Clone)]
pub(super) struct Counted {
    pub(super) count: u64,
    pub(super) examples: Vec<Example>,
    /// The first rows, up to `listed` of them.
    pub(super) rows: Vec<u64>,
    listed: usize,
}

impl Counted {
    /// Nothing yet, noting up to so many rows.
    pub(super) fn listing(listed: usize) -> Self {
        Self { listed, ..Self::default() }
    }

    /// Counts a row that breaks a rule of rows; the example says `shape`.
    pub(super) fn row(&mut self, row: u64, shape: impl FnOnce() -> String) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(Example { row, shape: shape() });
        }
        self.list(row);
    }

    /// Notes a row, counted or not, while there is room.
    pub(super) fn list(&mut self, row: u64) {
        if self.rows.len() < self.listed {
            self.rows.push(row);
        }
    }

    pub(super) fn add(&mut self, row: u64, cell: &Cell<'_>) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(Example { row, shape: cell::shape(&cell.text()) });
        }
        // Elements of one list come from one row.
        if self.rows.len() < self.listed && self.rows.last() != Some(&row) {
            self.rows.push(row);
        }
    }

    /// Takes in what was found in later rows.
    pub(super) fn merge(&mut self, after: Self) {
        self.count += after.count;
        let room = EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(after.examples.into_iter().take(room));
        let room = self.listed.saturating_sub(self.rows.len());
        self.rows.extend(after.rows.into_iter().take(room));
    }
}

/// What is counted against the rules of one column.
pub(super) struct Watched<'a> {
    pub(super) rules: &'a ColumnRules,
    pub(super) present: u64,
    pub(super) presence: Presence,
    pub(super) kind: Kind,
    pub(super) range: Option<Range>,
    pub(super) domain: Option<Domain<'a>>,
    pub(super) length: Option<Length>,
    pub(super) pattern: Option<Pattern<'a>>,
    /// When the other table is there.
    pub(super) references: Option<References<'a>>,
    pub(super) pii: Option<Pii<'a>>,
    /// For the label alone, when the schema knows shares.
    pub(super) labels: Option<Labels<'a>>,
}

impl<'a> Watched<'a> {
    /// `known` are the values that the column's own are looked up among, if they are there, and `detector` finds
    /// personal data.
    pub(super) fn new(
        rules: &'a ColumnRules,
        label: Option<&'a LabelRules>,
        known: Option<&'a KnownValues>,
        detector: Option<&'a ColumnDetector>,
    ) -> Self {
        let labels = label.filter(|label| label.column == rules.name && !label.shares.is_empty());
        Self {
            rules,
            present: 0,
            presence: Presence::default(),
            kind: Kind::new(rules.kind),
            range: rules.range.map(|range| Range::new(range, rules.every_value)),
            domain: rules.domain.as_ref().map(|domain| Domain::new(domain, rules.kind)),
            length: (rules.min_length.is_some() || rules.max_length.is_some())
                .then(|| Length::new(rules.min_length, rules.max_length)),
            pattern: rules.pattern.as_ref().map(Pattern::new),
            references: known.map(|known| References::new(known, rules.kind)),
            pii: detector.filter(|_| rules.no_pii).map(|detector| Pii::new(detector, &rules.name)),
            labels: labels.map(|label| Labels::new(label, rules.kind)),
        }
    }

    /// The same, noting up to so many rows that break each rule.
    pub(super) fn listing(mut self, listed: usize) -> Self {
        let Self { presence, kind, range, domain, length, pattern, references, pii, labels, .. } = &mut self;
        let counted = [
            Some(&mut presence.missing),
            Some(&mut kind.wrong),
            range.as_mut().map(|range| &mut range.outside),
            domain.as_mut().map(|domain| &mut domain.unseen),
            length.as_mut().map(|length| &mut length.outside),
            pattern.as_mut().map(|pattern| &mut pattern.unmatched),
            references.as_mut().map(|references| &mut references.missing),
            pii.as_mut().map(|pii| &mut pii.found),
            labels.as_mut().map(|labels| &mut labels.unseen),
        ];
        counted.into_iter().flatten().for_each(|counted| counted.listed = listed);
        self
    }

    pub(super) fn observe(&mut self, column: &Column<'_>) {
        let lane = &column.lane;
        let missing = self.presence.missing.count;
        self.presence.observe(column);
        self.present += column.len() as u64 - (self.presence.missing.count - missing);
        if let Some(labels) = &mut self.labels {
            labels.observe(column);
        }
        if !self.kind.clean(lane) {
            (0..column.len()).for_each(|at| self.kind.cell(column.row(at), &column.cell(at)));
        }
        // Without a type, every value is shown.
        let kind = (!self.rules.every_value).then_some(self.rules.kind);
        if let Some(range) = &mut self.range {
            accepted(range, kind, column);
        }
        if let Some(domain) = &mut self.domain {
            accepted(domain, kind, column);
        }
        if let Some(length) = &mut self.length {
            accepted(length, kind, column);
        }
        if let Some(pattern) = &mut self.pattern {
            accepted(pattern, kind, column);
        }
        if let Some(references) = &mut self.references {
            accepted(references, kind, column);
        }
        // What is of another type can be somebody's as well.
        if let Some(pii) = &mut self.pii
            && !pii.clean(lane)
        {
            (0..column.len()).for_each(|at| pii.cell(column.row(at), &column.cell(at)));
        }
    }

    /// Takes in what was seen in later rows.
    pub(super) fn merge(&mut self, after: Self) {
        self.present += after.present;
        self.presence.missing.merge(after.presence.missing);
        self.kind.wrong.merge(after.kind.wrong);
        if let (Some(mine), Some(theirs)) = (&mut self.range, after.range) {
            mine.outside.merge(theirs.outside);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.domain, after.domain) {
            mine.unseen.merge(theirs.unseen);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.length, after.length) {
            mine.outside.merge(theirs.outside);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.pattern, after.pattern) {
            mine.unmatched.merge(theirs.unmatched);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.references, after.references) {
            mine.missing.merge(theirs.missing);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.pii, after.pii) {
            mine.merge(theirs);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.labels, after.labels) {
            mine.merge(theirs);
        }
    }

    /// Rows that no batch showed: lines of JSON that do not have the key, before it was first seen or anywhere.
    pub(super) fn absent(&mut self, rows: u64) {
        self.presence.missing.count += rows;
    }
}

/// Shows the values that are of a type to a rule.
fn accepted(rule: &mut impl Rule, kind: Option<ColumnType>, column: &Column<'_>) {
    if rule.clean(&column.lane) {
        return;
    }
    for at in 0..column.len() {
        let cell = column.cell(at);
        if cell.value != Value::Null && kind.is_none_or(|kind| kind.accepts(cell.value)) {
            rule.cell(column.row(at), &cell);
        }
    }
}

/// Texts that are known, as a column of a type knows them: numbers, truth values and times by what they are, all else by
/// its bytes.
pub(super) struct Known<'a> {
    kind: ColumnType,
    texts: HashMap<&'a [u8], usize>,
    numbers: HashMap<Number, usize>,
    times: HashMap<i128, usize>,
    truths: [Option<usize>; 2],
}

impl<'a> Known<'a> {
    pub(super) fn new(kind: ColumnType, values: impl Iterator<Item = &'a str>) -> Self {
        let (texts, numbers, times) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut known = Self { kind, texts, numbers, times, truths: [None; 2] };
        for (at, value) in values.enumerate() {
            let text = value.as_bytes();
            known.texts.insert(text, at);
            if kind.is_number()
                && let Some(value) = cell::number(text.trim_ascii())
                && let Some(number) = Number::in_text(text, value)
            {
                known.numbers.insert(number, at);
            }
            if is_time(kind)
                && let Some(time) = time_of(text.trim_ascii())
            {
                known.times.insert(time, at);
            }
            if kind == ColumnType::Boolean {
                match text {
                    b"true" | b"True" | b"TRUE" => known.truths[1] = Some(at),
                    b"false" | b"False" | b"FALSE" => known.truths[0] = Some(at),
                    _ => {}
                }
            }
        }
        known
    }

    /// The place of a cell's value among those that are known.
    pub(super) fn place(&self, cell: &Cell<'_>) -> Option<usize> {
        // What was written exactly as the schema writes it is that.
        self.texts.get(&*cell.text()).copied().or_else(|| match cell.value {
            Value::Boolean if self.kind == ColumnType::Boolean => {
                let [falsehood, truth] = self.truths;
                if cell.truth()? { truth } else { falsehood }
            }
            Value::Integer(_) | Value::Float(_) if self.kind.is_number() => {
                self.numbers.get(&Number::in_cell(cell)?).copied()
            }
            Value::Date | Value::Timestamp if is_time(self.kind) => self.times.get(&time_in(cell)?).copied(),
            _ => None,
        })
    }
}

const fn is_time(kind: ColumnType) -> bool {
    matches!(kind, ColumnType::Date | ColumnType::Timestamp)
}
