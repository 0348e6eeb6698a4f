//! Confident learning: which labels are wrong, from what a model says of rows that it did not learn from.
//!
//! C. Northcutt, L. Jiang, I. Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70
//! (2021). A row counts confidently for class j when its probability of j reaches the mean that rows labelled j
//! have (section 3.1); these counts, scaled to the number of rows of each label, estimate how many rows labelled i
//! are really j, and so many are taken, the likeliest first (section 3.2). Where the paper leaves something open
//! (tolerances, rounding to whole rows, what a class keeps at least), the choices are those of the authors' Python
//! package, so that the same rows come out.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a kernel over rows and classes that were counted here"
)]

use super::calibrate::{Calibrated, calibrate};
use super::chance::Chance;
use super::table::place;
use crate::limits::{QUALITY_CLASSES, QUALITY_ROWS};
use crate::threads;

/// How much below its threshold a probability still counts as confident, and how much the given label is
/// favoured when the likeliest is looked for.
const SLACK: f64 = 1e-6;

/// What a model says of each row: the probability of each class.
#[derive(Debug, Clone, Copy)]
pub struct Probabilities<'a> {
    // INVARIANT: `values` holds `classes` numbers from 0 to 1 for each row.
    values: &'a [f64],
    classes: usize,
}

/// Numbers that are no probabilities of classes.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ProbabilitiesInvalid {
    /// Too few or too many classes.
    #[error("{got} classes, and 2 to {QUALITY_CLASSES} are possible")]
    Classes {
        /// How many there are.
        got: usize,
    },
    /// Not as many numbers as rows and classes make.
    #[error("{got} probabilities, and {rows} rows of {classes} classes are needed")]
    Length {
        /// How many there are.
        got: usize,
        /// The rows.
        rows: usize,
        /// The classes.
        classes: usize,
    },
    /// Too many rows, or none.
    #[error("{got} rows, and 1 to {QUALITY_ROWS} are possible")]
    Rows {
        /// How many there are.
        got: usize,
    },
    /// A number that is not from 0 to 1.
    #[error("row {row} has a probability that is not from 0 to 1")]
    Range {
        /// The row, from 1.
        row: usize,
    },
    /// Probabilities of a row that make another sum than 1.
    #[error("the probabilities of row {row} do not sum to 1")]
    Sum {
        /// The row, from 1.
        row: usize,
    },
    /// A label without a probability.
    #[error("row {row} has a label that the probabilities do not know")]
    Label {
        /// The row, from 1.
        row: usize,
    },
}

impl<'a> Probabilities<'a> {
    /// The probabilities of `classes` classes for each row, row by row.
    ///
    /// # Errors
    /// When they are not numbers from 0 to 1 that sum to 1 (to within 0.01) in each row.
    pub fn new(values: &'a [f64], classes: usize) -> Result<Self, ProbabilitiesInvalid> {
        if !(2..=QUALITY_CLASSES).contains(&classes) {
            return Err(ProbabilitiesInvalid::Classes { got: classes });
        }
        let rows = values.len() / classes;
        if !(1..=QUALITY_ROWS).contains(&rows) {
            return Err(ProbabilitiesInvalid::Rows { got: rows });
        }
        if !values.len().is_multiple_of(classes) {
            return Err(ProbabilitiesInvalid::Length { got: values.len(), rows, classes });
        }
        for (row, shares) in values.chunks_exact(classes).enumerate() {
            let mut sum = 0.0;
            let mut outside = false;
            for share in shares {
                outside |= !(0.0..=1.0).contains(share);
                sum += share;
            }
            if outside {
                return Err(ProbabilitiesInvalid::Range { row: row + 1 });
            }
            if (sum - 1.0).abs() > 0.01 {
                return Err(ProbabilitiesInvalid::Sum { row: row + 1 });
            }
        }
        Ok(Self { values, classes })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.values.len() / self.classes
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The probabilities of a row, counted from 0.
    pub fn row(&self, row: usize) -> &'a [f64] {
        let start = row.saturating_mul(self.classes);
        self.values.get(start..start.saturating_add(self.classes)).unwrap_or_default()
    }
}

/// Which rows are taken to be labelled wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// For each pair of given and true class as many rows as are estimated, by the largest margin.
    PruneByNoiseRate,
    /// For each given class as many rows as are estimated, by the least probability of it.
    PruneByClass,
    /// Rows that both of these take.
    Both,
    /// Rows that count confidently for another class.
    ConfidentLearning,
    /// As many as the one before, by the least probability of the given label.
    LowSelfConfidence,
    /// The same by the margin between the given and the best other label.
    LowNormalizedMargin,
}

/// By what rows are ordered, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranking {
    /// The probability of the given label.
    SelfConfidence,
    /// Its margin to the best other label.
    NormalizedMargin,
}

