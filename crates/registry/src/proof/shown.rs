//! The state map of a proof: that its leaves are in it, and that they confirm what the statements gave.

use bartizan_base::{Name, VersionRef, canonical};
use bartizan_ledger::{leaf_hash, verify_inclusions};

use super::format::ShownMap;
use super::refused::ProofRefused;
use crate::state::{POLICY_NAME, State};
use crate::statement::{MapKind, MapLeaf, StateMapV1, VersionState};

/// The leaves that are in the map.
pub(super) struct Leaves<'a>(Vec<&'a MapLeaf>);

/// Checks that the file's last entry is a state map and that the leaves shown are in it.
pub(super) fn leaves<'a>(shown: &'a ShownMap, map: Option<&StateMapV1>) -> Result<Leaves<'a>, ProofRefused> {
    let map = map.filter(|map| map.tree_size == shown.entry);
    let map = map.ok_or_else(|| refuse("the last entry is not the map that the file names"))?;
    let mut hashes = Vec::with_capacity(shown.leaves.len());
    for one in &shown.leaves {
        let bytes = canonical::to_bytes(&one.leaf).map_err(|_| refuse("a leaf has no canonical form"))?;
        hashes.push((one.index, leaf_hash(&bytes)));
    }
    verify_inclusions(&hashes, map.leaves, &shown.inclusion, &map.root)
        .map_err(|_| refuse("a leaf is not in the map"))?;
    Ok(Leaves(shown.leaves.iter().map(|one| &one.leaf).collect()))
}

impl Leaves<'_> {
    fn find(&self, kind: MapKind, name: &str) -> Option<&MapLeaf> {
        self.0.iter().copied().find(|leaf| leaf.kind == kind && leaf.name == name)
    }

    fn confirm(&self, kind: MapKind, name: &str, word: &str, entry: Option<u64>) -> bool {
        self.find(kind, name).is_some_and(|leaf| leaf.state == word && Some(leaf.entry) == entry)
    }
}

const fn refuse(why: &'static str) -> ProofRefused {
    ProofRefused::LeftOut { why }
}

/// Checks that project, policy and keys were last changed by the very entries that are in the file.
pub(super) fn nothing_left_out(state: &State, leaves: &Leaves<'_>) -> Result<(), ProofRefused> {
    let confirmed = |kind, name: &str, word: &str, entry| leaves.confirm(kind, name, word, entry);
    let project = state.project().ok_or_else(|| refuse("there is no project"))?;
    let id = project.id.to_string();
    if !confirmed(MapKind::Project, &id, &project.tier.to_string(), project.entries.last().copied()) {
        return Err(refuse("it has another tier for the project"));
    }
    let policy = state.policies().last().ok_or_else(|| refuse("there is no policy"))?;
    if !confirmed(MapKind::Policy, POLICY_NAME, &policy.1.to_hex(), Some(policy.0)) {
        return Err(refuse("it has another policy in force"));
    }
    for (id, grant) in state.keys() {
        let standing = grant.standing.to_string();
        if !confirmed(MapKind::Key, &id.to_string(), &standing, grant.entries.last().copied()) {
            return Err(refuse("it has another standing for a signing key"));
        }
    }
    for (id, source) in state.sources() {
        if !confirmed(MapKind::Source, &id.to_string(), &source.word(), source.entries.last().copied()) {
            return Err(refuse("it has another standing for a source of data or a key of one"));
        }
    }
    Ok(())
}

/// How a version must stand at the end of the file.
pub(super) enum Stands {
    /// In this state, with nothing against it.
    As(VersionState),
    /// In the state that the entries give. What is against it is told: a twin that the file does not show, too.
    Somehow,
}

/// Checks that a version was last changed by the very entry that is in the file, and says how it stands.
pub(super) fn version_stands<'a>(
    state: &State,
    leaves: &'a Leaves<'_>,
    version: &VersionRef,
    stands: Stands,
) -> Result<&'a str, ProofRefused> {
    let found = state.version(version).ok_or_else(|| refuse("there is no such version"))?;
    let leaf = leaves.find(MapKind::ModelVersion, &version.to_string());
    let leaf = leaf.filter(|leaf| leaf.entry == found.state_entry());
    let leaf = leaf.filter(|leaf| match stands {
        Stands::As(wanted) => leaf.state == wanted.to_string(),
        Stands::Somehow => {
            let (word, standing) = (found.state.to_string(), state.standing_of(found));
            leaf.state == standing || leaf.state.strip_prefix(&word).is_some_and(|rest| rest.starts_with('-'))
        }
    });
    leaf.map(|leaf| leaf.state.as_str()).ok_or_else(|| refuse("it has another state for the version"))
}

/// Checks that an endpoint was last changed by the very entry that is in the file.
pub(super) fn endpoint_stands(state: &State, leaves: &Leaves<'_>, name: &Name) -> Result<(), ProofRefused> {
    let found = state.endpoints().get(name).ok_or_else(|| refuse("there is no such endpoint"))?;
    let entry = Some(found.statement.entry);
    if !leaves.confirm(MapKind::Endpoint, &name.to_string(), &found.word(), entry) {
        return Err(refuse("it has another route for the endpoint"));
    }
    Ok(())
}
