//! The one way into the ledger: sign, check against the fold, append, fold, index.

use std::sync::{Arc, PoisonError};

use bartizan_base::{PrincipalId, Timestamp};
use bartizan_keys::{Purpose, Sealed, dsse};
use bartizan_policy::{Access, Allowed, DecisionRecord, Effect, Operation, Question, RefusedOr, Request};
use tokio::sync::OwnedMutexGuard;

use super::{Caller, Failed, Inner, Presented, Registry};
use crate::limits::CLOCK_BEHIND_MILLIS;
use crate::state::{SignedStatement, State};
use crate::statement::{Act, PAYLOAD_TYPE, Private, Statement, StatementRef};

/// The right to write: one holder at a time, so that what was decided is still true when it takes effect.
///
/// Whoever waits for an operation may stop waiting at any moment. Work that has begun then goes on to its end, and
/// keeps the turn until it is there: nobody decides on a state that is about to be replaced.
pub(super) struct Writer<'a> {
    registry: &'a Registry,
    turn: Arc<OwnedMutexGuard<()>>,
    now: Timestamp,
}

/// A statement that is in the ledger.
pub(super) type Written = StatementRef;

impl Registry {
    /// Waits for the right to write.
    pub(super) async fn writer(&self) -> Result<Writer<'_>, Failed> {
        let turn = Arc::new(Arc::clone(&self.inner.writer).lock_owned().await);
        let now = self.asserted_time(&self.state())?;
        Ok(Writer { registry: self, turn, now })
    }

    /// Waits for the right to write what takes something away. A clock that is behind, or was once ahead, does not
    /// hold up a quarantine: the statement then asserts the time of the latest entry.
    pub(super) async fn stopping_writer(&self) -> Result<Writer<'_>, Failed> {
        let turn = Arc::new(Arc::clone(&self.inner.writer).lock_owned().await);
        let now = self.state().last_time().max(self.inner.clock.now());
        Ok(Writer { registry: self, turn, now })
    }

    /// The time that a statement asserts which is made now: never before the latest in the ledger.
    pub(super) fn asserted_time(&self, state: &State) -> Result<Timestamp, Failed> {
        let (last, now) = (state.last_time(), self.inner.clock.now());
        let behind = last.millis().saturating_sub(now.millis());
        if behind > CLOCK_BEHIND_MILLIS {
            return Err(Failed::ClockBehind { behind_seconds: behind / 1000 });
        }
        Ok(now.max(last))
    }

    /// Refuses, on the record, whoever may not do something by what is known now; what is not refused is asked for
    /// again when it is done. It comes before work that is long and needs no turn.
    pub(super) async fn ask_early<O: Operation>(
        &self,
        caller: &Caller,
        operation: O,
        resource: O::Resource,
    ) -> Result<(), Failed> {
        let state = self.state();
        let question = Question {
            principal: state.principal_facts(caller.principal)?,
            project: state.project_facts()?,
            action: operation.action(),
            resource: resource.clone().into(),
            context: caller.context(self.inner.clock.now()),
        };
        match self.inner.policies.evaluate(&question).effect {
            Effect::Allow => Ok(()),
            Effect::Deny => self.allow(caller, operation, resource).await.map(|_| ()),
        }
    }

    /// Decides and records, for operations that write nothing else.
    pub(super) async fn allow<O: Operation>(
        &self,
        caller: &Caller,
        operation: O,
        resource: O::Resource,
    ) -> Result<Allowed<O>, Failed> {
        match operation.action().access() {
            Access::Read => self.allow_to_read(caller, operation, resource).await,
            Access::Mutation => self.writer().await?.allow(caller, operation, resource).await,
        }
    }
}

impl Caller {
    /// Whether the credential is still good: an API key may end while its request waits for its turn.
    pub(super) fn stands(&self, state: &State, now: Timestamp) -> bool {
        match &self.credential {
            Presented::Local => true,
            Presented::Key(key) => state.key_stands(key.id(), now),
        }
    }
}

