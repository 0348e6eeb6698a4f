//! Lineage of a project: the graph, kept until something is stated, and what other systems say of theirs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bartizan_base::SourceId;
use bartizan_data::openlineage::Lineage;
use bartizan_policy::{ProjectWide, op};

use super::{Caller, Failed, Inner, Registry};
use crate::limits::DOCUMENT_BYTES;
use crate::lineage::{External, Found, Graph, Walk};
use crate::proof::read_private;
use crate::state::State;
use crate::statement::{LineageV1, Statement};

/// The graph that was made last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    graph: Mutex<Option<Graphed>>,
    /// What other systems said, by entry: it does not change, and reading it takes decryption.
    external: Mutex<BTreeMap<u64, External>>,
}

/// The graph after an entry, with the names of sources.
#[derive(Debug, Clone)]
struct Graphed {
    facts: u64,
    graph: Arc<Graph>,
    names: Arc<BTreeMap<SourceId, String>>,
}

/// The graph of a project with the names that people know its sources by.
#[derive(Debug, Clone)]
pub struct NamedGraph {
    /// The graph.
    pub graph: Arc<Graph>,
    /// The names of sources, as far as they were not erased.
    pub names: Arc<BTreeMap<SourceId, String>>,
}

impl Registry {
    /// The graph as it is now, for those who may see it.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn lineage(&self, caller: &Caller) -> Result<NamedGraph, Failed> {
        self.allow(caller, op::LineageShow, ProjectWide).await.map(|_| ())?;
        self.graph().await
    }

    /// Walks from a thing to what it came from, or to what came of it.
    ///
    /// # Errors
    /// When the caller may not, or nothing is known of where the walk begins.
    pub async fn walk(&self, caller: &Caller, walk: &Walk) -> Result<(Found, NamedGraph), Failed> {
        let named = self.lineage(caller).await?;
        let found = named.graph.walk(walk);
        Ok((found, named))
    }

    /// Refuses, on the record, whoever may not state what other systems say.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn ask_to_import_lineage(&self, caller: &Caller) -> Result<(), Failed> {
        self.ask_early(caller, op::LineageImport, ProjectWide).await
    }

    /// States what another system says of its jobs and data.
    ///
    /// # Errors
    /// When the caller may not, or nothing is said.
    pub async fn import_lineage(&self, caller: &Caller, lineage: Lineage) -> Result<u64, Failed> {
        let writer = self.writer().await?;
        let allowed = writer.allow(caller, op::LineageImport, ProjectWide).await?;
        if lineage.events == 0 {
            return Err(Failed::invalid("lineage", "there are no events"));
        }
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let fits = lineage.to_bytes().ok().filter(|bytes| bytes.len() <= DOCUMENT_BYTES);
        let bytes =
            fits.ok_or_else(|| Failed::invalid("lineage", "it names too much: import fewer events at once"))?;
        let body = LineageV1 {
            document: writer.seal_document(bytes).await?,
            events: lineage.events,
            jobs: count(lineage.jobs.len()),
            datasets: count(lineage.datasets.len()),
            runs: count(lineage.runs.len()),
            unread_facets: lineage.facets.iter().fold(0, |sum, facet| sum.saturating_add(facet.count)),
            act: writer.act(&allowed),
        };
        let written = writer.append(vec![Statement::about(body)]).await?;
        Ok(written.first().map(|written| written.entry).unwrap_or_default())
    }

    async fn graph(&self) -> Result<NamedGraph, Failed> {
        let state = self.state();
        let kept = self.inner.lineage.graph.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(Graphed { facts, graph, names }) = kept
            && facts == state.facts()
        {
            return Ok(NamedGraph { graph, names });
        }
        let names = Arc::new(self.source_names().await?);
        self.blocking(move |inner| {
            let external = inner.external(&state);
            let graph = Arc::new(Graph::of(&state, &external, &names));
            let mut kept = inner.lineage.graph.lock().unwrap_or_else(PoisonError::into_inner);
            *kept =
                Some(Graphed { facts: state.facts(), graph: Arc::clone(&graph), names: Arc::clone(&names) });
            Ok(NamedGraph { graph, names })
        })
        .await
    }
}

impl Inner {
    /// What other systems said, as far as it was not erased.
    fn external(&self, state: &State) -> Vec<External> {
        let mut all = Vec::new();
        for said in state.external_lineage() {
            let entry = said.statement.entry;
            let known =
                self.lineage.external.lock().unwrap_or_else(PoisonError::into_inner).get(&entry).cloned();
            // What was read once and is erased since is still gone.
            let there = self.keys.unseal(self.blobs.as_ref(), &said.body.document.blob).is_ok();
            let read = || {
                let (bytes, _) = read_private(&self.keys, self.blobs.as_ref(), &said.body.document).ok()?;
                let lineage = Lineage::parse(&bytes).ok()?;
                Some(External { entry, at: said.body.act.at, lineage })
            };
            let found = if there { known.or_else(read) } else { None };
            let mut kept = self.lineage.external.lock().unwrap_or_else(PoisonError::into_inner);
            match found {
                Some(external) => {
                    kept.insert(entry, external.clone());
                    all.push(external);
                }
                None => {
                    kept.remove(&entry);
                }
            }
        }
        all
    }
}
