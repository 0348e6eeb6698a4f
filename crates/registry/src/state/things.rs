//! What the state holds: the things that entries speak of, as the entries so far leave them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use bartizan_base::{Digest, Name, PrincipalId, ProjectId, Timestamp, VersionRef};
use bartizan_keys::{Algorithm, KeyId, PublicKey, Purpose};
use bartizan_policy::api_key::Scopes;
use bartizan_policy::{Action, Networks, PrincipalKind, Role, Tier};
use imbl::{OrdMap, Vector};

use crate::statement::{
    Act, ApprovalV1, Beyond, DatasetRef, DatasetV1, EndpointV1, Fallback, KeyStanding, ModelVersionV1,
    OriginV1, Private, ProvenanceV1, Routed, RunEnd, RunV1, Standing, StatementRef, VersionState,
};

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
    /// What is known of it then: variables and the like, and its log.
    pub told: Option<(Private, Private)>,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The statement that said so last.
    pub statement: StatementRef,
    /// How it is routed.
    pub body: EndpointV1,
    /// What was promoted to it, first to last, each that was routed back from taken away.
    pub promoted: Vector<Promoted>,
}

/// A version that was promoted to an endpoint, with what answered instead of it and the settings it was served with, all
/// by the last statement that routed the endpoint to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promoted {
    /// The version.
    pub primary: Routed,
    /// What answered instead.
    pub fallback: Fallback,
    /// Whether the endpoint was routed to the same model with another constant since. A constant has no state that could
    /// be looked at, so this is how approvers take one out of use.
    pub replaced: bool,
    /// What was done with requests beyond training.
    pub beyond: Beyond,
    /// What its columns were for.
    pub columns: Option<Private>,
}

impl Endpoint {
    /// The version that it is routed to, or was before it went out of service.
    pub fn last_routed(&self) -> Option<&VersionRef> {
        self.body
            .primary
            .as_ref()
            .or_else(|| self.promoted.last().map(|last| &last.primary))
            .map(|routed| &routed.version)
    }

    /// The versions that it can be routed back to, if they are approved now: the latest first.
    pub fn before(&self) -> impl Iterator<Item = &Promoted> {
        let last = self.promoted.last().map(|last| last.primary.version.clone());
        let mut seen: BTreeSet<VersionRef> = last.into_iter().collect();
        self.promoted.iter().rev().skip(1).filter(move |found| seen.insert(found.primary.version.clone()))
    }

    /// The constants that may answer instead of one of [those](Self::before) when the endpoint is routed back to it: the
    /// present one, then those of promotions from the latest back to that one, but none that was replaced since.
    pub fn constants_since(&self, target: &Routed) -> Vec<&Private> {
        let mut constants: Vec<&Private> = self.body.fallback.constant.iter().collect();
        for (back, promoted) in self.promoted.iter().rev().enumerate() {
            let constant = promoted.fallback.constant.as_ref().filter(|_| !promoted.replaced);
            constants.extend(constant.filter(|constant| !constants.contains(constant)));
            if back > 0 && promoted.primary == *target {
                break;
            }
        }
        constants
    }
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
    /// Who did it: a principal, or a gateway's id in the form of one.
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
