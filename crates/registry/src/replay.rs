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

    /// The state, giving up the evidence.
    pub fn into_state(self) -> State {
        self.state
    }
}

/// A ledger could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum ReplayFailed {
    /// The ledger cannot be read, or what is read does not hash to the checkpoint.
    #[error("the ledger cannot be read")]
    Read(#[from] ReadFailed),
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
