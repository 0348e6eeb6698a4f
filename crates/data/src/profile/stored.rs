//! The stored form `bartizan-profile-v1`, documented in `docs/formats/data-profile.md`.

use bartizan_base::canonical;
use serde::{Deserialize, Serialize};

use super::Profile;
use super::column::{ColumnProfile, Kinds};
use super::extremes::{Extremes, KEPT};
use super::values::Values;
use crate::csv::{NullTokens, NullTokensInvalid};
use crate::limits::{COLUMN_NAME_BYTES, COLUMNS, ROWS};

const FORMAT: &str = "bartizan-profile-v1";

/// Bytes are not a profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileInvalid {
    /// Not a canonical document of the expected shape.
    #[error("not a canonical profile")]
    Document(#[source] canonical::DecodeError),
    /// Another format, or another version of it.
    #[error("the format is `{format}`, not `{FORMAT}`")]
    Format {
        /// What the document calls itself, cut to 80 characters.
        format: String,
    },
    /// The spellings of null are not a set that this program would make.
    #[error("unusable spellings of null")]
    Null(#[source] NullTokensInvalid),
    /// The table as a whole contradicts itself or a limit.
    #[error("the profile contradicts itself: {what}")]
    Table {
        /// What is wrong.
        what: &'static str,
    },
    /// A column contradicts itself or the table.
    #[error("column {column} of the profile contradicts itself: {what}")]
    Column {
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        what: &'static str,
    },
}

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
    /// Decimal, because a canonical number stops at 2^53.
    integers: Option<[String; 2]>,
    /// 16 hexadecimal digits of IEEE 754 bits for each number.
    lowest: String,
    highest: String,
    lengths: Option<[u64; 2]>,
    values: Option<Vec<(String, u64)>>,
}

impl Profile {
    /// The stored form: canonical JSON, `docs/formats/data-profile.md`.
    ///
    /// # Errors
    /// When a count exceeds what a canonical document holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        canonical::to_bytes(&StoredProfile {
            format: FORMAT.to_owned(),
            null: self.null.tokens().to_vec(),
            rows: self.rows,
            columns: self.columns.iter().map(stored_column).collect(),
        })
    }

    /// Reads the stored form and checks that it is one that [`to_bytes`](Self::to_bytes) could have written.
    ///
    /// # Errors
    /// When it is not.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProfileInvalid> {
        let stored: StoredProfile = canonical::from_bytes(bytes).map_err(ProfileInvalid::Document)?;
        if stored.format != FORMAT {
            return Err(ProfileInvalid::Format { format: stored.format.chars().take(80).collect() });
        }
        let null = NullTokens::new(&stored.null).map_err(ProfileInvalid::Null)?;
        if null.tokens() != stored.null {
            return Err(ProfileInvalid::Table { what: "spellings of null out of order" });
        }
        let width = stored.columns.len();
        if width == 0 || width > COLUMNS {
            return Err(ProfileInvalid::Table { what: "number of columns" });
        }
        if stored.rows > ROWS {
            return Err(ProfileInvalid::Table { what: "number of rows" });
        }
        let mut names: Vec<&str> = stored.columns.iter().map(|column| column.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| matches!(pair, [one, two] if one == two)) {
            return Err(ProfileInvalid::Table { what: "two columns of one name" });
        }
        let columns = (1..)
            .zip(&stored.columns)
            .map(|(column, one)| {
                loaded_column(one, stored.rows, width).map_err(|what| ProfileInvalid::Column { column, what })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { null, rows: stored.rows, columns })
    }
}

fn stored_column(column: &ColumnProfile) -> StoredColumn {
    let text = |(value, count): (&[u8], u64)| (String::from_utf8_lossy(value).into_owned(), count);
    StoredColumn {
        name: column.name.clone(),
        nulls: column.nulls,
        kinds: column.kinds.counts(),
        integers: column.integers.map(|(least, greatest)| [least.to_string(), greatest.to_string()]),
        lowest: to_hex(&column.extremes.lowest()),
        highest: to_hex(&column.extremes.highest()),
        lengths: column.lengths.map(|(shortest, longest)| [shortest, longest]),
        values: column.values.sorted().map(|values| values.into_iter().map(text).collect()),
    }
}

