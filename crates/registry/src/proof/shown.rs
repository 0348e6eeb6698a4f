//! The state map of a proof: that its leaves are in it, and that they confirm what the statements gave.

use bartizan_base::{VersionRef, canonical};
use bartizan_ledger::{leaf_hash, verify_inclusion};

use super::format::ShownMap;
use super::verify::ProofRefused;
use crate::state::{POLICY_NAME, State};
use crate::statement::{MapKind, MapLeaf, StateMapV1};

/// The leaves that are in the map.
pub(super) struct Leaves<'a>(Vec<&'a MapLeaf>);

/// Checks that the file's last entry is a state map and that the leaves shown are in it.
pub(super) fn leaves<'a>(shown: &'a ShownMap, map: Option<&StateMapV1>) -> Result<Leaves<'a>, ProofRefused> {
    let refuse = |why| ProofRefused::LeftOut { why };
    let map = map.filter(|map| map.tree_size == shown.entry);
    let map = map.ok_or_else(|| refuse("the last entry is not the map that the file names"))?;
    let mut found = Vec::with_capacity(shown.leaves.len());
    for one in &shown.leaves {
        let bytes = canonical::to_bytes(&one.leaf).map_err(|_| refuse("a leaf has no canonical form"))?;
        verify_inclusion(&leaf_hash(&bytes), one.index, map.leaves, &one.inclusion, &map.root)
            .map_err(|_| refuse("a leaf is not in the map"))?;
        found.push(&one.leaf);
    }
    Ok(Leaves(found))
}

/// Checks that what the claim rests on was last changed by the very entries that are in the file.
pub(super) fn nothing_left_out(
    state: &State,
    leaves: &Leaves<'_>,
    version: &VersionRef,
) -> Result<(), ProofRefused> {
    let refuse = |why| ProofRefused::LeftOut { why };
    let confirmed = |kind, name: &str, word: &str, entry: Option<u64>| {
        let found = leaves.0.iter().find(|leaf| leaf.kind == kind && leaf.name == name);
        found.is_some_and(|leaf| leaf.state == word && Some(leaf.entry) == entry)
    };
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
    let found = state.version(version).ok_or_else(|| refuse("there is no such version"))?;
    let word = found.state.to_string();
    if !confirmed(MapKind::ModelVersion, &version.to_string(), &word, Some(found.state_entry())) {
        return Err(refuse("it has another state for the version"));
    }
    Ok(())
}
