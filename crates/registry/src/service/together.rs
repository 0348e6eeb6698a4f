//! Decisions that let somebody read: recorded like all others, many of them in one group.
//!
//! ```text
//!   ask --> decide on the state as it is --> wait for the turn --> whoever gets it writes what waits, at once
//!                     ^                                                  |
//!                     '--- something but a decision was written meanwhile'
//! ```
//!
//! After a few times it is decided and written under a turn of its own, as everything else is.
//!
//! A read changes nothing, so that nobody else's decision depends on it and their order is of no account.

use std::sync::{Arc, Mutex, PoisonError};

use bartizan_policy::{Allowed, DecisionRecord, Operation, RefusedOr, Request};
use tokio::sync::oneshot;

use super::write::Writer;
use super::{Caller, Failed, Registry};
use crate::limits::{DECIDE_AGAIN, TOGETHER};
use crate::statement::Statement;

/// The decisions that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Vec<Decision>>);

#[derive(Debug)]
struct Decision {
    record: DecisionRecord,
    /// What it rests on; see [`State::facts`](crate::state::State::facts).
    facts: u64,
    written: oneshot::Sender<Result<u64, Failed>>,
}

impl Registry {
    /// Decides about a read and records that, together with what others ask at the same time.
    pub(super) async fn allow_to_read<O: Operation>(
        &self,
        caller: &Caller,
        operation: O,
        resource: O::Resource,
    ) -> Result<Allowed<O>, Failed> {
        for _ in 0..DECIDE_AGAIN {
            let state = self.state();
            self.asserted_time(&state)?;
            let now = self.inner.clock.now();
            if !caller.stands(&state, now) {
                return Err(Failed::KeyEnded);
            }
            let decided = self.inner.policies.decide(Request {
                principal: state.principal_facts(caller.principal)?,
                project: state.project_facts()?,
                operation,
                resource: resource.clone(),
                context: caller.context(now),
            });
            let facts = state.facts();
            let recorded =
                decided.record(async |record: &DecisionRecord| self.record(record.clone(), facts).await);
            match recorded.await {
                Ok(allowed) => return Ok(allowed),
                Err(RefusedOr::Refused(refused)) => return Err(refused.into()),
                Err(RefusedOr::NotRecorded(Failed::Outdated)) => {}
                Err(RefusedOr::NotRecorded(failed)) => return Err(failed),
            }
        }
        // Others change so much that this would never end: it waits for a turn of its own.
        self.writer().await?.allow(caller, operation, resource).await
    }

    /// Puts a decision among those that wait, and sees that it is written.
    async fn record(&self, record: DecisionRecord, facts: u64) -> Result<u64, Failed> {
        let (written, mut answer) = oneshot::channel();
        self.waiting().push(Decision { record, facts, written });
        let writer = self.writer().await?;
        loop {
            match answer.try_recv() {
                Ok(answer) => return answer,
                // Whoever wrote it was dropped before telling: asking once more costs an entry.
                Err(oneshot::error::TryRecvError::Closed) => return Err(Failed::Outdated),
                Err(oneshot::error::TryRecvError::Empty) => writer.write_waiting().await,
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Decision>> {
        self.inner.waiting.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer<'_> {
    /// Writes decisions that wait, those of one group, and tells those who asked.
    async fn write_waiting(&self) {
        let taken: Vec<Decision> = {
            let mut waiting = self.registry().waiting();
            let count = waiting.len().min(TOGETHER);
            waiting.drain(..count).collect()
        };
        let facts = self.state().facts();
        let (current, outdated): (Vec<_>, Vec<_>) =
            taken.into_iter().partition(|decision| decision.facts == facts);
        for decision in outdated {
            tell(decision, Err(Failed::Outdated));
        }
        if current.is_empty() {
            return;
        }
        let statements = current.iter().map(|decision| Statement::about(decision.record.clone())).collect();
        match self.append(statements).await {
            Ok(written) => {
                for (decision, written) in current.into_iter().zip(written) {
                    tell(decision, Ok(written.entry));
                }
            }
            Err(failed) => {
                let failed = Arc::new(failed);
                for decision in current {
                    tell(decision, Err(Failed::Together(Arc::clone(&failed))));
                }
            }
        }
    }
}

/// Tells whoever asked. They may have stopped waiting: the record stands all the same.
fn tell(decision: Decision, written: Result<u64, Failed>) {
    if decision.written.send(written).is_err() {
        tracing::debug!("nobody waits for this decision any more");
    }
}
