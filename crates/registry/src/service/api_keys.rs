//! API keys: issuing, claiming, revoking and admitting them.

use std::net::IpAddr;
use std::sync::Arc;

use bartizan_base::{PrincipalId, Timestamp};
use bartizan_policy::api_key::{
    self, Admitted, ApiKey, ApiKeyId, IssuedKey, NotAdmitted, Scopes, Terms, Verifier,
};
use bartizan_policy::{Action, KeyFacts, Networks, ProjectWide, Role, op};

use super::access::{known, nobody};
use super::roles::suffices;
use super::{Caller, Failed, Presented, Registry};
use crate::state::{self, State};
use crate::statement::{Act, ApiKeyV1, Standing, Statement};

/// What an API key that is to be issued is good for at most.
#[derive(Debug, Clone)]
pub struct KeyLimits {
    /// What it may be used for at most.
    pub scopes: Scopes,
    /// From where it may be used.
    pub networks: Networks,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What is asked for in exchange for an API key.
#[derive(Debug, Clone)]
pub struct KeyClaim {
    /// What the new key may be used for; without it what the old one may, or everything for an enrolment key.
    pub scopes: Option<Scopes>,
    /// From where it may be used; without it from where the old one may.
    pub networks: Option<Networks>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Registry {
    /// Checks a presented API key.
    ///
    /// # Errors
    /// When it is not accepted; what an answer says of the reason is up to the caller: only who holds the secret is told that a key has ended.
    pub fn admit(&self, presented: &ApiKey, from: IpAddr) -> Result<Arc<Admitted>, NotAdmitted> {
        self.admit_in(&self.state(), presented, from, self.inner.clock.now())
    }

    /// The same by a state and at a time.
    pub(super) fn admit_in(
        &self,
        state: &State,
        presented: &ApiKey,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Arc<Admitted>, NotAdmitted> {
        let stored = stored_key(state, presented.id());
        api_key::admit(stored.as_ref(), presented, from, now).map(Arc::new)
    }

    /// Issues an API key; its text is returned once and kept nowhere.
    ///
    /// # Errors
    /// When the caller may not, or the terms are not possible.
    pub async fn issue_key(
        &self,
        caller: &Caller,
        to: PrincipalId,
        limits: KeyLimits,
    ) -> Result<ApiKey, Failed> {
        let writer = self.writer().await?;
        let state = writer.state();
        let terms = limits.for_principal(to, &state);
        let (key, issued) = api_key::issue(terms, (self.inner.random)().as_mut(), writer.now())?;
        let enrolment = issued.terms.scopes.enrol();
        let facts = state.key_facts(key.id(), &issued.terms, enrolment);
        if enrolment && facts.person == state.person(caller.principal) {
            return Err(Failed::invalid("enrolment key", "it is for somebody else"));
        }
        let allowed = writer.allow(caller, op::KeyIssue, facts).await?;
        known(&state, to)?;
        let body = api_key_statement(&issued, Standing::Active, None, writer.act(&allowed));
        writer.append(vec![Statement::about(body)]).await?;
        Ok(key)
    }

    /// Claims an API key for its owner in exchange for the key that the caller came with: an enrolment key, or one
    /// that the new key replaces and then may do no more than. What is not asked for is taken from that key.
    ///
    /// Nobody but its owner ever held the secret of a claimed key, which is why it counts in tier release.
    ///
    /// # Errors
    /// When the caller did not come with a key, the terms are not possible or go beyond those of that key, or tier release
    /// would be without two admins who could grant roles.
    pub async fn claim_key(&self, caller: &Caller, claim: KeyClaim) -> Result<ApiKey, Failed> {
        let writer = self.writer().await?;
        let state = writer.state();
        let given = match &caller.credential {
            Presented::Key(given) => state.api_keys().get(&given.id().to_string()),
            Presented::Local => None,
        };
        let limits = claim.limits(given)?;
        let (scopes, networks) = (limits.scopes.clone(), limits.networks.clone());
        let terms = limits.for_principal(caller.principal, &state);
        let (key, issued) = api_key::issue(terms, (self.inner.random)().as_mut(), writer.now())?;
        let facts = state.key_facts(key.id(), &issued.terms, false);
        let allowed = writer.allow(caller, op::KeyClaim, facts).await?;
        let (Presented::Key(presented), Some(given)) = (&caller.credential, given) else {
            return Err(Failed::KeyEnded);
        };
        let more = !(state.enrols(given) || scopes.within(&given.scopes)) || scopes.enrol();
        if more || !networks.within(&given.networks) {
            return Err(Failed::invalid(
                "claim",
                "the new key may do no more than the one it is exchanged for",
            ));
        }
        if !state.unseen(given) {
            return Err(Failed::invalid(
                "claim",
                "somebody else issued this key: enrol to get one of your own",
            ));
        }
        let claims = presented.id().to_string();
        if !suffices(&issued.terms.scopes, Role::Admin) {
            self.check_admin_key(&state, caller.principal, &claims).await?;
        }
        let body = api_key_statement(&issued, Standing::Active, Some(claims), writer.act(&allowed));
        writer.append(vec![Statement::about(body)]).await?;
        Ok(key)
    }

    /// Revokes an API key.
    ///
    /// # Errors
    /// When the caller may not, or the key is unknown or revoked already.
    pub async fn revoke_key(&self, caller: &Caller, id: ApiKeyId) -> Result<(), Failed> {
        let writer = self.stopping_writer().await?;
        let state = writer.state();
        let stored = stored_key(&state, id);
        let facts = match &stored {
            Some(stored) => state.key_facts(id, &stored.terms, false),
            None => unknown_key(id, &state),
        };
        let allowed = writer.allow(caller, op::KeyRevoke, facts).await?;
        let stored = stored.ok_or_else(|| Failed::not_found("API key", id))?;
        if stored.revoked {
            return Err(Failed::conflict(format!("API key {id}"), "it is revoked already"));
        }
        let owner = stored.terms.principal;
        self.check_admin_key(&state, owner, &id.to_string()).await?;
        let body = api_key_statement(&stored, Standing::Disabled, None, writer.act(&allowed));
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
    }

    /// Lists API keys, never their secrets.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_keys(&self, caller: &Caller) -> Result<Vec<(String, state::ApiKey)>, Failed> {
        self.allow(caller, op::KeyList, ProjectWide).await.map(|_| ())?;
        Ok(self.state().api_keys().iter().map(|(id, key)| (id.clone(), key.clone())).collect())
    }
}

impl KeyClaim {
    /// What is asked for, completed from the key that is given for it.
    fn limits(self, given: Option<&state::ApiKey>) -> Result<KeyLimits, Failed> {
        let everything = || Scopes::new(Action::ALL.iter().copied());
        let scopes = match (self.scopes, given) {
            (Some(scopes), _) => scopes,
            (None, Some(given)) if !given.scopes.enrol() => given.scopes.clone(),
            (None, _) => everything().map_err(|error| Failed::invalid("scopes", error))?,
        };
        let networks = match (self.networks, given) {
            (Some(networks), _) => networks,
            (None, Some(given)) => given.networks.clone(),
            (None, None) => Networks::everywhere(),
        };
        Ok(KeyLimits { scopes, networks, expires_at: self.expires_at })
    }
}

impl KeyLimits {
    fn for_principal(self, principal: PrincipalId, state: &State) -> Terms {
        let Self { scopes, networks, expires_at } = self;
        Terms { principal, person: state.person(principal), scopes, networks, expires_at }
    }
}

impl State {
    /// Whether a key is still good: known, not revoked, not expired, and not handed over before tier release.
    pub(super) fn key_stands(&self, id: ApiKeyId, now: Timestamp) -> bool {
        self.api_keys().get(&id.to_string()).is_some_and(|found| {
            found.standing == Standing::Active && now < found.expires_at && self.key_counts(found)
        })
    }

