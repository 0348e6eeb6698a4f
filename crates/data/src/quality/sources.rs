//! Whether rows of one source, or of one writer, differ from all others: in labels, in what is missing, in features.
//!
//! Labels are compared twice: as they are, and with what the features of the rows lead to expect, because a source
//! may well have other customers, but hardly other labels for the same customers. Each comparison has a p-value;
//! Benjamini and Yekutieli (2001) decide over all of them, however they depend on each other, and a difference that
//! is too small to matter is left out.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and bins that were counted here")]

use super::cells::{Bins, Grain, bins};
use super::chance::{Chance, adjusted, chi_squared_upper, hypergeometric_both, normal_both};
use super::smooth::{self, sigmoid};
use super::table::{MISSING, Table, Tag, counts};
use crate::limits::{SOURCES, TRIGGER_LABELS};
use crate::threads;

/// Rows of a source that is compared, at least.
pub(super) const LEAST: usize = 20;
/// Log-odds by which ordinary sources differ in labels beyond what the features say, as a standard deviation, at
/// least.
const SPREAD: f64 = 0.1;

/// What of a source differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// A label comes more or less often than the features of the rows lead to expect.
    LabelGivenFeatures,
    /// A label comes more or less often.
    Label,
    /// A feature is missing more or less often.
    Missing,
    /// A feature has other values.
    Feature,
}

/// A source that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The code of the source.
    pub source: u32,
    /// What differs.
    pub aspect: Aspect,
    /// The code of the label, or the feature's place.
    pub of: usize,
    /// Rows of the source.
    pub rows: usize,
    /// The share there: of the label, or of what is missing; 0 for values.
    pub share: f64,
    /// The share to compare with: that of the other rows, or what is expected.
    pub other: f64,
    /// How large the difference is, from 0 to 1: of the shares, or the total variation distance of the values.
    pub effect: f64,
    /// How likely it is, over all comparisons.
    pub chance: Chance,
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    /// The least likely first.
    pub found: Vec<Difference>,
    /// Sources that were compared: the largest ones, of enough rows.
    pub compared: usize,
    /// Sources that are there.
    pub sources: usize,
    /// Rows that say where they are from.
    pub tagged: usize,
    /// Rows of the sources that were compared.
    pub covered: usize,
    /// Comparisons in all.
    pub tests: usize,
}

/// What is too small to matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourceOptions {
    /// The false-discovery rate.
    pub rate: f64,
    /// The least difference of shares of a label or of what is missing.
    pub share: f64,
    /// The least total variation distance of values.
    pub distance: f64,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self { rate: 0.01, share: 0.05, distance: 0.2 }
    }
}

/// Compares each source (or writer) with all other rows.
pub fn differences(
    table: &Table<'_>,
    tag: Tag<'_>,
    options: &SourceOptions,
    seed: u64,
    threads: usize,
) -> Differences {
    let sizes = counts(tag.codes.codes, tag.codes.values.len());
    let (there, tagged) = (sizes.iter().filter(|size| **size > 0).count(), sizes.iter().sum());
    let sources = compared(&sizes, table.rows());
    let mut place = vec![usize::MAX; sizes.len()];
    sources.iter().enumerate().for_each(|(at, source)| place[*source] = at);
    let of = |row: usize| {
        let code = tag.codes.codes[row];
        if code == MISSING { usize::MAX } else { place[code as usize] }
    };
    let coarse = bins(table.features(), Grain::COARSE, threads);
    let task = Task { table, sizes: sources.iter().map(|source| sizes[*source]).collect(), of: &of, threads };
    let mut found = task.labels(&coarse, seed);
    found.extend(
        threads::map(threads, coarse.len(), |at| task.feature(&coarse[at], at)).into_iter().flatten(),
    );
    let ln = adjusted(&found.iter().map(|one| one.ln).collect::<Vec<f64>>(), true);
    let tests = found.len();
    let apart = apart(&found, &ln, options);
    let mut differences: Vec<Difference> = Vec::new();
    for ((one, ln), apart) in found.into_iter().zip(ln).zip(apart) {
        if apart {
            differences.push(Difference {
                source: u32::try_from(sources[one.source]).unwrap_or(MISSING),
                aspect: one.aspect,
                of: one.of,
                rows: task.sizes[one.source],
                share: one.share,
                other: one.other,
                effect: one.effect,
                chance: Chance::new(ln, one.aspect.method()),
            });
        }
    }
    differences.sort_by(|a, b| {
        (a.aspect.cmp(&b.aspect))
            .then(a.chance.ln.total_cmp(&b.chance.ln))
            .then(a.source.cmp(&b.source))
            .then(a.of.cmp(&b.of))
    });
    let covered = task.sizes.iter().sum();
    Differences { found: differences, compared: sources.len(), sources: there, tagged, covered, tests }
}

