//! The root over the parts of a data set version; see `docs/formats/dataset-root.md`.

use bartizan_base::{Digest, canonical};
use bartizan_ledger::{leaf_hash, root_of};
use serde::Serialize;

use crate::statement::PartV1;

/// What the root binds of one part, in canonical order. Where the bytes lie is no part of its identity.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bound {
    bytes: u64,
    digest: Digest,
    format: &'static str,
    rows: u64,
    source: Digest,
    time: bartizan_base::Timestamp,
    writer: bartizan_base::PrincipalId,
}

/// The RFC 9162 root over the canonical bytes of each part, first to last.
///
/// # Errors
/// When a count has no canonical form (2^53 or more).
pub(crate) fn root(parts: &[PartV1]) -> Result<Digest, canonical::EncodeError> {
    let mut leaves = Vec::with_capacity(parts.len());
    for part in parts {
        let bound = Bound {
            bytes: part.bytes,
            digest: part.digest,
            format: "bartizan-part-v1",
            rows: part.rows,
            source: part.source.commitment,
            time: part.time,
            writer: part.writer,
        };
        leaves.push(leaf_hash(&canonical::to_bytes(&bound)?));
    }
    Ok(root_of(&leaves))
}
