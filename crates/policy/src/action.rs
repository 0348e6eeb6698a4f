//! Every action of the control plane in one flat table, and the types that operations are asked for with.
//!
//! The table is the source of truth. The Cedar schema, the operation types and the documentation are compared
//! with it, by the compiler where possible and else by tests.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::role::{Role, Tier, words};

/// Something a principal can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Set up a project in an empty data directory.
    ProjectInit,
    /// Put a project into a tier.
    ProjectTier(Tier),
    /// List data sets.
    DataList,
    /// Show a data set, its schema and findings.
    DataShow,
    /// Check data and write down the verdict.
    DataCheck,
    /// Add a part to a data set.
    DataAdd,
    /// Put tokens in the place of personal values.
    DataTokenize,
    /// Turn tokens back into the values that they stand for.
    DataDetokenize,
    /// List the sources of data, and their keys.
    SourceList,
    /// Name a source of data, or trust a key of one.
    SourceAdd,
    /// Revoke a key of a source of data, or disable the source.
    SourceRevoke,
    /// Walk from an asset to what it came from, or to what came of it.
    LineageShow,
    /// State what another system says of its jobs and data.
    LineageImport,
    /// List models.
    ModelList,
    /// Show a model version.
    ModelShow,
    /// Verify the signatures and statements of a version.
    ModelVerify,
    /// Start a training run in the sandbox.
    RunStart,
    /// Make what a run put out a model version.
    ModelPush,
    /// Import a model that was trained elsewhere.
    ModelImport,
    /// Approve a version, or lift its quarantine by approval.
    ModelApprove,
    /// Put a version in quarantine.
    ModelQuarantine,
    /// Take an approved version out of use.
    ModelRetire,
    /// Stop a version for ever.
    ModelRevoke,
    /// Point an alias to a version.
    ModelAliasSet,
    /// Take the bytes of a model out.
    ModelExport,
    /// Make an endpoint that is not routed yet.
    EndpointCreate,
    /// Make an endpoint, or route it to a version.
    EndpointRoute,
    /// Route an endpoint back to a version that answered under it before.
    EndpointRollback,
    /// Take an endpoint out of service.
    EndpointDisable,
    /// Ask an endpoint for predictions.
    EndpointPredict,
    /// Find predictions, and see what is recorded of them beside what is personal.
    PredictionsShow,
    /// See what is personal in the records of predictions, and find those about somebody or by a caller's request id.
    PredictionsRead,
    /// Destroy what is personal in the records of all predictions about somebody.
    PredictionsErase,
    /// Write a proof file for a version.
    Prove,
    /// Show ledger entries.
    LedgerShow,
    /// Give an inclusion or consistency proof.
    LedgerProof,
    /// Recompute every hash of the ledger.
    LedgerFsck,
    /// Recreate the tables from the ledger.
    LedgerRebuild,
    /// List users, services and workloads.
    UserList,
    /// Add a user, service or workload.
    UserAdd,
    /// Disable a principal.
    UserDisable,
    /// Enable a disabled principal.
    UserEnable,
    /// List API keys, never their secrets.
    KeyList,
    /// Issue an API key.
    KeyIssue,
    /// Claim an API key of one's own in exchange for an enrolment key, or for the key that it replaces.
    KeyClaim,
    /// Revoke an API key.
    KeyRevoke,
    /// List who holds which role.
    RoleList,
    /// Grant a role.
    RoleGrant(Role),
    /// Confirm, as the second person, that a role may be granted.
    RoleConfirm(Role),
    /// Take a role away.
    RoleRevoke(Role),
    /// Explain why a principal may or may not do something.
    AccessExplain,
    /// List signing and encryption keys.
    SigningKeyList,
    /// Export the trust file.
    SigningKeyExport,
    /// Destroy the data key of an artifact.
    Erase,
    /// Read the audit log.
    AuditRead,
}

words!(
    /// Whether an action changes anything that others rely on.
    Access, "kind of access" {
        /// It changes nothing.
        Read = "read",
        /// It writes a statement, a state or a key.
        Mutation = "mutation",
    }
);

words!(
    /// What an action is asked for on.
    ResourceKind, "kind of resource" {
        /// The project as a whole.
        Project = "Project",
        /// A data set or one version of it.
        Dataset = "Dataset",
        /// A source of data.
        Source = "Source",
        /// A model version.
        Model = "Model",
        /// An alias and the version it shall point to.
        Alias = "Alias",
        /// An endpoint and the version that it shall be routed to.
        Endpoint = "Endpoint",
        /// A person, service or workload as the thing acted on.
        User = "User",
        /// An API key.
        Key = "Key",
        /// A role on its way to or from a principal.
        Grant = "Grant",
        /// Stored bytes with a data key of their own.
        Artifact = "Artifact",
    }
);

macro_rules! table {
    ($($name:ident $(($argument:path))? $id:literal $access:ident $kind:ident;)+) => {
        impl Action {
            /// Every action, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name $(($argument))?),+];

            const fn row(self) -> (&'static str, Access, ResourceKind) {
                match self {
                    $(Self::$name $(($argument))? => ($id, Access::$access, ResourceKind::$kind),)+
                }
            }
        }
    };
}

