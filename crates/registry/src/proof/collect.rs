//! Writing a proof: the entries that a claim rests on, closed under what each of them refers to.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_base::{Blobs, Digest, ErasureId, PrincipalId, VersionRef, canonical};
use bartizan_keys::{Keys, Purpose, UnsealFailed};
use bartizan_ledger::segment::{Group, RecordProof, Shown};
use bartizan_ledger::{ReadFailed, Snapshot};

use super::format::{
    Claim, Consistency, FORMAT, Opening, ProofEntry, ProofFile, RecordClaim, ShownLeaf, ShownMap,
};
use crate::limits::{DOCUMENT_BYTES, PROOF_BYTES, PROOF_ENTRIES};
use crate::prediction::RecordEnvelope;
use crate::state::{Endpoint, EntryInvalid, POLICY_NAME, Source, State, StateMap, Version};
use crate::statement::{Act, DatasetRef, EndpointV1, ErasureStep, MapKind, Predicate, Private, StatementRef};

/// What a proof is made from.
#[derive(Debug, Clone, Copy)]
pub struct Prover<'a> {
    /// The folded ledger.
    pub state: &'a State,
    /// The ledger itself, at the same size.
    pub snapshot: &'a Snapshot,
    /// The state map that its last entry states.
    pub map: &'a StateMap,
}