/// Labels that may be wrong, and whether more of them are than a clean table has.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelIssues {
    /// Rows, counted from 0, the worst first; of equal ones the first.
    pub rows: Vec<u32>,
    /// For each row the class that it probably is.
    pub likely: Vec<u32>,
    /// For each class the mean probability that rows of its label have; 2 where there are none.
    pub thresholds: Vec<f64>,
    /// How many rows of a label (first index) are estimated to be of a class (second index), row by row.
    pub joint: Vec<i64>,
    /// Rows that count confidently for another class than their label.
    pub confident: usize,
    /// How many of those are expected of a model whose confidence is fitted to the labels, when none is drawn anew.
    pub expected: f64,
    /// The share of labels that are as if drawn anew, whatever the features say.
    pub redrawn: f64,
    /// How likely the labels speak so much for such a share when there is none. A law that leaves the label open
    /// everywhere, however sure the features make one, looks the same as labels that were changed.
    pub chance: Chance,
}

/// Finds labels that may be wrong. The answer does not depend on `threads`.
///
/// Where rows are equally likely at the end of what is taken, the first ones are taken.
///
/// # Errors
/// When the labels are not as many as the rows, or one has no probability.
pub fn label_issues(
    labels: &[u32],
    probabilities: Probabilities<'_>,
    filter: Filter,
    ranking: Ranking,
    threads: usize,
) -> Result<LabelIssues, ProbabilitiesInvalid> {
    let (rows, classes) = (probabilities.rows(), probabilities.classes);
    if labels.len() != rows {
        let got = probabilities.values.len();
        return Err(ProbabilitiesInvalid::Length { got, rows: labels.len(), classes });
    }
    if let Some(row) = labels.iter().position(|label| place(*label) >= classes) {
        return Err(ProbabilitiesInvalid::Label { row: row + 1 });
    }
    let task = Task { labels, probabilities, threads };
    let (counts, thresholds) = task.thresholds();
    let confident = task.confident(&thresholds);
    let joint = calibrated(&confident.joint, &counts);
    let mut marked = vec![false; rows];
    match filter {
        Filter::ConfidentLearning => confident.off.iter().for_each(|row| marked[*row as usize] = true),
        Filter::LowSelfConfidence | Filter::LowNormalizedMargin => {
            let by = match filter {
                Filter::LowSelfConfidence => Ranking::SelfConfidence,
                _ => Ranking::NormalizedMargin,
            };
            let count = confident.off.iter().filter(|row| task.disagrees(**row as usize)).count();
            let all = (0..rows as u32).map(|row| (task.quality(row as usize, by), row)).collect();
            least(all, count).for_each(|row| marked[row as usize] = true);
        }
        Filter::PruneByNoiseRate | Filter::PruneByClass | Filter::Both => {
            let prune = prune_counts(&joint, classes);
            for row in task.pruned(&prune, &counts, filter).into_iter().flatten() {
                marked[row as usize] = true;
            }
        }
    }
    let score = matches!(filter, Filter::LowSelfConfidence | Filter::LowNormalizedMargin);
    let mut found: Vec<(f64, u32)> = (0..rows)
        .filter(|row| marked[*row] && (score || task.disagrees(*row)))
        .map(|row| (task.quality(row, ranking), row as u32))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let rows: Vec<u32> = found.into_iter().map(|(_, row)| row).collect();
    let likely = rows.iter().map(|row| task.best_other(*row as usize).1).collect();
    let calibrated = calibrate(labels, probabilities);
    let Calibrated { redrawn, chance, .. } = calibrated;
    let expected = task.expected(&confident.sure, &calibrated);
    Ok(LabelIssues {
        rows,
        likely,
        thresholds,
        joint,
        confident: confident.off.len(),
        expected,
        redrawn,
        chance,
    })
}

struct Task<'a> {
    labels: &'a [u32],
    probabilities: Probabilities<'a>,
    threads: usize,
}

/// What counting confidently leaves.
struct Confident {
    joint: Vec<i64>,
    /// Rows that count for another class than their label.
    off: Vec<u32>,
    /// Rows that count at all, and the class that each counts for.
    sure: Vec<(u32, u32)>,
}

