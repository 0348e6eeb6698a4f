//! One client for every command: the router in this process, or the API of an `up` that holds the directory.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bartizan_keys::Passphrase;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::api::{self, App, InProcess, LocalFile};
use crate::boot::{self, Opened};
use crate::catalog::ids;
use crate::failure::Failure;

/// Bytes of an answer.
const ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// Where requests go.
pub(crate) enum Client {
    /// To the router in this process, which holds the data directory.
    Local { router: Router, who: InProcess, _opened: Box<Opened> },
    /// To an API.
    Remote { agent: ureq::Agent, base: String, token: String },
}

impl Client {
    /// Opens the data directory, or finds the `up` that holds it.
    pub(crate) async fn reach(
        data_dir: &Path,
        server: Option<&str>,
        token: Option<String>,
        passphrase: Option<Passphrase>,
    ) -> Result<Self, Failure> {
        if let Some(server) = server {
            return Self::remote(server.trim_end_matches('/').to_owned(), token);
        }
        boot::data_dir(data_dir)?;
        let holder = bartizan_store::holder(data_dir).map_err(|error| Failure::of(ids::STORAGE, &error))?;
        if let Some(Some(holder)) = holder
            && let Some(address) = holder.address
        {
            return Self::remote(base(address), token);
        }
        let opened = boot::open(data_dir, "command", passphrase, false).await?;
        let app = App::new(opened.registry.clone(), data_dir.to_owned());
        let who = InProcess { user: os_user(), token };
        Ok(Self::Local { router: api::router(&app), who, _opened: Box::new(opened) })
    }

    fn remote(base: String, token: Option<String>) -> Result<Self, Failure> {
        let token = token.ok_or_else(|| {
            let what = format!("`{base}` holds the data directory, and it takes an API key");
            Failure::new(ids::NOT_AUTHENTICATED, what)
        })?;
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        Ok(Self::Remote { agent: config.into(), base, token })
    }

    /// Asks for JSON.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        parse(&self.bytes(path).await?)
    }

    /// Asks for a file.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.send("GET", path, Sent::Nothing).await
    }

    /// Sends JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        parse(&self.send("POST", path, Sent::Json(body.to_string())).await?)
    }

    /// Deletes.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        parse(&self.send("DELETE", path, Sent::Nothing).await?)
    }

    /// Sends an open file.
    pub(crate) async fn upload(&self, path: &str, file: File) -> Result<Value, Failure> {
        parse(&self.send("POST", path, Sent::File(file)).await?)
    }

    async fn send(&self, method: &str, path: &str, sent: Sent) -> Result<Vec<u8>, Failure> {
        let (status, bytes) = match self {
            Self::Local { router, who, .. } => local(router, who, method, path, sent).await?,
            Self::Remote { agent, base, token } => {
                let (agent, url, token, method) =
                    (agent.clone(), format!("{base}{path}"), token.clone(), method.to_owned());
                let asked = tokio::task::spawn_blocking(move || remote(&agent, &url, &token, &method, sent));
                asked.await.map_err(|error| Failure::of(ids::INTERNAL, &error))??
            }
        };
        if (200..300).contains(&status) {
            return Ok(bytes);
        }
        let said: Option<Failure> = serde_json::from_slice::<Value>(&bytes)
            .ok()
            .and_then(|value| serde_json::from_value(value.get("error")?.clone()).ok());
        Err(said
            .unwrap_or_else(|| Failure::new(ids::INTERNAL, format!("the API answered with status {status}"))))
    }
}

enum Sent {
    Nothing,
    Json(String),
    File(File),
}

async fn local(
    router: &Router,
    who: &InProcess,
    method: &str,
    path: &str,
    sent: Sent,
) -> Result<(u16, Vec<u8>), Failure> {
    let mut request = Request::builder().method(method).uri(path).extension(who.clone());
    let body = match sent {
        Sent::Nothing => Body::empty(),
        Sent::Json(text) => Body::from(text),
        Sent::File(file) => {
            request = request.extension(LocalFile(Arc::new(Mutex::new(Some(file)))));
            Body::empty()
        }
    };
    let request = request.body(body).map_err(|error| Failure::of(ids::INVALID, &error))?;
    let Ok(response) = router.clone().oneshot(request).await;
    let status = response.status().as_u16();
    let collected =
        response.into_body().collect().await.map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    Ok((status, collected.to_bytes().to_vec()))
}

fn remote(
    agent: &ureq::Agent,
    url: &str,
    token: &str,
    method: &str,
    sent: Sent,
) -> Result<(u16, Vec<u8>), Failure> {
    let bearer = format!("Bearer {token}");
    let answered = match (method, sent) {
        ("DELETE", _) => agent.delete(url).header("Authorization", &bearer).call(),
        ("POST", Sent::Json(text)) => agent
            .post(url)
            .header("Authorization", &bearer)
            .header("Content-Type", "application/json")
            .send(text),
        ("POST", Sent::File(file)) => agent.post(url).header("Authorization", &bearer).send(file),
        ("POST", Sent::Nothing) => agent.post(url).header("Authorization", &bearer).send_empty(),
        _ => agent.get(url).header("Authorization", &bearer).call(),
    };
    let mut response =
        answered.map_err(|error| Failure::of(ids::STORAGE, &error).then("see whether `bartizan up` runs"))?;
    let status = response.status().as_u16();
    let bytes = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec();
    Ok((status, bytes.map_err(|error| Failure::of(ids::STORAGE, &error))?))
}

fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(|error| Failure::of(ids::INTERNAL, &error))
}

fn base(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// The operating-system user that runs this process, by number: names can be reassigned.
pub(crate) fn os_user() -> String {
    format!("uid-{}", rustix::process::getuid().as_raw())
}
