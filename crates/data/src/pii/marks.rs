//! Candidates around marks: addresses at `@`, network addresses at `.`, `:` and `-`, accounts behind two letters.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::checksum::mod_97_10;
use super::pattern::goes_on;

/// Bytes of the longest local part and domain (RFC 5321, 4.5.3.1).
const LOCAL_BYTES: usize = 64;
const DOMAIN_BYTES: usize = 255;

/// Last labels that are endings of files, which `logo@2x.png` has and no address.
const FILE_ENDINGS: &[&[u8]] = &[
    b"png",
    b"jpg",
    b"jpeg",
    b"gif",
    b"svg",
    b"webp",
    b"css",
    b"js",
    b"mjs",
    b"json",
    b"html",
    b"htm",
    b"php",
    b"pdf",
    b"txt",
    b"csv",
    b"xml",
    b"yaml",
    b"yml",
    b"toml",
    b"lock",
    b"tgz",
    b"gz",
    b"tar",
    b"whl",
    b"jar",
    b"dll",
    b"exe",
    b"service",
    b"socket",
    b"local",
    b"internal",
    b"localdomain",
];

/// An e-mail address around the `@` at `at` (RFC 5321 dot-string and domain; RFC 6531 letters of two bytes).
/// The second value is `false` for what is rather the address of a repository, as in `git@host.org:path`.
pub(super) fn email(text: &[u8], at: usize) -> Option<(Range<usize>, bool)> {
    let before = text.get(at.saturating_sub(LOCAL_BYTES)..at)?;
    let local = before.iter().rev().take_while(|byte| is_local(**byte)).count();
    let mut local = before.get(before.len() - local..)?;
    // A character of three bytes, cut off its first one, belongs to the text around.
    while let Some((0x80..=0xBF, rest)) = local.split_first() {
        local = rest;
    }
    while let Some((
        b'.' | b'-' | b'\'' | b'=' | b'/' | b'&' | b'*' | b'?' | b'|' | b'{' | b'}' | b'`',
        rest,
    )) = local.split_first()
    {
        local = rest;
    }
    if local.is_empty() || local.ends_with(b".") || local.windows(2).any(|pair| pair == b"..") {
        return None;
    }
    let domain = domain(text.get(at + 1..)?)?;
    let end = at + 1 + domain;
    let repository = text.get(end) == Some(&b':')
        && text.get(end + 1).is_some_and(|byte| is_local(*byte) && !byte.is_ascii_digit());
    Some((at - local.len()..end, !repository))
}

const fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'.' | b'_'
                | b'+'
                | b'-'
                | b'%'
                | b'\''
                | b'='
                | b'/'
                | b'&'
                | b'*'
                | b'?'
                | b'|'
                | b'{'
                | b'}'
                | b'`'
                | b'!'
                | b'#'
                | b'$'
                | b'^'
                | b'~'
                | 0x80..=0xDF
        )
}

/// Bytes of the domain that a text begins with: labels of letters, digits and hyphens, the last one of letters.
fn domain(text: &[u8]) -> Option<usize> {
    let window = text.get(..text.len().min(DOMAIN_BYTES + 1))?;
    let label = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | 0x80..=0xDF);
    let length = window.iter().take_while(|byte| label(byte) || **byte == b'.').count();
    let mut written = window.get(..length)?;
    if length > DOMAIN_BYTES {
        return None;
    }
    while let Some((b'.' | b'-', rest)) = written.split_last() {
        written = rest;
    }
    // A sentence may go on without a space: `to a@b.com.Then` keeps what is a domain, the last label is not checked.
    let mut labels = written.split(|byte| *byte == b'.');
    let sound = |label: &[u8]| {
        !label.is_empty() && label.len() < 64 && !label.starts_with(b"-") && !label.ends_with(b"-")
    };
    if !labels.all(sound) || text.get(written.len()).is_some_and(|byte| matches!(byte, b'_' | b'@')) {
        return None;
    }
    let dot = written.iter().rposition(|byte| *byte == b'.')?;
    let last = written.get(dot + 1..)?;
    let punycode = last.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"xn--"));
    let letters = last.len() >= 2
        && last.len() <= 24
        && last.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    let file = FILE_ENDINGS.iter().any(|ending| last.eq_ignore_ascii_case(ending));
    (dot > 0 && (letters || punycode) && !file).then_some(written.len())
}

/// Bytes of the longest user information in a URL.
const USERINFO_BYTES: usize = 512;

