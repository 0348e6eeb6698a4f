//! Lineage: walks up and down, what saw a source, and what other systems say of theirs.

use std::collections::BTreeSet;
use std::sync::Arc;

use bartizan_base::Timestamp;
use bartizan_data::openlineage;
use bartizan_gateway::PredictionId;
use bartizan_registry::lineage::{Direction, Edge, Foreign, Found, Node, Reached, Relation, Walk, Window};
use bartizan_registry::state::State;
use bartizan_registry::{Caller, NamedGraph};
use serde_json::{Value, json};

use super::upload::consumed;
use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;

/// Things on one page, when nobody says otherwise.
const PAGE: usize = 200;

/// Walks from a thing.
pub(super) async fn walk(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let direction = match call.query.get("direction").map(String::as_str) {
        Some("up") => Direction::Up,
        Some("down") => Direction::Down,
        _ => return Err(Failure::new(ids::INVALID, "`direction` is `up` or `down`")),
    };
    let thing = call.query.get("of").cloned().unwrap_or_default();
    let kind = call.query.get("kind").cloned();
    let (skip, limit) = (call.query("skip")?.unwrap_or(0), call.query("limit")?.unwrap_or(PAGE));
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let walked = walked(app, caller, &thing, kind.as_deref(), direction, (skip, limit)).await?;
    Ok(Answer::Json(walked.json(&app.registry.state())))
}

/// What a walk found, with the names that it is shown by.
pub(super) struct Walked {
    pub(super) start: Node,
    pub(super) direction: Direction,
    pub(super) found: Found,
    pub(super) named: NamedGraph,
}

/// Walks from a thing that somebody named, for whoever may.
pub(super) async fn walked(
    app: &App,
    caller: Caller,
    thing: &str,
    kind: Option<&str>,
    direction: Direction,
    (skip, limit): (usize, usize),
) -> Result<Walked, Failure> {
    let named = app.registry.lineage(&caller).await?;
    let start = start(app, &named, thing, kind)?;
    let walk = |start: Node, skip: usize, limit: usize| {
        named.graph.walk(&Walk { start, direction, window: Window::default(), skip, limit })
    };
    let Node::Prediction(id) = &start else {
        let found = walk(start.clone(), skip, limit);
        return Ok(Walked { start, direction, found, named });
    };
    // Predictions come by the million and are no part of the graph: one of them is put before the walk from what made it.
    let id: PredictionId = id.parse().map_err(|error| Failure::of(ids::INVALID, &error))?;
    let (envelope, segment) = super::prove::answered(app, caller, id).await?;
    let model = envelope.model.clone().filter(|_| direction == Direction::Up);
    let first = Reached { node: start.clone(), depth: 0, over: None };
    let Some(model) = model else {
        let found = Found { nodes: vec![first], edges: Vec::new(), total: 1, next: None, cut: false };
        return Ok(Walked { start, direction, found, named });
    };
    let edge = Edge {
        from: Node::Model(model.clone()),
        to: start.clone(),
        relation: Relation::Answered,
        entry: app.registry.state().segment_entry(&envelope.gateway, segment),
        first: envelope.time,
        at: envelope.time,
    };
    let mut found =
        walk(Node::Model(model), skip.saturating_sub(1), limit.saturating_sub(usize::from(skip == 0)).max(1));
    for reached in &mut found.nodes {
        reached.depth = reached.depth.saturating_add(1);
        if reached.over.is_none() {
            reached.over = Some(edge.clone());
        }
    }
    if skip == 0 {
        found.nodes.insert(0, first);
        found.edges.insert(0, edge);
    }
    found.total = found.total.saturating_add(1);
    found.next = found.next.map(|next| next.saturating_add(1));
    Ok(Walked { start, direction, found, named })
}