table! {
    ProjectInit                      "project.init"                       Mutation Project;
    ProjectTier(Tier::Explore)       "project.tier:explore"               Mutation Project;
    ProjectTier(Tier::Release)       "project.tier:release"               Mutation Project;
    DataList                         "data.list"                          Read     Project;
    DataShow                         "data.show"                          Read     Dataset;
    DataCheck                        "data.check"                         Mutation Dataset;
    DataAdd                          "data.add"                           Mutation Dataset;
    DataTokenize                     "data.tokenize"                      Mutation Project;
    DataDetokenize                   "data.detokenize"                    Read     Project;
    SourceList                       "source.list"                        Read     Project;
    SourceAdd                        "source.add"                         Mutation Source;
    SourceRevoke                     "source.revoke"                      Mutation Source;
    LineageShow                      "lineage.show"                       Read     Project;
    LineageImport                    "lineage.import"                     Mutation Project;
    ModelList                        "model.list"                         Read     Project;
    ModelShow                        "model.show"                         Read     Model;
    ModelVerify                      "model.verify"                       Read     Model;
    RunStart                         "run.start"                          Mutation Project;
    ModelPush                        "model.push"                         Mutation Model;
    ModelImport                      "model.import"                       Mutation Model;
    ModelApprove                     "model.approve"                      Mutation Model;
    ModelQuarantine                  "model.quarantine"                   Mutation Model;
    ModelRetire                      "model.retire"                       Mutation Model;
    ModelRevoke                      "model.revoke"                       Mutation Model;
    ModelAliasSet                    "model.alias.set"                    Mutation Alias;
    ModelExport                      "model.export"                       Read     Model;
    EndpointCreate                   "endpoint.create"                    Mutation Endpoint;
    EndpointRoute                    "endpoint.route"                     Mutation Endpoint;
    EndpointRollback                 "endpoint.rollback"                  Mutation Endpoint;
    EndpointDisable                  "endpoint.disable"                   Mutation Endpoint;
    EndpointPredict                  "endpoint.predict"                   Read     Endpoint;
    PredictionsShow                  "predictions.show"                   Read     Project;
    PredictionsRead                  "predictions.read"                   Read     Project;
    PredictionsErase                 "predictions.erase"                  Mutation Project;
    Prove                            "prove"                              Read     Model;
    LedgerShow                       "ledger.show"                        Read     Project;
    LedgerProof                      "ledger.proof"                       Read     Project;
    LedgerFsck                       "ledger.fsck"                        Read     Project;
    LedgerRebuild                    "ledger.rebuild"                     Mutation Project;
    UserList                         "access.user.list"                   Read     Project;
    UserAdd                          "access.user.add"                    Mutation User;
    UserDisable                      "access.user.disable"                Mutation User;
    UserEnable                       "access.user.enable"                 Mutation User;
    KeyList                          "access.key.list"                    Read     Project;
    KeyIssue                         "access.key.issue"                   Mutation Key;
    KeyClaim                         "access.key.claim"                   Mutation Key;
    KeyRevoke                        "access.key.revoke"                  Mutation Key;
    RoleList                         "access.role.list"                   Read     Project;
    RoleGrant(Role::Viewer)          "access.role.grant:viewer"           Mutation Grant;
    RoleGrant(Role::DataScientist)   "access.role.grant:data-scientist"   Mutation Grant;
    RoleGrant(Role::MlEngineer)      "access.role.grant:ml-engineer"      Mutation Grant;
    RoleGrant(Role::Approver)        "access.role.grant:approver"         Mutation Grant;
    RoleGrant(Role::Auditor)         "access.role.grant:auditor"          Mutation Grant;
    RoleGrant(Role::Security)        "access.role.grant:security"         Mutation Grant;
    RoleGrant(Role::Admin)           "access.role.grant:admin"            Mutation Grant;
    RoleConfirm(Role::Viewer)        "access.role.confirm:viewer"         Mutation Grant;
    RoleConfirm(Role::DataScientist) "access.role.confirm:data-scientist" Mutation Grant;
    RoleConfirm(Role::MlEngineer)    "access.role.confirm:ml-engineer"    Mutation Grant;
    RoleConfirm(Role::Approver)      "access.role.confirm:approver"       Mutation Grant;
    RoleConfirm(Role::Auditor)       "access.role.confirm:auditor"        Mutation Grant;
    RoleConfirm(Role::Security)      "access.role.confirm:security"       Mutation Grant;
    RoleConfirm(Role::Admin)         "access.role.confirm:admin"          Mutation Grant;
    RoleRevoke(Role::Viewer)         "access.role.revoke:viewer"          Mutation Grant;
    RoleRevoke(Role::DataScientist)  "access.role.revoke:data-scientist"  Mutation Grant;
    RoleRevoke(Role::MlEngineer)     "access.role.revoke:ml-engineer"     Mutation Grant;
    RoleRevoke(Role::Approver)       "access.role.revoke:approver"        Mutation Grant;
    RoleRevoke(Role::Auditor)        "access.role.revoke:auditor"         Mutation Grant;
    RoleRevoke(Role::Security)       "access.role.revoke:security"        Mutation Grant;
    RoleRevoke(Role::Admin)          "access.role.revoke:admin"           Mutation Grant;
    AccessExplain                    "access.explain"                     Read     User;
    SigningKeyList                   "keys.list"                          Read     Project;
    SigningKeyExport                 "keys.export"                        Read     Project;
    Erase                            "keys.erase"                         Mutation Artifact;
    AuditRead                        "audit.read"                         Read     Project;
}

impl Action {
    /// The stable id, for example `model.approve`; written in records, scopes and policies.
    pub const fn id(self) -> &'static str {
        self.row().0
    }

    /// Whether the action changes anything.
    pub const fn access(self) -> Access {
        self.row().1
    }

    /// What the action is asked for on.
    pub const fn kind(self) -> ResourceKind {
        self.row().2
    }
}

/// The text is not the id of an action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an action")]
pub struct ActionUnknown {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Action {
    type Err = ActionUnknown;

    fn from_str(text: &str) -> Result<Self, ActionUnknown> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.id() == text)
            .ok_or_else(|| ActionUnknown { text: text.chars().take(80).collect() })
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
