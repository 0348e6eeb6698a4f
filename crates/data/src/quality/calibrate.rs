//! How sure a model may be: its confidence fitted to the labels, and whether a share of the labels does not follow it.
//!
//! Probabilities of rows that a model did not learn from are too sure, so before anything is expected of them a
//! temperature and a bias for each class are fitted by maximum likelihood: vector scaling (Guo, Pleiss, Sun and
//! Weinberger, "On calibration of modern neural networks", ICML 2017, section 4.2). Against it stands the same law with
//! a share of labels drawn anew, whatever the features say (Copas, "Binary regression models for contaminated data",
//! JRSS B 50, 1988), fitted by expectation and maximisation. A model that is merely too sure errs the less the surer
//! it is; labels drawn anew are as many where it is sure as anywhere, and only this tells the two apart.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and classes that were counted here")]

use super::chance::{Chance, chi_squared_upper};
use super::confident::Probabilities;

/// Rows that the law is fitted to at most, evenly spaced.
const ROWS: usize = 20_000;
/// Work on all of these in a round at most: squares of parameters, and exponentials.
const WORK: usize = 20_000_000;
/// Of more classes the second derivatives beside the diagonal are left out.
const DENSE: usize = 32;
/// Below it a probability is as good as none.
const FLOOR: f64 = 1e-6;
/// The penalty on the square of what the law changes, halved: it keeps a label without rows, or a model that is always
/// right, from infinity.
const PENALTY: f64 = 1.0;
const STEPS: usize = 50;
const ROUNDS: usize = 100;
/// Shares of labels drawn anew to begin with: the likelihood may have two tops.
const STARTS: [f64; 2] = [0.02, 0.1];
/// A gain in the logarithm of the likelihood that ends the search.
const ENOUGH: f64 = 1e-4;

/// What the labels say of a model's confidence.
pub(super) struct Calibrated {
    /// The law of labels that are not drawn anew.
    law: Law,
    /// The share of labels that are as if drawn anew.
    pub(super) redrawn: f64,
    /// How likely labels speak so much for such a share when there is none.
    pub(super) chance: Chance,
}

/// Shares of the classes are proportional to the exponential of `scale` times the model's logarithm plus a bias.
#[derive(Clone)]
struct Law {
    scale: f64,
    biases: Vec<f64>,
}

/// The rows that are fitted to, their logarithms of probabilities about the mean of each row.
struct Sample {
    // INVARIANT: `logs` holds `classes` numbers for each of `labels`, which are below `classes`.
    logs: Vec<f64>,
    labels: Vec<usize>,
    classes: usize,
}

/// Fits a model's confidence to labels. These are below the number of classes, one for each row.
pub(super) fn calibrate(labels: &[u32], probabilities: Probabilities<'_>) -> Calibrated {
    let sample = Sample::new(labels, probabilities);
    let all = vec![1.0; sample.labels.len()];
    let mut law = Law { scale: 1.0, biases: vec![0.0; sample.classes] };
    let mut value = sample.value(&law, &all);
    for _ in 0..STEPS {
        let (next, reached) = sample.step(&law, value, &all);
        let gain = reached - value;
        (law, value) = (next, reached);
        if gain < ENOUGH {
            break;
        }
    }
    let plain = value + law.penalty();
    let mut best = (plain, 0.0, law.clone());
    for start in STARTS {
        let found = sample.redrawn(start, &law);
        if found.0 > best.0 {
            best = found;
        }
    }
    let ln = chi_squared_upper(2.0 * (best.0 - plain), sample.classes as f64);
    let method =
        "likelihood ratio of labels of which a share is drawn anew, the model's confidence fitted to them";
    Calibrated { law: best.2, redrawn: best.1, chance: Chance::new(ln, method) }
}

impl Calibrated {
    /// How likely the label of a row is another than `class`, if it is not drawn anew. `room` has a place for each
    /// class.
    pub(super) fn doubt(&self, shares: &[f64], class: usize, room: &mut [f64]) -> f64 {
        logs(shares, room);
        self.law.apply(room);
        (1.0 - room[class]).clamp(0.0, 1.0)
    }
}

fn logs(shares: &[f64], out: &mut [f64]) {
    let mut sum = 0.0;
    for (log, share) in out.iter_mut().zip(shares) {
        *log = share.max(FLOOR).ln();
        sum += *log;
    }
    let mean = sum / shares.len() as f64;
    out.iter_mut().for_each(|log| *log -= mean);
}

impl Law {
    /// Makes shares of logarithms.
    fn apply(&self, row: &mut [f64]) {
        let mut highest = f64::NEG_INFINITY;
        for (log, bias) in row.iter_mut().zip(&self.biases) {
            *log = self.scale * *log + bias;
            highest = highest.max(*log);
        }
        let mut sum = 0.0;
        for log in row.iter_mut() {
            *log = (*log - highest).exp();
            sum += *log;
        }
        row.iter_mut().for_each(|share| *share /= sum);
    }

    fn penalty(&self) -> f64 {
        let changes = self.biases.iter().map(|bias| bias * bias).sum::<f64>();
        0.5 * PENALTY * ((self.scale - 1.0) * (self.scale - 1.0) + changes)
    }
}

impl Sample {
    fn new(labels: &[u32], probabilities: Probabilities<'_>) -> Self {
        let (rows, classes) = (labels.len(), probabilities.classes());
        let parameters = if classes > DENSE { 2 } else { classes + 1 };
        let most = (WORK / (parameters * parameters + 20 * classes)).clamp(1, ROWS).min(rows);
        let chosen: Vec<usize> = (0..most).map(|at| at * rows / most).collect();
        let mut all = vec![0.0; most * classes];
        for (row, out) in chosen.iter().zip(all.chunks_mut(classes)) {
            logs(probabilities.row(*row), out);
        }
        Self { logs: all, labels: chosen.iter().map(|row| labels[*row] as usize).collect(), classes }
    }

