//! The words of an expression, each with its place.

use super::ExpressionInvalid;
use crate::limits::{EXPRESSION_BYTES, EXPRESSION_WORDS};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    Number(f64),
    /// `'text'`
    Text(String),
    /// A bare name, which may be a keyword or a function.
    Name(String),
    /// `` `a name` ``, always a column.
    Quoted(String),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

impl Word {
    /// As a message names it; what is long is cut.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Number(number) => format!("`{number}`"),
            Self::Text(_) => "text".to_owned(),
            Self::Name(name) | Self::Quoted(name) => format!("`{}`", shortened(name)),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::End => "the end".to_owned(),
        }
    }

    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Name(name) if name.eq_ignore_ascii_case(keyword))
    }
}

pub(super) fn shortened(text: &str) -> String {
    text.chars().take(60).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// The longer ones first.
const SIGNS: [&str; 17] =
    ["<=", ">=", "!=", "<>", "==", "<", ">", "=", "+", "-", "*", "/", "%", "(", ")", ",", ";"];

/// An error at a place, counted in bytes from 0 and told in characters from 1.
pub(super) fn wrong(text: &str, at: usize, what: impl Into<String>) -> ExpressionInvalid {
    let before = text.get(..at).map_or(0, |before| before.chars().count());
    ExpressionInvalid { at: before + 1, what: what.into().chars().take(300).collect() }
}

/// Takes a text apart.
pub(super) fn words(text: &str) -> Result<Vec<(usize, Word)>, ExpressionInvalid> {
    if text.len() > EXPRESSION_BYTES {
        let what = format!("it has {} bytes, more than the {EXPRESSION_BYTES} allowed", text.len());
        return Err(wrong(text, 0, what));
    }
    let (mut words, mut at) = (Vec::new(), 0);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        let Some(first) = trimmed.chars().next() else {
            words.push((at, Word::End));
            return Ok(words);
        };
        if words.len() >= EXPRESSION_WORDS {
            return Err(wrong(text, at, format!("more than the {EXPRESSION_WORDS} words allowed")));
        }
        let (word, length) = match first {
            '\'' => {
                let (content, length) = quoted(trimmed, '\'').ok_or_else(|| {
                    wrong(text, at, "text begins here and does not end: it stands between `'` and `'`")
                })?;
                (Word::Text(content), length)
            }
            '`' => {
                let (content, length) = quoted(trimmed, '`').ok_or_else(|| {
                    wrong(text, at, "a name begins here and does not end with a back-quote")
                })?;
                (Word::Quoted(content), length)
            }
            '"' => {
                let what = "text stands between `'`, and a name with other letters between back-quotes";
                return Err(wrong(text, at, what));
            }
            '0'..='9' | '.' => {
                let length = number_length(trimmed.as_bytes());
                let written = trimmed.get(..length).unwrap_or_default();
                let number = written.parse::<f64>().ok().filter(|number| number.is_finite());
                let number = number
                    .ok_or_else(|| wrong(text, at, format!("`{}` is not a number", shortened(written))))?;
                (Word::Number(number), length)
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                let ends = |letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '.');
                let length = trimmed.find(ends).unwrap_or(trimmed.len());
                (Word::Name(trimmed.get(..length).unwrap_or_default().to_owned()), length)
            }
            _ => {
                let sign = SIGNS.into_iter().find(|sign| trimmed.starts_with(sign)).ok_or_else(|| {
                    wrong(text, at, format!("`{}` means nothing here", shortened(&first.to_string())))
                })?;
                (Word::Sign(sign), sign.len())
            }
        };
        words.push((at, word));
        at += length;
    }
}

/// What stands between two quotes, of which a double one is one of the text; and the length of all.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let (mut content, mut letters) = (String::new(), text.char_indices().skip(1).peekable());
    while let Some((at, letter)) = letters.next() {
        if letter != quote {
            content.push(letter);
        } else if letters.peek().is_some_and(|(_, next)| *next == quote) {
            letters.next();
            content.push(quote);
        } else {
            return Some((content, at + quote.len_utf8()));
        }
    }
    None
}

/// Digits, a fraction, an exponent.
fn number_length(text: &[u8]) -> usize {
    let digits = |from: usize| {
        text.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut length = digits(0);
    if text.get(length) == Some(&b'.') {
        length += 1;
        length += digits(length);
    }
    if matches!(text.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length.max(1)
}
