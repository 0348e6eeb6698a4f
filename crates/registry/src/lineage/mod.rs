//! Where things come from and what came of them: a graph over the statements of a ledger, and bounded walks in it.
//!
//! The graph is made from the fold and from nothing else; each edge names the entry that says so. What other systems
//! said (see `docs/formats/openlineage.md`) is part of it, with nodes of its own kind.

mod graph;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use bartizan_base::{Name, RunId, SourceId, Timestamp, VersionRef};

pub use self::graph::External;
use crate::limits::{LINEAGE_PAGE, LINEAGE_WALK};

/// A thing that something can come from, or be made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// A source of data.
    Source(SourceId),
    /// A data set version.
    Dataset(VersionRef),
    /// A training run.
    Run(RunId),
    /// A model version.
    Model(VersionRef),
    /// An endpoint.
    Endpoint(Name),
    /// A prediction, by its id.
    Prediction(String),
    /// A data set of another system.
    ForeignDataset(Foreign),
    /// A job of another system.
    ForeignJob(Foreign),
}

/// What another system calls something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Foreign {
    /// Where the name counts.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl Node {
    /// The kind, in one word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Source(_) => "source",
            Self::Dataset(_) => "dataset",
            Self::Run(_) => "run",
            Self::Model(_) => "model",
            Self::Endpoint(_) => "endpoint",
            Self::Prediction(_) => "prediction",
            Self::ForeignDataset(_) => "external-dataset",
            Self::ForeignJob(_) => "external-job",
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(source) => write!(f, "{source}"),
            Self::Dataset(version) | Self::Model(version) => write!(f, "{version}"),
            Self::Run(run) => write!(f, "{run}"),
            Self::Endpoint(endpoint) => write!(f, "{endpoint}"),
            Self::Prediction(prediction) => f.write_str(prediction),
            Self::ForeignDataset(foreign) | Self::ForeignJob(foreign) => {
                write!(f, "{}/{}", foreign.namespace, foreign.name)
            }
        }
    }
}

/// How one thing came of another. Of the ways in which a source can have delivered, the weaker one is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// The source signed each part that it delivered to the data set version, with keys that count, and everybody can
    /// check that against the digests of the parts.
    Signed,
    /// It did so, but over the bytes of some part: the server checked that when it had them.
    SignedBytes,
    /// A part is from the source, as its writer says.
    Delivered,
    /// The data set version holds the parts of another one too.
    Extended,
    /// The data set version was made from another one.
    Derived,
    /// The run made the data set version, as who added it says.
    Put,
    /// The run was given the data set version.
    Read,
    /// The model version came out of the run.
    Made,
    /// The model version was trained on the data set version, as its importer declares.
    Trained,
    /// The model version has the very files of another one.
    SameFiles,
    /// The endpoint is routed to the model version.
    Serves,
    /// The endpoint falls back to the model version.
    StandsIn,
    /// The endpoint was routed to the model version, or fell back to it, once.
    Served,
    /// The model version gave the prediction.
    Answered,
    /// Another system says that its job read it.
    ForeignRead,
    /// Another system says that its job wrote it.
    ForeignWrote,
}

impl Relation {
    /// The word that answers use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed | Self::SignedBytes => "signed",
            Self::Delivered => "delivered",
            Self::Extended => "extended-by",
            Self::Derived => "derived",
            Self::Put => "put-out",
            Self::Read => "read-by",
            Self::Made => "made",
            Self::Trained => "trained",
            Self::SameFiles => "same-files",
            Self::Serves => "serves",
            Self::StandsIn => "stands-in",
            Self::Served => "served",
            Self::Answered => "answered",
            Self::ForeignRead => "external-read",
            Self::ForeignWrote => "external-wrote",
        }
    }

    /// Whether the statement itself, with its signature and those before, shows it; otherwise it is somebody's word.
    pub const fn proven(self) -> bool {
        match self {
            Self::Signed
            | Self::Extended
            | Self::Read
            | Self::Made
            | Self::SameFiles
            | Self::Serves
            | Self::StandsIn
            | Self::Served => true,
            Self::SignedBytes
            | Self::Delivered
            | Self::Derived
            | Self::Put
            | Self::Trained
            | Self::Answered
            | Self::ForeignRead
            | Self::ForeignWrote => false,
        }
    }
}

