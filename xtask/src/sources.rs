//! The shape of source files: what they are about in the first line, and an end in sight.

use crate::{Finding, Text};

/// No source file is longer, unless it is listed in [`FLAT_TABLES`].
pub const MOST_LINES: usize = 600;

/// Files that are one long flat table, which is easier to read whole.
pub const FLAT_TABLES: [&str; 1] = ["crates/bartizan/src/catalog.rs"];

/// The beginnings of SQL statements in string literals.
const SQL: [&str; 7] = [
    "\"SELECT ",
    "\"INSERT INTO ",
    "\"UPDATE ",
    "\"DELETE FROM ",
    "\"CREATE TABLE ",
    "\"ALTER TABLE ",
    "\"PRAGMA ",
];
/// The crate that has the only SQL in the tree.
const HOME_OF_SQL: &str = "crates/store/";
/// This file has the list above.
const OURSELVES: &str = "xtask/";

/// Source files that don't begin with a sentence, don't end in time, or hold SQL outside `store`.
pub fn sources(sources: &[Text]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let first = source.text.lines().next().unwrap_or_default();
        if !(first.starts_with("//! ") && first.trim_end().ends_with(['.', '?'])) {
            findings.push(Finding::new(&source.path, "the first line is not one whole `//!` sentence"));
        }
        let lines = source.text.lines().count();
        if lines > MOST_LINES && !FLAT_TABLES.contains(&source.path.as_str()) {
            findings
                .push(Finding::new(&source.path, format!("{lines} lines, and {MOST_LINES} are the most")));
        }
        if source.path.starts_with(HOME_OF_SQL) || source.path.starts_with(OURSELVES) {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            if SQL.iter().any(|start| line.contains(start)) {
                let place = format!("{}:{}", source.path, number + 1);
                findings.push(Finding::new(place, "holds SQL, which belongs to store"));
            }
        }
    }
    findings
}

/// `Cargo.toml` files of crates that don't take the workspace's lints.
pub fn manifests(manifests: &[Text]) -> Vec<Finding> {
    let lacking = manifests.iter().filter(|manifest| !manifest.text.contains("[lints]\nworkspace = true"));
    lacking.map(|manifest| Finding::new(&manifest.path, "does not take the lints of the workspace")).collect()
}
