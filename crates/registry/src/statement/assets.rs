//! Predicates about assets: data sets, origins, model versions, approvals, states and aliases.

use std::fmt;
use std::num::NonZeroU32;

use bartizan_base::{BlobName, Digest, Name, PrincipalId, RunId, Timestamp, VersionRef};
use bartizan_keys::KeyId;
use bartizan_policy::Tier;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Act, Body, FromSource, Subject};

/// Something that may hold data values or names: an encrypted blob and a commitment to its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Private {
    /// SHA-256(salt || SHA-256(content)); the salt is kept beside the data key, so erasing the key hides the content.
    pub commitment: Digest,
    /// Where the encrypted content lies. The name is keyed and tells nothing about the content.
    #[serde(serialize_with = "write_blob_name", deserialize_with = "read_blob_name")]
    pub blob: BlobName,
}

fn write_blob_name<S: Serializer>(name: &BlobName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(name)
}

fn read_blob_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BlobName, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

/// An earlier statement: where it is in the ledger and the digest of its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementRef {
    /// The ledger index.
    pub entry: u64,
    /// SHA-256 of the signed payload.
    pub payload: Digest,
}

/// A data set version and the statement that accepted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetRef {
    /// `NAME:VERSION`.
    pub version: VersionRef,
    /// The root over its parts.
    pub root: Digest,
    /// The statement.
    pub statement: StatementRef,
}

/// One delivery of data; see `docs/formats/dataset-root.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PartV1 {
    /// SHA-256 of the delivered bytes.
    pub digest: Digest,
    /// How many bytes.
    pub bytes: u64,
    /// How many rows.
    pub rows: u64,
    /// Where it came from, as its writer says.
    pub source: Private,
    /// Who delivered it.
    pub writer: PrincipalId,
    /// When, as the writer's clock asserts.
    pub time: Timestamp,
    /// Where the encrypted bytes lie; absent for a refused delivery, which is not kept.
    pub content: Option<Private>,
    /// The source of this project that it is from, and its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<FromSource>,
}

/// A run and the statement that it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRef {
    /// The run.
    pub run: RunId,
    /// The statement.
    pub statement: StatementRef,
}

/// What data was made from, and how, as whoever adds it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedV1 {
    /// The data set versions that it was made from.
    pub from: Vec<DatasetRef>,
    /// The run that made it, which was given all of them.
    pub run: Option<RunRef>,
    /// What was done to them, in words or as a command.
    pub transform: Option<Private>,
}

/// Something that deliveries were compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedWithV1 {
    /// SHA-256 of its bytes; of a data set version, its root.
    pub digest: Digest,
    /// The data set version of this project that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionRef>,
    /// The profile itself, where it was brought along and is kept for the versions after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Private>,
    /// Of a table, its place among all that the schema looks values up in, from 0, in the order of the names that it has for
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
}

/// What deliveries were compared with beside their schema. The names that the schema has for it are in the findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedV1 {
    /// What time it was said to be, for rules of freshness; absent where the server's clock said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Timestamp>,
    /// The profile that distributions were compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ComparedWithV1>,
    /// The tables that values were looked up in.
    pub tables: Vec<ComparedWithV1>,
}

/// What a data check found, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VerdictV1 {
    /// `valid`, `invalid` or `error`.
    pub outcome: String,
    /// The tier that the rules were weighed in.
    pub tier: Tier,
    /// Checks that ran.
    pub checks: u64,
    /// Findings that block.
    pub blocking: u64,
    /// Findings that warn.
    pub warnings: u64,
}

/// Where a schema comes from, and so what it is worth that a delivery fits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemaFrom {
    /// It was inferred from the first delivery itself.
    Inferred,
    /// Whoever brought the deliveries brought it along.
    Given,
    /// It is that of the version before.
    Kept,
}

/// Deliveries of data were checked: accepted as a version, or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DatasetV1 {
    /// The data set.
    pub name: Name,
    /// The version that the deliveries make; absent when they were refused.
    pub version: Option<NonZeroU32>,
    /// The root over all parts of the version, or over the refused parts alone.
    pub root: Digest,
    /// The version this one extends.
    pub extends: Option<DatasetRef>,
    /// The parts that were added to it.
    pub parts: Vec<PartV1>,
    /// The schema they were checked against.
    pub schema: Private,
    /// Where that schema comes from.
    pub schema_from: SchemaFrom,
    /// The version whose schema was kept.
    pub schema_of: Option<DatasetRef>,
    /// Their profile.
    pub profile: Private,
    /// What was found.
    pub findings: Private,
    /// Whether this version, and each after it, takes signed deliveries alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_signature: bool,
    /// What the added parts were made from, when that is data of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<Box<DerivedV1>>,
    /// What the added parts were compared with beside the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Box<ComparedV1>>,
    /// The verdict in numbers.
    pub verdict: VerdictV1,
    /// Who added them.
    pub act: Act,
}

/// An OpenSSF Model Signing bundle that came with a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublisherSignature {
    /// The key that the importer expected, and that signed.
    pub key: KeyId,
    /// The bundle.
    pub bundle: Private,
}