/// That one thing came of another, and which entry says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// What it came from.
    pub from: Node,
    /// What came of it.
    pub to: Node,
    /// How.
    pub relation: Relation,
    /// The entry that says so; absent for what is no entry's: the record of a prediction.
    pub entry: Option<u64>,
    /// When first, as that entry asserts: earlier than `at` where another system says it of several times.
    pub first: Timestamp,
    /// When, as that entry asserts: of several times the last.
    pub at: Timestamp,
}

/// Which way to walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To what a thing came from.
    Up,
    /// To what came of it.
    Down,
}

impl Direction {
    const fn back(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// When the deliveries of a source count, on the way down from it, and what jobs of other systems took from it: from a
/// moment on, and before another one. What
/// other sources delivered further down counts whenever they did so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this one.
    pub until: Option<Timestamp>,
}

impl Window {
    /// Whether it has no moment in it.
    pub fn is_empty(self) -> bool {
        matches!((self.since, self.until), (Some(since), Some(until)) if since >= until)
    }

    /// Whether an edge may lie in it. Of something that was so at several times only the first and the last are known:
    /// what lies between may have been in the window, and counts.
    fn holds(self, edge: &Edge) -> bool {
        self.since.is_none_or(|since| edge.at >= since) && self.until.is_none_or(|until| edge.first < until)
    }
}

/// What is asked of the graph.
#[derive(Debug, Clone)]
pub struct Walk {
    /// Where it begins.
    pub start: Node,
    /// Which way.
    pub direction: Direction,
    /// Which deliveries are followed, if it begins at a source and goes down.
    pub window: Window,
    /// How many nodes to pass over: those of the pages before.
    pub skip: usize,
    /// How many nodes to return at most.
    pub limit: usize,
}

/// A node that a walk reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The node.
    pub node: Node,
    /// Over how many edges, at least.
    pub depth: usize,
    /// The edge that it was reached over first; none for where the walk began.
    pub over: Option<Edge>,
}

/// What a walk found: one page of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The nodes, nearest first.
    pub nodes: Vec<Reached>,
    /// Every edge between nodes of the walk of which the farther one is on this page.
    pub edges: Vec<Edge>,
    /// How many nodes there are in all.
    pub total: usize,
    /// What to pass over for the next page, if there is one.
    pub next: Option<usize>,
    /// Whether there may be more than the walk looked at.
    pub cut: bool,
}

/// The graph after some entries of a ledger.
#[derive(Debug, Default)]
pub struct Graph {
    edges: Vec<Edge>,
    /// Edges by what they lead from, and by what they lead to.
    out: BTreeMap<Node, Vec<usize>>,
    into: BTreeMap<Node, Vec<usize>>,
}

impl Graph {
    fn add(&mut self, edge: Edge) {
        let at = self.edges.len();
        self.out.entry(edge.from.clone()).or_default().push(at);
        self.into.entry(edge.to.clone()).or_default().push(at);
        self.edges.push(edge);
    }

    /// Whether anything is known of a node.
    pub fn knows(&self, node: &Node) -> bool {
        self.out.contains_key(node) || self.into.contains_key(node)
    }

    /// The edges that lead from a node, or to it.
    pub fn around(&self, node: &Node, direction: Direction) -> impl Iterator<Item = &Edge> {
        let places = match direction {
            Direction::Up => self.into.get(node),
            Direction::Down => self.out.get(node),
        };
        places.into_iter().flatten().filter_map(|at| self.edges.get(*at))
    }

