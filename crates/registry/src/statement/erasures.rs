//! Predicates about the erasure of what is recorded of a person.

use bartizan_base::{Digest, ErasureId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Act, Body, Private, Subject, digest_of_name};

/// One step of an erasure: it was ordered, which records it takes, that it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ErasureV1 {
    /// The erasure.
    pub erasure: ErasureId,
    /// The step.
    pub step: ErasureStep,
    /// When.
    pub at: Timestamp,
}

/// A step of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub enum ErasureStep {
    /// Somebody ordered it. From here on it is to be finished.
    Ordered {
        /// Whom it is about, by pseudonym, and why: see `docs/formats/subject-keys.md`.
        document: Private,
        /// Who.
        act: Act,
    },
    /// The records that it takes, of one gateway. Further steps may name more.
    Records {
        /// The gateway, 32 hexadecimal digits.
        gateway: String,
        /// Their segments, ascending.
        segments: Vec<ErasedSegment>,
    },
    /// The key is destroyed, and every record that it encrypted was named.
    Finished {},
}

/// Records of one segment that an erasure takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasedSegment {
    /// The number of the segment.
    pub number: u64,
    /// Its root.
    pub root: Digest,
    /// Their positions as ranges, first and last, ascending. Empty where the segment could not be read: then those
    /// that are about the person.
    pub records: Vec<(u32, u32)>,
}

impl Body for ErasureV1 {
    fn subject(&self) -> Subject {
        let name = format!("erasure/{}", self.erasure);
        let digest = match &self.step {
            ErasureStep::Ordered { document, .. } => document.commitment,
            ErasureStep::Records { segments, .. } => match segments.as_slice() {
                // A segment alone is the subject itself.
                [segment] => segment.root,
                several => roots(several),
            },
            ErasureStep::Finished {} => digest_of_name(&name),
        };
        Subject::new(name, digest)
    }
}

/// SHA-256 over the roots of several segments.
fn roots(segments: &[ErasedSegment]) -> Digest {
    let roots: Vec<u8> = segments.iter().flat_map(|segment| *segment.root.as_bytes()).collect();
    bartizan_base::sha256(&roots)
}
