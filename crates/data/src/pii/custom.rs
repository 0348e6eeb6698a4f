//! Recognisers that a TOML file adds: a pattern, a validator by name, words and scores.

use std::fmt;
use std::ops::Range;

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use serde::Deserialize;

use super::card::card;
use super::checksum::{luhn, mod_11_10, mod_97_10, verhoeff};
use super::kind::{Evidence, Kind};
use super::scan::stands_alone;
use crate::limits::{
    RECOGNISER_MATCH_BYTES, RECOGNISER_PATTERN_BYTES, RECOGNISER_PROGRAM_BYTES, RECOGNISER_WORD_BYTES,
    RECOGNISER_WORDS, RECOGNISERS, RECOGNISERS_BYTES,
};
use crate::schema::NotToml;

const FORMAT: &str = "bartizan-recognisers-v1";

/// The recognisers of one file; see `docs/formats/recognisers-toml.md`.
#[derive(Debug, Clone)]
pub struct Recognisers(Vec<Recogniser>);

/// One kind that a file adds.
#[derive(Clone)]
pub(super) struct Recogniser {
    id: String,
    kind: Kind,
    regex: Regex,
    validator: Option<fn(&[u8]) -> bool>,
    words: Vec<String>,
    score: u8,
    context_score: u8,
}

