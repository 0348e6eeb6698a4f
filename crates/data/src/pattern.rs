//! Regular expressions of schemas: compiled within limits, matched in time proportional to the text.

use std::fmt;

use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use crate::limits::{PATTERN_BYTES, PATTERN_PROGRAM_BYTES};

/// A regular expression, in the syntax of Rust's `regex`: Perl's, with Unicode, without look-around and references back.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

/// A text is no regular expression that is taken here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pattern {why}")]
pub struct PatternInvalid {
    /// What is wrong, cut to 300 characters.
    pub why: String,
}

impl Pattern {
    /// Compiles a regular expression.
    ///
    /// # Errors
    /// When it is too long, does not parse, or is too large when compiled.
    pub fn new(text: &str) -> Result<Self, PatternInvalid> {
        let invalid = |why: String| PatternInvalid { why: why.chars().take(300).collect() };
        if text.len() > PATTERN_BYTES {
            return Err(invalid(format!("has {} bytes, more than the {PATTERN_BYTES} allowed", text.len())));
        }
        let config = Regex::config()
            .utf8_empty(false)
            .nfa_size_limit(Some(PATTERN_PROGRAM_BYTES))
            .onepass_size_limit(Some(PATTERN_PROGRAM_BYTES))
            .dfa_size_limit(Some(PATTERN_PROGRAM_BYTES))
            .hybrid_cache_capacity(PATTERN_PROGRAM_BYTES);
        let syntax = syntax::Config::new().utf8(false).nest_limit(50);
        let regex = Regex::builder().configure(config).syntax(syntax).build(text);
        let regex = regex.map_err(|error| match error.syntax_error() {
            // The parser's own message repeats the pattern with a mark under it, over several lines.
            Some(error) => {
                let last = error.to_string();
                let last = last.lines().last().unwrap_or_default().trim();
                invalid(format!("does not parse: {}", last.trim_start_matches("error: ")))
            }
            None => invalid("is too large when compiled".to_owned()),
        })?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches somewhere in the text. Only `^` and `$` bind it to the ends.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.text)
    }
}
