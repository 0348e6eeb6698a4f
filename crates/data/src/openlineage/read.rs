//! Reading events: a JSON object a line, within limits, each a run, data set or job event.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use bartizan_base::{Timestamp, sha256};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Dataset, Direction, FORMAT, Facet, Flow, Lineage, Named, Run};
use crate::limits::{
    OPENLINEAGE_DATASETS, OPENLINEAGE_EVENT_BYTES, OPENLINEAGE_EVENTS, OPENLINEAGE_FACETS,
    OPENLINEAGE_NAME_BYTES, OPENLINEAGE_THINGS,
};

/// Events cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct OpenLineageInvalid {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong.
    #[source]
    pub why: Why,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// It cannot be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// It is too long.
    #[error("it has more than {OPENLINEAGE_EVENT_BYTES} bytes")]
    TooLong,
    /// There are too many events.
    #[error("there are more than {OPENLINEAGE_EVENTS} events")]
    TooMany,
    /// Not the JSON of an event.
    #[error("it is not an event of OpenLineage")]
    Json(#[source] serde_json::Error),
    /// Neither a run nor a data set nor a job.
    #[error("it has neither `run` and `job`, nor `dataset`, nor `job`")]
    Kind,
    /// The time is none.
    #[error("`{text}` is no time as in RFC 3339")]
    Time {
        /// What it says, cut.
        text: String,
    },
    /// A run's id is not a UUID, as the specification asks.
    #[error("`{text}` is not a UUID")]
    RunId {
        /// What it says, cut.
        text: String,
    },
    /// A type of event that the specification does not have.
    #[error("`{text}` is not a type of event")]
    EventType {
        /// What it says, cut.
        text: String,
    },
    /// A name is empty or too long.
    #[error("a name or namespace is empty, or longer than {OPENLINEAGE_NAME_BYTES} bytes")]
    Name,
    /// More data sets than one event may name.
    #[error("it names more than {OPENLINEAGE_DATASETS} data sets")]
    Datasets,
    /// More things than one import may name.
    #[error("together they name more than {OPENLINEAGE_THINGS} data sets, jobs, runs, or reads and writes")]
    Things,
    /// More different facets than one import may have.
    #[error("there are more than {OPENLINEAGE_FACETS} different facets")]
    Facets,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEvent {
    event_time: String,
    event_type: Option<String>,
    run: Option<RawRun>,
    job: Option<RawThing>,
    dataset: Option<RawThing>,
    #[serde(default)]
    inputs: Option<Vec<RawThing>>,
    #[serde(default)]
    outputs: Option<Vec<RawThing>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRun {
    run_id: String,
    #[serde(default)]
    facets: Option<Map<String, Value>>,
}

/// A job or a data set.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawThing {
    namespace: String,
    name: String,
    #[serde(default)]
    facets: Option<Map<String, Value>>,
    #[serde(default)]
    input_facets: Option<Map<String, Value>>,
    #[serde(default)]
    output_facets: Option<Map<String, Value>>,
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    events: u64,
    datasets: BTreeMap<Dataset, ()>,
    jobs: BTreeMap<Named, ()>,
    /// Each with the times of its earliest and its latest event.
    flows: BTreeMap<(Named, Dataset, Direction), (Timestamp, Timestamp)>,
    runs: BTreeMap<String, (Named, Timestamp, String)>,
    facets: BTreeMap<(String, bartizan_base::Digest), u64>,
}

/// Reads events, one JSON object a line, to the end; empty lines are passed over.
///
/// What they say of the same job, data set or run is put together; of facets that mean nothing here only the digest is
/// kept. Members that the specification does not have are ignored, as it asks.
///
/// # Errors
/// At the first line that is not an event, or beyond a limit; nothing of a file is taken then.
pub fn read(input: impl Read) -> Result<Lineage, OpenLineageInvalid> {
    let mut input = io::BufReader::new(input);
    let mut reading = Reading::default();
    let mut bytes = Vec::new();
    let limit = u64::try_from(OPENLINEAGE_EVENT_BYTES).unwrap_or(u64::MAX);
    for line in 1_u64.. {
        bytes.clear();
        let at = |why| OpenLineageInvalid { line, why };
        let mut piece = (&mut input).take(limit.saturating_add(1));
        let count = piece.read_until(b'\n', &mut bytes).map_err(|error| at(Why::Read(error)))?;
        if count == 0 {
            break;
        }
        if bytes.len() > OPENLINEAGE_EVENT_BYTES {
            return Err(at(Why::TooLong));
        }
        let text = bytes.trim_ascii();
        if !text.is_empty() {
            reading.take(text).map_err(at)?;
        }
    }
    Ok(reading.finish())
}

impl Reading {
    fn take(&mut self, text: &[u8]) -> Result<(), Why> {
        self.events = self.events.saturating_add(1);
        if self.events > OPENLINEAGE_EVENTS {
            return Err(Why::TooMany);
        }
        let event: RawEvent = serde_json::from_slice(text).map_err(Why::Json)?;
        let at: Timestamp =
            event.event_time.parse().map_err(|_| Why::Time { text: cut(&event.event_time) })?;
        match (event.run, event.job, event.dataset) {
            (run, Some(job), None) => {
                let job = self.job(job)?;
                if let Some(run) = run {
                    self.run(run, &job, at, event.event_type)?;
                }
                let (inputs, outputs) = (event.inputs.unwrap_or_default(), event.outputs.unwrap_or_default());
                if inputs.len().saturating_add(outputs.len()) > OPENLINEAGE_DATASETS {
                    return Err(Why::Datasets);
                }
                for dataset in inputs {
                    self.flow(&job, dataset, Direction::Read, at)?;
                }
                for dataset in outputs {
                    self.flow(&job, dataset, Direction::Wrote, at)?;
                }
            }
            (None, None, Some(dataset)) => {
                self.dataset(dataset)?;
            }
            _ => return Err(Why::Kind),
        }
        let things = [self.datasets.len(), self.jobs.len(), self.runs.len(), self.flows.len()];
        if things.iter().any(|count| *count > OPENLINEAGE_THINGS) {
            return Err(Why::Things);
        }
        if self.facets.len() > OPENLINEAGE_FACETS { Err(Why::Facets) } else { Ok(()) }
    }

    fn job(&mut self, job: RawThing) -> Result<Named, Why> {
        let named = named(job.namespace, job.name)?;
        self.facets(job.facets)?;
        self.jobs.insert(named.clone(), ());
        Ok(named)
    }

    fn run(&mut self, run: RawRun, job: &Named, at: Timestamp, state: Option<String>) -> Result<(), Why> {
        if !is_uuid(&run.run_id) {
            return Err(Why::RunId { text: cut(&run.run_id) });
        }
        // A run event without a type is of no state that is known.
        let state = state.unwrap_or_else(|| "OTHER".to_owned());
        if !["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"].contains(&state.as_str()) {
            return Err(Why::EventType { text: cut(&state) });
        }
        self.facets(run.facets)?;
        let id = run.run_id.to_ascii_lowercase();
        let known = self.runs.get(&id).is_some_and(|(_, known, _)| *known > at);
        if !known {
            self.runs.insert(id, (job.clone(), at, state));
        }
        Ok(())
    }

    fn dataset(&mut self, dataset: RawThing) -> Result<Dataset, Why> {
        let version = dataset.facets.as_ref().and_then(|facets| facets.get("version"));
        let version = version.and_then(|facet| facet.get("datasetVersion")).and_then(Value::as_str);
        if version.is_some_and(|version| version.len() > OPENLINEAGE_NAME_BYTES) {
            return Err(Why::Name);
        }
        let version = version.map(str::to_owned);
        let found = Dataset { named: named(dataset.namespace, dataset.name)?, version };
        let facets = dataset.facets.map(|mut facets| {
            facets.remove("version");
            facets
        });
        for facets in [facets, dataset.input_facets, dataset.output_facets] {
            self.facets(facets)?;
        }
        self.datasets.insert(found.clone(), ());
        Ok(found)
    }

    fn flow(
        &mut self,
        job: &Named,
        dataset: RawThing,
        direction: Direction,
        at: Timestamp,
    ) -> Result<(), Why> {
        let dataset = self.dataset(dataset)?;
        let (first, latest) = self.flows.entry((job.clone(), dataset, direction)).or_insert((at, at));
        (*first, *latest) = ((*first).min(at), (*latest).max(at));
        Ok(())
    }

    fn facets(&mut self, facets: Option<Map<String, Value>>) -> Result<(), Why> {
        for (name, mut facet) in facets.unwrap_or_default() {
            if name.len() > OPENLINEAGE_NAME_BYTES {
                return Err(Why::Name);
            }
            // Another crate of the build may have maps keep insertion order.
            facet.sort_all_objects();
            let bytes = serde_json::to_vec(&facet).map_err(Why::Json)?;
            let count = self.facets.entry((name, sha256(&bytes))).or_default();
            *count = count.saturating_add(1);
        }
        Ok(())
    }

    fn finish(self) -> Lineage {
        let place = |at: usize| u64::try_from(at).unwrap_or(u64::MAX);
        let jobs: Vec<Named> = self.jobs.into_keys().collect();
        let datasets: Vec<Dataset> = self.datasets.into_keys().collect();
        let job_at = |job: &Named| jobs.binary_search(job).map_or(u64::MAX, place);
        let flows = self.flows.into_iter().map(|((job, dataset, direction), (first, at))| Flow {
            at,
            dataset: datasets.binary_search(&dataset).map_or(u64::MAX, place),
            direction,
            first: (first != at).then_some(first),
            job: job_at(&job),
        });
        let flows = flows.collect();
        let runs = self.runs.into_iter();
        let runs = runs.map(|(id, (job, at, state))| Run { at, id, job: job_at(&job), state }).collect();
        let facets = self.facets.into_iter();
        let facets = facets.map(|((name, digest), count)| Facet { count, digest, name }).collect();
        Lineage { datasets, events: self.events, facets, flows, format: FORMAT.to_owned(), jobs, runs }
    }
}

fn named(namespace: String, name: String) -> Result<Named, Why> {
    let fits = |text: &str| (1..=OPENLINEAGE_NAME_BYTES).contains(&text.len());
    if fits(&namespace) && fits(&name) { Ok(Named { name, namespace }) } else { Err(Why::Name) }
}

/// The text form of RFC 9562 section 4: 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
