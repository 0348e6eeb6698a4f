//! The root over the parts of a data set version; see `docs/formats/dataset-root.md`.

use bartizan_base::{Digest, canonical};
use bartizan_ledger::{leaf_hash, root_of};
use serde::Serialize;

use crate::statement::{FromSource, PartV1};

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

/// The same of a part that names a source of the project, with the signature that was given for it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BoundToSource<'a> {
    bytes: u64,
    digest: Digest,
    format: &'static str,
    from: &'a FromSource,
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
        leaves.push(leaf_hash(&leaf(part)?));
    }
    Ok(root_of(&leaves))
}

fn leaf(part: &PartV1) -> Result<Vec<u8>, canonical::EncodeError> {
    let PartV1 { bytes, digest, rows, time, writer, .. } = *part;
    let source = part.source.commitment;
    match &part.from {
        None => canonical::to_bytes(&Bound {
            bytes,
            digest,
            format: "bartizan-part-v1",
            rows,
            source,
            time,
            writer,
        }),
        Some(from) => canonical::to_bytes(&BoundToSource {
            bytes,
            digest,
            format: "bartizan-part-v2",
            from,
            rows,
            source,
            time,
            writer,
        }),
    }
}
