//! CSV: how a file is written, and a reader that streams it once and hashes it on the way.

pub(crate) mod pieces;
mod reader;
pub(crate) mod sheet;
pub(crate) mod sniff;
mod source;

use std::fmt;
use std::str::FromStr;

pub use self::reader::{CsvReader, Row};
use crate::limits::{NULL_TOKEN_BYTES, NULL_TOKENS};
pub use crate::read::{Place, ReadError, ReadOutcome};

/// How to read a CSV file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CsvOptions {
    /// What separates cells; `None` finds out from the header line.
    pub separator: Option<Separator>,
    /// How text is written as bytes; `None` obeys a byte order mark and otherwise takes UTF-8.
    pub encoding: Option<Encoding>,
    /// Which cells mean "no value".
    pub null: NullTokens,
    /// Whether a first line of numbers only names columns, such as the labels 0 and 1, and is not taken for a row.
    pub numbers_name: bool,
}

/// How a CSV file was in fact written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsvFormat {
    /// What separates cells.
    pub separator: Separator,
    /// How text is written as bytes.
    pub encoding: Encoding,
}

/// The byte between two cells: an ASCII character that is no letter, digit, quote, space or line end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Separator(u8);

impl Separator {
    /// `,`
    pub const COMMA: Self = Self(b',');
    /// `;`
    pub const SEMICOLON: Self = Self(b';');
    /// A tab.
    pub const TAB: Self = Self(b'\t');
    /// `|`
    pub const PIPE: Self = Self(b'|');

    /// A separator of that byte, unless cells could not be told apart with it.
    pub const fn new(byte: u8) -> Option<Self> {
        let usable = byte == b'\t' || byte == 0x1F || (byte.is_ascii_punctuation() && byte != b'"');
        if usable { Some(Self(byte)) } else { None }
    }

    /// The byte.
    pub const fn byte(self) -> u8 {
        self.0
    }
}

/// The text is not a separator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a separator: one punctuation character such as `,` `;` `|`, or `tab`")]
pub struct SeparatorInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

impl FromStr for Separator {
    type Err = SeparatorInvalid;

    /// One character, or `tab`.
    fn from_str(text: &str) -> Result<Self, SeparatorInvalid> {
        let byte = match text.as_bytes() {
            b"tab" | b"\\t" => Some(b'\t'),
            [byte] => Some(*byte),
            _ => None,
        };
        byte.and_then(Self::new).ok_or_else(|| SeparatorInvalid { text: text.chars().take(80).collect() })
    }
}

impl fmt::Display for Separator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\t' => f.write_str("tab"),
            0x1F => f.write_str("\\u{1f}"),
            byte => write!(f, "{}", char::from(byte)),
        }
    }
}

impl fmt::Debug for Separator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How text is written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// Windows code page 1252 as the WHATWG Encoding Standard defines it; `latin1` means the same there.
    Windows1252,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252];

    /// The encoding's name, as schemas write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }
}

/// The text is not the name of an encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an encoding: `utf-8`, `utf-16le`, `utf-16be` or `windows-1252`")]
pub struct EncodingInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

impl FromStr for Encoding {
    type Err = EncodingInvalid;

    /// The name in any case; `utf8`, `latin1` and `iso-8859-1` are understood too.
    fn from_str(text: &str) -> Result<Self, EncodingInvalid> {
        match text.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Ok(Self::Utf8),
            "utf-16le" => Ok(Self::Utf16Le),
            "utf-16be" => Ok(Self::Utf16Be),
            "windows-1252" | "cp1252" | "latin1" | "iso-8859-1" => Ok(Self::Windows1252),
            _ => Err(EncodingInvalid { text: text.chars().take(80).collect() }),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The spellings of "no value": a sorted set of short texts, compared exactly once white space around is cut.
///
/// The default is the empty cell and `N/A`, `NA`, `NULL`, `NaN`, `nan`, `null`. A file in which `NA` is Namibia
/// says so in its schema.
#[derive(Clone, PartialEq, Eq)]
pub struct NullTokens {
    // INVARIANT: sorted, no duplicates, trimmed, within the limits.
    tokens: Vec<String>,
    /// Which first bytes any token has; most cells are told from all tokens by their first byte.
    first_bytes: [bool; 256],
    longest: usize,
    empty: bool,
}

/// The texts cannot be spellings of "no value".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NullTokensInvalid {
    /// Too many of them.
    #[error("{count} spellings of null, more than the {NULL_TOKENS} allowed")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// One is too long, or starts or ends with white space, which is cut before comparing.
    #[error("`{token}` cannot mean null: at most {NULL_TOKEN_BYTES} bytes, no white space at its ends")]
    Token {
        /// The token, cut to 80 characters.
        token: String,
    },
}

impl NullTokens {
    /// A set of these spellings.
    ///
    /// # Errors
    /// When there are too many, or one is too long or has white space at its ends.
    pub fn new<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> Result<Self, NullTokensInvalid> {
        let mut sorted: Vec<String> = tokens.into_iter().map(|token| token.as_ref().to_owned()).collect();
        sorted.sort();
        sorted.dedup();
        if sorted.len() > NULL_TOKENS {
            return Err(NullTokensInvalid::TooMany { count: sorted.len() });
        }
        let unusable =
            |token: &&String| token.len() > NULL_TOKEN_BYTES || token.trim_ascii() != token.as_str();
        if let Some(token) = sorted.iter().find(unusable) {
            return Err(NullTokensInvalid::Token { token: token.chars().take(80).collect() });
        }
        Ok(Self::index(sorted))
    }

    /// The spellings, sorted.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    pub(crate) fn contains(&self, trimmed: &[u8]) -> bool {
        let Some(first) = trimmed.first() else { return self.empty };
        trimmed.len() <= self.longest
            && self.first_bytes.get(usize::from(*first)) == Some(&true)
            && self.tokens.iter().any(|token| token.as_bytes() == trimmed)
    }

    fn index(tokens: Vec<String>) -> Self {
        let mut first_bytes = [false; 256];
        for byte in tokens.iter().filter_map(|token| token.as_bytes().first()) {
            if let Some(known) = first_bytes.get_mut(usize::from(*byte)) {
                *known = true;
            }
        }
        let longest = tokens.iter().map(String::len).max().unwrap_or(0);
        let empty = tokens.first().is_some_and(String::is_empty);
        Self { tokens, first_bytes, longest, empty }
    }
}

impl Default for NullTokens {
    fn default() -> Self {
        Self::index(["", "N/A", "NA", "NULL", "NaN", "nan", "null"].map(str::to_owned).to_vec())
    }
}

impl fmt::Debug for NullTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tokens.fmt(f)
    }
}
