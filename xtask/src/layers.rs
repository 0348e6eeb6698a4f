//! Compares `ARCHITECTURE.md` with the packages: code map, layers, and who may name which dependency.

use std::collections::{BTreeMap, BTreeSet};

use crate::markdown::{block_under, table_under};
use crate::{Finding, Text};

const PLACE: &str = "ARCHITECTURE.md";
/// Keeps house and is no part of the product: in the map, in no layer, and nothing depends on it.
const CHORES: &str = "xtask";

/// What `ARCHITECTURE.md` says.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The layers, top first; the crates of one line don't know each other.
    pub layers: Vec<Vec<String>>,
    /// The crates of the code map.
    pub map: Vec<String>,
    /// Pairs of a crate and a crate above it that its tests may use.
    pub upward_in_tests: Vec<(String, String)>,
    /// Packages from elsewhere, and the only crates that may name them.
    pub owners: Vec<(String, Vec<String>)>,
}

/// A crate of the workspace.
#[derive(Debug, Clone)]
pub struct Package {
    /// The name without `bartizan-` before it.
    pub name: String,
    /// The packages it depends on; those of the workspace without `bartizan-` before them.
    pub uses: Vec<Use>,
}

/// A dependency as a `Cargo.toml` declares it.
#[derive(Debug, Clone)]
pub struct Use {
    /// The package.
    pub name: String,
    /// Whether only tests, examples and benches use it.
    pub only_in_tests: bool,
}

impl Plan {
    /// Reads the headings `Layers`, `Code map`, `Upward in tests` and `Packages with an owner`.
    pub fn parse(architecture: &str) -> Plan {
        let cell = |row: &[String], index: usize| row.get(index).cloned().unwrap_or_default();
        let words =
            |text: &str| text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let layers = block_under(architecture, "## Layers").into_iter().map(words);
        let map = table_under(architecture, "## Code map");
        let upward = table_under(architecture, "### Upward in tests");
        let owners = table_under(architecture, "### Packages with an owner");
        Plan {
            layers: layers.filter(|layer: &Vec<String>| !layer.is_empty()).collect(),
            map: map.iter().map(|row| cell(row, 0)).collect(),
            upward_in_tests: upward.iter().map(|row| (cell(row, 0), cell(row, 1))).collect(),
            owners: owners.iter().map(|row| (cell(row, 0), words(&cell(row, 1)))).collect(),
        }
    }
}

/// Where the packages are not what the plan says.
pub fn layers(plan: &Plan, packages: &[Package], sources: &[Text]) -> Vec<Finding> {
    let mut findings = same_crates(plan, packages);
    findings.extend(downward_only(plan, packages));
    findings.extend(owned(plan, packages, sources));
    findings
}

/// Code map, layer picture and workspace name the same crates, each once.
fn same_crates(plan: &Plan, packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let real: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let drawn: Vec<&str> = plan.layers.iter().flatten().map(String::as_str).collect();
    let mapped: Vec<&str> = plan.map.iter().map(String::as_str).collect();
    let layered = real.iter().copied().filter(|name| *name != CHORES).collect();
    let pairs = [("the layer picture", &drawn, &layered), ("the code map", &mapped, &real)];
    for (where_, names, wanted) in pairs {
        for (index, name) in names.iter().enumerate() {
            if !wanted.contains(name) {
                findings
                    .push(Finding::new(PLACE, format!("{where_} names `{name}`, which is no such crate")));
            }
            if names.iter().take(index).any(|before| before == name) {
                findings.push(Finding::new(PLACE, format!("{where_} names `{name}` twice")));
            }
        }
        for name in wanted.iter().filter(|name| !names.contains(name)) {
            findings.push(Finding::new(PLACE, format!("{where_} lacks the crate `{name}`")));
        }
    }
    findings
}

/// A crate depends on lower lines only; its tests also on what the plan allows by name.
fn downward_only(plan: &Plan, packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines =
        plan.layers.iter().enumerate().flat_map(|(line, names)| names.iter().map(move |name| (name, line)));
    let line_of: BTreeMap<&String, usize> = lines.collect();
    let mut needed = BTreeSet::new();
    for package in packages {
        for used in &package.uses {
            if used.name == CHORES || (package.name == CHORES && line_of.contains_key(&used.name)) {
                let what = format!("depends on `{}`, but `{CHORES}` stands apart", used.name);
                findings.push(Finding::new(&package.name, what));
                continue;
            }
            let (Some(own), Some(other)) = (line_of.get(&package.name), line_of.get(&used.name)) else {
                continue;
            };
            if other > own {
                continue;
            }
            let pair = (package.name.clone(), used.name.clone());
            if used.only_in_tests && plan.upward_in_tests.contains(&pair) {
                needed.insert(pair);
                continue;
            }
            let whose = if used.only_in_tests { "its tests use" } else { "depends on" };
            let what = format!("{whose} `{}`, which is not below it in the layers", used.name);
            findings.push(Finding::new(&package.name, what));
        }
    }
    for (user, used) in plan.upward_in_tests.iter().filter(|pair| !needed.contains(pair)) {
        let what = format!("allows the tests of `{user}` to use `{used}`, which they don't");
        findings.push(Finding::new(PLACE, what));
    }
    findings
}

/// Packages with an owner are declared and named by their owners only, and by each of them.
fn owned(plan: &Plan, packages: &[Package], sources: &[Text]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (dependency, owners) in &plan.owners {
        let users: BTreeSet<&String> = packages
            .iter()
            .filter(|package| package.uses.iter().any(|used| used.name == *dependency))
            .map(|package| &package.name)
            .collect();
        for user in users.iter().filter(|user| !owners.contains(user)) {
            let what = format!("depends on `{dependency}`, which belongs to {}", owners.join(", "));
            findings.push(Finding::new(*user, what));
        }
        for owner in owners.iter().filter(|owner| !users.contains(owner)) {
            let what = format!("gives `{dependency}` to `{owner}`, which does not use it");
            findings.push(Finding::new(PLACE, what));
        }
        let name_in_code = dependency.replace('-', "_");
        for source in sources {
            let within = source.path.strip_prefix("crates/").and_then(|rest| rest.split_once('/'));
            let Some((home, _)) = within else { continue };
            if owners.iter().any(|owner| owner == home) {
                continue;
            }
            for (number, line) in source.text.lines().enumerate() {
                if !line.trim_start().starts_with("//") && names(line, &name_in_code) {
                    let place = format!("{}:{}", source.path, number + 1);
                    findings.push(Finding::new(
                        place,
                        format!("names `{dependency}`, which belongs to {}", owners.join(", ")),
                    ));
                }
            }
        }
    }
    findings
}

/// Whether the line uses the crate `name`: the whole word, followed by `::`, or in a `use`.
fn names(line: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let (before, after) =
            (line.get(..at).unwrap_or_default(), line.get(at + name.len()..).unwrap_or_default());
        let whole = !before.ends_with(is_word) && !after.starts_with(is_word);
        let nested = before.ends_with("::") && !before.ends_with("use ::");
        whole && !nested && (after.starts_with("::") || before.trim_start().starts_with("use "))
    })
}
