//! Folding statements about the project itself: keys, decisions, principals, roles and API keys.

use bartizan_base::PrincipalId;
use bartizan_keys::PublicKey;
use bartizan_policy::limits::ENROLMENT_DAYS;
use bartizan_policy::{Access, DecisionRecord, Effect, PrincipalKind, Role, Tier};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{
    ApiKey, KeyGrant, NotAdmitted, OpenDecision, Principal, Project, RoleConfirmation, RoleGrant,
    SignedStatement, State, edge,
};
use crate::deed::Deed;
use crate::statement::{
    Act, ApiKeyV1, KeyV1, PolicyV1, PrincipalV1, ProjectV1, RoleChange, RoleV1, Standing,
};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

impl State {
    pub(super) fn apply_project(&mut self, index: u64, body: &ProjectV1) -> Result<(), NotAdmitted> {
        if body.root_key != self.root.id() {
            return Err(edge(index, body.project, "it names another root key"));
        }
        match &mut self.project {
            None if index == 0 => {
                self.project = Some(Project {
                    id: body.project,
                    origin: body.origin.clone(),
                    tier: body.tier,
                    development: body.development,
                    raised: None,
                    entries: vec![index],
                });
                Ok(())
            }
            None => Err(edge(index, body.project, "the first entry of a ledger states its project")),
            Some(project) if project.id != body.project || project.origin != body.origin => {
                Err(edge(index, body.project, "it is another project"))
            }
            Some(project) if project.tier > body.tier => {
                Err(edge(index, body.project, "a tier is raised, never lowered"))
            }
            Some(project) if project.development != body.development => {
                Err(edge(index, body.project, "a project stays with the kind of keys that it began with"))
            }
            Some(project) => {
                if project.tier < body.tier {
                    project.raised = Some(index);
                    // What one person confirmed when one person could do everything is no second opinion.
                    self.role_confirmations.clear();
                }
                project.tier = body.tier;
                project.entries.push(index);
                Ok(())
            }
        }
    }

    pub(super) fn apply_policy(&mut self, index: u64, body: &PolicyV1) -> Result<(), NotAdmitted> {
        if self.policies.last().map(|(entry, _)| *entry) != body.previous {
            return Err(edge(index, "policy", "it does not follow the policy in force"));
        }
        self.policies.push((index, body.policy));
        Ok(())
    }

    pub(super) fn apply_key(&mut self, index: u64, body: &KeyV1) -> Result<(), NotAdmitted> {
        let what = || format!("key {}", body.key);
        let der = STANDARD
            .decode(&body.public_key)
            .map_err(|_| edge(index, what(), "its public half is not base64"))?;
        let public = PublicKey::from_spki_der(&der)
            .map_err(|_| edge(index, what(), "its public half is not a key this version knows"))?;
        if public.id() != body.key || public.algorithm() != body.algorithm {
            return Err(edge(index, what(), "its id or algorithm is not that of its public half"));
        }
        let mut entries = self.keys.get(&body.key).map(|grant| grant.entries.clone()).unwrap_or_default();
        entries.push(index);
        let since = self.keys.get(&body.key).map_or(body.at, |grant| grant.since);
        let grant = KeyGrant {
            public,
            algorithm: body.algorithm,
            purpose: body.purpose,
            predicate_types: body.predicate_types.clone(),
            standing: body.standing,
            since,
            entries,
        };
        self.keys.insert(body.key, grant);
        Ok(())
    }

    pub(super) fn apply_decision(&mut self, index: u64, body: &DecisionRecord) -> Result<(), NotAdmitted> {
        let what = || format!("decision for {}", body.principal);
        if self.policy() != Some(body.policy) {
            return Err(edge(index, what(), "it was taken under another policy than the one in force"));
        }
        let project = self.project().map(|project| project.id);
        if project != Some(body.project) || body.tier != self.tier() {
            return Err(edge(index, what(), "it was taken in another project or tier"));
        }
        if body.tier == Tier::Release && !body.waived.is_empty() {
            return Err(edge(index, what(), "in tier release nothing is waived"));
        }
        self.decided = true;
        self.open_decision = None;
        if body.effect == Effect::Deny {
            return Ok(());
        }
        self.active_principal(index, body.principal)?;
        if body.action.access() == Access::Read {
            return Ok(());
        }
        let open = OpenDecision {
            principal: body.principal,
            action: body.action,
            resource: body.resource_name.clone(),
            beneficiary: body.beneficiary,
            self_approved: !body.waived.is_empty(),
        };
        self.open_decision = Some((index, open));
        Ok(())
    }