impl Task<'_> {
    fn label(&self, row: usize) -> usize {
        self.labels[row] as usize
    }

    /// Rows of each label, and the mean probability of the label that they have.
    fn thresholds(&self) -> (Vec<i64>, Vec<f64>) {
        let classes = self.probabilities.classes;
        let parts = threads::pieces(self.threads, self.labels.len(), |rows| {
            let (mut counts, mut sums) = (vec![0_i64; classes], vec![0.0_f64; classes]);
            for row in rows {
                let label = self.label(row);
                counts[label] += 1;
                sums[label] += self.probabilities.row(row)[label];
            }
            (counts, sums)
        });
        let (mut counts, mut sums) = (vec![0; classes], vec![0.0; classes]);
        for (part, shares) in parts {
            for class in 0..classes {
                counts[class] += part[class];
                sums[class] += shares[class];
            }
        }
        let mean = |(count, sum): (&i64, &f64)| if *count == 0 { 2.0 } else { sum / *count as f64 };
        let thresholds = counts.iter().zip(&sums).map(|pair| mean(pair).max(2.0 * SLACK)).collect();
        (counts, thresholds)
    }

    fn confident(&self, thresholds: &[f64]) -> Confident {
        let classes = self.probabilities.classes;
        let enough: Vec<f64> = thresholds.iter().map(|threshold| threshold - SLACK).collect();
        let parts = threads::pieces(self.threads, self.labels.len(), |rows| {
            let (mut joint, mut off, mut sure) = (vec![0_i64; classes * classes], Vec::new(), Vec::new());
            for row in rows {
                let shares = self.probabilities.row(row);
                let (mut reached, mut class) = (0_usize, 0);
                for (at, (share, enough)) in shares.iter().zip(&enough).enumerate() {
                    if share >= enough {
                        reached += 1;
                        class = if reached == 1 { at } else { class };
                    }
                }
                if reached == 0 {
                    continue;
                }
                if reached > 1 {
                    class = highest(shares);
                }
                let label = self.label(row);
                joint[label * classes + class] += 1;
                sure.push((row as u32, class as u32));
                if label != class {
                    off.push(row as u32);
                }
            }
            (joint, off, sure)
        });
        let mut all = Confident { joint: vec![0; classes * classes], off: Vec::new(), sure: Vec::new() };
        for (joint, off, sure) in parts {
            all.joint.iter_mut().zip(&joint).for_each(|(sum, part)| *sum += part);
            all.off.extend(off);
            all.sure.extend(sure);
        }
        for class in 0..classes {
            let right = &mut all.joint[class * classes + class];
            *right = (*right).max(1);
        }
        all
    }

    /// How many rows that count for a class have another label, if labels follow the fitted confidence.
    fn expected(&self, sure: &[(u32, u32)], calibrated: &Calibrated) -> f64 {
        let parts = threads::pieces(self.threads, sure.len(), |rows| {
            let mut room = vec![0.0; self.probabilities.classes];
            let of = |(row, class): &(u32, u32), room: &mut [f64]| {
                calibrated.doubt(self.probabilities.row(*row as usize), *class as usize, room)
            };
            sure[rows].iter().map(|one| of(one, &mut room)).sum::<f64>()
        });
        parts.into_iter().sum()
    }

    /// Whether the likeliest class is another than the label, which wins near-ties.
    fn disagrees(&self, row: usize) -> bool {
        let (shares, label) = (self.probabilities.row(row), self.label(row));
        let own = shares[label] + SLACK;
        shares
            .iter()
            .enumerate()
            .any(|(class, share)| if class < label { *share >= own } else { class > label && *share > own })
    }

    /// The likeliest class but the label, and its probability.
    fn best_other(&self, row: usize) -> (f64, u32) {
        let label = self.label(row);
        let mut best = (f64::NEG_INFINITY, 0);
        for (class, share) in self.probabilities.row(row).iter().enumerate() {
            if class != label && *share > best.0 {
                best = (*share, class as u32);
            }
        }
        best
    }

    fn quality(&self, row: usize, ranking: Ranking) -> f64 {
        let own = self.probabilities.row(row)[self.label(row)];
        match ranking {
            Ranking::SelfConfidence => own,
            Ranking::NormalizedMargin => (own - self.best_other(row).0 + 1.0) / 2.0,
        }
    }

    /// For each label the rows that are taken from it. `prune` says how many rows of a label (second index) are
    /// of a class (first index).
    fn pruned(&self, prune: &[i64], counts: &[i64], filter: Filter) -> Vec<Vec<u32>> {
        let classes = self.probabilities.classes;
        let mut members: Vec<Vec<u32>> =
            counts.iter().map(|count| Vec::with_capacity(*count as usize)).collect();
        for (row, label) in self.labels.iter().enumerate() {
            members[*label as usize].push(row as u32);
        }
        threads::map(self.threads, classes, |label| {
            let own = &members[label];
            if own.len() < 2 {
                return Vec::new();
            }
            // Columns side by side: each is gone through once for each other class.
            let column = |class: usize| -> Vec<f64> {
                own.iter().map(|row| self.probabilities.row(*row as usize)[class]).collect()
            };
            let shares = column(label);
            let by_class = || {
                let count = (counts[label] - prune[label * classes + label]).max(0) as usize;
                least(shares.iter().copied().zip(own.iter().copied()).collect(), count).collect::<Vec<u32>>()
            };
            let by_rate = || {
                let mut taken = Vec::new();
                for class in (0..classes).filter(|class| *class != label) {
                    let count = prune[class * classes + label].max(0) as usize;
                    if count > 0 {
                        let against = |((row, own), other): ((&u32, &f64), f64)| (-(other - own), *row);
                        let all = own.iter().zip(&shares).zip(column(class)).map(against).collect();
                        taken.extend(least(all, count));
                    }
                }
                taken.sort_unstable();
                taken.dedup();
                taken
            };
            match filter {
                Filter::PruneByClass => by_class(),
                Filter::Both => {
                    let mut both = by_class();
                    both.sort_unstable();
                    let rate = by_rate();
                    both.retain(|row| rate.binary_search(row).is_ok());
                    both
                }
                _ => by_rate(),
            }
        })
    }
}

