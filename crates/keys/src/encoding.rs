//! Text forms of bytes: base64 both ways, and PEM with one label.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

use crate::limits::PEM_BYTES;

/// Standard base64 with padding (RFC 4648 section 4).
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Standard base64 with padding, in its one canonical spelling.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Standard or URL-safe base64 with padding (RFC 4648 sections 4 and 5), not both in one text.
pub(crate) fn from_either_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// One PEM block (RFC 7468): 64 characters a line, a newline at the end of each.
pub(crate) fn to_pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (index, character) in to_base64(der).chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str("\n-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// The bytes of a text that is exactly one PEM block of that label, white space aside.
pub(crate) fn from_pem(label: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() > PEM_BYTES {
        return None;
    }
    let body = text
        .trim()
        .strip_prefix("-----BEGIN ")?
        .strip_prefix(label)?
        .strip_prefix("-----")?
        .strip_suffix("-----")?
        .strip_suffix(label)?
        .strip_suffix("-----END ")?;
    // Reserved up front, so that a growing string leaves no copy of a private key behind.
    let mut digits = Zeroizing::new(String::with_capacity(body.len()));
    digits.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    from_base64(&digits).map(Zeroizing::new)
}