fn loaded_column(stored: &StoredColumn, rows: u64, width: usize) -> Result<ColumnProfile, &'static str> {
    let name_fits = !stored.name.trim().is_empty()
        && stored.name.len() <= COLUMN_NAME_BYTES
        && !stored.name.chars().any(char::is_control);
    if !name_fits {
        return Err("its name");
    }
    let filled = stored.kinds.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
    let Some(filled) = filled.filter(|filled| filled.checked_add(stored.nulls) == Some(rows)) else {
        return Err("kinds and nulls do not add up to the rows");
    };
    let kinds = Kinds::from_counts(stored.kinds);
    let integers = loaded_integers(stored)?;
    if integers.is_some() != (kinds.integer > 0) {
        return Err("integers without a range");
    }
    let lengths = stored.lengths.map(|[shortest, longest]| (shortest, longest));
    if lengths.is_some() != (filled > 0) || lengths.is_some_and(|(shortest, longest)| shortest > longest) {
        return Err("lengths");
    }
    Ok(ColumnProfile {
        name: stored.name.clone(),
        nulls: stored.nulls,
        kinds,
        integers,
        extremes: loaded_extremes(stored, &kinds)?,
        lengths,
        values: loaded_values(stored, filled, width)?,
    })
}

fn loaded_integers(stored: &StoredColumn) -> Result<Option<(i64, i64)>, &'static str> {
    let Some([least, greatest]) = &stored.integers else { return Ok(None) };
    let parse = |text: &String| text.parse::<i64>().ok().filter(|number| number.to_string() == *text);
    match (parse(least), parse(greatest)) {
        (Some(least), Some(greatest)) if least <= greatest => Ok(Some((least, greatest))),
        _ => Err("range of the integers"),
    }
}

fn loaded_extremes(stored: &StoredColumn, kinds: &Kinds) -> Result<Extremes, &'static str> {
    let (lowest, highest) = (from_hex(&stored.lowest)?, from_hex(&stored.highest)?);
    let numbers = kinds.integer.saturating_add(kinds.float);
    let expected = usize::try_from(numbers).unwrap_or(KEPT).min(KEPT);
    if lowest.len() != expected || highest.len() != expected {
        return Err("how many extremes");
    }
    let in_order = lowest.is_sorted() && highest.iter().rev().is_sorted() && lowest.last() <= highest.first();
    if !in_order {
        return Err("order of the extremes");
    }
    Ok(Extremes::from_tails(&lowest, &highest))
}

fn loaded_values(stored: &StoredColumn, filled: u64, width: usize) -> Result<Values, &'static str> {
    let Some(values) = &stored.values else { return Ok(Values::overflowed(width)) };
    if !values.iter().map(|(value, _)| value).is_sorted_by(|one, two| one < two) {
        return Err("order of the values");
    }
    let sum = values.iter().try_fold(0_u64, |sum, (_, count)| sum.checked_add(*count));
    if sum != Some(filled) || values.iter().any(|(_, count)| *count == 0) {
        return Err("counts of the values");
    }
    let mut loaded = Values::new(width);
    values.iter().for_each(|(value, count)| loaded.add(value.as_bytes(), *count));
    if loaded.len() != Some(values.len()) {
        return Err("more values than are counted");
    }
    Ok(loaded)
}

fn to_hex(numbers: &[f64]) -> String {
    numbers.iter().map(|number| hex::encode(number.to_bits().to_be_bytes())).collect()
}

fn from_hex(text: &str) -> Result<Vec<f64>, &'static str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("digits of an extreme");
    }
    let bytes = hex::decode(text).map_err(|_| "digits of an extreme")?;
    let (numbers, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() || numbers.len() > KEPT {
        return Err("digits of an extreme");
    }
    let numbers: Vec<f64> = numbers.iter().map(|bits| f64::from_bits(u64::from_be_bytes(*bits))).collect();
    let usable = |number: &f64| number.is_finite() && number.to_bits() != (-0.0_f64).to_bits();
    if numbers.iter().all(usable) { Ok(numbers) } else { Err("an extreme that is no number") }
}
