//! Deliveries as the data set root binds them.

use bartizan_base::Digest;
use bartizan_data::dataset::{Part, dataset_root};

use crate::statement::PartV1;

/// The root over the parts of a data set version; see `docs/formats/dataset-root.md`.
pub(crate) fn root(parts: &[PartV1]) -> Digest {
    let bound: Vec<Part> = parts
        .iter()
        .map(|part| Part {
            digest: part.digest,
            bytes: part.bytes,
            rows: part.rows,
            source: part.source.commitment,
            writer: part.writer,
            time: part.time,
        })
        .collect();
    dataset_root(&bound)
}
