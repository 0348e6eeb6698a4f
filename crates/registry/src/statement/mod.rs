//! in-toto Statements: what every ledger entry says, as typed and versioned predicates.
//!
//! Source: in-toto Attestation Framework, Statement v1 (`https://in-toto.io/Statement/v1`). Payloads are
//! canonical JSON, so that a statement has exactly one byte string and a verifier never re-encodes.

mod access;
mod assets;
mod endpoints;
mod erasures;
mod integrity;
mod lineage;
mod map;
mod runs;
mod segments;
mod sources;

use bartizan_base::{Digest, canonical, sha256};
use bartizan_keys::Purpose;
use bartizan_policy::DecisionRecord;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::access::{
    Act, ApiKeyV1, KeyStanding, KeyV1, PolicyV1, PrincipalV1, ProjectV1, RoleChange, RoleV1, Standing,
};
pub use self::assets::{
    AliasV1, ApprovalV1, ComparedV1, ComparedWithV1, Covers, DatasetRef, DatasetV1, DerivedV1, ModelStateV1,
    ModelVersionV1, OriginV1, PartV1, Private, PublisherSignature, RunRef, SchemaFrom, Sensitivity,
    StatementRef, VerdictV1, VersionState,
};

pub use self::endpoints::{Beyond, EndpointChange, EndpointV1, Fallback, Routed};
pub use self::erasures::{ErasedSegment, ErasureStep, ErasureV1};
pub use self::integrity::{Damage, IntegrityV1};
pub use self::lineage::LineageV1;
pub use self::map::{MapKind, MapLeaf, StateMapV1};
pub use self::runs::{
    BuildDefinition, Builder, ENVIRONMENT_BASE_URI, ENVIRONMENT_URI, ExternalParameters, InternalParameters,
    Isolation, ProvenanceV1, RUN_BUILD_TYPE, RUN_BUILDER, ResourceDescriptor, Resources, RunDetails, RunEnd,
    RunMetadata, RunV1,
};

pub use self::segments::SegmentV1;
pub use self::sources::{
    DELIVERY_FORMAT, DELIVERY_TYPE, DeliveryV1, FromSource, RefusalV1, RefusedBecause, RefusedDelivery,
    SignatureForm, SourceKeyV1, SourceSignature, SourceV1,
};

/// The `_type` of an in-toto Statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The DSSE payload type of an in-toto Statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A predicate, which knows the one subject that a statement with it is about.
trait Body {
    fn subject(&self) -> Subject;
}

/// What a statement is about: one thing, named and identified by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// A pseudonymous id or an asset name.
    pub name: String,
    /// The digest set; Bartizan writes and accepts SHA-256 alone.
    pub digest: SubjectDigest,
}

/// An in-toto digest set of exactly one SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectDigest {
    /// The digest.
    pub sha256: Digest,
}

impl Subject {
    /// The subject `name` with its digest.
    pub fn new(name: impl ToString, digest: Digest) -> Self {
        Self { name: name.to_string(), digest: SubjectDigest { sha256: digest } }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Value,
}

/// A parsed statement: one subject and a predicate of a known type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub predicate: Predicate,
}

