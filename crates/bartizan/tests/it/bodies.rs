//! Bodies on the inference port that are too large, however they come.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test that meets the unexpected must fail")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::serving::{INFER, ask, ride, wait_ready, with_endpoint};
use crate::up::Up;

/// Bytes of a request that are taken.
const LIMIT: usize = bartizan_gateway::limits::BODY_BYTES;

/// How a body is framed.
#[derive(Debug, Clone, Copy)]
enum Framing {
    ContentLength,
    Chunked,
}

/// Sends a request whose body has so many bytes, as far as the server takes them, and reads the answer.
fn send(up: &Up, key: &str, bytes: usize, framing: Framing) -> (String, Value) {
    let mut stream = TcpStream::connect(&up.inference).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let framed = match framing {
        Framing::ContentLength => format!("Content-Length: {bytes}"),
        Framing::Chunked => "Transfer-Encoding: chunked".to_owned(),
    };
    write!(
        stream,
        "POST {INFER} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n{framed}\r\n\r\n"
    )
    .unwrap();
    let mut sending = stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let piece = vec![b' '; 64 * 1024];
        let mut left = bytes;
        while left > 0 {
            let now = left.min(piece.len());
            if let Framing::Chunked = framing {
                write!(sending, "{now:x}\r\n")?;
            }
            sending.write_all(&piece[..now])?;
            if let Framing::Chunked = framing {
                sending.write_all(b"\r\n")?;
            }
            left -= now;
        }
        if let Framing::Chunked = framing {
            sending.write_all(b"0\r\n\r\n")?;
        }
        std::io::Result::Ok(())
    });
    let mut answer = Vec::new();
    // The answer may be all there is, before the connection breaks off.
    stream.read_to_end(&mut answer).ok();
    // The server need not take all of it.
    sender.join().unwrap().ok();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: `{answer}`"));
    (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap())
}

#[test]
fn a_body_that_is_too_large_is_refused_with_an_id() {
    let (bench, key) = with_endpoint(&["--no-fallback"]);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    for framing in [Framing::ContentLength, Framing::Chunked] {
        for bytes in [LIMIT + 1, 2 * LIMIT, 16 * LIMIT] {
            let (status, body) = send(&up, &key, bytes, framing);
            assert_eq!(status, "HTTP/1.1 413 Payload Too Large", "{bytes} bytes, {framing:?}: {body}");
            assert_eq!(body["id"], "BZ-0003", "{body}");
        }
        // One byte less is looked at, and is no request: blanks alone.
        let (status, body) = send(&up, &key, LIMIT, framing);
        assert_eq!((status.as_str(), &body["id"]), ("HTTP/1.1 400 Bad Request", &"BZ-0331".into()), "{body}");
    }
    // It answers others as before.
    assert_eq!(ask(&up, "POST", INFER, Some(&key), &ride(3.0, 1.0)).status, 200);
    up.end();
}