/// The sources that are compared, given how many rows each has: the largest first.
pub(super) fn compared(sizes: &[usize], rows: usize) -> Vec<usize> {
    let mut sources: Vec<usize> =
        (0..sizes.len()).filter(|source| sizes[*source] >= LEAST && sizes[*source] < rows).collect();
    sources.sort_by(|a, b| sizes[*b].cmp(&sizes[*a]).then(a.cmp(b)));
    sources.truncate(SOURCES);
    sources
}

impl Aspect {
    fn method(self) -> &'static str {
        match self {
            Self::LabelGivenFeatures => {
                "normal approximation to the count given an additive model, with the spread between sources, Benjamini-Yekutieli"
            }
            Self::Label | Self::Missing => "hypergeometric, both tails, Benjamini-Yekutieli",
            Self::Feature => "chi-squared over bins of at least five expected rows, Benjamini-Yekutieli",
        }
    }
}

/// Which comparisons stand when sources that differ more are left out of what they are compared with: one that is
/// far off makes all others differ from the rest, which has it in.
fn apart(found: &[Compared], ln: &[f64], options: &SourceOptions) -> Vec<bool> {
    let floor = |one: &Compared| if one.aspect == Aspect::Feature { options.distance } else { options.share };
    let mut stands = vec![false; found.len()];
    let mut order: Vec<usize> = (0..found.len())
        .filter(|at| ln[*at] <= options.rate.ln() && found[*at].effect >= floor(&found[*at]))
        .collect();
    order.sort_by(|a, b| {
        let key = |at: usize| (found[at].aspect, found[at].of);
        key(*a).cmp(&key(*b)).then(found[*b].effect.total_cmp(&found[*a].effect)).then(a.cmp(b))
    });
    let mut left: Vec<f64> = Vec::new();
    let mut group = None;
    for at in order {
        let one = &found[at];
        if group != Some((one.aspect, one.of)) {
            group = Some((one.aspect, one.of));
            left.clone_from(&one.all);
        }
        let (again, effect) = if one.aspect == Aspect::LabelGivenFeatures {
            (one.ln, one.effect)
        } else if one.aspect == Aspect::Feature {
            homogeneous(&one.own, &left)
        } else {
            let (n, all) = (one.own.iter().sum::<f64>(), left.iter().sum::<f64>());
            let effect = (one.own[0] / n - (left[0] - one.own[0]) / (all - n).max(1.0)).abs();
            (hypergeometric_both(all, left[0], n, one.own[0]), effect)
        };
        // What adjusting added, added again.
        if again + (ln[at] - one.ln) <= options.rate.ln() && effect >= floor(one) {
            stands[at] = true;
            left.iter_mut().zip(&one.own).for_each(|(left, own)| *left -= own);
        }
    }
    stands
}

/// One comparison.
struct Compared {
    source: usize,
    aspect: Aspect,
    of: usize,
    share: f64,
    other: f64,
    effect: f64,
    ln: f64,
    /// Rows of the source in each bin, and all rows.
    own: Vec<f64>,
    all: Vec<f64>,
}

struct Task<'t> {
    table: &'t Table<'t>,
    /// Rows of each source that is compared.
    sizes: Vec<usize>,
    /// The place of a row's source among these.
    of: &'t (dyn Fn(usize) -> usize + Sync),
    threads: usize,
}

