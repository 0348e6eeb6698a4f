//! The facts a decision rests on: who asks, in which project, on what, and in which circumstances.
//!
//! Facts are true by the caller's word: the registry takes them from the ledger, the binary from the
//! authenticated connection. Nothing here is fetched.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU32;

use bartizan_base::{AliasRef, Digest, Name, PrincipalId, ProjectId, SourceId, Timestamp, VersionRef};

use crate::action::ResourceKind;
use crate::api_key::{Admitted, ApiKeyId, Scopes};
use crate::role::{PersonId, PrincipalKind, Roles, Standing, Tier, words};

const MINUTE_MILLIS: i64 = 60_000;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalFacts {
    id: PrincipalId,
    kind: PrincipalKind,
    responsible: PersonId,
    project: ProjectId,
    roles: Roles,
    standing: Standing,
}

impl PrincipalFacts {
    /// A person who holds `roles` in `project`; responsible for what they do themselves.
    ///
    /// The principal `local:<user>` of a data directory opened directly is such a person.
    pub fn person(project: ProjectId, id: PersonId, roles: Roles) -> Self {
        Self {
            id: id.principal(),
            kind: PrincipalKind::Person,
            responsible: id,
            project,
            roles,
            standing: Standing::Active,
        }
    }

    /// A service that holds `roles` in `project`.
    pub const fn service(project: ProjectId, id: PrincipalId, responsible: PersonId, roles: Roles) -> Self {
        let kind = PrincipalKind::Service;
        Self { id, kind, responsible, project, roles, standing: Standing::Active }
    }

    /// A workload that holds `roles` in `project`.
    pub const fn workload(project: ProjectId, id: PrincipalId, responsible: PersonId, roles: Roles) -> Self {
        let kind = PrincipalKind::Workload;
        Self { id, kind, responsible, project, roles, standing: Standing::Active }
    }

    /// The same principal with another standing.
    #[must_use]
    pub fn with_standing(self, standing: Standing) -> Self {
        Self { standing, ..self }
    }

    /// The same principal with other roles; for asking what would be.
    #[must_use]
    pub fn with_roles(self, roles: Roles) -> Self {
        Self { roles, ..self }
    }

    /// The id of the principal.
    pub const fn id(&self) -> PrincipalId {
        self.id
    }

    /// What kind of thing it is.
    pub const fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// The person who answers for it: itself for a person.
    pub const fn responsible(&self) -> PersonId {
        self.responsible
    }

    /// The project in which the roles are held.
    pub const fn project(&self) -> ProjectId {
        self.project
    }

    /// The roles held in that project.
    pub const fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Whether it may act at all.
    pub const fn standing(&self) -> Standing {
        self.standing
    }
}

/// The project in which the question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectFacts {
    /// The project.
    pub id: ProjectId,
    /// How strictly it is run at present.
    pub tier: Tier,
}

/// Facts about one kind of resource. Sealed by [`ResourceFacts`]: one type per [`ResourceKind`].
pub trait Facts: Clone + PartialEq + std::fmt::Debug + Into<ResourceFacts> {
    /// The kind of resource these facts are about.
    const KIND: ResourceKind;
}

/// The project as a whole; for lists, the ledger and settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectWide;

/// A data set, or one version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetFacts {
    /// The name.
    pub name: Name,
    /// The version; none when it is yet to be made, or when the data set as a whole is meant.
    pub version: Option<NonZeroU32>,
}

/// A source of data; for one that is new, the one that is about to be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceFacts {
    /// The source.
    pub source: SourceId,
}

/// Who had a hand in a version. Services count as the persons responsible for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Makers {
    /// Who put it up for approval.
    pub submitted: BTreeSet<PersonId>,
    /// Who owns the model.
    pub owned: BTreeSet<PersonId>,
    /// Who ran or commissioned the training.
    pub trained: BTreeSet<PersonId>,
    /// Who pushed or imported the bytes.
    pub imported: BTreeSet<PersonId>,
}

