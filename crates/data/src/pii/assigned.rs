//! Secrets that only a name tells: what is assigned to `password` or `api_key`, and what stands in a column named so.

use std::ops::Range;

use super::checksum::entropy;
use super::kind::Kind;
use super::secrets::base64;

/// Ends of names that secrets are assigned to, without what separates their words.
const NAMES: &[&[u8]] = &[
    b"password",
    b"passwd",
    b"pwd",
    b"passphrase",
    b"secret",
    b"token",
    b"apikey",
    b"accesskey",
    b"secretkey",
    b"privatekey",
    b"encryptionkey",
    b"signingkey",
    b"authkey",
    b"credential",
    b"credentials",
];

/// Bytes of a name and of a value that are looked at.
const NAME_BYTES: usize = 64;
const VALUE_BYTES: usize = 256;

/// Bytes of a cell that holds nothing but a value.
const CELL_BYTES: usize = VALUE_BYTES + 64;

/// What a name says of the value that it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// It is a secret.
    Secret,
    /// It is the secret part of an access key of Amazon Web Services if it looks like one.
    Amazon,
}

/// What a name says, if it ends as names of secrets do: `password`, `client-secret`, `apiKey`, `API key`.
pub(super) fn named(name: &[u8]) -> Option<Named> {
    let name = name.get(name.len().saturating_sub(NAME_BYTES)..)?;
    // All names end so; most others end in something else.
    if !matches!(name.last()? | 0x20, b'd' | b'e' | b't' | b'n' | b'y' | b'l' | b's') {
        return None;
    }
    NAMES.iter().find(|with| ends(name, with))?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric().then(|| byte.to_ascii_lowercase());
    let plain: Vec<u8> = name.iter().filter_map(plain).collect();
    let has = |part: &[u8]| memchr::memmem::find(&plain, part).is_some();
    let amazon = has(b"secretaccesskey") || (has(b"aws") && has(b"secret"));
    Some(if amazon { Named::Amazon } else { Named::Secret })
}

/// Whether a name ends in this word, whatever separates its parts.
fn ends(name: &[u8], with: &[u8]) -> bool {
    let mut letters = name.iter().rev().filter(|byte| !matches!(byte, b'_' | b'-' | b' '));
    with.iter().rev().all(|wanted| letters.next().is_some_and(|byte| byte.eq_ignore_ascii_case(wanted)))
}

/// The value that is assigned to a telling name by the `=` or `:` at `mark`: its kind and place.
pub(super) fn assigned(text: &[u8], mark: usize) -> Option<(Kind, Range<usize>)> {
    let before = text.get(mark.saturating_sub(NAME_BYTES)..mark)?;
    let mut name = before;
    while let Some((b' ' | b'\t' | b'"' | b'\'' | b'\\', rest)) = name.split_last() {
        name = rest;
    }
    let named = named(name)?;
    let mut start = mark + 1;
    // `:=`, `=>`, spaces, the bracket of a list, one quote.
    while start - mark < 8 && matches!(text.get(start), Some(b' ' | b'\t' | b'=' | b'>' | b'\\' | b'[')) {
        start += 1;
    }
    let quote = text.get(start).copied().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    start += usize::from(quote.is_some());
    let window = text.get(start..)?;
    // In the query of a URL, the next name comes behind an `&`.
    let sign = name.iter().rev().find(|byte| !byte.is_ascii_alphanumeric() && !b"_-.".contains(byte));
    let query = matches!(sign, Some(b'?' | b'&'));
    let ends = |byte: &u8| match quote {
        Some(quote) => *byte == quote || *byte == b'\n' || *byte == b'\\',
        None => byte.is_ascii_whitespace() || b"\"'`,;<>(){}[]".contains(byte) || (query && *byte == b'&'),
    };
    let length = window.iter().take(VALUE_BYTES + 1).take_while(|byte| !ends(byte)).count();
    let kind = valued(named, window.get(..length)?)?;
    Some((kind, start..start + length))
}

/// The value that a cell in a column of such a name holds.
pub(super) fn cell(text: &[u8], named: Named) -> Option<(Kind, Range<usize>)> {
    let value = text.get(..text.len().min(CELL_BYTES + 1)).filter(|text| text.len() <= CELL_BYTES)?;
    let start = value.len() - value.trim_ascii_start().len();
    let value = value.trim_ascii();
    let kind = valued(named, value)?;
    Some((kind, start..start + value.len()))
}

/// What a value is that has such a name.
fn valued(named: Named, value: &[u8]) -> Option<Kind> {
    if named == Named::Amazon && value.len() == 40 && value.iter().all(|byte| base64(*byte)) {
        return Some(Kind::AWS_SECRET_KEY);
    }
    looks_random(value).then_some(Kind::ASSIGNED_SECRET)
}

/// Whether a value is a secret rather than a placeholder, a reference or a word: two kinds of characters with a digit
/// or a mark among them, and more entropy than text of its length.
fn looks_random(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let placeholder = [
        b"example".as_slice(),
        b"changeme",
        b"change_me",
        b"placeholder",
        b"your",
        b"xxxx",
        b"****",
        b"....",
        b"${",
        b"{{",
        b"env.",
        b"environ",
        b"getenv",
        b"redacted",
        b"dummy",
        b"sha256:",
        b"://",
        b"bzt_",
        b"none",
        b"null",
        b"true",
    ];
    let has = |class: fn(&u8) -> bool| value.iter().any(class);
    let kinds =
        [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit, u8::is_ascii_punctuation];
    let mixed = kinds.iter().filter(|class| has(**class)).count() >= 2;
    (8..=VALUE_BYTES).contains(&value.len())
        && value.iter().all(u8::is_ascii_graphic)
        && mixed
        && (has(u8::is_ascii_digit) || value.iter().any(|byte| b"!@#$%^*?~".contains(byte)))
        && !matches!(value.first(), Some(b'$' | b'<' | b'/' | b'@' | b'*' | b'&' | b'%' | b'#'))
        && !placeholder.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
        && entropy(value) >= 2.75
}
