//! The area under the ROC curve of scores, its error, and whether chance explains it.

#![expect(clippy::cast_precision_loss, reason = "numbers of rows")]

use super::Scored;
use crate::drift::arrange::{Rows, arrange};
use crate::drift::cells::Cells;
use crate::drift::compare::Clusters;
use crate::drift::draw::Sides;
use crate::drift::null::{Design, Plan};
use crate::drift::report::NotJudged;
use crate::drift::statistic::{Statistic, Undefined};

/// How well scores tell two sides apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AucTest {
    /// The chance that a current row scores above one of the reference, equal scores counted half.
    pub auc: f64,
    /// Its standard error.
    pub error: f64,
    /// The chance of such an area, or a larger one, when sides are exchangeable.
    pub p: f64,
    /// The least p that samples of these sizes can give.
    pub least_p: f64,
}

/// Tests scores that a model gave to rows that it was not trained on; a higher score says current.
///
/// The scores can come from any classifier, as out-of-fold probabilities. Labels are then not quite exchangeable
/// between folds, which makes p a little too high rather than too low when folds have equal shares of both sides.
///
/// # Errors
/// When a side is empty, a score is not a number, or clusters do not match the rows.
pub fn auc_test(
    reference: &[f64],
    current: &[f64],
    clusters: Option<Clusters<'_>>,
    plan: &Plan,
) -> Result<AucTest, NotJudged> {
    if reference.iter().chain(current).any(|score| score.is_nan()) {
        return Err(NotJudged::Unsound);
    }
    let sorted = |scores: &[f64]| {
        let mut scores: Vec<(f64, u64)> = scores.iter().map(|score| (score + 0.0, 1)).collect();
        scores.sort_unstable_by(|one, two| one.0.total_cmp(&two.0));
        scores
    };
    let (ours, theirs) = (sorted(reference), sorted(current));
    let cells = Cells::of_values(ours.iter().copied(), theirs.iter().copied())?;
    let (auc, error) = area_and_error(reference, current, clusters)?;
    let (design, observed) = match clusters {
        None => {
            let floats = |counts: &[u64]| counts.iter().map(|count| *count as f64).collect();
            let sides = Sides::of(floats(&cells.reference), floats(&cells.current));
            (Design::rows(&cells), of_sides(&sides)?)
        }
        Some(clusters) => {
            let rows = |scores: &[f64]| {
                let cell = |score: &f64| u32::try_from(cells.place(*score + 0.0)).unwrap_or(u32::MAX);
                scores.iter().map(cell).collect()
            };
            let ours = Rows { cells: rows(reference), clusters: Some(clusters.reference), strata: None };
            let theirs = Rows { cells: rows(current), clusters: Some(clusters.current), strata: None };
            let arranged = arrange(&ours, &theirs, &cells, plan.seed)?;
            let observed = of_sides(arranged.tested())?;
            (arranged.design, observed)
        }
    };
    // The square of the distance from a half falls off as that of KS does.
    let above = |sides: &Sides| of_sides(sides).map(|auc| (auc - 0.5).max(0.0));
    let tested = design.test_of(above, Statistic::KolmogorovSmirnov, (observed - 0.5).max(0.0), plan)?;
    // Areas below a half are all put together at 0, where ties have no order.
    let p = if observed <= 0.5 { 1.0 } else { tested.p };
    Ok(AucTest { auc, error, p, least_p: tested.least_p })
}

fn of_sides(sides: &Sides) -> Result<f64, Undefined> {
    let (mut below, mut sum) = (0.0, 0.0);
    for (reference, current) in sides.reference.iter().zip(&sides.current) {
        sum += current * (below + reference / 2.0);
        below += reference;
    }
    let all: f64 = sides.current.iter().sum();
    if below <= 0.0 {
        return Err(Undefined::NoReference);
    }
    if all <= 0.0 {
        return Err(Undefined::NoCurrent);
    }
    Ok(sum / (below * all))
}

/// The area alone.
pub(super) fn area(((ours, _), (theirs, _)): &Scored) -> f64 {
    let placed = placements(ours, theirs);
    placed.iter().sum::<f64>() / placed.len().max(1) as f64
}

/// For each score of `these` the share of `those` below it, equal ones counted half.
fn placements(those: &[f64], these: &[f64]) -> Vec<f64> {
    let mut sorted = those.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = |score: &f64| {
        let below = sorted.partition_point(|other| other < score);
        let up_to = sorted.partition_point(|other| other <= score);
        (below + up_to) as f64 / (2 * sorted.len().max(1)) as f64
    };
    these.iter().map(place).collect()
}

/// The area and its standard error from placements (DeLong, DeLong and Clarke-Pearson, 1988), summed by cluster where
/// there are clusters (Obuchowski, 1997; the covariance of both sides of a cluster is not taken off).
fn area_and_error(
    reference: &[f64],
    current: &[f64],
    clusters: Option<Clusters<'_>>,
) -> Result<(f64, f64), NotJudged> {
    let ours = placements(current, reference).into_iter().map(|place| 1.0 - place).collect::<Vec<f64>>();
    let theirs = placements(reference, current);
    let auc = theirs.iter().sum::<f64>() / theirs.len().max(1) as f64;
    let variance = |placed: &[f64], clusters: Option<&[u64]>| -> f64 {
        let mut rows: Vec<(u64, f64)> = match clusters {
            Some(clusters) => clusters.iter().copied().zip(placed.iter().copied()).collect(),
            None => (0_u64..).zip(placed.iter().copied()).collect(),
        };
        rows.sort_unstable_by_key(|row| row.0);
        let sums: Vec<f64> = rows
            .chunk_by(|one, two| one.0 == two.0)
            .map(|same| same.iter().map(|(_, place)| place - auc).sum())
            .collect();
        let count = sums.len() as f64;
        if count < 2.0 {
            return 0.25;
        }
        sums.iter().map(|sum| sum * sum).sum::<f64>() * count / (count - 1.0) / (placed.len() as f64).powi(2)
    };
    if clusters.is_some_and(|both| both.reference.len() != ours.len() || both.current.len() != theirs.len()) {
        return Err(NotJudged::ClustersUnmatched);
    }
    let of_ours = variance(&ours, clusters.map(|both| both.reference));
    let of_theirs = variance(&theirs, clusters.map(|both| both.current));
    Ok((auc, (of_ours + of_theirs).sqrt()))
}