/// The whole of a URL with a password before its host, around the `:` of `://` at `colon` (RFC 3986, 3.2.1).
pub(super) fn url_credentials(text: &[u8], colon: usize) -> Option<Range<usize>> {
    let window = text.get(colon + 3..)?;
    let window = window.get(..window.len().min(USERINFO_BYTES))?;
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/\"'<>?#@`\\".contains(byte);
    let at = window.iter().position(ends).filter(|at| window.get(*at) == Some(&b'@'))?;
    let userinfo = window.get(..at)?;
    let password =
        userinfo.iter().position(|byte| *byte == b':').and_then(|mark| userinfo.get(mark + 1..))?;
    let placeholder = password.is_empty()
        || password.starts_with(b"$")
        || password.starts_with(b"{")
        || password.starts_with(b"%s")
        || password.iter().all(|byte| matches!(byte, b'*' | b'x' | b'X' | b'.' | b'-'))
        || password.eq_ignore_ascii_case(b"password");
    let before = text.get(colon.saturating_sub(16)..colon)?;
    let scheme = before
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'))
        .count();
    let host = window.get(at + 1..)?;
    let host = host
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'_'))
        .count();
    (scheme > 0 && host > 0 && !placeholder).then_some(colon - scheme..colon + 3 + at + 1 + host)
}

/// An IPv4 address in decimal dots that begins at `start` (RFC 791; one to three digits each, no leading zeros).
pub(super) fn ipv4(text: &[u8], start: usize) -> Option<(Ipv4Addr, usize)> {
    let (mut octets, mut place) = ([0_u8; 4], start);
    for (number, octet) in octets.iter_mut().enumerate() {
        if number > 0 {
            if text.get(place) != Some(&b'.') {
                return None;
            }
            place += 1;
        }
        let begun = place;
        let mut value = 0_u32;
        while let Some(digit) = text.get(place).filter(|byte| byte.is_ascii_digit()) {
            value = value * 10 + u32::from(digit - b'0');
            place += 1;
            if place - begun > 3 {
                return None;
            }
        }
        let zeros = place - begun > 1 && text.get(begun) == Some(&b'0');
        if place == begun || zeros {
            return None;
        }
        *octet = u8::try_from(value).ok()?;
    }
    let joined = match text.get(place) {
        Some(b'.' | b'-') => text.get(place + 1).is_some_and(u8::is_ascii_alphanumeric),
        Some(next) => next.is_ascii_alphanumeric() || *next == b'_',
        None => false,
    };
    (!joined).then(|| (Ipv4Addr::from(octets), place))
}

/// Bytes of the longest IPv6 address in text.
const IPV6_BYTES: usize = 45;

/// Whether what stands behind a colon has the two colons in a row, or the six colons, that every IPv6 address has: times of
/// day and the like have not, which is cheaper to see than to parse.
pub(super) fn groups_go_on(text: &[u8], colon: usize) -> bool {
    let mut place = colon + 1;
    for _ in 1..IPV6_COLONS {
        let group = text.get(place..).unwrap_or_default();
        let digits = group.iter().take(5).take_while(|byte| byte.is_ascii_hexdigit()).count();
        match group.get(digits) {
            Some(b':') if digits == 0 => return true,
            Some(b':') if digits <= 4 => place += digits + 1,
            _ => return false,
        }
    }
    true
}

/// Colons of an address that leaves no group out, at least: the last two groups may be written as IPv4.
const IPV6_COLONS: usize = 6;

/// An IPv6 address whose first colon is at `colon` (RFC 4291, 2.2).
pub(super) fn ipv6(text: &[u8], colon: usize) -> Option<(Ipv6Addr, Range<usize>)> {
    let before = text.get(colon.saturating_sub(5)..colon)?;
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let start = colon - digits;
    let inside = start > 0
        && text.get(start - 1).is_some_and(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b':' | b'.' | b'_' | b'-') || *b >= 0x80
        });
    if digits > 4 || inside || (digits == 0 && text.get(colon + 1) != Some(&b':')) {
        return None;
    }
    let window = text.get(start..)?;
    let length = window
        .iter()
        .take(IPV6_BYTES + 1)
        .take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
        .count();
    let mut written = window.get(..length)?;
    while let Some((b'.', rest)) = written.split_last() {
        written = rest;
    }
    if let Some(rest) = written.strip_suffix(b":").filter(|rest| !rest.ends_with(b":")) {
        written = rest;
    }
    if written.len() < 3
        || length > IPV6_BYTES
        || window.get(written.len()).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
    {
        return None;
    }
    let address = std::str::from_utf8(written).ok()?.parse().ok()?;
    Some((address, start..start + written.len()))
}

/// Six pairs of hexadecimal digits from `start`, with the mark that follows the first pair between all of them.
pub(super) fn mac(text: &[u8], start: usize) -> Option<Range<usize>> {
    let written: &[u8; 17] = text.get(start..start + 17)?.try_into().ok()?;
    let [_, _, mark, ..] = written;
    let pairs = written
        .iter()
        .enumerate()
        .all(|(place, byte)| if place % 3 == 2 { byte == mark } else { byte.is_ascii_hexdigit() });
    let next = text.get(start + 17).copied().unwrap_or(b' ');
    let ends =
        !next.is_ascii_alphanumeric() && next != b'_' && !(next == *mark && goes_on_hex(text, start + 18));
    let uniform = |digit: u8| written.iter().all(|byte| byte == mark || *byte == digit);
    (pairs && matches!(mark, b':' | b'-') && ends && !uniform(b'0') && !uniform(b'f') && !uniform(b'F'))
        .then_some(start..start + 17)
}

