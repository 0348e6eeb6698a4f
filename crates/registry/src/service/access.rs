//! Principals, and why somebody may or may not do something.

use std::collections::BTreeMap;

use bartizan_base::PrincipalId;
use bartizan_policy::api_key::ApiKeyId;
use bartizan_policy::{
    Action, ContextFacts, Explanation, PrincipalKind, ProjectWide, Question, ResourceFacts, Role, UserFacts,
    op,
};

use super::api_keys::stored_key;
use super::write::private;
use super::{Caller, Failed, Inner, Profile, Registry};
use crate::proof::read_private;
use crate::state::{Principal, State};
use crate::statement::{PrincipalV1, Standing, Statement};

/// A principal that is to be made.
#[derive(Debug, Clone)]
pub struct NewPrincipal {
    /// Person, service or workload.
    pub kind: PrincipalKind,
    /// The person who answers for a service or workload; absent for persons.
    pub responsible: Option<PrincipalId>,
    /// Name and logins.
    pub profile: Profile,
}

/// A principal with its name.
#[derive(Debug, Clone)]
pub struct PrincipalView {
    /// The pseudonymous id.
    pub id: PrincipalId,
    /// Its name; absent when its profile was erased.
    pub name: Option<String>,
    /// Its kind.
    pub kind: PrincipalKind,
    /// The person who answers for it.
    pub responsible: Option<PrincipalId>,
    /// Whether it may act.
    pub standing: Standing,
    /// The roles it holds.
    pub roles: Vec<Role>,
    /// The roles that one person confirmed, and that wait for another to grant them.
    pub confirmed: Vec<Role>,
}

/// Why somebody may or may not do something.
#[derive(Debug)]
pub struct Explained {
    /// What the policy says, and why.
    pub explanation: Explanation,
}

impl Registry {
    /// The principal that an operating-system user acts as when it opens the data directory itself.
    ///
    /// # Errors
    /// When the profiles cannot be read, or no active principal has that login.
    pub async fn local_caller(&self, user: &str) -> Result<Caller, Failed> {
        let profiles = self.profiles().await?;
        let state = self.state();
        if profiles.is_empty() && !state.principals().is_empty() {
            return Err(Failed::Unreadable { login: format!("local:{user}") });
        }
        let known = |profile: &Profile| profile.local_user.as_deref() == Some(user);
        let (active, disabled): (Vec<_>, Vec<_>) =
            profiles.into_iter().filter(|(_, profile)| known(profile)).partition(|(id, _)| {
                state.principals().get(id).is_some_and(|found| found.standing == Standing::Active)
            });
        let Some((id, _)) = active.into_iter().next() else {
            return Err(match disabled.first() {
                Some((id, _)) => {
                    Failed::conflict(format!("principal {id} for local:{user}"), "it is disabled")
                }
                None => Failed::not_found("principal for", format!("local:{user}")),
            });
        };
        Ok(Caller::local(id))
    }

    /// Finds a principal by its id or its name. A name that nobody has gives the id that nobody has: whether
    /// there is such a principal is told by the operation, after the policy was asked.
    ///
    /// # Errors
    /// When the profiles cannot be read.
    pub async fn find_principal(&self, text: &str) -> Result<PrincipalId, Failed> {
        if let Ok(id) = text.parse::<PrincipalId>() {
            return Ok(id);
        }
        let found = self.profiles().await?.into_iter().find(|(_, profile)| profile.name == text);
        Ok(found.map_or_else(nobody, |(id, _)| id))
    }

    /// The names behind the pseudonyms, as far as they were not erased.
    ///
    /// # Errors
    /// When the work is interrupted.
    pub async fn profiles(&self) -> Result<BTreeMap<PrincipalId, Profile>, Failed> {
        self.blocking(|inner| {
            let state = inner.state.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            Ok(read_profiles(inner, &state))
        })
        .await
    }

