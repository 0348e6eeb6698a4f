//! SHA-256 digests: the only content identity in Bartizan.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::hex::Hex;

/// A SHA-256 digest (FIPS 180-4), 32 bytes.
///
/// Displayed as `sha256:` and 64 lowercase hexadecimal digits; stored formats carry the digits alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The text is not a SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a SHA-256 digest of 64 lowercase hexadecimal digits")]
pub struct DigestInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

impl Digest {
    /// Wraps 32 bytes that already are a digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lowercase hexadecimal digits, without the `sha256:` prefix.
    pub fn to_hex(&self) -> String {
        Hex(&self.0).to_string()
    }

    /// The first 12 hexadecimal digits, for people; never for comparison.
    pub fn short(&self) -> String {
        self.to_hex().chars().take(12).collect()
    }
}

impl FromStr for Digest {
    type Err = DigestInvalid;

    /// Accepts exactly 64 lowercase hexadecimal digits, with or without the `sha256:` prefix.
    fn from_str(text: &str) -> Result<Self, DigestInvalid> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let invalid = || DigestInvalid { text: text.chars().take(80).collect() };
        if digits.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(invalid());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| invalid())?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", Hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// An incremental SHA-256 computation.
#[derive(Clone)]
pub struct Hasher(digest::Context);

impl Hasher {
    /// Starts over the empty message.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Appends `bytes` to the message.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Ends the message and returns its digest.
    pub fn finish(self) -> Digest {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.finish().as_ref());
        Digest(bytes)
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher(SHA-256)")
    }
}

/// The SHA-256 digest of `bytes`.
pub fn sha256(bytes: &[u8]) -> Digest {
    // In one call, which allocates nothing: a hasher costs more than hashing a short message.
    let mut digest = [0; 32];
    digest.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    Digest(digest)
}
