//! From counts to findings and a verdict. Pure.

mod figures;
mod label;
mod rows;

use std::collections::HashSet;

use super::beside::Compared;
use super::joint::{KeyCheck, RowsFound};
use super::plan;
use super::report::{Check, Finding, Outcome, Report, Rule, Tier};
use super::rules::{Counted, Watched};
use super::{Checking, Context};
use crate::csv::ReadOutcome;
use crate::limits::FINDINGS;
use crate::profile::{ColumnProfile, Profile};
use crate::schema::{ColumnRules, Range, Severity, as_f64};

/// What was counted in a table that was read to its end.
pub(super) struct Counts<'a> {
    pub(super) header: Vec<String>,
    pub(super) watched: Vec<Watched<'a>>,
    pub(super) profile: Profile,
    pub(super) keys: Vec<KeyCheck>,
    pub(super) rows: RowsFound<'a>,
}

pub(super) fn judge(context: &Context<'_>, counts: Counts<'_>, read: &ReadOutcome) -> Report {
    let Counts { header, watched, profile, keys, rows } = counts;
    let tier = context.options.tier;
    let there: HashSet<&str> = header.iter().map(String::as_str).collect();
    let mut judge = Judge {
        tier,
        checks: 0,
        moot: 0,
        each: Vec::new(),
        findings: Vec::new(),
        spared: 0,
        slice: None,
        named: None,
    };
    if !context.environment_is_known() {
        let known = context.schema.environments.join(", ");
        let message = match known.is_empty() {
            true => "the schema has no environments".to_owned(),
            false => format!("the schema has no such environment; it has: {known}"),
        };
        judge.not_run(None, Rule::Environment, message);
    }
    judge.columns(context, &header, &there);
    judge.row_count(context, read.rows());
    for column in &watched {
        let profiled = profile.column(&column.rules.name);
        judge.column(column, read.rows(), profiled);
        judge.figures(context, column.rules, profiled);
        if let Some(labels) = &column.labels {
            judge.labels(labels, column.present);
        }
    }
    judge.drift(context, &watched, &profile);
    judge.keys(context, &there, &keys, &rows.keys);
    judge.expressions(context, &there, &rows.expressions);
    judge.slices(context, &there, rows.slices);
    let planned = plan::planned(context, &there) - judge.moot;
    let Judge { checks, mut each, mut findings, spared, .. } = judge;
    findings.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
    for (place, (check, _)) in findings.iter().enumerate() {
        if let Some(check) = each.get_mut(*check) {
            check.findings.push(place);
        }
    }
    let mut findings: Vec<Finding> = findings.into_iter().map(|(_, finding)| finding).collect();
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
    let compared = Compared::default();
    Report {
        outcome,
        tier,
        checks,
        planned,
        each,
        findings,
        rows,
        bytes,
        digest,
        kind,
        profile,
        spared,
        compared,
    }
}

struct Judge {
    tier: Tier,
    /// Checks that ran.
    checks: usize,
    /// Checks that ask nothing of this batch.
    moot: usize,
    each: Vec<Check>,
    /// Findings, each with the place of its check.
    findings: Vec<(usize, Finding)>,
    /// Those among them that only warn because of the tier.
    spared: usize,
    /// The slice that is judged.
    slice: Option<String>,
    /// What the next checks are called.
    named: Option<String>,
}

impl Judge {
    /// Notes that a check runs.
    fn run(&mut self, column: Option<&String>, rule: Rule) {
        self.checks += 1;
        self.note(column, rule, true, None);
    }

    /// Notes that a check cannot run.
    fn skip(&mut self, column: Option<&String>, rule: Rule) {
        self.note(column, rule, false, None);
    }

    /// Notes that a check asks nothing of this batch, because a column is not there that may be absent.
    fn asks_nothing(&mut self, column: Option<&String>, rule: Rule, absent: &str) {
        self.nothing_asked(column, rule, &format!("the optional column `{absent}` is not in the file"));
    }

    /// Notes that a check asks nothing of this batch.
    fn nothing_asked(&mut self, column: Option<&String>, rule: Rule, since: &str) {
        self.moot += 1;
        self.note(column, rule, false, Some(format!("it asks nothing, since {since}")));
    }

    fn note(&mut self, column: Option<&String>, rule: Rule, ran: bool, moot: Option<String>) {
        let (column, name) = (column.cloned(), self.named.clone());
        self.each.push(Check { column, name, rule, ran, moot, findings: Vec::new() });
    }

