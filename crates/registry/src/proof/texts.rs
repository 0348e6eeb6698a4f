//! Long texts that entries have in common, each of which a proof file holds once.
//!
//! ```text
//!   {"policy":"e17278b2…","state":"@home"}  <-->  {"policy":"@7","state":"@@home"}, "texts":[…, "e17278b2…", …]
//! ```

use std::collections::BTreeMap;

use serde_json::Value;

/// Bytes of the shortest text that is held once: digests, ids and types of statements are longer, and what people read is
/// shorter and stays where it is said.
const LEAST: usize = 30;

/// What a reference begins with, and a text that begins like one.
const MARK: char = '@';

/// The texts that are in the values more than once, ascending.
#[derive(Debug, Default)]
pub(super) struct Texts {
    places: BTreeMap<String, usize>,
}

impl Texts {
    /// Finds those of all `values`.
    pub(super) fn of<'v>(values: impl Iterator<Item = Piece<'v>>) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut count = |text: &'v str| *counts.entry(text).or_default() += usize::from(text.len() >= LEAST);
        for value in values {
            match value {
                Piece::Text(text) => count(text),
                Piece::Value(value) => each(value, &mut count),
            }
        }
        let shared = counts.into_iter().filter(|(_, count)| *count > 1);
        Self { places: shared.enumerate().map(|(place, (text, _))| (text.to_owned(), place)).collect() }
    }

    /// As the file lists them.
    pub(super) fn list(&self) -> Vec<String> {
        self.places.keys().cloned().collect()
    }

    /// A text as entries say it.
    pub(super) fn short(&self, text: &str) -> String {
        match self.places.get(text) {
            Some(place) => format!("{MARK}{place}"),
            None if text.starts_with(MARK) => format!("{MARK}{text}"),
            None => text.to_owned(),
        }
    }

    /// A value as entries say it.
    pub(super) fn shorten(&self, value: &Value) -> Value {
        let Ok(value) = map(value, &mut |text| Ok::<_, std::convert::Infallible>(self.short(text)));
        value
    }
}

/// Where texts are looked for.
pub(super) enum Piece<'v> {
    /// A text itself.
    Text(&'v str),
    /// All texts of a value, but for the names of members.
    Value(&'v Value),
}

/// An entry refers to a text that the file does not hold, or to more than a file may have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoText;

/// The way back, for entries that take no more than so many bytes.
pub(super) struct Reader<'t> {
    texts: &'t [String],
    left: usize,
}

impl<'t> Reader<'t> {
    /// Reads references to `texts`, to `most` bytes in all.
    pub(super) const fn new(texts: &'t [String], most: usize) -> Self {
        Self { texts, left: most }
    }

    /// The text that is meant.
    pub(super) fn text(&mut self, said: &str) -> Result<String, NoText> {
        let Some(reference) = said.strip_prefix(MARK) else { return Ok(said.to_owned()) };
        if reference.starts_with(MARK) {
            return Ok(reference.to_owned());
        }
        let place: usize = reference.parse().map_err(|_| NoText)?;
        let text = self.texts.get(place).ok_or(NoText)?;
        self.left = self.left.checked_sub(text.len()).ok_or(NoText)?;
        Ok(text.clone())
    }

    /// The value that is meant.
    pub(super) fn value(&mut self, said: &Value) -> Result<Value, NoText> {
        map(said, &mut |text| self.text(text))
    }
}

/// Calls `with` for each text of a value; values are no deeper than canonical JSON is.
fn each<'v>(value: &'v Value, with: &mut impl FnMut(&'v str)) {
    match value {
        Value::String(text) => with(text),
        Value::Array(values) => values.iter().for_each(|value| each(value, with)),
        Value::Object(members) => members.values().for_each(|value| each(value, with)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The value with each of its texts made into another.
fn map<E>(value: &Value, with: &mut impl FnMut(&str) -> Result<String, E>) -> Result<Value, E> {
    Ok(match value {
        Value::String(text) => Value::String(with(text)?),
        Value::Array(values) => {
            Value::Array(values.iter().map(|value| map(value, with)).collect::<Result<_, _>>()?)
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| Ok((name.clone(), map(value, with)?));
            Value::Object(members.iter().map(member).collect::<Result<_, E>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{NoText, Piece, Reader, Texts, Value};

    const LONG: &str = "https://in-toto.io/Statement/v1";

    #[test]
    fn what_is_said_twice_and_long_is_held_once() {
        let value = json!({"a": LONG, "b": [LONG, "short", "short", "@7", 7], "c": "said once but nevertheless long"});
        let texts = Texts::of([Piece::Value(&value)].into_iter());
        assert_eq!(texts.list(), [LONG]);
        let short = texts.shorten(&value);
        let expected = json!({"a": "@0", "b": ["@0", "short", "short", "@@7", 7], "c": "said once but nevertheless long"});
        assert_eq!(short, expected);
        assert_eq!(Reader::new(&texts.list(), 62).value(&short), Ok(value));
    }

    #[test]
    fn what_is_not_held_is_refused() {
        let texts = [LONG.to_owned()];
        for said in ["@1", "@", "@-1", "@x", "@99999999999999999999999"] {
            assert_eq!(Reader::new(&texts, 1000).text(said), Err(NoText), "{said}");
        }
        let both = json!(["@0", "@0"]);
        assert_eq!(Reader::new(&texts, 61).value(&both), Err(NoText));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[@0-9]{0,4}".prop_map(Value::from),
            "[@ab]{29,31}".prop_map(Value::from),
            Just(Value::from(LONG)),
            any::<u32>().prop_map(Value::from),
        ];
        text.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map("[a-c@]{1,2}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_shortened_is_read_back(values in prop::collection::vec(any_value(), 0..4)) {
            let texts = Texts::of(values.iter().map(Piece::Value));
            let list = texts.list();
            prop_assert!(list.is_sorted());
            let mut reader = Reader::new(&list, 100_000);
            for value in &values {
                let short = texts.shorten(value);
                prop_assert_eq!(reader.value(&short), Ok(value.clone()));
            }
        }
    }
}
