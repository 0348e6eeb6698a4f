//! What the record of a prediction says of itself: its envelope, as whoever proves or verifies one reads it.
//!
//! Format: `docs/formats/prediction-record.md`. The gateway writes records, in the same format.

use std::fmt;

use bartizan_base::{Digest, Name, Timestamp, VersionRef, canonical};
use serde::{Deserialize, Serialize};

/// The format of a record's five groups.
pub const FORMAT: &str = "bartizan-prediction-v1";

/// What answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnsweredBy {
    /// The version that the endpoint was routed to.
    Primary,
    /// The version that stands in for it.
    Fallback,
    /// A constant answer.
    Constant,
    /// Nobody: the request was rejected, or nothing could answer it.
    Nobody,
}

impl AnsweredBy {
    /// The word that answers and records use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Fallback => "fallback",
            Self::Constant => "constant",
            Self::Nobody => "nobody",
        }
    }
}

impl fmt::Display for AnsweredBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first group of a record: which prediction, where and when, and what answered.
// Members in the order of their names, so that what serde writes is canonical as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordEnvelope {
    /// What answered.
    pub answered_by: AnsweredBy,
    /// The endpoint.
    pub endpoint: Name,
    /// The epoch of the gateway's log.
    pub epoch: u64,
    /// Why it was not the primary.
    pub fallback_reason: Option<String>,
    /// [`FORMAT`].
    pub format: String,
    /// The gateway, 32 hexadecimal digits.
    pub gateway: String,
    /// How old the gateway's knowledge of the ledger was, in milliseconds.
    pub head_age_ms: u64,
    /// The prediction, `prd_` and 32 hexadecimal digits.
    pub id: String,
    /// The manifest digest of the version that answered.
    pub manifest: Option<Digest>,
    /// The version that answered.
    pub model: Option<VersionRef>,
    /// The arm that the request was routed to.
    pub route: String,
    /// The sequence number in the gateway's log.
    pub sequence: u64,
    /// When the request was taken, by the gateway's clock.
    pub time: Timestamp,
    /// How many entries of the ledger the gateway knew and obeyed.
    pub tree_size: u64,
    /// The share of traffic of the arm, in millionths.
    pub weight_ppm: u32,
}

/// The bytes are not the envelope of a prediction's record.
#[derive(Debug, thiserror::Error)]
pub enum RecordEnvelopeInvalid {
    /// Not canonical JSON of the expected shape.
    #[error("not the envelope of a prediction's record")]
    Encoding(#[from] canonical::DecodeError),
    /// A format of another version.
    #[error("format `{format}` is not `{FORMAT}`")]
    Format {
        /// What it says.
        format: String,
    },
    /// Who answered and with which version do not fit each other.
    #[error("it names a version that did not answer, or none where one did")]
    Answer,
}

impl RecordEnvelope {
    /// Reads the bytes of the group.
    ///
    /// # Errors
    /// When they are something else.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordEnvelopeInvalid> {
        let envelope: Self = canonical::from_bytes(bytes)?;
        if envelope.format != FORMAT {
            let format = envelope.format.chars().take(80).collect();
            return Err(RecordEnvelopeInvalid::Format { format });
        }
        let by_version = matches!(envelope.answered_by, AnsweredBy::Primary | AnsweredBy::Fallback);
        if (envelope.model.is_some(), envelope.manifest.is_some()) != (by_version, by_version) {
            return Err(RecordEnvelopeInvalid::Answer);
        }
        Ok(envelope)
    }
}

/// What the last group of a record says of how the request was compared with the data that the model was trained on.
/// Records that were made before this was noted say nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecordComparison {
    /// How many of the inputs.
    pub compared: Compared,
    /// The inputs that were not, where some were.
    pub not_compared: Vec<String>,
    /// How many more of those there were.
    pub not_compared_left_off: usize,
}

/// How many inputs of a request were compared with the data that the model was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compared {
    /// Every one.
    All,
    /// Every one but those that are named.
    Some,
    /// Not one.
    None,
}

impl RecordComparison {
    /// Reads it from the bytes of the group `decisions`; none where they do not say, or contradict themselves.
    pub fn parse(decisions: &[u8]) -> Option<Self> {
        let found: Self = serde_json::from_slice(decisions).ok()?;
        let named = !found.not_compared.is_empty();
        let consistent = match found.compared {
            Compared::Some => named,
            Compared::All | Compared::None => !named && found.not_compared_left_off == 0,
        };
        consistent.then_some(found)
    }
}
