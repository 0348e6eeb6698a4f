//! The predicate by which somebody states what another system says of its jobs and data.

use serde::{Deserialize, Serialize};

use super::{Act, Body, Private, Subject};

/// Events of another system were read. What they name can be personal and lies in the document; how much of what there
/// was is in clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LineageV1 {
    /// Who read and wrote what, format `bartizan-lineage-v1`.
    pub document: Private,
    /// Events that were read.
    pub events: u64,
    /// Jobs that they name.
    pub jobs: u64,
    /// Data sets that they name.
    pub datasets: u64,
    /// Runs that they name.
    pub runs: u64,
    /// Facets of which only the digest is kept.
    pub unread_facets: u64,
    /// Who states it.
    pub act: Act,
}

impl Body for LineageV1 {
    fn subject(&self) -> Subject {
        Subject::new("lineage", self.document.commitment)
    }
}
