//! Where rules go: into the place that a column has for them, or into an expression that says the same.

use std::collections::HashMap;

use super::suite::{Expectation, Suite, plain};
use super::types::Types;
use super::{condition, translate::Done};
use crate::csv::{CsvFormat, Encoding, NullTokens, Separator};
use crate::expression::Expression;
use crate::limits::{COLUMN_NAME_BYTES, COLUMNS, ROW_COLUMNS, ROW_RULES};
use crate::profile::{ColumnType, Profile};
use crate::schema::{
    ColumnRules, CsvRules, ExpressionRules, RowRules, Schema, Severity, SliceRules, StatisticsRules,
};

pub(super) struct Builder {
    pub(super) schema: Schema,
    /// Rules that columns have, each with its severity: there is one for all that a rule bounds.
    used: HashMap<(String, String), Severity>,
    /// The columns of the data that the suite is about.
    known: Vec<(String, ColumnType)>,
}

/// Whether a schema can have a column of that name with one value in each row.
fn is_sound(name: &str) -> bool {
    !name.trim().is_empty()
        && name.len() <= COLUMN_NAME_BYTES
        && !name.contains("[]")
        && !name.chars().any(char::is_control)
}

impl Builder {
    /// A schema of the columns that a suite names, of which nothing is asked yet.
    pub(super) fn new(suite: &Suite, like: Option<(&Profile, CsvFormat)>) -> Self {
        let types = Types::of(suite);
        let profile = like.map(|(profile, _)| profile);
        let format = like
            .map_or(CsvFormat { separator: Separator::COMMA, encoding: Encoding::Utf8 }, |(_, format)| {
                format
            });
        let mut columns: Vec<ColumnRules> = Vec::new();
        let mut known = std::collections::HashSet::new();
        let mut gravest: HashMap<&str, Severity> = HashMap::new();
        for one in &suite.expectations {
            for name in one.columns() {
                let known = gravest.entry(name).or_insert(one.severity);
                *known = one.severity.max(*known);
            }
        }
        for name in suite.expectations.iter().flat_map(Expectation::columns) {
            if !is_sound(name) || columns.len() >= COLUMNS || !known.insert(name) {
                continue;
            }
            let (kind, stated) = types.get(name);
            let found = profile.and_then(|profile| profile.column(name)).map(|column| column.column_type());
            // That all numbers were whole, and all times midnight, is not what was expected.
            let found = found.map(|kind| match kind {
                ColumnType::Integer => ColumnType::Float,
                ColumnType::Date => ColumnType::Timestamp,
                other => other,
            });
            let kind = if stated { kind } else { found.unwrap_or(kind) };
            let mut rules = ColumnRules::new(name.to_owned(), kind);
            rules.severities.insert("type".to_owned(), Severity::Warn);
            // Without the column whatever names it fails, as gravely as that is meant.
            if gravest.get(name) == Some(&Severity::Warn) {
                rules.severities.insert("missing-column".to_owned(), Severity::Warn);
            }
            columns.push(rules);
        }
        Self {
            schema: Schema {
                csv: CsvRules {
                    separator: format.separator,
                    encoding: format.encoding,
                    null: profile.map_or_else(NullTokens::default, |profile| profile.null().clone()),
                },
                rows: RowRules::default(),
                unexpected_columns: None,
                environments: Vec::new(),
                reference: None,
                label: None,
                columns,
                keys: Vec::new(),
                expressions: Vec::new(),
                slices: Vec::new(),
            },
            used: HashMap::new(),
            known: profile.map_or_else(Vec::new, |profile| {
                let typed = profile.columns().iter().map(|one| (one.name().to_owned(), one.column_type()));
                typed.collect()
            }),
        }
    }

    pub(super) fn finish(self) -> Schema {
        self.schema
    }

    pub(super) fn kind(&self, column: &str) -> Result<ColumnType, String> {
        let known = self.schema.column(column).map(|column| column.kind);
        known.ok_or_else(|| format!("`{}` cannot be the name of a column here", plain(column)))
    }