/// Where a model that was trained elsewhere comes from, as its importer declares and signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OriginV1 {
    /// The manifest digest of the model.
    pub manifest: Digest,
    /// The data set versions it was trained on, as far as they are known here.
    pub trained_on: Vec<DatasetRef>,
    /// The publisher's signature over the same files, when one was given and verified at import.
    pub publisher: Option<PublisherSignature>,
    /// The declaration in words: where from, framework, when.
    pub declaration: Private,
    /// Who declares it.
    pub act: Act,
}

/// How much harm a wrong prediction can do; sensitive models need two approvals in tier `release`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sensitivity {
    /// One approval.
    Normal,
    /// Two approvals by different people.
    Sensitive,
}

/// A model version: the manifest, its signature and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ModelVersionV1 {
    /// `NAME:VERSION`.
    pub version: VersionRef,
    /// The digest of the manifest: the identity of the model.
    pub manifest: Digest,
    /// Where the manifest lies.
    pub manifest_blob: Private,
    /// Files in the manifest.
    pub files: u64,
    /// Bytes of those files together.
    pub bytes: u64,
    /// The root digest of the OpenSSF Model Signing bundle.
    pub oms_root: Digest,
    /// SHA-256 of that bundle.
    pub oms_bundle: Digest,
    /// Where the bundle lies.
    pub oms_bundle_blob: Private,
    /// How much harm it can do.
    pub sensitivity: Sensitivity,
    /// The statement of its origin.
    pub origin: StatementRef,
    /// Who imported it.
    pub act: Act,
}

/// What an approval covers; it lapses when one of these changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Covers {
    /// The manifest digest.
    pub manifest: Digest,
    /// The digest over the payloads of version, origin and data set statements.
    pub evidence: Digest,
    /// The digest of the access policy.
    pub policy: Digest,
}

/// A person approved a model version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ApprovalV1 {
    /// `NAME:VERSION`.
    pub version: VersionRef,
    /// What it covers.
    pub covers: Covers,
    /// Whether the approver also made the version, as tier `explore` allows.
    pub self_approved: bool,
    /// Who approved; asserted by the server, which signs for the approver.
    pub act: Act,
}

/// The states of a model version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionState {
    /// Registered, not approved.
    Candidate,
    /// May be served.
    Approved,
    /// Taken out of use; may be approved again.
    Retired,
    /// Stopped; back only by the approval of somebody else.
    Quarantined,
    /// Stopped for ever.
    Revoked,
}

impl VersionState {
    /// Whether a version in this state may come into another one.
    pub const fn may_become(self, to: Self) -> bool {
        match (self, to) {
            (Self::Candidate | Self::Retired | Self::Quarantined, Self::Approved)
            | (Self::Approved, Self::Retired)
            | (Self::Candidate | Self::Approved | Self::Retired, Self::Quarantined) => true,
            (Self::Revoked, _) => false,
            (_, Self::Revoked) => true,
            _ => false,
        }
    }
}

impl fmt::Display for VersionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Candidate => "candidate",
            Self::Approved => "approved",
            Self::Retired => "retired",
            Self::Quarantined => "quarantined",
            Self::Revoked => "revoked",
        })
    }
}

/// A model version changed its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ModelStateV1 {
    /// `NAME:VERSION`.
    pub version: VersionRef,
    /// The manifest digest.
    pub manifest: Digest,
    /// The state before.
    pub from: VersionState,
    /// The entry that brought it into that state: changes of one version are a chain without gaps.
    pub previous: u64,
    /// The state after.
    pub to: VersionState,
    /// The approvals that carry a change to `approved`.
    pub approvals: Vec<StatementRef>,
    /// Why, in words.
    pub reason: Option<Private>,
    /// Who did it.
    pub act: Act,
}

/// An alias was moved to a version, or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AliasV1 {
    /// The model.
    pub model: Name,
    /// The alias.
    pub alias: Name,
    /// The version it names from here on; absent when it is removed.
    pub version: Option<NonZeroU32>,
    /// The manifest digest of that version, or of the one it named last.
    pub manifest: Digest,
    /// Who did it.
    pub act: Act,
}

impl Body for DatasetV1 {
    fn subject(&self) -> Subject {
        Subject::new(&self.name, self.root)
    }
}

impl DatasetV1 {
    /// `NAME:VERSION`, unless the deliveries were refused.
    pub fn version_ref(&self) -> Option<VersionRef> {
        self.version.map(|version| VersionRef::new(self.name.clone(), version))
    }
}

impl Body for OriginV1 {
    fn subject(&self) -> Subject {
        Subject::new("model", self.manifest)
    }
}

impl Body for ModelVersionV1 {
    fn subject(&self) -> Subject {
        Subject::new(&self.version, self.manifest)
    }
}

impl Body for ApprovalV1 {
    fn subject(&self) -> Subject {
        Subject::new(&self.version, self.covers.manifest)
    }
}

impl Body for ModelStateV1 {
    fn subject(&self) -> Subject {
        Subject::new(&self.version, self.manifest)
    }
}

impl Body for AliasV1 {
    fn subject(&self) -> Subject {
        Subject::new(format_args!("{}@{}", self.model, self.alias), self.manifest)
    }
}
