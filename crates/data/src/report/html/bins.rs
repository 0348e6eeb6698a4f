//! Bins that two distributions are counted in, and the shares in each.

use crate::cell::{self};
use crate::profile::{ColumnProfile, ColumnType};
use crate::sketch::KllView;

/// Bins of a chart, about.
const BINS: f64 = 24.0;
/// Whole numbers of no more different values than this get a bin each.
const UNIT_BINS: u32 = 32;
/// Where all numbers span so many times what the middle 98 % of them do, the tails get a bin each.
const TAIL: f64 = 3.0;
const NANOS_PER_DAY: f64 = 86_400e9;

/// Numbers with ranks.
pub(super) enum Numbers {
    /// Numbers, or lengths of lists.
    View(KllView),
    /// Days or instants, in days since 1970-01-01, ascending, each with how often it came.
    Days(Vec<(f64, u64)>),
}

/// Edges for both sides, and the shares between them.
pub(super) struct Binned {
    /// Strictly ascending, two at least.
    pub(super) edges: Vec<f64>,
    /// Whether bin i holds just one whole number.
    pub(super) units: bool,
    /// Whether edges are days.
    pub(super) days: bool,
    /// Of the file, then of the reference if there is one.
    pub(super) sides: Vec<Shares>,
}

/// How one side spreads over the bins.
pub(super) struct Shares {
    pub(super) below: f64,
    pub(super) bins: Vec<f64>,
    pub(super) above: f64,
}

impl Numbers {
    /// What a column has in order, if it has that.
    pub(super) fn of(column: &ColumnProfile) -> Option<Self> {
        match column.column_type() {
            ColumnType::Integer | ColumnType::Float | ColumnType::List => {
                column.quantiles()?.view().map(Self::View)
            }
            kind @ (ColumnType::Date | ColumnType::Timestamp) => {
                let days = |text: &str| match kind {
                    ColumnType::Date => cell::day(text.as_bytes()).map(|day| day as f64),
                    _ => cell::instant(text.as_bytes())
                        .map(|(nanos, _)| nanos as f64 / NANOS_PER_DAY)
                        .or_else(|| cell::day(text.as_bytes()).map(|day| day as f64)),
                };
                let values = column.values()?;
                let dated: Option<Vec<(f64, u64)>> =
                    values.into_iter().map(|(text, count)| days(&text).map(|day| (day, count))).collect();
                let mut dated = dated.filter(|dated| !dated.is_empty())?;
                dated.sort_by(|one, two| one.0.total_cmp(&two.0));
                Some(Self::Days(dated))
            }
            ColumnType::Boolean | ColumnType::String | ColumnType::Binary => None,
        }
    }

    fn quantile(&self, q: f64) -> f64 {
        match self {
            Self::View(view) => view.quantile(q),
            Self::Days(days) => {
                let all: u64 = days.iter().map(|(_, count)| count).sum();
                let mut below = 0;
                let reached = |(_, count): &&(f64, u64)| {
                    below += count;
                    below as f64 >= q * all as f64
                };
                days.iter().find(reached).or(days.last()).map_or(0.0, |(day, _)| *day)
            }
        }
    }

    /// The share of what is at most an edge, or below it.
    fn share(&self, edge: f64, inclusive: bool) -> f64 {
        let edge = if inclusive { edge } else { edge.next_down() };
        match self {
            Self::View(view) => view.rank(edge) as f64 / view.count().max(1) as f64,
            Self::Days(days) => {
                let all: u64 = days.iter().map(|(_, count)| count).sum();
                let below: u64 =
                    days.iter().take_while(|(day, _)| *day <= edge).map(|(_, count)| count).sum();
                below as f64 / all.max(1) as f64
            }
        }
    }
}

impl Binned {
    /// Counts both sides between the same edges; `whole` when all numbers are.
    pub(super) fn of(sides: &[Numbers], whole: bool) -> Option<Self> {
        let least = |q: f64| sides.iter().map(|side| side.quantile(q)).fold(f64::INFINITY, f64::min);
        let most = |q: f64| sides.iter().map(|side| side.quantile(q)).fold(f64::NEG_INFINITY, f64::max);
        let all = (least(0.0), most(1.0));
        let middle = (least(0.01), most(0.99));
        if !(all.0.is_finite() && all.1.is_finite()) {
            return None;
        }
        let has_tails = middle.1 > middle.0 && all.1 - all.0 > TAIL * (middle.1 - middle.0);
        let (low, high) = if has_tails { middle } else { all };
        let days = sides.iter().any(|side| matches!(side, Numbers::Days(_)));
        let (edges, units) = edges(low, high, whole);
        let shares = sides.iter().map(|side| spread(side, &edges)).collect();
        (edges.len() >= 2).then_some(Self { edges, units, days, sides: shares })
    }

    /// How wide a bin is.
    pub(super) fn step(&self) -> f64 {
        match *self.edges {
            [first, second, ..] => second - first,
            _ => 1.0,
        }
    }

    /// The largest share of any bin.
    pub(super) fn most(&self) -> f64 {
        let of = |side: &Shares| side.bins.iter().copied().fold(side.below.max(side.above), f64::max);
        self.sides.iter().map(of).fold(0.0, f64::max)
    }

    /// Whether anything lies below the first edge, and above the last.
    pub(super) fn tails(&self) -> (bool, bool) {
        let any = |share: fn(&Shares) -> f64| self.sides.iter().any(|side| share(side) > 0.0);
        (any(|side| side.below), any(|side| side.above))
    }
}

/// Round edges around what lies between two numbers, and whether each bin is one whole number.
fn edges(low: f64, high: f64, whole: bool) -> (Vec<f64>, bool) {
    if whole && high - low < f64::from(UNIT_BINS) {
        let count = (high - low).round() + 1.0;
        let edges = (0..=UNIT_BINS + 1).map(f64::from).take_while(|at| *at <= count);
        return (edges.map(|at| low + at - 0.5).collect(), true);
    }
    let step = round_step((high - low) / BINS, whole);
    let start = (low / step).floor() * step;
    let mut edges = Vec::new();
    // At most 24 steps, one for what was rounded down, and one for the end.
    for at in 0..=26_u32 {
        let edge = start + f64::from(at) * step;
        if edges.last().is_some_and(|last| *last >= edge) {
            break;
        }
        edges.push(edge + 0.0);
        if edge >= high {
            break;
        }
    }
    if edges.len() < 2 || edges.iter().any(|edge| !edge.is_finite()) {
        // One number, or numbers too close or too far for doubles to tell edges apart.
        let above = if high > low { high } else { low.next_up() };
        return (vec![low, above], false);
    }
    (edges, false)
}

/// The least of 1, 2, 2.5, 5 and 10 times a power of ten that is not below a number.
pub(super) fn round_step(least: f64, whole: bool) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= least);
    let step = step.unwrap_or(least);
    if whole { step.ceil().max(1.0) } else { step }
}

/// Bins hold their lower edge, the last one also the upper.
fn spread(side: &Numbers, edges: &[f64]) -> Shares {
    let last = edges.len().saturating_sub(1);
    let shares: Vec<f64> = edges.iter().enumerate().map(|(at, edge)| side.share(*edge, at == last)).collect();
    let bins = shares.windows(2).map(|pair| if let [one, two] = pair { (two - one).max(0.0) } else { 0.0 });
    Shares {
        below: shares.first().copied().unwrap_or(0.0),
        bins: bins.collect(),
        above: (1.0 - shares.last().copied().unwrap_or(1.0)).max(0.0),
    }
}
