//! The head: the authoritative checkpoint of a ledger and the epoch of its writer, one compare-and-swap value.

use bartizan_base::BlobName;

use crate::checkpoint::{CheckpointInvalid, SignedCheckpoint, TrustedLog, parse_decimal};
use crate::tile::blob_name;

const HEADER: &str = "bartizan-ledger-head-v1";

/// The key of the head in the [`bartizan_base::Cas`] of a ledger.
pub(crate) fn head_key() -> BlobName {
    blob_name("ledger-head")
}

/// The name of the published copy of the checkpoint (tlog-tiles).
pub(crate) fn checkpoint_name() -> BlobName {
    blob_name("checkpoint")
}

/// The value of the head.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// Counts writers: each one that opens the ledger raises it, which makes the swaps of earlier ones fail.
    pub(crate) epoch: u64,
    pub(crate) checkpoint: SignedCheckpoint,
}

/// The value under the head's key is not a head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadInvalid {
    /// The first two lines are not as they must be.
    #[error("the head does not begin with `{HEADER}` and an epoch")]
    Form,
    /// The rest is not a checkpoint of this ledger.
    #[error("the checkpoint in the head is not one of this ledger")]
    Checkpoint(#[from] CheckpointInvalid),
}

impl Head {
    pub(crate) fn encode(&self) -> Vec<u8> {
        format!("{HEADER}\nepoch {}\n{}", self.epoch, self.checkpoint.note()).into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8], log: &TrustedLog) -> Result<Self, HeadInvalid> {
        let text = str::from_utf8(bytes).map_err(|_| HeadInvalid::Form)?;
        let rest = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix("\nepoch "));
        let (epoch, note) = rest.and_then(|rest| rest.split_once('\n')).ok_or(HeadInvalid::Form)?;
        let epoch = parse_decimal(epoch).ok_or(HeadInvalid::Form)?;
        Ok(Self { epoch, checkpoint: SignedCheckpoint::open(note.as_bytes(), log)? })
    }
}