/// The thing that somebody means.
fn start(app: &App, named: &NamedGraph, thing: &str, kind: Option<&str>) -> Result<Node, Failure> {
    let state = app.registry.state();
    let unknown = || {
        let shown: String = thing.chars().take(80).collect();
        Failure::new(ids::NOT_FOUND, format!("nothing is known of `{shown}`"))
            .then("bartizan lineage up --help says how things are named")
    };
    let invalid = |error: &dyn std::error::Error| Failure::of(ids::INVALID, error);
    let (kind, name) = match (kind, thing.split_once(':')) {
        (Some(kind), _) => (kind, thing),
        (None, Some((kind @ ("model" | "dataset" | "source" | "run" | "endpoint" | "external"), name)))
            // `model:1` is version 1 of something that is called `model`.
            if kind == "source" || kind == "endpoint" || kind == "external" || name.contains([':', '_']) =>
        {
            (kind, name)
        }
        (None, _) if thing.starts_with("run_") => ("run", thing),
        (None, _) if thing.starts_with("prd_") => ("prediction", thing),
        (None, _) if thing.starts_with("src_") => ("source", thing),
        (None, _) => ("version", thing),
    };
    match kind {
        "source" => {
            let id = name.parse().ok().filter(|id| state.sources().contains_key(id));
            let id = id.or_else(|| named.names.iter().find(|(_, known)| *known == name).map(|(id, _)| *id));
            id.map(Node::Source).ok_or_else(|| {
                let shown: String = name.chars().take(80).collect();
                let what = format!("`{shown}` is no source that this project knows");
                let mut failure = Failure::new(ids::NOT_FOUND, what).then("bartizan data source list");
                failure.why.push(
                    "what `data add --source` says in words is shown with each version, and nothing can be asked of it"
                        .to_owned(),
                );
                failure
            })
        }
        "run" => {
            let run = name.parse().map_err(|error| invalid(&error))?;
            state.runs().contains_key(&run).then_some(Node::Run(run)).ok_or_else(unknown)
        }
        "endpoint" => {
            let endpoint = name.parse().map_err(|error| invalid(&error))?;
            state.endpoints().contains_key(&endpoint).then_some(Node::Endpoint(endpoint)).ok_or_else(unknown)
        }
        "prediction" => Ok(Node::Prediction(name.to_owned())),
        "external" => {
            // A namespace may hold slashes, and so may a name: every cut is tried.
            let cuts = name.match_indices('/').map(|(at, _)| name.split_at(at));
            let foreign = cuts.map(|(namespace, rest)| Foreign {
                namespace: namespace.to_owned(),
                name: rest.strip_prefix('/').unwrap_or(rest).to_owned(),
            });
            let nodes = foreign
                .flat_map(|foreign| [Node::ForeignDataset(foreign.clone()), Node::ForeignJob(foreign)]);
            let mut nodes = nodes;
            nodes.find(|node| named.graph.knows(node)).ok_or_else(unknown)
        }
        kind => {
            let version = name.parse().map_err(|error| invalid(&error))?;
            match (kind, state.version(&version).is_some(), state.dataset(&version).is_some()) {
                ("model", true, _) | ("version", true, false) => Ok(Node::Model(version)),
                ("dataset", _, true) | ("version", false, true) => Ok(Node::Dataset(version)),
                ("version", true, true) => {
                    let what = format!("{version} is a model version and a data set version");
                    Err(Failure::new(ids::INVALID, what)
                        .then(format!("name it model:{version} or dataset:{version}")))
                }
                _ => Err(unknown()),
            }
        }
    }
}

/// Which models saw a thing.
pub(super) async fn impact(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let caller = call.caller()?;
    let named = app.registry.lineage(caller).await?;
    let window = Window { since: call.query::<Timestamp>("since")?, until: call.query("until")? };
    let source = call.query.get("source").map(String::as_str);
    let thing = source.or_else(|| call.query.get("of").map(String::as_str)).unwrap_or_default();
    let start = start(app, &named, thing, source.map(|_| "source"))?;
    if window != Window::default() && !matches!(start, Node::Source(_)) {
        let what = format!("`since` and `until` say when a source delivered, and {thing} is none");
        return Err(Failure::new(ids::INVALID, what));
    }
    if window.is_empty() {
        return Err(Failure::new(
            ids::INVALID,
            "`since` is not before `until`, so nothing was delivered between",
        ));
    }
    let (skip, limit): (usize, usize) =
        (call.query("skip")?.unwrap_or(0), call.query("limit")?.unwrap_or(PAGE).clamp(1, 1_000));
    let (impacted, cut) = named.graph.impact(&start, window);
    let (state, total) = (app.registry.state(), impacted.len());
    let serves = |edge: &&Edge| matches!(edge.relation, Relation::Serves | Relation::StandsIn);
    // An endpoint with a route and a fallback is one endpoint.
    let edges = impacted.iter().flat_map(|impacted| impacted.endpoints.iter());
    let live: BTreeSet<&Node> = edges.filter(serves).map(|edge| &edge.to).collect();
    let rows: Vec<Value> = impacted
        .iter()
        .enumerate()
        .filter_map(|(at, impacted)| {
            let shown = at >= skip && at < skip.saturating_add(limit);
            shown.then(|| {
                let endpoints = impacted.endpoints.iter().map(|edge| {
                    let live = serves(&edge);
                    json!({ "endpoint": edge.to.to_string(), "live": live, "as": edge.relation.as_str(), "entry": edge.entry })
                });
                let path: Vec<String> =
                    impacted.path.iter().map(|edge| shown_as(&named, &edge.to)).collect();
                let found = state.version(&impacted.version);
                json!({
                    "version": impacted.version.to_string(),
                    "state": found.map(|found| state.standing_of(found)),
                    "path": path,
                    "entries": impacted.path.iter().map(|edge| edge.entry).collect::<Vec<_>>(),
                    "proven": impacted.path.iter().all(|edge| edge.relation.proven()),
                    "endpoints": endpoints.collect::<Vec<_>>(),
                })
            })
        })
        .collect();
    let end = skip.saturating_add(rows.len());
    Ok(Answer::Json(json!({
        "of": { "kind": start.kind(), "id": start.to_string(), "name": shown_as(&named, &start) },
        "since": window.since,
        "until": window.until,
        "models": rows,
        "total": total,
        "liveEndpoints": live.len(),
        "next": (end < total).then_some(end),
        "cut": cut,
    })))
}

