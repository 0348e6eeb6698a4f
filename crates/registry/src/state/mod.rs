//! The state of a project: a pure fold over verified statements.
//!
//! Nothing else grants anything. The SQL index, the API and the proofs all answer from this fold or are
//! compared with it. The same code folds a whole ledger (every entry, in order) and an excerpt of one (a
//! proof: some entries, in order), so a verifier recomputes each edge exactly as the writer did.

mod access;
mod assets;
mod lookup;
mod map;
mod runs;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use bartizan_base::{Digest, Name, PrincipalId, ProjectId, RunId, Timestamp, VersionRef, sha256};
use bartizan_keys::{Algorithm, KeyId, PublicKey, Purpose, Verified, dsse};
use bartizan_policy::api_key::Scopes;
use bartizan_policy::{Action, Networks, PrincipalKind, Role, Tier};
use imbl::{OrdMap, Vector};

pub use self::map::{POLICY_NAME, StateMap};
pub(crate) use self::runs::dependencies;
use crate::statement::{
    Act, ApprovalV1, DatasetRef, DatasetV1, KeyStanding, ModelVersionV1, OriginV1, PAYLOAD_TYPE, Predicate,
    Private, ProvenanceV1, RunEnd, RunV1, Standing, Statement, StatementInvalid, StatementRef, VersionState,
};

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
    pub(crate) datasets: OrdMap<Name, OrdMap<NonZeroU32, Dataset>>,
    pub(crate) origins: OrdMap<u64, Origin>,
    pub(crate) runs: OrdMap<RunId, Run>,
    pub(crate) models: OrdMap<Name, Model>,
    /// The versions that consist of the files of a manifest.
    same_files: OrdMap<Digest, Vector<VersionRef>>,
    /// The map of the state after the last fact, once somebody asked for it.
    map: Arc<OnceLock<Arc<StateMap>>>,
}

/// What an entry is about, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The ledger index.
    pub index: u64,
    /// The predicate type.
    pub predicate_type: &'static str,
    /// The subject's name: a pseudonymous id or an asset name.
    pub name: String,
    /// The subject's digest.
    pub subject: Digest,
    /// Who signed it.
    pub signer: KeyId,
    /// When, as asserted.
    pub at: Timestamp,
}

/// The project as its root key states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The project.
    pub id: ProjectId,
    /// The origin line of its ledger.
    pub origin: String,
    /// Its tier.
    pub tier: Tier,
    /// Whether its root key is held in the development store.
    pub development: bool,
    /// The entry that raised it to tier release, if it began in tier explore and one did.
    pub raised: Option<u64>,
    /// The entries that say so, first to last.
    pub entries: Vec<u64>,
}

/// A key and what it may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGrant {
    /// The public half.
    pub public: PublicKey,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// What it is for.
    pub purpose: Purpose,
    /// The predicate types it may sign.
    pub predicate_types: Vec<String>,
    /// Whether it may sign.
    pub standing: KeyStanding,
    /// When it was first granted, as asserted.
    pub since: Timestamp,
    /// The entries that say so, first to last.
    pub entries: Vec<u64>,
}

/// A principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Person, service or workload.
    pub kind: PrincipalKind,
    /// The person who answers for it.
    pub responsible: Option<PrincipalId>,
    /// Name and logins, encrypted.
    pub profile: Private,
    /// Whether it may act.
    pub standing: Standing,
    /// The roles it holds, with who granted each and where.
    pub roles: BTreeMap<Role, RoleGrant>,
    /// The entries about the principal itself, first to last.
    pub entries: Vec<u64>,
}

/// A role that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleGrant {
    /// Who granted it.
    pub by: PrincipalId,
    /// Where.
    pub entry: u64,
}

/// A person's word that a role may be granted, for another person to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleConfirmation {
    /// For whom.
    pub principal: PrincipalId,
    /// Which.
    pub role: Role,
    /// Who confirmed.
    pub by: PrincipalId,
}

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Whose.
    pub principal: PrincipalId,
    /// The digest that a presented secret must have.
    pub verifier: Digest,
    /// The actions it is limited to.
    pub scopes: Scopes,
    /// The networks it may be used from.
    pub networks: Networks,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Who issued it; its owner, when it was claimed.
    pub issued_by: PrincipalId,
    /// Whether it was claimed in exchange for another key.
    pub claimed: bool,
    /// Whether it may be used.
    pub standing: Standing,
    /// The entry that said so last.
    pub entry: u64,
}

/// The decision that allowed something which is to be done next. The next decision, of whatever kind, closes it:
/// nobody keeps a permission for later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDecision {
    /// Who may.
    pub principal: PrincipalId,
    /// Do what.
    pub action: Action,
    /// To what.
    pub resource: String,
    /// Who gains or loses by it, when the resource is a principal, an API key or a grant.
    pub beneficiary: Option<PrincipalId>,
    /// Whether one person did everything.
    pub self_approved: bool,
}

/// A version of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The statement that accepted it.
    pub statement: StatementRef,
    /// What it says.
    pub body: DatasetV1,
    /// The parts of the version: those it extends, then its own. Empty in an excerpt that lacks the former.
    pub parts: Vec<crate::statement::PartV1>,
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The statement.
    pub statement: StatementRef,
    /// What it says.
    pub source: OriginSource,
}

