//! Some rows of a column, as a column of their own.

use std::sync::Arc;

use arrow_array::BinaryArray;
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};

use crate::cell::Value;
use crate::read::batch::{Blobs, Cells, Column, Instants, Lane, Rows};

/// Shows the values at these places, which are ascending, of a column whose first row is `first`.
pub(super) fn picked(column: &Column<'_>, places: &[usize], first: u64, mut show: impl FnMut(&Column<'_>)) {
    let of = places.iter().map(|at| u32::try_from(*at).unwrap_or(u32::MAX)).collect();
    let rows = Rows::Of(first, Arc::new(of));
    if let Lane::Cells(cells) = &column.lane {
        let spans: Vec<(u32, u32)> = places.iter().filter_map(|at| cells.spans.get(*at)).copied().collect();
        let values: Vec<Value> = places.iter().filter_map(|at| cells.values.get(*at)).copied().collect();
        let cells = Cells { text: cells.text, spans: &spans, values: &values };
        return show(&Column { rows, lane: Lane::Cells(cells) });
    }
    let places: Vec<Option<usize>> = places.iter().map(|at| Some(*at)).collect();
    show(&Column { rows, lane: lane(&column.lane, &places) });
}

/// A lane of the values at these places, `None` for no value.
fn lane(of: &Lane<'_>, places: &[Option<usize>]) -> Lane<'static> {
    let nulls = of.nulls();
    let here = |at: &Option<usize>| at.filter(|at| nulls.is_none_or(|nulls| !nulls.is_null(*at)));
    let kept = || NullBuffer::new(places.iter().map(|at| here(at).is_some()).collect::<BooleanBuffer>());
    match of {
        Lane::Nulls(_) => Lane::Nulls(places.len()),
        Lane::Integers(values, _) => Lane::Integers(scalars(values, places), Some(kept())),
        Lane::Floats(values, _) => Lane::Floats(scalars(values, places), Some(kept())),
        Lane::Days(values, _) => Lane::Days(scalars(values, places), Some(kept())),
        Lane::Decimals(values, scale, _) => Lane::Decimals(scalars(values, places), *scale, Some(kept())),
        Lane::Booleans(values, _) => {
            let bits = places.iter().map(|at| here(at).is_some_and(|at| values.value(at))).collect();
            Lane::Booleans(bits, Some(kept()))
        }
        Lane::Instants(instants) => Lane::Instants(Instants {
            values: scalars(&instants.values, places),
            per_second: instants.per_second,
            zoned: instants.zoned,
            nulls: Some(kept()),
        }),
        Lane::Texts(blobs) => Lane::Texts(picked_blobs(blobs, places.iter().map(here))),
        Lane::Bytes(blobs) => Lane::Bytes(picked_blobs(blobs, places.iter().map(here))),
        Lane::Lists(lengths, _) => {
            let length = |at: &Option<usize>| at.and_then(|at| lengths.get(at)).copied().unwrap_or(0);
            Lane::Lists(places.iter().map(length).collect(), Some(kept()))
        }
        Lane::Dictionary { keys, values, .. } => {
            let key = |at: usize| keys.get(at).and_then(|key| usize::try_from(*key).ok());
            let places: Vec<Option<usize>> = places.iter().map(|at| here(at).and_then(key)).collect();
            lane(values, &places)
        }
        // Cells borrow their text; within a dictionary there are none.
        Lane::Cells(_) => Lane::Nulls(places.len()),
    }
}

fn scalars<T: arrow_buffer::ArrowNativeType>(
    values: &ScalarBuffer<T>,
    places: &[Option<usize>],
) -> ScalarBuffer<T> {
    places.iter().map(|at| at.and_then(|at| values.get(at)).copied().unwrap_or_default()).collect()
}

fn picked_blobs(blobs: &Blobs, places: impl Iterator<Item = Option<usize>>) -> Blobs {
    Blobs::Small(places.map(|at| at.map(|at| blobs.get(at))).collect::<BinaryArray>())
}
