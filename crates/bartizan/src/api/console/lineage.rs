//! What the page of lineage shows.

use bartizan_registry::Caller;
use bartizan_registry::lineage::{Direction, Edge, Node};
use bartizan_registry::state::State;
use bartizan_registry::statement::{Standing, VersionState};

use super::scene::{PAGE, Scene, count, state_of, tone_of, verdict_of};
use crate::api::App;
use crate::api::lineage::{Walked, shown_as, standing, thing_of, walked};
use crate::console::lineage_path;
use crate::console::view::lineage::{LineageNode, LineageStart, LineageView, LineageWalk};
use crate::console::view::{DataVerdict, Paged, Tone};
use crate::failure::Failure;

/// Where a walk can begin: so many of each kind.
const STARTS: usize = 20;

/// The beginnings of walks.
pub(super) async fn beginnings(app: &App, caller: &Caller) -> Result<LineageView, Failure> {
    let named = app.registry.lineage(caller).await?;
    let scene = Scene::set(app).await?;
    let state = &scene.state;
    let mut nodes: Vec<Node> = state.sources().keys().take(STARTS).copied().map(Node::Source).collect();
    let mut data: Vec<_> = state.datasets().values().filter_map(|versions| versions.get_max()).collect();
    data.sort_unstable_by_key(|(_, found)| std::cmp::Reverse(found.statement.entry));
    nodes.extend(
        data.iter().take(STARTS).filter_map(|(_, found)| found.body.version_ref()).map(Node::Dataset),
    );
    let mut models: Vec<_> = state.models().values().filter_map(|model| model.versions.get_max()).collect();
    models.sort_unstable_by_key(|(_, found)| std::cmp::Reverse(found.statement.entry));
    nodes.extend(models.iter().take(STARTS).map(|(_, found)| Node::Model(found.body.version.clone())));
    let start = |node: &Node| {
        let way = |direction, word| {
            let there = named.graph.around(node, direction).next().is_some();
            there.then(|| lineage_path(&thing_of(node), word))
        };
        LineageStart {
            kind: node.kind(),
            name: shown_as(&named, node),
            up: way(Direction::Up, "up"),
            down: way(Direction::Down, "down"),
        }
    };
    let starts = nodes.iter().map(start).collect();
    Ok(LineageView { frame: scene.frame(app, caller), starts, walk: None })
}

/// A walk from a thing.
pub(super) async fn walk(
    app: &App,
    caller: Caller,
    thing: &str,
    direction: Direction,
    skip: usize,
) -> Result<LineageView, Failure> {
    let scene = Scene::set(app).await?;
    let frame = scene.frame(app, &caller);
    let found = walked(app, caller, thing, None, direction, (skip, PAGE)).await?;
    Ok(LineageView { frame, starts: Vec::new(), walk: Some(shown(&scene.state, &found, skip)) })
}

fn shown(state: &State, walked: &Walked, skip: usize) -> LineageWalk {
    let Walked { start, direction, found, named } = walked;
    let thing = thing_of(start);
    let (word, other) = match direction {
        Direction::Up => ("up", "down"),
        Direction::Down => ("down", "up"),
    };
    let rows: Vec<LineageNode> = found
        .nodes
        .iter()
        .map(|reached| LineageNode {
            kind: reached.node.kind(),
            name: shown_as(named, &reached.node),
            href: Some(lineage_path(&thing_of(&reached.node), word)),
            depth: reached.depth,
            standing: standing(state, &reached.node).map(|word| (word, tone(state, &reached.node))),
            over: reached.over.as_ref().map(|edge| (edge.relation.as_str(), edge.relation.proven())),
            entry: reached.over.as_ref().and_then(|edge| edge.entry),
        })
        .collect();
    let place = |node: &Node| found.nodes.iter().position(|reached| reached.node == *node);
    let edge = |edge: &Edge| Some((place(&edge.from)?, place(&edge.to)?, edge.relation.proven()));
    LineageWalk {
        of: shown_as(named, start),
        upwards: *direction == Direction::Up,
        turned: lineage_path(&thing, other),
        edges: found.edges.iter().filter_map(edge).collect(),
        nodes: Paged {
            rows,
            total: count(found.total),
            first: (skip > 0).then(|| lineage_path(&thing, word)),
            next: found.next.map(|next| format!("{}&skip={next}", lineage_path(&thing, word))),
        },
        cut: found.cut,
        thing,
    }
}

/// How good it is that a thing stands as it does.
fn tone(state: &State, node: &Node) -> Tone {
    match node {
        Node::Source(id) => match state.sources().get(id).map(|source| source.standing) {
            Some(Standing::Active) => Tone::Ok,
            _ => Tone::Warn,
        },
        Node::Dataset(version) => {
            let outcome = state.dataset(version).map(|found| verdict_of(&found.body.verdict.outcome));
            match outcome {
                Some(DataVerdict::Valid) => Tone::Ok,
                Some(DataVerdict::Invalid) => Tone::Bad,
                Some(DataVerdict::Error) | None => Tone::Warn,
            }
        }
        Node::Model(version) => match state.version(version) {
            Some(found) if found.state == VersionState::Candidate => Tone::Neutral,
            Some(found) => tone_of(state_of(state, found)),
            None => Tone::Neutral,
        },
        Node::Endpoint(name) => {
            let routed = state.endpoints().get(name).is_some_and(|found| found.body.primary.is_some());
            if routed { Tone::Ok } else { Tone::Neutral }
        }
        Node::Run(_) | Node::Prediction(_) | Node::ForeignDataset(_) | Node::ForeignJob(_) => Tone::Neutral,
    }
}
