//! Names of assets, and references to their versions and aliases.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::limits::NAME_BYTES;

/// A name of an asset, role or alias: a lowercase letter or digit, then up to 62 of `a-z 0-9 . _ -`.
///
/// Names are written to the ledger in clear; they must not carry personal data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// The text is not a name or a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct NameInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
    /// What was expected, with its article and form.
    pub expected: &'static str,
}

fn invalid(text: &str, expected: &'static str) -> NameInvalid {
    NameInvalid { text: text.chars().take(80).collect(), expected }
}

impl Name {
    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameInvalid;

    fn from_str(text: &str) -> Result<Self, NameInvalid> {
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let clean = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'));
        if starts_well && clean && text.len() <= NAME_BYTES {
            return Ok(Self(text.to_owned()));
        }
        Err(invalid(
            text,
            "a name: a lowercase letter or digit, then letters, digits, `.`, `_` or `-`, 63 at most",
        ))
    }
}

/// `NAME:VERSION`: a version of a model or data set. Versions count from 1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionRef {
    /// The model or data set.
    pub name: Name,
    /// The version, from 1.
    pub version: NonZeroU32,
}

impl VersionRef {
    /// The reference `name:version`.
    pub const fn new(name: Name, version: NonZeroU32) -> Self {
        Self { name, version }
    }
}

impl FromStr for VersionRef {
    type Err = NameInvalid;

    fn from_str(text: &str) -> Result<Self, NameInvalid> {
        let expected = "a version: `NAME:VERSION`, for example `fraud:3`";
        let (name, version) = text.split_once(':').ok_or_else(|| invalid(text, expected))?;
        if version.starts_with(['0', '+']) {
            return Err(invalid(text, expected));
        }
        let version = version.parse().map_err(|_| invalid(text, expected))?;
        Ok(Self { name: name.parse()?, version })
    }
}

impl fmt::Display for VersionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.version)
    }
}

/// `NAME@ALIAS`: a movable name of one version of a model.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasRef {
    /// The model.
    pub name: Name,
    /// The alias, for example `prod`.
    pub alias: Name,
}

impl FromStr for AliasRef {
    type Err = NameInvalid;

    fn from_str(text: &str) -> Result<Self, NameInvalid> {
        let (name, alias) = text
            .split_once('@')
            .ok_or_else(|| invalid(text, "an alias: `NAME@ALIAS`, for example `fraud@prod`"))?;
        Ok(Self { name: name.parse()?, alias: alias.parse()? })
    }
}

impl fmt::Display for AliasRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.alias)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! text_form {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
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

text_form!(Name);
text_form!(VersionRef);
text_form!(AliasRef);