/// Where a model comes from: somebody's word, or a run that the server saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginSource {
    /// Its importer declared it.
    Declared(Box<OriginV1>),
    /// A run made it.
    Trained {
        /// The provenance of the run.
        provenance: Box<ProvenanceV1>,
        /// The run as it was started.
        run: Box<RunV1>,
    },
}

impl Origin {
    /// The data set versions that the model was trained on.
    pub fn trained_on(&self) -> &[DatasetRef] {
        match &self.source {
            OriginSource::Declared(body) => &body.trained_on,
            OriginSource::Trained { run, .. } => &run.inputs,
        }
    }

    /// Who brought the model, and by which decision.
    pub fn act(&self) -> &Act {
        match &self.source {
            OriginSource::Declared(body) => &body.act,
            OriginSource::Trained { provenance, .. } => &provenance.build_definition.internal_parameters.act,
        }
    }

    /// The manifest digest of the model.
    pub fn manifest(&self) -> Option<Digest> {
        match &self.source {
            OriginSource::Declared(body) => Some(body.manifest),
            OriginSource::Trained { provenance, .. } => {
                provenance.build_definition.internal_parameters.output
            }
        }
    }

    /// The importer's declaration, when it is one.
    pub fn declared(&self) -> Option<&OriginV1> {
        match &self.source {
            OriginSource::Declared(body) => Some(body),
            OriginSource::Trained { .. } => None,
        }
    }
}

/// A training run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The statement that it was started.
    pub statement: StatementRef,
    /// What it was given.
    pub body: RunV1,
    /// How it ended, if it has.
    pub ended: Option<(StatementRef, RunEnd)>,
}

/// A model: its versions and aliases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    /// The versions.
    pub versions: OrdMap<NonZeroU32, Version>,
    /// The aliases, each with the version it names and the entry that said so.
    pub aliases: BTreeMap<Name, (NonZeroU32, u64)>,
    /// The aliases that were removed, each with the entry that said so.
    pub removed_aliases: BTreeMap<Name, u64>,
}

/// A model version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The statement that registered it.
    pub statement: StatementRef,
    /// What it says.
    pub body: ModelVersionV1,
    /// Its state.
    pub state: VersionState,
    /// The entries that changed its state, first to last.
    pub state_entries: Vec<u64>,
    /// Why it was stopped last.
    pub last_reason: Option<Private>,
    /// When it was stopped last.
    pub last_stop: Option<Stop>,
    /// Its approvals, first to last.
    pub approvals: Vec<Approval>,
    /// The approvals that carried the last change to `approved`.
    pub carried_by: Vec<StatementRef>,
}

/// The last time that a model version was put in quarantine, retired or revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// Who did it.
    pub by: PrincipalId,
    /// Where.
    pub entry: u64,
    /// What it became.
    pub to: VersionState,
}

impl Version {
    /// Whether it is in quarantine or revoked.
    pub fn stopped(&self) -> bool {
        matches!(self.state, VersionState::Quarantined | VersionState::Revoked)
    }
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The statement.
    pub statement: StatementRef,
    /// What it says.
    pub body: ApprovalV1,
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
            datasets: OrdMap::new(),
            origins: OrdMap::new(),
            runs: OrdMap::new(),
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
            Predicate::Policy(body) => self.policies.push((index, body.policy)),
            Predicate::Decision(body) => self.apply_decision(index, body)?,
            Predicate::Principal(body) => self.apply_principal(index, signed, body)?,
            Predicate::Role(body) => self.apply_role(index, signed, body)?,
            Predicate::ApiKey(body) => self.apply_api_key(index, signed, body)?,
            Predicate::Dataset(body) => self.apply_dataset(reference, body)?,
            Predicate::Origin(body) => self.apply_origin(reference, body)?,
            Predicate::Run(body) => self.apply_run(reference, body)?,
            Predicate::Provenance(body) => self.apply_provenance(reference, body)?,
            Predicate::ModelVersion(body) => self.apply_model_version(reference, body)?,
            Predicate::Approval(body) => self.apply_approval(reference, body)?,
            Predicate::ModelState(body) => self.apply_model_state(index, body)?,
            Predicate::Alias(body) => self.apply_alias(index, body)?,
            Predicate::StateMap(body) => self.apply_state_map(index, body)?,
        }
        if !matches!(signed.statement.predicate, Predicate::Decision(_) | Predicate::StateMap(_)) {
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
        Predicate::Origin(body) => body.act.at,
        Predicate::Run(body) => body.act.at,
        Predicate::Provenance(body) => body.build_definition.internal_parameters.act.at,
        Predicate::ModelVersion(body) => body.act.at,
        Predicate::Approval(body) => body.act.at,
        Predicate::ModelState(body) => body.act.at,
        Predicate::Alias(body) => body.act.at,
        Predicate::StateMap(body) => body.at,
    }
}

fn edge(index: u64, what: impl ToString, why: &'static str) -> NotAdmitted {
    NotAdmitted::Edge { index, what: what.to_string(), why }
}

fn version_what(version: &VersionRef) -> String {
    format!("model version {version}")
}
