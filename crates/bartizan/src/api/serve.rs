//! Listening: bounded connections, bounded headers, bounded patience.
//!
//! ```text
//!   accept --> stranger --an accepted credential--> known --> ... --> closed
//!              few, briefly; the oldest makes room   many, while they move
//! ```

mod paced;
mod places;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::paced::Paced;
pub(crate) use self::places::Place;
use self::places::Places;
use super::App;

/// How long a client may take for its headers, and be idle between two requests.
const HEADER_PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection lives that shows no accepted credential.
const STRANGER_PATIENCE: Duration = Duration::from_secs(30);
/// How long open requests may take after the end was asked for.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// Whether something still runs after the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing does.
    Whole,
    /// Requests were cut off, and their work may still be under way.
    CutOff,
}

/// Serves until `end` comes, then lets open requests finish, for a while. The listener is open until `end` is over.
pub(crate) async fn serve(
    listener: TcpListener,
    app: &App,
    router: Router,
    end: impl Future<Output = ()>,
) -> Ended {
    let places = Arc::new(Places::default());
    let (stop, stopping) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut end = std::pin::pin!(end);
    loop {
        // Nothing in here waits but for these, so the end is always heard.
        let accepted = tokio::select! {
            () = &mut end => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let place = places.admit();
                open.spawn(connection(stream, peer, router.clone(), place, stopping.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    app.ending.send_replace(true);
    let last = async {
        while open.join_next().await.is_some() {}
        app.idle().await;
    };
    if timeout(LAST_PATIENCE, last).await.is_ok() {
        return Ended::Whole;
    }
    tracing::warn!(connections = open.len(), "open requests were cut off");
    Ended::CutOff
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    place: Arc<Place>,
    mut stopping: watch::Receiver<bool>,
) {
    let known_by = Arc::clone(&place);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(Arc::clone(&known_by));
        // A router is always ready.
        tower::Service::call(&mut router.clone(), request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .max_buf_size(64 * 1024)
        .serve_connection(Paced::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let mut introduction = std::pin::pin!(sleep(STRANGER_PATIENCE));
    let (mut introduced, mut asked_to_end) = (false, false);
    loop {
        tokio::select! {
            served = serving.as_mut() => {
                if let Err(error) = served {
                    tracing::debug!(%error, %peer, "a connection ended badly");
                }
                return;
            }
            () = place.wanted() => return,
            () = introduction.as_mut(), if !introduced => {
                if !place.is_known() {
                    return;
                }
                introduced = true;
            }
            stopped = stopping.wait_for(|stopped| *stopped), if !asked_to_end => {
                if stopped.is_err() || !place.is_known() {
                    return;
                }
                drop(stopped);
                asked_to_end = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