/// The text is not a file of recognisers.
#[derive(Debug, thiserror::Error)]
pub enum RecognisersInvalid {
    /// More bytes than such a file may have.
    #[error("the recognisers have {bytes} bytes, more than the {RECOGNISERS_BYTES} allowed")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// Not TOML, or not of this shape.
    #[error("the recognisers do not parse")]
    Text(#[source] NotToml),
    /// A format of another version.
    #[error("the recognisers have format `{format}`, not `{FORMAT}`")]
    Format {
        /// What it says, cut to 80 characters.
        format: String,
    },
    /// More recognisers than a file may have.
    #[error("there are {count} recognisers, more than the {RECOGNISERS} allowed")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// A value that cannot be meant.
    #[error("in recogniser {number}, {field}: {why}")]
    Value {
        /// Which recogniser, from 1.
        number: usize,
        /// Which field.
        field: &'static str,
        /// What is wrong.
        why: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    #[serde(default)]
    recogniser: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: String,
    pattern: String,
    #[serde(default)]
    validator: Option<String>,
    #[serde(default)]
    words: Vec<String>,
    score: f64,
    #[serde(default)]
    score_with_words: Option<f64>,
}

impl Recognisers {
    /// Reads a file of recognisers.
    ///
    /// # Errors
    /// When it is too large, not TOML of this shape, or a recogniser cannot be meant.
    pub fn parse(text: &str) -> Result<Self, RecognisersInvalid> {
        if text.len() > RECOGNISERS_BYTES {
            return Err(RecognisersInvalid::TooLarge { bytes: text.len() });
        }
        let file: File =
            toml::from_str(text).map_err(|error| RecognisersInvalid::Text(not_toml(text, &error)))?;
        if file.format != FORMAT {
            return Err(RecognisersInvalid::Format { format: plain(&file.format, 80) });
        }
        if file.recogniser.len() > RECOGNISERS {
            return Err(RecognisersInvalid::TooMany { count: file.recogniser.len() });
        }
        let mut recognisers: Vec<Recogniser> = Vec::with_capacity(file.recogniser.len());
        for (place, entry) in file.recogniser.into_iter().enumerate() {
            let taken = recognisers.iter().any(|other| other.id == entry.kind);
            let value = |(field, why)| RecognisersInvalid::Value { number: place + 1, field, why };
            if taken {
                return Err(value(("kind", format!("`{}` comes twice", plain(&entry.kind, 40)))));
            }
            recognisers.push(recogniser(place, entry).map_err(value)?);
        }
        Ok(Self(recognisers))
    }

    pub(super) fn recognisers(&self) -> &[Recogniser] {
        &self.0
    }

    /// The ids of the kinds that it adds, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Recogniser::id)
    }
}

/// Where the text is not TOML of this shape.
fn not_toml(text: &str, error: &toml::de::Error) -> NotToml {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    NotToml {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        what: plain(error.message(), 400),
    }
}

/// What may quote a file must not be long, and not speak to a terminal.
fn plain(text: &str, most: usize) -> String {
    text.chars().take(most).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn recogniser(place: usize, entry: Entry) -> Result<Recogniser, (&'static str, String)> {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let id = entry.kind;
    if id.is_empty()
        || id.len() > 40
        || !id.bytes().all(letters)
        || Kind::built_in(&id).is_some()
        || id == "custom"
    {
        let why = "must be 1 to 40 lower-case letters, digits and hyphens, and not a built-in kind";
        return Err(("kind", why.to_owned()));
    }
    let kind = Kind::custom(place).ok_or_else(|| ("kind", "is one too many".to_owned()))?;
    if entry.pattern.len() > RECOGNISER_PATTERN_BYTES {
        return Err(("pattern", format!("has more than {RECOGNISER_PATTERN_BYTES} bytes")));
    }
    let regex = compile(&entry.pattern).map_err(|why| ("pattern", why))?;
    let validator =
        entry.validator.as_deref().map(validator).transpose().map_err(|why| ("validator", why))?;
    let too_long = entry.words.iter().any(|word| word.is_empty() || word.len() > RECOGNISER_WORD_BYTES);
    if entry.words.len() > RECOGNISER_WORDS || too_long {
        let why = format!("must be at most {RECOGNISER_WORDS} words of 1 to {RECOGNISER_WORD_BYTES} bytes");
        return Err(("words", why));
    }
    let score = hundredths(entry.score).map_err(|why| ("score", why))?;
    let with_words =
        entry.score_with_words.map(hundredths).transpose().map_err(|why| ("score_with_words", why))?;
    let words = entry.words.iter().map(|word| word.to_lowercase()).collect();
    Ok(Recogniser { id, kind, regex, validator, words, score, context_score: with_words.unwrap_or(score) })
}

/// Compiles a pattern over bytes. Matching takes time in proportion to the text: there is no backtracking.
fn compile(pattern: &str) -> Result<Regex, String> {
    let config = Regex::config()
        .utf8_empty(false)
        .nfa_size_limit(Some(RECOGNISER_PROGRAM_BYTES))
        .onepass_size_limit(Some(RECOGNISER_PROGRAM_BYTES))
        .dfa_size_limit(Some(RECOGNISER_PROGRAM_BYTES))
        .hybrid_cache_capacity(RECOGNISER_PROGRAM_BYTES);
    let syntax = syntax::Config::new().utf8(false).unicode(false).nest_limit(50);
    let regex = Regex::builder().configure(config).syntax(syntax).build(pattern);
    let regex = regex.map_err(|error| match error.syntax_error() {
        // The parser's own message repeats the pattern with a mark under it, over several lines.
        Some(error) => error.to_string().lines().last().unwrap_or_default().trim().to_owned(),
        None => "is too large when compiled".to_owned(),
    })?;
    if regex.is_match("") {
        return Err("matches nothing at all, everywhere".to_owned());
    }
    Ok(regex)
}

fn validator(name: &str) -> Result<fn(&[u8]) -> bool, String> {
    let check: fn(&[u8]) -> bool = match name {
        "luhn" => |id| !id.is_empty() && id.iter().all(u8::is_ascii_digit) && luhn(id),
        "card" => card,
        "verhoeff" => |id| !id.is_empty() && id.iter().all(u8::is_ascii_digit) && verhoeff(id),
        "mod-11-10" => |id| id.len() > 1 && id.iter().all(u8::is_ascii_digit) && mod_11_10(id),
        "mod-97-10" => |id| mod_97_10(id.iter()),
        other => {
            let other = plain(other, 40);
            return Err(format!("`{other}` is none of luhn, card, verhoeff, mod-11-10, mod-97-10"));
        }
    };
    Ok(check)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 100 after the comparison"
)]
fn hundredths(score: f64) -> Result<u8, String> {
    if (0.0..=1.0).contains(&score) {
        Ok((score * 100.0).round() as u8)
    } else {
        Err("must be from 0 to 1".to_owned())
    }
}

impl Recogniser {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    pub(super) const fn score(&self, near: bool) -> (Evidence, u8) {
        if near { (Evidence::Context, self.context_score) } else { (Evidence::Plain, self.score) }
    }

    /// Hands out what matches, stands alone and is valid, and begins in `owned`.
    pub(super) fn each(&self, text: &[u8], owned: Range<usize>, mut found: impl FnMut(Range<usize>)) {
        for hit in self.regex.find_iter(text) {
            let range = hit.range();
            if range.start >= owned.end {
                return;
            }
            let fits = range.start >= owned.start && (1..=RECOGNISER_MATCH_BYTES).contains(&range.len());
            if !fits || !stands_alone(text, &range) {
                continue;
            }
            let valid = self.validator.is_none_or(|check| {
                let written = text.get(range.clone()).unwrap_or_default();
                let id: Vec<u8> = written
                    .iter()
                    .filter(|b| b.is_ascii_alphanumeric())
                    .map(u8::to_ascii_uppercase)
                    .collect();
                check(&id)
            });
            if valid {
                found(range);
            }
        }
    }
}

impl fmt::Debug for Recogniser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recogniser({})", self.id)
    }
}
