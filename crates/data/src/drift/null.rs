//! How large a statistic gets when nothing drifts: drawn by permutation at the actual sizes, rows or whole clusters.

#![expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]

use super::cells::{Cells, of_tenths, of_weights};
use super::draw::{Drawer, Sides};
use super::random::Random;
use super::statistic::{Statistic, Undefined};

/// How long to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Draws as extreme as what was observed after which the p-value is known well enough: that many divided by the
    /// draws it took (Besag and Clifford, 1991). The relative error of p is about one by the root of it.
    pub stop_after: u32,
    /// Draws at most.
    pub max_draws: u32,
    /// The seed. The same samples, plan and seed give the same answer.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { stop_after: 30, max_draws: 9_999, seed: 0 }
    }
}

/// Cells counted for one cluster, or in one side of one: (cell, count), each cell once. Most of the time goes into
/// reading these, so they are small; counts of one cluster beyond 2^24 are rounded.
pub(super) type Block = Vec<(u32, f32)>;

/// What is exchangeable with what when nothing drifts.
#[derive(Debug, Clone)]
pub(super) enum Exchange {
    /// Every row with every other: counts of both sides together, and how many rows are current.
    Rows { pooled: Vec<u64>, current: u64 },
    /// Rows against bins whose edges are values of the reference: its counts stay, and the current rows fall between
    /// its order statistics. For values that do not repeat, the chances of the bins are then Dirichlet with the counts
    /// of the reference (one more for the first bin, whose upper edge lies in the next).
    Between { reference: Vec<u64>, current: u64 },
    /// Whole clusters: those of the reference first, then the current ones; and clusters with rows on both sides,
    /// whose two halves change places, each weighted by how many rows of reference there are for one current row.
    /// So the sizes of the sides stay, and what is drawn are the signs of the differences.
    Clusters { blocks: Vec<Block>, current: usize, pairs: Vec<(Block, Block)>, ratio: f64 },
}

/// Samples that may be exchanged within strata only, such as the same hour of the week.
#[derive(Debug, Clone)]
pub(super) struct Design {
    pub(super) strata: Vec<Exchange>,
    pub(super) cells: usize,
    pub(super) gaps: Vec<f64>,
    /// Whether statistics of shares are measured on the tenths of the reference. Each draw then has its own, as its
    /// reference has, so that the observed value is one among equals.
    pub(super) tenths: bool,
}

/// The outcome of a permutation test.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tested {
    /// The chance of a value as large as that observed when nothing drifts.
    pub(super) p: f64,
    /// Whether `p` was read off a fitted tail because no draw came near.
    pub(super) from_tail: bool,
    /// How many permutations were drawn.
    pub(super) draws: u32,
    /// The least p that these samples could give at all.
    pub(super) least_p: f64,
    /// The drawn values, ascending.
    pub(super) drawn: Vec<f64>,
    statistic: Statistic,
}

impl Design {
    /// Rows that are independent of each other.
    pub(super) fn rows(cells: &Cells) -> Self {
        let pooled = cells.reference.iter().zip(&cells.current).map(|(one, two)| one + two).collect();
        Self::of(vec![Exchange::Rows { pooled, current: cells.current.iter().sum() }], cells)
    }

    /// Independent rows in bins whose edges are values of the reference.
    pub(super) fn between(cells: &Cells) -> Self {
        let current = cells.current.iter().sum();
        Self::of(vec![Exchange::Between { reference: cells.reference.clone(), current }], cells)
    }

    pub(super) fn of(strata: Vec<Exchange>, cells: &Cells) -> Self {
        Self { strata, cells: cells.len(), gaps: cells.gaps.clone(), tenths: cells.tenths }
    }

    /// The statistic of two sides.
    pub(super) fn measure(&self, statistic: Statistic, sides: &Sides) -> Result<f64, Undefined> {
        if self.tenths {
            return of_tenths(statistic, &sides.reference, &sides.current);
        }
        of_weights(statistic, &sides.reference, &sides.current, &self.gaps)
    }

