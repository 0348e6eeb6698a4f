//! The one way into the ledger: sign, check against the fold, append, fold, index.

use std::sync::{Arc, PoisonError};

use bartizan_base::{PrincipalId, Timestamp};
use bartizan_keys::{Purpose, Sealed, dsse};
use bartizan_policy::{Allowed, DecisionRecord, Operation, RefusedOr, Request};
use tokio::sync::MutexGuard;

use super::{Caller, Failed, Inner, Registry};
use crate::limits::CLOCK_BEHIND_MILLIS;
use crate::state::{SignedStatement, State};
use crate::statement::{Act, PAYLOAD_TYPE, Private, Statement, StatementRef};

/// The right to write: one holder at a time, so that what was decided is still true when it takes effect.
pub(super) struct Writer<'a> {
    registry: &'a Registry,
    _turn: MutexGuard<'a, ()>,
    now: Timestamp,
}

/// A statement that is in the ledger.
pub(super) type Written = StatementRef;

impl Registry {
    /// Waits for the right to write.
    pub(super) async fn writer(&self) -> Result<Writer<'_>, Failed> {
        let turn = self.inner.writer.lock().await;
        let last = self.state().last_time();
        let now = self.inner.clock.now();
        let behind = last.millis().saturating_sub(now.millis());
        if behind > CLOCK_BEHIND_MILLIS {
            return Err(Failed::ClockBehind { behind_seconds: behind / 1000 });
        }
        Ok(Writer { registry: self, _turn: turn, now: now.max(last) })
    }

    /// Decides and records, for operations that write nothing else.
    pub(super) async fn allow<O: Operation>(
        &self,
        caller: &Caller,
        operation: O,
        resource: O::Resource,
    ) -> Result<Allowed<O>, Failed> {
        self.writer().await?.allow(caller, operation, resource).await
    }
}

impl Writer<'_> {
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
        let request = Request {
            principal: state.principal_facts(caller.principal)?,
            project: state.project_facts()?,
            operation,
            resource,
            context: caller.context(self.now),
        };
        let decided = self.registry.inner.policies.decide(request);
        let recorded = decided.record(async |record: &DecisionRecord| {
            let written = self.append(vec![Statement::about(record.clone())]).await?;
            written.first().map(|written| written.entry).ok_or(Failed::Interrupted)
        });
        match recorded.await {
            Ok(allowed) => Ok(allowed),
            Err(RefusedOr::Refused(refused)) => Err(refused.into()),
            Err(RefusedOr::NotRecorded(failed)) => Err(failed),
        }
    }

    /// How a statement names the act that `allowed` permits.
    pub(super) fn act<O: Operation>(&self, allowed: &Allowed<O>) -> Act {
        Act { by: allowed.principal_id(), decision: Some(allowed.ledger_index()), at: self.now }
    }

    /// Signs statements, checks that they follow, appends them in one group, and makes them the state.
    pub(super) async fn append(&self, statements: Vec<Statement>) -> Result<Vec<Written>, Failed> {
        let (state, written) = self
            .registry
            .blocking(move |inner| {
                let state = Arc::clone(&inner.state.read().unwrap_or_else(PoisonError::into_inner));
                commit(inner, &state, &statements)
            })
            .await?;
        let head = self.registry.checkpoint();
        self.registry.inner.index.follow(&state, &head).await?;
        *self.registry.inner.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        Ok(written)
    }

    /// Encrypts a private document and returns what a statement says of it.
    pub(super) async fn seal_document(&self, bytes: Vec<u8>) -> Result<Private, Failed> {
        let now = self.now;
        let sealed = self.registry.blocking(move |inner| inner.seal_bytes(&bytes, now)).await?;
        Ok(private(&sealed))
    }
}

impl Inner {
    pub(super) fn seal_bytes(&self, bytes: &[u8], now: Timestamp) -> Result<Sealed, Failed> {
        let mut random = (self.random)();
        Ok(self.keys.seal_bytes(self.blobs.as_ref(), bytes, random.as_mut(), now)?)
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
