//! Pseudonyms of subjects and requests, and the ids of subjects' keys.

use std::fmt;
use std::str::FromStr;

/// A subject's pseudonym in one project: a keyed hash, which says nothing to those without the project's key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectTag([u8; 32]);

/// The text is not a subject tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a subject tag of 64 lowercase hexadecimal digits")]
pub struct SubjectTagInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

impl SubjectTag {
    /// Takes bytes that were stored as a tag.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The shard of its key: its first byte.
    pub(super) const fn shard(self) -> u8 {
        let [first, ..] = self.0;
        first
    }
}

impl FromStr for SubjectTag {
    type Err = SubjectTagInvalid;

    fn from_str(text: &str) -> Result<Self, SubjectTagInvalid> {
        let invalid = || SubjectTagInvalid { text: text.chars().take(80).collect() };
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| invalid())?;
        if text.bytes().any(|b| b.is_ascii_uppercase()) { Err(invalid()) } else { Ok(Self(bytes)) }
    }
}

impl fmt::Display for SubjectTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for SubjectTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which of the keys that a subject had over time: drawn anew when one is made after an erasure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectKeyId([u8; Self::BYTES]);

impl SubjectKeyId {
    /// Bytes of an id.
    pub const BYTES: usize = 8;

    /// Takes bytes that were drawn or stored as an id.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for SubjectKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for SubjectKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a caller's request id is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestTag([u8; Self::BYTES]);

impl RequestTag {
    /// Bytes of a tag.
    pub const BYTES: usize = 16;

    /// Takes bytes that were stored as a tag.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    pub(super) fn from_hash(hash: &[u8; 32]) -> Self {
        let mut bytes = [0; Self::BYTES];
        bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }
}
