//! Typed random identifiers: a prefix that names the kind, then 128 random bits in hexadecimal.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::hex::Hex;

/// The text is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind} id: expected `{prefix}_` and 32 lowercase hexadecimal digits")]
pub struct IdInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
    /// What was expected, for example `project`.
    pub kind: &'static str,
    /// The prefix of that kind, for example `prj`.
    pub prefix: &'static str,
}

fn parse(text: &str, kind: &'static str, prefix: &'static str) -> Result<[u8; 16], IdInvalid> {
    let invalid = || IdInvalid { text: text.chars().take(80).collect(), kind, prefix };
    let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or_else(invalid)?;
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(invalid());
    }
    let mut bytes = [0; 16];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| invalid())?;
    Ok(bytes)
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Makes an id of 128 bits that the caller drew from a cryptographic generator.
            pub const fn from_random(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 raw bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, Hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdInvalid;

            fn from_str(text: &str) -> Result<Self, IdInvalid> {
                parse(text, $kind, $prefix).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

typed_id!(
    /// A project (tenant): its own keys, roles and retention.
    ProjectId, "project", "prj"
);
typed_id!(
    /// A principal: a person, service or workload. Pseudonymous; names live in encrypted blobs.
    PrincipalId, "principal", "usr"
);
typed_id!(
    /// One training run.
    RunId, "run", "run"
);
typed_id!(
    /// A source of data, which signs its deliveries. Pseudonymous; its name lives in an encrypted blob.
    SourceId, "source", "src"
);
typed_id!(
    /// One erasure of what is recorded of a person.
    ErasureId, "erasure", "ers"
);
typed_id!(
    /// One stored artifact; bound into the encryption of its bytes.
    ArtifactId, "artifact", "art"
);
typed_id!(
    /// One request to the control plane.
    RequestId, "request", "req"
);