/// A proof could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProveFailed {
    /// There is no such model version.
    #[error("there is no model version {version}")]
    Unknown {
        /// The version asked for.
        version: VersionRef,
    },
    /// The ledger cannot be read.
    #[error("the ledger cannot be read")]
    Read(#[from] ReadFailed),
    /// An entry of the ledger does not verify.
    #[error("the ledger holds a statement that does not verify")]
    Entry(#[from] EntryInvalid),
    /// A document that the proof must open cannot be read: it was erased or damaged.
    #[error("a document that the proof must show cannot be read")]
    Document(#[source] UnsealFailed),
    /// A document that the proof must open cannot be read to its end.
    #[error("a document that the proof must show cannot be read")]
    DocumentBytes(#[source] std::io::Error),
    /// The proof is larger than a verifier takes.
    #[error(
        "the proof has {bytes} bytes and {entries} entries, more than the {PROOF_BYTES} and {PROOF_ENTRIES} allowed"
    )]
    TooLarge {
        /// Its bytes.
        bytes: usize,
        /// Its entries.
        entries: usize,
    },
    /// The state map says nothing of a thing that the claim rests on: a defect of this program.
    #[error("the state map has no leaf for `{name}`")]
    Map {
        /// The thing.
        name: String,
    },
    /// The proof of the record hides its envelope, or that is none.
    #[error("the record of the prediction does not say which it is")]
    Envelope,
    /// The record was to show what an erasure took.
    #[error("what is personal in the record was erased by {erasure}")]
    Erased {
        /// The erasure.
        erasure: ErasureId,
    },
    /// The ledger does not name the segment that the record is in.
    #[error("the ledger does not name the segment of the prediction yet")]
    NotSealed,
    /// An entry of the ledger is no statement with one signature: a defect of this program.
    #[error("entry {index} cannot be shown in parts")]
    Parts {
        /// The entry.
        index: u64,
    },
    /// The proof has no canonical form.
    #[error("the proof cannot be written")]
    Encode(#[source] canonical::EncodeError),
}

/// What a proof has to show.
struct Wanted<'a> {
    claim: Claim,
    entries: BTreeSet<u64>,
    /// The version whose documents are opened.
    version: Option<&'a Version>,
    /// The leaves of the map, beside those that every proof shows.
    leaves: Vec<(MapKind, String)>,
}

impl Prover<'_> {
    /// Writes the proof of a model version's present state, with consistency proofs from the tree sizes in
    /// `since` that are not larger than this tree.
    ///
    /// # Errors
    /// When the version is unknown or the ledger or a document cannot be read.
    pub fn model_version(
        &self,
        keys: &Keys,
        blobs: &dyn Blobs,
        version: &VersionRef,
        since: &BTreeSet<u64>,
    ) -> Result<Vec<u8>, ProveFailed> {
        let found = self.version(version)?;
        let (version, manifest, state) = (version.clone(), found.body.manifest, found.state);
        let wanted = Wanted {
            leaves: vec![(MapKind::ModelVersion, version.to_string())],
            claim: Claim::ModelVersion { version, manifest, state },
            entries: self.entries_of(found),
            version: Some(found),
        };
        self.write(keys, blobs, wanted, since)
    }

    /// Writes the proof that a prediction was recorded, given the proof of its record, which shows the envelope. It
    /// covers what served the prediction: the route of the endpoint at that time and every change of it since, and the
    /// version that answered.
    ///
    /// # Errors
    /// When the record is not one of a segment that the ledger names, or the ledger or a document cannot be read.
    pub fn prediction(
        &self,
        keys: &Keys,
        blobs: &dyn Blobs,
        record: &RecordProof,
        segment: u64,
        since: &BTreeSet<u64>,
    ) -> Result<Vec<u8>, ProveFailed> {
        let [Shown::Revealed(envelope), ..] = record.groups() else { return Err(ProveFailed::Envelope) };
        let envelope = RecordEnvelope::parse(&envelope.bytes).map_err(|_| ProveFailed::Envelope)?;
        let entry = self.state.segment_entry(&envelope.gateway, segment).ok_or(ProveFailed::NotSealed)?;
        let mut entries = BTreeSet::from([entry]);
        entries.extend(self.routes_since(&envelope)?);
        let index = u32::try_from(record.index()).unwrap_or(u32::MAX);
        if let Some(erased) = self.state.erased(&envelope.gateway, segment, index) {
            let personal = |group: Group, shown| group.is_personal() && matches!(shown, &Shown::Revealed(_));
            let shows =
                Group::ALL.into_iter().zip(record.groups()).any(|(group, shown)| personal(group, shown));
            if shows && self.state.is_finished(erased) {
                return Err(ProveFailed::Erased { erasure: erased.erasure });
            }
            entries.insert(erased.entry);
            let erasure = self.state.erasures().get(&erased.erasure);
            entries.extend(erasure.and_then(|erasure| erasure.finished));
        }
        let version = envelope.model.as_ref().map(|version| self.version(version)).transpose()?;
        entries.extend(version.into_iter().flat_map(|found| self.entries_of(found)));
        let mut leaves = vec![(MapKind::Endpoint, envelope.endpoint.to_string())];
        leaves.extend(version.map(|found| (MapKind::ModelVersion, found.body.version.to_string())));
        let claim = RecordClaim { prediction: envelope.id, record: record.to_text(), segment: entry };
        let wanted = Wanted { claim: Claim::Prediction(claim), entries, version, leaves };
        self.write(keys, blobs, wanted, since)
    }

    fn version(&self, version: &VersionRef) -> Result<&Version, ProveFailed> {
        self.state.version(version).ok_or_else(|| ProveFailed::Unknown { version: version.clone() })
    }

    /// The statements about an endpoint from now back to the one that was in force when a prediction was made, and
    /// further back until each of them follows from those before: a rollback from what was promoted.
    fn routes_since(&self, envelope: &RecordEnvelope) -> Result<Vec<u64>, ProveFailed> {
        let mut next =
            self.state.endpoints().get(&envelope.endpoint).map(|endpoint| endpoint.statement.entry);
        let mut found: Vec<(StatementRef, EndpointV1)> = Vec::new();
        while let Some(entry) = next.filter(|_| found.len() <= PROOF_ENTRIES) {
            let signed = self.state.open(entry, &self.snapshot.entry(entry)?)?;
            let Predicate::Endpoint(body) = &signed.statement().predicate else { break };
            next = body.previous;
            found.push((StatementRef { entry, payload: signed.payload() }, body.clone()));
            if entry < envelope.tree_size && follow(&found) {
                break;
            }
        }
        Ok(found.into_iter().map(|(at, _)| at.entry).collect())
    }

    fn write(
        &self,
        keys: &Keys,
        blobs: &dyn Blobs,
        wanted: Wanted<'_>,
        since: &BTreeSet<u64>,
    ) -> Result<Vec<u8>, ProveFailed> {
        let Wanted { claim, mut entries, version, leaves } = wanted;
        let size = self.snapshot.size();
        let map_entry = size.saturating_sub(1);
        entries.insert(map_entry);
        let entries = self.close(entries)?;
        let mut leaves = leaves;
        leaves.extend(self.sources_among(&entries));
        let mut file = ProofFile {
            format: FORMAT.to_owned(),
            claim,
            checkpoint: self.snapshot.checkpoint().note().to_owned(),
            consistency: Vec::new(),
            inclusion: self.snapshot.inclusions(&entries.keys().copied().collect(), size)?,
            entries: Vec::new(),
            map: self.shown_map(map_entry, leaves)?,
            openings: Vec::new(),
        };
        for private in
            version.iter().flat_map(|found| [&found.body.manifest_blob, &found.body.oms_bundle_blob])
        {
            file.openings.push(open(keys, blobs, private)?);
        }
        file.openings.sort_by_key(|opening| opening.commitment);
        for earlier in since.iter().copied().filter(|earlier| *earlier < size) {
            let hashes = self.snapshot.consistency(earlier, size)?;
            file.consistency.push(Consistency { size: earlier, hashes });
        }
        for (index, envelope) in entries {
            let entry = ProofEntry::new(index, &envelope).ok_or(ProveFailed::Parts { index })?;
            file.entries.push(entry);
        }
        let bytes = file.to_bytes().map_err(ProveFailed::Encode)?;
        if bytes.len() > PROOF_BYTES || file.entries.len() > PROOF_ENTRIES {
            return Err(ProveFailed::TooLarge { bytes: bytes.len(), entries: file.entries.len() });
        }
        Ok(bytes)
    }

    /// The leaves of the map that show that no change of what the claim rests on was left out.
    fn shown_map(&self, entry: u64, mut names: Vec<(MapKind, String)>) -> Result<ShownMap, ProveFailed> {
        let project = self.state.project().map(|project| project.id.to_string()).unwrap_or_default();
        names.push((MapKind::Policy, POLICY_NAME.to_owned()));
        names.push((MapKind::Project, project));
        names.extend(self.state.keys().keys().map(|id| (MapKind::Key, id.to_string())));
        let shown = |(kind, name): (MapKind, String)| {
            let (index, leaf) = self.map.find(kind, &name).ok_or(ProveFailed::Map { name })?;
            Ok(ShownLeaf { index, leaf: leaf.clone() })
        };
        let leaves: Result<Vec<ShownLeaf>, ProveFailed> = names.into_iter().map(shown).collect();
        let mut leaves = leaves?;
        leaves.sort_by_key(|leaf| leaf.index);
        let indices: Vec<u64> = leaves.iter().map(|leaf| leaf.index).collect();
        let inclusion = self.map.inclusion(&indices).map_err(|_| ProveFailed::Map { name: String::new() })?;
        Ok(ShownMap { entry, inclusion, leaves })
    }

    /// The sources that entries of the proof speak of: that none of their keys was revoked since is shown too.
    fn sources_among(&self, entries: &BTreeMap<u64, Vec<u8>>) -> Vec<(MapKind, String)> {
        let shown = |source: &Source| source.entries.iter().any(|entry| entries.contains_key(entry));
        let sources = self.state.sources().iter().filter(|(_, source)| shown(source));
        sources.map(|(id, _)| (MapKind::Source, id.to_string())).collect()
    }

    /// Adds everything that the wanted entries refer to, and everything that refers to in turn.
    fn close(&self, wanted: BTreeSet<u64>) -> Result<BTreeMap<u64, Vec<u8>>, ProveFailed> {
        let mut open: BTreeSet<u64> = wanted;
        if let Some(project) = self.state.project() {
            open.extend(&project.entries);
        }
        open.extend(self.state.policies().iter().map(|(index, _)| *index));
        // No statement refers to the keys that sign bundles; the bundle itself names one of them.
        let signing = self.state.keys().values().filter(|grant| grant.purpose == Purpose::ModelSigning);
        open.extend(signing.flat_map(|grant| &grant.entries));
        let mut closed = BTreeMap::new();
        while let Some(index) = open.pop_last() {
            let envelope = self.snapshot.entry(index)?;
            let signed = self.state.open(index, &envelope)?;
            if let Some(grant) = self.state.keys().get(&signed.signer()) {
                open.extend(&grant.entries);
            }
            self.refer(&signed.statement().predicate, &mut open);
            closed.insert(index, envelope);
            open.retain(|next| !closed.contains_key(next));
        }
        Ok(closed)
    }

    /// What the standing of a version rests on: the statements about it, and those about every other version of the
    /// same files whose state was ever changed, for files that are stopped under one name are stopped under all.
    fn entries_of(&self, found: &Version) -> BTreeSet<u64> {
        let twins = self.state.of_files(found.body.manifest);
        let changed = twins.filter(|twin| !twin.state_entries.is_empty());
        changed.flat_map(about).chain(about(found)).collect()
    }

    /// The entries that a predicate refers to.
    fn refer(&self, predicate: &Predicate, open: &mut BTreeSet<u64>) {
        match predicate {
            Predicate::Project(_) | Predicate::Key(_) | Predicate::Policy(_) => {}
            Predicate::Segment(_) | Predicate::StateMap(_) => {}
            Predicate::Decision(body) => self.refer_principal(body.principal, open),
            Predicate::Principal(body) => {
                self.refer_act(&body.act, open);
                if let Some(person) = body.responsible {
                    self.refer_principal(person, open);
                }
            }
            Predicate::Role(body) => {
                self.refer_act(&body.act, open);
                self.refer_principal(body.principal, open);
                open.extend(body.confirmed);
            }
            Predicate::ApiKey(body) => {
                self.refer_act(&body.act, open);
                self.refer_principal(body.principal, open);
            }
            Predicate::Dataset(body) => {
                self.refer_act(&body.act, open);
                for part in &body.parts {
                    self.refer_principal(part.writer, open);
                }
                open.extend(body.extends.as_ref().map(|extended| extended.statement.entry));
                open.extend(body.schema_of.as_ref().map(|kept| kept.statement.entry));
                let from = body.parts.iter().filter_map(|part| part.from.as_ref());
                let sources = from.filter_map(|from| self.state.sources().get(&from.source));
                open.extend(sources.flat_map(|source| &source.entries));
                if let Some(derived) = &body.derived {
                    open.extend(derived.from.iter().map(|dataset| dataset.statement.entry));
                    open.extend(derived.run.map(|run| run.statement.entry));
                }
            }
            Predicate::Source(body) => {
                self.refer_act(&body.act, open);
                let source = self.state.sources().get(&body.source);
                open.extend(source.into_iter().flat_map(|source| &source.entries));
            }
            Predicate::Refusal(body) => {
                self.refer_act(&body.act, open);
            }
            Predicate::Origin(body) => {
                self.refer_act(&body.act, open);
                open.extend(body.trained_on.iter().map(|dataset: &DatasetRef| dataset.statement.entry));
            }
            Predicate::Run(body) => {
                self.refer_act(&body.act, open);
                open.extend(body.inputs.iter().map(|dataset| dataset.statement.entry));
            }
            Predicate::Provenance(body) => {
                let inner = &body.build_definition.internal_parameters;
                self.refer_act(&inner.act, open);
                open.insert(inner.started.entry);
            }
            Predicate::ModelVersion(body) => {
                self.refer_act(&body.act, open);
                open.insert(body.origin.entry);
            }
            Predicate::Approval(body) => self.refer_act(&body.act, open),
            Predicate::ModelState(body) => {
                self.refer_act(&body.act, open);
                open.insert(body.previous);
                open.extend(body.approvals.iter().map(|approval| approval.entry));
            }
            Predicate::Integrity(body) => {
                open.insert(body.previous);
            }
            Predicate::Alias(body) => self.refer_act(&body.act, open),
            Predicate::Lineage(body) => self.refer_act(&body.act, open),
            Predicate::Erasure(body) => match &body.step {
                ErasureStep::Ordered { act, .. } => self.refer_act(act, open),
                ErasureStep::Records { .. } | ErasureStep::Finished {} => {
                    let ordered = self.state.erasures().get(&body.erasure);
                    open.extend(ordered.map(|found| found.statement.entry));
                }
            },
            Predicate::Endpoint(body) => {
                self.refer_act(&body.act, open);
                let routed = body.primary.iter().chain(&body.fallback.version);
                let versions = routed.filter_map(|routed| self.state.version(&routed.version));
                open.extend(versions.flat_map(|found| self.entries_of(found)));
            }
        }
    }

    fn refer_act(&self, act: &Act, open: &mut BTreeSet<u64>) {
        open.extend(act.decision);
        self.refer_principal(act.by, open);
    }

    fn refer_principal(&self, principal: PrincipalId, open: &mut BTreeSet<u64>) {
        if let Some(found) = self.state.principals().get(&principal) {
            open.extend(&found.entries);
        }
    }
}

