//! The state map: what everything is after the entries before it, and where that was said last.

use bartizan_base::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Body, Subject};

/// The state of the whole project after the entries before this one, as the root over sorted leaves.
///
/// An excerpt of the ledger cannot show by itself that nothing was left out. A leaf of this map can: it says what a
/// thing is and which entry said so last. The format is `docs/formats/state-map.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct StateMapV1 {
    /// The entries that it covers: its own index.
    pub tree_size: u64,
    /// How many leaves there are.
    pub leaves: u64,
    /// The root over the leaves.
    pub root: Digest,
    /// When.
    pub at: Timestamp,
}

impl Body for StateMapV1 {
    fn subject(&self) -> Subject {
        Subject::new("state-map", self.root)
    }
}

/// What a leaf of the map is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapKind {
    /// An alias, `NAME@ALIAS`; its state is the number of the version it names, or `removed`.
    Alias,
    /// An API key, by its public id; its state is its standing.
    ApiKey,
    /// An endpoint, by its name; its state is `routed NAME:VERSION`, or `disabled`.
    Endpoint,
    /// A signing key of the project, by its id; its state is its standing.
    Key,
    /// A model version, `NAME:VERSION`; its state is that of the version, and for an approved one that cannot be
    /// released `approved-lapsed` (its approvals do not count any more) or `approved-stopped` (its very files are
    /// stopped under another name).
    ModelVersion,
    /// The access policy; its state is the digest of the policy in force.
    Policy,
    /// A principal, by its id; its state is its standing and the roles it holds, separated by spaces.
    Principal,
    /// The project, by its id; its state is its tier.
    Project,
    /// A source of data, by its id; its state is its standing and its keys, separated by spaces, with `@INDEX` after
    /// one that is revoked from that entry on.
    Source,
}

/// One leaf of the map. Leaves ascend by kind, as text, and then by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapLeaf {
    /// The entry that said so last.
    pub entry: u64,
    /// What it is about.
    pub kind: MapKind,
    /// Which one.
    pub name: String,
    /// What it is.
    pub state: String,
}
