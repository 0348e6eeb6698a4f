//! Secrets: keys and tokens that begin with letters of their own, and values assigned to telling names.

use std::ops::Range;

use super::checksum::{crc32, entropy};
use super::kind::Kind;

/// What a key begins with, its kind, and how many of which characters follow.
pub(super) struct Prefix {
    pub(super) literal: &'static str,
    pub(super) find: Find,
}

/// What is done where a literal was found.
#[derive(Clone, Copy)]
pub(super) enum Find {
    /// So many characters (shortest, longest) of that alphabet follow.
    Token(Kind, fn(u8) -> bool, usize, usize),
    /// As before, and the last six are the CRC-32 of the others, in base 62 (GitHub, "Behind GitHub's new
    /// authentication token formats", 2021; npm took it over).
    Checked(Kind),
    /// A JSON Web Token.
    Jwt,
    /// A block of PEM.
    Pem,
    /// An API key of this program.
    Bartizan,
    /// A word that a date of birth follows.
    Birth,
}

const fn token(
    literal: &'static str,
    kind: Kind,
    alphabet: fn(u8) -> bool,
    least: usize,
    most: usize,
) -> Prefix {
    Prefix { literal, find: Find::Token(kind, alphabet, least, most) }
}

const fn checked(literal: &'static str, kind: Kind) -> Prefix {
    Prefix { literal, find: Find::Checked(kind) }
}

const fn birth(literal: &'static str) -> Prefix {
    Prefix { literal, find: Find::Birth }
}

/// Every literal. Issuers document their prefixes for scanners such as this one.
pub(super) const PREFIXES: &[Prefix] = &[
    token("AKIA", Kind::AWS_ACCESS_KEY, base32, 16, 16),
    token("ASIA", Kind::AWS_ACCESS_KEY, base32, 16, 16),
    checked("ghp_", Kind::GITHUB_TOKEN),
    checked("gho_", Kind::GITHUB_TOKEN),
    checked("ghu_", Kind::GITHUB_TOKEN),
    checked("ghs_", Kind::GITHUB_TOKEN),
    checked("ghr_", Kind::GITHUB_TOKEN),
    token("github_pat_", Kind::GITHUB_TOKEN, word, 82, 82),
    token("xoxb-", Kind::SLACK_TOKEN, dashed, 20, 120),
    token("xoxp-", Kind::SLACK_TOKEN, dashed, 20, 120),
    token("xoxa-", Kind::SLACK_TOKEN, dashed, 20, 120),
    token("xoxr-", Kind::SLACK_TOKEN, dashed, 20, 120),
    token("xoxs-", Kind::SLACK_TOKEN, dashed, 20, 120),
    token("xapp-", Kind::SLACK_TOKEN, dashed, 20, 160),
    token("hooks.slack.com/services/", Kind::SLACK_TOKEN, path, 30, 90),
    token("sk_live_", Kind::STRIPE_KEY, alphanumeric, 16, 128),
    token("sk_test_", Kind::STRIPE_KEY, alphanumeric, 16, 128),
    token("rk_live_", Kind::STRIPE_KEY, alphanumeric, 16, 128),
    token("rk_test_", Kind::STRIPE_KEY, alphanumeric, 16, 128),
    token("AIza", Kind::GOOGLE_API_KEY, url_safe, 35, 35),
    token("AccountKey=", Kind::AZURE_KEY, base64, 44, 88),
    token("SharedAccessKey=", Kind::AZURE_KEY, base64, 43, 88),
    checked("npm_", Kind::NPM_TOKEN),
    token("glpat-", Kind::GITLAB_TOKEN, url_safe, 20, 64),
    Prefix { literal: "eyJ", find: Find::Jwt },
    Prefix { literal: "-----BEGIN ", find: Find::Pem },
    Prefix { literal: "bz_", find: Find::Bartizan },
    birth("birth"),
    birth("Birth"),
    birth("BIRTH"),
    birth("born"),
    birth("Born"),
    birth("BORN"),
    birth("dob"),
    birth("DOB"),
    birth("DoB"),
    birth("D.O.B"),
    birth("d.o.b"),
    birth("eboren"),
    birth("eburtsdatum"),
    birth("eboortedatum"),
    birth("naissance"),
    birth("nacimiento"),
    birth("nascita"),
    birth("nascimento"),
    birth("née"),
    birth("födelsedatum"),
];

const fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

const fn dashed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

const fn path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'/'
}

const fn base32(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'2'..=b'7')
}

const fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

const fn url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// The token that the literal at `start..after` begins, or nothing.
pub(super) fn secret(text: &[u8], find: Find, start: usize, after: usize) -> Option<(Kind, Range<usize>)> {
    let inside = start > 0 && text.get(start - 1).is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest = text.get(after..)?;
    let run = |alphabet: fn(u8) -> bool, most: usize| {
        rest.iter().take(most + 1).take_while(|byte| alphabet(**byte)).count()
    };
    match find {
        Find::Token(kind, alphabet, least, most) if !inside => {
            let length = run(alphabet, most);
            // Words with hyphens and repeated characters are no keys.
            let random = rest.get(..length).is_some_and(|body| entropy(body) >= 2.5);
            ((least..=most).contains(&length) && random).then_some((kind, start..after + length))
        }
        Find::Checked(kind) if !inside => {
            let length = run(alphanumeric, 255);
            let body = rest.get(..length)?;
            let (random, sum) = body.split_at_checked(length.checked_sub(6)?)?;
            (length >= 36 && base_62(crc32(random)) == sum).then_some((kind, start..after + length))
        }
        Find::Jwt if !inside => jwt(text, start).map(|end| (Kind::JWT, start..end)),
        Find::Pem => pem(text, start, after).map(|end| (Kind::PRIVATE_KEY, start..end)),
        Find::Bartizan if !inside => {
            let key = text.get(start..start + 72)?;
            let (body, sum) = key.split_at_checked(63)?;
            let sum = std::str::from_utf8(sum.strip_prefix(b"_")?).ok()?;
            let sum = if sum.len() == 8 { u32::from_str_radix(sum, 16).ok()? } else { return None };
            let ends = !text.get(start + 72).is_some_and(|byte| word(*byte));
            (ends && body.iter().all(|byte| word(*byte)) && crc32(body) == sum)
                .then_some((Kind::BARTIZAN_KEY, start..start + 72))
        }
        _ => None,
    }
}

