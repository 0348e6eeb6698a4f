//! OpenLineage: what other systems say of their jobs and data, read; and what a check found, written for them.
//!
//! Source: the OpenLineage specification, 1.x and 2-0-2 (<https://openlineage.io/spec/2-0-2/OpenLineage.json>).

mod read;
mod write;

use bartizan_base::{Digest, Timestamp, canonical};
use serde::{Deserialize, Serialize};

pub use self::read::{OpenLineageInvalid, Why, read};
pub use self::write::{Assertion, CheckEvent, ColumnCounts, Table, event};

/// What another system calls something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The name, unique in its namespace.
    pub name: String,
    /// Where the name counts.
    pub namespace: String,
}

/// A data set of another system, in one version if it says which.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// What it is called.
    pub named: Named,
    /// The version, from its facet `version`.
    pub version: Option<String>,
}

/// Whether a job read a data set or wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// It read it.
    Read,
    /// It wrote it.
    Wrote,
}

/// That a job read or wrote a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// The time of the latest event that says so.
    pub at: Timestamp,
    /// The data set, by its place in [`Lineage::datasets`].
    pub dataset: u64,
    /// Which way.
    pub direction: Direction,
    /// The time of the earliest event that says so, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    /// The job, by its place in [`Lineage::jobs`].
    pub job: u64,
}

/// A run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The time of the latest event about it.
    pub at: Timestamp,
    /// Its id, a UUID.
    pub id: String,
    /// The job, by its place in [`Lineage::jobs`].
    pub job: u64,
    /// The type of that event: `START`, `RUNNING`, `COMPLETE`, `ABORT`, `FAIL` or `OTHER`.
    pub state: String,
}

/// Facets of which only the digest is kept: equal ones count once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facet {
    /// How often it came.
    pub count: u64,
    /// SHA-256 of its JSON without white space, members sorted.
    pub digest: Digest,
    /// What it is called.
    pub name: String,
}

/// What events say together, format `bartizan-lineage-v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// The data sets, sorted.
    pub datasets: Vec<Dataset>,
    /// Events that were read.
    pub events: u64,
    /// The facets, sorted by name and digest.
    pub facets: Vec<Facet>,
    /// Who read and wrote what, sorted by job, data set and direction.
    pub flows: Vec<Flow>,
    format: String,
    /// The jobs, sorted.
    pub jobs: Vec<Named>,
    /// The runs, sorted by id.
    pub runs: Vec<Run>,
}

const FORMAT: &str = "bartizan-lineage-v1";

impl Lineage {
    /// The stored form: canonical JSON.
    ///
    /// # Errors
    /// When a count exceeds what a canonical document holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        canonical::to_bytes(self)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn parse(bytes: &[u8]) -> Result<Self, LineageInvalid> {
        let lineage: Self = canonical::from_bytes(bytes)?;
        if lineage.format == FORMAT { Ok(lineage) } else { Err(LineageInvalid::Format) }
    }
}

/// The bytes are not the stored form of a lineage.
#[derive(Debug, thiserror::Error)]
pub enum LineageInvalid {
    /// Not canonical JSON of the expected shape.
    #[error("not a stored lineage")]
    Encoding(#[from] canonical::DecodeError),
    /// Another format.
    #[error("not of format `{FORMAT}`")]
    Format,
}
