//! The log of a job: all of it hashed, the end of it kept.

use std::collections::VecDeque;

use bartizan_base::Hasher;

use crate::limits::LOG_TAIL_BYTES;
use crate::report::Log;

/// A log while it is being written.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: u64,
    hasher: Hasher,
    last: VecDeque<u8>,
}

impl Tail {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.hasher.update(bytes);
        self.last.extend(bytes);
        let surplus = self.last.len().saturating_sub(LOG_TAIL_BYTES);
        self.last.drain(..surplus);
    }

    pub(crate) fn finish(self) -> Log {
        Log { bytes: self.bytes, digest: self.hasher.finish(), tail: self.last.into() }
    }
}
