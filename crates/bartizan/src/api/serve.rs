//! Listening: bounded connections, bounded headers, bounded patience.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections at one time; others wait in the system's queue.
const CONNECTIONS: usize = 512;
/// How long a client may take for its headers.
const HEADER_PATIENCE: Duration = Duration::from_secs(10);
/// How long open requests may take after the end was asked for.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// Serves until `end` comes, then lets open requests finish.
pub(crate) async fn serve(listener: TcpListener, router: Router, end: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    let mut end = std::pin::pin!(end);
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = &mut end => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let router = router.clone();
                open.spawn(async move {
                    connection(stream, peer, router).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while open.try_join_next().is_some() {}
    }
    drop(listener);
    if tokio::time::timeout(LAST_PATIENCE, async { while open.join_next().await.is_some() {} }).await.is_err()
    {
        tracing::warn!(connections = open.len(), "open requests were cut off");
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router) {
    let router = router.layer(axum::Extension(peer));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, %peer, "a connection ended badly");
    }
}
