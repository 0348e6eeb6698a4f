//! The state of a project: a pure fold over verified statements.
//!
//! Nothing else grants anything. The SQL index, the API and the proofs all answer from this fold or are
//! compared with it. The same code folds a whole ledger (every entry, in order) and an excerpt of one (a
//! proof: some entries, in order), so a verifier recomputes each edge exactly as the writer did.

mod access;
mod assets;
mod compared;
mod endpoints;
mod erasures;
mod integrity;
mod lineage;
mod lookup;
mod map;
mod runs;
mod segments;
mod sources;
mod things;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use bartizan_base::{Digest, ErasureId, Name, PrincipalId, RunId, SourceId, Timestamp, VersionRef, sha256};
use bartizan_keys::{KeyId, PublicKey, Verified, dsse};
use bartizan_policy::Role;
use imbl::{OrdMap, Vector};

pub use self::erasures::{Erased, Erasure};
pub use self::lineage::{ExternalLineage, ServedSince};
pub use self::map::{POLICY_NAME, StateMap};
pub(crate) use self::runs::{dependencies, installed};
pub use self::segments::LastSegment;
pub use self::sources::Source;
pub use self::things::{
    ApiKey, Approval, Dataset, Endpoint, KeyGrant, Logged, Model, OpenDecision, Origin, OriginSource,
    Principal, Project, Promoted, RoleConfirmation, RoleGrant, Run, Stop, Version,
};
use crate::statement::{KeyStanding, PAYLOAD_TYPE, Predicate, Statement, StatementInvalid, StatementRef};

/// How much of a ledger is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Every entry from index 0; a missing entry is an error.
    Whole,
    /// Some entries, in ascending order; what lies between is unknown.
    Excerpt,
}

/// A project's state after some entries of its ledger.
///
/// Each write works on a copy, so what grows with the ledger is kept in maps that share what they have in common.
#[derive(Debug, Clone)]
pub struct State {
    coverage: Coverage,
    root: PublicKey,
    next: u64,
    last_time: Timestamp,
    facts: u64,
    logged: Vector<Logged>,
    withdrawn: Vec<(u64, PrincipalId, Role)>,
    pub(crate) project: Option<Project>,
    pub(crate) policies: Vec<(u64, Digest)>,
    pub(crate) keys: BTreeMap<KeyId, KeyGrant>,
    pub(crate) principals: OrdMap<PrincipalId, Principal>,
    pub(crate) role_confirmations: BTreeMap<u64, RoleConfirmation>,
    pub(crate) api_keys: OrdMap<String, ApiKey>,
    pub(crate) open_decision: Option<(u64, OpenDecision)>,
    decided: bool,
    pub(crate) sources: OrdMap<SourceId, Source>,
    /// Whose each key of a source is.
    source_keys: OrdMap<KeyId, SourceId>,
    pub(crate) datasets: OrdMap<Name, OrdMap<NonZeroU32, Dataset>>,
    pub(crate) origins: OrdMap<u64, Origin>,
    pub(crate) runs: OrdMap<RunId, Run>,
    pub(crate) endpoints: OrdMap<Name, Endpoint>,
    /// The endpoints that each version ever served.
    served: OrdMap<VersionRef, OrdMap<Name, ServedSince>>,
    external_lineage: Vector<ExternalLineage>,
    pub(crate) segments: OrdMap<String, LastSegment>,
    /// The number and the entry of each segment of a gateway, in order.
    stated_segments: OrdMap<String, Vector<(u64, u64)>>,
    pub(crate) erasures: OrdMap<ErasureId, Erasure>,
    /// What erasures take of a gateway's segment.
    erased: OrdMap<(String, u64), Vector<Erased>>,
    pub(crate) models: OrdMap<Name, Model>,
    /// The versions that consist of the files of a manifest.
    same_files: OrdMap<Digest, Vector<VersionRef>>,
    /// The map of the state after the last fact, once somebody asked for it.
    map: Arc<OnceLock<Arc<StateMap>>>,
}

