//! Roles: granting and withdrawing them, and what tier release cannot do without.

use std::collections::BTreeMap;

use bartizan_base::{PrincipalId, Timestamp};
use bartizan_policy::api_key::Scopes;
use bartizan_policy::{Action, PrincipalKind, ProjectWide, Role, Tier, op};

use super::access::known;
use super::{Caller, Failed, Profile, Registry};
use crate::state::{ApiKey, RoleConfirmation, State};
use crate::statement::{ProjectV1, RoleChange, RoleV1, Standing, Statement};

/// Admins without whom nobody could grant a guarded role in tier release: one confirms, another grants.
const ADMINS: usize = 2;
/// Approvers without whom nothing could be approved there.
const APPROVERS: usize = 1;
/// The roles that two people grant.
const GUARDED: [Role; 3] = [Role::Admin, Role::Approver, Role::Security];

/// What a change of a role brought about beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleChanged {
    /// The API keys of that principal that ended with it, beside those that had expired: enrolment keys that nobody
    /// had exchanged yet.
    pub ended_keys: Vec<String>,
}

impl Registry {
    /// Grants a role, confirms that somebody else may grant it, or withdraws the role and what was confirmed of it.
    ///
    /// # Errors
    /// When the caller may not, or the role is held, or not held, already.
    pub async fn change_role(
        &self,
        caller: &Caller,
        to: PrincipalId,
        role: Role,
        change: RoleChange,
    ) -> Result<RoleChanged, Failed> {
        let writer = match change {
            RoleChange::Withdrawn => self.stopping_writer().await?,
            RoleChange::Confirmed | RoleChange::Granted => self.writer().await?,
        };
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
        if change == RoleChange::Withdrawn {
            self.check_not_last(&state, to, role).await?;
        }
        let about_it = |found: &RoleConfirmation| found.principal == to && found.role == role;
        let open = state.role_confirmations().values().any(about_it);
        let held = state.roles(to).contains(&role) || (open && change == RoleChange::Withdrawn);
        if held != (change == RoleChange::Withdrawn) {
            let why = if held { "it is held already" } else { "it is not held" };
            return Err(Failed::conflict(format!("role {role} of {to}"), why));
        }
        let body = RoleV1 { principal: to, role, change, confirmed, act };
        writer.append(vec![Statement::about(body)]).await?;
        // Nobody else has written since: the turn goes on.
        let (after, now) = (writer.state(), self.inner.clock.now());
        let before = state.api_keys().iter().filter(|(_, key)| key.principal == to && stands(key, now));
        let ended = before.filter(|(id, _)| !after.api_keys().get(*id).is_some_and(|key| stands(key, now)));
        Ok(RoleChanged { ended_keys: ended.map(|(id, _)| id.clone()).collect() })
    }

    /// Refuses to withdraw a role that the project could not do without. Disabling somebody is no withdrawal: one person
    /// can do it and undo it.
    async fn check_not_last(&self, state: &State, from: PrincipalId, role: Role) -> Result<(), Failed> {
        let conflict = |why: String| Err(Failed::conflict(format!("role {role} of {from}"), why));
        if role == Role::Admin && state.only_admin(from) {
            return conflict("nobody else could look after the project".to_owned());
        }
        let needed = match role {
            Role::Admin => ADMINS,
            Role::Approver => APPROVERS,
            _ => return Ok(()),
        };
        if state.tier() != Tier::Release || !state.roles(from).contains(&role) {
            return Ok(());
        }
        let profiles = self.profiles().await?;
        let now = self.inner.clock.now();
        let (own, others): (Vec<_>, Vec<_>) = able(state, &profiles, role, now).partition(|id| *id == from);
        // Whoever lost their key gives up their roles to enrol again. Whoever is disabled is to come back with them.
        let active = state.principals().get(&from).is_some_and(|found| found.standing == Standing::Active);
        let none_lost = own.is_empty() && active;
        if others.len() >= needed || none_lost {
            return Ok(());
        }
        let others = others.len();
        let without = match role {
            Role::Admin => "without two admins nobody could grant admin, approver or security any more",
            _ => "without an approver nothing could be approved",
        };
        conflict(format!(
            "that would leave {others} who can sign in by themselves and do what the role is for, and tier release takes {needed}: \
             {without}. Have the role granted to somebody else first; to stop {from} at once: bartizan access user disable {from}"
        ))
    }

