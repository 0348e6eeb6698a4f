//! Numbers as they change, as server-sent events: for as long as the page's session lasts, and this server runs.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use bartizan_base::Name;
use bartizan_registry::Caller;
use hyper::body::{Bytes, Frame};
use tokio::sync::OwnedSemaphorePermit;

use super::endpoints::{numbers, standing};
use crate::api::{App, Call};
use crate::catalog::ids;
use crate::console::values;
use crate::console::view::endpoint::EndpointStanding;
use crate::failure::Failure;

/// How often numbers are sent.
const EVERY: Duration = Duration::from_secs(2);
/// Pages that are kept up to date at one time.
pub(crate) const STREAMS: usize = 64;

/// Who looks at an endpoint.
struct Watcher {
    app: Arc<App>,
    caller: Caller,
    headers: HeaderMap,
    peer: std::net::IpAddr,
    endpoint: Name,
    standing: Option<EndpointStanding>,
    _place: OwnedSemaphorePermit,
}

/// Events that follow one after the other.
struct Events(Next);

type Next = Pin<Box<dyn Future<Output = Option<(Bytes, Watcher)>> + Send>>;

/// Answers with the numbers of an endpoint, again and again.
pub(super) fn stream(app: &Arc<App>, mut call: Call, endpoint: Name) -> Result<Response, Failure> {
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let place = Arc::clone(&app.streams).try_acquire_owned();
    let place = place.map_err(|_| Failure::new(ids::VIEWERS, "too many pages are kept up to date"))?;
    let watcher = Watcher {
        app: Arc::clone(app),
        caller,
        headers: call.headers,
        peer: call.peer,
        endpoint,
        standing: None,
        _place: place,
    };
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, Body::new(Events(Box::pin(watcher.next())))).into_response())
}

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(ready!(self.0.as_mut().poll(context)).map(|(bytes, watcher)| {
            self.0 = Box::pin(watcher.next());
            Ok(Frame::data(bytes))
        }))
    }
}

impl Watcher {
    /// The next event; none when the session is over, the viewer may not look any more, or the server ends.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if self.standing.is_some() {
            let mut ending = self.app.ending.subscribe();
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                // An error says that nobody is left who could say it.
                _ended = ending.wait_for(|ending| *ending) => return None,
            }
        }
        if !self.app.sessions.lasts(&self.headers, self.peer) {
            return None;
        }
        let allowed = self.app.remembered.may_see_numbers(&self.app.registry, &self.caller, self.peer).await;
        allowed.ok()?;
        let state = self.app.registry.state();
        let now = standing(&self.app, state.endpoints().get(&self.endpoint)?);
        let event = match self.standing.replace(now) {
            Some(before) if before != now => "event: changed\ndata: {}\n\n".to_owned(),
            _ => {
                let values = values(&numbers(&self.app, &self.endpoint)).to_json();
                format!("event: numbers\ndata: {values}\n\n")
            }
        };
        Some((Bytes::from(event), self))
    }
}