    /// Walks breadth first, so that what is nearest comes first; each node once.
    pub fn walk(&self, walk: &Walk) -> Found {
        let Reach { order, places, cut } = self.reach(&walk.start, walk.direction, walk.window);
        let total = order.len();
        let limit = walk.limit.clamp(1, LINEAGE_PAGE);
        let nodes: Vec<Reached> = order.into_iter().skip(walk.skip).take(limit).collect();
        let mut edges = Vec::new();
        let back = walk.direction.back();
        for reached in &nodes {
            let incoming = self.around(&reached.node, back);
            let incoming = incoming.filter(|edge| followed(edge, &walk.start, walk.window));
            edges.extend(incoming.filter(|edge| places.contains_key(end(edge, back))).cloned());
        }
        let end = walk.skip.saturating_add(nodes.len());
        Found { nodes, edges, total, next: (end < total).then_some(end), cut }
    }

    /// The model versions that came of a thing, nearest first, each with how, and whether there may be more.
    ///
    /// For a source with a window they are those that saw what it delivered in that time.
    pub fn impact(&self, start: &Node, window: Window) -> (Vec<Impacted>, bool) {
        let Reach { order, places, cut } = self.reach(start, Direction::Down, window);
        let mut impacted = Vec::new();
        for reached in &order {
            let Node::Model(version) = &reached.node else { continue };
            let mut path = Vec::new();
            let mut at = Some(reached);
            while let Some(edge) = at.and_then(|reached| reached.over.as_ref()) {
                path.push(edge.clone());
                at = places.get(&edge.from).and_then(|place| order.get(*place));
            }
            path.reverse();
            let endpoints = self.around(&reached.node, Direction::Down);
            let endpoints = endpoints.filter(|edge| matches!(edge.to, Node::Endpoint(_))).cloned().collect();
            impacted.push(Impacted { version: version.clone(), path, endpoints });
        }
        (impacted, cut)
    }

    fn reach(&self, start: &Node, direction: Direction, window: Window) -> Reach {
        let mut places = BTreeMap::from([(start.clone(), 0)]);
        let mut order = vec![Reached { node: start.clone(), depth: 0, over: None }];
        let mut open = VecDeque::from([(start.clone(), 0_usize)]);
        while let Some((node, depth)) = open.pop_front() {
            for edge in self.around(&node, direction).filter(|edge| followed(edge, start, window)) {
                let next = end(edge, direction);
                if places.contains_key(next) {
                    continue;
                }
                if order.len() >= LINEAGE_WALK {
                    return Reach { order, places, cut: true };
                }
                let depth = depth.saturating_add(1);
                places.insert(next.clone(), order.len());
                open.push_back((next.clone(), depth));
                order.push(Reached { node: next.clone(), depth, over: Some(edge.clone()) });
            }
        }
        Reach { order, places, cut: false }
    }
}

/// A model version that came of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impacted {
    /// The version.
    pub version: VersionRef,
    /// The edges from the thing to it, on a shortest way.
    pub path: Vec<Edge>,
    /// The endpoints that it serves, stands in for, or once did.
    pub endpoints: Vec<Edge>,
}

/// What a walk reached, in order, and the place of each node there.
struct Reach {
    order: Vec<Reached>,
    places: BTreeMap<Node, usize>,
    cut: bool,
}

/// Whether a walk goes over an edge: a window is about what the thing where it begins delivered, or a job of another
/// system took from it, and nothing else.
fn followed(edge: &Edge, start: &Node, window: Window) -> bool {
    use Relation::{Delivered, ForeignRead, Signed, SignedBytes};
    let delivery =
        matches!(edge.relation, Signed | SignedBytes | Delivered | ForeignRead) && edge.from == *start;
    !delivery || window.holds(edge)
}

fn end(edge: &Edge, direction: Direction) -> &Node {
    match direction {
        Direction::Up => &edge.from,
        Direction::Down => &edge.to,
    }
}
