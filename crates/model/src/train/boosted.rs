//! Boosted trees on the logistic loss, grown level by level from histograms.
//!
//! Boosting after Friedman ("Greedy function approximation: a gradient boosting machine", 2001), the second-order
//! gain after Chen and Guestrin ("XGBoost: a scalable tree boosting system", 2016).
#![expect(clippy::indexing_slicing, reason = "a kernel over rows, bins and nodes that are numbered here")]

use super::encode::{Encoded, NONE};
use super::random::Random;
use crate::math::exp;

/// Different thresholds of one column of numbers at most, plus one.
const BINS: usize = 64;
/// Added to the curvature of each leaf.
const SMOOTHING: f64 = 1.0;
/// Curvature that either side of a split needs.
const LEAST: f64 = 1e-3;
/// What a split has to gain.
const GAIN: f64 = 1e-9;

/// How trees are grown; see [`Learner::Boosted`](super::Learner::Boosted).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) rounds: usize,
    pub(crate) depth: usize,
    pub(crate) rate: f64,
    pub(crate) share: f64,
}

#[derive(Debug)]
pub(crate) enum Node {
    /// `x <= threshold` goes to `yes`, the index of a node of the same tree, else to the node after it.
    Branch {
        feature: usize,
        threshold: f32,
        yes: usize,
    },
    Leaf {
        weight: f64,
    },
}

/// The trees of a model, each for one class. With two classes all are for the second.
#[derive(Debug)]
pub(crate) struct Forest {
    /// The score of each class before any tree.
    pub(crate) base: Vec<f64>,
    pub(crate) trees: Vec<(usize, Vec<Node>)>,
}

/// The first and second derivative of the loss, summed.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    slope: f64,
    curve: f64,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.slope += other.slope;
        self.curve += other.curve;
    }

    fn without(self, other: Sum) -> Sum {
        Sum { slope: self.slope - other.slope, curve: self.curve - other.curve }
    }

    fn score(self) -> f64 {
        self.slope * self.slope / (self.curve + SMOOTHING)
    }
}

/// A table whose numbers are replaced by the bins they fall into.
struct Binned<'t> {
    table: &'t Encoded,
    /// For each column of numbers its thresholds, rising; bin b holds what is at most threshold b.
    thresholds: Vec<Vec<f32>>,
    bins: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Split {
    feature: usize,
    threshold: f32,
    /// For a column of numbers the last bin that says yes.
    bin: u8,
    gain: f64,
}

pub(crate) fn fit(
    table: &Encoded,
    targets: &[usize],
    classes: usize,
    growth: Growth,
    random: &mut Random,
) -> Forest {
    let binned = Binned::new(table);
    let outputs = if classes == 2 { 1 } else { classes };
    let mut counts = vec![0.0_f64; classes];
    targets.iter().for_each(|target| counts[*target] += 1.0);
    let base: Vec<f64> = if classes == 2 {
        vec![0.0, libm::log(counts[1] / counts[0])]
    } else {
        counts.iter().map(|count| libm::log(count / table.rows as f64)).collect()
    };
    let first = classes - outputs;
    let mut scores: Vec<f64> = (0..table.rows).flat_map(|_| base[first..].iter().copied()).collect();
    let mut forest = Forest { base: base.clone(), trees: Vec::with_capacity(growth.rounds * outputs) };
    for _ in 0..growth.rounds {
        let seen: Vec<usize> =
            (0..table.rows).filter(|_| growth.share >= 1.0 || random.chance(growth.share)).collect();
        let sums = derivatives(&scores, targets, outputs);
        for output in 0..outputs {
            let own: Vec<Sum> = sums.iter().skip(output).step_by(outputs).copied().collect();
            let tree = binned.grow(&own, &seen, growth);
            for row in 0..table.rows {
                scores[row * outputs + output] += binned.answer(&tree, row);
            }
            forest.trees.push((first + output, tree));
        }
    }
    forest
}

/// The derivatives of the loss in the scores, row by row.
fn derivatives(scores: &[f64], targets: &[usize], outputs: usize) -> Vec<Sum> {
    let mut sums = Vec::with_capacity(scores.len());
    for (scores, target) in scores.chunks(outputs).zip(targets) {
        let shares: Vec<f64> = if let [score] = scores {
            vec![1.0 / (1.0 + exp(-score))]
        } else {
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let parts: Vec<f64> = scores.iter().map(|score| exp(score - most)).collect();
            let whole: f64 = parts.iter().sum();
            parts.into_iter().map(|part| part / whole).collect()
        };
        let class = |output: usize| if outputs == 1 { 1 } else { output };
        for (output, share) in shares.into_iter().enumerate() {
            let right = f64::from(u8::from(class(output) == *target));
            sums.push(Sum { slope: share - right, curve: (share * (1.0 - share)).max(1e-16) });
        }
    }
    sums
}

