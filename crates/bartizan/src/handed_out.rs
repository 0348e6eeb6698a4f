//! The tree sizes that were handed out in trust files and proofs: new proofs continue from the last few.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::catalog::ids;
use crate::failure::Failure;

const FILE: &str = "handed-out.json";
const KEPT: usize = 8;

/// The sizes that were handed out last. A lost or damaged file costs verifiers nothing but a `--since`.
pub(crate) fn sizes(data_dir: &Path) -> BTreeSet<u64> {
    let bytes = fs::read(data_dir.join(FILE)).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Remembers that a tree of this size was handed out.
pub(crate) fn remember(data_dir: &Path, size: u64) -> Result<(), Failure> {
    let mut sizes = sizes(data_dir);
    sizes.insert(size);
    while sizes.len() > KEPT {
        sizes.pop_first();
    }
    let text = serde_json::to_vec(&sizes).map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    let temporary = data_dir.join(format!("{FILE}.tmp"));
    fs::write(&temporary, text)
        .and_then(|()| fs::rename(&temporary, data_dir.join(FILE)))
        .map_err(|error| Failure::of(ids::STORAGE, &error))
}
