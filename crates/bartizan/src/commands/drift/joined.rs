//! Training/serving skew: the rows of both sides joined by their key.

use bartizan_data::drift::{Held, JoinReport, JoinedColumn, JoinedSide, Pair, Side, join_rows};

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
    let keyed = |codes: &[u32]| -> Vec<Option<u32>> {
        codes.iter().map(|code| Some(*code).filter(|code| *code != Side::MISSING)).collect()
    };
    join_rows(&keyed(&keys.reference), &keyed(&keys.current), &columns)
        .map_err(|error| Failure::of(ids::DRIFT, &error))
}

/// The share of the current rows that were joined with one of the reference.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(super) fn share(report: &JoinReport, current: u64) -> f64 {
    report.joined as f64 / current.max(1) as f64
}
