//! Error ids: each one that the code names is explained in the catalogue, once.

use std::collections::BTreeMap;

use crate::{Finding, Text};

/// Where ids are declared and explained.
const CATALOGUE: &str = "crates/bartizan/src/catalog.rs";
const START: &str = "BZ-";
const DIGITS: usize = 4;

/// Ids that are used without being in the catalogue, or are in it twice.
///
/// A declaration in the catalogue is the id as a whole string literal, `"BZ-0123"`; any other mention there,
/// as in "see BZ-0124", is a use like those in other files.
pub fn error_ids(sources: &[Text]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut declared: BTreeMap<&str, usize> = BTreeMap::new();
    let mut used: Vec<(String, &str)> = Vec::new();
    for source in sources.iter().filter(|source| !source.path.starts_with("xtask/")) {
        for (number, line) in source.text.lines().enumerate() {
            for (id, is_literal) in ids(line) {
                if is_literal && source.path == CATALOGUE {
                    *declared.entry(id).or_default() += 1;
                } else {
                    used.push((format!("{}:{}", source.path, number + 1), id));
                }
            }
        }
    }
    for (id, times) in declared.iter().filter(|(_, times)| **times > 1) {
        findings.push(Finding::new(CATALOGUE, format!("declares {id} {times} times")));
    }
    for (place, id) in used.into_iter().filter(|(_, id)| !declared.contains_key(id)) {
        findings.push(Finding::new(place, format!("uses {id}, which is not in {CATALOGUE}")));
    }
    findings
}

/// The ids in a line, and whether each is a string literal of its own.
fn ids(line: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices(START) {
        let end = at + START.len() + DIGITS;
        let (Some(id), before, after) = (line.get(at..end), line.get(..at), line.get(end..)) else {
            continue;
        };
        let digits = id.bytes().skip(START.len()).all(|byte| byte.is_ascii_digit());
        let after = after.unwrap_or_default();
        if digits && !after.starts_with(|c: char| c.is_ascii_digit()) {
            found.push((id, before.unwrap_or_default().ends_with('"') && after.starts_with('"')));
        }
    }
    found
}