    /// Draws until the plan ends and says how extreme `observed` is.
    ///
    /// Equal values are put in order at random (the observed one too), so that p is uniform when nothing drifts,
    /// also where a statistic takes few values: P(p <= a) = a for every a that the number of draws can show, and
    /// never more. With the observed value counted among the draws p is never 0 (Phipson and Smyth, 2010).
    pub(super) fn test(&self, statistic: Statistic, observed: f64, plan: &Plan) -> Result<Tested, Undefined> {
        self.test_of(|sides| self.measure(statistic, sides), statistic, observed, plan)
    }

    /// As [`Self::test`] for any measure whose null has a tail like that of `statistic`.
    pub(super) fn test_of(
        &self,
        measure: impl Fn(&Sides) -> Result<f64, Undefined>,
        statistic: Statistic,
        observed: f64,
        plan: &Plan,
    ) -> Result<Tested, Undefined> {
        let mut random = Random::new(plan.seed);
        let mut sides = Sides::new(self.cells);
        let mut drawer = Drawer::new(self);
        let own_place = random.uniform();
        let (mut beyond, mut drawn) = (0_u32, Vec::new());
        let (stop_after, most) = (plan.stop_after.max(1), plan.max_draws.max(1));
        while beyond < stop_after && drawn.len() < most as usize {
            drawer.draw(&mut random, &mut sides);
            let value = match measure(&sides) {
                // All clusters that came to one side were thinned to nothing: as if it were extreme.
                Err(Undefined::NoReference | Undefined::NoCurrent) => f64::INFINITY,
                value => value?,
            };
            let is_beyond = value > observed || (value >= observed && random.uniform() > own_place);
            beyond += u32::from(is_beyond);
            drawn.push(value);
            if drawn.len() == TAIL_DRAWS && beyond == 0 && is_far_beyond(statistic, observed, &drawn) {
                break;
            }
        }
        let draws = u32::try_from(drawn.len()).unwrap_or(u32::MAX);
        drawn.sort_unstable_by(f64::total_cmp);
        let counted = if beyond >= stop_after {
            f64::from(beyond) / f64::from(draws)
        } else {
            f64::from(beyond + 1) / f64::from(draws + 1)
        };
        let mut least_p = self.least_p();
        if (most as usize) < TAIL_DRAWS {
            least_p = least_p.max(1.0 / f64::from(most + 1));
        }
        let mut tested = Tested { p: counted, from_tail: false, draws, least_p, drawn, statistic };
        if beyond < FEW_BEYOND
            && let Some(tail) = Tail::fit(statistic, &tested.drawn)
        {
            tested.p = tail.p(statistic, observed).min(counted);
            tested.from_tail = tested.p < counted;
        }
        tested.p = tested.p.max(least_p).min(1.0);
        Ok(tested)
    }

    /// The least p that samples of these sizes could give, whatever they held.
    pub(super) fn least_p(&self) -> f64 {
        (-self.log_assignments()).exp()
    }

    /// The logarithm of how many ways there are to exchange.
    fn log_assignments(&self) -> f64 {
        let one = |stratum: &Exchange| match stratum {
            Exchange::Rows { pooled, current } => log_choose(pooled.iter().sum(), *current),
            Exchange::Between { reference, current } => {
                log_choose(reference.iter().sum::<u64>() + current, *current)
            }
            Exchange::Clusters { blocks, current, pairs, .. } => {
                log_choose(blocks.len() as u64, *current as u64) + pairs.len() as f64 * std::f64::consts::LN_2
            }
        };
        self.strata.iter().map(one).sum()
    }
}

/// Fewer draws than this beyond the observed value, and a fitted tail says more than counting.
const FEW_BEYOND: u32 = 10;