    /// Hears of each row: its place, its logarithms, and its shares under a law.
    fn each(&self, law: &Law, mut hear: impl FnMut(usize, &[f64], &[f64])) {
        let mut shares = vec![0.0; self.classes];
        for (row, logs) in self.logs.chunks(self.classes).enumerate() {
            shares.copy_from_slice(logs);
            law.apply(&mut shares);
            hear(row, logs, &shares);
        }
    }

    /// The logarithm of the likelihood, less the penalty.
    fn value(&self, law: &Law, weights: &[f64]) -> f64 {
        let mut sum = -law.penalty();
        self.each(law, |row, _, shares| sum += weights[row] * shares[self.labels[row]].max(1e-300).ln());
        sum
    }

    /// A step of Newton's, halved until it gains something, and the value that it reaches.
    fn step(&self, law: &Law, value: f64, weights: &[f64]) -> (Law, f64) {
        let classes = self.classes;
        // Parameters are the biases, and the scale at last.
        let n = classes + 1;
        let (mut slope, mut curve) = (vec![0.0; n], vec![0.0; n * n]);
        let dense = classes <= DENSE;
        self.each(law, |row, logs, shares| {
            let weight = weights[row];
            let mean: f64 = logs.iter().zip(shares).map(|(log, share)| log * share).sum();
            slope[classes] += weight * (logs[self.labels[row]] - mean);
            slope[self.labels[row]] += weight;
            for (class, (log, share)) in logs.iter().zip(shares).enumerate() {
                slope[class] -= weight * share;
                curve[class * n + class] += weight * share;
                let with_scale = weight * share * (log - mean);
                curve[classes * n + classes] += with_scale * log;
                if dense {
                    curve[classes * n + class] += with_scale;
                    for (other, also) in shares.iter().enumerate().take(class + 1) {
                        curve[class * n + other] -= weight * share * also;
                    }
                } else {
                    curve[class * n + class] -= weight * share * share;
                }
            }
        });
        for class in 0..classes {
            slope[class] -= PENALTY * law.biases[class];
            curve[class * n + class] += PENALTY;
        }
        slope[classes] -= PENALTY * (law.scale - 1.0);
        curve[classes * n + classes] += PENALTY;
        solve(&mut curve, &mut slope);
        let mut part = 1.0;
        for _ in 0..20 {
            let mut next = law.clone();
            next.biases.iter_mut().zip(&slope).for_each(|(bias, step)| *bias += part * step);
            next.scale += part * slope[classes];
            let reached = self.value(&next, weights);
            if reached > value {
                return (next, reached);
            }
            part *= 0.5;
        }
        (law.clone(), value)
    }

    /// The likelihood when a share of labels is drawn anew, from shares of classes that are learned too; that share,
    /// and the law of the others.
    fn redrawn(&self, start: f64, law: &Law) -> (f64, f64, Law) {
        let rows = self.labels.len() as f64;
        let mut common = vec![0.0; self.classes];
        self.labels.iter().for_each(|label| common[*label] += 1.0 / rows);
        let (mut redrawn, mut anew, mut law) = (start, common.clone(), law.clone());
        let mut weights = vec![0.0; self.labels.len()];
        let mut best = (f64::NEG_INFINITY, redrawn, law.clone());
        for _ in 0..ROUNDS {
            let (mut likelihood, mut sums, mut kept) = (0.0, common.clone(), 0.0);
            self.each(&law, |row, _, shares| {
                let label = self.labels[row];
                let own = (1.0 - redrawn) * shares[label];
                let both = (own + redrawn * anew[label]).max(1e-300);
                likelihood += both.ln();
                weights[row] = own / both;
                kept += weights[row];
                sums[label] += 1.0 - weights[row];
            });
            let gain = likelihood - best.0;
            if gain > 0.0 {
                best = (likelihood, redrawn, law.clone());
            }
            if gain < ENOUGH {
                break;
            }
            redrawn = (1.0 - kept / rows).clamp(0.0, 1.0);
            let sum: f64 = sums.iter().sum();
            anew = sums.into_iter().map(|share| share / sum).collect();
            let value = self.value(&law, &weights);
            law = self.step(&law, value, &weights).0;
        }
        best
    }
}

/// Solves a positive definite system, of which the lower half is given, by Cholesky's method; `right` becomes the
/// answer.
fn solve(matrix: &mut [f64], right: &mut [f64]) {
    let n = right.len();
    for column in 0..n {
        for row in column..n {
            let done: f64 = (0..column).map(|at| matrix[row * n + at] * matrix[column * n + at]).sum();
            let rest = matrix[row * n + column] - done;
            let pivot = if row == column { 1.0 } else { matrix[column * n + column] };
            matrix[row * n + column] = if row == column { rest.max(1e-9).sqrt() } else { rest / pivot };
        }
    }
    for row in 0..n {
        let done: f64 = (0..row).map(|at| matrix[row * n + at] * right[at]).sum();
        right[row] = (right[row] - done) / matrix[row * n + row];
    }
    for row in (0..n).rev() {
        let done: f64 = (row + 1..n).map(|at| matrix[at * n + row] * right[at]).sum();
        right[row] = (right[row] - done) / matrix[row * n + row];
    }
}
