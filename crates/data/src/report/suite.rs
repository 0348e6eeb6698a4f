//! One form for all verdicts: a case for each rule, kept or broken or not run.

use std::error::Error;

use bartizan_base::{Digest, Timestamp};

use super::{Subject, cut, plain};
use crate::check::{Check, Finding, Outcome, Report, Rule};
use crate::drift::{ColumnDrift, DriftReport, Measure, TableFinding, Verdict};
use crate::quality::{self, QualityReport};
use crate::read::Format;
use crate::schema::Severity;

/// Everything that was judged of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// The file's name.
    pub name: String,
    /// Where it lies.
    pub uri: String,
    /// What was done: `data check`, `data drift` or `data poison`.
    pub task: &'static str,
    /// The verdict.
    pub outcome: Outcome,
    /// One for each rule.
    pub cases: Vec<Case>,
    /// What else is known, by name.
    pub facts: Vec<(&'static str, String)>,
    /// Bytes and SHA-256 of the file, when it was read to its end.
    pub content: Option<(u64, Digest)>,
    /// What is added to a row's number to get its line, in formats that have lines.
    pub line_offset: Option<u64>,
    /// The version of what wrote the report.
    pub version: String,
    /// When it was judged.
    pub at: Option<Timestamp>,
}

/// One rule, of one column where it is about one.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The stable id of the rule.
    pub rule: &'static str,
    /// The column or columns, as text; empty for the whole file.
    pub column: String,
    /// What the rule is called among others of its kind: an expression, a slice, the columns of a key, a figure; or empty.
    pub name: String,
    /// Which one, from 1, where there are several of the same rule, column and name.
    pub part: usize,
    /// What came of it.
    pub standing: Standing,
}

/// What came of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// It holds.
    Kept,
    /// It does not.
    Found(Told),
    /// It was not tried, for this reason.
    NotRun(String),
    /// It asks nothing of this file, for this reason.
    Moot(String),
}

/// What a finding says.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Whether it refuses the file.
    pub severity: Severity,
    /// What is wrong, in words without values.
    pub message: String,
    /// How many cells, rows or columns it is about.
    pub count: Option<u64>,
    /// Which share that is, and the share that is allowed.
    pub share: Option<(f64, f64)>,
    /// Some of the rows, each with the shape of what is there if that is known.
    pub rows: Vec<(u64, Option<String>)>,
}

impl Suite {
    /// What a check against a schema says.
    pub fn check(subject: &Subject, report: &Report) -> Self {
        let mut cases = Vec::with_capacity(report.each.len());
        for check in &report.each {
            of_check(check, report, &mut cases);
        }
        let mut suite = Self::of(subject, "data check", report.outcome, cases);
        suite.content = Some((report.bytes, report.digest));
        suite.line_offset = match report.kind {
            Format::Csv => Some(1),
            Format::Json => Some(0),
            Format::Arrow | Format::Parquet => None,
        };
        suite.facts.extend([
            ("tier", report.tier.as_str().to_owned()),
            ("rows", report.rows.to_string()),
            ("checks", report.checks.to_string()),
            ("planned", report.planned.to_string()),
            ("digest", report.digest.to_string()),
        ]);
        suite
    }

    /// What a comparison says, and what follows of it: whoever compares may ask for more than the columns one by one, or only
    /// warn of drift. [`DriftReport::outcome`] is what follows of the columns alone.
    pub fn drift(subject: &Subject, report: &DriftReport, outcome: Outcome) -> Self {
        let severity = if outcome == Outcome::Invalid { Severity::Block } else { Severity::Warn };
        let columns = report.columns.iter().map(|column| of_drift(column, severity));
        let mut cases: Vec<Case> =
            columns.chain(report.beside.iter().map(|beside| of_beside(beside, severity))).collect();
        if outcome == Outcome::Invalid
            && !cases.iter().any(|case| matches!(case.standing, Standing::Found(_)))
        {
            let message =
                "no column drifts by itself, but the rows compared together or one by one differ".to_owned();
            let told = Told { severity, message, count: None, share: None, rows: Vec::new() };
            cases.insert(0, Case::new("drift", String::new(), Standing::Found(told)));
        }
        let mut suite = Self::of(subject, "data drift", outcome, cases);
        suite.facts.extend([
            ("purpose", report.purpose.id().to_owned()),
            ("level", format!("{:?}", report.level)),
            ("seed", report.seed.to_string()),
        ]);
        suite
    }