/// A statement that the state does not admit.
#[derive(Debug, thiserror::Error)]
pub enum NotAdmitted {
    /// Entries are missing, repeated or out of order.
    #[error("entry {index} where entry {expected} is expected")]
    Order {
        /// The index offered.
        index: u64,
        /// The index expected, or the least one in an excerpt.
        expected: u64,
    },
    /// The payload is not an in-toto statement.
    #[error("payload type `{payload_type}` is not `{PAYLOAD_TYPE}`")]
    PayloadType {
        /// The type it has.
        payload_type: String,
    },
    /// The statement does not parse.
    #[error("entry {index} is not a statement this version understands")]
    Statement {
        /// The entry.
        index: u64,
        /// Why.
        #[source]
        source: StatementInvalid,
    },
    /// The key may not sign this, or not any more.
    #[error("key {key} may not sign `{predicate_type}` at entry {index}: {why}")]
    Signer {
        /// The entry.
        index: u64,
        /// The key.
        key: KeyId,
        /// What it signed.
        predicate_type: String,
        /// Why not.
        why: &'static str,
    },
    /// The decision that should have allowed the act is missing, denied, used up or about something else.
    #[error(
        "entry {index} does `{action}` on `{resource}` without a recorded decision that allows it: {why}"
    )]
    Decision {
        /// The entry.
        index: u64,
        /// What was done.
        action: String,
        /// To what.
        resource: String,
        /// What is wrong with the decision.
        why: &'static str,
    },
    /// Two statements that belong together disagree, or one of them is missing.
    #[error("entry {index}: {what}: {why}")]
    Edge {
        /// The entry.
        index: u64,
        /// The thing concerned.
        what: String,
        /// What does not hold.
        why: &'static str,
    },
}

/// A payload whose signature was checked, with the key that signed it.
///
/// Only [`State::open`] makes one, so a statement cannot reach the fold unverified.
#[derive(Debug)]
pub struct SignedStatement {
    statement: Statement,
    payload: Digest,
    signer: KeyId,
}

impl SignedStatement {
    /// The statement.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The key that signed it.
    pub fn signer(&self) -> KeyId {
        self.signer
    }

    /// SHA-256 of the signed payload.
    pub fn payload(&self) -> Digest {
        self.payload
    }

    fn new(index: u64, verified: &Verified<dsse::Payload>) -> Result<Self, NotAdmitted> {
        let payload = verified.get();
        if payload.payload_type != PAYLOAD_TYPE {
            let payload_type = payload.payload_type.chars().take(120).collect();
            return Err(NotAdmitted::PayloadType { payload_type });
        }
        let statement =
            Statement::parse(&payload.bytes).map_err(|source| NotAdmitted::Statement { index, source })?;
        let signer = verified.signers().first().copied().ok_or_else(|| NotAdmitted::Edge {
            index,
            what: "signature".to_owned(),
            why: "nobody signed",
        })?;
        Ok(Self { statement, payload: sha256(&payload.bytes), signer })
    }
}

/// Why an entry cannot be opened: the signature, or the statement inside.
#[derive(Debug, thiserror::Error)]
pub enum EntryInvalid {
    /// No trusted key signed it, or a signature does not verify.
    #[error("entry {index} is not signed by a key this project trusts")]
    Signature {
        /// The entry.
        index: u64,
        /// Why.
        #[source]
        source: dsse::VerifyEnvelope,
    },
    /// The state does not admit it.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
}

