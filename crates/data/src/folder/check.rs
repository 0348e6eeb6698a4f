//! Checking a directory against a schema: valid, or invalid, and an error when a check could not run.

use std::fmt::Write as _;

use bartizan_base::{Digest, canonical};
use serde::Serialize;

use super::schema::FolderSchema;
use super::summary::{FolderSummary, Named};
use crate::check::{Outcome, Tier};
use crate::schema::Severity;

/// The rule that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FolderRule {
    /// Files of a format that the schema does not have.
    Format,
    /// An image is narrower or wider than it may be.
    Width,
    /// An image is lower or higher than it may be.
    Height,
    /// A text is shorter or longer than it may be.
    Characters,
    /// Texts in a language that the schema does not have.
    Language,
    /// Too many files cannot be decoded, or are empty.
    Damaged,
    /// Too many files equal another one.
    Duplicates,
    /// Equal files have different labels.
    LabelConflict,
    /// Too many files lack a label.
    Unlabelled,
    /// Labels for files that are not there.
    MissingFile,
    /// The manifest gives a file two labels.
    TwoLabels,
    /// A label that the schema does not know.
    LabelUnseen,
    /// A label comes more or less often than chance explains.
    LabelShare,
}

impl FolderRule {
    /// The stable id of the rule.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Width => "width",
            Self::Height => "height",
            Self::Characters => "characters",
            Self::Language => "language",
            Self::Damaged => "damaged",
            Self::Duplicates => "duplicates",
            Self::LabelConflict => "label-conflict",
            Self::Unlabelled => "unlabelled",
            Self::MissingFile => "missing-file",
            Self::TwoLabels => "two-labels",
            Self::LabelUnseen => "label-unseen",
            Self::LabelShare => "label-share",
        }
    }
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq)]
pub struct FolderFinding {
    /// The rule.
    pub rule: FolderRule,
    /// What it means in this tier.
    pub severity: Severity,
    /// How many files break it.
    pub count: u64,
    /// What is wrong, in words.
    pub message: String,
    /// The first files that break it, where they are known.
    pub files: Vec<String>,
}

/// What a check of a directory says.
#[derive(Debug, Clone, PartialEq)]
pub struct FolderReport {
    /// The verdict.
    pub outcome: Outcome,
    /// How strictly it was taken.
    pub tier: Tier,
    /// Checks that ran.
    pub checks: u64,
    /// Checks that the schema plans; more than ran when there is no file or label that they could look at.
    pub planned: u64,
    /// Broken rules.
    pub findings: Vec<FolderFinding>,
    /// What the directory holds.
    pub summary: FolderSummary,
}

/// Files that cannot be used as they are.
pub(super) fn damaged(summary: &FolderSummary) -> u64 {
    let all = [&summary.empty, &summary.truncated, &summary.damaged, &summary.not_utf8];
    all.iter().fold(0, |sum, named| sum.saturating_add(named.count))
}

struct Judge {
    checks: u64,
    planned: u64,
    severity: Severity,
    findings: Vec<FolderFinding>,
}

impl Judge {
    /// Notes a check, and what it found: how many files, in words, and which.
    fn ran(&mut self, rule: FolderRule, broken: Option<(u64, String, Vec<String>)>) {
        self.planned = self.planned.saturating_add(1);
        self.checks = self.checks.saturating_add(1);
        if let Some((count, message, files)) = broken {
            self.findings.push(FolderFinding { rule, severity: self.severity, count, message, files });
        }
    }

    /// Notes a check that could not run.
    fn stuck(&mut self) {
        self.planned = self.planned.saturating_add(1);
    }

    fn range(
        &mut self,
        rule: FolderRule,
        allowed: Option<(u64, u64)>,
        found: Option<(u64, u64)>,
        what: &str,
    ) {
        match (allowed, found) {
            (None, _) => {}
            (Some(_), None) => self.stuck(),
            (Some((min, max)), Some((least, most))) => {
                let broken = least < min || most > max;
                let message = format!("{what} from {least} to {most}, and {min} to {max} are allowed");
                self.ran(rule, broken.then_some((1, message, Vec::new())));
            }
        }
    }

