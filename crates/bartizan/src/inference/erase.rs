//! Erasing what is recorded of a person, so that no crash leaves a record without its key and without a statement.
//!
//! ```text
//!   ordered (ledger) --> records that can be read now (ledger) --> key destroyed --> what was taken meanwhile
//!        |                                                                            (ledger) --> finished (ledger)
//!        '-- whoever starts next goes on from here, whichever step was the last
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bartizan_base::ErasureId;
use bartizan_keys::subjects::SubjectTag;
use bartizan_registry::Caller;
use bartizan_registry::state::{Erasure, State};
use bartizan_registry::statement::ErasedSegment;
use bartizan_store::records::{ReadFailed, SegmentInfo};

use super::Gateway;
use crate::catalog::ids;
use crate::failure::Failure;
use crate::predictions::unread;

/// How often is looked for an erasure that was ordered and not finished.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait after one could not be finished.
const RETRY: Duration = Duration::from_secs(60);
/// Segments that are looked through between two statements.
const PORTION: usize = 1024;

/// Which records of a person are to be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// Those that can be read: before the key is destroyed.
    Readable,
    /// Those that were taken since the erasure was ordered and cannot be read: after it was.
    Gone,
}

impl Gateway {
    /// Erases what is recorded of a person. When this returns, nobody can read it any more, and the ledger says so.
    ///
    /// # Errors
    /// When the caller may not, or nothing is recorded of the person that can be read. After any other error the
    /// erasure may have been ordered: then it is finished by itself.
    pub(crate) async fn erase(
        self: &Arc<Self>,
        caller: &Caller,
        tag: SubjectTag,
        reason: String,
    ) -> Result<ErasureId, Failure> {
        self.registry.ask_to_erase(caller).await?;
        let turn = self.erasing.lock().await;
        self.seal_taken().await?;
        if !self.is_recorded(tag).await? {
            let what = "nothing that could be read is recorded of this person";
            return Err(Failure::new(ids::NOT_FOUND, what).then("bartizan predictions erasures"));
        }
        let erasure = self.registry.order_erasure(caller, tag, reason).await?;
        self.finish(erasure).await?;
        drop(turn);
        Ok(erasure)
    }