/// Whether the first draws leave no doubt, because the tail that is fitted to them puts the chance of what was observed
/// far below every level that anybody sets. More draws would say so again, ten times as slowly; where nothing drifts it
/// hardly ever comes, so it moves no rate of false alarms.
fn is_far_beyond(statistic: Statistic, observed: f64, drawn: &[f64]) -> bool {
    const NO_DOUBT: f64 = 1e-9;
    let mut sorted = drawn.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Tail::fit(statistic, &sorted).is_some_and(|tail| tail.p(statistic, observed) < NO_DOUBT)
}

/// Draws that it takes to fit a tail.
const TAIL_DRAWS: usize = 999;

impl Tested {
    /// The test of a column whose rows are all alike: nothing differs. With fewer rows other values would have said no
    /// more, which `least_p` tells.
    pub(super) const fn certain(statistic: Statistic, least_p: f64) -> Self {
        Self { p: 1.0, from_tail: false, draws: 0, least_p, drawn: Vec::new(), statistic }
    }

    /// The chance of another value, from the same draws.
    pub(super) fn p_of(&self, value: f64) -> f64 {
        let beyond = self.drawn.len() - self.drawn.partition_point(|drawn| *drawn < value);
        let counted = (beyond + 1) as f64 / (self.drawn.len() + 1) as f64;
        let tail = Tail::fit(self.statistic, &self.drawn).filter(|_| beyond < FEW_BEYOND as usize);
        tail.map_or(counted, |tail| tail.p(self.statistic, value).min(counted)).max(self.least_p)
    }

    /// The value that a share `level` of the null exceeds: counted where ten draws or more lie beyond it, read off the
    /// tail where that can be fitted, and `None` where there are too few draws to say.
    pub(super) fn threshold(&self, level: f64) -> Option<f64> {
        let beyond = level * (self.drawn.len() + 1) as f64;
        if beyond < f64::from(FEW_BEYOND) {
            let tail = Tail::fit(self.statistic, &self.drawn)?;
            return Some(tail.value(self.statistic, level));
        }
        let from_top = (1..=self.drawn.len()).take_while(|place| *place as f64 <= beyond.floor()).last()?;
        self.drawn.len().checked_sub(from_top).and_then(|place| self.drawn.get(place)).copied()
    }
}

/// An exponential tail beyond the upper tenth of the draws, on the scale of [`Statistic::energy`].
///
/// A permutation null falls off like a chi-squared or faster there. An exponential with the mean excess over the
/// tenth overstates what lies beyond for three cells or more, and understates it by less than a factor of two down
/// to 1e-8 for two; the mean excess is taken two standard errors high.
struct Tail {
    from: f64,
    share: f64,
    mean_excess: f64,
}

impl Tail {
    fn fit(statistic: Statistic, drawn: &[f64]) -> Option<Self> {
        if drawn.len() < TAIL_DRAWS {
            return None;
        }
        let start = drawn.len() - drawn.len() / 10;
        let (below, top) = drawn.split_at_checked(start)?;
        let from = statistic.energy(*below.last()?);
        let count = top.len() as f64;
        let mean = top.iter().map(|value| statistic.energy(*value) - from).sum::<f64>() / count;
        let mean_excess = mean * (1.0 + 2.0 / count.sqrt());
        (mean_excess > 0.0).then_some(Self { from, share: count / drawn.len() as f64, mean_excess })
    }

    fn p(&self, statistic: Statistic, value: f64) -> f64 {
        let excess = (statistic.energy(value) - self.from).max(0.0);
        self.share * (-excess / self.mean_excess).exp()
    }

    fn value(&self, statistic: Statistic, p: f64) -> f64 {
        statistic.at_energy(self.from + self.mean_excess * (self.share / p).ln().max(0.0))
    }
}

/// The logarithm of the number of subsets, stopping where it is large enough for any purpose.
fn log_choose(all: u64, chosen: u64) -> f64 {
    let few = chosen.min(all.saturating_sub(chosen));
    let mut sum = 0.0;
    for at in 0..few {
        sum += ((all - at) as f64 / (at + 1) as f64).ln();
        if sum > 700.0 {
            break;
        }
    }
    sum
}
