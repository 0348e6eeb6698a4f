//! The body of a request comes whole, in time and within its limit, or there is no prediction.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use http_body_util::channel::Channel;
use tokio::time::{Duration, Instant, sleep};

use super::{BODY_PATIENCE, REQUEST_BYTES, read};
use crate::catalog::ids;

/// Sends pieces of a body with a pause after each, and then nothing more without saying that this is all.
async fn stalled(pieces: usize, pause: Duration) -> (StatusCode, String, Duration) {
    let (mut into, body) = Channel::<Bytes, std::io::Error>::new(1);
    let (parts, ()) = Request::new(()).into_parts();
    let begun = Instant::now();
    let sending = async {
        for _ in 0..pieces {
            if into.send_data(Bytes::from_static(b"{")).await.is_err() {
                break;
            }
            sleep(pause).await;
        }
        // Held open for longer than anybody waits.
        sleep(BODY_PATIENCE * 10).await;
    };
    let reading = async {
        let refusal = read(&parts, Body::new(body)).await.err().unwrap();
        (refusal, begun.elapsed())
    };
    let (refusal, after) = tokio::select! {
        read = reading => read,
        () = sending => panic!("it waited for longer than it may"),
    };
    (refusal.status, String::from_utf8(refusal.body).unwrap(), after)
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_given_up() {
    // Nothing at all, a beginning, and drops that would go on for ever.
    for (pieces, pause) in [(0, 0), (3, 10), (1_000_000, 1_000)] {
        let (status, said, after) = stalled(pieces, Duration::from_millis(pause)).await;
        assert_eq!((status, after), (StatusCode::REQUEST_TIMEOUT, BODY_PATIENCE), "{said}");
        assert!(said.contains(ids::SLOW), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_slow_but_comes_is_taken() {
    let (mut into, body) = Channel::<Bytes, std::io::Error>::new(1);
    let (parts, ()) = Request::new(()).into_parts();
    let sending = async move {
        for _ in 0..10 {
            into.send_data(Bytes::from_static(b"x")).await.unwrap();
            sleep(BODY_PATIENCE / 11).await;
        }
    };
    let (taken, ()) = tokio::join!(read(&parts, Body::new(body)), sending);
    assert_eq!(taken.ok().unwrap().1, Bytes::from_static(b"xxxxxxxxxx"));
}

#[tokio::test]
async fn one_byte_more_than_there_may_be_is_refused() {
    let (parts, ()) = Request::new(()).into_parts();
    let whole = read(&parts, Body::from(vec![b' '; REQUEST_BYTES])).await;
    assert_eq!(whole.ok().unwrap().1.len(), REQUEST_BYTES);
    let refusal = read(&parts, Body::from(vec![b' '; REQUEST_BYTES + 1])).await.err().unwrap();
    assert_eq!(refusal.status, StatusCode::PAYLOAD_TOO_LARGE);
}