    /// Takes a finding of the check that was noted last.
    fn find(&mut self, finding: Finding) {
        let spared = self.tier == Tier::Explore && finding.severity == Severity::Block;
        self.spared += usize::from(spared);
        let severity = if spared { Severity::Warn } else { finding.severity };
        let message = match &self.slice {
            Some(slice) => format!("in slice `{slice}`: {}", finding.message),
            None => finding.message,
        };
        let check = self.each.len().saturating_sub(1);
        self.findings.push((check, Finding { severity, message, ..finding }));
    }

    /// A check that could not run. It refuses nothing by itself, and leaves the batch without a verdict.
    fn not_run(&mut self, column: Option<&String>, rule: Rule, why: String) {
        self.skip(column, rule);
        let finding = whole(column, rule, Severity::Warn, format!("could not run: {why}"));
        self.find(Finding { count: 0, share: 0.0, ..finding });
    }

    fn columns(&mut self, context: &Context<'_>, header: &[String], there: &HashSet<&str>) {
        for column in context.columns() {
            self.run(Some(&column.name), Rule::MissingColumn);
            if !column.optional && !there.contains(column.name.as_str()) {
                let label = context.label().filter(|label| label.column == column.name);
                let mut lost = plan::of_column(column);
                lost.extend(label.into_iter().flat_map(plan::of_label));
                let message =
                    format!("the column is not in the file, so {} checks of it could not run", lost.len());
                let severity = column.severity_of(Rule::MissingColumn.id());
                self.find(whole(Some(&column.name), Rule::MissingColumn, severity, message));
                lost.into_iter().for_each(|rule| self.skip(Some(&column.name), rule));
            }
        }
        let Some(severity) = context.schema.unexpected_columns else { return };
        self.run(None, Rule::UnexpectedColumn);
        let known: HashSet<&str> = context.columns().map(|column| column.name.as_str()).collect();
        for name in header.iter().filter(|name| !known.contains(name.as_str())) {
            let elsewhere = context.schema.column(name).is_some();
            let message = match context.environment.filter(|_| elsewhere) {
                Some(environment) => format!("the column is not one of environment `{environment}`"),
                None => "the column is not in the schema".to_owned(),
            };
            self.find(whole(Some(name), Rule::UnexpectedColumn, severity, message));
        }
    }

    fn row_count(&mut self, context: &Context<'_>, rows: u64) {
        let (min, max) = (context.schema.rows.min, context.schema.rows.max);
        for (min, max) in [(min, None), (None, max)] {
            if min.is_some() || max.is_some() {
                self.run(None, Rule::Rows);
                self.too_few_or_many(Rule::Rows, Severity::Block, rows, (min, max));
            }
        }
    }

    fn too_few_or_many(
        &mut self,
        rule: Rule,
        severity: Severity,
        rows: u64,
        (min, max): (Option<u64>, Option<u64>),
    ) {
        let few = min.filter(|min| rows < *min).map(|min| ("at least", min));
        let many = max.filter(|max| rows > *max).map(|max| ("at most", max));
        if let Some((bound, limit)) = few.or(many) {
            let message = format!("{rows} rows where {bound} {limit} are expected");
            let finding = whole(None, rule, severity, message);
            self.find(Finding { count: rows, limit: as_f64(limit), ..finding });
        }
    }