impl Makers {
    /// Whether `person` had any hand in the version.
    pub fn contains(&self, person: PersonId) -> bool {
        [&self.submitted, &self.owned, &self.trained, &self.imported]
            .iter()
            .any(|people| people.contains(&person))
    }
}

/// A model version; for an import, the version that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFacts {
    /// The version.
    pub version: VersionRef,
    /// Its identity: the manifest digest.
    pub manifest: Digest,
    /// Whether it needs two approvals and may be taken out by few.
    pub sensitive: bool,
    /// Who had a hand in it.
    pub makers: Makers,
    /// Whose approvals count now: `approvers` of [`approvals::evaluate`](crate::approvals::evaluate).
    pub approvers: BTreeSet<PersonId>,
    /// Who put it in quarantine or revoked it, while it is stopped.
    pub stopped_by: Option<PersonId>,
}

/// An alias and the version it shall point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasFacts {
    /// The alias.
    pub alias: AliasRef,
    /// Whether setting it is a promotion.
    pub guarded: bool,
    /// The version it shall point to.
    pub target: ModelFacts,
}

/// An endpoint and the version that it is, or shall be, routed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointFacts {
    /// The endpoint.
    pub endpoint: Name,
    /// The version; none when nothing is routed.
    pub target: Option<ModelFacts>,
}

/// A person, service or workload as the thing acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFacts {
    /// The principal.
    pub principal: PrincipalId,
    /// The person responsible for it: itself for a person.
    pub person: PersonId,
}

/// An API key as the thing acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// The key.
    pub key: ApiKeyId,
    /// The principal that it authenticates.
    pub principal: PrincipalId,
    /// The person responsible for that principal.
    pub person: PersonId,
    /// Whether it is an enrolment key: good for nothing but claiming a key of one's own.
    pub enrolment: bool,
    /// Whether that principal holds no role.
    pub newcomer: bool,
}

/// A role on its way to or from a principal; which role is part of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantFacts {
    /// The beneficiary.
    pub to: PrincipalId,
    /// The person responsible for the beneficiary: itself for a person.
    pub person: PersonId,
    /// Who confirmed this very grant, by an allowed `access.role.confirm`, and may still do so now.
    pub confirmed_by: Option<PersonId>,
}

/// Stored bytes with a data key of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactFacts {
    /// The digest under which the ledger knows them: of a manifest, a data set or a commitment.
    pub subject: Digest,
}

/// Facts about a resource of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceFacts {
    /// The project as a whole.
    Project(ProjectWide),
    /// A data set.
    Dataset(DatasetFacts),
    /// A source of data.
    Source(SourceFacts),
    /// A model version.
    Model(ModelFacts),
    /// An alias.
    Alias(AliasFacts),
    /// An endpoint.
    Endpoint(EndpointFacts),
    /// A principal.
    User(UserFacts),
    /// An API key.
    Key(KeyFacts),
    /// A role on its way.
    Grant(GrantFacts),
    /// Stored bytes.
    Artifact(ArtifactFacts),
}

macro_rules! resource {
    ($($kind:ident $facts:ident,)+) => {
        $(
            impl Facts for $facts {
                const KIND: ResourceKind = ResourceKind::$kind;
            }

            impl From<$facts> for ResourceFacts {
                fn from(facts: $facts) -> Self {
                    Self::$kind(facts)
                }
            }
        )+

        impl ResourceFacts {
            /// What kind of resource this is.
            pub const fn kind(&self) -> ResourceKind {
                match self {
                    $(Self::$kind(_) => ResourceKind::$kind,)+
                }
            }
        }
    };
}

resource! {
    Project ProjectWide,
    Dataset DatasetFacts,
    Source SourceFacts,
    Model ModelFacts,
    Alias AliasFacts,
    Endpoint EndpointFacts,
    User UserFacts,
    Key KeyFacts,
    Grant GrantFacts,
    Artifact ArtifactFacts,
}

