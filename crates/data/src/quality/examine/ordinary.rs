//! Rules about ordinary faults.

use super::{Notes, Task, percent};
use crate::quality::chance::{Chance, poisson_upper};
use crate::quality::columns::{Oddity, oddities, rare_labels};
use crate::quality::duplicates::{Crowd, equal_rows};
use crate::quality::report::{Finding, Rule};
use crate::quality::table::place;
use crate::schema::Severity;

impl Task<'_> {
    pub(super) fn duplicate_rows(&self, notes: &mut Notes) {
        let options = self.options;
        let rows = self.table.rows();
        let groups = equal_rows(self.table.features(), rows, options.seed, options.threads);
        notes.ran(Rule::DuplicateRows, "equal hashes of features, then compared");
        let Some(largest) = groups.first() else { return };
        let label = |row: &u32| self.table.labels().get(place(*row)).copied();
        let mut again = Vec::new();
        let (mut contradict, mut in_groups) = (0_usize, 0_usize);
        for group in &groups {
            in_groups += group.rows.len();
            again.extend(group.rows.iter().skip(1).copied());
            let first = group.rows.first().and_then(label);
            if group.rows.iter().any(|row| label(row) != first) {
                contradict += group.rows.len();
            }
        }
        again.sort_unstable();
        let crowd = Crowd::new(self.table.features(), rows, options.seed, options.threads);
        let (size, expected) = (largest.rows.len(), crowd.expected(&largest.rows, 0.0));
        let ln = poisson_upper(expected, size as f64) + (rows as f64).ln();
        let share = again.len() as f64 / rows as f64;
        let message = format!(
            "{} rows ({}) repeat the features of a row before; {contradict} of {in_groups} rows that have their like have one with another label; the largest group has {size} rows, and {expected:.2} are expected",
            again.len(),
            percent(share)
        );
        notes.found(Finding {
            count: again.len(),
            rows: again,
            score: share,
            chance: Some(Chance::new(
                ln,
                "of the largest group: Poisson tail, mean from a Chow-Liu tree over features, Bonferroni over rows",
            )),
            ..self.finding(Rule::DuplicateRows, Severity::Warn, message)
        });
    }

    pub(super) fn columns(&self, notes: &mut Notes) {
        notes.ran(Rule::Constant, "exact counts");
        notes.ran(Rule::IdLike, "exact counts");
        notes.ran(Rule::Outliers, "robust z-scores by the median absolute deviation");
        for (feature, oddity) in oddities(self.table, self.options.threads) {
            let all = self.table.rows();
            let finding = match oddity {
                Oddity::Constant => Finding {
                    count: all,
                    score: 1.0,
                    ..self.finding(Rule::Constant, Severity::Warn, "is the same in every row".to_owned())
                },
                Oddity::QuasiConstant { rows, share } => {
                    let message = format!("is the same in all but {} rows", rows.len());
                    Finding {
                        count: rows.len(),
                        rows,
                        score: share,
                        ..self.finding(Rule::Constant, Severity::Warn, message)
                    }
                }
                Oddity::IdLike { distinct, monotone, chance } => {
                    let order = if monotone { ", in the order of rows" } else { "" };
                    let message =
                        format!("names rows: {} of its values are different{order}", percent(distinct));
                    Finding {
                        count: all,
                        score: distinct,
                        chance,
                        ..self.finding(Rule::IdLike, Severity::Warn, message)
                    }
                }
                Oddity::Outliers { rows, scores, logarithms, expected, chance } => {
                    let scale = if logarithms { "logarithms lie" } else { "numbers lie" };
                    let farthest = scores.first().copied().unwrap_or(0.0).abs();
                    let message = format!(
                        "{} {scale} far from the others, up to {farthest:.1} robust deviations; a normal has {expected} there",
                        rows.len()
                    );
                    Finding {
                        count: rows.len(),
                        rows,
                        scores,
                        score: farthest,
                        chance: Some(chance),
                        ..self.finding(Rule::Outliers, Severity::Warn, message)
                    }
                }
            };
            notes.found(Finding { columns: vec![self.name(feature)], ..finding });
        }
    }

    pub(super) fn imbalance(&self, notes: &mut Notes) {
        notes.ran(Rule::Imbalance, "shares of labels with the interval of Clopper and Pearson");
        for one in rare_labels(self.table, self.options.rare) {
            let message = format!(
                "label code {} has {} rows, {} (99 % interval {} to {})",
                one.label,
                one.rows.len(),
                percent(one.share),
                percent(one.interval.0),
                percent(one.interval.1)
            );
            notes.found(Finding {
                columns: vec![self.label_name()],
                label: Some(one.label),
                count: one.rows.len(),
                rows: one.rows,
                score: one.share,
                ..self.finding(Rule::Imbalance, Severity::Warn, message)
            });
        }
    }
}
