//! Secrets: keys and tokens that begin with letters of their own, and what follows the word `Authorization`.

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
    /// Parts of so many characters in base64url with dots between them.
    Parts(Kind, usize, usize),
    /// As [`Find::Token`], in letters of both cases with a digit among them, so that words with hyphens are none.
    Mixed(Kind, usize, usize),
    /// A key of OpenAI or of Anthropic.
    Sk,
    /// The credentials of a header (RFC 9110, 11.6.2).
    Authorization,
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

const fn mixed(literal: &'static str, kind: Kind, least: usize, most: usize) -> Prefix {
    Prefix { literal, find: Find::Mixed(kind, least, most) }
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
    Prefix { literal: "sk-", find: Find::Sk },
    token("hf_", Kind::HUGGINGFACE_TOKEN, letter, 34, 34),
    Prefix { literal: "SG.", find: Find::Parts(Kind::SENDGRID_KEY, 22, 43) },
    // The identifiers of pypi.org and test.pypi.org, which every macaroon of theirs begins with.
    token("pypi-AgEIcHlwaS5vcmc", Kind::PYPI_TOKEN, url_safe, 50, 1000),
    token("pypi-AgENdGVzdC5weXBpLm9yZw", Kind::PYPI_TOKEN, url_safe, 50, 1000),
    token("dop_v1_", Kind::DIGITALOCEAN_TOKEN, hexadecimal, 64, 64),
    token("doo_v1_", Kind::DIGITALOCEAN_TOKEN, hexadecimal, 64, 64),
    token("dor_v1_", Kind::DIGITALOCEAN_TOKEN, hexadecimal, 64, 64),
    mixed("hvs.", Kind::VAULT_TOKEN, 24, 400),
    mixed("hvb.", Kind::VAULT_TOKEN, 24, 400),
    mixed("hvr.", Kind::VAULT_TOKEN, 24, 400),
    Prefix { literal: "uthorization", find: Find::Authorization },
    Prefix { literal: "UTHORIZATION", find: Find::Authorization },
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

const fn letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
}

const fn hexadecimal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

