//! Every stored format has its document, and every document is listed.

use std::collections::BTreeSet;

use crate::markdown::links;
use crate::{Finding, Text};

const INDEX: &str = "docs/formats/README.md";
const FOLDER: &str = "docs/formats/";

/// Where the index of formats and the documents beside it don't match, one way or the other.
///
/// `index` is the text of `docs/formats/README.md`; `documents` are the other files in that folder.
pub fn formats(index: &str, documents: &[Text]) -> Vec<Finding> {
    let linked: BTreeSet<&str> = links(index).into_iter().filter(|target| !target.contains(':')).collect();
    let real: BTreeSet<&str> =
        documents.iter().filter_map(|document| document.path.strip_prefix(FOLDER)).collect();
    // Links that leave the folder lead to code or other documents; whether those exist shows elsewhere.
    let broken = linked.iter().filter(|target| !target.starts_with("..") && !real.contains(*target));
    let broken =
        broken.map(|target| Finding::new(INDEX, format!("links to `{target}`, which does not exist")));
    let unlisted = real.iter().filter(|name| !linked.contains(*name));
    let unlisted =
        unlisted.map(|name| Finding::new(format!("{FOLDER}{name}"), format!("is not listed in {INDEX}")));
    let empty = documents.iter().filter(|document| document.text.trim().is_empty());
    let empty = empty.map(|document| Finding::new(&document.path, "is empty"));
    broken.chain(unlisted).chain(empty).collect()
}