/// States what events of another system say.
pub(super) async fn import(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    // Whoever may not say anything does not give the server work.
    app.registry.ask_to_import_lineage(&caller).await?;
    let lineage = consumed(call, openlineage::read).await?;
    let lineage = lineage.map_err(|error| Failure::of(ids::OPENLINEAGE, &error))?;
    let (events, jobs, datasets, runs, flows) =
        (lineage.events, lineage.jobs.len(), lineage.datasets.len(), lineage.runs.len(), lineage.flows.len());
    let facets = lineage.facets.iter().fold(0_u64, |sum, facet| sum.saturating_add(facet.count));
    let entry = app.registry.import_lineage(&caller, lineage).await?;
    Ok(Answer::Json(json!({
        "entry": entry, "events": events, "jobs": jobs, "datasets": datasets, "runs": runs, "edges": flows,
        "facetsKeptAsDigests": facets,
    })))
}

/// What people call a thing: a source by its name.
pub(super) fn shown_as(named: &NamedGraph, node: &Node) -> String {
    match node {
        Node::Source(id) => named.names.get(id).cloned().unwrap_or_else(|| id.to_string()),
        other => other.to_string(),
    }
}

/// How a thing is named so that it can be asked about.
pub(super) fn thing_of(node: &Node) -> String {
    match node {
        Node::Dataset(version) => format!("dataset:{version}"),
        Node::Model(version) => format!("model:{version}"),
        Node::Endpoint(endpoint) => format!("endpoint:{endpoint}"),
        Node::Source(source) => format!("source:{source}"),
        Node::ForeignDataset(_) | Node::ForeignJob(_) => format!("external:{node}"),
        Node::Run(_) | Node::Prediction(_) => node.to_string(),
    }
}

/// How a thing stands, in a word or two, where that matters.
pub(super) fn standing(state: &State, node: &Node) -> Option<String> {
    match node {
        Node::Source(id) => state.sources().get(id).map(|source| source.standing.to_string()),
        Node::Dataset(version) => state.dataset(version).map(|found| found.body.verdict.outcome.clone()),
        Node::Model(version) => state.version(version).map(|found| state.standing_of(found)),
        Node::Endpoint(name) => state.endpoints().get(name).map(|found| match &found.body.primary {
            Some(primary) => format!("routed to {}", primary.version),
            None => "disabled".to_owned(),
        }),
        Node::Run(_) | Node::Prediction(_) | Node::ForeignDataset(_) | Node::ForeignJob(_) => None,
    }
}

/// Whether an entry shows that something is so, or somebody says it.
const fn basis(edge: &Edge) -> &'static str {
    if edge.relation.proven() { "proven" } else { "asserted" }
}

impl Walked {
    fn json(&self, state: &State) -> Value {
        let node = |reached: &Reached| {
            let over = reached.over.as_ref();
            let via = over.map(|edge| match self.direction {
                Direction::Up => &edge.to,
                Direction::Down => &edge.from,
            });
            json!({
                "id": thing_of(&reached.node),
                "kind": reached.node.kind(),
                "name": shown_as(&self.named, &reached.node),
                "depth": reached.depth,
                "standing": standing(state, &reached.node),
                "via": via.map(thing_of),
                "relation": over.map(|edge| edge.relation.as_str()),
                "basis": over.map(basis),
                "entry": over.and_then(|edge| edge.entry),
            })
        };
        let edge = |edge: &Edge| {
            json!({
                "from": thing_of(&edge.from),
                "to": thing_of(&edge.to),
                "relation": edge.relation.as_str(),
                "basis": basis(edge),
                "entry": edge.entry,
                "at": edge.at,
            })
        };
        json!({
            "of": thing_of(&self.start),
            "direction": match self.direction { Direction::Up => "up", Direction::Down => "down" },
            "nodes": self.found.nodes.iter().map(node).collect::<Vec<_>>(),
            "edges": self.found.edges.iter().map(edge).collect::<Vec<_>>(),
            "total": self.found.total,
            "next": self.found.next,
            "cut": self.found.cut,
        })
    }
}
