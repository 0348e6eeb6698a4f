//! Which source or label a change comes with.

#![expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]

use std::collections::BTreeMap;

use super::{Bucket, Group};
use crate::drift::divergence::Shares;

/// A source or label, and its part in a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The source or label.
    pub id: u32,
    /// The share of the change that it carries; 1 is all of it.
    pub share: f64,
    /// The distance of all others from their own reference, less what chance gives with so few rows.
    pub without: f64,
}

/// All rows of some buckets.
pub(super) fn rows(buckets: &[Bucket]) -> f64 {
    sum(buckets).into_iter().map(|count| count as f64).sum()
}

/// The counts of a bucket.
pub(super) fn whole(bucket: &Bucket) -> Vec<u64> {
    sum(std::slice::from_ref(bucket))
}

/// The counts of some buckets.
pub(super) fn sum(buckets: &[Bucket]) -> Vec<u64> {
    let mut sum = Vec::new();
    for group in buckets.iter().flat_map(|bucket| &bucket.groups) {
        sum.resize(group.counts.len().max(sum.len()), 0_u64);
        sum.iter_mut().zip(&group.counts).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
    }
    sum
}

/// The buckets with the wanted groups alone.
pub(super) fn only(buckets: &[Bucket], wanted: impl Fn(&Group) -> bool) -> Vec<Bucket> {
    let kept = |bucket: &Bucket| Bucket {
        phase: bucket.phase,
        groups: bucket.groups.iter().filter(|group| wanted(group)).cloned().collect(),
    };
    buckets.iter().map(kept).collect()
}

/// The counts of the groups that are wanted, over so many cells.
fn of(buckets: &[Bucket], cells: usize, wanted: impl Fn(&Group) -> bool) -> Vec<f64> {
    let mut sum = vec![0.0; cells];
    for group in buckets.iter().flat_map(|bucket| &bucket.groups).filter(|group| wanted(group)) {
        sum.iter_mut().zip(&group.counts).for_each(|(sum, count)| *sum += *count as f64);
    }
    sum
}

fn cells(before: &[Bucket], late: &[Bucket]) -> usize {
    let groups = before.iter().chain(late).flat_map(|bucket| &bucket.groups);
    groups.map(|group| group.counts.len()).max().unwrap_or(0)
}

/// Jensen-Shannon distance of the wanted groups, without the divergence that chance gives: (k - 1) / (8 ln 2) times
/// the sum of the inverse sizes, for independent rows (Grosse et al., 2002). 0 when a side is empty.
pub(super) fn distance(before: &[Bucket], late: &[Bucket], wanted: impl Fn(&Group) -> bool) -> f64 {
    let cells = cells(before, late);
    let (ours, theirs) = (of(before, cells, &wanted), of(late, cells, &wanted));
    let (n, m): (f64, f64) = (ours.iter().sum(), theirs.iter().sum());
    if n <= 0.0 || m <= 0.0 {
        return 0.0;
    }
    let used = ours.iter().zip(&theirs).filter(|(one, two)| **one + **two > 0.0).count() as f64;
    let chance = (used - 1.0) / (8.0 * std::f64::consts::LN_2) * (1.0 / n + 1.0 / m);
    (Shares::new(&ours, &theirs).jensen_shannon_divergence() - chance).max(0.0).sqrt()
}

/// The share of late rows in cells that are empty in the reference.
pub(super) fn unseen(before: &[Bucket], late: &[Bucket]) -> f64 {
    let cells = cells(before, late);
    let (ours, theirs) = (of(before, cells, |_| true), of(late, cells, |_| true));
    let new: f64 = ours.iter().zip(&theirs).filter(|(one, _)| **one <= 0.0).map(|(_, two)| two).sum();
    let all: f64 = theirs.iter().sum();
    if all > 0.0 { new / all } else { 0.0 }
}

/// Weights of the cells along which the change is largest, and the change along them.
pub(super) struct Direction {
    pub(super) weights: Vec<f64>,
    pub(super) before: Vec<f64>,
    pub(super) length: f64,
}

/// The direction of a change: each cell's change of share, by how common the cell is.
pub(super) fn direction(before: &[Bucket], late: &[Bucket]) -> Option<Direction> {
    let cells = cells(before, late);
    let before = normalised(of(before, cells, |_| true))?;
    let late = normalised(of(late, cells, |_| true))?;
    let weight = |(p, q): (&f64, &f64)| if p + q > 0.0 { (p - q) / (p + q) } else { 0.0 };
    let weights: Vec<f64> = late.iter().zip(&before).map(weight).collect();
    let length: f64 = weights.iter().zip(late.iter().zip(&before)).map(|(w, (p, q))| w * (p - q)).sum();
    (length > 0.0).then_some(Direction { weights, before, length })
}

