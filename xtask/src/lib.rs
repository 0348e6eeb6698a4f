//! Holds the repository to what its documents say of it: layers, code map, file shape, formats, error ids.
//!
//! Each rule is a pure function from documents, package lists and source texts to findings; only `tree`
//! reads the disk and asks cargo. `cargo test --workspace` runs all rules on this repository and each rule on
//! texts that break it; `cargo run -p xtask` prints the findings for somebody in a hurry. Formatting,
//! lints and spelling are left to the tools that are made for them.
//!
//! ```text
//!   ARCHITECTURE.md --markdown--> Plan -----------\
//!   cargo metadata ----tree-----> [Package] -------+--layers, sources, formats, error_ids--> [Finding]
//!   *.rs, docs/formats/*.md ----> [Text] ---------/
//! ```

mod error_ids;
mod formats;
mod layers;
mod markdown;
mod sources;
mod tree;

pub use crate::error_ids::error_ids;
pub use crate::formats::formats;
pub use crate::layers::{Package, Plan, Use, layers};
pub use crate::markdown::{block_under, links, table_under};
pub use crate::sources::{FLAT_TABLES, MOST_LINES, manifests, sources};
pub use crate::tree::{Tree, read};

/// A text file of the repository.
#[derive(Debug, Clone)]
pub struct Text {
    /// Its path from the repository's root, with `/` between the parts.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// One way in which the repository is not what its documents say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// A file, with a line where that helps, or a crate.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl Finding {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Finding {
        Finding { place: place.into(), what: what.into() }
    }
}

/// Everything that is wrong with the repository, sorted by place.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = layers(&Plan::parse(&tree.architecture), &tree.packages, &tree.sources);
    findings.extend(sources(&tree.sources));
    findings.extend(manifests(&tree.manifests));
    findings.extend(formats(&tree.format_index, &tree.formats));
    findings.extend(error_ids(&tree.sources));
    findings.sort();
    findings
}