impl ResourceFacts {
    /// The principal that gains or loses by the action, if the resource is about one.
    pub const fn beneficiary(&self) -> Option<PrincipalId> {
        match self {
            Self::User(user) => Some(user.principal),
            Self::Key(key) => Some(key.principal),
            Self::Grant(grant) => Some(grant.to),
            Self::Project(_)
            | Self::Dataset(_)
            | Self::Source(_)
            | Self::Model(_)
            | Self::Alias(_)
            | Self::Endpoint(_)
            | Self::Artifact(_) => None,
        }
    }
}

words!(
    /// Whether the principal came through the API or opened the data directory directly.
    Via, "way in" {
        /// The data directory was opened directly, as `local:<user>`.
        Local = "local",
        /// Over the network API.
        Api = "api",
    }
);

words!(
    /// From which kind of network a request came. The address itself is personal and is not kept.
    NetworkClass, "class of network" {
        /// No network: the data directory was opened directly.
        Local = "local",
        /// This machine, `127.0.0.0/8` or `::1`.
        Loopback = "loopback",
        /// RFC 1918, RFC 4193 or link-local addresses.
        Private = "private",
        /// Anything else.
        Public = "public",
    }
);

impl NetworkClass {
    /// The class of the address that a connection came from.
    pub fn of(address: IpAddr) -> Self {
        let (loopback, private) = match address.to_canonical() {
            IpAddr::V4(v4) => (v4.is_loopback(), v4.is_private() || v4.is_link_local()),
            IpAddr::V6(v6) => (v6.is_loopback(), v6.is_unique_local() || v6.is_unicast_link_local()),
        };
        match (loopback, private) {
            (true, _) => Self::Loopback,
            (false, true) => Self::Private,
            (false, false) => Self::Public,
        }
    }
}

/// What the principal authenticated with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Access to the data directory itself.
    Local,
    /// A session of a person, or a token of a workload, that has been checked.
    Session,
    /// An API key that has been checked, see [`api_key`](crate::api_key).
    ApiKey {
        /// The key.
        id: ApiKeyId,
        /// What it may be used for at most.
        scopes: Scopes,
        /// When it ends.
        expires_at: Timestamp,
    },
}

/// In which circumstances the question is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextFacts {
    credential: Credential,
    network: NetworkClass,
    minute: Timestamp,
}

impl ContextFacts {
    /// The data directory was opened directly.
    pub const fn local(now: Timestamp) -> Self {
        Self { credential: Credential::Local, network: NetworkClass::Local, minute: minute(now) }
    }

    /// Over the API, with a session or a token of a workload that has been checked.
    pub fn session(from: IpAddr, now: Timestamp) -> Self {
        let network = NetworkClass::of(from);
        Self { credential: Credential::Session, network, minute: minute(now) }
    }

    /// Over the API, with an API key that was admitted from that address.
    pub fn api_key(key: &Admitted, now: Timestamp) -> Self {
        let credential =
            Credential::ApiKey { id: key.id(), scopes: key.scopes().clone(), expires_at: key.expires_at() };
        Self { credential, network: key.network(), minute: minute(now) }
    }

    /// What the principal authenticated with.
    pub const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Whether it came through the API or directly.
    pub const fn via(&self) -> Via {
        match self.credential {
            Credential::Local => Via::Local,
            Credential::Session | Credential::ApiKey { .. } => Via::Api,
        }
    }

    /// From which kind of network.
    pub const fn network(&self) -> NetworkClass {
        self.network
    }

    /// The minute in which it asks: seconds are dropped, so that equal questions are equal.
    pub const fn minute(&self) -> Timestamp {
        self.minute
    }
}

const fn minute(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.millis() - now.millis() % MINUTE_MILLIS)
}

/// Minutes since the epoch, rounded down.
pub(crate) const fn minutes(at: Timestamp) -> i64 {
    at.millis() / MINUTE_MILLIS
}
