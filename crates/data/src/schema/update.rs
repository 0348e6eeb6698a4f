//! Evolving a schema: what a batch breaks that may be normal from now on is allowed, in the text that people edited.
//!
//! Types, ranges, domains and lengths are widened, presence is relaxed, new columns are added. Nothing is made stricter or
//! taken away, comments and order stay. What a person alone can have written (patterns, keys, expressions, slices, figures,
//! distributions, labels) is left, and said to be broken.

use std::collections::BTreeSet;

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

use super::infer::{column_rules, range};
use super::text::column_toml;
use super::{ColumnRules, Schema, SchemaInvalid, Severity};
use crate::check::{Finding, Report, Rule};
use crate::limits::DOMAIN_VALUES;
use crate::profile::{ColumnProfile, ColumnType};
use crate::report::Gate;

/// A schema that allows what a batch holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Updated {
    /// The text, with the comments and in the order of the one before.
    pub text: String,
    /// What changed, in the order of the findings.
    pub changes: Vec<Change>,
    /// What the batch breaks and was left as it was.
    pub left: Vec<Left>,
}

/// What changed in one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The column; absent for rules about the whole batch.
    pub column: Option<String>,
    /// The key in the text, or `column` for a whole one.
    pub rule: &'static str,
    /// What it was, if anything.
    pub from: Option<String>,
    /// What it is.
    pub to: String,
}

/// A rule that is broken and was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The column; absent for rules about the whole batch.
    pub column: Option<String>,
    /// The id of the rule.
    pub rule: &'static str,
    /// Why it was left.
    pub why: String,
}

/// A schema cannot be evolved.
#[derive(Debug, thiserror::Error)]
pub enum NotUpdated {
    /// It is not one.
    #[error(transparent)]
    Invalid(#[from] SchemaInvalid),
    /// Its columns are written in a way that leaves no place for changes.
    #[error(
        "the columns of the schema are not tables `[[column]]` of their own, so that they cannot be edited"
    )]
    Shape,
}

impl Schema {
    /// The text of a schema that allows what the batch of a report holds. The report has to be one of a check against
    /// `text`.
    ///
    /// # Errors
    /// When the text is no schema, or its columns are not `[[column]]`.
    pub fn update(text: &str, report: &Report, environment: Option<&str>) -> Result<Updated, NotUpdated> {
        let schema = Self::parse(text)?;
        let document: DocumentMut = text.parse().map_err(|_| NotUpdated::Shape)?;
        let mut update = Update {
            schema: &schema,
            report,
            environment: schema.environment(environment).map(str::to_owned),
            named: environment.is_some(),
            document,
            changes: Vec::new(),
            left: Vec::new(),
            gate: Gate::new(),
        };
        // What did not run was not broken.
        let ran = report.each.iter().filter(|check| check.ran).flat_map(|check| &check.findings);
        let ran: BTreeSet<usize> = ran.copied().collect();
        for place in ran {
            if let Some(finding) = report.findings.get(place) {
                update.finding(finding)?;
            }
        }
        // What a report had no room for is not known to be one thing or another.
        let lost = report.each.iter().filter(|check| check.ran).flat_map(|check| {
            check.findings.iter().filter(|place| **place >= report.findings.len()).map(|_| check.rule)
        });
        let lost: Vec<Rule> = lost.collect();
        if let Some(rule) = lost.first() {
            update.leave(
                None,
                *rule,
                format!("{} findings are more than a report holds: update again", lost.len()),
            );
        }
        let Update { document, changes, left, .. } = update;
        let text = match changes.is_empty() {
            true => text.to_owned(),
            false => with_ends_of(text, document.to_string()),
        };
        // What was written has to be what is read.
        Self::parse(&text)?;
        Ok(Updated { text, changes, left })
    }
}

struct Update<'a> {
    schema: &'a Schema,
    report: &'a Report,
    environment: Option<String>,
    /// Whether the environment was said, and not taken for the first one.
    named: bool,
    document: DocumentMut,
    changes: Vec<Change>,
    left: Vec<Left>,
    gate: Gate,
}

