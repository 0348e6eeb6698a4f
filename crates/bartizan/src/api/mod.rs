//! The HTTP API: one table of routes, one way in, and one place where a caller is identified.

mod access;
mod console;
mod data;
mod endpoint;
mod ledger;
mod lineage;
mod metrics;
mod model;
mod predictions;
mod project;
mod prove;
mod remembered;
mod routes;
mod run;
mod serve;
mod session;
mod source;
mod tokens;
mod upload;

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use bartizan_base::Timestamp;
use bartizan_keys::Secret;
use bartizan_policy::api_key::{ApiKey, NotAdmitted};
use bartizan_registry::{Caller, Registry};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio::time::timeout;

pub(crate) use self::ledger::verdict;
use self::remembered::Remembered;
pub(crate) use self::routes::{Access, ROUTES, Route};
pub(crate) use self::serve::{Ended, Place, serve};
use self::session::Sessions;
use crate::catalog::ids;
use crate::failure::Failure;
use crate::handed_out::HandedOut;
use crate::inference::Gateway;

/// Bytes of a request that is not an upload.
const REQUEST_BYTES: usize = 1024 * 1024;
/// How long such a request may take to arrive.
const REQUEST_PATIENCE: Duration = Duration::from_secs(30);
/// Requests that are worked on at one time, those included whose client has hung up.
const REQUESTS: u32 = 1024;

/// What handlers share.
pub(crate) struct App {
    pub(crate) registry: Registry,
    pub(crate) data_dir: PathBuf,
    pub(crate) handed_out: HandedOut,
    /// What this process shows that it knows; none where nothing listens.
    pub(crate) secret: Option<Secret>,
    gateway: OnceCell<Arc<Gateway>>,
    started: Timestamp,
    remembered: Remembered,
    statements: console::Statements,
    /// Places for pages that are kept up to date.
    streams: Arc<Semaphore>,
    /// Whether this process is about to end: what would go on for ever ends with it.
    ending: watch::Sender<bool>,
    sessions: Sessions,
    working: Arc<Semaphore>,
}

/// A request that never left this process: who runs it, and with which key.
#[derive(Clone)]
pub(crate) struct InProcess {
    /// The operating-system user.
    pub(crate) user: String,
    /// An API key, to act as somebody else.
    pub(crate) token: Option<String>,
}

/// An open file in place of a body; only code in this process can attach one.
#[derive(Clone)]
pub(crate) struct LocalFile(pub(crate) Arc<Mutex<Option<Box<dyn Read + Send>>>>);

/// An identified request.
pub(crate) struct Call {
    pub(crate) caller: Option<Caller>,
    pub(crate) peer: IpAddr,
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) file: Option<LocalFile>,
    pub(crate) body: Body,
}

/// What a handler answers.
pub(crate) enum Answer {
    /// Data.
    Json(Value),
    /// A file.
    Bytes(&'static str, Vec<u8>),
    /// Anything that a page needs.
    Page(Box<Response>),
}

/// The variable parts of a path and of a query; what is wrong with them is told to those who may know.
type PathParts = Result<Path<BTreeMap<String, String>>, PathRejection>;
type QueryParts = Result<Query<BTreeMap<String, String>>, QueryRejection>;

/// A handler's answer on its way.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send + 'a>>;

impl App {
    /// An application over an open registry, and the gateway of this process if there is one.
    pub(crate) fn new(
        registry: Registry,
        data_dir: PathBuf,
        secret: Option<Secret>,
        gateway: Option<Arc<Gateway>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            handed_out: HandedOut::new(&data_dir),
            data_dir,
            secret,
            gateway: OnceCell::new_with(gateway),
            started: registry.now(),
            remembered: Remembered::default(),
            statements: console::Statements::default(),
            streams: Arc::new(Semaphore::new(console::STREAMS)),
            ending: watch::Sender::new(false),
            sessions: Sessions::default(),
            working: Arc::new(Semaphore::new(usize::try_from(REQUESTS).unwrap_or(usize::MAX))),
            registry,
        })
    }

    /// The gateway, which keeps the records of predictions. Where none serves in this process, which holds the data
    /// directory alone then, what it left on disk is opened, and answers no requests for predictions.
    pub(crate) async fn gateway(&self) -> Result<&Arc<Gateway>, Failure> {
        let open = async || {
            let (registry, path) = (self.registry.clone(), self.data_dir.clone());
            let opened = tokio::task::spawn_blocking(move || Gateway::open(registry, &path)).await;
            opened.map_err(|error| Failure::of(ids::INTERNAL, &error))?
        };
        self.gateway.get_or_try_init(open).await
    }

    /// The gateway that is open in this process, if there is one.
    pub(crate) fn open_gateway(&self) -> Option<&Arc<Gateway>> {
        self.gateway.get()
    }

    /// Waits until no request is worked on.
    async fn idle(&self) {
        // It is never closed, so what comes back are permits, and they are not needed.
        drop(self.working.acquire_many(REQUESTS).await);
    }
}

