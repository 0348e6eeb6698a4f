//! What the features of a row lead to expect of its label, each feature by itself: an additive logistic model.
//!
//! log-odds of a label = a constant + a weight for the bin of each feature, with a penalty on the weights: a
//! generalised additive model with step functions (Hastie and Tibshirani, 1990), fitted by Newton steps feature by
//! feature. It knows what education or age say alone and nothing of combinations, which is the point: natural
//! predictors are expected, and a combination that decides the label is not.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and bins that were counted here")]

use super::cells::Bins;
use super::random::Random;
use crate::threads;

/// Rows that the weights are learned from at most.
const ROWS: usize = 100_000;
const SWEEPS: usize = 12;
/// The penalty on the square of each weight, halved.
const PENALTY: f64 = 1.0;
const STEP: f64 = 2.0;

/// The weights for one label against all others.
#[derive(Debug, Clone)]
pub(crate) struct Additive {
    base: f64,
    pub(crate) weights: Vec<Vec<f64>>,
    /// The mean weight of each feature over rows.
    pub(crate) means: Vec<f64>,
}

pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Models of these labels. With two labels the second one's model says it all, but each has its own.
pub(crate) fn fit(bins: &[Bins], labels: &[u32], wanted: &[u32], seed: u64, threads: usize) -> Vec<Additive> {
    let rows = Random::new(seed, 0x5a00).sample(ROWS, labels.len());
    // Bins of the learned rows side by side.
    let seen: Vec<Vec<u8>> =
        threads::map(threads, bins.len(), |at| rows.iter().map(|row| bins[at].of[*row]).collect());
    threads::map(threads, wanted.len(), |at| {
        let hits: Vec<bool> = rows.iter().map(|row| labels[*row] == wanted[at]).collect();
        Additive::fit(bins, &seen, &hits)
    })
}

impl Additive {
    fn fit(bins: &[Bins], seen: &[Vec<u8>], hits: &[bool]) -> Self {
        let n = hits.len() as f64;
        let count = hits.iter().filter(|hit| **hit).count() as f64;
        let mut base = ((count + 0.5) / (n - count + 0.5)).ln();
        let mut weights: Vec<Vec<f64>> = bins.iter().map(|bins| vec![0.0; bins.settings.len()]).collect();
        let mut scores = vec![base; hits.len()];
        for _ in 0..SWEEPS {
            let mut largest = 0.0_f64;
            for (feature, seen) in seen.iter().enumerate() {
                let mut sums = vec![(0.0_f64, 0.0_f64); weights[feature].len()];
                for ((bin, hit), score) in seen.iter().zip(hits).zip(&scores) {
                    let share = sigmoid(*score);
                    let sum = &mut sums[usize::from(*bin)];
                    sum.0 += f64::from(u8::from(*hit)) - share;
                    sum.1 += share * (1.0 - share);
                }
                let mut steps = Vec::with_capacity(sums.len());
                for (weight, (slope, curve)) in weights[feature].iter_mut().zip(sums) {
                    let step = ((slope - PENALTY * *weight) / (curve + PENALTY)).clamp(-STEP, STEP);
                    *weight += step;
                    largest = largest.max(step.abs());
                    steps.push(step);
                }
                scores.iter_mut().zip(seen).for_each(|(score, bin)| *score += steps[usize::from(*bin)]);
            }
            let (mut slope, mut curve) = (0.0, 1e-9);
            for (hit, score) in hits.iter().zip(&scores) {
                let share = sigmoid(*score);
                slope += f64::from(u8::from(*hit)) - share;
                curve += share * (1.0 - share);
            }
            let step = (slope / curve).clamp(-STEP, STEP);
            base += step;
            scores.iter_mut().for_each(|score| *score += step);
            if largest.max(step.abs()) < 1e-3 {
                break;
            }
        }
        let mean = |(weights, seen): (&Vec<f64>, &Vec<u8>)| {
            seen.iter().map(|bin| weights[usize::from(*bin)]).sum::<f64>() / n
        };
        let means = weights.iter().zip(seen).map(mean).collect();
        Self { base, weights, means }
    }

    /// The log-odds of a row.
    pub(crate) fn score(&self, bins: &[Bins], row: usize) -> f64 {
        self.base + bins.iter().zip(&self.weights).map(|(bins, w)| w[usize::from(bins.of[row])]).sum::<f64>()
    }

    /// The log-odds of all rows.
    pub(crate) fn scores(&self, bins: &[Bins], rows: usize, threads: usize) -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "a model of this kind is not that exact")]
        threads::rows(threads, rows, |row| self.score(bins, row) as f32)
    }
}
