//! What was found, told to people as a page and to other programs as JUnit XML and SARIF. Pure: no files, no clock.
//!
//! ```text
//!   check::Report ---+--> html::check, html::drift, html::quality, html::unread --> one page, nothing else needed
//!   DriftReport -----+
//!   QualityReport ---+--> Suite: one case for each rule --+--> junit::write
//!   ReadError -------+                                    +--> sarif::write
//! ```
//!
//! None shows a value of the data but what `docs/reports.md` lists. Names and messages come from outside: they are cut,
//! made visible ([`plain`]), and escaped for what they are written in. No report is larger than
//! [`REPORT_BYTES`](crate::limits::REPORT_BYTES).

mod gate;
pub mod html;
pub mod junit;
mod rules;
pub mod sarif;
mod suite;

use bartizan_base::{Digest, Timestamp};

pub use self::gate::Gate;
pub use self::suite::{Case, Standing, Suite, Told};
use crate::limits::REPORT_TEXT;

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What was judged, as its reader knows it: the name of a file.
    pub name: String,
    /// Where it lies, as a URI reference; [`uri_of_path`] makes one of a path.
    pub uri: String,
    /// What it was held against: a schema, or an earlier table.
    pub against: Option<Against>,
    /// The version of what wrote the report.
    pub version: String,
    /// When it was judged; a report without it is the same on every day.
    pub at: Option<Timestamp>,
}

/// What something was held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Against {
    /// What it is called: the name of a file.
    pub name: String,
    /// SHA-256 of its bytes, when they are known.
    pub digest: Option<Digest>,
}

/// A path as a URI reference (RFC 3986 section 4.1): relative ones stay relative, as readers of SARIF expect them, and
/// addresses of object stores keep their scheme.
pub fn uri_of_path(path: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    let path = path.strip_prefix("./").unwrap_or(path);
    let is_scheme = |scheme: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        scheme.len() > 1
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(plain)
    };
    let (mut uri, path) = match path.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) {
        Some((scheme, path)) => (format!("{scheme}://"), path),
        None => (String::from(if path.starts_with('/') { "file://" } else { "" }), path),
    };
    for byte in path.as_bytes() {
        if plain(byte) {
            uri.push(char::from(*byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// Text from outside as it may be shown: cut to [`REPORT_TEXT`] characters, and what cannot be seen, or would turn the
/// direction of what follows, by its number: `\u{202e}`. Everything that is left may stand in XML 1.0 once it is escaped.
pub fn plain(text: &str) -> String {
    cut(text, REPORT_TEXT)
}

/// The same, cut to so many characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(most * 4));
    for (at, character) in text.chars().enumerate() {
        if at == most {
            shown.push('…');
            break;
        }
        if is_hidden(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Control characters, separators of lines, marks of direction, what has no width, tags, and what is no character.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || u32::from(character) & 0xfffe == 0xfffe
}
