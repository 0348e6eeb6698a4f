//! From counts to findings and a verdict. Pure.

use std::collections::HashSet;

use super::report::{Check, Finding, Outcome, Report, Rule, Tier};
use super::rules::{Counted, Labels, Watched};
use crate::csv::ReadOutcome;
use crate::limits::FINDINGS;
use crate::profile::Profile;
use crate::schema::{ColumnRules, LabelRules, Range, Schema, Severity, as_f64};

/// Standard errors that chance passes less than once in 15,000 batches, for each value of the label.
const LABEL_ERRORS: f64 = 4.0;

pub(super) fn judge(
    schema: &Schema,
    tier: Tier,
    header: &[String],
    watched: &[Watched<'_>],
    profile: Profile,
    read: &ReadOutcome,
) -> Report {
    let mut judge = Judge { tier, checks: 0, each: Vec::new(), findings: Vec::new() };
    judge.columns(schema, header);
    judge.rows(schema, read.rows());
    for column in watched {
        judge.column(column, read.rows());
        if let Some(labels) = &column.labels {
            judge.labels(labels, column.present);
        }
    }
    let Judge { checks, mut each, mut findings, .. } = judge;
    findings.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
    for (place, (check, _)) in findings.iter().enumerate() {
        if let Some(check) = each.get_mut(*check) {
            check.findings.push(place);
        }
    }
    let mut findings: Vec<Finding> = findings.into_iter().map(|(_, finding)| finding).collect();
    let planned = planned(schema);
    let refused = findings.iter().any(|finding| finding.severity == Severity::Block);
    // A report that holds fewer findings than there are says so by its outcome: not everything was weighed.
    let whole = checks == planned && findings.len() <= FINDINGS;
    // INVARIANT: `Valid` only when every check that the schema plans ran, in whatever tier.
    let outcome = match (refused, whole) {
        (true, _) => Outcome::Invalid,
        (false, false) => Outcome::Error,
        (false, true) => Outcome::Valid,
    };
    findings.truncate(FINDINGS);
    let (rows, bytes, digest, kind) = (read.rows(), read.bytes(), read.digest(), read.kind());
    Report { outcome, tier, checks, planned, each, findings, rows, bytes, digest, kind, profile }
}

/// How many checks a schema asks for, whatever the batch holds.
fn planned(schema: &Schema) -> usize {
    let unexpected_columns = 1;
    let columns: usize = schema.columns.iter().map(|rules| 1 + planned_of(rules)).sum();
    let rows = usize::from(schema.rows.min.is_some()) + usize::from(schema.rows.max.is_some());
    unexpected_columns + columns + rows + schema.label.as_ref().map_or(0, planned_of_label)
}

/// The checks of a column that is there.
fn planned_of(rules: &ColumnRules) -> usize {
    rules_of(rules).count()
}

/// The same, one by one.
fn rules_of(rules: &ColumnRules) -> impl Iterator<Item = Rule> {
    let planned = [
        (Rule::Type, true),
        (Rule::Presence, true),
        (Rule::Range, rules.range.is_some()),
        (Rule::Domain, rules.domain.is_some()),
        (Rule::Length, rules.max_length.is_some()),
    ];
    planned.into_iter().filter_map(|(rule, planned)| planned.then_some(rule))
}

fn planned_of_label(label: &LabelRules) -> usize {
    label_rules_of(label).count()
}

fn label_rules_of(label: &LabelRules) -> impl Iterator<Item = Rule> {
    let shares = label.shares.len();
    let unseen = usize::from(shares > 0);
    std::iter::repeat_n(Rule::LabelUnseen, unseen).chain(std::iter::repeat_n(Rule::LabelShare, shares))
}

struct Judge {
    tier: Tier,
    /// Checks that ran.
    checks: usize,
    each: Vec<Check>,
    /// Findings, each with the place of its check.
    findings: Vec<(usize, Finding)>,
}

impl Judge {
    /// Notes that a check runs.
    fn run(&mut self, column: Option<&str>, rule: Rule) {
        self.checks += 1;
        self.each.push(Check { column: column.map(str::to_owned), rule, ran: true, findings: Vec::new() });
    }

    /// Notes that a check cannot run.
    fn skip(&mut self, column: &str, rule: Rule) {
        self.each.push(Check { column: Some(column.to_owned()), rule, ran: false, findings: Vec::new() });
    }

    /// Takes a finding of the check that was noted last.
    fn find(&mut self, finding: Finding) {
        let severity = if self.tier == Tier::Explore { Severity::Warn } else { finding.severity };
        self.findings.push((self.each.len().saturating_sub(1), Finding { severity, ..finding }));
    }

    fn columns(&mut self, schema: &Schema, header: &[String]) {
        let there: HashSet<&str> = header.iter().map(String::as_str).collect();
        for column in &schema.columns {
            self.run(Some(&column.name), Rule::MissingColumn);
            if !there.contains(column.name.as_str()) {
                let label = schema.label.as_ref().filter(|label| label.column == column.name);
                let lost = planned_of(column) + label.map_or(0, planned_of_label);
                let message = format!("the column is not in the file, so {lost} checks of it could not run");
                self.find(whole(Some(&column.name), Rule::MissingColumn, column.severity, message));
                let of_label = label.into_iter().flat_map(label_rules_of);
                rules_of(column).chain(of_label).for_each(|rule| self.skip(&column.name, rule));
            }
        }
        self.run(None, Rule::UnexpectedColumn);
        let known: HashSet<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
        for name in header.iter().filter(|name| !known.contains(name.as_str())) {
            let message = "the column is not in the schema".to_owned();
            self.find(whole(Some(name), Rule::UnexpectedColumn, Severity::Block, message));
        }
    }

    fn rows(&mut self, schema: &Schema, rows: u64) {
        let limits = [(schema.rows.min, true), (schema.rows.max, false)];
        for (limit, is_least) in limits.into_iter().filter_map(|(limit, least)| Some((limit?, least))) {
            self.run(None, Rule::Rows);
            let broken = if is_least { rows < limit } else { rows > limit };
            if broken {
                let bound = if is_least { "at least" } else { "at most" };
                let message = format!("{rows} rows where {bound} {limit} are expected");
                let finding = whole(None, Rule::Rows, Severity::Block, message);
                self.find(Finding { count: rows, limit: as_f64(limit), ..finding });
            }
        }
    }

    fn column(&mut self, column: &Watched<'_>, rows: u64) {
        let rules = column.rules;
        let present = column.present;
        self.share(column, Rule::Type, &column.kind.wrong, present, 0.0, |share, _| {
            format!("{share} of the values are not of type {}", rules.kind)
        });
        self.presence(column, rows);
        if let (Some(range), Some(watched)) = (rules.range, &column.range) {
            let Range { min, max, max_outside } = range;
            self.share(column, Rule::Range, &watched.outside, present, max_outside, |share, limit| {
                format!("{share} of the values lie outside {min} to {max}, at most {limit} may")
            });
        }
        if let (Some(domain), Some(watched)) = (&rules.domain, &column.domain) {
            let known = domain.values.len();
            self.share(column, Rule::Domain, &watched.unseen, present, domain.max_unseen, |share, limit| {
                format!("{share} of the values are none of the {known} known ones, at most {limit} may be")
            });
        }
        if let (Some(longest), Some(watched)) = (rules.max_length, &column.length) {
            self.share(column, Rule::Length, &watched.too_long, present, 0.0, |share, _| {
                format!("{share} of the values are longer than {longest} characters")
            });
        }
    }

    /// The schema says what share must be there, so that is what is compared: `1.0 - 0.9` is not `0.1`.
    fn presence(&mut self, column: &Watched<'_>, rows: u64) {
        self.run(Some(&column.rules.name), Rule::Presence);
        if share_of(column.present, rows) >= column.rules.min_present {
            return;
        }
        let (share, limit) = (share_of(column.presence.missing.count, rows), 1.0 - column.rules.min_present);
        let message = format!("{} of the rows have no value, at most {} may", percent(share), percent(limit));
        self.find(broken(column, Rule::Presence, &column.presence.missing, share, limit, message));
    }

    fn share(
        &mut self,
        column: &Watched<'_>,
        rule: Rule,
        counted: &Counted,
        of: u64,
        limit: f64,
        message: impl FnOnce(String, String) -> String,
    ) {
        self.run(Some(&column.rules.name), rule);
        let share = share_of(counted.count, of);
        if share > limit {
            let message = message(percent(share), percent(limit));
            self.find(broken(column, rule, counted, share, limit, message));
        }
    }

    /// Compares the share of each label with the schema's: beyond four standard errors of the difference of two
    /// samples of these sizes, and beyond the tolerance, it has moved.
    fn labels(&mut self, labels: &Labels<'_>, counted: u64) {
        let Labels { rules: label, counts, unseen, .. } = labels;
        let known = label.shares.len();
        self.run(Some(&label.column), Rule::LabelUnseen);
        if unseen.count > 0 {
            let share = share_of(unseen.count, counted);
            let message = format!("{} of the labels are none of the {known} known ones", percent(share));
            let finding = whole(Some(&label.column), Rule::LabelUnseen, label.severity, message);
            let (examples, rows) = (unseen.examples.clone(), unseen.rows.clone());
            self.find(Finding { count: unseen.count, share, examples, rows, ..finding });
        }
        if counted == 0 {
            let message = format!("no row has a label, so {known} checks of their shares could not run");
            let finding = whole(Some(&label.column), Rule::LabelShare, label.severity, message);
            label.shares.iter().for_each(|_| self.skip(&label.column, Rule::LabelShare));
            self.find(Finding { count: 0, ..finding });
            return;
        }
        for ((place, (_, expected)), count) in (1_usize..).zip(&label.shares).zip(counts) {
            self.run(Some(&label.column), Rule::LabelShare);
            let share = share_of(*count, counted);
            let pooled = (expected * as_f64(label.counted) + as_f64(*count))
                / as_f64(label.counted.saturating_add(counted).max(1));
            let sizes = 1.0 / as_f64(label.counted.max(1)) + 1.0 / as_f64(counted);
            let error = (pooled * (1.0 - pooled) * sizes).max(0.0).sqrt();
            let limit = label.tolerance + LABEL_ERRORS * error;
            if (share - expected).abs() > limit {
                let message = format!(
                    "label {place} of {known} comes in {} of the rows, in the schema in {}; {} either way is allowed",
                    percent(share),
                    percent(*expected),
                    percent(limit)
                );
                let finding = whole(Some(&label.column), Rule::LabelShare, label.severity, message);
                self.find(Finding { count: *count, share, limit, ..finding });
            }
        }
    }
}

/// The share that `part` is of `all`; nought of nothing.
///
/// Counts are below 2^53, so the quotient is correctly rounded, as a share read from decimal text is: the two are
/// equal when the numbers are, and a share of nought means not a single one. So limits need no slack.
fn share_of(part: u64, all: u64) -> f64 {
    as_f64(part) / as_f64(all.max(1))
}

/// A finding that some cells of a column break a rule.
fn broken(
    column: &Watched<'_>,
    rule: Rule,
    counted: &Counted,
    share: f64,
    limit: f64,
    message: String,
) -> Finding {
    Finding {
        column: Some(column.rules.name.clone()),
        rule,
        severity: column.rules.severity,
        count: counted.count,
        share,
        limit,
        message,
        examples: counted.examples.clone(),
        rows: counted.rows.clone(),
    }
}

/// A finding that is about no single cell.
fn whole(column: Option<&String>, rule: Rule, severity: Severity, message: String) -> Finding {
    Finding {
        column: column.cloned(),
        rule,
        severity,
        count: 1,
        share: 1.0,
        limit: 0.0,
        message,
        examples: Vec::new(),
        rows: Vec::new(),
    }
}

/// Two decimals, and as many more as it takes to tell a small share from nought.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let (mut decimals, mut least) = (2, 0.005);
    while percent > 0.0 && percent < least && decimals < 16 {
        decimals += 1;
        least /= 10.0;
    }
    format!("{percent:.decimals$} %")
}