    pub(super) fn column(&mut self, name: &str) -> Result<&mut ColumnRules, String> {
        let mut columns = self.schema.columns.iter_mut();
        let known = columns.find(|column| column.name == name);
        known.ok_or_else(|| format!("`{}` cannot be the name of a column here", plain(name)))
    }

    /// Whether it is no more than a warning that a column is not there.
    pub(super) fn only_warned(&self, column: &str) -> bool {
        let known = self.schema.column(column);
        known.is_some_and(|column| column.severity_of("missing-column") == Severity::Warn)
    }

    /// Gives a column a rule, if the place for it is free, and notes its severity.
    pub(super) fn slot(
        &mut self,
        of: &Expectation,
        rule: &str,
        put: impl FnOnce(&mut ColumnRules) -> bool,
    ) -> Result<bool, String> {
        let Some(name) = of.column() else { return Ok(false) };
        let severity = of.severity;
        let used = self.used.get(&(name.to_owned(), rule.to_owned()));
        let taken = used.is_some_and(|known| *known != severity);
        let column = self.column(name)?;
        if column.kind == ColumnType::List && matches!(rule, "domain" | "length" | "pattern") {
            return Err(format!(
                "column `{}` holds lists, whose elements are a column of their own",
                plain(name)
            ));
        }
        let put = !taken && put(column);
        if put && severity == Severity::Warn {
            column.severities.insert(rule.to_owned(), severity);
        }
        // What is of another type is none of a set's values, and is as long, and looks, as it is written.
        if put && matches!(rule, "domain" | "length" | "pattern") && column.kind != ColumnType::String {
            column.every_value = true;
        }
        if put {
            self.used.insert((name.to_owned(), rule.to_owned()), severity);
        }
        Ok(put)
    }

    /// Has a column's values of another type count as much as the expectation does: there it could not be tried with them.
    pub(super) fn needs_type(&mut self, column: &str, severity: Severity) {
        if severity == Severity::Block
            && let Ok(column) = self.column(column)
        {
            column.severities.remove("type");
        }
    }

    fn room(&self, rules: usize) -> Result<(), String> {
        if rules >= ROW_RULES || self.schema.row_columns(None).len() + 16 > ROW_COLUMNS {
            return Err("the schema has no room for more rules of rows".to_owned());
        }
        Ok(())
    }

    /// The rows that an expectation is about, if not all. Its columns come into the schema when they are not there.
    fn when(&mut self, of: &Expectation) -> Result<Option<Expression>, String> {
        let Some(condition) = of.get("row_condition") else { return Ok(None) };
        let mut named = Vec::new();
        let text = condition::expression(condition, &mut named)?;
        let written = |column: &(String, ColumnType)| text.contains(&condition::name(&column.0));
        let mut candidates: Vec<(String, ColumnType)> =
            self.known.iter().filter(|one| written(one)).cloned().collect();
        candidates.extend(named);
        let there = self.schema.columns.len();
        for (name, kind) in candidates {
            if is_sound(&name) && self.schema.columns.len() < COLUMNS && self.schema.column(&name).is_none() {
                let mut rules = ColumnRules::new(name, kind);
                rules.severities.insert("type".to_owned(), Severity::Warn);
                self.schema.columns.push(rules);
            }
        }
        // Whether it is about Spark or a database a condition does not say, unless in its parser's name.
        let settled = match of.text("condition_parser") {
            Some("spark") => Ok(text),
            _ => {
                let settled =
                    Expression::settled(&text, &|name| self.schema.column(name).map(|one| one.kind));
                settled.map_err(|error| format!("as an expression, {error}"))
            }
        };
        match settled.and_then(|text| self.parsed(&text)) {
            Ok(when) => {
                // A name can be part of another.
                let used = |name: &str| when.columns().any(|column| column == name);
                let mut at = 0;
                self.schema.columns.retain(|column| {
                    at += 1;
                    at <= there || used(&column.name)
                });
                self.condition_columns(&when, there, of.severity);
                // What is of another type has no order among the others.
                if when.as_str().contains(['<', '>']) {
                    when.columns().for_each(|column| self.needs_type(column, of.severity));
                }
                Ok(Some(when))
            }
            Err(why) => {
                self.schema.columns.truncate(there);
                Err(why)
            }
        }
    }