    /// Finishes erasures that were ordered, until it is dropped by whoever runs it.
    pub(super) async fn finish_erasures(self: &Arc<Self>) {
        loop {
            let pause = match self.finish_ordered().await {
                Ok(()) => LOOK,
                Err(failure) => {
                    tracing::error!(id = failure.id, what = failure.what, why = ?failure.why, "an erasure that was ordered is not finished");
                    RETRY
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Finishes every erasure that was ordered and is not done.
    pub(super) async fn finish_ordered(self: &Arc<Self>) -> Result<(), Failure> {
        let open = |state: &State| -> Vec<ErasureId> {
            let open = state.erasures().iter().filter(|(_, found)| found.finished.is_none());
            open.map(|(id, _)| *id).collect()
        };
        if open(&self.registry.state()).is_empty() {
            return Ok(());
        }
        let turn = self.erasing.lock().await;
        // One that was under way when the turn was waited for is done now. One that cannot be finished holds up no other.
        let mut ended = Ok(());
        for erasure in open(&self.registry.state()) {
            ended = ended.and(self.finish(erasure).await);
        }
        drop(turn);
        ended
    }

    /// Takes an erasure from wherever it stands to its end.
    async fn finish(self: &Arc<Self>, erasure: ErasureId) -> Result<(), Failure> {
        let tag = self.registry.subject_of_erasure(erasure).await?;
        self.seal_taken().await?;
        self.name_records(erasure, tag, Named::Readable).await?;
        self.destroy_key(tag).await?;
        // A record may have been encrypted under the key just before it was destroyed. Such a record has been given
        // its number already: once all these are durable, they are sealed and named.
        let given = self.log.last_given();
        self.log.when_durable(given).await.map_err(|error| Failure::of(ids::STORAGE, &error))?;
        self.seal_taken().await?;
        self.name_records(erasure, tag, Named::Gone).await?;
        Ok(self.registry.state_erasure_finished(erasure).await?)
    }

    /// Destroys the key of a person, wherever it is.
    pub(super) async fn destroy_key(self: &Arc<Self>, tag: SubjectTag) -> Result<(), Failure> {
        let worker = Arc::clone(self);
        let erased = tokio::task::spawn_blocking(move || worker.log.erase(&[tag])).await;
        let erased = erased.map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        erased.map(|_| ()).map_err(|error| Failure::of(ids::STORAGE, &error))
    }

    /// Whether anything is recorded of a person that can be read, or might be.
    async fn is_recorded(self: &Arc<Self>, tag: SubjectTag) -> Result<bool, Failure> {
        let mut before = None;
        loop {
            let (found, next) = self.portion(tag, Named::Readable, None, before).await?;
            match next {
                _ if !found.is_empty() => return Ok(true),
                None => return Ok(false),
                next => before = next,
            }
        }
    }

    /// Names the records of a person in the ledger that were not named yet.
    async fn name_records(
        self: &Arc<Self>,
        erasure: ErasureId,
        tag: SubjectTag,
        named: Named,
    ) -> Result<(), Failure> {
        let gateway = self.id();
        let mut before = None;
        loop {
            let (found, next) = self.portion(tag, named, Some(erasure), before).await?;
            self.registry.state_erased(erasure, &gateway, found).await?;
            match next {
                None => return Ok(()),
                next => before = next,
            }
        }
    }

    /// Looks through some segments below number `before`. Returns what is to be named of them, and where to go on.
    async fn portion(
        self: &Arc<Self>,
        tag: SubjectTag,
        named: Named,
        erasure: Option<ErasureId>,
        before: Option<u64>,
    ) -> Result<(Vec<ErasedSegment>, Option<u64>), Failure> {
        let worker = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || {
            let state = worker.registry.state();
            let looking = Looking {
                gateway: &worker,
                state: &state,
                erasure: erasure.and_then(|erasure| state.erasures().get(&erasure)),
                named,
                tag,
                id: worker.id(),
            };
            looking.portion(before)
        });
        let looked = looked.await.map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        looked.map_err(|error| unread(&error))
    }
}

/// What is looked for in segments.
struct Looking<'a> {
    gateway: &'a Gateway,
    state: &'a State,
    erasure: Option<&'a Erasure>,
    named: Named,
    tag: SubjectTag,
    id: String,
}

impl Looking<'_> {
    fn portion(&self, before: Option<u64>) -> Result<(Vec<ErasedSegment>, Option<u64>), ReadFailed> {
        let infos = self.gateway.records.segments(before, PORTION)?;
        // A segment that is sealed and not stated yet cannot be named; a later look finds it.
        let stated = self.state.segments().get(&self.id).map_or(0, |last| last.number);
        // What was stated before the order was named before the key was destroyed, or is gone for another reason.
        let ordered = self.erasure.and_then(|erasure| erasure.segments.get(&self.id)).copied().unwrap_or(0);
        let wanted = |info: &&SegmentInfo| self.named == Named::Readable || info.number > ordered;
        let mut found = Vec::new();
        let named = |info: &&SegmentInfo| info.count > 0 && info.number <= stated;
        for info in infos.iter().filter(wanted).filter(named) {
            found.extend(self.segment(info)?);
        }
        found.reverse();
        let next = infos.last().filter(|last| infos.len() >= PORTION && wanted(last));
        Ok((found, next.map(|last| last.number)))
    }

    /// What is to be named of one segment.
    fn segment(&self, info: &SegmentInfo) -> Result<Option<ErasedSegment>, ReadFailed> {
        let SegmentInfo { number, root, .. } = *info;
        let about = match self.gateway.records.about(number, self.tag) {
            Ok(about) => about,
            Err(error) if error.is_lasting() => {
                // The others are erased all the same. That this one was not looked into is said, once.
                tracing::error!(%error, segment = number, "a segment cannot be read, and what it holds of a person is erased unseen");
                let said =
                    self.erasure.is_some_and(|erasure| erasure.unread.contains(&(self.id.clone(), number)));
                let new = self.named == Named::Readable && !said;
                return Ok(new.then(|| ErasedSegment { number, root, records: Vec::new() }));
            }
            Err(error) => return Err(error),
        };
        let mut indexes = BTreeSet::new();
        for (index, key) in about {
            let readable = self.gateway.subjects.find(self.tag, key)?.is_some();
            let wanted = readable == (self.named == Named::Readable);
            // What an older copy of the keys brought back was named before, and is there to be erased all the same.
            let named = self.erasure.is_some() && self.state.erased(&self.id, number, index).is_some();
            if wanted && !named {
                indexes.insert(index);
            }
        }
        let records = ranges(&indexes);
        Ok((!records.is_empty()).then_some(ErasedSegment { number, root, records }))
    }
}

/// Indexes as ranges, first and last.
fn ranges(indexes: &BTreeSet<u32>) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for index in indexes {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*index) => *last = *index,
            _ => ranges.push((*index, *index)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests;
