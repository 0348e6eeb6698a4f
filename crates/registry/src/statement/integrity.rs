//! The predicate by which a gateway stops a version whose stored bytes are not what they were.

use std::fmt;

use bartizan_base::{Digest, Timestamp, VersionRef};
use serde::{Deserialize, Serialize};

use super::{Body, Private, Subject, VersionState};

/// What is wrong with stored content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// It, or its key, was changed.
    Changed,
    /// It is not there, or its key is not.
    Missing,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
        })
    }
}

/// A gateway read what it serves again, and found that it is not what was approved: the version is in quarantine.
///
/// It takes no decision, because nobody asks: the gateway's key may sign this, and this stops a version and does
/// nothing else. Only an approval by a person lifts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IntegrityV1 {
    /// The gateway, 32 hexadecimal digits.
    pub gateway: String,
    /// The version.
    pub version: VersionRef,
    /// Its manifest digest.
    pub manifest: Digest,
    /// The state before.
    pub from: VersionState,
    /// The entry that brought it into that state.
    pub previous: u64,
    /// The file, by the digest that the manifest lists; absent when it is the manifest or the signature itself.
    pub file: Option<Digest>,
    /// What is wrong with it.
    pub damage: Damage,
    /// The same in words, with the path of the file.
    pub reason: Private,
    /// When it was found.
    pub at: Timestamp,
}

impl Body for IntegrityV1 {
    fn subject(&self) -> Subject {
        Subject::new(&self.version, self.manifest)
    }
}