/// The router, made from the table of routes and from nothing else.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let filter = match route.method {
            "POST" => MethodFilter::POST,
            "DELETE" => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        let handler = move |State(app): State<Arc<App>>,
                            path: PathParts,
                            query: QueryParts,
                            request: Request| async move {
            answer(&app, route, path, query, request).await
        };
        router = router.route(route.path, on(filter, handler));
    }
    router.fallback(unknown).with_state(Arc::clone(app))
}

async fn unknown(request: Request) -> Response {
    let failure = match request.headers().contains_key(header::AUTHORIZATION) {
        true => Failure::new(ids::NOT_FOUND, "there is nothing here"),
        false => Failure::new(ids::NOT_AUTHENTICATED, "the request has no accepted credential"),
    };
    refuse(&failure)
}

async fn answer(
    app: &Arc<App>,
    route: &'static Route,
    path: PathParts,
    query: QueryParts,
    request: Request,
) -> Response {
    let page = route.access == Access::Page || route.access == Access::SignIn;
    let (parts, body) = request.into_parts();
    if let Err(failure) = check_host(&parts.headers, parts.extensions.get::<InProcess>().is_some()) {
        return refuse(&failure);
    }
    let peer = parts.extensions.get::<SocketAddr>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.ip());
    let caller = match identify(app, route, &parts, peer).await {
        Ok(caller) => caller,
        Err(_) if page => return console::to_sign_in(),
        Err(failure) => return refuse(&failure),
    };
    if caller.is_some()
        && let Some(place) = parts.extensions.get::<Arc<Place>>()
    {
        place.recognise();
    }
    tracing::debug!(route = route.path, action = route.action, "a request came in");
    let (Ok(Path(path)), Ok(Query(query))) = (path, query) else {
        let failure = Failure::new(ids::INVALID, "the path or the query is not UTF-8 text, percent-encoded");
        return if page { console::failure_page(&failure) } else { refuse(&failure) };
    };
    let file = parts.extensions.get::<LocalFile>().cloned();
    let call = Call { caller, peer, path, query, headers: parts.headers, file, body };
    match to_the_end(Arc::clone(app), route, call).await {
        Ok(Answer::Json(value)) => json(StatusCode::OK, &value),
        Ok(Answer::Bytes(content_type, bytes)) => {
            let headers = [(header::CONTENT_TYPE, content_type)];
            (headers, CAREFULLY, bytes).into_response()
        }
        Ok(Answer::Page(response)) => *response,
        Err(failure) if page && failure.id == ids::NOT_AUTHENTICATED => console::to_sign_in(),
        Err(failure) if page => console::failure_page(&failure),
        Err(failure) => refuse(&failure),
    }
}

/// Runs a handler to its end, also when the client hangs up meanwhile: what has begun is finished or refused, and
/// what it took in is used or destroyed.
async fn to_the_end(app: Arc<App>, route: &'static Route, call: Call) -> Result<Answer, Failure> {
    let working = Arc::clone(&app.working).acquire_owned().await;
    let working = working.map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    #[expect(
        clippy::disallowed_methods,
        reason = "its end is awaited here; it has to outlive the connection"
    )]
    let handling = tokio::spawn(async move {
        let handled = (route.handler)(&app, call).await;
        drop(working);
        handled
    });
    handling.await.unwrap_or_else(|error| Err(Failure::of(ids::INTERNAL, &error)))
}

/// Who asks. A credential is looked for where the route takes one, and nowhere else.
async fn identify(
    app: &App,
    route: &Route,
    parts: &axum::http::request::Parts,
    peer: IpAddr,
) -> Result<Option<Caller>, Failure> {
    let missing = || Failure::new(ids::NOT_AUTHENTICATED, "the request has no accepted credential");
    match route.access {
        Access::Anonymous | Access::SignIn => Ok(None),
        Access::Page => match app.sessions.caller(&parts.headers, peer) {
            Some(caller) => Ok(Some(caller)),
            None => Err(missing()),
        },
        Access::Principal => {
            if let Some(local) = parts.extensions.get::<InProcess>() {
                return match &local.token {
                    Some(token) => admit(app, token, peer).map(Some),
                    None => Ok(Some(app.registry.local_caller(&local.user).await?)),
                };
            }
            let token = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let token = token.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(missing)?;
            admit(app, token, peer).map(Some)
        }
    }
}

