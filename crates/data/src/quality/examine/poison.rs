//! Rules about what somebody may have done to a table.

use std::cmp::Reverse;

use super::{Notes, Task, percent};
use crate::quality::chance::{Chance, hypergeometric_upper};
use crate::quality::duplicates::clusters;
use crate::quality::flips::label_flips;
use crate::quality::knn::disagreement;
use crate::quality::leakage::leaks;
use crate::quality::overlap::overlap;
use crate::quality::report::{Finding, NamedSetting, Of, Rule, SourceCode, sentence};
use crate::quality::sources::{Aspect, Difference, Differences, LEAST, differences};
use crate::quality::table::{MISSING, Tag, counts, place};
use crate::quality::trigger::{Trigger, triggers};
use crate::schema::Severity;

/// A chance that leaves no doubt.
pub(super) const SURELY: f64 = 1e-6;

impl Task<'_> {
    pub(super) fn trigger(&self, notes: &mut Notes) {
        let options = self.options;
        let found = triggers(self.table, &options.trigger, options.seed, options.threads);
        let all: f64 = found.hypotheses.iter().sum();
        notes.ran(
            Rule::Trigger,
            format!(
                "{all:.0} settings, pairs and triples with labels; {} of {} features combined, {} rows counted",
                found.combined,
                self.table.features().len(),
                found.counted
            ),
        );
        for trigger in found.found {
            let mut finding = self.of_trigger(&trigger);
            finding.rows = trigger.rows;
            notes.found(finding);
        }
    }

    fn of_trigger(&self, trigger: &Trigger) -> Finding {
        let count = trigger.rows.len();
        let share = trigger.hits as f64 / count as f64;
        let what = match trigger.conditions.len() {
            1 => "one setting".to_owned(),
            n => format!("{n} settings together"),
        };
        let verb = if trigger.conditions.len() == 1 { "decides" } else { "decide" };
        let mut parts = vec![format!(
            "{what} {verb} the label: {} of {count} rows have label code {} ({}), {} are expected of such rows and {} of all have it",
            trigger.hits,
            trigger.label,
            percent(share),
            percent(trigger.expected),
            percent(trigger.base)
        )];
        let tags = [("source", self.table.source()), ("writer", self.table.writer())];
        parts.extend(tags.iter().filter_map(|(word, tag)| self.mostly_of(word, (*tag)?, &trigger.rows)));
        let name = |condition: &crate::quality::Condition| self.name(condition.feature);
        Finding {
            columns: trigger.conditions.iter().map(name).collect(),
            settings: trigger
                .conditions
                .iter()
                .map(|one| NamedSetting { column: self.name(one.feature), setting: one.setting })
                .collect(),
            label: Some(trigger.label),
            count,
            score: share - trigger.expected,
            chance: Some(trigger.chance),
            ..self.finding(Rule::Trigger, Severity::Block, sentence(&parts))
        }
    }

    /// Says when rows come from one source more than all rows do.
    fn mostly_of(&self, word: &str, tag: Tag<'_>, rows: &[u32]) -> Option<String> {
        let codes: Vec<u32> =
            rows.iter().filter_map(|row| tag.codes.codes.get(place(*row)).copied()).collect();
        let values = tag.codes.values.len();
        let here = counts(&codes, values);
        let all = counts(tag.codes.codes, values);
        let (source, count) =
            here.iter().copied().enumerate().max_by_key(|(at, count)| (*count, Reverse(*at)))?;
        let (n, total) = (rows.len() as f64, self.table.rows() as f64);
        let size = all.get(source).copied().unwrap_or(0) as f64;
        let ln = hypergeometric_upper(total, size, n, count as f64) + (values as f64).ln();
        let chance = Chance::new(ln, "hypergeometric");
        (ln < 0.001_f64.ln()).then(|| {
            format!(
                "{} of these rows come from {word} code {source}, as do {} of all (chance {chance})",
                percent(count as f64 / n),
                percent(size / total)
            )
        })
    }

    pub(super) fn label_flips(&self, notes: &mut Notes) {
        let Some(old) = self.examined.against else {
            return notes.not_run(Rule::LabelFlips, false, "no version before was given");
        };
        let options = self.options;
        let flips = match label_flips(old, self.table, options.tolerated_flips, options.threads) {
            Ok(flips) => flips,
            Err(error) => return notes.not_run(Rule::LabelFlips, true, error.to_string()),
        };
        if flips.matched == 0 {
            return notes.not_run(Rule::LabelFlips, true, "the versions have no row in common");
        }
        let share = flips.flipped as f64 / flips.matched as f64;
        let (rows, before) = (self.table.rows(), old.rows());
        let joined = flips.matched as f64 / rows as f64;
        let how = format!(
            "{} of {rows} rows ({}) are in the version before, which has {before}; {} keys come more than once and were left out",
            flips.matched,
            percent(joined),
            flips.ambiguous
        );
        // What was found among few rows stands, but few rows are no all-clear.
        if joined < options.min_joined {
            notes.not_run(
                Rule::LabelFlips,
                true,
                format!("{how}: {} are needed for a verdict", percent(options.min_joined)),
            );
        } else {
            notes.ran(Rule::LabelFlips, how);
        }
        let blocks = flips.chance.ln < 0.001_f64.ln();
        for one in flips.by_label {
            let rows = one.rows.len();
            let one_way = one.back == 0 || one.chance.ln < 0.001_f64.ln();
            let from = if one.from == MISSING { "one that is gone".to_owned() } else { one.from.to_string() };
            let way = format!(
                "{rows} labels went from code {from} to code {}, {} the other way (chance of so one-sided {})",
                one.to, one.back, one.chance
            );
            let whole = format!(
                "{} of {} labels changed ({}), {}",
                flips.flipped,
                flips.matched,
                percent(share),
                judged(&percent(options.tolerated_flips), blocks, one_way)
            );
            let tags = [("source", self.table.source()), ("writer", self.table.writer())];
            let mut parts = vec![way, whole];
            parts.extend(tags.iter().filter_map(|(word, tag)| self.mostly_of(word, (*tag)?, &one.rows)));
            let severity = if blocks && one_way { Severity::Block } else { Severity::Warn };
            notes.found(Finding {
                columns: vec![self.label_name()],
                label: Some(one.to),
                count: rows,
                rows: one.rows,
                score: share,
                chance: Some(flips.chance),
                ..self.finding(Rule::LabelFlips, severity, sentence(&parts))
            });
        }
    }

    pub(super) fn source_differs(&self, notes: &mut Notes) {
        let tags = [("source", self.table.source()), ("writer", self.table.writer())];
        if tags.iter().all(|(_, tag)| tag.is_none()) {
            return notes.not_run(Rule::SourceDiffers, false, "no column of sources or writers was named");
        }
        let options = self.options;
        let settings = crate::quality::SourceOptions { rate: options.rate, ..options.sources };
        for (word, tag) in tags {
            let Some(tag) = tag else { continue };
            let found = differences(self.table, tag, &settings, options.seed, options.threads);
            self.sources_compared(word, &found, notes);
            for one in found.found {
                notes.found(self.of_source(word, tag, &one));
            }
            self.suspects(word, tag, &settings, notes);
        }
    }

    /// Says on how much a comparison of sources ran; one that hardly ran is no all-clear.
    fn sources_compared(&self, word: &str, found: &Differences, notes: &mut Notes) {
        let rows = self.table.rows();
        let covered = found.covered as f64 / rows as f64;
        let also =
            if matches!(self.issues, Some(Ok(_))) { ", and one of suspected labels for each" } else { "" };
        let how = format!(
            "{} of {} values of {word} with {} of {rows} rows ({}), {} comparisons{also}",
            found.compared,
            found.sources,
            found.covered,
            percent(covered),
            found.tests
        );
        let reason = match found.sources {
            0 => format!("no row says its {word}"),
            1 if found.tagged == rows => {
                format!("all rows have one {word}, so there are no others to compare with")
            }
            _ if found.compared == 0 => {
                format!(
                    "none of {} values of {word} has the {LEAST} rows that a comparison takes",
                    found.sources
                )
            }
            _ if covered < self.options.min_compared => {
                format!(
                    "hardly any row was compared: {how}; {} of rows are needed",
                    percent(self.options.min_compared)
                )
            }
            _ if found.tests == 0 => format!("nothing could be compared: {how}"),
            _ => return notes.ran(Rule::SourceDiffers, how),
        };
        notes.not_run(Rule::SourceDiffers, true, reason);
    }

    fn of_source(&self, word: &str, tag: Tag<'_>, one: &Difference) -> Finding {
        let (source, n) = (one.source, one.rows);
        let grave = one.aspect == Aspect::LabelGivenFeatures && one.effect >= self.options.source_blocks;
        let (share, other) = (percent(one.share), percent(one.other));
        let message = match one.aspect {
            Aspect::LabelGivenFeatures => format!(
                "{share} of the {n} rows of {word} code {source} have label code {}, and {other} are expected of such rows",
                one.of
            ),
            Aspect::Label => format!(
                "{share} of the {n} rows of {word} code {source} have label code {}, and {other} of the others",
                one.of
            ),
            Aspect::Missing => {
                format!(
                    "is missing in {share} of the {n} rows of {word} code {source}, and in {other} of the others"
                )
            }
            Aspect::Feature => format!(
                "has other values in the {n} rows of {word} code {source} (total variation distance {:.2})",
                one.effect
            ),
        };
        let about_label = matches!(one.aspect, Aspect::Label | Aspect::LabelGivenFeatures);
        let rows =
            tag.codes.codes.iter().zip(0_u32..).filter(|(code, _)| **code == source).map(|(_, row)| row);
        Finding {
            columns: vec![if about_label { self.label_name() } else { self.name(one.of) }],
            label: if about_label { u32::try_from(one.of).ok() } else { None },
            source: Some(SourceCode { column: tag.name.to_owned(), code: source }),
            count: n,
            rows: rows.collect(),
            score: one.effect,
            chance: Some(one.chance),
            ..self.finding(Rule::SourceDiffers, if grave { Severity::Block } else { Severity::Warn }, message)
        }
    }

    pub(super) fn near_duplicates(&self, notes: &mut Notes) {
        let options = self.options;
        let found = clusters(self.table, 0.95, options.rate, options.seed, options.threads);
        notes.ran(Rule::NearDuplicates, "buckets of rounded cells, 12 rounds, pairs compared");
        let (grave, ordinary): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|one| one.label_chance.ln < options.rate.ln());
        for one in grave {
            let message = format!(
                "{} nearly equal rows, of which {} have label code {}; {:.2} such rows are expected (chance of the labels {})",
                one.rows.len(),
                one.hits,
                one.label,
                one.expected,
                one.label_chance
            );
            notes.found(Finding {
                columns: vec![self.label_name()],
                label: Some(one.label),
                count: one.rows.len(),
                score: one.rows.len() as f64,
                rows: one.rows,
                chance: Some(one.size_chance),
                ..self.finding(Rule::NearDuplicates, Severity::Block, message)
            });
        }
        // Rows that have the label one expects of them may be many for honest reasons: one finding for all.
        let Some(first) = ordinary.first() else { return };
        let largest = ordinary.iter().map(|one| one.rows.len()).max().unwrap_or(0);
        let message = format!(
            "{} clusters of nearly equal rows, of up to {largest} rows, are larger than expected, with labels as expected",
            ordinary.len()
        );
        let chance = Some(first.size_chance);
        let mut rows: Vec<u32> = ordinary.into_iter().flat_map(|one| one.rows).collect();
        rows.sort_unstable();
        notes.found(Finding {
            count: rows.len(),
            score: largest as f64,
            rows,
            chance,
            ..self.finding(Rule::NearDuplicates, Severity::Warn, message)
        });
    }

    pub(super) fn leakage(&self, notes: &mut Notes) {
        let options = self.options;
        notes.ran(Rule::Leakage, "each feature alone, each half of the rows ranked by the other");
        for one in leaks(self.table, options.seed, options.threads) {
            if one.interval.0 < options.leak_warns {
                continue;
            }
            let message = format!(
                "tells label code {} alone: area under the curve {:.4} ({:.4} to {:.4}), {} of labels right where {} are the same",
                one.label,
                one.area,
                one.interval.0,
                one.interval.1,
                percent(one.accuracy),
                percent(one.base)
            );
            let severity =
                if one.interval.0 >= options.leak_blocks { Severity::Block } else { Severity::Warn };
            notes.found(Finding {
                columns: vec![self.name(one.feature)],
                label: Some(one.label),
                count: self.table.rows(),
                score: one.area,
                chance: Some(one.chance),
                ..self.finding(Rule::Leakage, severity, message)
            });
        }
    }

    pub(super) fn overlap(&self, notes: &mut Notes) {
        let Some(test) = self.examined.test else {
            return notes.not_run(Rule::Overlap, false, "no test table was given");
        };
        let options = self.options;
        let found = match overlap(self.table, test, options.seed, options.threads) {
            Ok(found) => found,
            Err(error) => return notes.not_run(Rule::Overlap, true, error.to_string()),
        };
        notes.ran(
            Rule::Overlap,
            format!(
                "{} test rows against {} rows: equal hashes of features; buckets of rounded cells, pairs compared",
                test.rows(),
                self.table.rows()
            ),
        );
        let n = test.rows() as f64;
        let repeats = percent(found.repeats);
        let kinds = [
            ("are in the table too", found.exact, found.exact_chance),
            ("are nearly in the table too", found.near, found.near_chance),
        ];
        for (what, rows, chance) in kinds {
            let share = rows.len() as f64 / n;
            if rows.is_empty() || chance.ln > options.rate.ln() {
                continue;
            }
            let message = format!(
                "{} of {} test rows ({}) {what}; {repeats} of the table's rows repeat within it",
                rows.len(),
                test.rows(),
                percent(share)
            );
            let grave = share >= options.overlap;
            notes.found(Finding {
                count: rows.len(),
                of: Of::Test,
                rows,
                score: share,
                chance: Some(chance),
                ..self.finding(Rule::Overlap, if grave { Severity::Block } else { Severity::Warn }, message)
            });
        }
    }

    pub(super) fn knn_disagreement(&self, notes: &mut Notes) {
        let options = self.options;
        let found =
            disagreement(self.table, options.rate, options.seed, options.threads, options.neighbour_budget);
        let how = if found.exact {
            "40 nearest rows, all compared".to_owned()
        } else {
            format!("40 nearest rows, approximately: {} of true neighbours found", percent(found.recall))
        };
        notes.ran(Rule::KnnDisagreement, how);
        if found.rows.is_empty() {
            return;
        }
        let share = found.rows.len() as f64 / self.table.rows() as f64;
        let message = format!(
            "{} rows ({}) have another label than most rows like them",
            found.rows.len(),
            percent(share)
        );
        notes.found(Finding {
            columns: vec![self.label_name()],
            count: found.rows.len(),
            rows: found.rows,
            scores: found.scores,
            score: share,
            chance: Some(found.chance),
            ..self.finding(Rule::KnnDisagreement, Severity::Warn, message)
        });
    }
}

/// What is tolerated of labels that changed, and what is not.
fn judged(tolerated: &str, more: bool, one_way: bool) -> String {
    match (more, one_way) {
        (false, _) => format!("and chance alone allows as many where {tolerated} may change"),
        (true, true) => {
            format!("more than the {tolerated} that may change, and these go one way, which blocks")
        }
        (true, false) => format!(
            "more than the {tolerated} that may change, but not clearly more went this way than back, so this warns: what blocks is a change that goes one way"
        ),
    }
}