    /// Refuses what would leave too few who can sign in as admins: one to undo it, or two where it cannot be undone.
    pub(super) async fn check_admins_left(
        &self,
        state: &State,
        (without, for_good): (PrincipalId, bool),
    ) -> Result<(), Failed> {
        if state.tier() != Tier::Release || !state.roles(without).contains(&Role::Admin) {
            return Ok(());
        }
        let profiles = self.profiles().await?;
        let now = self.inner.clock.now();
        let others = able(state, &profiles, Role::Admin, now).filter(|id| *id != without).count();
        let why = match (for_good, others) {
            (_, 0) => {
                "no other admin could sign in and grant roles, so nobody could undo that: have the role of admin granted to somebody else first"
            }
            (true, others) if others < ADMINS => {
                "that would leave one admin who can sign in and grant roles, and granting a guarded role takes two: disable the admin, which stops the \
                 key at once and can be undone (bartizan access user disable), or have the role granted to somebody else first"
            }
            _ => return Ok(()),
        };
        Err(Failed::conflict(format!("principal {without}"), why))
    }

    /// Refuses to take a key from an admin for good without which too few admins could act. One who could act without
    /// it, or could not with it either, loses nothing by it.
    pub(super) async fn check_admin_key(
        &self,
        state: &State,
        owner: PrincipalId,
        key: &str,
    ) -> Result<(), Failed> {
        let (profiles, now) = (self.profiles().await?, self.inner.clock.now());
        // Whoever is disabled is to come back with a key.
        let signs_in = |without| signs_in(state, &profiles, (owner, Role::Admin), now, without);
        if signs_in(Some(key)) || !signs_in(None) {
            return Ok(());
        }
        self.check_admins_left(state, (owner, true)).await
    }

    /// Raises the project to tier `release`.
    ///
    /// # Errors
    /// When the caller may not, the project is there already, or it would be stuck there: without two admins nobody
    /// could grant a guarded role any more, and without an approver nothing could be approved.
    pub async fn raise_tier(&self, caller: &Caller) -> Result<(), Failed> {
        let writer = self.writer().await?;
        writer.allow(caller, op::ProjectTier(Tier::Release), ProjectWide).await.map(|_| ())?;
        let state = writer.state();
        let project = state.project().ok_or_else(|| Failed::not_found("project", "here"))?;
        if project.tier == Tier::Release {
            return Err(Failed::conflict("tier", "the project is in tier `release` already"));
        }
        let (profiles, now) = (self.profiles().await?, self.inner.clock.now());
        let able = |role| able(&state, &profiles, role, now).count();
        let (admins, approvers) = (able(Role::Admin), able(Role::Approver));
        if admins < ADMINS || approvers < APPROVERS {
            return Err(Failed::NotReady { admins, approvers });
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
}

/// The principals who hold a role and could act on it in tier release. `now` is what the clock says, by which keys are
/// admitted too, and not the latest time that a statement asserts.
fn able<'a>(
    state: &'a State,
    profiles: &'a BTreeMap<PrincipalId, Profile>,
    role: Role,
    now: Timestamp,
) -> impl Iterator<Item = PrincipalId> + 'a {
    let active = state.principals().iter().filter(|(_, found)| found.standing == Standing::Active);
    let holders = active.map(|(id, _)| *id).filter(move |id| state.roles(*id).contains(&role));
    holders.filter(move |id| signs_in(state, profiles, (*id, role), now, None))
}

/// Whether a person, disabled or not, could sign in and do what a role is needed for, when one key is taken away: by
/// opening the data directory on this machine, or with a key of their own.
fn signs_in(
    state: &State,
    profiles: &BTreeMap<PrincipalId, Profile>,
    (id, role): (PrincipalId, Role),
    now: Timestamp,
    without: Option<&str>,
) -> bool {
    let person = state.principals().get(&id).is_some_and(|found| found.kind == PrincipalKind::Person);
    let local = profiles.get(&id).is_some_and(|profile| profile.local_user.is_some());
    let keys = state.api_keys().iter().filter(|(name, _)| without != Some(name.as_str()));
    let mut keys = keys.map(|(_, key)| key).filter(|key| {
        key.principal == id && stands(key, now) && !key.scopes.enrol() && suffices(&key.scopes, role)
    });
    person && (local || keys.any(|key| state.unseen(key)))
}

/// Whether a key with these scopes is enough for what tier release needs a role for: admins to confirm and grant the
/// roles that take two people, approvers to approve.
pub(super) fn suffices(scopes: &Scopes, role: Role) -> bool {
    match role {
        Role::Admin => GUARDED.into_iter().all(|guarded| {
            scopes.admit(Action::RoleConfirm(guarded)) && scopes.admit(Action::RoleGrant(guarded))
        }),
        Role::Approver => scopes.admit(Action::ModelApprove),
        _ => true,
    }
}

fn stands(key: &ApiKey, now: Timestamp) -> bool {
    key.standing == Standing::Active && now < key.expires_at
}
