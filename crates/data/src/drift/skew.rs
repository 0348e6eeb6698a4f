//! Training/serving skew, row by row: the same entity, seen by both sides.

use crate::limits::EXAMPLES;

/// Values of one side of a feature.
#[derive(Debug, Clone, Copy)]
pub enum JoinedSide<'a> {
    /// Numbers; NaN is missing.
    Numbers(&'a [f64]),
    /// Codes of a dictionary that both sides share.
    Categories(&'a [u32]),
}

/// A feature of both sides, a value for each row.
#[derive(Debug, Clone, Copy)]
pub struct JoinedColumn<'a> {
    /// Its name.
    pub name: &'a str,
    /// What was trained on.
    pub training: JoinedSide<'a>,
    /// What is served.
    pub serving: JoinedSide<'a>,
    /// Numbers differ when they are further apart than this share of the larger one; 0 for any difference.
    pub tolerance: f64,
}

/// What is different about one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSkew {
    /// The feature.
    pub name: String,
    /// Rows that were compared.
    pub joined: u64,
    /// Of these, rows whose values differ, also by one being missing.
    pub differing: u64,
    /// Of these, rows where only the training side has a value, and only the serving side.
    pub one_sided: (u64, u64),
    /// The largest difference of two numbers; 0 for categories.
    pub largest: f64,
    /// The first rows that differ: place in training, place in serving, from 0.
    pub examples: Vec<(usize, usize)>,
}

impl FeatureSkew {
    /// The share of the compared rows that differ; `None` when none was compared.
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    pub fn share(&self) -> Option<f64> {
        (self.joined > 0).then(|| self.differing as f64 / self.joined as f64)
    }
}

/// What a join says.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinReport {
    /// Keys that are on both sides, once each.
    pub joined: u64,
    /// Keys that come more than once on a side; their rows are not compared.
    pub ambiguous: u64,
    /// Keys of training alone.
    pub only_training: u64,
    /// Keys of serving alone.
    pub only_serving: u64,
    /// Rows without a key on each side, which are not compared.
    pub keyless: (u64, u64),
    /// Each feature, in the order given.
    pub features: Vec<FeatureSkew>,
}

/// The two sides do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinInvalid {
    /// A feature does not have a value for each key.
    #[error("feature `{name}` does not have one value for each key")]
    Length {
        /// The feature.
        name: String,
    },
    /// Numbers on one side, categories on the other.
    #[error("feature `{name}` holds numbers on one side only")]
    Kinds {
        /// The feature.
        name: String,
    },
}

/// Joins rows by their keys and compares each feature. A row without a key is joined with none.
///
/// # Errors
/// When a feature has another number of rows than its keys, or other kinds of values on the two sides.
pub fn join_rows<K: Ord>(
    training: &[Option<K>],
    serving: &[Option<K>],
    columns: &[JoinedColumn<'_>],
) -> Result<JoinReport, JoinInvalid> {
    for column in columns {
        let name = || column.name.to_owned();
        if length(column.training) != training.len() || length(column.serving) != serving.len() {
            return Err(JoinInvalid::Length { name: name() });
        }
        if matches!(column.training, JoinedSide::Numbers(_))
            != matches!(column.serving, JoinedSide::Numbers(_))
        {
            return Err(JoinInvalid::Kinds { name: name() });
        }
    }
    let keyless = |keys: &[Option<K>]| keys.iter().filter(|key| key.is_none()).count() as u64;
    let mut report = JoinReport {
        joined: 0,
        ambiguous: 0,
        only_training: 0,
        only_serving: 0,
        keyless: (keyless(training), keyless(serving)),
        features: Vec::new(),
    };
    let mut pairs = Vec::new();
    let (ours, theirs) = (sorted(training), sorted(serving));
    let (mut ours, mut theirs) = (ours.as_slice(), theirs.as_slice());
    while let Some(key) = [ours.first(), theirs.first()].into_iter().flatten().map(|row| row.0).min() {
        let (mine, rest) = ours.split_at(ours.partition_point(|row| row.0 <= key));
        let (other, others) = theirs.split_at(theirs.partition_point(|row| row.0 <= key));
        (ours, theirs) = (rest, others);
        match (mine, other) {
            ([(_, one)], [(_, two)]) => pairs.push((*one, *two)),
            ([_], []) => report.only_training += 1,
            ([], [_]) => report.only_serving += 1,
            _ => report.ambiguous += 1,
        }
    }
    pairs.sort_unstable();
    report.joined = pairs.len() as u64;
    report.features = columns.iter().map(|column| compare(column, &pairs)).collect();
    Ok(report)
}

fn sorted<K: Ord>(keys: &[Option<K>]) -> Vec<(&K, usize)> {
    let keyed = keys.iter().zip(0..).filter_map(|(key, row)| Some((key.as_ref()?, row)));
    let mut rows: Vec<(&K, usize)> = keyed.collect();
    rows.sort_unstable();
    rows
}

const fn length(side: JoinedSide<'_>) -> usize {
    match side {
        JoinedSide::Numbers(values) => values.len(),
        JoinedSide::Categories(codes) => codes.len(),
    }
}

fn compare(column: &JoinedColumn<'_>, pairs: &[(usize, usize)]) -> FeatureSkew {
    let mut skew = FeatureSkew {
        name: column.name.to_owned(),
        joined: pairs.len() as u64,
        differing: 0,
        one_sided: (0, 0),
        largest: 0.0,
        examples: Vec::new(),
    };
    for (one, two) in pairs {
        let (missing, apart, differs) = match (column.training, column.serving) {
            (JoinedSide::Numbers(ours), JoinedSide::Numbers(theirs)) => {
                let value = |values: &[f64], at: usize| values.get(at).copied().unwrap_or(f64::NAN);
                let (one, two) = (value(ours, *one), value(theirs, *two));
                // Equal infinities are equal, though their difference is not a number.
                let apart = if one == two { 0.0 } else { (one - two).abs() };
                let differs = apart > column.tolerance.max(0.0) * one.abs().max(two.abs());
                ((one.is_nan(), two.is_nan()), apart, differs || (apart.is_infinite()))
            }
            (JoinedSide::Categories(ours), JoinedSide::Categories(theirs)) => {
                let code = |codes: &[u32], at: usize| codes.get(at).copied().unwrap_or(u32::MAX);
                let (one, two) = (code(ours, *one), code(theirs, *two));
                ((one == u32::MAX, two == u32::MAX), 0.0, one != two)
            }
            _ => continue,
        };
        let differs = match missing {
            (true, true) => false,
            (false, false) => differs,
            _ => true,
        };
        skew.one_sided.0 += u64::from(missing == (false, true));
        skew.one_sided.1 += u64::from(missing == (true, false));
        skew.largest = skew.largest.max(apart);
        if differs {
            skew.differing += 1;
            if skew.examples.len() < EXAMPLES {
                skew.examples.push((*one, *two));
            }
        }
    }
    skew
}