/// The first of the highest.
pub(super) fn highest(shares: &[f64]) -> usize {
    let mut best = 0;
    for (class, share) in shares.iter().enumerate() {
        if *share > shares[best] {
            best = class;
        }
    }
    best
}

/// The rows with the `count` least scores; of equal ones the first.
fn least(mut scored: Vec<(f64, u32)>, count: usize) -> impl Iterator<Item = u32> {
    if count < scored.len() {
        scored.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        scored.truncate(count);
    }
    scored.into_iter().map(|(_, row)| row)
}

/// The counts scaled so that each label has as many rows as it really has, in whole rows.
fn calibrated(joint: &[i64], counts: &[i64]) -> Vec<i64> {
    let classes = counts.len();
    let all: i64 = counts.iter().sum();
    let mut scaled: Vec<f64> = Vec::with_capacity(joint.len());
    for (row, count) in joint.chunks(classes).zip(counts) {
        let sum = (row.iter().sum::<i64>() as f64).max(1e-100);
        scaled.extend(row.iter().map(|cell| *cell as f64 / sum * *count as f64));
    }
    let columns = (0..classes).flat_map(|class| scaled.iter().skip(class).step_by(classes).copied());
    let sum = pairwise(&columns.collect::<Vec<f64>>()).max(1e-100);
    let scaled: Vec<f64> = scaled.into_iter().map(|cell| cell / sum * all as f64).collect();
    scaled.chunks(classes).flat_map(whole).collect()
}

/// How many rows of each label are to be taken for each class: the joint, transposed, in which every class keeps
/// one row at least.
fn prune_counts(joint: &[i64], classes: usize) -> Vec<i64> {
    let mut prune = vec![0.0_f64; joint.len()];
    for label in 0..classes {
        let column: Vec<f64> = (0..classes).map(|class| joint[label * classes + class] as f64).collect();
        let right = column[label].max(1.0);
        let raised = right - column[label];
        let rates = (column.iter().filter(|cell| **cell != 0.0).count() as f64 - 1.0).max(1.0);
        for class in 0..classes {
            let rest = (column[class] - raised / rates).max(0.0);
            prune[class * classes + label] = if class == label { right } else { rest };
        }
    }
    prune.iter_mut().for_each(|cell| *cell = cell.trunc());
    prune.chunks(classes).flat_map(whole).collect()
}

/// A sum by halves (Higham, "The accuracy of floating point summation", 1993), in the order of NumPy: the last
/// digit decides which of two cells is rounded up.
fn pairwise(numbers: &[f64]) -> f64 {
    if numbers.len() < 8 {
        return numbers.iter().sum();
    }
    if numbers.len() > 128 {
        let half = numbers.len() / 2;
        let (low, high) = numbers.split_at(half - half % 8);
        return pairwise(low) + pairwise(high);
    }
    let (eights, rest) = numbers.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for eight in eights {
        lanes.iter_mut().zip(eight).for_each(|(lane, number)| *lane += number);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, number| sum + number)
}

/// Rounds to whole numbers with the same (rounded) sum, changing those most that rounding changed most.
fn whole(cells: &[f64]) -> Vec<i64> {
    let mut rounded: Vec<f64> = cells.iter().map(|cell| cell.round_ties_even()).collect();
    let wanted = pairwise(cells).round_ties_even();
    for _ in 0..cells.len().max(8) {
        let missing = wanted - rounded.iter().sum::<f64>().round_ties_even();
        if missing == 0.0 {
            break;
        }
        let mut order: Vec<usize> = (0..cells.len()).collect();
        let lost = |at: &usize| cells[*at] - rounded[*at];
        order.sort_by(|a, b| lost(a).total_cmp(&lost(b)));
        if missing > 0.0 {
            order.reverse();
        }
        for at in order.into_iter().take(missing.abs() as usize) {
            rounded[at] += missing.signum();
        }
    }
    rounded.into_iter().map(|cell| cell as i64).collect()
}