/// The bytes are not a statement that this version of Bartizan understands.
#[derive(Debug, thiserror::Error)]
pub enum StatementInvalid {
    /// Not canonical JSON of an in-toto Statement.
    #[error("not a canonical in-toto statement")]
    Encoding(#[source] canonical::DecodeError),
    /// `_type` is not that of an in-toto Statement v1.
    #[error("`{kind}` is not the type of an in-toto Statement v1")]
    Kind {
        /// What it says it is.
        kind: String,
    },
    /// Not exactly one subject.
    #[error("{count} subjects where exactly one is expected")]
    Subjects {
        /// How many.
        count: usize,
    },
    /// A predicate type of a newer or another product.
    #[error("predicate type `{predicate_type}` is not known to this version")]
    UnknownPredicate {
        /// The type.
        predicate_type: String,
    },
    /// The predicate is not of the shape its type promises.
    #[error("the predicate is not of the shape that `{predicate_type}` promises")]
    Predicate {
        /// The type.
        predicate_type: String,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// The subject is not the thing that the predicate speaks of.
    #[error("the subject `{name}` is not what the predicate speaks of")]
    Subject {
        /// The subject's name.
        name: String,
    },
}

macro_rules! predicates {
    ($($(#[$doc:meta])* $variant:ident($body:ty) = $uri:literal by $purpose:path;)*) => {
        /// What a statement says, by predicate type.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Predicate {
            $($(#[$doc])* $variant($body),)*
        }

        impl Predicate {
            /// Every predicate type, in the order of the enum.
            pub const TYPES: &[&str] = &[$($uri),*];

            /// The predicate type URI.
            pub fn predicate_type(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $uri,)*
                }
            }

            /// Which of the project's keys sign statements of this type.
            pub fn purpose(&self) -> Purpose {
                match self {
                    $(Self::$variant(_) => $purpose,)*
                }
            }

            /// Which of the project's keys sign statements of a type.
            pub fn purpose_of_type(predicate_type: &str) -> Option<Purpose> {
                match predicate_type {
                    $($uri => Some($purpose),)*
                    _ => None,
                }
            }

            fn to_value(&self) -> Result<Value, serde_json::Error> {
                match self {
                    $(Self::$variant(body) => serde_json::to_value(body),)*
                }
            }

            fn from_value(predicate_type: &str, value: Value) -> Result<Self, StatementInvalid> {
                match predicate_type {
                    $($uri => serde_json::from_value(value).map(Self::$variant).map_err(|source| {
                        StatementInvalid::Predicate { predicate_type: predicate_type.to_owned(), source }
                    }),)*
                    other => Err(StatementInvalid::UnknownPredicate {
                        predicate_type: other.chars().take(120).collect(),
                    }),
                }
            }

            fn expected_subject(&self) -> Subject {
                match self {
                    $(Self::$variant(body) => body.subject(),)*
                }
            }
        }

        $(impl From<$body> for Predicate {
            fn from(body: $body) -> Self {
                Self::$variant(body)
            }
        })*
    };
}

predicates! {
    /// The project exists, and in which tier.
    Project(ProjectV1) = "https://bartizan.dev/project/v1" by Purpose::ProjectRoot;
    /// A key may sign statements of certain types.
    Key(KeyV1) = "https://bartizan.dev/key/v1" by Purpose::ProjectRoot;
    /// The access policy in force.
    Policy(PolicyV1) = "https://bartizan.dev/policy/v1" by Purpose::ProjectRoot;
    /// A principal exists.
    Principal(PrincipalV1) = "https://bartizan.dev/principal/v1" by Purpose::Access;
    /// A role was confirmed, granted or withdrawn.
    Role(RoleV1) = "https://bartizan.dev/role/v1" by Purpose::Access;
    /// An API key was issued or revoked.
    ApiKey(ApiKeyV1) = "https://bartizan.dev/api-key/v1" by Purpose::Access;
    /// An access decision.
    Decision(DecisionRecord) = "https://bartizan.dev/decision/v1" by Purpose::Access;
    /// A delivery of data was checked, and with which verdict.
    Dataset(DatasetV1) = "https://bartizan.dev/dataset/v1" by Purpose::Dataset;
    /// A source of data, and the keys that it signs with.
    Source(SourceV1) = "https://bartizan.dev/source/v1" by Purpose::Access;
    /// Deliveries were refused for their signatures.
    Refusal(RefusalV1) = "https://bartizan.dev/refusal/v1" by Purpose::Dataset;
    /// Where a model that was trained elsewhere comes from, as its importer declares.
    Origin(OriginV1) = "https://bartizan.dev/origin/v1" by Purpose::Registry;
    /// A training run was started.
    Run(RunV1) = "https://bartizan.dev/run/v1" by Purpose::Registry;
    /// What a training run made, from what, and how.
    Provenance(ProvenanceV1) = "https://slsa.dev/provenance/v1" by Purpose::Registry;
    /// A model version exists.
    ModelVersion(ModelVersionV1) = "https://bartizan.dev/model-version/v1" by Purpose::Registry;
    /// Somebody approved a model version.
    Approval(ApprovalV1) = "https://bartizan.dev/approval/v1" by Purpose::Access;
    /// A model version changed its state.
    ModelState(ModelStateV1) = "https://bartizan.dev/model-state/v1" by Purpose::Registry;
    /// An alias was moved.
    Alias(AliasV1) = "https://bartizan.dev/alias/v1" by Purpose::Registry;
    /// An endpoint was made, routed, routed back, or taken out of service.
    Endpoint(EndpointV1) = "https://bartizan.dev/endpoint/v1" by Purpose::Registry;
    /// A segment of prediction records was sealed.
    Segment(SegmentV1) = "https://bartizan.dev/segment/v1" by Purpose::Gateway;
    /// A gateway found stored bytes of a version damaged, and stopped it.
    Integrity(IntegrityV1) = "https://bartizan.dev/integrity/v1" by Purpose::Gateway;
    /// What is recorded of a person is erased.
    Erasure(ErasureV1) = "https://bartizan.dev/erasure/v1" by Purpose::Registry;
    /// What another system says of its jobs and data.
    Lineage(LineageV1) = "https://bartizan.dev/lineage/v1" by Purpose::Registry;
    /// What everything is after the entries before this one.
    StateMap(StateMapV1) = "https://bartizan.dev/state-map/v1" by Purpose::Registry;
}

impl Statement {
    /// The statement that `predicate` makes about its own subject.
    pub fn about(predicate: impl Into<Predicate>) -> Self {
        let predicate = predicate.into();
        Self { subject: predicate.expected_subject(), predicate }
    }

    /// The canonical bytes: the payload that is signed.
    ///
    /// # Errors
    /// When the statement has no canonical form; see [`canonical::to_bytes`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        let predicate = self.predicate.to_value().map_err(canonical::EncodeError::NotJson)?;
        canonical::to_bytes(&Wire {
            kind: STATEMENT_TYPE.to_owned(),
            subject: vec![self.subject.clone()],
            predicate_type: self.predicate.predicate_type().to_owned(),
            predicate,
        })
    }

    /// Parses a signed payload.
    ///
    /// # Errors
    /// When the bytes are not canonical, of an unknown type, or speak of another subject than they name.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementInvalid> {
        let wire: Wire = canonical::from_bytes(bytes).map_err(StatementInvalid::Encoding)?;
        if wire.kind != STATEMENT_TYPE {
            return Err(StatementInvalid::Kind { kind: wire.kind.chars().take(120).collect() });
        }
        let count = wire.subject.len();
        let mut subjects = wire.subject.into_iter();
        let (Some(subject), None) = (subjects.next(), subjects.next()) else {
            return Err(StatementInvalid::Subjects { count });
        };
        let predicate = Predicate::from_value(&wire.predicate_type, wire.predicate)?;
        if subject != predicate.expected_subject() {
            return Err(StatementInvalid::Subject { name: subject.name.chars().take(120).collect() });
        }
        let statement = Self { subject, predicate };
        // A time or digest in another spelling would be another statement of the same meaning.
        match statement.to_bytes() {
            Ok(written) if written == bytes => Ok(statement),
            _ => Err(StatementInvalid::Encoding(canonical::DecodeError::NotCanonical)),
        }
    }
}

/// The digest of something that has no content of its own: the SHA-256 of its pseudonymous name.
fn digest_of_name(name: impl ToString) -> Digest {
    sha256(name.to_string().as_bytes())
}
