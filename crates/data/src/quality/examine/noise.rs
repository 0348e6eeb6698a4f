//! Rules about labels that a model holds for wrong: all of them, and those of one source.

use super::poison::SURELY;
use super::{Notes, Task, percent};
use crate::quality::SourceOptions;
use crate::quality::confident::LabelIssues;
use crate::quality::report::{Finding, Rule, SourceCode};
use crate::quality::suspects::{Suspected, suspected};
use crate::quality::table::{Tag, place};
use crate::schema::Severity;

/// Rows that count confidently for another label beyond what is expected, as a share of all, that refuse a table.
const EXCESS: f64 = 0.01;

impl Task<'_> {
    pub(super) fn label_noise(&self, notes: &mut Notes) {
        let Some(probabilities) = self.examined.probabilities else {
            return notes.not_run(Rule::LabelNoise, true, "no model said anything of the rows");
        };
        let issues = match self.issues {
            Some(Ok(issues)) => issues,
            Some(Err(error)) => return notes.not_run(Rule::LabelNoise, true, error.to_string()),
            None => return,
        };
        notes.ran(Rule::LabelNoise, "confident learning, pruned by class and by noise rate");
        if issues.rows.is_empty() {
            return;
        }
        let share = issues.rows.len() as f64 / self.table.rows() as f64;
        let excess = (issues.confident as f64 - issues.expected) / self.table.rows() as f64;
        let grave = issues.chance.ln < SURELY.ln() && excess >= EXCESS;
        let own = |row: &u32| {
            let label = self.table.labels().get(place(*row)).copied().map_or(0, place);
            1.0 - probabilities.row(place(*row)).get(label).copied().unwrap_or(0.0)
        };
        notes.found(Finding {
            columns: vec![self.label_name()],
            count: issues.rows.len(),
            scores: issues.rows.iter().map(own).collect(),
            rows: issues.rows.clone(),
            score: share,
            chance: Some(issues.chance),
            ..self.finding(
                Rule::LabelNoise,
                if grave { Severity::Block } else { Severity::Warn },
                said(issues, share, self.options.rate),
            )
        });
    }

    /// The sources, or writers, whose labels are suspected more than those of the others.
    pub(super) fn suspects(&self, word: &str, tag: Tag<'_>, settings: &SourceOptions, notes: &mut Notes) {
        let (Some(probabilities), Some(Ok(issues))) = (self.examined.probabilities, self.issues) else {
            return;
        };
        for one in suspected(tag, &issues.rows, probabilities, settings) {
            notes.found(self.of_suspected(word, tag, one));
        }
    }

    fn of_suspected(&self, word: &str, tag: Tag<'_>, one: Suspected) -> Finding {
        let effect = one.effect();
        let grave = effect >= self.options.source_blocks;
        let message = format!(
            "{} of the {} rows of {word} code {} have a label that confident learning suspects, as do {} of the others; {} are expected, from others that the model is as sure of",
            percent(one.rows.len() as f64 / one.size as f64),
            one.size,
            one.source,
            percent(one.other),
            percent(one.expected)
        );
        Finding {
            columns: vec![self.label_name()],
            source: Some(SourceCode { column: tag.name.to_owned(), code: one.source }),
            count: one.rows.len(),
            rows: one.rows,
            score: effect,
            chance: Some(one.chance),
            ..self.finding(Rule::SourceDiffers, if grave { Severity::Block } else { Severity::Warn }, message)
        }
    }
}

/// What is so: that rows are listed, and whether chance explains it.
fn said(issues: &LabelIssues, share: f64, rate: f64) -> String {
    let listed = format!("{} labels ({}) are listed for a look", issues.rows.len(), percent(share));
    let counted = format!(
        "{} rows count confidently for another label, and {:.0} are expected of labels that follow the model's confidence, fitted to them",
        issues.confident, issues.expected
    );
    if issues.chance.ln > rate.ln() {
        format!(
            "{listed}, and chance may explain them: {counted}; where features leave a label open, wrong ones cannot be told"
        )
    } else {
        format!(
            "{listed}: {counted}; {} of all labels are as if drawn anew, also where the model is sure: wrong, or open by a law that no feature tells",
            percent(issues.redrawn)
        )
    }
}
