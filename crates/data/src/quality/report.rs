//! What an examination says: findings that never show a value, what could not run, and the stored form.

use std::fmt::Write;

use bartizan_base::canonical;
use serde::Serialize;

use super::cells::Setting;
use super::chance::Chance;
use crate::check::Outcome;
use crate::limits::{QUALITY_EXAMPLES, QUALITY_REPORT_BYTES};
use crate::schema::Severity;

/// What was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Settings of features that decide a label.
    Trigger,
    /// Labels that changed since the last version.
    LabelFlips,
    /// Rows of one source or writer that differ.
    SourceDiffers,
    /// Many nearly equal rows with one label.
    NearDuplicates,
    /// A feature that alone tells the label.
    Leakage,
    /// Rows that a test table has too.
    Overlap,
    /// Labels that a model holds for wrong.
    LabelNoise,
    /// Rows whose neighbours have another label.
    KnnDisagreement,
    /// Rows that are there more than once.
    DuplicateRows,
    /// A column that hardly changes.
    Constant,
    /// A column that names rows.
    IdLike,
    /// Numbers far from all others.
    Outliers,
    /// A label that few rows have.
    Imbalance,
}

impl Rule {
    /// All, in the order in which they are reported.
    pub const ALL: [Rule; 13] = [
        Rule::Trigger,
        Rule::LabelFlips,
        Rule::SourceDiffers,
        Rule::NearDuplicates,
        Rule::Leakage,
        Rule::Overlap,
        Rule::LabelNoise,
        Rule::KnnDisagreement,
        Rule::DuplicateRows,
        Rule::Constant,
        Rule::IdLike,
        Rule::Outliers,
        Rule::Imbalance,
    ];

    /// The stable id of the rule.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::LabelFlips => "label-flips",
            Self::SourceDiffers => "source-differs",
            Self::NearDuplicates => "near-duplicates",
            Self::Leakage => "leakage",
            Self::Overlap => "overlap",
            Self::LabelNoise => "label-noise",
            Self::KnnDisagreement => "knn-disagreement",
            Self::DuplicateRows => "duplicate-rows",
            Self::Constant => "constant",
            Self::IdLike => "id-like",
            Self::Outliers => "outliers",
            Self::Imbalance => "imbalance",
        }
    }
}

/// Which table the rows of a finding are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The table that was examined.
    Table,
    /// The test table.
    Test,
}

/// A column and what its cells say.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedSetting {
    /// The column.
    pub column: String,
    /// What its cells say.
    pub setting: Setting,
}

/// A value of the column of sources or writers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCode {
    /// The column.
    pub column: String,
    /// The value's code.
    pub code: u32,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What was looked for.
    pub rule: Rule,
    /// Whether it refuses the table.
    pub severity: Severity,
    /// The columns that it is about.
    pub columns: Vec<String>,
    /// What the cells of a trigger say; for people who may see values.
    pub settings: Vec<NamedSetting>,
    /// The code of the label that it is about.
    pub label: Option<u32>,
    /// The source or writer that it is about.
    pub source: Option<SourceCode>,
    /// How many rows it is about.
    pub count: usize,
    /// Which table they are of.
    pub of: Of,
    /// The rows, counted from 1, the worst first where they have scores, else rising; perhaps not all.
    pub rows: Vec<u32>,
    /// A score for each of `rows`, or none.
    pub scores: Vec<f64>,
    /// How grave it is; what the number means depends on the rule.
    pub score: f64,
    /// How likely it is by chance; absent for what is simply so.
    pub chance: Option<Chance>,
    /// What it is, in words without values.
    pub message: String,
}

/// Something that was not looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRun {
    /// What it was.
    pub rule: Rule,
    /// Why.
    pub reason: String,
    /// Whether it was asked for. Then the outcome cannot be `valid`.
    pub planned: bool,
}

/// What an examination says.
#[derive(Debug, Clone, PartialEq)]
pub struct QualityReport {
    /// Rows of the table.
    pub rows: usize,
    /// The features' names.
    pub features: Vec<String>,
    /// The label's name.
    pub label: String,
    /// What random choices followed from.
    pub seed: u64,
    /// Rules that ran, each with how it was done.
    pub ran: Vec<(Rule, String)>,
    /// Rules that did not.
    pub not_run: Vec<NotRun>,
    /// What was found, the gravest first.
    pub findings: Vec<Finding>,
    /// Whether there were more findings than a report holds.
    pub cut: bool,
}

#[derive(Serialize)]
struct Stored<'a> {
    cut: bool,
    features: &'a [String],
    findings: Vec<StoredFinding<'a>>,
    format: &'static str,
    label: &'a str,
    not_run: Vec<StoredNotRun<'a>>,
    outcome: &'static str,
    ran: Vec<StoredRan<'a>>,
    rows: u64,
    seed: String,
}

#[derive(Serialize)]
struct StoredRan<'a> {
    how: &'a str,
    rule: &'static str,
}

#[derive(Serialize)]
struct StoredNotRun<'a> {
    planned: bool,
    reason: &'a str,
    rule: &'static str,
}