    /// The facts about a key with these terms.
    pub(super) fn key_facts(&self, key: ApiKeyId, terms: &Terms, enrolment: bool) -> KeyFacts {
        let principal = terms.principal;
        let newcomer = self.roles(principal).is_empty();
        KeyFacts { key, principal, person: self.person(principal), enrolment, newcomer }
    }
}

/// The facts about a key that was never issued.
fn unknown_key(key: ApiKeyId, state: &State) -> KeyFacts {
    let principal = nobody();
    KeyFacts { key, principal, person: state.person(principal), enrolment: false, newcomer: true }
}

/// What a statement says of an API key.
pub(super) fn api_key_statement(
    issued: &IssuedKey,
    standing: Standing,
    claims: Option<String>,
    act: Act,
) -> ApiKeyV1 {
    ApiKeyV1 {
        id: issued.id.to_string(),
        principal: issued.terms.principal,
        verifier: issued.verifier.digest(),
        scopes: issued.terms.scopes.clone(),
        networks: issued.terms.networks.clone(),
        expires_at: issued.terms.expires_at,
        standing,
        claims,
        act,
    }
}

/// An API key as the fold knows it, in the form that admission compares with.
pub(super) fn stored_key(state: &State, id: ApiKeyId) -> Option<IssuedKey> {
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
        handed_over: !state.key_counts(found),
    })
}
