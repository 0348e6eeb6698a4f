//! How fast a change came: from one bucket to the next, or over many.

#![expect(clippy::cast_precision_loss, reason = "numbers of buckets")]

use std::collections::BTreeMap;

use super::Bucket;
use super::parts::{Direction, direction, normalised, sum};

/// The course of a change.
pub(super) struct Onset {
    pub(super) rise: usize,
    pub(super) begins: usize,
    pub(super) step_misfit: f64,
    pub(super) slope_misfit: f64,
}

/// Longer courses are looked at in fewer, larger pieces: every pair of ends is tried.
const MOST_POINTS: usize = 400;

/// Rises over fewer buckets than this are not a slope.
const SLOPE: usize = 3;

/// Fits "nothing, then a straight rise, then a level" to how far each bucket went in the direction of the change,
/// taking each bucket against the same phase of the reference where there is one.
pub(super) fn onset(buckets: &[Bucket], reference: usize, late: &[Bucket]) -> Option<Onset> {
    let before = buckets.get(..reference)?;
    let change = direction(before, late)?;
    let points = course(buckets, before, &change);
    let merged = points.len().div_ceil(MOST_POINTS).max(1);
    let points: Vec<(f64, f64)> = points.chunks(merged).map(average).collect();
    let fits = Fits::new(&points);
    let count = points.len();
    let (mut best, mut step, mut slope) = (None, f64::INFINITY, f64::INFINITY);
    let mut take = |error: f64, start: usize, end: usize| {
        if best.is_none_or(|(least, _, _)| error < least) {
            best = Some((error, start, end));
        }
    };
    for start in 0..count {
        let error = fits.step(start + 1);
        step = step.min(error);
        take(error, start, start + 1);
        for end in start + SLOPE..=count {
            let error = fits.slope(start, end);
            slope = slope.min(error);
            take(error, start, end);
        }
    }
    let (least, start, end) = best?;
    // Three parameters were fitted: two ends and a height.
    let freedom = count.checked_sub(3).filter(|freedom| *freedom > 0)? as f64;
    let variance = (least / freedom).max(fits.scale * 1e-9);
    // A step leaves the bucket that it comes in free; if that is still more like before, it came with the next.
    let late_step =
        end - start == 1 && points.get(end).is_some_and(|point| 2.0 * point.0 < fits.height_after(end + 1));
    let begins = (start + 1 + usize::from(late_step)) * merged;
    Some(Onset {
        rise: (end - start) * merged,
        begins: begins.min(buckets.len().saturating_sub(1)),
        step_misfit: (step - least) / variance,
        slope_misfit: (slope - least) / variance,
    })
}

/// For each bucket how far it went, 0 for the reference and 1 for the whole change, with its rows as weight.
fn course(buckets: &[Bucket], before: &[Bucket], change: &Direction) -> Vec<(f64, f64)> {
    let along = |counts: Vec<u64>| {
        let counts: Vec<f64> = counts.into_iter().map(|count| count as f64).collect();
        let rows = counts.iter().sum::<f64>();
        let shares = normalised(counts).unwrap_or_default();
        (change.weights.iter().zip(&shares).map(|(weight, share)| weight * share).sum::<f64>(), rows)
    };
    let usual: f64 = change.weights.iter().zip(&change.before).map(|(weight, share)| weight * share).sum();
    let mut phases: BTreeMap<u16, Vec<Bucket>> = BTreeMap::new();
    for bucket in before {
        phases.entry(bucket.phase).or_default().push(bucket.clone());
    }
    let usual_in: BTreeMap<u16, f64> =
        phases.iter().map(|(phase, buckets)| (*phase, along(sum(buckets)).0)).collect();
    let point = |bucket: &Bucket| {
        let (place, rows) = along(sum(std::slice::from_ref(bucket)));
        let usual = usual_in.get(&bucket.phase).copied().unwrap_or(usual);
        (if rows > 0.0 { (place - usual) / change.length } else { 0.0 }, rows)
    };
    buckets.iter().map(point).collect()
}

fn average(points: &[(f64, f64)]) -> (f64, f64) {
    let rows: f64 = points.iter().map(|point| point.1).sum();
    let sum: f64 = points.iter().map(|point| point.0 * point.1).sum();
    (if rows > 0.0 { sum / rows } else { 0.0 }, rows)
}

/// Sums over the first points, so that any fit costs the length of its rise at most.
struct Fits {
    points: Vec<(f64, f64)>,
    /// Sums of y and of 1 over the points from each place on, weighted.
    after: Vec<(f64, f64)>,
    squares: f64,
    /// What an error of no consequence is measured against.
    scale: f64,
}

impl Fits {
    fn new(points: &[(f64, f64)]) -> Self {
        let mean = points.iter().map(|point| point.1).sum::<f64>() / points.len().max(1) as f64;
        let points: Vec<(f64, f64)> =
            points.iter().map(|(y, rows)| (*y, if mean > 0.0 { rows / mean } else { 1.0 })).collect();
        let mut after = vec![(0.0, 0.0); points.len() + 1];
        let mut sums = (0.0, 0.0);
        for (slot, (y, weight)) in after.iter_mut().rev().skip(1).zip(points.iter().rev()) {
            sums = (sums.0 + y * weight, sums.1 + weight);
            *slot = sums;
        }
        let squares: f64 = points.iter().map(|(y, weight)| y * y * weight).sum();
        Self { after, squares, scale: squares.max(f64::MIN_POSITIVE), points }
    }

    /// The mean of the points from a place on.
    fn height_after(&self, at: usize) -> f64 {
        let (sum, weight) = self.after.get(at).copied().unwrap_or((0.0, 0.0));
        if weight > 0.0 { sum / weight } else { 0.0 }
    }

    /// The weighted squared error of the best height for: 0 before point `at`, anything there, because a change hardly
    /// ever comes just between two buckets, and the height after it.
    fn step(&self, at: usize) -> f64 {
        let own = self.points.get(at).map_or(0.0, |(y, weight)| y * y * weight);
        let (cross, norm) = self.after.get(at + 1).copied().unwrap_or((0.0, 0.0));
        let explained = if norm > 0.0 { cross * cross / norm } else { 0.0 };
        self.squares - own - explained
    }

    /// The weighted squared error of the best height h for: 0 up to point `start`, h from point `end` on, a straight
    /// line between.
    fn slope(&self, start: usize, end: usize) -> f64 {
        let (mut cross, mut norm) = self.after.get(end).copied().unwrap_or((0.0, 0.0));
        let rise = (end - start) as f64;
        for (at, (y, weight)) in (1_usize..).zip(self.points.iter().take(end).skip(start + 1)) {
            let height = at as f64 / rise;
            cross += height * y * weight;
            norm += height * height * weight;
        }
        if norm > 0.0 { self.squares - cross * cross / norm } else { self.squares }
    }
}