/// Three groups of four hexadecimal digits with dots between them, one of which is a letter: numbers are written so too.
pub(super) fn dotted_mac(text: &[u8], start: usize) -> Option<Range<usize>> {
    let written = text.get(start..start + 14)?;
    let sound = written
        .iter()
        .enumerate()
        .all(|(place, byte)| if place % 5 == 4 { *byte == b'.' } else { byte.is_ascii_hexdigit() });
    let next = text.get(start + 14).copied().unwrap_or(b' ');
    let ends =
        !next.is_ascii_alphanumeric() && next != b'_' && !(next == b'.' && goes_on_hex(text, start + 15));
    let letter = written.iter().any(u8::is_ascii_alphabetic);
    (sound && ends && letter).then_some(start..start + 14)
}

fn goes_on_hex(text: &[u8], place: usize) -> bool {
    text.get(place).is_some_and(u8::is_ascii_hexdigit)
}

/// Characters of an account number by country (SWIFT, IBAN registry, release 99), sorted.
const IBAN_LENGTHS: &[([u8; 2], usize)] = &[
    (*b"AD", 24),
    (*b"AE", 23),
    (*b"AL", 28),
    (*b"AT", 20),
    (*b"AZ", 28),
    (*b"BA", 20),
    (*b"BE", 16),
    (*b"BG", 22),
    (*b"BH", 22),
    (*b"BI", 27),
    (*b"BR", 29),
    (*b"BY", 28),
    (*b"CH", 21),
    (*b"CR", 22),
    (*b"CY", 28),
    (*b"CZ", 24),
    (*b"DE", 22),
    (*b"DJ", 27),
    (*b"DK", 18),
    (*b"DO", 28),
    (*b"EE", 20),
    (*b"EG", 29),
    (*b"ES", 24),
    (*b"FI", 18),
    (*b"FK", 18),
    (*b"FO", 18),
    (*b"FR", 27),
    (*b"GB", 22),
    (*b"GE", 22),
    (*b"GI", 23),
    (*b"GL", 18),
    (*b"GR", 27),
    (*b"GT", 28),
    (*b"HN", 28),
    (*b"HR", 21),
    (*b"HU", 28),
    (*b"IE", 22),
    (*b"IL", 23),
    (*b"IQ", 23),
    (*b"IS", 26),
    (*b"IT", 27),
    (*b"JO", 30),
    (*b"KW", 30),
    (*b"KZ", 20),
    (*b"LB", 28),
    (*b"LC", 32),
    (*b"LI", 21),
    (*b"LT", 20),
    (*b"LU", 20),
    (*b"LV", 21),
    (*b"LY", 25),
    (*b"MC", 27),
    (*b"MD", 24),
    (*b"ME", 22),
    (*b"MK", 19),
    (*b"MN", 20),
    (*b"MR", 27),
    (*b"MT", 31),
    (*b"MU", 30),
    (*b"NI", 28),
    (*b"NL", 18),
    (*b"NO", 15),
    (*b"OM", 23),
    (*b"PK", 24),
    (*b"PL", 28),
    (*b"PS", 29),
    (*b"PT", 25),
    (*b"QA", 29),
    (*b"RO", 24),
    (*b"RS", 22),
    (*b"RU", 33),
    (*b"SA", 24),
    (*b"SC", 31),
    (*b"SD", 18),
    (*b"SE", 24),
    (*b"SI", 19),
    (*b"SK", 24),
    (*b"SM", 27),
    (*b"SO", 23),
    (*b"ST", 25),
    (*b"SV", 28),
    (*b"TL", 23),
    (*b"TN", 24),
    (*b"TR", 26),
    (*b"UA", 29),
    (*b"VA", 22),
    (*b"VG", 24),
    (*b"XK", 20),
    (*b"YE", 30),
];

/// Characters of the longest account number.
const IBAN_CHARACTERS: usize = 34;

/// An account number that begins at `start`, in one piece or in groups of four (ISO 13616); `true` for groups.
pub(super) fn iban(text: &[u8], start: usize) -> Option<(Range<usize>, bool)> {
    let window = text.get(start..)?;
    let country: [u8; 2] = window.get(..2)?.to_ascii_uppercase().try_into().ok()?;
    let at = IBAN_LENGTHS.binary_search_by_key(&country, |(code, _)| *code).ok()?;
    let (_, wanted) = IBAN_LENGTHS.get(at)?;
    let mut characters = [0; IBAN_CHARACTERS];
    let (mut count, mut place, mut grouped) = (0, 0, false);
    while count < *wanted {
        match window.get(place)? {
            byte if byte.is_ascii_alphanumeric() => {
                *characters.get_mut(count)? = byte.to_ascii_uppercase();
                count += 1;
            }
            b' ' | b'-' if count > 0 && count % 4 == 0 && (grouped || count == 4) => grouped = true,
            _ => return None,
        }
        place += 1;
    }
    let (head, body) = characters.get(..count)?.split_at_checked(4)?;
    let valid = mod_97_10(body.iter().chain(head)) && head.get(2..)?.iter().all(u8::is_ascii_digit);
    (valid && !goes_on(text, start + place)).then_some((start..start + place, grouped))
}
