//! An upload is taken whole or not at all, and has to move.

use std::io::{self, Read};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::channel::Channel;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::{Incoming, PATIENCE, Piece, RATE, pump};
use crate::catalog::ids;

/// Sends chunks of `size` bytes with a pause after each, and returns the failure's id and how long it took.
async fn send(chunks: usize, size: usize, pause: Duration) -> (Option<String>, Duration) {
    let (mut into, body) = Channel::<Bytes, io::Error>::new(1);
    let (sender, mut receiver) = mpsc::channel(1);
    let begun = Instant::now();
    let sending = async move {
        for _ in 0..chunks {
            if into.send_data(Bytes::from(vec![0; size])).await.is_err() {
                break;
            }
            sleep(pause).await;
        }
    };
    let (_, pumped, ()) = tokio::join!(
        async { while receiver.recv().await.is_some() {} },
        pump(Body::new(body), sender),
        sending,
    );
    (pumped.err().map(|failure| failure.id), begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_hardly_moves_is_given_up() {
    let rate = usize::try_from(RATE).unwrap();
    let second = Duration::from_secs(1);
    assert_eq!(send(10_000, rate, second).await.0, None);
    assert_eq!(send(10, 1, second).await.0, None);
    let (failed, after) = send(10_000, 1, second).await;
    assert_eq!(failed.as_deref(), Some(ids::SLOW));
    assert!(after >= PATIENCE && after < PATIENCE * 2, "{after:?}");
    // Half the rate wears patience out half as fast; what came before is no credit for ever.
    let (failed, after) = send(10_000, rate / 2, second).await;
    assert_eq!(failed.as_deref(), Some(ids::SLOW));
    assert!(after > PATIENCE && after <= PATIENCE * 2, "{after:?}");
    assert_eq!(send(2, rate * 1_000, PATIENCE + second).await.0.as_deref(), Some(ids::SLOW));
}

#[test]
fn half_an_upload_is_an_error() {
    for (pieces, whole) in [
        (vec![Ok(Piece::Chunk(Bytes::from("one"))), Ok(Piece::Chunk(Bytes::new())), Ok(Piece::End)], true),
        (vec![Ok(Piece::Chunk(Bytes::from("one")))], false),
        (vec![], false),
        (vec![Ok(Piece::Chunk(Bytes::from("one"))), Err(io::Error::other("broke off"))], false),
    ] {
        let (sender, receiver) = mpsc::channel(4);
        for piece in pieces {
            sender.blocking_send(piece).unwrap();
        }
        drop(sender);
        let mut incoming = Incoming { receiver, chunk: Bytes::new(), ended: false };
        let mut text = String::new();
        assert_eq!(incoming.read_to_string(&mut text).is_ok(), whole);
        if whole {
            assert_eq!(text, "one");
            assert_eq!(incoming.read(&mut [0; 8]).unwrap(), 0);
        }
    }
}
