//! Drift of all columns together: can a classifier tell which side a row is from?

#![expect(clippy::cast_precision_loss, reason = "numbers of rows")]

mod auc;
mod learner;

use super::compare::{Clusters, Column};
use super::null::Plan;
use super::random::Random;
use super::report::{NotJudged, Verdict};
use super::statistic::Undefined;

pub use self::auc::{AucTest, auc_test};
use self::learner::{Features, Model, features};

/// How to train and judge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DomainOptions {
    /// The chance of calling drift where there is none.
    pub level: f64,
    /// The least area under the curve that is called drift. At 0.55 a row of one side ranks above a row of the other in
    /// 55 of 100 pairs, which is what two normal distributions do that are a sixth of their deviation apart.
    pub floor: f64,
    /// Rows of each side at most; more are sampled, whole clusters where there are any.
    pub most_rows: usize,
    /// The permutations, and the seed of everything.
    pub plan: Plan,
}

impl Default for DomainOptions {
    fn default() -> Self {
        Self { level: 0.05, floor: 0.55, most_rows: 20_000, plan: Plan::default() }
    }
}

/// What a domain classifier says.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainReport {
    /// Area under the curve on rows that it was not trained on, the mean of both halves.
    pub auc: f64,
    /// The interval that holds it with 95 %, by the variance of DeLong et al. (1988), or between clusters.
    pub interval: (f64, f64),
    /// The chance of such an area when nothing drifts.
    pub p: f64,
    /// What follows.
    pub verdict: Verdict,
    /// Rows of the reference and current rows that were used.
    pub rows: (usize, usize),
    /// Each column with the area that is lost when its values are shuffled, the most important first.
    pub columns: Vec<(String, f64)>,
}

