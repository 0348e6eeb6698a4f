//! The edges of the graph, taken from the fold of a ledger.

use std::collections::BTreeMap;

use bartizan_base::{SourceId, Timestamp, VersionRef};
use bartizan_data::openlineage::{Direction as Flow, Lineage, Named};

use super::{Edge, Foreign, Graph, Node, Relation};
use crate::state::{Dataset, OriginSource, State, Version};

/// What another system said, as it is kept, with the entry that states it.
#[derive(Debug, Clone)]
pub struct External {
    /// The entry.
    pub entry: u64,
    /// When it was stated.
    pub at: Timestamp,
    /// What was said.
    pub lineage: Lineage,
}

impl Graph {
    /// The graph of a fold, with what other systems said. `names` are those of the sources, which foreign data sets can
    /// be called after.
    pub fn of(state: &State, external: &[External], names: &BTreeMap<SourceId, String>) -> Self {
        let mut graph = Self::default();
        for dataset in state.datasets().values().flat_map(|versions| versions.values()) {
            graph.add_dataset(state, dataset);
        }
        for run in state.runs().values() {
            let (to, at) = (Node::Run(run.body.run), run.body.act.at);
            for input in &run.body.inputs {
                let from = Node::Dataset(input.version.clone());
                let entry = Some(run.statement.entry);
                graph.add(Edge { from, to: to.clone(), relation: Relation::Read, entry, first: at, at });
            }
        }
        for version in state.models().values().flat_map(|model| model.versions.values()) {
            graph.add_version(state, version);
        }
        graph.add_endpoints(state);
        let sources: BTreeMap<&str, SourceId> = names.iter().map(|(id, name)| (name.as_str(), *id)).collect();
        let project = state.project().map(|project| project.id.to_string()).unwrap_or_default();
        for said in external {
            graph.add_external(state, said, &project, &sources);
        }
        graph
    }

    fn add_dataset(&mut self, state: &State, dataset: &Dataset) {
        let Some(version) = dataset.body.version_ref() else { return };
        let (to, entry, at) = (Node::Dataset(version), dataset.statement.entry, dataset.body.act.at);
        // A source that delivered several parts of a version is one edge: as good as the weakest of them.
        let mut sources: BTreeMap<SourceId, Relation> = BTreeMap::new();
        for from in dataset.body.parts.iter().filter_map(|part| part.from.as_ref()) {
            let source = state.sources().get(&from.source);
            let counts = |key| source.is_some_and(|source| source.counts(key, entry));
            let relation = match &from.signature {
                Some(signature) if counts(signature.key) => match signature.form.over_digest() {
                    true => Relation::Signed,
                    false => Relation::SignedBytes,
                },
                _ => Relation::Delivered,
            };
            let weakest = sources.entry(from.source).or_insert(relation);
            *weakest = relation.max(*weakest);
        }
        for (source, relation) in sources {
            let from = Node::Source(source);
            self.add(Edge { from, to: to.clone(), relation, entry: Some(entry), first: at, at });
        }
        if let Some(extended) = &dataset.body.extends {
            let (from, relation) = (Node::Dataset(extended.version.clone()), Relation::Extended);
            self.add(Edge { from, to: to.clone(), relation, entry: Some(entry), first: at, at });
        }
        let Some(derived) = &dataset.body.derived else { return };
        for parent in &derived.from {
            let (from, relation) = (Node::Dataset(parent.version.clone()), Relation::Derived);
            self.add(Edge { from, to: to.clone(), relation, entry: Some(entry), first: at, at });
        }
        if let Some(run) = &derived.run {
            let (from, relation) = (Node::Run(run.run), Relation::Put);
            self.add(Edge { from, to, relation, entry: Some(entry), first: at, at });
        }
    }

