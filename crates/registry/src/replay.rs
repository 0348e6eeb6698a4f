//! Folding a whole ledger: every entry, read against a verified checkpoint, in order.

use bartizan_keys::PublicKey;
use bartizan_ledger::{ReadFailed, SignedCheckpoint, Snapshot};

use crate::state::{Coverage, EntryInvalid, State};

/// The state of a project after every entry of a verified tree.
///
/// Only [`replay`] makes one, so a `Replayed` is evidence that nothing was left out.
#[derive(Debug, Clone)]
pub struct Replayed {
    state: State,
    checkpoint: SignedCheckpoint,
}

impl Replayed {
    /// The state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The checkpoint that covers it.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Folds what was appended since, after checking that the ledger continues the one that was folded.
    ///
    /// # Errors
    /// When the ledger is smaller or another one, cannot be read, or an entry does not follow.
    pub fn advance(&self, snapshot: &Snapshot) -> Result<Self, ReplayFailed> {
        let size = self.checkpoint.size();
        if snapshot.size() < size || snapshot.root(size)? != self.checkpoint.root() {
            return Err(ReplayFailed::Discontinued { size });
        }
        let mut state = self.state.clone();
        for entry in snapshot.entries(size..snapshot.size()) {
            let entry = entry?;
            state.admit(entry.index, &entry.bytes)?;
        }
        Ok(Self { state, checkpoint: snapshot.checkpoint().clone() })
    }
}

/// A ledger could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum ReplayFailed {
    /// The ledger cannot be read, or what is read does not hash to the checkpoint.
    #[error("the ledger cannot be read")]
    Read(#[from] ReadFailed),
    /// The ledger does not continue the one that was folded before.
    #[error("the ledger does not continue the one of {size} entries that was folded before")]
    Discontinued {
        /// How many entries that had.
        size: u64,
    },
    /// An entry is not signed by a trusted key or contradicts an earlier one.
    #[error("the ledger holds a statement that does not follow from its root key")]
    Entry(#[from] EntryInvalid),
}

/// Folds every entry of a snapshot, trusting at first `root` alone.
///
/// # Errors
/// When the ledger cannot be read or an entry does not follow.
pub fn replay(snapshot: &Snapshot, root: &PublicKey) -> Result<Replayed, ReplayFailed> {
    replay_past(snapshot, root, u64::MAX).map(|(replayed, _)| replayed)
}

/// As [`replay`]; also returns the state as it was after `size` entries.
pub(crate) fn replay_past(
    snapshot: &Snapshot,
    root: &PublicKey,
    size: u64,
) -> Result<(Replayed, Option<State>), ReplayFailed> {
    let mut state = State::new(root.clone(), Coverage::Whole);
    let mut past = None;
    for entry in snapshot.entries(0..snapshot.size()) {
        if state.next_index() == size {
            past = Some(state.clone());
        }
        let entry = entry?;
        state.admit(entry.index, &entry.bytes)?;
    }
    Ok((Replayed { state, checkpoint: snapshot.checkpoint().clone() }, past))
}