impl State {
    /// The state before the first entry, which trusts the project root key alone.
    pub fn new(root: PublicKey, coverage: Coverage) -> Self {
        Self {
            coverage,
            root,
            next: 0,
            last_time: Timestamp::EPOCH,
            facts: 0,
            logged: Vector::new(),
            withdrawn: Vec::new(),
            project: None,
            policies: Vec::new(),
            keys: BTreeMap::new(),
            principals: OrdMap::new(),
            role_confirmations: BTreeMap::new(),
            api_keys: OrdMap::new(),
            open_decision: None,
            decided: false,
            sources: OrdMap::new(),
            source_keys: OrdMap::new(),
            datasets: OrdMap::new(),
            origins: OrdMap::new(),
            runs: OrdMap::new(),
            endpoints: OrdMap::new(),
            served: OrdMap::new(),
            external_lineage: Vector::new(),
            segments: OrdMap::new(),
            stated_segments: OrdMap::new(),
            erasures: OrdMap::new(),
            erased: OrdMap::new(),
            models: OrdMap::new(),
            same_files: OrdMap::new(),
            map: Arc::default(),
        }
    }

    /// Opens one ledger entry: checks its signature against the keys trusted at this point, and parses it.
    ///
    /// # Errors
    /// When no trusted key signed the entry or it is not a statement this version understands.
    pub fn open(&self, index: u64, envelope: &[u8]) -> Result<SignedStatement, EntryInvalid> {
        let trusted = |id: KeyId| self.public_key(id);
        let verified = dsse::verify(envelope, &trusted, PAYLOAD_TYPE)
            .map_err(|source| EntryInvalid::Signature { index, source })?;
        // Nothing rides along in an entry that its one signature does not cover.
        let plain = dsse::Envelope::parse(envelope)
            .is_ok_and(|parsed| parsed.signature_count() == 1 && parsed.to_bytes() == envelope);
        if !plain {
            return Err(
                edge(index, "entry", "it is not an envelope with one signature in its plain form").into()
            );
        }
        Ok(SignedStatement::new(index, &verified)?)
    }

    /// Folds one statement into the state. After an error the state is unusable: work on a clone.
    ///
    /// # Errors
    /// When the entry is out of order, its signer may not sign it, no recorded decision allows it, or it
    /// contradicts an earlier statement.
    pub fn apply(&mut self, index: u64, signed: &SignedStatement) -> Result<(), NotAdmitted> {
        let in_order = match self.coverage {
            Coverage::Whole => index == self.next,
            Coverage::Excerpt => index >= self.next,
        };
        if !in_order {
            return Err(NotAdmitted::Order { index, expected: self.next });
        }
        self.check_signer(index, signed)?;
        let reference = StatementRef { entry: index, payload: signed.payload };
        match &signed.statement.predicate {
            Predicate::Project(body) => self.apply_project(index, body)?,
            Predicate::Key(body) => self.apply_key(index, body)?,
            Predicate::Policy(body) => self.apply_policy(index, body)?,
            Predicate::Decision(body) => self.apply_decision(index, body)?,
            Predicate::Principal(body) => self.apply_principal(index, signed, body)?,
            Predicate::Role(body) => self.apply_role(index, signed, body)?,
            Predicate::ApiKey(body) => self.apply_api_key(index, signed, body)?,
            Predicate::Dataset(body) => self.apply_dataset(reference, body)?,
            Predicate::Source(body) => self.apply_source(index, body)?,
            Predicate::Refusal(body) => self.apply_refusal(index, body)?,
            Predicate::Origin(body) => self.apply_origin(reference, body)?,
            Predicate::Run(body) => self.apply_run(reference, body)?,
            Predicate::Provenance(body) => self.apply_provenance(reference, body)?,
            Predicate::ModelVersion(body) => self.apply_model_version(reference, body)?,
            Predicate::Approval(body) => self.apply_approval(reference, body)?,
            Predicate::ModelState(body) => self.apply_model_state(index, body)?,
            Predicate::Alias(body) => self.apply_alias(index, body)?,
            Predicate::Endpoint(body) => self.apply_endpoint(reference, body)?,
            Predicate::Segment(body) => self.apply_segment(reference, body)?,
            Predicate::Integrity(body) => self.apply_integrity(index, body)?,
            Predicate::Erasure(body) => self.apply_erasure(reference, body)?,
            Predicate::Lineage(body) => self.apply_lineage(reference, body)?,
            Predicate::StateMap(body) => self.apply_state_map(index, body)?,
        }
        if !matches!(
            signed.statement.predicate,
            Predicate::Decision(_) | Predicate::StateMap(_) | Predicate::Segment(_) | Predicate::Erasure(_)
        ) {
            self.facts = index;
            self.map = Arc::default();
        }
        self.next = index.saturating_add(1);
        let at = time_of(&signed.statement.predicate);
        self.last_time = self.last_time.max(at);
        self.logged.push_back(Logged {
            index,
            predicate_type: signed.statement.predicate.predicate_type(),
            name: signed.statement.subject.name.clone(),
            subject: signed.statement.subject.digest.sha256,
            signer: signed.signer,
            at,
        });
        Ok(())
    }