    fn column(&mut self, column: &Watched<'_>, rows: u64, profiled: Option<&ColumnProfile>) {
        let rules = column.rules;
        let kinds = profiled.map(ColumnProfile::kinds);
        let wordy = kinds.is_some_and(|kinds| kinds.total() > 0 && kinds.integer + kinds.float == 0)
            && rules.kind.is_number();
        let present = column.present;
        self.share(column, Rule::Type, &column.kind.wrong, present, 0.0, |share, _| {
            format!("{share} of the values are not of type {}", rules.kind)
        });
        self.presence(column, rows);
        if rules.range.is_some() && wordy {
            // Nobody is to take for kept what was tried on nothing.
            self.not_run(Some(&rules.name), Rule::Range, "no value is a number".to_owned());
        } else if let (Some(range), Some(watched)) = (rules.range, &column.range) {
            let Range { min, max, max_outside } = range;
            let bounds = match (min.is_finite(), max.is_finite()) {
                (true, false) => format!("below {min}"),
                (false, true) => format!("above {max}"),
                _ => format!("outside {min} to {max}"),
            };
            self.share(column, Rule::Range, &watched.outside, present, max_outside, |share, limit| {
                format!("{share} of the values lie {bounds}, at most {limit} may")
            });
        }
        if let (Some(domain), Some(watched)) = (&rules.domain, &column.domain) {
            let known = domain.values.len();
            self.share(column, Rule::Domain, &watched.unseen, present, domain.max_unseen, |share, limit| {
                format!("{share} of the values are none of the {known} known ones, at most {limit} may be")
            });
        }
        if let Some(watched) = &column.length {
            let bounds = match (rules.min_length, rules.max_length) {
                (None, Some(longest)) => format!("longer than {longest} characters"),
                (Some(shortest), None) => format!("shorter than {shortest} characters"),
                (shortest, longest) => {
                    let (shortest, longest) = (shortest.unwrap_or(0), longest.unwrap_or(u64::MAX));
                    format!("shorter than {shortest} or longer than {longest} characters")
                }
            };
            let allowed = rules.max_length_outside;
            self.share(column, Rule::Length, &watched.outside, present, allowed, |share, limit| {
                let may = if allowed > 0.0 { format!(", at most {limit} may be") } else { String::new() };
                format!("{share} of the values are {bounds}{may}")
            });
        }
        if let (Some(pattern), Some(watched)) = (&rules.pattern, &column.pattern) {
            let allowed = pattern.max_unmatched;
            self.share(column, Rule::Pattern, &watched.unmatched, present, allowed, |share, limit| {
                format!("{share} of the values do not look as the pattern says, at most {limit} may")
            });
        }
        self.looked_up(column, rules, present);
    }

    fn looked_up(&mut self, column: &Watched<'_>, rules: &ColumnRules, present: u64) {
        if let Some(references) = &rules.references {
            let (table, other) = (&references.table, &references.column);
            match &column.references {
                Some(watched) => {
                    let allowed = references.max_missing;
                    self.share(column, Rule::References, &watched.missing, present, allowed, |share, limit| {
                        format!("{share} of the values are not in `{other}` of `{table}`, at most {limit} may be")
                    });
                }
                None => {
                    let why = format!("the table `{table}` with its column `{other}` was not given");
                    self.not_run(Some(&rules.name), Rule::References, why);
                }
            }
        }
        if let Some(watched) = &column.pii {
            self.run(Some(&rules.name), Rule::NoPii);
            let report = watched.report();
            if !report.is_clean() {
                let holds = report.columns.iter().find_map(|column| column.holds.as_deref());
                let kinds: Vec<&str> = report.findings.keys().map(String::as_str).collect();
                let what = if kinds.is_empty() {
                    holds.unwrap_or("personal data").to_owned()
                } else {
                    kinds.join(", ")
                };
                let found = watched.counted();
                let share = share_of(found.count, present);
                let message =
                    format!("{} of the values hold personal data or secrets: {what}", percent(share));
                self.find(broken(column, Rule::NoPii, &found, share, 0.0, message));
            }
        }
    }

    /// The schema says what share must be there, so that is what is compared: `1.0 - 0.9` is not `0.1`.
    fn presence(&mut self, column: &Watched<'_>, rows: u64) {
        self.run(Some(&column.rules.name), Rule::Presence);
        // Elements of lists are not one in each row.
        let elements = column.rules.name.contains("[]");
        let (of, rows) = match elements {
            true => ("elements", column.present + column.presence.missing.count),
            false => ("rows", rows),
        };
        // Of no rows none lacks a value.
        if rows == 0 || share_of(column.present, rows) >= column.rules.min_present {
            return;
        }
        let (share, limit) = (share_of(column.presence.missing.count, rows), 1.0 - column.rules.min_present);
        let message = format!("{} of the {of} have no value, at most {} may", percent(share), percent(limit));
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
        // Of the type of no value something is said: it is that of the column.
        if of == 0 && rule != Rule::Type {
            self.nothing_asked(Some(&column.rules.name), rule, "no row has a value");
            return;
        }
        self.run(Some(&column.rules.name), rule);
        let share = share_of(counted.count, of);
        if share > limit {
            let message = message(percent(share), percent(limit));
            self.find(broken(column, rule, counted, share, limit, message));
        }
    }

    /// The columns of a slice.
    fn checked(&mut self, context: &Context<'_>, column: &Checking<'_>, rows: u64) {
        let Some(watched) = &column.watched else { return };
        let profiled: &ColumnProfile = &column.profiling.profile;
        self.column(watched, rows, Some(profiled));
        self.figures(context, watched.rules, Some(profiled));
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
        severity: column.rules.severity_of(rule.id()),
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