    /// What an examination says.
    pub fn quality(subject: &Subject, report: &QualityReport) -> Self {
        let found = report.findings.iter().map(of_quality);
        let kept = report.ran.iter().filter(|(rule, _)| !report.findings.iter().any(|one| one.rule == *rule));
        let kept = kept.map(|(rule, _)| Case::new(rule.id(), String::new(), Standing::Kept));
        let not_run = report.not_run.iter().filter(|one| one.planned);
        let not_run =
            not_run.map(|one| Case::new(one.rule.id(), String::new(), Standing::NotRun(plain(&one.reason))));
        let cases = found.chain(kept).chain(not_run).collect();
        let mut suite = Self::of(subject, "data poison", report.outcome(), cases);
        suite.line_offset = Some(1);
        suite.facts.extend([
            ("rows", report.rows.to_string()),
            ("label", plain(&report.label)),
            ("seed", report.seed.to_string()),
        ]);
        suite
    }

    /// That there is no verdict, because the file cannot be read to its end, or what is asked for cannot be done.
    pub fn unread(subject: &Subject, task: &'static str, why: &dyn Error) -> Self {
        Self::of(subject, task, Outcome::Error, vec![Case::new(NO_VERDICT, String::new(), because(why))])
    }

    fn of(subject: &Subject, task: &'static str, outcome: Outcome, mut cases: Vec<Case>) -> Self {
        if !cases.iter().any(|case| case.rule == NO_VERDICT) {
            let standing = match outcome {
                Outcome::Error => Standing::NotRun("not every check ran, so there is no verdict".to_owned()),
                Outcome::Valid | Outcome::Invalid => Standing::Kept,
            };
            cases.insert(0, Case::new(NO_VERDICT, String::new(), standing));
        }
        number(&mut cases);
        let mut facts = vec![("outcome", outcome.as_str().to_owned())];
        if let Some(against) = &subject.against {
            facts.push(("against", plain(&against.name)));
            facts.extend(against.digest.map(|digest| ("against-digest", digest.to_string())));
        }
        Self {
            name: plain(&subject.name),
            uri: subject.uri.clone(),
            task,
            outcome,
            cases,
            facts,
            content: None,
            line_offset: None,
            version: plain(&subject.version),
            at: subject.at,
        }
    }

    /// The line of a row, in formats that have lines and where no cell goes over several.
    pub(super) fn line(&self, row: u64) -> Option<u64> {
        self.line_offset.map(|offset| row.saturating_add(offset))
    }
}

/// The rule that all rules were tried.
pub(super) const NO_VERDICT: &str = "no-verdict";

impl Case {
    fn new(rule: &'static str, column: String, standing: Standing) -> Self {
        Self { rule, column, name: String::new(), part: 1, standing }
    }

    /// What it is called: the rule, of which column, by which name, and which of several.
    pub fn title(&self) -> String {
        let mut title = if self.rule == NO_VERDICT {
            "every planned check ran".to_owned()
        } else if self.column.is_empty() {
            self.rule.to_owned()
        } else {
            format!("{}: {}", self.column, self.rule)
        };
        if !self.name.is_empty() {
            title.push_str(": ");
            title.push_str(&self.name);
        }
        if self.part > 1 {
            title.push_str(&format!(" ({})", self.part));
        }
        title
    }
}

