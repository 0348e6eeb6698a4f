//! Readings that may come to a halt: each is waited for as long as something comes, and gone on with later.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bartizan_base::VersionRef;
use tokio::time::timeout;

/// How long nothing may come, at the least; up to twice as long when something came in between.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Counts what has come of a reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Steps(Arc<AtomicU64>);

impl Steps {
    /// Something came.
    pub(super) fn take(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn taken(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where a reading has come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Went<T> {
    /// To its end.
    Ended(T),
    /// Nothing comes any more; it was not so when it was looked at before.
    Hangs,
    /// Nothing has come since it was looked at before.
    HangsStill,
}

/// The readings that hang.
///
/// They are kept, not begun anew: the operating system cannot be asked to give up on a file, so each attempt would
/// cost another thread that waits for it.
pub(super) struct Readings<'a, T>(BTreeMap<VersionRef, Reading<'a, T>>);

struct Reading<'a, T> {
    work: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    steps: Steps,
}

impl<'a, T> Readings<'a, T> {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Forgets all others.
    pub(super) fn retain(&mut self, versions: &BTreeSet<VersionRef>) {
        self.0.retain(|version, _| versions.contains(version));
    }

    /// Goes on with the reading of a version that hangs, or begins one, for as long as something comes.
    pub(super) async fn go_on<W>(&mut self, version: &VersionRef, begin: impl FnOnce(Steps) -> W) -> Went<T>
    where
        W: Future<Output = T> + Send + 'a,
    {
        let hanging = self.0.remove(version);
        let again = hanging.is_some();
        let mut reading = hanging.unwrap_or_else(|| {
            let steps = Steps::default();
            Reading { work: Box::pin(begin(steps.clone())), steps }
        });
        // What hung is only looked at, unless something has come.
        let mut patience = if again { Duration::ZERO } else { PATIENCE };
        loop {
            let before = reading.steps.taken();
            if let Ok(end) = timeout(patience, &mut reading.work).await {
                return Went::Ended(end);
            }
            if reading.steps.taken() == before {
                self.0.insert(version.clone(), reading);
                return if again { Went::HangsStill } else { Went::Hangs };
            }
            patience = PATIENCE;
        }
    }
}

#[cfg(test)]
mod tests;