impl Binned<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 64 bins")]
    fn new(table: &Encoded) -> Binned<'_> {
        let mut thresholds = Vec::with_capacity(table.width);
        for column in 0..table.width {
            let mut sorted: Vec<f32> =
                table.numbers.iter().skip(column).step_by(table.width).copied().collect();
            sorted.sort_unstable_by(f32::total_cmp);
            let mut edges: Vec<f32> = (1..BINS).map(|bin| sorted[bin * (sorted.len() - 1) / BINS]).collect();
            edges.dedup();
            // The largest value is no threshold: nothing would be above it.
            edges.retain(|edge| sorted.last().is_some_and(|last| edge < last));
            thresholds.push(edges);
        }
        let bin = |(index, x): (usize, &f32)| {
            thresholds[index % table.width].partition_point(|edge| edge < x) as u8
        };
        let bins = table.numbers.iter().enumerate().map(bin).collect();
        Binned { table, thresholds, bins }
    }

    fn grow(&self, sums: &[Sum], seen: &[usize], growth: Growth) -> Vec<Node> {
        let mut nodes = vec![Node::Leaf { weight: 0.0 }];
        let mut level = vec![(0, seen.to_vec())];
        for depth in 0..=growth.depth {
            let mut below = Vec::new();
            for (at, rows) in level {
                let mut whole = Sum::default();
                rows.iter().for_each(|row| whole.add(sums[*row]));
                let split = if depth < growth.depth { self.best(sums, &rows, whole) } else { None };
                let Some(split) = split else {
                    nodes[at] = Node::Leaf { weight: -growth.rate * whole.slope / (whole.curve + SMOOTHING) };
                    continue;
                };
                let (yes, no): (Vec<usize>, Vec<usize>) =
                    rows.into_iter().partition(|row| self.says_yes(split, *row));
                let child = nodes.len();
                nodes[at] = Node::Branch { feature: split.feature, threshold: split.threshold, yes: child };
                nodes.extend([Node::Leaf { weight: 0.0 }, Node::Leaf { weight: 0.0 }]);
                below.extend([(child, yes), (child + 1, no)]);
            }
            level = below;
        }
        nodes
    }

    /// The split that gains most; of equal ones the first.
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 64 bins")]
    fn best(&self, sums: &[Sum], rows: &[usize], whole: Sum) -> Option<Split> {
        let (width, texts) = (self.table.width, self.table.texts);
        let mut bins = vec![[Sum::default(); BINS]; width];
        let mut categories = vec![Sum::default(); self.table.features - width];
        for row in rows {
            for (column, bin) in self.bins[row * width..(row + 1) * width].iter().enumerate() {
                bins[column][usize::from(*bin)].add(sums[*row]);
            }
            for feature in &self.table.categories[row * texts..(row + 1) * texts] {
                if *feature != NONE {
                    categories[feature - width].add(sums[*row]);
                }
            }
        }
        let mut best: Option<Split> = None;
        let mut consider = |left: Sum, feature: usize, threshold: f32, bin: u8| {
            let right = whole.without(left);
            let gain = left.score() + right.score() - whole.score();
            let fair = left.curve >= LEAST && right.curve >= LEAST && gain > GAIN;
            if fair && best.is_none_or(|best| gain > best.gain) {
                best = Some(Split { feature, threshold, bin, gain });
            }
        };
        for (column, thresholds) in self.thresholds.iter().enumerate() {
            let mut left = Sum::default();
            for (bin, threshold) in thresholds.iter().enumerate() {
                left.add(bins[column][bin]);
                consider(left, column, *threshold, bin as u8);
            }
        }
        for (index, sum) in categories.iter().enumerate() {
            consider(whole.without(*sum), width + index, 0.5, 0);
        }
        best
    }

    /// Whether `x <= threshold`. A category is a column of zeros and ones.
    fn says_yes(&self, split: Split, row: usize) -> bool {
        match split.feature.checked_sub(self.table.width) {
            None => self.bins[row * self.table.width + split.feature] <= split.bin,
            Some(_) => !self.has(row, split.feature),
        }
    }

    fn has(&self, row: usize, feature: usize) -> bool {
        self.table.categories[row * self.table.texts..(row + 1) * self.table.texts].contains(&feature)
    }

    /// What a tree says of a row.
    fn answer(&self, tree: &[Node], row: usize) -> f64 {
        let mut at = 0;
        loop {
            match &tree[at] {
                Node::Leaf { weight } => return *weight,
                Node::Branch { feature, threshold, yes } => {
                    let goes = if *feature < self.table.width {
                        self.table.numbers[row * self.table.width + feature] <= *threshold
                    } else {
                        !self.has(row, *feature)
                    };
                    at = if goes { *yes } else { yes + 1 };
                }
            }
        }
    }
}
