//! Bounds of the exact statistics where only a histogram or a quantile sketch is known.

#![expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]

use super::cells::of_weights;
use super::divergence::{chi_squared_term, hellinger_term, jensen_shannon_term, psi_term};
use super::statistic::{Statistic, Undefined};
use super::summary::{Bounded, Edges, Histogram, QuantileSketch};

/// What is known of a distribution function on a stretch: it lies between `low` and `high`.
#[derive(Clone, Copy)]
struct Between {
    low: f64,
    high: f64,
}

impl Between {
    const fn exactly(value: f64) -> Self {
        Self { low: value, high: value }
    }

    fn around(value: f64, error: f64) -> Self {
        Self { low: (value - error).max(0.0), high: (value + error).min(1.0) }
    }

    /// How near and how far two values can be.
    fn apart(self, other: Self) -> (f64, f64) {
        let near = (self.low - other.high).max(other.low - self.high).max(0.0);
        let far = (self.high - other.low).max(other.high - self.low).max(0.0);
        (near, far)
    }
}

/// Bounds of a statistic of the values behind two histograms over the same edges.
///
/// Statistics of shares are about the bins themselves, so they are exact. For KS and Wasserstein the distribution
/// functions are known at the edges and rise between them in an unknown way; the bounds are the least and the
/// largest that any values with these counts could have. Wasserstein has no upper bound when an outer bin holds
/// values and the range is not known.
///
/// # Errors
/// When a side is empty or the edges differ.
pub fn of_histograms(
    statistic: Statistic,
    reference: &Histogram,
    current: &Histogram,
) -> Result<Bounded, Undefined> {
    let bins = reference.edges.bins();
    if reference.edges != current.edges || reference.counts.len() != bins || current.counts.len() != bins {
        return Err(Undefined::Bins);
    }
    let floats = |counts: &[u64]| counts.iter().map(|count| *count as f64).collect::<Vec<_>>();
    let (here, there) = (floats(&reference.counts), floats(&current.counts));
    let (n, m): (f64, f64) = (here.iter().sum(), there.iter().sum());
    if n <= 0.0 {
        return Err(Undefined::NoReference);
    }
    if m <= 0.0 {
        return Err(Undefined::NoCurrent);
    }
    if !statistic.is_ordered() {
        return of_weights(statistic, &here, &there, &[]).map(Bounded::exact);
    }
    let widths = widths(reference, current);
    let (mut below, mut ks, mut area) = ((0.0, 0.0), Bounded::exact(0.0), Bounded::exact(0.0));
    for ((p, q), width) in here.iter().zip(&there).zip(widths) {
        let start = (below.0 / n, below.1 / m);
        below = (below.0 + p, below.1 + q);
        let end = (below.0 / n, below.1 / m);
        let one = Between { low: start.0, high: end.0 };
        let (near, far) = one.apart(Between { low: start.1, high: end.1 });
        let at_edge = (end.0 - end.1).abs();
        ks.low = ks.low.max(at_edge);
        ks.high = ks.high.max(far);
        if p + q > 0.0 || start.0 != start.1 {
            area.low += if near > 0.0 && width.is_finite() { near * width } else { 0.0 };
            area.high += if far > 0.0 { far * width } else { 0.0 };
            area.value +=
                if width.is_finite() { between_lines(start.0 - start.1, end.0 - end.1) * width } else { 0.0 };
        }
    }
    ks.value = ks.low;
    Ok(if statistic == Statistic::KolmogorovSmirnov { ks } else { area })
}

/// The widths of all bins, the outer ones up to the least and the greatest value, infinite if these are not known.
fn widths(reference: &Histogram, current: &Histogram) -> Vec<f64> {
    let range = reference.range.zip(current.range).map(|(one, two)| (one.0.min(two.0), one.1.max(two.1)));
    let edges = reference.edges.as_slice();
    let (first, last) = match (edges.first(), edges.last(), range) {
        (Some(first), Some(last), Some((least, greatest))) => {
            ((first - least).max(0.0), (greatest - last).max(0.0))
        }
        (None, None, Some((least, greatest))) => return vec![greatest - least],
        _ => (f64::INFINITY, f64::INFINITY),
    };
    let inner = edges.iter().zip(edges.iter().skip(1)).map(|(edge, next)| next - edge);
    let mut widths: Vec<f64> = std::iter::once(first).chain(inner).collect();
    if !edges.is_empty() {
        widths.push(last);
    }
    widths
}

/// The area under the absolute value of a line from `start` to `end` over a unit.
fn between_lines(start: f64, end: f64) -> f64 {
    if start * end >= 0.0 {
        return f64::midpoint(start.abs(), end.abs());
    }
    (start * start + end * end) / (2.0 * (start.abs() + end.abs()))
}

/// Bounds of a statistic of the values behind two quantile sketches. Statistics of shares need `edges`.
///
/// The distribution function of a sketch is nowhere further from the true one than its rank error, so KS moves by
/// at most the sum of both errors, and the height of each strip of the area that Wasserstein measures as well. The
/// share of a bin moves by two rank errors, one at each edge, and each statistic of shares is bounded bin by bin.
///
/// # Errors
/// When a side is empty, or statistics of shares are asked for without edges.
pub fn of_sketches(
    statistic: Statistic,
    reference: &QuantileSketch,
    current: &QuantileSketch,
    edges: Option<&Edges>,
) -> Result<Bounded, Undefined> {
    let (n, m) = (reference.values(), current.values());
    if n == 0 {
        return Err(Undefined::NoReference);
    }
    if m == 0 {
        return Err(Undefined::NoCurrent);
    }
    if statistic.is_ordered() {
        return strips(statistic, reference, current, (n as f64, m as f64));
    }
    let edges = edges.ok_or(Undefined::Bins)?;
    let here = edges.count(reference.items.iter().copied());
    let there = edges.count(current.items.iter().copied());
    shares(statistic, (&here, reference.rank_error), (&there, current.rank_error))
}

