//! Canonical JSON: one byte string per value, so that equal statements have equal digests.
//!
//! A subset of RFC 8785 (JSON Canonicalization Scheme): object members sorted, no white space, shortest
//! escapes. Numbers are integers between -(2^53 - 1) and 2^53 - 1 and member names are ASCII, so the two hard
//! parts of the scheme (floating-point text and UTF-16 order) cannot arise.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::limits::{CANONICAL_BYTES, CANONICAL_DEPTH};

/// The value has no canonical form.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The value cannot be written as JSON at all.
    #[error("the value has no JSON form")]
    NotJson(#[source] serde_json::Error),
    /// A number is not an integer that every JSON reader keeps exactly.
    #[error("`{number}` is not an integer between -(2^53 - 1) and 2^53 - 1")]
    Number {
        /// The number as JSON text.
        number: String,
    },
    /// A member name holds a character outside ASCII.
    #[error("member name `{name}` is not ASCII")]
    MemberName {
        /// The name.
        name: String,
    },
    /// The value nests too deeply.
    #[error("nested more than {CANONICAL_DEPTH} levels deep")]
    Depth,
    /// More bytes than a reader accepts.
    #[error("{bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        /// How many there would be.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
}

/// The bytes are not a canonical value of the expected type.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than a canonical document may have.
    #[error("{bytes} bytes, more than the {CANONICAL_BYTES} allowed")]
    TooLarge {
        /// How many there were.
        bytes: usize,
    },
    /// Not JSON, or not of the expected shape.
    #[error("not a JSON document of the expected shape")]
    Shape(#[source] serde_json::Error),
    /// JSON, but not in canonical form: other order, white space, escapes, a repeated member, or another
    /// spelling of the value than the one that would be written.
    #[error("not in canonical form")]
    NotCanonical,
    /// JSON that has no canonical form.
    #[error("has no canonical form")]
    NoCanonicalForm(#[source] EncodeError),
}

/// The canonical bytes of `value`.
///
/// # Errors
/// When the value holds a fraction, a huge integer, a member name outside ASCII, nests too deeply, or takes more
/// than [`CANONICAL_BYTES`], so that [`from_bytes`] would refuse what was written.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, EncodeError> {
    to_bytes_within(value, CANONICAL_BYTES)
}

/// As [`to_bytes`], for formats that have a reader and a limit of their own.
///
/// # Errors
/// As [`to_bytes`], but for more than `limit` bytes.
pub fn to_bytes_within<T: Serialize>(value: &T, limit: usize) -> Result<Vec<u8>, EncodeError> {
    let mut value = serde_json::to_value(value).map_err(EncodeError::NotJson)?;
    check(&value, 0)?;
    // Another crate of the build may turn on `serde_json/preserve_order`; then maps keep insertion order.
    value.sort_all_objects();
    let bytes = serde_json::to_vec(&value).map_err(EncodeError::NotJson)?;
    if bytes.len() > limit {
        return Err(EncodeError::TooLarge { bytes: bytes.len(), limit });
    }
    Ok(bytes)
}

/// Reads a value whose bytes must be exactly those that [`to_bytes`] writes for it.
///
/// # Errors
/// When the bytes are too many, are not JSON of the expected shape, or differ from the canonical form.
pub fn from_bytes<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() > CANONICAL_BYTES {
        return Err(DecodeError::TooLarge { bytes: bytes.len() });
    }
    // Twice: as JSON, which refuses repeated members and other JSON spellings before the type is asked, and as
    // `T`, because serde reads more than it writes: a struct also from an array, a time in any zone, members
    // that may be left out.
    let value: Value = serde_json::from_slice(bytes).map_err(DecodeError::Shape)?;
    same(bytes, &value)?;
    let value: T = serde_json::from_value(value).map_err(DecodeError::Shape)?;
    same(bytes, &value)?;
    Ok(value)
}

fn same<T: Serialize>(bytes: &[u8], value: &T) -> Result<(), DecodeError> {
    let again = to_bytes(value).map_err(DecodeError::NoCanonicalForm)?;
    if again == bytes { Ok(()) } else { Err(DecodeError::NotCanonical) }
}

// INVARIANT: member names are ASCII, so sorting them by bytes is the order of RFC 8785.
fn check(value: &Value, depth: usize) -> Result<(), EncodeError> {
    match value {
        Value::Array(_) | Value::Object(_) if depth == CANONICAL_DEPTH => Err(EncodeError::Depth),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) => {
            let exact = number.as_i64().is_some_and(|n| n.unsigned_abs() < 1 << 53);
            if exact { Ok(()) } else { Err(EncodeError::Number { number: number.to_string() }) }
        }
        Value::Array(items) => items.iter().try_for_each(|item| check(item, depth + 1)),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            if !name.is_ascii() {
                return Err(EncodeError::MemberName { name: name.chars().take(80).collect() });
            }
            check(member, depth + 1)
        }),
    }
}
