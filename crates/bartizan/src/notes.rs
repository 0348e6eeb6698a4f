//! What a training job says about itself beside its model: `params.json` and `metrics.jsonl`.
//!
//! Nothing that is wrong with them costs the model. What can be read is kept, and the run's record says in words what
//! could not, and why.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Bytes of each of the two that are read.
const BYTES: u64 = 4 * 1024 * 1024;
/// Remarks that a record keeps; more are counted.
const REMARKS: usize = 20;

const PARAMS: &str = "params.json";
const METRICS: &str = "metrics.jsonl";

/// What a job said about itself.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Notes {
    /// What it was trained with; `null` if it does not say.
    pub(crate) parameters: Value,
    /// How it went, in the order in which it was written; `null` if it does not say.
    pub(crate) metrics: Value,
    /// What could not be taken as it is.
    pub(crate) remarks: Vec<String>,
}

impl Notes {
    /// Takes the two files from among those that a job left: they are no part of the model.
    pub(crate) fn take(files: &mut Vec<(String, PathBuf)>) -> Notes {
        let mut notes = Notes::default();
        files.retain(|(path, at)| match path.as_str() {
            PARAMS => {
                notes.parameters = notes
                    .read(PARAMS, at)
                    .map_or(Value::Null, |text| notes.parsed(PARAMS, &text).unwrap_or(Value::Null));
                false
            }
            METRICS => {
                notes.metrics = notes.read(METRICS, at).map_or(Value::Null, |text| notes.lines(&text));
                false
            }
            _ => true,
        });
        let more = notes.remarks.len().saturating_sub(REMARKS);
        if more > 0 {
            notes.remarks.truncate(REMARKS);
            notes.remarks.push(format!("{more} more like these"));
        }
        notes
    }

    fn read(&mut self, name: &str, path: &Path) -> Option<String> {
        match bounded(path) {
            Ok(text) => Some(text),
            Err(error) => {
                self.remarks.push(format!("{name} is not kept: {error}"));
                None
            }
        }
    }

    fn lines(&mut self, text: &str) -> Value {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines
            .filter_map(|(index, line)| self.parsed(&format!("{METRICS}, line {}", index + 1), line))
            .collect()
    }

    /// Reads a JSON text; what is no number is nothing then.
    fn parsed(&mut self, what: &str, text: &str) -> Option<Value> {
        let error = match serde_json::from_str(text) {
            Ok(Strict(value)) => return Some(value),
            Err(error) => error,
        };
        match without_odd_numbers(text).and_then(|text| serde_json::from_str(&text).ok()) {
            Some(Strict(value)) => {
                self.remarks.push(format!("{what}: NaN and infinities are no JSON, and are kept as null"));
                Some(value)
            }
            None => {
                self.remarks.push(format!("{what} is not kept: {error}"));
                None
            }
        }
    }
}

fn bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(BYTES + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= BYTES) {
        return Ok(text);
    }
    Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {BYTES} bytes")))
}

/// The text with `null` for `NaN`, `Infinity` and `-Infinity`, as other software writes them; `None` if there are none.
fn without_odd_numbers(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let (mut rest, mut in_text, mut found) = (text, false, false);
    while let Some(letter) = rest.chars().next() {
        let word =
            ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| !in_text && rest.starts_with(word));
        let length = match (word, letter) {
            (Some(word), _) => {
                found = true;
                plain.push_str("null");
                word.len()
            }
            // An escape and what it escapes.
            (None, '\\') => letter.len_utf8() + rest.chars().nth(1).map_or(0, char::len_utf8),
            (None, _) => {
                in_text ^= letter == '"';
                letter.len_utf8()
            }
        };
        let (read, left) = rest.split_at_checked(length)?;
        if word.is_none() {
            plain.push_str(read);
        }
        rest = left;
    }
    found.then_some(plain)
}

/// A JSON value in which no object has two members of one name: readers disagree about which counts.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Strict(value) = members.next_value()?;
            if values.contains_key(&name) {
                let shown: String = name.chars().take(80).collect();
                return Err(A::Error::custom(format!("`{shown}` is there twice")));
            }
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests;
