//! All rules on one table, and what is grave.
//!
//! What blocks is what an attacker or a mistake puts in and a model would learn from: triggers, floods of one label,
//! labels that changed, a source that labels the same rows otherwise, a feature made from the label, test rows in
//! the training data. What warns is what somebody should look at.

mod noise;
mod ordinary;
mod poison;

use super::confident::{Filter, LabelIssues, Probabilities, ProbabilitiesInvalid, Ranking, label_issues};
use super::report::{Finding, NotRun, Of, QualityReport, Rule};
use super::sources::SourceOptions;
use super::table::Table;
use super::trigger::TriggerOptions;
use crate::limits::{FINDINGS, QUALITY_LISTED_ROWS};
use crate::schema::Severity;

/// What is examined.
#[derive(Debug, Clone, Copy)]
pub struct Examined<'a> {
    /// The table.
    pub table: &'a Table<'a>,
    /// What a model says of its rows that did not learn from them.
    pub probabilities: Option<Probabilities<'a>>,
    /// The version before.
    pub against: Option<&'a Table<'a>>,
    /// The table that a model of this one is tested on.
    pub test: Option<&'a Table<'a>>,
}

/// How it is examined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QualityOptions {
    /// What random choices follow from.
    pub seed: u64,
    /// Threads; they change nothing but the time.
    pub threads: usize,
    /// The false-discovery rate over rows and sources.
    pub rate: f64,
    /// What counts as a trigger.
    pub trigger: TriggerOptions,
    /// What differences between sources are too small to matter.
    pub sources: SourceOptions,
    /// A source whose labels differ so much from what its rows lead to expect blocks.
    pub source_blocks: f64,
    /// The share of labels that may change from version to version.
    pub tolerated_flips: f64,
    /// The share of the table's rows that must be found in the version before.
    pub min_joined: f64,
    /// The share of the table's rows whose sources, or writers, must be compared.
    pub min_compared: f64,
    /// A feature warns when the interval of its area under the curve is above this.
    pub leak_warns: f64,
    /// And blocks when it is above this.
    pub leak_blocks: f64,
    /// Labels of a smaller share are rare.
    pub rare: f64,
    /// The share of test rows that may be in the table.
    pub overlap: f64,
    /// Products that may be spent on comparing all rows with all; beyond it, neighbours are found approximately.
    pub neighbour_budget: usize,
}

impl Default for QualityOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            threads: 1,
            rate: 0.01,
            trigger: TriggerOptions::default(),
            sources: SourceOptions::default(),
            source_blocks: 0.08,
            tolerated_flips: 0.001,
            min_joined: 0.9,
            min_compared: 0.1,
            leak_warns: 0.9,
            leak_blocks: 0.99,
            rare: 0.01,
            overlap: 0.01,
            neighbour_budget: 4_000_000_000,
        }
    }
}

/// Runs every rule. `about_to` hears of each before it runs.
pub fn examine(
    examined: &Examined<'_>,
    options: &QualityOptions,
    about_to: &mut dyn FnMut(Rule),
) -> QualityReport {
    let table = examined.table;
    let mut notes = Notes {
        report: QualityReport {
            rows: table.rows(),
            features: table.features().iter().map(|feature| feature.name.to_owned()).collect(),
            label: table.label().name.to_owned(),
            seed: options.seed,
            ran: Vec::new(),
            not_run: Vec::new(),
            findings: Vec::new(),
            cut: false,
        },
        room: QUALITY_LISTED_ROWS,
    };
    // Suspected labels are a matter of two rules.
    let issues = examined.probabilities.map(|probabilities| {
        let (filter, ranking) = (Filter::Both, Ranking::SelfConfidence);
        label_issues(table.labels(), probabilities, filter, ranking, options.threads)
    });
    for rule in Rule::ALL {
        about_to(rule);
        let task = Task { examined, options, table, issues: issues.as_ref() };
        match rule {
            Rule::Trigger => task.trigger(&mut notes),
            Rule::LabelFlips => task.label_flips(&mut notes),
            Rule::SourceDiffers => task.source_differs(&mut notes),
            Rule::NearDuplicates => task.near_duplicates(&mut notes),
            Rule::Leakage => task.leakage(&mut notes),
            Rule::Overlap => task.overlap(&mut notes),
            Rule::LabelNoise => task.label_noise(&mut notes),
            Rule::KnnDisagreement => task.knn_disagreement(&mut notes),
            Rule::DuplicateRows => task.duplicate_rows(&mut notes),
            // One look at the columns serves three rules.
            Rule::Constant => task.columns(&mut notes),
            Rule::IdLike | Rule::Outliers => {}
            Rule::Imbalance => task.imbalance(&mut notes),
        }
    }
    let mut report = notes.report;
    report.findings.sort_by_key(|finding| (finding.severity != Severity::Block, finding.rule));
    report
}

struct Task<'a> {
    examined: &'a Examined<'a>,
    options: &'a QualityOptions,
    table: &'a Table<'a>,
    /// Labels that are suspected, when a model said anything of the rows.
    issues: Option<&'a Result<LabelIssues, ProbabilitiesInvalid>>,
}

/// The report as it grows.
struct Notes {
    report: QualityReport,
    /// Rows that may still be listed.
    room: usize,
}

impl Notes {
    fn ran(&mut self, rule: Rule, how: impl Into<String>) {
        self.report.ran.push((rule, how.into()));
    }

    fn not_run(&mut self, rule: Rule, planned: bool, reason: impl Into<String>) {
        self.report.not_run.push(NotRun { rule, reason: reason.into(), planned });
    }

    /// Takes a finding whose rows are counted from 0.
    fn found(&mut self, mut finding: Finding) {
        if self.report.findings.len() == FINDINGS {
            self.report.cut = true;
            return;
        }
        finding.rows.truncate(self.room);
        finding.scores.truncate(self.room);
        self.room = self.room.saturating_sub(finding.rows.len());
        finding.rows.iter_mut().for_each(|row| *row = row.saturating_add(1));
        self.report.findings.push(finding);
    }
}

impl Task<'_> {
    fn finding(&self, rule: Rule, severity: Severity, message: String) -> Finding {
        Finding {
            rule,
            severity,
            columns: Vec::new(),
            settings: Vec::new(),
            label: None,
            source: None,
            count: 0,
            of: Of::Table,
            rows: Vec::new(),
            scores: Vec::new(),
            score: 0.0,
            chance: None,
            message,
        }
    }

    fn name(&self, feature: usize) -> String {
        self.table.features().get(feature).map_or_else(String::new, |feature| feature.name.to_owned())
    }

    fn label_name(&self) -> String {
        self.table.label().name.to_owned()
    }
}

/// A share as a percentage.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.95 { format!("{percent:.2} %") } else { format!("{percent:.1} %") }
}