/// Whether statements about an endpoint, last to first, follow from each other without those before.
fn follow(statements: &[(StatementRef, EndpointV1)]) -> bool {
    let mut endpoint = None;
    for (at, body) in statements.iter().rev() {
        match Endpoint::after(endpoint.as_ref(), *at, body) {
            Ok(after) => endpoint = Some(after),
            Err(_) => return false,
        }
    }
    true
}

/// The statements about one version: an approval that renews a lapsed one changes no state.
fn about(found: &Version) -> BTreeSet<u64> {
    let mut entries = BTreeSet::from([found.statement.entry, found.body.origin.entry]);
    entries.extend(&found.state_entries);
    entries.extend(found.approvals.iter().map(|approval| approval.statement.entry));
    entries
}

fn open(keys: &Keys, blobs: &dyn Blobs, private: &Private) -> Result<Opening, ProveFailed> {
    let (content, salt) = read_private(keys, blobs, private)?;
    Ok(Opening { commitment: private.commitment, salt: Digest::from_bytes(salt), content })
}

/// Reads a private document and the salt of its commitment.
pub(crate) fn read_private(
    keys: &Keys,
    blobs: &dyn Blobs,
    private: &Private,
) -> Result<(Vec<u8>, [u8; 32]), ProveFailed> {
    let mut unsealed = keys.unseal(blobs, &private.blob).map_err(ProveFailed::Document)?;
    let too_long = || std::io::Error::new(std::io::ErrorKind::FileTooLarge, "the document is too long");
    let len = usize::try_from(unsealed.len()).ok().filter(|len| *len <= DOCUMENT_BYTES);
    let mut content = Vec::with_capacity(len.ok_or_else(too_long).map_err(ProveFailed::DocumentBytes)?);
    std::io::Read::read_to_end(&mut unsealed, &mut content).map_err(ProveFailed::DocumentBytes)?;
    Ok((content, *unsealed.salt()))
}
