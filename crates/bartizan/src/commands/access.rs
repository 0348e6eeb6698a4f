//! `access`: people, roles, API keys, and why.

use serde_json::json;

use super::{Work, encoded};
use crate::cli::{Access, Holder, Key, Limits, Role, User};
use crate::failure::Failure;

pub(super) async fn run(work: &Work, verb: Access) -> Result<u8, Failure> {
    match verb {
        Access::User(verb) => user(work, verb).await,
        Access::Key(verb) => key(work, verb).await,
        Access::Role(verb) => {
            let (Holder { who, role }, change) = match verb {
                Role::Grant(holder) => (holder, "granted"),
                Role::Confirm(holder) => (holder, "confirmed"),
                Role::Revoke(holder) => (holder, "withdrawn"),
            };
            send(work, &who, "roles", &json!({ "role": role, "change": change })).await
        }
        Access::Tier { .. } => {
            let raised = work.client().await?.post("/api/v1/project/tier", &json!({})).await?;
            work.answer(&raised)
        }
        Access::Explain { who, action, resource } => {
            let resource = resource.map(|text| format!("&resource={}", encoded(&text))).unwrap_or_default();
            let (who, action) = (encoded(&who), encoded(&action));
            work.show(&format!("/api/v1/principals/{who}/explanation?action={action}{resource}")).await
        }
    }
}

async fn user(work: &Work, verb: User) -> Result<u8, Failure> {
    match verb {
        User::Add { name, kind, responsible, local_uid, email } => {
            let local_user = local_uid.map(|uid| format!("uid-{uid}"));
            let body = json!({ "name": name, "kind": kind, "responsible": responsible, "local_user": local_user, "email": email });
            let added = work.client().await?.post("/api/v1/principals", &body).await?;
            work.answer(&added)
        }
        User::List => work.show("/api/v1/principals").await,
        User::Disable { who } => send(work, &who, "standing", &json!({ "standing": "disabled" })).await,
        User::Enable { who } => send(work, &who, "standing", &json!({ "standing": "active" })).await,
    }
}

async fn key(work: &Work, verb: Key) -> Result<u8, Failure> {
    match verb {
        Key::Create { who, enrol, limits: Limits { days, scopes, networks } } => {
            let body = json!({ "days": days, "scopes": scopes, "networks": networks, "enrol": enrol });
            send(work, &who, "keys", &body).await
        }
        Key::Claim { limits: Limits { days, scopes, networks } } => {
            let body = json!({ "days": days, "scopes": scopes, "networks": networks });
            let claimed = work.client().await?.post("/api/v1/api-keys", &body).await?;
            work.answer(&claimed)
        }
        Key::List => work.show("/api/v1/api-keys").await,
        Key::Revoke { id } => {
            let revoked = work.client().await?.delete(&format!("/api/v1/api-keys/{}", encoded(&id))).await?;
            work.answer(&revoked)
        }
    }
}

async fn send(work: &Work, who: &str, what: &str, body: &serde_json::Value) -> Result<u8, Failure> {
    let path = format!("/api/v1/principals/{}/{what}", encoded(who));
    let answered = work.client().await?.post(&path, body).await?;
    work.answer(&answered)
}