/// Trains a logistic regression to tell current rows from the reference, on one half of the rows for the other and
/// then the other way round.
///
/// Numbers become 16 bins at quantiles of both sides together, categories their codes, "missing" is a bin of its own,
/// and pairs of columns are features as well (of four bins for numbers, hashed, and of the 25 columns that differ most). The learner
/// is deterministic. As no row is judged by a model that has seen it or its cluster, the labels of a half can be
/// permuted under fixed scores, which gives an exact p for each half; of the two the smaller counts, twice. So the
/// chance of a false alarm is at most the level.
///
/// # Errors
/// When columns are not given row by row, are of unequal lengths, or there are too few rows.
pub fn domain(
    columns: &[Column<'_>],
    clusters: Option<Clusters<'_>>,
    options: &DomainOptions,
) -> Result<DomainReport, NotJudged> {
    let mut random = Random::named(options.plan.seed, "domain classifier");
    let all = features(columns)?;
    let halves = halves(&all, clusters, options.most_rows, &mut random)?;
    let [one, two] = &halves;
    let rows = |current: bool| {
        halves.iter().flat_map(|half| &half.rows).filter(|row| all.is_current(**row) == current).count()
    };
    let rows = (rows(false), rows(true));
    let (mut tests, mut lost) = (Vec::new(), vec![0.0; columns.len()]);
    for (train, judge) in [(one, two), (two, one)] {
        let model = Model::train(&all, &train.rows, &mut random);
        let scores: Vec<f64> = judge.rows.iter().map(|row| model.score(&all, *row, None)).collect();
        let plan = Plan { seed: random.bits(), ..options.plan };
        let test = judged(&all, judge, &scores, &plan)?;
        for (column, lost) in lost.iter_mut().enumerate() {
            let mut donors = judge.rows.clone();
            let count = donors.len();
            random.choose(&mut donors, count);
            let shuffled: Vec<f64> = judge
                .rows
                .iter()
                .zip(donors)
                .map(|(row, donor)| model.score(&all, *row, Some((column, donor))))
                .collect();
            *lost += (test.auc - auc::area(&sides(&all, judge, &shuffled))) / 2.0;
        }
        tests.push(test);
    }
    let mean = |of: fn(&AucTest) -> f64| tests.iter().map(of).sum::<f64>() / tests.len() as f64;
    let p = tests.iter().map(|test| test.p).fold(1.0, f64::min);
    let least_p = tests.iter().map(|test| test.least_p).fold(1.0, f64::min);
    let (auc, p) = (mean(|test| test.auc), (2.0 * p).min(1.0));
    // Half the sum of two errors that depend on each other is at most their mean.
    let error = mean(|test| test.error);
    let verdict = match () {
        () if 2.0 * least_p > options.level => Verdict::NotJudged(NotJudged::TooFew),
        () if p <= options.level && auc >= options.floor => Verdict::Drift,
        () => Verdict::NoDrift,
    };
    let mut named: Vec<(String, f64)> =
        columns.iter().map(|column| column.name.to_owned()).zip(lost).collect();
    named.sort_by(|one, two| two.1.total_cmp(&one.1));
    let interval = ((auc - 1.96 * error).max(0.0), (auc + 1.96 * error).min(1.0));
    Ok(DomainReport { auc, interval, p, verdict, rows, columns: named })
}

/// Rows to train on or to judge, and the cluster of each.
struct Half {
    rows: Vec<usize>,
    clusters: Option<Vec<u64>>,
}

/// Scores, and clusters where there are any, of the reference and of current rows.
type Scored = ((Vec<f64>, Option<Vec<u64>>), (Vec<f64>, Option<Vec<u64>>));

fn sides(all: &Features, half: &Half, scores: &[f64]) -> Scored {
    let side = |current: bool| {
        let wanted = |at: &usize| half.rows.get(*at).is_some_and(|row| all.is_current(*row) == current);
        let places: Vec<usize> = (0..half.rows.len()).filter(wanted).collect();
        let scores = places.iter().filter_map(|at| scores.get(*at)).copied().collect();
        let clusters = half
            .clusters
            .as_ref()
            .map(|clusters| places.iter().filter_map(|at| clusters.get(*at)).copied().collect());
        (scores, clusters)
    };
    (side(false), side(true))
}

fn judged(all: &Features, half: &Half, scores: &[f64], plan: &Plan) -> Result<AucTest, NotJudged> {
    let ((ours, ours_in), (theirs, theirs_in)) = sides(all, half, scores);
    let clusters = ours_in.as_deref().zip(theirs_in.as_deref());
    let clusters = clusters.map(|(reference, current)| Clusters { reference, current });
    auc_test(&ours, &theirs, clusters, plan)
}

/// Splits the rows at random, whole clusters together, after leaving out what is too much.
fn halves(
    all: &Features,
    clusters: Option<Clusters<'_>>,
    most: usize,
    random: &mut Random,
) -> Result<[Half; 2], NotJudged> {
    let (reference, current) = all.sizes();
    if reference == 0 {
        return Err(NotJudged::Undefined(Undefined::NoReference));
    }
    if current == 0 {
        return Err(NotJudged::Undefined(Undefined::NoCurrent));
    }
    let ids: Vec<u64> = match clusters {
        None => (0_u64..).take(reference + current).collect(),
        Some(clusters) if clusters.reference.len() == reference && clusters.current.len() == current => {
            clusters.reference.iter().chain(clusters.current).copied().collect()
        }
        Some(_) => return Err(NotJudged::ClustersUnmatched),
    };
    // A cluster is kept, and gets its half, by a hash of its id, so that all of its rows share both; each side has its
    // own chance of being kept.
    let keep = |rows: usize| (most as f64 / rows as f64).min(1.0);
    let (keep_reference, keep_current) = (keep(reference), keep(current));
    let seed = random.bits();
    let mut halves = [(); 2].map(|()| Half { rows: Vec::new(), clusters: clusters.map(|_| Vec::new()) });
    for (row, id) in ids.iter().enumerate() {
        let mut own = Random::new(seed ^ id.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let chance = if all.is_current(row) { keep_current } else { keep_reference };
        if own.uniform() >= chance {
            continue;
        }
        let [one, two] = &mut halves;
        let half = if own.bits() & 1 == 0 { one } else { two };
        half.rows.push(row);
        if let Some(clusters) = &mut half.clusters {
            clusters.push(*id);
        }
    }
    let has_both = |half: &Half| {
        let count = half.rows.iter().filter(|row| all.is_current(**row)).count();
        count > 0 && count < half.rows.len()
    };
    if halves.iter().all(has_both) { Ok(halves) } else { Err(NotJudged::TooFew) }
}
