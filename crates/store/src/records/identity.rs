//! What names a gateway, a record, and a record's place.

use std::fmt;
use std::str::FromStr;

use bartizan_base::{Hex, Timestamp};
use bartizan_keys::subjects::{RequestTag, SubjectTag};

/// A gateway: 16 random bytes, drawn once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayId([u8; 16]);

impl GatewayId {
    /// Takes bytes that were drawn or stored as an id.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for GatewayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Hex(&self.0), f)
    }
}

/// A record: 16 random bytes that nobody can guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 16]);

/// The text is not a record's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a record id of 32 lowercase hexadecimal digits")]
pub struct RecordIdInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

impl RecordId {
    /// Takes bytes that were drawn or stored as an id.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Hex(&self.0), f)
    }
}

impl FromStr for RecordId {
    type Err = RecordIdInvalid;

    fn from_str(text: &str) -> Result<Self, RecordIdInvalid> {
        let invalid = || RecordIdInvalid { text: text.chars().take(80).collect() };
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| invalid())?;
        if text.bytes().any(|b| b.is_ascii_uppercase()) { Err(invalid()) } else { Ok(Self(bytes)) }
    }
}

/// A record to be kept. Formatted, it shows no group.
#[derive(Clone, Copy)]
pub struct NewRecord<'a> {
    /// Its id, which the envelope says too.
    pub id: RecordId,
    /// Its time, which the envelope says too.
    pub time: Timestamp,
    /// Whom it is about; without one its personal groups are encrypted under its segment's key.
    pub subject: Option<SubjectTag>,
    /// What it is found by when the caller asks with an id of its own.
    pub request: Option<RequestTag>,
    /// The groups, in the order of [`Group::ALL`](bartizan_ledger::segment::Group::ALL).
    pub groups: [&'a [u8]; 5],
}

impl fmt::Debug for NewRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewRecord({}, groups of {:?} bytes)", self.id, self.groups.map(<[u8]>::len))
    }
}

/// Where a sealed record is: its segment, and its index there. Ordered as records were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The segment's number.
    pub segment: u64,
    /// The record's index in it.
    pub index: u32,
}