    /// Checks that a recorded decision allows exactly this deed, and uses it up.
    pub(super) fn consume(
        &mut self,
        index: u64,
        act: &Act,
        deed: &Deed,
    ) -> Result<OpenDecision, NotAdmitted> {
        let refuse = |why| NotAdmitted::Decision {
            index,
            action: deed.action.to_string(),
            resource: deed.resource.clone(),
            why,
        };
        let at = act.decision.ok_or_else(|| refuse("the statement names none"))?;
        let open = match self.open_decision.take() {
            Some((found, open)) if found == at => open,
            _ => return Err(refuse("it denies, was used before, or another decision came after it")),
        };
        if open.principal != act.by {
            return Err(refuse("it is about another principal"));
        }
        if open.action != deed.action || open.resource != deed.resource {
            return Err(refuse("it is about another action or resource"));
        }
        if deed.beneficiary.is_some() && deed.beneficiary != open.beneficiary {
            return Err(refuse("it is about another beneficiary"));
        }
        Ok(open)
    }

    /// As [`State::consume`], but the project root key may act without a decision when a project begins, which is
    /// before the first decision.
    fn consume_or_root(
        &mut self,
        index: u64,
        signed: &SignedStatement,
        act: &Act,
        deed: &Deed,
    ) -> Result<(), NotAdmitted> {
        if act.decision.is_none() && signed.signer() == self.root.id() && !self.decided {
            return Ok(());
        }
        self.consume(index, act, deed).map(|_| ())
    }

    pub(super) fn apply_principal(
        &mut self,
        index: u64,
        signed: &SignedStatement,
        body: &PrincipalV1,
    ) -> Result<(), NotAdmitted> {
        let deed = match body.standing {
            Standing::Disabled => Deed::user_disable(body.principal),
            Standing::Active if self.principals.contains_key(&body.principal) => {
                Deed::user_enable(body.principal)
            }
            Standing::Active => Deed::user_add(body.principal),
        };
        self.consume_or_root(index, signed, &body.act, &deed)?;
        let what = || body.principal;
        let answered_for = match (body.kind, body.responsible) {
            (PrincipalKind::Person, None) => true,
            (PrincipalKind::Person, Some(_)) | (_, None) => false,
            (_, Some(person)) => {
                self.principals.get(&person).is_some_and(|found| found.kind == PrincipalKind::Person)
            }
        };
        if !answered_for {
            return Err(edge(index, what(), "a service or workload, and nobody else, names a person"));
        }
        let before = self.principals.get(&body.principal);
        if before.is_some_and(|found| found.kind != body.kind || found.responsible != body.responsible) {
            return Err(edge(index, what(), "kind and responsible person do not change"));
        }
        let roles = before.map(|found| found.roles.clone()).unwrap_or_default();
        let mut entries = before.map(|found| found.entries.clone()).unwrap_or_default();
        entries.push(index);
        let principal = Principal {
            kind: body.kind,
            responsible: body.responsible,
            profile: body.profile.clone(),
            standing: body.standing,
            roles,
            entries,
        };
        self.principals.insert(body.principal, principal);
        if body.standing == Standing::Disabled {
            self.role_confirmations.retain(|_, found| found.by != body.principal);
        }
        Ok(())
    }