pub(super) fn normalised(mut counts: Vec<f64>) -> Option<Vec<f64>> {
    let all: f64 = counts.iter().sum();
    counts.iter_mut().for_each(|count| *count /= all);
    (all > 0.0).then_some(counts)
}

/// The source or label that carries most of the change, when there are several.
///
/// The change of a part is that of its rows (as a share of all), less what its volume alone would bring: a source that
/// sends more of the same carries nothing. The parts' changes add up to the whole.
pub(super) fn concentrated(
    before: &[Bucket],
    late: &[Bucket],
    id: impl Fn(&Group) -> Option<u32>,
) -> Option<Part> {
    let Direction { weights, before: shares, length } = direction(before, late)?;
    let cells = weights.len();
    let mut ids: Vec<u32> =
        before.iter().chain(late).flat_map(|bucket| &bucket.groups).filter_map(&id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() < 2 {
        return None;
    }
    let (n, m) = (rows(before), rows(late));
    let carried = |wanted: u32| {
        let ours = of(before, cells, |group| id(group) == Some(wanted));
        let theirs = of(late, cells, |group| id(group) == Some(wanted));
        let volume = theirs.iter().sum::<f64>() / m - ours.iter().sum::<f64>() / n;
        let parts = weights.iter().zip(ours.iter().zip(&theirs)).zip(&shares);
        parts.map(|((weight, (q, p)), share)| weight * (p / m - q / n - volume * share)).sum::<f64>() / length
    };
    let most =
        ids.into_iter().map(|part| (part, carried(part))).max_by(|one, two| one.1.total_cmp(&two.1))?;
    let without = distance(before, late, |group| id(group) != Some(most.0));
    Some(Part { id: most.0, share: most.1, without })
}

/// Rows that came in addition, and fewer than this say nothing about labels.
const FEW_ROWS: f64 = 30.0;

/// The label most over-represented among the rows by which cells grew, and by how much its share exceeds what those
/// cells had in the reference (or, where they were empty, all of the reference).
pub(super) fn excess_label(before: &[Bucket], late: &[Bucket]) -> Option<(u32, f64)> {
    let Direction { weights, .. } = direction(before, late)?;
    let cells = weights.len();
    let mut by_label: BTreeMap<u32, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for (buckets, is_late) in [(before, false), (late, true)] {
        for group in buckets.iter().flat_map(|bucket| &bucket.groups) {
            let Some(label) = group.label else { continue };
            let sides = by_label.entry(label).or_insert_with(|| (vec![0.0; cells], vec![0.0; cells]));
            let side = if is_late { &mut sides.1 } else { &mut sides.0 };
            side.iter_mut().zip(&group.counts).for_each(|(sum, count)| *sum += *count as f64);
        }
    }
    let total = |late: bool| {
        let mut sum = vec![0.0; cells];
        for (ours, theirs) in by_label.values() {
            sum.iter_mut().zip(if late { theirs } else { ours }).for_each(|(sum, count)| *sum += count);
        }
        sum
    };
    let (all_before, all_late) = (total(false), total(true));
    let (n, m): (f64, f64) = (all_before.iter().sum(), all_late.iter().sum());
    if by_label.len() < 2 || n <= 0.0 || m <= 0.0 {
        return None;
    }
    let grown: f64 = all_before.iter().zip(&all_late).map(|(q, p)| (p / m - q / n).max(0.0)).sum();
    if grown * m < FEW_ROWS {
        return None;
    }
    let excess = |(ours, theirs): &(Vec<f64>, Vec<f64>)| {
        let marginal = ours.iter().sum::<f64>() / n;
        let each = ours.iter().zip(theirs).zip(all_before.iter().zip(&all_late));
        let gained = each.map(|((q, p), (all_q, all_p))| {
            let growth = all_p / m - all_q / n;
            if growth <= 0.0 {
                return 0.0;
            }
            let usual = if *all_q > 0.0 { q / all_q } else { marginal };
            // Of the rows that came on top it can have no more than all: the others took the place of another label.
            (p / m - q / n).min(growth) - growth * usual
        });
        gained.sum::<f64>() / grown
    };
    let most = by_label.iter().map(|(label, sides)| (*label, excess(sides)));
    most.max_by(|one, two| one.1.total_cmp(&two.1))
}
