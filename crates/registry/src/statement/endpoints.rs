//! Predicates about endpoints: which version answers, and what answers instead.

use bartizan_base::{Digest, Name, VersionRef};
use serde::{Deserialize, Serialize};

use super::{Act, Body, Private, Standing, Subject, digest_of_name};

/// A version that an endpoint is routed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routed {
    /// The version.
    pub version: VersionRef,
    /// Its manifest digest.
    pub manifest: Digest,
}

/// What answers when the version that an endpoint is routed to may not: another version, a constant, or nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    /// Another version.
    pub version: Option<Routed>,
    /// A constant answer: the `outputs` of an inference response (Open Inference Protocol v2), as JSON.
    pub constant: Option<Private>,
}

/// What is done with a request beyond what the model was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beyond {
    /// It is refused.
    Reject,
    /// It is answered, and flagged in answer and record.
    Flag,
}

/// What was done with an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointChange {
    /// It was made, and is not routed yet.
    Created,
    /// It was routed to a version; the first route makes it.
    Routed,
    /// It was routed back to a version that it was routed to before.
    RolledBack,
    /// It was taken out of service.
    Disabled,
}

/// An endpoint was made, routed, routed back, or taken out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointV1 {
    /// The endpoint.
    pub endpoint: Name,
    /// The entry that spoke of it last: what is said of one endpoint is a chain without gaps.
    pub previous: Option<u64>,
    /// What was done with it.
    pub change: EndpointChange,
    /// Whether it answers.
    pub standing: Standing,
    /// The version that answers; absent when it is out of service.
    pub primary: Option<Routed>,
    /// What answers instead.
    pub fallback: Fallback,
    /// What is done with requests beyond what the model was trained on.
    pub beyond: Beyond,
    /// What its columns are for, when any is for something: see `docs/formats/statements.md`.
    pub columns: Option<Private>,
    /// Who said so.
    pub act: Act,
}

impl Body for EndpointV1 {
    fn subject(&self) -> Subject {
        let digest = match &self.primary {
            Some(primary) => primary.manifest,
            None => digest_of_name(&self.endpoint),
        };
        Subject::new(&self.endpoint, digest)
    }
}
