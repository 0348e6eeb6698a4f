//! Headers that count, and such as cannot be meant.

use axum::http::{HeaderName, HeaderValue};

use super::*;

fn read(headers: &[(&str, &[u8])]) -> Result<Said, HeadersInvalid> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_bytes(value).unwrap());
    }
    Said::read(&map)
}

#[test]
fn what_is_said_is_text() {
    assert_eq!(read(&[]).unwrap(), Said::default());
    let said = read(&[("X-Request-Id", b"r-1"), ("Bartizan-Subject", "Zoë".as_bytes())]).unwrap();
    let expected = Said { request: Some("r-1".to_owned()), subject: Some("Zoë".to_owned()) };
    assert_eq!(said, expected);
    assert_eq!(format!("{said:?}"), r#"Said { request: Some(".."), subject: Some("..") }"#);
    assert_eq!(read(&[("content-encoding", b"Identity")]).unwrap(), Said::default());
    assert_eq!(read(&[("bartizan-subject", &[b'a'; SUBJECT_BYTES])]).unwrap().subject.unwrap().len(), 256);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let long = [b'a'; SUBJECT_BYTES + 1];
    for (headers, expected) in [
        (vec![("bartizan-subject", b"".as_slice())], HeadersInvalid::Subject),
        (vec![("bartizan-subject", &long)], HeadersInvalid::Subject),
        (vec![("bartizan-subject", b"Zo\xeb")], HeadersInvalid::Subject),
        (vec![("content-encoding", b"gzip")], HeadersInvalid::Coding),
        (
            vec![("bartizan-subject", b"anna"), ("bartizan-subject", b"anna")],
            HeadersInvalid::Twice { name: SUBJECT },
        ),
        (vec![("x-request-id", b"1"), ("x-request-id", b"2")], HeadersInvalid::Twice { name: REQUEST_ID }),
        (vec![("x-request-id", b"\xff")], HeadersInvalid::Request),
        (vec![("inference-header-content-length", b"12")], HeadersInvalid::Binary),
    ] {
        assert_eq!(read(&headers).unwrap_err(), expected);
    }
}
