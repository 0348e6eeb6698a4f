//! The rules on this repository, and each rule on texts that break it.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod documents;
mod layers;
mod sources;

use xtask::{Finding, Text};

#[test]
fn the_repository_is_what_its_documents_say() {
    let tree = xtask::read().unwrap();
    assert!(tree.packages.len() >= 9 && tree.sources.len() >= 50, "the tree was not read whole");
    let findings = xtask::check(&tree);
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), shown(&findings));
}

fn shown(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

fn text(path: &str, text: &str) -> Text {
    Text { path: path.to_owned(), text: text.to_owned() }
}
