//! Training/serving skew: the rows of both sides joined by their key.

use bartizan_data::Outcome;
use bartizan_data::drift::{Held, JoinReport, JoinedColumn, JoinedSide, Pair, join_rows};

use super::cases::{Case, Sides};
use crate::catalog::ids;
use crate::cli::Drift;
use crate::failure::Failure;

/// Joins the rows and compares the features that both sides have.
pub(super) fn join(case: &Case<'_>, drift: &Drift) -> Result<JoinReport, Failure> {
    let (Sides::Tables(pairs), Some(keys)) = (&case.sides, &case.keys) else {
        return Err(Failure::new(ids::DRIFT, "a profile holds no rows that could be joined"));
    };
    fn side<'a>(held: &'a Held<'_>) -> Option<JoinedSide<'a>> {
        match held {
            Held::Absent => None,
            Held::Numbers(numbers) => Some(JoinedSide::Numbers(numbers)),
            Held::Codes(codes) => Some(JoinedSide::Categories(codes)),
        }
    }
    // What is on one side alone, or of another type there, is not judged, which the report says.
    let usable = |pair: &&Pair<'_>| !pair.nested && pair.schema.is_none();
    let columns: Vec<JoinedColumn<'_>> = pairs
        .iter()
        .filter(usable)
        .filter_map(|pair| {
            let (training, serving) = side(&pair.reference).zip(side(&pair.current))?;
            Some(JoinedColumn { name: pair.name, training, serving, tolerance: drift.tolerance })
        })
        .collect();
    join_rows(&keys.reference, &keys.current, &columns).map_err(|error| Failure::of(ids::DRIFT, &error))
}

/// What follows: skew where more rows differ than may, and no verdict where no rows could be joined.
pub(super) fn outcome(report: &JoinReport, mismatch: f64) -> Outcome {
    if report.joined == 0 || report.features.is_empty() {
        return Outcome::Error;
    }
    let skewed = report.features.iter().any(|feature| feature.share().is_some_and(|share| share > mismatch));
    if skewed { Outcome::Invalid } else { Outcome::Valid }
}