impl Task<'_> {
    fn labels(&self, coarse: &[Bins], seed: u64) -> Vec<Compared> {
        let (table, rows) = (self.table, self.table.rows());
        let counts = table.class_counts();
        let mut labels: Vec<u32> = (0..u32::try_from(counts.len()).unwrap_or(0)).collect();
        labels.retain(|label| counts[*label as usize] > 0);
        labels.sort_by_key(|label| (std::cmp::Reverse(counts[*label as usize]), *label));
        labels.truncate(TRIGGER_LABELS);
        // With two labels one says what the other says.
        if counts.iter().filter(|count| **count > 0).count() == 2 {
            labels.truncate(1);
        }
        let models = smooth::fit(coarse, table.labels(), &labels, seed, self.threads);
        let mut found = Vec::new();
        for (label, model) in labels.iter().zip(&models) {
            let scores = model.scores(coarse, rows, self.threads);
            let mut sums = vec![(0.0_f64, 0.0_f64, 0.0_f64); self.sizes.len()];
            for (row, score) in scores.iter().enumerate() {
                if let Some(sum) = sums.get_mut((self.of)(row)) {
                    let share = sigmoid(f64::from(*score));
                    sum.0 += f64::from(u8::from(table.labels()[row] == *label));
                    sum.1 += share;
                    sum.2 += share * (1.0 - share);
                }
            }
            let (centre, spread) = between(&sums);
            let marked = counts[*label as usize] as f64;
            for (source, (hits, expected, variance)) in sums.into_iter().enumerate() {
                let n = self.sizes[source] as f64;
                let expected = (expected + centre * variance).clamp(0.0, n);
                let own = vec![hits, n - hits];
                let all = vec![marked, rows as f64 - marked];
                let deviation = (variance + variance * variance * spread).sqrt().max(1e-9);
                found.push(Compared {
                    source,
                    aspect: Aspect::LabelGivenFeatures,
                    of: *label as usize,
                    share: hits / n,
                    other: expected / n,
                    effect: (hits - expected).abs() / n,
                    ln: normal_both(((hits - expected).abs() - 0.5).max(0.0) / deviation),
                    own: own.clone(),
                    all: all.clone(),
                });
                found.push(share(source, Aspect::Label, *label as usize, own, all));
            }
        }
        found
    }

    fn feature(&self, bins: &Bins, at: usize) -> Vec<Compared> {
        let width = bins.settings.len();
        let mut table = vec![0.0_f64; self.sizes.len() * width];
        let mut all = vec![0.0_f64; width];
        for (row, bin) in bins.of.iter().enumerate() {
            all[usize::from(*bin)] += 1.0;
            if let Some(cell) =
                table.get_mut((self.of)(row).saturating_mul(width).saturating_add(usize::from(*bin)))
            {
                *cell += 1.0;
            }
        }
        let rows = self.table.rows() as f64;
        let mut found = Vec::new();
        for (source, own) in table.chunks(width).enumerate() {
            let n = self.sizes[source] as f64;
            if all[0] > 0.0 {
                let missing = (vec![own[0], n - own[0]], vec![all[0], rows - all[0]]);
                found.push(share(source, Aspect::Missing, at, missing.0, missing.1));
            }
            let (own, all) = (own[1..].to_vec(), all[1..].to_vec());
            let (ln, effect) = homogeneous(&own, &all);
            let aspect = Aspect::Feature;
            found.push(Compared { source, aspect, of: at, share: 0.0, other: 0.0, effect, ln, own, all });
        }
        found
    }
}

/// Compares the share of the first of two bins.
fn share(source: usize, aspect: Aspect, of: usize, own: Vec<f64>, all: Vec<f64>) -> Compared {
    let (n, rows) = (own[0] + own[1], all[0] + all[1]);
    let (share, other) = (own[0] / n, (all[0] - own[0]) / (rows - n));
    let ln = hypergeometric_both(rows, all[0], n, own[0]);
    Compared { source, aspect, of, share, other, effect: (share - other).abs(), ln, own, all }
}

/// Where the median source lies beyond its features, in log-odds, and how much sources differ around it beyond
/// counting, as a variance: medians, so that a few odd ones do not hide themselves.
fn between(sums: &[(f64, f64, f64)]) -> (f64, f64) {
    let least = SPREAD * SPREAD;
    let mut shifts: Vec<(f64, f64)> = sums
        .iter()
        .filter(|(_, _, variance)| *variance >= 2.0)
        .map(|(hits, expected, variance)| ((hits - expected) / variance, 1.0 / variance))
        .collect();
    if shifts.len() < 4 {
        return (0.0, least);
    }
    shifts.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let centre = shifts[shifts.len() / 2].0;
    let mut left: Vec<f64> =
        shifts.iter().map(|(shift, noise)| (shift - centre) * (shift - centre) - noise).collect();
    left.sort_unstable_by(f64::total_cmp);
    // A chi-squared with one degree of freedom has its median at 0.455 of its mean.
    (centre, (left[left.len() / 2] / 0.455).max(least))
}

/// The chi-squared test that the rows of a source are spread over bins as the others are, with bins pooled to five
/// expected rows each, and the total variation distance of both.
fn homogeneous(own: &[f64], all: &[f64]) -> (f64, f64) {
    let (n, total) = (own.iter().sum::<f64>(), all.iter().sum::<f64>());
    let rest = total - n;
    if n < 1.0 || rest < 1.0 {
        return (0.0, 0.0);
    }
    // Bins side by side become one until five rows are expected of either side; what is left joins the last.
    let mut pooled: Vec<(f64, f64)> = Vec::new();
    let (mut seen, mut sum) = (0.0, 0.0);
    for (own, all) in own.iter().zip(all) {
        seen += own;
        sum += all;
        if sum * n.min(rest) / total >= 5.0 {
            pooled.push((seen, sum));
            (seen, sum) = (0.0, 0.0);
        }
    }
    if let Some(last) = pooled.last_mut() {
        *last = (last.0 + seen, last.1 + sum);
    }
    let (mut statistic, mut distance) = (0.0, 0.0);
    for (seen, sum) in &pooled {
        let (a, b) = (sum * n / total, sum * rest / total);
        statistic += (seen - a) * (seen - a) * (1.0 / a + 1.0 / b);
        distance += (seen / n - (sum - seen) / rest).abs() / 2.0;
    }
    let bins = pooled.len() as f64;
    let ln = if bins > 1.0 { chi_squared_upper(statistic, bins - 1.0) } else { 0.0 };
    (ln, distance)
}