    fn add_version(&mut self, state: &State, version: &Version) {
        let body = &version.body;
        let (to, at) = (Node::Model(body.version.clone()), body.act.at);
        let Some(origin) = state.origin_of(version) else { return };
        let entry = Some(origin.statement.entry);
        match &origin.source {
            OriginSource::Trained { run, .. } => {
                let from = Node::Run(run.run);
                self.add(Edge { from, to: to.clone(), relation: Relation::Made, entry, first: at, at });
            }
            OriginSource::Declared(declared) => {
                for dataset in &declared.trained_on {
                    let from = Node::Dataset(dataset.version.clone());
                    self.add(Edge {
                        from,
                        to: to.clone(),
                        relation: Relation::Trained,
                        entry,
                        first: at,
                        at,
                    });
                }
            }
        }
        // Files are the same in every version that has them, whichever was added first: what holds of one's making
        // holds of the other. Edges to the first of them and back connect them all.
        let first = state.of_files(body.manifest).next();
        if let Some(first) = first.filter(|first| first.body.version != body.version) {
            // It is so since the later of the two was stated.
            let later = if first.statement.entry > version.statement.entry { first } else { version };
            let (relation, entry, at) = (Relation::SameFiles, Some(later.statement.entry), later.body.act.at);
            let first = Node::Model(first.body.version.clone());
            self.add(Edge { from: first.clone(), to: to.clone(), relation, entry, first: at, at });
            self.add(Edge { from: to, to: first, relation, entry, first: at, at });
        }
    }

    fn add_endpoints(&mut self, state: &State) {
        for (version, served) in state.served() {
            for (endpoint, since) in served {
                let found = state.endpoints().get(endpoint);
                let live = found.map(|found| &found.body);
                let is = |routed: Option<&crate::statement::Routed>| {
                    routed.is_some_and(|routed| routed.version == *version)
                };
                let relation = match live {
                    Some(body) if is(body.primary.as_ref()) => Relation::Serves,
                    Some(body) if is(body.fallback.version.as_ref()) => Relation::StandsIn,
                    _ => Relation::Served,
                };
                let (from, to) = (Node::Model(version.clone()), Node::Endpoint(endpoint.clone()));
                self.add(Edge {
                    from,
                    to,
                    relation,
                    entry: Some(since.entry),
                    first: since.at,
                    at: since.at,
                });
            }
        }
    }

    fn add_external(
        &mut self,
        state: &State,
        said: &External,
        project: &str,
        sources: &BTreeMap<&str, SourceId>,
    ) {
        for flow in &said.lineage.flows {
            let Some(dataset) =
                usize::try_from(flow.dataset).ok().and_then(|at| said.lineage.datasets.get(at))
            else {
                continue;
            };
            let Some(job) = usize::try_from(flow.job).ok().and_then(|at| said.lineage.jobs.get(at)) else {
                continue;
            };
            let dataset = known(state, dataset, project, sources)
                .unwrap_or_else(|| Node::ForeignDataset(foreign(&dataset.named)));
            let job = Node::ForeignJob(foreign(job));
            let (first, at) = (flow.first.unwrap_or(flow.at), flow.at);
            let (from, to, relation) = match flow.direction {
                Flow::Read => (dataset, job, Relation::ForeignRead),
                Flow::Wrote => (job, dataset, Relation::ForeignWrote),
            };
            self.add(Edge { from, to, relation, entry: Some(said.entry), first, at });
        }
    }
}

fn foreign(named: &Named) -> Foreign {
    Foreign { namespace: named.namespace.clone(), name: named.name.clone() }
}

/// The thing of this project that another system means: a data set version by our own namespace, or a source by its
/// name. `docs/formats/openlineage.md` has the rules.
fn known(
    state: &State,
    dataset: &bartizan_data::openlineage::Dataset,
    project: &str,
    sources: &BTreeMap<&str, SourceId>,
) -> Option<Node> {
    let Named { namespace, name } = &dataset.named;
    if namespace.strip_prefix("bartizan:") == Some(project) {
        let version = match &dataset.version {
            Some(version) => format!("{name}:{version}"),
            None => name.clone(),
        };
        let version: VersionRef = version.parse().ok()?;
        return state.dataset(&version).map(|_| Node::Dataset(version));
    }
    let qualified = format!("{namespace}/{name}");
    let source = sources.get(qualified.as_str()).or_else(|| sources.get(name.as_str()));
    source.copied().map(Node::Source)
}
