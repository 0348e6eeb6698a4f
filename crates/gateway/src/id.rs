//! Prediction ids: what an answer, a record and a proof have in common.

use std::fmt;
use std::str::FromStr;

use bartizan_base::IdInvalid;
use bartizan_store::records::RecordId;
use rand_core::CryptoRng;

const PREFIX: &str = "prd";

/// A prediction: `prd_` and 32 hexadecimal digits. Nobody can guess one; the record has the same 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PredictionId(RecordId);

impl PredictionId {
    /// A new one.
    pub fn draw(random: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; 16];
        random.fill_bytes(&mut bytes);
        Self(RecordId::from_bytes(bytes))
    }

    /// The id of its record.
    pub const fn record(&self) -> RecordId {
        self.0
    }
}

impl From<RecordId> for PredictionId {
    fn from(record: RecordId) -> Self {
        Self(record)
    }
}

impl fmt::Display for PredictionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}_{}", self.0)
    }
}

impl FromStr for PredictionId {
    type Err = IdInvalid;

    fn from_str(text: &str) -> Result<Self, IdInvalid> {
        let invalid =
            || IdInvalid { text: text.chars().take(80).collect(), kind: "prediction", prefix: PREFIX };
        let digits = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or_else(invalid)?;
        digits.parse().map(Self).map_err(|_| invalid())
    }
}