#[derive(Serialize)]
struct StoredFinding<'a> {
    chance: Option<String>,
    columns: &'a [String],
    count: u64,
    label: Option<u32>,
    message: &'a str,
    method: Option<&'static str>,
    of: &'static str,
    rows: Vec<u32>,
    rule: &'static str,
    score: String,
    settings: Vec<StoredSetting<'a>>,
    severity: &'static str,
    source: Option<StoredSource<'a>>,
}

#[derive(Serialize)]
struct StoredSource<'a> {
    code: u32,
    column: &'a str,
}

#[derive(Serialize)]
struct StoredSetting<'a> {
    code: Option<u32>,
    column: &'a str,
    kind: &'static str,
}

impl QualityReport {
    /// The verdict: `invalid` when a finding blocks, `error` when something that was asked for did not run or there
    /// were more findings than fit, else `valid`.
    pub fn outcome(&self) -> Outcome {
        if self.blocking() > 0 {
            Outcome::Invalid
        } else if self.cut || self.not_run.iter().any(|one| one.planned) {
            Outcome::Error
        } else {
            Outcome::Valid
        }
    }

    /// Findings that refuse the table.
    pub fn blocking(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Block).count()
    }

    /// The report for people.
    pub fn render(&self) -> String {
        let mut text = format!(
            "{}: {} rows, {} features, {} rules ran, {} blocking findings, {} warnings\n",
            self.outcome(),
            self.rows,
            self.features.len(),
            self.ran.len(),
            self.blocking(),
            self.findings.len() - self.blocking()
        );
        for finding in &self.findings {
            let columns =
                if finding.columns.is_empty() { "(table)".to_owned() } else { finding.columns.join(", ") };
            let (severity, rule) = (finding.severity.as_str(), finding.rule.id());
            put(&mut text, &format!("  {severity:<5}  {rule:<16}  {columns}: {}", finding.message));
            if let Some(chance) = finding.chance {
                put(&mut text, &format!("         chance {chance} ({})", chance.method));
            }
            if !finding.rows.is_empty() {
                let shown: Vec<String> =
                    finding.rows.iter().take(QUALITY_EXAMPLES).map(u32::to_string).collect();
                let more = if finding.count > shown.len() { ", ..." } else { "" };
                put(&mut text, &format!("         rows {}{more}", shown.join(", ")));
            }
        }
        // What needs more than the table says on how much of that it ran.
        let beside = [Rule::LabelFlips, Rule::SourceDiffers, Rule::Overlap, Rule::LabelNoise];
        for (rule, how) in self.ran.iter().filter(|(rule, _)| beside.contains(rule)) {
            put(&mut text, &format!("  ran      {:<14}  {how}", rule.id()));
        }
        for one in &self.not_run {
            put(&mut text, &format!("  not run  {:<14}  {}", one.rule.id(), one.reason));
        }
        if self.cut {
            put(&mut text, "  more was found than a report holds");
        }
        text
    }

    /// The stored form `bartizan-quality-v1`: canonical JSON, fractions as decimal text, no values.
    ///
    /// # Errors
    /// When it takes more than [`QUALITY_REPORT_BYTES`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        let stored = Stored {
            cut: self.cut,
            features: &self.features,
            findings: self.findings.iter().map(stored).collect(),
            format: "bartizan-quality-v1",
            label: &self.label,
            not_run: self
                .not_run
                .iter()
                .map(|one| StoredNotRun { planned: one.planned, reason: &one.reason, rule: one.rule.id() })
                .collect(),
            outcome: self.outcome().as_str(),
            ran: self.ran.iter().map(|(rule, how)| StoredRan { how, rule: rule.id() }).collect(),
            rows: u64::try_from(self.rows).unwrap_or(u64::MAX),
            seed: self.seed.to_string(),
        };
        canonical::to_bytes_within(&stored, QUALITY_REPORT_BYTES)
    }
}

fn put(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn stored(finding: &Finding) -> StoredFinding<'_> {
    StoredFinding {
        chance: finding.chance.map(|chance| chance.to_string()),
        columns: &finding.columns,
        count: u64::try_from(finding.count).unwrap_or(u64::MAX),
        label: finding.label,
        message: &finding.message,
        method: finding.chance.map(|chance| chance.method),
        of: match finding.of {
            Of::Table => "table",
            Of::Test => "test",
        },
        rows: finding.rows.iter().copied().take(QUALITY_EXAMPLES).collect(),
        rule: finding.rule.id(),
        score: format!("{:.6}", finding.score),
        settings: finding.settings.iter().map(setting).collect(),
        severity: finding.severity.as_str(),
        source: finding.source.as_ref().map(|one| StoredSource { code: one.code, column: &one.column }),
    }
}

fn setting(named: &NamedSetting) -> StoredSetting<'_> {
    let (kind, code) = match named.setting {
        Setting::Missing => ("missing", None),
        Setting::Code(code) => ("text", Some(code)),
        Setting::Value(_) => ("number", None),
        Setting::Range(..) => ("range", None),
        Setting::Rest => ("rare", None),
    };
    StoredSetting { code, column: &named.column, kind }
}

/// Parts of a sentence, one after the other.
pub(crate) fn sentence(parts: &[String]) -> String {
    let mut text = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let separator = if text.is_empty() { "" } else { "; " };
        // Writing to a text cannot fail.
        if write!(text, "{separator}{part}").is_err() {
            break;
        }
    }
    text
}