/// Six digits of base 62, most significant first.
fn base_62(mut number: u32) -> [u8; 6] {
    let mut digits = [b'0'; 6];
    for slot in digits.iter_mut().rev() {
        let digit = u8::try_from(number % 62).unwrap_or(0);
        *slot = match digit {
            0..=9 => b'0' + digit,
            10..=35 => b'A' + digit - 10,
            _ => b'a' + digit - 36,
        };
        number /= 62;
    }
    digits
}

/// Bytes of the longest JSON Web Token.
const JWT_BYTES: usize = 4096;

/// The end of a JSON Web Token (RFC 7515, 7.1): three parts in base64url; the first is a JSON object that names its
/// algorithm.
fn jwt(text: &[u8], start: usize) -> Option<usize> {
    let window = text.get(start..)?;
    let window = window.get(..window.len().min(JWT_BYTES))?;
    let length = window.iter().take_while(|byte| url_safe(**byte) || **byte == b'.').count();
    let token = window.get(..length)?;
    let mut parts = token.split(|byte| *byte == b'.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let end = start + header.len() + claims.len() + signature.len() + 2;
    let header = base64url_start(header)?;
    let names = header.starts_with(b"{") && memchr::memmem::find(&header, b"\"alg\"").is_some();
    (names && claims.len() >= 2).then_some(end)
}

/// What the first bytes of base64url text (RFC 4648, section 5) decode to, at most 192 bytes.
fn base64url_start(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(192);
    for group in text.get(..text.len().min(256))?.chunks(4) {
        let mut bits = 0_u32;
        for place in 0..4 {
            let value = match group.get(place) {
                Some(letter @ b'A'..=b'Z') => letter - b'A',
                Some(letter @ b'a'..=b'z') => letter - b'a' + 26,
                Some(digit @ b'0'..=b'9') => digit - b'0' + 52,
                Some(b'-') => 62,
                Some(b'_') => 63,
                Some(_) => return None,
                None => 0,
            };
            bits = bits << 6 | u32::from(value);
        }
        let [_, bytes @ ..] = bits.to_be_bytes();
        decoded.extend(bytes.iter().take(group.len().saturating_sub(1)));
    }
    Some(decoded)
}

/// Bytes of the longest private key in PEM.
pub(super) const PEM_BYTES: usize = 16 * 1024;

/// The end of a private key in PEM (RFC 7468) whose first line is `start..`: behind the line that ends it, or behind
/// the first line where that does not come.
fn pem(text: &[u8], start: usize, after: usize) -> Option<usize> {
    let window = text.get(start..)?;
    let window = window.get(..window.len().min(PEM_BYTES))?;
    let label = window.get(after - start..)?;
    let label = label.get(..memchr::memmem::find(label.get(..label.len().min(64))?, b"-----")?)?;
    if !label.ends_with(b"PRIVATE KEY") && !label.ends_with(b"PRIVATE KEY BLOCK") {
        return None;
    }
    let first = after - start + label.len() + 5;
    let close = [b"-----END ".as_slice(), label, b"-----"].concat();
    let end = memchr::memmem::find(window, &close).map_or(first, |at| at + close.len());
    Some(start + end)
}

/// Ends of names that secrets are assigned to, in lower case.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "access-key",
    "accesskey",
    "secret_key",
    "secretkey",
    "secret-key",
    "private_key",
    "encryption_key",
    "signing_key",
    "auth_key",
    "credential",
    "credentials",
];

/// Bytes of a name and of a value that are looked at.
const NAME_BYTES: usize = 64;
const VALUE_BYTES: usize = 256;

/// The value that is assigned to a telling name by the `=` or `:` at `mark`: its kind and place.
pub(super) fn assigned(text: &[u8], mark: usize) -> Option<(Kind, Range<usize>)> {
    let before = text.get(mark.saturating_sub(NAME_BYTES)..mark)?;
    let mut name = before;
    while let Some((b' ' | b'\t' | b'"' | b'\'' | b'\\', rest)) = name.split_last() {
        name = rest;
    }
    // All names end so; most marks stand behind something else.
    if !matches!(name.last()? | 0x20, b'd' | b'e' | b't' | b'n' | b'y' | b'l' | b's') {
        return None;
    }
    let ends = |with: &&str| {
        let tail = name.len().checked_sub(with.len()).and_then(|at| name.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(with.as_bytes()))
    };
    NAMES.iter().find(|with| ends(with))?;
    let mut start = mark + 1;
    // `:=`, `=>`, spaces, one quote.
    while start - mark < 8 && matches!(text.get(start), Some(b' ' | b'\t' | b'=' | b'>' | b'\\')) {
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
    let value = window.get(..length)?;
    let aws = name.to_ascii_lowercase();
    if length == 40
        && memchr::memmem::find(&aws, b"secret").is_some()
        && value.iter().all(|byte| base64(*byte))
    {
        return Some((Kind::AWS_SECRET_KEY, start..start + length));
    }
    looks_random(value).then_some((Kind::ASSIGNED_SECRET, start..start + length))
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