    /// Without a column of its condition an expectation fails as it does without one that it is about: as gravely as the
    /// gravest of all that need the column. Those from place `new` on are needed by this one alone so far.
    fn condition_columns(&mut self, when: &Expression, new: usize, severity: Severity) {
        for (at, column) in self.schema.columns.iter_mut().enumerate() {
            if !when.columns().any(|name| name == column.name) {
                continue;
            }
            match severity {
                Severity::Block => drop(column.severities.remove("missing-column")),
                Severity::Warn if at >= new => {
                    column.severities.insert("missing-column".to_owned(), severity);
                }
                Severity::Warn => {}
            }
        }
    }

    fn parsed(&self, text: &str) -> Result<Expression, String> {
        let parsed = Expression::parse(text, &|name| self.schema.column(name).map(|column| column.kind));
        parsed.map_err(|error| format!("as an expression, {error}"))
    }

    /// Adds an expression that the rows of an expectation keep.
    pub(super) fn expression(
        &mut self,
        of: &Expectation,
        place: usize,
        holds: &str,
        max_broken: f64,
    ) -> Result<Done, String> {
        self.room(self.schema.expressions.len())?;
        let when = self.when(of)?;
        let holds = self.parsed(holds)?;
        let mut name = format!("{place}. {}", of.kind);
        if self.schema.expressions.iter().any(|one| one.name == name) {
            name.push_str(" (2)");
        }
        let how = match &when {
            None => format!("expression `{}`", holds.as_str()),
            Some(when) => format!("expression `{}` when `{}`", holds.as_str(), when.as_str()),
        };
        // What an expression sees of another type is as if it were missing. These are not easier to keep for that.
        let regardless = matches!(
            of.kind.as_str(),
            "expect_column_values_to_not_be_null"
                | "expect_column_values_to_not_be_in_set"
                | "expect_multicolumn_values_to_be_unique"
                | "expect_select_column_values_to_be_unique_within_record"
        );
        if !regardless {
            holds.columns().for_each(|column| self.needs_type(column, of.severity));
        }
        self.schema.expressions.push(ExpressionRules {
            name,
            when,
            holds,
            max_broken,
            severity: of.severity,
        });
        Ok(Done::whole(how))
    }

    /// Gives bounds of figures to a column, or to a slice of it.
    pub(super) fn statistics(
        &mut self,
        of: &Expectation,
        place: usize,
        put: impl FnOnce(&mut StatisticsRules) -> bool,
    ) -> Result<Done, String> {
        let name = of.column().ok_or_else(|| "it names no column".to_owned())?.to_owned();
        let kind = self.kind(&name)?;
        if !kind.is_number() {
            return Err(format!(
                "column `{}` is of type {kind}, which has no such figure here",
                plain(&name)
            ));
        }
        let Some(when) = self.when(of)? else {
            if self.slot(of, "statistics", |column| put(&mut column.statistics))? {
                self.needs_type(&name, of.severity);
                return Ok(Done::whole("`statistics`".to_owned()));
            }
            return Err("the column has other bounds of that figure already".to_owned());
        };
        self.room(self.schema.slices.len())?;
        let mut rules = ColumnRules::new(name, kind);
        rules.severity = of.severity;
        put(&mut rules.statistics);
        let how = format!("slice `{}` with `statistics`", when.as_str());
        self.schema.slices.push(SliceRules {
            name: format!("{place}. {}", of.kind),
            when,
            rows: RowRules::default(),
            columns: vec![rules],
            severity: of.severity,
        });
        Ok(Done::whole(how))
    }
}
