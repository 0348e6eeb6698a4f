//! From two tables, or what is left of them, to a verdict for each column.

use super::arrange::{Arranged, Rows, arrange, arrange_counts};
use super::cells::Cells;
use super::discovery::{Dependence, adjust};
use super::forms::{Form, Prepared, prepare};
use super::null::{Design, Plan, Tested};
use super::random::Random;
use super::report::{ColumnDrift, DriftReport, Measure, Mode, NotJudged, Purpose, SideSize, Verdict};
use super::season::Strata;
use super::statistic::{Statistic, Undefined};
use super::summary::{Bounded, Edges, Frequent, Histogram, QuantileSketch};
use crate::limits::DRIFT_DRAWS;

/// One side of a column.
#[derive(Debug, Clone, Copy)]
pub enum Side<'a> {
    /// There is no such column.
    Absent,
    /// A number for each row; NaN is missing.
    Numbers(&'a [f64]),
    /// A code for each row, of a dictionary that both sides share; [`Side::MISSING`] is missing.
    Categories(&'a [u32]),
    /// Numbers with how often each came, in any order, and rows without a value; counts of NaN are added to them.
    NumberCounts(&'a [(f64, u64)], u64),
    /// How often each code of the shared dictionary came, and rows without a value.
    CategoryCounts(&'a [u64], u64),
    /// How often the frequent codes of the shared dictionary came, within bounds. Compared by L-infinity alone.
    Frequent(&'a Frequent),
    /// How often each code of the shared dictionary came, by cluster, such as by hour. No cluster of one side is
    /// one of the other, and whole clusters are permuted.
    Clusters(&'a [ClusterCounts]),
    /// Counts between frozen edges.
    Histogram(&'a Histogram),
    /// A quantile sketch.
    Sketch(&'a QuantileSketch),
}

impl Side<'_> {
    /// The code of a row without a value.
    pub const MISSING: u32 = u32::MAX;
}

/// How often each code of a shared dictionary came in one cluster, such as one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterCounts {
    /// Clusters change sides within a stratum only, such as the hour of the week; the same for all if there is none.
    pub stratum: u16,
    /// One count for each code.
    pub counts: Vec<u64>,
}

/// A column of both tables.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// Its name. Permutations of different names are independent, whatever the order of the columns.
    pub name: &'a str,
    /// What it was.
    pub reference: Side<'a>,
    /// What it is.
    pub current: Side<'a>,
    /// How to compare its values; by default KS for numbers, and for categories and bins Jensen-Shannon, but
    /// L-infinity when there are two, or more than a fifth as many as rows.
    pub statistic: Option<Statistic>,
    /// The least effect called drift, if not the statistic's own.
    pub floor: Option<f64>,
    /// The least difference of the shares of missing rows that is called drift, if not 0.02.
    pub missing_floor: Option<f64>,
    /// Edges for statistics of shares that were frozen on other data, or between which both sides were counted. By default
    /// numbers are put into the tenths of the reference, and each permutation into those of its own, which leaves the
    /// test exact.
    pub edges: Option<&'a Edges>,
    /// Whether the edges (also those of histograms) are values of this reference, such as its tenths, which hardly
    /// repeat. Then the counts of the reference are no matter of chance, a permutation of rows would be wrong by a
    /// factor of up to two, and the null is drawn from the order statistics instead. Edges that were frozen on other
    /// data, or that lie between values that come again and again, are not of this kind. Without clusters and strata
    /// only.
    pub edges_of_reference: bool,
}

impl<'a> Column<'a> {
    /// A column with everything by default.
    pub const fn new(name: &'a str, reference: Side<'a>, current: Side<'a>) -> Self {
        Self {
            name,
            reference,
            current,
            statistic: None,
            floor: None,
            missing_floor: None,
            edges: None,
            edges_of_reference: false,
        }
    }
}

/// Which rows belong together: one id for each row of each side.
///
/// Rows of one session, user, machine or hour are more alike than others. Taken as independent they make chance
/// look like drift, so whole clusters are permuted. A cluster with rows on both sides is compared with itself. When
/// the mean sizes of clusters differ by more than a quarter, rows of the larger ones are left out at random for the
/// test (not for the value), because a large cluster is less noisy than a small one and cannot stand for it.
#[derive(Debug, Clone, Copy)]
pub struct Clusters<'a> {
    /// The cluster of each row of the reference.
    pub reference: &'a [u64],
    /// The cluster of each current row.
    pub current: &'a [u64],
}

/// What the rows of two tables have in common, beside their columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Comparison<'a> {
    /// Which rows are not independent.
    pub clusters: Option<Clusters<'a>>,
    /// A stratum for each row of each side, such as the hour of the week: rows change sides within a stratum only,
    /// and the reference is weighted as the current rows are spread over the strata. Ordered statistics are then
    /// measured on [`DRIFT_CELLS`](crate::limits::DRIFT_CELLS) cells.
    pub strata: Option<Strata<'a>>,
}

/// How to judge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// What for.
    pub purpose: Purpose,
    /// The share of false ones tolerated among the columns called drift, and the chance of calling any drift when
    /// none does.
    pub level: f64,
    /// What is known of how columns depend on each other.
    pub dependence: Dependence,
    /// How many permutations to draw, and the seed.
    pub plan: Plan,
}

impl Default for Options {
    fn default() -> Self {
        Self { purpose: Purpose::Drift, level: 0.05, dependence: Dependence::Any, plan: Plan::default() }
    }
}

/// Compares all columns of two tables.
///
/// [`judge`] does it for one column at a time, so that columns can be spread over threads; [`conclude`] then takes
/// all of them together.
pub fn compare(columns: &[Column<'_>], comparison: &Comparison<'_>, options: &Options) -> DriftReport {
    conclude(columns.iter().flat_map(|column| judge(column, comparison, options)).collect(), options)
}

/// Measures one column: its values, and the share of rows without one where there are any. The verdicts are
/// preliminary until [`conclude`] has seen all columns.
pub fn judge(column: &Column<'_>, comparison: &Comparison<'_>, options: &Options) -> Vec<ColumnDrift> {
    let plan = Plan {
        max_draws: options.plan.max_draws.min(DRIFT_DRAWS),
        seed: Random::named(options.plan.seed, column.name).bits(),
        ..options.plan
    };
    let forms = match (column.reference, column.current) {
        (Side::Absent, _) => Err(NotJudged::AbsentFromReference),
        (_, Side::Absent) => Err(NotJudged::AbsentFromCurrent),
        (one, two) => Form::of(one).and_then(|one| Ok((one, Form::of(two)?))),
    };
    let mut lines = Vec::new();
    match forms {
        Err(reason) => lines.push(unjudged(column, reason)),
        Ok((one, two)) => {
            let values = prepare(column, &one, &two).and_then(|prepared| {
                values(column, (&one, &two), prepared, comparison, options.level, &plan)
            });
            lines.push(values.unwrap_or_else(|reason| ColumnDrift {
                reference: one.size(),
                current: two.size(),
                ..unjudged(column, reason)
            }));
            lines.extend(missing(column, (&one, &two), comparison, options.level, &plan));
        }
    }
    lines
}

/// Takes all columns together: adjusts the p-values and says what follows for each.
pub fn conclude(mut columns: Vec<ColumnDrift>, options: &Options) -> DriftReport {
    let tested: Vec<usize> =
        (0..columns.len()).filter(|at| columns.get(*at).is_some_and(|column| column.p.is_some())).collect();
    let p_values = |high: bool| -> Vec<f64> {
        let of = |at: &usize| columns.get(*at).and_then(|column| column.p);
        tested.iter().filter_map(of).map(|(low, upper)| if high { upper } else { low }).collect()
    };
    let certain = adjust(&p_values(false), options.dependence);
    let possible = adjust(&p_values(true), options.dependence);
    let found = certain.iter().filter(|p| **p <= options.level).count();
    let price = options.dependence.price(tested.len()) * tested.len() as f64;
    for ((at, certain), possible) in tested.iter().zip(certain).zip(possible) {
        let Some(column) = columns.get_mut(*at) else { continue };
        column.adjusted_p = Some(certain);
        let effect = column.effect.unwrap_or(Bounded::exact(0.0));
        let reachable = column.least_p * price / (found + 1) as f64 <= options.level;
        column.verdict = if certain <= options.level && effect.low >= column.floor {
            Verdict::Drift
        } else if !reachable && certain > options.level {
            Verdict::NotJudged(NotJudged::TooFew)
        } else if possible > options.level || effect.high < column.floor {
            Verdict::NoDrift
        } else {
            Verdict::NotJudged(NotJudged::BoundsTooWide)
        };
    }
    let Options { purpose, level, dependence, plan } = *options;
    DriftReport { purpose, level, dependence, seed: plan.seed, columns, beside: Vec::new(), left_out: 0 }
}

/// The least difference of the shares of missing rows that is called drift: one row in fifty, as models that impute
/// a value answer all of these alike.
const MISSING_FLOOR: f64 = 0.02;

fn values(
    column: &Column<'_>,
    (one, two): (&Form<'_>, &Form<'_>),
    prepared: Prepared,
    comparison: &Comparison<'_>,
    level: f64,
    plan: &Plan,
) -> Result<ColumnDrift, NotJudged> {
    let Prepared { statistic, mode, value, cells, scale, edges } = prepared;
    let (mut reference, mut current) = (one.size(), two.size());
    let simple = comparison.clusters.is_none() && comparison.strata.is_none();
    let (design, value, observed) = if let Some((one, two)) = one.clusters().zip(two.clusters()) {
        let arranged = arrange_counts(one, two, &cells, plan.seed)?;
        (reference.clusters, current.clusters) = arranged.clusters;
        let (value, observed) = arranged.values(statistic, value)?;
        (arranged.design, value, observed)
    } else if simple {
        let design = if column.edges_of_reference && edges.is_some() {
            Design::between(&cells)
        } else {
            Design::rows(&cells)
        };
        let on_cells = cells.value(statistic)?;
        let observed = if mode == Mode::Exact { Bounded::exact(on_cells) } else { value };
        (design, value, observed)
    } else {
        let of = |form: &Form<'_>| form.rows(&cells, edges.as_ref());
        let rows = of(one).zip(of(two)).ok_or(NotJudged::ClustersUnmatched)?;
        let arranged = arranged(rows, comparison, &cells, plan)?;
        (reference.clusters, current.clusters) = arranged.clusters;
        let (value, observed) = arranged.values(statistic, value)?;
        (arranged.design, value, observed)
    };
    let tested = test(&design, statistic, observed, plan)?;
    let size = (as_f64(reference.values), as_f64(current.values));
    let effect = value.map(|value| effect(statistic, value, size, scale));
    let line = ColumnDrift {
        mode,
        statistic,
        reference,
        current,
        floor: column.floor.unwrap_or(statistic.floor()),
        ..unjudged(column, NotJudged::TooFew)
    };
    Ok(with_test(line, value, effect, observed, tested, level))
}

/// Compares the shares of rows without a value, when there are any.
fn missing(
    column: &Column<'_>,
    (one, two): (&Form<'_>, &Form<'_>),
    comparison: &Comparison<'_>,
    level: f64,
    plan: &Plan,
) -> Option<ColumnDrift> {
    let (mut reference, mut current) = (one.size(), two.size());
    if reference.missing + current.missing == 0 {
        return None;
    }
    let statistic = Statistic::LInfinity;
    let line = ColumnDrift {
        measure: Measure::Missing,
        statistic,
        mode: Mode::Exact,
        floor: column.missing_floor.unwrap_or(MISSING_FLOOR),
        reference,
        current,
        ..unjudged(column, NotJudged::TooFew)
    };
    let plan = Plan { seed: plan.seed ^ 1, ..*plan };
    let judged = || -> Result<_, NotJudged> {
        let counts = |size: &SideSize| [size.values, size.missing];
        let cells = Cells::of_counts(&counts(&reference), &counts(&current))?;
        let value = Bounded::exact(cells.value(statistic)?);
        if comparison.clusters.is_none() && comparison.strata.is_none() {
            let design = Design::rows(&cells);
            let tested = test(&design, statistic, value, &plan)?;
            return Ok((value, value, tested, (None, None)));
        }
        let rows = one.presence().zip(two.presence()).ok_or(NotJudged::ClustersUnmatched)?;
        let arranged = arranged(rows, comparison, &cells, &plan)?;
        let (value, observed) = arranged.values(statistic, value)?;
        let tested = test(&arranged.design, statistic, observed, &plan)?;
        Ok((value, observed, tested, arranged.clusters))
    };
    Some(match judged() {
        Err(reason) => ColumnDrift { verdict: Verdict::NotJudged(reason), ..line },
        Ok((value, observed, tested, clusters)) => {
            (reference.clusters, current.clusters) = clusters;
            let line = ColumnDrift { reference, current, ..line };
            with_test(line, value, value, observed, tested, level)
        }
    })
}

fn arranged(
    (mut one, mut two): (Vec<u32>, Vec<u32>),
    comparison: &Comparison<'_>,
    cells: &Cells,
    plan: &Plan,
) -> Result<Arranged, NotJudged> {
    let fits = |labels: (usize, usize)| labels == (one.len(), two.len());
    let matched = comparison.clusters.is_none_or(|all| fits((all.reference.len(), all.current.len())))
        && comparison.strata.is_none_or(|strata| fits(strata.rows()));
    if !matched {
        return Err(NotJudged::ClustersUnmatched);
    }
    let strata = comparison.strata.map(|strata| strata.labels(&mut one, &mut two)).transpose()?;
    let strata = strata.as_ref();
    let side = |cells, clusters, strata| Rows { cells, clusters, strata };
    let one = side(one, comparison.clusters.map(|all| all.reference), strata.map(|all| all.0.as_ref()));
    let two = side(two, comparison.clusters.map(|all| all.current), strata.map(|all| all.1.as_ref()));
    arrange(&one, &two, cells, plan.seed)
}

fn test(design: &Design, statistic: Statistic, observed: Bounded, plan: &Plan) -> Result<Tested, NotJudged> {
    if design.cells <= 1 {
        return Ok(Tested::certain(statistic, design.least_p()));
    }
    design.test(statistic, observed.low, plan).map_err(NotJudged::Undefined)
}

fn with_test(
    line: ColumnDrift,
    value: Bounded,
    effect: Bounded,
    observed: Bounded,
    tested: Tested,
    level: f64,
) -> ColumnDrift {
    let high = if observed.high > observed.low { tested.p_of(observed.high).min(tested.p) } else { tested.p };
    ColumnDrift {
        value: Some(value),
        effect: Some(effect),
        threshold: tested.threshold(level),
        p: Some((tested.p, high)),
        least_p: tested.least_p,
        from_tail: tested.from_tail,
        draws: tested.draws,
        ..line
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
const fn as_f64(count: u64) -> f64 {
    count as f64
}

/// How large a difference is, whatever the sizes.
fn effect(statistic: Statistic, value: f64, (n, m): (f64, f64), scale: Option<f64>) -> f64 {
    match statistic {
        // As if both sides had one size, 2 x 2 times the chi-squared of each row: Cohen's w between them.
        Statistic::ChiSquared => (value.max(0.0) * (n + m) / (n * m)).sqrt(),
        Statistic::Wasserstein => match scale {
            _ if value <= 0.0 => 0.0,
            Some(scale) if scale > 0.0 => value / scale,
            _ => f64::INFINITY,
        },
        _ => value,
    }
}

fn unjudged(column: &Column<'_>, reason: NotJudged) -> ColumnDrift {
    let statistic = column.statistic.unwrap_or(Statistic::KolmogorovSmirnov);
    ColumnDrift {
        statistic,
        floor: column.floor.unwrap_or(statistic.floor()),
        ..ColumnDrift::not_judged(column.name, reason)
    }
}

impl From<Undefined> for NotJudged {
    fn from(undefined: Undefined) -> Self {
        Self::Undefined(undefined)
    }
}