    pub(super) fn apply_role(
        &mut self,
        index: u64,
        signed: &SignedStatement,
        body: &RoleV1,
    ) -> Result<(), NotAdmitted> {
        let deed = match body.change {
            RoleChange::Confirmed => Deed::role_confirm(body.principal, body.role),
            RoleChange::Granted => Deed::role_grant(body.principal, body.role),
            RoleChange::Withdrawn => Deed::role_revoke(body.principal, body.role),
        };
        self.consume_or_root(index, signed, &body.act, &deed)?;
        let what = || body.principal;
        match body.change {
            RoleChange::Confirmed | RoleChange::Granted => self.active_principal(index, body.principal)?,
            // What somebody disabled holds can be taken away, so that it does not come back with them.
            RoleChange::Withdrawn if self.principals.contains_key(&body.principal) => {}
            RoleChange::Withdrawn => return Err(edge(index, what(), "no entry states this principal")),
        }
        match body.change {
            RoleChange::Confirmed => {
                let confirmation =
                    RoleConfirmation { principal: body.principal, role: body.role, by: body.act.by };
                self.role_confirmations.insert(index, confirmation);
            }
            RoleChange::Granted => {
                self.check_grant(index, body)?;
                if let Some(at) = body.confirmed {
                    let found = self.role_confirmations.remove(&at);
                    let found =
                        found.ok_or_else(|| edge(index, what(), "it rests on no open confirmation"))?;
                    let same = found.principal == body.principal && found.role == body.role;
                    if !same || self.person(found.by) == self.person(body.act.by) {
                        return Err(edge(index, what(), "a second person confirms the very grant"));
                    }
                }
                self.forget_confirmations(body);
                self.end_keys(index, body.principal, |state, key| state.enrols(key));
                let grant = RoleGrant { by: body.act.by, entry: index };
                if let Some(holder) = self.principals.get_mut(&body.principal) {
                    holder.roles.insert(body.role, grant);
                }
            }
            RoleChange::Withdrawn => {
                self.forget_confirmations(body);
                if body.role == Role::Admin {
                    self.role_confirmations.retain(|_, found| found.by != body.principal);
                }
                self.withdrawn.push((index, body.principal, body.role));
                if let Some(holder) = self.principals.get_mut(&body.principal) {
                    holder.roles.remove(&body.role);
                }
            }
        }
        Ok(())
    }

    /// Nobody but the project root grants a role to themselves, and in tier release guarded roles take two people.
    fn check_grant(&self, index: u64, body: &RoleV1) -> Result<(), NotAdmitted> {
        if body.act.decision.is_none() {
            return Ok(());
        }
        if self.person(body.act.by).principal() == body.principal {
            return Err(edge(index, body.principal, "nobody grants a role to themselves"));
        }
        let guarded = matches!(body.role, Role::Admin | Role::Approver | Role::Security);
        if guarded && self.tier() == Tier::Release && body.confirmed.is_none() {
            return Err(edge(index, body.principal, "in tier release two people grant this role"));
        }
        Ok(())
    }

    /// A confirmation is for one grant: neither a second grant nor one after a withdrawal rests on it.
    fn forget_confirmations(&mut self, body: &RoleV1) {
        self.role_confirmations
            .retain(|_, found| (found.principal, found.role) != (body.principal, body.role));
    }