fn strips(
    statistic: Statistic,
    reference: &QuantileSketch,
    current: &QuantileSketch,
    (n, m): (f64, f64),
) -> Result<Bounded, Undefined> {
    // The places at which either function rises, with the ends of the range, where both are known.
    let ends = [reference.range, current.range].into_iter().flatten().flat_map(|(least, most)| [least, most]);
    let values = reference.items.iter().chain(&current.items).map(|item| item.0);
    let mut places: Vec<f64> = values.chain(ends).collect();
    places.sort_unstable_by(f64::total_cmp);
    places.dedup();
    let (mut i, mut j, mut below) = (0, 0, (0_u64, 0_u64));
    let (mut ks, mut area) = (Bounded::exact(0.0), Bounded::exact(0.0));
    for (place, next) in places.iter().zip(places.iter().skip(1).chain(places.last())) {
        below.0 += rise(&reference.items, &mut i, *place);
        below.1 += rise(&current.items, &mut j, *place);
        let here = known(reference, below.0 as f64 / n, *place);
        let there = known(current, below.1 as f64 / m, *place);
        let guess = (below.0 as f64 / n - below.1 as f64 / m).abs();
        let (near, far) = here.apart(there);
        let width = next - place;
        ks = Bounded { low: ks.low.max(near), value: ks.value.max(guess), high: ks.high.max(far) };
        if width > 0.0 {
            area.low += near * width;
            area.value += guess * width;
            area.high += far * width;
        }
    }
    if statistic == Statistic::KolmogorovSmirnov {
        return Ok(ks);
    }
    let errors = reference.rank_error + current.rank_error;
    if errors > 0.0 && (reference.range.is_none() || current.range.is_none()) {
        area.high = f64::INFINITY;
    }
    if area.value.is_finite() { Ok(area) } else { Err(Undefined::Infinite) }
}

fn rise(items: &[(f64, u64)], at: &mut usize, place: f64) -> u64 {
    let mut sum = 0;
    while let Some((_, weight)) = items.get(*at).filter(|item| item.0 <= place) {
        sum += weight;
        *at += 1;
    }
    sum
}

/// The distribution function from `place` on, up to the next place at which a sketch rises.
fn known(sketch: &QuantileSketch, guess: f64, place: f64) -> Between {
    match sketch.range {
        Some((least, _)) if place < least => Between::exactly(0.0),
        Some((_, greatest)) if place >= greatest => Between::exactly(1.0),
        _ => Between::around(guess, sketch.rank_error),
    }
}

/// Bounds of a statistic of shares when each share is known up to two rank errors (one in the outer bins).
pub(super) fn shares(
    statistic: Statistic,
    (reference, error): (&[u64], f64),
    (current, other_error): (&[u64], f64),
) -> Result<Bounded, Undefined> {
    if reference.len() != current.len() {
        return Err(Undefined::Bins);
    }
    let floats = |counts: &[u64]| counts.iter().map(|count| *count as f64).collect::<Vec<_>>();
    let (here, there) = (floats(reference), floats(current));
    let value = of_weights(statistic, &here, &there, &[])?;
    if error <= 0.0 && other_error <= 0.0 {
        return Ok(Bounded::exact(value));
    }
    let (n, m): (f64, f64) = (here.iter().sum(), there.iter().sum());
    let bins = reference.len();
    let (mut low, mut high) = (0.0, 0.0);
    for (bin, (p, q)) in here.iter().zip(&there).enumerate() {
        let edges = match (bin == 0, bin + 1 == bins) {
            (true, true) => 0.0,
            (true, false) | (false, true) => 1.0,
            (false, false) => 2.0,
        };
        let p = smoothed(statistic, Between::around(p / n, edges * error), n, bins);
        let q = smoothed(statistic, Between::around(q / m, edges * other_error), m, bins);
        let term = |p: f64, q: f64| match statistic {
            Statistic::Psi => psi_term(p, q),
            Statistic::JensenShannon => jensen_shannon_term(p, q),
            Statistic::Hellinger => hellinger_term(p, q),
            Statistic::ChiSquared => chi_squared_term(p, q, n, m),
            _ => (p - q).abs(),
        };
        // Each term is convex, zero where p = q and rises on both sides: least at the nearest ends, largest at the
        // corners furthest apart.
        let near = match (p.low > q.high, q.low > p.high) {
            (true, _) => term(p.low, q.high),
            (_, true) => term(p.high, q.low),
            _ => 0.0,
        };
        let far = term(p.low, q.high).max(term(p.high, q.low));
        if statistic == Statistic::LInfinity {
            (low, high) = (f64::max(low, near), f64::max(high, far));
        } else {
            (low, high) = (low + near, high + far);
        }
    }
    let root = |sum: f64| match statistic {
        Statistic::JensenShannon | Statistic::Hellinger => sum.clamp(0.0, 1.0).sqrt(),
        Statistic::ChiSquared => sum.min(n + m),
        _ => sum,
    };
    Ok(Bounded { low: root(low).min(value), value, high: root(high).max(value) })
}

/// PSI is of shares of counts to which half a count may have been added.
fn smoothed(statistic: Statistic, share: Between, size: f64, bins: usize) -> Between {
    if statistic != Statistic::Psi {
        return share;
    }
    let all = size + bins as f64 / 2.0;
    let low = if share.low > 0.0 {
        ((share.low * size).max(1.0) / size).min((share.low * size + 0.5) / all)
    } else {
        0.5 / all
    };
    Between { low, high: share.high.max((share.high * size + 0.5) / (size + 0.5)) }
}