pub(super) const fn base64(byte: u8) -> bool {
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
            let goes_on = rest.get(length).is_some_and(|byte| word(*byte));
            // Words with hyphens and repeated characters are no keys.
            let random = rest.get(..length).is_some_and(|body| entropy(body) >= 2.5);
            ((least..=most).contains(&length) && random && !goes_on).then_some((kind, start..after + length))
        }
        Find::Mixed(kind, least, most) if !inside => {
            let length = run(url_safe, most);
            let body = rest.get(..length).filter(|_| (least..=most).contains(&length))?;
            let has = |class: fn(&u8) -> bool| body.iter().any(class);
            let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
            (mixed && entropy(body) >= 3.5).then_some((kind, start..after + length))
        }
        Find::Parts(kind, first, second) if !inside => {
            let length = first + 1 + second;
            let body = rest.get(..length)?;
            let (one, other) = body.split_at_checked(first)?;
            let (dot, other) = other.split_first()?;
            let sound = *dot == b'.' && one.iter().chain(other).all(|byte| url_safe(*byte));
            let ends = !rest.get(length).is_some_and(|byte| url_safe(*byte));
            (sound && ends && entropy(one) >= 2.5 && entropy(other) >= 3.0)
                .then_some((kind, start..after + length))
        }
        Find::Sk if !inside => {
            let length = run(url_safe, SK_BYTES);
            let kind = sk(rest.get(..length)?)?;
            Some((kind, start..after + length))
        }
        Find::Authorization => {
            authorization(rest).map(|(kind, range)| (kind, after + range.start..after + range.end))
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

/// Characters of the longest key behind `sk-`.
const SK_BYTES: usize = 250;

/// What begins with `sk-` and goes on like this. Keys of OpenAI have its name in base64 in their middle; those of Anthropic
/// say what they are for, and end in `AA`.
fn sk(body: &[u8]) -> Option<Kind> {
    if let Some(rest) = body.strip_prefix(b"ant-") {
        let dash = rest.iter().position(|byte| *byte == b'-')?;
        let (purpose, key) = rest.split_at_checked(dash)?;
        let (name, number) = purpose.split_at_checked(purpose.len().checked_sub(2)?)?;
        let named = !name.is_empty() && name.iter().all(u8::is_ascii_lowercase);
        let long = (81..=130).contains(&key.len()) && entropy(key) >= 3.5;
        return (named && number.iter().all(u8::is_ascii_digit) && long).then_some(Kind::ANTHROPIC_KEY);
    }
    let purpose = [b"proj-".as_slice(), b"svcacct-", b"admin-", b"service-", b"None-"];
    let key = purpose.iter().find_map(|purpose| body.strip_prefix(*purpose)).unwrap_or(body);
    let name = memchr::memmem::find(key, b"T3BlbkFJ")?;
    let (before, behind) = (key.get(..name)?, key.get(name + 8..)?);
    let random = |half: &[u8]| (20..=100).contains(&half.len()) && entropy(half) >= 2.5;
    (random(before) && random(behind)).then_some(Kind::OPENAI_KEY)
}

/// Bytes between a word and the credentials that it announces, and those of the longest credentials.
const ANNOUNCED: usize = 24;
const CREDENTIALS_BYTES: usize = 4096;

/// The credentials behind the word `Authorization`: a bearer token (RFC 6750) or a name and password (RFC 7617).
fn authorization(rest: &[u8]) -> Option<(Kind, Range<usize>)> {
    let between =
        |byte: &&u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\' | b':' | b'=' | b',' | b'>');
    let gap = rest.iter().take(ANNOUNCED).take_while(between).count();
    rest.get(..gap)?.iter().find(|byte| matches!(byte, b':' | b'=' | b','))?;
    let said = rest.get(gap..)?;
    let scheme = said.iter().take(8).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let space = said.get(scheme..)?.iter().take(4).take_while(|byte| **byte == b' ').count();
    let start = gap + scheme + space;
    let token68 = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    let length = rest.get(start..)?.iter().take(CREDENTIALS_BYTES).take_while(token68).count();
    let credentials = rest.get(start..start + length).filter(|_| space > 0)?;
    let scheme = said.get(..scheme)?;
    let sound = if scheme.eq_ignore_ascii_case(b"bearer") {
        let digit = credentials.iter().any(u8::is_ascii_digit);
        credentials.len() >= 16 && digit && entropy(credentials) >= 3.0
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        let user = base64_start(without_padding(credentials))?;
        let colon = user.iter().position(|byte| *byte == b':')?;
        user.len() > colon + 1 && !user.iter().any(u8::is_ascii_control)
    } else {
        false
    };
    sound.then_some((Kind::AUTHORIZATION, start..start + length))
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
    let header = base64_start(header)?;
    let names = header.starts_with(b"{") && memchr::memmem::find(&header, b"\"alg\"").is_some();
    (names && claims.len() >= 2).then_some(end)
}

fn without_padding(mut text: &[u8]) -> &[u8] {
    while let Some((b'=', rest)) = text.split_last() {
        text = rest;
    }
    text
}

/// What the first bytes of text in either alphabet of base64 (RFC 4648, sections 4 and 5) decode to, at most 192 bytes.
fn base64_start(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(192);
    for group in text.get(..text.len().min(256))?.chunks(4) {
        let mut bits = 0_u32;
        for place in 0..4 {
            let value = match group.get(place) {
                Some(letter @ b'A'..=b'Z') => letter - b'A',
                Some(letter @ b'a'..=b'z') => letter - b'a' + 26,
                Some(digit @ b'0'..=b'9') => digit - b'0' + 52,
                Some(b'-' | b'+') => 62,
                Some(b'_' | b'/') => 63,
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
