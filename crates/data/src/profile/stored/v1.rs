//! Version 1: counts, kinds, extremes and few values of CSV. It is read, and not written any more.

use bartizan_base::canonical;
use serde::{Deserialize, Serialize};

use super::super::column::ColumnProfile;
use super::super::distinct::Distinct;
use super::super::values::Values;
use super::{
    Profile, ProfileInvalid, loaded_extremes, loaded_kinds, loaded_name, loaded_pair, loaded_table,
    loaded_texts,
};
use crate::cell;
use crate::csv::NullTokens;

const FORMAT: &str = "bartizan-profile-v1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredProfile {
    format: String,
    null: Vec<String>,
    rows: u64,
    columns: Vec<StoredColumn>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredColumn {
    name: String,
    nulls: u64,
    kinds: [u64; 6],
    integers: Option<[String; 2]>,
    lowest: String,
    highest: String,
    lengths: Option<[u64; 2]>,
    values: Option<Vec<(String, u64)>>,
}

pub(super) fn from_bytes(bytes: &[u8]) -> Result<Profile, ProfileInvalid> {
    let stored: StoredProfile = canonical::from_bytes(bytes).map_err(ProfileInvalid::Document)?;
    if stored.format != FORMAT {
        return Err(ProfileInvalid::Format { format: stored.format.chars().take(80).collect() });
    }
    let names = stored.columns.iter().map(|column| column.name.as_str());
    let null = loaded_table(&stored.null, stored.rows, names)?;
    let width = stored.columns.len();
    let columns = (1..)
        .zip(&stored.columns)
        .map(|(column, one)| {
            loaded_column(one, stored.rows, width, &null)
                .map_err(|what| ProfileInvalid::Column { column, what })
        })
        .collect::<Result<_, _>>()?;
    Ok(Profile { null, rows: stored.rows, columns })
}

fn loaded_column(
    stored: &StoredColumn,
    rows: u64,
    width: usize,
    null: &NullTokens,
) -> Result<ColumnProfile, &'static str> {
    let [integer, float, boolean, date, timestamp, string] = stored.kinds;
    let (kinds, filled) = loaded_kinds([integer, float, boolean, date, timestamp, string, 0, 0])?;
    if filled.checked_add(stored.nulls) != Some(rows) {
        return Err("kinds and nulls do not add up to the rows");
    }
    let integers = loaded_texts::<i64>(stored.integers.as_ref(), "range of the integers")?;
    if integers.is_some() != (kinds.integer > 0) {
        return Err("integers without a range");
    }
    let lengths = loaded_pair(stored.lengths, "lengths")?;
    if lengths.is_some() != (filled > 0) {
        return Err("lengths");
    }
    let mut column = ColumnProfile::new(loaded_name(&stored.name)?, width, None);
    column.nulls = stored.nulls;
    column.kinds = kinds;
    column.numbers.integers = integers;
    column.numbers.extremes =
        loaded_extremes(&stored.lowest, &stored.highest, kinds.integer.saturating_add(kinds.float))?;
    // That version did not tell the lengths of text from those of numbers.
    column.written = lengths;
    column.values = loaded_values(stored, filled, width, null)?;
    column.thin = true;
    Ok(column)
}

fn loaded_values(
    stored: &StoredColumn,
    filled: u64,
    width: usize,
    null: &NullTokens,
) -> Result<Distinct, &'static str> {
    let Some(values) = &stored.values else { return Ok(Distinct::Unknown) };
    if !values.iter().map(|(value, _)| value).is_sorted_by(|one, two| one < two) {
        return Err("order of the values");
    }
    let sum = values.iter().try_fold(0_u64, |sum, (_, count)| sum.checked_add(*count));
    if sum != Some(filled) || values.iter().any(|(_, count)| *count == 0) {
        return Err("counts of the values");
    }
    let mut loaded = Values::new(width);
    for (value, count) in values {
        let text = value.as_bytes();
        if !loaded.add(text, cell::classify(text, null), *count) {
            return Err("more values than are counted");
        }
    }
    Ok(Distinct::Exact(loaded))
}
