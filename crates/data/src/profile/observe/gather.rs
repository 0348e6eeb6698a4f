//! Keys into dictionaries to the values that they stand for.

use arrow_buffer::NullBuffer;

use super::each;
use crate::read::batch::{Blobs, Instants, Lane};

/// The values that keys stand for, without those that are null by their key.
pub(super) fn gathered<'v>(keys: &[i32], nulls: Option<&NullBuffer>, values: &Lane<'v>) -> Lane<'v> {
    let mut places = Vec::with_capacity(keys.len());
    each(keys, nulls, |key| places.push(usize::try_from(key).unwrap_or(usize::MAX)));
    let nulls = values.nulls().filter(|nulls| nulls.null_count() > 0);
    let taken = nulls.map(|nulls| {
        places.iter().map(|at| *at < nulls.len() && nulls.is_valid(*at)).collect::<NullBuffer>()
    });
    fn take<T: Copy + Default>(values: &[T], places: &[usize]) -> Vec<T> {
        places.iter().map(|at| values.get(*at).copied().unwrap_or_default()).collect()
    }
    match values {
        Lane::Integers(values, _) => Lane::Integers(take(values, &places).into(), taken),
        Lane::Floats(values, _) => Lane::Floats(take(values, &places).into(), taken),
        Lane::Booleans(values, _) => {
            Lane::Booleans(places.iter().map(|at| *at < values.len() && values.value(*at)).collect(), taken)
        }
        Lane::Days(values, _) => Lane::Days(take(values, &places).into(), taken),
        Lane::Instants(Instants { values, per_second, zoned, .. }) => Lane::Instants(Instants {
            values: take(values, &places).into(),
            per_second: *per_second,
            zoned: *zoned,
            nulls: taken,
        }),
        Lane::Decimals(values, scale, _) => Lane::Decimals(take(values, &places).into(), *scale, taken),
        Lane::Bytes(blobs) => {
            let bytes = |at: &usize| {
                let there = *at < blobs.len() && blobs.nulls().is_none_or(|nulls| nulls.is_valid(*at));
                there.then(|| blobs.get(*at))
            };
            Lane::Bytes(Blobs::Large(places.iter().map(bytes).collect()))
        }
        // Keys into keys, lists or cells are made by no reader.
        _ => Lane::Nulls(places.len()),
    }
}
