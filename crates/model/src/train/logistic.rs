//! Multinomial logistic regression by L-BFGS (Nocedal, 1980) with a line search that halves its step.
#![expect(clippy::indexing_slicing, reason = "a kernel over vectors whose lengths are made equal here")]

use std::collections::VecDeque;

use super::encode::{Encoded, NONE};
use crate::math::exp;

/// Steps that are remembered to guess the curvature.
const MEMORY: usize = 10;
/// The search ends where no slope is steeper than this.
const FLAT: f64 = 1e-6;

/// Weights of all classes: for each class one for each feature, then the intercepts.
#[derive(Debug)]
pub(crate) struct Weights {
    pub(crate) coefficients: Vec<f64>,
    pub(crate) intercepts: Vec<f64>,
}

struct Problem<'t> {
    table: &'t Encoded,
    /// Numbers on their common scale, as the model's `Scaler` works them out.
    scaled: Vec<f32>,
    targets: &'t [usize],
    classes: usize,
    penalty: f64,
}

pub(crate) fn fit(table: &Encoded, targets: &[usize], classes: usize, penalty: f64, steps: usize) -> Weights {
    let scales = table.scales.iter().cycle();
    let scaled =
        table.numbers.iter().zip(scales).map(|(x, scale)| (x - scale.offset) * scale.scale).collect();
    let problem = Problem { table, scaled, targets, classes, penalty: penalty / table.rows as f64 };
    let mut weights = vec![0.0; (table.features + 1) * classes];
    let mut slope = vec![0.0; weights.len()];
    let mut loss = problem.loss(&weights, &mut slope);
    let mut memory: VecDeque<(Vec<f64>, Vec<f64>, f64)> = VecDeque::with_capacity(MEMORY);
    for _ in 0..steps {
        if slope.iter().all(|slope| slope.abs() < FLAT) {
            break;
        }
        let direction = direction(&slope, &memory);
        let descent = dot(&direction, &slope);
        let mut step = 1.0;
        let mut next_slope = vec![0.0; weights.len()];
        let moved = loop {
            let next: Vec<f64> = weights.iter().zip(&direction).map(|(w, d)| w + step * d).collect();
            let next_loss = problem.loss(&next, &mut next_slope);
            if next_loss <= loss + 1e-4 * step * descent {
                break Some((next, next_loss));
            }
            step /= 2.0;
            if step < 1e-10 {
                break None;
            }
        };
        let Some((next, next_loss)) = moved else { break };
        let change: Vec<f64> = next.iter().zip(&weights).map(|(next, old)| next - old).collect();
        let bend: Vec<f64> = next_slope.iter().zip(&slope).map(|(next, old)| next - old).collect();
        let curvature = dot(&change, &bend);
        if curvature > 1e-12 {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back((change, bend, curvature));
        }
        (weights, slope, loss) = (next, next_slope, next_loss);
    }
    let intercepts = weights.split_off(table.features * classes);
    Weights { coefficients: weights, intercepts }
}

/// Where to go from here: downhill, bent by what is remembered of the curvature.
fn direction(slope: &[f64], memory: &VecDeque<(Vec<f64>, Vec<f64>, f64)>) -> Vec<f64> {
    let mut direction: Vec<f64> = slope.iter().map(|slope| -slope).collect();
    let mut factors = Vec::with_capacity(memory.len());
    for (change, bend, curvature) in memory.iter().rev() {
        let factor = dot(change, &direction) / curvature;
        direction.iter_mut().zip(bend).for_each(|(d, bend)| *d -= factor * bend);
        factors.push(factor);
    }
    if let Some((_, bend, curvature)) = memory.back() {
        let scale = curvature / dot(bend, bend);
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for ((change, bend, curvature), factor) in memory.iter().zip(factors.iter().rev()) {
        let back = factor - dot(bend, &direction) / curvature;
        direction.iter_mut().zip(change).for_each(|(d, change)| *d += back * change);
    }
    direction
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).fold(0.0, |sum, (left, right)| sum + left * right)
}

impl Problem<'_> {
    /// The mean loss with the penalty; its slope is written to `slope`.
    fn loss(&self, weights: &[f64], slope: &mut [f64]) -> f64 {
        let (table, features) = (self.table, self.table.features);
        slope.fill(0.0);
        let mut loss = 0.0;
        let mut scores = vec![0.0; self.classes];
        for row in 0..table.rows {
            let numbers = &self.scaled[row * table.width..(row + 1) * table.width];
            let categories = &table.categories[row * table.texts..(row + 1) * table.texts];
            for (class, score) in scores.iter_mut().enumerate() {
                let own = &weights[class * features..(class + 1) * features];
                let start = weights[self.classes * features + class];
                *score = numbers.iter().zip(own).fold(start, |sum, (x, weight)| sum + f64::from(*x) * weight);
                *score += categories.iter().filter(|at| **at != NONE).map(|at| own[*at]).sum::<f64>();
            }
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let right = scores[self.targets[row]] - most;
            scores.iter_mut().for_each(|score| *score = exp(*score - most));
            let sum: f64 = scores.iter().sum();
            loss += libm::log(sum) - right;
            for (class, score) in scores.iter().enumerate() {
                let error = score / sum - f64::from(u8::from(class == self.targets[row]));
                let own = &mut slope[class * features..(class + 1) * features];
                own.iter_mut().zip(numbers).for_each(|(slope, x)| *slope += error * f64::from(*x));
                categories.iter().filter(|at| **at != NONE).for_each(|at| own[*at] += error);
                slope[self.classes * features + class] += error;
            }
        }
        let rows = table.rows as f64;
        slope.iter_mut().for_each(|slope| *slope /= rows);
        let mut size = 0.0;
        for (slope, weight) in slope.iter_mut().zip(&weights[..self.classes * features]) {
            *slope += self.penalty * weight;
            size += weight * weight;
        }
        loss / rows + self.penalty / 2.0 * size
    }
}