    /// Lists the principals.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_principals(&self, caller: &Caller) -> Result<Vec<PrincipalView>, Failed> {
        self.allow(caller, op::UserList, ProjectWide).await.map(|_| ())?;
        let profiles = self.profiles().await?;
        let state = self.state();
        let view = |(id, found): (&PrincipalId, &Principal)| PrincipalView {
            id: *id,
            name: profiles.get(id).map(|profile| profile.name.clone()),
            kind: found.kind,
            responsible: found.responsible,
            standing: found.standing,
            roles: found.roles.keys().copied().collect(),
            confirmed: state
                .role_confirmations()
                .values()
                .filter(|one| one.principal == *id)
                .map(|one| one.role)
                .collect(),
        };
        Ok(state.principals().iter().map(view).collect())
    }

    /// Makes a principal.
    ///
    /// # Errors
    /// When the caller may not, or the name or login is taken.
    pub async fn add_principal(&self, caller: &Caller, new: NewPrincipal) -> Result<PrincipalId, Failed> {
        let bytes = new.profile.to_bytes()?;
        let writer = self.writer().await?;
        let mut random = [0; 16];
        (self.inner.random)().fill_bytes(&mut random);
        let id = PrincipalId::from_random(random);
        let person = new.responsible.unwrap_or(id);
        let facts = UserFacts { principal: id, person: bartizan_policy::PersonId::new(person) };
        let allowed = writer.allow(caller, op::UserAdd, facts).await?;
        let state = writer.state();
        let invalid = |why| Err(Failed::invalid("the responsible person", why));
        match (new.kind, new.responsible) {
            (PrincipalKind::Person, None) => {}
            (PrincipalKind::Person, Some(_)) => return invalid("a person answers for themselves"),
            (_, None) => return invalid("a service or workload needs one who answers for it"),
            (_, Some(person)) if known(&state, person)?.kind != PrincipalKind::Person => {
                return invalid("only a person can answer for a service or workload");
            }
            (_, Some(_)) => {}
        }
        for (_, taken) in self.profiles().await? {
            let same_login = taken.local_user.is_some() && taken.local_user == new.profile.local_user;
            if taken.name == new.profile.name || same_login {
                return Err(Failed::conflict(
                    format!("principal `{}`", new.profile.name),
                    "name or login is taken",
                ));
            }
        }
        let now = writer.now();
        let sealed = self.blocking(move |inner| inner.seal_document(&bytes, now)).await?;
        let body = PrincipalV1 {
            principal: id,
            kind: new.kind,
            responsible: new.responsible,
            profile: private(&sealed),
            standing: Standing::Active,
            act: writer.act(&allowed),
        };
        writer.append(vec![Statement::about(body)]).await?;
        Ok(id)
    }

    /// Disables a principal, or enables it again.
    ///
    /// # Errors
    /// When the caller may not, or the principal stands so already.
    pub async fn set_standing(
        &self,
        caller: &Caller,
        id: PrincipalId,
        standing: Standing,
    ) -> Result<(), Failed> {
        let writer = match standing {
            Standing::Disabled => self.stopping_writer().await?,
            Standing::Active => self.writer().await?,
        };
        let state = writer.state();
        let facts = state.user_facts(id);
        let act = match standing {
            Standing::Disabled => writer.act(&writer.allow(caller, op::UserDisable, facts).await?),
            Standing::Active => writer.act(&writer.allow(caller, op::UserEnable, facts).await?),
        };
        let found = known(&state, id)?;
        if standing == Standing::Disabled && state.only_admin(id) {
            return Err(Failed::conflict(
                format!("principal {id}"),
                "nobody else could look after the project",
            ));
        }
        if standing == Standing::Disabled {
            self.check_admins_left(&state, (id, false)).await?;
        }
        if found.standing == standing {
            return Err(Failed::conflict(format!("principal {id}"), "it stands so already"));
        }
        let body = PrincipalV1 {
            principal: id,
            kind: found.kind,
            responsible: found.responsible,
            profile: found.profile.clone(),
            standing,
            act,
        };
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
    }

    /// Explains what the policy would say to a question, without asking for anything.
    ///
    /// # Errors
    /// When the caller may not ask about that principal, or something asked about is unknown.
    pub async fn explain_access(
        &self,
        caller: &Caller,
        principal: PrincipalId,
        action: Action,
        resource: Option<&str>,
    ) -> Result<Explained, Failed> {
        let state = self.state();
        self.allow(caller, op::AccessExplain, state.user_facts(principal)).await.map(|_| ())?;
        known(&state, principal)?;
        let question = Question {
            principal: state.principal_facts(principal)?,
            project: state.project_facts()?,
            action,
            resource: self.resource_facts(&state, principal, action, resource).await?,
            context: ContextFacts::local(self.inner.clock.now()),
        };
        Ok(Explained { explanation: self.inner.policies.explain(&question) })
    }

    /// Resolves the resource of an action that is only known at run time.
    async fn resource_facts(
        &self,
        state: &State,
        principal: PrincipalId,
        action: Action,
        resource: Option<&str>,
    ) -> Result<ResourceFacts, Failed> {
        use bartizan_policy::ResourceKind;
        let text =
            || resource.ok_or_else(|| Failed::invalid(format!("action `{action}`"), "it needs a resource"));
        let bad = |error: bartizan_base::NameInvalid| Failed::invalid("resource", error);
        Ok(match action.kind() {
            ResourceKind::Project => ProjectWide.into(),
            ResourceKind::Dataset => {
                let name = text()?.parse().map_err(bad)?;
                bartizan_policy::DatasetFacts { name, version: None }.into()
            }
            ResourceKind::Source => {
                bartizan_policy::SourceFacts { source: self.find_source(text()?).await? }.into()
            }
            ResourceKind::Model => {
                let version = text()?.parse().map_err(bad)?;
                state.known_version(&version)?;
                state.model_facts(&version).into()
            }
            ResourceKind::Alias => {
                let (alias, version) = text()?
                    .split_once('=')
                    .ok_or_else(|| Failed::invalid("resource", "an alias is written `NAME@ALIAS=VERSION`"))?;
                let alias: bartizan_base::AliasRef = alias.parse().map_err(bad)?;
                let target = format!("{}:{version}", alias.name).parse().map_err(bad)?;
                state.known_version(&target)?;
                state.alias_facts(&alias, &target).into()
            }
            ResourceKind::Endpoint => {
                let (endpoint, target) = match text()?.split_once('=') {
                    Some((endpoint, version)) => {
                        let version = version.parse().map_err(bad)?;
                        state.known_version(&version)?;
                        (endpoint, Some(state.model_facts(&version)))
                    }
                    None => (text()?, None),
                };
                bartizan_policy::EndpointFacts { endpoint: endpoint.parse().map_err(bad)?, target }.into()
            }
            ResourceKind::User => state.user_facts(self.find_principal(text()?).await?).into(),
            ResourceKind::Grant => {
                let to = self.find_principal(text()?).await?;
                let role = action.id().rsplit(':').next().and_then(|word| word.parse().ok());
                let role: Role = role.ok_or_else(|| Failed::invalid("action", "it names no role"))?;
                state.grant_facts(to, role, principal).0.into()
            }
            ResourceKind::Key => {
                let id: ApiKeyId = text()?.parse().map_err(|error| Failed::invalid("resource", error))?;
                let stored = stored_key(state, id).ok_or_else(|| Failed::not_found("API key", id))?;
                state.key_facts(id, &stored.terms, false).into()
            }
            ResourceKind::Artifact => {
                let subject = text()?.parse().map_err(|error| Failed::invalid("resource", error))?;
                bartizan_policy::ArtifactFacts { subject }.into()
            }
        })
    }
}

/// The principal with an id that a request named.
pub(super) fn known(state: &State, id: PrincipalId) -> Result<&Principal, Failed> {
    state.principals().get(&id).ok_or_else(|| Failed::not_found("principal", id))
}

/// The id that no principal has.
pub(super) fn nobody() -> PrincipalId {
    PrincipalId::from_random([0; 16])
}

fn read_profiles(inner: &Inner, state: &State) -> BTreeMap<PrincipalId, Profile> {
    let mut profiles = BTreeMap::new();
    for (id, principal) in state.principals() {
        // A profile that was erased leaves a pseudonym without a name.
        if let Ok((bytes, _)) = read_private(&inner.keys, inner.blobs.as_ref(), &principal.profile)
            && let Some(profile) = Profile::parse(&bytes)
        {
            profiles.insert(*id, profile);
        }
    }
    profiles
}
