//! What was asked beside the columns, as the report takes it: joined rows, and a classifier.

use bartizan_data::Outcome;
use bartizan_data::drift::{
    DomainOptions, DomainReport, FeatureSkew, JoinReport, TableFinding, TableTest, Verdict,
};

use super::{Compared, joined};
use crate::cli::Drift;

/// What came of it in one comparison, which is called `label` where there are several.
pub(super) fn of(compared: &Compared, label: &str, drift: &Drift) -> Vec<TableFinding> {
    let mut all = Vec::new();
    if let Some(skew) = &compared.skew {
        all.push(joined_rows(skew, compared.rows.1, label, drift));
        all.extend(skew.features.iter().map(|feature| feature_skew(feature, label, drift)));
    }
    all.extend(compared.together.as_ref().map(|report| together(report, label)));
    all
}

fn joined_rows(skew: &JoinReport, current: u64, label: &str, drift: &Drift) -> TableFinding {
    let share = joined::share(skew, current);
    let enough = skew.joined > 0 && !skew.features.is_empty() && share >= drift.min_joined;
    TableFinding {
        test: TableTest::JoinedRows,
        column: label.to_owned(),
        outcome: if enough { Outcome::Valid } else { Outcome::Error },
        message: format!(
            "{} of {current} current rows were joined by their key, a share of {share:.4} where {} is needed, and {} columns compared",
            skew.joined,
            drift.min_joined,
            skew.features.len()
        ),
    }
}

fn feature_skew(feature: &FeatureSkew, label: &str, drift: &Drift) -> TableFinding {
    let named = if label.is_empty() { feature.name.clone() } else { format!("{label}: {}", feature.name) };
    let share = feature.share();
    let outcome = match share {
        None => Outcome::Error,
        Some(share) if share > drift.mismatch => Outcome::Invalid,
        Some(_) => Outcome::Valid,
    };
    let message = format!(
        "{} of {} joined rows differ, a share of {:.4} where {} may; only training has a value in {}, only serving in {}",
        feature.differing,
        feature.joined,
        share.unwrap_or(0.0),
        drift.mismatch,
        feature.one_sided.0,
        feature.one_sided.1
    );
    TableFinding { test: TableTest::Skew, column: named, outcome, message }
}

fn together(report: &Result<DomainReport, String>, label: &str) -> TableFinding {
    let (outcome, message) = match report {
        Err(reason) => (Outcome::Error, reason.clone()),
        Ok(report) => {
            let outcome = match report.verdict {
                Verdict::NoDrift => Outcome::Valid,
                Verdict::Drift => Outcome::Invalid,
                Verdict::NotJudged(_) => Outcome::Error,
            };
            let figures = format!(
                "a classifier ranks a current row above one of the reference in {:.1} of 100 pairs ({:.1} to {:.1}; 50 is chance, {:.0} counts)",
                report.auc * 100.0,
                report.interval.0 * 100.0,
                report.interval.1 * 100.0,
                DomainOptions::default().floor * 100.0
            );
            (outcome, figures)
        }
    };
    TableFinding { test: TableTest::Together, column: label.to_owned(), outcome, message }
}
