//! What is to be expected of the rows of a candidate, from all other rows, and how likely its labels are then.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and bins that were counted here")]

use super::search::{Candidate, Found};
use super::{Condition, Task, Trigger};
use crate::quality::cells::Setting;
use crate::quality::chance::{Chance, events_upper, ln_add, normal_both};
use crate::quality::smooth::{Additive, sigmoid};
use crate::quality::table::Cells;

/// Rows of a bin from which its weight is learned again.
const OUTSIDE: usize = 4_000;
/// How much the weights of a feature's values differ at least, in log-odds.
const SPREAD: f64 = 0.3;
/// How much a combination may add to its settings at least: a standard deviation in log-odds for each setting after
/// the first.
const INTERACTION: f64 = 0.2;
/// By how much what was measured of combinations is multiplied: they differ less evenly than the normal says.
const TAILS: f64 = 1.5;
const METHOD: &str = "count of the label, bounds of Hoeffding and Chernoff, given weights learned from the other rows with a normal error, Bonferroni over all settings, pairs or triples";

/// A candidate as a trigger, or nothing when it is not rare, pure and surprising enough.
pub(super) fn judge(task: &Task<'_>, candidate: &Candidate, found: &Found) -> Option<Trigger> {
    let label = task.labels[candidate.label];
    let (conditions, rows, refined) = refine(task, candidate, label);
    let hits = rows.iter().filter(|row| task.table.labels()[**row as usize] == label).count();
    let (n, k) = (rows.len() as f64, hits as f64);
    let options = task.options;
    let all = task.table.rows();
    if rows.len() < task.least() || n > options.most_share * all as f64 || k < options.purity * n {
        return None;
    }
    let expectation = expect(task, candidate, &rows, found.interaction[candidate.label]);
    // Triples are sought where pairs are surprising, but any could have been.
    let many = (3.0 * found.hypotheses[candidate.items.len() - 1]).ln() + refined;
    let ln = expectation.chance(k) + many;
    let expected = expectation.shares(0.0).iter().sum::<f64>() / n;
    if ln > options.chance.ln() || expected > 0.8 * k / n {
        return None;
    }
    let base = task.table.class_counts()[label as usize] as f64 / all as f64;
    Some(Trigger { conditions, label, rows, hits, base, expected, chance: Chance::new(ln, METHOD) })
}

/// The rows of a candidate, where ranges of numbers are cut to the part that its label fills; they may reach into
/// the ranges beside. Also the logarithm of how many such cuts there are.
fn refine(task: &Task<'_>, candidate: &Candidate, label: u32) -> (Vec<Condition>, Vec<u32>, f64) {
    let items = &candidate.items;
    let is_range = |(feature, bin): (usize, u8)| {
        matches!(task.fine[feature].settings[usize::from(bin)], Setting::Range(..))
    };
    let fits = |row: usize, (feature, bin): (usize, u8)| {
        let own = task.fine[feature].of[row];
        own == bin || (own != 0 && own.abs_diff(bin) == 1 && is_range((feature, bin)))
    };
    let all = u32::try_from(task.table.rows()).unwrap_or(u32::MAX);
    let mut rows: Vec<u32> =
        (0..all).filter(|row| items.iter().all(|item| fits(*row as usize, *item))).collect();
    let mut ways = 0.0;
    let mut conditions = Vec::with_capacity(items.len());
    for item in items {
        let setting = task.fine[item.0].settings[usize::from(item.1)];
        let setting = match (setting, task.table.features()[item.0].cells) {
            (Setting::Range(..), Cells::Numbers(cells)) => {
                ways += 2.0 * (rows.len().max(1) as f64).ln();
                let (low, high) = tightest(cells, &rows, task.table.labels(), label, candidate.expected);
                rows.retain(|row| (low..=high).contains(&cells[*row as usize]));
                if low == high { Setting::Value(low) } else { Setting::Range(low, high) }
            }
            (other, _) => other,
        };
        conditions.push(Condition { feature: item.0, setting });
    }
    (conditions, rows, ways)
}

/// The range of numbers in which the label is likeliest to come from a trigger and not from what is expected: the
/// heaviest run of log-likelihood ratios (Bentley, "Programming pearls: algorithm design techniques", 1984).
fn tightest(cells: &[f64], rows: &[u32], labels: &[u32], label: u32, expected: f64) -> (f64, f64) {
    let expected = expected.clamp(0.01, 0.9);
    let (hit, miss) = ((0.98 / expected).ln(), (0.02 / (1.0 - expected)).ln());
    let mut sorted: Vec<(f64, f64)> = Vec::with_capacity(rows.len());
    for row in rows {
        let weight = if labels[*row as usize] == label { hit } else { miss };
        sorted.push((cells[*row as usize], weight));
    }
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut best, mut range) = (f64::NEG_INFINITY, (0.0, -1.0));
    let (mut sum, mut low) = (0.0, f64::NAN);
    for run in sorted.chunk_by(|a, b| a.0 == b.0) {
        if sum <= 0.0 {
            (sum, low) = (0.0, run[0].0);
        }
        sum += run.iter().map(|(_, weight)| weight).sum::<f64>();
        if sum > best {
            (best, range) = (sum, (low, run[0].0));
        }
    }
    range
}

/// What is expected of the rows of a candidate.
struct Expectation {
    /// Log-odds of each row.
    scores: Vec<f64>,
    /// The standard deviation of an error that they have in common.
    deviation: f64,
}