impl Writer<'_> {
    pub(super) fn registry(&self) -> &Registry {
        self.registry
    }

    /// The time that statements of this turn assert.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// The state that decisions of this turn rest on.
    pub(super) fn state(&self) -> Arc<State> {
        self.registry.state()
    }

    /// Decides, and records the decision before anybody sees it.
    pub(super) async fn allow<O: Operation>(
        &self,
        caller: &Caller,
        operation: O,
        resource: O::Resource,
    ) -> Result<Allowed<O>, Failed> {
        let state = self.state();
        let now = self.registry.inner.clock.now();
        if !caller.stands(&state, now) {
            return Err(Failed::KeyEnded);
        }
        let request = Request {
            principal: state.principal_facts(caller.principal)?,
            project: state.project_facts()?,
            operation,
            resource,
            // Whether a key has expired is told by the clock, not by the latest time that a statement asserts.
            context: caller.context(now),
        };
        let decided = self.registry.inner.policies.decide(request);
        let recorded = decided.record(async |record: &DecisionRecord| self.put_decision(record).await);
        match recorded.await {
            Ok(allowed) => Ok(allowed),
            Err(RefusedOr::Refused(refused)) => Err(refused.into()),
            Err(RefusedOr::NotRecorded(failed)) => Err(failed),
        }
    }

    async fn put_decision(&self, record: &DecisionRecord) -> Result<u64, Failed> {
        let written = self.append(vec![Statement::about(record.clone())]).await?;
        written.first().map(|written| written.entry).ok_or(Failed::Interrupted)
    }

    /// How a statement names the act that `allowed` permits.
    pub(super) fn act<O: Operation>(&self, allowed: &Allowed<O>) -> Act {
        Act { by: allowed.principal_id(), decision: Some(allowed.ledger_index()), at: self.now }
    }

    /// Signs statements, checks that they follow, appends them in one group, and makes them the state.
    ///
    /// Once they are in the ledger they have happened. An index that cannot follow stays behind until it can: it
    /// is a cache, and whatever rests on it compares it with the ledger first.
    pub(super) async fn append(&self, statements: Vec<Statement>) -> Result<Vec<Written>, Failed> {
        let turn = Arc::clone(&self.turn);
        let committed = self.registry.blocking(move |inner| {
            let state = Arc::clone(&inner.state.read().unwrap_or_else(PoisonError::into_inner));
            let (next, written) = commit(inner, &state, &statements)?;
            let next = Arc::new(next);
            *inner.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
            drop(turn);
            Ok((next, inner.ledger.checkpoint(), written))
        });
        let (state, head, written) = committed.await?;
        if let Err(error) = self.registry.inner.index.follow(&state, &head).await {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the index stays behind the ledger");
        }
        Ok(written)
    }

    /// What the state would be after these statements.
    pub(super) fn preview(&self, statements: &[Statement]) -> Result<State, Failed> {
        let inner = &self.registry.inner;
        let mut next = State::clone(&self.state());
        for statement in statements {
            let envelope = inner.sign(statement, statement.predicate.purpose())?;
            next.admit(next.next_index(), &envelope)?;
        }
        Ok(next)
    }

    /// Encrypts a private document and returns what a statement says of it.
    pub(super) async fn seal_document(&self, bytes: Vec<u8>) -> Result<Private, Failed> {
        let now = self.now;
        let sealed = self.registry.blocking(move |inner| inner.seal_document(&bytes, now)).await?;
        Ok(private(&sealed))
    }
}

impl Inner {
    pub(super) fn seal_document(&self, bytes: &[u8], now: Timestamp) -> Result<Sealed, Failed> {
        let mut random = (self.random)();
        Ok(self.keys.seal_document(self.blobs.as_ref(), bytes, random.as_mut(), now)?)
    }

    /// Signs one statement with the key whose purpose it is.
    pub(super) fn sign(&self, statement: &Statement, purpose: Purpose) -> Result<Vec<u8>, Failed> {
        let payload = statement.to_bytes().map_err(|error| Failed::Sign(Box::new(error)))?;
        let envelope = dsse::sign(PAYLOAD_TYPE, &payload, &[self.keys.signing(purpose)])
            .map_err(|error| Failed::Sign(Box::new(error)))?;
        Ok(envelope.to_bytes())
    }
}

/// Admits the statements to a copy of the state, and appends them if the ledger has not grown meanwhile.
fn commit(inner: &Inner, state: &State, statements: &[Statement]) -> Result<(State, Vec<Written>), Failed> {
    let mut next = state.clone();
    let mut entries = Vec::with_capacity(statements.len());
    let mut written = Vec::with_capacity(statements.len());
    for statement in statements {
        let index = next.next_index();
        let envelope = inner.sign(statement, statement.predicate.purpose())?;
        let signed: SignedStatement = next.admit(index, &envelope)?;
        written.push(StatementRef { entry: index, payload: signed.payload() });
        entries.push(envelope);
    }
    inner.ledger.append_if(state.next_index(), entries)?;
    Ok((next, written))
}

/// What a statement says of sealed content.
pub(super) fn private(sealed: &Sealed) -> Private {
    Private { commitment: sealed.commitment, blob: sealed.blob.clone() }
}

/// The person or service that acts when a project begins.
pub(super) fn root_act(by: PrincipalId, at: Timestamp) -> Act {
    Act { by, decision: None, at }
}