/// Checks an API key. Whoever holds its secret is told that it has ended; whatever else is wrong, the answer is the same.
fn admit(app: &App, token: &str, peer: IpAddr) -> Result<Caller, Failure> {
    let admitted = ApiKey::parse(token.trim()).and_then(|key| app.registry.admit(&key, peer));
    admitted.map(Caller::key).map_err(|refused| {
        tracing::info!(cause = refused.cause(), "an API key was not accepted");
        let (what, next) = match refused {
            NotAdmitted::Revoked => (
                "the API key has ended: it was revoked, exchanged for another, or was to enrol somebody who has a role meanwhile",
                "whoever holds no role asks an admin for a key to enrol with (bartizan access key create WHO --enrol); docs/policy.md says what \
                 others do",
            ),
            NotAdmitted::HandedOver => (
                "somebody else has seen this API key, which does not count in tier release",
                "ask an admin to take your roles (bartizan access role revoke WHO ROLE) and to issue a key to enrol with (bartizan access key create \
                 WHO --enrol): with that you claim one of your own (bartizan access key claim), and are granted the roles anew",
            ),
            NotAdmitted::Expired => {
                ("the API key has expired", "docs/policy.md says how whoever lost their key comes by another")
            }
            _ => return Failure::new(ids::NOT_AUTHENTICATED, "the API key is not accepted"),
        };
        Failure::new(ids::NOT_AUTHENTICATED, what).then(next)
    })
}

/// Only addresses, and the name of this machine: a page elsewhere cannot point its name at us (DNS rebinding).
fn check_host(headers: &HeaderMap, in_process: bool) -> Result<(), Failure> {
    if in_process {
        return Ok(());
    }
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    // A number cannot be pointed anywhere.
    if name == "localhost" || bare.parse::<IpAddr>().is_ok() {
        Ok(())
    } else {
        let what = "the Host header is neither an address in numbers nor `localhost`";
        Err(Failure::new(ids::NOT_AUTHENTICATED, what)
            .then("let the proxy in front send the address it connects to"))
    }
}

/// Answers are neither kept nor taken for something else.
const CAREFULLY: [(HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];

fn json(status: StatusCode, value: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (status, headers, CAREFULLY, value.to_string()).into_response()
}

fn refuse(failure: &Failure) -> Response {
    let status = StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_server_error() {
        tracing::error!(
            id = failure.id,
            what = failure.what,
            why = failure.why.join("; "),
            "a request failed"
        );
    }
    json(status, &serde_json::json!({ "error": failure }))
}

impl Call {
    /// The caller; routes for anybody have none.
    pub(crate) fn caller(&self) -> Result<&Caller, Failure> {
        self.caller.as_ref().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))
    }

    /// A part of the path, parsed.
    pub(crate) fn part<T>(&self, name: &str) -> Result<T, Failure>
    where
        T: std::str::FromStr<Err: std::error::Error>,
    {
        let text = self.path.get(name).map_or("", String::as_str);
        text.parse().map_err(|error: T::Err| Failure::of(ids::INVALID, &error))
    }

    /// A part of the query, parsed.
    pub(crate) fn query<T>(&self, name: &str) -> Result<Option<T>, Failure>
    where
        T: std::str::FromStr<Err: std::error::Error>,
    {
        let parsed = self.query.get(name).map(|text| text.parse());
        parsed.transpose().map_err(|error: T::Err| Failure::of(ids::INVALID, &error))
    }

    /// The body as JSON of a type.
    pub(crate) async fn json<T: DeserializeOwned>(self) -> Result<T, Failure> {
        let bytes = small(self.body, REQUEST_BYTES).await?;
        serde_json::from_slice(&bytes).map_err(|error| Failure::of(ids::INVALID, &error))
    }

    /// `NAME:VERSION` from the path's `name` and `version`.
    pub(crate) fn version(&self) -> Result<bartizan_base::VersionRef, Failure> {
        let part = |name: &str| self.path.get(name).map_or("", String::as_str);
        let text = format!("{}:{}", part("name"), part("version"));
        text.parse().map_err(|error| Failure::of(ids::INVALID, &error))
    }
}

/// A body that is no upload: of bounded length, and in bounded time.
async fn small(body: Body, limit: usize) -> Result<Bytes, Failure> {
    let collected = timeout(REQUEST_PATIENCE, Limited::new(body, limit).collect()).await;
    let collected = collected.map_err(|_| Failure::new(ids::SLOW, "the request's body took too long"))?;
    let collected =
        collected.map_err(|error| Failure::new(ids::INVALID, format!("the request's body: {error}")))?;
    Ok(collected.to_bytes())
}

#[cfg(test)]
mod tests;