impl Expectation {
    /// How likely each row has the label, when the common error is `shift`.
    fn shares(&self, shift: f64) -> Vec<f64> {
        self.scores.iter().map(|score| sigmoid(score + shift)).collect()
    }

    /// A bound for ln P(at least k have the label): either the error exceeds z deviations, or it does not and the
    /// count is that high all the same; the least over some z.
    fn chance(&self, k: f64) -> f64 {
        let mut best = 0.0_f64;
        for step in 0..60_u32 {
            let z = f64::from(step) * 0.25;
            let error = normal_both(z) - std::f64::consts::LN_2;
            if error < best {
                best = best.min(ln_add(error, events_upper(&self.shares(z * self.deviation), k)));
            }
        }
        best
    }
}

fn expect(task: &Task<'_>, candidate: &Candidate, rows: &[u32], interaction: f64) -> Expectation {
    let model = &task.models[candidate.label];
    let scores = &task.scores[candidate.label];
    let mut own: Vec<f64> = rows.iter().map(|row| f64::from(scores[*row as usize])).collect();
    let between = (interaction * TAILS * TAILS).max(INTERACTION * INTERACTION);
    let mut variance = between * (candidate.items.len() - 1) as f64;
    for (feature, _) in &candidate.items {
        let of = &task.coarse[*feature].of;
        let mut inside = vec![0_usize; model.weights[*feature].len()];
        rows.iter().for_each(|row| inside[usize::from(of[*row as usize])] += 1);
        let mut most = 0;
        for bin in (0..inside.len()).filter(|bin| inside[*bin] > 0) {
            let known = neighbours(model, *feature, task.coarse[*feature].ordered, &inside, bin);
            let (weight, left) = relearned(task, candidate.label, (*feature, bin), rows, known);
            let change = weight - model.weights[*feature][bin];
            let here = rows.iter().zip(&mut own).filter(|(row, _)| usize::from(of[**row as usize]) == bin);
            here.for_each(|(_, score)| *score += change);
            // The error of the bin that holds most of the rows stands for all.
            if inside[bin] > most {
                most = inside[bin];
                variance += left;
            }
        }
    }
    Expectation { scores: own, deviation: variance.sqrt() }
}

/// What the weight of a bin would be if only the other values of its feature were known, and how much they differ:
/// mean and variance. For numbers the bins beside it and the roughness of the curve count, for categories all.
fn neighbours(model: &Additive, feature: usize, ordered: bool, inside: &[usize], bin: usize) -> (f64, f64) {
    let weights = &model.weights[feature];
    let others: Vec<usize> = (1..weights.len()).filter(|at| inside[*at] == 0).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let least = SPREAD * SPREAD;
    if ordered && bin > 0 {
        let below = others.iter().rev().find(|at| **at < bin);
        let above = others.iter().find(|at| **at > bin);
        let beside: Vec<f64> = [below, above].into_iter().flatten().map(|at| weights[*at]).collect();
        if !beside.is_empty() {
            let rough: Vec<f64> =
                others.windows(3).map(|w| weights[w[1]] - (weights[w[0]] + weights[w[2]]) / 2.0).collect();
            let rough =
                if rough.is_empty() { 1.0 } else { mean(&rough.iter().map(|r| r * r).collect::<Vec<_>>()) };
            // At the end of the numbers there is nothing on the other side to lean on.
            let open = if beside.len() == 1 { 4.0 } else { 1.0 };
            return (mean(&beside), (rough * open).max(least));
        }
    }
    let values: Vec<f64> = others.iter().map(|at| weights[*at]).collect();
    if values.len() < 2 {
        // Nothing to compare with: an ordinary strong predictor may weigh this much.
        return (model.means[feature], 4.0);
    }
    let centre = mean(&values);
    let squares: f64 = values.iter().map(|value| (value - centre) * (value - centre)).sum();
    (centre, (squares / (values.len() as f64 - 1.0)).max(least))
}

/// The weight of a bin from its rows outside the candidate and from what is known without them: the mode and the
/// variance of the posterior (Laplace).
fn relearned(
    task: &Task<'_>,
    label: usize,
    (feature, bin): (usize, usize),
    rows: &[u32],
    (mean, variance): (f64, f64),
) -> (f64, f64) {
    let of = &task.coarse[feature].of;
    let old = task.models[label].weights[feature][bin];
    let mut outside = Vec::new();
    for (row, own) in of.iter().enumerate() {
        if usize::from(*own) == bin
            && u32::try_from(row).is_ok_and(|number| rows.binary_search(&number).is_err())
        {
            let hit = task.table.labels()[row] == task.labels[label];
            outside.push((f64::from(task.scores[label][row]) - old, f64::from(u8::from(hit))));
            if outside.len() == OUTSIDE {
                break;
            }
        }
    }
    let mut weight = if outside.is_empty() { mean } else { old };
    let mut curve = 1.0 / variance;
    for _ in 0..20 {
        let mut slope = (mean - weight) / variance;
        curve = 1.0 / variance;
        for (score, hit) in &outside {
            let share = sigmoid(score + weight);
            slope += hit - share;
            curve += share * (1.0 - share);
        }
        let step = (slope / curve).clamp(-1.0, 1.0);
        weight += step;
        if step.abs() < 1e-6 {
            break;
        }
    }
    (weight, 1.0 / curve)
}
