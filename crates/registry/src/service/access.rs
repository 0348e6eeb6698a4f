//! Principals, roles and API keys.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use bartizan_base::{PrincipalId, Timestamp};
use bartizan_policy::api_key::{
    self, Admitted, ApiKey, ApiKeyId, IssuedKey, NotAdmitted, Scopes, Terms, Verifier,
};
use bartizan_policy::{
    Action, ContextFacts, Explanation, KeyFacts, Networks, PrincipalKind, ProjectWide, Question,
    ResourceFacts, Role, Tier, UserFacts, op,
};

use super::write::private;
use super::{Caller, Failed, Inner, Profile, Registry};
use crate::proof::read_private;
use crate::state::{Principal, State};
use crate::statement::{Act, ApiKeyV1, PrincipalV1, ProjectV1, RoleChange, RoleV1, Standing, Statement};

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

/// An API key that is to be issued.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Whose.
    pub principal: PrincipalId,
    /// What it may be used for at most.
    pub scopes: Scopes,
    /// From where it may be used.
    pub networks: Networks,
    /// When it ends.
    pub expires_at: Timestamp,
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
}

/// Why somebody may or may not do something.
#[derive(Debug)]
pub struct Explained {
    /// What the policy says, and why.
    pub explanation: Explanation,
}

impl Registry {
    /// Checks a presented API key.
    ///
    /// # Errors
    /// When it is not accepted; the reasons are told apart for counters, never in answers.
    pub fn admit(&self, presented: &ApiKey, from: IpAddr) -> Result<Arc<Admitted>, NotAdmitted> {
        let state = self.state();
        let stored = stored_key(&state, presented.id());
        api_key::admit(stored.as_ref(), presented, from, self.inner.clock.now()).map(Arc::new)
    }

