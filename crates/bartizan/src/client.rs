//! One client for every command: the router in this process, or the API of an `up` that holds the directory.

mod remote;
mod server;

use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bartizan_keys::Passphrase;
use bartizan_registry::Indexing;
use bartizan_store::LockInfo;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use self::remote::Remote;
use self::server::Server;
use crate::api::{self, App, InProcess, LocalFile};
use crate::boot::{self, Opened};
use crate::catalog::ids;
use crate::failure::Failure;

/// Where requests go.
pub(crate) enum Client {
    /// To the router in this process, which holds the data directory.
    Local { router: Router, who: InProcess, _opened: Box<Opened> },
    /// To an API.
    Remote(Remote),
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
            return Remote::new(Server::named(server)?, token).map(Self::Remote);
        }
        boot::data_dir(data_dir)?;
        let holder = bartizan_store::holder(data_dir).map_err(|error| Failure::of(ids::STORAGE, &error))?;
        if let Some(Some(LockInfo { api: Some(api), .. })) = holder {
            boot::own(data_dir)?;
            return Remote::new(Server::holding(&api)?, token).map(Self::Remote);
        }
        let opened = boot::open(data_dir, "command", passphrase, Indexing::Compare).await?;
        let app = App::new(opened.registry.clone(), data_dir.to_owned(), None, None);
        let who = InProcess { user: os_user(), token };
        Ok(Self::Local { router: api::router(&app), who, _opened: Box::new(opened) })
    }

    /// Asks for JSON.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        parse(&self.send("GET", path, Content::Nothing, Patience::Quick).await?)
    }

    /// Asks for JSON that the server has to work for.
    pub(crate) async fn examine(&self, path: &str) -> Result<Value, Failure> {
        parse(&self.send("GET", path, Content::Nothing, Patience::Work).await?)
    }

    /// Asks for a file.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.send("GET", path, Content::Nothing, Patience::Work).await
    }

    /// Sends JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        parse(&self.send("POST", path, Content::Json(body.to_string()), Patience::Quick).await?)
    }

    /// Sends JSON that gives the server work.
    pub(crate) async fn order(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        parse(&self.send("POST", path, Content::Json(body.to_string()), Patience::Work).await?)
    }

    /// Deletes.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        parse(&self.send("DELETE", path, Content::Nothing, Patience::Quick).await?)
    }

    /// Sends an open file.
    pub(crate) async fn upload(&self, path: &str, file: Box<dyn Read + Send>) -> Result<Value, Failure> {
        parse(&self.send("POST", path, Content::File(file), Patience::Work).await?)
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        content: Content,
        patience: Patience,
    ) -> Result<Vec<u8>, Failure> {
        let (status, bytes) = match self {
            Self::Local { router, who, .. } => local(router, who, method, path, content).await?,
            Self::Remote(remote) => remote.send(method, path, content, patience).await?,
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

/// What goes with a request.
enum Content {
    Nothing,
    Json(String),
    File(Box<dyn Read + Send>),
}

/// How long an answer may take.
#[derive(Debug, Clone, Copy)]
enum Patience {
    /// It is looked up or written down.
    Quick,
    /// Content is read, hashed or checked for it.
    Work,
}

async fn local(
    router: &Router,
    who: &InProcess,
    method: &str,
    path: &str,
    content: Content,
) -> Result<(u16, Vec<u8>), Failure> {
    let mut request = Request::builder().method(method).uri(path).extension(who.clone());
    let body = match content {
        Content::Nothing => Body::empty(),
        Content::Json(text) => Body::from(text),
        Content::File(file) => {
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

fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(|error| Failure::of(ids::INTERNAL, &error))
}

/// The operating-system user that runs this process, by number: names can be reassigned.
pub(crate) fn os_user() -> String {
    format!("uid-{}", rustix::process::getuid().as_raw())
}
