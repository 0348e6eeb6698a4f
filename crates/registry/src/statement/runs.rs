//! Predicates about training runs: that one was started, and SLSA provenance of what came of it.

use bartizan_base::{Digest, Name, RunId, Timestamp, sha256};
use serde::{Deserialize, Serialize};

use super::{Act, Body, DatasetRef, Private, StatementRef, Subject};

/// The build type of a run: a command in the sandbox, with data sets as inputs and a model as output.
pub const RUN_BUILD_TYPE: &str = "https://bartizan.dev/run/v1";

/// The builder that ran it.
pub const RUN_BUILDER: &str = "https://bartizan.dev/sandbox/v1";

/// The URI of the Python environment that a run had, among what went into it.
pub const ENVIRONMENT_URI: &str = "bartizan:environment";

/// The URI of a part of the installation that the environment rests on.
pub const ENVIRONMENT_BASE_URI: &str = "bartizan:environment-base";

/// How far a run was cut off from the machine it ran on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Every part of the sandbox held.
    Full,
    /// Parts of it were missing on that machine, and whoever started the run said that this will do.
    Reduced,
}

/// A run was started: what it was given, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RunV1 {
    /// The run.
    pub run: RunId,
    /// The model that its output becomes a version of.
    pub model: Name,
    /// The data set versions that it reads.
    pub inputs: Vec<DatasetRef>,
    /// The manifest digest of the code that it was given beside the command, if any.
    pub code: Option<Digest>,
    /// The manifest of that code.
    pub code_manifest: Option<Private>,
    /// The command and its arguments, as a JSON array; they may hold anything.
    pub command: Private,
    /// How far it is cut off.
    pub isolation: Isolation,
    /// Who started it.
    pub act: Act,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunEnd {
    /// The command ended with exit status 0, and its output was taken.
    Succeeded,
    /// The command ended with another status, or was killed.
    Failed,
    /// The command took longer than it was given.
    TimedOut,
    /// The command ended well, and its output was refused.
    Refused,
    /// The program that ran it ended first, and took it with it.
    Interrupted,
}

/// SLSA provenance v1 (`https://slsa.dev/spec/v1.0/provenance`) of what a run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProvenanceV1 {
    /// What was to be made, from what.
    pub build_definition: BuildDefinition,
    /// How it went.
    pub run_details: RunDetails,
}

/// The inputs of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BuildDefinition {
    /// [`RUN_BUILD_TYPE`].
    pub build_type: String,
    /// What whoever started the run chose.
    pub external_parameters: ExternalParameters,
    /// What the sandbox chose.
    pub internal_parameters: InternalParameters,
    /// What went in: data sets in their order, then code, all as the run was started; then the Python environment as it
    /// was found, and the parts of the installation that it rests on.
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// What whoever started a run chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExternalParameters {
    /// The model that the output becomes a version of.
    pub model: Name,
    /// The command, as in the statement that the run was started.
    pub command: Private,
}

/// What the sandbox chose, and what it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct InternalParameters {
    /// The statement that the run was started.
    pub started: StatementRef,
    /// How far it was cut off.
    pub isolation: Isolation,
    /// How it ended.
    pub end: RunEnd,
    /// The manifest digest of the model that it made, if it made one.
    pub output: Option<Digest>,
    /// The exit status, if the command ended by itself.
    pub status: Option<i32>,
    /// What it used.
    pub resources: Resources,
    /// Its variables, the files of the machine that it could read, its limits, and size and digest of its whole log,
    /// as a JSON object.
    pub environment: Private,
    /// The end of what it wrote to standard output and standard error.
    pub log: Private,
    /// Who took the output, by which decision; the decision is absent when there is no output.
    pub act: Act,
}

/// What a run used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Resources {
    /// Time on the wall.
    pub wall_millis: u64,
    /// Time of all its processors.
    pub cpu_millis: u64,
    /// The most memory that one of its processes held.
    pub memory_bytes: u64,
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RunDetails {
    /// Who ran it.
    pub builder: Builder,
    /// Which run, and when.
    pub metadata: RunMetadata,
}

/// Who ran a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Builder {
    /// [`RUN_BUILDER`].
    pub id: String,
}

/// Which run it was, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RunMetadata {
    /// The run.
    pub invocation_id: RunId,
    /// When it began.
    pub started_on: Timestamp,
    /// When it ended.
    pub finished_on: Timestamp,
}

/// Something by its digest (in-toto Resource Descriptor v1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceDescriptor {
    /// What it is called.
    pub name: String,
    /// What kind of thing it is, as a URI: `bartizan:dataset/NAME:VERSION`, `bartizan:code`, [`ENVIRONMENT_URI`] or
    /// [`ENVIRONMENT_BASE_URI`].
    pub uri: String,
    /// Its digest: the root of a data set, the manifest digest of code, the digest over the list of an environment.
    pub digest: super::SubjectDigest,
}

impl ResourceDescriptor {
    /// Whether it is a Python environment, or a part of what one rests on.
    pub fn is_environment(&self) -> bool {
        matches!(self.uri.as_str(), ENVIRONMENT_URI | ENVIRONMENT_BASE_URI)
    }
}

impl ProvenanceV1 {
    /// What the run made: the digest of the model's manifest, or that of the run's id when it made none.
    fn made(&self) -> Digest {
        let run = || sha256(self.run_details.metadata.invocation_id.to_string().as_bytes());
        self.build_definition.internal_parameters.output.unwrap_or_else(run)
    }
}

impl Body for RunV1 {
    fn subject(&self) -> Subject {
        Subject::new(self.run, sha256(self.run.to_string().as_bytes()))
    }
}

impl Body for ProvenanceV1 {
    fn subject(&self) -> Subject {
        Subject::new(self.run_details.metadata.invocation_id, self.made())
    }
}
