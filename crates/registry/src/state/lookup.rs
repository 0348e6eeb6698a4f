//! Questions that the state answers.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use bartizan_base::{Digest, Name, PrincipalId, RunId, Timestamp, VersionRef};
use bartizan_keys::KeyId;
use bartizan_policy::{PersonId, PrincipalKind, Role, Tier};
use imbl::{OrdMap, Vector};

use super::{
    ApiKey, Dataset, Endpoint, KeyGrant, LastSegment, Logged, Model, Origin, Principal, Project,
    RoleConfirmation, Run, State, Version,
};
use crate::statement::Standing;

impl State {
    /// The index of the next entry: the tree size up to which a whole ledger is folded.
    pub fn next_index(&self) -> u64 {
        self.next
    }

    /// The latest time that any statement asserts.
    pub fn last_time(&self) -> Timestamp {
        self.last_time
    }

    /// The last entry that was neither a decision nor a state map nor a segment: as long as it is the same, every question has the same answer.
    pub fn facts(&self) -> u64 {
        self.facts
    }

    /// Every entry that was folded, first to last.
    pub fn logged(&self) -> &Vector<Logged> {
        &self.logged
    }

    /// Every withdrawal of a role: the entry, from whom, and which role.
    pub fn withdrawn(&self) -> &[(u64, PrincipalId, Role)] {
        &self.withdrawn
    }

    /// The version that the next import of a model makes.
    pub fn next_version(&self, model: &Name) -> NonZeroU32 {
        let last = self.models.get(model).and_then(|model| model.versions.get_max());
        last.and_then(|(last, _)| last.checked_add(1)).unwrap_or(NonZeroU32::MIN)
    }

    /// The project, once its first entry is folded.
    pub fn project(&self) -> Option<&Project> {
        self.project.as_ref()
    }

    /// The tier; `release`, the stricter one, as long as no entry says.
    pub fn tier(&self) -> Tier {
        self.project.as_ref().map_or(Tier::Release, |project| project.tier)
    }

    /// The digest of the access policy in force.
    pub fn policy(&self) -> Option<Digest> {
        self.policies.last().map(|(_, policy)| *policy)
    }

    /// Every access policy that was put in force, with its entry, first to last.
    pub fn policies(&self) -> &[(u64, Digest)] {
        &self.policies
    }

    /// The keys that were granted something.
    pub fn keys(&self) -> &BTreeMap<KeyId, KeyGrant> {
        &self.keys
    }

    /// The principals.
    pub fn principals(&self) -> &OrdMap<PrincipalId, Principal> {
        &self.principals
    }

    /// Confirmed grants that wait for another person to make them, by the index of the confirmation.
    pub fn role_confirmations(&self) -> &BTreeMap<u64, RoleConfirmation> {
        &self.role_confirmations
    }

    /// Whether a key counts in the tier that the project has now. In tier release a key that somebody else issued
    /// speaks for nobody: they may have kept its secret. All that such a key can do is enrol.
    pub fn key_counts(&self, key: &ApiKey) -> bool {
        self.tier() == Tier::Explore || self.unseen(key)
    }

    /// Whether nobody but its owner has seen the secret of a key, as far as it is good for anything but enrolment.
    pub(crate) fn unseen(&self, key: &ApiKey) -> bool {
        self.enrols(key) || self.person(key.issued_by) == self.person(key.principal)
    }

    /// Whether a key is an enrolment key: issued by somebody else, and good for nothing but claiming another one.
    pub fn enrols(&self, key: &ApiKey) -> bool {
        key.scopes.enrol() && !key.claimed && self.person(key.issued_by) != self.person(key.principal)
    }

    /// The API keys by their public id.
    pub fn api_keys(&self) -> &OrdMap<String, ApiKey> {
        &self.api_keys
    }

    /// The data sets.
    pub fn datasets(&self) -> &OrdMap<Name, OrdMap<NonZeroU32, Dataset>> {
        &self.datasets
    }