impl Update<'_> {
    fn finding(&mut self, finding: &Finding) -> Result<(), NotUpdated> {
        let name = finding.column.as_deref();
        // A finding in a slice is about the slice.
        let in_slice = finding.message.starts_with("in slice `");
        match (finding.rule, name) {
            (Rule::Rows, _) => self.rows(finding),
            (Rule::UnexpectedColumn, Some(name)) => return self.unexpected(name, finding),
            (Rule::MissingColumn, Some(name)) => return self.missing(name),
            (Rule::Type, Some(name)) if !in_slice => return self.kind(name, finding),
            (Rule::Presence | Rule::Range | Rule::Domain | Rule::Length, Some(name)) if !in_slice => {
                let profiled = self.report.profile.column(name);
                let rules = self.schema.column(name);
                match profiled.zip(rules) {
                    Some((profiled, rules)) => return self.widen(finding, profiled, rules),
                    None => self.leave_found(finding),
                }
            }
            _ => self.leave_found(finding),
        }
        Ok(())
    }

    fn changed(&mut self, column: Option<&str>, rule: &'static str, from: Option<String>, to: String) {
        self.changes.push(Change { column: column.map(str::to_owned), rule, from, to });
    }

    fn leave(&mut self, column: Option<&str>, rule: Rule, why: String) {
        self.left.push(Left { column: column.map(str::to_owned), rule: rule.id(), why });
    }

    fn leave_found(&mut self, finding: &Finding) {
        self.leave(finding.column.as_deref(), finding.rule, finding.message.clone());
    }

    /// The table of a column.
    fn column(&mut self, name: &str) -> Result<&mut Table, NotUpdated> {
        let tables = self.document.get_mut("column").and_then(Item::as_array_of_tables_mut);
        let mut tables = tables.ok_or(NotUpdated::Shape)?.iter_mut();
        let of = |table: &&mut Table| table.get("name").and_then(Item::as_str) == Some(name);
        tables.find(of).ok_or(NotUpdated::Shape)
    }

    fn rows(&mut self, finding: &Finding) {
        let rows = finding.count;
        let (min, max) = (self.schema.rows.min, self.schema.rows.max);
        let (key, from) = match (min, max) {
            (Some(min), _) if rows < min => ("min", min),
            (_, Some(max)) if rows > max => ("max", max),
            _ => return self.leave_found(finding),
        };
        if let Some(table) = self.document.get_mut("rows").and_then(Item::as_table_like_mut) {
            set(table, key, i64::try_from(rows).unwrap_or(i64::MAX));
            let rule = if key == "min" { "rows.min" } else { "rows.max" };
            self.changed(None, rule, Some(from.to_string()), rows.to_string());
        } else {
            self.leave_found(finding);
        }
    }

    /// What kept the schema with the column there has to keep it still. Where columns that are not expected are refused, it
    /// would not in an environment that no longer has it; so that is taken away only where they are not, and where the
    /// environment was said rather than taken for the first one. Nor is it where keys, expressions or slices name the column:
    /// an environment that does not have all that they name is not asked for them.
    fn missing(&mut self, name: &str) -> Result<(), NotUpdated> {
        let of = self.schema.column(name).map_or(&[][..], |column| &column.environments);
        let all = if of.is_empty() { &self.schema.environments } else { of };
        let others: Vec<String> =
            all.iter().filter(|one| Some(*one) != self.environment.as_ref()).cloned().collect();
        let free = self.schema.unexpected_columns != Some(Severity::Block)
            && !self.schema.joint_columns().contains(&name);
        if self.named && free && !others.is_empty() {
            let from = (!of.is_empty()).then(|| of.join(", "));
            let list: Array = others.iter().map(String::as_str).collect();
            set(self.column(name)?, "environments", list);
            self.changed(Some(name), "environments", from, others.join(", "));
            return Ok(());
        }
        self.optional(name)
    }

    fn optional(&mut self, name: &str) -> Result<(), NotUpdated> {
        set(self.column(name)?, "optional", true);
        self.changed(Some(name), "optional", Some("false".to_owned()), "true".to_owned());
        Ok(())
    }

    fn unexpected(&mut self, name: &str, finding: &Finding) -> Result<(), NotUpdated> {
        let rows = self.report.rows;
        if let Some(known) = self.schema.column(name) {
            if self.schema.unexpected_columns != Some(Severity::Block) {
                // As a column of the environment its own rules would refuse what was warned of alone.
                self.leave_found(finding);
                return Ok(());
            }
            let environment = self.environment.clone();
            let from = known.environments.join(", ");
            let list = self.column(name)?.get_mut("environments").and_then(Item::as_array_mut);
            let Some((list, environment)) = list.zip(environment) else {
                self.leave_found(finding);
                return Ok(());
            };
            list.push(environment.as_str());
            self.changed(Some(name), "environments", Some(from.clone()), format!("{from}, {environment}"));
            // Batches of the environment that kept the schema did so without it.
            return if known.optional { Ok(()) } else { self.optional(name) };
        }
        let Some(profiled) = self.report.profile.column(name) else {
            self.leave_found(finding);
            return Ok(());
        };
        let mut rules = column_rules(profiled, rows, &self.gate);
        // Batches without it were as they should be, and no environment but this one was said to have it. Where it only
        // warned, what is in it does no more.
        rules.optional = true;
        rules.environments.extend(self.environment.clone().filter(|_| !self.schema.environments.is_empty()));
        rules.severity = self.schema.unexpected_columns.unwrap_or(rules.severity);
        let written = column_toml(&rules)?;
        let mut parsed: DocumentMut = written.parse().map_err(|_| NotUpdated::Shape)?;
        let made = parsed.get_mut("column").and_then(Item::as_array_of_tables_mut);
        let mut table = made.and_then(|tables| tables.get(0)).cloned().ok_or(NotUpdated::Shape)?;
        // Within the column's own table its rules have no place of their own.
        for (mut key, item) in table.iter_mut() {
            if item.is_table() {
                item.make_value();
                key.leaf_decor_mut().clear();
            }
        }
        table.set_position(None);
        table.decor_mut().set_prefix("\n");
        let tables = self.document.get_mut("column").and_then(Item::as_array_of_tables_mut);
        tables.ok_or(NotUpdated::Shape)?.push(table);
        self.changed(Some(name), "column", None, format!("a column of type {}", rules.kind));
        Ok(())
    }

    /// The smallest type that holds what there is and what there was.
    fn kind(&mut self, name: &str, finding: &Finding) -> Result<(), NotUpdated> {
        use ColumnType as C;
        let known = self.schema.column(name).zip(self.report.profile.column(name));
        let Some((rules, profiled)) = known else {
            self.leave_found(finding);
            return Ok(());
        };
        let wider = match (rules.kind, profiled.column_type()) {
            (C::Integer, C::Float) => C::Float,
            (C::Date, C::Timestamp) => C::Timestamp,
            (C::Binary | C::List, _) | (_, C::Binary | C::List) => {
                let why = format!("no type holds both {} and {}", rules.kind, profiled.column_type());
                self.leave(Some(name), Rule::Type, why);
                return Ok(());
            }
            _ => C::String,
        };
        if let Some(why) = self.bound(rules, wider) {
            self.leave(Some(name), Rule::Type, why);
        } else {
            set(self.column(name)?, "type", wider.name());
            self.changed(Some(name), "type", Some(rules.kind.to_string()), wider.to_string());
        }
        Ok(())
    }

    /// Why a column stays of its type, where a wider one would forbid a rule of it, or have rules take its values for others
    /// than they were taken for: a batch that kept the schema would break it.
    fn bound(&self, rules: &ColumnRules, wider: ColumnType) -> Option<String> {
        let name = rules.name.as_str();
        // What has the wrong type is shown to no rule about values, so that a warning may be all that came of it.
        let looked_at = [
            ("range", rules.range.is_some()),
            ("domain", rules.domain.is_some()),
            ("length", rules.min_length.is_some() || rules.max_length.is_some()),
            ("pattern", rules.pattern.is_some()),
            ("references", rules.references.is_some()),
        ];
        let graver = |rule: &str| rules.severity_of(rule) > rules.severity_of(Rule::Type.id());
        let newly = looked_at.iter().find(|(rule, there)| *there && !rules.every_value && graver(rule));
        if let Some((rule, _)) = newly {
            return Some(format!("as {wider} values that are only warned of would be held to `{rule}`"));
        }
        if wider != ColumnType::String {
            return None;
        }
        let forbidden = [
            ("range", rules.range.is_some()),
            ("statistics", !rules.statistics.is_empty()),
            ("freshness", rules.freshness.is_some()),
            ("drift", rules.drift.is_some()),
        ];
        if let Some((rule, _)) = forbidden.iter().find(|(_, there)| *there) {
            return Some(format!("as {wider} it could not have `{rule}`, which a person may want to keep"));
        }
        if self.schema.row_columns(None).iter().any(|column| column == name) {
            let why = "it could no longer be what keys, expressions or slices take it for";
            return Some(format!("as {wider} {why}"));
        }
        let label = self.schema.label.as_ref();
        let spelled = [
            ("`domain`", rules.domain.is_some()),
            ("`references`", rules.references.is_some()),
            ("label shares", label.is_some_and(|label| label.column == name && !label.shares.is_empty())),
        ];
        let (rule, _) = spelled.iter().find(|(_, there)| *there)?;
        Some(format!(
            "as {wider} its {rule} would go by how values are spelled, and no longer by what they are"
        ))
    }

    fn widen(
        &mut self,
        finding: &Finding,
        profiled: &ColumnProfile,
        rules: &ColumnRules,
    ) -> Result<(), NotUpdated> {
        let name = rules.name.as_str();
        let inferred = column_rules(profiled, self.report.rows, &self.gate);
        let before = (self.changes.len(), self.left.len());
        match finding.rule {
            Rule::Presence => {
                let relaxed = inferred.min_present.min(rules.min_present);
                set(self.column(name)?, "min_present", relaxed);
                let from = Some(rules.min_present.to_string());
                self.changed(Some(name), "min_present", from, relaxed.to_string());
            }
            Rule::Range => {
                let observed = profiled.lowest().first().copied().zip(profiled.highest().first().copied());
                let ends = rules.range.zip(observed);
                let seen = range(profiled, profiled.kinds().total());
                let ends = ends.map(|(range, (lowest, highest))| {
                    // Where there is no room beyond what came, that is the end.
                    let (min, max) = seen.map_or((lowest, highest), |seen| (seen.min, seen.max));
                    [
                        ("min", "range.min", range.min, min.min(range.min), lowest < range.min),
                        ("max", "range.max", range.max, max.max(range.max), highest > range.max),
                    ]
                });
                for (key, rule, from, to, broken) in ends.into_iter().flatten() {
                    if broken && to.is_finite() {
                        let table = self.column(name)?.get_mut("range").and_then(Item::as_table_like_mut);
                        set(table.ok_or(NotUpdated::Shape)?, key, to);
                        self.changed(Some(name), rule, Some(from.to_string()), to.to_string());
                    }
                }
            }
            Rule::Length => {
                let (shortest, longest) = profiled.lengths().unwrap_or((u64::MAX, 0));
                let room = inferred.max_length.unwrap_or(longest).max(longest);
                for (key, from, to) in [
                    ("min_length", rules.min_length.filter(|min| shortest < *min), shortest),
                    ("max_length", rules.max_length.filter(|max| longest > *max), room),
                ] {
                    if let Some(from) = from {
                        set(self.column(name)?, key, i64::try_from(to).unwrap_or(i64::MAX));
                        self.changed(Some(name), key, Some(from.to_string()), to.to_string());
                    }
                }
            }
            _ => self.domain(profiled, rules, finding)?,
        }
        if (self.changes.len(), self.left.len()) == before {
            self.leave_found(finding);
        }
        Ok(())
    }

    fn domain(
        &mut self,
        profiled: &ColumnProfile,
        rules: &ColumnRules,
        finding: &Finding,
    ) -> Result<(), NotUpdated> {
        let name = rules.name.as_str();
        let (Some(domain), Some(values)) = (&rules.domain, profiled.values_as(rules.kind)) else {
            let why = "the values are too many to list".to_owned();
            self.leave(Some(name), Rule::Domain, why);
            return Ok(());
        };
        if let Some(kind) = self.gate.personal(profiled) {
            self.leave(Some(name), Rule::Domain, format!("its values look like {kind}"));
            return Ok(());
        }
        let known: BTreeSet<&str> = domain.values.iter().map(String::as_str).collect();
        let new: Vec<_> =
            values.into_iter().map(|(value, _)| value).filter(|value| !known.contains(&**value)).collect();
        if new.is_empty() {
            self.leave_found(finding);
            return Ok(());
        }
        if known.len() + new.len() > DOMAIN_VALUES {
            let why = format!("it would have more than {DOMAIN_VALUES} values");
            self.leave(Some(name), Rule::Domain, why);
            return Ok(());
        }
        let table = self.column(name)?.get_mut("domain").and_then(Item::as_table_like_mut);
        let list = table.and_then(|table| table.get_mut("values")).and_then(Item::as_array_mut);
        let list = list.ok_or(NotUpdated::Shape)?;
        new.iter().for_each(|value| push(list, value));
        let to = format!("{} values", known.len() + new.len());
        self.changed(Some(name), "domain.values", Some(format!("{} values", known.len())), to);
        Ok(())
    }
}

