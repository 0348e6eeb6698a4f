//! One request over one connection: no proxy, no redirect, no connection that is used twice.
//!
//! ```text
//!   connect --> "do you know the secret?" --> the key and the request --> answer
//!               '------------- the same connection, so nobody can step in between
//! ```

use std::io::{self, Read};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Request, header};
use bartizan_keys::{OsRandom, hello};
use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rand_core::Rng as _;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::server::Server;
use super::{Content, Patience};
use crate::catalog::ids;
use crate::failure::Failure;

/// Bytes of an answer.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of the answer that shows who a server is.
const HELLO_BYTES: usize = 4096;
/// How long a server may take to accept a connection, and how long to show who it is.
const HELLO_PATIENCE: Duration = Duration::from_secs(10);
/// How long a request without work may take as a whole.
const QUICK: Duration = Duration::from_secs(120);
/// How long an upload may stand still.
const STALL: Duration = Duration::from_secs(120);
/// Bytes that are read from a file at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// A server, and the key that is shown to it.
pub(crate) struct Remote {
    server: Server,
    token: HeaderValue,
}

impl Remote {
    pub(super) fn new(server: Server, token: Option<String>) -> Result<Self, Failure> {
        let token = token.ok_or_else(|| {
            let what = format!("`{}` takes an API key, and there is none", server.host);
            Failure::new(ids::NOT_AUTHENTICATED, what)
        })?;
        let mut token = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .map_err(|_| Failure::new(ids::NOT_AUTHENTICATED, "BARTIZAN_TOKEN is not an API key"))?;
        token.set_sensitive(true);
        Ok(Self { server, token })
    }

    /// Sends a request and returns the status and the body of the answer.
    ///
    /// What makes the server read, hash or check content has no time-out as a whole: how long that takes follows
    /// from how much there is. Content on its way must move, though; and a server that ends closes the connection,
    /// because it is on this machine.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        content: Content,
        patience: Patience,
    ) -> Result<(u16, Vec<u8>), Failure> {
        let stream =
            timeout(HELLO_PATIENCE, self.connect()).await.map_err(|_| silent("the connection"))??;
        let exchange = self.exchange(stream, method, path, content);
        match patience {
            Patience::Work => exchange.await,
            Patience::Quick => timeout(QUICK, exchange).await.map_err(|_| silent("the answer"))?,
        }
    }

    async fn connect(&self) -> Result<TcpStream, Failure> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in &self.server.addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Small requests after one another wait for nothing.
                    stream.set_nodelay(true).map_err(|error| unreachable(&error))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(unreachable(&last).then("see whether `bartizan up` runs"))
    }

    async fn exchange(
        &self,
        stream: TcpStream,
        method: &str,
        path: &str,
        content: Content,
    ) -> Result<(u16, Vec<u8>), Failure> {
        let opened = http1::handshake::<_, Body>(TokioIo::new(stream)).await;
        let (mut sender, connection) = opened.map_err(|error| unreachable(&error))?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.server.host)
            .header(header::AUTHORIZATION, self.token.clone());
        let mut feeding = None;
        let body = match content {
            Content::Nothing => Body::empty(),
            Content::Json(text) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(text)
            }
            Content::File(file) => {
                let (chunks, body) = Channel::<Bytes, io::Error>::new(2);
                feeding = Some((file, chunks));
                Body::new(body)
            }
        };
        let request = request.body(body).map_err(|error| Failure::of(ids::INVALID, &error))?;
        let asking = async {
            timeout(HELLO_PATIENCE, self.recognise(&mut sender))
                .await
                .map_err(|_| silent("who listens"))??;
            sender.ready().await.map_err(|error| unreachable(&error))?;
            let answer = sender.send_request(request).await.map_err(|error| unreachable(&error))?;
            let status = answer.status().as_u16();
            let collected = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await;
            let bytes = collected.map_err(|error| unreachable(&*error))?.to_bytes();
            Ok((status, bytes.to_vec()))
        };
        let feeding = async {
            match feeding {
                Some((file, chunks)) => feed(file, chunks).await,
                None => Ok(()),
            }
        };
        let (mut asking, mut feeding) = (std::pin::pin!(asking), std::pin::pin!(feeding));
        let mut connection = std::pin::pin!(connection);
        let (mut fed, mut open) = (false, true);
        loop {
            tokio::select! {
                answered = &mut asking => return answered,
                feeding = &mut feeding, if !fed => {
                    feeding?;
                    fed = true;
                }
                // How it ended is told to whoever asks.
                _ = &mut connection, if open => open = false,
            }
        }
    }

    /// Finds out whether whoever listens can read the data directory, before showing the key.
    async fn recognise(&self, sender: &mut SendRequest<Body>) -> Result<(), Failure> {
        let Some(secret) = &self.server.secret else { return Ok(()) };
        let other = |why: &str| {
            let what = format!("whoever listens on {} does not hold the data directory", self.server.host);
            let mut failure = Failure::new(ids::OTHER_SERVER, what);
            failure.why.push(why.to_owned());
            failure
        };
        let mut nonce = [0; hello::NONCE_BYTES];
        OsRandom.fill_bytes(&mut nonce);
        let request = Request::builder()
            .uri(format!("/api/v1/hello?nonce={}", hex::encode(nonce)))
            .header(header::HOST, &self.server.host)
            .body(Body::empty())
            .map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        let answer = sender.send_request(request).await.map_err(|error| unreachable(&error))?;
        let status = answer.status().as_u16();
        let collected = Limited::new(answer.into_body(), HELLO_BYTES).collect().await;
        let bytes = collected.map_err(|_| other("its answer is too long or breaks off"))?.to_bytes();
        if status != 200 {
            return Err(other(&format!("it answers with status {status}")));
        }
        let shown = serde_json::from_slice::<Value>(&bytes).ok();
        let shown = shown.as_ref().and_then(|shown| shown.get("answer")?.as_str()).unwrap_or_default();
        match hex::decode(shown) {
            Ok(shown) if hello::holds(secret, &nonce, &shown) => Ok(()),
            _ => Err(other("it does not know the secret in the lock file")),
        }
    }
}

/// Hands a file over in chunks, as fast as they are taken.
async fn feed(mut file: Box<dyn Read + Send>, mut chunks: Sender<Bytes, io::Error>) -> Result<(), Failure> {
    loop {
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            let limit = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
            let read = (&mut *file).take(limit).read_to_end(&mut chunk);
            (file, read.map(|_| chunk))
        });
        let (back, chunk) = read.await.map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        file = back;
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                let failure = Failure::of(ids::FILE, &error);
                chunks.abort(error);
                return Err(failure);
            }
        };
        if chunk.is_empty() {
            return Ok(());
        }
        match timeout(STALL, chunks.send_data(Bytes::from(chunk))).await {
            Ok(Ok(())) => {}
            // Nobody takes more: the answer says why.
            Ok(Err(_)) => return Ok(()),
            Err(_) => return Err(silent("the upload")),
        }
    }
}

fn unreachable(error: &dyn std::error::Error) -> Failure {
    Failure::of(ids::UNREACHABLE, error)
}

fn silent(what: &str) -> Failure {
    Failure::new(ids::UNREACHABLE, format!("the server let {what} wait for too long"))
}