    /// One version of a data set.
    pub fn dataset(&self, version: &VersionRef) -> Option<&Dataset> {
        self.datasets.get(&version.name)?.get(&version.version)
    }

    /// The version that a run made.
    pub fn made_by(&self, run: RunId) -> Option<&Version> {
        let output = self.runs.get(&run)?.ended?.0.entry;
        let versions = self.models.get(&self.runs.get(&run)?.body.model)?.versions.values();
        versions.into_iter().find(|version| version.body.origin.entry == output)
    }

    /// The endpoints.
    pub fn endpoints(&self) -> &OrdMap<Name, Endpoint> {
        &self.endpoints
    }

    /// The last segment of each gateway, by the gateway's id.
    pub fn segments(&self) -> &OrdMap<String, LastSegment> {
        &self.segments
    }

    /// The training runs.
    pub fn runs(&self) -> &OrdMap<RunId, Run> {
        &self.runs
    }

    /// The models.
    pub fn models(&self) -> &OrdMap<Name, Model> {
        &self.models
    }

    /// One model version.
    pub fn version(&self, version: &VersionRef) -> Option<&Version> {
        self.models.get(&version.name)?.versions.get(&version.version)
    }

    pub(super) fn version_mut(&mut self, version: &VersionRef) -> Option<&mut Version> {
        self.models.get_mut(&version.name)?.versions.get_mut(&version.version)
    }

    /// A version, under whatever name, that consists of these very files and is in quarantine or revoked.
    pub fn stopped(&self, manifest: Digest) -> Option<&Version> {
        self.of_files(manifest).find(|version| version.stopped())
    }

    /// Another version with the same files as this one that is in quarantine or revoked.
    pub fn stopped_twin(&self, found: &Version) -> Option<&Version> {
        self.of_files(found.body.manifest)
            .find(|version| version.stopped() && version.body.version != found.body.version)
    }

    /// The versions, under whatever names, that consist of these very files.
    pub(crate) fn of_files(&self, manifest: Digest) -> impl Iterator<Item = &Version> {
        let named = self.same_files.get(&manifest).into_iter().flatten();
        named.filter_map(|version| self.version(version))
    }

    /// The declared origin of a model version.
    pub fn origin_of(&self, version: &Version) -> Option<&Origin> {
        self.origins.get(&version.body.origin.entry)
    }

    /// The person behind a principal: itself, or who answers for it.
    pub fn person(&self, principal: PrincipalId) -> PersonId {
        PersonId::new(
            self.principals.get(&principal).and_then(|found| found.responsible).unwrap_or(principal),
        )
    }

    /// The roles that a principal holds.
    pub fn roles(&self, principal: PrincipalId) -> BTreeSet<Role> {
        self.principals.get(&principal).map(|found| found.roles.keys().copied().collect()).unwrap_or_default()
    }

    /// Whether a principal is the only active person who is an admin.
    pub fn only_admin(&self, principal: PrincipalId) -> bool {
        let mut admins = self.principals.iter().filter(|(_, found)| {
            found.kind == PrincipalKind::Person
                && found.standing == Standing::Active
                && found.roles.contains_key(&Role::Admin)
        });
        admins.next().is_some_and(|(id, _)| *id == principal) && admins.next().is_none()
    }

    /// The model versions that were trained on a data set version, or on one that extends it.
    pub fn trained_from(&self, dataset: &VersionRef) -> Vec<VersionRef> {
        let mut reached = vec![dataset.clone()];
        for (name, versions) in &self.datasets {
            for (number, found) in versions {
                let extends = found.body.extends.as_ref().is_some_and(|base| reached.contains(&base.version));
                if extends {
                    reached.push(VersionRef::new(name.clone(), *number));
                }
            }
        }
        let mut models = Vec::new();
        for model in self.models.values() {
            for version in model.versions.values() {
                let trained_on = self.origin_of(version).map(Origin::trained_on);
                if trained_on.unwrap_or_default().iter().any(|used| reached.contains(&used.version)) {
                    models.push(version.body.version.clone());
                }
            }
        }
        models
    }
}