    pub(super) fn apply_api_key(
        &mut self,
        index: u64,
        signed: &SignedStatement,
        body: &ApiKeyV1,
    ) -> Result<(), NotAdmitted> {
        let deed = match (body.standing, &body.claims) {
            (Standing::Active, None) => Deed::key_issue(&body.id, body.principal),
            (Standing::Active, Some(_)) => Deed::key_claim(&body.id, body.principal),
            (Standing::Disabled, _) => Deed::key_revoke(&body.id, body.principal),
        };
        self.consume_or_root(index, signed, &body.act, &deed)?;
        let what = || format!("API key {}", body.id);
        let own = self.person(body.act.by) == self.person(body.principal);
        let new = body.standing == Standing::Active;
        if !new && body.claims.is_some() {
            return Err(edge(index, what(), "what is revoked claims nothing"));
        }
        if new && !own && body.scopes.enrol() {
            self.check_newcomer(index, body.principal)?;
            if body.expires_at > body.act.at.plus_millis(ENROLMENT_DAYS * DAY_MILLIS) {
                return Err(edge(index, what(), "an enrolment key lives a few days"));
            }
            self.end_keys(index, body.principal, |state, key| state.enrols(key));
        } else if new && !own && self.tier() == Tier::Release {
            return Err(edge(
                index,
                what(),
                "in tier release nobody issues a key that speaks for another person",
            ));
        }
        if new && let Some(given) = &body.claims {
            self.use_up(index, given, body)?;
        }
        match self.api_keys.get(&body.id) {
            None if body.standing == Standing::Active => self.active_principal(index, body.principal)?,
            None => return Err(edge(index, what(), "a key that was never issued is revoked")),
            Some(_) if body.standing == Standing::Active => {
                return Err(edge(index, what(), "a key is issued once"));
            }
            Some(found) if found.principal != body.principal || found.verifier != body.verifier => {
                return Err(edge(index, what(), "it is another key"));
            }
            Some(_) => {}
        }
        let issued_by = self.api_keys.get(&body.id).map_or(body.act.by, |found| found.issued_by);
        let claimed = match self.api_keys.get(&body.id) {
            Some(found) => found.claimed,
            None => body.claims.is_some(),
        };
        let key = ApiKey {
            issued_by,
            claimed,
            principal: body.principal,
            verifier: body.verifier,
            scopes: body.scopes.clone(),
            networks: body.networks.clone(),
            expires_at: body.expires_at,
            standing: body.standing,
            entry: index,
        };
        self.api_keys.insert(body.id.clone(), key);
        Ok(())
    }

    /// Uses up the key that an API key is claimed with. What replaces a key may do no more than that did; what comes
    /// of an enrolment key is the first key of somebody who holds no role yet, and the only one.
    fn use_up(&mut self, index: u64, given: &str, claimed: &ApiKeyV1) -> Result<(), NotAdmitted> {
        let refuse = || {
            let what = format!("API key {}", claimed.id);
            edge(index, what, "it is claimed without a key that could be exchanged for it")
        };
        let found = self.api_keys.get(given).ok_or_else(refuse)?;
        let enrols = self.enrols(found);
        let fits = self.unseen(found)
            && (enrols || claimed.scopes.within(&found.scopes))
            && !claimed.scopes.enrol()
            && claimed.networks.within(&found.networks)
            && found.standing == Standing::Active
            && found.principal == claimed.principal
            && claimed.act.by == claimed.principal
            && claimed.act.at < found.expires_at;
        if !fits {
            return Err(refuse());
        }
        if enrols {
            self.check_newcomer(index, claimed.principal)?;
            self.end_keys(index, claimed.principal, |_, _| true);
        } else if let Some(found) = self.api_keys.get_mut(given) {
            found.standing = Standing::Disabled;
            found.entry = index;
        }
        Ok(())
    }

    /// Only who holds no role enrols, so that nobody can enrol as somebody who may do something already.
    fn check_newcomer(&self, index: u64, principal: PrincipalId) -> Result<(), NotAdmitted> {
        let newcomer = self.principals.get(&principal).is_some_and(|found| found.roles.is_empty());
        if newcomer { Ok(()) } else { Err(edge(index, principal, "only who holds no role enrols")) }
    }

    /// Ends the active API keys of a principal that `which` picks.
    fn end_keys(&mut self, index: u64, principal: PrincipalId, which: impl Fn(&Self, &ApiKey) -> bool) {
        let ended: Vec<String> = self
            .api_keys
            .iter()
            .filter(|(_, key)| key.principal == principal && key.standing == Standing::Active)
            .filter(|(_, key)| which(self, key))
            .map(|(id, _)| id.clone())
            .collect();
        for id in ended {
            if let Some(key) = self.api_keys.get_mut(&id) {
                key.standing = Standing::Disabled;
                key.entry = index;
            }
        }
    }

    /// Checks that a principal exists and may act.
    pub(super) fn active_principal(&self, index: u64, principal: PrincipalId) -> Result<(), NotAdmitted> {
        match self.principals.get(&principal) {
            Some(found) if found.standing == Standing::Active => Ok(()),
            Some(_) => Err(edge(index, principal, "it is disabled")),
            None => Err(edge(index, principal, "no entry states this principal")),
        }
    }
}
