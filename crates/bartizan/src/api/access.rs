//! Principals, roles, API keys, and why.

use std::sync::Arc;

use bartizan_base::{PrincipalId, Timestamp};
use bartizan_policy::api_key::{ApiKey, ApiKeyId, Scopes};
use bartizan_policy::limits::ENROLMENT_DAYS;
use bartizan_policy::{Action, Networks, PrincipalKind, Role};
use bartizan_registry::state::ApiKey as StoredKey;
use bartizan_registry::statement::{RoleChange, Standing};
use bartizan_registry::{Caller, Failed, KeyClaim, KeyLimits, NewPrincipal, Profile};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// How long an API key lives when the request does not say.
const KEY_DAYS: i64 = 30;

pub(super) async fn list_users(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let users = app.registry.list_principals(call.caller()?).await?;
    let users: Vec<_> = users
        .iter()
        .map(|user| json!({ "id": user.id, "name": user.name, "kind": user.kind, "responsible": user.responsible, "standing": user.standing, "roles": user.roles, "confirmed": user.confirmed }))
        .collect();
    Ok(Answer::Json(users.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddUser {
    name: String,
    kind: PrincipalKind,
    responsible: Option<String>,
    local_user: Option<String>,
    email: Option<String>,
}

pub(super) async fn add_user(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let (caller, wanted): (Caller, AddUser) = asking(call).await?;
    let responsible = match &wanted.responsible {
        Some(person) => Some(app.registry.find_principal(person).await?),
        None => None,
    };
    let profile = Profile { name: wanted.name, local_user: wanted.local_user, email: wanted.email };
    let new = NewPrincipal { kind: wanted.kind, responsible, profile };
    let name = wanted.responsible.as_deref().unwrap_or_default();
    let id = app.registry.add_principal(&caller, new).await.map_err(|failed| named(name, failed))?;
    Ok(Answer::Json(json!({ "principal": id })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetStanding {
    standing: Standing,
}

pub(super) async fn set_standing(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let text = who(&call);
    let who = app.registry.find_principal(&text).await?;
    let (caller, wanted): (Caller, SetStanding) = asking(call).await?;
    app.registry.set_standing(&caller, who, wanted.standing).await.map_err(|failed| named(&text, failed))?;
    Ok(Answer::Json(json!({ "principal": who, "standing": wanted.standing })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeRole {
    role: Role,
    change: RoleChange,
}

pub(super) async fn change_role(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let text = who(&call);
    let who = app.registry.find_principal(&text).await?;
    let (caller, wanted): (Caller, ChangeRole) = asking(call).await?;
    let changed = app.registry.change_role(&caller, who, wanted.role, wanted.change).await;
    let ended = changed.map_err(|failed| named(&text, failed))?.ended_keys;
    // An enrolment key that nobody has exchanged yet ends with the first role: whoever waits for it wants to know.
    let warning = (!ended.is_empty()).then_some(
        "an enrolment key that was not claimed yet ended with this: whoever has no key takes back the role, enrols, and is granted it anew",
    );
    Ok(Answer::Json(json!({
        "principal": who, "role": wanted.role, "change": wanted.change, "endedKeys": ended, "warning": warning,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueKey {
    days: Option<i64>,
    scopes: Option<String>,
    networks: Option<String>,
    #[serde(default)]
    enrol: bool,
}

pub(super) async fn issue_key(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let text = who(&call);
    let who = app.registry.find_principal(&text).await?;
    let (caller, wanted): (Caller, IssueKey) = asking(call).await?;
    let limits = limits(app, wanted)?;
    let expires = limits.expires_at;
    let key = app.registry.issue_key(&caller, who, limits).await.map_err(|failed| named(&text, failed))?;
    Ok(shown_once(&key, who, expires))
}

pub(super) async fn claim_key(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let (caller, wanted): (Caller, IssueKey) = asking(call).await?;
    if wanted.enrol {
        return Err(Failure::new(
            ids::INVALID,
            "an enrolment key is exchanged for an API key, not for another one",
        ));
    }
    let invalid = |error: &dyn std::error::Error| Failure::of(ids::INVALID, error);
    let scopes =
        wanted.scopes.map(|text| text.parse::<Scopes>()).transpose().map_err(|error| invalid(&error))?;
    let networks =
        wanted.networks.map(|text| text.parse::<Networks>()).transpose().map_err(|error| invalid(&error))?;
    let expires_at = after(app, wanted.days.unwrap_or(KEY_DAYS));
    let claim = KeyClaim { scopes, networks, expires_at };
    let key = app.registry.claim_key(&caller, claim).await?;
    Ok(shown_once(&key, caller.principal(), expires_at))
}

/// What a key may be used for, from where and how long, as the request says or by default.
fn limits(app: &App, wanted: IssueKey) -> Result<KeyLimits, Failure> {
    let scopes = match (wanted.enrol, wanted.scopes) {
        (true, None) => Scopes::enrolment(),
        (true, Some(_)) => {
            return Err(Failure::new(
                ids::INVALID,
                "an enrolment key is good for one thing: it takes no scopes",
            ));
        }
        (false, Some(text)) => text.parse().map_err(|error| Failure::of(ids::INVALID, &error))?,
        (false, None) => {
            let all = Action::ALL.iter().copied();
            Scopes::new(all).map_err(|error| Failure::of(ids::INTERNAL, &error))?
        }
    };
    let networks = match wanted.networks {
        Some(text) => text.parse().map_err(|error| Failure::of(ids::INVALID, &error))?,
        None => Networks::everywhere(),
    };
    let days = wanted.days.unwrap_or(if wanted.enrol { ENROLMENT_DAYS } else { KEY_DAYS });
    Ok(KeyLimits { scopes, networks, expires_at: after(app, days) })
}

fn after(app: &App, days: i64) -> Timestamp {
    app.registry.now().plus_millis(days.saturating_mul(DAY_MILLIS))
}

fn shown_once(key: &ApiKey, principal: PrincipalId, expires: Timestamp) -> Answer {
    let revealed = key.reveal();
    Answer::Json(
        json!({ "id": key.id(), "principal": principal, "key": revealed.as_str(), "expires": expires }),
    )
}

pub(super) async fn list_keys(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let keys = app.registry.list_keys(call.caller()?).await?;
    let state = app.registry.state();
    let now = app.registry.now();
    let standing = |key: &StoredKey| match key.standing {
        Standing::Disabled => "ended",
        Standing::Active if now >= key.expires_at => "expired",
        Standing::Active if !state.key_counts(key) => "handed-over",
        Standing::Active => "active",
    };
    let keys: Vec<_> = keys
        .iter()
        .map(|(id, key)| json!({ "id": id, "principal": key.principal, "issued_by": key.issued_by, "enrolment": state.enrols(key), "standing": standing(key), "expires": key.expires_at, "networks": key.networks }))
        .collect();
    Ok(Answer::Json(keys.into()))
}

pub(super) async fn revoke_key(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let id: ApiKeyId = call.part("id")?;
    app.registry.revoke_key(call.caller()?, id).await?;
    Ok(Answer::Json(json!({ "id": id, "standing": "disabled" })))
}

pub(super) async fn explain(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let text = who(&call);
    let who = app.registry.find_principal(&text).await?;
    let action: Action = call
        .query("action")?
        .ok_or_else(|| Failure::new(ids::INVALID, "`action` says what is asked about"))?;
    let resource = call.query.get("resource").map(String::as_str);
    let explained = app
        .registry
        .explain_access(call.caller()?, who, action, resource)
        .await
        .map_err(|failed| named(&text, failed))?;
    let decision = &explained.explanation.decision;
    let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
    let waived: Vec<&str> = decision.waived.iter().map(|clause| clause.reason.as_str()).collect();
    Ok(Answer::Json(json!({
        "principal": who,
        "action": action,
        "resource": resource,
        "effect": decision.effect,
        "reasons": reasons,
        "waived": waived,
        "policy": decision.policy,
    })))
}

fn who(call: &Call) -> String {
    call.path.get("who").map(|who| who.chars().take(80).collect()).unwrap_or_default()
}

/// Says in the words of the request which principal there is not.
fn named(text: &str, failed: Failed) -> Failed {
    match failed {
        Failed::NotFound { what: what @ "principal", .. } => Failed::NotFound { what, name: text.to_owned() },
        other => other,
    }
}

/// The caller and the body of a request.
async fn asking<T: serde::de::DeserializeOwned>(mut call: Call) -> Result<(Caller, T), Failure> {
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    Ok((caller, call.json().await?))
}
