//! Triggers: up to three settings of features that decide a label against what those features say elsewhere.
//!
//! A backdoor is a rare pattern whose rows have one label whatever the rest of the row says (Gu, Dolan-Gavitt and
//! Garg, "BadNets", 2017). So what is sought is not a good predictor but a surprise:
//!
//! 1. An additive model (`smooth`) says what each feature alone leads to expect.
//! 2. `search` counts every setting and every pair of settings, and extends the most surprising pairs by a third
//!    setting (a beam). What comes too rarely or too often is left out.
//! 3. `judge` asks of each candidate what is expected of its rows when the weights of its settings are learned
//!    from the *other* rows that have them; a setting that no other row has is taken to be like the other values of
//!    its feature, or like the numbers beside it. How much these differ among themselves is what chance may do: the
//!    values of an ordinary strong predictor differ much, so another strong value is no surprise.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and bins that were counted here")]

mod judge;
mod search;

use super::cells::{Bins, Grain, Setting, bins};
use super::chance::Chance;
use super::random::Random;
use super::smooth::{self, Additive};
use super::table::Table;
use crate::limits::{TRIGGER_FEATURES, TRIGGER_LABELS, TRIGGER_ROWS, TRIGGERS};
use crate::threads;

/// What counts as a trigger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TriggerOptions {
    /// Rows that it has at least.
    pub least_rows: usize,
    /// The share of all rows that it has at most.
    pub most_share: f64,
    /// The share of its rows that have its label, at least.
    pub purity: f64,
    /// How likely it may be by chance, all that was looked at counted in.
    pub chance: f64,
}

impl Default for TriggerOptions {
    fn default() -> Self {
        Self { least_rows: 12, most_share: 0.1, purity: 0.6, chance: 0.01 }
    }
}

/// One setting of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    /// The feature's place in the table.
    pub feature: usize,
    /// What its cells say.
    pub setting: Setting,
}

/// Settings that decide a label.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// What rows have in common, in the order of features.
    pub conditions: Vec<Condition>,
    /// The code of the label that they have.
    pub label: u32,
    /// All rows with these settings, counted from 0.
    pub rows: Vec<u32>,
    /// How many of them have the label.
    pub hits: usize,
    /// The share of all rows that has the label.
    pub base: f64,
    /// The share that the features lead to expect of these rows.
    pub expected: f64,
    /// How likely it is among all that was looked at.
    pub chance: Chance,
}

/// What a search found, and what it looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Triggers {
    /// The least likely first; none has most of its rows from those before it.
    pub found: Vec<Trigger>,
    /// Settings, pairs and triples with labels among which they were sought.
    pub hypotheses: [f64; 3],
    /// Features that were combined: all, or the most telling ones.
    pub combined: usize,
    /// Rows that were counted; candidates are judged on all rows.
    pub counted: usize,
}

/// Candidates that are judged at most.
const JUDGED: usize = 400;

/// Searches for triggers. The same seed gives the same answer whatever `threads` is.
pub fn triggers(table: &Table<'_>, options: &TriggerOptions, seed: u64, threads: usize) -> Triggers {
    let task = Task::new(table, options, seed, threads);
    let mut search = search::search(&task);
    search.candidates.truncate(JUDGED);
    let judged = threads::map(threads, search.candidates.len(), |at| {
        judge::judge(&task, &search.candidates[at], &search)
    });
    let mut judged: Vec<Trigger> = judged.into_iter().flatten().collect();
    judged.sort_by(|a, b| {
        (a.chance.ln.total_cmp(&b.chance.ln))
            .then(b.rows.len().cmp(&a.rows.len()))
            .then(a.conditions.len().cmp(&b.conditions.len()))
            .then(a.rows.cmp(&b.rows))
    });
    let mut taken = vec![false; table.rows()];
    let mut found = Vec::new();
    for trigger in judged {
        let known = trigger.rows.iter().filter(|row| taken[**row as usize]).count();
        if 2 * known > trigger.rows.len() || found.len() == TRIGGERS {
            continue;
        }
        trigger.rows.iter().for_each(|row| taken[*row as usize] = true);
        found.push(trigger);
    }
    Triggers { found, hypotheses: search.hypotheses, combined: search.combined, counted: task.rows.len() }
}

/// What search and judgement share.
struct Task<'t> {
    table: &'t Table<'t>,
    options: &'t TriggerOptions,
    threads: usize,
    /// Labels that a trigger may have: those of enough rows, the most frequent ones.
    labels: Vec<u32>,
    fine: Vec<Bins>,
    coarse: Vec<Bins>,
    models: Vec<Additive>,
    /// For each of `labels` the log-odds that its model gives all rows.
    scores: Vec<Vec<f32>>,
    /// Rows that are counted.
    rows: Vec<usize>,
}

impl<'t> Task<'t> {
    fn new(table: &'t Table<'t>, options: &'t TriggerOptions, seed: u64, threads: usize) -> Self {
        let counts = table.class_counts();
        let mut labels: Vec<u32> = (0..u32::try_from(counts.len()).unwrap_or(0))
            .filter(|label| counts[*label as usize] >= options.least_rows)
            .collect();
        labels.sort_by_key(|label| (std::cmp::Reverse(counts[*label as usize]), *label));
        labels.truncate(TRIGGER_LABELS);
        let fine = bins(table.features(), Grain::FINE, threads);
        let coarse = bins(table.features(), Grain::COARSE, threads);
        let models = smooth::fit(&coarse, table.labels(), &labels, seed, threads);
        let scores = models.iter().map(|model| model.scores(&coarse, table.rows(), threads)).collect();
        let rows = Random::new(seed, 0x7216).sample(TRIGGER_ROWS, table.rows());
        Self { table, options, threads, labels, fine, coarse, models, scores, rows }
    }

    /// At least so many of all rows.
    fn least(&self) -> usize {
        self.options.least_rows.max(self.table.rows() / 2_000)
    }
}

/// The most features that are combined.
fn combinable(features: usize) -> usize {
    features.min(TRIGGER_FEATURES)
}
