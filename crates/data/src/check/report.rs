//! What a check says: findings that never show a value, an outcome, and their stored form.

use std::fmt;

use bartizan_base::{Digest, canonical};
use serde::Serialize;

use super::beside::{Compared, Other};
use crate::profile::Profile;
use crate::profile::render::grouped;
use crate::read::Format;
use crate::schema::Severity;

/// How strictly severities are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Everything warns.
    Explore,
    /// What the schema calls `block` refuses the batch.
    Release,
}

impl Tier {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Explore => "explore",
            Self::Release => "release",
        }
    }
}

/// The verdict, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Every check that the schema plans ran, and nothing refuses the batch.
    Valid,
    /// Something refuses the batch, whether or not every check ran.
    Invalid,
    /// Nothing refuses the batch, but a check could not run.
    Error,
}

impl Outcome {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rule that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A column of the schema is not in the file.
    MissingColumn,
    /// A column of the file is not in the schema.
    UnexpectedColumn,
    /// Values of another type.
    Type,
    /// Too few rows have a value.
    Presence,
    /// Too many numbers lie outside the range.
    Range,
    /// Too many values are not in the domain.
    Domain,
    /// Text is too long.
    Length,
    /// Too few or too many rows.
    Rows,
    /// A value of the label comes more or less often than chance explains.
    LabelShare,
    /// A label that the schema does not know.
    LabelUnseen,
    /// Text does not look as it should.
    Pattern,
    /// A value, or a key of several, comes more than once.
    Unique,
    /// Too few or too many different values.
    Distinct,
    /// The mean, a quantile or the like lies outside its bounds.
    Statistics,
    /// The distribution is not that of the reference.
    Drift,
    /// The newest value is too old.
    Freshness,
    /// Values that another table does not have.
    References,
    /// Personal data, or a secret.
    NoPii,
    /// An expression does not hold in too many rows.
    Expression,
    /// Too few or too many rows in a slice.
    Slice,
    /// The check was for an environment that the schema does not have.
    Environment,
}

impl Rule {
    /// The stable id of the rule.
    pub const fn id(self) -> &'static str {
        match self {
            Self::MissingColumn => "missing-column",
            Self::UnexpectedColumn => "unexpected-column",
            Self::Type => "type",
            Self::Presence => "presence",
            Self::Range => "range",
            Self::Domain => "domain",
            Self::Length => "length",
            Self::Rows => "rows",
            Self::LabelShare => "label-share",
            Self::LabelUnseen => "label-unseen",
            Self::Pattern => "pattern",
            Self::Unique => "unique",
            Self::Distinct => "distinct",
            Self::Statistics => "statistics",
            Self::Drift => "drift",
            Self::Freshness => "freshness",
            Self::References => "references",
            Self::NoPii => "no-pii",
            Self::Expression => "expression",
            Self::Slice => "slice",
            Self::Environment => "environment",
        }
    }
}

/// A row that breaks a rule. The value itself is not kept: only its shape, as in `Aa9` for `Ab7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The row, from 1 after the header.
    pub row: u64,
    /// What kind of thing is there; of a repeated key the row that had it first; empty when the row as a whole is meant.
    pub shape: String,
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The column; absent for rules about the whole batch.
    pub column: Option<String>,
    /// The rule.
    pub rule: Rule,
    /// What it means in this tier.
    pub severity: Severity,
    /// How many cells or rows break it.
    pub count: u64,
    /// What share of the cells or rows that is, or the share that was found.
    pub share: f64,
    /// What the schema allows.
    pub limit: f64,
    /// What is wrong, in words without values.
    pub message: String,
    /// The first rows that break it.
    pub examples: Vec<Example>,
    /// The first rows that break it, as many as were asked for (see [`check_listing`](crate::check_listing)); none otherwise.
    pub rows: Vec<u64>,
}

/// A check that the schema plans, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The column; absent for checks of the whole batch.
    pub column: Option<String>,
    /// What it is called, where a column has several of one rule, or it is of rows: an expression's or a slice's name, the
    /// columns of a key, a figure.
    pub name: Option<String>,
    /// The rule.
    pub rule: Rule,
    /// Whether it ran.
    pub ran: bool,
    /// Why it asks nothing of this batch: a column that may be absent is. Then it did not run, and is not planned.
    pub moot: Option<String>,
    /// What it found, by place in [`Report::findings`]; a place beyond them is of a finding that the report had no room for.
    pub findings: Vec<usize>,
}

/// What a check of one batch says.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The verdict.
    pub outcome: Outcome,
    /// How strictly it was taken.
    pub tier: Tier,
    /// Checks that ran.
    pub checks: usize,
    /// Checks that the schema plans; more than ran when a column is not there or no row has a label.
    pub planned: usize,
    /// Every planned check, kept or broken or not run, and those that ask nothing of this batch.
    pub each: Vec<Check>,
    /// Broken rules, the gravest first.
    pub findings: Vec<Finding>,
    /// Rows of the batch.
    pub rows: u64,
    /// Bytes of the batch, as delivered.
    pub bytes: u64,
    /// SHA-256 of those bytes.
    pub digest: Digest,
    /// What it is written in.
    pub kind: Format,
    /// What the batch holds.
    pub profile: Profile,
    /// Findings that would refuse the batch in tier release, where they only warn here.
    pub spared: usize,
    /// What it was compared with beside the schema.
    pub compared: Compared,
}

