//! The stored forms of a profile, documented in `docs/formats/data-profile.md`: version 2 is written, both are read.

mod v1;
mod v2;

use bartizan_base::canonical;

use super::Profile;
use super::extremes::{Extremes, KEPT};
use super::kinds::Kinds;
use crate::csv::{NullTokens, NullTokensInvalid};
use crate::limits::{COLUMN_NAME_BYTES, COLUMNS, ROWS};
use crate::sketch::SketchInvalid;

/// Bytes are not a profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileInvalid {
    /// Not a canonical document of the expected shape.
    #[error("not a canonical profile")]
    Document(#[source] canonical::DecodeError),
    /// Another format, or another version of it.
    #[error("the format is `{format}`, which is no profile that is known here")]
    Format {
        /// What the document calls itself, cut to 80 characters.
        format: String,
    },
    /// Fewer or more bytes than the document says.
    #[error("the profile was cut off, or something follows it")]
    Length,
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
    /// A sketch of a column is not one.
    #[error("a sketch of column {column} of the profile cannot be read")]
    Sketch {
        /// The column, from 1.
        column: usize,
        /// Why.
        #[source]
        source: SketchInvalid,
    },
}

impl Profile {
    /// What the stored form of the present version begins with.
    pub const MAGIC: &[u8] = v2::MAGIC;

    /// The stored form `bartizan-profile-v2`, `docs/formats/data-profile.md`.
    ///
    /// # Errors
    /// When a count exceeds what a canonical document holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        v2::to_bytes(self)
    }

    /// Reads a stored form, of version 1 too, and checks that it is one that [`to_bytes`](Self::to_bytes) could have
    /// written.
    ///
    /// # Errors
    /// When it is not.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProfileInvalid> {
        match bytes.strip_prefix(v2::MAGIC) {
            Some(rest) => v2::from_bytes(rest),
            None => v1::from_bytes(bytes),
        }
    }
}

/// Checks what both versions say of the table.
fn loaded_table<'a>(
    null: &[String],
    rows: u64,
    names: impl Iterator<Item = &'a str>,
) -> Result<NullTokens, ProfileInvalid> {
    let tokens = NullTokens::new(null).map_err(ProfileInvalid::Null)?;
    if tokens.tokens() != null {
        return Err(ProfileInvalid::Table { what: "spellings of null out of order" });
    }
    let mut names: Vec<&str> = names.collect();
    if names.is_empty() || names.len() > COLUMNS {
        return Err(ProfileInvalid::Table { what: "number of columns" });
    }
    if rows > ROWS {
        return Err(ProfileInvalid::Table { what: "number of rows" });
    }
    names.sort_unstable();
    if names.windows(2).any(|pair| matches!(pair, [one, two] if one == two)) {
        return Err(ProfileInvalid::Table { what: "two columns of one name" });
    }
    Ok(tokens)
}

fn loaded_name(name: &str) -> Result<String, &'static str> {
    let fits =
        !name.trim().is_empty() && name.len() <= COLUMN_NAME_BYTES && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err("its name") }
}

/// Counts of kinds, and their sum.
fn loaded_kinds(counts: [u64; 8]) -> Result<(Kinds, u64), &'static str> {
    let sum = counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
    let filled = sum.filter(|sum| *sum <= ROWS).ok_or("more values than are counted")?;
    Ok((Kinds::from_counts(counts), filled))
}

fn loaded_pair<T: PartialOrd>(
    pair: Option<[T; 2]>,
    what: &'static str,
) -> Result<Option<(T, T)>, &'static str> {
    match pair {
        Some([one, two]) if one > two => Err(what),
        Some([one, two]) => Ok(Some((one, two))),
        None => Ok(None),
    }
}

/// Two numbers as decimal text, because a canonical number stops at 2^53.
fn loaded_texts<T>(pair: Option<&[String; 2]>, what: &'static str) -> Result<Option<(T, T)>, &'static str>
where
    T: std::str::FromStr + ToString + PartialOrd,
{
    let Some([least, greatest]) = pair else { return Ok(None) };
    let parse = |text: &String| text.parse::<T>().ok().filter(|number| number.to_string() == *text);
    match (parse(least), parse(greatest)) {
        (Some(least), Some(greatest)) if least <= greatest => Ok(Some((least, greatest))),
        _ => Err(what),
    }
}

fn loaded_extremes(lowest: &str, highest: &str, numbers: u64) -> Result<Extremes, &'static str> {
    let (lowest, highest) = (from_hex(lowest)?, from_hex(highest)?);
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

/// 16 hexadecimal digits of IEEE 754 bits for each number.
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