    fn share(&mut self, rule: FolderRule, files: u64, allowed: f64, found: (u64, Vec<String>), what: &str) {
        let share = found.0 as f64 / (files as f64).max(1.0);
        let message = format!(
            "{} files {what}: {:.2} %, and {:.2} % are allowed",
            found.0,
            share * 100.0,
            allowed * 100.0
        );
        // A share that was written with a few digits still allows what it was written for.
        self.ran(rule, (share > allowed + 1e-9).then_some((found.0, message, found.1)));
    }

    fn none(&mut self, rule: FolderRule, named: &Named, what: &str) {
        let message = format!("{} {what}", named.count);
        self.ran(rule, (named.count > 0).then_some((named.count, message, named.first.clone())));
    }
}

/// Checks what a directory holds against a schema.
pub fn check_folder(summary: FolderSummary, schema: &FolderSchema, tier: Tier) -> FolderReport {
    let severity = if tier == Tier::Explore { Severity::Warn } else { schema.severity };
    let mut judge = Judge { checks: 0, planned: 0, severity, findings: Vec::new() };
    let files = summary.files;
    let others = summary.formats.iter().filter(|(format, _)| {
        !["empty", "damaged"].contains(*format) && !schema.formats.iter().any(|known| known == *format)
    });
    let others: Vec<(&&str, &u64)> = others.collect();
    let count = others.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(**count));
    let listed: Vec<String> = others.iter().map(|(format, count)| format!("{count} of {format}")).collect();
    judge.ran(
        FolderRule::Format,
        (count > 0).then(|| (count, format!("files of other formats: {}", listed.join(", ")), Vec::new())),
    );
    let pixels =
        |found: Option<super::summary::Spread<u32>>| found.map(|found| (found.min.into(), found.max.into()));
    judge.range(FolderRule::Width, schema.width, pixels(summary.width), "widths go");
    judge.range(FolderRule::Height, schema.height, pixels(summary.height), "heights go");
    let lengths = summary.characters.map(|found| (found.min, found.max));
    judge.range(FolderRule::Characters, schema.characters, lengths, "lengths go");
    if !schema.languages.is_empty() {
        let foreign = summary.languages.iter().filter(|(language, _)| {
            **language != "unknown" && !schema.languages.iter().any(|known| known == *language)
        });
        let foreign: Vec<(&&str, &u64)> = foreign.collect();
        let count = foreign.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(**count));
        let listed: Vec<String> =
            foreign.iter().map(|(language, count)| format!("{count} in {language}")).collect();
        judge.ran(
            FolderRule::Language,
            (count > 0)
                .then(|| (count, format!("texts in other languages: {}", listed.join(", ")), Vec::new())),
        );
    }
    let broken = [&summary.empty, &summary.truncated, &summary.damaged, &summary.not_utf8];
    let first = broken
        .iter()
        .flat_map(|named| named.first.iter().cloned())
        .take(crate::limits::FOLDER_EXAMPLES)
        .collect();
    judge.share(
        FolderRule::Damaged,
        files,
        schema.max_damaged,
        (damaged(&summary), first),
        "are empty, cut off, or cannot be decoded",
    );
    let equal = (summary.duplicates.count, summary.duplicates.first.clone());
    judge.share(FolderRule::Duplicates, files, schema.max_duplicates, equal, "equal another one");
    judge_labels(&mut judge, &summary, schema);
    let blocking = judge.findings.iter().any(|finding| finding.severity == Severity::Block);
    let outcome = match (blocking, judge.checks == judge.planned) {
        (true, _) => Outcome::Invalid,
        (false, true) => Outcome::Valid,
        (false, false) => Outcome::Error,
    };
    let Judge { checks, planned, findings, .. } = judge;
    FolderReport { outcome, tier, checks, planned, findings, summary }
}

