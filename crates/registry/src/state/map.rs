//! The state map of a fold: its leaves, its root, and the way from one to the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use bartizan_base::{Digest, Timestamp, canonical};
use bartizan_ledger::{ProofInvalid, leaf_hash, prove_inclusions, root_of};

use super::{Coverage, Endpoint, NotAdmitted, State, Version, edge};
use crate::statement::{MapKind, MapLeaf, StateMapV1, VersionState};

/// How the map names the access policy.
pub const POLICY_NAME: &str = "access-policy";

/// All leaves of a state map, in their order.
#[derive(Debug, Clone)]
pub struct StateMap {
    leaves: Vec<MapLeaf>,
    hashes: Vec<Digest>,
}

impl State {
    /// The map of the state as it is now. It is made once for all who ask until something but a decision is stated.
    ///
    /// # Errors
    /// When an entry's index has no canonical form (2^53 or more).
    pub fn map(&self) -> Result<Arc<StateMap>, canonical::EncodeError> {
        if let Some(made) = self.map.get() {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(self.make_map()?);
        Ok(Arc::clone(self.map.get_or_init(|| made)))
    }

    fn make_map(&self) -> Result<StateMap, canonical::EncodeError> {
        let mut leaves = Vec::new();
        let mut add = |kind, name: String, state: String, entry: u64| {
            leaves.push(MapLeaf { entry, kind, name, state });
        };
        for (name, model) in &self.models {
            for (alias, (version, entry)) in &model.aliases {
                add(MapKind::Alias, format!("{name}@{alias}"), version.to_string(), *entry);
            }
            for (alias, entry) in &model.removed_aliases {
                add(MapKind::Alias, format!("{name}@{alias}"), "removed".to_owned(), *entry);
            }
            for version in model.versions.values() {
                let state = self.standing_of(version);
                add(MapKind::ModelVersion, version.body.version.to_string(), state, version.state_entry());
            }
        }
        for (id, key) in &self.api_keys {
            add(MapKind::ApiKey, id.clone(), key.standing.to_string(), key.entry);
        }
        for (name, endpoint) in &self.endpoints {
            add(MapKind::Endpoint, name.to_string(), endpoint.word(), endpoint.statement.entry);
        }
        for (id, grant) in &self.keys {
            add(MapKind::Key, id.to_string(), grant.standing.to_string(), last(&grant.entries));
        }
        if let Some((entry, policy)) = self.policies.last() {
            add(MapKind::Policy, POLICY_NAME.to_owned(), policy.to_hex(), *entry);
        }
        let mut withdrawn = BTreeMap::new();
        for (entry, principal, _) in &self.withdrawn {
            withdrawn.insert(*principal, *entry);
        }
        for (id, principal) in &self.principals {
            let roles = principal.roles.keys().map(|role| format!(" {role}"));
            let state = std::iter::once(principal.standing.to_string()).chain(roles).collect();
            let granted = principal.roles.values().map(|grant| grant.entry).max();
            let entry = last(&principal.entries)
                .max(granted.unwrap_or_default())
                .max(withdrawn.get(id).copied().unwrap_or_default());
            add(MapKind::Principal, id.to_string(), state, entry);
        }
        if let Some(project) = &self.project {
            add(MapKind::Project, project.id.to_string(), project.tier.to_string(), last(&project.entries));
        }
        for (id, source) in &self.sources {
            add(MapKind::Source, id.to_string(), source.word(), last(&source.entries));
        }
        StateMap::new(leaves)
    }

    /// How a version stands: its state, and for an approved one that cannot be released why, as in
    /// [`MapKind::ModelVersion`].
    pub fn standing_of(&self, version: &Version) -> String {
        if version.state != VersionState::Approved {
            return version.state.to_string();
        }
        let complete = self.approvals(&version.body.version).is_some_and(|verdict| verdict.complete());
        match (complete, self.stopped_twin(version)) {
            (true, None) => version.state.to_string(),
            (false, _) => format!("{}-lapsed", version.state),
            (true, Some(_)) => format!("{}-stopped", version.state),
        }
    }

    /// Whether a version is approved, by approvals that count now, and its files are stopped nowhere.
    pub fn releasable(&self, version: &Version) -> bool {
        self.standing_of(version) == VersionState::Approved.to_string()
    }

    pub(super) fn apply_state_map(&mut self, index: u64, body: &StateMapV1) -> Result<(), NotAdmitted> {
        let what = || "state map";
        if body.tree_size != index {
            return Err(edge(index, what(), "it covers other entries than those before it"));
        }
        if self.coverage == Coverage::Whole {
            let map = self.map().map_err(|_| edge(index, what(), "this state has no map"))?;
            if map.len() != body.leaves || map.root() != body.root {
                return Err(edge(index, what(), "it says something else than the entries before it"));
            }
        }
        Ok(())
    }
}

impl Endpoint {
    /// How it stands, as in [`MapKind::Endpoint`].
    pub(crate) fn word(&self) -> String {
        match &self.body.primary {
            Some(primary) => format!("routed {}", primary.version),
            None => "disabled".to_owned(),
        }
    }
}

impl Version {
    /// The entry that made it, or changed its state last.
    pub fn state_entry(&self) -> u64 {
        self.state_entries.last().copied().unwrap_or(self.statement.entry)
    }
}

impl StateMap {
    fn new(mut leaves: Vec<MapLeaf>) -> Result<Self, canonical::EncodeError> {
        leaves.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
        let hash = |leaf: &MapLeaf| canonical::to_bytes(leaf).map(|bytes| leaf_hash(&bytes));
        let hashes = leaves.iter().map(hash).collect::<Result<_, _>>()?;
        Ok(Self { leaves, hashes })
    }

    /// How many leaves there are.
    pub fn len(&self) -> u64 {
        u64::try_from(self.leaves.len()).unwrap_or(u64::MAX)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// The RFC 9162 root over the leaves.
    pub fn root(&self) -> Digest {
        root_of(&self.hashes)
    }

    /// The statement that this is the state after `tree_size` entries.
    pub fn statement(&self, tree_size: u64, at: Timestamp) -> StateMapV1 {
        StateMapV1 { tree_size, leaves: self.len(), root: self.root(), at }
    }

    /// A leaf with its place, if there is one of that name.
    pub fn find(&self, kind: MapKind, name: &str) -> Option<(u64, &MapLeaf)> {
        let at =
            self.leaves.binary_search_by(|leaf| (leaf.kind, leaf.name.as_str()).cmp(&(kind, name))).ok()?;
        Some((u64::try_from(at).ok()?, self.leaves.get(at)?))
    }

    /// The proof that the leaves at `indices`, which ascend, are in it; see [`bartizan_ledger::verify_inclusions`].
    ///
    /// # Errors
    /// When an index is out of order or beyond the map.
    pub fn inclusion(&self, indices: &[u64]) -> Result<Vec<Digest>, ProofInvalid> {
        prove_inclusions(&self.hashes, indices)
    }
}

fn last(entries: &[u64]) -> u64 {
    entries.last().copied().unwrap_or_default()
}
