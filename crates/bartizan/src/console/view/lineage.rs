//! What the page of lineage is told.

use super::{Frame, Paged, Tone};

/// Where things come from, or what came of them; without a walk, where one can begin.
#[derive(Debug, Clone)]
pub(crate) struct LineageView {
    /// What surrounds the page.
    pub(crate) frame: Frame,
    /// Where a walk can begin: sources, then the newest data set and model versions.
    pub(crate) starts: Vec<LineageStart>,
    /// The walk.
    pub(crate) walk: Option<LineageWalk>,
}

/// Where a walk can begin.
#[derive(Debug, Clone)]
pub(crate) struct LineageStart {
    /// What kind of thing it is.
    pub(crate) kind: &'static str,
    /// What it is called.
    pub(crate) name: String,
    /// Its walk upwards, if anything is there.
    pub(crate) up: Option<String>,
    /// Its walk downwards.
    pub(crate) down: Option<String>,
}

/// A walk from a thing.
#[derive(Debug, Clone)]
pub(crate) struct LineageWalk {
    /// What it began from.
    pub(crate) of: String,
    /// The same as the command line names it.
    pub(crate) thing: String,
    /// Whether it goes to what the thing came from.
    pub(crate) upwards: bool,
    /// The same walk the other way.
    pub(crate) turned: String,
    /// What it found, nearest first.
    pub(crate) nodes: Paged<LineageNode>,
    /// Which of the nodes on this page came of which, by their places from 0, and whether that is proven.
    pub(crate) edges: Vec<(usize, usize, bool)>,
    /// Whether there may be more than was looked at.
    pub(crate) cut: bool,
}

/// A thing on a walk.
#[derive(Debug, Clone)]
pub(crate) struct LineageNode {
    /// What kind of thing it is.
    pub(crate) kind: &'static str,
    /// What it is called.
    pub(crate) name: String,
    /// The walk from it.
    pub(crate) href: Option<String>,
    /// Over how many edges it was reached.
    pub(crate) depth: usize,
    /// How it stands, if that is known, and how good that is.
    pub(crate) standing: Option<(String, Tone)>,
    /// How it hangs together with what it was reached from, and whether that is proven.
    pub(crate) over: Option<(&'static str, bool)>,
    /// The entry that says so.
    pub(crate) entry: Option<u64>,
}