#[derive(Serialize)]
struct Stored<'a> {
    bytes: u64,
    checks: u64,
    #[serde(rename = "comparedWith", skip_serializing_if = "Option::is_none")]
    compared: Option<&'a Compared>,
    digest: Digest,
    findings: Vec<StoredFinding<'a>>,
    format: &'static str,
    outcome: &'static str,
    planned: u64,
    rows: u64,
    tier: &'static str,
}

#[derive(Serialize)]
struct StoredFinding<'a> {
    column: Option<&'a str>,
    count: u64,
    examples: Vec<StoredExample<'a>>,
    limit: String,
    message: &'a str,
    rule: &'static str,
    severity: &'static str,
    share: String,
}

#[derive(Serialize)]
struct StoredExample<'a> {
    row: u64,
    shape: &'a str,
}

impl Report {
    /// Findings that refuse the batch.
    pub fn blocking(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Block).count()
    }

    /// Findings that only warn.
    pub fn warnings(&self) -> usize {
        self.findings.len() - self.blocking()
    }

    /// The report for people.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let Self { outcome, tier, checks, planned, rows, .. } = self;
        let checks = if checks == planned { checks.to_string() } else { format!("{checks} of {planned}") };
        let (blocking, warnings) = (self.blocking(), self.warnings());
        let mut line = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        line(format!(
            "{outcome} in tier {}: {rows} rows, {checks} checks, {blocking} blocking findings, {warnings} warnings",
            tier.as_str()
        ));
        if self.spared > 0 {
            line(format!("  {} of the warnings would refuse it in tier release", self.spared));
        }
        if let Some(beside) = self.compared.in_words() {
            line(format!("  judged {beside}"));
        }
        for check in &self.each {
            let Some(why) = &check.moot else { continue };
            let column = check.column.as_deref().unwrap_or("(batch)");
            let name = check.name.as_deref().map(|name| format!("`{name}`: ")).unwrap_or_default();
            line(format!("  {:<5}  {column:<24}  {:<17}  {name}{why}", "note", check.rule.id()));
        }
        for finding in &self.findings {
            let column = finding.column.as_deref().unwrap_or("(batch)");
            let (severity, rule) = (finding.severity.as_str(), finding.rule.id());
            let message = &finding.message;
            line(format!("  {severity:<5}  {column:<24}  {rule:<17}  {message}{}", counted(finding)));
            for example in &finding.examples {
                let shape =
                    if example.shape.is_empty() { String::new() } else { format!(": {}", example.shape) };
                line(format!("         row {}{shape}", example.row));
            }
        }
        text
    }

    /// The stored form `bartizan-findings-v1`: canonical JSON, shares as decimal text.
    ///
    /// # Errors
    /// When a count exceeds what a canonical document holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        canonical::to_bytes(&Stored {
            bytes: self.bytes,
            checks: u64::try_from(self.checks).unwrap_or(u64::MAX),
            compared: Some(&self.compared).filter(|compared| !compared.is_empty()),
            digest: self.digest,
            findings: self.findings.iter().map(stored).collect(),
            format: "bartizan-findings-v1",
            outcome: self.outcome.as_str(),
            planned: u64::try_from(self.planned).unwrap_or(u64::MAX),
            rows: self.rows,
            tier: self.tier.as_str(),
        })
    }
}

/// How many cells or rows a finding is about, where it is about some.
fn counted(finding: &Finding) -> String {
    if finding.examples.is_empty() {
        return String::new();
    }
    let what = match (&finding.column, finding.count) {
        (Some(_), 1) => "cell",
        (Some(_), _) => "cells",
        (None, 1) => "row",
        (None, _) => "rows",
    };
    format!(" ({} {what})", grouped(finding.count))
}

impl Compared {
    /// As in "for environment `serving`, against reference 0123abcd"; nothing when there is nothing to tell.
    fn in_words(&self) -> Option<String> {
        let named = |what: &str, other: &Other| match &other.version {
            Some(version) => format!("against {what} {version} ({})", other.digest.short()),
            None => format!("against {what} {}", other.digest.short()),
        };
        let mut words = Vec::new();
        words.extend(self.environment.as_ref().map(|name| format!("for environment `{name}`")));
        words.extend(self.now.map(|now| format!("as of {now}")));
        words.extend(self.reference.as_ref().map(|other| named("reference", other)));
        words.extend(self.tables.iter().map(|(name, other)| named(&format!("table `{name}`"), other)));
        (!words.is_empty()).then(|| words.join(", "))
    }
}

fn stored(finding: &Finding) -> StoredFinding<'_> {
    StoredFinding {
        column: finding.column.as_deref(),
        count: finding.count,
        examples: finding
            .examples
            .iter()
            .map(|example| StoredExample { row: example.row, shape: &example.shape })
            .collect(),
        limit: format!("{:.6}", finding.limit),
        message: &finding.message,
        rule: finding.rule.id(),
        severity: finding.severity.as_str(),
        share: format!("{:.6}", finding.share),
    }
}