    /// The principal that an operating-system user acts as when it opens the data directory itself.
    ///
    /// # Errors
    /// When the profiles cannot be read, or no active principal has that login.
    pub async fn local_caller(&self, user: &str) -> Result<Caller, Failed> {
        let profiles = self.profiles().await?;
        let state = self.state();
        let found = profiles.into_iter().find(|(id, profile)| {
            let active = state.principals().get(id).is_some_and(|found| found.standing == Standing::Active);
            active && profile.local_user.as_deref() == Some(user)
        });
        let (id, _) = found.ok_or_else(|| Failed::not_found("principal for", format!("local:{user}")))?;
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
        if let Some(person) = new.responsible {
            known(&writer.state(), person)?;
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
        let writer = self.writer().await?;
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

    /// Issues an API key; its text is returned once and kept nowhere.
    ///
    /// # Errors
    /// When the caller may not, or the terms are not possible.
    pub async fn issue_key(&self, caller: &Caller, new: NewApiKey) -> Result<ApiKey, Failed> {
        let writer = self.writer().await?;
        let state = writer.state();
        let person = state.person(new.principal);
        let terms = Terms {
            principal: new.principal,
            person,
            scopes: new.scopes,
            networks: new.networks,
            expires_at: new.expires_at,
        };
        let (key, issued) = api_key::issue(terms, (self.inner.random)().as_mut(), writer.now())?;
        let facts = KeyFacts { key: key.id(), principal: new.principal, person };
        let allowed = writer.allow(caller, op::KeyIssue, facts).await?;
        known(&state, new.principal)?;
        let body = api_key_statement(&issued, Standing::Active, writer.act(&allowed));
        writer.append(vec![Statement::about(body)]).await?;
        Ok(key)
    }

    /// Revokes an API key.
    ///
    /// # Errors
    /// When the caller may not, or the key is unknown or revoked already.
    pub async fn revoke_key(&self, caller: &Caller, id: ApiKeyId) -> Result<(), Failed> {
        let writer = self.writer().await?;
        let state = writer.state();
        let stored = stored_key(&state, id);
        let principal = stored.as_ref().map_or_else(nobody, |stored| stored.terms.principal);
        let facts = KeyFacts { key: id, principal, person: state.person(principal) };
        let allowed = writer.allow(caller, op::KeyRevoke, facts).await?;
        let stored = stored.ok_or_else(|| Failed::not_found("API key", id))?;
        if stored.revoked {
            return Err(Failed::conflict(format!("API key {id}"), "it is revoked already"));
        }
        let body = api_key_statement(&stored, Standing::Disabled, writer.act(&allowed));
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
    }

    /// Lists API keys, never their secrets.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_keys(&self, caller: &Caller) -> Result<Vec<(String, crate::state::ApiKey)>, Failed> {
        self.allow(caller, op::KeyList, ProjectWide).await.map(|_| ())?;
        Ok(self.state().api_keys().iter().map(|(id, key)| (id.clone(), key.clone())).collect())
    }

    /// Grants a role, confirms that somebody else may grant it, or withdraws it.
    ///
    /// # Errors
    /// When the caller may not, or the role is held, or not held, already.
    pub async fn change_role(
        &self,
        caller: &Caller,
        to: PrincipalId,
        role: Role,
        change: RoleChange,
    ) -> Result<(), Failed> {
        let writer = self.writer().await?;
        let state = writer.state();
        let (facts, confirmation) = state.grant_facts(to, role, caller.principal);
        let (act, confirmed) = match change {
            RoleChange::Confirmed => {
                (writer.act(&writer.allow(caller, op::RoleConfirm(role), facts).await?), None)
            }
            RoleChange::Granted => {
                (writer.act(&writer.allow(caller, op::RoleGrant(role), facts).await?), confirmation)
            }
            RoleChange::Withdrawn => {
                (writer.act(&writer.allow(caller, op::RoleRevoke(role), facts).await?), None)
            }
        };
        let holder = known(&state, to)?;
        if holder.standing == Standing::Disabled && change != RoleChange::Withdrawn {
            return Err(Failed::conflict(
                format!("principal {to}"),
                "it is disabled: roles can only be withdrawn",
            ));
        }
        if change == RoleChange::Withdrawn && role == Role::Admin && state.only_admin(to) {
            return Err(Failed::conflict(
                format!("principal {to}"),
                "nobody else could look after the project",
            ));
        }
        let held = state.roles(to).contains(&role);
        if held != (change == RoleChange::Withdrawn) {
            let why = if held { "it is held already" } else { "it is not held" };
            return Err(Failed::conflict(format!("role {role} of {to}"), why));
        }
        let body = RoleV1 { principal: to, role, change, confirmed, act };
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
    }

    /// Raises the project to tier `release`.
    ///
    /// # Errors
    /// When the caller may not, or the project is there already.
    pub async fn raise_tier(&self, caller: &Caller) -> Result<(), Failed> {
        let writer = self.writer().await?;
        writer.allow(caller, op::ProjectTier(Tier::Release), ProjectWide).await.map(|_| ())?;
        let state = writer.state();
        let project = state.project().ok_or_else(|| Failed::not_found("project", "here"))?;
        if project.tier == Tier::Release {
            return Err(Failed::conflict("tier", "the project is in tier `release` already"));
        }
        let body = ProjectV1 {
            project: project.id,
            root_key: self.inner.keys.signing(bartizan_keys::Purpose::ProjectRoot).public().id(),
            origin: project.origin.clone(),
            tier: Tier::Release,
            development: project.development,
            at: writer.now(),
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
                KeyFacts { key: id, principal: stored.terms.principal, person: stored.terms.person }.into()
            }
            ResourceKind::Artifact => {
                let subject = text()?.parse().map_err(|error| Failed::invalid("resource", error))?;
                bartizan_policy::ArtifactFacts { subject }.into()
            }
        })
    }
}

/// The principal with an id that a request named.
fn known(state: &State, id: PrincipalId) -> Result<&Principal, Failed> {
    state.principals().get(&id).ok_or_else(|| Failed::not_found("principal", id))
}

/// The id that no principal has.
fn nobody() -> PrincipalId {
    PrincipalId::from_random([0; 16])
}

/// What a statement says of an API key.
pub(super) fn api_key_statement(issued: &IssuedKey, standing: Standing, act: Act) -> ApiKeyV1 {
    ApiKeyV1 {
        id: issued.id.to_string(),
        principal: issued.terms.principal,
        verifier: issued.verifier.digest(),
        scopes: issued.terms.scopes.clone(),
        networks: issued.terms.networks.clone(),
        expires_at: issued.terms.expires_at,
        standing,
        act,
    }
}

/// An API key as the fold knows it, in the form that admission compares with.
fn stored_key(state: &State, id: ApiKeyId) -> Option<IssuedKey> {
    let found = state.api_keys().get(&id.to_string())?;
    Some(IssuedKey {
        id,
        verifier: Verifier::from_digest(found.verifier),
        terms: Terms {
            principal: found.principal,
            person: state.person(found.principal),
            scopes: found.scopes.clone(),
            networks: found.networks.clone(),
            expires_at: found.expires_at,
        },
        revoked: found.standing == Standing::Disabled,
    })
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
