//! The course of a column over time, by source and label: what [`explain`](super::explain) takes.

#![expect(clippy::cast_precision_loss, reason = "numbers of buckets")]

use std::collections::BTreeMap;

use super::change::{Bucket, Group};
use super::compare::Side;
use super::forms::tenths;
use super::ordered::Numbers;
use super::pair::Held;
use super::period::whole as seconds;
use super::season::hour_of_week;

/// What is known of the rows of two tables beside their columns, one for each row; NaN or [`Side::MISSING`] where it is
/// not.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowFacts<'a> {
    /// When, in seconds since 1970-01-01.
    pub times: Option<(&'a [f64], &'a [f64])>,
    /// From where.
    pub sources: Option<(&'a [u32], &'a [u32])>,
    /// What is to be predicted.
    pub labels: Option<(&'a [u32], &'a [u32])>,
    /// Whether hours of the week are alike.
    pub seasonal: bool,
}

/// A column over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Buckets of both sides, those of the reference first.
    pub buckets: Vec<Bucket>,
    /// How many of them are the reference's.
    pub split: usize,
    /// When each begins, in seconds since 1970-01-01; empty without times.
    pub begins: Vec<f64>,
}

/// Counts by source and label.
type Parts = BTreeMap<(u32, Option<u32>), Vec<u64>>;

/// Codes of both sides.
type Both<'a> = (&'a [u32], &'a [u32]);

/// Stretches of time that the shorter side is cut into.
const STRETCHES: f64 = 12.0;

/// Stretches of both sides at most.
const MOST_STRETCHES: f64 = 10_000.0;

/// Categories that are told apart; the rarer ones are one.
const MOST_CELLS: usize = 64;

/// Counts the rows of a column by stretch of time, source and label, between the tenths of the reference where they are
/// numbers. Without times each side is one bucket. `None` when the sides hold different kinds of values, or overlap in
/// time, so that nothing came after the reference.
pub fn course(reference: &Held<'_>, current: &Held<'_>, facts: &RowFacts<'_>) -> Option<Course> {
    let (ours, theirs, cells) = cells(reference, current)?;
    let (mut first, mut second) = (vec![0; ours.len()], vec![0; theirs.len()]);
    let (mut phases, mut begins) = (Vec::new(), Vec::new());
    let mut split = 1;
    if let Some((before, after)) = facts.times {
        let (one, two) = (range(before)?, range(after)?);
        if two.0 < one.1 {
            return None;
        }
        let spans = (one.1 - one.0, two.1 - two.0);
        let hour = 3_600.0;
        let hours = (spans.0 + spans.1) / hour;
        let seasonal = facts.seasonal && hours <= MOST_STRETCHES;
        let length = if seasonal {
            hour
        } else {
            (spans.0.min(spans.1) / STRETCHES).max((spans.0 + spans.1) / MOST_STRETCHES)
        };
        // A season begins on the hour.
        let from = |time: f64| if seasonal { (time / hour).floor() * hour } else { time };
        let starts = (from(one.0), from(two.0));
        let bucket = |time: f64, from: f64| whole(((time - from) / length).max(0.0));
        // The last time of a side ends its last stretch and begins none of its own, unless stretches are hours of the day.
        let count = |last: f64, from: f64| {
            let stretches = (last - from) / length;
            let ends = !seasonal && stretches > 0.5 && (stretches - stretches.round()).abs() < 1e-6;
            if ends { whole(stretches.round()) } else { bucket(last, from) + 1 }
        };
        split = count(one.1, starts.0);
        let all = split + count(two.1, starts.1);
        let place = |time: &f64, start: f64, first: usize, end: usize| {
            if time.is_finite() { (first + bucket(*time, start)).min(end - 1) } else { usize::MAX }
        };
        first = before.iter().map(|time| place(time, starts.0, 0, split)).collect();
        second = after.iter().map(|time| place(time, starts.1, split, all)).collect();
        begins = (0..all)
            .map(|at| if at < split { (starts.0, at) } else { (starts.1, at - split) })
            .map(|(start, step)| start + step as f64 * length)
            .collect();
        let phase = |begins: &f64| u16::from(hour_of_week(seconds(*begins + hour / 2.0), 0));
        phases = begins.iter().map(|begins| if seasonal { phase(begins) } else { 0 }).collect();
    } else {
        second.fill(1);
        phases.resize(2, 0);
    }
    let mut buckets: Vec<Parts> = vec![BTreeMap::new(); phases.len()];
    for (side, places, codes) in [(false, &first, &ours), (true, &second, &theirs)] {
        let of = |column: Option<Both<'_>>, row: usize| {
            let (one, two) = column?;
            let values = if side { two } else { one };
            values.get(row).copied().filter(|code| *code != Side::MISSING)
        };
        for (row, (place, cell)) in places.iter().zip(codes).enumerate() {
            let Some(bucket) = buckets.get_mut(*place) else { continue };
            let source = of(facts.sources, row).unwrap_or(Side::MISSING);
            let counts = bucket.entry((source, of(facts.labels, row))).or_insert_with(|| vec![0; cells]);
            if let Some(count) = counts.get_mut(*cell) {
                *count += 1;
            }
        }
    }
    let bucket = |(phase, groups): (u16, Parts)| Bucket {
        phase,
        groups: groups.into_iter().map(|((source, label), counts)| Group { source, label, counts }).collect(),
    };
    let buckets = phases.into_iter().zip(buckets).map(bucket).collect();
    Some(Course { buckets, split, begins })
}

/// The cell of each row of both sides, one for rows without a value among them, and how many cells there are.
fn cells(reference: &Held<'_>, current: &Held<'_>) -> Option<(Vec<usize>, Vec<usize>, usize)> {
    match (reference, current) {
        (Held::Numbers(ours), Held::Numbers(theirs)) => {
            let sorted = Numbers::new(ours);
            let edges = tenths(&sorted.sorted().iter().map(|value| (*value, 1)).collect::<Vec<_>>());
            let missing = edges.bins();
            let cell = |value: &f64| if value.is_nan() { missing } else { edges.bin(*value) };
            Some((ours.iter().map(cell).collect(), theirs.iter().map(cell).collect(), missing + 1))
        }
        (Held::Codes(ours), Held::Codes(theirs)) => {
            let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
            for code in ours.iter().chain(theirs.iter()) {
                *counts.entry(*code).or_default() += 1;
            }
            let mut common: Vec<(u64, u32)> = counts.iter().map(|(code, count)| (*count, *code)).collect();
            common.sort_unstable_by(|one, two| two.cmp(one));
            let places: BTreeMap<u32, usize> =
                common.iter().take(MOST_CELLS).zip(0..).map(|((_, code), place)| (*code, place)).collect();
            let rest = places.len();
            let cell = |code: &u32| places.get(code).copied().unwrap_or(rest);
            Some((ours.iter().map(cell).collect(), theirs.iter().map(cell).collect(), rest + 1))
        }
        _ => None,
    }
}

/// The first and the last time.
fn range(times: &[f64]) -> Option<(f64, f64)> {
    let known = times.iter().copied().filter(|time| time.is_finite());
    let range = known
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), time| (least.min(time), most.max(time)));
    (range.0 <= range.1).then_some(range)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place, from nought on")]
const fn whole(place: f64) -> usize {
    place as usize
}