fn judge_labels(judge: &mut Judge, summary: &FolderSummary, schema: &FolderSchema) {
    let Some(rules) = &schema.labels else { return };
    if !summary.labelled {
        judge.stuck();
        return;
    }
    let unlabelled = (summary.unlabelled.count, summary.unlabelled.first.clone());
    judge.share(FolderRule::Unlabelled, summary.files, rules.max_unlabelled, unlabelled, "have no label");
    judge.none(FolderRule::MissingFile, &summary.missing, "labels are for files that are not there");
    judge.none(FolderRule::TwoLabels, &summary.contradicted, "files are given two labels");
    judge.none(FolderRule::LabelConflict, &summary.conflicting, "files equal one that has another label");
    if rules.shares.is_empty() {
        return;
    }
    let total: u64 = summary.labels.values().sum();
    if total == 0 {
        judge.stuck();
        return;
    }
    let unseen: Vec<&String> = summary
        .labels
        .keys()
        .filter(|label| !rules.shares.iter().any(|(known, _)| known == *label))
        .collect();
    let count = unseen
        .iter()
        .filter_map(|label| summary.labels.get(*label))
        .fold(0_u64, |sum, count| sum.saturating_add(*count));
    let message = format!("{count} files have one of {} labels that the schema does not know", unseen.len());
    judge.ran(FolderRule::LabelUnseen, (count > 0).then_some((count, message, Vec::new())));
    for (label, expected) in &rules.shares {
        let found = summary.labels.get(label).copied().unwrap_or(0);
        let share = found as f64 / total as f64;
        // Both shares are counted, so both vary by chance: 4 standard deviations of their difference.
        let pooled = expected.midpoint(share).clamp(0.0, 1.0);
        let counts = 1.0 / total as f64 + 1.0 / (rules.counted as f64).max(1.0);
        let allowed = rules.tolerance + 4.0 * (pooled * (1.0 - pooled) * counts).sqrt();
        let message = format!(
            "a label has a share of {:.2} %, and {:.2} % ± {:.2} are expected",
            share * 100.0,
            expected * 100.0,
            allowed * 100.0
        );
        judge.ran(
            FolderRule::LabelShare,
            ((share - expected).abs() > allowed).then_some((found, message, Vec::new())),
        );
    }
}

#[derive(Serialize)]
struct Stored<'a> {
    bytes: u64,
    checks: u64,
    digest: Digest,
    files: u64,
    findings: Vec<StoredFinding<'a>>,
    format: &'static str,
    outcome: &'static str,
    planned: u64,
    tier: &'static str,
}

#[derive(Serialize)]
struct StoredFinding<'a> {
    count: u64,
    files: &'a [String],
    message: &'a str,
    rule: &'static str,
    severity: &'static str,
}

impl FolderReport {
    /// Findings that refuse the directory.
    pub fn blocking(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Block).count()
    }

    /// Findings that only warn.
    pub fn warnings(&self) -> usize {
        self.findings.len().saturating_sub(self.blocking())
    }

    /// The report for people.
    pub fn render(&self) -> String {
        let Self { outcome, tier, checks, planned, summary, .. } = self;
        let checks = if checks == planned { checks.to_string() } else { format!("{checks} of {planned}") };
        let mut text = format!(
            "{outcome} in tier {}: {} files of {}, {checks} checks, {} blocking findings, {} warnings\n",
            tier.as_str(),
            summary.files,
            summary.kind,
            self.blocking(),
            self.warnings()
        );
        for finding in &self.findings {
            let (severity, rule) = (finding.severity.as_str(), finding.rule.id());
            // Writing to a string does not fail.
            let written =
                writeln!(text, "  {severity:<5}  {:<24}  {rule:<17}  {}", "(directory)", finding.message);
            if written.is_err() {
                return text;
            }
            for file in &finding.files {
                text.push_str(&format!("         {file}\n"));
            }
        }
        text
    }

    /// The stored form `bartizan-folder-findings-v1`: canonical JSON.
    ///
    /// # Errors
    /// When a count exceeds what a canonical document holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        let finding =
            |finding: &'_ FolderFinding| (finding.count, finding.rule.id(), finding.severity.as_str());
        let findings = self.findings.iter().map(|one| {
            let (count, rule, severity) = finding(one);
            StoredFinding { count, files: &one.files, message: &one.message, rule, severity }
        });
        canonical::to_bytes(&Stored {
            bytes: self.summary.bytes,
            checks: self.checks,
            digest: self.summary.digest,
            files: self.summary.files,
            findings: findings.collect(),
            format: "bartizan-folder-findings-v1",
            outcome: self.outcome.as_str(),
            planned: self.planned,
            tier: self.tier.as_str(),
        })
    }
}
