//! Proofs of what the ledger says: of a version's present state, of a prediction and what served it.

use std::collections::BTreeSet;
use std::sync::Arc;

use bartizan_base::{Name, VersionRef};
use bartizan_ledger::Snapshot;
use bartizan_ledger::segment::RecordProof;
use bartizan_policy::op;

use super::models::{check_approvals, check_twin};
use super::write::Writer;
use super::{Caller, Failed, Registry};
use crate::proof::Prover;
use crate::state::{Endpoint, State, StateMap};
use crate::statement::{Statement, VersionState};

/// A proof file and the tree that it is about.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The file.
    pub bytes: Vec<u8>,
    /// The tree size of its checkpoint.
    pub tree_size: u64,
}

/// State, map and ledger of one moment.
struct Moment {
    state: Arc<State>,
    map: Arc<StateMap>,
    snapshot: Snapshot,
}

impl Registry {
    /// Writes the proof of a version's present state.
    ///
    /// # Errors
    /// When the caller may not, or a document cannot be read.
    pub async fn prove_model(
        &self,
        caller: &Caller,
        version: &VersionRef,
        since: BTreeSet<u64>,
    ) -> Result<Proof, Failed> {
        // What takes long comes after the turn.
        let moment = {
            let writer = self.writer().await?;
            let facts = writer.state().model_facts(version);
            writer.allow(caller, op::Prove, facts).await.map(|_| ())?;
            let state = writer.state();
            let found = state.known_version(version)?;
            if found.state == VersionState::Approved {
                check_approvals(&state, version)?;
                check_twin(&state, found)?;
            }
            self.moment(&writer).await?
        };
        let version = version.clone();
        self.blocking(move |inner| {
            let bytes = moment.prover().model_version(&inner.keys, inner.blobs.as_ref(), &version, &since)?;
            Ok(Proof { bytes, tree_size: moment.snapshot.size() })
        })
        .await
    }

    /// Asks whether the caller may prove a model version, and records the answer.
    ///
    /// # Errors
    /// When they may not.
    pub async fn ask_to_prove(&self, caller: &Caller, version: &VersionRef) -> Result<(), Failed> {
        let facts = self.state().model_facts(version);
        self.ask(caller, op::Prove, facts).await
    }

    /// Asks whether the caller may prove what an endpoint answered without a version: whether they may prove the version
    /// that it is routed to, or was last. Records the answer.
    ///
    /// # Errors
    /// When they may not, or nothing was ever routed to the endpoint.
    pub async fn ask_to_prove_endpoint(&self, caller: &Caller, endpoint: &Name) -> Result<(), Failed> {
        let state = self.state();
        let found = state.endpoints().get(endpoint).and_then(Endpoint::last_routed);
        let version = found.ok_or_else(|| Failed::not_found("endpoint", endpoint))?;
        self.ask_to_prove(caller, version).await
    }

    /// Writes the proof of a prediction whose record is in a segment that the ledger names. The caller has been
    /// allowed to see the groups that the proof of the record shows.
    ///
    /// # Errors
    /// When the record hides its envelope, its segment is not stated, or a document cannot be read.
    pub async fn prove_prediction(
        &self,
        record: RecordProof,
        segment: u64,
        since: BTreeSet<u64>,
    ) -> Result<Proof, Failed> {
        let moment = {
            let writer = self.writer().await?;
            self.moment(&writer).await?
        };
        self.blocking(move |inner| {
            let (keys, blobs) = (&inner.keys, inner.blobs.as_ref());
            let bytes = moment.prover().prediction(keys, blobs, &record, segment, &since)?;
            Ok(Proof { bytes, tree_size: moment.snapshot.size() })
        })
        .await
    }

    /// States a map of everything, which a proof ends with.
    async fn moment(&self, writer: &Writer<'_>) -> Result<Moment, Failed> {
        let state = writer.state();
        let map = state.map().map_err(|error| Failed::Sign(Box::new(error)))?;
        writer.append(vec![Statement::about(map.statement(state.next_index(), writer.now()))]).await?;
        Ok(Moment { state: writer.state(), map, snapshot: self.snapshot()? })
    }
}

impl Moment {
    fn prover(&self) -> Prover<'_> {
        Prover { state: &self.state, snapshot: &self.snapshot, map: &self.map }
    }
}
