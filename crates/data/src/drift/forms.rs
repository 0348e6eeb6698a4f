//! The forms in which columns come, brought to one: a bounded value, and cells to draw its null on.

#![expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]

use super::bounds;
use super::cells::{BINS, Cells, is_frequent};
use super::compare::{ClusterCounts, Column, Side};
use super::frequent::of_frequent;
use super::ordered::{Numbers, kolmogorov_smirnov, wasserstein};
use super::report::{Mode, NotJudged, SideSize};
use super::statistic::Statistic;
use super::summary::{Bounded, Edges, Frequent, Histogram, QuantileSketch};
use crate::limits::DRIFT_CATEGORIES;

/// One side of a column, sorted or counted.
pub(super) enum Form<'a> {
    Numbers(&'a [f64], Numbers),
    /// Ascending, without NaN.
    NumberCounts(Vec<(f64, u64)>, u64),
    Categories(&'a [u32], Vec<u64>, u64),
    CategoryCounts(&'a [u64], u64),
    Frequent(&'a Frequent),
    /// By cluster, and all together.
    Clusters(&'a [ClusterCounts], Vec<u64>),
    Histogram(&'a Histogram),
    Sketch(&'a QuantileSketch),
}

/// A column ready to be tested.
pub(super) struct Prepared {
    pub(super) statistic: Statistic,
    pub(super) mode: Mode,
    pub(super) value: Bounded,
    pub(super) cells: Cells,
    /// What a distance is measured in.
    pub(super) scale: Option<f64>,
    /// Where the cells are bins of numbers.
    pub(super) edges: Option<Edges>,
}

impl<'a> Form<'a> {
    pub(super) fn of(side: Side<'a>) -> Result<Self, NotJudged> {
        match side {
            Side::Absent => Err(NotJudged::KindsDiffer),
            Side::Numbers(values) => Ok(Self::Numbers(values, Numbers::new(values))),
            Side::NumberCounts(values, missing) => {
                let nan = values.iter().filter(|(value, _)| value.is_nan()).map(|(_, count)| count);
                let missing = nan.fold(missing, |sum, count| sum.saturating_add(*count));
                let mut sorted: Vec<(f64, u64)> = values
                    .iter()
                    .filter(|(value, count)| !value.is_nan() && *count > 0)
                    .map(|(value, count)| (value + 0.0, *count))
                    .collect();
                sorted.sort_unstable_by(|one, two| one.0.total_cmp(&two.0));
                Ok(Self::NumberCounts(sorted, missing))
            }
            Side::Categories(codes) => {
                let present = codes.iter().filter(|code| **code != Side::MISSING);
                let most = present.clone().max().map_or(0, |code| *code as usize + 1);
                if most > DRIFT_CATEGORIES {
                    return Err(NotJudged::TooMany);
                }
                let mut counts = vec![0_u64; most];
                for code in present {
                    if let Some(count) = counts.get_mut(*code as usize) {
                        *count += 1;
                    }
                }
                let missing = codes.iter().filter(|code| **code == Side::MISSING).count() as u64;
                Ok(Self::Categories(codes, counts, missing))
            }
            Side::CategoryCounts(counts, _) if counts.len() > DRIFT_CATEGORIES => Err(NotJudged::TooMany),
            Side::CategoryCounts(counts, missing) => Ok(Self::CategoryCounts(counts, missing)),
            Side::Frequent(frequent) if frequent.counts.len() > DRIFT_CATEGORIES => Err(NotJudged::TooMany),
            Side::Frequent(frequent) if sum(&frequent.counts) > frequent.values => Err(NotJudged::Unsound),
            Side::Frequent(frequent) => Ok(Self::Frequent(frequent)),
            Side::Clusters(clusters) => {
                let most = clusters.iter().map(|cluster| cluster.counts.len()).max().unwrap_or(0);
                if most > DRIFT_CATEGORIES {
                    return Err(NotJudged::TooMany);
                }
                let mut sums = vec![0_u64; most];
                for ClusterCounts { counts, .. } in clusters {
                    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
                }
                Ok(Self::Clusters(clusters, sums))
            }
            Side::Histogram(histogram) => Ok(Self::Histogram(histogram)),
            Side::Sketch(sketch) if sketch.is_sound() => Ok(Self::Sketch(sketch)),
            Side::Sketch(_) => Err(NotJudged::Unsound),
        }
    }

    pub(super) fn size(&self) -> SideSize {
        let (values, missing) = match self {
            Self::Numbers(_, numbers) => (numbers.sorted().len() as u64, numbers.missing()),
            Self::NumberCounts(values, missing) => {
                (values.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count)), *missing)
            }
            Self::Categories(_, counts, missing) => (sum(counts), *missing),
            Self::CategoryCounts(counts, missing) => (sum(counts), *missing),
            Self::Frequent(frequent) => (frequent.values, frequent.missing),
            Self::Clusters(_, counts) => (sum(counts), 0),
            Self::Histogram(histogram) => (sum(&histogram.counts), histogram.missing),
            Self::Sketch(sketch) => (sketch.values(), sketch.missing),
        };
        SideSize { values, missing, clusters: None }
    }

    /// The cell of each row, [`Side::MISSING`] for those without a value; `None` where rows are no longer known.
    pub(super) fn rows(&self, cells: &Cells, edges: Option<&Edges>) -> Option<Vec<u32>> {
        let short = |place: usize| u32::try_from(place).unwrap_or(Side::MISSING);
        match self {
            Self::Numbers(values, _) => Some(
                values
                    .iter()
                    .map(|value| match edges {
                        _ if value.is_nan() => Side::MISSING,
                        Some(edges) => short(edges.bin(*value)),
                        None => short(cells.place(*value + 0.0)),
                    })
                    .collect(),
            ),
            Self::Categories(codes, ..) => Some(codes.to_vec()),
            _ => None,
        }
    }

    /// For each row 0 if it has a value, 1 if not.
    pub(super) fn presence(&self) -> Option<Vec<u32>> {
        match self {
            Self::Numbers(values, _) => Some(values.iter().map(|value| u32::from(value.is_nan())).collect()),
            Self::Categories(codes, ..) => {
                Some(codes.iter().map(|code| u32::from(*code == Side::MISSING)).collect())
            }
            _ => None,
        }
    }

    /// Values with counts, ascending, where the form has them exactly.
    fn counted(&self) -> Option<Vec<(f64, u64)>> {
        match self {
            Self::Numbers(_, numbers) => Some(numbers.sorted().iter().map(|value| (*value, 1)).collect()),
            Self::NumberCounts(values, _) => Some(values.clone()),
            _ => None,
        }
    }

    /// As frequent categories, of which exact counts are a kind without error.
    fn frequent(&self) -> Option<Frequent> {
        if let Self::Frequent(frequent) = self {
            return Some((*frequent).clone());
        }
        let counts = self.categories()?.to_vec();
        Some(Frequent { values: sum(&counts), counts, error: 0, missing: 0 })
    }

    fn categories(&self) -> Option<&[u64]> {
        match self {
            Self::Categories(_, counts, _) => Some(counts),
            Self::CategoryCounts(counts, _) => Some(counts),
            Self::Clusters(_, counts) => Some(counts),
            _ => None,
        }
    }

    pub(super) const fn clusters(&self) -> Option<&'a [ClusterCounts]> {
        match self {
            Self::Clusters(clusters, _) => Some(clusters),
            _ => None,
        }
    }

    /// As a sketch: exact values are one without error.
    fn sketch(&self) -> Option<QuantileSketch> {
        if let Self::Sketch(sketch) = self {
            return Some((*sketch).clone());
        }
        let items = self.counted()?;
        let range = items.first().zip(items.last()).map(|(least, most)| (least.0, most.0));
        Some(QuantileSketch { items, rank_error: 0.0, range, missing: 0 })
    }

    fn histogram(&self, edges: &Edges) -> Option<Histogram> {
        if let Self::Histogram(histogram) = self {
            return Some((*histogram).clone());
        }
        let items = self.counted()?;
        let range = items.first().zip(items.last()).map(|(least, most)| (least.0, most.0));
        Some(Histogram { edges: edges.clone(), counts: edges.count(items), range, missing: 0 })
    }
}

fn sum(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// Brings both sides together and computes the statistic.
pub(super) fn prepare(column: &Column<'_>, one: &Form<'_>, two: &Form<'_>) -> Result<Prepared, NotJudged> {
    if let (Some(one), Some(two)) = (one.categories(), two.categories()) {
        return of_categories(column, one, two);
    }
    if let (Some(one), Some(two)) = (one.frequent(), two.frequent()) {
        return of_frequent(column, &one, &two);
    }
    if one.frequent().is_some() || two.frequent().is_some() {
        return Err(NotJudged::KindsDiffer);
    }
    match (one, two) {
        (Form::Histogram(histogram), other) | (other, Form::Histogram(histogram)) => {
            of_histograms(column, one, two, histogram, matches!(other, Form::Sketch(_)))
        }
        (Form::Sketch(_), _) | (_, Form::Sketch(_)) => of_sketches(column, one, two),
        _ => of_numbers(column, one, two),
    }
}

fn of_categories(column: &Column<'_>, one: &[u64], two: &[u64]) -> Result<Prepared, NotJudged> {
    let length = one.len().max(two.len());
    let padded = |counts: &[u64]| {
        let mut counts = counts.to_vec();
        counts.resize(length, 0);
        counts
    };
    let cells = Cells::of_counts(&padded(one), &padded(two))?;
    let used = one.iter().chain(std::iter::repeat(&0)).zip(two.iter().chain(std::iter::repeat(&0)));
    let used = used.take(length).filter(|(one, two)| **one + **two > 0).count() as u64;
    let rows: u64 = one.iter().chain(two).sum();
    let default = if used <= 2 || used > rows / 5 { Statistic::LInfinity } else { Statistic::JensenShannon };
    let statistic = column.statistic.unwrap_or(default);
    let value = Bounded::exact(cells.value(statistic)?);
    Ok(Prepared { statistic, mode: Mode::Exact, value, cells, scale: None, edges: None })
}

fn of_numbers(column: &Column<'_>, one: &Form<'_>, two: &Form<'_>) -> Result<Prepared, NotJudged> {
    let statistic = column.statistic.unwrap_or(Statistic::KolmogorovSmirnov);
    let (here, there) = one.counted().zip(two.counted()).ok_or(NotJudged::KindsDiffer)?;
    let scale = spread(&here);
    if !statistic.is_ordered() {
        let edges = column.edges.cloned().unwrap_or_else(|| tenths(&here));
        let bins = Cells::of_counts(&edges.count(here.iter().copied()), &edges.count(there.iter().copied()))?;
        let value = Bounded::exact(bins.value(statistic)?);
        let (cells, edges) = match column.edges {
            Some(_) => (bins, Some(edges)),
            None => (in_tenths(&here, &there)?, None),
        };
        return Ok(Prepared { statistic, mode: Mode::Exact, value, cells, scale, edges });
    }
    let cells = Cells::of_values(here.iter().copied(), there.iter().copied())?;
    let value = match (one, two, statistic) {
        (Form::Numbers(_, one), Form::Numbers(_, two), Statistic::Wasserstein) => wasserstein(one, two)?,
        (Form::Numbers(_, one), Form::Numbers(_, two), _) => kolmogorov_smirnov(one, two)?,
        _ => {
            let sketch = |form: &Form<'_>| form.sketch().ok_or(NotJudged::KindsDiffer);
            bounds::of_sketches(statistic, &sketch(one)?, &sketch(two)?, None)?.value
        }
    };
    let value = Bounded::exact(value);
    Ok(Prepared { statistic, mode: Mode::Exact, value, cells, scale, edges: None })
}

fn of_histograms(
    column: &Column<'_>,
    one: &Form<'_>,
    two: &Form<'_>,
    known: &Histogram,
    with_sketch: bool,
) -> Result<Prepared, NotJudged> {
    let statistic = column.statistic.unwrap_or(Statistic::JensenShannon);
    let edges = known.edges.clone();
    if with_sketch {
        return of_histogram_and_sketch(statistic, one, two, edges);
    }
    let histogram = |form: &Form<'_>| form.histogram(&edges).ok_or(NotJudged::KindsDiffer);
    let (one, two) = (histogram(one)?, histogram(two)?);
    let value = bounds::of_histograms(statistic, &one, &two)?;
    let mut cells = Cells::of_counts(&one.counts, &two.counts)?;
    let middles = middles(&one, &two);
    let weighted: Vec<(f64, u64)> = middles.iter().copied().zip(one.counts.iter().copied()).collect();
    cells.gaps = middles.iter().zip(middles.iter().skip(1)).map(|(place, next)| next - place).collect();
    cells.gaps.push(0.0);
    Ok(Prepared {
        statistic,
        mode: Mode::Histogram,
        value,
        cells,
        scale: spread(&weighted),
        edges: Some(edges),
    })
}

/// The middle of each bin, the outer ones cut off at the range or, where it is not known, at their edge.
fn middles(one: &Histogram, two: &Histogram) -> Vec<f64> {
    let edges = one.edges.as_slice();
    let range = one.range.zip(two.range).map(|(one, two)| (one.0.min(two.0), one.1.max(two.1)));
    let first = edges.first().copied().unwrap_or(0.0);
    let last = edges.last().copied().unwrap_or(0.0);
    let (least, most) = range.map_or((first, last), |(least, most)| (least.min(first), most.max(last)));
    let lows = std::iter::once(&least).chain(edges);
    let highs = edges.iter().chain(std::iter::once(&most));
    lows.zip(highs).map(|(low, high)| f64::midpoint(*low, *high)).collect()
}

fn of_histogram_and_sketch(
    statistic: Statistic,
    one: &Form<'_>,
    two: &Form<'_>,
    edges: Edges,
) -> Result<Prepared, NotJudged> {
    if statistic.is_ordered() {
        return Err(NotJudged::KindsDiffer);
    }
    let side = |form: &Form<'_>| match form {
        Form::Histogram(histogram) => Some((histogram.counts.clone(), 0.0)),
        Form::Sketch(sketch) => Some((edges.count(sketch.items.iter().copied()), sketch.rank_error)),
        _ => None,
    };
    let (one, two) = side(one).zip(side(two)).ok_or(NotJudged::KindsDiffer)?;
    let cells = Cells::of_counts(&one.0, &two.0)?;
    let value = bounds::shares(statistic, (&one.0, one.1), (&two.0, two.1))?;
    let mode = Mode::Sketch { rank_error: one.1 + two.1 };
    Ok(Prepared { statistic, mode, value, cells, scale: None, edges: Some(edges) })
}

fn of_sketches(column: &Column<'_>, one: &Form<'_>, two: &Form<'_>) -> Result<Prepared, NotJudged> {
    let statistic = column.statistic.unwrap_or(Statistic::KolmogorovSmirnov);
    let (here, there) = one.sketch().zip(two.sketch()).ok_or(NotJudged::KindsDiffer)?;
    let edges =
        (!statistic.is_ordered()).then(|| column.edges.cloned().unwrap_or_else(|| tenths(&here.items)));
    let value = bounds::of_sketches(statistic, &here, &there, edges.as_ref())?;
    let (of_here, of_there) = (here.items.iter().copied(), there.items.iter().copied());
    let cells = match &edges {
        Some(_) if column.edges.is_none() => in_tenths(&here.items, &there.items)?,
        Some(edges) => Cells::of_counts(&edges.count(of_here), &edges.count(of_there))?,
        None => Cells::of_values(of_here, of_there)?,
    };
    let rank_error = here.rank_error + there.rank_error;
    Ok(Prepared {
        statistic,
        mode: Mode::Sketch { rank_error },
        value,
        cells,
        scale: spread(&here.items),
        edges: edges.filter(|_| column.edges.is_some()),
    })
}

/// Cells of which the tenths of the reference, whichever rows that are, make bins.
fn in_tenths(one: &[(f64, u64)], two: &[(f64, u64)]) -> Result<Cells, NotJudged> {
    let cells = Cells::of_values(one.iter().copied(), two.iter().copied())?;
    Ok(Cells { tenths: true, ..cells })
}

/// Edges at the tenths of values that are in order, and just above each frequent value, as
/// [`of_tenths`](super::cells::of_tenths) has them.
pub(super) fn tenths(values: &[(f64, u64)]) -> Edges {
    let all = values.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count)) as f64;
    let mut edges = Vec::new();
    let (mut below, mut tenth) = (0.0, 1.0);
    for same in values.chunk_by(|one, two| one.0 == two.0) {
        let Some((value, _)) = same.first().copied() else { continue };
        let own = same.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count)) as f64;
        // The edge is the first value of the bin that it begins.
        while tenth < BINS as f64 && below + own > all * tenth / BINS as f64 {
            edges.push(value);
            tenth += 1.0;
        }
        if is_frequent(own, all) {
            edges.push(value.next_up());
        }
        below += own;
    }
    // Nothing lies below the least of all, and what is infinite lies above the greatest that is finite.
    edges.retain(|edge: &f64| *edge > f64::NEG_INFINITY);
    edges.iter_mut().for_each(|edge| *edge = edge.min(f64::MAX));
    edges.dedup();
    Edges::new(edges).unwrap_or_default()
}

/// The interquartile range, or the standard deviation where half of the values are equal.
fn spread(values: &[(f64, u64)]) -> Option<f64> {
    let all: f64 = values.iter().map(|(_, count)| *count as f64).sum();
    let at = |share: f64| {
        let mut below = 0.0;
        let reached = |(value, count): &(f64, u64)| {
            below += *count as f64;
            (below >= share * all).then_some(*value)
        };
        values.iter().find_map(reached)
    };
    let range = at(0.75)? - at(0.25)?;
    if range > 0.0 {
        return Some(range);
    }
    let mean = values.iter().map(|(value, count)| value * (*count as f64 / all)).sum::<f64>();
    let squares = values.iter().map(|(value, count)| (value - mean) * (value - mean) * (*count as f64 / all));
    Some(squares.sum::<f64>().sqrt())
}
