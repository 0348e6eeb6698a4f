//! What the headers of an inference request say beside who asks.

use std::fmt;

use axum::http::HeaderMap;

/// The header with the caller's own id of a request.
const REQUEST_ID: &str = "x-request-id";
/// The header that says whom a prediction is about.
const SUBJECT: &str = "bartizan-subject";
/// The header that says how a body is packed.
const CODING: &str = "content-encoding";
/// The header that comes with tensors in binary form.
const BINARY: &str = "inference-header-content-length";

/// Bytes of the value that says whom a prediction is about.
pub(super) const SUBJECT_BYTES: usize = 256;

/// What was said.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The caller's own id of the request.
    pub(super) request: Option<String>,
    /// Whom the prediction is about.
    pub(super) subject: Option<String>,
}

/// Headers that cannot be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeadersInvalid {
    /// Twice the same header, and nobody knows which one counts.
    #[error("the header `{name}` is there twice")]
    Twice {
        /// The header.
        name: &'static str,
    },
    /// Nobody is named that way: what can't be said again can't be found or erased.
    #[error("the header `{SUBJECT}` is 1 to {SUBJECT_BYTES} bytes of UTF-8 text")]
    Subject,
    /// A body that would have to be unpacked first.
    #[error("a body in another content coding is not taken")]
    Coding,
    /// An id that no answer could repeat.
    #[error("the header `{REQUEST_ID}` is not text")]
    Request,
    /// Tensors in a form that is not taken.
    #[error("tensors in binary form are not taken; ask the client for JSON (`binary_data=False`)")]
    Binary,
}

/// What was said may be personal: only whether something was is for logs.
impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |value: &Option<String>| value.as_ref().map(|_| "..");
        f.debug_struct("Said")
            .field("request", &said(&self.request))
            .field("subject", &said(&self.subject))
            .finish()
    }
}

impl Said {
    /// Reads the headers.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, HeadersInvalid> {
        if headers.contains_key(BINARY) {
            return Err(HeadersInvalid::Binary);
        }
        let plain = |value: &[u8]| value.eq_ignore_ascii_case(b"identity");
        if one(headers, CODING)?.is_some_and(|value| !plain(value)) {
            return Err(HeadersInvalid::Coding);
        }
        let text = |value: &[u8]| String::from_utf8(value.to_vec());
        let request = one(headers, REQUEST_ID)?.map(text).transpose();
        let subject = one(headers, SUBJECT)?.map(text).transpose().map_err(|_| HeadersInvalid::Subject)?;
        if subject.as_ref().is_some_and(|value| value.is_empty() || value.len() > SUBJECT_BYTES) {
            return Err(HeadersInvalid::Subject);
        }
        let request = request.map_err(|_| HeadersInvalid::Request)?;
        Ok(Self { request, subject })
    }
}

fn one<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h [u8]>, HeadersInvalid> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => Ok(Some(value.as_bytes())),
        (Some(_), Some(_)) => Err(HeadersInvalid::Twice { name }),
    }
}

#[cfg(test)]
mod tests;
