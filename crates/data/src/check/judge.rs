//! From counts to findings and a verdict. Pure.

use super::report::{Finding, Outcome, Report, Rule, Tier};
use super::{Counted, Watched};
use crate::csv::ReadOutcome;
use crate::limits::FINDINGS;
use crate::profile::Profile;
use crate::schema::{LabelRules, Schema, Severity, as_f64};

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
    let mut judge = Judge { tier, checks: 0, findings: Vec::new() };
    judge.columns(schema, header);
    judge.rows(schema, read.rows());
    for column in watched {
        judge.column(column, read.rows());
    }
    if let Some(label) = &schema.label {
        judge.label(label, &profile);
    }
    let Judge { checks, mut findings, .. } = judge;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let refused = findings.iter().any(|finding| finding.severity == Severity::Block);
    // A report that holds fewer findings than there are says so by its outcome: not everything was weighed.
    let outcome = match (refused, findings.len() > FINDINGS) {
        (true, _) => Outcome::Invalid,
        (false, true) => Outcome::Error,
        (false, false) => Outcome::Valid,
    };
    findings.truncate(FINDINGS);
    let (rows, bytes, digest) = (read.rows(), read.bytes(), read.digest());
    Report { outcome, tier, checks, findings, rows, bytes, digest, profile }
}

struct Judge {
    tier: Tier,
    checks: usize,
    findings: Vec<Finding>,
}

impl Judge {
    fn find(&mut self, finding: Finding) {
        let severity = if self.tier == Tier::Explore { Severity::Warn } else { finding.severity };
        self.findings.push(Finding { severity, ..finding });
    }

    fn columns(&mut self, schema: &Schema, header: &[String]) {
        for column in &schema.columns {
            self.checks += 1;
            if !header.contains(&column.name) {
                let message = "the column is not in the file".to_owned();
                self.find(whole(Some(&column.name), Rule::MissingColumn, column.severity, message));
            }
        }
        self.checks += 1;
        for name in header.iter().filter(|name| schema.column(name).is_none()) {
            let message = "the column is not in the schema".to_owned();
            self.find(whole(Some(name), Rule::UnexpectedColumn, Severity::Block, message));
        }
    }

    fn rows(&mut self, schema: &Schema, rows: u64) {
        let limits = [(schema.rows.min, true), (schema.rows.max, false)];
        for (limit, is_least) in limits.into_iter().filter_map(|(limit, least)| Some((limit?, least))) {
            self.checks += 1;
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
        self.share(column, Rule::Type, &column.wrong_type, column.present, 0.0, |share, _| {
            format!("{share} of the values are not of type {}", rules.kind)
        });
        let allowed_missing = 1.0 - rules.min_present;
        self.share(column, Rule::Presence, &column.missing, rows, allowed_missing, |share, limit| {
            format!("{share} of the rows have no value, at most {limit} may")
        });
        if let Some(range) = rules.range {
            self.share(
                column,
                Rule::Range,
                &column.outside,
                column.present,
                range.max_outside,
                |share, limit| {
                    format!(
                        "{share} of the values lie outside {} to {}, at most {limit} may",
                        range.min, range.max
                    )
                },
            );
        }
        if let Some(domain) = &rules.domain {
            self.share(
                column,
                Rule::Domain,
                &column.unseen,
                column.present,
                domain.max_unseen,
                |share, limit| {
                    let known = domain.values.len();
                    format!(
                        "{share} of the values are none of the {known} known ones, at most {limit} may be"
                    )
                },
            );
        }
        if let Some(longest) = rules.max_length {
            self.share(column, Rule::Length, &column.too_long, column.present, 0.0, |share, _| {
                format!("{share} of the values are longer than {longest} characters")
            });
        }
    }

    fn share(
        &mut self,
        column: &Watched<'_>,
        rule: Rule,
        broken: &Counted,
        of: u64,
        limit: f64,
        message: impl FnOnce(String, String) -> String,
    ) {
        self.checks += 1;
        let share = as_f64(broken.count) / as_f64(of.max(1));
        // A millionth of slack: limits are written with six decimals.
        if broken.count == 0 || share <= limit + 1e-6 {
            return;
        }
        self.find(Finding {
            column: Some(column.rules.name.clone()),
            rule,
            severity: column.rules.severity,
            count: broken.count,
            share,
            limit,
            message: message(percent(share), percent(limit)),
            examples: broken.examples.clone(),
        });
    }

    /// Compares the share of each label with the schema's: beyond four standard errors of the difference of two
    /// samples of these sizes, and beyond the tolerance, it has moved.
    fn label(&mut self, label: &LabelRules, profile: &Profile) {
        let Some(column) = profile.column(&label.column) else { return };
        if label.shares.is_empty() {
            return;
        }
        let counted = column.kinds().total();
        let found = column.values().unwrap_or_default();
        let unseen: u64 = found
            .iter()
            .filter(|(value, _)| !label.shares.iter().any(|(known, _)| known == value))
            .map(|(_, count)| *count)
            .sum();
        self.checks += 1;
        if unseen > 0 || column.values().is_none() {
            let share = as_f64(unseen) / as_f64(counted.max(1));
            let message =
                format!("{} of the labels are none of the {} known ones", percent(share), label.shares.len());
            let finding = whole(Some(&label.column), Rule::LabelUnseen, label.severity, message);
            self.find(Finding { count: unseen, share, ..finding });
        }
        for (place, (value, expected)) in (1_usize..).zip(&label.shares) {
            self.checks += 1;
            let count = found.iter().find(|(known, _)| known == value).map_or(0, |(_, count)| *count);
            let share = as_f64(count) / as_f64(counted.max(1));
            let pooled = (expected * as_f64(label.counted) + as_f64(count))
                / as_f64(label.counted.saturating_add(counted).max(1));
            let sizes = 1.0 / as_f64(label.counted.max(1)) + 1.0 / as_f64(counted.max(1));
            let error = (pooled * (1.0 - pooled) * sizes).max(0.0).sqrt();
            let limit = label.tolerance + LABEL_ERRORS * error;
            if (share - expected).abs() > limit {
                let message = format!(
                    "label {place} of {} comes in {} of the rows, in the schema in {}; {} either way is allowed",
                    label.shares.len(),
                    percent(share),
                    percent(*expected),
                    percent(limit)
                );
                let finding = whole(Some(&label.column), Rule::LabelShare, label.severity, message);
                self.find(Finding { count, share, limit, ..finding });
            }
        }
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
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}