/// Sets a value, whose comment and white space stay.
fn set(table: &mut dyn TableLike, key: &str, value: impl Into<Value>) {
    let mut value = value.into();
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        _ => {
            table.insert(key, Item::Value(value));
        }
    }
}

/// The text with lines that end as those of another text do: what edits TOML knows line feeds alone.
fn with_ends_of(other: &str, text: String) -> String {
    let carriage = other.split_once('\n').is_some_and(|(line, _)| line.ends_with('\r'));
    let text = if carriage { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text };
    match other.ends_with('\n') {
        true => text,
        false => text.trim_end_matches(['\r', '\n']).to_owned(),
    }
}

/// Adds a value as the last one is written: on a line of its own, or beside it.
fn push(list: &mut Array, value: &str) {
    let mut value = Value::from(value);
    if let Some(last) = list.iter().last()
        && let Some(prefix) = last.decor().prefix().and_then(|prefix| prefix.as_str())
    {
        // A comment before the last value is about that one.
        let space = match (prefix.rfind('\n'), list.len()) {
            (Some(line), _) => prefix.get(line..).unwrap_or_default(),
            (None, 1) => " ",
            (None, _) => prefix,
        };
        value.decor_mut().set_prefix(space);
        return list.push_formatted(value);
    }
    list.push(value);
}