/// Tells those of one rule, column and name from each other.
fn number(cases: &mut [Case]) {
    let mut seen: std::collections::HashMap<(&'static str, String, String), usize> =
        std::collections::HashMap::new();
    for case in cases {
        let count = seen.entry((case.rule, case.column.clone(), case.name.clone())).or_default();
        *count += 1;
        case.part = *count;
    }
}

fn because(why: &dyn Error) -> Standing {
    let mut text = why.to_string();
    let mut source = why.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    Standing::NotRun(plain(&text))
}

fn of_check(check: &Check, report: &Report, cases: &mut Vec<Case>) {
    let column = check.column.as_deref().map(plain).unwrap_or_default();
    let rule = check.rule.id();
    let name = check.name.as_deref().map(|name| cut(name, 200)).unwrap_or_default();
    let mut add = |column: String, standing: Standing| {
        cases.push(Case { name: name.clone(), ..Case::new(rule, column, standing) });
    };
    if let Some(why) = &check.moot {
        return add(column, Standing::Moot(plain(why)));
    }
    if !check.ran {
        // Its own finding says why; or one of the column's presence, or of the first share of a label.
        let own = check.findings.first().and_then(|place| report.findings.get(*place));
        let says = |one: &&Finding| {
            one.column == check.column && matches!(one.rule, Rule::MissingColumn | Rule::LabelShare)
        };
        let why = match own.or_else(|| report.findings.iter().find(says)) {
            Some(finding) => plain(finding.message.replacen("could not run: ", "", 1).as_str()),
            None => "there is nothing that it could look at".to_owned(),
        };
        return add(column, Standing::NotRun(why));
    }
    if check.findings.is_empty() {
        add(column.clone(), Standing::Kept);
    }
    for place in &check.findings {
        let standing = match report.findings.get(*place) {
            Some(finding) => Standing::Found(told(finding)),
            None => {
                Standing::NotRun("it is broken, and there are more findings than a report holds".to_owned())
            }
        };
        let named = report.findings.get(*place).and_then(|finding| finding.column.as_deref()).map(plain);
        add(named.unwrap_or_else(|| column.clone()), standing);
    }
}

fn told(finding: &Finding) -> Told {
    let cells = !finding.examples.is_empty();
    Told {
        severity: finding.severity,
        message: plain(&finding.message),
        count: Some(finding.count),
        share: cells.then_some((finding.share, finding.limit)),
        rows: finding
            .examples
            .iter()
            .map(|one| (one.row, Some(&one.shape).filter(|shape| !shape.is_empty()).cloned()))
            .collect(),
    }
}

fn of_drift(column: &ColumnDrift, severity: Severity) -> Case {
    let rule = match column.measure {
        Measure::Values => "drift",
        Measure::Missing => "drift-missing",
    };
    let standing = match column.verdict {
        Verdict::NoDrift => Standing::Kept,
        Verdict::NotJudged(reason) => Standing::NotRun(reason.message().to_owned()),
        Verdict::Drift => Standing::Found(Told {
            severity,
            message: drifted(column),
            count: None,
            share: None,
            rows: Vec::new(),
        }),
    };
    Case::new(rule, plain(&column.column), standing)
}

fn of_beside(beside: &TableFinding, severity: Severity) -> Case {
    let message = plain(&beside.message);
    let standing = match beside.outcome {
        Outcome::Valid => Standing::Kept,
        Outcome::Error => Standing::NotRun(message),
        Outcome::Invalid => {
            Standing::Found(Told { severity, message, count: None, share: None, rows: Vec::new() })
        }
    };
    Case::new(beside.test.id(), plain(&beside.column), standing)
}

/// How far a column drifted, in words.
pub(super) fn drifted(column: &ColumnDrift) -> String {
    let what = match column.measure {
        Measure::Values => "the values differ from the reference",
        Measure::Missing => "the share of missing values differs from the reference",
    };
    let effect =
        column.effect.map(|effect| format!(", effect {:.4} where {} is drift", effect.value, column.floor));
    let p = column.adjusted_p.map(|p| format!(", adjusted p {p:.1e}"));
    format!("{what}: {}{}{}", column.statistic.id(), effect.unwrap_or_default(), p.unwrap_or_default())
}

fn of_quality(finding: &quality::Finding) -> Case {
    let of_table = finding.of == quality::Of::Table;
    let rows = finding.rows.iter().filter(|_| of_table).take(crate::limits::QUALITY_EXAMPLES);
    let told = Told {
        severity: finding.severity,
        message: plain(&finding.message),
        count: u64::try_from(finding.count).ok(),
        share: None,
        rows: rows.map(|row| (u64::from(*row), None)).collect(),
    };
    // Of many columns the first say enough.
    let columns = cut(&finding.columns.join(", "), 200);
    Case::new(finding.rule.id(), columns, Standing::Found(told))
}