    /// Opens and folds one ledger entry.
    ///
    /// # Errors
    /// As [`State::open`] and [`State::apply`].
    pub fn admit(&mut self, index: u64, envelope: &[u8]) -> Result<SignedStatement, EntryInvalid> {
        let signed = self.open(index, envelope)?;
        self.apply(index, &signed)?;
        Ok(signed)
    }

    /// The public half of a key that was granted, or of the project root.
    pub fn public_key(&self, id: KeyId) -> Option<PublicKey> {
        if id == self.root.id() {
            return Some(self.root.clone());
        }
        self.keys.get(&id).map(|grant| grant.public.clone())
    }

    fn check_signer(&self, index: u64, signed: &SignedStatement) -> Result<(), NotAdmitted> {
        if signed.signer == self.root.id() {
            return Ok(());
        }
        let predicate_type = signed.statement.predicate.predicate_type();
        let refuse = |why| NotAdmitted::Signer {
            index,
            key: signed.signer,
            predicate_type: predicate_type.to_owned(),
            why,
        };
        let grant = self.keys.get(&signed.signer).ok_or_else(|| refuse("no entry grants it anything"))?;
        if grant.standing != KeyStanding::Active {
            return Err(refuse("it is retired or revoked"));
        }
        if !grant.predicate_types.iter().any(|granted| granted == predicate_type) {
            return Err(refuse("its grant does not name this type"));
        }
        Ok(())
    }
}

/// When a statement says that it was made.
fn time_of(predicate: &Predicate) -> Timestamp {
    match predicate {
        Predicate::Project(body) => body.at,
        Predicate::Key(body) => body.at,
        Predicate::Policy(body) => body.at,
        Predicate::Decision(body) => body.at,
        Predicate::Principal(body) => body.act.at,
        Predicate::Role(body) => body.act.at,
        Predicate::ApiKey(body) => body.act.at,
        Predicate::Dataset(body) => body.act.at,
        Predicate::Source(body) => body.act.at,
        Predicate::Refusal(body) => body.act.at,
        Predicate::Origin(body) => body.act.at,
        Predicate::Run(body) => body.act.at,
        Predicate::Provenance(body) => body.build_definition.internal_parameters.act.at,
        Predicate::ModelVersion(body) => body.act.at,
        Predicate::Approval(body) => body.act.at,
        Predicate::ModelState(body) => body.act.at,
        Predicate::Alias(body) => body.act.at,
        Predicate::Endpoint(body) => body.act.at,
        Predicate::Segment(body) => body.at,
        Predicate::Integrity(body) => body.at,
        Predicate::Erasure(body) => body.at,
        Predicate::Lineage(body) => body.act.at,
        Predicate::StateMap(body) => body.at,
    }
}

fn edge(index: u64, what: impl ToString, why: &'static str) -> NotAdmitted {
    NotAdmitted::Edge { index, what: what.to_string(), why }
}

fn version_what(version: &VersionRef) -> String {
    format!("model version {version}")
}
